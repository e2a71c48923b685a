// The MIME tree of a mail as a flat list of leaves, each with its place in the raw bytes.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "ingest/format.h"
#include "vault/message.h"

namespace kustos::ingest {

enum class Disposition { none, inline_part, attachment };

struct MailPart {
    std::string media_type;  // lower case
    std::string charset;
    std::string name;
    Disposition disposition = Disposition::none;
    bool is_message = false;               // message/rfc822, kept whole
    Bytes content;                         // decoded
    std::optional<vault::RawSpan> in_raw;  // where the encoded bytes stand
};

struct MailParts {
    std::vector<MailPart> parts;
    std::vector<std::string> notes;
    bool parsed = false;  // false: the library found no message at all
};

// What the library has read of the address headers anyhow; of lines with one name, all that they say together.
struct MailPeople {
    std::optional<std::vector<vault::Person>> from, to, cc, bcc, reply_to;
};

// Never fails: what lies above a limit is left out, with a note. people, if given, gets at most limits.recipients each.
MailParts split_parts(ByteView raw, const Limits& limits, MailPeople* people = nullptr);

}  // namespace kustos::ingest
