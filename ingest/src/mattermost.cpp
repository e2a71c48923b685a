#include "ingest/src/mattermost.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/text.h"
#include "ingest/src/csv.h"
#include "ingest/src/mail_header.h"
#include "ingest/src/media_type.h"
#include "ingest/src/unreadable.h"

namespace kustos::ingest {

namespace {

using vault::Message;
using vault::MessageKind;

constexpr std::size_t kMaxRows = 2'000'000;

// Columns by their header; the 18-column layout (before v10.5) lacks the two update columns.
enum Column {
    kCreated,
    kUpdated,
    kUpdateType,
    kTeamName,
    kChannelId,
    kChannelName,
    kChannelTitle,
    kChannelType,
    kUserId,
    kUserEmail,
    kUsername,
    kPostId,
    kEditedBy,
    kRepliedTo,
    kText,
    kPostType,
    kUserType,
    kColumns
};
constexpr std::array<std::string_view, kColumns> kTitles = {
    "Post Creation Time",   "Post Update Time",   "Post Update Type", "Team Name",  "Channel Id", "Channel Name",
    "Channel Display Name", "Channel Type",       "User Id",          "User Email", "Username",   "Post Id",
    "Edited By Post Id",    "Replied to Post Id", "Post Message",     "Post Type",  "User Type"};

enum class RowKind { message, attachment, deleted_attachment, enter, leave, previously_joined, system };

struct Row {
    CsvRow csv;
    RowKind kind = RowKind::system;
    std::vector<std::size_t> attachments;  // indexes of the rows that belong to this post
    std::size_t edit_of = kNone;           // the row with the text before this one
    bool taken = false;                    // an attachment row that a post has
    static constexpr std::size_t kNone = ~std::size_t{0};
};

RowKind row_kind(std::string_view type) {
    if (type == "message" || type.empty()) return RowKind::message;
    if (type == "attachment") return RowKind::attachment;
    if (type == "deleted attachment") return RowKind::deleted_attachment;
    if (type == "enter") return RowKind::enter;
    if (type == "leave") return RowKind::leave;
    if (type == "previously-joined") return RowKind::previously_joined;
    return RowKind::system;
}

std::optional<UtcTime> epoch_ms(std::string_view text) {
    std::int64_t ms = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ms);
    constexpr std::int64_t kYear10000 = 253'402'300'800'000;
    if (error != std::errc() || end != text.data() + text.size() || ms <= 0 || ms >= kYear10000) return std::nullopt;
    return UtcTime{ms};
}

vault::ConversationType channel_type(std::string_view word) {
    if (word == "direct") return vault::ConversationType::direct;
    if (word == "group") return vault::ConversationType::group;
    if (word == "public" || word == "private") return vault::ConversationType::channel;
    return vault::ConversationType::unknown;
}

struct FileReference {
    std::string name, path;
};
// "name (files/<postId>/<fileId>-<basename>)"
FileReference file_reference(const std::string& text) {
    const std::size_t at = text.rfind(" (files/");
    if (at == std::string::npos || text.back() != ')') return {text, ""};
    return {text.substr(0, at), text.substr(at + 2, text.size() - at - 3)};
}

class Batch {
public:
    Batch(MattermostBatch batch, const ReadContext& context, ItemSink& sink)
        : batch_(std::move(batch)), context_(context), sink_(sink), text_(as_text(batch_.posts)) {}

    Status read() {
        CsvReader csv(text_);
        CsvRow header;
        if (!csv.next(header) || !take_header(header)) {
            return quarantine(std::move(batch_.posts), "mattermost-csv", "no-header-row", context_.limits, sink_);
        }
        TRY(take_rows(csv));
        find_old_style_deletions();
        link_attachments();
        link_edits();
        find_members();
        for (std::size_t i = 0; i < rows_.size(); ++i) TRY(hand_on(i));
        check_counts();
        count_warnings();
        return ok_status();
    }

private:
    bool take_header(const CsvRow& header) {
        columns_.fill(Row::kNone);
        for (std::size_t i = 0; i < header.fields.size(); ++i) {
            std::string_view title = header.fields[i];
            if (i == 0 && title.substr(0, 3) == "\xEF\xBB\xBF") title.remove_prefix(3);
            for (std::size_t c = 0; c < kColumns; ++c)
                if (kTitles[c] == title) columns_[c] = i;
        }
        format_ = "mattermost-csv/" + std::to_string(header.fields.size());
        has_updates_ = columns_[kUpdateType] != Row::kNone;
        header_bytes_ = header.end;
        return columns_[kCreated] != Row::kNone && columns_[kChannelId] != Row::kNone &&
               columns_[kPostId] != Row::kNone && columns_[kText] != Row::kNone && columns_[kPostType] != Row::kNone;
    }

