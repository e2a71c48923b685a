#include "app/backup_commands.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "app/restore.h"
#include "app/src/drill_folder.h"
#include "base/progress.h"
#include "vault/backup.h"

namespace kustos::app {

using nlohmann::json;

namespace {

constexpr std::int64_t kDay = 86'400'000;  // ms

std::string bytes_text(std::uint64_t bytes) {
    char text[32];
    if (bytes < 10'000'000) {
        std::snprintf(text, sizeof text, "%.1f KB", static_cast<double>(bytes) / 1e3);
    } else {
        std::snprintf(text, sizeof text, "%.1f MB", static_cast<double>(bytes) / 1e6);
    }
    return text;
}

std::string days_ago(std::int64_t days, bool de) {
    if (days == 0) return de ? " (heute)" : " (today)";
    if (days == 1) return de ? " (vor einem Tag)" : " (a day ago)";
    return de ? " (vor " + std::to_string(days) + " Tagen)" : " (" + std::to_string(days) + " days ago)";
}

}  // namespace

Result<int> back_up(House& house, const Call& c, Streams s) {
    if (c.out.empty()) return Error(Code::usage, "where to? --to DIR");
    const vault::BackupReport r = TRY(house.back_up(c.out));
    if (c.json) {
        s.out << json{{"size", r.size.value},
                      {"root", r.root.hex()},
                      {"generation", r.generation},
                      {"files", r.files},
                      {"bytes", r.bytes},
                      {"written", r.bytes_written},
                      {"removed", r.objects_removed}}
                     .dump()
              << "\n";
        return 0;
    }
    const bool de = c.language == Language::german;
    s.out << (de ? "Gesichert: " : "backed up: ") << r.size.value << (de ? " Einträge, " : " entries, ") << r.files
          << (de ? " Dateien, " : " files, ") << bytes_text(r.bytes) << (de ? "; neu geschrieben " : "; newly written ")
          << bytes_text(r.bytes_written) << "\n";
    const EscrowWords escrow = status_of_escrow(house.archive().escrow_state(), house.environment().clock.now(), de);
    s.out << (de ? "Schlüsselhinterlegung: " : "escrow: ") << escrow.line << "\n";
    if (!escrow.next_step.empty()) s.err << "kustos: " << escrow.next_step << "\n";
    return 0;
}

Result<int> verify_backup(Environment e, const Call& c, Streams s) {
    const audit::Report report = TRY(vault::verify_backup(e.fs, c.paths.front(), interrupt_requested));
    s.out << (c.json ? report.to_json() + "\n" : report.to_text(c.language == Language::german ? "de" : "en"));
    return report.ok ? 0 : 1;
}

Result<int> restore(Environment e, const Call& c, const Path& state, Streams s) {
    RestoreRequest request;
    request.from = c.from;
    request.escrow = c.escrow;
    request.archive = c.archive;
    request.state = state;
    request.go_on = c.yes;
    if (!c.passphrase_file.empty()) request.passphrase = TRY(read_secret(e, c.passphrase_file, "passphrase"));
    std::unique_ptr<DrillFolder> drill;
    if (c.drill) {
        drill = TRY(DrillFolder::make(e));
        request.archive = drill->archive();
        request.state = drill->state();
        request.drill = true;
        // A drill tells nobody of a new name.
        request.go_on = true;
    } else if (request.archive.empty()) {
        return Error(Code::usage, "where to? --archive DIR, a folder that does not exist yet");
    }
    if (!c.paths.empty()) {
        for (const std::string& name : c.paths) TRY(restore_file(e, request, name));
        if (!c.json)
            s.out << (c.language == Language::german ? "Zurückgeholt. Weiter: kustos verify\n"
                                                     : "done. next: kustos verify\n");
        return 0;
    }
    const RestoreReport report = TRY(restore_archive(drill ? drill->environment() : e, request));
    const std::string text = c.json ? report.to_json() + "\n" : report.to_text(c.language);
    s.out << text;
    for (const std::string& file : c.reports) {
        const bool as_json = Path(file).extension() == ".json";
        TRY(replace_file(e.fs, file, as_bytes(as_json ? report.to_json() + "\n" : report.to_text(c.language))));
    }
    return report.ok() ? 0 : 1;
}

EscrowWords status_of_escrow(const vault::EscrowState& state, UtcTime now, bool de) {
    EscrowWords words;
    if (!state.configured) {
        words.line = de ? "keine" : "none";
        words.next_step =
            de ? "Keine Schlüsselhinterlegung: Geht dieser Rechner verloren, ist der Inhalt verloren, auch "
                 "mit Sicherungen (config.yaml, escrow: dir)."
               : "No escrow of keys: if this machine is lost, the content is lost, backups or not "
                 "(config.yaml, escrow: dir).";
        return words;
    }
    const std::string of = std::to_string(state.present);
    if (state.newest == 0) {
        words.line = de ? "noch keine Generation von " + of : "no generation of " + of + " yet";
    } else {
        words.line = (de ? "Generation " : "generation ") + std::to_string(state.newest) + (de ? " von " : " of ") + of;
    }
    if (state.stored) {
        const std::int64_t days = std::max<std::int64_t>(0, (now.ms - state.stored->ms) / kDay);
        words.line += (de ? ", hinterlegt " : ", stored ") + format_rfc3339(*state.stored) + days_ago(days, de);
    }
    if (state.behind()) words.line += de ? ", im Rückstand" : ", behind";
    if (!state.problem.empty()) words.line += de ? " (Medium nicht da)" : " (the medium is away)";
    if (state.behind())
        words.next_step =
            de ? "Die Schlüsselhinterlegung ist im Rückstand: Geht dieser Rechner jetzt verloren, ist der Inhalt "
                 "verloren. Das Medium verbinden; beim nächsten Start oder Backup wird nachgeholt."
               : "The escrow of keys is behind: if this machine is lost now, the content is lost. Connect the medium; "
                 "the next start or backup catches up.";
    return words;
}

}  // namespace kustos::app
