#include "app/opener_commands.h"

#include <pwd.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <ostream>

#include "app/bring_secret.h"
#include "app/house.h"
#include "app/key_commands.h"
#include "app/search_worker.h"
#include "app/vault_door.h"
#include "app/walls.h"
#include "audit/ledger.h"
#include "base/progress.h"
#include "vault/opener_client.h"
#include "vault/opener_service.h"

namespace kustos::app {

using nlohmann::json;

namespace {

const char* say(const Call& c, const char* de, const char* en) {
    return c.language == Language::german ? de : en;
}

// Whose archive this is stands in its first entry.
Result<VaultId> vault_of(Fs& fs, const Path& archive) {
    const auto reader = TRY_IN("ledger", audit::LedgerReader::open(fs, archive / "ledger"));
    const audit::Entry entry = TRY(reader->entry(EntryIndex(0)));
    const auto id = TRY(audit::BodyReader::parse(entry.body)).find_bytes(audit::Tag::vault_id);
    if (!id) return Error(Code::corrupt, "the first entry names no vault");
    return VaultId::from(*id);
}

Result<std::string> introduced_vkey(Fs& fs, const Path& archive) {
    const auto reader = TRY_IN("ledger", audit::LedgerReader::open(fs, archive / "ledger"));
    const audit::Entry entry = TRY(reader->entry(EntryIndex(0)));
    return TRY(audit::BodyReader::parse(entry.body)).find_text(audit::Tag::vkey).value_or("");
}

Result<std::optional<std::uint32_t>> caller_of(const Call& c) {
    if (c.name.empty()) return std::optional<std::uint32_t>();
    const passwd* user = getpwnam(c.name.c_str());
    if (user == nullptr) return Error(Code::usage, "there is no user " + c.name);
    return std::optional<std::uint32_t>(user->pw_uid);
}

Status need_archive(const Call& c) {
    return c.archive.empty()
               ? Status(Error(Code::usage, "which archive?").with_hint("give --archive DIR, or set KUSTOS_ARCHIVE"))
               : ok_status();
}

Result<Path> socket_of(Environment e, const Call& c) {
    if (!c.socket.empty()) return c.socket;
    TRY(need_archive(c));
    const std::string socket = TRY(load_config(e.fs, c.archive)).text("opener.socket", "");
    if (socket.empty()) return Error(Code::usage, "config.yaml names no opener.socket").with_hint("give --socket FILE");
    return Path(socket);
}

// Keys stay where nobody else's files are: read the archive, write keys/ and the opener's own state.
WallRules walls_of(const Call& c, const Path& state, const Path& escrow) {
    WallRules rules;
    rules.accepts = true;
    rules.readable = {c.archive};
    rules.writable = {c.archive / "keys", state};
    std::error_code absent;
    if (!escrow.empty() && std::filesystem::is_directory(escrow, absent)) rules.writable.push_back(escrow);
    return rules;
}

// Behind the walls neither chip nor token can be reached: an erasure could be begun and never finished.
Status keys_in_files(Environment e, const Path& keys) {
    for (const std::string& name : TRY(e.fs.list(keys))) {
        if (!e.fs.exists(keys / name / "medium")) continue;
        return Error(Code::not_in_version,
                     "the key that must be forgotten is in a TPM or a token, which an opener "
                     "apart does not reach")
            .with_hint("kustos key rotate --epoch file, with opener.socket taken out of config.yaml");
    }
    return {};
}

}  // namespace

Result<int> opener_serve(Environment e, const Call& c, Streams s) {
    TRY(need_archive(c));
    TRY(keys_in_files(e, c.archive / "keys"));
    // First of all, while there are neither keys nor threads.
    std::error_code failed;
    const Path self = std::filesystem::read_symlink("/proc/self/exe", failed);
    auto nursery = TRY(Nursery::start({self.string(), "search-worker", "--archive", c.archive.string()}));
    vault::OpenerServiceOptions options;
    options.archive = c.archive;
    const VaultId vault = TRY(vault_of(e.fs, c.archive));
    options.state = (c.state.empty() ? default_state_dir() : c.state) / vault.hex() / "opener";
    if (!c.opener.key.empty()) options.key = TRY_IN("--key", audit::VerifierKey::parse(c.opener.key));
    options.rules = {c.opener.records_per_hour, c.opener.openings_per_minute, c.opener.searches_per_minute};
    const Path medium = c.escrow.empty() ? Path() : std::filesystem::absolute(c.escrow, failed);
    if (!medium.empty()) options.escrow = vault::escrow_in_folder(medium)(e, c.archive / "keys", vault);
    options.finder = std::make_unique<WorkerFinder>(std::move(nursery));
    const Path state = options.state;
    const auto caller = TRY(caller_of(c));
    const auto service = TRY(vault::OpenerService::open(e, std::move(options)));
    install_interrupt_handler();
    const auto listening = [&]() -> Status {
        const Walls walls = TRY(raise_walls(walls_of(c, state, medium)));
        service->set_walls([words = walls.describe()] {
            const std::string refused = refused_words();
            return refused.empty() ? words : words + "; refused so far: " + refused;
        });
        if (c.json) {
            s.out << json{{"socket", c.socket.string()},
                          {"key", service->ledger_key().format()},
                          {"walls", walls.describe()}}
                         .dump()
                  << std::endl;
            return {};
        }
        s.out << say(c, "Der Öffner wartet an ", "the opener waits at ") << c.socket.string() << "\n"
              << say(c, "Mauern: ", "walls: ") << walls.describe() << "\n"
              << say(c, "Er vertraut dem Archiv mit dem Schlüssel ", "it trusts the archive with the key ")
              << service->ledger_key().format() << "\n"
              << say(c, "Für config.yaml:\nopener:\n  socket: ", "for config.yaml:\nopener:\n  socket: ")
              << c.socket.string() << std::endl;
        return {};
    };
    TRY(vault::serve_opener(*service, c.socket, caller, listening, interrupt_requested));
    return 0;
}

Result<int> opener_status(Environment e, const Call& c, Streams s) {
    vault::RemoteKeys opener(TRY(socket_of(e, c)));
    TRY(opener.vault());
    const json facts = json::parse(TRY(opener.status_json()));
    if (c.json) {
        s.out << facts.dump() << "\n";
        return 0;
    }
    const auto row = [&s](const char* name, const std::string& value) { s.out << name << ": " << value << "\n"; };
    row(say(c, "Tresor", "vault"), facts.at("vault"));
    if (facts.at("open_until_ms") != 0)
        row(say(c, "offen bis", "open until"), format_rfc3339(UtcTime{facts.at("open_until_ms").get<std::int64_t>()}));
    row(say(c, "Ledger", "ledger"),
        facts.at("ledger").get<std::string>() + ", " + std::to_string(facts.at("ledger_size").get<std::uint64_t>()));
    row(say(c, "Verbindungen", "connections"), facts.at("sessions").dump());
    row(say(c, "Freigaben seit dem Start", "grants since the start"), facts.at("grants").dump());
    row(say(c, "Aufzeichnungen in der letzten Stunde", "records in the last hour"),
        facts.at("records_last_hour").dump());
    row(say(c, "abgelehnt, weil zu viel", "refused because too much"), facts.at("refused_by_rate").dump());
    row(say(c, "Mauern", "walls"), facts.at("walls"));
    return 0;
}

Result<int> opener_unlock(Environment e, const Call& c, Streams s) {
    vault::RemoteKeys opener(TRY(socket_of(e, c)));
    TRY(opener.vault());
    const std::int64_t ms = c.for_time.empty() ? kDefaultOpening : TRY(parse_duration(c.for_time));
    CallSecrets brought = TRY(bring_secrets(e, c, s));
    if (!brought.unlock)
        return Error(Code::usage, "with what?").with_hint("--passphrase-file, --share-file, --tpm or --token");
    if (ms <= 0 || ms > kLongestOpening) return Error(Code::usage, "the vault is opened for 1 second to 7 days");
    TRY(need_archive(c));
    const vault::AppendControl append = TRY(courier(e, c));
    TRY(opener.open_noted(*brought.unlock, static_cast<std::uint32_t>(ms / 1000), user_name(getuid()), append));
    s.out << say(c, "Der Tresor ist offen.\n", "the vault is open\n");
    return 0;
}

Result<int> opener_lock(Environment e, const Call& c, Streams s) {
    vault::RemoteKeys opener(TRY(socket_of(e, c)));
    TRY(opener.vault());
    TRY(need_archive(c));
    const auto append = courier(e, c);
    const Status closed =
        append.ok() ? opener.close_noted(user_name(getuid()), "key holder", *append) : Status(append.error());
    if (!closed.ok()) {
        opener.lock();  // closed all the same; its entry comes when the archive's process runs again
        s.err << say(c, "Der Tresor ist zu. Der Eintrag dazu folgt, wenn das Archiv wieder läuft.\n",
                     "the vault is closed; the entry for it follows when the archive runs again\n");
        return Error(closed.error());
    }
    s.out << say(c, "Der Tresor ist zu.\n", "the vault is closed\n");
    return 0;
}

bool keys_are_apart(Environment e, const Call& c) {
    if (c.archive.empty()) return false;
    const auto config = load_config(e.fs, c.archive);
    return config.ok() && !config->text("opener.socket", "").empty();
}

Result<int> opener_rekey(Environment e, const Call& c, Streams s) {
    vault::RemoteKeys opener(TRY(socket_of(e, c)));
    TRY(opener.vault());
    const Config config = TRY(load_config(e.fs, c.archive));
    const CallSecrets brought = TRY(bring_secrets(e, c, s));
    if (!brought.unlock)
        return Error(Code::usage, "slots of an opener apart are changed by who can open the vault")
            .with_hint("--passphrase-file or --share-file, whether it is open or not");
    const VaultId vault = TRY(vault_of(e.fs, c.archive));
    const std::string vkey = TRY(introduced_vkey(e.fs, c.archive));
    const vault::AppendControl append = TRY(courier(e, c));
    const SlotPlace place{e, config, [&] { return vault::read_slot_facts(e.fs, c.archive); },
                          [&](std::vector<vault::SlotOrder> add, const std::vector<vault::SlotKind>& remove,
                              const vault::HandOut& hand_out) {
                              vault::RekeyOrder order;
                              order.secret = vault::encode_secret(*brought.unlock);
                              order.actor = user_name(getuid());
                              order.add = std::move(add);
                              order.remove = remove;
                              return opener.rekey(
                                  order,
                                  [&](const std::vector<vault::Share>& shares) -> Status {
                                      if (!hand_out) return Error(Code::usage, "nobody takes the shares");
                                      return hand_out({vkey, vault, shares});
                                  },
                                  append);
                          }};
    return c.command == "key shares" ? key_shares(place, c, brought, s) : key_rekey(place, c, brought, s);
}

Result<int> opener_self_test(Environment e, const Call& c, Streams s) {
    std::error_code failed;
    const Path own = std::filesystem::temp_directory_path(failed) / ("kustos-walls-" + std::to_string(getpid()));
    const Path archive = own / "archive", state = own / "state";
    for (const Path& dir : {archive / "keys", state}) TRY(make_dirs_synced(e.fs, dir));
    TRY(replace_file(e.fs, archive / "a", as_bytes("a")));
    Call call = c;
    call.archive = archive;
    const Walls walls = TRY(raise_walls(walls_of(call, state, {})));
    bool all = true;
    json list = json::array();
    for (const WallTry& t : try_walls(archive / "a", state)) {
        all = all && t.holds;
        list.push_back({{"name", t.name}, {"holds", t.holds}});
        if (!c.json) s.out << (t.holds ? "holds  " : "FAILS  ") << t.name << "\n";
    }
    if (c.json) s.out << json{{"walls", walls.describe()}, {"tries", list}, {"all", all}}.dump() << "\n";
    return all ? 0 : 1;
}

}  // namespace kustos::app
