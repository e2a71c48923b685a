// A mail server that says whatever it likes, in pieces of any size: never a crash; what is handed on was asked for, and
// is what stood in the answer.
#include <algorithm>
#include <cstdlib>
#include <set>

#include "ingest/src/imap_client.h"

namespace {

using namespace kustos;
using namespace kustos::ingest;

class Link final : public ImapLink {
public:
    Link(ByteView bytes, std::size_t step) : bytes_(bytes), step_(step) {}
    Status send(std::string_view text, std::int64_t) override {
        if (text.size() < 2 || text.find('\n') != text.size() - 1) std::abort();  // one command, one line
        return {};
    }
    Result<std::size_t> receive(std::span<std::uint8_t> out, std::int64_t) override {
        if (bytes_.empty()) return Error(Code::environment, "over");
        const std::size_t size = std::min({out.size(), bytes_.size(), step_});
        std::copy_n(bytes_.begin(), size, out.begin());
        bytes_ = bytes_.subspan(size);
        return size;
    }

private:
    ByteView bytes_;
    std::size_t step_;
};

class Mails final : public ImapMails {
public:
    explicit Mails(std::string& log) : log_(log) {}
    Status begin(std::uint64_t size) override {
        if (size > 10'000) return Error(Code::limit, "too large");
        left_ = size;
        return {};
    }
    Status bytes(ByteView piece) override {
        if (piece.empty() || piece.size() > left_) std::abort();
        left_ -= piece.size();
        log_ += as_text(piece);
        return {};
    }
    Status end(ImapUid uid) override {
        if (left_ != 0 || uid < 1 || uid > 3 || !given_.insert(uid).second) std::abort();
        log_ += "|";
        return {};
    }

private:
    std::string& log_;
    std::uint64_t left_ = 0;
    std::set<ImapUid> given_;
};

std::string talk(ByteView bytes, std::size_t step) {
    Link link(bytes, step);
    std::string log;
    Mails mails(log);
    ImapClient client(link, {1000, 500, 2000, 30}, [] { return false; });
    const auto say = [&log](const auto& done) { log += done.ok() ? "+" : done.error().message(); };
    say(client.ask_capabilities());
    const auto box = client.open("INBOX", false);
    say(box);
    if (box.ok()) log += std::to_string(box->validity) + " " + std::to_string(box->next);
    const auto found = client.search(1, 3);
    say(found);
    if (found.ok())
        for (const ImapUid uid : *found)
            if (uid < 1 || uid > 3) std::abort();
    say(client.fetch({1, 2, 3}, mails));
    say(client.remove({1}));
    return log;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (talk({data, size}, 1) != talk({data, size}, 3 + size % 100)) std::abort();
    return 0;
}
