#include "export/share_sheet.h"

#include "base/secret.h"
#include "export/src/blocks.h"
#include "export/src/text_safety.h"
#include "export/src/wording.h"

namespace kustos::exporting {

namespace {

constexpr double kWidth = page::kTextWidth;
constexpr Colour kPaper{0.965, 0.97, 0.98};

class SheetDrawing {
public:
    SheetDrawing(Canvas& canvas, const ShareSheet& in, const Wording& say, const Zone& zone)
        : canvas_(canvas), in_(in), say_(say), zone_(zone) {}

    void draw() {
        title();
        facts();
        share();
        heading(canvas_, say_("Wozu dieses Blatt da ist", "What this sheet is for"));
        paragraph(canvas_, purpose());
        list(say_("So wird es benutzt", "How it is used"), use());
        list(say_("Bitte", "Please"), please());
        list(say_("Bitte nicht", "Please do not"), please_not());
        list(say_("Wenn etwas ist", "If something happens"), if_something());
    }

private:
    std::string count(unsigned n) const { return std::to_string(n); }

    void title() {
        const std::string who = frame_text(in_.authority.empty() ? in_.archive_name : in_.authority, 120);
        canvas_.move_to(44);
        canvas_.flow(canvas_.text(who.empty() ? "Kustos" : who, {10, true, false, false, kGrey},
                                  {kWidth, Align::left, Direction::frame, 1}),
                     page::kLeft);
        canvas_.rule(page::kLeft, page::kRight, canvas_.y() + 4, kAccent, 1.6);
        canvas_.move_to(canvas_.y() + 12);
        const std::string head = say_.german() ? "Anteil " + count(in_.number) + " von " + count(in_.count)
                                               : "Share " + count(in_.number) + " of " + count(in_.count);
        canvas_.flow(canvas_.text(head, {23, true, false, false, kAccent}, {kWidth}), page::kLeft);
        canvas_.flow(canvas_.text(say_("zum Öffnen des Archivs – dieses Blatt ist ein Schlüssel",
                                       "for opening the archive – this sheet is a key"),
                                  {11, false, false, false, kGrey}, {kWidth}),
                     page::kLeft);
        canvas_.gap(8);
    }

    void fact(const char* de, const char* en, const std::string& value, bool mono = false) {
        if (!value.empty())
            name_value(canvas_, say_(de, en), value, {9, false, false, mono, kInk}, 2, page::kLeft, 100);
    }

    void facts() {
        fact("Archiv", "Archive", isolated(in_.archive_name, 120));
        fact("Fingerabdruck", "Fingerprint", frame_text(in_.fingerprint), true);
        fact("Satz", "Set", in_.set + ", " + zone_.local(in_.made).stamp());
        fact("Nötig", "Needed",
             say_.german() ? count(in_.threshold) + " von " + count(in_.count) + " Anteilen dieses Satzes"
                           : count(in_.threshold) + " of the " + count(in_.count) + " shares of this set");
        fact("Person", "Holder",
             in_.holder.empty() ? std::string("______________________________________") : isolated(in_.holder, 80));
    }

