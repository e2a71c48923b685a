#include "ingest/src/mime_entity.h"

#include <algorithm>
#include <memory>

#include "base/lenient_base64.h"
#include "base/text.h"
#include "ingest/src/gmime.h"
#include "ingest/src/mail_header.h"

namespace kustos::ingest {

namespace {

constexpr std::size_t kMaxTypeHeader = 16u << 10;

std::string unfolded(std::string_view value) {
    std::string out;
    for (const char c : trim(value.substr(0, kMaxTypeHeader)))
        if (c != '\r' && c != '\n' && c != '\0') out += c;
    return out;
}

void read_type(std::string_view value, MimeEntity& out) {
    const Owned<GMimeContentType> type(g_mime_content_type_parse(gmime_options(), unfolded(value).c_str()));
    if (!type) return;
    const char* media = g_mime_content_type_get_media_type(type.get());
    const char* subtype = g_mime_content_type_get_media_subtype(type.get());
    if (!media || !subtype) return;
    out.has_type = true;
    out.media_type = lower_ascii(repair_utf8(media)) + "/" + lower_ascii(repair_utf8(subtype));
    const auto parameter = [&](const char* name) {
        const char* text = g_mime_content_type_get_parameter(type.get(), name);
        return std::string(text ? text : "");
    };
    out.boundary = parameter("boundary");
    out.charset = parameter("charset");
    out.protocol = lower_ascii(parameter("protocol"));
    out.smime_type = lower_ascii(parameter("smime-type"));
    out.name = parameter("name");
}

// The delimiter line at `at`: 0 none, 1 a part follows, 2 the last one.
int delimiter_at(std::string_view text, std::size_t at, std::string_view delimiter) {
    if (text.substr(at, delimiter.size()) != delimiter) return 0;
    at += delimiter.size();
    int kind = 1;
    if (text.substr(at, 2) == "--") {
        kind = 2;
        at += 2;
    }
    while (at < text.size() && (text[at] == ' ' || text[at] == '\t')) ++at;
    if (text.substr(at, 1) == "\r") ++at;
    return at == text.size() || text[at] == '\n' ? kind : 0;
}

std::size_t before_line_end(std::string_view text, std::size_t begin, std::size_t at) {
    if (at > begin && text[at - 1] == '\n') --at;
    if (at > begin && text[at - 1] == '\r') --at;
    return at;
}

}  // namespace

bool MimeEntity::is_identity() const {
    return encoding.empty() || encoding == "7bit" || encoding == "8bit" || encoding == "binary";
}

MimeEntity entity_at(ByteView mail, std::size_t begin, std::size_t end) {
    MimeEntity out;
    out.begin = begin;
    out.end = end;
    out.media_type = "text/plain";
    const std::string_view text = as_text(mail).substr(begin, end - begin);
    const HeaderBlock block = split_header(text);
    out.body = begin + std::min(block.end, text.size());
    for (const HeaderLine& line : block.lines) {
        if (iequals(line.name, "Content-Type") && !out.has_type) read_type(line.value, out);
        if (iequals(line.name, "Content-Transfer-Encoding") && out.encoding.empty())
            out.encoding = lower_ascii(trim(line.value.substr(0, 64)));
    }
    return out;
}

std::vector<MimeEntity> parts_directly_in(ByteView mail, const MimeEntity& multipart, std::size_t most) {
    std::vector<MimeEntity> out;
    if (!multipart.is_multipart() || multipart.boundary.empty()) return out;
    const std::string delimiter = "--" + multipart.boundary;
    const std::string_view text = as_text(mail).substr(0, multipart.end);
    std::optional<std::size_t> begin;  // of the part that is open
    const auto close = [&](std::size_t end, bool ended) {
        out.push_back(entity_at(mail, *begin, std::max(*begin, end)));
        out.back().ended = ended;
        begin.reset();
    };
    for (std::size_t at = multipart.body; at < text.size() && out.size() < most;) {
        const std::size_t lf = text.find('\n', at);
        const std::size_t next = lf == std::string_view::npos ? text.size() : lf + 1;
        if (const int kind = delimiter_at(text, at, delimiter)) {
            if (begin) close(before_line_end(text, *begin, at), true);
            if (kind == 2) return out;
            begin = next;
        }
        at = next;
    }
    if (begin && out.size() < most) close(text.size(), false);
    return out;
}

Bytes decoded_body(ByteView mail, const MimeEntity& entity) {
    const ByteView body = entity.body_of(mail);
    if (entity.encoding == "base64") return decode_lenient(body);
    if (entity.encoding != "quoted-printable") return to_bytes(body);
    GMimeEncoding state;
    g_mime_encoding_init_decode(&state, GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE);
    Bytes out(g_mime_encoding_outlen(&state, body.size()) + 16);
    out.resize(g_mime_encoding_step(&state, reinterpret_cast<const char*>(body.data()), body.size(),
                                    reinterpret_cast<char*>(out.data())));
    return out;
}

}  // namespace kustos::ingest
