// What a record is, besides its words: who as one, ids, kinds of files.
#include <algorithm>
#include <array>

#include "base/crypto.h"
#include "base/text.h"
#include "search/src/date_terms.h"
#include "search/src/file_types.h"
#include "search/src/record_draft.h"

namespace kustos::search {
namespace {

constexpr std::size_t kLongestName = 12;
constexpr std::size_t kMostIds = 50;  // of one record's thread; the oldest and the newest count

bool is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

// "<a@b> <c@d>" of References and In-Reply-To (RFC 5322, 3.6.4).
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

std::string identity_of(const vault::Person& person) {
    const std::string& best = !person.address.empty() ? person.address : !person.id.empty() ? person.id : person.name;
    std::string out = fold(best);
    if (out.size() > kMaxIdentity) out = sha256(as_bytes(out)).hex();
    return out;
}

std::string id_text(std::string_view source, std::string_view id) {
    if (id.empty()) return {};
    std::string whole = form_of_name(source);
    whole += '\0';
    whole += id;
    const Hash hash = sha256(as_bytes(whole));
    return to_text(hash.view().first(16));
}

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

void add_facts(const vault::Message& message, std::string_view source, RecordDraft& draft) {
    draft.sender = identity_of(message.sender);
    for (const vault::Recipient& recipient : message.recipients) {
        if (recipient.role == vault::Role::reply_to || recipient.role == vault::Role::member) continue;
        std::string who = identity_of(recipient.person);
        if (!who.empty()) draft.recipients.push_back(std::move(who));
    }
    draft.message_id = id_text(source, message.native_id);
    for (const std::string& id : thread_ids(message)) draft.thread.push_back(id_text(source, id));
    if (message.kind == vault::MessageKind::edit) draft.edits = id_text(source, message.target);
    if (message.kind == vault::MessageKind::deletion) draft.deletes = id_text(source, message.target);
    std::uint64_t attached = 0;
    for (const vault::Attachment& attachment : message.attachments) {
        attached += std::max<std::uint64_t>(attachment.size, attachment.content.size());
        for (std::string& type : file_types_named(attachment.name, attachment.media_type))
            draft.filetypes.push_back(std::move(type));
    }
    draft.size = message.raw_size != 0  ? message.raw_size
                 : !message.raw.empty() ? message.raw.size()
                                        : message.body.size() + message.body_html.size() + attached;
    for (auto* list : {&draft.recipients, &draft.filetypes}) {
        std::sort(list->begin(), list->end());
        list->erase(std::unique(list->begin(), list->end()), list->end());
    }
}

}  // namespace kustos::search
