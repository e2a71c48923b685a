#include "ingest/src/pst_file.h"

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "ingest/src/extract_wire.h"

namespace kustos::ingest {

namespace {

constexpr int kCrashes = 20;
constexpr std::uint64_t kMostItems = 50'000'000;
constexpr std::size_t kMostFolder = 0xFFFF;

class Receiver {
public:
    Receiver(std::uint64_t most, std::int64_t timeout_ms, PstSink& sink)
        : most_(most), timeout_ms_(timeout_ms), sink_(sink) {}

    // From item `next_` on; true: to the end.
    Result<bool> run(Worker& worker) {
        Bytes ask;
        put_u8(ask, 'S');
        put_u64(ask, next_);
        put_u64(ask, most_);
        if (const Status sent = worker.send({ask}, timeout_ms_); !sent) return lost(sent.error());
        again_ = next_ > 0;
        folder_.clear();
        item_.reset();
        for (;;) {
            const auto frame = worker.receive(wire::kDataFrame + 1, timeout_ms_);
            if (!frame) return lost(frame.error());
            if (frame->front() == 'Z' && !item_) return true;
            const bool known = TRY(take(*frame));
            if (!known) return lost(Error(Code::corrupt, "no item"));
        }
    }
    bool stuck() const { return stuck_; }  // it ended outside of any item: there is nothing to go on behind
    PstFacts take_facts() { return std::move(facts_); }
    void problem(std::string_view word) {
        auto& all = facts_.problems;
        if (std::find(all.begin(), all.end(), word) == all.end()) all.emplace_back(word);
    }

private:
    // An error is the sink's; false: the worker makes no sense.
    Result<bool> take(ByteView frame) {
        ByteReader reader(frame.subspan(1));
        switch (frame.front()) {
            case 'G':
                return facts(reader);
            case 'F':
                return TRY(folder(reader));
            case 'P':
                problem("pst:" + problem_word(as_text(frame.subspan(1))));
                return true;
            case 'I':
                return begin(reader);
            case 'D':
                if (!item_ || frame.size() - 1 > most_ + wire::kDataFrame - dump_.size()) return false;
                put(dump_, frame.subspan(1));
                return true;
            case 'E':
            case 'X':
                if (!item_) return false;
                item_->whole = frame.front() == 'E';
                return TRY(end());
            default:
                return false;
        }
    }

    static std::string problem_word(std::string_view said) {
        for (const std::string_view known : {"folder", "depth"})
            if (said == known) return std::string(known);
        return "damaged";
    }

    bool facts(ByteReader& reader) {
        const auto type = reader.u8(), encryption = reader.u8(), content = reader.u8();
        if (!type || !encryption || !content) return false;
        facts_.bits = *type == 32 ? 32 : 64;
        facts_.encryption = *encryption;
        facts_.offline = *content == 'o';
        return true;
    }

    Result<bool> folder(ByteReader& reader) {
        const auto messages = reader.u32();
        if (!messages || reader.remaining() > kMostFolder) return false;
        folder_ = repair_utf8(as_text(TRY(reader.take(reader.remaining()))));
        // Behind a crash the folders come again: what they promise was said.
        if (!folder_.empty() && !again_) TRY(sink_.folder(folder_, *messages));
        return true;
    }

    bool begin(ByteReader& reader) {
        const auto number = reader.u64();
        const auto identifier = reader.u32();
        const auto flags = reader.u8();
        if (item_ || !number || !identifier || !flags || *number != next_ || *number >= kMostItems) return false;
        again_ = false;
        PstItem item;
        item.number = *number;
        item.identifier = *identifier;
        item.folder = folder_;
        item.orphan = (*flags & wire::kOrphan) != 0;
        item.recovered = (*flags & wire::kRecovered) != 0;
        item.associated = (*flags & wire::kAssociated) != 0;
        item_ = std::move(item);
        dump_.clear();
        return true;
    }

    Result<bool> end() {
        // What was deleted may be overwritten in part: that is no damage.
        if (!item_->whole && !item_->recovered) problem("pst:item");
        ++facts_.items;
        ++next_;
        TRY(sink_.item(*std::exchange(item_, std::nullopt), std::exchange(dump_, {})));
        return true;
    }

    bool lost(const Error& error) {
        problem(error.code() == Code::interrupted ? "pst:time-out" : "pst:crashed");
        // Ended on an item: the next worker begins behind it.
        if (item_) ++next_;
        stuck_ = !item_;
        return false;
    }

    std::uint64_t most_;
    std::int64_t timeout_ms_;
    PstSink& sink_;
    PstFacts facts_;
    std::uint64_t next_ = 0;
    bool again_ = false, stuck_ = false;
    std::string folder_;
    std::optional<PstItem> item_;
    Bytes dump_;
};

}  // namespace

Result<PstFacts> receive_pst(const std::function<Result<std::unique_ptr<Worker>>()>& start, std::uint64_t most,
                             std::int64_t timeout_ms, PstSink& sink) {
    Receiver receiver(most, timeout_ms, sink);
    for (int crashes = 0;; ++crashes) {
        if (crashes > kCrashes || receiver.stuck()) {
            if (crashes > kCrashes) receiver.problem("pst:limit");
            return receiver.take_facts();
        }
        const auto worker = TRY(start());
        if (TRY(receiver.run(*worker))) return receiver.take_facts();
    }
}

}  // namespace kustos::ingest
