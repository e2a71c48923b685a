// MAPI properties ([MS-OXPROPS]), as TNEF streams and Outlook's .msg files carry them: one idea of a message for both.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"
#include "ingest/format.h"
#include "vault/message.h"

namespace kustos::ingest::mapi {

// Property types ([MS-OXCDATA] section 2.11.1)
inline constexpr std::uint16_t kLong = 0x0003, kBoolean = 0x000B, kObject = 0x000D, kString8 = 0x001E,
                               kUnicode = 0x001F, kTime = 0x0040, kBinary = 0x0102, kMultiValued = 0x1000;
// Property ids
inline constexpr std::uint16_t kMessageClass = 0x001A, kSubject = 0x0037, kSubmitTime = 0x0039,
                               kRepresentingName = 0x0042, kRepresentingAddress = 0x0065, kTransportHeaders = 0x007D,
                               kRecipientType = 0x0C15, kSenderName = 0x0C1A, kSenderAddress = 0x0C1F,
                               kDeliveryTime = 0x0E06, kBody = 0x1000, kRtfCompressed = 0x1009, kBodyHtml = 0x1013,
                               kMessageId = 0x1035, kReferences = 0x1039, kInReplyTo = 0x1042, kDisplayName = 0x3001,
                               kAddress = 0x3003, kAttachData = 0x3701, kAttachName = 0x3704, kAttachLongName = 0x3707,
                               kAttachMime = 0x370E, kSmtpAddress = 0x39FE, kInternetCodepage = 0x3FDE,
                               kMessageCodepage = 0x3FFD, kSenderSmtp = 0x5D01, kRepresentingSmtp = 0x5D02;

class Properties {
public:
    void set(std::uint16_t id, std::uint16_t type, Bytes value);  // the first one counts
    bool has(std::uint16_t id) const { return values_.count(id) != 0; }
    std::uint16_t type(std::uint16_t id) const { return has(id) ? values_.at(id).type : 0; }
    // Of either string type, NUL ends it; charset: of the 8-bit ones. A binary value is decoded likewise (HTML).
    std::string text(std::uint16_t id, std::string_view charset) const;
    Bytes take(std::uint16_t id);  // the bytes as they are; empty: none
    std::optional<std::uint32_t> number(std::uint16_t id) const;
    std::optional<UtcTime> time(std::uint16_t id) const;  // FILETIME; absent outside 1970 to 9999

private:
    struct Value {
        std::uint16_t type;
        Bytes bytes;
    };
    std::map<std::uint16_t, Value> values_;
};

struct MapiMessage;
struct MapiAttachment {
    Properties properties;
    std::optional<vault::RawSpan> in_raw;   // where its data stands in the source as it is
    std::unique_ptr<MapiMessage> embedded;  // a message in the message
};
struct MapiMessage {
    Properties properties;
    std::vector<Properties> recipients;
    std::vector<MapiAttachment> attachments;
    std::string charset() const;  // of its 8-bit strings
    bool damaged = false;         // not all of it could be read
};

// People, subject, times, ids, body: for a message that is nothing else (.msg).
void describe(MapiMessage& from, const Limits& limits, vault::Message& to);
// Attachments, those of embedded messages too (flattened; their text becomes a text attachment), and the RTF body
// where asked for. Notes of limits go into `to`.
void add_attachments(MapiMessage& from, const Limits& limits, bool rtf_body, vault::Message& to);

// Compressed RTF ([MS-OXRTFCP]); nullopt: not that, damaged, or more than `most`.
std::optional<Bytes> decompress_rtf(ByteView compressed, std::size_t most);

}  // namespace kustos::ingest::mapi
