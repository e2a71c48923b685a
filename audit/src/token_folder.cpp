#include "audit/src/token_folder.h"

#include "audit/timestamp.h"
#include "audit/tsa_authority.h"

namespace kustos::audit {

namespace {
constexpr std::size_t kMaxAuthorityFile = 65;  // 64 and the newline
}

std::string token_file(unsigned number) {
    return std::to_string(number) + ".der";
}
std::string authority_file(unsigned number) {
    return std::to_string(number) + ".authority";
}

Result<bool> has_tokens(Fs& fs, const Path& dir) {
    for (unsigned n = 0; n < kMaxAnchorTokens; ++n) {
        if (fs.exists(dir / token_file(n)) && fs.exists(dir / authority_file(n))) return true;
    }
    return false;
}

Result<std::vector<AnchorToken>> read_tokens(Fs& fs, const Path& dir) {
    std::vector<AnchorToken> tokens;
    for (unsigned n = 0; n < kMaxAnchorTokens; ++n) {
        if (!fs.exists(dir / token_file(n)) || !fs.exists(dir / authority_file(n))) continue;
        const Bytes name = TRY_IN("token's authority", read_file(fs, dir / authority_file(n), kMaxAuthorityFile));
        AnchorToken token;
        token.number = n;
        token.authority = to_text(name);
        if (token.authority.empty() || token.authority.back() != '\n') {
            return Error(Code::corrupt, "a token's authority file does not end with a newline");
        }
        token.authority.pop_back();
        if (!is_authority_name(token.authority))
            return Error(Code::corrupt, "a token's authority file has no valid name");
        token.token = TRY_IN("token", read_file(fs, dir / token_file(n), kMaxToken));
        tokens.push_back(std::move(token));
    }
    return tokens;
}

Result<unsigned> store_token(Fs& fs, const Path& dir, ByteView token, std::string_view authority) {
    CHECK(is_authority_name(authority));
    const Bytes name = to_bytes(std::string(authority) + "\n");
    for (unsigned n = 0; n < kMaxAnchorTokens; ++n) {
        if (fs.exists(dir / token_file(n))) {
            if (equal(TRY(read_file(fs, dir / token_file(n), kMaxToken)), token)) return n;
            continue;
        }
        // The name first: a token makes the folder complete. A name without a token is an interrupted store's.
        TRY_IN("token's authority", replace_file(fs, dir / authority_file(n), name));
        TRY_IN("token", put_once(fs, dir / token_file(n), token));
        return n;
    }
    return Error(Code::limit, "there are " + std::to_string(kMaxAnchorTokens) + " tokens already");
}

}  // namespace kustos::audit
