// An intake that keeps what it is given, knows duplicates, and fails when told to.
#pragma once

#include <set>

#include "base/environment.h"
#include "ingest/extract.h"
#include "ingest/import.h"
#include "ingest/intake.h"

namespace kustos::test {

class FakeIntake final : public ingest::Intake {
public:
    explicit FakeIntake(Path spool) : spool_(std::move(spool)) {}
    Status room() const override { return full ? Status(Error(*full, "full")) : ok_status(); }
    Result<std::vector<ingest::Taken>> take(std::vector<ingest::ParsedItem> given) override {
        if (fails) return Error(*fails, "fails");
        std::vector<ingest::Taken> out;
        ++takes;
        for (ingest::ParsedItem& item : given) {
            ingest::Taken taken;
            taken.duplicate = !known_.insert(ingest::dedupe_identity(item.message, item.update_type)).second;
            if (!taken.duplicate) items.push_back(std::move(item));
            out.push_back(taken);
        }
        return out;
    }
    Status finding(std::string_view code, std::uint64_t count, std::string_view) override {
        findings[std::string(code)] += count;
        return {};
    }
    Status resolve(std::string_view, std::string_view) override { return {}; }
    Status promise(const ingest::Promise&) override { return {}; }
    Status heard() override { return {}; }
    Result<std::optional<std::string>> recall(std::string_view) override { return std::optional<std::string>(); }
    Status remember(std::string_view, std::string_view) override { return {}; }
    Status forget(std::string_view) override { return {}; }
    Result<std::unique_ptr<ingest::Extractor>> sandbox() override { return Error(Code::environment, "none here"); }
    ingest::Limits limits() const override { return bounds; }
    Path spool_folder() const override { return spool_; }
    const Environment& environment() const override { return environment_; }
    bool stopping() const override { return stops; }

    std::vector<ingest::ParsedItem> items;
    ingest::Findings findings;
    ingest::Limits bounds;
    std::optional<Code> full, fails;
    bool stops = false;
    int takes = 0;

private:
    Path spool_;
    RealFs fs_;
    SystemClock clock_;
    SystemRandom random_;
    Environment environment_{fs_, clock_, random_};
    std::set<Bytes> known_;
};

}  // namespace kustos::test
