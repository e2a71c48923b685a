// What can be computed about entries before it is their turn: leaf hashes, the tile above them, the imprint's groups,
// and whether each ciphertext is the one that the entry names. Worker threads go ahead, the judge (verify_walk.cpp)
// takes the bundles in order. Only good news counts: where a frame or a tile is not as it should be, the judge looks
// again by itself, so that what is said about it does not depend on threads.
//
// Memory: bundles on their way of at most some 40 MiB together, and 256 KiB a thread. Threads: next() from one.
#pragma once

#include <array>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "audit/entry.h"
#include "audit/segment.h"
#include "audit/tiles.h"
#include "base/fs.h"

namespace kustos::audit {

// Where a frame stands: in the segment that begins with this entry.
struct FramePlace {
    std::uint64_t segment = 0, offset = 0;
    bool operator==(const FramePlace&) const = default;
};

// One entry bundle, with what was found out.
struct LookedAt {
    std::uint64_t first = 0;
    unsigned width = 0;  // as the ledger's size asks for
    Result<Bytes> file = Bytes();
    std::vector<ByteView> entries;  // as many as are whole
    bool trailing = false;          // bytes behind the last one
    std::vector<Hash> leaves;
    std::vector<std::optional<EntryHeader>> headers;  // absent: not well-formed
    std::vector<Hash> groups;                         // values of the imprint's groups, if they were asked for
    std::array<bool, kTileWidth> frame_holds{};       // length and hash are the header's
    std::array<bool, kTileWidth> frame_gone{};        // a length of 0 stands where the header has another
    std::array<FramePlace, kTileWidth> frame_at{};    // there; the judge counts by itself where it should be
    bool tile_holds = false;                          // a full tile of level 0 is there as it should be
    Hash top;                                         // of a full tile
};

struct LookaheadOptions {
    TreeSize size;
    std::uint64_t from = 0;                            // a multiple of 256
    bool live = false;                                 // wider files than asked for are fine
    unsigned threads = 0;                              // 0: none, everything is computed in next()
    std::function<bool(std::uint64_t first)> stamped;  // whether its entries stand in an imprint
};

class Lookahead {
public:
    Lookahead(Fs& fs, Path dir, std::vector<EntryIndex> segments, LookaheadOptions options);
    ~Lookahead();
    Lookahead(const Lookahead&) = delete;
    Lookahead& operator=(const Lookahead&) = delete;

    // Null behind the last one. `at`: where the judge stands in the segments, if it knows: frames that were removed
    // move those behind them, and what was placed elsewhere ahead is placed anew.
    std::unique_ptr<LookedAt> next(const std::optional<FramePlace>& at = std::nullopt);
    // Work of the judge's that may be done beside the walk, before what is queued. wait() for it before the result is
    // used.
    class Task;
    std::shared_ptr<Task> begin(std::function<void()> work);
    void wait(const Task& task);

private:
    struct Job;
    void queue(std::shared_ptr<Task> task, bool first);
    void fill();
    void place_frames(Job& job);
    std::optional<std::uint64_t> stored_size(const EntryHeader& header);
    void place_anew(const FramePlace& at);
    void work();
    void look(Job& job) const;

    Fs& fs_;
    Path ledger_, vault_;
    std::vector<EntryIndex> segments_;
    LookaheadOptions options_;

    // Where the next frame should stand if every one so far has its header's length.
    std::uint64_t at_ = 0;
    std::size_t segment_ = 0;
    std::shared_ptr<File> file_;
    std::uint64_t begun_ = 0, offset_ = 0, end_ = 0;  // of the segment's first entry; in file_
    // Once a removed frame was met, lengths are read instead of assumed.
    bool read_heads_ = false;
    Bytes heads_;
    std::uint64_t heads_at_ = 0;

    std::deque<std::shared_ptr<Job>> ahead_;  // in order
    std::size_t bytes_ahead_ = 0;
    std::mutex mutex_;  // queue_, stopping_, and each task's done
    std::condition_variable wake_, done_;
    std::deque<std::shared_ptr<Task>> queue_;
    bool stopping_ = false;
    std::vector<std::thread> threads_;
};

class Lookahead::Task {
    friend class Lookahead;
    std::function<void()> work_;
    bool done_ = false;
};

// The bundle or tile file of this width; live: or a wider one. Code::not_found.
template <class Name>
Result<Bytes> read_of_width(Fs& fs, const Path& ledger, const Name& name, unsigned width, bool live,
                            std::size_t limit) {
    for (unsigned w = width; w <= kTileWidth; ++w) {
        if (w != width && w != kTileWidth && !live) continue;
        auto bytes = read_file(fs, ledger / name(w), limit);
        if (bytes.ok() || bytes.error().code() != Code::not_found) return bytes;
    }
    return Error(Code::not_found, "the file is missing");
}

}  // namespace kustos::audit
