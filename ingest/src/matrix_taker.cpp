#include "ingest/src/matrix_taker.h"

#include <algorithm>

#include "ingest/src/chat_fields.h"
#include "ingest/src/intake_sink.h"
#include "ingest/src/media_fetch.h"

namespace kustos::ingest {

namespace {

constexpr std::size_t kBatchMessages = 512;
constexpr std::uint64_t kBatchBytes = 8u << 20;

bool has_note(const vault::Message& message, std::string_view note) {
    return std::find(message.notes.begin(), message.notes.end(), note) != message.notes.end();
}

}  // namespace

MatrixTaker::MatrixTaker(Intake& intake, MatrixHomeserver* homeserver, std::string own_server)
    : intake_(intake), homeserver_(homeserver), own_server_(std::move(own_server)) {}

MatrixItem MatrixTaker::parse(Bytes json, std::string_view room) {
    const std::lock_guard lock(names_mutex_);
    MatrixContext context;
    context.room_id = room;
    context.own_server = own_server_;
    context.names = &names_;
    MatrixItem out;
    out.item = parse_matrix_event(json, context, intake_.limits(), nullptr, &out.media);
    return out;
}

// True: the archive can do without it from now on.
bool MatrixTaker::give_up(const std::string& url) {
    const std::lock_guard lock(names_mutex_);
    if (tried_.size() >= kMaxTried) tried_.clear();
    return ++tried_[url] >= kTries;
}

// False: missing.
Result<bool> MatrixTaker::fetch_one(const MatrixMedia& media, vault::Attachment& file, const ReadContext& context) {
    auto got = fetch_media(file, context, [&](const ByteSink& sink) -> Status {
        return homeserver_->media(media.url, [&](ByteView piece) -> Status {
            if (intake_.stopping()) return Error(Code::interrupted, "the server ends");
            return sink(piece);
        });
    });
    if (got.ok() || got.error().code() == Code::interrupted || !give_up(media.url)) return got;
    return false;
}

Status MatrixTaker::fetch(MatrixItem& item) {
    vault::Message& message = item.item.message;
    std::uint64_t missing = 0;
    const ReadContext context = media_context(intake_);
    for (const MatrixMedia& media : item.media) {
        if (intake_.stopping()) return Error(Code::interrupted, "the server ends");
        vault::Attachment& file = message.attachments[media.attachment];
        if (!homeserver_) continue;
        if (!TRY(fetch_one(media, file, context))) ++missing;
        item.item.source_bytes += file.content_size();
    }
    if (missing == 0) return {};
    add_note(message, "media-missing");
    return intake_.finding("matrix:media-missing", missing, message.conversation.id);
}

Status MatrixTaker::flush(std::vector<ParsedItem>& batch, Counts& counts) {
    if (batch.empty()) return {};
    std::vector<bool> redacted;
    for (const ParsedItem& item : batch) redacted.push_back(has_note(item.message, "redacted-at-source"));
    const std::lock_guard lock(take_mutex_);
    const auto taken = TRY(intake_.take(std::exchange(batch, {})));
    for (std::size_t i = 0; i < taken.size(); ++i) {
        if (taken[i].dropped) {
            ++counts.dropped;
        } else if (taken[i].duplicate) {
            ++counts.duplicates;
        } else {
            ++counts.sealed;
            counts.unseen += redacted[i] ? 0 : 1;
        }
    }
    return {};
}

Result<MatrixTaker::Counts> MatrixTaker::take(std::vector<MatrixItem> items) {
    TRY(intake_.room());
    Counts counts;
    std::vector<ParsedItem> batch;
    std::uint64_t bytes = 0;
    for (MatrixItem& item : items) {
        TRY(fetch(item));
        bytes += message_bytes(item.item.message);
        batch.push_back(std::move(item.item));
        if (batch.size() < kBatchMessages && bytes < kBatchBytes) continue;
        TRY(flush(batch, counts));
        bytes = 0;
    }
    TRY(flush(batch, counts));
    return counts;
}

}  // namespace kustos::ingest
