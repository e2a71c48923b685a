#include "ingest/src/actiance_xml.h"

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "ingest/src/markup.h"

namespace kustos::ingest {

namespace {

using Kind = MarkupToken::Kind;
using Entry = ActianceEntry;

constexpr std::size_t kMaxDepth = 16;
constexpr std::size_t kMaxEntries = 2'000'000;

struct EntryName {
    std::string_view name;
    Entry::Kind kind;
};
constexpr EntryName kEntries[] = {{"Message", Entry::Kind::message},
                                  {"FileTransferStarted", Entry::Kind::file_started},
                                  {"FileTransferEnded", Entry::Kind::file_ended},
                                  {"ParticipantEntered", Entry::Kind::entered},
                                  {"ParticipantLeft", Entry::Kind::left}};
constexpr std::array<std::string_view, Entry::kFields> kFieldNames = {
    "MessageId",      "LoginName", "UserType",     "DateTimeUTC", "UpdatedType", "UpdatedDateTimeUTC",
    "EditedNewMsgId", "Content",   "UserFileName", "FileName",    "Status"};

bool has_control(std::string_view text) {
    return std::any_of(text.begin(), text.end(), [](char c) {
        return static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r';
    });
}

class Reader {
public:
    Reader(std::string_view text, const std::function<Status(ActianceConversation)>& give)
        : text_(text), markup_(text, Markup::Dialect::xml), give_(give) {}

    Result<std::string_view> read() {
        std::string_view stopped;
        while (stopped.empty() && !done_) {
            const MarkupToken token = markup_.next();
            switch (token.kind) {
                case Kind::start:
                case Kind::empty:
                    stopped = open(token);
                    if (stopped.empty() && token.kind == Kind::empty) TRY(close(token));
                    break;
                case Kind::end:
                    if (path_.empty() || path_.back() != token.name) {
                        stopped = "not-xml";
                    } else {
                        TRY(close(token));
                    }
                    break;
                case Kind::text:
                case Kind::cdata:
                    take_text(token);
                    break;
                case Kind::comment:
                case Kind::instruction:
                    break;
                case Kind::doctype:
                    stopped = "doctype";
                    break;
                case Kind::broken:
                    stopped = text_.find('>', token.begin) == std::string_view::npos ? "truncated" : "not-xml";
                    break;
                case Kind::done:
                    stopped = seen_root_ ? "truncated" : "no-filedump";
                    break;
            }
        }
        if (conversation_) TRY(give_(std::move(*conversation_)));
        return stopped;
    }

private:
    // Levels of the path: FileDump, Conversation, an entry, its fields.
    std::string_view open(const MarkupToken& token) {
        if (path_.size() >= kMaxDepth) return "too-deep";
        if (path_.empty()) {
            if (token.name != "FileDump") return "no-filedump";
            seen_root_ = true;
        } else if (path_.size() == 1 && token.name == "Conversation") {
            conversation_.emplace();
            conversation_->title = markup_attribute(token, "Perspective");
        } else if (path_.size() == 2 && conversation_) {
            const auto known =
                std::find_if(std::begin(kEntries), std::end(kEntries), [&](auto& e) { return e.name == token.name; });
            if (known != std::end(kEntries)) {
                if (++entries_ > kMaxEntries) return "too-many-elements";
                entry_.emplace();
                entry_->kind = known->kind;
                entry_->begin = token.begin;
            }
        }
        path_.push_back(token.name);
        value_.clear();
        return {};
    }

    Status close(const MarkupToken& token) {
        const std::string_view name = path_.back();
        path_.pop_back();
        if (path_.empty()) {
            done_ = true;
        } else if (path_.size() == 1 && conversation_) {
            TRY(give_(std::move(*conversation_)));
            conversation_.reset();
        } else if (path_.size() == 2 && entry_) {
            entry_->past = token.past;
            entry_->ill_formed |= !is_valid_utf8(text_.substr(entry_->begin, entry_->past - entry_->begin));
            conversation_->entries.push_back(std::move(*entry_));
            entry_.reset();
        } else if (path_.size() == 2 && conversation_) {
            if (name == "RoomID") conversation_->room = value_;
            if (name == "StartTimeUTC") conversation_->started = value_;
            if (name == "EndTimeUTC") conversation_->ended = value_;
        } else if (path_.size() == 3 && entry_) {
            const auto field = std::find(kFieldNames.begin(), kFieldNames.end(), name);
            if (field != kFieldNames.end()) entry_->fields[field - kFieldNames.begin()] = std::move(value_);
        }
        value_.clear();
        return ok_status();
    }

    void take_text(const MarkupToken& token) {
        bool bad = has_control(token.inside);
        const std::string text = xml_line_ends(token.inside);
        value_ += token.kind == Kind::cdata ? text : markup_text(text, &bad);
        if (bad && entry_) entry_->ill_formed = true;
    }

    std::string_view text_;
    Markup markup_;
    const std::function<Status(ActianceConversation)>& give_;
    std::vector<std::string_view> path_;
    std::string value_;
    std::optional<ActianceConversation> conversation_;
    std::optional<ActianceEntry> entry_;
    std::size_t entries_ = 0;
    bool seen_root_ = false, done_ = false;
};

}  // namespace

Result<std::string_view> read_actiance_xml(std::string_view text,
                                           const std::function<Status(ActianceConversation)>& give) {
    return Reader(text, give).read();
}

}  // namespace kustos::ingest
