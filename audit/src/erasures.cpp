#include "audit/erasures.h"

#include <algorithm>

#include "audit/ledger.h"
#include "audit/merkle.h"

namespace kustos::audit {

namespace {

constexpr std::size_t kFewSpans = 4'096;

Error malformed(const char* what) {
    return Error(Code::bad_input, what);
}

std::optional<ErasureId> id_of(const BodyReader& body) {
    const auto bytes = body.find_bytes(Tag::erasure);
    ErasureId id{};
    if (!bytes || bytes->size() != id.size()) return std::nullopt;
    std::copy(bytes->begin(), bytes->end(), id.begin());
    return id;
}

}  // namespace

RunState state_of(const ErasureRun& run) {
    if (!run.done) return RunState::begun;
    if (run.final_entry) return RunState::final_;
    if (run.ciphertext && run.terms) return RunState::ciphertext_gone;
    if (run.terms) return RunState::terms_gone;
    return RunState::unreadable;
}

std::string_view name_of(RunState state) {
    switch (state) {
        case RunState::begun:
            return "begun";
        case RunState::unreadable:
            return "unreadable";
        case RunState::terms_gone:
            return "terms_gone";
        case RunState::ciphertext_gone:
            return "ciphertext_gone";
        case RunState::final_:
            return "final";
    }
    return "begun";
}

bool Erasures::seal(const EntryHeader& header) {
    if (header.suite == Suite::none) return true;
    used_.add(header.tree, header.leaf);
    return covered_.empty() || !covered_.contains(header.tree, header.leaf);
}

Status Erasures::take(EntryIndex index, const Entry& entry) {
    if (entry.header.kind != Kind::erasure) {
        if (control_action(entry) != ControlAction::generation_opened) return {};
        take_generation(TRY(BodyReader::parse(entry.body)));
        return {};
    }
    const BodyReader body = TRY(BodyReader::parse(entry.body));
    switch (*erasure_action(entry)) {
        case ErasureAction::begun:
            return take_begun(index, body);
        case ErasureAction::done:
            return take_done(index, body);
        case ErasureAction::ciphertext_removed:
        case ErasureAction::terms_removed:
        case ErasureAction::final_:
            return take_state(index, *erasure_action(entry), body);
    }
    return {};  // of a version to come: allows nothing
}

void Erasures::take_generation(const BodyReader& body) {
    const auto number = body.find_u32(Tag::generation);
    const auto hash = body.find_hash(Tag::keyring_hash);
    if (number && hash) generations_[*number] = *hash;
}

Status Erasures::take_begun(EntryIndex index, const BodyReader& body) {
    const auto id = id_of(body);
    const auto method = body.find_text(Tag::method);
    const auto generation = body.find_u32(Tag::generation), part = body.find_u32(Tag::part),
               parts = body.find_u32(Tag::parts);
    if (!id || !method || !generation || !part || !parts || *parts == 0 || *part >= *parts)
        return malformed("does not say what it destroys");
    const auto known = by_id_.find(*id);
    if (known == by_id_.end()) {
        ErasureRun run;
        run.id = *id;
        run.method = *method;
        run.parts = *parts;
        run.generation = *generation;
        run.begun_at = body.find_time(Tag::time).value_or(UtcTime{0});
        by_id_[*id] = runs_.size();
        leaves_[runs_.size()];
        runs_.push_back(std::move(run));
    }
    const std::size_t number = by_id_[*id];
    ErasureRun& run = runs_[number];
    const auto refuse = [&](const char* what) {
        run.broken = true;
        if (!run.done) leaves_[number] = {};
        return malformed(what);
    };
    if (run.done) return malformed("begins an erasure that is done");
    if (*part != run.begun.size() || *parts != run.parts || *generation != run.generation || *method != run.method)
        return refuse("is a part of an erasure that is missing, doubled or out of order");
    run.begun.push_back(index);
    if (run.broken) return {};
    const auto ranges = body.leaf_ranges();
    if (!ranges || ranges->empty()) return refuse("does not say what it destroys");
    const Status added = add_ranges(index, leaves_[number], *ranges);
    if (!added.ok()) return refuse("names leaves that its entries do not have");
    return {};
}

Status Erasures::add_ranges(EntryIndex index, Leaves& leaves, const std::vector<LeafRange>& ranges) {
    for (const LeafRange& range : ranges) {
        TRY(check_range(index, range));
        const LeafSpan span{range.tree, range.first, range.last};
        if (leaves.few.size() < kFewSpans) {
            leaves.few.push_back(span);
        } else {
            leaves.many.add(span);
        }
        if (!counted_from_ || range.first_entry < *counted_from_) {
            leaves.counted = false;
        } else {
            const std::uint64_t all = used_.count_in(span);
            leaves.most += all;
            leaves.least += all - used_.count_common_in(span, covered_);
        }
    }
    return {};
}

// The entries of a range used the first and the last of its leaves that are used.
Status Erasures::check_range(EntryIndex index, const LeafRange& range) const {
    const Error wrong = malformed("");
    if (range.tree.value == 0 || range.last_entry >= index) return wrong;
    if (!headers_) return {};
    LeafNumber leaves[2];
    int n = 0;
    for (const EntryIndex entry : {range.first_entry, range.last_entry}) {
        const auto header = headers_(entry);
        if (!header.ok()) return wrong;
        const bool inside = header->suite != Suite::none && header->tree == range.tree && header->leaf >= range.first &&
                            header->leaf <= range.last;
        if (!inside) return wrong;
        leaves[n++] = header->leaf;
    }
    if ((range.first_entry == range.last_entry) != (leaves[0] == leaves[1]) || leaves[0] > leaves[1]) return wrong;
    return {};
}

Status Erasures::take_done(EntryIndex index, const BodyReader& body) {
    const auto id = id_of(body);
    const auto known = id ? by_id_.find(*id) : by_id_.end();
    if (known == by_id_.end()) return malformed("ends an erasure that never began");
    ErasureRun& run = runs_[known->second];
    if (run.broken) return {};  // that was said where it broke
    if (run.done) return malformed("ends an erasure twice");
    Leaves& leaves = leaves_[known->second];
    const auto refuse = [&](const char* what) {
        run.broken = true;
        leaves_.erase(known->second);
        return malformed(what);
    };
    if (run.begun.size() != run.parts) return refuse("ends an erasure of which a part is missing");
    const auto generation = body.find_u32(Tag::generation);
    const auto keyring = body.find_hash(Tag::keyring_hash);
    const auto count = body.find_u64(Tag::count);
    if (!generation || !keyring || !count) return refuse("does not say what was done");
    const auto opened = generations_.find(*generation);
    if (*generation < run.generation || opened == generations_.end() || !(opened->second == *keyring))
        return refuse("names a generation of keys that was not opened");
    if (leaves.counted && (*count < leaves.least || *count > leaves.most))
        return refuse("counts other records than its leaves have");
    run.done = index;
    run.done_at = body.find_time(Tag::time).value_or(UtcTime{0});
    run.generation = *generation;
    run.count = *count;
    waiting_.push_back(known->second);
    destroyed_below_ = std::max(destroyed_below_, *generation);
    for (const LeafSpan& span : leaves.few) covered_.add(span);
    covered_.add(leaves.many);
    return {};
}

Status Erasures::take_state(EntryIndex index, ErasureAction action, const BodyReader& body) {
    const auto size = body.find_u64(Tag::checkpoint_size);
    if (!size || *size > index.value) return malformed("speaks of more entries than there were");
    const auto generation = body.find_u32(Tag::generation);
    const auto count = body.find_u64(Tag::count);
    if (action == ErasureAction::final_ ? !generation : !count) return malformed("does not say what was done");
    // Of these entries `size` only grows; so does what they speak of.
    if (action == ErasureAction::ciphertext_removed && counted_from_ && counted_from_->value == 0) {
        LeafSet fresh;
        for (const auto& [number, leaves] : leaves_) {
            if (!runs_[number].done || runs_[number].done->value >= *size) continue;
            for (const LeafSpan& span : leaves.few) fresh.add(span);
            fresh.add(leaves.many);
        }
        if (*count > fresh.without(removed_).common(used_).count()) return malformed("counts more than was destroyed");
    }
    for (const std::size_t number : waiting_) {
        ErasureRun& run = runs_[number];
        if (run.done->value >= *size) continue;
        if (action == ErasureAction::terms_removed && !run.terms) run.terms = index;
        if (action == ErasureAction::final_ && !run.final_entry && run.generation <= *generation)
            run.final_entry = index;
        if (action != ErasureAction::ciphertext_removed || run.ciphertext) continue;
        run.ciphertext = index;
        const auto leaves = leaves_.find(number);
        if (leaves == leaves_.end()) continue;
        for (const LeafSpan& span : leaves->second.few) removed_.add(span);
        removed_.add(leaves->second.many);
        leaves_.erase(leaves);
    }
    std::erase_if(waiting_, [this](std::size_t number) {
        const ErasureRun& run = runs_[number];
        return run.terms && run.ciphertext && run.final_entry;
    });
    return {};
}

Result<Erasures> collect_erasures(const LedgerReader& ledger, const TreeSize& size, const Hash& root) {
    Erasures all([&ledger](EntryIndex i) { return ledger.header(i); });
    TRY(ledger.for_each(EntryIndex{0}, EntryIndex{size.value}, [&](EntryIndex index, ByteView bytes) -> Status {
        const EntryHeader header = TRY(decode_header(bytes));
        if (header.kind != Kind::erasure && header.kind != Kind::control) return {};
        const Entry entry = TRY(decode_entry(bytes));
        if (header.kind == Kind::control && control_action(entry) != ControlAction::generation_opened) return {};
        const auto proof = TRY(ledger.proof(index, size));
        TRY(verify_inclusion(index, size, leaf_hash(bytes), proof, root));
        (void)all.take(index, entry);
        return {};
    }));
    all.compare_no_more();
    return all;
}

const ErasureRun* Erasures::find(const ErasureId& id) const {
    const auto found = by_id_.find(id);
    return found == by_id_.end() ? nullptr : &runs_[found->second];
}

}  // namespace kustos::audit
