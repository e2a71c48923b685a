#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "base/clock.h"
#include "base/log.h"
#include "ingest/extract.h"
#include "ingest/src/extract_answer.h"
#include "ingest/src/extract_wire.h"
#include "ingest/src/helper.h"
#include "ingest/src/lasting_thread.h"
#include "ingest/src/pst_file.h"
#include "ingest/src/unpacked.h"
#include "ingest/src/worker.h"

namespace kustos::ingest {

namespace {
constexpr std::int64_t kTryAgainMs = 30'000;

ExtractedText unread(std::string reason) {
    ExtractedText out;
    out.reason = std::move(reason);
    return out;
}
}  // namespace

std::string_view completeness_name(Completeness value) {
    switch (value) {
        case Completeness::full:
            return "full";
        case Completeness::partial:
            return "partial";
        case Completeness::opaque:
            break;
    }
    return "opaque";
}

std::string SandboxLayers::describe() const {
    std::string out;
    const auto add = [&](bool on, std::string_view name) {
        if (!on) return;
        if (!out.empty()) out += ", ";
        out += name;
    };
    add(bubblewrap, "bubblewrap");
    add(resource_limits, "resource limits");
    add(no_new_privs, "no_new_privs");
    add(seccomp, "seccomp");
    return out.empty() ? "none" : out;
}

Path default_extractor_program() {
    std::error_code error;
    const Path self = std::filesystem::read_symlink("/proc/self/exe", error);
    return self.parent_path() / "kustos-extract";
}

struct Extractor::State {
    explicit State(ExtractorOptions given) : options(std::move(given)), helpers(options) {}
    ExtractorOptions options;
    Helpers helpers;
    LastingThread starter;  // of the worker, which ends with it
    std::unique_ptr<Worker> worker;
    std::uint32_t served = 0;
    std::uint64_t restarts = 0;
    std::int64_t failed_ms = -kTryAgainMs;  // when no sandbox could be made; monotonic
    SystemClock clock;

    Result<std::unique_ptr<Worker>> start(const char* mode, int archive, std::uint32_t cpu_seconds = 0) {
        if (clock.monotonic_ms() - failed_ms < kTryAgainMs) return no_sandbox();
        ExtractorOptions own = options;
        if (cpu_seconds != 0) own.cpu_seconds = cpu_seconds;
        auto started = Worker::start(own, mode, archive);
        if (started && (*started)->layers().all()) {
            failed_ms = -kTryAgainMs;
            return started;
        }
        failed_ms = clock.monotonic_ms();
        log(LogLevel::warning, "no sandbox: attachments are not read",
            {{"started", started.ok()}, {"bubblewrap", started.ok() && (*started)->layers().bubblewrap}});
        return no_sandbox();
    }

    static Error no_sandbox() {
        return Error(Code::environment, "there is no sandbox: bubblewrap does not work here")
            .with_hint("install the package bubblewrap and allow user namespaces (docs/operations.md, \"Sandbox\")");
    }

    Status ready() {
        if (worker && served < options.items_per_worker) return ok_status();
        worker.reset();
        served = 0;
        worker = TRY(starter.run([this] { return start("text", -1); }));
        return ok_status();
    }

    // What was read before the worker was lost stays.
    ExtractedText lost(const Error& error, std::optional<ExtractedText> so_far = {}) {
        worker.reset();
        ++restarts;
        if (so_far && !so_far->text.empty()) {
            so_far->completeness = Completeness::partial;
            so_far->reason = error.code() == Code::interrupted ? "time-out" : "crashed";
            return std::move(*so_far);
        }
        return unread(error.code() == Code::interrupted ? "time-out" : "crashed");
    }

