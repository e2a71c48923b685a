#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <set>

#include "base/log.h"
#include "base/text.h"
#include "ingest/extract.h"
#include "ingest/src/extract_wire.h"
#include "ingest/src/pst_file.h"
#include "ingest/src/unpacked.h"
#include "ingest/src/worker.h"

namespace kustos::ingest {

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
    ExtractorOptions options;
    bool bubblewrap_works = true;  // until it has failed once
    std::unique_ptr<Worker> worker;
    std::uint32_t served = 0;
    std::uint64_t restarts = 0;

    Result<std::unique_ptr<Worker>> start(const char* mode, int archive, std::uint32_t cpu_seconds = 0) {
        ExtractorOptions own = options;
        if (cpu_seconds != 0) own.cpu_seconds = cpu_seconds;
        if (options.bubblewrap && bubblewrap_works) {
            auto inside = Worker::start(own, true, mode, archive);
            if (inside) return inside;
            bubblewrap_works = false;
            log(LogLevel::warning, "bubblewrap does not work here, inner sandbox only");
        }
        return Worker::start(own, false, mode, archive);
    }

    Status ready() {
        if (worker && served < options.items_per_worker) return ok_status();
        worker.reset();
        served = 0;
        worker = TRY(start("text", -1));
        return ok_status();
    }

    ExtractedText lost(const Error& error) {
        worker.reset();
        ++restarts;
        return {"", Completeness::opaque, error.code() == Code::interrupted ? "time-out" : "crashed"};
    }
};

namespace {

// 't' u8 completeness, u8 n, reason, text
Result<ExtractedText> parse_answer(ByteView frame) {
    ByteReader reader(frame);
    if (TRY(reader.u8()) != 't') return Error(Code::corrupt, "no answer");
    const std::uint8_t completeness = TRY(reader.u8());
    if (completeness > 2) return Error(Code::corrupt, "no such completeness");
    const std::uint8_t length = TRY(reader.u8());
    ExtractedText out;
    out.completeness = static_cast<Completeness>(completeness);
    out.reason = to_text(TRY(reader.take(length)));
    for (const char c : out.reason)
        if (c != '-' && (c < 'a' || c > 'z')) return Error(Code::corrupt, "no reason word");
    out.text = repair_utf8(as_text(TRY(reader.take(reader.remaining()))));
    return out;
}

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
    auto state = std::make_unique<State>();
    state->options = std::move(options);
    if (::access("/usr/bin/bwrap", X_OK) != 0) state->bubblewrap_works = false;
    return std::unique_ptr<Extractor>(new Extractor(std::move(state)));
}

Result<ExtractedText> Extractor::text(ByteView content, std::string_view name, std::string_view media_type) {
    return text(
        content.size(), [content](const ByteSink& sink) { return sink(content); }, name, media_type);
}

Result<ExtractedText> Extractor::text(std::uint64_t size, const std::function<Status(const ByteSink&)>& give,
                                      std::string_view name, std::string_view media_type) {
    State& s = *state_;
    if (size > s.options.item_bytes) return ExtractedText{"", Completeness::opaque, "too-large"};
    TRY(s.ready());
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
    // Best effort decoding may grow text threefold (U+FFFD).
    const auto frame = s.worker->receive(s.options.text_bytes + 1024, s.options.item_timeout_ms);
    if (!frame) return s.lost(frame.error());
    auto answer = parse_answer(*frame);
    if (!answer) return s.lost(answer.error());
    return answer;
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

std::uint64_t Extractor::restarts() const {
    return state_->restarts;
}

}  // namespace kustos::ingest
