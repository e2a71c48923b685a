#include "ingest/src/mail_parts.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "ingest/src/gmime.h"
#include "ingest/src/mail_header.h"

namespace kustos::ingest {

namespace {

void add_note(std::vector<std::string>& notes, std::string_view note) {
    if (std::find(notes.begin(), notes.end(), note) == notes.end()) notes.emplace_back(note);
}

vault::RawEncoding raw_encoding(GMimeContentEncoding encoding) {
    switch (encoding) {
        case GMIME_CONTENT_ENCODING_BASE64:
            return vault::RawEncoding::base64;
        case GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE:
            return vault::RawEncoding::quoted_printable;
        case GMIME_CONTENT_ENCODING_UUENCODE:
            return vault::RawEncoding::other;
        default:
            return vault::RawEncoding::identity;
    }
}

Bytes decode(ByteView encoded, GMimeContentEncoding encoding) {
    if (raw_encoding(encoding) == vault::RawEncoding::identity) return to_bytes(encoded);
    GMimeEncoding state;
    g_mime_encoding_init_decode(&state, encoding);
    Bytes out(g_mime_encoding_outlen(&state, encoded.size()) + 16);
    // flush() only matters to encoders, and step() keeps what is not a whole group.
    const std::size_t size = g_mime_encoding_step(&state, reinterpret_cast<const char*>(encoded.data()), encoded.size(),
                                                  reinterpret_cast<char*>(out.data()));
    out.resize(size);
    return out;
}

// U+202A..U+202E and U+2066..U+2069 can make "fdp.exe" look like "exe.pdf".
bool has_bidi_control(std::string_view text) {
    for (std::size_t i = 0; i + 2 < text.size(); ++i) {
        if (text[i] != '\xE2') continue;
        const unsigned char second = static_cast<unsigned char>(text[i + 1]),
                            third = static_cast<unsigned char>(text[i + 2]);
        if (second == 0x80 && third >= 0xAA && third <= 0xAE) return true;
        if (second == 0x81 && third >= 0xA6 && third <= 0xA9) return true;
    }
    return false;
}

class TreeWalk {
public:
    TreeWalk(ByteView raw, const Limits& limits, MailParts& out) : raw_(raw), limits_(limits), out_(out) {}

    void visit(GMimeObject* object, std::size_t depth) {
        if (!object || full_) return;
        if (depth > limits_.depth) return add_note(out_.notes, "limit:depth");
        if (GMimeMultipart* multipart = as_multipart(object)) return visit_multipart(multipart, depth);
        if (++seen_ > limits_.parts) {
            full_ = true;
            return add_note(out_.notes, "limit:parts");
        }
        if (GMimeMessagePart* message = as_message_part(object)) return visit_message(message);
        if (GMimePart* part = as_part(object)) visit_leaf(part);
    }

private:
    void visit_multipart(GMimeMultipart* multipart, std::size_t depth) {
        const char* boundary = g_mime_multipart_get_boundary(multipart);
        boundaries_.push_back("--" + std::string(boundary ? boundary : ""));
        const int count = g_mime_multipart_get_count(multipart);
        for (int i = 0; i < count && !full_; ++i) visit(g_mime_multipart_get_part(multipart, i), depth + 1);
        boundaries_.pop_back();
    }

    void describe(GMimeObject* object, MailPart& part) {
        if (GMimeContentType* type = g_mime_object_get_content_type(object)) {
            const char* media = g_mime_content_type_get_media_type(type);
            const char* subtype = g_mime_content_type_get_media_subtype(type);
            part.media_type =
                lower_ascii(repair_utf8(media ? media : "")) + "/" + lower_ascii(repair_utf8(subtype ? subtype : ""));
            if (const char* charset = g_mime_content_type_get_parameter(type, "charset")) part.charset = charset;
        }
        if (part.media_type.size() < 3 || part.media_type.size() > 255) part.media_type = "application/octet-stream";
        if (const char* disposition = g_mime_object_get_disposition(object)) {
            if (iequals(disposition, "attachment")) part.disposition = Disposition::attachment;
            if (iequals(disposition, "inline")) part.disposition = Disposition::inline_part;
        }
        part.name = part_name(object);
    }

