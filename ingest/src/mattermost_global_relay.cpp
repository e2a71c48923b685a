// Mattermost's compliance export for Global Relay: a mail for each channel, its messages in the HTML part
// (docs/format/mattermost-global-relay.md).
#include <algorithm>
#include <map>

#include "base/text.h"
#include "ingest/src/all_formats.h"
#include "ingest/src/chat_fields.h"
#include "ingest/src/mail_header.h"
#include "ingest/src/mail_parts.h"
#include "ingest/src/markup.h"
#include "ingest/src/single_formats.h"

namespace kustos::ingest {

namespace {

using vault::Message;
using vault::MessageKind;
using Kind = MarkupToken::Kind;
constexpr std::string_view kName = "mattermost-global-relay";
constexpr std::size_t kMaxBlocks = 1'000'000;

// A <li class="message"> or a <tr> of participants: the texts of what has a class in it.
struct Block {
    bool participant = false;
    std::map<std::string, std::string, std::less<>> fields;
    std::size_t begin = 0, past = 0;
    std::string_view get(std::string_view name) const {
        const auto at = fields.find(name);
        return at == fields.end() ? std::string_view() : std::string_view(at->second);
    }
};

class BlockReader {
public:
    explicit BlockReader(std::string_view html) : markup_(html, Markup::Dialect::html) {}
    std::vector<Block> read() {
        for (MarkupToken t = markup_.next(); t.kind != Kind::done; t = markup_.next()) {
            if (t.kind == Kind::start || t.kind == Kind::empty) open(t);
            if (t.kind == Kind::end) close(t);
            if (t.kind == Kind::text && in_block_ && !field_.empty()) value_ += markup_text(t.inside);
            if (!in_block_) summary(t);
        }
        end_block();
        return std::move(blocks_);
    }
    const std::string& ended() const { return ended_; }
    const std::string& started() const { return started_; }

private:
    void open(const MarkupToken& t) {
        const bool message = t.name == "li" && markup_attribute(t, "class") == "message";
        if (message || t.name == "tr") {
            end_block();
            in_block_ = blocks_.size() < kMaxBlocks;
            block_ = {};
            block_.participant = !message;
            block_.begin = t.begin;
        } else if (in_block_ && t.name == "br") {
            value_ += '\n';
        } else if (in_block_ && field_.empty() && t.kind == Kind::start) {
            field_ = markup_attribute(t, "class");
            field_tag_ = t.name;
            value_.clear();
        }
        block_.past = t.past;
    }
    void close(const MarkupToken& t) {
        block_.past = t.past;
        if (in_block_ && !field_.empty() && t.name == field_tag_) end_field();
        if (in_block_ && t.name == (block_.participant ? "tr" : "li")) end_block();
    }
    // Line ends are the mail's: CR LF on the way, line feeds for people.
    void end_field() {
        std::string text;
        for (std::size_t i = 0; i < value_.size(); ++i)
            if (value_[i] != '\r' || i + 1 == value_.size() || value_[i + 1] != '\n') text += value_[i];
        value_ = std::move(text);
        block_.fields.emplace(std::exchange(field_, {}), std::move(value_));
        value_.clear();
    }
    void end_block() {
        if (!in_block_) return;
        if (!field_.empty()) end_field();
        in_block_ = false;
        if (!block_.participant || block_.fields.count("joined") != 0) blocks_.push_back(std::move(block_));
        block_ = {};
    }
    // "<span class="bold">Ended:</span>2024-03-01T09:19:00Z"
    void summary(const MarkupToken& t) {
        if (t.kind != Kind::text) return;
        const std::string text(trim(markup_text(t.inside)));
        if (expect_) *std::exchange(expect_, nullptr) = text;
        if (text == "Started:") expect_ = &started_;
        if (text == "Ended:") expect_ = &ended_;
    }

    Markup markup_;
    std::vector<Block> blocks_;
    Block block_;
    bool in_block_ = false;
    std::string field_, value_, started_, ended_;
    std::string_view field_tag_;
    std::string* expect_ = nullptr;
};

class Channel {
public:
    Channel(MailParts parts, const HeaderBlock& header, const ReadContext& context, ItemSink& sink)
        : parts_(std::move(parts)), context_(context), sink_(sink) {
        bool lossy = false;
        for (const HeaderLine& line : header.lines) {
            const std::string value = clip(trim(decode_words(line.value, lossy)), context.limits);
            if (iequals(line.name, "X-Mattermost-ChannelID")) where_.id = value;
            if (iequals(line.name, "X-Mattermost-ChannelName")) where_.title = value;
            if (iequals(line.name, "X-Mattermost-ChannelType")) where_.type = mattermost_channel_type(value);
        }
        for (const MailPart& part : parts_.parts)
            if (part.disposition == Disposition::attachment) files_.emplace(part.name, &part);
    }