    Status take_rows(CsvReader& csv) {
        Row row;
        while (csv.next(row.csv)) {
            const bool blank = row.csv.fields.size() == 1 && row.csv.fields[0].empty();
            if (blank) continue;
            if (row.csv.unclosed_quote) {
                TRY(refuse(row, "unclosed-quote"));
            } else if (row.csv.fields.size() <= columns_[kPostType]) {
                TRY(refuse(row, "too-few-columns"));
            } else if (!epoch_ms(field(row, kCreated))) {
                TRY(refuse(row, "bad-time"));
            } else if (rows_.size() >= kMaxRows) {
                TRY(refuse(row, "too-many-rows"));
            } else {
                row.kind = row_kind(field(row, kPostType));
                rows_.push_back(std::move(row));
            }
            row = {};
        }
        return ok_status();
    }

    std::string_view raw_of(const Row& row) const { return text_.substr(row.csv.begin, row.csv.end - row.csv.begin); }

    Status refuse(const Row& row, std::string_view reason) {
        return quarantine(to_bytes(raw_of(row)), format_, reason, context_.limits, sink_);
    }

    std::string_view field(const Row& row, Column column) const {
        const std::size_t at = columns_[column];
        return at < row.csv.fields.size() ? std::string_view(row.csv.fields[at]) : std::string_view();
    }
    bool is_deletion(const Row& row) const {
        return field(row, kUpdateType) == "Deleted" || old_deletions_.count(&row) > 0;
    }

    void link_attachments() {
        std::map<std::string_view, std::size_t>
            posts;  // the first row of a post that is not its deletion, else the deletion
        for (std::size_t i = 0; i < rows_.size(); ++i) {
            if (rows_[i].kind != RowKind::message) continue;
            const auto [at, fresh] = posts.emplace(field(rows_[i], kPostId), i);
            if (!fresh && is_deletion(rows_[at->second]) && !is_deletion(rows_[i])) at->second = i;
        }
        for (std::size_t i = 0; i < rows_.size(); ++i) {
            if (rows_[i].kind != RowKind::attachment) continue;
            const auto post = posts.find(field(rows_[i], kPostId));
            if (post == posts.end() || rows_[post->second].attachments.size() >= context_.limits.attachments) continue;
            rows_[post->second].attachments.push_back(i);
            rows_[i].taken = true;
        }
    }

    // The confusing rule: a row with "Edited By Post Id" X has a new id and an OLD text; X itself has the NEW text. The
    // old rows of X stand in the order of their age.
    void link_edits() {
        std::map<std::string_view, std::size_t> last;  // post id -> its last old row
        for (std::size_t i = 0; i < rows_.size(); ++i) {
            const std::string_view target = field(rows_[i], kEditedBy);
            if (rows_[i].kind != RowKind::message || target.empty()) continue;
            const auto [at, fresh] = last.emplace(target, i);
            if (!fresh) rows_[i].edit_of = std::exchange(at->second, i);
        }
        for (Row& row : rows_) {
            if (row.kind != RowKind::message || !field(row, kEditedBy).empty() || is_deletion(row)) continue;
            const auto old = last.find(field(row, kPostId));
            if (old != last.end()) row.edit_of = old->second;
        }
    }

    // 18 columns say nothing about updates: a second row of the same post whose text is "delete " and the first one's
    // text.
    void find_old_style_deletions() {
        if (has_updates_) return;
        std::map<std::string_view, const Row*> first;
        for (const Row& row : rows_) {
            if (row.kind != RowKind::message) continue;
            const auto [at, fresh] = first.emplace(field(row, kPostId), &row);
            if (!fresh && field(row, kText) == "delete " + std::string(field(*at->second, kText)))
                old_deletions_.insert(&row);
        }
    }

    // In a direct or group conversation everybody reads everything: the others are recipients.
    void find_members() {
        for (const Row& row : rows_) {
            const auto type = channel_type(field(row, kChannelType));
            if (type != vault::ConversationType::direct && type != vault::ConversationType::group) continue;
            auto& members = members_[std::string(field(row, kChannelId))];
            if (members.size() < context_.limits.recipients)
                members.emplace(std::string(field(row, kUserId)), person_of(row));
        }
    }

