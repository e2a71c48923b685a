// Timestamped cosignatures of witnesses (C2SP tlog-cosignature, cosignature/v1): who signs has seen this checkpoint at
// this time and nothing inconsistent with it before.
//
// Signed message: "cosignature/v1\n", "time " seconds "\n", then the note's text. Signature line: u64 seconds,
// big-endian || Ed25519 signature. Key type 0x04, so that a witness's key never serves for anything else.
// Errors: bad_input (foreign bytes). Threads: pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "audit/note.h"
#include "base/time.h"

namespace kustos::audit {

// A line "— name base64\n" under the note's text.
std::string cosign(std::string_view note_text, const SignerKey& key, UtcTime time);

struct Cosignature {
    VerifierKey key;
    UtcTime time;  // whole seconds
};
// The cosignatures of known witnesses, each witness once. Code::bad_input: one of a known witness does not hold.
Result<std::vector<Cosignature>> verify_cosignatures(const Note& note, std::span<const VerifierKey> witnesses);

// Of a witness's answer, signature lines of anybody: the line of this witness, if it holds for the note. Only that may
// go into a note of ours: a line in another witness's name that does not hold would spoil it. Code::bad_input: there is
// none.
Result<std::string> cosignature_line(std::string_view note, std::string_view answer, const VerifierKey& witness);
// The note with this line behind its signatures; unchanged if the same line is there.
std::string add_signature_line(std::string_view note, std::string_view line);
// The note with the archive's own signature alone: what was published first and what is time-stamped.
// Code::bad_input: it is not signed by that key.
Result<std::string> as_first_published(ByteView note, const VerifierKey& archive);

}  // namespace kustos::audit