    Status hand_on() {
        const auto html = std::find_if(parts_.parts.begin(), parts_.parts.end(), [](const MailPart& p) {
            return p.media_type == "text/html" && p.disposition != Disposition::attachment;
        });
        if (html == parts_.parts.end()) {
            sink_.finding("mattermost:no-html-part");
            return ok_status();
        }
        html_ = decode_charset(html->content, html->charset).utf8;
        BlockReader reader(html_);
        const std::vector<Block> blocks = reader.read();
        started_ = reader.started();
        ended_ = reader.ended();
        find_versions(blocks);
        for (const Block& block : blocks) {
            if (block.participant) {
                TRY(participant(block));
            } else {
                TRY(message(block));
            }
        }
        if (blocks.empty()) sink_.finding("mattermost:no-messages");
        return ok_status();
    }

private:
    std::string_view raw_of(const Block& b) const { return std::string_view(html_).substr(b.begin, b.past - b.begin); }

    // Since v10.5, as in the other exports: the old text has a new id and names the post that has the new text.
    void find_versions(const std::vector<Block>& blocks) {
        std::map<std::string_view, const Block*> last;
        for (const Block& b : blocks) {
            const std::string_view newer = trim(b.get("edited_new_msg_id"));
            if (b.participant || newer.empty()) continue;
            const auto [at, fresh] = last.emplace(newer, &b);
            if (!fresh) before_[&b] = std::exchange(at->second, &b);
        }
        for (const Block& b : blocks) {
            if (b.participant || !trim(b.get("edited_new_msg_id")).empty()) continue;
            const auto at = last.find(trim(b.get("post_id")));
            if (at != last.end()) before_[&b] = at->second;
        }
    }

    ParsedItem start(const Block& b) const {
        ParsedItem item;
        Message& m = item.message;
        m.format = kName;
        m.conversation = where_;
        put(m.raw, raw_of(b));
        std::string_view email = trim(b.get("email"));
        while (!email.empty() && (email.front() == '(' || email.front() == ' ')) email.remove_prefix(1);
        while (!email.empty() && (email.back() == ':' || email.back() == ')')) email.remove_suffix(1);
        std::string_view user = trim(b.get("username"));
        if (!user.empty() && user.front() == '@') user.remove_prefix(1);
        const std::string_view id = trim(b.get("userid"));
        m.sender.id = clip(id.empty() ? user : id, context_.limits);
        m.sender.name = clip(user, context_.limits);
        m.sender.address = clip(email, context_.limits);
        m.sender.guest = b.get("usertype") == "guest";
        if (b.get("usertype") == "bot") m.notes.push_back("bot");
        item.source_bytes = m.raw.size();
        return item;
    }

    static std::optional<UtcTime> time(std::string_view text) {
        const auto parsed = parse_rfc3339(trim(text));
        return parsed.ok() ? std::optional<UtcTime>(*parsed) : std::nullopt;
    }

    Status participant(const Block& b) {
        for (const bool joined : {true, false}) {
            ParsedItem item = start(b);
            Message& m = item.message;
            const std::string_view at = b.get(joined ? "joined" : "left");
            m.kind = joined ? MessageKind::join : MessageKind::leave;
            if (joined && trim(at) == started_) m.notes.push_back("previously-joined");
            // Who is still there is written as having left at the period's end.
            if (!joined && (trim(at) == ended_ || trim(at).empty())) continue;
            m.sent_at = time(at);
            if (!m.sent_at) m.notes.push_back("bad-time");
            item.update_type = where_.id;
            TRY(sink_.item(std::move(item)));
        }
        return ok_status();
    }

    Status message(const Block& b) {
        ParsedItem item = start(b);
        Message& m = item.message;
        m.kind = MessageKind::chat;
        m.native_id = clip(trim(b.get("post_id")), context_.limits);
        m.sent_at = time(b.get("sent_time"));
        if (!m.sent_at) m.notes.push_back("bad-time");
        m.notes.push_back("time-to-second");
        std::string_view text = b.get("message");
        const std::string_view update = trim(b.get("update_type"));
        if (!update.empty()) {
            m.notes.push_back("update:" + word_of(update));
            item.update_type = std::string(update) + "@" + std::string(trim(b.get("update_time")));
        }
        constexpr std::string_view kUploaded = "Uploaded file ", kDeleted = "Deleted file ";
        if (text.substr(0, kUploaded.size()) == kUploaded && take_part(text.substr(kUploaded.size()), m)) {
            m.kind = MessageKind::file;
        } else if (text.substr(0, kDeleted.size()) == kDeleted && update == "FileDeleted") {
            m.kind = MessageKind::deletion;
            m.notes.push_back("deleted-attachment");
            take_part(text.substr(kDeleted.size()), m);
        } else if (update == "Deleted") {
            m.kind = MessageKind::deletion;
            if (text.substr(0, 7) == "delete ") text.remove_prefix(7);
        } else if (!update.empty()) {
            take_version(b, item);
        }
        if (m.kind == MessageKind::file || m.kind == MessageKind::deletion) {
            m.target = m.native_id;
            if (m.kind == MessageKind::deletion && time(b.get("update_time"))) m.sent_at = time(b.get("update_time"));
            // Several files of one post are several events.
            if (!m.attachments.empty() && !m.native_id.empty()) item.update_type += "#" + m.attachments[0].name;
        }
        if (text.find("was removed because it was too large") != std::string_view::npos)
            sink_.finding("mattermost:attachment-too-large");
        put_body(text, context_.limits, m);
        // Before v10.5 there is no id: the same words of the same person in the same second are told apart by counting.
        if (m.native_id.empty()) {
            const std::string raw(raw_of(b));
            item.update_type = where_.id + "#" + std::to_string(same_[raw]++);
            m.notes.push_back("no-id");
        }
        return sink_.item(std::move(item));
    }

