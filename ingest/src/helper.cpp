#include "ingest/src/helper.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/text.h"
#include "ingest/src/sandboxed.h"

namespace kustos::ingest {

namespace {

constexpr const char* kItem = "/item";            // where sandboxed() puts it
constexpr std::uint32_t kMostRequests = 100'000;  // of one item; who asks more often is not the program that we know

ExtractedText refused(std::string reason) {
    ExtractedText out;
    out.reason = std::move(reason);
    return out;
}

bool write_all(int fd, ByteView bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(fd, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    return true;
}

// Ends the program, whatever it does.
int reap(int pid, bool kill_it) {
    if (kill_it) kill_sandboxed(pid);
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

enum class Ending { done, time_out, too_much };

// What it says, until it closes its end.
Ending read_text(int fd, std::uint64_t most, std::int64_t timeout_ms, const Clock& clock, std::string& out) {
    const std::int64_t deadline = clock.monotonic_ms() + timeout_ms;
    std::vector<char> buffer(64u << 10);
    for (;;) {
        const std::int64_t left = deadline - clock.monotonic_ms();
        if (left <= 0) return Ending::time_out;
        pollfd entry{fd, POLLIN, 0};
        const int ready = ::poll(&entry, 1, static_cast<int>(left));
        if (ready <= 0) continue;
        const ssize_t got = ::read(fd, buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return Ending::done;
        out.append(buffer.data(), static_cast<std::size_t>(got));
        if (out.size() > most) return Ending::too_much;
    }
}

// Form feeds are ends of pages; lines of blanks are what a picture's specks leave.
std::string tidy(const std::string& raw) {
    std::string text = repair_utf8(raw), out;
    std::replace(text.begin(), text.end(), '\f', '\n');
    std::size_t at = 0;
    while (at < text.size()) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        std::size_t last = end;
        while (last > at && (text[last - 1] == ' ' || text[last - 1] == '\t' || text[last - 1] == '\r')) --last;
        if (last > at) out += text.substr(at, last - at) + "\n";
        at = end + 1;
    }
    return out;
}

}  // namespace

void Helpers::begin_item() {
    pictures_ = requests_ = 0;
    spent_ms_ = 0;
    forget();
}

void Helpers::forget() {
    if (content_ >= 0) ::close(content_);
    content_ = -1;
}

bool Helpers::keep(ByteView content) {
    forget();
    content_ = ::memfd_create("item", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (content_ < 0 || !write_all(content_, content)) return false;
    return ::fcntl(content_, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) == 0;
}

// 'Q' u8 helper, u8 same, u32 page, content
Result<ExtractedText> Helpers::serve(ByteView frame) {
    ByteReader reader(frame);
    if (TRY(reader.u8()) != 'Q') return Error(Code::corrupt, "no request");
    const std::uint8_t helper = TRY(reader.u8());
    if (helper < 1 || helper > 4 || ++requests_ > kMostRequests) return Error(Code::corrupt, "no such helper");
    const bool same = TRY(reader.u8()) != 0;
    Job job;
    job.helper = static_cast<wire::Help>(helper);
    job.page = TRY(reader.u32());
    const ByteView content = TRY(reader.take(reader.remaining()));
    if (same && content_ < 0) return Error(Code::corrupt, "no content");
    if (job.helper == wire::Help::picture) {
        if (std::string refusal = ocr_refusal(); !refusal.empty()) return refused(std::move(refusal));
        ++pictures_;
    }
    if (spent_ms_ >= options_.helpers.item_ms) return refused("time-limit");
    if (!same && !keep(content)) return refused("memory-limit");
    const HelperOptions& programs = options_.helpers;
    switch (job.helper) {
        case wire::Help::picture:
            job.words = {programs.tesseract, kItem, "stdout", "-l", languages(), "--tessdata-dir", programs.tessdata};
            if (job.page != wire::kAllPages)
                job.words.insert(job.words.end(), {"-c", "tessedit_page_number=" + std::to_string(job.page)});
            break;
        case wire::Help::word:
            return run_word(std::move(job));
        case wire::Help::sheet:
            job.words = {programs.xls2csv, "-d", "utf-8", "-q", "0", "-c", "\t", "-s", "cp1252", kItem};
            break;
        case wire::Help::slides:
            job.words = {programs.catppt, "-d", "utf-8", "-s", "cp1252", kItem};
            break;
    }
    return run(job);
}

std::string Helpers::ocr_refusal() {
    if (!options_.helpers.ocr) return "ocr-off";
    if (::access(options_.helpers.tesseract.c_str(), X_OK) != 0 || languages().empty()) return "no-ocr";
    if (later_) return "ocr-later";
    return pictures_ >= options_.helpers.pictures ? "page-limit" : "";
}

std::string Helpers::languages() const {
    std::string out;
    for (const std::string& language : options_.helpers.languages)
        if (::access((options_.helpers.tessdata / (language + ".traineddata")).c_str(), R_OK) == 0)
            out += (out.empty() ? "" : "+") + language;
    return out;
}

// catdoc first; what it makes nothing of, antiword may (Word 6 and 7).
ExtractedText Helpers::run_word(Job job) {
    job.words = {options_.helpers.catdoc, "-d", "utf-8", "-s", "cp1252", "-w", kItem};
    ExtractedText out = run(job);
    if (out.completeness == Completeness::full && !out.text.empty()) return out;
    job.words = {options_.helpers.antiword, "-m", "UTF-8.txt", "-w", "0", kItem};
    ExtractedText other = run(job);
    return other.completeness == Completeness::full && !other.text.empty() ? other : out;
}

ExtractedText Helpers::run(const Job& job) {
    if (::access(job.words.front().c_str(), X_OK) != 0) return refused("no-reader");
    const std::int64_t timeout = std::min(options_.helpers.timeout_ms, options_.helpers.item_ms - spent_ms_);
    if (timeout <= 0) return refused("time-limit");
    int pipe[2];
    const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (nothing < 0) return refused("memory-limit");
    if (::pipe2(pipe, O_CLOEXEC) != 0) {
        ::close(nothing);
        return refused("memory-limit");
    }
    ::lseek(content_, 0, SEEK_SET);
    std::vector<std::string> words = {"run", std::to_string(options_.helpers.memory_bytes),
                                      std::to_string(timeout / 1'000 + 1)};
    words.insert(words.end(), job.words.begin(), job.words.end());
    const std::int64_t before = clock_.monotonic_ms();
    const auto pid = spawn_sandboxed(sandboxed(options_, words, true), {nothing, pipe[1], content_});
    ::close(pipe[1]);
    ::close(nothing);
    ExtractedText out;
    if (!pid) {
        ::close(pipe[0]);
        return refused("no-sandbox");
    }
    std::string raw;
    const Ending ending = read_text(pipe[0], options_.text_bytes, timeout, clock_, raw);
    ::close(pipe[0]);
    const int code = reap(*pid, ending != Ending::done);
    spent_ms_ += clock_.monotonic_ms() - before;
    if (ending == Ending::time_out) return refused("time-out");
    if (code == wire::kNoWalls) return refused("no-sandbox");
    out.text = tidy(raw);
    if (code != 0 && ending == Ending::done) {
        out.reason = "damaged";
        out.completeness = out.text.empty() ? Completeness::opaque : Completeness::partial;
        return out;
    }
    out.completeness = ending == Ending::too_much ? Completeness::partial : Completeness::full;
    if (ending == Ending::too_much) out.reason = "text-limit";
    return out;
}

}  // namespace kustos::ingest
