#include "ingest/extractor/claim.h"

#include <algorithm>

#include "ingest/src/mail_header.h"

namespace kustos::extractor {

namespace {

struct Claim {
    std::string_view word, kind;
};

// Endings of names. One that is not here claims nothing: a zip may be called anything.
constexpr Claim kEndings[] = {{"pdf", "pdf"},   {"docx", "docx"}, {"docm", "docx"}, {"dotx", "docx"}, {"xlsx", "xlsx"},
                              {"xlsm", "xlsx"}, {"pptx", "pptx"}, {"pptm", "pptx"}, {"odt", "odt"},   {"ods", "ods"},
                              {"odp", "odp"},   {"doc", "doc"},   {"dot", "doc"},   {"xls", "xls"},   {"ppt", "ppt"},
                              {"rtf", "rtf"},   {"png", "png"},   {"jpg", "jpeg"},  {"jpeg", "jpeg"}, {"gif", "gif"},
                              {"tif", "tiff"},  {"tiff", "tiff"}, {"bmp", "bmp"},   {"webp", "webp"}, {"zip", "zip"},
                              {"7z", "7z"},     {"gz", "gz"},     {"tgz", "gz"},    {"bz2", "bz2"},   {"xz", "xz"},
                              {"tar", "tar"},   {"rar", "rar"},   {"epub", "epub"}, {"msg", "msg"},   {"exe", "exe"},
                              {"txt", "text"},  {"csv", "text"},  {"log", "text"},  {"html", "html"}, {"htm", "html"},
                              {"eml", "mail"},  {"xml", "text"},  {"json", "text"}};
constexpr Claim kTypes[] = {{"application/pdf", "pdf"},
                            {"application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"},
                            {"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"},
                            {"application/vnd.openxmlformats-officedocument.presentationml.presentation", "pptx"},
                            {"application/vnd.oasis.opendocument.text", "odt"},
                            {"application/vnd.oasis.opendocument.spreadsheet", "ods"},
                            {"application/vnd.oasis.opendocument.presentation", "odp"},
                            {"application/msword", "doc"},
                            {"application/vnd.ms-excel", "xls"},
                            {"application/vnd.ms-powerpoint", "ppt"},
                            {"application/rtf", "rtf"},
                            {"text/rtf", "rtf"},
                            {"image/png", "png"},
                            {"image/jpeg", "jpeg"},
                            {"image/gif", "gif"},
                            {"image/tiff", "tiff"},
                            {"image/bmp", "bmp"},
                            {"image/webp", "webp"},
                            {"application/zip", "zip"},
                            {"application/gzip", "gz"},
                            {"text/plain", "text"},
                            {"text/csv", "text"},
                            {"text/html", "html"},
                            {"message/rfc822", "mail"}};

std::string_view claim_of_name(std::string_view name) {
    const std::size_t dot = name.rfind('.');
    if (dot == std::string_view::npos) return "";
    for (const Claim& one : kEndings)
        if (ingest::iequals(one.word, name.substr(dot + 1))) return one.kind;
    return "";
}

std::string_view claim_of_type(std::string_view media_type) {
    const std::string_view base = media_type.substr(0, media_type.find(';'));
    for (const Claim& one : kTypes)
        if (ingest::iequals(one.word, base)) return one.kind;
    return "";
}

bool is_any_of(std::string_view kind, std::initializer_list<std::string_view> kinds) {
    return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
}

bool agrees(std::string_view kind, std::string_view claimed) {
    if (kind == claimed) return true;
    // Text has no signature: a mail, a page or nothing that is known.
    if (is_any_of(claimed, {"text", "html", "mail"})) return is_any_of(kind, {"", "text", "html", "mail"});
    // [MS-OFFCRYPTO] 2.3: under a password each of the three is the same.
    if (kind == "encrypted-office") return is_any_of(claimed, {"docx", "xlsx", "pptx"});
    // A compound file whose streams name no program may be any of them.
    return kind == "compound" && is_any_of(claimed, {"doc", "xls", "ppt", "msg"});
}

}  // namespace

std::string_view contradicted_claim(std::string_view kind, std::string_view name, std::string_view media_type) {
    for (const std::string_view claimed : {claim_of_name(name), claim_of_type(media_type)})
        if (!claimed.empty() && !agrees(kind, claimed)) return claimed;
    return "";
}

}  // namespace kustos::extractor
