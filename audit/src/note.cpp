// Signed notes. The text format is C2SP's signed-note; golang.org/x/mod/sumdb/note is the reference for corner cases.
#include "audit/note.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "base/text.h"

namespace kustos::audit {

namespace {

constexpr std::string_view kDash = "\xE2\x80\x94 ";  // em dash, space
constexpr std::string_view kPrivate = "PRIVATE+KEY+";

Error refuse(const char* why) {
    return Error(Code::bad_input, std::string("note: ") + why);
}

bool is_note_text(std::string_view text) {
    const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\n'; };
    return !text.empty() && text.back() == '\n' && is_valid_utf8(text) &&
           std::none_of(text.begin(), text.end(), control);
}

std::string hex32(std::uint32_t value) {
    std::array<std::uint8_t, 4> bytes{};
    store_u32(bytes.data(), value);
    return hex(bytes);
}

std::uint32_t key_id_of(std::string_view name, const Ed25519Public& key, KeyType type) {
    const std::uint8_t tail[] = {0x0A, static_cast<std::uint8_t>(type)};
    return load_u32(sha256({as_bytes(name), tail, key.view()}).bytes.data());
}

struct KeyText {
    std::string_view name, id, base64;
};

// name+id+base64; base64 itself may contain plus signs, the name may not.
Result<KeyText> split_key(std::string_view text) {
    const std::size_t first = text.find('+');
    if (first == std::string_view::npos) return refuse("malformed key");
    const std::size_t second = text.find('+', first + 1);
    if (second == std::string_view::npos) return refuse("malformed key");
    return KeyText{text.substr(0, first), text.substr(first + 1, second - first - 1), text.substr(second + 1)};
}

Result<NoteSignature> parse_signature(std::string_view line) {
    if (line.substr(0, kDash.size()) != kDash) return refuse("malformed signature line");
    line.remove_prefix(kDash.size());
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos) return refuse("malformed signature line");
    NoteSignature signature;
    signature.name = std::string(line.substr(0, space));
    if (!is_key_name(signature.name)) return refuse("malformed key name");
    const Bytes blob = TRY_IN("note signature", parse_base64(line.substr(space + 1)));
    if (blob.size() < 5) return refuse("signature too short");
    signature.key_id = load_u32(blob.data());
    signature.signature.assign(blob.begin() + 4, blob.end());
    return signature;
}

// The type byte; nullopt for one that is not known here.
std::optional<KeyType> key_type(const Bytes& typed) {
    if (typed.size() != 33) return std::nullopt;
    if (typed[0] == static_cast<std::uint8_t>(KeyType::ed25519)) return KeyType::ed25519;
    if (typed[0] == static_cast<std::uint8_t>(KeyType::cosignature)) return KeyType::cosignature;
    return std::nullopt;
}

}  // namespace

std::string signature_line(const NoteSignature& signature) {
    Bytes blob;
    put_u32(blob, signature.key_id);
    put(blob, signature.signature);
    return std::string(kDash) + signature.name + " " + base64(blob) + "\n";
}

bool is_key_name(std::string_view name) {
    if (name.empty() || !is_valid_utf8(name)) return false;
    // Unicode's white space beyond ASCII, as UTF-8 (U+0085, U+00A0, U+1680, U+2000..200A, U+2028, U+2029, U+202F,
    // U+205F, U+3000).
    for (const char* space : {"\xC2\x85", "\xC2\xA0", "\xE1\x9A\x80", "\xE2\x80\xA8", "\xE2\x80\xA9", "\xE2\x80\xAF",
                              "\xE2\x81\x9F", "\xE3\x80\x80"}) {
        if (name.find(space) != std::string_view::npos) return false;
    }
    for (std::size_t at = name.find("\xE2\x80"); at != std::string_view::npos; at = name.find("\xE2\x80", at + 1)) {
        const auto third = static_cast<unsigned char>(name[at + 2]);
        if (third >= 0x80 && third <= 0x8A) return false;
    }
    return std::none_of(name.begin(), name.end(),
                        [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == '+' || c == 0x7F; });
}

Result<VerifierKey> VerifierKey::make(std::string name, const Ed25519Public& key, KeyType type) {
    if (!is_key_name(name)) return Error(Code::usage, "not a key name");
    const std::uint32_t id = key_id_of(name, key, type);
    return VerifierKey{std::move(name), id, key, type};
}

Result<VerifierKey> VerifierKey::parse(std::string_view vkey) {
    const KeyText parts = TRY(split_key(vkey));
    if (!is_key_name(parts.name)) return refuse("malformed key name");
    const Bytes key = TRY_IN("verifier key", parse_base64(parts.base64));
    const auto type = key_type(key);
    if (!type) return refuse("not an Ed25519 key");
    VerifierKey made = TRY(make(std::string(parts.name), TRY(Ed25519Public::from(ByteView(key).subspan(1))), *type));
    if (parts.id != hex32(made.key_id)) return refuse("key id is not the key's hash");
    return made;
}

