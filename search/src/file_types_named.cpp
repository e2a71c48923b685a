// Kinds of files as an attachment's name and media type tell them.
#include <algorithm>
#include <utility>

#include "base/text.h"
#include "search/src/file_types.h"

namespace kustos::search {
namespace {

constexpr std::size_t kMaxExtension = 16;  // bytes

constexpr std::pair<std::string_view, std::string_view> kMediaTypes[] = {
    {"application/pdf", "pdf"},
    {"application/msword", "doc"},
    {"application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"},
    {"application/vnd.oasis.opendocument.text", "odt"},
    {"application/rtf", "rtf"},
    {"text/rtf", "rtf"},
    {"application/vnd.ms-excel", "xls"},
    {"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"},
    {"application/vnd.oasis.opendocument.spreadsheet", "ods"},
    {"text/csv", "csv"},
    {"application/vnd.ms-powerpoint", "ppt"},
    {"application/vnd.openxmlformats-officedocument.presentationml.presentation", "pptx"},
    {"application/vnd.oasis.opendocument.presentation", "odp"},
    {"text/plain", "txt"},
    {"text/html", "html"},
    {"application/xml", "xml"},
    {"text/xml", "xml"},
    {"application/json", "json"},
    {"image/jpeg", "jpg"},
    {"image/png", "png"},
    {"image/gif", "gif"},
    {"image/tiff", "tif"},
    {"image/webp", "webp"},
    {"image/heic", "heic"},
    {"image/svg+xml", "svg"},
    {"audio/mpeg", "mp3"},
    {"audio/ogg", "ogg"},
    {"audio/mp4", "m4a"},
    {"audio/wav", "wav"},
    {"audio/x-wav", "wav"},
    {"video/mp4", "mp4"},
    {"video/quicktime", "mov"},
    {"video/webm", "webm"},
    {"application/zip", "zip"},
    {"application/x-7z-compressed", "7z"},
    {"application/gzip", "gz"},
    {"message/rfc822", "eml"},
    {"application/vnd.ms-outlook", "msg"},
    {"text/calendar", "ics"},
    {"text/vcard", "vcf"},
    {"application/pkcs7-signature", "p7s"},
    {"application/x-pkcs7-signature", "p7s"},
    {"application/pkcs7-mime", "p7m"},
    {"application/pgp-signature", "asc"},
};

bool is_alnum(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

}  // namespace

std::vector<std::string> file_types_named(std::string_view name, std::string_view media_type) {
    std::vector<std::string> out;
    const std::size_t dot = name.rfind('.');
    if (dot != std::string_view::npos && dot > 0 && name.size() - dot - 1 <= kMaxExtension) {
        const std::string extension = fold(name.substr(dot + 1));
        if (!extension.empty() && std::all_of(extension.begin(), extension.end(), is_alnum))
            out.push_back(file_type(extension));
    }
    for (const auto& [media, type] : kMediaTypes) {
        if (media == media_type && std::find(out.begin(), out.end(), type) == out.end()) out.emplace_back(type);
    }
    return out;
}

}  // namespace kustos::search
