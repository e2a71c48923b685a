#include "ingest/extractor/text_of.h"

#include <algorithm>

#include "base/text.h"
#include "ingest/extractor/package.h"
#include "ingest/extractor/read_item.h"
#include "ingest/extractor/text_of_html.h"
#include "ingest/extractor/text_of_rtf.h"
#include "ingest/src/compound_file.h"
#include "ingest/src/mail_header.h"
#include "ingest/src/smime.h"
#include "ingest/src/tnef.h"

namespace kustos::extractor {

using ingest::Completeness;
using ingest::ExtractedText;

namespace {

// Reasons are words that live as long as the program.
Refusal refusal_of(std::string_view reason) {
    for (const Refusal known : {"damaged", "encrypted", "no-text-layer"})
        if (reason == known) return known;
    return "damaged";
}

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

Refusal read_plain(ByteView content, bool declared, Reading& reading) {
    const std::string_view mark = unicode_mark(content);
    if (mark.empty() && has_binary(content)) return "unsupported-type";
    // What nobody called a text has to be one.
    if (mark.empty() && !declared && !is_valid_utf8(as_text(content))) return "unsupported-type";
    // Decoding may triple the size; what lies far above the limit would be cut anyway.
    const std::uint64_t most = reading.room() * 2;
    if (content.size() > most) reading.partial("text-limit");
    Decoded decoded =
        decode_charset(content.size() > most ? content.first(most) : content, mark.empty() ? "utf-8" : mark);
    if (decoded.utf8.substr(0, 3) == "\xEF\xBB\xBF") decoded.utf8.erase(0, 3);
    if (decoded.lossy) reading.partial("charset");
    std::string text;
    text.reserve(decoded.utf8.size());
    for (std::size_t i = 0; i < decoded.utf8.size(); ++i)
        if (decoded.utf8[i] != '\r' || i + 1 >= decoded.utf8.size() || decoded.utf8[i + 1] != '\n')
            text += decoded.utf8[i];
    reading.put(text);
    return "";
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

// SVG, and other XML: read as text with its tags, which is more than people see.
bool is_xml(std::string_view type, std::string_view name, ByteView content) {
    return type.find("xml") != std::string_view::npos || ends_with(name, ".xml") || ends_with(name, ".svg") ||
           as_text(content).substr(0, 5) == "<?xml";
}

// A zip is what its members say: a document, or an archive.
Refusal read_zip(ByteView content, std::string_view name, Reading& reading) {
    const Package package = open_package(content, reading);
    if (!package.refusal.empty() && package.names.empty()) return package.refusal;
    if (package.kind == PackageKind::archive || package.kind == PackageKind::epub)
        return read_archive(content, Kind::zip, name, reading);
    return read_office(content, package, reading);
}

Refusal read_pdf(ByteView content, Reading& reading) {
    const ExtractedText pdf = text_of_pdf(content, reading.room());
    reading.put(pdf.text);
    if (pdf.completeness == Completeness::opaque) {
        // A zip may have anything before it, so that a file can be both.
        Reading unused(1024);
        const bool both = pdf.reason == "damaged" && open_package(content, unused).refusal.empty();
        if (both && read_zip(content, "", reading).empty()) reading.partial("damaged");
        return both ? "" : refusal_of(pdf.reason);
    }
    if (!pdf.reason.empty()) reading.partial(pdf.reason);
    return "";
}

// [MS-OFFCRYPTO] 2.3: a protected OOXML document is a stream of a compound file. Outlook's .msg is one, too. The rest
// is old binary Office, which this does not read.
Refusal read_compound(ByteView content, Reading& reading) {
    const auto file = ingest::CompoundFile::open(content);
    if (!file) return "damaged";
    if (file->find(file->root(), "EncryptedPackage")) return "encrypted";
    if (file->find(file->root(), "__properties_version1.0")) return read_mail(content, true, reading);
    return "unsupported-type";
}

}  // namespace

Refusal read_item(ByteView content, std::string_view name, std::string_view media_type, Reading& reading) {
    if (content.empty()) return "";
    const Kind kind = kind_of(content);
    const bool text = is_text_type(media_type, name);
    switch (kind) {
        case Kind::pdf:
            return read_pdf(content, reading);
        case Kind::zip:
            return read_zip(content, name, reading);
        case Kind::compound:
            return read_compound(content, reading);
        case Kind::rtf:
            return read_rtf(content, reading);
        case Kind::gzip:
        case Kind::bzip2:
        case Kind::xz:
        case Kind::zstd:
        case Kind::seven_zip:
        case Kind::tar:
            return read_archive(content, kind, name, reading);
        default:
            break;
    }
    if (media_type == "message/rfc822" || ends_with(name, ".eml") || (kind == Kind::mail && !text))
        return read_mail(content, false, reading);
    if (has_no_text_of_its_own(content, media_type)) return "";
    if (kind == Kind::html || media_type == "text/html" || ends_with(name, ".html") || ends_with(name, ".htm"))
        return has_binary(content) && unicode_mark(content).empty() ? "unsupported-type" : read_html(content, reading);
    if (kind == Kind::binary && !text) return "unsupported-type";
    const Refusal refusal = read_plain(content, text, reading);
    if (refusal.empty() && is_xml(media_type, name, content)) reading.partial("markup");
    return refusal;
}

ExtractedText text_of(ByteView content, std::string_view name, std::string_view media_type, std::uint64_t most) {
    Reading reading(most);
    return reading.finish(read_item(content, name, media_type, reading));
}

}  // namespace kustos::extractor