std::string VerifierKey::format() const {
    Bytes key{static_cast<std::uint8_t>(type)};
    put(key, public_key.view());
    return name + "+" + hex32(key_id) + "+" + base64(key);
}

Result<SignerKey> SignerKey::make(std::string name, ByteView seed32, KeyType type) {
    if (!is_key_name(name) || seed32.size() != 32) return Error(Code::usage, "not a key name or seed");
    return SignerKey{std::move(name), Ed25519Key::from_seed(seed32), SecretBytes(seed32), type};
}

Result<SignerKey> SignerKey::parse(ByteView text) {
    std::string_view rest = as_text(text);
    if (!rest.empty() && rest.back() == '\n') rest.remove_suffix(1);
    if (rest.substr(0, kPrivate.size()) != kPrivate) return refuse("not a private key");
    const KeyText parts = TRY(split_key(rest.substr(kPrivate.size())));
    Bytes key = TRY_IN("private key", parse_base64(parts.base64));
    const auto type = key_type(key);
    if (!type) {
        wipe(key);
        return refuse("not an Ed25519 private key");
    }
    auto made = make(std::string(parts.name), ByteView(key).subspan(1), *type);
    wipe(key);
    if (made.ok() && hex32(made->verifier().key_id) != parts.id) return refuse("key id is not the key's hash");
    return made;
}

SecretBytes SignerKey::format() const {
    SecretBytes typed(1 + seed.size());
    typed.writable()[0] = static_cast<std::uint8_t>(type);
    std::copy(seed.view().begin(), seed.view().end(), typed.writable().begin() + 1);
    std::string encoded = base64(typed.view());
    std::string text = std::string(kPrivate) + name + "+" + hex32(verifier().key_id) + "+" + encoded + "\n";
    SecretBytes out(as_bytes(text));
    for (std::string* s : {&encoded, &text}) wipe({reinterpret_cast<std::uint8_t*>(s->data()), s->size()});
    return out;
}

VerifierKey SignerKey::verifier() const {
    return VerifierKey{name, key_id_of(name, key.public_key, type), key.public_key, type};
}

std::string sign_note(std::string_view text, std::span<const SignerKey> keys) {
    CHECK(is_note_text(text));
    std::string note = std::string(text) + "\n";
    for (const SignerKey& key : keys) {
        CHECK(key.type == KeyType::ed25519);
        note +=
            signature_line({key.name, key.verifier().key_id, to_bytes(ed25519_sign(key.key, as_bytes(text)).view())});
    }
    return note;
}

std::string sign_note(std::string_view text, const SignerKey& key) {
    return sign_note(text, std::span<const SignerKey>(&key, 1));
}

Result<Note> parse_note(ByteView bytes) {
    const std::string_view all = as_text(bytes);
    if (all.size() > kMaxNote) return refuse("longer than 1 MiB");
    if (!is_note_text(all)) return refuse("not text that ends with a newline");
    // The last empty line ends the text: the text itself may contain empty lines.
    const std::size_t split = all.rfind("\n\n");
    if (split == std::string_view::npos) return refuse("no empty line before signatures");
    Note note;
    note.text = std::string(all.substr(0, split + 1));
    std::string_view lines = all.substr(split + 2);
    if (lines.empty()) return refuse("no signature");
    while (!lines.empty()) {
        if (note.signatures.size() == kMaxNoteSignatures) return refuse("more than 100 signatures");
        const std::size_t end = lines.find('\n');
        note.signatures.push_back(TRY(parse_signature(lines.substr(0, end))));
        lines.remove_prefix(end + 1);
    }
    return note;
}

Result<std::vector<VerifierKey>> verify_note(const Note& note, std::span<const VerifierKey> known) {
    std::vector<VerifierKey> verified;
    std::set<std::pair<std::string, std::uint32_t>> seen;
    for (const NoteSignature& signature : note.signatures) {
        const auto matches = [&](const VerifierKey& k) {
            return k.name == signature.name && k.key_id == signature.key_id && k.type == KeyType::ed25519;
        };
        const auto found = std::find_if(known.begin(), known.end(), matches);
        if (found == known.end()) continue;
        if (std::find_if(found + 1, known.end(), [&](const VerifierKey& k) { return matches(k) && !(k == *found); }) !=
            known.end()) {
            return refuse("two known keys of one name and id");
        }
        // A key's further signatures are not looked at, as in the reference implementation.
        if (!seen.emplace(signature.name, signature.key_id).second) continue;
        const auto blob = Ed25519Signature::from(signature.signature);
        if (!blob.ok() || !ed25519_verify(found->public_key, as_bytes(note.text), *blob)) {
            return refuse("the signature of a known key fails");
        }
        verified.push_back(*found);
    }
    if (verified.empty()) return refuse("not signed by a known key");
    return verified;
}

}  // namespace kustos::audit
