#include "ingest/src/sidecar_record.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/crypto.h"
#include "base/text.h"
#include "ingest/src/chat_fields.h"
#include "ingest/src/mail_header.h"

namespace kustos::ingest {

namespace {

using vault::Message;
using vault::MessageKind;

enum Column : std::size_t {
    kFrom,
    kFromName,
    kTo,
    kToName,
    kStart,
    kDuration,
    kDirection,
    kKind,
    kId,
    kFile,
    kSubject,
    kText,
    kSha256,
    kSize,
    kColumns
};
struct Title {
    Column column;
    std::string_view english, german;
};
constexpr std::array<Title, kColumns> kTitles = {{{kFrom, "from", "von"},
                                                  {kFromName, "from_name", "von_name"},
                                                  {kTo, "to", "an"},
                                                  {kToName, "to_name", "an_name"},
                                                  {kStart, "start", "beginn"},
                                                  {kDuration, "duration", "dauer"},
                                                  {kDirection, "direction", "richtung"},
                                                  {kKind, "kind", "art"},
                                                  {kId, "id", "kennung"},
                                                  {kFile, "file", "datei"},
                                                  {kSubject, "subject", "betreff"},
                                                  {kText, "text", "text"},
                                                  {kSha256, "sha256", "sha256"},
                                                  {kSize, "size", "groesse"}}};

vault::Person person(std::string_view address, std::string_view name, const Limits& limits) {
    vault::Person out;
    out.id = out.address = clip(trim(address), limits);
    out.name = clip(trim(name), limits);
    return out;
}

vault::Person person(const JsonValue& value, const Limits& limits) {
    if (value.is_text()) return person(value.text(), "", limits);
    vault::Person out = person(value.text("address"), value.text("name"), limits);
    if (const std::string_view id = value.text("id"); !id.empty()) out.id = clip(id, limits);
    if (out.id.empty()) out.id = out.name;
    return out;
}

// A number may be written as one or as a text.
std::string scalar(const JsonValue& value) {
    if (value.is_text()) return std::string(value.text());
    return value.there() && !value.is_object() && !value.is_array() ? canonical_json(value) : std::string();
}

bool is_kind(std::string_view word) {
    return word == "voice" || word == "call" || word == "file";
}

std::string lower_hex(std::string_view text) {
    return lower_ascii(trim(text));
}

}  // namespace

std::string_view read_sidecar(const JsonValue& root, const Limits& limits, SidecarRecord& out, std::uint64_t& unknown) {
    if (!root.is_object()) return "not-an-object";
    if (root.integer("kustos_sidecar") != 1) return "unknown-version";
    for (const auto& [key, value] : root.members()) {
        if (key == "kind")
            out.kind = value.text();
        else if (key == "id")
            out.id = clip(scalar(value), limits);
        else if (key == "start")
            out.start = scalar(value);
        else if (key == "duration")
            out.duration = scalar(value);
        else if (key == "direction")
            out.direction = value.text();
        else if (key == "subject")
            out.subject = value.text();
        else if (key == "text")
            out.text = value.text();
        else if (key == "sha256")
            out.sha256 = lower_hex(value.text());
        else if (key == "size")
            out.size = scalar(value);
        else if (key == "media_type")
            out.media_type = value.text();
        else if (key == "file")
            out.files.emplace_back(value.text());
        else if (key == "from")
            out.from = person(value, limits);
        else if (key == "to" && value.is_array())
            for (const JsonValue& one : value.items()) out.to.push_back(person(one, limits));
        else if (key == "to" && value.there())
            out.to.push_back(person(value, limits));
        else if (key == "files")
            for (const JsonValue& one : value.items()) out.files.emplace_back(one.text());
        else if (key != "kustos_sidecar")
            ++unknown;
    }
    if (!out.kind.empty() && !is_kind(out.kind)) return "unknown-kind";
    return {};
}

std::optional<SidecarColumns> SidecarColumns::of(const std::vector<std::string>& titles) {
    SidecarColumns out;
    out.at_.assign(kColumns, std::string::npos);
    for (std::size_t i = 0; i < titles.size(); ++i) {
        const std::string title = lower_ascii(trim(titles[i]));
        for (const Title& known : kTitles)
            if ((title == known.english || title == known.german) && out.at_[known.column] == std::string::npos)
                out.at_[known.column] = i;
    }
    for (const Column needed : {kFrom, kTo, kStart})
        if (out.at_[needed] == std::string::npos) return std::nullopt;
    return out;
}

std::string_view SidecarColumns::value(const std::vector<std::string>& fields, std::size_t column) const {
    return at_[column] < fields.size() ? trim(fields[at_[column]]) : std::string_view();
}

SidecarRecord SidecarColumns::record(const std::vector<std::string>& fields, const Limits& limits) const {
    SidecarRecord out;
    out.from_manifest = true;
    out.kind = lower_ascii(value(fields, kKind));
    if (!is_kind(out.kind)) out.kind.clear();
    out.id = clip(value(fields, kId), limits);
    out.start = value(fields, kStart);
    out.duration = value(fields, kDuration);
    out.direction = value(fields, kDirection);
    out.subject = value(fields, kSubject);
    out.text = value(fields, kText);
    out.sha256 = lower_hex(value(fields, kSha256));
    out.size = value(fields, kSize);
    out.from = person(value(fields, kFrom), value(fields, kFromName), limits);
    if (const std::string_view to = value(fields, kTo); !to.empty())
        out.to.push_back(person(to, value(fields, kToName), limits));
    if (const std::string_view file = value(fields, kFile); !file.empty()) out.files.emplace_back(file);
    return out;
}

std::string SidecarColumns::canonical(const std::vector<std::string>& fields) const {
    std::string out;
    for (std::size_t column = 0; column < kColumns; ++column) {
        out += value(fields, column);
        out += '\0';
    }
    return out;
}

char separator_of(std::string_view csv) {
    const std::string_view line = csv.substr(0, csv.find('\n'));
    const auto count = [line](char c) { return std::count(line.begin(), line.end(), c); };
    if (count(';') > count(',')) return ';';
    return count('\t') > count(',') ? '\t' : ',';
}

std::optional<std::uint64_t> written_duration_ms(std::string_view text) {
    constexpr double kMost = 1e10;  // seconds; some hundred years
    text = trim(text);
    if (!text.empty() && text.front() == 'P') return iso_duration_ms(text);
    double seconds = 0;
    for (int part = 0; part < 3; ++part) {
        double number = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (error != std::errc() || !(number >= 0) || number > kMost) return std::nullopt;
        seconds = seconds * 60 + number;
        text.remove_prefix(static_cast<std::size_t>(end - text.data()));
        if (text.empty() && seconds <= kMost) return static_cast<std::uint64_t>(seconds * 1000 + 0.5);
        if (text.empty() || text.front() != ':') return std::nullopt;
        text.remove_prefix(1);
    }
    return std::nullopt;
}

namespace {

// Makes the message of one record.
class Making {
public:
    Making(const SidecarRecord& record, const ExportFiles& files, const ReadContext& context, ItemSink& sink)
        : record_(record), files_(files), context_(context), sink_(sink) {}

