// Published checkpoints, and what witnesses have signed.
#include <algorithm>

#include "audit/src/verify_archive_check.h"

namespace kustos::audit {

namespace {

constexpr std::size_t kKeptPublished = 1024;  // notes of published checkpoints

}  // namespace

Status ArchiveCheck::list_published_checkpoints() {
    auto sizes = list_published(fs_, ledger_);
    if (!sizes.ok()) {
        report_.problem("checkpoint.published", "ledger/published", sizes.error().message());
        return {};
    }
    for (const TreeSize size : *sizes) {
        if (size.value > size_.value) {
            if (!live_)
                report_.problem("checkpoint.published", published_name(size.value),
                                "claims more entries than the ledger has");
        } else if (size.value >= from_) {
            published_sizes_.push_back(size.value);
        }
    }
    return {};
}

const ArchiveCheck::Published* ArchiveCheck::published(std::uint64_t size) {
    if (const auto found = published_.find(size); found != published_.end()) {
        return found->second.problem.empty() ? &found->second : nullptr;
    }
    if (published_.size() >= kKeptPublished) published_.erase(published_.begin());
    Published& p = published_[size];
    const auto note = read_note(fs_, published_file(ledger_, TreeSize(size)));
    if (!note.ok()) {
        p.problem = note.error().message();
        return nullptr;
    }
    p.note = sha256(as_bytes(*note));
    const auto opened = history_->open(as_bytes(*note));
    if (!opened.ok()) {
        p.problem = opened.error().message();
        return nullptr;
    }
    p.root = opened->checkpoint.root;
    p.size = opened->checkpoint.size.value;
    return &p;
}

void ArchiveCheck::judge_published(std::uint64_t size) {
    const Published* p = published(size);
    const char* text = p == nullptr      ? published_[size].problem.c_str()
                       : p->size != size ? "states another size than its name"
                                         : nullptr;
    if (text != nullptr && misjudged_.insert(size).second)
        report_.problem("checkpoint.published", published_name(size), text);
}

void ArchiveCheck::check_published(std::uint64_t size, const Hash& root) {
    judge_published(size);
    const Published* p = published(size);
    if (p == nullptr) return;
    if (!(p->root == root))
        report_.problem("checkpoint.published", published_name(size), "states a root that the entries do not lead to");
    report_.checked["checkpoints"] += 1;
    unnamed_.insert(size);
}

void ArchiveCheck::judge_all_published() {
    if (std::exchange(all_judged_, true)) return;  // thousands may follow from it, and each needs the disk
    for (const std::uint64_t size : published_sizes_) judge_published(size);
}

void ArchiveCheck::list_cosigned_checkpoints() {
    const auto sizes = list_cosigned(fs_, ledger_);
    if (!sizes.ok()) {
        report_.problem("witness.note", "ledger/cosigned", sizes.error().message());
        return;
    }
    for (const TreeSize size : *sizes) {
        const std::string where = "ledger/cosigned/" + twelve_digits(size.value);
        if (size.value < from_ || (live_ && size > size_)) continue;
        const auto text = read_note(fs_, cosigned_file(ledger_, size));
        const auto opened = text.ok() ? history_->open(as_bytes(*text)) : Result<KeyHistory::Opened>(text.error());
        const auto first =
            opened.ok() ? as_first_published(as_bytes(*text), opened->key) : Result<std::string>(opened.error());
        const Published* note = size <= size_ ? published(size.value) : nullptr;
        if (!first.ok() || note == nullptr || !(note->note == sha256(as_bytes(*first)))) {
            judge_all_published();
            report_.problem("witness.note", where, "is not the published checkpoint");
            continue;
        }
        if (!options_.trust || options_.trust->witnesses.empty()) continue;
        const auto held = verify_cosignatures(*parse_note(as_bytes(*text)), options_.trust->witness_keys());
        if (!held.ok()) {
            report_.problem("witness.cosignature", where, held.error().message());
            continue;
        }
        report_.checked["cosignatures"] += held->size();
        if (options_.trust->witnessed(*held)) witnessed_ = std::max(witnessed_, size);
    }
}

}  // namespace kustos::audit
