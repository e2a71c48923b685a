// One record as the index sees it: which words, in which fields, and how much of it they are.
#pragma once

#include <string>
#include <vector>

#include "search/indexer.h"

namespace kustos::search {

struct RecordDraft {
    EntryIndex entry;
    UtcTime time;
    RecordState state = RecordState::searchable;
    std::string reason;             // of a state that is not searchable
    std::vector<std::string> also;  // further reasons, and what was noticed; no two are equal, nor to `reason`
    std::string kind;
    std::string source;
    bool has_attachment = false;
    std::string subject;
    std::vector<std::string> texts;  // body, earlier body, attachments' texts
    std::vector<std::string> from, to;
    std::vector<std::string> files;
    std::vector<std::string> contents;  // SHA-256 of attachments, hex
    std::string conversation, conversation_id;
};

// Extracts what has to be extracted. Code::interrupted and Code::closed come through; whatever else goes wrong with one
// attachment makes the record partial.
Result<RecordDraft> draft_record(const FeedItem& item, IndexFeed& feed, TextExtractor& extractor,
                                 const IndexerOptions& options);

}  // namespace kustos::search
