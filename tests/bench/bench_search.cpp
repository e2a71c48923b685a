// Indexing and searching, in steps that ./run bench puts together; each prints "name value" lines for table.py.
//
// Usage: bench_search seal FOLDER STREAM [MBOX]         into the archive there, which is founded if need be; no index
//        bench_search index FOLDER                      all that is sealed and not indexed yet, as `kustos index` does
//        bench_search apart FOLDER                      opening alone, and taking words apart alone: a thread's time
//        bench_search small FOLDER SHARDS               as `index`, but in about so many shards (a closed vault's days)
//        bench_search merge FOLDER                      joins small shards
//        bench_search ask FOLDER STREAM NUMBER MOST PREFIX [MAILS]    so many questions of each class, drawn from the
//        first
//                                                       MOST messages; beside notmuch over MAILS
//        bench_search pages FOLDER STREAM NUMBER MOST PREFIX          first pages with opened snippets, in process and
//        over HTTPS
// Content is never printed.
#include <algorithm>

#include "search/analysis.h"
#include "search/searcher.h"
#include "tests/bench/https_pages.h"
#include "tests/bench/notmuch_peer.h"
#include "tests/bench/place.h"
#include "tests/bench/questions.h"
#include "vault/payload.h"
#include "vault/retention.h"

using namespace kustos;
using namespace kustos::bench;

