// What of a source is captured at all (docs/format/sources.md, "Capture profile"): kinds of events, rooms and persons
// in or out. Data protection begins with what is never taken; so what the profile leaves out is counted, each change of
// it is an entry, and read receipts, presence, typing and locations are left out unless somebody decides otherwise.
//
// Rooms and persons stand as keyed hashes, as in assignment rules (retention_rules.h): nobody learns them from the
// ledger, and a closed vault can still decide. Pure. Threads: values.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/crypto.h"
#include "vault/message.h"
#include "vault/retention_rules.h"

namespace kustos::vault {

inline constexpr std::size_t kMaxProfileNames = 500;  // of one list

struct CaptureProfile {
    std::uint32_t version = 0;    // as set for this source the n-th time; 0: never
    std::uint32_t kinds_out = 0;  // bit n: MessageKind n is left out
    bool read_receipts = false, presence = false, typing = false, location = false;  // true: captured
    // Sorted. A list "in" that is not empty captures only what it names; "out" wins. Persons: a message is in one of
    // their lists if its sender or a recipient is.
    std::vector<Hash> rooms_in, rooms_out, persons_in, persons_out;
    bool operator==(const CaptureProfile&) const = default;
    bool leaves_out(MessageKind kind) const { return (kinds_out >> static_cast<unsigned>(kind) & 1) != 0; }
};

Bytes encode(const CaptureProfile& profile);            // without `version`
Result<CaptureProfile> decode_profile(ByteView bytes);  // Code::bad_input

// Notes with which a format marks events that are not what somebody wrote: "event:read-receipt", "event:presence",
// "event:typing", "event:location".
inline constexpr std::string_view kEventNote = "event:";

// Why the message is left out, as a machine word for its count: "kind", "read-receipt", "presence", "typing",
// "location", "room", "person". Absent: it is captured. What could not be read is always captured: nobody knows what it
// is.
std::optional<std::string_view> left_out(const CaptureProfile& profile, const Message& message, const RuleMac& mac);

}  // namespace kustos::vault
