#include "app/commands.h"

#include <fcntl.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "app/backup_commands.h"
#include "app/context_commands.h"
#include "app/decision_commands.h"
#include "app/erase_commands.h"
#include "app/exit_export.h"
#include "app/hit_report_commands.h"
#include "app/house.h"
#include "app/index_commands.h"
#include "app/key_commands.h"
#include "app/matter_commands.h"
#include "app/opener_child.h"
#include "app/opener_commands.h"
#include "app/person_commands.h"
#include "app/remote.h"
#include "app/result_commands.h"
#include "app/review_commands.h"
#include "app/search_worker.h"
#include "app/serve.h"
#include "app/source_commands.h"
#include "app/src/present.h"
#include "app/src/refusal_words.h"
#include "app/src/share_sheets.h"
#include "app/trail_commands.h"
#include "audit/net/post_server.h"
#include "audit/net/signer_service.h"
#include "audit/net/tsa_server.h"
#include "audit/net/witness_client.h"
#include "base/progress.h"

namespace kustos::app {

using nlohmann::json;

std::string user_name(std::uint32_t uid) {
    passwd entry{};
    passwd* found = nullptr;
    char buffer[4096];
    if (getpwuid_r(uid, &entry, buffer, sizeof buffer, &found) != 0 || found == nullptr) return std::to_string(uid);
    return found->pw_name;
}

Result<SecretBytes> read_secret(Environment, const std::string& file, const char* what) {
    // Never in a buffer of the standard library's: byte by byte, and only the first line.
    const int in = file == "-" ? STDIN_FILENO : ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (in < 0) return Error(Code::usage, std::string(what) + " file can't be read");
    SecretBytes line(4096);
    const std::span<std::uint8_t> room = line.writable();
    std::size_t size = 0;
    while (size < room.size() && ::read(in, room.data() + size, 1) == 1 && room[size] != '\n') ++size;
    if (in != STDIN_FILENO) ::close(in);
    if (size > 0 && room[size - 1] == '\r') --size;
    SecretBytes secret(line.view().first(size));
    if (secret.empty()) return Error(Code::usage, std::string(what) + " is empty");
    return secret;
}

int exit_code(Code code) {
    switch (code) {
        case Code::usage:
        case Code::not_in_version:
        case Code::not_found:
        case Code::erased:
            return 2;
        case Code::denied:
            return 3;
        case Code::closed:
            return 4;
        case Code::bad_input:
            return 5;
        case Code::corrupt:
            return 1;
        case Code::interrupted:
            return 130;
        case Code::limit:
        case Code::conflict:
        case Code::overloaded:
        case Code::read_only:
        case Code::rolled_back:
        case Code::environment:
            return 6;
        case Code::internal:
            return 70;
    }
    return 70;
}

namespace {

// The house of this command alone, or the running server's.
struct HouseRef {
    std::unique_ptr<House> own;
    House* house = nullptr;
    House* operator->() const { return house; }
    House& operator*() const { return *house; }
};

class Command {
public:
    // brought: by the caller of a running server; else this command reads them itself.
    Command(Environment e, House* running, const Call& call, const CallSecrets* brought, Streams s)
        : e_(e), running_(running), c_(call), brought_(brought), out_(s.out), err_(s.err) {}

