// Renewals of time stamps, and the evidence records that they and the anchors yield (RFC 4998 section 5;
// docs/format/renewals.md). No key is needed: what is hashed is in ledger/ and vault/.
//
//   time-stamp renewal   one new token over the tokens that age; certificates end, the digest is still good
//   hash-tree renewal    one new token over every object with a stronger digest, beside the digest of its record so far
//
//   ledger/renewals/<number, 6 digits>/{manifest, <n>.der, <n>.authority}, and of a hash-tree renewal {leaves,
//   ciphertexts}
//
// An evidence record is computed when it is asked for and never stored. An entry whose ciphertext is gone is renewed
// without it; its earlier time stamps hold as they did.
//
// Errors: corrupt (says which file), environment, interrupted. Threads: one at a time for writing; readers any.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "audit/anchors.h"
#include "audit/evidence_record.h"
#include "audit/ledger.h"
#include "audit/segment.h"
#include "audit/tsa_authority.h"

namespace kustos::audit {

enum class RenewalKind { time_stamp, hash_tree };

// A token of an anchor (renewal 0) or of a renewal.
struct TokenName {
    std::uint32_t renewal = 0;
    AnchorSpan span;  // of an anchor
    unsigned number = 0;
    Hash hash;  // SHA-256 of the token's DER
    auto operator<=>(const TokenName&) const = default;
};

struct RenewalManifest {
    RenewalKind kind = RenewalKind::time_stamp;
    DigestAlgorithm algorithm = DigestAlgorithm::sha256;
    // Of a time-stamp renewal: the tokens, one leaf each. Of a hash-tree renewal: for each anchor the token whose
    // record goes on; its leaves are the note and the entries of the anchor's span.
    std::vector<TokenName> covers;
    std::string format() const;
    static Result<RenewalManifest> parse(std::string_view text);  // Code::bad_input
    std::uint64_t leaves() const;
};

struct Renewal {
    std::uint32_t number = 0;
    RenewalManifest manifest;
    Hash manifest_hash;
    std::vector<AnchorToken> tokens;
};

class RenewalStore {
public:
    RenewalStore(Fs& fs, const Path& ledger_dir) : fs_(&fs), dir_(ledger_dir / "renewals") {}
    Path folder(std::uint32_t number) const;
    // Those with a manifest and a token, ascending.
    Result<std::vector<Renewal>> list() const;

private:
    Fs* fs_;
    Path dir_;
};

// The digest of an entry's ciphertext; nullopt: there is none, or it is gone.
using CiphertextDigest = std::function<Result<std::optional<Bytes>>(EntryIndex, DigestAlgorithm)>;

// Over the vault's frames, read in pieces.
CiphertextDigest ciphertext_digests(const SegmentReader& segments);

// What anchors and renewals prove. A snapshot: made anew after a store.
class Evidence {
public:
    static Result<std::unique_ptr<Evidence>> open(Fs& fs, const Path& ledger_dir, const LedgerReader& ledger);
    ~Evidence();

    const std::vector<AnchorSpan>& anchors() const;
    const std::vector<Renewal>& renewals() const;
    // The newest tokens: those that no renewal covers. If they end, what they prove ends.
    struct Head {
        TokenName name;
        DigestAlgorithm algorithm;
        std::string authority;
        UtcTime gen_time;
        UtcTime ends;  // the first end of a certificate that the token carries
    };
    Result<std::vector<Head>> heads() const;
    Result<std::vector<AnchorSpan>> served_by(const TokenName& name) const;  // whose records go through this token
    Result<TokenName> line_token(const AnchorSpan& span) const;              // the one whose record goes on

    // The record of an entry: its objects are header || body and, where there is one, the ciphertext. `token`: which of
    // its anchor's. Code::not_found: no anchor covers it yet. Costs a pass over the entries of its anchor, once for
    // consecutive calls.
    Result<EvidenceRecord> record_of(EntryIndex entry, std::optional<unsigned> token = std::nullopt) const;
    Result<EvidenceRecord> record_of_note(const AnchorSpan& span) const;

    // Recomputes a renewal's tree from what is on disk and compares root, leaves and tokens. `ciphertexts` may be
    // empty: then the digests kept in the folder are believed (nothing was hashed anew).
    Status check(const Renewal& renewal, const CiphertextDigest& ciphertexts) const;

private:
    friend class Renewer;
    struct State;
    explicit Evidence(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

// Those that are known today; a signed trust file names more (trust.h).
AlgorithmEnds default_algorithm_ends();

// What the calendar says (sealing.md, "Renewal driver"): certificates that end within 12 months, algorithms that end
// within 24.
struct RenewalPlan {
    std::vector<TokenName> time_stamps;  // of one algorithm
    DigestAlgorithm time_stamp_algorithm = DigestAlgorithm::sha256;
    std::vector<TokenName> hash_trees;  // anchors' tokens
    DigestAlgorithm to = DigestAlgorithm::sha512;
    std::optional<UtcTime> next;  // when the next one is due, if none is
    bool due() const { return !time_stamps.empty() || !hash_trees.empty(); }
};
Result<RenewalPlan> plan_renewal(const Evidence& evidence, const AlgorithmEnds& ends, UtcTime now);

struct RenewalResult {
    std::uint32_t number = 0;
    RenewalKind kind = RenewalKind::time_stamp;
    DigestAlgorithm algorithm = DigestAlgorithm::sha256;
    Hash manifest;
    std::vector<std::pair<std::string, Hash>> tokens;  // authority, SHA-256 of the token
    std::uint64_t leaves = 0;
};

// Carries out one renewal of the plan: hash trees first. May take long (every ciphertext is read); interrupted, it goes
// on where it was when called again with the same ledger. Durable when it returns; the caller names it in the ledger.
// Code::environment: no authority answered.
class Renewer {
public:
    Renewer(Fs& fs, Path ledger_dir, const LedgerReader& ledger, CiphertextDigest ciphertexts)
        : fs_(fs), dir_(std::move(ledger_dir)), ledger_(ledger), ciphertexts_(std::move(ciphertexts)) {}
    Result<RenewalResult> run(const RenewalPlan& plan, const std::vector<AuthorityChoice>& authorities,
                              const Clock& clock, Random& random,
                              const std::function<bool(std::uint64_t done, std::uint64_t total)>& progress = {});

private:
    Fs& fs_;
    Path dir_;
    const LedgerReader& ledger_;
    CiphertextDigest ciphertexts_;
};

}  // namespace kustos::audit
