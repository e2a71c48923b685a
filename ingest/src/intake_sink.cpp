#include "ingest/src/intake_sink.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

namespace kustos::ingest {

namespace {

constexpr std::size_t kBatchMessages = 512;
constexpr std::uint64_t kBatchBytes = 8u << 20;

}  // namespace

std::uint64_t message_bytes(const vault::Message& message) {
    std::uint64_t bytes = message.raw_spool ? message.raw_spool.size : message.raw.size();
    for (const auto& attachment : message.attachments)
        if (!attachment.in_raw) bytes += attachment.content_size();
    return bytes;
}

bool rest(const Intake& intake, std::int64_t ms) {
    for (; ms > 0 && !intake.stopping(); ms -= 20) usleep(20'000);
    return !intake.stopping();
}

Status IntakeSink::item(ParsedItem item) {
    if (intake_.stopping()) return Error(Code::interrupted, "the server ends");
    batch_bytes_ += message_bytes(item.message);
    batch_.push_back(std::move(item));
    return batch_.size() >= kBatchMessages || batch_bytes_ >= kBatchBytes ? flush() : ok_status();
}

Status IntakeSink::flush() {
    if (batch_.empty()) return {};
    std::vector<std::size_t> attachments;
    for (const ParsedItem& item : batch_) attachments.push_back(item.message.attachments.size());
    std::vector<Taken> taken;
    // Whether there is room is asked before the batch is given away: take() leaves nothing behind when it says no.
    for (std::int64_t wait = 200;; wait = std::min<std::int64_t>(wait * 2, 10'000)) {
        const Status room = intake_.room();
        if (room.ok()) {
            taken = TRY(intake_.take(std::exchange(batch_, {})));
            break;
        }
        if (room.error().code() != Code::overloaded) return room;
        if (!rest(intake_, wait)) return Error(Code::interrupted, "the server ends");
    }
    batch_bytes_ = 0;
    for (std::size_t i = 0; i < taken.size(); ++i) {
        if (tell_) tell_(taken[i]);
        if (taken[i].dropped) {
            ++counts_.dropped;
        } else if (taken[i].duplicate) {
            ++counts_.duplicates;
        } else {
            ++counts_.sealed;
            counts_.attachments += attachments[i];
            counts_.quarantined += taken[i].quarantined ? 1 : 0;
        }
    }
    return {};
}

}  // namespace kustos::ingest
