// Matrix events on their way into an intake, from transactions and from a room's history alike: parsed with the names
// that are known so far, their files fetched, sealed in batches.
//
// Threads: safe. Errors of take(): those of Intake::take(), and Code::environment where a file can't be had for now: a
// part may be sealed already, and is a duplicate the next time.
#pragma once

#include <mutex>

#include "ingest/intake.h"
#include "ingest/src/matrix_event.h"
#include "ingest/src/matrix_homeserver.h"

namespace kustos::ingest {

struct MatrixItem {
    ParsedItem item;
    std::vector<MatrixMedia> media;
};

class MatrixTaker {
public:
    // homeserver nullptr: files are not fetched, each counts as missing.
    MatrixTaker(Intake& intake, MatrixHomeserver* homeserver, std::string own_server);
    // room: of events that do not say theirs.
    MatrixItem parse(Bytes json, std::string_view room = {});
    struct Counts {
        std::uint64_t sealed = 0, duplicates = 0, dropped = 0;
        std::uint64_t unseen = 0;  // sealed, and not redacted before
    };
    Result<Counts> take(std::vector<MatrixItem> items);

private:
    // How often a file that can't be had for now holds everything up; after that it counts as missing.
    static constexpr int kTries = 3;
    static constexpr std::size_t kMaxTried = 10'000;
    Status fetch(MatrixItem& item);
    Result<bool> fetch_one(const MatrixMedia& media, vault::Attachment& file, const ReadContext& context);
    bool give_up(const std::string& url);
    Status flush(std::vector<ParsedItem>& batch, Counts& counts);

    Intake& intake_;
    MatrixHomeserver* homeserver_;
    std::string own_server_;
    std::mutex names_mutex_;  // for names_, tried_
    MatrixNames names_;
    std::map<std::string, int> tried_;
    std::mutex take_mutex_;
};

}  // namespace kustos::ingest
