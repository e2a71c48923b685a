#include "app/house.h"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "app/backup_commands.h"
#include "app/key_commands.h"
#include "app/src/house_ports.h"
#include "app/src/key_words.h"
#include "audit/anchors.h"
#include "audit/judge_token.h"
#include "audit/key_history.h"
#include "audit/net/signer_service.h"
#include "audit/net/tsa_client.h"
#include "audit/net/witness_client.h"
#include "audit/verify_archive.h"
#include "base/log.h"
#include "vault/opener_client.h"

namespace kustos::app {

namespace {

constexpr std::uint64_t kMaxConfig = 64 * 1024;

const std::vector<std::string_view>& known_keys() {
    static const std::vector<std::string_view> keys = {
        "name",
        "attachments.clamav",
        "attachments.ocr",
        "attachments.ocr_languages",
        "authority",
        "escrow.dir",
        "escrow.keep_days",
        "forward_state.minutes",
        "harden",
        "index.lanes",
        "language",
        "opener.key",
        "opener.socket",
        "opener.start",
        "opener.state",
        "opener.user",
        "time_zone",
        "time_stamps.authorities",
        "time_stamps.interval_seconds",
        "time_stamps.required",
        "signer.socket",
        "suite",
        "trust.file",
        "trust.key",
        "web.port",
        "witnesses",
    };
    return keys;
}

}  // namespace

Path default_state_dir() {
    if (const char* xdg = std::getenv("XDG_STATE_HOME"); xdg != nullptr && *xdg == '/') return Path(xdg) / "kustos";
    if (geteuid() == 0) return "/var/lib/kustos";
    if (const char* home = std::getenv("HOME"); home != nullptr && *home == '/')
        return Path(home) / ".local" / "state" / "kustos";
    return "kustos-state";
}

std::string config_template(const std::vector<std::string>& authorities, const std::string& suite,
                            const std::string& escrow) {
    std::string text =
        "# Kustos: settings of this archive. Keys that are not known are refused, never ignored.\n"
        "\n"
        "# Shown on bundles and pages.\n"
        "name: Zentralarchiv\n"
        "authority: \"\"\n"
        "language: de            # de or en\n"
        "time_zone: Europe/Berlin\n"
        "\n"
        "time_stamps:\n"
        "  # builtin (the archive's own, for trials: it proves order, not time, and is never called independent)\n"
        "  # or addresses of RFC 3161 authorities, with name=, policy=, proxy=, ca=, certificate=, key=, user=,\n"
        "  # password_file= behind them. All are asked; one that does not answer is asked again, later each time.\n"
        "  authorities:\n";
    for (const std::string& a : authorities) text += "    - " + a + "\n";
    if (authorities.empty()) text += "    []\n";
    text +=
        "  required: 1           # so many of them must have stamped before `status` is content\n"
        "  interval_seconds: 60  # at most one checkpoint is published in this time; each costs a token of each "
        "authority\n"
        "\n"
        "# Another medium that keeps what opens the content (docs/operations.md, \"Escrow\"). Without one, losing "
        "this\n"
        "# machine loses the content, backups or not. Old keys stay there for so many days, and with them what was\n"
        "# erased meanwhile.\n" +
        std::string(escrow.empty() ? "# escrow:\n#   dir: /mnt/escrow\n#   keep_days: 35\n"
                                   : "escrow:\n  dir: \"" + escrow + "\"\n  keep_days: 35\n") +
        "\n"
        "# The signer in a process of its own: `kustos signer serve --dir STATE/VAULT/signer --socket ...`\n"
        "# signer:\n"
        "#   socket: /run/kustos/signer.sock\n"
        "\n"
        "# The opener in a process of its own (docs/operations.md): `kustos opener serve --archive DIR --socket ...`\n"
        "# opener:\n"
        "#   socket: /run/kustos/opener.sock\n"
        "#   start: true            # `kustos serve` starts it, and again when it ends; it is closed then\n"
        "#   user: kustos-opener    # as whom, where the server is root; state: and key: as its options\n"
        "\n"
        "# The trust file of whoever decides here which authorities are qualified and when digests end\n"
        "# (docs/format/trust.md), and the key that must have signed it.\n"
        "# trust:\n"
        "#   file: /etc/kustos/trust.policy\n"
        "#   key: authority.example/trust+...\n"
        "\n"
        "# Witnesses, \"ADDRESS KEY\" each, as `kustos witness serve` shows them: machines of somebody else (data "
        "protection\n"
        "# officer, partner authority) that see every published checkpoint and notice if the archive is rolled back.\n"
        "witnesses: []\n"
        "\n"
        "# The cipher of what is sealed from now on: aes-256-gcm (BSI TR-02102-1) or xchacha20.\n"
        "suite: " +
        suite +
        "\n"
        "\n"
        "# Attachments: pictures and scans are read by tesseract where it is installed (false: not), in these "
        "languages; "
        "a\n"
        "# clamd on this machine is asked about each, if there is one here. Its verdict is shown, nothing is deleted.\n"
        "# attachments:\n"
        "#   ocr: true\n"
        "#   ocr_languages: deu+eng\n"
        "#   clamav: /run/clamav/clamd.ctl\n"
        "\n"
        "web:\n"
        "  port: 8443            # https, on loopback only in this version\n";
    return text;
}

namespace {
Result<Bytes> config_bytes(Fs& fs, const Path& archive) {
    auto bytes = read_file(fs, archive / "config.yaml", kMaxConfig);
    if (!bytes.ok() && bytes.error().code() == Code::not_found) return Bytes();
    return bytes;
}
}  // namespace

Result<Config> load_config(Fs& fs, const Path& archive) {
    const Bytes yaml = TRY(config_bytes(fs, archive));
    return Config::parse(as_text(yaml), known_keys());
}

House::House(Environment environment, HouseOptions options) : environment_(environment), options_(std::move(options)) {}
House::~House() = default;

Result<std::unique_ptr<House>> House::open(Environment environment, HouseOptions options) {
    auto house = std::unique_ptr<House>(new House(environment, std::move(options)));
    TRY(house->wire());
    return house;
}

namespace {
Result<audit::VerifierKey> introduced_key(const vault::Archive& archive) {
    const audit::Entry entry = TRY_IN("entry 0", archive.entry(EntryIndex(0)));
    const auto body = TRY(audit::BodyReader::parse(entry.body));
    return audit::VerifierKey::parse(body.find_text(audit::Tag::vkey).value_or(""));
}
}  // namespace

Result<audit::KeyHistory> House::key_history() const {
    return audit::read_history(environment_.fs, options_.archive / "ledger", TRY(introduced_key(*archive_)));
}

Status House::wire() {
    const Bytes configuration = TRY(config_bytes(environment_.fs, options_.archive));
    config_ = TRY(Config::parse(as_text(configuration), known_keys()));
    witnesses_ = TRY(read_witnesses(config_));
    TRY(read_trust());
    TRY(read_attachment_settings());
    vault::OpenOptions open;
    open.before_writing = [this](vault::Archive& archive) { return look_at_witnesses(archive); };
    open.forward_memory = [this](const Path& state) { return keeper_.find(state); };
    open.state = options_.state;
    open.suite = TRY_IN("config.yaml, suite", suite_of(config_.text("suite", kDefaultSuite)));
    if (const Path medium = escrow_medium(); !medium.empty()) open.escrow = vault::escrow_in_folder(medium);
    if (const std::string socket = config_.text("signer.socket", ""); !socket.empty())
        open.signer = TRY_IN("config.yaml, signer.socket", audit::RemoteSigner::connect(socket));
    if (const std::string socket = config_.text("opener.socket", ""); !socket.empty()) {
        open.keys = std::make_unique<vault::RemoteKeys>(socket);
    } else {
        open.secret = std::move(options_.secret);
    }
    archive_ = TRY(vault::Archive::open(environment_, options_.archive, std::move(open)));
    options_.state = options_.state / archive_->vault_id().hex();
    if (TRY(key_history()).first().name != archive_->origin())
        return Error(Code::conflict, "a continuation was begun and not finished")
            .with_hint("kustos continue --yes, again");
    matters_ = std::make_unique<access::Matters>(*archive_);
    matters_->check_scopes_with(
        [this](const std::string& scope, std::span<const EntryIndex> ids) { return expect_in_scope(scope, ids); });
    opener_ = std::make_unique<vault::Opener>(*archive_, *matters_);
    const Path access_db = options_.archive / "access.db";
    accounts_ = std::make_unique<access::Accounts>(TRY(access::Accounts::open(access_db, environment_.random)));
    tokens_ = std::make_unique<access::PushTokens>(TRY(access::PushTokens::open(access_db, environment_.random)));
    stream_memory_ = TRY(vault::StreamMemory::open(options_.archive / "vault" / "streams.db", archive_->vault_id(),
                                                   environment_.random));
    tallies_ = std::make_unique<Tallies>(*archive_, *stream_memory_);
    keys_ = std::make_unique<Keys>(*archive_);
    census_ = std::make_unique<Census>(*archive_);
    feed_ = std::make_unique<Feed>(*archive_, *opener_);
    text_ = std::make_unique<SandboxText>(*this);
    searcher_ = std::make_unique<search::Searcher>(environment_.fs, options_.archive / "index", *keys_);
    reviews_ = std::make_unique<ReviewDesk>(*archive_);
    door_ = std::make_unique<VaultDoor>(environment_, *archive_,
                                        VaultDoor::Watch{[this] {
                                                             const std::lock_guard lock(index_mutex_);
                                                             if (!indexer_) return;
                                                             if (auto first = first_to_index(); first.ok())
                                                                 next_to_index_ = *first;  // what was deferred
                                                         },
                                                         [this] {
                                                             searcher_->forget();
                                                             reviews_->forget();
                                                         }});

    if (options_.secret && archive_->keys().apart()) own_opening_ = TRY(door_->open(*options_.secret, options_.actor));
    TRY(note_configuration(configuration));

    // A rotation that a crash interrupted; else the old key would go on signing beside the announced one.
    if (const auto waiting = TRY_IN("signer", archive_->signer().waiting_key())) {
        const auto rotations = TRY(audit::read_rotations(environment_.fs, options_.archive / "ledger"));
        const auto named = rotations.empty() ? Result<audit::VerifierKey>(Error(Code::not_found, ""))
                                             : audit::announced_key(rotations.back().entry);
        if (named.ok() && *named == *waiting) TRY(finish_rotation(*waiting));
    }
    for (const std::string& a : config_.list("time_stamps.authorities")) {
        if (a == "builtin") {
            auto builtin = TRY_IN("builtin time-stamp authority",
                                  audit::BuiltinAuthority::open(environment_, options_.state / "tsa"));
            choices_.push_back({builtin.get(), builtin->trust()});
            authorities_.push_back(std::move(builtin));
        } else {
            TRY(add_authority(a));
        }
    }
    return {};
}

Status House::read_trust() {
    const std::string file = config_.text("trust.file", "");
    if (file.empty()) return {};
    const std::string vkey = config_.text("trust.key", "");
    if (vkey.empty())
        return Error(Code::usage, "config.yaml, trust: file needs key")
            .with_hint("the verifier key of who signed the file (kustos trust key)");
    const audit::VerifierKey key = TRY_IN("config.yaml, trust.key", audit::VerifierKey::parse(vkey));
    const Bytes bytes = TRY_IN("config.yaml, trust.file", read_file(environment_.fs, file, audit::kMaxTrustFile));
    trust_digest_ = sha256(bytes);
    trust_ = TRY_IN("config.yaml, trust.file", audit::parse_trust(as_text(bytes), true, key));
    for (const auto& [algorithm, end] : trust_->digest_ends) algorithm_ends_[algorithm] = end;
    return {};
}

Result<EntryIndex> House::need_matter(const std::string& matter) {
    if (matter.empty()) {
        return Error(Code::usage, "no search without a matter: for which case is this?")
            .with_hint("kustos matter new --archive " + options_.archive.string() +
                       " --reference REFERENCE --ground 'LEGAL GROUND'");
    }
    return access::parse_matter_id(matter);
}

// --- status ------------------------------------------------------------------------------------------

Result<web::StatusReport> House::status(web::Language language) {
    const bool de = language == web::Language::german;
    web::StatusReport s;
    const vault::Head head = archive_->head();
    s.entries = head.size.value;
    s.records = archive_->count(audit::Kind::record);
    s.blobs = archive_->count(audit::Kind::blob);
    if (auto coverage = searcher_->coverage(*census_); coverage.ok()) {
        s.coverage = to_web(*coverage);
    } else if (coverage.error().code() == Code::closed) {
        const search::CensusNow now = TRY(census_->now());
        s.coverage.sealed = now.sealed;
        s.coverage.erased = now.erased_records;
        s.coverage_known = false;
    } else {
        return std::move(coverage).error();
    }
    const auto summary = TRY(search::summarise(environment_.fs, options_.archive / "index"));
    if (const auto found = summary.reasons.find("unreadable"); found != summary.reasons.end())
        s.quarantined = found->second;
    s.checkpoint_size = head.size;
    s.checkpoint_root = head.root;
    s.origin = archive_->origin();
    s.fingerprint = archive_->fingerprint();
    if (const auto published = archive_->newest_published()) s.published_size = published->size;
    const audit::AnchorStore anchors(environment_.fs, options_.archive / "ledger");
    const auto spans = TRY(anchors.list());
    std::size_t stamped_by = 0;
    if (const auto newest = audit::newest_anchor(spans)) {
        const audit::Anchor anchor = TRY(anchors.read(*newest));
        s.anchored_size = anchor.span.size;
        stamped_by = anchor.tokens.size();
        for (const audit::AnchorToken& token : anchor.tokens) {
            const auto facts = TRY(audit::read_token(token.token));
            if (!s.anchored_time || facts.gen_time < *s.anchored_time) s.anchored_time = facts.gen_time;
            if (!s.anchored_by.empty()) s.anchored_by += ", ";
            if (token.authority == audit::BuiltinAuthority::kName) {
                s.anchored_by += de ? "builtin (nicht unabhängig)" : "builtin (not independent)";
                continue;
            }
            s.anchored_by_others = true;
            s.anchored_by += token.authority;
            const auto verdict = audit::judge_token(token.token, facts.imprint, std::nullopt, trust_);
            if (verdict.ok() && verdict->level == audit::TimeLevel::qualified) {
                s.anchored_by += de ? " (qualifiziert)" : " (qualified)";
            } else {
                s.anchored_by += facts.claims_qualified ? (de ? " (qualifiziert nur nach eigener Angabe)"
                                                              : " (qualified by its own word only)")
                                                        : (de ? " (nicht qualifiziert)" : " (not qualified)");
            }
            if (facts.ess_v1)
                s.anchored_by += de ? ", an SHA-1 gebunden (ESSCertID v1)" : ", bound by SHA-1 (ESSCertID v1)";
        }
    }
    s.sources = TRY(source_reports());
    s.vault = archive_->unlock_state();
    const auto standing = door_->standing();
    if (standing) s.vault = vault_words(s.vault, standing, false);
    if (opener_words_) s.vault += "; " + opener_words_(de);
    s.read_only = archive_->read_only();
    const EscrowWords escrow = status_of_escrow(archive_->escrow_state(), environment_.clock.now(), de);
    s.escrow = escrow.line;
    if (!escrow.next_step.empty()) s.next_steps.push_back(escrow.next_step);

    const auto step = [&](const char* german, const char* english) {
        s.next_steps.emplace_back(de ? german : english);
    };
    if (s.read_only)
        step(
            "Das Archiv ist nur noch lesbar: Programm neu starten; scheitert das, `kustos verify` und den Datenträger "
            "prüfen.",
            "The archive is read-only: start the program again; if that fails, run `kustos verify` and check the "
            "disk.");
    if (s.sources.empty())
        step("Eine Quelle anlegen: kustos source add NAME --kind import",
             "Add a source: kustos source add NAME --kind import");
    if (archive_->matters().empty())
        step("Vor der ersten Suche einen Fall anlegen: kustos matter new --reference R --ground TEXT",
             "Before the first search, open a matter: kustos matter new --reference R --ground TEXT");
    const bool closed = !archive_->is_open();
    if (closed && archive_->keys().apart()) {  // whose slots are nobody's business here
        step("Der Tresor ist zu. Zum Suchen: kustos opener unlock.",
             "The vault is closed. To search: kustos opener unlock.");
    } else if (closed) {
        for (const std::string& way : ways_to_open(TRY(archive_->slots()), de))
            s.next_steps.push_back((de ? "Der Tresor ist zu. Zum Suchen: " : "The vault is closed. To search: ") + way);
    }
    if (archive_->unlock_state() == "open (auto)")
        step(
            "Entsperren steht auf auto: wer die Platte hat, kann alles lesen. Für echte Daten: kustos key rekey --add "
            "shares:3/5 "
            "--remove auto.",
            "Unlock is auto: whoever has the disk can read everything. For real data: kustos key rekey --add "
            "shares:3/5 --remove auto.");
    for (const web::SourceReport& source : s.sources) {
        if (source.missing == 0) continue;
        const std::string n = std::to_string(source.missing);
        s.next_steps.push_back(de ? "Quelle " + source.name + ": " + n +
                                        " gesendete Nachrichten fehlen hier; die Quelle um erneutes Senden bitten."
                                  : "Source " + source.name + ": " + n +
                                        " messages that it sent are missing here; ask it to send them again.");
    }
    for (const web::SourceReport& source : s.sources) {
        if (!source.problem.empty())
            s.next_steps.push_back((de ? "Quelle " : "Source ") + source.name + ": " + source.problem);
        if (source.open_findings == 0) continue;
        const std::string n = std::to_string(source.open_findings);
        s.next_steps.push_back(
            de ? "Quelle " + source.name + ": offene Befunde: " + n + " (kustos source findings " + source.name + ")"
               : "Source " + source.name + ": open findings: " + n + " (kustos source findings " + source.name + ")");
    }
    if (s.coverage.deferred != 0)
        step("Einige Aufzeichnungen sind noch nicht im Verzeichnis; `kustos ingest` oder `kustos serve` holt es nach.",
             "Some records are not indexed yet; `kustos ingest` or `kustos serve` does it.");
    if (s.anchored_size.value < s.published_size.value)
        step("Ein Prüfpunkt wartet noch auf seinen Zeitstempel; es wird weiter versucht.",
             "A checkpoint is waiting for its time stamp; it is tried again.");
    const std::int64_t required = TRY(config_.number("time_stamps.required", 1, 1, 64));
    if (s.anchored_size.value != 0 && static_cast<std::int64_t>(stamped_by) < required)
        step(
            "Der letzte Zeitstempel kommt von weniger Stellen als verlangt (time_stamps.required); die übrigen werden "
            "weiter gefragt.",
            "The last time stamp is of fewer authorities than required (time_stamps.required); the others are asked "
            "again.");
    for (const WitnessSeat& seat : witnesses_) {
        const std::string& name = seat.key.name;
        if (*seat.seen == WitnessSeat::Seen::away)
            s.next_steps.push_back(de ? "Der Zeuge " + name +
                                            " ist nicht zu erreichen: Solange merkt er nicht, wenn jemand eine ältere "
                                            "Kopie des Archivs zurückspielt."
                                      : "The witness " + name +
                                            " can't be reached: while this lasts it does not notice if somebody puts "
                                            "an older copy of the archive back.");
        if (*seat.seen == WitnessSeat::Seen::refuses)
            s.next_steps.push_back(de ? "Der Zeuge " + name +
                                            " unterschreibt nicht für dieses Archiv: Er muss dessen Schlüssel kennen "
                                            "(kustos witness serve --log)."
                                      : "The witness " + name +
                                            " does not sign for this archive: it must know its key (kustos witness "
                                            "serve --log).");
    }
    add_sandbox(s, summary.reasons, de);
    add_hygiene(s, de);
    if (s.anchored_by.find("builtin") != std::string::npos && authorities_.size() == 1) {
        step(
            "Zeitstempel kommen nur vom Archiv selbst. Für Beweise vor Gericht eine unabhängige Stelle eintragen "
            "(config.yaml).",
            "Time stamps are the archive's own. For evidence in court, enter an independent authority (config.yaml).");
    }
    return s;
}

Result<audit::Report> House::verify() {
    return verify_with({});
}

Result<std::vector<web::MatterReport>> House::matters() {
    std::vector<web::MatterReport> out;
    for (const access::Matter& m : TRY(matters_->list())) {
        out.push_back({m.entry, access::matter_id(m.entry), m.reference, m.ground, m.opened, m.closed, m.scope});
    }
    return out;
}

Result<bool> House::log_in(const std::string& name, const std::string& password) {
    return accounts_->check(name, password);
}

}  // namespace kustos::app