    Result<int> run() {
        const std::string& n = c_.command;
        if (n == "init") return init();
        if (n == "formats") return list_formats(c_, {out_, err_});
        if (is_source_command(n)) {
            auto house = TRY(open_house());
            return source_command(*house, c_, actor(*house), {out_, err_});
        }
        if (is_person_command(n)) {
            auto house = TRY(open_house());
            return person_command(*house, c_, actor(*house), {out_, err_});
        }
        if (n == "ingest") return ingest_paths();
        if (n == "index check") return index_check(*TRY(open_house()), c_, {out_, err_});
        if (n == "index rebuild") return index_rebuild(*TRY(open_house()), c_, {out_, err_});
        if (n == "index update") return index_update(*TRY(open_house()), c_, {out_, err_});
        if (n == "index merge") return index_merge(*TRY(open_house()), c_, {out_, err_});
        if (n == "index retry") {
            auto house = TRY(open_house());
            return index_retry(*house, c_, actor(*house), {out_, err_});
        }
        if (n == "status") return status();
        if (n == "try") return attempt();
        if (is_matter_command(n)) {
            auto house = TRY(open_house());
            return matter_command(*house, c_, actor(*house), {out_, err_});
        }
        if (is_review_command(n)) {
            auto house = TRY(open_house());
            return review_command(*house, c_, actor(*house), {out_, err_});
        }
        if (is_result_command(n)) {
            auto house = TRY(open_house());
            return result_command(*house, c_, actor(*house), {out_, err_});
        }
        if (is_hit_command(n)) {
            auto house = TRY(open_house());
            return hit_command(*house, c_, actor(*house), {out_, err_});
        }
        if (n == "show") return show();
        if (n == "context") {
            const EntryIndex record = TRY(record_number(c_.record));
            auto house = TRY(open_house());
            return context_command(*house, c_, record, actor(*house), {out_, err_});
        }
        if (n == "export") return export_records();
        if (n == "verify") return verify();
        if (n == "renew") return renew();
        if (n == "anchor request") return anchor_request();
        if (n == "anchor take") return anchor_take();
        if (n == "anchor preview") return anchor_preview();
        if (n == "receipt") return receipt();
        if (n == "witness serve") return witness_serve();
        if (n == "evidence") return evidence();
        if (n == "serve") return serve();
        if (n == "continue") return go_on();
        if (n == "signer serve") return signer_serve();
        if (n == "opener serve") return opener_serve(e_, c_, {out_, err_});
        if (n == "opener status") return opener_status(e_, c_, {out_, err_});
        if (n == "opener unlock") return opener_unlock(e_, c_, {out_, err_});
        if (n == "opener lock") return opener_lock(e_, c_, {out_, err_});
        if (n == "opener self-test") return opener_self_test(e_, c_, {out_, err_});
        if (n == "search-worker") return run_search_worker(e_, c_.archive / "index", false);
        if (n == "index-rewriter") return run_search_worker(e_, c_.archive / "index", true);
        if (n == "key rotate" && c_.given.count("epoch") != 0) return with_secrets(move_keys);
        if (n == "key rotate") return key_rotate();
        if (n == "key status") return key_status(*TRY(open_house()), c_, {out_, err_});
        if (n == "opener note") return opener_note(*TRY(open_house()), c_, {out_, err_});
        if ((n == "key rekey" || n == "key shares") && running_ == nullptr && keys_are_apart(e_, c_))
            return opener_rekey(e_, c_, {out_, err_});
        if (n == "key rekey") return with_secrets(key_rekey);
        if (n == "key shares") return with_secrets(key_shares);
        if (n == "unlock") return unlock();
        if (n == "lock") return lock();
        if (n == "trust key") return trust_key();
        if (n == "trust sign") return trust_sign();
        if (n == "tsa serve") return tsa_serve();
        if (n == "audit list") return list_trail(e_, c_, {out_, err_});
        if (n == "audit export") return export_trail(e_, c_, {out_, err_});
        if (n == "audit show") return audit_show();
        if (n == "audit sample") return audit_sample();
        if (n == "erase" || n == "erase status" || n == "erase list" || n == "compact") return forget(n);
        if (n == "backup") return make_backup();
        if (n == "backup verify") return verify_backup(e_, c_, {out_, err_});
        if (n == "exit-export") return leave();
        if (n == "restore") return restore(e_, c_, state(), {out_, err_});
        if (n == "account set") return account_set();
        if (is_decision_command(n)) {
            auto house = TRY(open_house());
            return decide(*house, c_, actor(*house), {out_, err_});
        }
        return Error(Code::not_in_version, "`kustos " + n + "` is not in this version");
    }

private:
    bool german() const { return c_.language == Language::german; }
    const char* say(const char* de, const char* en) const { return german() ? de : en; }
    web::Language web_language() const { return german() ? web::Language::german : web::Language::english; }

    const std::string& actor(const House& house) const { return c_.actor.empty() ? house.actor() : c_.actor; }
    Path state() const { return c_.state.empty() ? default_state_dir() : c_.state; }

    Result<HouseRef> open_house() {
        if (running_ != nullptr) return HouseRef{nullptr, running_};
        if (c_.archive.empty()) {
            return Error(Code::usage, "which archive?").with_hint("give --archive DIR, or set KUSTOS_ARCHIVE");
        }
        if (!e_.fs.exists(c_.archive / "ledger")) {
            return Error(Code::usage, "there is no archive at " + c_.archive.string())
                .with_hint("kustos init " + c_.archive.string());
        }
        HouseOptions options;
        options.archive = c_.archive;
        options.state = state();
        options.actor = user_name(getuid());
        own_ = TRY(bring_secrets(e_, c_, {out_, err_}));
        brought_ = &own_;
        options.secret = std::move(own_.unlock);
        options.escrow = c_.escrow;
        HouseRef ref;
        ref.own = TRY(House::open(e_, std::move(options)));
        ref.house = ref.own.get();
        return ref;
    }

    Result<int> with_secrets(Result<int> (*command)(House&, const Call&, const CallSecrets&, Streams)) {
        auto house = TRY(open_house());
        return command(*house, c_, *brought_, {out_, err_});
    }

    Result<int> unlock() {
        if (running_ != nullptr) return unlock_vault(*running_, c_, *brought_, {out_, err_});
        return no_server();
    }
    Result<int> lock() {
        if (running_ != nullptr) return lock_vault(*running_, c_, {out_, err_});
        return no_server();
    }
    Result<int> no_server() {
        return Error(Code::usage, say("hier läuft kein Server, dessen Tresor offen oder zu sein könnte",
                                      "no server runs here whose vault could be open or closed"))
            .with_hint(
                say("kustos serve; ein einzelner Befehl öffnet für sich: --passphrase-file, --share-file, --tpm, "
                    "--token",
                    "kustos serve; a single command opens for itself: --passphrase-file, --share-file, --tpm, "
                    "--token"));
    }

    Result<int> make_backup() {
        auto house = TRY(open_house());
        return back_up(*house, c_, {out_, err_});
    }

    Result<int> leave() {
        auto house = TRY(open_house());
        const auto& secret = running_ != nullptr ? brought_->unlock : house->brought_secret();
        return exit_export(*house, c_, actor(*house), secret ? &*secret : nullptr, {out_, err_});
    }

    static std::string absolute_path(const Path& path) {
        std::error_code ignored;
        return path.empty() ? "" : std::filesystem::absolute(path, ignored).string();
    }

