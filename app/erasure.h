// Erasure as people ask for it (DSGVO Art. 17): which records, why, who approved; what became of it; the certificate.
// House carries it out (house_erase.cpp). Threads: values.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/call.h"
#include "audit/erasures.h"
#include "base/entry_set.h"
#include "vault/erasure.h"
#include "web/service.h"

namespace kustos::app {

// One of the three says what.
struct EraseRequest {
    std::vector<EntryIndex> records;
    std::string query;       // every record that it finds, of the whole archive
    std::string attachment;  // SHA-256 of its content, hex: everywhere where it is
    std::string ground;
    std::vector<std::string> approvers;  // at least two, different people
    std::string actor;
    bool only_look = false;  // says what would be erased
    bool without_escrow = false;
};

struct EraseAnswer {
    std::optional<vault::Forgotten> done;       // absent: only looked, or nothing was found
    std::vector<EntryIndex> records;            // that were, or would be, erased
    std::vector<EntryIndex> successors;         // records that were sealed again without the attachment
    std::uint64_t erased_before = 0;            // found, and erased already
    std::optional<web::Coverage> coverage;      // of the search: what could not be looked at
    std::optional<web::Unsearched> unsearched;  // of that, what the search may match
};

// One run, as the ledger says it now.
struct ErasureStatus {
    audit::ErasureRun run;
    std::string state;  // begun, unreadable, terms_gone, ciphertext_gone, final
    std::string medium;
};
ErasureStatus status_of(const audit::ErasureRun& run, const std::string& medium);
std::string erasure_name(const audit::ErasureId& id);  // 32 hex digits
Result<audit::ErasureId> parse_erasure_name(const std::string& text);
// What a state means, and what it does not, in one sentence.
std::string state_words(const std::string& state, const std::string& medium, Language language);

struct TermsReport {
    std::uint64_t shards = 0, rewritten = 0, documents = 0;
    std::optional<EntryIndex> entry;  // terms_removed; absent: there was nothing to do
};
struct CompactionReport {
    std::uint64_t segments = 0, frames = 0, bytes = 0;
};

}  // namespace kustos::app
