#include <algorithm>

#include "base/text.h"
#include "export/src/blocks.h"
#include "export/src/html_text.h"
#include "export/src/pages.h"
#include "export/src/text_safety.h"

namespace kustos::exporting {
namespace {

using vault::Attachment;
using vault::Message;
using vault::MessageKind;
using vault::Person;
using vault::Recipient;
using vault::Role;

constexpr std::size_t kMaxBody = 256 * 1024;  // shown of one message; the rest is in the original
constexpr std::size_t kMaxLines = 5000;       // likewise
constexpr std::size_t kMaxEmptyLines = 10;    // in a row; more are counted instead
constexpr std::size_t kChunk = 6000;          // bytes laid out at once
constexpr std::size_t kUnbroken = 1800;       // likewise, of a word without end (its layout takes quadratic time)
constexpr std::size_t kMaxRecipients = 200;   // shown of one mail
constexpr std::size_t kMaxLinked = 30;        // reactions, replies named at one message

constexpr Style kBody{9.5, false, false, false, kInk};
constexpr Style kSmall{8, false, false, false, kGrey};

// Whole address: "Anna Beispiel <anna@example.org>", each part isolated.
std::string person_text(const Person& p, const Wording& say) {
    std::string out;
    if (!p.name.empty()) out = isolated(p.name, 120);
    const std::string& address = !p.address.empty() ? p.address : p.name.empty() ? p.id : p.address;
    if (!address.empty()) out += out.empty() ? isolated(address, 160) : " <" + isolated(address, 160) + ">";
    if (!p.home.empty()) out += " (" + isolated(p.home, 80) + ")";
    if (p.guest) out += say(" (Gast)", " (guest)");
    if (out.empty()) out = say("unbekannt", "unknown");
    return out;
}

// The next piece of at most kChunk bytes: whole paragraphs if possible, else up to a space, else up to a grapheme.
std::size_t chunk_end(std::string_view text, std::size_t begin) {
    if (text.size() - begin <= kChunk) return text.size();
    const std::string_view window = text.substr(begin, kChunk);
    const std::size_t line = window.rfind('\n');
    if (line != std::string_view::npos) return begin + line + 1;
    const std::size_t space = window.rfind(' ');
    if (space != std::string_view::npos && space > kChunk / 2) return begin + space + 1;
    std::size_t cut = kUnbroken;
    while (cut > 0 && (static_cast<unsigned char>(text[begin + cut]) & 0xC0U) == 0x80U) --cut;
    const std::size_t cluster = grapheme_boundary_before(text.substr(begin, cut), cut);
    return begin + (cluster > kUnbroken / 2 ? cluster : cut);
}

struct Shown {
    std::string text;
    bool cut = false;
};

// What of a body is laid out: without white space at its end, long runs of empty lines counted, at most kMaxLines.
Shown shown_body(std::string_view foreign, const Wording& say) {
    const std::string whole = body_text(foreign.substr(0, kMaxBody));
    const std::string_view text = std::string_view(whole).substr(0, whole.find_last_not_of("\n ") + 1);
    Shown shown;
    shown.cut = foreign.size() > kMaxBody;
    std::size_t lines = 0, empty = 0;
    const auto put_empty = [&] {
        if (empty > kMaxEmptyLines)
            shown.text += "\u27e8" + say.number(empty) + say(" leere Zeilen", " empty lines") + "\u27e9\n";
        else
            shown.text.append(empty, '\n');
        lines += std::min(empty, kMaxEmptyLines);
        empty = 0;
    };
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        const std::string_view line = text.substr(at, end - at);
        at = end + 1;
        if (line.find_first_not_of(' ') == std::string_view::npos) {
            ++empty;
            continue;
        }
        put_empty();
        if (++lines > kMaxLines) {
            shown.cut = true;
            break;
        }
        shown.text.append(line);
        if (at < text.size()) shown.text += '\n';
    }
    return shown;
}

class TranscriptPages {
public:
    TranscriptPages(Canvas& canvas, const Parts& parts)
        : canvas_(canvas), parts_(parts), say_(parts.say), transcript_(parts.transcript) {}

