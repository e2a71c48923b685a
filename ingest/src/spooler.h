// Attachments of one message that come in pieces: small ones are held, large ones go to a spool that they share.
#pragma once

#include <functional>
#include <memory>

#include "base/random.h"
#include "base/spool.h"
#include "ingest/format.h"

namespace kustos::ingest {

class Spooler {
public:
    explicit Spooler(const ReadContext& context) : context_(context) {}
    // The largest attachment that is taken.
    std::uint64_t most() const;
    // Fills content or spool, and size. give: calls the sink with all of it. expected: about so many bytes will come.
    // Errors: of give, untouched; Code::limit above most(); of the spool's disk, which finish() gives again: the
    // message can't be handed on without what it lost.
    Status take(vault::Attachment& attachment, std::uint64_t expected,
                const std::function<Status(const ByteSink&)>& give);
    // Before the message is handed on: its spooled attachments can be read now.
    Status finish();

private:
    const ReadContext& context_;
    SystemRandom random_;
    std::shared_ptr<Spool> spool_;
    Status disk_;  // the first failure of the spool
};

}  // namespace kustos::ingest
