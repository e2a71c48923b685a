// Entries for tests of ledger, staging and segments: records with made-up ciphertext, control entries between them.
#pragma once

#include <string>

#include "audit/entry.h"
#include "base/crypto.h"
#include "base/random.h"

namespace kustos::test {

inline audit::Entry sample_control(std::uint64_t sequence) {
    audit::Entry entry;
    entry.header.kind = audit::Kind::control;
    entry.header.retention_class = ClassCode{1};
    entry.header.sequence = sequence;
    entry.body = audit::Body(audit::ControlAction::finding)
                     .put_time(audit::Tag::time, UtcTime{1'772'445'600'000})
                     .put_text(audit::Tag::code, "sample")
                     .encode();
    return entry;
}

struct SampleSealed {
    audit::Entry entry;
    Bytes ciphertext;
};

inline SampleSealed sample_sealed(Random& random, std::uint64_t sequence, std::size_t ciphertext_length,
                                  audit::Kind kind = audit::Kind::record) {
    SampleSealed sample;
    sample.ciphertext.resize(ciphertext_length);
    random.fill(sample.ciphertext);
    audit::EntryHeader& h = sample.entry.header;
    h.kind = kind;
    h.suite = audit::Suite::aes256_gcm;
    h.retention_class = ClassCode{100};
    h.source = SourceId{3};
    h.sequence = sequence;
    h.record = random.make<RecordId>();
    h.tree = KeyTreeId{1};
    h.leaf = LeafNumber{static_cast<std::uint32_t>(sequence % audit::kLeavesPerKeyTree)};
    h.field_count = 16;
    h.content_root = random.make<Hash>();
    h.ciphertext_length = ciphertext_length;
    h.ciphertext_hash = sha256(sample.ciphertext);
    return sample;
}

}  // namespace kustos::test
