#include "app/bring_secret.h"

#include <unistd.h>

#include <algorithm>
#include <iostream>

#include "vault/archive.h"
#include "vault/slots.h"

namespace kustos::app {

using vault::ShareSecrets;
using vault::SlotFacts;
using vault::SlotKind;
using vault::UnlockSecret;

namespace {

constexpr std::int64_t kPromptPatience = 5LL * 60 * 1000;
constexpr std::size_t kMaxShareFile = 64 * 1024;

bool terminal() {
    return isatty(STDIN_FILENO) != 0 && isatty(STDERR_FILENO) != 0;
}

Result<std::vector<SlotFacts>> facts_of(Environment e, const Call& c) {
    if (c.archive.empty()) return Error(Code::usage, "which archive?").with_hint("give --archive DIR");
    return vault::read_slot_facts(e.fs, c.archive);
}

const SlotFacts* find(const std::vector<SlotFacts>& facts, SlotKind kind) {
    const auto found = std::find_if(facts.begin(), facts.end(), [kind](const SlotFacts& f) { return f.kind == kind; });
    return found == facts.end() ? nullptr : &*found;
}

// A file of one share or of several, with an empty line between two.
void add_texts(ByteView bytes, std::vector<SecretBytes>& texts) {
    std::size_t begin = 0;
    const auto end_at = [&](std::size_t end) {
        const ByteView part = bytes.subspan(begin, end - begin);
        if (std::any_of(part.begin(), part.end(), [](std::uint8_t c) { return c > ' '; })) texts.emplace_back(part);
    };
    for (std::size_t i = 0; i + 1 < bytes.size(); ++i) {
        const bool empty_line =
            bytes[i] == '\n' &&
            (bytes[i + 1] == '\n' || (bytes[i + 1] == '\r' && i + 2 < bytes.size() && bytes[i + 2] == '\n'));
        if (!empty_line) continue;
        end_at(i);
        begin = i + 1;
    }
    end_at(bytes.size());
}

Status read_share_file(Environment e, const std::string& file, std::vector<SecretBytes>& texts) {
    if (file == "-") {
        Bytes bytes;
        for (char c = 0; std::cin.get(c) && bytes.size() < kMaxShareFile;)
            bytes.push_back(static_cast<std::uint8_t>(c));
        add_texts(bytes, texts);
        wipe(bytes);
        return {};
    }
    auto bytes = read_file(e.fs, file, kMaxShareFile);
    if (!bytes.ok()) return Error(Code::usage, "the share file " + file + " can't be read");
    add_texts(*bytes, texts);
    wipe(*bytes);
    return {};
}

Result<UnlockSecret> ceremony(vault::ShareDesk& desk, bool german, Streams s) {
    auto shares = hold_ceremony(desk, STDIN_FILENO, kCeremonyPatience, german, s.err);
    if (!shares) return Error(Code::interrupted, "the ceremony was broken off");
    return UnlockSecret(std::move(*shares));
}

Result<vault::ShareDesk> desk_of(Environment e, const Call& c) {
    const auto facts = TRY(facts_of(e, c));
    const SlotFacts* slot = find(facts, SlotKind::shares);
    if (slot == nullptr) return Error(Code::usage, "this archive has no shares").with_hint("kustos key status");
    return vault::ShareDesk(TRY(vault::Archive::vault_of(e.fs, c.archive)), *slot->shares);
}

Result<UnlockSecret> bring_shares(Environment e, const Call& c, Streams s) {
    const bool german = c.language == Language::german;
    vault::ShareDesk desk = TRY(desk_of(e, c));
    if (c.share_files.empty() || (c.share_files.size() == 1 && c.share_files[0] == "-" && terminal()))
        return ceremony(desk, german, s);
    std::vector<SecretBytes> texts;
    for (const std::string& file : c.share_files) TRY(read_share_file(e, file, texts));
    std::string wrong;
    for (const SecretBytes& text : texts) {
        const vault::ShareAnswer answer = desk.give(text.view());
        if (answer.kind != vault::ShareAnswer::Kind::good)
            wrong += (wrong.empty() ? "" : "; ") + share_answer_text(answer, german);
    }
    if (!wrong.empty() && !desk.enough()) {
        if (desk.have() == 0 || c.command != "unlock") return Error(Code::denied, wrong);
    }
    if (!wrong.empty()) s.err << "kustos: " << wrong << "\n";
    if (desk.have() == 0) return Error(Code::usage, german ? "kein Anteil wurde gegeben" : "no share was given");
    ShareSecrets shares;
    shares.texts = desk.texts();
    return UnlockSecret(std::move(shares));
}

Result<SecretBytes> prompt(const char* what, Streams s) {
    if (!terminal()) return Error(Code::usage, "there is no terminal to ask at").with_hint("kustos unlock --help");
    s.err << what << ": " << std::flush;
    auto typed = read_quietly(STDIN_FILENO, kPromptPatience);
    if (!typed || typed->empty()) return Error(Code::interrupted, "nothing was typed");
    return std::move(*typed);
}

// `unlock` alone: the one way that there is; where there are several, the caller says which.
Result<UnlockSecret> what_is_asked(Environment e, const Call& c, Streams s) {
    const bool german = c.language == Language::german;
    std::vector<SlotFacts> ways = TRY(facts_of(e, c));
    ways.erase(
        std::remove_if(ways.begin(), ways.end(), [](const SlotFacts& f) { return f.kind == SlotKind::automatic; }),
        ways.end());
    if (ways.empty()) return UnlockSecret(vault::AutomaticSecret{});
    if (ways.size() > 1) {
        std::string options;
        for (const SlotFacts& f : ways) {
            static const char* const kOptions[] = {"", "", "--passphrase-file -", "--share-file -", "--tpm", "--token"};
            options += (options.empty() ? "" : ", ") + std::string(kOptions[static_cast<int>(f.kind)]);
        }
        return Error(Code::usage, german ? "dieses Archiv lässt sich auf mehrere Arten öffnen"
                                         : "this archive can be opened in several ways")
            .with_hint(options);
    }
    switch (ways[0].kind) {
        case SlotKind::shares: {
            if (!terminal())
                return Error(Code::usage, "there is no terminal for the holders").with_hint("--share-file F, repeated");
            vault::ShareDesk desk = TRY(desk_of(e, c));
            return ceremony(desk, german, s);
        }
        case SlotKind::tpm: {
            vault::TpmSecret secret;
            if (ways[0].with_pin) secret.pin = TRY(prompt(german ? "PIN des TPM" : "the TPM's PIN", s));
            return UnlockSecret(std::move(secret));
        }
        case SlotKind::pkcs11:
            return UnlockSecret(vault::TokenSecret{});
        default:
            return UnlockSecret(
                vault::PassphraseSecret{TRY(prompt(german ? "Passwort des Tresors" : "the vault's passphrase", s))});
    }
}

Result<std::optional<UnlockSecret>> unlock_secret(Environment e, const Call& c, Streams s) {
    const int ways = !c.passphrase_file.empty() + !c.share_files.empty() + c.tpm + c.token;
    if (ways > 1) return Error(Code::usage, "one way of opening the vault at a time");
    if (!c.passphrase_file.empty()) {
        if (c.passphrase_file == "-" && c.command == "unlock" && terminal())
            return std::optional<UnlockSecret>(vault::PassphraseSecret{
                TRY(prompt(c.language == Language::german ? "Passwort des Tresors" : "the vault's passphrase", s))});
        return std::optional<UnlockSecret>(
            vault::PassphraseSecret{TRY(read_secret(e, c.passphrase_file, "passphrase"))});
    }
    if (!c.share_files.empty()) return std::optional<UnlockSecret>(TRY(bring_shares(e, c, s)));
    if (c.tpm) {
        vault::TpmSecret secret;
        if (!c.pin_file.empty()) secret.pin = TRY(read_secret(e, c.pin_file, "PIN"));
        return std::optional<UnlockSecret>(std::move(secret));
    }
    if (c.token) {
        // The running server reads it, from another folder.
        const std::string file = c.pin_file.empty() ? "" : std::filesystem::absolute(c.pin_file).string();
        return std::optional<UnlockSecret>(vault::TokenSecret{file});
    }
    if (c.command == "unlock") return std::optional<UnlockSecret>(TRY(what_is_asked(e, c, s)));
    return std::optional<UnlockSecret>();
}

void put_part(std::uint8_t*& at, ByteView part) {
    store_u16(at, static_cast<std::uint16_t>(part.size()));
    std::copy(part.begin(), part.end(), at + 2);
    at += 2 + part.size();
}

}  // namespace

Result<CallSecrets> bring_secrets(Environment e, const Call& c, Streams s) {
    CallSecrets out;
    if (c.command != "init") out.unlock = TRY(unlock_secret(e, c, s));
    if (!c.new_passphrase_file.empty()) out.new_passphrase = TRY(read_secret(e, c.new_passphrase_file, "passphrase"));
    if (!c.new_pin_file.empty()) out.new_pin = TRY(read_secret(e, c.new_pin_file, "PIN"));
    return out;
}

// Three parts, each u16 length and bytes: what opens (empty: nothing), the new passphrase, the new PIN.
SecretBytes encode(const CallSecrets& secrets) {
    const SecretBytes unlock = secrets.unlock ? encode_secret(*secrets.unlock) : SecretBytes();
    SecretBytes out(6 + unlock.size() + secrets.new_passphrase.size() + secrets.new_pin.size());
    std::uint8_t* at = out.writable().data();
    put_part(at, unlock.view());
    put_part(at, secrets.new_passphrase.view());
    put_part(at, secrets.new_pin.view());
    return out;
}

Result<CallSecrets> decode_call_secrets(ByteView bytes) {
    ByteReader in(bytes);
    CallSecrets out;
    const ByteView unlock = TRY(in.take(TRY(in.u16())));
    if (!unlock.empty()) out.unlock = TRY(vault::decode_secret(unlock));
    out.new_passphrase = SecretBytes(TRY(in.take(TRY(in.u16()))));
    out.new_pin = SecretBytes(TRY(in.take(TRY(in.u16()))));
    TRY(in.expect_end());
    return out;
}

}  // namespace kustos::app
