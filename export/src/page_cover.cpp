#include <algorithm>
#include <array>

#include "export/src/blocks.h"
#include "export/src/pages.h"
#include "export/src/text_safety.h"

namespace kustos::exporting {
namespace {

constexpr double kCoverLeft = page::kMargin;
constexpr std::size_t kMaxListed = 10;  // conversations in the contents

struct CoveragePart {
    const char *de, *en, *de_meaning, *en_meaning;
    std::uint64_t Coverage::*count;
    Colour colour;
};

constexpr std::array<CoveragePart, 6> kParts{{
    {"durchsuchbar",
     "searchable",
     "Text und Anhänge vollständig durchsucht",
     "text and attachments searched completely",
     &Coverage::searchable,
     {0.13, 0.35, 0.58}},
    {"teilweise",
     "partial",
     "Text durchsucht, ein Anhang nicht",
     "text searched, an attachment not",
     &Coverage::partial,
     {0.45, 0.62, 0.80}},
    {"verschlossen",
     "opaque",
     "verschlüsselt, Ton oder Bild ohne Text",
     "encrypted, sound or picture without text",
     &Coverage::opaque,
     {0.60, 0.62, 0.65}},
    {"zurückgestellt",
     "deferred",
     "noch nicht erschlossen",
     "not indexed yet",
     &Coverage::deferred,
     {0.85, 0.72, 0.40}},
    {"fehlgeschlagen",
     "failed",
     "konnte nicht erschlossen werden",
     "could not be indexed",
     &Coverage::failed,
     {0.70, 0.28, 0.24}},
    {"gelöscht",
     "erased",
     "auf Anordnung unlesbar gemacht",
     "made unreadable by order",
     &Coverage::erased,
     {0.20, 0.20, 0.22}},
}};

class Cover {
public:
    Cover(Canvas& canvas, const Parts& parts) : canvas_(canvas), parts_(parts), say_(parts.say), in_(parts.input) {}

    void draw() {
        title();
        facts();
        coverage();
        fingerprint();
        contents();
    }

private:
    void title() {
        const std::string who = frame_text(in_.authority.empty() ? in_.archive_name : in_.authority, 200);
        canvas_.move_to(64);
        canvas_.flow(canvas_.text(who, {10.5, true, false, false, kGrey}, {width(), Align::left, Direction::frame, 2}),
                     kCoverLeft);
        canvas_.rule(kCoverLeft, page::kRight, canvas_.y() + 7, kAccent, 1.6);
        canvas_.move_to(canvas_.y() + 34);
        canvas_.flow(canvas_.text(say_("Beweispaket", "Evidence bundle"), {30, true, false, false, kAccent}, {width()}),
                     kCoverLeft);
        const std::string name = isolated(in_.archive_name, 160);
        canvas_.flow(canvas_.text(say_.german() ? "Auszug aus dem Archiv " + name : "Extract from the archive " + name,
                                  {12, false, false, false, kGrey}, {width(), Align::left, Direction::frame, 2}),
                     kCoverLeft);
        canvas_.gap(24);
    }

    void fact(const char* de, const char* en, const std::string& value, int lines = 3, bool bold = false) {
        if (!value.empty())
            name_value(canvas_, say_(de, en), value, {10, bold, false, false, kInk}, lines, kCoverLeft, 116);
    }

    void facts() {
        fact("Aktenzeichen", "Matter", frame_text(in_.matter.reference), 2, true);
        fact("Rechtsgrund", "Legal ground", frame_text(in_.matter.ground, 1200), 4);
        fact("Suchanfrage", "Query",
             in_.query.empty()
                 ? std::string(say_("keine; Aufzeichnungen einzeln benannt", "none; records named one by one"))
                 : frame_text(in_.query, 1200),
             4);
        fact("Umfang", "Extent", extent());
        fact("Zeitraum", "Period", period());
        std::string created = parts_.zone.local(in_.created_at).stamp();
        if (!in_.created_by.empty()) created += say_(" durch ", " by ") + isolated(in_.created_by, 120);
        fact("Erstellt", "Created", created, 2);
        canvas_.gap(16);
    }

