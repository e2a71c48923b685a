#include "audit/src/verify_lookahead.h"

#include <algorithm>

#include "audit/imprint.h"
#include "audit/merkle.h"
#include "base/crypto.h"

namespace kustos::audit {

namespace {

constexpr std::size_t kBuffer = 256 * 1024;        // fits the second-level cache; larger ones were slower
constexpr std::size_t kMostAhead = 64;             // bundles
constexpr std::size_t kMostBytesAhead = 32 << 20;  // of bundle files
constexpr std::size_t kHeads = 16 * 1024;          // of a segment at a time, where only lengths are read

// Frames one behind the other in one file.
struct Run {
    std::shared_ptr<File> file;
    unsigned begin = 0, end = 0;  // entries of the bundle; those with a file of their own are passed over
    std::uint64_t offset = 0, bytes = 0;
};

// Reads a run of frames through a window, so that small ones cost no system call each.
class Window {
public:
    Window(File& file, Bytes& buffer) : file_(file), buffer_(buffer) { buffer_.resize(kBuffer); }
    // The bytes at [offset, offset + length), at most kBuffer of them; reads on up to `end`.
    std::optional<ByteView> at(std::uint64_t offset, std::size_t length, std::uint64_t end) {
        if (offset < start_ || offset + length > start_ + filled_) {
            const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(kBuffer, end - offset));
            if (want < length) return std::nullopt;
            const auto got = file_.read_at(offset, std::span(buffer_).first(want));
            if (!got.ok() || *got != want) return std::nullopt;
            start_ = offset;
            filled_ = want;
        }
        return ByteView(buffer_).subspan(static_cast<std::size_t>(offset - start_), length);
    }

private:
    File& file_;
    Bytes& buffer_;
    std::uint64_t start_ = 0;
    std::size_t filled_ = 0;
};

bool is_gone(Window& window, std::uint64_t offset, const EntryHeader& h, std::uint64_t end) {
    const auto head = h.ciphertext_length != 0 ? window.at(offset, kFrameHead, end) : std::nullopt;
    return head && load_u64(head->data()) == 0;
}

bool holds(Window& window, std::uint64_t offset, const EntryHeader& h, std::uint64_t end) {
    const auto head = window.at(offset, kFrameHead, end);
    if (!head || load_u64(head->data()) != h.ciphertext_length) return false;
    if (h.ciphertext_length == 0) return true;
    offset += kFrameHead;
    if (h.ciphertext_length <= kBuffer) {
        const auto all = window.at(offset, static_cast<std::size_t>(h.ciphertext_length), end);
        return all && sha256(*all) == h.ciphertext_hash;
    }
    Sha256 hash;
    for (std::uint64_t left = h.ciphertext_length; left > 0;) {
        const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(left, kBuffer));
        const auto piece = window.at(offset, n, end);
        if (!piece) return false;
        hash.update(*piece);
        offset += n;
        left -= n;
    }
    return hash.finish() == h.ciphertext_hash;
}

}  // namespace

struct Lookahead::Job {
    std::unique_ptr<LookedAt> result = std::make_unique<LookedAt>();
    std::vector<Run> runs;
    std::size_t bytes = 0;
    bool stamped = false;
    // Where its frames were believed to begin.
    bool placed = false;
    FramePlace start;
    std::size_t segment = 0;
    std::shared_ptr<Task> task;
};

Lookahead::Lookahead(Fs& fs, Path dir, std::vector<EntryIndex> segments, LookaheadOptions options)
    : fs_(fs),
      ledger_(dir / "ledger"),
      vault_(dir / "vault"),
      segments_(std::move(segments)),
      options_(std::move(options)),
      at_(options_.from) {
    // Entries before the first segment that begins here or later are not placed: the judge begins at a segment's start.
    while (segment_ < segments_.size() && segments_[segment_].value < at_) ++segment_;
    for (unsigned i = 0; i < options_.threads; ++i) threads_.emplace_back([this] { work(); });
}

Lookahead::~Lookahead() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    for (std::thread& t : threads_) t.join();
}