namespace {

constexpr int kRounds = 3;  // of each question the best counts: others use the processor, too

struct Keys final : search::ShardKeys {
    explicit Keys(vault::Archive& archive) : archive_(archive) {}
    Result<search::NewShard> open_shard() override { return Error(Code::internal, "this bench only reads"); }
    Result<SecretBytes> key_of(search::ShardId id) override {
        return archive_.shard_key(static_cast<std::uint32_t>(id.value));
    }
    void forget(search::ShardId) override {}
    vault::Archive& archive_;
};

struct Census final : search::RecordCensus {
    explicit Census(vault::Archive& archive) : archive_(archive) {}
    Result<search::CensusNow> now() override {
        search::CensusNow now;
        now.erased = TRY(archive_.erased());
        now.erased_records = TRY(archive_.erased_records())->count();
        now.sealed = archive_.count(audit::Kind::record);
        return now;
    }
    vault::Archive& archive_;
};

void print(const std::string& name, double value) {
    std::printf("%s %.6g\n", name.c_str(), value);
}

double percentile(std::vector<double> values, std::size_t percent) {
    std::sort(values.begin(), values.end());
    return values.at(std::min(values.size() - 1, values.size() * percent / 100));
}

std::uint64_t size_of(const Path& dir) {
    std::uint64_t size = 0;
    for (const auto& file : std::filesystem::recursive_directory_iterator(dir))
        if (file.is_regular_file()) size += file.file_size();
    return size;
}

void print_index(Place& place) {
    const search::IndexSummary summary = need(search::summarise(place.fs, place.index()));
    print("index_bytes", static_cast<double>(size_of(place.index())));
    print("index_shards", static_cast<double>(summary.shards.size()));
    print("index_records", static_cast<double>(summary.counts.total()));
}

void seal(Place& place, const Path& stream, const Path& mbox) {
    const auto take = [&](const char* source, const char* format, const Path& file) {
        if (file.empty()) return;
        if (!place.house->archive().find_source(source))
            need(place.house->archive().add_source(source, "import", vault::kDefaultClass));
        need(place.house->import_paths(source, format, {file}));
    };
    print("seal_seconds", seconds_of([&] {
              take("chats", "stream", stream);
              take("mails", "mbox", mbox);
          }));
}

void index(Place& place) {
    const double cpu = cpu_seconds();
    print("index_seconds", seconds_of([&] { need(place.house->index_all(false)); }));
    print("index_cpu", cpu_seconds() - cpu);
    print("index_mib", peak_mib());
    print_index(place);
}

// What a record costs before Xapian sees it.
void apart(Place& place) {
    vault::Archive& archive = place.house->archive();
    search::Analyser analyser;
    double opening = 0, words = 0;
    std::uint64_t records = 0;
    const std::uint64_t size = archive.head().size.value;
    for (std::uint64_t at = 0; at < size;) {
        std::vector<vault::Message> messages;
        double before = cpu_seconds();
        const auto entries = need(archive.entries(EntryIndex(at), std::min<std::uint64_t>(512, size - at)));
        for (std::size_t i = 0; i < entries.size(); ++i)
            if (entries[i].header.kind == audit::Kind::record)
                messages.push_back(need(vault::decompose(need(archive.open_payload(EntryIndex(at + i), entries[i])))));
        opening += cpu_seconds() - before;
        before = cpu_seconds();
        for (const vault::Message& message : messages)
            for (const std::string* text : {&message.subject, &message.body})
                analyser.each(*text, [](const search::Occurrence&) {});
        analyser.trim();
        words += cpu_seconds() - before;
        at += entries.size();
        records += messages.size();
    }
    print("apart_records", static_cast<double>(records));
    print("apart_opening", opening);
    print("apart_words", words);
}

void small(Place& place, std::uint64_t shards) {
    constexpr std::uint64_t kBatch = 256;  // of an index step
    const std::uint64_t indexed =
        std::filesystem::exists(place.index()) ? need(search::summarise(place.fs, place.index())).counts.total() : 0;
    const std::uint64_t left = place.house->archive().count(audit::Kind::record) - indexed;
    const std::uint64_t steps = std::max<std::uint64_t>(1, (left + shards * kBatch - 1) / (shards * kBatch));
    print("small_seconds", seconds_of([&] {
              for (bool more = true; more;) {
                  for (std::uint64_t i = 0; i < steps && more; ++i) more = need(place.house->index_step());
                  need(place.house->close_index());
              }
          }));
    print_index(place);
}

void merge(Place& place) {
    print("merge_seconds", seconds_of([&] { need(place.house->forget_terms()); }));
    print_index(place);
}

struct Times {
    std::vector<double> ours, cpu, count, page, page_cpu;
    std::uint64_t hits = 0, their_hits = 0, equal = 0, more = 0, fewer = 0, refused = 0;
};

// False: this build does not know such a question, or it stands for too many words. An older parser reads NEAR as a
// word.
bool ask_both(search::Searcher& searcher, Census& census, NotmuchPeer* peer, const Question& question, bool near,
              Times& times) {
    double ours = 1e9, cpu = 1e9, count = 1e9, page = 1e9, page_cpu = 1e9;
    std::uint64_t hits = 0, their_hits = 0;
    for (int round = 0; round < kRounds; ++round) {
        const auto parsed = search::parse(question.ours);
        if (!parsed.query || (near && parsed.query->root.kind != search::Node::Kind::near)) return false;
        const double before = now(), cpu_before = cpu_seconds();
        const auto answer = searcher.run(*parsed.query, {}, census);
        ours = std::min(ours, 1e3 * (now() - before));
        cpu = std::min(cpu, 1e3 * (cpu_seconds() - cpu_before));
        if (!answer.ok()) return false;
        hits = answer->total;
        if (peer == nullptr) continue;
        const PeerAnswer theirs = peer->ask(question.theirs);
        count = std::min(count, theirs.count_ms);
        page = std::min(page, theirs.count_ms + theirs.page_ms);
        page_cpu = std::min(page_cpu, theirs.cpu_ms);
        their_hits = theirs.total;
    }
    times.ours.push_back(ours);
    times.cpu.push_back(cpu);
    times.count.push_back(count);
    times.page.push_back(page);
    times.page_cpu.push_back(page_cpu);
    times.hits += hits;
    times.their_hits += their_hits;
    (hits == their_hits ? times.equal : hits > their_hits ? times.more : times.fewer) += 1;
    return true;
}

void ask(Place& place, const std::vector<QuestionClass>& classes, const std::string& prefix, NotmuchPeer* peer) {
    Keys keys(place.house->archive());
    Census census(place.house->archive());
    search::Searcher searcher(place.fs, place.index(), keys);
    const auto warm = need(search::parse_query("*"));
    print(prefix + "first_ms", 1e3 * seconds_of([&] { need(searcher.run(warm, {}, census)); }));
    for (const QuestionClass& group : classes) {
        Times times;
        for (const Question& question : group.questions)
            if (!ask_both(searcher, census, peer, question, group.name == "near", times)) ++times.refused;
        const std::string name = prefix + group.name + "_";
        print(name + "refused", static_cast<double>(times.refused));
        print(name + "asked", static_cast<double>(times.ours.size()));
        if (times.ours.empty()) continue;
        const auto n = static_cast<double>(times.ours.size());
        print(name + "hits", static_cast<double>(times.hits) / n);
        print(name + "p50", percentile(times.ours, 50));
        print(name + "p95", percentile(times.ours, 95));
        print(name + "max", percentile(times.ours, 100));
        print(name + "cpu_p50", percentile(times.cpu, 50));
        print(name + "cpu_p95", percentile(times.cpu, 95));
        if (peer == nullptr) continue;
        print(name + "peer_hits", static_cast<double>(times.their_hits) / n);
        print(name + "equal", static_cast<double>(times.equal));
        print(name + "more", static_cast<double>(times.more));
        print(name + "fewer", static_cast<double>(times.fewer));
        print(name + "count_p50", percentile(times.count, 50));
        print(name + "count_p95", percentile(times.count, 95));
        print(name + "page_p50", percentile(times.page, 50));
        print(name + "page_p95", percentile(times.page, 95));
        print(name + "page_cpu_p50", percentile(times.page_cpu, 50));
        print(name + "page_cpu_p95", percentile(times.page_cpu, 95));
    }
    print(prefix + "mib", peak_mib());
}

// The first page as a person gets it: access entry, 20 records opened, snippets. Then the same over HTTPS.
void pages(Place& place, const std::vector<QuestionClass>& classes, const std::string& prefix) {
    const auto matter = need(place.house->matter_desk().open_new("bench", "bench"));
    const std::string name = "M" + std::to_string(matter.entry.value);
    std::vector<std::string> questions;
    for (std::size_t i = 0; i < classes.front().questions.size(); ++i)
        for (const QuestionClass& group : classes)
            if ((group.name == "common" || group.name == "and3" || group.name == "phrase") &&
                i < group.questions.size())
                questions.push_back(group.questions[i].ours);
    std::vector<double> inside, outside;
    HttpsPages https(place, name);
    for (const std::string& question : questions) {
        inside.push_back(1e3 * seconds_of([&] { need(place.house->search("bench", name, question, "date", 0, 20)); }));
        outside.push_back(1e3 * seconds_of([&] { https.search(question); }));
    }
    print(prefix + "page_asked", static_cast<double>(questions.size()));
    print(prefix + "page_p50", percentile(inside, 50));
    print(prefix + "page_p95", percentile(inside, 95));
    print(prefix + "https_p50", percentile(outside, 50));
    print(prefix + "https_p95", percentile(outside, 95));
}

}  // namespace

