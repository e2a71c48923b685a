// WhatsApp's "export chat": a text with or without its media (docs/format/whatsapp.md).
#include <algorithm>

#include "base/text.h"
#include "ingest/src/all_formats.h"
#include "ingest/src/chat_fields.h"
#include "ingest/src/mail_header.h"
#include "ingest/src/media_type.h"
#include "ingest/src/single_formats.h"
#include "ingest/src/whatsapp_line.h"

namespace kustos::ingest {

namespace {

using vault::Message;
using vault::MessageKind;
constexpr std::string_view kName = "whatsapp";
constexpr std::uint64_t kMaxChat = 64u << 20;  // WhatsApp itself ends after 40,000 messages

std::string_view next_line(std::string_view& rest) {
    const std::size_t lf = rest.find('\n');
    const std::string_view line = rest.substr(0, lf == std::string_view::npos ? rest.size() : lf + 1);
    rest.remove_prefix(line.size());
    return line;
}
std::string_view without_end(std::string_view line) {
    while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
    return line;
}
std::string without_carriage_returns(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i)
        if (text[i] != '\r' || i + 1 >= text.size() || text[i + 1] != '\n') out += text[i];
    return out;
}

// In which order day and month stand, from all dates of the chat.
class OrderOfDates {
public:
    void see(const ChatLine& line) {
        if (line.style.year_first || line.style.separator == '.') said_ = true;
        const auto day = clock_reading(line, DateOrder::day_first), month = clock_reading(line, DateOrder::month_first);
        if (!day) never_day_first_ = true;
        if (!month) never_month_first_ = true;
        back_day_first_ |= went_back(day, last_day_first_);
        back_month_first_ |= went_back(month, last_month_first_);
        half_days_ = line.style.half_days;
        slash_ = line.style.separator == '/';
    }
    DateOrder order() const {
        if (said_) return DateOrder::day_first;
        if (never_day_first_ != never_month_first_)
            return never_day_first_ ? DateOrder::month_first : DateOrder::day_first;
        if (back_day_first_ != back_month_first_)
            return back_day_first_ ? DateOrder::month_first : DateOrder::day_first;
        return slash_ && half_days_ ? DateOrder::month_first : DateOrder::day_first;
    }
    // No date says which of two readings is meant.
    bool assumed() const { return !said_ && !never_day_first_ && !never_month_first_; }

private:
    static bool went_back(const std::optional<UtcTime>& now, std::int64_t& last) {
        constexpr std::int64_t kClockChange = 26LL * 3600 * 1000;  // another zone, summer time
        const bool back = now && now->ms + kClockChange < last;
        if (now) last = std::max(last, now->ms);
        return back;
    }
    bool said_ = false, never_day_first_ = false, never_month_first_ = false;
    bool back_day_first_ = false, back_month_first_ = false, half_days_ = false, slash_ = false;
    std::int64_t last_day_first_ = 0, last_month_first_ = 0;
};

class Chat {
public:
    Chat(std::string_view text, std::string_view title, const ExportFiles& files, const ReadContext& context,
         ItemSink& sink)
        : text_(text), title_(clip(title, context.limits)), files_(files), context_(context), sink_(sink) {}

    Status read() {
        if (text_.empty()) {
            sink_.finding("file:empty");
            return ok_status();
        }
        survey();
        if (!style_) return quarantine(to_bytes(text_), kName, "no-message", context_.limits, sink_);
        if (order_.assumed()) sink_.finding("whatsapp:date-order-ambiguous");
        if (title_.empty()) sink_.finding("whatsapp:chat-unnamed");
        if (context_.time_zone.empty()) sink_.finding("whatsapp:time-zone-unknown");
        // A message is a line that begins one and the lines after it that don't.
        std::optional<ChatLine> open;
        std::size_t begin = 0, at = 0;
        for (std::string_view rest = text_; !rest.empty();) {
            const std::string_view line = next_line(rest);
            const auto begins = header(line);
            if (begins) {
                TRY(give(open, text_.substr(begin, at - begin)));
                open = begins;
                begin = at;
            }
            at += line.size();
        }
        return give(open, text_.substr(begin));
    }

private:
    // The first line that begins a message says how all do.
    void survey() {
        for (std::string_view rest = text_; !rest.empty();) {
            const auto line = parse_chat_line(without_end(next_line(rest)));
            if (!line) continue;
            if (!style_) style_ = line->style;
            if (line->style == *style_) order_.see(*line);
        }
    }

    std::optional<ChatLine> header(std::string_view line) {
        auto out = parse_chat_line(without_end(line));
        if (!out || out->style == *style_) return out;
        sink_.finding("whatsapp:other-style-line");
        return std::nullopt;
    }

