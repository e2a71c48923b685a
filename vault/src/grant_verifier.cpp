#include "vault/grant_verifier.h"

#include "base/text.h"

namespace kustos::vault {

namespace {
constexpr std::size_t kMaxActor = 200, kMaxQuery = 16 * 1024, kMaxWithin = 32;  // bytes
}

Status LedgerGrants::allow(const Purpose& purpose, std::span<const EntryIndex> ids, const Catalog& ledger) {
    if (purpose.actor.empty() || purpose.actor.size() > kMaxActor || !is_valid_utf8(purpose.actor))
        return Error(Code::denied, "nobody's name stands on this opening");
    if (purpose.within.size() > kMaxWithin || !is_valid_utf8(purpose.within))
        return Error(Code::denied, "a result set is named like R15");
    if (purpose.query.size() > kMaxQuery || !is_valid_utf8(purpose.query))
        return Error(Code::limit, "the query is longer than 16 KiB");
    if (purpose.action == audit::AccessAction::index) {
        if (purpose.actor != kIndexActor || ids.size() > kIndexBatch)
            return Error(Code::denied, "the indexer opens at most 512 records at once, in its own name");
        return {};
    }
    if (ids.size() > most_records_)
        return Error(Code::limit, "more than " + std::to_string(most_records_) + " records at once")
            .with_hint("narrow it down, or start `kustos opener serve` with --records-per-hour");
    const auto matter = ledger.matters().find(purpose.matter);
    if (matter == ledger.matters().end()) return Error(Code::denied, "there is no such matter");
    if (matter->second.closed) return Error(Code::denied, "the matter is closed");
    return {};
}

Status LedgerGrants::allow_trail(const Purpose& purpose, const audit::EntryHeader& header, const Catalog&) {
    if (header.kind == audit::Kind::record || header.kind == audit::Kind::blob || header.suite == audit::Suite::none)
        return Error(Code::not_found, "this is no control or access entry with a sealed part");
    if (purpose.actor.empty() || purpose.actor.size() > kMaxActor || purpose.query.empty() ||
        purpose.query.size() > 2'000 || !is_valid_utf8(purpose.query))
        return Error(Code::denied, "who reads who read what says why: a ground of 1 to 2000 bytes of UTF-8");
    return {};
}

}  // namespace kustos::vault
