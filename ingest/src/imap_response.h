// One answer of an IMAP server, taken apart (RFC 3501 section 7). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kustos::ingest {

struct ImapToken {
    enum class Kind : std::uint8_t {
        atom,
        text,  // a quoted string or a literal
        mail,  // a literal that went elsewhere
        open,
        close
    };
    Kind kind = Kind::atom;
    std::string value;
    bool is(std::string_view atom) const;  // an atom, in any case
    std::optional<std::uint64_t> number() const;
};

struct ImapResponse {
    bool tagged = false, goes_on = false;  // else untagged
    std::string tag;
    std::string status;                               // OK, NO, BAD, BYE, PREAUTH; empty: data
    std::string code;                                 // of a status: what stands in its brackets, "UIDVALIDITY 1"
    std::vector<ImapToken> tokens;                    // of data: all words behind "* "
    std::optional<std::vector<std::uint32_t>> found;  // of SEARCH: its numbers, which are no tokens
};

// Whether this line, as it came without its end, says that a literal follows, and of how many bytes.
std::optional<std::uint64_t> imap_literal_size(std::string_view line);
// Takes a line's words; of an answer with literals, line by line, the literals between as tokens of their own.
class ImapParser {
public:
    static constexpr std::size_t kMostTokens = 4096;
    bool first(std::string_view line);  // the answer begins with it; false: it is no IMAP
    bool more(std::string_view line);   // what follows a literal; likewise
    void add(ImapToken token) { out_.tokens.push_back(std::move(token)); }
    bool data() const { return !out_.tagged && !out_.goes_on && out_.status.empty(); }
    // The words so far end with BODY[]: what follows is a mail.
    bool expects_mail() const;
    ImapResponse take() { return std::move(out_); }

private:
    ImapResponse out_;
};

}  // namespace kustos::ingest
