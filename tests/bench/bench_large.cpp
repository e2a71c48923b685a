// A large archive (make_ledger): opening it, and inclusion proofs from it. Warm page cache.
// Usage: bench_large DIR [PROOFS]      prints "name value" lines, times in milliseconds; bench.sh makes the table.
//   open_ledger   LedgerReader::open, load_state, root compared with the signer's memory     best of the rounds
//   open_archive  Archive::open: that, and segments, catalog, key trees, duplicates, locks   best of the rounds
//   proof_*       a proof at a random entry with a LedgerReader that has read nothing yet, each checked; the best of
//   five
//                 rounds, by its p99
//   proof_cpu_*   processor time of the same: what a machine that others share does not add to
//   warm_*        with one reader for all, as a program that goes on has it
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "audit/ledger.h"
#include "audit/signer.h"
#include "vault/archive.h"

using namespace kustos;
using namespace kustos::audit;

namespace {

using Time = std::chrono::steady_clock;
double ms_since(Time::time_point start) {
    return std::chrono::duration<double, std::milli>(Time::now() - start).count();
}

double cpu_ms() {
    timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

constexpr std::size_t kRounds = 5;

// The round that was disturbed least, by its p99: of times in the order in which they were taken.
void print_times(const char* name, const std::vector<double>& times) {
    const std::size_t each = times.size() / kRounds;
    std::vector<double> best;
    for (std::size_t round = 0; round < kRounds; ++round) {
        const auto from = times.begin() + static_cast<std::ptrdiff_t>(round * each);
        std::vector<double> some(from, from + static_cast<std::ptrdiff_t>(each));
        std::sort(some.begin(), some.end());
        if (best.empty() || some[each * 99 / 100] < best[each * 99 / 100]) best = std::move(some);
    }
    double sum = 0;
    for (const double t : best) sum += t;
    std::printf("%s_mean %.4f\n%s_p50 %.4f\n%s_p99 %.4f\n", name, sum / static_cast<double>(each), name, best[each / 2],
                name, best[each * 99 / 100]);
}

class Bench {
public:
    explicit Bench(Path dir) : dir_(std::move(dir)) {}

    Status run(std::size_t proofs) {
        TRY(open_archive(1));  // what catalog.db does not have yet is caught up here, once
        std::printf("catalog_catch_up %.1f\n", first_);
        TRY(open_archive(kRounds));
        std::printf("open_archive %.2f\n", best_);
        TRY(open_ledger());
        std::printf("entries %llu\nopen_ledger %.2f\n", static_cast<unsigned long long>(head_.size.value), best_);
        TRY(prove("proof", proofs, false));
        return prove("warm", proofs, true);
    }

private:
    Environment environment() { return {fs_, clock_, random_}; }

    Status open_archive(std::size_t rounds) {
        best_ = 1e9;
        for (std::size_t i = 0; i < rounds; ++i) {
            vault::OpenOptions options;
            options.state = dir_ / "state";
            const auto start = Time::now();
            const auto archive = TRY(vault::Archive::open(environment(), dir_ / "archive", std::move(options)));
            first_ = ms_since(start);
            best_ = std::min(best_, first_);
            vault_ = archive->vault_id();
        }
        return {};
    }

    Status open_ledger() {
        best_ = 1e9;
        for (std::size_t i = 0; i < kRounds; ++i) {
            const auto signer = TRY(FileSigner::open(environment(), dir_ / "state" / vault_.hex() / "signer"));
            const auto start = Time::now();
            const auto reader = TRY(LedgerReader::open(fs_, dir_ / "archive" / "ledger"));
            head_ = TRY(reader->load_state()).head();
            if (!(head_ == TRY(signer->last()))) return Error(Code::conflict, "not the signer's head");
            best_ = std::min(best_, ms_since(start));
        }
        return {};
    }

    Status prove(const char* name, std::size_t count, bool one_reader) {
        std::vector<double> times, cpu;
        std::unique_ptr<LedgerReader> reader;
        for (std::size_t i = 0; i < count; ++i) {
            if (!reader || !one_reader)
                reader = std::make_unique<LedgerReader>(fs_, dir_ / "archive" / "ledger", head_.size);
            const EntryIndex index{chance_.next() % head_.size.value};
            const auto start = Time::now();
            const double cpu_start = cpu_ms();
            const std::vector<Hash> proof = TRY(reader->proof(index, head_.size));
            cpu.push_back(cpu_ms() - cpu_start);
            times.push_back(ms_since(start));
            TRY(verify_inclusion(index, head_.size, TRY(reader->leaf(index)), proof, head_.root));
        }
        print_times(name, times);
        print_times((std::string(name) + "_cpu").c_str(), cpu);
        return {};
    }

    Path dir_;
    RealFs fs_;
    SystemClock clock_;
    SystemRandom random_;
    SeededRandom chance_{7};
    VaultId vault_;
    TreeHead head_;
    double best_ = 0, first_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        std::fprintf(stderr, "usage: bench_large DIR [PROOFS]\n");
        return 2;
    }
    const std::size_t proofs = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 5'000;
    if (proofs < kRounds) return 2;
    const Status done = Bench(argv[1]).run(proofs);
    if (!done.ok()) std::fprintf(stderr, "bench_large: %s\n", done.error().message().c_str());
    return done.ok() ? 0 : 1;
}