    std::string extent() const {
        const std::uint64_t n = parts_.transcript.records.size();
        std::string out = say_.count(n, "Aufzeichnung", "Aufzeichnungen", "record", "records");
        const std::uint64_t files = parts_.transcript.attachments;
        if (files)
            out += say_(" mit ", " with ") + say_.count(files, "Anhang", "Anhängen", "attachment", "attachments");
        if (!in_.query.empty())
            out += say_.german() ? "; die Suche ergab " + say_.count(in_.total, "Treffer", "Treffer", "", "")
                                 : "; the search found " + say_.count(in_.total, "", "", "hit", "hits");
        return out;
    }

    std::string period() const {
        if (!parts_.transcript.first) return "";
        const std::string first = parts_.zone.local(*parts_.transcript.first).date;
        const std::string last = parts_.zone.local(*parts_.transcript.last).date;
        const std::string zone = parts_.zone.known() ? parts_.zone.name() : "UTC";
        return (first == last ? first : first + " – " + last) + "  (" + zone + ")";
    }

    void section(const char* de, const char* en) {
        canvas_.flow(canvas_.text(say_(de, en), {11.5, true, false, false, kAccent}, {width()}), kCoverLeft);
        canvas_.gap(3);
    }

    void coverage() {
        if (in_.query.empty()) {
            section("Abdeckung des Archivs (nicht durchsucht)", "Coverage of the archive (not searched)");
        } else {
            section("Abdeckung der Suche", "Coverage of the search");
        }
        const Coverage& c = in_.coverage;
        const double height = 11;
        double x = kCoverLeft;
        for (const CoveragePart& part : kParts) {  // shares of the whole, but nothing that exists is invisible
            const std::uint64_t n = c.*part.count;
            if (n == 0 || c.sealed == 0) continue;
            const double share = width() * static_cast<double>(n) / static_cast<double>(c.sealed);
            canvas_.fill(x, canvas_.y(), std::min(std::max(share, 1.5), page::kRight - x), height, part.colour);
            x = std::min(x + std::max(share, 1.5), page::kRight);
        }
        canvas_.frame(kCoverLeft, canvas_.y(), width(), height, kPale, 0.5);
        canvas_.move_to(canvas_.y() + height + 6);
        for (const CoveragePart& part : kParts) coverage_row(part, c.*part.count);
        canvas_.rule(kCoverLeft, kCoverLeft + 190, canvas_.y() - 0.5, kGrey, 0.5);
        counted(say_("versiegelt", "sealed"), c.sealed,
                say_("Summe der Aufzeichnungen des Archivs", "all records of the archive"), true);
        if (!in_.unsearched_words.empty()) {
            canvas_.gap(5);
            const std::string words = say_("Für diese Suchanfrage: ", "For this query: ") + in_.unsearched_words;
            canvas_.flow(canvas_.text(frame_text(words, 900), {9, *in_.unsearched > 0, false, false, kInk},
                                      {width(), Align::left, Direction::frame, 5}),
                         kCoverLeft);
        }
        canvas_.gap(18);
    }

    void coverage_row(const CoveragePart& part, std::uint64_t n) {
        canvas_.fill(kCoverLeft, canvas_.y() + 3.2, 7, 7, part.colour);
        counted(say_(part.de, part.en), n, say_(part.de_meaning, part.en_meaning), false);
    }

    void counted(const char* name, std::uint64_t n, const char* meaning, bool bold) {
        const double y = canvas_.y();
        const Style style{9, bold, false, false, kInk};
        canvas_.place(canvas_.text(name, style, {}), kCoverLeft + 14, y);
        canvas_.place(canvas_.text(say_.number(n), style, {80, Align::right, Direction::frame, 1}), kCoverLeft + 110,
                      y);
        canvas_.place(
            canvas_.text(meaning, {8.5, false, false, false, kGrey}, {width() - 206, Align::left, Direction::frame, 1}),
            kCoverLeft + 206, y + 0.4);
        canvas_.move_to(y + 13.6);
    }