    std::string part_name(GMimeObject* object) {
        const char* name = nullptr;
        if (GMimeContentDisposition* disposition = g_mime_object_get_content_disposition(object))
            name = best_filename(g_mime_content_disposition_get_parameters(disposition));
        GMimeContentType* type = g_mime_object_get_content_type(object);
        if (!name && type) name = g_mime_content_type_get_parameter(type, "name");
        if (!name) return {};
        bool lossy = false, controls = false;
        std::string decoded = std::strstr(name, "=?") ? decode_words(name, lossy) : repair_utf8(name);
        decoded = without_controls(std::move(decoded), controls);
        if (controls) add_note(out_.notes, "defect:control-character");
        if (has_bidi_control(decoded)) add_note(out_.notes, "suspicious:bidi-name");
        const std::size_t slash = decoded.find_last_of("/\\");
        if (slash != std::string::npos) {  // the name is never a path; the header line keeps what was sent
            add_note(out_.notes, "suspicious:path-name");
            decoded.erase(0, slash + 1);
        }
        return cut_utf8(std::move(decoded), limits_.text_value, lossy);
    }

    // filename and filename* may both stand there; the extended one carries more (RFC 6266 section 4.3).
    static const char* best_filename(GMimeParamList* params) {
        const char* best = nullptr;
        const int count = params ? g_mime_param_list_length(params) : 0;
        for (int i = 0; i < count; ++i) {
            GMimeParam* param = g_mime_param_list_get_parameter_at(params, i);
            if (!iequals(g_mime_param_get_name(param), "filename")) continue;
            const char* value = g_mime_param_get_value(param);
            if (!best || (value && g_mime_param_get_charset(param))) best = value;
        }
        return best;
    }

    void visit_leaf(GMimePart* leaf) {
        MailPart part;
        describe(reinterpret_cast<GMimeObject*>(leaf), part);
        GMimeContentEncoding encoding = g_mime_part_get_content_encoding(leaf);
        GMimeDataWrapper* content = g_mime_part_get_content(leaf);
        GMimeStream* stream = content ? g_mime_data_wrapper_get_stream(content) : nullptr;
        if (stream) {
            const gint64 begin = stream->bound_start;
            gint64 end = stream->bound_end < 0 ? static_cast<gint64>(raw_.size()) : stream->bound_end;
            // At a last boundary without a line end the library takes half of the line end before it for content.
            const auto at = static_cast<std::uint64_t>(end);
            if (end > begin && begin >= 0 && at < raw_.size() && raw_[at] == '\n' && raw_[at - 1] == '\r') --end;
            if (begin >= 0 && begin <= end && static_cast<std::uint64_t>(end) <= raw_.size())
                take_span(part, static_cast<std::size_t>(begin), static_cast<std::size_t>(end), encoding);
        }
        keep(std::move(part));
    }

    // A nested mail stays whole: its bytes from the first header to the line end before the next outer boundary.
    void visit_message(GMimeMessagePart* message) {
        MailPart part;
        GMimeObject* object = reinterpret_cast<GMimeObject*>(message);
        describe(object, part);
        part.is_message = true;
        const std::optional<std::size_t> begin = content_begin(object, g_mime_message_part_get_message(message));
        if (begin) {
            const char* header = g_mime_object_get_header(object, "Content-Transfer-Encoding");
            const GMimeContentEncoding encoding =
                header ? g_mime_content_encoding_from_string(header) : GMIME_CONTENT_ENCODING_DEFAULT;
            take_span(part, *begin, content_end(*begin), encoding);
        }
        keep(std::move(part));
    }

    std::optional<std::size_t> content_begin(GMimeObject* object, GMimeMessage* nested) {
        if (nested) {
            if (const auto at = first_header(reinterpret_cast<GMimeObject*>(nested))) return at;
            GMimeObject* body = g_mime_message_get_mime_part(nested);
            if (body)
                if (const auto at = first_header(body)) return at;
        }
        GMimeHeaderList* headers = g_mime_object_get_header_list(object);
        const int count = headers ? g_mime_header_list_get_count(headers) : 0;
        if (count == 0) return std::nullopt;
        const gint64 offset = g_mime_header_get_offset(g_mime_header_list_get_header_at(headers, count - 1));
        if (offset < 0 || static_cast<std::uint64_t>(offset) >= raw_.size()) return std::nullopt;
        const HeaderBlock block = split_header(as_text(raw_).substr(static_cast<std::size_t>(offset)));
        return static_cast<std::size_t>(offset) + block.end;
    }

