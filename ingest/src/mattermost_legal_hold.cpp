// The legal hold of Mattermost's plugin: a CSV for each channel and batch, files by id, HMACs of all
// (docs/format/mattermost-legal-hold.md).
#include <algorithm>
#include <array>
#include <map>

#include "base/text.h"
#include "ingest/src/all_formats.h"
#include "ingest/src/chat_fields.h"
#include "ingest/src/csv.h"
#include "ingest/src/json_value.h"
#include "ingest/src/legal_hold.h"
#include "ingest/src/legal_hold_hashes.h"
#include "ingest/src/mail_header.h"
#include "ingest/src/unreadable.h"

namespace kustos::ingest {

namespace {

using vault::Message;
using vault::MessageKind;
constexpr std::string_view kName = "mattermost-legal-hold";
constexpr std::size_t kNone = ~std::size_t{0};
constexpr std::size_t kMaxRows = 2'000'000;

enum Column {
    kTeam,
    kChannelName,
    kChannelTitle,
    kChannelType,
    kUsername,
    kEmail,
    kNickname,
    kPostId,
    kCreated,
    kUpdated,
    kDeleted,
    kRoot,
    kOriginal,
    kText,
    kPostType,
    kProps,
    kFileIds,
    kIsBot,
    kColumns
};
constexpr std::array<std::string_view, kColumns> kTitles = {
    "TeamName",       "ChannelName", "ChannelDisplayName", "ChannelType",  "UserUsername", "UserEmail",
    "UserNickname",   "PostId",      "PostCreateAt",       "PostUpdateAt", "PostDeleteAt", "PostRootId",
    "PostOriginalId", "PostMessage", "PostType",           "PostProps",    "PostFileIds",  "IsBot"};

struct Row {
    CsvRow csv;
    std::size_t edit_of = kNone;  // the row with the text before this one
};

class Batch {
public:
    Batch(Bytes csv, const LegalHoldBatch& batch, const ReadContext& context, ItemSink& sink)
        : csv_(std::move(csv)), text_(as_text(csv_)), batch_(batch), context_(context), sink_(sink) {}

    Status read() {
        CsvReader csv(text_);
        CsvRow header;
        if (!csv.next(header) || !take_header(header))
            return quarantine(std::move(csv_), kName, "no-header-row", context_.limits, sink_);
        TRY(seal_frame(to_bytes(text_.substr(0, header.end)), kName, context_.limits, sink_));
        TRY(take_rows(csv));
        link_edits();
        for (const Row& row : rows_) TRY(hand_on(row));
        return ok_status();
    }

private:
    bool take_header(const CsvRow& header) {
        columns_.fill(kNone);
        for (std::size_t i = 0; i < header.fields.size(); ++i)
            for (std::size_t c = 0; c < kColumns; ++c)
                if (kTitles[c] == header.fields[i]) columns_[c] = i;
        return columns_[kPostId] != kNone && columns_[kText] != kNone && columns_[kCreated] != kNone &&
               columns_[kDeleted] != kNone;
    }

    Status take_rows(CsvReader& csv) {
        Row row;
        while (csv.next(row.csv)) {
            const bool blank = row.csv.fields.size() == 1 && row.csv.fields[0].empty();
            std::string_view reason;
            if (row.csv.unclosed_quote) {
                reason = "unclosed-quote";
            } else if (row.csv.fields.size() <= columns_[kText]) {
                reason = "too-few-columns";
            } else if (!epoch_ms(field(row, kCreated))) {
                reason = "bad-time";
            } else if (rows_.size() >= kMaxRows) {
                reason = "too-many-rows";
            }
            if (!blank && !reason.empty()) {
                TRY(quarantine(to_bytes(raw_of(row)), kName, reason, context_.limits, sink_));
            } else if (!blank) {
                rows_.push_back(std::move(row));
            }
            row = {};
        }
        return ok_status();
    }

    // A row with PostOriginalId X is an OLD text of post X, replaced when that row was deleted; X has the newest.
    void link_edits() {
        std::map<std::string_view, std::vector<std::size_t>> versions;
        for (std::size_t i = 0; i < rows_.size(); ++i)
            if (!field(rows_[i], kOriginal).empty()) versions[field(rows_[i], kOriginal)].push_back(i);
        for (auto& [post, old] : versions) {
            std::stable_sort(old.begin(), old.end(), [&](std::size_t a, std::size_t b) {
                return time(rows_[a], kDeleted).value_or(UtcTime{}) < time(rows_[b], kDeleted).value_or(UtcTime{});
            });
            for (std::size_t i = 1; i < old.size(); ++i) rows_[old[i]].edit_of = old[i - 1];
        }
        for (Row& row : rows_) {
            const auto old = versions.find(field(row, kPostId));
            if (field(row, kOriginal).empty() && old != versions.end()) row.edit_of = old->second.back();
        }
    }

