// Parts of a mail as they stand: for what must be byte-exact (enclosed mails, signed parts), where a library's tree
// says what a part means but not where its last byte is.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace kustos::ingest {

// Offsets into the text that it was read from. [begin, body) is the header with its blank line, [body, end) the body.
struct MimeEntity {
    std::size_t begin = 0, body = 0, end = 0;
    std::string media_type;  // lower case; "text/plain" where none is given or none can be read
    std::string encoding;    // Content-Transfer-Encoding, lower case
    // Parameters of the type, as they are; empty where absent.
    std::string boundary, charset, protocol, smime_type, name;
    bool has_type = false;
    bool ended = true;  // of a part: the boundary behind it was there

    bool is_multipart() const { return media_type.rfind("multipart/", 0) == 0; }
    // The body's bytes are the content's: no transfer encoding.
    bool is_identity() const;
    ByteView whole_of(ByteView mail) const { return mail.subspan(begin, end - begin); }
    ByteView body_of(ByteView mail) const { return mail.subspan(body, end - body); }
};

// A mail, or one part: its header starts at `begin`. An mbox From_ line in front is passed over.
MimeEntity entity_at(ByteView mail, std::size_t begin, std::size_t end);
// The parts directly in a multipart (RFC 2046 section 5.1.1): each ends before the line end that belongs to the
// boundary behind it. Without a boundary, or where none is found: none. At most `most`.
std::vector<MimeEntity> parts_directly_in(ByteView mail, const MimeEntity& multipart, std::size_t most);
// Decodes base64 and quoted-printable; anything else is given as it is.
Bytes decoded_body(ByteView mail, const MimeEntity& entity);

}  // namespace kustos::ingest
