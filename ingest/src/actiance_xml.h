// Mattermost's compliance export for Actiance: conversations as XML. This file knows the layout,
// mattermost_actiance.cpp what it means; docs/format/mattermost-actiance.md.
#pragma once

#include <array>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace kustos::ingest {

struct ActianceEntry {
    enum class Kind { message, file_started, file_ended, entered, left } kind = Kind::message;
    enum Field {
        kMessageId,
        kLogin,
        kUserType,
        kTime,
        kUpdateType,
        kUpdated,
        kEditedNewId,
        kContent,
        kUserFileName,
        kFileName,
        kStatus,
        kFields
    };
    std::array<std::string, kFields> fields;
    std::size_t begin = 0, past = 0;  // of the element in the text
    bool ill_formed = false;          // a character or reference that XML does not have
    const std::string& operator[](Field field) const { return fields[field]; }
};

struct ActianceConversation {
    std::string title, room, started, ended;
    std::vector<ActianceEntry> entries;  // in the file's order
};

// Gives each conversation as it ends; one that never ends is given with what was complete in it. Answers why reading
// stopped before the end of the root element: "doctype", "not-xml", "truncated", "too-deep", "no-filedump",
// "too-many-elements"; empty: all was read. Errors: of `give`, handed through. Entity definitions are never read.
Result<std::string_view> read_actiance_xml(std::string_view text,
                                           const std::function<Status(ActianceConversation)>& give);

}  // namespace kustos::ingest
