// The order of the transcript, and which message answers, edits, deletes or reacts to which: found in one pass over the
// records, before any page is laid out. Holds a few hundred bytes a record, never bodies or contents.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "export/bundle_input.h"

namespace kustos::exporting {

inline constexpr std::size_t kNone = static_cast<std::size_t>(-1);

struct Digest {                // one record
    std::size_t position = 0;  // in the RecordSource
    EntryIndex entry;
    vault::MessageKind kind = vault::MessageKind::chat;
    UtcTime when;                  // sent, where the source tells, else received
    std::string who;               // short name of the sender, made harmless
    std::string reaction;          // made harmless, short
    std::size_t reply_to = kNone;  // indices into Transcript::records
    std::size_t target = kNone;
    std::vector<std::size_t> edits, deletions, reactions, replies;  // of this message
};

struct Group {          // a conversation
    std::string title;  // harmless; empty: without a title
    vault::ConversationType type = vault::ConversationType::unknown;
    bool mail = false;
    std::vector<std::string> people;  // harmless names, first come first, at most kMaxPeople
    std::uint64_t more_people = 0;
    std::vector<std::string> sources;
    UtcTime received_first, received_last;  // by this archive
    std::vector<std::size_t> records;       // in order of time, then entry
};
inline constexpr std::size_t kMaxPeople = 40;

struct Transcript {
    std::vector<Digest> records;
    std::vector<Group> groups;  // by first message; mails last
    std::optional<UtcTime> first, last;
    std::uint64_t attachments = 0;
    std::uint64_t without_original = 0;  // their originals are not in the container
    EntryIndex first_entry, last_entry;
};

Result<Transcript> read_transcript(RecordSource& records);

}  // namespace kustos::exporting