    Result<int> init() {
        const Path dir = c_.paths.front();
        TRY(suite_of(c_.suite));
        vault::CreateOptions options = TRY(create_options(e_, c_));
        std::vector<std::string> authorities = c_.authorities;
        if (authorities.empty()) authorities.push_back("builtin");
        bool builtin = false;
        for (const std::string& a : authorities) {
            if (a == "builtin") {
                builtin = true;
            } else if (a.rfind("http://", 0) != 0 && a.rfind("https://", 0) != 0) {
                return Error(Code::usage, "--tsa takes builtin or an http(s) address");
            }
        }
        std::vector<std::string> sheets;
        SheetOrder order;
        order.dir = c_.shares_out;
        order.language = c_.language;
        order.holders = c_.holders;
        order.archive_name = "Zentralarchiv";  // as config.yaml says at first
        options.hand_out = sheets_into(e_, std::move(order), sheets);
        options.with_builtin_authority = builtin;
        options.signer_keys = c_.signer_keys;
        const Status created = vault::Archive::create(e_, dir, state(), std::move(options));
        if (!created.ok()) {
            for (const std::string& sheet : sheets) (void)e_.fs.remove(sheet);
            return Error(created.error());
        }
        TRY(replace_file(e_.fs, dir / "config.yaml",
                         as_bytes(config_template(authorities, c_.suite, absolute_path(c_.escrow)))));
        HouseOptions house_options;
        house_options.archive = dir;
        house_options.state = state();
        if (!c_.passphrase_file.empty() && c_.passphrase_file != "-")
            house_options.secret = vault::PassphraseSecret{TRY(read_secret(e_, c_.passphrase_file, "passphrase"))};
        auto house = TRY(House::open(e_, std::move(house_options)));
        const vault::Archive& archive = house->archive();
        if (c_.json) {
            out_ << json{{"archive", dir.string()},
                         {"origin", archive.origin()},
                         {"fingerprint", archive.fingerprint()},
                         {"trust", (dir / "trust.policy").string()},
                         {"sheets", sheets}}
                        .dump()
                 << "\n";
            return 0;
        }
        out_ << say("Neues Archiv: ", "new archive: ") << dir.string() << "\n"
             << say("Fingerabdruck (veröffentlichen, damit andere prüfen können): ",
                    "fingerprint (publish it, so that others can check): ")
             << archive.fingerprint() << "\n"
             << say("Vertrauensdatei für Prüfer: ", "trust file for verifiers: ") << (dir / "trust.policy").string()
             << "\n";
        if (!sheets.empty()) say_sheets(c_, sheets, out_);
        if (c_.unlock.empty() || c_.unlock == "auto") {
            out_ << say(
                "Entsperren: auto. Wer die Platte hat, kann alles lesen; für echte Daten: --unlock passphrase.\n",
                "unlock: auto. Whoever has the disk can read everything; for real data: --unlock passphrase.\n");
        }
        if (c_.escrow.empty())
            out_ << say(
                "Keine Schlüsselhinterlegung: Geht dieser Rechner verloren, ist der Inhalt verloren, auch mit "
                "Sicherungen. "
                "Ein anderes Medium nennen: --escrow DIR, oder in config.yaml.\n",
                "No escrow of keys: if this machine is lost, the content is lost, backups or not. Name another medium: "
                "--escrow DIR, or in config.yaml.\n");
        if (builtin)
            out_ << say("Zeitstempel: builtin, nicht unabhängig.\n", "time stamps: builtin, not independent.\n");
        out_ << say("Weiter: ", "next: ") << "kustos source add NAME --kind import --archive " << dir.string() << "\n";
        return 0;
    }

    Result<int> ingest_paths() {
        auto house = TRY(open_house());
        std::vector<Path> paths(c_.paths.begin(), c_.paths.end());
        for (const Path& p : paths) {
            if (!e_.fs.exists(p)) return Error(Code::usage, "there is no file or folder " + p.string());
        }
        ImportSettings settings;
        if (const auto zone = c_.given.find("time-zone"); zone != c_.given.end() && !zone->second.empty())
            settings.time_zone = zone->second.front();
        if (const auto file = c_.given.find("origin-secret-file"); file != c_.given.end() && !file->second.empty()) {
            const SecretBytes secret = TRY(read_secret(e_, file->second.front(), "origin secret"));
            settings.origin_secret = to_bytes(secret.view());
        }
        auto result = house->import_paths(c_.source, c_.format, paths, settings);
        // What was sealed becomes findable and provable, also when the import ended early.
        const auto finish = [&]() -> Status {
            TRY(house->index_all(!c_.json));
            if (!TRY(house->publish_and_anchor())) {
                err_ << "kustos: "
                     << say("eine Zeitstempelstelle hat nicht geantwortet; es wird beim nächsten Mal weiter versucht\n",
                            "a time-stamp authority did not answer; it is tried again next time\n");
            }
            return {};
        };
        const Status finished = finish();
        const ingest::ImportResult counts = TRY(std::move(result));
        TRY(Status(finished));
        if (c_.json) {
            out_ << ingest::to_json(counts) << "\n";
        } else {
            out_ << counts.messages << say(" Nachrichten versiegelt, ", " messages sealed, ") << counts.attachments
                 << say(" Anhänge, ", " attachments, ") << counts.duplicates
                 << say(" schon vorhanden, ", " already there, ") << counts.quarantined
                 << say(" in Quarantäne", " quarantined") << "\n";
            for (const auto& [code, n] : counts.findings)
                out_ << say("Befund: ", "finding: ") << code << " × " << n << "\n";
            if (const auto unsure = counts.findings.find("format:unsure"); unsure != counts.findings.end())
                out_ << say("nicht sicher: ", "not sure: ") << say("das Format von ", "the format of ")
                     << unsure->second
                     << say(" Dateien; sagen Sie --format NAME (kustos formats nennt alle)\n",
                            " files; say --format NAME (kustos formats lists all)\n");
        }
        if (counts.interrupted)
            return Error(Code::interrupted, "interrupted; what was sealed stays")
                .with_hint("run the same command again to go on");
        return 0;
    }

