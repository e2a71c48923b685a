// Durable appends of 1 KiB: 1, 8 and 64 writers, and batches of 512, beside a plain loop of write and fdatasync of the
// same 1 KiB in the same folder; and the waiting times at half of the load of 64 writers.
//
// Usage: bench_append DIR [SECONDS [ROUNDS]]     DIR: on a disk, not in memory; SECONDS of each measurement
//
// Ratios, not seconds: each measurement of ours stands between two of the loop, and is compared with the mean of them.
// The rounds are interleaved; printed are the best ratio and the median. Machines are shared: the best round is the one
// that was disturbed least, the median says how much they were.
//
// Composing (parsing a message into fields) is done ahead of the clock; what is measured is from handing in a draft to
// its receipt: keys, commitments, compression, encryption, frames, tiles, duplicates, the signer. The text does not
// shrink much, so that 1 KiB stays about 1 KiB on the disk, and a ledger entry comes on top of it.
//
// Everything twice: on the disk as it is, and (slow_) as if each sync took 2 ms longer, in the loop too. A virtual disk
// acknowledges from its host's cache in 0.1 ms or so; an SSD without power-loss protection takes milliseconds. On the
// first the processor is the limit: 60 times a loop of 7,000 a second would be more than hashing and encrypting allow.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>

#include "vault/archive.h"
#include "vault/retention.h"

using namespace kustos;
using namespace kustos::vault;

namespace {

using Time = std::chrono::steady_clock;
double seconds_since(Time::time_point start) {
    return std::chrono::duration<double>(Time::now() - start).count();
}
Time::duration of_seconds(double seconds) {
    return std::chrono::duration_cast<Time::duration>(std::chrono::duration<double>(seconds));
}

constexpr std::size_t kRecord = 1024;
constexpr std::size_t kPrepared = 16'384;  // records composed ahead of the clock, at a time

// The real disk, each sync so much longer.
class SlowFs final : public Fs {
public:
    explicit SlowFs(double sync_seconds) : wait_(of_seconds(sync_seconds)) {}
    Result<std::unique_ptr<File>> open(const Path& path, OpenMode mode) override {
        return std::unique_ptr<File>(std::make_unique<SlowFile>(*this, TRY(disk_.open(path, mode))));
    }
    Status make_dirs(const Path& path) override { return disk_.make_dirs(path); }
    Status rename(const Path& from, const Path& to) override { return disk_.rename(from, to); }
    Status remove(const Path& path) override { return disk_.remove(path); }
    Status sync_dir(const Path& path) override {
        pause();
        return disk_.sync_dir(path);
    }
    bool exists(const Path& path) override { return disk_.exists(path); }
    Result<std::vector<std::string>> list(const Path& path) override { return disk_.list(path); }
    Result<bool> is_dir(const Path& path) override { return disk_.is_dir(path); }
    std::uint64_t free_bytes(const Path& path) override { return disk_.free_bytes(path); }
    void pause() const {
        if (wait_ > Time::duration::zero()) std::this_thread::sleep_for(wait_);
    }

private:
    class SlowFile final : public File {
    public:
        SlowFile(const SlowFs& fs, std::unique_ptr<File> file) : fs_(fs), file_(std::move(file)) {}
        Status write_at(std::uint64_t offset, ByteView bytes) override { return file_->write_at(offset, bytes); }
        Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> out) override {
            return file_->read_at(offset, out);
        }
        Status sync() override {
            fs_.pause();
            return file_->sync();
        }
        Status truncate(std::uint64_t size) override { return file_->truncate(size); }
        Result<std::uint64_t> size() override { return file_->size(); }

    private:
        const SlowFs& fs_;
        std::unique_ptr<File> file_;
    };
    RealFs disk_;
    Time::duration wait_;
};

struct Waits {
    double p50 = 0, p99 = 0;  // ms
};

