// Tokens in a folder: <n>.der and <n>.authority. Used by anchors and renewals, which add what was stamped.
#pragma once

#include <string_view>
#include <vector>

#include "audit/anchors.h"

namespace kustos::audit {

// A token without its authority's name is an interrupted store's and left out.
Result<bool> has_tokens(Fs& fs, const Path& dir);
Result<std::vector<AnchorToken>> read_tokens(Fs& fs, const Path& dir);  // ascending numbers; Code::corrupt
// The number it has. The same token again changes nothing. Durable when it returns; dir must exist.
Result<unsigned> store_token(Fs& fs, const Path& dir, ByteView token, std::string_view authority);
std::string token_file(unsigned number);      // "3.der"
std::string authority_file(unsigned number);  // "3.authority"

}  // namespace kustos::audit