    Result<int> status() {
        auto house = TRY(open_house());
        const web::StatusReport report = TRY(house->status(web_language()));
        out_ << (c_.json ? status_json(report) : status_text(report, c_.language));
        return 0;
    }

    Result<int> attempt() {
        std::string name = (std::filesystem::temp_directory_path() / "kustos-try-XXXXXX").string();
        if (mkdtemp(name.data()) == nullptr) return Error(Code::environment, "no temporary folder");
        const Path base(name);
        Call c = c_;
        c.archive = base / "archive";
        c.state = base / "state";
        const std::string where = " --archive " + c.archive.string() + " --state " + c.state.string();
        const auto step = [&](Call call, const std::string& line) {
            out_ << "$ " << line << "\n";
            return run_command(e_, call, {out_, err_});
        };
        Call i = c;
        i.command = "init";
        i.paths = {c.archive.string()};
        if (const int code = step(i, "kustos init " + c.archive.string() + " --state " + c.state.string()); code != 0)
            return code;
        Call s = c;
        s.command = "source add";
        s.name = "trial";
        s.kind = "import";
        if (const int code = step(s, "kustos source add trial --kind import" + where); code != 0) return code;
        Call g = c;
        g.command = "ingest";
        g.source = "trial";
        std::string files;
        for (const std::string& p : c_.paths) files += " " + p;
        if (const int code = step(g, "kustos ingest --source trial" + where + files); code != 0) return code;
        Call m = c;
        m.command = "matter new";
        m.reference = "TRIAL-1";
        m.ground = german() ? "Ausprobieren" : "trying it out";
        std::ostringstream matter;
        out_ << "$ kustos matter new --reference TRIAL-1 --ground '" << m.ground << "'" << where << "\n";
        m.json = true;
        if (const int code = run_command(e_, m, {matter, err_}); code != 0) return code;
        const std::string id = json::parse(matter.str()).at("id");
        out_ << say("Fall ", "matter ") << id << "\n"
             << say("Suchworte eingeben (leere Zeile: Ende)\n", "type words to search (empty line: end)\n");
        std::string line;
        while (out_ << "> " << std::flush, std::getline(std::cin, line) && !line.empty()) {
            Call q = c;
            q.command = "search";
            q.matter = id;
            q.query = line;
            step(q, "kustos search --matter " + id + where + " '" + line + "'");
        }
        out_ << say("\nDas Probearchiv bleibt unter ", "\nthe trial archive stays at ") << base.string()
             << say(" (löschen: rm -r)", " (to remove it: rm -r)") << "\n";
        return 0;
    }

    Result<int> forget(const std::string& name) {
        auto house = TRY(open_house());
        const Streams streams{out_, err_};
        if (name == "erase") return erase_records(*house, c_, actor(*house), streams);
        if (name == "erase status") return erase_status(*house, c_, actor(*house), streams);
        if (name == "erase list") return erase_list(*house, c_, streams);
        return compact(*house, c_, streams);
    }

    Result<EntryIndex> record_number(const std::string& text) {
        std::uint64_t n = 0;
        std::istringstream in(text);
        if (text.empty() || !std::all_of(text.begin(), text.end(), [](char ch) { return ch >= '0' && ch <= '9'; }) ||
            !(in >> n)) {
            return Error(Code::usage, "a record is named by its entry number, as search prints it");
        }
        return EntryIndex(n);
    }

    ByteSink to_output() {
        return [this](ByteView piece) -> Status {
            out_.write(reinterpret_cast<const char*>(piece.data()), static_cast<std::streamsize>(piece.size()));
            return out_.good() ? ok_status() : Status(Error(Code::environment, "the output can't be written"));
        };
    }

    Result<int> show() {
        const EntryIndex record = TRY(record_number(c_.record));
        auto house = TRY(open_house());
        if (c_.original) {
            TRY(house->write_original(actor(*house), c_.matter, record, to_output()));
            return 0;
        }
        if (c_.attachment_number != 0) {
            TRY(house->write_attachment(actor(*house), c_.matter, record, c_.attachment_number - 1, to_output()));
            return 0;
        }
        const web::RecordReport report = TRY(house->record(actor(*house), c_.matter, record, web_language()));
        out_ << (c_.json ? record_json(report) : record_text(report, c_.language));
        return 0;
    }