    Status hand_on(std::size_t index) {
        const Row& row = rows_[index];
        if (row.taken) return ok_status();
        ParsedItem item;
        Message& message = item.message;
        message.format = format_;
        message.sent_at = epoch_ms(field(row, kCreated));
        take_people(row, message);
        take_conversation(row, message);
        message.native_id = name(row, kPostId);
        message.thread = name(row, kRepliedTo);
        message.reply_to = message.thread;
        switch (row.kind) {
            case RowKind::message:
                take_post(row, item);
                break;
            case RowKind::attachment:
                take_lone_file(row, message, MessageKind::file);
                break;
            case RowKind::deleted_attachment:
                take_lone_file(row, message, MessageKind::deletion);
                break;
            case RowKind::enter:
                message.kind = MessageKind::join;
                break;
            case RowKind::leave:
                message.kind = MessageKind::leave;
                break;
            case RowKind::previously_joined:
                message.kind = MessageKind::join;
                message.notes.push_back("previously-joined");
                break;
            case RowKind::system:
                message.kind = MessageKind::status;
                message.notes.push_back("post-type:" + name(row, kPostType));
                take_body(std::string(field(row, kText)), message);
                break;
        }
        put(message.raw, raw_of(row));
        for (const std::size_t at : row.attachments) put(message.raw, raw_of(rows_[at]));
        item.source_bytes = message.raw.size();
        for (const auto& attachment : message.attachments) item.source_bytes += attachment.content_size();
        if (batch_.ready) TRY(batch_.ready());
        return sink_.item(std::move(item));
    }

    std::string name(const Row& row, Column column) const {
        bool cut = false;
        return cut_utf8(repair_utf8(field(row, column)), context_.limits.text_value, cut);
    }

    vault::Person person_of(const Row& row) const {
        vault::Person person;
        person.id = name(row, kUserId);
        person.name = name(row, kUsername);
        person.address = name(row, kUserEmail);
        person.guest = field(row, kUserType) == "guest";
        return person;
    }

    void take_people(const Row& row, Message& message) const {
        message.sender = person_of(row);
        if (field(row, kUserType) == "bot") message.notes.push_back("bot");
        const auto members = members_.find(std::string(field(row, kChannelId)));
        if (members == members_.end()) return;
        for (const auto& [id, person] : members->second)
            if (id != message.sender.id) message.recipients.push_back({vault::Role::member, person});
    }

    void take_conversation(const Row& row, Message& message) const {
        message.conversation.id = name(row, kChannelId);
        message.conversation.title = name(row, kChannelTitle);
        if (message.conversation.title.empty()) message.conversation.title = name(row, kChannelName);
        message.conversation.type = channel_type(field(row, kChannelType));
    }

    void take_body(std::string text, Message& message) const {
        text = repair_utf8(text);
        if (text.size() <= context_.limits.body) {
            message.body = std::move(text);
            return;
        }
        message.notes.push_back("limit:body");
        vault::Attachment rest;
        rest.media_type = "text/plain";
        rest.content = to_bytes(text);
        rest.size = rest.content.size();
        message.attachments.push_back(std::move(rest));
    }

    void take_post(const Row& row, ParsedItem& item) {
        Message& message = item.message;
        const std::string_view update = field(row, kUpdateType);
        message.kind = MessageKind::chat;
        std::string text(field(row, kText));
        if (!update.empty()) {
            message.notes.push_back("update:" + name(row, kUpdateType));
            item.update_type = std::string(update) + "@" + std::string(field(row, kUpdated));
        }
        if (is_deletion(row)) {
            message.kind = MessageKind::deletion;
            message.target = message.native_id;
            message.sent_at = has_updates_ ? epoch_ms(field(row, kUpdated)) : std::nullopt;
            if (text.rfind("delete ", 0) == 0) text.erase(0, 7);
            if (!has_updates_) item.update_type = "deleted";
        } else if (!field(row, kEditedBy).empty() || row.edit_of != Row::kNone || update == "EditedNewMsg") {
            take_version(row, item);
        }
        take_body(std::move(text), message);
        for (const std::size_t at : row.attachments) add_file(rows_[at], message);
    }

    // A version of an edited post. The first one known is a chat message, each later one an edit of it, made when its
    // predecessor was replaced.
    void take_version(const Row& row, ParsedItem& item) {
        Message& message = item.message;
        const std::string editor = name(row, kEditedBy);
        message.target = editor.empty() ? message.native_id : editor;
        const bool first_version = !editor.empty() && row.edit_of == Row::kNone;
        if (first_version) {
            message.notes.push_back("earlier-version");
            return;
        }
        message.kind = MessageKind::edit;
        if (!has_updates_) item.update_type = "edited";
        message.sent_at = std::nullopt;  // 18 columns don't tell
        if (row.edit_of != Row::kNone) {
            const Row& before = rows_[row.edit_of];
            bool cut = false;
            message.previous_body = cut_utf8(repair_utf8(field(before, kText)), context_.limits.body, cut);
            if (has_updates_) message.sent_at = epoch_ms(field(before, kUpdated));
        } else if (has_updates_) {
            message.sent_at = epoch_ms(field(row, kUpdated));
        }
        if (!message.sent_at) message.notes.push_back("edit-time-unknown");
    }

