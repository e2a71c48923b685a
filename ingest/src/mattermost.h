// Mattermost's compliance export as CSV: one batch is posts.csv, metadata.json, files/..., warning.txt.
// Layout seen in mattermost/mattermost server/enterprise/message_export (csv_export, shared);
// docs/format/mattermost-csv.md.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "ingest/format.h"

namespace kustos::ingest {

struct MattermostBatch {
    Bytes posts;                    // posts.csv
    std::optional<Bytes> metadata;  // metadata.json
    std::optional<Bytes> warnings;  // warning.txt
    // Fills in the content of files/<postId>/<fileId>-<name>; false: not delivered.
    std::function<bool(const std::string& path, vault::Attachment& attachment)> file;
    // Before each message is handed on; an error ends the reading.
    std::function<Status()> ready;
};

Status read_mattermost_batch(MattermostBatch batch, const ReadContext& context, ItemSink& sink);
// A zip with posts.csv in it. Needs context.extractor.
struct Input;  // registry.h
Status read_mattermost_zip(const Input& input);
bool looks_like_mattermost_posts(std::string_view start);

}  // namespace kustos::ingest