// Entries that are to be hashed are cut out of the bundle here, in order, because each frame's place follows from those
// before it.
void Lookahead::fill() {
    while (at_ < options_.size.value && ahead_.size() < kMostAhead && bytes_ahead_ < kMostBytesAhead) {
        auto job = std::make_shared<Job>();
        LookedAt& r = *job->result;
        r.first = at_;
        r.width = static_cast<unsigned>(std::min<std::uint64_t>(kTileWidth, options_.size.value - at_));
        at_ += r.width;
        job->stamped = options_.stamped && options_.stamped(r.first);
        r.file = read_of_width(
            fs_, ledger_, [&](unsigned w) { return bundle_path(r.first / kTileWidth, w); }, r.width, options_.live,
            kMaxBundleFile);
        if (r.file.ok()) {
            job->bytes = r.file->size();
            ByteReader in(*r.file);
            while (r.entries.size() < r.width) {
                const auto length = in.u16();
                const auto entry = length.ok() ? in.take(*length) : Result<ByteView>(Error(Code::bad_input, ""));
                if (!entry.ok()) break;
                r.entries.push_back(*entry);
                auto header = decode_header(*entry);
                r.headers.push_back(header.ok() ? std::optional(std::move(*header)) : std::nullopt);
            }
            r.trailing = !in.at_end();
            place_frames(*job);
        }
        bytes_ahead_ += job->bytes;
        job->task = std::make_shared<Task>();
        job->task->work_ = [this, raw = job.get()] { look(*raw); };
        ahead_.push_back(job);
        if (!threads_.empty()) queue(job->task, false);
    }
}

void Lookahead::queue(std::shared_ptr<Task> task, bool first) {
    {
        const std::lock_guard lock(mutex_);
        queue_.insert(first ? queue_.begin() : queue_.end(), std::move(task));
    }
    wake_.notify_one();
}

std::shared_ptr<Lookahead::Task> Lookahead::begin(std::function<void()> work) {
    auto task = std::make_shared<Task>();
    task->work_ = std::move(work);
    if (threads_.empty()) {
        task->work_();
        task->done_ = true;
    } else {
        queue(task, true);
    }
    return task;
}

void Lookahead::wait(const Task& task) {
    std::unique_lock lock(mutex_);
    done_.wait(lock, [&] { return task.done_; });
}

// The bytes of the next frame, as its length says; nullopt: the length is neither the header's nor 0, or not there.
std::optional<std::uint64_t> Lookahead::stored_size(const EntryHeader& header) {
    if (!read_heads_ || header.ciphertext_length == 0) return frame_size(header);
    if (offset_ < heads_at_ || offset_ + kFrameHead > heads_at_ + heads_.size()) {
        heads_.resize(kHeads);
        const auto got = file_->read_at(offset_, heads_);
        heads_.resize(got.ok() ? *got : 0);
        heads_at_ = offset_;
        if (heads_.size() < kFrameHead) return std::nullopt;
    }
    const std::uint64_t length = load_u64(heads_.data() + (offset_ - heads_at_));
    if (length == 0) return kFrameHead;
    return length == header.ciphertext_length ? std::optional(frame_size(header)) : std::nullopt;
}

// The judge stands elsewhere than assumed: something before was removed.
void Lookahead::place_anew(const FramePlace& at) {
    for (const auto& job : ahead_) {
        if (!threads_.empty()) wait(*job->task);
    }
    read_heads_ = true;
    segment_ = ahead_.front()->segment;
    begun_ = at.segment;
    offset_ = at.offset;
    heads_.clear();
    file_.reset();
    auto opened = fs_.open(segment_file(vault_, EntryIndex(begun_)), OpenMode::read);
    const auto size = opened.ok() ? (*opened)->size() : Result<std::uint64_t>(opened.error());
    end_ = size.ok() ? *size : 0;
    if (size.ok() && offset_ <= end_) file_ = std::move(*opened);
    for (const auto& job : ahead_) {
        LookedAt& r = *job->result;
        job->runs.clear();
        r.leaves.clear();
        r.groups.clear();
        r.frame_holds = {};
        r.frame_gone = {};
        r.frame_at = {};
        if (r.file.ok()) place_frames(*job);
        job->task = std::make_shared<Task>();
        job->task->work_ = [this, raw = job.get()] { look(*raw); };
        if (!threads_.empty()) queue(job->task, false);
    }
}

