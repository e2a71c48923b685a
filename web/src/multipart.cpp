#include "web/src/multipart.h"

#include <Poco/Exception.h>
#include <Poco/MemoryStream.h>
#include <Poco/Net/MessageHeader.h>
#include <Poco/Net/MultipartReader.h>
#include <Poco/Net/NameValueCollection.h>
#include <Poco/String.h>

#include <istream>

namespace kustos::web {

namespace {

constexpr std::string_view kType = "multipart/form-data";
constexpr std::size_t kMostBoundary = 70;  // RFC 2046 section 5.1.1

Error not_multipart(const char* what) {
    return Error(Code::bad_input, std::string("the multipart body ") + what)
        .with_hint("one part \"messages\" with the lines, one part for each content; nothing was taken");
}

Result<std::string> boundary_of(const std::string& content_type) {
    std::string media_type;
    Poco::Net::NameValueCollection parameters;
    Poco::Net::MessageHeader::splitParameters(content_type, media_type, parameters);
    std::string boundary = parameters.get("boundary", "");
    if (boundary.empty() || boundary.size() > kMostBoundary) return not_multipart("names no boundary");
    return boundary;
}

// The reader takes the end of the bytes for the end of the last part: a body that was cut off must not pass.
bool has_end(ByteView body, const std::string& boundary) {
    const std::string end = "\r\n--" + boundary + "--";
    const std::string_view text = as_text(body);
    const std::size_t at = text.rfind(end);
    return at != std::string_view::npos && text.find_first_not_of("\r\n \t", at + end.size()) == std::string_view::npos;
}

Result<std::string> name_of(const Poco::Net::MessageHeader& header) {
    std::string kind;
    Poco::Net::NameValueCollection parameters;
    Poco::Net::MessageHeader::splitParameters(header.get("Content-Disposition", ""), kind, parameters);
    std::string name = parameters.get("name", "");
    if (Poco::icompare(kind, "form-data") != 0 || name.empty()) return not_multipart("has a part without a name");
    if (name.size() > kMostPartName) return Error(Code::limit, "a part's name has more than 200 bytes");
    return name;
}

Bytes rest_of(std::istream& in) {
    Bytes out;
    char buffer[16 * 1024];
    while (in.good()) {
        in.read(buffer, sizeof(buffer));
        put(out, std::string_view(buffer, static_cast<std::size_t>(in.gcount())));
    }
    return out;
}

Result<PushBody> read_parts(ByteView body, const std::string& boundary) {
    Poco::MemoryInputStream in(reinterpret_cast<const char*>(body.data()), static_cast<std::streamsize>(body.size()));
    Poco::Net::MultipartReader reader(in, boundary);
    PushBody out;
    bool has_messages = false;
    for (std::size_t count = 0; reader.hasNextPart(); ++count) {
        if (count > kMostParts) return Error(Code::limit, "the body has more than 4096 parts");
        Poco::Net::MessageHeader header;
        header.setFieldLimit(50);
        reader.nextPart(header);
        const std::string name = TRY(name_of(header));
        const bool is_messages = name == "messages";
        if (is_messages ? has_messages : out.parts.count(name) != 0) return not_multipart("has two parts of one name");
        Bytes content = rest_of(reader.stream());
        if (is_messages)
            out.messages = std::move(content);
        else
            out.parts.emplace(name, std::move(content));
        has_messages = has_messages || is_messages;
    }
    if (!has_messages) return not_multipart("has no part \"messages\"");
    return out;
}

}  // namespace

bool is_multipart(std::string_view content_type) {
    return Poco::icompare(std::string(content_type.substr(0, kType.size())), std::string(kType)) == 0;
}

Result<PushBody> parse_multipart(ByteView body, const std::string& content_type) {
    const std::string boundary = TRY(boundary_of(content_type));
    if (!has_end(body, boundary)) return not_multipart("ended early");
    try {
        return read_parts(body, boundary);
    } catch (const Poco::Exception&) {
        return not_multipart("is not what RFC 7578 describes");
    }
}

}  // namespace kustos::web
