// A chat of Signal Desktop as signal-export (sigexport) writes it: Markdown with media beside it
// (docs/format/signal.md).
#include "base/text.h"
#include "ingest/src/all_formats.h"
#include "ingest/src/chat_fields.h"
#include "ingest/src/chat_out.h"
#include "ingest/src/mail_header.h"

namespace kustos::ingest {

namespace {

using vault::Message;
using vault::MessageKind;
constexpr std::string_view kName = "sigexport";
constexpr std::string_view kFile = "chat.md";
constexpr std::uint64_t kMaxChat = 256u << 20;

struct Beginning {
    UtcTime reading;
    std::string_view when, sender, text;
};

// "[2024-03-01 10:00:00] Anna: Text"
std::optional<Beginning> beginning(std::string_view line) {
    constexpr std::size_t kTime = 19;
    if (line.size() < kTime + 4 || line[0] != '[' || line[kTime + 1] != ']' || line[kTime + 2] != ' ')
        return std::nullopt;
    const auto reading = clock_time(line.substr(1, kTime));
    const std::size_t colon = line.find(": ", kTime + 3);
    if (!reading || line[5] != '-' || line[11] != ' ' || colon == std::string_view::npos) return std::nullopt;
    return Beginning{*reading, line.substr(1, kTime), line.substr(kTime + 3, colon - kTime - 3),
                     line.substr(colon + 2)};
}

std::string_view without_end(std::string_view text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.remove_suffix(1);
    return text;
}

// "%20" for blanks, as it writes paths.
std::string path_of(std::string_view link) {
    if (link.substr(0, 2) == "./") link.remove_prefix(2);
    std::string out;
    for (std::size_t i = 0; i < link.size(); ++i) {
        const bool blank = link.substr(i, 3) == "%20";
        out += blank ? ' ' : link[i];
        if (blank) i += 2;
    }
    return out;
}

class SigexportChat {
public:
    SigexportChat(std::string_view text, std::string_view title, const ExportFiles& files, const ReadContext& context,
                  ItemSink& sink)
        : text_(text), context_(context), sink_(sink), out_(kName, files, context, sink) {
        where_.id = where_.title = out_.clipped(title);
    }

    Status read() {
        std::optional<Beginning> open;
        std::size_t begin = 0, at = 0;
        for (std::string_view rest = text_; !rest.empty();) {
            const std::size_t lf = rest.find('\n');
            const std::string_view line = rest.substr(0, lf == std::string_view::npos ? rest.size() : lf + 1);
            if (const auto begins = beginning(line)) {
                TRY(give(open, text_.substr(begin, at - begin)));
                open = begins;
                begin = at;
            }
            at += line.size();
            rest.remove_prefix(line.size());
        }
        if (!open) return text_.empty() ? ok_status() : out_.refuse(text_, "no-message");
        if (where_.id.empty()) out_.finding("chat-unnamed");
        if (context_.time_zone.empty()) out_.finding("time-zone-unknown");
        return give(open, text_.substr(begin));
    }

private:
    Status give(const std::optional<Beginning>& line, std::string_view raw) {
        if (raw.empty()) return ok_status();
        if (!line) return seal_frame(to_bytes(raw), kName, context_.limits, sink_);
        const auto offset = static_cast<std::size_t>(line->text.data() - raw.data());
        std::string text = repair_utf8(without_end(raw.substr(offset)));
        const std::string sender = out_.clipped(repair_utf8(line->sender));
        ParsedItem item = out_.start(MessageKind::chat, equal_.id({where_.id, line->when, sender, text}), where_);
        Message& m = item.message;
        m.notes = {"id-synthesised"};
        m.sent_at = time_in_zone(line->reading, context_, m);
        // The exporter's own words for whose account it is, and for nobody.
        if (sender != "No-Sender") m.sender.id = m.sender.name = sender;
        if (text == "(This message was deleted)") {
            m.kind = MessageKind::deletion;
            m.target = m.native_id;
            m.notes.insert(m.notes.end(), {"text-not-retained", "deletion-time-unknown"});
            text.clear();
        }
        if (is_call(text)) m.kind = MessageKind::call;
        take_reactions(text, m);
        take_files(text, m);
        put_body(without_end(text), context_.limits, m);
        const std::vector<std::pair<std::string, std::string>> reactions = std::exchange(reactions_, {});
        const std::string target = m.native_id;
        const bool has_reactions = !reactions.empty();
        if (has_reactions) add_note(m, "has-reactions");
        TRY(out_.give(std::move(item), to_bytes(raw)));
        for (const auto& [who, what] : reactions) {
            ParsedItem one = out_.start(MessageKind::reaction, target + "/reaction/" + who + "/" + what, where_);
            one.message.target = target;
            one.message.notes = {"id-synthesised", "sent-time-missing"};
            one.message.sender.id = one.message.sender.name = out_.clipped(who);
            put_body(what, context_.limits, one.message);
            TRY(out_.give(std::move(one), to_bytes(who + ": " + what)));
        }
        return ok_status();
    }