    ParsedItem item(Bytes raw, std::string_view identity) {
        ParsedItem out;
        Message& m = out.message;
        m.format = kSidecarName;
        m.raw = std::move(raw);
        out.source_bytes = m.raw.size();
        m.sender = record_.from;
        for (const vault::Person& to : record_.to) {
            if (m.recipients.size() >= context_.limits.recipients) {
                add_note(m, "limit:recipients");
                break;
            }
            if (!to.empty()) m.recipients.push_back({vault::Role::to, to});
        }
        m.subject = clip(record_.subject, context_.limits);
        put_time(m);
        put_length(m);
        put_direction(m);
        put_body(record_.text, context_.limits, m);
        put_files(m);
        m.kind = kind(m);
        m.native_id = record_.id;
        if (m.native_id.empty()) {
            m.native_id = made_id({identity});
            add_note(m, "id-synthesised");
        }
        std::string files;
        for (const vault::Attachment& a : m.attachments)
            files += a.missing ? "-" : (a.spool ? a.spool.sha256 : sha256(a.content)).hex();
        out.update_type = made_id({identity, files});
        return out;
    }

private:
    void put_time(Message& m) {
        std::int64_t number = 0;
        const std::string_view text = record_.start;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (error == std::errc() && end == text.data() + text.size()) {
            m.sent_at = epoch_any(number);
        } else if (const auto zoned = parse_rfc3339(text); zoned.ok()) {
            m.sent_at = *zoned;
        } else if (const auto reading = clock_time(text)) {
            m.sent_at = time_in_zone(*reading, context_, m);
            if (std::find(m.notes.begin(), m.notes.end(), "time-zone-unknown") != m.notes.end())
                sink_.finding("sidecar:time-zone-unknown");
        }
        if (m.sent_at) return;
        add_note(m, "bad-time");
        sink_.finding("sidecar:bad-time");
    }

