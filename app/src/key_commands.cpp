#include "app/key_commands.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

#include "app/backup_commands.h"
#include "app/house.h"
#include "app/src/key_words.h"
#include "app/src/share_sheets.h"

namespace kustos::app {

using nlohmann::json;
using vault::SlotFacts;
using vault::SlotKind;
using vault::SlotOrder;

namespace {

constexpr std::size_t kMaxSlotFile = 64 * 1024;

SheetOrder sheet_order(const Config& config, const Call& c, const std::string& dir) {
    SheetOrder order;
    order.dir = dir;
    order.language = c.language;
    order.archive_name = config.text("name", "");
    order.authority = config.text("authority", "");
    order.time_zone = config.text("time_zone", "Europe/Berlin");
    order.holders = c.holders;
    return order;
}

constexpr std::size_t kLeastPassphrase = 12;

Status check_passphrase(const SecretBytes& passphrase) {
    if (passphrase.size() >= kLeastPassphrase) return {};
    return Error(Code::usage, "a passphrase has at least 12 characters");
}

Result<SlotOrder> slot_order(const std::string& text, const CallSecrets& secrets) {
    SlotOrder order = TRY(vault::parse_slot_order(text));
    if (order.kind == SlotKind::passphrase) {
        if (secrets.new_passphrase.empty())
            return Error(Code::usage, "a passphrase slot needs --new-passphrase-file F, or - for standard input");
        TRY(check_passphrase(secrets.new_passphrase));
        order.passphrase = secrets.new_passphrase.clone();
    }
    if (order.kind == SlotKind::tpm) order.pin = secrets.new_pin.clone();
    return order;
}

Result<int> change_slots(const SlotPlace& place, const Call& c, std::vector<SlotOrder> add,
                         const std::vector<SlotKind>& remove, const std::string& sheets_dir, Streams s) {
    std::vector<std::string> files;
    vault::HandOut hand_out;
    if (!sheets_dir.empty()) hand_out = sheets_into(place.environment, sheet_order(place.config, c, sheets_dir), files);
    const Status changed = place.rekey(std::move(add), remove, hand_out);
    if (!changed.ok()) {
        for (const std::string& file : files) (void)place.environment.fs.remove(file);
        return Error(changed.error());
    }
    const auto slots = TRY(place.slots());
    if (c.json) {
        json kinds = json::array();
        for (const SlotFacts& f : slots) kinds.push_back(vault::slot_kind_name(f.kind));
        s.out << json{{"slots", kinds}, {"sheets", files}}.dump() << "\n";
        return 0;
    }
    const bool de = c.language == Language::german;
    if (!files.empty()) say_sheets(c, files, s.out);
    s.out << (de ? "Der Tresor lässt sich jetzt öffnen mit:\n" : "the vault can now be opened like this:\n");
    for (const std::string& way : ways_to_open(slots, de)) s.out << "  " << way << "\n";
    return 0;
}

json escrow_json(const vault::EscrowState& state) {
    json j = {{"configured", state.configured}};
    if (!state.configured) return j;
    j["generation"] = state.newest;
    j["present"] = state.present;
    j["behind"] = state.behind();
    j["medium_here"] = state.problem.empty();
    if (state.oldest != 0) j["oldest"] = state.oldest;
    if (state.stored) j["stored"] = format_rfc3339(*state.stored);
    return j;
}

}  // namespace

Result<int> unlock_vault(House& house, const Call& c, const CallSecrets& secrets, Streams s) {
    const std::int64_t ms = c.for_time.empty() ? kDefaultOpening : TRY(parse_duration(c.for_time));
    if (!secrets.unlock) return Error(Code::usage, "nothing was brought to open the vault with");
    const VaultDoor::Standing now = TRY(house.door().open_for(*secrets.unlock, ms, c.actor));
    const bool de = c.language == Language::german;
    if (c.json) {
        json j = {{"open", now.open}, {"until", format_rfc3339(now.until)}};
        if (now.need != 0) j["shares"] = {{"have", now.have}, {"need", now.need}};
        s.out << j.dump() << "\n";
    } else if (now.open) {
        s.out << (de ? "Der Tresor ist offen bis " : "the vault is open until ") << format_rfc3339(now.until)
              << (de ? "; früher schließen: kustos lock\n" : "; to close it earlier: kustos lock\n");
    } else {
        s.out << now.have << (de ? " von " : " of ") << now.need
              << (de ? " Anteilen sind da; die anderen bis " : " shares are there; the others until ")
              << format_rfc3339(now.until)
              << (de ? " geben, sonst werden diese vergessen\n" : ", or these are forgotten\n");
    }
    return now.open ? 0 : exit_code(Code::closed);
}

Result<int> lock_vault(House& house, const Call& c, Streams s) {
    const bool was_open = house.archive().is_open();
    TRY(house.door().close("key holder", c.actor));
    if (c.json) {
        s.out << json{{"open", false}, {"was_open", was_open}}.dump() << "\n";
    } else if (c.language == Language::german) {
        s.out << (was_open ? "Der Tresor ist zu.\n" : "Der Tresor war schon zu.\n");
    } else {
        s.out << (was_open ? "the vault is closed\n" : "the vault was closed already\n");
    }
    return 0;
}

Result<int> key_status(House& house, const Call& c, Streams s) {
    const auto slots = TRY(house.archive().slots());
    const vault::KeyState keys = house.archive().key_state();
    const Bytes file = TRY(read_file(house.environment().fs, house.archive().dir() / "keys" / "slots", kMaxSlotFile));
    const auto standing = house.door().standing();
    const vault::EscrowState escrow = house.archive().escrow_state();
    const bool de = c.language == Language::german;
    if (c.json) {
        json list = json::array();
        for (const SlotFacts& f : slots) {
            json j = {{"kind", vault::slot_kind_name(f.kind)}, {"strength", slot_strength(f, false)}};
            if (f.made.ms != 0) j["made"] = format_rfc3339(f.made);
            if (f.shares)
                j["shares"] = {{"set", vault::set_name(f.shares->set)},
                               {"need", f.shares->threshold},
                               {"made", f.shares->count()},
                               {"old_sets", f.shares->old.size()}};
            if (f.kind == SlotKind::tpm) j["pin"] = f.with_pin;
            if (!f.address.empty()) j["where"] = f.address;
            list.push_back(std::move(j));
        }
        json j = {{"vault", house.archive().unlock_state()},
                  {"slots", std::move(list)},
                  {"slots_sha256", sha256(file).hex()},
                  {"generation", keys.generation},
                  {"medium", keys.medium}};
        j["escrow"] = escrow_json(escrow);
        if (standing && standing->open) j["until"] = format_rfc3339(standing->until);
        if (standing && !standing->open) j["waiting_shares"] = {{"have", standing->have}, {"need", standing->need}};
        s.out << j.dump() << "\n";
        return 0;
    }
    s.out << (de ? "Tresor         " : "vault          ") << vault_words(house.archive().unlock_state(), standing, de)
          << "\n";
    for (const SlotFacts& f : slots) {
        s.out << (de ? "Zugang         " : "slot           ") << vault::slot_kind_name(f.kind);
        if (f.shares)
            s.out << " " << f.shares->threshold << "/" << f.shares->count() << (de ? ", Satz " : ", set ")
                  << vault::set_name(f.shares->set);
        if (!f.address.empty()) s.out << ", " << f.address;
        s.out << (de ? ", angelegt " : ", made ")
              << (f.made.ms == 0 ? std::string(de ? "unbekannt" : "not known") : format_rfc3339(f.made)) << "\n"
              << "               " << slot_strength(f, de) << "\n";
    }
    s.out << (de ? "Zugangsdatei   SHA-256 " : "slots file     SHA-256 ") << sha256(file).hex() << "\n"
          << (de ? "Generation     " : "generation     ") << keys.generation << "\n"
          << (de ? "Vergessen      " : "forgetting     ") << medium_words(keys.medium, de) << "\n";
    const EscrowWords words = status_of_escrow(escrow, house.environment().clock.now(), de);
    s.out << (de ? "Hinterlegung   " : "escrow         ") << words.line << "\n";
    if (!words.next_step.empty()) s.err << "kustos: " << words.next_step << "\n";
    return 0;
}

namespace {
SlotPlace own_place(House& house) {
    return {house.environment(), house.config(), [&house] { return house.archive().slots(); },
            [&house](std::vector<SlotOrder> add, const std::vector<SlotKind>& remove, const vault::HandOut& hand_out) {
                return house.archive().rekey(add, remove, hand_out);
            }};
}
}  // namespace

Result<int> key_rekey(House& house, const Call& c, const CallSecrets& secrets, Streams s) {
    return key_rekey(own_place(house), c, secrets, s);
}
Result<int> key_shares(House& house, const Call& c, const CallSecrets& secrets, Streams s) {
    return key_shares(own_place(house), c, secrets, s);
}

Result<int> key_rekey(const SlotPlace& place, const Call& c, const CallSecrets& secrets, Streams s) {
    std::vector<SlotOrder> add;
    std::vector<SlotKind> remove;
    bool shares = false;
    for (const std::string& text : c.add) {
        add.push_back(TRY(slot_order(text, secrets)));
        shares = shares || add.back().kind == SlotKind::shares;
    }
    for (const std::string& text : c.remove) {
        const auto kind = vault::slot_kind_by_name(text);
        if (!kind) return Error(Code::usage, "--remove takes auto, passphrase, shares, tpm or pkcs11");
        remove.push_back(*kind);
    }
    if (add.empty() && remove.empty())
        return Error(Code::usage, "nothing to change").with_hint("--add KIND, --remove KIND; kustos key status");
    if (shares && c.shares_out.empty())
        return Error(Code::usage, "new shares need --shares-out DIR, where their sheets are written");
    return change_slots(place, c, std::move(add), remove, shares ? c.shares_out : "", s);
}

Result<int> key_shares(const SlotPlace& place, const Call& c, const CallSecrets&, Streams s) {
    SlotOrder order;
    order.kind = SlotKind::shares;
    for (const SlotFacts& f : TRY(place.slots())) {
        if (!f.shares) continue;
        order.threshold = f.shares->threshold;
        order.count = f.shares->count();
    }
    if (!c.unlock.empty()) {
        order = TRY(vault::parse_slot_order(c.unlock));
        if (order.kind != SlotKind::shares) return Error(Code::usage, "--as takes shares:K/N");
    }
    if (order.count == 0)
        return Error(Code::usage, "this archive has no shares").with_hint("kustos key rekey --add shares:3/5");
    std::vector<SlotOrder> add;
    add.push_back(std::move(order));
    return change_slots(place, c, std::move(add), {}, c.out, s);
}

Result<vault::CreateOptions> create_options(Environment e, const Call& c) {
    vault::CreateOptions options;
    options.unlock = c.unlock.empty() ? "auto" : c.unlock;
    const SlotOrder order = TRY(vault::parse_slot_order(options.unlock));
    if (order.kind == SlotKind::passphrase) {
        if (c.passphrase_file.empty())
            return Error(Code::usage, "--unlock passphrase needs --passphrase-file F, or - for standard input");
        options.passphrase = TRY(read_secret(e, c.passphrase_file, "passphrase"));
        TRY(check_passphrase(options.passphrase));
    }
    if (order.kind == SlotKind::tpm && !c.pin_file.empty()) options.pin = TRY(read_secret(e, c.pin_file, "PIN"));
    if (order.kind == SlotKind::shares && c.shares_out.empty())
        return Error(Code::usage,
                     "--unlock shares:K/N needs --shares-out DIR, where the sheets to be printed are written");
    return options;
}

}  // namespace kustos::app