    Status draw() {
        chapter(canvas_, say_("Nachrichten", "Messages"), say_("Nachrichten", "Messages"), introduction());
        parts_.found.transcript = canvas_.page();
        known_of(say_("Quellen, und wie vollständig sie sind", "Sources, and how complete they are"),
                 parts_.input.sources);
        known_of(
            say_("Formate, und was ihre Nachrichten beweisen können", "Formats, and what their messages can prove"),
            parts_.input.formats);
        chapter_bookmark_ = canvas_.bookmark(0, say_("Nachrichten", "Messages"), true);
        parts_.found.groups.clear();
        for (const Group& group : transcript_.groups) TRY(draw_group(group));
        return ok_status();
    }

private:
    void known_of(const char* title, const std::vector<KnownOf>& list) {
        if (list.empty()) return;
        heading(canvas_, title);
        for (const KnownOf& k : list) bullet(canvas_, isolated(k.name, 100) + ": " + frame_text(k.words, 600));
    }

    std::string introduction() const {
        const std::string zone = parts_.zone.known() ? parts_.zone.name()
                                                     : std::string("UTC (") +
                                                           say_("die gewünschte Zeitzone ist hier nicht bekannt",
                                                                "the zone asked for is not known here") +
                                                           ")";
        return say_.german() ? "Die Nummer am Rand ist die Stelle der Aufzeichnung in der Kette des Archivs; darunter "
                               "stehen die ersten acht "
                               "Zeichen der SHA-256-Summe ihres Originals. Unter beiden findet sie sich im "
                               "Beweiscontainer. Zeiten sind Sendezeiten "
                               "nach Angabe der Quelle in " +
                                   zone + "; steht „empfangen“ dabei, nennt die Quelle keine."
                             : "The number in the margin is the record's place in the archive's chain; below it stand "
                               "the first eight characters of "
                               "its original's SHA-256. Both lead to it in the evidence container. Times are sent "
                               "times as stated by the source, in " +
                                   zone + "; where \"received\" is added, the source states none.";
    }

    Status draw_group(const Group& group) {
        const std::string title = group_title(group, say_);
        const Text head = canvas_.text(title, {14, true, false, false, kAccent},
                                       {page::kTextWidth, Align::left, Direction::frame, 2});
        canvas_.set_continuation({});
        canvas_.gap(20);
        const BundleRecord first = TRY(parts_.records.at(transcript_.records[group.records.front()].position));
        canvas_.need(head.height() + 80 + room_for_head(first));
        canvas_.set_section(title);
        parts_.found.groups.push_back(canvas_.page());
        group_bookmark_ = canvas_.bookmark(chapter_bookmark_, bookmark_title(group));
        canvas_.rule(page::kLeft, page::kRight, canvas_.y() - 4, kAccent, 1.2);
        canvas_.flow(head, page::kLeft);
        canvas_.flow(canvas_.text(group_facts(group), kSmall, {page::kTextWidth, Align::left, Direction::frame, 6}),
                     page::kLeft);
        for (const KnownOf& source : parts_.input.sources)
            if (std::find(group.sources.begin(), group.sources.end(), source.name) != group.sources.end())
                canvas_.flow(canvas_.text(isolated(source.name, 100) + ": " + frame_text(source.words, 400), kSmall,
                                          {page::kTextWidth, Align::left, Direction::frame, 3}),
                             page::kLeft);
        canvas_.gap(4);
        std::string day;
        for (const std::size_t index : group.records) {
            const Digest& digest = transcript_.records[index];
            const BundleRecord record = TRY(parts_.records.at(digest.position));
            const LocalTime local = parts_.zone.local(digest.when);
            if (local.long_date != day) draw_day(day = local.long_date, room_for_head(record));
            draw_record(record, digest, local);
        }
        canvas_.set_continuation({});
        return ok_status();
    }

    std::string bookmark_title(const Group& group) const {
        if (!group.mail && !group.title.empty()) return group.title;  // without the isolates that pages need
        Group plain;
        plain.type = group.type;
        plain.mail = group.mail;
        return group_title(plain, say_);
    }

    std::string group_facts(const Group& group) const {
        std::string out = group_type(group, say_);
        const auto add = [&](const std::string& part) { out += (out.empty() ? "" : "  ·  ") + part; };
        add(say_.count(group.records.size(), "Aufzeichnung", "Aufzeichnungen", "record", "records"));
        std::string people;
        for (const std::string& person : group.people)
            people += (people.empty() ? "" : ", ") + ("\u2068" + person + "\u2069");
        if (group.more_people)
            people += say_(" und ", " and ") + say_.number(group.more_people) + say_(" weitere", " more");
        if (!people.empty()) add(say_("von ", "from ") + people);
        std::string sources;
        for (const std::string& source : group.sources)
            if (!source.empty()) sources += (sources.empty() ? "" : ", ") + ("\u2068" + source + "\u2069");
        if (!sources.empty()) add(say_("Quelle: ", "source: ") + sources);
        const std::string first = parts_.zone.local(group.received_first).stamp();
        const std::string last = parts_.zone.local(group.received_last).stamp();
        add(say_("vom Archiv empfangen: ", "received by the archive: ") + first +
            (first == last ? "" : say_(" bis ", " to ") + last));
        return out;
    }

