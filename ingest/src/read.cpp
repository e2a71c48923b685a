// Which format a path holds, and the walk through folders.
#include <algorithm>

#include "ingest/extract.h"
#include "ingest/format.h"
#include "ingest/src/files.h"
#include "ingest/src/large_mail.h"
#include "ingest/src/mail_header.h"
#include "ingest/src/maildir.h"
#include "ingest/src/mattermost.h"
#include "ingest/src/mbox.h"

namespace kustos::ingest {

namespace {

constexpr std::size_t kLook = 64u << 10;
constexpr int kMaxFolderDepth = 32;

struct NamedFormat {
    std::string_view name;
    FormatName format;
};
constexpr NamedFormat kFormats[] = {{"auto", FormatName::automatic},
                                    {"eml", FormatName::eml},
                                    {"mbox", FormatName::mbox},
                                    {"maildir", FormatName::maildir},
                                    {"mattermost-csv", FormatName::mattermost_csv},
                                    {"stream", FormatName::stream}};

Result<std::string> start_of(const Path& path) {
    const auto source = TRY(file_source(path));
    std::string out(kLook, '\0');
    std::size_t at = 0;
    while (at < out.size()) {
        const std::size_t got = TRY(source->read({reinterpret_cast<std::uint8_t*>(out.data()) + at, out.size() - at}));
        if (got == 0) break;
        at += got;
    }
    out.resize(at);
    return out;
}

// A first line that is an object with the keys every event has; of a line longer than the look, the keys must show in
// it.
bool looks_like_stream(std::string_view start) {
    if (start.substr(0, 3) == "\xEF\xBB\xBF") start.remove_prefix(3);
    while (!start.empty() && (start.front() == '\n' || start.front() == '\r')) start.remove_prefix(1);
    if (start.empty() || start.front() != '{') return false;
    const std::string_view line = start.substr(0, start.find('\n'));
    return line.find("\"kind\"") != std::string_view::npos && line.find("\"id\"") != std::string_view::npos;
}

bool looks_like_mail(std::string_view start) {
    constexpr std::string_view kKnown[] = {
        "From",        "To",         "Subject",      "Date",           "Received",
        "Return-Path", "Message-ID", "MIME-Version", "Content-Type",   "Delivered-To",
        "Sender",      "Cc",         "Reply-To",     "DKIM-Signature", "X-Mozilla-Status"};
    for (const HeaderLine& line : split_header(start).lines)
        if (std::any_of(std::begin(kKnown), std::end(kKnown),
                        [&](std::string_view k) { return iequals(k, line.name); }))
            return true;
    return false;
}

bool is_zip(std::string_view start) {
    return start.substr(0, 4) == "PK\x03\x04" || start.substr(0, 4) == "PK\x05\x06";
}

bool has_ending(const Path& path, std::string_view ending) {
    return iequals(path.extension().string(), ending);
}

Result<FormatName> detect_zip(const Path& path, const ReadContext& context) {
    if (!context.extractor) return FormatName::automatic;
    const auto archive = TRY(context.extractor->unpack(path));
    for (const ArchiveMember& member : archive->members())
        if (member.path == "posts.csv") return FormatName::mattermost_csv;
    return FormatName::automatic;
}

Result<FormatName> detect_file(const Path& path, const ReadContext& context) {
    const std::string start = TRY(start_of(path));
    if (is_zip(start)) return detect_zip(path, context);
    if (looks_like_mattermost_posts(start)) return FormatName::mattermost_csv;
    if (looks_like_stream(start)) return FormatName::stream;
    // A single mail may have been cut out of an mbox with its From_ line: the file's bytes stay whole then.
    const bool single = has_ending(path, ".eml") || has_ending(path, ".msg");
    if (start.substr(0, 5) == "From " && looks_like_mbox(start, single ? 2 : 1)) return FormatName::mbox;
    if (has_ending(path, ".eml")) return FormatName::eml;
    const bool binary = start.find('\0') != std::string::npos;
    if (!binary && looks_like_mail(start)) return FormatName::eml;
    if (!binary && looks_like_mbox(start)) return FormatName::mbox;
    if (has_ending(path, ".mbox")) return FormatName::mbox;
    if (has_ending(path, ".ndjson")) return FormatName::stream;
    return FormatName::automatic;
}

class Walk {
public:
    Walk(const ReadContext& context, ItemSink& sink) : context_(context), sink_(sink) {}

