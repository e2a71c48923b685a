// The calendar, and carrying it out.
#include <algorithm>

#include "audit/src/evidence_archive.h"
#include "audit/src/token_folder.h"
#include "base/crypto.h"

namespace kustos::audit {

namespace {

constexpr std::int64_t kDay = 86'400'000;
constexpr std::int64_t kCertificateLead = 365 * kDay, kAlgorithmLead = 730 * kDay;
constexpr std::size_t kBuffer = 1u << 20;

// Appends to a file, buffered.
class Appender {
public:
    Appender(std::unique_ptr<File> file, std::uint64_t at) : file_(std::move(file)), at_(at) {}
    Status write(ByteView bytes) {
        put(buffer_, bytes);
        if (buffer_.size() >= kBuffer) TRY(flush());
        return {};
    }
    Status sync() {
        TRY(flush());
        return file_->sync();
    }
    File& file() { return *file_; }

private:
    Status flush() {
        if (buffer_.empty()) return {};
        TRY(file_->write_at(at_, buffer_));
        at_ += buffer_.size();
        buffer_.clear();
        return {};
    }
    std::unique_ptr<File> file_;
    std::uint64_t at_;
    Bytes buffer_;
};

std::optional<UtcTime> end_of(const AlgorithmEnds& ends, DigestAlgorithm algorithm) {
    const auto found = ends.find(algorithm);
    return found == ends.end() ? std::nullopt : std::optional(found->second);
}

void earlier(std::optional<UtcTime>& next, UtcTime time) {
    if (!next || time < *next) next = time;
}

}  // namespace

CiphertextDigest ciphertext_digests(const SegmentReader& segments) {
    return [&segments](EntryIndex index, DigestAlgorithm algorithm) -> Result<std::optional<Bytes>> {
        const auto frame = segments.frame(index);
        if (!frame.ok() && frame.error().code() == Code::not_found) return std::optional<Bytes>();
        const Frame whole = TRY(frame);
        Digest digest(algorithm);
        Bytes piece;
        for (std::uint64_t at = 0; at < whole.length(); at += piece.size()) {
            piece.resize(static_cast<std::size_t>(std::min<std::uint64_t>(kBuffer, whole.length() - at)));
            TRY(whole.read(at, piece));
            digest.update(piece);
        }
        return std::optional(digest.finish());
    };
}

AlgorithmEnds default_algorithm_ends() {
    // SHA-256, SHA-384 and SHA-512: TR-02102 sets no end; a signed policy file does when the time comes.
    return {{DigestAlgorithm::sha224, UtcTime{1'451'606'400'000}}};  // 2016-01-01
}

Result<RenewalPlan> plan_renewal(const Evidence& evidence, const AlgorithmEnds& ends, UtcTime now) {
    RenewalPlan plan;
    const auto heads = TRY(evidence.heads());
    const auto weak = [&](DigestAlgorithm algorithm) {
        const auto end = end_of(ends, algorithm);
        return end && end->ms - kAlgorithmLead <= now.ms;
    };
    // The next stronger digest that has no end in sight.
    for (const DigestAlgorithm to : {DigestAlgorithm::sha512, DigestAlgorithm::sha384}) {
        if (!weak(to)) {
            plan.to = to;
            break;
        }
    }
    std::vector<AnchorSpan> spans;
    for (const Evidence::Head& head : heads) {
        if (weak(head.algorithm) && !weak(plan.to)) {
            const auto served = TRY(evidence.served_by(head.name));
            spans.insert(spans.end(), served.begin(), served.end());
            continue;
        }
        if (const auto end = end_of(ends, head.algorithm)) earlier(plan.next, UtcTime{end->ms - kAlgorithmLead});
        const UtcTime due{head.ends.ms - kCertificateLead};
        if (due > now) {
            earlier(plan.next, due);
            continue;
        }
        if (plan.time_stamps.empty()) plan.time_stamp_algorithm = head.algorithm;
        if (head.algorithm == plan.time_stamp_algorithm) plan.time_stamps.push_back(head.name);
    }
    std::sort(spans.begin(), spans.end());
    spans.erase(std::unique(spans.begin(), spans.end()), spans.end());
    for (const AnchorSpan& span : spans) plan.hash_trees.push_back(TRY(evidence.line_token(span)));
    return plan;
}

Result<RenewalResult> Renewer::run(const RenewalPlan& plan, const std::vector<AuthorityChoice>& authorities,
                                   const Clock& clock, Random& random,
                                   const std::function<bool(std::uint64_t, std::uint64_t)>& progress) {
    if (!plan.due()) return Error(Code::usage, "nothing is due for renewal");
    const auto evidence = TRY(Evidence::open(fs_, dir_, ledger_));
    Evidence::State& state = *evidence->state_;
    RenewalManifest manifest;
    manifest.kind = plan.hash_trees.empty() ? RenewalKind::time_stamp : RenewalKind::hash_tree;
    manifest.algorithm = plan.hash_trees.empty() ? plan.time_stamp_algorithm : plan.to;
    manifest.covers = plan.hash_trees.empty() ? plan.time_stamps : plan.hash_trees;
    const std::string text = manifest.format();
    const Path pending = dir_ / "renewals" / "pending";
    // Another plan than the one that was begun: begun anew.
    if (fs_.exists(pending)) {
        const auto begun = read_file(fs_, pending / "manifest", text.size() + 1);
        if (!begun.ok() || as_text(*begun) != text) {
            for (const std::string& name : TRY(fs_.list(pending))) TRY(fs_.remove(pending / name));
        }
    }
    TRY(fs_.make_dirs(pending));
    TRY(fs_.sync_dir(dir_));
    TRY(put_once(fs_, pending / "manifest", as_bytes(text)));

    Bytes root;
    const std::size_t size = digest_size(manifest.algorithm);
    if (manifest.kind == RenewalKind::time_stamp) {
        DigestTree tree(manifest.algorithm);
        for (const TokenName& name : manifest.covers)
            tree.add(digest_of(manifest.algorithm, TRY(state.token_bytes(name))));
        tree.finish();
        root = tree.root();
    } else {
        const std::size_t row = row_size(manifest.algorithm);
        auto file = TRY(fs_.open(pending / "ciphertexts", OpenMode::create_or_open));
        // Rows that an interrupted run has written are complete up to the first empty one.
        std::uint64_t done = TRY(file->size()) / row;
        const std::uint64_t total = manifest.leaves();
        Appender rows(std::move(file), 0);
        Appender leaves(TRY(fs_.open(pending / "leaves", OpenMode::create_or_open)), 0);
        TRY(leaves.file().truncate(0));
        std::uint64_t at = 0;
        for (const TokenName& name : manifest.covers) {
            const auto line = TRY(state.line_of(name.span, name.number));
            const std::uint64_t count = 1 + name.span.size.value - name.span.previous.value;
            for (std::uint64_t leaf = 0; leaf < count; ++leaf, ++at) {
                if (progress && !progress(at, total)) {
                    TRY(rows.sync());
                    return Error(Code::interrupted, "the renewal was interrupted").with_hint("run it again to go on");
                }
                const Member member = TRY(state.member(*line, leaf));
                std::optional<Bytes> ciphertext;
                auto kept = at < done ? read_row(rows.file(), manifest.algorithm, at)
                                      : Result<std::optional<Bytes>>(Error(Code::not_found, ""));
                if (kept.ok()) {
                    ciphertext = std::move(*kept);
                } else if (member.entry) {
                    done = std::min(done, at);
                    const EntryHeader header = TRY(decode_header(member.bytes));
                    if (header.suite != Suite::none) ciphertext = TRY(ciphertexts_(*member.entry, manifest.algorithm));
                }
                Bytes bytes(row);
                bytes[0] = ciphertext ? kRowDigest : kRowNone;
                if (ciphertext) std::copy(ciphertext->begin(), ciphertext->end(), bytes.begin() + 1);
                TRY(rows.write(bytes));
                const EvidenceRecord so_far = TRY(state.record(*line, leaf, member));
                const Bytes value =
                    group_value(manifest.algorithm,
                                Evidence::State::renewed_members(manifest.algorithm, so_far, member, ciphertext));
                CHECK(value.size() == size);
                TRY(leaves.write(value));
            }
        }
        TRY(rows.sync());
        TRY(leaves.sync());
        root = TRY(LeafFile::open(fs_, pending / "leaves", manifest.algorithm, total))->root();
    }

    RenewalResult result;
    std::string why = "no authority is configured";
    for (StampOutcome& outcome : stamp(Imprint(manifest.algorithm, root), authorities, clock, random)) {
        if (!outcome.result.ok()) {
            why = outcome.result.error().message();
            continue;
        }
        TRY(store_token(fs_, pending, outcome.result->token, outcome.authority));
    }
    // One that an interrupted run has stored counts as well.
    for (const AnchorToken& token : TRY(read_tokens(fs_, pending)))
        result.tokens.emplace_back(token.authority, sha256(token.token));
    if (result.tokens.empty())
        return Error(Code::environment, "no time-stamp authority answered: " + why)
            .with_hint("what was computed is kept; run it again later");
    result.number = static_cast<std::uint32_t>(state.renewals.size() + 1);
    result.kind = manifest.kind;
    result.algorithm = manifest.algorithm;
    result.manifest = sha256(as_bytes(text));
    result.leaves = manifest.leaves();
    TRY(fs_.sync_dir(pending));
    TRY(fs_.rename(pending, RenewalStore(fs_, dir_).folder(result.number)));
    TRY(fs_.sync_dir(dir_ / "renewals"));
    return result;
}

Result<std::vector<AnchorSpan>> Evidence::served_by(const TokenName& name) const {
    if (name.renewal == 0) return std::vector<AnchorSpan>{name.span};
    if (name.renewal > state_->served.size()) return Error(Code::usage, "there is no such renewal");
    const auto& set = state_->served[name.renewal - 1];
    return std::vector<AnchorSpan>(set.begin(), set.end());
}

Result<TokenName> Evidence::line_token(const AnchorSpan& span) const {
    const auto line = TRY(state_->line_of(span, std::nullopt));
    return TokenName{0, span, line->token.number, sha256(line->token.token)};
}

Status Evidence::check(const Renewal& renewal, const CiphertextDigest& ciphertexts) const {
    const std::size_t index = renewal.number - 1;
    if (index >= state_->renewals.size()) return Error(Code::usage, "there is no such renewal");
    const RenewalManifest& manifest = renewal.manifest;
    Bytes root;
    if (manifest.kind == RenewalKind::time_stamp) {
        root = TRY(state_->token_tree(index))->root();
    } else {
        const auto leaves = TRY(state_->leaf_file(index));
        root = leaves->root();
        const auto rows = TRY(state_->fs.open(state_->folder(index) / "ciphertexts", OpenMode::read));
        std::uint64_t at = 0;
        for (const TokenName& name : manifest.covers) {
            TRY(state_->token_bytes(name));
            const auto full = TRY(state_->line_of(name.span, name.number));
            // The line as it was before this renewal.
            Evidence::State::Line before;
            before.span = full->span;
            before.note = full->note;
            before.token = full->token;
            for (const auto& stage : full->stages) {
                if (stage.renewal < index) before.stages.push_back(stage);
            }
            before.tree = std::make_unique<ImprintTree>(*full->tree);
            const std::uint64_t count = 1 + name.span.size.value - name.span.previous.value;
            for (std::uint64_t leaf = 0; leaf < count; ++leaf, ++at) {
                const Member member = TRY(state_->member(before, leaf));
                const auto kept = TRY(read_row(*rows, manifest.algorithm, at));
                if (kept && ciphertexts && member.entry) {
                    const auto now = TRY(ciphertexts(*member.entry, manifest.algorithm));
                    if (now && *now != *kept)
                        return Error(Code::corrupt, "the digest of entry " + std::to_string(member.entry->value) +
                                                        "'s ciphertext is not the one that was renewed");
                }
                const EvidenceRecord so_far = TRY(state_->record(before, leaf, member));
                const Bytes value =
                    group_value(manifest.algorithm, State::renewed_members(manifest.algorithm, so_far, member, kept));
                if (value != TRY(leaves->leaf(at))) return Error(Code::corrupt, "a leaf is not that of what it covers");
            }
        }
    }
    for (const AnchorToken& token : renewal.tokens) {
        TokenTrust nobody;
        nobody.rule = ChainRule::none;
        const auto held = verify_token(token.token, Imprint(manifest.algorithm, root), nobody);
        if (!held.ok()) return Error(Code::corrupt, held.error().message());
    }
    return {};
}

}  // namespace kustos::audit