    // A record's head stays with what follows it, and a day's name with its first record. A mail's head stays together,
    // unless it is very long.
    static double room_for_head(const BundleRecord& record) { return is_mail(record) ? 190 : 42; }
    static double gap_above(const BundleRecord& record) { return is_mail(record) ? 14 : 8; }
    static bool is_mail(const BundleRecord& record) { return record.message.kind == MessageKind::mail; }

    void draw_day(const std::string& day, double room_below) {
        const Text text = canvas_.text(day, {9.5, true, false, false, kGrey}, {});
        canvas_.set_continuation({});
        canvas_.gap(11);
        canvas_.need(text.height() + 16 + room_below);
        canvas_.bookmark(group_bookmark_, day);
        const double middle = canvas_.y() + text.height() / 2 + 0.5;
        canvas_.place(text, page::kLeft, canvas_.y());
        canvas_.rule(page::kLeft + text.width() + 8, page::kRight, middle, kPale, 0.5);
        canvas_.move_to(canvas_.y() + text.height());
        canvas_.gap(2);
    }

    // --- one record ------------------------------------------------------------------------------------
    void draw_record(const BundleRecord& record, const Digest& digest, const LocalTime& local) {
        const Message& m = record.message;
        indent_ = m.kind != MessageKind::mail && digest.reply_to != kNone ? 14 : 0;
        canvas_.set_continuation({});
        canvas_.gap(gap_above(record));
        canvas_.need(room_for_head(record));
        if (m.kind == MessageKind::mail)
            mail_head(record, local);
        else
            chat_head(record, digest, local);
        links_to(digest);
        content(record, digest);
        attachments(record);
        links_from(digest);
        notes(record);
        canvas_.set_continuation({});
    }

    // Beside the line that stands on this baseline.
    void margin_number(const BundleRecord& record, bool continued, double baseline) {
        const double width = page::kNumberRight - 20, left = 20;
        const Text number = canvas_.text(say_.number(record.entry.value), {8, true, false, false, kAccent},
                                         {width, Align::right, Direction::frame, 1});
        const std::string below =
            continued ? say_("Fortsetzung", "continued") : record.original_sha256.hex().substr(0, 8);
        canvas_.place_on(number, left, baseline);
        canvas_.place_on(
            canvas_.text(below, {5.6, false, false, !continued, kGrey}, {width, Align::right, Direction::frame, 1}),
            left, baseline + 8);
    }

    std::string time_text(const Message& m, const LocalTime& local) const {
        return local.time + " " + local.offset + (m.sent_at ? "" : say_(" (empfangen)", " (received)"));
    }

    void chat_head(const BundleRecord& record, const Digest& digest, const LocalTime& local) {
        const Message& m = record.message;
        std::vector<Run> runs = {{isolated(digest.who.empty() ? say_("unbekannt", "unknown") : digest.who, 120),
                                  {9.5, true, false, false, kInk}}};
        const std::string address = !m.sender.address.empty() ? m.sender.address
                                    : m.sender.name.empty()   ? ""
                                                              : m.sender.id;
        if (!address.empty() && address != digest.who) runs.push_back({"  " + isolated(address, 80), kSmall});
        if (!m.sender.home.empty()) runs.push_back({"  " + isolated(m.sender.home, 60), kSmall});
        if (m.sender.guest) runs.push_back({say_("  Gast", "  guest"), kSmall});
        if (m.kind != MessageKind::chat) {
            const Colour colour = m.kind == MessageKind::deletion ? kRed
                                  : m.kind == MessageKind::edit   ? kAmber
                                                                  : kAccent;
            runs.push_back({"   " + say_.kind(m.kind), {8, true, false, false, colour}});
        }
        head_line(record, runs, time_text(m, local));
        if (!m.subject.empty()) {
            canvas_.flow(canvas_.text(frame_text(m.subject, 400), {9.5, true, false, false, kInk},
                                      {width(), Align::left, Direction::frame, 4}),
                         x());
        }
    }

