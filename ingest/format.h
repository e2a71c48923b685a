// Formats: what the bytes of an archive stream mean. A format turns bytes into messages: bounded in time, depth and
// size, and without losing anything: bytes that it cannot read come out as a message of kind `unreadable` that holds
// them.
//
// Errors: a Result error of read() means that the source itself failed (disk, sandbox, interrupted sink), never that
// the content is bad. Bad content is Message kind unreadable with a note "quarantine:<reason>", or a finding. Threads:
// free functions are safe from any thread; one sink belongs to one call.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/fs.h"
#include "base/result.h"
#include "vault/message.h"

namespace kustos::ingest {

class Extractor;

// Limits, in bytes unless the name says otherwise. What lies above is kept (quarantined in pieces, or as an attachment,
// or in raw only, with a note "limit:<what>"), never dropped.
struct Limits {
    std::uint64_t mail = 256ull << 20;             // one mail, transfer encoding included
    std::uint64_t line = 256ull << 20;             // one line of a message stream
    std::uint64_t attachment = 256ull << 20;       // one attachment, decoded, where there is no spool folder
    std::uint64_t in_memory = 8ull << 20;          // larger attachments are spooled, where there is a folder for it
    std::uint64_t spooled = 64ull << 30;           // one attachment or mail that is spooled
    std::uint64_t quarantine_piece = 64ull << 20;  // unreadable bytes are sealed in pieces of this size
    std::uint64_t body = 8ull << 20;      // body and body_html together; a larger text part becomes an attachment
    std::uint64_t csv = 512ull << 20;     // posts.csv of one batch
    std::size_t depth = 64;               // nested multiparts
    std::size_t parts = 4'096;            // leaf parts looked at in one mail
    std::size_t attachments = 4'096;      // of one message; the rest is in raw only
    std::size_t recipients = 20'000;      // of one message
    std::size_t headers = 4'096;          // header lines kept as fields
    std::size_t header_line = 64u << 10;  // of one header line kept as a field
    std::size_t text_value = 64u << 10;   // subject, names, ids, titles
};

// What a format hands on for one event.
struct ParsedItem {
    vault::Message message;  // received_at is not set here
    // Tells apart events that share a native id and a kind ("EditedNewMsg@1709287440000"); part of the duplicate
    // identity.
    std::string update_type;
    std::uint64_t source_bytes = 0;  // what this event took of the input, for progress
};

// A completeness or consistency finding: a machine word and a count, never content.
// "mattermost:attachment-missing", "stream:unknown-key", "zip:duplicate-name", ...
using Findings = std::map<std::string, std::uint64_t>;

class ItemSink {
public:
    virtual ~ItemSink() = default;
    virtual Status item(ParsedItem item) = 0;  // an error ends the reading and is handed through
    virtual void finding(std::string_view code, std::uint64_t count = 1) = 0;
    // How many mails a folder of an export should give; messages of it have the note "folder:<folder>".
    virtual void promised(std::string_view folder, std::uint64_t count) {
        static_cast<void>(folder);
        static_cast<void>(count);
    }
};

// Bytes that arrive one after another; never sought.
class ByteSource {
public:
    virtual ~ByteSource() = default;
    virtual Result<std::size_t> read(std::span<std::uint8_t> out) = 0;  // 0: the end
};
std::unique_ptr<ByteSource> memory_source(ByteView bytes);          // the bytes must outlive it
Result<std::unique_ptr<ByteSource>> file_source(const Path& path);  // a regular file; never a device or a pipe

// What a format's messages can prove, by what it carries of the source; shown wherever its messages show.
enum class Carries : std::uint8_t { no, partly, yes };
enum class EvidentialLevel : std::uint8_t {
    high,    // ids, times with a zone, and what became of a message (edits, deletions)
    medium,  // ids and times, but not all that became of a message
    low,     // no ids, or times without a zone: what was written may be shown, not when and that nothing is missing
};
struct EvidentialValue {
    EvidentialLevel level = EvidentialLevel::low;
    Carries ids = Carries::no, edits = Carries::no, deletions = Carries::no, time_zone = Carries::no;
    Carries membership = Carries::no, attachments = Carries::no;
};

struct FormatInfo {
    std::string_view name;   // as the command line and Message::format have it: "eml", "mattermost-csv"
    std::string_view title;  // "E-mail (RFC 5322)"
    EvidentialValue value;
};
const std::vector<const FormatInfo*>& formats();  // in the order in which they are asked
// By name; also what Message::format says: "mattermost-csv/20" is of "mattermost-csv". nullptr: none.
const FormatInfo* find_format(std::string_view name);
// nullptr: "auto". Anything unknown is Code::not_in_version.
Result<const FormatInfo*> parse_format_name(std::string_view name);

enum class Certainty : std::uint8_t {
    no,
    weak,    // the name only
    likely,  // content that others may have, too
    sure,    // content that only this format has
};
struct Detection {
    const FormatInfo* format = nullptr;  // nullptr: nothing known
    Certainty certainty = Certainty::no;
    const FormatInfo* rival = nullptr;  // as certain as `format`
    bool unsure() const { return format && (certainty == Certainty::weak || rival); }
};

struct ReadContext {
    Limits limits;
    // Zip archives are read only inside its sandbox. Without one, a zip is quarantined whole ("no-extractor").
    Extractor* extractor = nullptr;
    // Where what is too large to be held is spooled, encrypted and without a name (base/spool.h). Empty: nothing is.
    Path spool_folder;
    // For formats whose times have no zone, as the operator says: an IANA name ("Europe/Berlin"). Empty: unknown; such
    // times are read as UTC and every message has the note "time-zone-unknown".
    std::string time_zone;
    // The secret with which the source has authenticated its export (Mattermost legal hold); empty: none.
    Bytes origin_secret;
};

// What `path` holds, by its content (names only break ties). Where nothing is known read() quarantines it.
Result<Detection> detect(const Path& path, const ReadContext& context);
// Everything at `path` (a file, or a folder that is walked in name order; symbolic links are not followed and count as
// finding "folder:link-skipped"). format nullptr: each file is detected on its own; where that is unsure, the finding
// "format:unsure" counts it.
Status read(const Path& path, const FormatInfo* format, const ReadContext& context, ItemSink& sink);

// --- the single formats, for streams that have the bytes already (LMTP, HTTP push, tests, fuzzing) ---
// One mail. Always gives a message: what no mail can be is kind unreadable.
ParsedItem parse_mail(Bytes raw, const Limits& limits = {});
// A mail as every reader and stream hands it on: itself, or, of a journal report, the enclosed mail and then the
// envelope (docs/format/journal-reports.md), each an item of its own. parse: makes an item of a mail's bytes, which
// become its raw; empty: parse_mail(). Errors are the sink's.
using MailParser = std::function<ParsedItem(Bytes raw)>;
Status parse_mail_items(Bytes raw, const Limits& limits, ItemSink& sink, const MailParser& parse = {});
// What came beside the lines of a stream: contents that attachments name as "part".
struct StreamParts {
    std::map<std::string, Bytes, std::less<>> contents;
    std::set<std::string, std::less<>> named;  // by a line that was read
};
// One line of a message stream, without its line end (docs/format/message-stream.md). directory: where relative
// attachment paths are looked up; empty: an attachment path is not allowed, and the attachment counts as missing.
// Likewise without parts a "part". findings, if given, gets the unknown keys' number.
ParsedItem parse_stream_line(ByteView line, const Path& directory = {}, const Limits& limits = {},
                             Findings* findings = nullptr, StreamParts* parts = nullptr);
Status read_mbox(ByteSource& source, const ReadContext& context, ItemSink& sink);
Status read_stream(ByteSource& source, const Path& directory, const ReadContext& context, ItemSink& sink);
// posts.csv alone, without attachments (each named one counts as missing).
Status read_mattermost_posts(Bytes csv, const ReadContext& context, ItemSink& sink);

// Bytes as one or more messages of kind unreadable. reason: a machine word.
Status quarantine(Bytes raw, std::string_view format, std::string_view reason, const Limits& limits, ItemSink& sink);

}  // namespace kustos::ingest
