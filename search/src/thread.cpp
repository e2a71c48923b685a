#include "search/thread.h"

#include <algorithm>

#include "base/text.h"

namespace kustos::search {
namespace {

constexpr std::size_t kLongestName = 12;
constexpr std::size_t kMostIds = 50;

// "<a@b> <c@d>"
void ids_of_header(std::string_view header, std::vector<std::string>& out) {
    for (std::size_t at = 0; (at = header.find('<', at)) != std::string_view::npos;) {
        const std::size_t end = header.find('>', at);
        if (end == std::string_view::npos) return;
        std::string id;
        for (const char c : header.substr(at + 1, end - at - 1)) {
            if (!is_space(c)) id += c;  // folded ids
        }
        if (!id.empty()) out.push_back(std::move(id));
        at = end;
    }
}

}  // namespace

std::vector<std::string> thread_ids(const vault::Message& message) {
    std::vector<std::string> out;
    for (const std::string* id : {&message.native_id, &message.thread, &message.reply_to, &message.target})
        if (!id->empty()) out.push_back(*id);
    for (const std::string& header : message.headers) {
        const std::string_view name = std::string_view(header).substr(0, std::min(header.find(':'), kLongestName));
        const std::string folded = fold(name);
        if (folded == "references" || folded == "in-reply-to")
            ids_of_header(std::string_view(header).substr(name.size()), out);
    }
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    if (out.size() > kMostIds) out.resize(kMostIds);
    return out;
}

Query related_to(const std::vector<std::string>& ids, const std::string& source) {
    Node any;
    any.kind = Node::Kind::any_of;
    for (const std::string& id : ids) {
        Node one;
        one.kind = Node::Kind::thread;
        one.text = id;
        any.children.push_back(std::move(one));
    }
    Node from;
    from.kind = Node::Kind::source;
    from.text = source;
    Query out;
    out.root.kind = Node::Kind::all_of;
    out.root.children = {std::move(any), std::move(from)};
    return out;
}

bool is_entry_number(const std::string& text) {
    return !text.empty() && text.size() <= 19 && text.find_first_not_of("0123456789") == std::string::npos;
}

}  // namespace kustos::search
