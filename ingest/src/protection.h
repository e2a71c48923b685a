// Signed and encrypted mails: what protects a mail, and what its signatures are worth, as notes
// (docs/format/protected-mail.md). Nothing is decrypted; the mail's raw bytes stay as they are.
#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"
#include "ingest/format.h"
#include "vault/message.h"

namespace kustos::ingest {

struct Protection {
    std::vector<std::string> notes;
    std::vector<Bytes> inside;  // MIME entities that opaque signatures wrap: read as parts of the mail
};
// mail: from its header on.
Protection protection_of(ByteView mail, const Limits& limits);
// Inline PGP, in a text that people read.
void note_inline_pgp(std::string_view body, std::vector<std::string>& notes);
// For a mail of which not all bytes were there: what was said of its signatures is taken back.
void withdraw_verdict(std::vector<std::string>& notes);

}  // namespace kustos::ingest
