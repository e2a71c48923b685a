#include "ingest/extractor/text_of.h"

#include <algorithm>

#include "base/text.h"
#include "ingest/extractor/package.h"
#include "ingest/extractor/read_item.h"
#include "ingest/extractor/text_of_html.h"
#include "ingest/extractor/text_of_picture.h"
#include "ingest/extractor/text_of_rtf.h"
#include "ingest/src/compound_file.h"
#include "ingest/src/mail_header.h"
#include "ingest/src/smime.h"
#include "ingest/src/tnef.h"

namespace kustos::extractor {

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

// Every other byte a zero: what a text in UTF-16 without a mark looks like, as far as it is Latin.
std::string_view wide_charset(ByteView content) {
    const ByteView start = content.first(std::min<std::size_t>(content.size(), 4096));
    if (start.size() < 4 || content.size() % 2 != 0) return "";
    std::size_t zeros[2] = {0, 0};
    for (std::size_t i = 0; i < start.size(); ++i) zeros[i % 2] += start[i] == 0 ? 1 : 0;
    const std::size_t most = start.size() / 2;
    if (zeros[0] == 0 && zeros[1] * 10 > most * 7) return "utf-16le";
    return zeros[1] == 0 && zeros[0] * 10 > most * 7 ? "utf-16be" : "";
}

bool is_wide(std::string_view charset) {
    const std::string lower = ingest::lower_ascii(charset.substr(0, 6));
    return lower == "utf-16" || lower == "utf-32";
}

bool has_high(ByteView content) {
    return std::any_of(content.begin(), content.end(), [](std::uint8_t c) { return c >= 0x80; });
}

struct Charset {
    std::string name;
    bool corrected = false;  // not the declared one
};

// A mark decides; then bytes that are UTF-8 and hardly anything else; then what is declared, where the bytes can be it.
Charset charset_of(ByteView content, std::string_view declared) {
    const std::string_view mark = unicode_mark(content);
    const bool wide_declared = is_wide(declared);
    if (!mark.empty())
        return {std::string(mark), !declared.empty() && !ingest::iequals(declared.substr(0, 6), mark.substr(0, 6))};
    if (const std::string_view wide = wide_charset(content); !wide.empty())
        return {std::string(wide), !declared.empty() && !wide_declared};
    const bool utf8 = is_valid_utf8(as_text(content));
    if (declared.empty() || ingest::iequals(declared, "utf-8") || ingest::iequals(declared, "us-ascii"))
        return {"utf-8", false};
    if (utf8 && (wide_declared || has_high(content))) return {"utf-8", true};
    return {std::string(declared), false};
}

Refusal read_plain(ByteView content, bool is_declared, std::string_view declared, Reading& reading) {
    const Charset charset = charset_of(content, declared);
    const bool wide = is_wide(charset.name);
    if (!wide && has_binary(content) && !ingest::iequals(declared.substr(0, 8), "iso-2022")) return "unsupported-type";
    // What nobody called a text has to be one.
    if (!wide && !is_declared && !is_valid_utf8(as_text(content))) return "unsupported-type";
    // Decoding may triple the size; what lies far above the limit would be cut anyway.
    const std::uint64_t most = reading.room() * 2;
    if (content.size() > most) {
        reading.partial("text-limit");
        content = content.first(most);
    }
    Decoded decoded = decode_charset(content, charset.name);
    if (decoded.lossy && charset.name != "utf-8" && !wide) {
        // Not what was declared, or damaged: what keeps more letters.
        Decoded other = decode_charset(content, "utf-8");
        const auto holes = [](const std::string& text) {
            std::size_t n = 0;
            for (std::size_t at = text.find("\xEF\xBF\xBD"); at != std::string::npos;
                 at = text.find("\xEF\xBF\xBD", at + 3))
                ++n;
            return n;
        };
        if (holes(other.utf8) < holes(decoded.utf8)) {
            decoded = std::move(other);
            reading.remark("charset-corrected");
        }
        decoded.lossy = true;
    }
    if (charset.corrected) reading.remark("charset-corrected");
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

std::string_view word_of(const Package& package, ByteView zip) {
    switch (package.kind) {
        case PackageKind::word:
            return "docx";
        case PackageKind::sheet:
            return "xlsx";
        case PackageKind::slides:
            return "pptx";
        case PackageKind::epub:
            return "epub";
        case PackageKind::open_document: {
            // OpenDocument 1.3 part 2, 3.3: the first member, stored, says which.
            const std::string_view start = as_text(zip).substr(0, 256);
            if (start.find("opendocument.spreadsheet") != std::string_view::npos) return "ods";
            return start.find("opendocument.presentation") != std::string_view::npos ? "odp" : "odt";
        }
        case PackageKind::archive:
            break;
    }
    return "zip";
}

struct Said {
    std::string_view name, type;  // type without parameters
};

// A zip is what its members say: a document, or an archive.
Refusal read_zip(ByteView content, const Said& said, Reading& reading) {
    const Package package = open_package(content, reading);
    reading.is(word_of(package, content), said.name, said.type);
    if (!package.refusal.empty() && package.names.empty()) return package.refusal;
    if (package.kind == PackageKind::archive || package.kind == PackageKind::epub)
        return read_archive(content, Kind::zip, said.name, reading);
    return read_office(content, package, reading);
}

Refusal read_pdf(ByteView content, const Said& said, Reading& reading) {
    reading.is("pdf", said.name, said.type);
    const Refusal refusal = text_of_pdf(content, reading);
    if (refusal != "damaged") return refusal;
    // A zip may have anything before it, so that a file can be both.
    Reading unused(1024);
    if (!open_package(content, unused).refusal.empty()) return refusal;
    if (read_zip(content, {}, reading).empty()) reading.partial("damaged");
    return "";
}

// Outlook's .msg and old binary Office are compound files, and so is a protected OOXML document ([MS-OFFCRYPTO] 2.3).
Refusal read_compound(ByteView content, const Said& said, Reading& reading) {
    const auto file = ingest::CompoundFile::open(content);
    const auto has = [&](std::string_view name) { return file && file->find(file->root(), name); };
    using ingest::wire::Help;
    if (!file) {
        reading.is("compound", said.name, said.type);
        return "damaged";
    }
    if (has("EncryptedPackage")) {
        reading.is("encrypted-office", said.name, said.type);
        return "encrypted";
    }
    if (has("__properties_version1.0")) {
        reading.is("msg", said.name, said.type);
        return read_mail(content, true, reading);
    }
    if (has("WordDocument")) {
        reading.is("doc", said.name, said.type);
        return read_old_document(content, Help::word, reading);
    }
    if (has("Workbook") || has("Book")) {
        reading.is("xls", said.name, said.type);
        return read_old_document(content, Help::sheet, reading);
    }
    if (has("PowerPoint Document")) {
        reading.is("ppt", said.name, said.type);
        return read_old_document(content, Help::slides, reading);
    }
    reading.is("compound", said.name, said.type);
    return "unsupported-type";
}

// The charset parameter of a media type (RFC 2045 5.1), as far as it is a name.
std::string_view charset_parameter(std::string_view media_type) {
    const std::size_t at = ingest::lower_ascii(media_type).find("charset=");
    if (at == std::string::npos) return "";
    std::string_view value = media_type.substr(at + 8);
    if (!value.empty() && value.front() == '"') value.remove_prefix(1);
    const std::size_t end = value.find_first_of("\"; \t");
    value = value.substr(0, end);
    const bool fine = value.size() <= 40 && std::all_of(value.begin(), value.end(), [](char c) {
                          return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                                 c == '-' || c == '_' || c == '.' || c == ':';
                      });
    return fine ? value : "";
}

}  // namespace

Refusal read_item(ByteView content, std::string_view name, std::string_view whole_type, Reading& reading) {
    if (content.empty()) return "";
    const std::string_view charset = charset_parameter(whole_type);
    std::string_view media_type = whole_type.substr(0, whole_type.find(';'));
    while (!media_type.empty() && media_type.back() == ' ') media_type.remove_suffix(1);
    const Said said{name, media_type};
    const Kind kind = kind_of(content);
    const bool text = is_text_type(media_type, name);
    if (kind == Kind::pdf) return read_pdf(content, said, reading);
    if (kind == Kind::zip) {
        const Refusal refusal = read_zip(content, said, reading);
        return refusal == "damaged" && has_pdf_header(content) ? read_pdf(content, said, reading) : refusal;
    }
    if (kind == Kind::compound) return read_compound(content, said, reading);
    reading.is(kind_word(content), name, media_type);
    switch (kind) {
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
        return has_binary(content) && unicode_mark(content).empty() ? "unsupported-type"
                                                                    : read_html(content, charset, reading);
    if (const auto picture = look_at_picture(content)) return read_picture(content, *picture, reading);
    if (kind == Kind::binary && !text) return "unsupported-type";
    const Refusal refusal = read_plain(content, text, charset, reading);
    if (refusal.empty() && is_xml(media_type, name, content)) reading.partial("markup");
    return refusal;
}

ExtractedText text_of(ByteView content, std::string_view name, std::string_view media_type, std::uint64_t most,
                      Helper* helper) {
    Reading reading(most, helper);
    return reading.finish(read_item(content, name, media_type, reading));
}

}  // namespace kustos::extractor
