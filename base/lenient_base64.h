// Threads: one decoder each.
#pragma once

#include "base/bytes.h"

namespace kustos {

// Base64 as found in mails, by one rule that never changes (docs/format/payload.md): skip bytes outside the alphabet,
// stop at '='; a rest of one character is dropped.
class LenientBase64Decoder {
public:
    void write(ByteView text, Bytes& out);  // appends
    void finish(Bytes& out);

private:
    std::uint32_t word_ = 0;
    int have_ = 0;
    bool ended_ = false;
};
Bytes decode_lenient(ByteView base64_text);

}  // namespace kustos
