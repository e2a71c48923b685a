// How Evidence and Renewer see the same things.
#pragma once

#include <map>
#include <mutex>
#include <set>

#include "audit/imprint.h"
#include "audit/renewal.h"

namespace kustos::audit {

// Leaves of a hash-tree renewal in their file; memory for one chunk and a value for each chunk.
class LeafFile {
public:
    static Result<std::unique_ptr<LeafFile>> open(Fs& fs, const Path& file, DigestAlgorithm algorithm,
                                                  std::uint64_t leaves);
    Result<Bytes> leaf(std::uint64_t number) const;
    Result<HashGroups> siblings(std::uint64_t leaf) const;
    Bytes root() const { return upper_.root(); }

private:
    LeafFile(std::unique_ptr<File> file, DigestAlgorithm algorithm, std::uint64_t leaves)
        : file_(std::move(file)), algorithm_(algorithm), leaves_(leaves), upper_(algorithm) {}
    Result<DigestTree> chunk(std::uint64_t number) const;
    std::unique_ptr<File> file_;
    DigestAlgorithm algorithm_;
    std::uint64_t leaves_;
    DigestTree upper_;
};

// One row of `ciphertexts`: u8 1 and the digest, or u8 2 and zeros (none, or gone).
inline constexpr std::uint8_t kRowUnwritten = 0, kRowDigest = 1, kRowNone = 2;
inline std::size_t row_size(DigestAlgorithm algorithm) {
    return 1 + digest_size(algorithm);
}
Result<std::optional<Bytes>> read_row(File& file, DigestAlgorithm algorithm, std::uint64_t row);

// An object of an anchor's span: the note, or an entry.
struct Member {
    std::optional<EntryIndex> entry;  // absent: the note
    Bytes bytes;                      // note, or header || body
};

struct Evidence::State {
    State(Fs& f, Path d, const LedgerReader& l) : fs(f), dir(std::move(d)), ledger(l) {}
    Fs& fs;
    Path dir;
    const LedgerReader& ledger;
    std::vector<AnchorSpan> anchors;
    std::vector<Renewal> renewals;
    // By renewal: where a token stands in what it covers: position in the list, first leaf.
    std::vector<std::map<TokenName, std::pair<std::size_t, std::uint64_t>>> covered;
    std::vector<std::set<AnchorSpan>> served;  // by renewal: the anchors whose lines go through it

    // What does not depend on the object: a span, one of its tokens, and the renewals that go on from it.
    struct Line {
        AnchorSpan span;
        Bytes note;
        AnchorToken token;
        std::unique_ptr<ImprintTree> tree;
        struct Stage {
            std::size_t renewal;  // in `renewals`
            std::uint64_t leaf;   // the token's, or the span's first
        };
        std::vector<Stage> stages;
    };
    std::mutex mutex;                                                // guards what follows
    std::shared_ptr<const Line> line;                                // the last one used
    std::map<std::size_t, std::shared_ptr<const LeafFile>> leaves;   // hash-tree renewals
    std::map<std::size_t, std::shared_ptr<const DigestTree>> trees;  // time-stamp renewals

    Status load();
    Result<std::shared_ptr<const Line>> line_of(const AnchorSpan& span, std::optional<unsigned> token);
    Result<std::shared_ptr<const LeafFile>> leaf_file(std::size_t renewal);
    Result<std::shared_ptr<const DigestTree>> token_tree(std::size_t renewal);
    Result<Bytes> token_bytes(const TokenName& name) const;  // checked against its hash
    Result<Member> member(const Line& line, std::uint64_t leaf) const;
    // The record as it stands after all stages of the line. leaf: 0 the note, 1.. the span's entries.
    Result<EvidenceRecord> record(const Line& line, std::uint64_t leaf, const Member& member);
    // The members' digests under a hash-tree renewal, from the record so far.
    static std::vector<Bytes> renewed_members(DigestAlgorithm algorithm, const EvidenceRecord& so_far,
                                              const Member& member, const std::optional<Bytes>& ciphertext);
    Path folder(std::size_t renewal) const { return RenewalStore(fs, dir).folder(renewals[renewal].number); }
};

}  // namespace kustos::audit