    void take_lone_file(const Row& row, Message& message, MessageKind kind) {
        message.kind = kind;
        message.target = message.native_id;
        if (kind == MessageKind::deletion) {
            message.notes.push_back("deleted-attachment");
            if (has_updates_)
                if (const auto at = epoch_ms(field(row, kUpdated))) message.sent_at = at;
        }
        // Several files of one post are several events: without an id each is told apart by its bytes.
        message.native_id.clear();
        add_file(row, message);
    }

    void add_file(const Row& row, Message& message) {
        const FileReference reference = file_reference(std::string(field(row, kText)));
        vault::Attachment attachment;
        bool cut = false;
        attachment.name = cut_utf8(repair_utf8(reference.name), context_.limits.text_value, cut);
        const std::size_t slash = attachment.name.find_last_of("/\\");
        if (slash != std::string::npos) attachment.name.erase(0, slash + 1);
        attachment.media_type = media_type_of_name(attachment.name);
        attachment.missing = !batch_.file || reference.path.empty() || !batch_.file(reference.path, attachment);
        attachment.size = attachment.content_size();
        if (attachment.missing) sink_.finding("mattermost:attachment-missing");
        message.attachments.push_back(std::move(attachment));
    }

    // The exporter's own counts. Versions and deletions may or may not be counted, so only numbers outside both are
    // findings.
    void check_counts() {
        if (!batch_.metadata) return;
        std::set<std::string_view> current;
        std::uint64_t all = 0, files = 0, all_files = 0;
        for (const Row& row : rows_) {
            if (row.kind == RowKind::message) {
                ++all;
                if (field(row, kEditedBy).empty()) current.insert(field(row, kPostId));
            }
            files += row.kind == RowKind::attachment;
            all_files += row.kind == RowKind::attachment || row.kind == RowKind::deleted_attachment;
        }
        const auto json = nlohmann::json::parse(as_text(*batch_.metadata), nullptr, false);
        if (!json.is_object()) return sink_.finding("mattermost:metadata-unreadable");
        check_count(json, "MessagesCount", current.size(), all, "mattermost:messages-");
        check_count(json, "AttachmentsCount", files, all_files, "mattermost:attachments-");
    }

    void check_count(const nlohmann::json& json, const char* key, std::uint64_t least, std::uint64_t most,
                     const std::string& code) {
        const auto at = json.find(key);
        if (at == json.end() || !at->is_number_unsigned()) return;
        const auto said = at->get<std::uint64_t>();
        if (said > most) sink_.finding(code + "missing", said - most);
        if (said < least) sink_.finding(code + "uncounted", least - said);
    }

    void count_warnings() {
        if (!batch_.warnings) return;
        std::uint64_t lines = 0;
        std::string_view rest = as_text(*batch_.warnings);
        while (!rest.empty()) {
            const std::size_t lf = rest.find('\n');
            if (!trim(rest.substr(0, lf)).empty()) ++lines;
            if (lf == std::string_view::npos) break;
            rest.remove_prefix(lf + 1);
        }
        if (lines > 0) sink_.finding("mattermost:export-warning", lines);
    }

    MattermostBatch batch_;
    const ReadContext& context_;
    ItemSink& sink_;
    std::string_view text_;
    std::array<std::size_t, kColumns> columns_{};
    std::string format_ = "mattermost-csv";
    bool has_updates_ = false;
    std::size_t header_bytes_ = 0;
    std::vector<Row> rows_;
    std::set<const Row*> old_deletions_;
    std::map<std::string, std::map<std::string, vault::Person>> members_;  // by channel id, user id
};

}  // namespace

bool looks_like_mattermost_posts(std::string_view start) {
    if (start.substr(0, 3) == "\xEF\xBB\xBF") start.remove_prefix(3);
    return start.rfind("Post Creation Time,", 0) == 0;
}

Status read_mattermost_batch(MattermostBatch batch, const ReadContext& context, ItemSink& sink) {
    return Batch(std::move(batch), context, sink).read();
}

Status read_mattermost_posts(Bytes csv, const ReadContext& context, ItemSink& sink) {
    MattermostBatch batch;
    batch.posts = std::move(csv);
    return read_mattermost_batch(std::move(batch), context, sink);
}

}  // namespace kustos::ingest
