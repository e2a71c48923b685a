#include "vault/slots.h"

#include <algorithm>

#include "vault/src/slot_devices.h"

namespace kustos::vault {

namespace {
constexpr std::size_t kMaxSlotFile = 64 * 1024;

Result<NewSlot> make_share_slot(Environment e, const SlotOrder& order, ByteView root, const VaultId& vault,
                                const std::optional<ShareSetInfo>& old) {
    const SecretBytes secret = SecretBytes::random(e.random, kShareBytes);
    ShareSetInfo info;
    if (old) {
        info.old = old->old;
        info.old.insert(info.old.begin(), {old->set, e.clock.now()});
        if (info.old.size() > kMostOldSets) info.old.resize(kMostOldSets);
    }
    // A number that no set before had: an old sheet must not pass for a damaged new one.
    const auto used = [&](std::uint32_t set) {
        return std::any_of(info.old.begin(), info.old.end(), [set](const auto& o) { return o.set == set; });
    };
    do {
        std::uint8_t bytes[4] = {};
        e.random.fill(bytes);
        info.set = load_u32(bytes) >> 8;
    } while (used(info.set));
    info.threshold = order.threshold;
    NewSlot made;
    made.shares = TRY(split_secret(secret.view(), order.threshold, order.count, info.set, e.random));
    for (const Share& share : made.shares) info.checks.push_back(share_check(vault, share));
    made.slot = TRY(make_slot(SlotKind::shares, secret.view(), Argon2Cost{0, 0}, root, vault, e.random, e.clock.now(),
                              encode(info)));
    return made;
}

std::string numbers_text(const ShareDesk& desk) {
    std::string out;
    for (const unsigned n : desk.numbers()) out += (out.empty() ? "" : " ") + std::to_string(n);
    return std::to_string(desk.need()) + "/" + std::to_string(desk.info().count()) + ": " + out;
}

Result<OpenedRoot> open_with_shares(const Slot& slot, const ShareSecrets& given, const VaultId& vault) {
    ShareDesk desk(vault, TRY_IN("keys/slots", decode_share_set(slot.details)));
    std::string wrong;
    for (const SecretBytes& text : given.texts) {
        const ShareAnswer answer = desk.give(text.view());
        if (answer.kind != ShareAnswer::Kind::good)
            wrong += (wrong.empty() ? "" : "; ") + share_answer_text(answer, false);
    }
    if (!desk.enough()) {
        if (!wrong.empty()) return Error(Code::denied, wrong);
        return Error(Code::usage, "shares are missing: " + std::to_string(desk.have()) + " of " +
                                      std::to_string(desk.need()) + " are there");
    }
    OpenedRoot opened;
    opened.root = TRY(open_slot(slot, TRY(desk.secret()).view(), vault));
    opened.method = "shares " + numbers_text(desk);
    return opened;
}

Result<SecretBytes> read_key_file(Fs& fs, const Path& file) {
    Bytes bytes = TRY_IN("keys/auto.key", read_file(fs, file, 64));
    SecretBytes key((ByteView(bytes)));
    wipe(bytes);
    if (key.size() != 32) return Error(Code::corrupt, "a key file has not 32 bytes");
    return key;
}
}  // namespace

Result<SlotOrder> parse_slot_order(std::string_view text) {
    SlotOrder order;
    const std::string_view word = text.substr(0, text.find(':'));
    const std::string_view rest = word.size() == text.size() ? "" : text.substr(word.size() + 1);
    const Error unknown = Error(Code::usage, "this way of unlocking is not known")
                              .with_hint("auto, passphrase, shares:K/N, tpm, tpm:ADDRESS, or a token's pkcs11: URI");
    const auto kind = slot_kind_by_name(word);
    if (!kind) return unknown;
    order.kind = *kind;
    switch (order.kind) {
        case SlotKind::automatic:
        case SlotKind::passphrase:
            if (!rest.empty()) return unknown;
            break;
        case SlotKind::shares: {
            const std::size_t slash = rest.find('/');
            const auto number = [](std::string_view digits) {
                unsigned n = 0;
                if (digits.empty() || digits.size() > 2) return n;
                for (const char c : digits) {
                    if (c < '0' || c > '9') return 0U;
                    n = n * 10 + static_cast<unsigned>(c - '0');
                }
                return n;
            };
            if (slash != std::string_view::npos) {
                order.threshold = number(rest.substr(0, slash));
                order.count = number(rest.substr(slash + 1));
            }
            if (order.threshold < 2 || order.threshold > order.count || order.count > kMostShares)
                return Error(Code::usage, "shares: 2 to 16 are made, and at least 2 of them are needed")
                    .with_hint("shares:3/5: three of five");
            break;
        }
        case SlotKind::tpm:
            order.address = TRY(tpm_address(rest.empty() ? std::string_view("tpm") : rest));
            break;
        case SlotKind::pkcs11:
            TRY(TokenUri::parse(text));
            order.address = std::string(text);
            break;
    }
    return order;
}

Result<NewSlot> make_slot(Environment e, const SlotOrder& order, ByteView root_key, const VaultId& vault,
                          const std::optional<ShareSetInfo>& old) {
    NewSlot made;
    switch (order.kind) {
        case SlotKind::automatic:
            made.key_file = SecretBytes::random(e.random, 32);
            made.slot = TRY(make_slot(order.kind, made.key_file.view(), Argon2Cost{0, 0}, root_key, vault, e.random,
                                      e.clock.now()));
            return made;
        case SlotKind::passphrase:
            made.slot = TRY(
                make_slot(order.kind, order.passphrase.view(), Argon2Cost{}, root_key, vault, e.random, e.clock.now()));
            return made;
        case SlotKind::shares:
            return make_share_slot(e, order, root_key, vault, old);
        case SlotKind::tpm:
            return make_tpm_slot(e, order, root_key, vault);
        case SlotKind::pkcs11:
            return make_token_slot(e, order, root_key, vault);
    }
    return Error(Code::internal, "a slot of no kind");
}

Status forget_slot(Environment e, const Slot& slot) {
    if (slot.kind != SlotKind::pkcs11) return {};
    const TokenDetails d = TRY_IN("keys/slots", decode_token_details(slot.details));
    TRY(check_module(d.uri.module));
    return TRY(HardwareToken::open(e.fs, d.uri))->forget_aes(d.uri.object);
}

Result<OpenedRoot> open_root(Environment e, const Path& keys_dir, const std::vector<Slot>& slots,
                             const UnlockSecret& secret, const VaultId& vault) {
    const SlotKind kind = slot_kind_for(secret);
    const auto slot = std::find_if(slots.begin(), slots.end(), [kind](const Slot& s) { return s.kind == kind; });
    if (slot == slots.end()) {
        std::string there;
        for (const Slot& s : slots) there += (there.empty() ? "" : ", ") + std::string(slot_kind_name(s.kind));
        return Error(Code::usage, "this archive has no slot of the kind " + std::string(slot_kind_name(kind)))
            .with_hint("it can be opened with: " + there);
    }
    if (const auto* shares = std::get_if<ShareSecrets>(&secret)) return open_with_shares(*slot, *shares, vault);
    OpenedRoot opened;
    opened.method = std::string(slot_kind_name(kind));
    if (const auto* p = std::get_if<PassphraseSecret>(&secret)) {
        opened.root = TRY(open_slot(*slot, p->passphrase.view(), vault));
    } else if (const auto* t = std::get_if<TpmSecret>(&secret)) {
        opened.root = TRY(open_tpm_slot(*slot, *t, vault));
    } else if (const auto* token = std::get_if<TokenSecret>(&secret)) {
        opened.root = TRY(open_token_slot(e, *slot, *token, vault));
    } else {
        opened.root = TRY(open_slot(*slot, TRY(read_key_file(e.fs, keys_dir / "auto.key")).view(), vault));
    }
    return opened;
}

Result<std::vector<Slot>> load_slots(Fs& fs, const Path& keys_dir) {
    const Bytes bytes = TRY_IN("keys/slots", read_file(fs, keys_dir / "slots", kMaxSlotFile));
    return decode_slots(bytes);
}

Status store_slots(Fs& fs, const Path& keys_dir, const std::vector<Slot>& slots) {
    return replace_file(fs, keys_dir / "slots", encode(slots));
}

std::vector<Slot> with_slot(std::vector<Slot> slots, Slot slot) {
    const auto place = std::find_if(slots.begin(), slots.end(), [&](const Slot& s) { return s.kind == slot.kind; });
    if (place == slots.end()) {
        slots.push_back(std::move(slot));
    } else {
        *place = std::move(slot);
    }
    return slots;
}

Result<std::vector<Slot>> without_slot(std::vector<Slot> slots, SlotKind kind) {
    const auto place = std::find_if(slots.begin(), slots.end(), [kind](const Slot& s) { return s.kind == kind; });
    if (place == slots.end())
        return Error(Code::usage, "there is no slot of the kind " + std::string(slot_kind_name(kind)));
    if (slots.size() == 1)
        return Error(Code::conflict, "this is the last slot: without it nothing could ever be opened again")
            .with_hint("add another one first: kustos key rekey --add KIND");
    slots.erase(place);
    return slots;
}

Result<SlotFacts> slot_facts(const Slot& slot) {
    SlotFacts facts;
    facts.kind = slot.kind;
    facts.made = slot.made;
    if (slot.kind == SlotKind::shares) facts.shares = TRY_IN("keys/slots", decode_share_set(slot.details));
    if (slot.kind == SlotKind::tpm) {
        const TpmDetails d = TRY_IN("keys/slots", decode_tpm_details(slot.details));
        facts.address = d.address;
        facts.with_pin = d.sealed.with_pin;
    }
    if (slot.kind == SlotKind::pkcs11) {
        const TokenDetails d = TRY_IN("keys/slots", decode_token_details(slot.details));
        facts.address = "token " + d.uri.token + ", key " + d.uri.object;
    }
    return facts;
}

UnlockSecret secret_of(const SlotOrder& order, const std::vector<Share>& shares) {
    switch (order.kind) {
        case SlotKind::automatic:
            return AutomaticSecret{};
        case SlotKind::passphrase:
            return PassphraseSecret{order.passphrase.clone()};
        case SlotKind::shares:
            break;
        case SlotKind::tpm:
            return TpmSecret{order.pin.clone(), order.owner.clone()};
        case SlotKind::pkcs11:
            return TokenSecret{};
    }
    ShareSecrets secrets;
    for (const Share& share : shares) secrets.texts.push_back(share_text(share));
    return secrets;
}

Result<std::vector<SlotFacts>> read_slot_facts(Fs& fs, const Path& archive) {
    std::vector<SlotFacts> facts;
    for (const Slot& slot : TRY(load_slots(fs, archive / "keys"))) facts.push_back(TRY(slot_facts(slot)));
    return facts;
}

}  // namespace kustos::vault
