#include "ingest/src/media_type.h"

#include "ingest/src/mail_header.h"

namespace kustos::ingest {

namespace {
struct Known {
    std::string_view ending, type;
};
constexpr Known kKnown[] = {
    {"pdf", "application/pdf"},
    {"txt", "text/plain"},
    {"log", "text/plain"},
    {"md", "text/markdown"},
    {"csv", "text/csv"},
    {"html", "text/html"},
    {"htm", "text/html"},
    {"json", "application/json"},
    {"xml", "application/xml"},
    {"docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
    {"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    {"pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
    {"doc", "application/msword"},
    {"xls", "application/vnd.ms-excel"},
    {"ppt", "application/vnd.ms-powerpoint"},
    {"odt", "application/vnd.oasis.opendocument.text"},
    {"ods", "application/vnd.oasis.opendocument.spreadsheet"},
    {"odp", "application/vnd.oasis.opendocument.presentation"},
    {"rtf", "application/rtf"},
    {"png", "image/png"},
    {"jpg", "image/jpeg"},
    {"jpeg", "image/jpeg"},
    {"gif", "image/gif"},
    {"webp", "image/webp"},
    {"svg", "image/svg+xml"},
    {"tif", "image/tiff"},
    {"tiff", "image/tiff"},
    {"heic", "image/heic"},
    {"mp3", "audio/mpeg"},
    {"ogg", "audio/ogg"},
    {"m4a", "audio/mp4"},
    {"wav", "audio/wav"},
    {"opus", "audio/ogg"},
    {"amr", "audio/amr"},
    {"aac", "audio/aac"},
    {"wma", "audio/x-ms-wma"},
    {"mp4", "video/mp4"},
    {"mov", "video/quicktime"},
    {"webm", "video/webm"},
    {"zip", "application/zip"},
    {"eml", "message/rfc822"},
    {"ics", "text/calendar"},
};
}  // namespace

std::string media_type_of_name(std::string_view name) {
    const std::size_t dot = name.rfind('.');
    if (dot != std::string_view::npos)
        for (const Known& known : kKnown)
            if (iequals(known.ending, name.substr(dot + 1))) return std::string(known.type);
    return "application/octet-stream";
}

}  // namespace kustos::ingest