    // Until the answer: what the worker can't read itself it asks for.
    Result<ExtractedText> converse() {
        std::optional<ExtractedText> so_far;
        helpers.begin_item();
        const std::int64_t deadline =
            clock.monotonic_ms() + 4 * options.item_timeout_ms + options.helpers.item_ms + options.helpers.timeout_ms;
        // Best effort decoding may grow text threefold (U+FFFD).
        const std::uint64_t most = std::max<std::uint64_t>(options.text_bytes, wire::kMostHelp) + 4096;
        while (clock.monotonic_ms() < deadline) {
            const auto frame = worker->receive(most, options.item_timeout_ms);
            if (!frame) return lost(frame.error(), std::move(so_far));
            const char type = static_cast<char>(frame->front());
            if (type == 'Q') {
                const auto help = helpers.serve(*frame);
                if (!help) return lost(help.error(), std::move(so_far));
                const Status sent =
                    worker->send({encode_answer_head('A', *help), as_bytes(help->text)}, options.item_timeout_ms);
                if (!sent) return lost(sent.error(), std::move(so_far));
                continue;
            }
            auto answer = parse_answer(type == 's' ? 's' : 't', *frame);
            if (!answer) return lost(answer.error(), std::move(so_far));
            if (type != 's') return answer;
            so_far = std::move(*answer);
        }
        return lost(Error(Code::interrupted, "kustos-extract took too long"), std::move(so_far));
    }
};

namespace {

void put_short(Bytes& out, std::string_view text) {
    text = text.substr(0, 0xFFFF);
    put_u16(out, static_cast<std::uint16_t>(text.size()));
    put(out, text);
}

}  // namespace

Extractor::Extractor(std::unique_ptr<State> state) : state_(std::move(state)) {}
Extractor::~Extractor() = default;

Result<std::unique_ptr<Extractor>> Extractor::create(ExtractorOptions options) {
    if (options.program.empty()) options.program = default_extractor_program();
    if (::access(options.program.c_str(), X_OK) != 0)
        return Error(Code::environment, "kustos-extract is missing").with_hint("it belongs beside the kustos program");
    auto state = std::make_unique<State>(std::move(options));
    return std::unique_ptr<Extractor>(new Extractor(std::move(state)));
}

Result<ExtractedText> Extractor::text(ByteView content, std::string_view name, std::string_view media_type) {
    return text(
        content.size(), [content](const ByteSink& sink) { return sink(content); }, name, media_type);
}

Result<ExtractedText> Extractor::text(std::uint64_t size, const std::function<Status(const ByteSink&)>& give,
                                      std::string_view name, std::string_view media_type) {
    State& s = *state_;
    if (size > s.options.item_bytes) return unread("too-large");
    if (!s.ready().ok()) return unread("no-sandbox");
    ++s.served;
    Bytes head;
    put_u8(head, 'T');
    put_u64(head, s.options.text_bytes);
    put_short(head, name);
    put_short(head, media_type);
    // Worker and giver fail in different ways: the one is an answer, the other the caller's error.
    Status sent = s.worker->begin(head.size() + size, s.options.item_timeout_ms);
    if (sent.ok()) sent = s.worker->go_on(head);
    std::uint64_t given = 0;
    const Status gave = give([&](ByteView piece) -> Status {
        given += piece.size();
        if (sent.ok() && given <= size) sent = s.worker->go_on(piece);
        return ok_status();
    });
    if (!gave.ok() || given != size) {
        s.worker.reset();  // it waits for the rest
        TRY(Status(gave));
        return Error(Code::corrupt, "an attachment has another size than its record says");
    }
    if (!sent) return s.lost(sent.error());
    return s.converse();
}

namespace {

// A descriptor of a regular file, and its size.
Result<std::pair<int, std::uint64_t>> open_regular(const Path& file) {
    const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return Error(Code::environment, "cannot open archive");
    struct stat info {};
    if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        ::close(fd);
        return Error(Code::usage, "archive is not a regular file");
    }
    return std::pair(fd, static_cast<std::uint64_t>(info.st_size));
}

}  // namespace

Result<std::unique_ptr<UnpackedArchive>> Extractor::unpack(const Path& zip, const UnpackLimits& limits) {
    const auto [fd, size] = TRY(open_regular(zip));
    auto worker = state_->start("unpack", fd);
    ::close(fd);
    if (!worker) return Error(std::move(worker).error());
    return open_unpacked(std::move(*worker), size, limits, state_->options.item_timeout_ms);
}

Result<PstFacts> Extractor::read_pst(const Path& file, std::uint64_t most, PstSink& sink) {
    constexpr std::uint32_t kProcessorTime = 8 * 3600;  // a step may take item_timeout_ms; all of it, hours
    const auto [fd, size] = TRY(open_regular(file));
    const auto start = [this, fd = fd] { return state_->start("pst", fd, kProcessorTime); };
    auto facts = receive_pst(start, most, state_->options.item_timeout_ms, sink);
    ::close(fd);
    return facts;
}

Result<SandboxLayers> Extractor::layers() {
    TRY(state_->ready());
    return state_->worker->layers();
}

void Extractor::postpone_ocr(bool later) {
    state_->helpers.postpone_ocr(later);
}

std::uint64_t Extractor::restarts() const {
    return state_->restarts;
}

}  // namespace kustos::ingest