    void fingerprint() {
        const Text label = canvas_.text(say_("Fingerabdruck des Archivs", "Fingerprint of the archive"),
                                        {9, true, false, false, kAccent}, {width() - 24});
        const Text value = canvas_.text(fingerprint_text(in_.proof.fingerprint), {10.5, true, false, true, kInk},
                                        {width() - 24, Align::left, Direction::frame, 3});
        const Text hint = canvas_.text(say_("Vergleichen Sie ihn mit dem, den die Behörde veröffentlicht hat: nur dann "
                                            "steht fest, wessen Archiv das ist.",
                                            "Compare it with the one that the authority has published: only then is it "
                                            "certain whose archive this is."),
                                       {8, false, false, false, kGrey}, {width() - 24});
        const double height = label.height() + value.height() + hint.height() + 18;
        canvas_.need(height);
        const double y = canvas_.y();
        canvas_.frame(kCoverLeft, y, width(), height, kAccent, 0.8);
        canvas_.place(label, kCoverLeft + 12, y + 6);
        canvas_.place(value, kCoverLeft + 12, y + 8 + label.height());
        canvas_.place(hint, kCoverLeft + 12, y + 11 + label.height() + value.height());
        canvas_.move_to(y + height);
        canvas_.gap(20);
    }

    void contents() {
        const std::vector<Group>& groups = parts_.transcript.groups;
        const std::size_t room = static_cast<std::size_t>(std::max(0.0, (canvas_.left_on_page() - 64) / 13.5));
        const std::size_t listed = groups.size() <= std::min(room, kMaxListed) ? groups.size()
                                   : std::min(room, kMaxListed) > 1            ? std::min(room, kMaxListed) - 1
                                                                               : 0;
        canvas_.need(80);
        section("Inhalt", "Contents");
        line(say_("Nachrichten", "Messages"), parts_.contents.transcript, 0);
        for (std::size_t i = 0; i < listed; ++i) {
            const std::uint64_t page = i < parts_.contents.groups.size() ? parts_.contents.groups[i] : 0;
            line(group_title(groups[i], say_) + "  ·  " + say_.number(groups[i].records.size()), page, 14);
        }
        if (listed > 0 && listed < groups.size()) {
            const std::uint64_t page = listed < parts_.contents.groups.size() ? parts_.contents.groups[listed] : 0;
            line(say_.count(groups.size() - listed, "weitere Unterhaltung", "weitere Unterhaltungen",
                            "more conversation", "more conversations"),
                 page, 14);
        }
        line(say_("Weg der Aufzeichnungen (Protokoll)", "Custody of the records (log)"), parts_.contents.custody, 0);
        line(say_("Was bewiesen ist, was nicht, und wie man es prüft", "What is proven, what is not, and how to check"),
             parts_.contents.proof, 0);
    }

    void line(const std::string& title, std::uint64_t page, double indent) {
        const Style style{9.5, false, false, false, indent > 0 ? kGrey : kInk};
        const Text text = canvas_.text(title, style, {width() - indent - 50, Align::left, Direction::frame, 1});
        const double y = canvas_.y();
        canvas_.place(text, kCoverLeft + indent, y);
        canvas_.place(canvas_.text(say_.number(page), style, {44, Align::right, Direction::frame, 1}),
                      page::kRight - 44, y);
        const double begin = kCoverLeft + indent + text.width() + 6, end = page::kRight - 34;
        if (begin < end) canvas_.rule(begin, end, y + 10, kPale, 0.4);
        canvas_.move_to(y + 13.5);
    }

    static double width() { return page::kRight - kCoverLeft; }

    Canvas& canvas_;
    const Parts& parts_;
    const Wording& say_;
    const BundleInput& in_;
};

}  // namespace

void cover_page(Canvas& canvas, const Parts& parts) {
    canvas.bookmark(0, parts.say("Deckblatt", "Cover"));
    Cover(canvas, parts).draw();
}

std::string group_title(const Group& group, const Wording& say) {
    if (group.mail) return say("E-Mails", "Mails");
    if (!group.title.empty()) return "\u2068" + group.title + "\u2069";
    if (!group.people.empty() && group.type == vault::ConversationType::direct) {
        std::string out;
        for (std::size_t i = 0; i < group.people.size() && i < 3; ++i)
            out += (i ? ", " : "") + ("\u2068" + group.people[i] + "\u2069");
        return out;
    }
    return say("Unterhaltung ohne Titel", "Conversation without a title");
}

std::string group_type(const Group& group, const Wording& say) {
    using vault::ConversationType;
    switch (group.type) {
        case ConversationType::direct:
            return say("Direkte Unterhaltung", "Direct conversation");
        case ConversationType::group:
            return say("Gruppe", "Group");
        case ConversationType::channel:
            return say("Kanal", "Channel");
        case ConversationType::unknown:
            break;
    }
    return group.mail ? "" : say("Unterhaltung", "Conversation");
}

}  // namespace kustos::exporting