// An archive, and the loop beside it.
class Stand {
public:
    Stand(std::filesystem::path folder, double sync_seconds) : fs_(sync_seconds), folder_(std::move(folder)) {
        std::filesystem::remove_all(folder_);
        std::filesystem::create_directories(folder_);
        CreateOptions options;
        options.unlock = "auto";
        if (!Archive::create(environment(), folder_ / "a", folder_ / "s", std::move(options)).ok()) std::abort();
        OpenOptions open;
        open.state = folder_ / "s";
        archive_ = std::move(Archive::open(environment(), folder_ / "a", std::move(open)).value());
        source_ = archive_->add_source("bench", "import", kDefaultClass).value();
    }
    ~Stand() {
        archive_.reset();
        std::filesystem::remove_all(folder_);
    }

    // Appends a second: each 1 KiB written and synced before the next one.
    double loop_rate(double for_seconds) {
        const auto path = folder_ / "loop";
        const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        const Bytes bytes(kRecord, 7);
        const auto start = Time::now();
        int count = 0;
        while (seconds_since(start) < for_seconds) {
            fs_.pause();
            if (::write(fd, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()) || ::fdatasync(fd) != 0)
                std::abort();
            ++count;
        }
        const double rate = count / seconds_since(start);
        ::close(fd);
        std::filesystem::remove(path);
        return rate;
    }

    // Records a second, from handing in to the last receipt.
    double rate(int writers, std::size_t batch, double for_seconds) {
        const std::size_t batches = std::max<std::size_t>(1, kPrepared / (batch * static_cast<std::size_t>(writers)));
        std::uint64_t sealed = 0;
        double took = 0;
        while (took < for_seconds) {
            std::vector<std::vector<std::vector<Draft>>> work(static_cast<std::size_t>(writers));
            on_threads(writers, [&](std::size_t w) {
                for (std::size_t i = 0; i < batches; ++i) {
                    work[w].emplace_back();
                    for (std::size_t k = 0; k < batch; ++k) work[w].back().push_back(draft());
                }
            });
            const auto end = Time::now() + of_seconds(for_seconds - took);
            std::atomic<std::uint64_t> now{0};
            took += on_threads(writers, [&](std::size_t w) {
                for (auto& drafts : work[w]) {
                    if (Time::now() >= end) return;
                    if (!archive_->seal(std::move(drafts)).ok()) std::abort();
                    now += batch;
                }
            });
            sealed += now;
            archive_->forget_older_than(0, 0);
        }
        return static_cast<double>(sealed) / took;
    }

    // Of single records that arrive evenly, `rate` of them a second.
    Waits waits(double rate, double for_seconds) {
        constexpr int kThreads = 32;
        std::vector<std::vector<double>> lists(kThreads);
        std::vector<std::vector<Draft>> work(kThreads);
        const auto each = static_cast<std::size_t>(rate * for_seconds / kThreads) + 1;
        on_threads(kThreads, [&](std::size_t w) {
            for (std::size_t k = 0; k < each; ++k) work[w].push_back(draft());
        });
        const auto start = Time::now();
        on_threads(kThreads, [&](std::size_t w) {
            for (std::size_t k = 0; k < each; ++k) {
                std::vector<Draft> one;
                one.push_back(std::move(work[w][k]));
                std::this_thread::sleep_until(start + of_seconds(static_cast<double>(k * kThreads + w) / rate));
                const auto asked = Time::now();
                if (!archive_->seal(std::move(one)).ok()) std::abort();
                lists[w].push_back(seconds_since(asked) * 1000);
            }
        });
        archive_->forget_older_than(0, 0);
        std::vector<double> all;
        for (const auto& l : lists) all.insert(all.end(), l.begin(), l.end());
        std::sort(all.begin(), all.end());
        return {all[all.size() / 2], all[all.size() * 99 / 100]};
    }

private:
    Environment environment() { return {fs_, clock_, random_}; }

