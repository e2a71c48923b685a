// A receipt that anybody can check offline (C2SP tlog-proof, file .tlog-proof): an entry's place in a signed
// checkpoint.
//
//   c2sp.org/tlog-proof@v1
//   extra <base64>            optional; not looked at here
//   index <number>
//   <inclusion proof, base64, one hash a line>
//
//   <checkpoint note, with cosignatures>
// Errors: bad_input. Threads: values.
#pragma once

#include <string>
#include <vector>

#include "audit/checkpoint.h"

namespace kustos::audit {

struct TlogProof {
    EntryIndex index;
    std::vector<Hash> proof;
    std::string note;
    std::string format() const;
    static Result<TlogProof> parse(ByteView bytes);  // at most kMaxNote
};

// entry: header || body. The checkpoint that the proof leads to, signed by this key.
Result<Checkpoint> verify_tlog_proof(const TlogProof& proof, ByteView entry, const VerifierKey& log);

}  // namespace kustos::audit
