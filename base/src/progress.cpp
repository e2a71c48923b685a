#include "base/progress.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>

namespace kustos {

namespace {
std::atomic<bool> g_interrupted{false};
thread_local const Work* t_work = nullptr;

void on_signal(int) {
    if (g_interrupted.exchange(true)) _exit(130);
}
void show_line(const std::string& line) {
    if (t_work != nullptr) {
        if (t_work->show) t_work->show(line);
        return;
    }
    std::fprintf(stderr, "\r\033[K%s", line.c_str());
    std::fflush(stderr);
}
}  // namespace

ScopedWork::ScopedWork(const Work& work) : before_(t_work) {
    t_work = &work;
}
ScopedWork::~ScopedWork() {
    t_work = before_;
}

Progress::Progress(const Clock& clock, std::string label, std::string unit, std::uint64_t total)
    : clock_(clock),
      label_(std::move(label)),
      unit_(std::move(unit)),
      total_(total),
      started_ms_(clock.monotonic_ms()),
      drawn_ms_(started_ms_),
      terminal_(t_work != nullptr ? static_cast<bool>(t_work->show) : isatty(STDERR_FILENO) != 0) {}

Progress::~Progress() {
    finish();
}

void Progress::advance_to(std::uint64_t done) {
    done_ = done;
    if (!terminal_) return;
    const std::int64_t now = clock_.monotonic_ms();
    if (now - started_ms_ < 1000 || now - drawn_ms_ < 200) return;
    drawn_ms_ = now;
    draw();
}

void Progress::draw() {
    const double seconds = static_cast<double>(clock_.monotonic_ms() - started_ms_) / 1000.0;
    const double rate = static_cast<double>(done_) / seconds;
    std::string line = label_ + ": " + std::to_string(done_);
    if (total_ != 0) line += " of " + std::to_string(total_);
    char tail[96];
    std::snprintf(tail, sizeof tail, " %s, %.0f/s", unit_.c_str(), rate);
    line += tail;
    if (total_ > done_ && rate > 0) {
        const auto left = static_cast<std::uint64_t>(static_cast<double>(total_ - done_) / rate);
        std::snprintf(tail, sizeof tail, ", %llu:%02llu left", static_cast<unsigned long long>(left / 60),
                      static_cast<unsigned long long>(left % 60));
        line += tail;
    }
    show_line(line);
    shown_ = true;
}

void Progress::finish() {
    if (shown_) show_line("");
    shown_ = false;
    terminal_ = false;
}

void install_interrupt_handler() {
    struct sigaction action {};
    action.sa_handler = on_signal;
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
}

bool interrupt_requested() {
    return g_interrupted.load(std::memory_order_relaxed) || (t_work != nullptr && t_work->gone && t_work->gone());
}

void request_interrupt() {
    g_interrupted = true;
}

}  // namespace kustos
