// Evidence records of RFC 4998, ASN.1 form: an object's digest, the way to a time-stamped root, and every renewal of
// it, so that its existence can be proven after certificates and algorithms have aged (docs/format/evidence-record.md).
//
// Written in the Basis-ERS profile (BSI TR-03125): version 1, neither cryptoInfos nor encryptionInfo, no attributes.
// Read: any record, also foreign ones. What is hashed for a renewal is what stands in the file, byte for byte.
//
// Errors: parse takes foreign bytes: Code::bad_input, Code::limit (kMaxEvidenceRecord, kMaxArchiveTimeStamps).
// Threads: values and pure functions.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "audit/digest_tree.h"
#include "audit/timestamp.h"
#include "audit/trust.h"

namespace kustos::audit {

inline constexpr std::size_t kMaxEvidenceRecord = 16u << 20;
inline constexpr std::size_t kMaxArchiveTimeStamps = 1'000;
inline constexpr std::size_t kMaxHashGroups = 1'000;  // of one reduced tree
inline constexpr std::size_t kMaxGroupMembers = 1u << 16;

// ArchiveTimeStamp (section 4.1).
struct ArchiveTimeStamp {
    std::optional<DigestAlgorithm> algorithm;  // as stated; absent: the token's imprint algorithm counts
    HashGroups groups;                         // reducedHashtree; empty: the imprint is the object's own digest
    Bytes token;                               // ContentInfo, DER as it stands
    bool has_attributes = false;
};

// ArchiveTimeStampChain: one digest algorithm; a renewal of the time stamp continues it.
struct ArchiveTimeStampChain {
    std::vector<ArchiveTimeStamp> stamps;
    Bytes der;  // as it stands; of a parsed record only
};

struct EvidenceRecord {
    std::vector<DigestAlgorithm> algorithms;    // ever used, as the record says
    std::vector<ArchiveTimeStampChain> chains;  // a renewal of the hash tree begins a new one
    bool has_crypto_infos = false, has_encryption_info = false;
};

Result<EvidenceRecord> parse_evidence_record(ByteView der);
Bytes encode(const EvidenceRecord& record);  // deterministic DER; at least one chain, none empty (CHECKed)
Bytes encode(const ArchiveTimeStampChain& chain);
// What a hash-tree renewal hashes beside an object: DER SEQUENCE OF the first `count` chains (section 5.3, step 4).
Bytes encode_sequence(const EvidenceRecord& record, std::size_t count);
// H(H(object) || H(sequence)): unsorted, as section 5.3's text and all known records have it.
Bytes renewed_digest(DigestAlgorithm algorithm, ByteView object_digest, ByteView sequence_digest);

// --- judging -----------------------------------------------------------------------------------------
// An object that the record should cover: its bytes, or what is known of its digests.
struct EvidenceObject {
    std::string name;  // for the report
    std::optional<Bytes> content;
    std::map<DigestAlgorithm, Bytes> digests;
};

enum class EvidenceVerdict { valid, valid_subset, invalid_hash, invalid_token, malformed };
std::string_view verdict_name(EvidenceVerdict verdict);  // "valid", "valid-subset", ...

struct StampVerdict {
    std::size_t chain = 0, position = 0;
    DigestAlgorithm algorithm = DigestAlgorithm::sha256;
    bool imprint = false;    // the tree leads to what the token stamps
    bool covers = false;     // what it must cover stands in the first group: the objects, or the previous token
    std::size_t others = 0;  // further members of the first group
    bool double_hashed =
        false;  // the token stamps the digest of the root instead of the root: reported, never accepted
    bool sorted_renewal = false;  // digest and sequence digest were sorted before hashing: accepted, and said
    bool signature = false;       // the token's signature holds (whoever made it)
    std::string trust;            // "not evaluated", "independent", "qualified", or why not
    std::string authority;        // the signer's name, for people
    std::optional<UtcTime> time;
    std::vector<std::string> problems;
    std::vector<std::string> remarks;  // to know, and no fault
};

struct EvidenceReport {
    EvidenceVerdict verdict = EvidenceVerdict::malformed;
    bool ok = false;  // valid or valid_subset, every signature holds, and no time before its predecessor's
    bool trust_evaluated = false;
    std::vector<StampVerdict> stamps;
    std::vector<std::string> objects_missing;  // names; their digests stand in no first group
    std::vector<std::string> problems;         // of the whole
    std::optional<UtcTime> proven_since;       // the first stamp's time, if ok
    std::string to_json() const;               // one line
    std::string to_text(std::string_view language) const;
};

// Judges every time stamp at the time of its successor and the last one `now` (RFC 4998 section 5.2; trust only).
// Without objects nothing is covered: invalid_hash.
EvidenceReport verify_evidence_record(ByteView der, const std::vector<EvidenceObject>& objects,
                                      const std::optional<Trust>& trust, UtcTime now);

}  // namespace kustos::audit