    Status give(const std::optional<ChatLine>& line, std::string_view raw) {
        if (raw.empty()) return ok_status();
        if (!line) return seal_frame(to_bytes(raw), kName, context_.limits, sink_);
        ParsedItem item;
        Message& m = item.message;
        const auto offset = static_cast<std::size_t>(line->text.data() - raw.data());
        const std::string text = repair_utf8(without_carriage_returns(without_end(raw.substr(offset))));
        m.format = kName;
        m.raw = to_bytes(raw);
        m.native_id = equal_.id({nfc(title_), repair_utf8(line->when), repair_utf8(line->sender), text});
        m.notes = {"id-synthesised"};
        m.conversation.id = m.conversation.title = title_;
        put_time(*line, m);
        put_sender(line->sender, m);
        put_content(read_chat_content(text, !line->sender.empty(), style_->bracket), m);
        item.source_bytes = raw.size();
        if (files_.ready) TRY(files_.ready());
        return sink_.item(std::move(item));
    }

    void put_time(const ChatLine& line, Message& m) {
        const auto reading = clock_reading(line, order_.order());
        if (!reading) {
            add_note(m, "bad-time");
            return sink_.finding("whatsapp:bad-time");
        }
        m.sent_at = time_in_zone(*reading, context_, m);
        if (order_.assumed()) add_note(m, "date-order-assumed");
        if (!line.style.seconds) add_note(m, "time-to-the-minute");
        constexpr std::int64_t kSlack = 3600 * 1000;  // the hour that comes twice
        if (reading->ms + kSlack < latest_ms_) sink_.finding("whatsapp:time-goes-back");
        latest_ms_ = std::max(latest_ms_, reading->ms);
    }

    // "~ Name": not in the phone's address book, as that person calls himself.
    void put_sender(std::string_view written, Message& m) const {
        if (written.empty() || (style_->bracket && written == title_)) return;
        m.sender.id = clip(written, context_.limits);
        std::string_view name = m.sender.id;
        if (name.front() == '~') name = without_marks(name.substr(1));
        m.sender.name = name;
        const bool number =
            name.size() > 4 && name.front() == '+' && std::all_of(name.begin() + 1, name.end(), [](char c) {
                return (c >= '0' && c <= '9') || c == ' ' || c == '-' || c == '(' || c == ')' || c < 0;
            });
        if (number) m.sender.address = name;
    }

    void put_content(const ChatContent& content, Message& m) {
        switch (content.is) {
            case ChatContent::Is::text:
                m.kind = MessageKind::chat;
                break;
            case ChatContent::Is::deleted:
                m.kind = MessageKind::deletion;
                m.target = m.native_id;
                m.notes.insert(m.notes.end(), {"text-not-retained", "deletion-time-unknown"});
                break;
            case ChatContent::Is::attached:
            case ChatContent::Is::omitted:
                m.kind = content.voice ? MessageKind::voice : MessageKind::file;
                put_file(content, m);
                break;
            case ChatContent::Is::call:
                m.kind = MessageKind::call;
                break;
            case ChatContent::Is::system:
                m.kind = MessageKind::status;
                add_note(m, "system-line");
                put_membership(content.body, m);
                break;
        }
        put_body(content.body, context_.limits, m);
        if (!content.edited) return;
        // What it said before, and when that changed, is not told.
        m.kind = MessageKind::edit;
        m.target = m.native_id;
        m.notes.push_back("edit-time-unknown");
    }

    void put_file(const ChatContent& content, Message& m) {
        vault::Attachment file = named_file(content.file, context_.limits);
        if (content.is == ChatContent::Is::omitted) {
            add_note(m, "media-omitted");
            sink_.finding("whatsapp:media-omitted");
        } else {
            if (files_.attach) files_.attach(content.file, file);
            if (file.missing) sink_.finding("whatsapp:attachment-missing");
        }
        m.attachments.push_back(std::move(file));
    }

    void put_membership(std::string_view text, Message& m) const {
        const ChatMembership said = read_chat_membership(text);
        if (said.member.empty()) return;
        if (said.several) return add_note(m, "membership-of-several");
        m.kind = said.joins ? MessageKind::join : MessageKind::leave;
        m.sender = {};
        put_sender(said.member, m);
        if (said.by.empty()) return;
        Message by;
        put_sender(said.by, by);
        m.recipients.push_back({vault::Role::member, by.sender});
        add_note(m, "by-another");
    }

