// The formats whose readers are streams' as well: mails one by one, in boxes and folders, and Kustos' own stream.
#include <algorithm>

#include "base/text.h"
#include "ingest/src/all_formats.h"
#include "ingest/src/large_mail.h"
#include "ingest/src/mail_header.h"
#include "ingest/src/maildir.h"
#include "ingest/src/mattermost.h"
#include "ingest/src/mbox.h"

namespace kustos::ingest {

namespace {

constexpr EvidentialValue kMailValue = {.level = EvidentialLevel::high,
                                        .ids = Carries::yes,
                                        .edits = Carries::no,
                                        .deletions = Carries::no,
                                        .time_zone = Carries::yes,
                                        .membership = Carries::no,
                                        .attachments = Carries::yes};

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

Certainty eml_looks(const Sample& sample) {
    if (sample.is_zip()) return Certainty::no;
    if (!sample.binary() && looks_like_mail(sample.start())) return Certainty::likely;
    return sample.has_ending(".eml") ? Certainty::weak : Certainty::no;
}

Status read_eml(const Input& input) {
    const ReadContext& context = input.context;
    if (TRY(read_large_mail(input.path, "eml", context, input.sink, [](vault::Message&) {}))) return ok_status();
    auto raw = TRY(whole_or_quarantine(input.path, context.limits.mail, "eml", context, input.sink));
    if (!raw) return ok_status();
    return parse_mail_items(std::move(*raw), context.limits, input.sink);
}

// A single mail may have been cut out of an mbox with its From_ line: the file's bytes stay whole then.
Certainty mbox_looks(const Sample& sample) {
    if (sample.is_zip()) return Certainty::no;
    const bool single = sample.has_ending(".eml") || sample.has_ending(".msg");
    if (sample.start().substr(0, 5) == "From " && looks_like_mbox(sample.start(), single ? 2 : 1))
        return Certainty::sure;
    if (!sample.binary() && !single && !looks_like_mail(sample.start()) && looks_like_mbox(sample.start()))
        return Certainty::likely;
    return sample.has_ending(".mbox") ? Certainty::weak : Certainty::no;
}

Status read_mbox_file(const Input& input) {
    return read_mbox(*TRY(file_source(input.path)), input.context, input.sink);
}

Certainty maildir_looks(const Sample& sample) {
    return sample.is_folder() && is_maildir(sample.path()) ? Certainty::sure : Certainty::no;
}

Status read_maildir_path(const Input& input) {
    if (kind_of(input.path) == FileKind::folder) return read_maildir(input.path, input.context, input.sink);
    return read_eml(input);
}

// A first line that is an object with the keys every event has; of a line longer than the look, the keys must show in
// it.
Certainty stream_looks(const Sample& sample) {
    const std::string_view text = sample.text();
    if (!text.empty() && text.front() == '{') {
        const std::string_view line = text.substr(0, text.find('\n'));
        if (line.find("\"kind\"") != std::string_view::npos && line.find("\"id\"") != std::string_view::npos)
            return line.find("\"sender\"") != std::string_view::npos ? Certainty::sure : Certainty::likely;
    }
    return sample.has_ending(".ndjson") ? Certainty::weak : Certainty::no;
}

Status read_stream_file(const Input& input) {
    const Path parent = input.path.parent_path();
    return read_stream(*TRY(file_source(input.path)), parent.empty() ? Path(".") : parent, input.context, input.sink);
}

Certainty mattermost_csv_looks(const Sample& sample) {
    if (looks_like_mattermost_posts(sample.start())) return Certainty::sure;
    return sample.is_zip() && sample.has("posts.csv") ? Certainty::sure : Certainty::no;
}

Status read_mattermost_csv(const Input& input) {
    const auto looked = TRY(Sample::of(input.path, input.context));
    if (looked.is_zip()) return read_mattermost_zip(input);
    auto csv =
        TRY(whole_or_quarantine(input.path, input.context.limits.csv, "mattermost-csv", input.context, input.sink));
    if (!csv) return ok_status();
    return read_mattermost_posts(std::move(*csv), input.context, input.sink);
}

}  // namespace

const Format kEmlFormat = {{"eml", "E-mail (RFC 5322, MIME)", kMailValue}, eml_looks, read_eml};
const Format kMboxFormat = {{"mbox", "mbox (mboxo, mboxrd, mboxcl, mboxcl2)", kMailValue}, mbox_looks, read_mbox_file};
const Format kMaildirFormat = {{"maildir", "Maildir, Maildir++", kMailValue}, maildir_looks, read_maildir_path, true};
// Its messages have the value of what the sender of the stream knows; the stream itself can carry all of it.
const Format kStreamFormat = {{"stream",
                               "Kustos message stream (NDJSON)",
                               {.level = EvidentialLevel::high,
                                .ids = Carries::yes,
                                .edits = Carries::yes,
                                .deletions = Carries::yes,
                                .time_zone = Carries::yes,
                                .membership = Carries::yes,
                                .attachments = Carries::yes}},
                              stream_looks,
                              read_stream_file};
const Format kMattermostCsvFormat = {{"mattermost-csv",
                                      "Mattermost compliance export (CSV)",
                                      {.level = EvidentialLevel::high,
                                       .ids = Carries::yes,
                                       .edits = Carries::partly,  // with 18 columns without their times
                                       .deletions = Carries::partly,
                                       .time_zone = Carries::yes,
                                       .membership = Carries::yes,
                                       .attachments = Carries::yes}},
                                     mattermost_csv_looks,
                                     read_mattermost_csv};

}  // namespace kustos::ingest
