// Signed notes (C2SP signed-note): text, an empty line, signature lines. Ed25519 (type 0x01) is signed and verified
// here, cosignatures (type 0x04) in cosignature.h; lines of other types and of unknown keys are kept and ignored.
//
// Errors: parse_* and verify_note take foreign bytes: Code::bad_input.
// Limits: a note has at most 1 MiB and 100 signatures.
// Threads: values and pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/crypto.h"

namespace kustos::audit {

inline constexpr std::size_t kMaxNote = 1 << 20;
inline constexpr std::size_t kMaxNoteSignatures = 100;

enum class KeyType : std::uint8_t { ed25519 = 0x01, cosignature = 0x04 };

// name+hex(key id)+base64(type || public key)
struct VerifierKey {
    std::string name;
    std::uint32_t key_id = 0;  // first 4 bytes of SHA-256(name || 0x0A || type || public key)
    Ed25519Public public_key;
    KeyType type = KeyType::ed25519;

    static Result<VerifierKey> make(std::string name, const Ed25519Public& key, KeyType type = KeyType::ed25519);
    static Result<VerifierKey> parse(std::string_view vkey);  // refuses other types, and a key id that is not the hash
    std::string format() const;
    bool operator==(const VerifierKey&) const = default;
};

// PRIVATE+KEY+name+hex(key id)+base64(type || seed), the text that golang.org/x/mod/sumdb/note uses.
struct SignerKey {
    std::string name;
    Ed25519Key key;
    SecretBytes seed;  // 32 bytes
    KeyType type = KeyType::ed25519;

    static Result<SignerKey> make(std::string name, ByteView seed32, KeyType type = KeyType::ed25519);
    static Result<SignerKey> parse(ByteView text);
    SecretBytes format() const;
    VerifierKey verifier() const;
};

struct NoteSignature {
    std::string name;
    std::uint32_t key_id = 0;
    Bytes signature;  // without the key id
};

struct Note {
    std::string text;  // ends with a newline
    std::vector<NoteSignature> signatures;
};

bool is_key_name(std::string_view name);  // not empty, UTF-8, no white space, no plus sign, no control character

// text: UTF-8, ends with a newline, no other control characters (CHECKed: it is ours).
std::string sign_note(std::string_view text, std::span<const SignerKey> keys);
std::string sign_note(std::string_view text, const SignerKey& key);
Result<Note> parse_note(ByteView note);
std::string signature_line(const NoteSignature& signature);  // with its newline
// The keys of type Ed25519 that signed, each once. Code::bad_input: none did, a known key's signature fails, or two
// known keys can't be told apart.
Result<std::vector<VerifierKey>> verify_note(const Note& note, std::span<const VerifierKey> known);

}  // namespace kustos::audit
