// The body of a push that brings contents of attachments beside its lines: multipart/form-data (RFC 7578), as curl -F
// and every HTTP library make it. One part "messages" holds the lines; each other part is a content, by its name.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace kustos::web {

inline constexpr std::size_t kMostParts = 4096, kMostPartName = 200;  // parts of one body; bytes of a name

struct PushBody {
    Bytes messages;
    std::map<std::string, Bytes, std::less<>> parts;
};

bool is_multipart(std::string_view content_type);
// Code::bad_input: no boundary, no end (cut off on the way), a part without a name, two of one name, no "messages";
// Code::limit: too many parts, a name too long. Pure; as much memory again as the body has.
Result<PushBody> parse_multipart(ByteView body, const std::string& content_type);

}  // namespace kustos::web
