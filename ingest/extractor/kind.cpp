#include "ingest/extractor/kind.h"

#include <algorithm>

#include "ingest/extractor/picture.h"
#include "ingest/extractor/text_of_html.h"
#include "ingest/src/compound_file.h"
#include "ingest/src/mail_header.h"

namespace kustos::extractor {

namespace {

struct Signature {
    Kind kind;
    std::size_t at;
    std::string_view bytes;
    std::string_view word;
};

using namespace std::string_view_literals;
constexpr Signature kSignatures[] = {
    {Kind::zip, 0, "PK\x03\x04"sv, "zip"},
    {Kind::zip, 0, "PK\x05\x06"sv, "zip"},  // an empty one
    {Kind::gzip, 0, "\x1F\x8B\x08"sv, "gz"},
    {Kind::bzip2, 0, "BZh"sv, "bz2"},
    {Kind::xz, 0,
     "\xFD"
     "7zXZ\0"sv,
     "xz"},
    {Kind::zstd, 0, "\x28\xB5\x2F\xFD"sv, "zst"},
    {Kind::seven_zip, 0, "7z\xBC\xAF\x27\x1C"sv, "7z"},
    {Kind::rtf, 0, "{\\rtf"sv, "rtf"},
    {Kind::tar, 257, "ustar"sv, "tar"},
    {Kind::binary, 0, "\x89PNG"sv, "png"},
    {Kind::binary, 0, "\xFF\xD8\xFF"sv, "jpeg"},
    {Kind::binary, 0, "GIF8"sv, "gif"},
    {Kind::binary, 0, "II*\0"sv, "tiff"},
    {Kind::binary, 0, "MM\0*"sv, "tiff"},
    {Kind::binary, 0, "RIFF"sv, "riff"},
    {Kind::binary, 0, "OggS"sv, "ogg"},
    {Kind::binary, 0, "fLaC"sv, "flac"},
    {Kind::binary, 0, "ID3"sv, "mp3"},
    {Kind::binary, 4, "ftyp"sv, "mp4"},
    {Kind::binary, 0, "MZ"sv, "exe"},
    {Kind::binary, 0,
     "\x7F"
     "ELF"sv,
     "elf"},
    {Kind::binary, 0, "Rar!\x1A"sv, "rar"},
};

// Only where nothing was declared: two header lines that every mail has, at the very start.
bool looks_like_mail(std::string_view text) {
    constexpr std::string_view kLines[] = {
        "received:", "from:", "to:", "return-path:", "message-id:", "subject:", "mime-version:", "date:"};
    const std::string start = ingest::lower_ascii(text.substr(0, 4096));
    const auto begins_line = [&](std::string_view word) {
        const std::size_t at = start.find("\n" + std::string(word));
        return start.rfind(word, 0) == 0 || (at != std::string::npos && at < start.find("\n\n"));
    };
    const bool first = std::any_of(std::begin(kLines), std::end(kLines),
                                   [&](std::string_view word) { return start.rfind(word, 0) == 0; });
    return first && std::count_if(std::begin(kLines), std::end(kLines), begins_line) >= 3;
}

const Signature* signature_of(std::string_view text) {
    for (const Signature& known : kSignatures)
        if (text.size() >= known.at && text.substr(known.at, known.bytes.size()) == known.bytes) return &known;
    return nullptr;
}

// A PDF that lies unpacked in an archive is a member of it.
bool is_pdf(std::string_view text) {
    const Signature* known = signature_of(text);
    const bool archive = known != nullptr && (known->kind == Kind::zip || known->kind == Kind::tar);
    return has_pdf_header(as_bytes(text)) && !(archive && text.substr(0, 5) != "%PDF-");
}

}  // namespace

bool has_pdf_header(ByteView content) {
    // ISO 32000-1 Annex H: the header may stand within the first 1,024 bytes.
    return as_text(content).substr(0, 1024).find("%PDF-") != std::string_view::npos;
}

Kind kind_of(ByteView content) {
    const std::string_view text = as_text(content);
    if (is_pdf(text)) return Kind::pdf;
    if (const Signature* known = signature_of(text)) return known->kind;
    if (ingest::is_compound_file(content)) return Kind::compound;
    if (looks_like_html(content)) return Kind::html;
    if (looks_like_mail(text)) return Kind::mail;
    if (look_at_picture(content)) return Kind::binary;  // a BMP: two letters are no signature
    return Kind::unknown;
}

std::string_view kind_word(ByteView content) {
    const std::string_view text = as_text(content);
    if (is_pdf(text)) return "pdf";
    if (const auto picture = look_at_picture(content)) return picture->kind;
    if (const Signature* known = signature_of(text)) return known->word;
    switch (kind_of(content)) {
        case Kind::compound:
            return "compound";
        case Kind::html:
            return "html";
        case Kind::mail:
            return "mail";
        default:
            return "";
    }
}

}  // namespace kustos::extractor
