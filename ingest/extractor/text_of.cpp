#include "ingest/extractor/text_of.h"

#include <algorithm>

#include "base/text.h"
#include "ingest/format.h"
#include "ingest/src/mail_header.h"
#include "ingest/src/smime.h"
#include "ingest/src/tnef.h"

namespace kustos::extractor {

using ingest::Completeness;
using ingest::ExtractedText;

namespace {

bool ends_with(std::string_view text, std::string_view end) {
    return text.size() >= end.size() && ingest::iequals(text.substr(text.size() - end.size()), end);
}

std::string_view unicode_mark(ByteView content) {
    const std::string_view text = as_text(content);
    if (text.substr(0, 3) == "\xEF\xBB\xBF") return "utf-8";
    if (text.substr(0, 2) == "\xFF\xFE") return "utf-16le";
    if (text.substr(0, 2) == "\xFE\xFF") return "utf-16be";
    return "";
}

bool has_binary(ByteView content) {
    const ByteView start = content.first(std::min<std::size_t>(content.size(), 64u << 10));
    return std::any_of(start.begin(), start.end(), [](std::uint8_t c) { return c < 9 || (c > 13 && c < 27); });
}

ExtractedText cut(ExtractedText out, std::uint64_t most) {
    bool was_cut = false;
    out.text = ingest::cut_utf8(std::move(out.text), most, was_cut);
    if (was_cut) {
        out.completeness = Completeness::partial;
        out.reason = "text-limit";
    }
    return out;
}

ExtractedText plain_text(ByteView content, std::uint64_t most) {
    const std::string_view mark = unicode_mark(content);
    // Decoding may triple the size; what lies far above the limit would be cut anyway.
    const bool shortened = content.size() > most * 2;
    Decoded decoded = decode_charset(shortened ? content.first(most * 2) : content, mark.empty() ? "utf-8" : mark);
    if (decoded.utf8.substr(0, 3) == "\xEF\xBB\xBF") decoded.utf8.erase(0, 3);
    ExtractedText out;
    out.completeness = decoded.lossy ? Completeness::partial : Completeness::full;
    out.reason = decoded.lossy ? "charset" : "";
    if (shortened) {
        out.completeness = Completeness::partial;
        out.reason = "text-limit";
    }
    for (std::size_t i = 0; i < decoded.utf8.size(); ++i)
        if (decoded.utf8[i] != '\r' || decoded.utf8.substr(i + 1, 1) != "\n") out.text += decoded.utf8[i];
    return cut(std::move(out), most);
}

ExtractedText nested_mail(ByteView content, std::uint64_t most) {
    const auto item = ingest::parse_mail(to_bytes(content));
    const auto& message = item.message;
    if (message.kind != vault::MessageKind::mail) return {"", Completeness::opaque, "damaged"};
    ExtractedText out;
    out.text = message.subject + "\n" + message.sender.name + " " + message.sender.address + "\n";
    out.text += message.body.empty() ? message.body_html : message.body;
    const bool more = !message.attachments.empty();
    out.completeness = more || message.body.empty() ? Completeness::partial : Completeness::full;
    out.reason = more ? "nested-attachment" : message.body.empty() ? "markup" : "";
    return cut(std::move(out), most);
}

bool is_text_type(std::string_view type, std::string_view name) {
    if (type.rfind("text/", 0) == 0 || type == "application/json" || type == "application/xml" ||
        type == "application/x-ndjson")
        return true;
    constexpr std::string_view kEndings[] = {".txt", ".log", ".csv",  ".md",  ".json",
                                             ".xml", ".ini", ".yaml", ".yml", ".ics"};
    return std::any_of(std::begin(kEndings), std::end(kEndings),
                       [&](std::string_view end) { return ends_with(name, end); });
}

// Detached signatures say nothing that people read. What opaque signatures and TNEF wrap was read when the mail was
// taken in: it stands beside them as body and attachments.
bool has_no_text_of_its_own(ByteView content, std::string_view type) {
    if (type == "application/pkcs7-signature" || type == "application/x-pkcs7-signature" ||
        type == "application/pgp-signature")
        return true;
    if (type == "application/pkcs7-mime" || type == "application/x-pkcs7-mime")
        return ingest::cms_kind(content) == ingest::CmsKind::signed_data && ingest::open_signed(content);
    if (!ingest::is_tnef(content)) return false;
    const auto tnef = ingest::parse_tnef(content);
    return tnef && !tnef->damaged;
}

bool is_markup(std::string_view type, std::string_view name, ByteView content) {
    const std::string_view start = ingest::trim(as_text(content).substr(0, 512));
    return type == "text/html" || type.find("xml") != std::string_view::npos || ends_with(name, ".html") ||
           ends_with(name, ".htm") || ingest::iequals(start.substr(0, 9), "<!doctype") ||
           ingest::iequals(start.substr(0, 5), "<html");
}

}  // namespace

ExtractedText text_of(ByteView content, std::string_view name, std::string_view media_type, std::uint64_t most) {
    if (content.empty()) return {"", Completeness::full, ""};
    // ISO 32000-1 Annex H: the header may stand within the first 1,024 bytes.
    if (as_text(content).substr(0, 1024).find("%PDF-") != std::string_view::npos) return text_of_pdf(content, most);
    if (media_type == "message/rfc822" || ends_with(name, ".eml")) return nested_mail(content, most);
    if (has_no_text_of_its_own(content, media_type)) return {"", Completeness::full, ""};
    const bool marked = !unicode_mark(content).empty();
    if (!is_text_type(media_type, name) || (!marked && has_binary(content)))
        return {"", Completeness::opaque, "unsupported-type"};
    ExtractedText out = plain_text(content, most);
    if (out.completeness == Completeness::full && is_markup(media_type, name, content)) {
        out.completeness = Completeness::partial;
        out.reason = "markup";
    }
    return out;
}

}  // namespace kustos::extractor