    void head_line(const BundleRecord& record, const std::vector<Run>& runs, const std::string& time) {
        const Text when = canvas_.text(time, kSmall, {});
        const Text who = canvas_.text(runs, {width() - when.width() - 12, Align::left, Direction::frame, 1});
        const double y = canvas_.y();
        canvas_.place(who, x(), y);
        canvas_.place_on(when, page::kRight - when.width(), y + who.baseline());
        margin_number(record, false, y + who.baseline());
        canvas_.move_to(y + who.height());
        canvas_.set_continuation([this, &record] { margin_number(record, true, canvas_.y() + 10.2); });
    }

    void mail_head(const BundleRecord& record, const LocalTime& local) {
        const Message& m = record.message;
        const std::string subject =
            m.subject.empty() ? std::string(say_("(ohne Betreff)", "(no subject)")) : frame_text(m.subject, 600);
        head_line(record, {{"\u2068" + subject + "\u2069", {10.5, true, false, false, kInk}}}, time_text(m, local));
        canvas_.gap(1);
        header_row(say_("Von", "From"), person_text(m.sender, say_), 2);
        people_row(say_("An", "To"), m.recipients, Role::to);
        people_row("Cc", m.recipients, Role::cc);
        people_row("Bcc", m.recipients, Role::bcc);
        people_row(say_("Antwort an", "Reply to"), m.recipients, Role::reply_to);
        people_row(say_("Zugestellt an", "Delivered to"), m.recipients, Role::envelope);
        header_row(say_("Gesendet", "Sent"),
                   m.sent_at ? local.long_date + ", " + local.time + " " + local.offset
                             : std::string(say_("nicht angegeben", "not stated")),
                   1);
        header_row(say_("Empfangen", "Received"),
                   parts_.zone.local(m.received_at).stamp() + say_(" (vom Archiv)", " (by the archive)"), 1);
        if (!record.source.empty())
            header_row(
                say_("Quelle", "Source"),
                isolated(record.source, 120) + say_(", lfd. Nr. ", ", serial no. ") + say_.number(record.sequence), 1);
        if (!m.native_id.empty()) header_row(say_("Kennung", "Message-ID"), frame_text(m.native_id, 300), 2);
        if (!record.original_path.empty() || record.original_size > 0)
            header_row("Original",
                       say_.bytes(record.original_size) +
                           (record.original_path.empty() ? "" : ", " + isolated(record.original_path, 120)),
                       1);
        header_row("SHA-256", record.original_sha256.hex(), 1, true);
        canvas_.rule(x(), page::kRight, canvas_.y() + 1.5, kPale, 0.5);
        canvas_.gap(6);
    }

    void header_row(const std::string& name, const std::string& value, int lines, bool mono = false) {
        name_value(canvas_, name, value, {mono ? 6.9 : 8.5, false, false, mono, kInk}, lines, x(), 72);
        canvas_.move_to(canvas_.y() - 2.2);  // tighter than on other pages
    }

    void people_row(const std::string& name, const std::vector<Recipient>& recipients, Role role) {
        std::string value;
        std::size_t shown = 0, count = 0;
        for (const Recipient& r : recipients) {
            if (r.role != role) continue;
            if (++count > kMaxRecipients) continue;
            value += (shown++ ? ", " : "") + person_text(r.person, say_);
        }
        if (count > shown) value += say_(" und ", " and ") + say_.number(count - shown) + say_(" weitere", " more");
        if (!value.empty()) header_row(name, value, 0);
    }

    // --- relations -------------------------------------------------------------------------------------
    std::string reference(std::size_t index) const {
        const Digest& d = transcript_.records[index];
        return say_("Nr. ", "no. ") + say_.number(d.entry.value) + " (\u2068" + d.who + "\u2069, " +
               parts_.zone.local(d.when).stamp() + ")";
    }

    void relation(const std::string& text, Colour colour) {
        canvas_.flow(canvas_.text(text, {8, false, false, false, colour}, {width(), Align::left, Direction::frame, 3}),
                     x());
    }

    void links_to(const Digest& digest) {
        if (digest.reply_to != kNone) relation(say_("Antwort auf ", "Reply to ") + reference(digest.reply_to), kGrey);
        const std::string target = digest.target != kNone
                                       ? reference(digest.target)
                                       : std::string(say_("eine Nachricht, die nicht in diesem Paket ist",
                                                          "a message that is not in this bundle"));
        switch (digest.kind) {
            case MessageKind::edit:
                return relation(say_("ändert ", "edits ") + target, kAmber);
            case MessageKind::deletion:
                return relation(say_("löscht ", "deletes ") + target, kRed);
            case MessageKind::reaction:
                canvas_.flow(canvas_.text({{"\u2068" + digest.reaction + "\u2069", kBody},
                                           {say_("  zu ", "  to ") + target, kSmall}},
                                          {width(), Align::left, Direction::frame, 3}),
                             x());
                return;
            default:
                return;
        }
    }

