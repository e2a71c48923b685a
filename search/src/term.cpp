#include "search/src/term.h"

#include <cstring>

#include "base/crypto.h"

namespace kustos::search {

TermKey::TermKey(ByteView term_key) : key_(hkdf_expand(term_key, as_bytes("kustos1/index/term"), 16)) {}

std::string size_class(std::uint64_t bytes) {
    unsigned bits = 0;
    while (bytes > 1) bytes >>= 1, ++bits;
    return std::to_string(bits);
}

std::string TermKey::term(Space space, std::string_view text) const {
    std::array<std::uint8_t, 256> small;
    Bytes large;
    std::uint8_t* message = small.data();
    if (text.size() + 1 > small.size()) {
        large.resize(text.size() + 1);
        message = large.data();
    }
    message[0] = static_cast<std::uint8_t>(space);
    if (!text.empty()) std::memcpy(message + 1, text.data(), text.size());
    const auto hash = siphash128(key_.view(), {message, text.size() + 1});
    return std::string(reinterpret_cast<const char*>(hash.data()), kTermSize);
}

}  // namespace kustos::search
