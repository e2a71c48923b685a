#include "vault/src/spooled_raw.h"

#include <algorithm>

#include "base/crypto.h"

namespace kustos::vault {

namespace {
// Ends the giving early; never leaves this file.
Error different() {
    return Error(Code::conflict, "not the same bytes");
}
}  // namespace

RecipeStep shape_of(ByteView encoded) {
    RecipeStep shape;
    shape.kind = RecipeStep::Kind::value_base64;
    const std::string_view t = as_text(encoded);
    const std::size_t newline = t.find('\n');
    if (newline != std::string_view::npos) {
        const bool crlf = newline > 0 && t[newline - 1] == '\r';
        shape.ending = crlf ? 2 : 1;
        const std::size_t line = newline - (crlf ? 1 : 0);
        shape.line = line <= 0xFFFC && line % 4 == 0 ? static_cast<std::uint16_t>(line) : 0;
        shape.terminated = t.back() == '\n';
    }
    return shape;
}

Result<RecipeStep> shape_of_spooled(const SpoolPart& encoded) {
    constexpr std::uint64_t kLongestLine = 0xFFFF + 2;
    Bytes start(static_cast<std::size_t>(std::min(encoded.size, kLongestLine)));
    TRY(encoded.read(0, start));
    RecipeStep shape = shape_of(start);
    if (encoded.size > start.size()) {
        std::uint8_t last = 0;
        TRY(encoded.read(encoded.size - 1, {&last, 1}));
        shape.terminated = last == '\n' && shape.line != 0;
    }
    return shape;
}

Result<bool> same_content(const SpoolPart& part, const std::function<Status(const ByteSink&)>& give) {
    std::uint64_t at = 0;
    Bytes wanted;
    const Status given = give([&](ByteView piece) -> Status {
        if (piece.size() > part.size - at) return different();
        wanted.resize(piece.size());
        TRY(part.read(at, wanted));
        at += piece.size();
        return equal(wanted, piece) ? ok_status() : Status(different());
    });
    if (!given.ok() && given.error().code() != Code::conflict) return Error(given.error());
    return given.ok() && at == part.size;
}

Result<bool> decodes_to(const SpoolPart& base64_text, const SpoolPart& content) {
    return same_content(content, [&base64_text](const ByteSink& out) -> Status {
        LenientBase64Decoder decoder;
        Bytes plain;
        TRY(base64_text.read_all([&](ByteView piece) {
            plain.clear();
            decoder.write(piece, plain);
            return out(plain);
        }));
        plain.clear();
        decoder.finish(plain);
        return out(plain);
    });
}

Result<Hash> hash_of(const SpoolPart& part) {
    Sha256 hash;
    TRY(part.read_all([&hash](ByteView piece) {
        hash.update(piece);
        return ok_status();
    }));
    return hash.finish();
}

}  // namespace kustos::vault