    void links_from(const Digest& digest) {
        for (const std::size_t i : digest.edits)
            relation(say_("Später bearbeitet: ", "Edited later: ") + reference(i), kAmber);
        for (const std::size_t i : digest.deletions)
            relation(
                say_("Später gelöscht, Inhalt hier erhalten: ", "Deleted later, content kept here: ") + reference(i),
                kRed);
        if (!digest.reactions.empty()) relation(reactions(digest), kGrey);
    }

    std::string reactions(const Digest& digest) const {
        std::string out = say_("Reaktionen: ", "Reactions: ");
        for (std::size_t n = 0; n < digest.reactions.size() && n < kMaxLinked; ++n) {
            const Digest& r = transcript_.records[digest.reactions[n]];
            out += (n ? "  " : "") + ("\u2068" + r.reaction + " " + r.who + "\u2069") + say_(" (Nr. ", " (no. ") +
                   say_.number(r.entry.value) + ")";
        }
        if (digest.reactions.size() > kMaxLinked) out += " …";
        return out;
    }

    // --- content -----------------------------------------------------------------------------------------
    void content(const BundleRecord& record, const Digest& digest) {
        const Message& m = record.message;
        switch (m.kind) {
            case MessageKind::edit:
                return edit(record, digest);
            case MessageKind::deletion:
                if (!m.body.empty()) labelled(say_("Gelöschter Text", "Deleted text"), m.body, kRed);
                return;
            case MessageKind::unreadable:
                return aside(say_(
                    "Das Archiv konnte diese Aufzeichnung nicht lesen. Sie ist versiegelt, wie sie kam; das Original "
                    "ist enthalten.",
                    "The archive could not read this record. It is sealed as it came; the original is contained."));
            case MessageKind::reaction:
                return;  // stands in its relation
            case MessageKind::join:
            case MessageKind::leave:
                if (m.body.empty()) return;
                break;
            default:
                break;
        }
        const std::optional<Bar> bar =
            digest.deletions.empty() ? std::nullopt : std::optional<Bar>({x() - 7, 1.5, kRed});
        if (!m.body.empty()) return body(m.body, bar);
        if (!m.body_html.empty()) {
            const std::string text = html_text(m.body_html, kMaxBody);
            if (text.find_first_not_of(" \n") != std::string::npos) {
                aside(
                    say_("Text aus der HTML-Fassung, ohne Gestaltung", "Text of the HTML version, without its design"));
                return body(text, bar);
            }
        }
        const bool expects_text = m.kind == MessageKind::mail || m.kind == MessageKind::chat;
        if (expects_text && m.attachments.empty()) aside(say_("(ohne Text)", "(no text)"));
    }

    void edit(const BundleRecord& record, const Digest& digest) {
        const Message& m = record.message;
        if (!m.previous_body.empty()) {
            labelled(say_("Vorher", "Before"), m.previous_body, kPale);
        } else if (digest.target != kNone) {
            aside(say_("Der frühere Text steht bei der bearbeiteten Nachricht.",
                       "The earlier text stands at the edited message."));
        }
        labelled(say_("Nachher", "After"), m.body, kAmber);
    }

    void labelled(const std::string& label, const std::string& text, Colour colour) {
        const Bar bar{x() + 2, 1.5, colour};
        canvas_.need(26);
        canvas_.flow(canvas_.text(label, {7.5, true, false, false, kGrey}, {width() - 12}), x() + 12, bar);
        if (text.empty())
            canvas_.flow(
                canvas_.text(say_("(ohne Text)", "(no text)"), {8.5, false, true, false, kGrey}, {width() - 12}),
                x() + 12, bar);
        else
            body(text, bar, 12);
        canvas_.gap(2);
    }

    void aside(const std::string& text) {
        canvas_.flow(canvas_.text(text, {8.5, false, true, false, kGrey}, {width()}), x());
    }

