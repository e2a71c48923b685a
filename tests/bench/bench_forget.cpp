// How long forgetting takes, beside how much was forgotten before: one record, a whole class and year, and opening one
// at random. Usage: bench_forget RECORDS SCATTERED FOLDER. The folder is made, and must not be there.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "vault/archive.h"
#include "vault/erasure.h"
#include "vault/retention.h"

using namespace kustos;
using namespace kustos::vault;

namespace {

double now_ms() {
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

template <class T>
T need(Result<T> result) {
    if (result.ok()) return std::move(*result);
    std::fprintf(stderr, "bench_forget: %s\n", result.error().message().c_str());
    std::exit(1);
}
void need(Status status) {
    if (status.ok()) return;
    std::fprintf(stderr, "bench_forget: %s\n", status.error().message().c_str());
    std::exit(1);
}

Draft chat(const SourceInfo& source, std::uint64_t number) {
    Message m;
    m.native_id = std::to_string(number);
    m.body = "Nachricht " + m.native_id;
    m.received_at = UtcTime{1'772'445'600'000};
    m.raw = to_bytes("{\"body\":\"" + m.body + "\"}");
    Draft d;
    d.source = source.id;
    d.retention_class = source.retention_class;
    d.content = need(compose(std::move(m)));
    return d;
}

std::vector<EntryIndex> fill(Archive& archive, const SourceInfo& source, std::uint64_t count) {
    std::vector<EntryIndex> entries;
    for (std::uint64_t at = 0; at < count;) {
        std::vector<Draft> drafts;
        for (; drafts.size() < 4'000 && at < count; ++at) drafts.push_back(chat(source, at));
        const std::vector<Receipt> receipts = need(archive.seal(std::move(drafts)));
        for (const Receipt& r : receipts) entries.push_back(r.index);
        need(archive.indexed_below(EntryIndex(entries.back().value + 1)));
    }
    return entries;
}

ForgetOrder order_of(std::vector<EntryIndex> entries) {
    ForgetOrder order;
    order.entries = std::move(entries);
    order.reason = compose_reason({"bench", "bench", {"a", "b"}, ""});
    return order;
}

struct Times {
    double median = 0, worst = 0;
};
template <class Work>
Times measure(int rounds, const Work& work) {
    std::vector<double> ms;
    for (int i = 0; i < rounds; ++i) {
        const double before = now_ms();
        work(i);
        ms.push_back(now_ms() - before);
    }
    std::sort(ms.begin(), ms.end());
    return {ms[ms.size() / 2], ms.back()};
}

void row(const char* what, const Times& t, double limit) {
    std::printf("%-58s %9.2f ms %9.2f ms   %.2f of %.0f ms\n", what, t.median, t.worst, t.median / limit, limit);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) return 2;
    const auto records = static_cast<std::uint64_t>(std::atoll(argv[1]));
    const auto scattered = static_cast<std::uint64_t>(std::atoll(argv[2]));
    const Path folder = argv[3];
    RealFs fs;
    SystemClock clock;
    SystemRandom random;
    const Environment environment{fs, clock, random};
    need(Archive::create(environment, folder / "a", folder / "s", CreateOptions()));
    OpenOptions options;
    options.state = folder / "s";
    auto archive = need(Archive::open(environment, folder / "a", std::move(options)));
    const SourceInfo source = need(archive->add_source("bench", "import", kDefaultClass));
    std::vector<EntryIndex> entries = fill(*archive, source, records);
    const KeyTreeId tree = need(archive->entry(entries.front())).header.tree;
    constexpr int kRounds = 21;
    std::uint64_t die = 88172645463325252ULL;
    const auto pick = [&] {  // an entry that is not erased yet
        die ^= die << 13, die ^= die >> 7, die ^= die << 17;
        const std::size_t at = die % entries.size();
        const EntryIndex entry = entries[at];
        entries[at] = entries.back();
        entries.pop_back();
        return entry;
    };
    std::printf("%-58s %12s %12s\n", "forgetting (file medium, no escrow)", "median", "worst");
    row("one record", measure(kRounds, [&](int) { need(archive->forget(order_of({pick()}))); }), 50);
    if (scattered != 0) {
        std::vector<EntryIndex> many;
        for (std::uint64_t i = 0; i < scattered; ++i) many.push_back(pick());
        row("all the scattered ones in one run", measure(1, [&](int) { need(archive->forget(order_of(many))); }), 50);
        row("one record, behind them", measure(kRounds, [&](int) { need(archive->forget(order_of({pick()}))); }), 50);
    }
    row("opening one at random",
        measure(200,
                [&](int) {
                    die ^= die << 13, die ^= die >> 7, die ^= die << 17;
                    const EntryIndex entry = entries[die % entries.size()];
                    need(archive->open_payload(entry, need(archive->entry(entry))));
                }),
        1);
    ForgetOrder disposition = order_of({});
    disposition.method = ForgetMethod::disposition;
    disposition.trees = {tree};
    row("a whole class and year, its first tree",
        measure(1, [&](int) { need(archive->forget(std::move(disposition))); }), 50);
    return 0;
}
