#include "audit/src/evidence_archive.h"

#include <algorithm>

#include "base/crypto.h"

namespace kustos::audit {

namespace {

constexpr std::uint64_t kChunk = 4096;  // leaves; a power of two: a chunk is a subtree

// The same token, whatever its hash: for looking up.
TokenName key_of(TokenName name) {
    name.hash = Hash{};
    return name;
}

ImprintGroup group_of(const Entry& entry, ByteView encoded) {
    ImprintGroup group;
    group.object = sha256(encoded);
    if (entry.header.suite != Suite::none) group.ciphertext = entry.header.ciphertext_hash;
    return group;
}

std::vector<Bytes> to_group(const std::vector<Hash>& hashes) {
    std::vector<Bytes> out;
    for (const Hash& h : hashes) out.push_back(to_bytes(h.view()));
    return out;
}

}  // namespace

// --- leaves on disk ------------------------------------------------------------------------------------

Result<std::unique_ptr<LeafFile>> LeafFile::open(Fs& fs, const Path& path, DigestAlgorithm algorithm,
                                                 std::uint64_t leaves) {
    auto file = TRY_IN("renewal's leaves", fs.open(path, OpenMode::read));
    if (TRY(file->size()) != leaves * digest_size(algorithm) || leaves == 0)
        return Error(Code::corrupt, "a renewal's leaves are not as many as its manifest says");
    auto self = std::unique_ptr<LeafFile>(new LeafFile(std::move(file), algorithm, leaves));
    for (std::uint64_t c = 0; c * kChunk < leaves; ++c) self->upper_.add(TRY(self->chunk(c)).root());
    self->upper_.finish();
    return self;
}

Result<DigestTree> LeafFile::chunk(std::uint64_t number) const {
    const std::size_t size = digest_size(algorithm_);
    const std::uint64_t count = std::min(kChunk, leaves_ - number * kChunk);
    Bytes bytes(static_cast<std::size_t>(count) * size);
    if (TRY(file_->read_at(number * kChunk * size, bytes)) != bytes.size())
        return Error(Code::corrupt, "a renewal's leaves end early");
    DigestTree tree(algorithm_);
    for (std::size_t i = 0; i < count; ++i) tree.add(ByteView(bytes).subspan(i * size, size));
    tree.finish();
    return tree;
}

Result<Bytes> LeafFile::leaf(std::uint64_t number) const {
    Bytes bytes(digest_size(algorithm_));
    if (TRY(file_->read_at(number * bytes.size(), bytes)) != bytes.size())
        return Error(Code::corrupt, "a renewal's leaves end early");
    return bytes;
}

Result<HashGroups> LeafFile::siblings(std::uint64_t leaf) const {
    HashGroups groups = TRY(chunk(leaf / kChunk)).siblings(leaf % kChunk);
    for (auto& group : upper_.siblings(leaf / kChunk)) groups.push_back(std::move(group));
    return groups;
}

Result<std::optional<Bytes>> read_row(File& file, DigestAlgorithm algorithm, std::uint64_t row) {
    Bytes bytes(row_size(algorithm));
    if (TRY(file.read_at(row * bytes.size(), bytes)) != bytes.size() || bytes[0] == kRowUnwritten ||
        bytes[0] > kRowNone)
        return Error(Code::corrupt, "a renewal's ciphertext digests are incomplete");
    if (bytes[0] == kRowNone) return std::optional<Bytes>();
    bytes.erase(bytes.begin());
    return std::optional(std::move(bytes));
}

// --- lines ----------------------------------------------------------------------------------------------

Status Evidence::State::load() {
    anchors = TRY(AnchorStore(fs, dir).list());
    renewals = TRY(RenewalStore(fs, dir).list());
    for (const Renewal& renewal : renewals) {
        auto& map = covered.emplace_back();
        std::uint64_t leaf = 0;
        for (std::size_t i = 0; i < renewal.manifest.covers.size(); ++i) {
            const TokenName& name = renewal.manifest.covers[i];
            map[key_of(name)] = {i, leaf};
            leaf += renewal.manifest.kind == RenewalKind::time_stamp
                        ? 1
                        : 1 + name.span.size.value - name.span.previous.value;
        }
        std::set<AnchorSpan> spans;
        for (const TokenName& name : renewal.manifest.covers) {
            if (name.renewal >= renewal.number) return Error(Code::corrupt, "a renewal covers a later one");
            if (name.renewal == 0) {
                spans.insert(name.span);
            } else {
                const auto& before = served[name.renewal - 1];
                spans.insert(before.begin(), before.end());
            }
        }
        served.push_back(std::move(spans));
    }
    return {};
}

Result<Bytes> Evidence::State::token_bytes(const TokenName& name) const {
    std::vector<AnchorToken> tokens;
    if (name.renewal == 0) {
        tokens = TRY(AnchorStore(fs, dir).read(name.span)).tokens;
    } else {
        if (name.renewal > renewals.size()) return Error(Code::corrupt, "a renewal covers one that is not there");
        tokens = renewals[name.renewal - 1].tokens;
    }
    for (AnchorToken& token : tokens) {
        if (token.number != name.number) continue;
        if (!(sha256(token.token) == name.hash)) return Error(Code::corrupt, "a token is not the one that was renewed");
        return std::move(token.token);
    }
    return Error(Code::corrupt, "a token that was renewed is missing");
}

Result<std::shared_ptr<const Evidence::State::Line>> Evidence::State::line_of(const AnchorSpan& span,
                                                                              std::optional<unsigned> number) {
    {
        const std::lock_guard lock(mutex);
        if (line && line->span == span && (!number || *number == line->token.number)) return line;
    }
    auto made = std::make_shared<Line>();
    made->span = span;
    Anchor anchor = TRY(AnchorStore(fs, dir).read(span));
    const auto token = std::find_if(anchor.tokens.begin(), anchor.tokens.end(),
                                    [&](const AnchorToken& t) { return !number || t.number == *number; });
    if (token == anchor.tokens.end()) return Error(Code::not_found, "the anchor has no such token");
    // Without a choice: the token whose record goes on.
    if (!number) {
        for (std::size_t i = 0; i < renewals.size(); ++i) {
            for (const AnchorToken& t : anchor.tokens) {
                if (renewals[i].manifest.kind == RenewalKind::hash_tree &&
                    covered[i].count({0, span, t.number, {}}) != 0)
                    return line_of(span, t.number);
            }
        }
    }
    made->token = *token;
    made->note = std::move(anchor.note);
    made->tree = std::make_unique<ImprintTree>(sha256(made->note));
    TRY(ledger.for_each(EntryIndex(span.previous.value), EntryIndex(span.size.value),
                        [&](EntryIndex, ByteView bytes) -> Status {
                            made->tree->add(group_of(TRY(decode_entry(bytes)), bytes));
                            return {};
                        }));
    made->tree->finish();
    const TokenName start{0, span, made->token.number, {}};
    TokenName current = start;
    for (std::size_t i = 0; i < renewals.size(); ++i) {
        const bool tree = renewals[i].manifest.kind == RenewalKind::hash_tree;
        const auto found = covered[i].find(tree ? start : current);
        if (found == covered[i].end()) continue;
        made->stages.push_back({i, found->second.second});
        current = TokenName{renewals[i].number, {}, renewals[i].tokens.front().number, {}};
    }
    const std::lock_guard lock(mutex);
    line = made;
    return std::shared_ptr<const Line>(made);
}

Result<std::shared_ptr<const LeafFile>> Evidence::State::leaf_file(std::size_t renewal) {
    const std::lock_guard lock(mutex);
    auto& slot = leaves[renewal];
    if (!slot) {
        const RenewalManifest& m = renewals[renewal].manifest;
        slot = TRY(LeafFile::open(fs, folder(renewal) / "leaves", m.algorithm, m.leaves()));
    }
    return slot;
}

Result<std::shared_ptr<const DigestTree>> Evidence::State::token_tree(std::size_t renewal) {
    {
        const std::lock_guard lock(mutex);
        if (const auto found = trees.find(renewal); found != trees.end()) return found->second;
    }
    const RenewalManifest& manifest = renewals[renewal].manifest;
    auto tree = std::make_shared<DigestTree>(manifest.algorithm);
    for (const TokenName& name : manifest.covers) tree->add(digest_of(manifest.algorithm, TRY(token_bytes(name))));
    tree->finish();
    const std::lock_guard lock(mutex);
    trees[renewal] = tree;
    return std::shared_ptr<const DigestTree>(tree);
}

Result<Member> Evidence::State::member(const Line& line_used, std::uint64_t leaf) const {
    if (leaf == 0) return Member{std::nullopt, line_used.note};
    const EntryIndex index(line_used.span.previous.value + leaf - 1);
    return Member{index, TRY(ledger.entry_bytes(index))};
}

std::vector<Bytes> Evidence::State::renewed_members(DigestAlgorithm algorithm, const EvidenceRecord& so_far,
                                                    const Member& member, const std::optional<Bytes>& ciphertext) {
    const Bytes sequence = digest_of(algorithm, encode_sequence(so_far, so_far.chains.size()));
    std::vector<Bytes> members{renewed_digest(algorithm, digest_of(algorithm, member.bytes), sequence)};
    if (ciphertext) members.push_back(renewed_digest(algorithm, *ciphertext, sequence));
    return members;
}

Result<EvidenceRecord> Evidence::State::record(const Line& l, std::uint64_t leaf, const Member& object) {
    EvidenceRecord record;
    ArchiveTimeStamp first;
    first.algorithm = DigestAlgorithm::sha256;
    first.token = l.token.token;
    ReducedTree path;
    if (leaf == 0) {
        path = l.tree->path_of_note();
    } else {
        path = TRY(l.tree->path_of_entry(leaf - 1, group_of(TRY(decode_entry(object.bytes)), object.bytes)));
    }
    for (const auto& group : path) first.groups.push_back(to_group(group));
    record.algorithms.push_back(DigestAlgorithm::sha256);
    record.chains.push_back({{std::move(first)}, {}});
    for (const Line::Stage& stage : l.stages) {
        const Renewal& renewal = renewals[stage.renewal];
        const DigestAlgorithm algorithm = renewal.manifest.algorithm;
        ArchiveTimeStamp stamp;
        stamp.algorithm = algorithm;
        stamp.token = renewal.tokens.front().token;
        HashGroups rest;
        if (renewal.manifest.kind == RenewalKind::time_stamp) {
            const auto tree = TRY(token_tree(stage.renewal));
            stamp.groups.push_back({to_bytes(tree->leaf(stage.leaf))});
            rest = tree->siblings(stage.leaf);
        } else {
            const auto file = TRY(leaf_file(stage.renewal));
            const auto digests = TRY(fs.open(folder(stage.renewal) / "ciphertexts", OpenMode::read));
            const auto ciphertext = TRY(read_row(*digests, algorithm, stage.leaf + leaf));
            stamp.groups.push_back(renewed_members(algorithm, record, object, ciphertext));
            rest = TRY(file->siblings(stage.leaf + leaf));
            record.chains.emplace_back();
            if (std::find(record.algorithms.begin(), record.algorithms.end(), algorithm) == record.algorithms.end())
                record.algorithms.push_back(algorithm);
        }
        for (auto& group : rest) stamp.groups.push_back(std::move(group));
        record.chains.back().stamps.push_back(std::move(stamp));
    }
    return record;
}

// --- Evidence -------------------------------------------------------------------------------------------

Evidence::Evidence(std::unique_ptr<State> state) : state_(std::move(state)) {}
Evidence::~Evidence() = default;

Result<std::unique_ptr<Evidence>> Evidence::open(Fs& fs, const Path& ledger_dir, const LedgerReader& ledger) {
    auto state = std::make_unique<State>(fs, ledger_dir, ledger);
    TRY(state->load());
    return std::unique_ptr<Evidence>(new Evidence(std::move(state)));
}

const std::vector<AnchorSpan>& Evidence::anchors() const {
    return state_->anchors;
}
const std::vector<Renewal>& Evidence::renewals() const {
    return state_->renewals;
}

Result<EvidenceRecord> Evidence::record_of(EntryIndex entry, std::optional<unsigned> token) const {
    const auto span = anchor_of(state_->anchors, entry);
    if (!span) return Error(Code::not_found, "no time stamp covers this entry yet");
    const auto line = TRY(state_->line_of(*span, token));
    const std::uint64_t leaf = 1 + entry.value - span->previous.value;
    return state_->record(*line, leaf, TRY(state_->member(*line, leaf)));
}

Result<EvidenceRecord> Evidence::record_of_note(const AnchorSpan& span) const {
    const auto line = TRY(state_->line_of(span, std::nullopt));
    return state_->record(*line, 0, TRY(state_->member(*line, 0)));
}

Result<std::vector<Evidence::Head>> Evidence::heads() const {
    std::vector<Head> heads;
    const auto add = [&heads](const TokenName& name, DigestAlgorithm algorithm, const AnchorToken& token) -> Status {
        const TokenFacts facts = TRY(read_token(token.token));
        heads.push_back({name, algorithm, token.authority, facts.gen_time, first_end(facts).value_or(facts.gen_time)});
        return {};
    };
    const auto renewed = [this](const TokenName& name, std::size_t from) {
        for (std::size_t i = from; i < state_->renewals.size(); ++i) {
            if (state_->covered[i].count(key_of(name)) != 0) return true;
        }
        return false;
    };
    for (const AnchorSpan& span : state_->anchors) {
        const Anchor anchor = TRY(AnchorStore(state_->fs, state_->dir).read(span));
        // A hash-tree renewal goes on from one of the anchor's tokens, and then no other is one to be kept alive.
        bool whole = false;
        for (const AnchorToken& t : anchor.tokens) {
            for (std::size_t i = 0; i < state_->renewals.size(); ++i)
                whole = whole || (state_->renewals[i].manifest.kind == RenewalKind::hash_tree &&
                                  state_->covered[i].count({0, span, t.number, {}}) != 0);
        }
        for (const AnchorToken& t : anchor.tokens) {
            const TokenName name{0, span, t.number, sha256(t.token)};
            if (!whole && !renewed(name, 0)) TRY(add(name, DigestAlgorithm::sha256, t));
        }
    }
    for (std::size_t i = 0; i < state_->renewals.size(); ++i) {
        const Renewal& renewal = state_->renewals[i];
        // Covered as a whole: every line that went through it went on into a later hash-tree renewal.
        for (const AnchorToken& t : renewal.tokens) {
            const TokenName name{renewal.number, {}, t.number, sha256(t.token)};
            if (renewed(name, i + 1)) continue;
            const bool later = std::any_of(state_->renewals.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                                           state_->renewals.end(), [&](const Renewal& r) {
                                               const auto &all = state_->served[r.number - 1], &own = state_->served[i];
                                               return r.manifest.kind == RenewalKind::hash_tree &&
                                                      std::includes(all.begin(), all.end(), own.begin(), own.end());
                                           });
            if (!later) TRY(add(name, renewal.manifest.algorithm, t));
        }
    }
    return heads;
}

}  // namespace kustos::audit
