// An intake and a homeserver in memory, which fail when told to.
#pragma once

#include <map>
#include <set>

#include "base/environment.h"
#include "ingest/extract.h"
#include "ingest/import.h"
#include "ingest/intake.h"
#include "ingest/src/matrix_homeserver.h"

namespace kustos::test {

class MemoryIntake final : public ingest::Intake {
public:
    Status room() const override {
        if (full) return Error(Code::overloaded, "later");
        return {};
    }
    Result<std::vector<ingest::Taken>> take(std::vector<ingest::ParsedItem> items) override {
        TRY(room());
        if (fails) return Error(Code::read_only, "the writer has ended");
        std::vector<ingest::Taken> out;
        for (auto& item : items) {
            ingest::Taken taken;
            taken.duplicate = !seen.insert(ingest::dedupe_identity(item.message, item.update_type)).second;
            if (!taken.duplicate) messages.push_back(std::move(item.message));
            out.push_back(taken);
        }
        return out;
    }
    Status finding(std::string_view code, std::uint64_t count, std::string_view about) override {
        findings.emplace(std::string(code) + " " + std::string(about), count);
        return {};
    }
    Status resolve(std::string_view code, std::string_view about) override {
        const auto at = findings.find(std::string(code) + " " + std::string(about));
        if (at == findings.end()) return {};
        resolved.insert(*at);
        findings.erase(at);
        return {};
    }
    Status promise(const ingest::Promise& promise) override {
        promises.push_back(promise);
        return {};
    }
    Status heard() override {
        ++beats;
        return {};
    }
    Result<std::optional<std::string>> recall(std::string_view name) override {
        const auto at = memory.find(std::string(name));
        return at == memory.end() ? std::nullopt : std::optional(at->second);
    }
    Status remember(std::string_view name, std::string_view value) override {
        if (value.size() > (64u << 10)) return Error(Code::limit, "too much");
        memory[std::string(name)] = std::string(value);
        return {};
    }
    Status forget(std::string_view name) override {
        memory.erase(std::string(name));
        return {};
    }
    Result<std::unique_ptr<ingest::Extractor>> sandbox() override { return Error(Code::environment, "none"); }
    ingest::Limits limits() const override { return limits_; }
    Path spool_folder() const override { return {}; }
    const Environment& environment() const override { return environment_; }
    bool stopping() const override { return false; }

    bool full = false, fails = false;
    std::set<Bytes> seen;
    std::vector<vault::Message> messages;
    std::vector<ingest::Promise> promises;
    std::map<std::string, std::uint64_t> findings, resolved;
    std::map<std::string, std::string> memory;
    int beats = 0;
    FixedClock clock{UtcTime{1'772'500'000'000}};
    ingest::Limits limits_;

private:
    RealFs fs_;
    SystemRandom random_;
    Environment environment_{fs_, clock, random_};
};

class FakeHomeserver final : public ingest::MatrixHomeserver {
public:
    Status media(std::string_view mxc, const ByteSink& out) override {
        ++asked;
        if (busy) return Error(Code::environment, "busy");
        const auto at = files.find(std::string(mxc));
        if (at == files.end()) return Error(Code::not_found, "none");
        return out(as_bytes(at->second));
    }
    // Pages of `page_size`; a page's token is how many events were given before it.
    Result<ingest::MatrixPage> messages(std::string_view room, std::string_view as_user,
                                        std::string_view from) override {
        if (busy) return Error(Code::environment, "busy");
        ++pages;
        if (hidden && as_user != reader) return Error(Code::not_found, "forbidden");
        const auto& events = rooms[std::string(room)];
        const std::size_t before = from.empty() ? 0 : std::stoul(std::string(from));
        ingest::MatrixPage out;
        for (std::size_t n = before; n < events.size() && n < before + page_size; ++n)
            out.events.push_back(to_bytes(events[events.size() - 1 - n]));
        if (before + page_size < events.size()) out.end = std::to_string(before + page_size);
        return out;
    }
    Result<std::vector<std::string>> joined_rooms() override {
        if (busy) return Error(Code::environment, "busy");
        return joined;
    }
    bool busy = false, hidden = false;
    std::string reader = "nobody";
    int asked = 0, pages = 0;
    std::size_t page_size = 3;
    std::map<std::string, std::string> files;
    std::map<std::string, std::vector<std::string>> rooms;
    std::vector<std::string> joined;
};

}  // namespace kustos::test
