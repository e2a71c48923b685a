// From a format into an intake: in batches, with findings counted, and patient while the archive says "later".
#pragma once

#include "ingest/intake.h"

namespace kustos::ingest {

class IntakeSink final : public ItemSink {
public:
    struct Counts {
        std::uint64_t sealed = 0, duplicates = 0, dropped = 0, quarantined = 0, attachments = 0;
        Findings findings;
    };
    explicit IntakeSink(Intake& intake) : intake_(intake) {}
    // Code::interrupted: the server ends; what was taken stays taken.
    Status item(ParsedItem item) override;
    void finding(std::string_view code, std::uint64_t count) override { counts_.findings[std::string(code)] += count; }
    Status flush();
    // What became of each item, in order; called from item() and flush().
    void tell(std::function<void(const Taken&)> taken) { tell_ = std::move(taken); }
    const Counts& counts() const { return counts_; }

private:
    Intake& intake_;
    Counts counts_;
    std::function<void(const Taken&)> tell_;
    std::vector<ParsedItem> batch_;
    std::uint64_t batch_bytes_ = 0;
};

// Bytes of a message as they come from the source: raw, and attachments that do not stand in it.
std::uint64_t message_bytes(const vault::Message& message);
// Waits so long, or until the intake is stopping (false).
bool rest(const Intake& intake, std::int64_t ms);

}  // namespace kustos::ingest