    void put_length(Message& m) {
        if (record_.duration.empty()) return;
        m.duration_ms = written_duration_ms(record_.duration);
        if (m.duration_ms) return;
        add_note(m, "bad-duration");
        sink_.finding("sidecar:bad-duration");
    }

    void put_direction(Message& m) const {
        if (record_.direction.empty()) return;
        const std::string word = lower_ascii(record_.direction);
        constexpr std::string_view kIn[] = {"in", "inbound", "incoming", "eingehend", "ein"};
        constexpr std::string_view kOut[] = {"out", "outbound", "outgoing", "ausgehend", "aus"};
        const auto is = [&word](const auto& words) {
            return std::find(std::begin(words), std::end(words), word) != std::end(words);
        };
        m.notes.push_back("direction:" + (is(kIn) ? "in" : is(kOut) ? "out" : word_of(word)));
    }

    void put_files(Message& m) {
        for (const std::string& path : record_.files) {
            if (m.attachments.size() >= context_.limits.attachments) return add_note(m, "limit:attachments");
            vault::Attachment file = named_file(path, context_.limits);
            if (!record_.media_type.empty() && record_.files.size() == 1)
                file.media_type = lower_ascii(clip(record_.media_type, context_.limits));
            if (files_.attach) files_.attach(path, file);
            if (file.missing) sink_.finding("sidecar:attachment-missing");
            if (record_.files.size() == 1) check_declared(file, m);
            m.attachments.push_back(std::move(file));
        }
    }

    void check_declared(vault::Attachment& file, Message& m) {
        std::uint64_t size = 0;
        const std::string& text = record_.size;
        if (!text.empty() && std::from_chars(text.data(), text.data() + text.size(), size).ec == std::errc())
            file.declared_size = size;
        if (const auto sum = Hash::parse(record_.sha256); sum.ok()) file.declared_sha256 = *sum;
        if (file.missing) return;
        const Hash sum = file.spool ? file.spool.sha256 : sha256(file.content);
        if (file.declared_size && *file.declared_size != file.content_size()) mismatch("size", m);
        if (!record_.sha256.empty() && record_.sha256 != sum.hex()) mismatch("sha256", m);
    }

    void mismatch(std::string_view what, Message& m) {
        add_note(m, "attachment-mismatch:" + std::string(what));
        sink_.finding("sidecar:attachment-mismatch");
    }

    // What is said, else by the file: sound is voice; without a file it is a call.
    MessageKind kind(const Message& m) const {
        if (record_.kind == "voice") return MessageKind::voice;
        if (record_.kind == "call") return MessageKind::call;
        if (record_.kind == "file") return MessageKind::file;
        if (m.attachments.empty()) return MessageKind::call;
        return m.attachments.front().media_type.rfind("audio/", 0) == 0 ? MessageKind::voice : MessageKind::file;
    }

    const SidecarRecord& record_;
    const ExportFiles& files_;
    const ReadContext& context_;
    ItemSink& sink_;
};

}  // namespace

ParsedItem sidecar_item(const SidecarRecord& record, Bytes raw, std::string_view identity, const ExportFiles& files,
                        const ReadContext& context, ItemSink& sink) {
    return Making(record, files, context, sink).item(std::move(raw), identity);
}

}  // namespace kustos::ingest