int main(int argc, char** argv) {
    const std::string command = argc > 2 ? argv[1] : "";
    const auto given = [&](int i) { return i < argc ? std::string(argv[i]) : std::string(); };
    const bool fits = (command == "seal" && argc > 3) || command == "index" || command == "apart" ||
                      (command == "small" && argc > 3) || command == "merge" ||
                      ((command == "ask" || command == "pages") && argc > 6);
    if (!fits) {
        std::fprintf(stderr, "usage: bench_search seal|index|apart|small|merge|ask|pages FOLDER ...\n");
        return 2;
    }
    std::vector<QuestionClass> classes;
    if (command == "ask" || command == "pages")
        classes = draw_questions(given(3), std::stoull(given(5)), std::stoull(given(4)));
    if (command == "small") {  // a closed vault's way: one record after the other
        std::ofstream(Path(given(2)) / "a" / "config.yaml", std::ios::app) << "\nindex.lanes: 1\n";
    }
    Place place(given(2), Place::Keep::yes);
    if (command == "seal") seal(place, given(3), given(4));
    if (command == "index") index(place);
    if (command == "apart") apart(place);
    if (command == "small") small(place, std::stoull(given(3)));
    if (command == "merge") merge(place);
    if (command == "pages") pages(place, classes, given(6));
    if (command == "ask") {
        const auto peer = given(7).empty() ? nullptr : NotmuchPeer::open(given(7));
        ask(place, classes, given(6), peer.get());
    }
    return 0;
}