    std::string_view text_;
    std::string title_;
    const ExportFiles& files_;
    const ReadContext& context_;
    ItemSink& sink_;
    std::optional<LineStyle> style_;
    OrderOfDates order_;
    NthEqual equal_;
    std::int64_t latest_ms_ = 0;
};

bool is_chat_name(std::string_view name) {
    if (name == "_chat.txt") return true;
    const bool starts = name.substr(0, 14) == "WhatsApp Chat " || name.substr(0, 14) == "WhatsApp-Chat ";
    return starts && name.size() > 18 && iequals(name.substr(name.size() - 4), ".txt");
}

// An export has no folders in it: a folder that has some is one of many things.
bool is_flat(const Path& folder, const std::vector<std::string>& names) {
    return std::all_of(names.begin(), names.end(),
                       [&](const std::string& name) { return kind_of(folder / name) != FileKind::folder; });
}

// "WhatsApp Chat mit Anna (1).txt" -> "Anna": a second download of the same chat is the same chat.
std::string title_of(std::string_view stem) {
    for (const std::string_view start :
         {"WhatsApp Chat mit ", "WhatsApp-Chat mit ", "WhatsApp Chat with ", "WhatsApp Chat - ", "WhatsApp-Chat - "})
        if (stem.substr(0, start.size()) == start) stem.remove_prefix(start.size());
    const std::size_t open = stem.rfind(" (");
    if (open != std::string_view::npos && open > 0 && stem.back() == ')' && stem.size() - open > 3 &&
        std::all_of(stem.begin() + static_cast<std::ptrdiff_t>(open) + 2, stem.end() - 1,
                    [](char c) { return c >= '0' && c <= '9'; }))
        stem = stem.substr(0, open);
    return nfc(repair_utf8(stem));
}
std::string title_of_path(const Path& path) {
    if (path.native().rfind("/proc/", 0) == 0) return {};  // read_bytes.h: nameless
    const std::string name = path.filename().string();
    const bool chat = name.size() > 4 &&
                      (iequals(name.substr(name.size() - 4), ".txt") || iequals(name.substr(name.size() - 4), ".zip"));
    const std::string stem = chat ? name.substr(0, name.size() - 4) : name;
    return stem == "_chat" ? std::string() : title_of(stem);
}

// The only chat of a container, directly in it; empty: none, or several.
std::string chat_of(const std::vector<std::string>& names) {
    std::string found;
    for (const std::string& name : names) {
        if (!is_chat_name(name)) continue;
        if (!found.empty()) return {};
        found = name;
    }
    return found;
}
std::vector<std::string> names_of(const Container& container) {
    std::vector<std::string> out;
    for (const auto& [path, member] : container.members()) out.push_back(path);
    return out;
}

Certainty text_looks(std::string_view text) {
    constexpr int kLines = 50;
    std::optional<LineStyle> style;
    bool sender = false;
    int lines = 0, blank = 0;
    for (std::string_view rest = text; !rest.empty() && lines < kLines; ++lines) {
        const std::string_view line = without_end(next_line(rest));
        const auto begins = parse_chat_line(line);
        if (!style && !begins && !trim(line).empty()) return Certainty::no;
        if (!style && !begins && ++blank > 2) return Certainty::no;
        if (!begins) continue;
        if (!style) style = begins->style;
        sender |= begins->style == *style && !begins->sender.empty();
    }
    if (!style) return Certainty::no;
    // Logs of programs and other messengers have "2024-03-01 10:00:00", without a comma.
    if (!style->comma && (style->year_first || style->separator == '-')) return Certainty::no;
    return style->comma && sender ? Certainty::sure : Certainty::likely;
}

Certainty looks(const Sample& sample) {
    if (sample.is_folder()) {
        RealFs fs;
        const auto names = fs.list(sample.path());
        const std::string chat = names.ok() ? chat_of(*names) : "";
        if (chat.empty() || !is_flat(sample.path(), *names)) return Certainty::no;
        return text_looks(sample.member_starting(chat));
    }
    if (!sample.is_zip()) return sample.binary() ? Certainty::no : text_looks(sample.start());
    const std::string chat = sample.has_member_ending(".txt") ? chat_of(names_of(*sample.container())) : "";
    return chat.empty() ? Certainty::no : text_looks(sample.member_starting(chat));
}

Status read_path(const Input& input) {
    const Sample sample = TRY(Sample::of(input.path, input.context));
    if (!sample.is_zip() && !sample.is_folder()) {
        auto text = TRY(whole_or_quarantine(input.path, kMaxChat, kName, input.context, input.sink));
        if (!text) return ok_status();
        return read_whatsapp(as_text(*text), title_of_path(input.path), {}, input.context, input.sink);
    }
    return read_container(input, kName, [&](ContainerReader& reader) -> Result<bool> {
        const std::string name = chat_of(names_of(reader.container()));
        const auto text = name.empty() ? std::nullopt : reader.take(name, kMaxChat);
        if (!text) return false;
        const std::string title = title_of_path(name).empty() ? title_of_path(input.path) : title_of_path(name);
        TRY(read_whatsapp(as_text(*text), title, files_of(reader), input.context, input.sink));
        return true;
    });
}

}  // namespace

Status read_whatsapp(std::string_view text, std::string_view title, const ExportFiles& files,
                     const ReadContext& context, ItemSink& sink) {
    return Chat(text, title, files, context, sink).read();
}

const Format kWhatsappFormat = {{kName,
                                 "WhatsApp chat export (text)",
                                 {.level = EvidentialLevel::low,
                                  .ids = Carries::no,
                                  .edits = Carries::partly,      // that, not when, nor the text before
                                  .deletions = Carries::partly,  // that, not when, nor the text
                                  .time_zone = Carries::no,
                                  .membership = Carries::partly,
                                  .attachments = Carries::partly}},
                                looks,
                                read_path,
                                true};

}  // namespace kustos::ingest
