#include "ingest/extractor/xml_walk.h"

#include <optional>

#include "base/text.h"

namespace kustos::extractor {

using ingest::Markup;
using ingest::MarkupToken;

namespace {

constexpr unsigned kDepth = 1'000;

std::string_view without_prefix(std::string_view name) {
    const std::size_t colon = name.rfind(':');
    return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

// UTF-16 parts are allowed, with a mark; everything else in these formats is UTF-8.
std::optional<std::string> from_utf16(ByteView xml) {
    if (xml.size() < 2) return std::nullopt;
    if (xml[0] == 0xFF && xml[1] == 0xFE) return decode_charset(xml, "utf-16le").utf8;
    if (xml[0] == 0xFE && xml[1] == 0xFF) return decode_charset(xml, "utf-16be").utf8;
    return std::nullopt;
}

}  // namespace

Refusal walk_xml(ByteView xml, XmlReader& reader, Reading& reading) {
    const std::optional<std::string> decoded = from_utf16(xml);
    Markup markup(decoded ? std::string_view(*decoded) : as_text(xml), Markup::Dialect::xml);
    unsigned depth = 0;
    std::uint32_t seen = 0;
    for (;;) {
        const MarkupToken token = markup.next();
        if ((++seen & 0xFF) == 0 && reading.over()) return "";
        switch (token.kind) {
            case MarkupToken::Kind::done:
                return depth == 0 ? "" : "damaged";
            case MarkupToken::Kind::broken:
                return "damaged";
            case MarkupToken::Kind::doctype:
                // One that defines nothing changes nothing; formulas of older OpenDocument files have it.
                if (token.inside.find('[') != std::string_view::npos) return "document-type";
                break;
            case MarkupToken::Kind::start:
                if (++depth > kDepth) return "depth-limit";
                reader.start(without_prefix(token.name), token);
                break;
            case MarkupToken::Kind::empty:
                reader.start(without_prefix(token.name), token);
                reader.end(without_prefix(token.name));
                break;
            case MarkupToken::Kind::end:
                if (depth == 0) return "damaged";
                --depth;
                reader.end(without_prefix(token.name));
                break;
            case MarkupToken::Kind::text:
                reader.text(ingest::markup_text(token.inside));
                break;
            case MarkupToken::Kind::cdata:
                reader.text(token.inside);
                break;
            default:
                break;
        }
    }
}

std::string xml_attribute(const MarkupToken& tag, std::string_view name) {
    std::string_view rest = tag.inside;
    while (!rest.empty()) {
        const std::size_t equals = rest.find('=');
        if (equals == std::string_view::npos) break;
        std::string_view key = rest.substr(0, equals);
        while (!key.empty() && static_cast<unsigned char>(key.back()) <= ' ') key.remove_suffix(1);
        const std::size_t begin = key.find_last_of(" \t\r\n");
        if (begin != std::string_view::npos) key.remove_prefix(begin + 1);
        const std::size_t open = rest.find_first_of("\"'", equals);
        if (open == std::string_view::npos) break;
        const std::size_t close = rest.find(rest[open], open + 1);
        if (close == std::string_view::npos) break;
        if (without_prefix(key) == name) return ingest::markup_text(rest.substr(open + 1, close - open - 1));
        rest.remove_prefix(close + 1);
    }
    return {};
}

}  // namespace kustos::extractor