    Status at(const Path& path, FormatName format, int depth) {
        switch (kind_of(path)) {
            case FileKind::folder:
                return folder(path, format, depth);
            case FileKind::file:
                return file(path, format);
            case FileKind::absent:
                return Error(Code::not_found, "input is absent");
            case FileKind::link:
                if (depth == 0) return named_link(path, format);
                sink_.finding("folder:link-skipped");
                return ok_status();
            case FileKind::other:
                break;
        }
        return Error(Code::usage, "input is neither a file nor a folder");
    }

private:
    // A link that the operator has named is meant.
    Status named_link(const Path& path, FormatName format) {
        std::error_code error;
        const Path target = std::filesystem::canonical(path, error);
        if (error) return Error(Code::not_found, "input is absent");
        return at(target, format, 1);
    }

    Status folder(const Path& path, FormatName format, int depth) {
        if (depth > kMaxFolderDepth) {
            sink_.finding("folder:too-deep");
            return ok_status();
        }
        if (format == FormatName::maildir || (format == FormatName::automatic && is_maildir(path)))
            return read_maildir(path, context_, sink_);
        for (const Path& child : TRY(children(path, sink_))) TRY(at(child, format, depth + 1));
        return ok_status();
    }

    Status file(const Path& path, FormatName format) {
        if (format == FormatName::automatic) format = TRY(detect_file(path, context_));
        switch (format) {
            case FormatName::maildir:
            case FormatName::eml:
                return mail(path);
            case FormatName::mbox:
                return read_mbox(*TRY(file_source(path)), context_, sink_);
            case FormatName::stream: {
                const Path parent = path.parent_path();
                return read_stream(*TRY(file_source(path)), parent.empty() ? Path(".") : parent, context_, sink_);
            }
            case FormatName::mattermost_csv:
                return mattermost(path);
            case FormatName::automatic:
                break;
        }
        return unknown(path);
    }

    Status mail(const Path& path) {
        if (TRY(read_large_mail(path, "eml", context_, sink_, [](vault::Message&) {}))) return ok_status();
        auto raw = TRY(whole_or_quarantine(path, context_.limits.mail, "eml", context_, sink_));
        if (!raw) return ok_status();
        return sink_.item(parse_mail(std::move(*raw), context_.limits));
    }

    Status mattermost(const Path& path) {
        if (is_zip(TRY(start_of(path)))) return read_mattermost_zip(path, context_, sink_);
        auto csv = TRY(whole_or_quarantine(path, context_.limits.csv, "mattermost-csv", context_, sink_));
        if (!csv) return ok_status();
        return read_mattermost_posts(std::move(*csv), context_, sink_);
    }

    Status unknown(const Path& path) {
        if (is_zip(TRY(start_of(path))))
            return read_mattermost_zip(path, context_, sink_);  // quarantined, with its problems
        auto raw = TRY(whole_or_quarantine(path, context_.limits.mail, "unknown", context_, sink_));
        if (!raw) return ok_status();
        if (raw->empty()) {
            sink_.finding("file:empty");
            return ok_status();
        }
        return quarantine(std::move(*raw), "unknown", "unknown-format", context_.limits, sink_);
    }

    const ReadContext& context_;
    ItemSink& sink_;
};

}  // namespace

Result<FormatName> parse_format_name(std::string_view name) {
    for (const NamedFormat& known : kFormats)
        if (known.name == name) return known.format;
    return Error(Code::not_in_version, "not in this version: this format")
        .with_hint("formats: auto, eml, mbox, maildir, mattermost-csv, stream");
}

std::string_view format_name(FormatName name) {
    for (const NamedFormat& known : kFormats)
        if (known.format == name) return known.name;
    return "auto";
}

Result<FormatName> detect(const Path& path, const ReadContext& context) {
    switch (kind_of(path)) {
        case FileKind::folder:
            return is_maildir(path) ? FormatName::maildir : FormatName::automatic;
        case FileKind::absent:
            return Error(Code::not_found, "input is absent");
        default:
            return detect_file(path, context);
    }
}

Status read(const Path& path, FormatName format, const ReadContext& context, ItemSink& sink) {
    return Walk(context, sink).at(path, format, 0);
}

}  // namespace kustos::ingest
