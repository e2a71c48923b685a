// Time stamps and their renewals: each is judged when the walk has passed what it covers.
#include <algorithm>

#include "audit/renewal.h"
#include "audit/segment.h"
#include "audit/src/token_folder.h"
#include "audit/src/verify_archive_check.h"

namespace kustos::audit {

namespace {

constexpr std::size_t kMostOpenSpans = 64;  // time stamps whose spans overlap
constexpr std::size_t kMostJudging = 256;   // tokens, beside the walk

}  // namespace

Status ArchiveCheck::list_spans() {
    if (!fs_.exists(ledger_ / "anchors")) return {};
    const auto names = fs_.list(ledger_ / "anchors");
    if (!names.ok()) {
        report_.problem("anchor.token", "ledger/anchors", names.error().message());
        return {};
    }
    for (const std::string& name : *names) {
        const auto span = AnchorSpan::parse(name);
        if (!span.ok()) {
            unreferenced("ledger/anchors/" + name, "is no anchor's folder");
        } else if (span->size.value > size_.value) {
            if (!live_)
                report_.problem("anchor.imprint", "ledger/anchors/" + name, "stamps more entries than the ledger has");
        } else {
            newest_span_ = std::max(newest_span_, span->size.value);
            if (span->previous.value >= from_) {
                spans_.push_back(*span);
            } else if (since_ != nullptr && span->size > since_->anchored) {
                report_.remark(RemarkCode::older_span, {"ledger/anchors/" + name});
            }
        }
    }
    std::sort(spans_.begin(), spans_.end());
    std::uint64_t reach = 0;
    for (const AnchorSpan& span : spans_) reach_.push_back(reach = std::max(reach, span.size.value));
    if (!spans_.empty()) open_from_ = spans_.front().previous.value;
    return {};
}

void ArchiveCheck::open_spans(std::uint64_t at) {
    for (; next_span_ < spans_.size() && spans_[next_span_].previous.value <= at; ++next_span_) {
        const AnchorSpan& span = spans_[next_span_];
        auto anchor = AnchorStore(fs_, ledger_).read(span);
        const std::string where = where_of(span);
        if (!anchor.ok() && anchor.error().code() == Code::not_found) {
            report_.remark(where + ": an interrupted store, without note or token");
            continue;
        }
        if (!anchor.ok()) {
            report_.problem("anchor.token", where, anchor.error().message());
            continue;
        }
        if (open_spans_.size() >= kMostOpenSpans) {
            report_.problem("anchor.token", where, "overlaps too many others");
            continue;
        }
        expected_anchor_files(where, *anchor);
        const Hash digest = sha256(anchor->note);
        const Published* note = published(span.size.value);
        if (note == nullptr || !(note->note == digest)) {
            judge_all_published();
            report_.problem("anchor.imprint", where + "/note", "is not the published checkpoint");
        }
        open_spans_.push_back({std::move(*anchor), ImprintBuilder(digest)});
    }
    open_until_ = kNever;
    for (const OpenSpan& s : open_spans_) open_until_ = std::min(open_until_, s.anchor.span.size.value);
    open_from_ = next_span_ < spans_.size() ? spans_[next_span_].previous.value : kNever;
}

void ArchiveCheck::close_spans(std::uint64_t at) {
    for (auto s = open_spans_.begin(); s != open_spans_.end();) {
        if (s->anchor.span.size.value > at) {
            ++s;
            continue;
        }
        check_stamp(std::move(s->anchor), s->imprint.root());
        s = open_spans_.erase(s);
    }
}

void ArchiveCheck::expected_anchor_files(const std::string& where, const Anchor& anchor) {
    std::set<std::string> expected = {"note"};
    for (const AnchorToken& t : anchor.tokens) {
        expected.insert(std::to_string(t.number) + ".der");
        expected.insert(std::to_string(t.number) + ".authority");
    }
    only(ledger_ / "anchors" / anchor.span.folder(), where,
         [&](const std::string& n) { return expected.count(n) != 0; });
}

void ArchiveCheck::take_named_token(const BodyReader& body, const std::string& where) {
    const auto size = body.find_u64(Tag::checkpoint_size);
    const auto hash = body.find_hash(Tag::token_hash);
    if (!size || !hash) {
        report_.problem("ledger.chain", where, "names no token");
        return;
    }
    if (const auto note_hash = body.find_hash(Tag::note_hash)) {
        const Published* note = *size <= size_.value ? published(*size) : nullptr;
        if (note == nullptr || !(note->note == *note_hash))
            report_.problem("ledger.chain", where,
                            "names the anchor of a published checkpoint that is missing or another one");
    }
    named_sizes_ = std::max(named_sizes_, *size);
    const auto met = met_.find({*size, *hash});
    if (met != met_.end()) {
        const MetToken& t = met->second;
        if (t.authority != body.find_text(Tag::authority).value_or("") ||
            t.span.previous.value != body.find_u64(Tag::previous_size).value_or(*size)) {
            report_.problem("anchor.token", where_of(t.span) + "/" + authority_file(t.number),
                            "is not the authority, or not the span, that its entry names");
        }
        met_.erase(met);
    } else if (since_ == nullptr || *size > since_->anchored.value || !is_stored(*size, *hash)) {
        missing_.push_back(*size);
    } else {
        report_.remark(RemarkCode::later_token, {std::to_string(*size)});
    }
}

bool ArchiveCheck::is_stored(std::uint64_t size, const Hash& hash) {
    const AnchorStore store(fs_, ledger_);
    const auto spans = store.list();
    if (!spans.ok()) return false;
    for (const AnchorSpan& span : *spans) {
        if (span.size.value != size) continue;
        const auto anchor = store.read(span);
        if (anchor.ok() && std::any_of(anchor->tokens.begin(), anchor->tokens.end(),
                                       [&](const AnchorToken& t) { return sha256(t.token) == hash; }))
            return true;
    }
    return false;
}

void ArchiveCheck::check_stamp(Anchor anchor, const Hash& imprint) {
    anchored_ = std::max(anchored_, anchor.span.size);
    for (AnchorToken& t : anchor.tokens) {
        met_[{anchor.span.size.value, sha256(t.token)}] = {anchor.span, t.number, t.authority};
        auto judging = std::make_unique<Judging>();
        judging->where = where_of(anchor.span) + "/" + token_file(t.number);
        judging->span = anchor.span;
        judging->token = std::move(t);
        judging->imprint = imprint;
        judging->task = lookahead_->begin([this, j = judging.get()] {
            j->verdict = judge_token(j->token.token, j->imprint, builtin_root_, options_.trust);
        });
        judging_.push_back(std::move(judging));
    }
    report_stamps(kMostJudging);
}

void ArchiveCheck::report_stamps(std::size_t most) {
    for (; judging_.size() > most; judging_.pop_front()) {
        const Judging& j = *judging_.front();
        lookahead_->wait(*j.task);
        if (!j.verdict.ok()) {
            report_.problem("anchor.token", j.where, j.verdict.error().message());
            continue;
        }
        if (!j.verdict->remark.empty()) report_.remark(j.verdict->remark);
        report_.anchor({j.span.size.value, j.verdict->authority.empty() ? j.token.authority : j.verdict->authority,
                        j.verdict->gen_time, j.verdict->level});
    }
}

void ArchiveCheck::check_renewals() {
    if (!complete_ || live_ || (since_ != nullptr && renewals_.empty()) ||
        (!fs_.exists(ledger_ / "renewals") && renewals_.empty()))
        return;
    const LedgerReader reader(fs_, ledger_, size_);
    const SegmentReader frames(
        fs_, vault_, [&reader](EntryIndex i) { return reader.header(i); },
        [this](EntryIndex, const EntryHeader& h) { return judge_.erasures().covered(h.tree, h.leaf); });
    const auto evidence = Evidence::open(fs_, ledger_, reader);
    if (!evidence.ok()) {
        report_.problem("renewal", "ledger/renewals", evidence.error().message());
        return;
    }
    const auto digests = fs_.exists(vault_ / "segments") ? ciphertext_digests(frames) : CiphertextDigest();
    for (const Renewal& renewal : (*evidence)->renewals()) {
        const std::string where = "ledger/renewals/" + std::to_string(renewal.number);
        const auto named = renewals_.find(renewal.number);
        if (named == renewals_.end() && since_ != nullptr) continue;  // verified before
        if (named == renewals_.end()) {
            report_.remark(where + ": the entry that names it is still to come");
        } else {
            for (const auto& [manifest, token] : named->second) {
                const bool there =
                    manifest == renewal.manifest_hash &&
                    std::any_of(renewal.tokens.begin(), renewal.tokens.end(),
                                [&, hash = token](const AnchorToken& t) { return sha256(t.token) == hash; });
                if (!there) report_.problem("renewal", where, "is not the one that its entry names");
            }
            // Of several, the first may have been named before the walk began.
            if (since_ != nullptr ? named->second.size() > renewal.tokens.size()
                                  : named->second.size() != renewal.tokens.size())
                report_.problem("renewal", where, "has other tokens than its entries name");
            renewals_.erase(named);
        }
        if (const Status held = (*evidence)->check(renewal, digests); !held.ok())
            report_.problem("renewal", where, held.error().message());
        std::set<std::string> expected = {"manifest", "leaves", "ciphertexts"};
        for (const AnchorToken& t : renewal.tokens) {
            expected.insert(token_file(t.number));
            expected.insert(authority_file(t.number));
        }
        only(RenewalStore(fs_, ledger_).folder(renewal.number), where,
             [&](const std::string& n) { return expected.count(n) != 0; });
        report_.checked["renewals"] += 1;
    }
    for (const auto& [number, rest] : renewals_)
        report_.problem("renewal", "ledger/renewals/" + std::to_string(number), "an entry names it, but it is missing");
}

}  // namespace kustos::audit