    // Four lines, numbered, in letters that are told apart: no I, L, O or U.
    void share() {
        constexpr double kLine = 28, kPad = 13;
        canvas_.gap(6);
        const double top = canvas_.y(), height = 4 * kLine + 2 * kPad;
        canvas_.fill(page::kLeft, top, kWidth, height, kPaper);
        canvas_.frame(page::kLeft, top, kWidth, height, kAccent, 1.1);
        std::string text(as_text(in_.text));
        std::size_t begin = 0;
        for (int line = 0; line < 4; ++line) {
            const std::size_t end = std::min(text.find('\n', begin), text.size());
            const double y = top + kPad + line * kLine;
            canvas_.place(canvas_.text(std::to_string(line + 1), {10, false, false, false, kGrey}, {}),
                          page::kLeft + 18, y + 7);
            double x = page::kLeft + 58;
            std::string row = text.substr(begin, end - begin);
            for (std::size_t at = 0; at < row.size(); at += 6, x += 94)
                canvas_.place(canvas_.text(row.substr(at, 5), {19, true, false, true, kInk}, {}), x, y);
            wipe({reinterpret_cast<std::uint8_t*>(row.data()), row.size()});
            begin = std::min(end + 1, text.size());
        }
        wipe({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
        canvas_.move_to(top + height + 6);
    }

    std::string purpose() const {
        if (say_.german())
            return "Der Inhalt des Archivs ist verschlüsselt. Lesen kann ihn nur, wer den Tresor öffnet, und das "
                   "können nur " +
                   count(in_.threshold) + " von " + count(in_.count) +
                   " Personen gemeinsam. Ein Blatt allein öffnet nichts. Neues nimmt das Archiv auch bei geschlossenem "
                   "Tresor an.";
        return "What is in the archive is encrypted. It can only be read by who opens the vault, and that takes " +
               count(in_.threshold) + " of " + count(in_.count) +
               " people together. One sheet alone opens nothing. The archive takes in new records while the vault is "
               "closed.";
    }

    std::vector<std::string> use() const {
        if (say_.german())
            return {
                "Auf dem Rechner des Archivs „kustos unlock“ aufrufen. Das Programm fragt eine Person nach der "
                "anderen.",
                "Die vier Zeilen abtippen. Groß oder klein ist gleich, Leerzeichen dürfen fehlen. 0 ist die Null, 1 "
                "die Eins.",
                "Ein Tippfehler wird mit Zeile und Gruppe gemeldet, ein falsches Blatt mit seiner Nummer."};
        return {"At the archive's computer call \"kustos unlock\". The program asks one person after another.",
                "Type the four lines. Capitals or not is the same, spaces may be left out. 0 is zero, 1 is one.",
                "A slip is told with its line and group, a wrong sheet with its number."};
    }

    std::vector<std::string> please() const {
        if (say_.german())
            return {
                "Drucken, die Datei sofort löschen, das Blatt verschlossen aufbewahren: jede Person an einem anderen "
                "Ort.",
                "Einmal im Jahr nachsehen, ob es noch da und lesbar ist."};
        return {"Print it, delete the file at once, keep the sheet locked away: each holder in another place.",
                "Look once a year whether it is there and can be read."};
    }

    std::vector<std::string> please_not() const {
        if (say_.german())
            return {"Nicht fotografieren, nicht kopieren, nicht mailen, nicht vorlesen, in keine Datei abtippen.",
                    "Nicht zu einem zweiten Anteil legen. Niemand, auch keine Administration, darf ihn verlangen."};
        return {"Do not photograph, copy, mail or dictate it, and do not type it into a file.",
                "Do not keep it beside a second share. Nobody, no administrator either, may ask for it."};
    }

    std::vector<std::string> if_something() const {
        if (say_.german())
            return {
                "Verloren, gesehen oder gestohlen: sofort melden. Mit „kustos key shares“ gibt es einen neuen Satz; "
                "dieses Blatt öffnet danach nichts mehr.",
                "Amt abgegeben: ebenso einen neuen Satz ausgeben, alte Blätter vernichten."};
        return {
            "Lost, seen or stolen: say so at once. \"kustos key shares\" makes a new set; after that this sheet opens "
            "nothing.",
            "Office handed over: make a new set likewise, and destroy the old sheets."};
    }

    void list(const char* title, const std::vector<std::string>& lines) {
        heading(canvas_, title);
        for (const std::string& line : lines) bullet(canvas_, line);
    }

    Canvas& canvas_;
    const ShareSheet& in_;
    const Wording& say_;
    const Zone& zone_;
};

}  // namespace

Result<Bytes> draw_share_sheet(const ShareSheet& sheet) {
    const FontSet fonts = TRY(FontSet::load());
    const Wording say(sheet.language);
    const Zone zone(sheet.time_zone, sheet.language);
    Furniture furniture;
    furniture.footer_left =
        say("Geheim: nur für die Person, die oben steht", "Secret: only for the holder named above");
    furniture.page_number = [&](std::uint64_t, std::uint64_t) {
        return std::string(say("Satz ", "set ")) + sheet.set + " · " + std::to_string(sheet.number) + "/" +
               std::to_string(sheet.count);
    };
    Canvas canvas(fonts, furniture, 1);
    SheetDrawing(canvas, sheet, say, zone).draw();
    if (canvas.page() != 1) return Error(Code::internal, "a share's sheet has more than a page");
    return canvas.finish();
}

}  // namespace kustos::exporting
