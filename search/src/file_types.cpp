#include "search/src/file_types.h"

#include <algorithm>
#include <utility>

#include "search/src/query_names.h"

namespace kustos::search {
namespace {

constexpr std::size_t kMaxExtension = 16;

struct Group {
    std::string_view name;
    std::string_view types;  // each between spaces
};
// "text" holds all of "word": who looks for text documents wants those, too.
constexpr Group kGroups[] = {
    {"word", " doc docx docm dot dotx dotm odt ott fodt rtf wpd pages "},
    {"text", " doc docx docm dot dotx dotm odt ott fodt rtf wpd pages txt md tex log "},
    {"excel", " xls xlsx xlsm xlsb xlt xltx ods ots fods csv tsv numbers "},
    {"powerpoint", " ppt pptx pptm pps ppsx pot potx odp otp fodp key "},
    {"image", " jpg png gif tif bmp webp heic avif svg ico psd "},
    {"audio", " mp3 wav ogg opus flac m4a aac wma amr aiff mid "},
    {"video", " mp4 m4v mov avi mkv webm wmv mpg 3gp ogv flv "},
    {"archive", " zip 7z rar tar gz tgz bz2 xz zst cab iso lzh "},
    {"mail", " eml msg pst ost mbox emlx "},
};

constexpr std::string_view kOthers =
    " pdf html xml json ics vcf p7m p7s p7b asc gpg pgp exe dll msi bat cmd com js vbs ps1 sh py jar apk sql db sqlite "
    "mdb accdb dwg dxf vsd vsdx mpp one epub ps eps xps ini cfg yaml lnk url bin dat tmp bak p12 pfx cer crt pem ";

constexpr std::pair<std::string_view, std::string_view> kNames[] = {
    {"word", "word"},
    {"text", "text"},
    {"document", "text"},
    {"dokument", "text"},
    {"excel", "excel"},
    {"tabelle", "excel"},
    {"table", "excel"},
    {"spreadsheet", "excel"},
    {"powerpoint", "powerpoint"},
    {"präsentation", "powerpoint"},
    {"praesentation", "powerpoint"},
    {"presentation", "powerpoint"},
    {"image", "image"},
    {"picture", "image"},
    {"bild", "image"},
    {"audio", "audio"},
    {"video", "video"},
    {"archive", "archive"},
    {"archiv", "archive"},
    {"mail", "mail"},
    {"email", "mail"},
    {"e-mail", "mail"},
    {"pdf", "pdf"},
    {"docx", "docx"},
    {"xlsx", "xlsx"},
    {"pptx", "pptx"},
    {"html", "html"},
};

constexpr std::pair<std::string_view, std::string_view> kSame[] = {
    {"jpeg", "jpg"}, {"jpe", "jpg"},   {"tiff", "tif"}, {"htm", "html"}, {"xhtml", "html"},
    {"mpeg", "mpg"}, {"heif", "heic"}, {"aif", "aiff"}, {"midi", "mid"}, {"markdown", "md"},
    {"yml", "yaml"}, {"oga", "ogg"},   {"text", "txt"},
};

bool listed(std::string_view list, std::string_view type) {
    return type.find(' ') == std::string_view::npos &&
           list.find(" " + std::string(type) + " ") != std::string_view::npos;
}

}  // namespace

std::string file_type(std::string_view extension) {
    for (const auto& [written, type] : kSame) {
        if (written == extension) return std::string(type);
    }
    return std::string(extension);
}

bool is_known_file_type(std::string_view type) {
    return listed(kOthers, type) || std::any_of(std::begin(kGroups), std::end(kGroups), [&](const Group& group) {
               return group.name == type || listed(group.types, type);
           });
}

std::optional<std::string> parse_file_type(std::string_view folded) {
    for (const auto& [written, type] : kNames) {
        if (written == folded) return std::string(type);
    }
    const bool dot = !folded.empty() && folded[0] == '.';
    if (dot) folded.remove_prefix(1);
    if (folded.empty() || folded.size() > kMaxExtension ||
        folded.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789") != std::string_view::npos)
        return std::nullopt;
    std::string type = file_type(folded);
    if (dot || is_known_file_type(type)) return type;
    return std::nullopt;
}

std::vector<std::string> file_types_of(std::string_view type_or_group) {
    std::vector<std::string> out;
    for (const Group& group : kGroups) {
        if (group.name != type_or_group) continue;
        for (std::string_view rest = group.types.substr(1); !rest.empty();) {
            const std::size_t space = rest.find(' ');
            out.emplace_back(rest.substr(0, space));
            rest.remove_prefix(space + 1);
        }
    }
    if (out.empty()) out.emplace_back(type_or_group);
    return out;
}

std::string_view nearest_file_type(std::string_view folded) {
    return nearest(kNames, folded, [](const auto& row) { return row.first; });
}

}  // namespace kustos::search