    Draft draft() {
        Message m;
        const std::uint64_t n = ++counter_;
        m.native_id = "m" + std::to_string(n);
        m.received_at = UtcTime{1'772'445'600'000};
        Bytes body(kRecord * 3 / 4);
        random_.fill(body);
        m.body = base64(body);  // 1 KiB that does not shrink much
        m.raw = to_bytes(m.body);
        Draft d;
        d.source = source_.id;
        d.retention_class = source_.retention_class;
        d.duplicate = archive_->duplicate_mac(source_.id, as_bytes(m.native_id));
        d.content = compose(std::move(m)).value();
        return d;
    }

    // Seconds from when all of them are there until the last one is done.
    static double on_threads(int count, const std::function<void(std::size_t)>& work) {
        std::barrier ready(count + 1);
        std::vector<std::thread> threads;
        for (int w = 0; w < count; ++w) {
            threads.emplace_back([&, w] {
                ready.arrive_and_wait();
                work(static_cast<std::size_t>(w));
            });
        }
        ready.arrive_and_wait();
        const auto start = Time::now();
        for (auto& t : threads) t.join();
        return seconds_since(start);
    }

    SlowFs fs_;
    SystemClock clock_;
    SystemRandom random_;
    std::filesystem::path folder_;
    std::unique_ptr<Archive> archive_;
    SourceInfo source_;
    std::atomic<std::uint64_t> counter_{0};
};

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

struct Load {
    const char* name;
    int writers;
    std::size_t batch;
};
constexpr Load kLoads[] = {{"writers_1", 1, 1}, {"writers_8", 8, 1}, {"writers_64", 64, 1}, {"batches_512", 1, 512}};

void measure(const std::string& prefix, Stand& stand, double seconds, int rounds) {
    std::vector<double> loops, ratios[std::size(kLoads)], rates[std::size(kLoads)];
    Waits best{0, 1e9};
    std::vector<double> spread;
    for (int round = 0; round < rounds; ++round) {
        double before = stand.loop_rate(seconds / 4), half = 0;
        loops.push_back(before);
        for (std::size_t i = 0; i < std::size(kLoads); ++i) {
            const double rate = stand.rate(kLoads[i].writers, kLoads[i].batch, seconds);
            const double after = stand.loop_rate(seconds / 4);
            ratios[i].push_back(rate / ((before + after) / 2));
            rates[i].push_back(rate);
            loops.push_back(after);
            before = after;
            if (kLoads[i].writers == 64) half = rate / 2;
        }
        const Waits waits = stand.waits(half, seconds * 2);
        spread.push_back(waits.p99 / waits.p50);
        if (waits.p99 * best.p50 < best.p99 * waits.p50 || best.p50 == 0) best = waits;
    }
    std::printf("%ssync_ms %.3f\n", prefix.c_str(), 1000 / median(loops));
    for (std::size_t i = 0; i < std::size(kLoads); ++i) {
        const std::size_t top =
            static_cast<std::size_t>(std::max_element(ratios[i].begin(), ratios[i].end()) - ratios[i].begin());
        std::printf("%s%s_rate %.0f\n%s%s_ratio %.1f\n%s%s_median %.1f\n", prefix.c_str(), kLoads[i].name,
                    rates[i][top], prefix.c_str(), kLoads[i].name, ratios[i][top], prefix.c_str(), kLoads[i].name,
                    median(ratios[i]));
    }
    std::printf("%swait_p50 %.2f\n%swait_p99 %.2f\n%swait_ratio %.1f\n%swait_median %.1f\n", prefix.c_str(), best.p50,
                prefix.c_str(), best.p99, prefix.c_str(), best.p99 / best.p50, prefix.c_str(), median(spread));
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        std::fprintf(stderr, "usage: bench_append DIR [SECONDS [ROUNDS]]\n");
        return 2;
    }
    const double seconds = argc > 2 ? std::atof(argv[2]) : 2;
    const int rounds = argc > 3 ? std::atoi(argv[3]) : 5;
    if (seconds <= 0 || rounds < 1) return 2;
    for (const double sync_seconds : {0.0, 0.002}) {
        Stand stand(argv[1], sync_seconds);
        measure(sync_seconds > 0 ? "slow_" : "", stand, seconds, rounds);
    }
    return 0;
}
