#include "app/src/share_sheets.h"

#include <ostream>

#include "base/crypto.h"
#include "export/share_sheet.h"

namespace kustos::app {

namespace {
std::string fingerprint_of(const std::string& vkey) {
    const std::string digits = sha256(as_bytes(vkey)).hex();
    std::string out;
    for (std::size_t i = 0; i < digits.size(); i += 4) out += (i == 0 ? "" : " ") + digits.substr(i, 4);
    return out;
}

Status write_sheets(Environment e, const SheetOrder& order, const vault::HandedOut& out,
                    std::vector<std::string>& files) {
    TRY(make_dirs_synced(e.fs, order.dir));
    for (const vault::Share& share : out.shares) {
        const SecretBytes text = share_text(share);
        exporting::ShareSheet sheet;
        sheet.language = order.language == Language::german ? exporting::Language::de : exporting::Language::en;
        sheet.time_zone = order.time_zone;
        sheet.archive_name = order.archive_name;
        sheet.authority = order.authority;
        sheet.fingerprint = fingerprint_of(out.vkey);
        sheet.set = vault::set_name(share.set);
        sheet.number = share.number;
        sheet.threshold = share.threshold;
        sheet.count = share.count;
        if (share.number <= order.holders.size()) sheet.holder = order.holders[share.number - 1];
        sheet.made = e.clock.now();
        sheet.text = text.view();
        Bytes pdf = TRY(draw_share_sheet(sheet));
        const Path file = order.dir / ("share-" + sheet.set + "-" + std::to_string(share.number) + "-of-" +
                                       std::to_string(share.count) + ".pdf");
        const Status written = put_once(e.fs, file, pdf);
        wipe(pdf);
        if (written.ok()) files.push_back(file.string());
        TRY(Status(written));
    }
    return {};
}
}  // namespace

vault::HandOut sheets_into(Environment e, SheetOrder order, std::vector<std::string>& files) {
    return [e, order = std::move(order), &files](const vault::HandedOut& out) -> Status {
        Status written = write_sheets(e, order, out, files);
        if (written.ok()) return written;
        for (const std::string& file : files) (void)e.fs.remove(file);
        files.clear();
        return Error(std::move(written).error().within("the sheets of the shares"));
    };
}

void say_sheets(const Call& c, const std::vector<std::string>& files, std::ostream& out) {
    const bool de = c.language == Language::german;
    for (const std::string& file : files) out << file << "\n";
    out << (de ? "Für jede Person ein Blatt. Jetzt drucken, übergeben, und die Dateien löschen (shred -u). Wer eine "
                 "Datei\n"
                 "behält, hat den Anteil.\n"
               : "One sheet for each holder. Print them now, hand them over, and delete the files (shred -u). Who "
                 "keeps a\n"
                 "file has the share.\n");
}

}  // namespace kustos::app
