#include "audit/cosignature.h"

#include <algorithm>

namespace kustos::audit {

namespace {

constexpr std::size_t kBlob = 8 + Ed25519Signature::kSize;

std::string signed_message(std::string_view note_text, std::uint64_t seconds) {
    return "cosignature/v1\ntime " + std::to_string(seconds) + "\n" + std::string(note_text);
}

}  // namespace

std::string cosign(std::string_view note_text, const SignerKey& key, UtcTime time) {
    CHECK(key.type == KeyType::cosignature && time.ms >= 0);
    const auto seconds = static_cast<std::uint64_t>(time.ms / 1000);
    NoteSignature signature{key.name, key.verifier().key_id, {}};
    put_u64(signature.signature, seconds);
    put(signature.signature, ed25519_sign(key.key, as_bytes(signed_message(note_text, seconds))).view());
    return signature_line(signature);
}

Result<std::vector<Cosignature>> verify_cosignatures(const Note& note, std::span<const VerifierKey> witnesses) {
    std::vector<Cosignature> held;
    for (const NoteSignature& signature : note.signatures) {
        const auto key = std::find_if(witnesses.begin(), witnesses.end(), [&](const VerifierKey& k) {
            return k.type == KeyType::cosignature && k.name == signature.name && k.key_id == signature.key_id;
        });
        if (key == witnesses.end()) continue;
        if (std::any_of(held.begin(), held.end(), [&](const Cosignature& c) { return c.key == *key; })) continue;
        if (signature.signature.size() != kBlob) return Error(Code::bad_input, "a cosignature has another length");
        const std::uint64_t seconds = load_u64(signature.signature.data());
        constexpr std::uint64_t kYear9999 = 253'402'300'799;
        const auto blob = Ed25519Signature::from(ByteView(signature.signature).subspan(8));
        if (seconds > kYear9999 || !blob.ok() ||
            !ed25519_verify(key->public_key, as_bytes(signed_message(note.text, seconds)), *blob))
            return Error(Code::bad_input, "the cosignature of a known witness does not hold");
        held.push_back({*key, UtcTime{static_cast<std::int64_t>(seconds) * 1000}});
    }
    return held;
}

Result<std::string> cosignature_line(std::string_view note, std::string_view answer, const VerifierKey& witness) {
    const std::string text = TRY(parse_note(as_bytes(note))).text;
    const std::string with = text + "\n" + std::string(answer);
    for (NoteSignature& signature : TRY_IN("witness's answer", parse_note(as_bytes(with))).signatures) {
        const Note alone{text, {std::move(signature)}};
        const auto held = verify_cosignatures(alone, std::span<const VerifierKey>(&witness, 1));
        if (held.ok() && !held->empty()) return signature_line(alone.signatures.front());
    }
    return Error(Code::bad_input, "the witness's answer has no signature of its key that holds");
}

std::string add_signature_line(std::string_view note, std::string_view line) {
    if (note.find("\n" + std::string(line)) != std::string_view::npos) return std::string(note);
    return std::string(note) + std::string(line);
}

Result<std::string> as_first_published(ByteView bytes, const VerifierKey& archive) {
    const Note note = TRY(parse_note(bytes));
    TRY(verify_note(note, std::span<const VerifierKey>(&archive, 1)));
    for (const NoteSignature& signature : note.signatures) {
        if (signature.name == archive.name && signature.key_id == archive.key_id)
            return note.text + "\n" + signature_line(signature);
    }
    return Error(Code::bad_input, "note: not signed by the archive");
}

}  // namespace kustos::audit
