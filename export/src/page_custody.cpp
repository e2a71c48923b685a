#include "export/src/blocks.h"
#include "export/src/pages.h"
#include "export/src/text_safety.h"

namespace kustos::exporting {
namespace {

std::vector<Column> columns() {
    const Style cell{8.5, false, false, false, kInk};
    const Style grey{8.5, false, false, false, kGrey};
    return {{page::kMargin, 40, Align::right, grey},
            {page::kMargin + 52, 112, Align::left, cell},
            {page::kMargin + 172, 112, Align::left, cell},
            {page::kMargin + 290, 72, Align::left, cell},
            {page::kMargin + 368, page::kRight - page::kMargin - 368, Align::left, grey}};
}

void table_head(Canvas& canvas, const Wording& say) {
    std::vector<Column> head = columns();
    for (Column& column : head) column.style = {8, true, false, false, kAccent};
    row(canvas, head,
        {say("Eintrag", "Entry"), say("Zeit", "Time"), say("Vorgang", "Event"), say("Wer", "Who"),
         say("Angaben", "Details")});
}

}  // namespace

void custody_pages(Canvas& canvas, const Parts& parts) {
    const Wording& say = parts.say;
    canvas.set_continuation({});
    chapter(canvas, say("Weg der Aufzeichnungen", "Custody of the records"),
            say("Weg der Aufzeichnungen", "Custody of the records"),
            say("Jeder Vorgang, der diese Aufzeichnungen, den Fall oder den Zugang zum Archiv betraf, ist selbst ein "
                "Eintrag "
                "derselben Kette. Die Nummer ist seine Stelle darin; Zeiten sind die Uhr des Archivs.",
                "Every event that concerned these records, the matter or the access to the archive is itself an entry "
                "of the "
                "same chain. The number is its place there; times are the archive's own clock."));
    parts.found.custody = canvas.page();
    canvas.bookmark(0, say("Weg der Aufzeichnungen", "Custody of the records"));
    if (parts.input.custody.empty()) {
        paragraph(canvas, say("Diesem Paket liegen keine Vorgänge bei.", "No events accompany this bundle."));
        return;
    }
    table_head(canvas, say);
    for (const CustodyEvent& event : parts.input.custody) {
        const std::vector<std::string> cells = {
            say.number(event.entry.value), parts.zone.local(event.time).stamp(),
            frame_text(say.action(event.action), 120),
            event.actor.empty() ? std::string(say("das Archiv", "the archive")) : frame_text(event.actor, 120),
            frame_text(event.code, 300)};
        if (canvas.left_on_page() < row_height(canvas, columns(), cells)) {
            canvas.new_page();
            table_head(canvas, say);
        }
        row(canvas, columns(), cells);
    }
}

}  // namespace kustos::exporting
