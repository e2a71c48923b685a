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
    std::uint64_t size = 0;  // bytes of the original; where the source had none for this event, of what it says
    std::string subject;
    std::vector<std::string> bodies;       // body, earlier body
    std::vector<std::string> attachments;  // their texts
    std::vector<std::string> from, to, cc, bcc;
    std::string sender;  // identity_of(); empty: none
    std::vector<std::string> recipients;
    std::vector<std::string> files;
    std::vector<std::string> filetypes;
    std::vector<std::string> contents;  // SHA-256 of attachments, hex
    std::string language;               // ISO 639-1; empty: not sure
    std::string conversation, conversation_id;
    std::string message_id, edits, deletes;  // id_text(); empty: none
    std::vector<std::string> thread;         // likewise, each once
};

inline constexpr std::size_t kMaxIdentity = 320;  // bytes; a longer one stands as its sum
// One text for one participant: the address, else the id, else the name; folded.
std::string identity_of(const vault::Person& person);
// An id that is unique at its source: 16 bytes of SHA-256 over both. Of no use to who reads a words log.
std::string id_text(std::string_view source, std::string_view id);

// What does not need its text: sender, recipients, message_id, thread, edits, deletes, filetypes, size.
void add_facts(const vault::Message& message, std::string_view source, RecordDraft& draft);

// Extracts what has to be extracted. Code::interrupted and Code::closed come through; whatever else goes wrong with one
// attachment makes the record partial.
Result<RecordDraft> draft_record(const FeedItem& item, IndexFeed& feed, TextExtractor& extractor,
                                 const IndexerOptions& options);

}  // namespace kustos::search