void Lookahead::place_frames(Job& job) {
    const LookedAt& r = *job.result;
    job.placed = file_ != nullptr;
    job.start = {begun_, offset_};
    job.segment = segment_;
    Run run;
    const auto close = [&](unsigned end) {
        run.end = end;
        if (run.file && run.begin < run.end) job.runs.push_back(run);
        run = {file_, end, end, offset_, 0};
    };
    close(0);
    for (unsigned i = 0; i < r.entries.size(); ++i) {
        if (r.headers[i] && has_own_file(*r.headers[i])) continue;
        if (segment_ < segments_.size() && r.first + i >= segments_[segment_].value) {
            close(i);
            file_.reset();
            offset_ = end_ = 0;
            heads_.clear();
            auto opened = fs_.open(segment_file(vault_, segments_[segment_]), OpenMode::read);
            if (opened.ok()) {
                const auto size = (*opened)->size();
                file_ = std::move(*opened);
                end_ = size.ok() ? *size : 0;
            }
            begun_ = segments_[segment_++].value;
            run = {file_, i, i, 0, 0};
        }
        if (!file_) continue;
        const auto stored = r.headers[i] ? stored_size(*r.headers[i]) : std::nullopt;
        const std::uint64_t frame = stored.value_or(0);
        if (!stored || end_ - offset_ < frame) {  // from here on the judge alone knows
            close(i);
            file_.reset();
            run.file.reset();
            continue;
        }
        job.result->frame_at[i] = {begun_, offset_};
        offset_ += frame;
        run.bytes += frame;
    }
    close(static_cast<unsigned>(r.entries.size()));
}

void Lookahead::look(Job& job) const {
    thread_local Bytes buffer;
    LookedAt& r = *job.result;
    r.leaves.reserve(r.entries.size());
    for (const ByteView e : r.entries) r.leaves.push_back(leaf_hash(e));
    for (std::size_t i = 0; i < r.entries.size(); ++i) {
        if (r.headers[i] && !decode_entry(r.entries[i]).ok()) r.headers[i].reset();
    }
    if (job.stamped) {
        r.groups.reserve(r.entries.size());
        for (std::size_t i = 0; i < r.entries.size(); ++i) {
            ImprintGroup group{sha256(r.entries[i]), std::nullopt};
            if (r.headers[i] && r.headers[i]->suite != Suite::none) group.ciphertext = r.headers[i]->ciphertext_hash;
            r.groups.push_back(group_value(group));
        }
    }
    if (r.entries.size() == kTileWidth) {
        r.top = root_of(r.leaves);
        const auto tile = read_file(fs_, ledger_ / tile_path(0, r.first / kTileWidth, kTileWidth), kMaxTileFile);
        r.tile_holds = tile.ok() && equal(*tile, encode_tile(r.leaves));
    }
    for (const Run& run : job.runs) {
        Window window(*run.file, buffer);
        std::uint64_t offset = run.offset;
        for (unsigned i = run.begin; i < run.end; ++i) {
            if (!r.headers[i]) break;
            const std::uint64_t frame = frame_size(*r.headers[i]), end = run.offset + run.bytes;
            if (frame == 0) continue;
            r.frame_at[i].offset = offset;
            r.frame_gone[i] = is_gone(window, offset, *r.headers[i], end);
            r.frame_holds[i] = !r.frame_gone[i] && holds(window, offset, *r.headers[i], end);
            offset += r.frame_gone[i] ? kFrameHead : frame;
        }
    }
    for (unsigned i = 0; i < r.entries.size(); ++i) {
        if (!r.headers[i] || !has_own_file(*r.headers[i])) continue;
        const auto file = fs_.open(blob_file(vault_, EntryIndex(r.first + i)), OpenMode::read);
        const auto size = file.ok() ? (*file)->size() : Result<std::uint64_t>(Error(Code::not_found, ""));
        if (!size.ok() || *size != kFrameHead + r.headers[i]->ciphertext_length) continue;
        Window window(**file, buffer);
        r.frame_holds[i] = holds(window, 0, *r.headers[i], *size);
    }
}

void Lookahead::work() {
    for (;;) {
        std::shared_ptr<Task> task;
        {
            std::unique_lock lock(mutex_);
            wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
            if (stopping_) return;
            task = std::move(queue_.front());
            queue_.pop_front();
        }
        task->work_();
        {
            const std::lock_guard lock(mutex_);
            task->done_ = true;
        }
        done_.notify_one();
    }
}

std::unique_ptr<LookedAt> Lookahead::next(const std::optional<FramePlace>& at) {
    fill();
    if (ahead_.empty()) return nullptr;
    if (const Job& job = *ahead_.front(); at && !(job.placed && job.start == *at)) place_anew(*at);
    const std::shared_ptr<Job> job = std::move(ahead_.front());
    ahead_.pop_front();
    bytes_ahead_ -= job->bytes;
    if (threads_.empty()) {
        look(*job);
    } else {
        wait(*job->task);
    }
    return std::move(job->result);
}

}  // namespace kustos::audit
