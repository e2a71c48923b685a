#include "search/src/filetypes.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"

namespace kustos::search {
namespace {

struct Group {
    std::string_view name;
    std::string_view types;  // apart by a space
};

// A type stands in one group.
constexpr Group kGroups[] = {
    {"word", "doc docx docm dot dotx odt ott rtf pages wpd"},
    {"excel", "xls xlsx xlsm xlsb ods csv numbers"},
    {"powerpoint", "ppt pptx pptm pps ppsx odp key"},
    {"pdf", "pdf"},
    {"text", "txt md log html htm xml json tex"},
    {"image", "jpg jpeg png gif tif tiff bmp webp heic heif svg"},
    {"audio", "mp3 ogg oga opus m4a wav amr aac flac wma"},
    {"video", "mp4 mov avi mkv webm m4v 3gp wmv mpg mpeg"},
    {"archive", "zip 7z rar tar gz tgz bz2 xz zst"},
    {"mail", "eml msg mbox pst"},
    {"calendar", "ics vcs"},
    {"contact", "vcf"},
    {"signature", "p7s p7m asc sig"},
};

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

// "jpeg" is found as jpg, too.
constexpr std::pair<std::string_view, std::string_view> kSame[] = {
    {"jpeg", "jpg"}, {"tiff", "tif"}, {"htm", "html"}, {"heif", "heic"}, {"mpeg", "mpg"}};

std::string canonical(std::string type) {
    for (const auto& [other, name] : kSame)
        if (type == other) return std::string(name);
    return type;
}

bool is_alnum(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

}  // namespace

std::vector<std::string> types_of_file(std::string_view name, std::string_view media_type) {
    std::vector<std::string> out;
    const std::size_t dot = name.rfind('.');
    if (dot != std::string_view::npos && dot > 0 && name.size() - dot - 1 <= kMaxExtension) {
        const std::string extension = fold(name.substr(dot + 1));
        if (!extension.empty() && std::all_of(extension.begin(), extension.end(), is_alnum))
            out.push_back(canonical(extension));
    }
    for (const auto& [media, type] : kMediaTypes) {
        if (media == media_type && std::find(out.begin(), out.end(), type) == out.end()) out.emplace_back(type);
    }
    return out;
}

std::vector<std::string> types_of_group(std::string_view asked) {
    for (const Group& group : kGroups) {
        if (group.name != asked) continue;
        std::vector<std::string> out;
        for (std::size_t at = 0; at < group.types.size();) {
            const std::size_t end = std::min(group.types.find(' ', at), group.types.size());
            out.push_back(canonical(std::string(group.types.substr(at, end - at))));
            at = end + 1;
        }
        std::sort(out.begin(), out.end());
        out.erase(std::unique(out.begin(), out.end()), out.end());
        return out;
    }
    return {canonical(std::string(asked))};
}

std::vector<std::string_view> filetype_groups() {
    std::vector<std::string_view> out;
    for (const Group& group : kGroups) out.push_back(group.name);
    return out;
}

}  // namespace kustos::search
