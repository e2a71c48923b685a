#include "ingest/extractor/text_of_html.h"

#include <algorithm>

#include "base/text.h"
#include "ingest/src/mail_header.h"
#include "ingest/src/markup.h"

namespace kustos::extractor {

using ingest::Markup;
using ingest::MarkupToken;

namespace {

constexpr std::size_t kPrescan = 4096;

std::string_view unicode_mark(std::string_view text) {
    if (text.substr(0, 3) == "\xEF\xBB\xBF") return "utf-8";
    if (text.substr(0, 2) == "\xFF\xFE") return "utf-16le";
    if (text.substr(0, 2) == "\xFE\xFF") return "utf-16be";
    return "";
}

std::string_view charset_in(std::string_view content_type) {
    const std::size_t at = ingest::lower_ascii(content_type).find("charset=");
    if (at == std::string::npos) return "";
    content_type.remove_prefix(at + 8);
    return content_type.substr(0, content_type.find_first_of("; \t\"'"));
}

// <meta charset> and <meta http-equiv> (HTML 13.2.3.2), within the first bytes.
std::string declared_charset(std::string_view html) {
    Markup markup(html.substr(0, kPrescan), Markup::Dialect::html);
    for (MarkupToken token = markup.next(); token.kind != MarkupToken::Kind::done; token = markup.next()) {
        if ((token.kind != MarkupToken::Kind::start && token.kind != MarkupToken::Kind::empty) ||
            !ingest::iequals(token.name, "meta"))
            continue;
        std::string charset = ingest::markup_attribute(token, "charset");
        if (charset.empty()) charset = charset_in(ingest::markup_attribute(token, "content"));
        if (charset.empty()) continue;
        // Nobody can declare UTF-16 in bytes that read as ASCII.
        return ingest::lower_ascii(charset).substr(0, 6) == "utf-16" ? "utf-8" : charset;
    }
    return "utf-8";
}

}  // namespace

bool looks_like_html(ByteView content) {
    std::string_view start = as_text(content).substr(0, 1024);
    std::string narrow;
    if (unicode_mark(start).substr(0, 6) == "utf-16") {
        std::copy_if(start.begin() + 2, start.end(), std::back_inserter(narrow), [](char c) { return c != 0; });
        start = narrow;
    }
    const std::string lower = ingest::lower_ascii(start);
    const std::size_t first = lower.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
    if (first == std::string::npos || lower[first] != '<') return false;
    return lower.find("<!doctype html") != std::string::npos || lower.find("<html") != std::string::npos;
}

Refusal read_html(ByteView content, std::string_view declared, Reading& reading) {
    const std::string_view mark = unicode_mark(as_text(content));
    // HTML 13.2.3.2: a mark, then what the transport said, where the bytes can be it, then what stands inside.
    std::string charset(mark);
    if (mark.empty() && !ingest::iequals(declared.substr(0, 6), "utf-16") && !is_valid_utf8(as_text(content)))
        charset = declared;
    if (charset.empty()) charset = declared_charset(as_text(content));
    // Markup is several times its text; what lies far above the limit would be cut anyway.
    const std::uint64_t most = reading.room() * 8;
    if (content.size() > most) {
        content = content.first(most);
        reading.partial("text-limit");
    }
    Decoded decoded = decode_charset(content, charset);
    if (decoded.lossy) reading.partial("charset");
    if (decoded.utf8.substr(0, 3) == "\xEF\xBB\xBF") decoded.utf8.erase(0, 3);
    content = {};
    reading.put(ingest::html_to_text(decoded.utf8));
    reading.end_line();
    return "";
}

}  // namespace kustos::extractor
