// A sink and a port that keep what they get.
#pragma once

#include <set>
#include <vector>

#include "ingest/extract.h"
#include "ingest/format.h"
#include "ingest/import.h"

namespace kustos::test {

class Collect final : public ingest::ItemSink {
public:
    Status item(ingest::ParsedItem item) override {
        items.push_back(std::move(item));
        return ok_status();
    }
    void finding(std::string_view code, std::uint64_t count) override { findings[std::string(code)] += count; }

    std::size_t quarantined() const {
        std::size_t n = 0;
        for (const auto& item : items) n += item.message.kind == vault::MessageKind::unreadable;
        return n;
    }
    std::vector<ingest::ParsedItem> items;
    ingest::Findings findings;
};

class MemoryPort final : public ingest::SealPort {
public:
    Result<std::vector<ingest::Outcome>> seal(std::vector<ingest::PortItem> batch) override {
        ++batches;
        if (fail_from && batches >= fail_from) return Error(Code::read_only, "the writer has ended");
        largest = std::max(largest, batch.size());
        std::vector<ingest::Outcome> out;
        for (auto& item : batch) {
            const bool fresh = seen.insert(item.dedupe_identity).second;
            out.push_back(fresh ? ingest::Outcome::sealed : ingest::Outcome::duplicate);
            if (fresh) messages.push_back(std::move(item.message));
        }
        return out;
    }
    std::set<Bytes> seen;
    std::vector<vault::Message> messages;
    std::size_t batches = 0, largest = 0, fail_from = 0;
};

// The program beside the test, in bubblewrap.
ingest::Extractor& extractor();
// Whether all walls can stand on this machine; where not (user namespaces are forbidden), nothing foreign is read, and
// the tests that need it are skipped. One test says so plainly.
bool sandbox_works();
#define KUSTOS_NEEDS_SANDBOX *doctest::skip(!kustos::test::sandbox_works())
// Of all processes below this one that live now: the largest peak of resident memory, in KiB.
std::uint64_t largest_descendant_kib();

}  // namespace kustos::test