    std::string_view raw_of(const Row& row) const { return text_.substr(row.csv.begin, row.csv.end - row.csv.begin); }
    std::string_view field(const Row& row, Column column) const {
        const std::size_t at = columns_[column];
        return at < row.csv.fields.size() ? std::string_view(row.csv.fields[at]) : std::string_view();
    }
    std::string name(const Row& row, Column column) const { return clip(field(row, column), context_.limits); }
    std::optional<UtcTime> time(const Row& row, Column column) const { return epoch_ms(field(row, column)); }

    Status hand_on(const Row& row) {
        ParsedItem item = post(row);
        Message& m = item.message;
        const bool deleted = field(row, kOriginal).empty() && time(row, kDeleted).has_value();
        if (batch_.ready) TRY(batch_.ready());
        // A deleted post is one row: that it was written, and that it was deleted.
        std::optional<ParsedItem> deletion;
        if (deleted) {
            auto files = std::exchange(m.attachments, {});  // never copied
            deletion = item;
            m.attachments = std::move(files);
            Message& d = deletion->message;
            d.kind = MessageKind::deletion;
            d.target = d.native_id;
            d.sent_at = time(row, kDeleted);
            d.previous_body.clear();
            deletion->update_type = "deleted@" + std::string(field(row, kDeleted));
            deletion->source_bytes = 0;
        }
        item.source_bytes = m.raw.size();
        for (const auto& attachment : m.attachments) item.source_bytes += attachment.content_size();
        TRY(sink_.item(std::move(item)));
        return deletion ? sink_.item(std::move(*deletion)) : ok_status();
    }

    ParsedItem post(const Row& row) {
        ParsedItem item;
        Message& m = item.message;
        m.format = kName;
        m.kind = MessageKind::chat;
        m.native_id = name(row, kPostId);
        m.sent_at = time(row, kCreated);
        m.thread = m.reply_to = name(row, kRoot);
        m.sender.id = name(row, kUsername);
        m.sender.address = name(row, kEmail);
        m.sender.name = name(row, field(row, kNickname).empty() ? kUsername : kNickname);
        m.conversation.id = clip(batch_.channel_id, context_.limits);
        m.conversation.title = name(row, field(row, kChannelTitle).empty() ? kChannelName : kChannelTitle);
        m.conversation.type = mattermost_channel_type(field(row, kChannelType));
        if (iequals(field(row, kIsBot), "true")) m.notes.push_back("bot");
        if (!batch_.origin_note.empty()) m.notes.push_back(batch_.origin_note);
        put(m.raw, raw_of(row));
        put_body(field(row, kText), context_.limits, m);
        take_type(row, m);
        if (row.edit_of != kNone || !field(row, kOriginal).empty()) take_version(row, item);
        take_files(row, m);
        return item;
    }

    // Joining and leaving are posts of a type of their own; whom they are about stands in the properties.
    void take_type(const Row& row, Message& m) {
        const std::string_view type = field(row, kPostType);
        if (type.empty()) return;
        m.notes.push_back("post-type:" + word_of(type));
        const bool joins = type == "system_join_channel" || type == "system_add_to_channel";
        const bool leaves = type == "system_leave_channel" || type == "system_remove_from_channel";
        m.kind = joins ? MessageKind::join : leaves ? MessageKind::leave : MessageKind::status;
        if (type != "system_add_to_channel" && type != "system_remove_from_channel") return;
        if (!parser_.parse(as_bytes(field(row, kProps))).empty()) return;
        const std::string_view who = parser_.root().text(joins ? "addedUsername" : "removedUsername");
        if (who.empty() || who == field(row, kUsername)) return;
        m.recipients.push_back({vault::Role::member, m.sender});
        m.notes.push_back("by-another");
        m.sender = {};
        m.sender.id = m.sender.name = clip(who, context_.limits);
    }

    void take_version(const Row& row, ParsedItem& item) {
        Message& m = item.message;
        m.target = field(row, kOriginal).empty() ? m.native_id : name(row, kOriginal);
        if (row.edit_of == kNone) return m.notes.push_back("earlier-version");
        const Row& before = rows_[row.edit_of];
        m.kind = MessageKind::edit;
        bool cut = false;
        m.previous_body = cut_utf8(repair_utf8(field(before, kText)), context_.limits.body, cut);
        m.sent_at = time(before, kDeleted);
        item.update_type = "edited@" + std::string(field(before, kDeleted));
        if (!m.sent_at) m.notes.push_back("edit-time-unknown");
    }