    void body(std::string_view foreign, const std::optional<Bar>& bar, double inset = 0) {
        const auto [text, cut] = shown_body(foreign, say_);
        if (text.empty()) return aside(say_("(nur Leerraum)", "(white space only)"));
        for (std::size_t begin = 0; begin < text.size();) {
            const std::size_t end = chunk_end(text, begin);
            std::string piece = text.substr(begin, end - begin);
            if (end < text.size() && !piece.empty() && piece.back() == '\n') piece.pop_back();
            canvas_.flow(canvas_.text(std::move(piece), kBody, {width() - inset, Align::left, Direction::natural}),
                         x() + inset, bar);
            begin = end;
        }
        if (cut)
            aside(say_("Hier gekürzt; das Original im Beweiscontainer enthält alles: ",
                       "Cut here; the original in the evidence container holds all: ") +
                  say_.bytes(foreign.size()));
    }

    // --- attachments and notes -----------------------------------------------------------------------------
    void attachments(const BundleRecord& record) {
        const std::vector<Attachment>& list = record.message.attachments;
        for (std::size_t i = 0; i < list.size(); ++i) {
            const AttachmentFacts facts = i < record.attachments.size() ? record.attachments[i] : AttachmentFacts{};
            attachment(list[i], facts);
        }
    }

    void attachment(const Attachment& a, const AttachmentFacts& facts) {
        const bool missing = a.missing || facts.place == AttachmentPlace::missing;
        std::string where;
        switch (missing ? AttachmentPlace::missing : facts.place) {
            case AttachmentPlace::in_container:
                where = say_("enthalten", "contained");
                break;
            case AttachmentPlace::in_original:
                where = say_("im Original enthalten", "contained in the original");
                break;
            case AttachmentPlace::missing:
                where = say_("von der Quelle nicht geliefert", "not delivered by the source");
                break;
            case AttachmentPlace::left_out:
                where = say_("nicht in diesem Paket", "not in this bundle");
                break;
        }
        if (!facts.path.empty()) where += ": " + isolated(facts.path, 160);
        if (!facts.remark.empty()) where += "; " + isolated(facts.remark, 200);
        const std::uint64_t size = missing ? a.declared_size.value_or(0) : a.size ? a.size : a.content.size();
        std::vector<Run> runs = {
            {isolated(a.name.empty() ? say_("(ohne Namen)", "(no name)") : a.name, 200), {9, true, false, false, kInk}},
            {"   " + isolated(a.media_type, 100) + (missing && size == 0 ? "" : "   " + say_.bytes(size)),
             {8.5, false, false, false, kInk}},
            {"\n" + where, kSmall}};
        const Hash& hash = missing ? a.declared_sha256.value_or(Hash{}) : a.sha256;
        if (!hash.is_zero())
            runs.push_back(
                {"\nSHA-256 " + hash.hex() + (missing ? say_(" (Angabe der Quelle)", " (stated by the source)") : ""),
                 {6.5, false, false, true, kGrey}});
        const Text text = canvas_.text(runs, {width() - 12});
        canvas_.gap(4);
        canvas_.need(text.height());
        canvas_.flow(text, x() + 12,
                     Bar{x() + 2, 2.5, missing || facts.place == AttachmentPlace::left_out ? kPale : kAccent});
    }

    void notes(const BundleRecord& record) {
        std::string out;
        if (!record.evidential_value.empty())
            canvas_.flow(
                canvas_.text(isolated(record.message.format, 60) + say_(" · Beweiswert ", " · evidential value ") +
                                 frame_text(record.evidential_value, 60),
                             {7, false, false, false, kGrey}, {width(), Align::left, Direction::frame, 1}),
                x());
        const auto add = [&](const std::string& note) {
            if (out.size() < 2000)
                out +=
                    (out.empty() ? std::string(say_("Hinweis: ", "Note: ")) : "; ") + frame_text(say_.note(note), 200);
        };
        for (const std::string& note : record.message.notes) add(note);
        for (const std::string& note : record.notes) add(note);
        if (!out.empty())
            canvas_.flow(canvas_.text(out, {8, false, true, false, kGrey}, {width(), Align::left, Direction::frame, 6}),
                         x());
    }

    double x() const { return page::kLeft + indent_; }
    double width() const { return page::kTextWidth - indent_; }

    Canvas& canvas_;
    const Parts& parts_;
    const Wording& say_;
    const Transcript& transcript_;
    double indent_ = 0;
    int chapter_bookmark_ = 0, group_bookmark_ = 0;
};

}  // namespace

Status transcript_pages(Canvas& canvas, const Parts& parts) {
    return TranscriptPages(canvas, parts).draw();
}

}  // namespace kustos::exporting