    Result<int> export_records() {
        if (!c_.redact.empty()) return Error(Code::not_in_version, "--redact is not in this version");
        if (c_.as != "pdf" && c_.as != "eml" && c_.as != "mbox")
            return Error(Code::not_in_version, "--as " + c_.as + " is not in this version")
                .with_hint("pdf, eml or mbox");
        const auto result = c_.given.find("result");
        const bool frozen = result != c_.given.end() && !result->second.empty();
        if ((c_.query.empty() ? 0 : 1) + (c_.records_file.empty() ? 0 : 1) + (frozen ? 1 : 0) != 1)
            return Error(Code::usage, "give one of --query, --records and --result");
        ExportRequest request;
        if (frozen) request.result = TRY(access::parse_result_id(result->second.front()));
        request.matter = c_.matter;
        request.query = c_.query;
        request.as = c_.as;
        request.out = c_.out;
        request.language = c_.language;
        if (!c_.records_file.empty()) {
            const Bytes list = TRY_IN("the list of records", read_file(e_.fs, c_.records_file, 64u << 20));
            std::istringstream lines(to_text(list));
            std::string line;
            while (std::getline(lines, line)) {
                if (!line.empty()) request.records.push_back(TRY(record_number(line)));
            }
        }
        auto house = TRY(open_house());
        request.actor = actor(*house);
        const ExportReport report = TRY(house->export_records(request));
        if (c_.json) {
            json erased = json::array();
            for (const EntrySet::Interval& run : report.erased.intervals())
                for (std::uint64_t n = run.first.value; n <= run.last.value; ++n) erased.push_back(n);
            json j = {{"file", report.file},        {"records", report.records},   {"pages", report.pages},
                      {"bytes", report.bytes},      {"left_out", report.left_out}, {"restricted", report.restricted},
                      {"erased", std::move(erased)}};
            if (report.unsearched) j["unsearched"] = json::parse(unsearched_json_text(*report.unsearched));
            out_ << j.dump() << "\n";
        } else {
            out_ << report.file << ": " << report.records << say(" Aufzeichnungen", " records");
            if (report.pages != 0) out_ << ", " << report.pages << say(" Seiten", " pages");
            out_ << ", " << report.bytes << " bytes\n";
            if (report.unsearched) out_ << unsearched_words(*report.unsearched, german()) << "\n";
            if (report.left_out != 0)
                out_ << report.left_out
                     << say(" ausgelassen (keine Mails; --as pdf oder eml nimmt alles)\n",
                            " left out (not mails; --as pdf or eml takes everything)\n");
            if (report.restricted != 0)
                out_ << report.restricted
                     << say(" nicht geöffnet: Verarbeitung eingeschränkt (Art. 18 DSGVO)\n",
                            " not opened: processing is restricted (GDPR Art. 18)\n");
            if (!report.erased.empty())
                out_ << report.erased.count()
                     << say(" nicht mehr da: gelöscht, seit die Treffermenge festgehalten wurde\n",
                            " not there any more: erased since the result set was frozen\n");
        }
        return 0;
    }

    Result<int> verify() {
        const std::vector<Path> reports(c_.reports.begin(), c_.reports.end());
        TRY(check_report_files(reports));
        if (c_.nonce.empty() != (c_.sample == 0)) return Error(Code::usage, "--sample and --nonce belong together");
        if (c_.sample != 0 && (c_.deep || c_.since_last))
            return Error(Code::usage, "--sample goes neither with --deep nor with --since-last")
                .with_hint("kustos audit sample opens what is drawn");
        auto house = TRY(open_house());
        VerifyRequest request;
        if (!c_.trust.empty()) request.trust = c_.trust;  // else the one that config.yaml names
        request.deep = c_.deep;
        request.since_last = c_.since_last;
        request.sample = c_.sample;
        request.nonce = c_.nonce;
        return show_report(*house, TRY(house->verify_with(request)), reports);
    }

    Result<int> audit_sample() {
        const std::vector<Path> reports(c_.reports.begin(), c_.reports.end());
        TRY(check_report_files(reports));
        const Bytes nonce = TRY_IN("--nonce", parse_hex(c_.nonce));
        auto house = TRY(open_house());
        return show_report(*house, TRY(house->sample_content(nonce, c_.sample)), reports);
    }

    // What was found is shown even where a signed report of it can't be had.
    Result<int> show_report(House& house, const audit::Report& report, const std::vector<Path>& files) {
        if (!c_.json) out_ << report.to_text(german() ? "de" : "en") << std::flush;
        json printed = json::parse(report.to_json());
        Status written;
        if (!files.empty()) {
            const auto made = house.sign_report(report, {files, c_.language, actor(house)});
            if (!made.ok()) {
                written = made.error();
            } else if (c_.json) {
                printed["signed_report"] = {{"entry", made->entry.value}, {"files", made->files}};
            } else {
                out_ << "\n";
                for (const std::string& file : made->files)
                    out_ << file << say(": unterschrieben, vermerkt in Eintrag ", ": signed, noted in entry ")
                         << made->entry.value << "\n";
            }
        }
        if (c_.json) out_ << printed.dump() << "\n";
        TRY_IN("no signed report was written", std::move(written));
        return report.ok ? 0 : 1;
    }

    Result<int> renew() {
        auto house = TRY(open_house());
        const RenewalReport report = TRY(house->renew(c_.check));
        if (c_.json) {
            json done = json::array();
            for (const auto& d : report.done)
                done.push_back({{"number", d.number},
                                {"kind", d.hash_tree ? "hash-tree" : "time-stamp"},
                                {"algorithm", d.algorithm},
                                {"leaves", d.leaves}});
            json j = {{"done", std::move(done)},
                      {"time_stamps_due", report.time_stamps_due},
                      {"hash_trees_due", report.hash_trees_due}};
            if (report.next) j["next"] = format_rfc3339(*report.next);
            out_ << j.dump() << "\n";
            return 0;
        }
        for (const auto& d : report.done)
            out_ << (d.hash_tree ? say("Hashbaum erneuert mit ", "hash tree renewed with ")
                                 : say("Zeitstempel erneuert mit ", "time stamps renewed with "))
                 << d.algorithm << ": " << d.leaves << say(" Objekte\n", " objects\n");
        if (report.time_stamps_due + report.hash_trees_due != 0) {
            out_ << say("fällig: ", "due: ") << report.time_stamps_due << say(" Zeitstempel, ", " time stamps, ")
                 << report.hash_trees_due << say(" Hashbäume\n", " hash trees\n");
        } else {
            out_ << say("nichts ist fällig", "nothing is due")
                 << (report.next ? say("; das nächste am ", "; next on ") + format_rfc3339(*report.next).substr(0, 10)
                                 : "")
                 << "\n";
        }
        return 0;
    }

