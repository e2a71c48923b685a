// One CSV of a Mattermost legal hold: the posts of a channel.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "ingest/format.h"

namespace kustos::ingest {

struct LegalHoldBatch {
    std::string channel_id;
    std::string origin_note;                                // "origin:proven" (docs/format/mattermost-legal-hold.md)
    std::map<std::string, std::string, std::less<>> files;  // file id to path in the export
    std::function<void(std::string_view path, vault::Attachment& into)> attach;  // set where files is not empty
    std::function<Status()> ready;  // before each message is handed on; an error ends the reading
};
Status read_legal_hold_csv(Bytes csv, const LegalHoldBatch& batch, const ReadContext& context, ItemSink& sink);

}  // namespace kustos::ingest
