// Indexing and searching speed on real chat.
// Usage: xzcat ../shared/bench/chat-200k.jsonl.xz | bench_index [messages] [folder]
// CPU time is of this thread: what a core does, whatever else the machine does. Content is never printed.
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "search/indexer.h"
#include "search/searcher.h"

using namespace kustos;

namespace {

double cpu_seconds() {
    timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

class Keys final : public search::ShardKeys {
public:
    Result<search::NewShard> open_shard() override {
        search::NewShard shard{search::ShardId(next_++), SecretBytes::random(random_, search::kTermKeySize)};
        keys_[shard.id.value] = shard.term_key.clone();
        return shard;
    }
    Result<SecretBytes> key_of(search::ShardId id) override { return keys_.at(id.value).clone(); }
    void forget(search::ShardId) override {}

private:
    SystemRandom random_;
    std::uint64_t next_ = 1;
    std::map<std::uint64_t, SecretBytes> keys_;
};

class NoExtractor final : public search::TextExtractor {
public:
    Result<search::ExtractedText> text(ByteView, std::string_view, std::string_view) override {
        return search::ExtractedText{};
    }
};

// Reads lines as they are asked for, outside the measured time.
class LineFeed final : public search::IndexFeed {
public:
    explicit LineFeed(std::uint64_t most) : most_(most) {}
    Result<std::vector<search::FeedItem>> next(EntryIndex, std::size_t limit,
                                               const std::function<bool(EntryIndex)>&) override {
        const double before = cpu_seconds();
        std::vector<search::FeedItem> out;
        for (std::string line; out.size() < limit && read_ < most_ && std::getline(std::cin, line);) {
            const auto json = nlohmann::json::parse(line, nullptr, false);
            if (json.is_discarded()) continue;
            search::FeedItem item;
            item.index = EntryIndex(read_++);
            item.source_name = "chat";
            item.message.emplace();
            item.message->body = json.value("text", "");
            item.message->sender.name = json.value("sender", "");
            item.message->conversation.id = json.value("stream", "");
            item.message->conversation.title = json.value("stream", "") + " " + json.value("topic", "");
            item.message->sent_at = UtcTime{json.value("ts", std::int64_t{0}) * 1000};
            bytes_ += item.message->body.size();
            out.push_back(std::move(item));
        }
        reading_ += cpu_seconds() - before;
        return out;
    }
    Status done_up_to(EntryIndex) override { return ok_status(); }
    Result<Bytes> attachment(const search::FeedItem&, std::size_t) override { return Bytes(); }
    std::uint64_t read_ = 0, most_, bytes_ = 0;
    double reading_ = 0;
};

class Census final : public search::RecordCensus {
public:
    explicit Census(std::uint64_t sealed) : sealed_(sealed) {}
    Result<search::CensusNow> now() override { return search::CensusNow{sealed_, {}}; }

private:
    std::uint64_t sealed_;
};

std::uint64_t size_of(const Path& dir) {
    std::uint64_t size = 0;
    for (const auto& file : std::filesystem::recursive_directory_iterator(dir)) {
        if (file.is_regular_file()) size += file.file_size();
    }
    return size;
}

Status run(std::uint64_t messages, const Path& dir) {
    RealFs fs;
    SystemClock clock;
    SystemRandom random;
    Keys keys;
    NoExtractor extractor;
    LineFeed feed(messages);
    const double begin = cpu_seconds();
    const std::int64_t begin_ms = clock.monotonic_ms();
    {
        auto indexer = TRY(search::Indexer::open(fs, dir, keys, extractor, clock, random));
        EntryIndex from = indexer->position();
        for (;;) {
            const auto step = TRY(indexer->run_once(feed, from));
            from = step.next;
            if (step.drained) break;
        }
        TRY(indexer->close_shard(feed));
    }
    const double cpu = cpu_seconds() - begin - feed.reading_;
    const double wall = static_cast<double>(clock.monotonic_ms() - begin_ms) / 1000 - feed.reading_;
    const auto n = static_cast<double>(feed.read_);
    std::printf(
        "indexed %llu chats (%.0f bytes of text each): %.1f us CPU each, %.0f/CPU-s, %.0f/s wall, %.0f bytes of index "
        "each\n",
        static_cast<unsigned long long>(feed.read_), static_cast<double>(feed.bytes_) / n, cpu / n * 1e6, n / cpu,
        n / wall, static_cast<double>(size_of(dir)) / n);

    Census census(feed.read_);
    search::Searcher searcher(fs, dir, keys);
    for (const char* query : {"the", "the", "lemma", "instance group", "\"type class\"", "induct*", "from:mario",
                              "date:2021-03", "lemma date:2021-03", "* -the", "issue-1234"}) {
        const double before = cpu_seconds();
        const auto answer = searcher.run(TRY(search::parse_query(query)), {}, census);
        const double took = (cpu_seconds() - before) * 1e3;
        if (answer.ok()) {
            std::printf("%-22s %8llu hits of %llu shards in %8.2f ms\n", query,
                        static_cast<unsigned long long>(answer->total), static_cast<unsigned long long>(answer->shards),
                        took);
        } else {
            std::printf("%-22s %s\n", query, answer.error().message().c_str());
        }
    }
    return ok_status();
}

}  // namespace

int main(int argc, char** argv) {
    const std::uint64_t messages = argc > 1 ? std::stoull(argv[1]) : 60'000;
    const Path dir =
        argc > 2 ? argv[2]
                 : std::filesystem::temp_directory_path() / ("kustos-bench-index-" + std::to_string(time(nullptr)));
    const Status done = run(messages, dir);
    if (argc <= 2) std::filesystem::remove_all(dir);
    if (!done.ok()) std::fprintf(stderr, "bench_index: %s\n", done.error().message().c_str());
    return done.ok() ? 0 : 1;
}
