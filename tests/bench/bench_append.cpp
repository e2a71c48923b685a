// Durable appends of 1 KiB: 1, 8 and 64 writers, and batches of 512, beside a plain loop of write and fdatasync of the
// same bytes in the same folder; and the waiting times at half of the highest load. Ratios, not seconds: the loop is
// measured before and after each of ours, and the better of the two counts.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
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

constexpr std::size_t kRecord = 1024;

// Appends a second of it.
double loop_rate(const std::filesystem::path& folder) {
    const auto file = folder / "loop";
    const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    const Bytes bytes(kRecord, 7);
    const auto start = Time::now();
    int count = 0;
    while (seconds_since(start) < 1.0) {
        if (::write(fd, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()) || ::fdatasync(fd) != 0)
            return 0;
        ++count;
    }
    const double rate = count / seconds_since(start);
    ::close(fd);
    std::filesystem::remove(file);
    return rate;
}

class Stand {
public:
    explicit Stand(const std::filesystem::path& folder) : folder_(folder) {
        CreateOptions options;
        options.unlock = "auto";
        if (!Archive::create(environment(), folder / "a", folder / "s", std::move(options)).ok()) std::abort();
        OpenOptions open;
        open.state = folder / "s";
        archive_ = std::move(Archive::open(environment(), folder / "a", std::move(open)).value());
        source_ = archive_->add_source("bench", "import", kDefaultClass).value();
    }
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
    // Records a second. Composing is done before: what is measured is sealing.
    double rate(int writers, std::size_t batch, double for_seconds) {
        std::atomic<std::uint64_t> sealed{0};
        std::atomic<bool> stop{false};
        std::vector<std::thread> threads;
        const auto start = Time::now();
        for (int w = 0; w < writers; ++w) {
            threads.emplace_back([&] {
                while (!stop) {
                    std::vector<Draft> drafts;
                    for (std::size_t i = 0; i < batch; ++i) drafts.push_back(draft());
                    if (!archive_->seal(std::move(drafts)).ok()) std::abort();
                    sealed += batch;
                    archive_->forget_older_than(0, 0);
                }
            });
        }
        while (seconds_since(start) < for_seconds) std::this_thread::sleep_for(std::chrono::milliseconds(20));
        stop = true;
        for (auto& t : threads) t.join();
        return static_cast<double>(sealed) / seconds_since(start);
    }
    // Waiting times, in milliseconds, of single records that arrive evenly `rate` times a second.
    std::vector<double> waits(double rate, double for_seconds) {
        constexpr int kThreads = 32;
        std::vector<std::vector<double>> lists(kThreads);
        std::vector<std::thread> threads;
        const auto start = Time::now();
        for (int w = 0; w < kThreads; ++w) {
            threads.emplace_back([&, w] {
                for (int k = 0;; ++k) {
                    const double due = (k * kThreads + w) / rate;
                    if (due > for_seconds) return;
                    std::vector<Draft> one;
                    one.push_back(draft());
                    std::this_thread::sleep_until(
                        start + std::chrono::duration_cast<Time::duration>(std::chrono::duration<double>(due)));
                    const auto asked = Time::now();
                    if (!archive_->seal(std::move(one)).ok()) std::abort();
                    lists[static_cast<std::size_t>(w)].push_back(seconds_since(asked) * 1000);
                }
            });
        }
        for (auto& t : threads) t.join();
        std::vector<double> all;
        for (const auto& l : lists) all.insert(all.end(), l.begin(), l.end());
        std::sort(all.begin(), all.end());
        return all;
    }

private:
    RealFs fs_;
    SystemClock clock_;
    SystemRandom random_;
    std::filesystem::path folder_;
    std::unique_ptr<Archive> archive_;
    SourceInfo source_;
    std::atomic<std::uint64_t> counter_{0};
};

}  // namespace

int main(int argc, char** argv) {
    const std::filesystem::path folder = argc > 1 ? argv[1] : "bench-append";
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
    {
        Stand stand(folder);
        double best = 0;
        std::printf("%-28s %12s %12s %8s\n", "durable appends of 1 KiB", "records/s", "loop/s", "ratio");
        const auto row = [&](const char* name, int writers, std::size_t batch) {
            const double before = loop_rate(folder);
            const double rate = stand.rate(writers, batch, 4);
            const double loop = std::max(before, loop_rate(folder));
            std::printf("%-28s %12.0f %12.0f %8.1f\n", name, rate, loop, rate / loop);
            return rate;
        };
        if (argc < 3) row("1 writer", 1, 1);
        if (argc < 3) row("8 writers", 8, 1);
        best = row("64 writers", 64, 1);
        row("batches of 512", 1, 512);
        const auto waits = stand.waits(best / 2, 5);
        const double p50 = waits[waits.size() / 2], p99 = waits[waits.size() * 99 / 100];
        std::printf("half of 64 writers' load: p50 %.2f ms, p99 %.2f ms, ratio %.1f\n", p50, p99, p99 / p50);
    }
    std::filesystem::remove_all(folder);
    return 0;
}