    Result<int> anchor_request() {
        auto house = TRY(open_house());
        TRY(replace_file(e_.fs, c_.out, TRY(house->stamp_request())));
        if (!c_.json)
            out_ << c_.out
                 << say(": zur Zeitstempelstelle tragen; ihre Antwort nimmt kustos anchor take\n",
                        ": carry it to the authority; kustos anchor take accepts its answer\n");
        return 0;
    }

    Result<int> anchor_take() {
        auto house = TRY(open_house());
        const Bytes tsr = TRY_IN("the answer", read_file(e_.fs, c_.paths.front(), audit::kMaxToken));
        const audit::AnchorSpan span = TRY(house->take_stamp(tsr, c_.name));
        if (c_.json) {
            out_ << json{{"previous", span.previous.value}, {"size", span.size.value}}.dump() << "\n";
        } else {
            out_ << say("Zeitstempel über die ersten ", "time stamp over the first ") << span.size.value
                 << say(" Einträge\n", " entries\n");
        }
        return 0;
    }

    Result<int> anchor_preview() {
        auto house = TRY(open_house());
        const std::int64_t configured = TRY(house->config().number("time_stamps.interval_seconds", 60, 1, 86'400));
        if (c_.interval_s < 0 || c_.interval_s > 86'400)
            return Error(Code::usage, "--interval takes 1 to 86400 seconds");
        if (c_.price < 0) return Error(Code::usage, "--price can't be negative");
        json rows = json::array();
        if (!c_.json)
            out_ << say("Abstand       höchstens je Tag   je Jahr      Kosten je Jahr  bewiesen nach spätestens\n",
                        "interval      at most a day      a year       cost a year     proven after at most\n");
        std::vector<std::int64_t> intervals = {60, 300, 3600, 86'400};
        const std::int64_t asked = c_.interval_s != 0 ? c_.interval_s : configured;
        if (std::find(intervals.begin(), intervals.end(), asked) == intervals.end()) intervals.push_back(asked);
        std::sort(intervals.begin(), intervals.end());
        AnchorPreview preview;
        for (const std::int64_t interval : intervals) {
            preview = TRY(house->preview_anchors(interval));
            const std::uint64_t year = preview.most_per_day * 365;
            const double cost = static_cast<double>(year) * c_.price;
            if (c_.json) {
                rows.push_back({{"interval_seconds", interval},
                                {"tokens_per_day_at_most", preview.most_per_day},
                                {"tokens_per_year_at_most", year},
                                {"cost_per_year_at_most", cost}});
                continue;
            }
            char line[160];
            std::snprintf(line, sizeof line, "%c %6lld s      %8llu       %10llu   %14.2f  %6lld s\n",
                          interval == asked ? '>' : ' ', static_cast<long long>(interval),
                          static_cast<unsigned long long>(preview.most_per_day), static_cast<unsigned long long>(year),
                          cost, static_cast<long long>(interval));
            out_ << line;
        }
        if (c_.json) {
            out_ << json{{"authorities", preview.authorities},
                         {"tokens_last_30_days", preview.last_30_days},
                         {"intervals", rows}}
                        .dump()
                 << "\n";
        } else {
            out_ << say("Stellen außer der eigenen: ", "authorities beside the archive's own: ") << preview.authorities
                 << say("; Zeitstempel in den letzten 30 Tagen: ", "; time stamps in the last 30 days: ")
                 << preview.last_30_days
                 << say(". Ohne neue Einträge wird keiner verlangt.\n", ". Without new entries none is asked for.\n");
        }
        return 0;
    }

    Result<int> receipt() {
        const EntryIndex entry = TRY(record_number(c_.record));
        auto house = TRY(open_house());
        const std::string proof = TRY(house->receipt(entry));
        if (c_.out.empty()) {
            out_ << proof;
            return 0;
        }
        const Bytes object = TRY(house->archive().ledger().entry_bytes(entry));
        TRY(replace_file(e_.fs, c_.out, as_bytes(proof)));
        const Path entry_file = Path(c_.out).replace_extension(".entry");
        TRY(replace_file(e_.fs, entry_file, object));
        if (c_.json) {
            out_ << json{{"proof", c_.out}, {"object", entry_file.string()}}.dump() << "\n";
        } else {
            out_ << "kustos-verify --tlog-proof " << c_.out << " --data " << entry_file.string() << " --trust "
                 << (house->archive().dir() / "trust.policy").string() << "\n";
        }
        return 0;
    }

    Result<int> audit_show() {
        const EntryIndex entry = TRY(record_number(c_.record));
        auto house = TRY(open_house());
        const auto fields = TRY(house->read_trail(actor(*house), c_.ground, entry));
        if (c_.json) {
            json j = json::object();
            for (const auto& [name, text] : fields) j[name] = text;
            out_ << json{{"entry", entry.value}, {"fields", j}}.dump(-1, ' ', false, json::error_handler_t::replace)
                 << "\n";
            return 0;
        }
        for (auto [name, text] : fields) {  // what somebody typed goes to a terminal
            std::replace_if(
                text.begin(), text.end(), [](char ch) { return ch != '\n' && (ch & 0xE0) == 0; }, '?');
            out_ << name << ": " << text << "\n";
        }
        return 0;
    }

    Result<int> witness_serve() {
        if (c_.port < 0 || c_.port > 65535) return Error(Code::usage, "--port takes 0 to 65535");
        const Path dir = c_.out.empty() ? state() / "witness" : Path(c_.out);
        auto witness = TRY(audit::Witness::open(e_, dir, c_.name));
        for (const std::string& log : c_.paths) TRY(witness->add_log(TRY_IN("--log", audit::VerifierKey::parse(log))));
        auto server = TRY(audit::serve_witness(c_.host, static_cast<std::uint16_t>(c_.port), *witness));
        install_interrupt_handler();
        if (c_.json) {
            out_ << json{{"url", server->url()}, {"key", witness->key().format()}, {"logs", witness->logs()}}.dump()
                 << std::endl;
        } else {
            out_ << say("Zeuge unter ", "witness at ") << server->url() << say(", Schlüssel ", ", key ")
                 << witness->key().format() << "\n"
                 << say("In config.yaml des Archivs, unter witnesses:\n  - \"",
                        "in the archive's config.yaml, under witnesses:\n  - \"")
                 << server->url() << " " << witness->key().format() << "\"\n";
            if (witness->logs() == 0)
                out_ << say("Noch kein Archiv eingetragen: --log SCHLUESSEL\n", "no ledger is known yet: --log KEY\n");
            out_ << std::flush;
        }
        while (!interrupt_requested()) usleep(100'000);
        return 0;
    }

    Result<int> evidence() {
        std::vector<EntryIndex> entries;
        for (const std::string& text : c_.paths) entries.push_back(TRY(record_number(text)));
        auto house = TRY(open_house());
        const Path dir = c_.out;
        TRY(e_.fs.make_dirs(dir));
        json list = json::array();
        for (const EvidenceFile& f : TRY(house->evidence_of(entries))) {
            const std::string name = audit::twelve_digits(f.entry.value);
            TRY(replace_file(e_.fs, dir / (name + ".ers"), f.record));
            TRY(replace_file(e_.fs, dir / (name + ".entry"), f.object));
            const std::string line = "kustos-verify --evidence-record " + (dir / (name + ".ers")).string() +
                                     " --data " + (dir / (name + ".entry")).string();
            if (c_.json) {
                list.push_back({{"entry", f.entry.value},
                                {"record", (dir / (name + ".ers")).string()},
                                {"object", (dir / (name + ".entry")).string()}});
            } else {
                out_ << line << "\n";
            }
        }
        if (c_.json) out_ << list.dump() << "\n";
        return 0;
    }

    Result<int> serve() {
        if (!c_.config.empty())
            return Error(Code::not_in_version, "--config is not in this version")
                .with_hint("config.yaml lies in the archive directory");
        const auto opener = TRY(OpenerChild::start_as_configured(e_, c_.archive, state()));
        auto house = TRY(open_house());
        if (opener) house->tell_of_opener([&opener](bool de) { return opener->words(de); });
        return kustos::app::serve(*house, c_.port, {out_, err_});
    }

    Result<int> go_on() {
        if (c_.archive.empty()) return Error(Code::usage, "which archive?").with_hint("give --archive DIR");
        if (!c_.yes)
            return Error(Code::usage,
                         "the archive will go on under a new name, and what is lost will stand in it for ever; this "
                         "can't be taken back")
                .with_hint("look for the newer state first (docs/operations.md, \"Rolled back\"); then --yes");
        HouseOptions options;
        options.archive = c_.archive;
        options.state = state();
        const ContinuationReport r = TRY(continue_archive(e_, std::move(options), c_.signer_keys));
        if (c_.json) {
            out_ << json{{"origin", r.origin},           {"previous_origin", r.previous_origin},
                         {"entries", r.entries},         {"remembered", r.remembered},
                         {"signer_lost", r.signer_lost}, {"shards_removed", r.shards_removed},
                         {"fingerprint", r.fingerprint}}
                        .dump()
                 << "\n";
            return 0;
        }
        out_ << say("Neuer Name:    ", "new name:      ") << r.origin << "\n"
             << say("Neuer Abdruck: ", "fingerprint:   ") << r.fingerprint << "\n"
             << say("Erhalten:      die ersten ", "kept:          the first ") << r.entries
             << say(" Einträge\n", " entries\n");
        if (r.remembered > r.entries)
            out_ << say("Verloren:      mindestens ", "lost:          at least ") << r.remembered - r.entries
                 << say(" Einträge; das steht jetzt in der Kette\n", " entries; the ledger says so now\n");
        if (r.signer_lost)
            out_ << say("Das Gedächtnis des Unterzeichners ist nicht lesbar: es kann mehr verloren sein.\n",
                        "The signer's memory can't be read: more may be lost.\n");
        out_ << say(
            "Weiter: den neuen Fingerabdruck veröffentlichen; Zeugen die neue Zeile `log` aus trust.policy geben; "
            "alle Quellen\num erneutes Senden bitten (was schon da ist, wird erkannt); kustos verify.\n",
            "Next: publish the new fingerprint; give witnesses the new line `log` of trust.policy; ask all sources "
            "to send again\n(what is there is recognised); kustos verify.\n");
        return 0;
    }

    Result<int> signer_serve() {
        audit::SignerServiceOptions options;
        options.socket = c_.socket;
        options.new_keys = c_.signer_keys;
        if (!c_.name.empty()) {
            const passwd* user = getpwnam(c_.name.c_str());
            if (user == nullptr) return Error(Code::usage, "there is no user " + c_.name);
            options.caller = user->pw_uid;
        }
        const auto signer = TRY(audit::FileSigner::open(e_, c_.out));
        install_interrupt_handler();
        options.listening = [&] {
            if (c_.json) {
                out_ << json{{"socket", c_.socket.string()}, {"key", signer->verifier().format()}}.dump() << std::endl;
            } else {
                out_ << say("Der Unterzeichner wartet an ", "the signer waits at ") << c_.socket.string() << "\n"
                     << say("Für config.yaml:\nsigner:\n  socket: ", "for config.yaml:\nsigner:\n  socket: ")
                     << c_.socket.string() << std::endl;
            }
        };
        TRY(audit::serve_signer(*signer, options, interrupt_requested));
        return 0;
    }

    Result<int> key_rotate() {
        auto house = TRY(open_house());
        const std::string key = TRY(house->rotate_key(c_.signer_keys));
        if (c_.json) {
            out_ << json{{"key", key}}.dump() << "\n";
        } else {
            out_ << say("Ab jetzt unterschreibt ", "from now on signs ") << key << "\n"
                 << say("Der veröffentlichte Fingerabdruck bleibt gültig. Zeugen brauchen die neue Zeile: --log ",
                        "The published fingerprint stays valid. Witnesses need the new line: --log ")
                 << key << "\n";
        }
        return 0;
    }

    Result<int> trust_key() {
        if (e_.fs.exists(c_.out)) return Error(Code::conflict, c_.out + " exists; a key is never overwritten");
        const SecretBytes seed = SecretBytes::random(e_.random, 32);
        const audit::SignerKey key = TRY(audit::SignerKey::make(c_.name, seed.view()));
        TRY(replace_file(e_.fs, c_.out, key.format().view()));
        out_ << (c_.json ? json{{"key", key.verifier().format()}}.dump() : key.verifier().format()) << "\n";
        return 0;
    }

    Result<int> trust_sign() {
        const audit::SignerKey key =
            TRY_IN("the key file", audit::SignerKey::parse(TRY(read_file(e_.fs, c_.key_file, 4096))));
        const Bytes bytes = TRY_IN("the trust file", read_file(e_.fs, c_.paths.front(), audit::kMaxTrustFile));
        const audit::Trust trust = TRY(audit::parse_trust(as_text(bytes)));
        if (trust.signature_ignored) return Error(Code::usage, "this file is signed already: sign the text itself");
        std::string text = to_text(bytes);
        if (text.back() != '\n') text += '\n';
        if (std::any_of(text.begin(), text.end(), [](char ch) { return ch != '\n' && (ch & 0xE0) == 0; }))
            return Error(Code::usage, "a signed file has no tabs and no other control characters");
        TRY(replace_file(e_.fs, c_.out, as_bytes(audit::sign_note(text, key))));
        return 0;
    }

    Result<int> tsa_serve() {
        if (c_.port < 0 || c_.port > 65535) return Error(Code::usage, "--port takes 0 to 65535");
        const Path dir = state() / "tsa-serve";
        std::unique_ptr<audit::BuiltinAuthority> authority;
        if (e_.fs.exists(dir / "tsa.key")) {
            authority = TRY(audit::BuiltinAuthority::open(e_, dir));
        } else {
            authority = TRY(audit::BuiltinAuthority::create(e_, dir));
        }
        auto server = TRY(audit::serve_time_stamps("127.0.0.1", static_cast<std::uint16_t>(c_.port),
                                                   [&](ByteView tsq) { return authority->answer(tsq); }));
        install_interrupt_handler();
        if (c_.json) {
            out_ << json{{"url", server->url()}, {"root_sha256", authority->root_hash().hex()}}.dump() << std::endl;
        } else {
            out_ << say("Zeitstempel unter ", "time stamps at ") << server->url()
                 << say(" (zum Ausprobieren, nicht unabhängig)\n", " (for trials, not independent)\n") << std::flush;
        }
        while (!interrupt_requested()) usleep(100'000);
        return 0;
    }

    Result<int> account_set() {
        const SecretBytes password = TRY(read_secret(e_, c_.password_file, "password"));
        auto house = TRY(open_house());
        TRY(house->accounts().set_password(c_.name, to_text(password.view())));
        TRY(house->archive().record_control(audit::ControlAction::account_added, [](audit::Body&) {}));
        if (!c_.json) out_ << say("Passwort gesetzt\n", "password set\n");
        return 0;
    }

    Environment e_;
    House* running_;
    const Call& c_;
    const CallSecrets* brought_;
    CallSecrets own_;
    std::ostream& out_;
    std::ostream& err_;
};

}  // namespace

namespace {
int finish(Result<int> code, const Call& call, Streams streams) {
    streams.out.flush();
    if (code.ok()) return *code;
    streams.err << refusal_text(code.error(), call.language);
    if (code.error().code() == Code::closed && !call.archive.empty()) {
        RealFs fs;  // whatever disk the archive is on: the words are for a person at this machine
        if (const auto slots = vault::read_slot_facts(fs, call.archive); slots.ok()) {
            for (const std::string& way : ways_to_open(*slots, call.language == Language::german))
                streams.err << "  " << way << "\n";
        }
    }
    return exit_code(code.error().code());
}
}  // namespace

int run_command(Environment environment, const Call& call, Streams streams) {
    if (const auto code = run_remotely(environment, call, streams)) return *code;
    return finish(Command(environment, nullptr, call, nullptr, streams).run(), call, streams);
}

int run_command_in(House& house, const Call& call, const CallSecrets& secrets, Streams streams) {
    std::unique_ptr<VaultDoor::Opening> opening;
    if (secrets.unlock && call.command != "unlock") {
        auto opened = house.door().open(*secrets.unlock, call.actor);
        if (!opened.ok()) return finish(std::move(opened).error(), call, streams);
        opening = std::move(*opened);
    }
    return finish(Command(house.environment(), &house, call, &secrets, streams).run(), call, streams);
}

}  // namespace kustos::app