    void take_files(const Row& row, Message& m) {
        if (field(row, kFileIds).empty() || !parser_.parse(as_bytes(field(row, kFileIds))).empty()) return;
        for (const JsonValue& id : parser_.root().items()) {
            if (m.attachments.size() >= context_.limits.attachments) return add_note(m, "limit:attachments");
            vault::Attachment file;
            const auto path = batch_.files.find(id.text());
            file = named_file(path == batch_.files.end() ? id.text() : std::string_view(path->second), context_.limits);
            if (path != batch_.files.end()) batch_.attach(path->second, file);
            if (file.missing) sink_.finding("mattermost:attachment-missing");
            m.attachments.push_back(std::move(file));
        }
    }

    Bytes csv_;
    std::string_view text_;
    const LegalHoldBatch& batch_;
    const ReadContext& context_;
    ItemSink& sink_;
    std::array<std::size_t, kColumns> columns_{};
    std::vector<Row> rows_;
    JsonParser parser_;
};

// "legal_hold/x_y/" or "": the folder in which index.json stands beside channels' folders.
std::optional<std::string> base_of(const Container& container) {
    for (const auto& [path, member] : container.members()) {
        const std::size_t at = path.find("/messages/messages-");
        if (at == std::string::npos) continue;
        const std::size_t slash = path.rfind('/', at - 1);
        const std::string base = slash == std::string::npos ? "" : path.substr(0, slash + 1);
        if (container.find(base + "index.json")) return base;
    }
    return std::nullopt;
}

Certainty looks(const Sample& sample) {
    if (sample.is_folder()) {
        if (!sample.has("index.json") && !sample.has("legal_hold")) return Certainty::no;
    } else if (!sample.is_zip()) {
        return Certainty::no;
    }
    return sample.container() && base_of(*sample.container()) ? Certainty::sure : Certainty::no;
}

std::string_view origin_word(Origin origin) {
    switch (origin) {
        case Origin::proven:
            return "origin:proven";
        case Origin::wrong:
            return "origin:wrong";
        case Origin::unnamed:
            return "origin:unnamed";
        case Origin::unchecked:
            break;
    }
    return "origin:unchecked";
}

// By id: "<channel>/files/files-<time>-<post>/<file id>/<name>".
std::map<std::string, std::string, std::less<>> files_of_channel(const ContainerReader& reader,
                                                                 const std::string& channel) {
    std::map<std::string, std::string, std::less<>> out;
    const std::string files = channel + "/files/";
    const auto& members = reader.container().members();
    for (auto file = members.lower_bound(files); file != members.end() && file->first.substr(0, files.size()) == files;
         ++file) {
        const std::size_t name = file->first.rfind('/');
        const std::size_t id = file->first.rfind('/', name - 1) + 1;
        if (id >= files.size() && id < name) out.emplace(file->first.substr(id, name - id), file->first);
    }
    return out;
}

Result<bool> read_hold(ContainerReader& reader, const Input& input) {
    const auto base = base_of(reader.container());
    if (!base) return false;
    const auto origins = check_legal_hold(reader, *base, input.context.origin_secret, input.sink);
    LegalHoldBatch batch;
    for (const auto& [path, member] : reader.container().members()) {
        const std::size_t at = path.find("/messages/messages-");
        if (at == std::string::npos || path.substr(0, base->size()) != *base || at < base->size()) continue;
        std::string channel = path.substr(base->size(), at - base->size());
        if (channel != batch.channel_id || batch.files.empty()) batch.files = files_of_channel(reader, *base + channel);
        batch.channel_id = std::move(channel);
        const auto origin = origins.find(path);
        batch.origin_note = origin_word(origin == origins.end() ? Origin::unchecked : origin->second);
        batch.attach = [&reader](std::string_view file, vault::Attachment& into) { reader.attach(file, into); };
        batch.ready = [&reader] { return reader.finish_message(); };
        if (auto csv = reader.take(path, input.context.limits.csv))
            TRY(read_legal_hold_csv(std::move(*csv), batch, input.context, input.sink));
    }
    return true;
}

Status read_path(const Input& input) {
    return read_container(input, kName, [&](ContainerReader& reader) { return read_hold(reader, input); });
}

}  // namespace

Status read_legal_hold_csv(Bytes csv, const LegalHoldBatch& batch, const ReadContext& context, ItemSink& sink) {
    if (csv.empty()) return sink.finding("file:empty"), ok_status();
    return Batch(std::move(csv), batch, context, sink).read();
}

const Format kMattermostLegalHoldFormat = {{kName,
                                            "Mattermost legal hold (plugin)",
                                            {.level = EvidentialLevel::high,
                                             .ids = Carries::yes,
                                             .edits = Carries::yes,
                                             .deletions = Carries::yes,
                                             .time_zone = Carries::yes,
                                             .membership = Carries::partly,  // joins and leaves that were posted
                                             .attachments = Carries::yes}},
                                           looks,
                                           read_path,
                                           true};

}  // namespace kustos::ingest
