// What is asked of a mailbox over a link (RFC 3501; UIDPLUS, RFC 4315; MOVE, RFC 6851): its state, which mails there
// are, their exact bytes, and, where the settings say so, to take mails out.
//
// Mails are asked for with BODY.PEEK[], which sets no flag. Nothing of the server is believed: every line, literal,
// number of answers and time has a limit, and mails that nobody asked for are an error.
//
// Errors: Code::bad_input: what it says is not IMAP, or not what was asked; Code::limit: larger or more than allowed;
// Code::environment: the connection, too slow, the server says NO; Code::interrupted: asked to stop; those of the
// ImapMails are handed through. After any error but NO the connection is of no use. Threads: one.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/src/imap_link.h"
#include "ingest/src/imap_response.h"

namespace kustos::ingest {

using ImapUid = std::uint32_t;

struct ImapBox {
    std::uint32_t validity = 0;  // UIDVALIDITY
    std::uint64_t next = 0;      // UIDNEXT; 0: the server does not say
    std::uint64_t exists = 0;    // mails
};

// Takes mails as they come. begin() and bytes() before it is known which mail it is: the server may say so last. How
// large a mail may be says begin(), by an error.
class ImapMails {
public:
    virtual ~ImapMails() = default;
    virtual Status begin(std::uint64_t size) = 0;
    virtual Status bytes(ByteView piece) = 0;
    virtual Status end(ImapUid uid) = 0;
};

struct ImapLimits {
    std::int64_t silence_ms = 60'000;       // until the next byte. A command has twice that, and a second a KiB
    std::size_t line = 64u << 10;           // of one answer without its mail
    std::size_t search_line = 24u << 20;    // of an answer to SEARCH
    std::size_t answers_to_command = 1000;  // and ten for each mail that is asked for
};

class ImapClient {
public:
    ImapClient(ImapLink& link, const ImapLimits& limits, std::function<bool()> stopping)
        : link_(link), limits_(limits), stopping_(std::move(stopping)) {}
    Status ask_capabilities();
    bool can(std::string_view capability) const { return capabilities_.count(std::string(capability)) != 0; }
    // name: UTF-8. EXAMINE, or SELECT where something shall be changed.
    Result<ImapBox> open(std::string_view name, bool to_change);
    // UIDs that there are from `first` to `last`, ascending. Others are Code::bad_input.
    Result<std::vector<ImapUid>> search(std::uint64_t first, std::uint64_t last);
    // Those of `uids` that were given; a server's NO is as if it had given no more. uids: ascending.
    Result<std::set<ImapUid>> fetch(const std::vector<ImapUid>& uids, ImapMails& mails);
    Status remove(const std::vector<ImapUid>& uids);                       // \Deleted and UID EXPUNGE: these alone
    Status move(const std::vector<ImapUid>& uids, std::string_view into);  // UID MOVE
    bool changed() const { return changed_; }  // mails came or went since open(), as far as the server said so
    void log_out();                            // as a courtesy

private:
    enum class Done : std::uint8_t { ok, no };
    using Untagged = std::function<Status(const ImapResponse&)>;
    Result<Done> command(const std::string& text, std::size_t mails, const Untagged& untagged,
                         ImapMails* into = nullptr);
    Result<ImapResponse> response(std::size_t most, ImapMails* into);
    Status literal(std::uint64_t size, ImapMails* into, std::string* held);
    Result<std::string> line(std::size_t most);
    Status fill();
    ImapLink& link_;
    const ImapLimits limits_;
    std::function<bool()> stopping_;
    std::set<std::string> capabilities_;
    Bytes buffer_;
    std::size_t at_ = 0;
    std::uint64_t tag_ = 0;
    std::int64_t waited_ms_ = 0;  // in this command, for the server
    std::uint64_t received_ = 0;  // likewise
    bool changed_ = false;
};

// "1:3,7"; numbers ascending.
std::string imap_set(const std::vector<ImapUid>& uids);
// A mailbox's name as it goes over the wire: modified UTF-7 (RFC 3501 section 5.1.3), quoted.
std::string imap_mailbox(std::string_view utf8);

}  // namespace kustos::ingest
