// A mail that is too large to be held. Its bytes go to a spool; what remains when the inner lines of long runs of
// base64 are left out is a mail too, of the same parts, and small enough for the parser; then its spans are moved to
// where they stand in the whole, and what had lines left out gets its content from the spool.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ingest/format.h"

namespace kustos::ingest {

// true: read, and handed on (as a mail, or quarantined in pieces where leaving out lines does not help: large parts in
// other encodings). false: not large, or there is no spool folder; nothing was read. finish: before it is handed on.
Result<bool> read_large_mail(const Path& path, std::string_view format, const ReadContext& context, ItemSink& sink,
                             const std::function<void(vault::Message&)>& finish);

// The same for a mail whose bytes come one after another. Errors: of the spool's disk and of the sink. Threads: one.
class MailSpool {
public:
    static Result<std::unique_ptr<MailSpool>> create(const Path& folder);
    ~MailSpool();
    Status write(ByteView piece);
    // Hands the mail on; once, after the last write().
    Status read(std::string_view format, const ReadContext& context, ItemSink& sink,
                const std::function<void(vault::Message&)>& finish);
    const Hash& sha256() const { return sha256_; }                 // of all of it; after read()
    const std::string& message_id() const { return message_id_; }  // likewise; empty: none

private:
    struct State;
    explicit MailSpool(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
    Hash sha256_;
    std::string message_id_;
};

// Leaves out the inner lines of runs of base64; every second and later line of a run but the last, of 192 KiB or more.
class Condenser {
public:
    struct Cut {
        std::uint64_t at = 0;      // in what remains: never at the start or the end of a line's run
        std::uint64_t length = 0;  // left out
    };
    explicit Condenser(std::uint64_t most) : most_(most) {}
    void write(ByteView piece);
    void finish();
    bool too_large() const { return too_large_; }  // what remains has more than `most` bytes
    Bytes take() { return std::move(out_); }
    const std::vector<Cut>& cuts() const { return cuts_; }

private:
    void line(std::string_view whole);
    void keep(std::string_view bytes);
    void end_run();
    std::uint64_t most_;
    bool too_large_ = false;
    Bytes out_;
    std::vector<Cut> cuts_;
    std::string pending_;              // a line that has no end yet
    bool inside_long_ = false;         // of a line that is no base64 line for its length
    std::string first_, last_, held_;  // of the run: its first line, its last, what lies between as long as it is short
    std::uint64_t between_ = 0;        // bytes
};

}  // namespace kustos::ingest