    static bool is_call(std::string_view text) {
        for (const std::string_view word :
             {"Incoming voice call", "Incoming video call", "Outgoing voice call", "Outgoing video call",
              "Missed voice call", "Missed video call", "Incoming call", "Outgoing call", "Missed call"})
            if (text.substr(0, word.size()) == word) return true;
        return false;
    }

    // "(- Anna: x, Bert: y -)" on a line of its own, or before the files.
    void take_reactions(std::string& text, const Message& m) {
        const std::size_t begin = text.rfind("\n(- "),
                          end = begin == std::string::npos ? begin : text.find(" -)", begin);
        if (end == std::string::npos || m.kind == MessageKind::deletion) return;
        std::string_view list = std::string_view(text).substr(begin + 4, end - begin - 4);
        while (!list.empty() && reactions_.size() < kMostMembers) {
            const std::string_view one = list.substr(0, list.find(", "));
            const std::size_t colon = one.rfind(": ");
            if (colon != std::string_view::npos && colon > 0 && colon + 2 < one.size())
                reactions_.emplace_back(std::string(one.substr(0, colon)), std::string(one.substr(colon + 2)));
            list.remove_prefix(std::min(one.size() + 2, list.size()));
        }
        text.erase(begin, end + 3 - begin);
    }

    // "![name](./media/name)": the exporter's links, not those that people write.
    void take_files(std::string& text, Message& m) {
        constexpr std::string_view kLink = "](./media/";
        constexpr std::size_t kMostName = 1024, kMostPath = 4096;  // longer ones are text
        std::string out;
        std::size_t done = 0;  // of text
        for (std::size_t at = text.find(kLink); at != std::string::npos; at = text.find(kLink, at)) {
            if (m.attachments.size() >= context_.limits.attachments) {
                add_note(m, "limit:attachments");
                break;
            }
            const std::size_t from_name = std::max(done, at > kMostName ? at - kMostName : 0);
            const std::string_view before = std::string_view(text).substr(from_name, at - from_name);
            std::string_view after = std::string_view(text).substr(at, kMostPath);
            after = after.substr(0, after.find('\n'));
            // A name may have brackets: the link ends before two blanks, or with the line's last bracket.
            const std::size_t open_in = before.rfind('[');
            const std::size_t close_in = std::min(after.find(")  "), after.rfind(')'));
            at += kLink.size();
            if (open_in == std::string_view::npos || close_in == std::string_view::npos) continue;
            out_.file({before.substr(open_in + 1), {}, {}}, {path_of(after.substr(2, close_in - 2))}, m);
            const std::size_t open = from_name + open_in;
            const bool picture = open > done && text[open - 1] == '!';
            out.append(text, done, open - (picture ? 1 : 0) - done);
            done = at - kLink.size() + close_in + 1;
            at = done;
        }
        if (done > 0) text = out.append(text, done);
    }

    std::string_view text_;
    const ReadContext& context_;
    ItemSink& sink_;
    ChatOut out_;
    vault::Conversation where_;
    NthEqual equal_;
    std::vector<std::pair<std::string, std::string>> reactions_;
};

Certainty looks(const Sample& sample) {
    if (sample.is_zip() || sample.binary()) return Certainty::no;
    const std::string inside = sample.is_folder() && sample.has(kFile) ? sample.member_starting(kFile) : std::string();
    const std::string_view text = sample.is_folder() ? std::string_view(inside) : sample.text();
    if (!beginning(text.substr(0, text.find('\n')))) return Certainty::no;
    // Programs write logs like this: the name decides.
    const bool named = sample.is_folder() || sample.path().filename() == kFile;
    return named ? Certainty::sure : Certainty::weak;
}

Status read_path(const Input& input) {
    const Sample sample = TRY(Sample::of(input.path, input.context));
    if (!sample.is_folder()) {
        auto text = TRY(whole_or_quarantine(input.path, kMaxChat, kName, input.context, input.sink));
        if (!text) return ok_status();
        // The folder is called like the chat.
        const bool nameless = input.path.native().rfind("/proc/", 0) == 0;
        const std::string title = nameless ? "" : input.path.parent_path().filename().string();
        return read_sigexport(as_text(*text), title, {}, input.context, input.sink);
    }
    return read_container(input, kName, [&](ContainerReader& reader) -> Result<bool> {
        const auto text = reader.take(kFile, kMaxChat);
        if (!text) return false;
        TRY(read_sigexport(as_text(*text), input.path.filename().string(), files_of(reader), input.context,
                           input.sink));
        return true;
    });
}

}  // namespace

Status read_sigexport(std::string_view text, std::string_view title, const ExportFiles& files,
                      const ReadContext& context, ItemSink& sink) {
    return SigexportChat(text, title, files, context, sink).read();
}

const Format kSigexportFormat = {{kName,
                                  "signal-export (Markdown)",
                                  {.level = EvidentialLevel::low,
                                   .ids = Carries::no,
                                   .edits = Carries::no,
                                   .deletions = Carries::partly,
                                   .time_zone = Carries::no,
                                   .membership = Carries::no,
                                   .attachments = Carries::yes}},
                                 looks,
                                 read_path,
                                 true};

}  // namespace kustos::ingest
