// Signed notes and what stands in them, from anywhere: notes, checkpoints, cosignatures, tlog-proofs, verifier keys and
// trust files. What is read is written again and read the same.
#include <cstdint>

#include "audit/checkpoint.h"
#include "audit/cosignature.h"
#include "audit/key_history.h"
#include "audit/tlog_proof.h"
#include "audit/trust.h"
#include "base/result.h"
#include "tests/fuzz/wire_keys.h"

using namespace kustos;
using namespace kustos::audit;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const SignerKey log = test::wire_log_key(), witness = test::wire_witness_key();
    const ByteView bytes(data, size);
    const std::string text = to_text(bytes);

    if (const auto key = VerifierKey::parse(text); key.ok()) CHECK(*VerifierKey::parse(key->format()) == *key);
    (void)SignerKey::parse(bytes).ok();

    if (const auto note = parse_note(bytes); note.ok()) {
        std::string again = note->text + "\n";
        for (const NoteSignature& s : note->signatures) again += signature_line(s);
        const auto read = parse_note(as_bytes(again));
        CHECK(read.ok() && read->text == note->text && read->signatures.size() == note->signatures.size());
        const VerifierKey keys[] = {log.verifier(), witness.verifier()};
        if (const auto signers = verify_note(*note, keys); signers.ok()) CHECK(signers->size() == 1);
        if (const auto held = verify_cosignatures(*note, keys); held.ok()) CHECK(held->size() <= 1);
        if (const auto first = as_first_published(bytes, log.verifier()); first.ok())
            CHECK(*as_first_published(as_bytes(*first), log.verifier()) == *first);
        if (const auto checkpoint = open_checkpoint(bytes, log.verifier()); checkpoint.ok())
            CHECK(format_checkpoint(*checkpoint) == note->text);
    }
    if (const auto checkpoint = parse_checkpoint(text); checkpoint.ok()) CHECK(format_checkpoint(*checkpoint) == text);

    // As a witness's answer to a note of ours.
    static const std::string ours = sign_note(format_checkpoint({log.name, TreeSize(0), empty_root(), {}}), log);
    if (const auto line = cosignature_line(ours, text, witness.verifier()); line.ok()) {
        const VerifierKey key = witness.verifier();
        const auto with = parse_note(as_bytes(add_signature_line(ours, *line)));
        CHECK(with.ok() && verify_cosignatures(*with, std::span<const VerifierKey>(&key, 1)).ok());
    }

    if (const auto proof = TlogProof::parse(bytes); proof.ok()) {
        const std::string written = proof->format();
        CHECK(TlogProof::parse(as_bytes(written))->format() == written);
        (void)verify_tlog_proof(*proof, as_bytes("entry"), log.verifier()).ok();
    }
    if (const auto trust = parse_trust(text); trust.ok()) {
        CHECK(!trust->logs.empty());
        const std::string written = format_trust(*trust);
        const auto again = parse_trust(written);
        CHECK(again.ok() && format_trust(*again) == written);
    }
    (void)parse_trust(text, true, log.verifier()).ok();
    return 0;
}