    void take_version(const Block& b, ParsedItem& item) {
        Message& m = item.message;
        const std::string_view newer = trim(b.get("edited_new_msg_id"));
        const std::string_view post = newer.empty() ? trim(b.get("post_id")) : newer;
        const auto known = before_.find(&b);
        const Block* before = known == before_.end() ? nullptr : known->second;
        if (newer.empty() && !before && trim(b.get("update_type")) != "EditedNewMsg") return;
        m.target = clip(post, context_.limits);
        if (!newer.empty() && !before) return m.notes.push_back("earlier-version");
        m.kind = MessageKind::edit;
        m.sent_at = time((before ? before : &b)->get("update_time"));
        bool cut = false;
        if (before) m.previous_body = cut_utf8(repair_utf8(before->get("message")), context_.limits.body, cut);
        if (!m.sent_at) m.notes.push_back("edit-time-unknown");
    }

    // The part that an upload names; each once.
    bool take_part(std::string_view name, Message& m) {
        vault::Attachment file = named_file(trim(name), context_.limits);
        const auto part = files_.find(file.name);
        if (part == files_.end()) {
            if (trim(name).empty()) return false;
            sink_.finding("mattermost:attachment-missing");
        } else {
            file.media_type = part->second->media_type;
            file.content = part->second->content;
            file.missing = false;
            files_.erase(part);
        }
        file.size = file.content.size();
        m.attachments.push_back(std::move(file));
        return true;
    }

    MailParts parts_;
    const ReadContext& context_;
    ItemSink& sink_;
    vault::Conversation where_;
    std::string html_, started_, ended_;
    std::map<const Block*, const Block*> before_;  // the version with the text before
    std::map<std::string, std::size_t, std::less<>> same_;
    std::multimap<std::string, const MailPart*, std::less<>> files_;  // that no message has yet
};

bool is_global_relay(const HeaderBlock& header) {
    return std::any_of(header.lines.begin(), header.lines.end(), [](const HeaderLine& line) {
        return iequals(line.name, "X-GlobalRelay-MsgType") && trim(line.value) == "Mattermost";
    });
}

Certainty looks(const Sample& sample) {
    if (sample.is_folder()) return Certainty::no;
    if (!sample.is_zip())
        return !sample.binary() && is_global_relay(split_header(sample.start())) ? Certainty::sure : Certainty::no;
    if (!sample.has_member_ending(".eml")) return Certainty::no;
    for (const auto& [path, member] : sample.container()->members())
        if (path.size() > 4 && iequals(std::string_view(path).substr(path.size() - 4), ".eml"))
            return is_global_relay(split_header(sample.member_starting(path))) ? Certainty::sure : Certainty::no;
    return Certainty::no;
}

Status read_path(const Input& input) {
    const std::uint64_t most = input.context.limits.mail;
    if (!TRY(Sample::of(input.path, input.context)).is_zip()) {
        auto mail = TRY(whole_or_quarantine(input.path, most, kName, input.context, input.sink));
        return mail ? read_global_relay(std::move(*mail), input.context, input.sink) : ok_status();
    }
    return read_container(input, kName, [&](ContainerReader& reader) -> Result<bool> {
        for (const auto& [path, member] : reader.container().members()) {
            if (path.size() < 4 || !iequals(std::string_view(path).substr(path.size() - 4), ".eml")) continue;
            if (auto mail = reader.take(path, most))
                TRY(read_global_relay(std::move(*mail), input.context, input.sink));
        }
        count_mattermost_warnings(reader, input.sink);
        return true;
    });
}

}  // namespace

Status read_global_relay(Bytes mail, const ReadContext& context, ItemSink& sink) {
    if (mail.empty()) return sink.finding("file:empty"), ok_status();
    const HeaderBlock header = split_header(as_text(mail));
    if (is_global_relay(header)) TRY(Channel(split_parts(mail, context.limits), header, context, sink).hand_on());
    // The mail is sealed as it came, too: its text part, and the parts that no message names, are in it only.
    ParsedItem whole = parse_mail(std::move(mail), context.limits);
    whole.message.notes.push_back("source-of-messages");
    return sink.item(std::move(whole));
}

const Format kMattermostGlobalRelayFormat = {{kName,
                                              "Mattermost compliance export (Global Relay)",
                                              {.level = EvidentialLevel::medium,
                                               .ids = Carries::partly,  // since v10.5
                                               .edits = Carries::partly,
                                               .deletions = Carries::partly,
                                               .time_zone = Carries::yes,
                                               .membership = Carries::partly,
                                               .attachments = Carries::partly}},
                                             looks,
                                             read_path};

}  // namespace kustos::ingest