    static std::optional<std::size_t> first_header(GMimeObject* object) {
        GMimeHeaderList* headers = g_mime_object_get_header_list(object);
        std::optional<std::size_t> least;
        const int count = headers ? g_mime_header_list_get_count(headers) : 0;
        for (int i = 0; i < count; ++i) {
            const gint64 offset = g_mime_header_get_offset(g_mime_header_list_get_header_at(headers, i));
            if (offset >= 0 && (!least || static_cast<std::size_t>(offset) < *least))
                least = static_cast<std::size_t>(offset);
        }
        return least;
    }

    std::size_t content_end(std::size_t begin) const {
        const std::string_view text = as_text(raw_);
        std::size_t at = begin;
        while (at < text.size()) {
            if (text[at] == '-' && is_boundary(text.substr(at))) {
                if (at > begin && text[at - 1] == '\n') --at;
                if (at > begin && text[at - 1] == '\r') --at;
                return at;
            }
            const std::size_t lf = text.find('\n', at);
            if (lf == std::string_view::npos) break;
            at = lf + 1;
        }
        return text.size();
    }

    bool is_boundary(std::string_view line) const {
        for (const std::string& boundary : boundaries_) {
            if (boundary.size() == 2 || line.substr(0, boundary.size()) != boundary) continue;
            std::string_view rest = line.substr(boundary.size(), line.find('\n') - boundary.size());
            if (rest.substr(0, 2) == "--") rest.remove_prefix(2);
            if (trim(rest).empty()) return true;
        }
        return false;
    }

    void take_span(MailPart& part, std::size_t begin, std::size_t end, GMimeContentEncoding encoding) {
        const ByteView encoded = raw_.subspan(begin, end - begin);
        part.content = decode(encoded, encoding);
        part.in_raw = vault::RawSpan{begin, end - begin, raw_encoding(encoding)};
    }

    void keep(MailPart part) {
        if (part.content.size() > limits_.attachment) {
            part.content.clear();
            part.in_raw.reset();
            add_note(out_.notes, "limit:attachment");
        }
        out_.parts.push_back(std::move(part));
    }

    ByteView raw_;
    const Limits& limits_;
    MailParts& out_;
    std::vector<std::string> boundaries_;
    std::size_t seen_ = 0;
    bool full_ = false;
};

MailPeople read_people(GMimeMessage* message, std::size_t most) {
    const auto of = [&](GMimeAddressType type) { return people_of(g_mime_message_get_addresses(message, type), most); };
    return {of(GMIME_ADDRESS_TYPE_FROM), of(GMIME_ADDRESS_TYPE_TO), of(GMIME_ADDRESS_TYPE_CC),
            of(GMIME_ADDRESS_TYPE_BCC), of(GMIME_ADDRESS_TYPE_REPLY_TO)};
}

}  // namespace

MailParts split_parts(ByteView raw, const Limits& limits, MailPeople* people) {
    MailParts out;
    GMimeParserOptions* options = gmime_options();
    const Owned<GMimeStream> stream(
        g_mime_stream_mem_new_with_buffer(reinterpret_cast<const char*>(raw.data()), raw.size()));
    const Owned<GMimeParser> parser(g_mime_parser_new_with_stream(stream.get()));
    g_mime_parser_set_persist_stream(parser.get(), TRUE);
    g_mime_parser_set_format(parser.get(), GMIME_FORMAT_MESSAGE);
    const Owned<GMimeMessage> message(g_mime_parser_construct_message(parser.get(), options));
    if (!message) return out;
    out.parsed = true;
    if (people) *people = read_people(message.get(), limits.recipients + 1);
    TreeWalk(raw, limits, out).visit(g_mime_message_get_mime_part(message.get()), 0);
    return out;
}

}  // namespace kustos::ingest
