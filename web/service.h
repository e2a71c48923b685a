// What the command line and the pages ask of the house, as plain values. app/ implements it over the archive, the index
// and the exporter; web/ renders it as HTML and JSON; app/commands renders it as text and JSON.
//
// Every function that finds or opens content takes the matter for which it is done and the person who does it, and has
// stored its access entry before it answers. Errors: Code::denied (no such matter, closed matter, wrong token),
// Code::closed (vault), Code::usage (query), Code::overloaded (come again), Code::read_only. Threads: safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "audit/report.h"
#include "audit/unsearched.h"
#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "vault/message.h"
#include "web/context.h"

namespace kustos::web {

using audit::Unsearched;

struct Coverage {  // sealed is the sum of the rest
    std::uint64_t sealed = 0, searchable = 0, partial = 0, opaque = 0, deferred = 0, failed = 0, erased = 0;
};

struct SourceReport {
    std::uint32_t id = 0;
    std::string name, kind;
    bool paused = false;
    std::uint64_t entries = 0;  // of this source, blobs included
    UtcTime added;
    std::optional<UtcTime> heard;  // its last heartbeat that is an entry; absent: it sends none
    std::uint64_t missing = 0;     // messages that it said it had sent and that had not arrived then
    // Counts since it was added, by machine word (docs/format/sources.md), and findings that nobody has settled.
    std::uint64_t records = 0;
    std::map<std::string, std::uint64_t> counts;
    std::uint64_t open_findings = 0;
    // Of its stream: running, waiting, failing, stopped; empty: it is none, or no server runs.
    std::string state;
    std::string problem;          // while waiting or failing, in words that name no content
    std::uint16_t port = 0;       // that it listens on; 0: none
    std::optional<UtcTime> last;  // that it took something, since the server's start
};

struct MatterReport {
    EntryIndex entry;
    std::string id;         // "M12": its entry number
    std::string reference;  // sealed: empty while the vault is closed
    std::string ground;
    UtcTime opened;
    std::optional<UtcTime> closed;
    std::string scope;  // the query that bounds its searches; empty: the whole archive. Sealed
};

struct StatusReport {
    std::uint64_t entries = 0, records = 0, quarantined = 0, blobs = 0;
    Coverage coverage;
    bool coverage_known = true;  // false: the vault is closed and shards may still hold something erased; only sealed
                                 // and erased are set
    TreeSize checkpoint_size;
    Hash checkpoint_root;
    std::string origin, fingerprint;
    TreeSize published_size;               // the newest published checkpoint
    TreeSize anchored_size;                // covered by a time stamp
    std::optional<UtcTime> anchored_time;  // what the token says
    std::string anchored_by;               // "builtin (not independent)", ...
    bool anchored_by_others = false;       // by somebody else than the archive itself
    std::vector<SourceReport> sources;
    std::string vault;    // "open (auto)", "open (passphrase)", "closed"
    std::string escrow;   // of keys, in people's words
    std::string sandbox;  // walls around what reads attachments; "none": nothing is read; empty: not looked at yet
    std::map<std::string, std::uint64_t> reasons;  // machine words of the coverage, and how many records have each
    std::string key_memory;               // "locked", "not locked, no swap", "may be swapped", "may be hibernated"
    std::string forward_memory;           // "memfd_secret", "memfd"; empty: a crash counts as a power loss
    bool read_only = false;               // the writer ended; why stands in next_steps
    std::vector<std::string> next_steps;  // in people's words
};

// "existence proven at ..., by ...: the first n entries", or "only ... so far". One line of plain text.
std::string existence_words(const StatusReport& status, Language language);

// "41 items could not be searched: 12 voice messages, 29 encrypted". One line of plain text.
std::string unsearched_words(const Unsearched& unsearched, Language language);
struct SearchReport;
// How far ledger and index reached when it was asked.
std::string as_of_words(const SearchReport& report, Language language);

struct Hit {
    EntryIndex entry;
    RecordId record;
    std::string kind;
    std::optional<UtcTime> sent_at;
    std::string sender, subject, conversation;
    std::string snippet;
    std::vector<std::pair<std::size_t, std::size_t>> marks;  // byte ranges of the snippet that matched
    std::string found_in;    // name of the attachment that the snippet stands in; empty: the message itself
    std::uint32_t page = 0;  // of that attachment, from 1; 0: it has none, or which is not known
    std::uint32_t attachments = 0;
};

// "hit in: Vertrag.pdf, page 3"; empty: in the message itself. One line of plain text.
std::string place_words(const Hit& hit, Language language);

// A person that a query named, and what was looked for in its place.
struct PersonTaken {
    std::string asked;  // as typed
    std::string id;     // "P12"
    std::string name;
    struct Handle {
        std::string text;                       // an address, an id, a number
        std::optional<CivilDate> first, last;   // days; where somebody else had it before or after
        bool shared = false, left_out = false;  // access/directory.h, SearchHandle
    };
    std::vector<Handle> handles;
    std::uint64_t conflicts = 0;  // address books contradict each other about this person
};

// How the hits divide. Values are folded: addresses in small letters, days as 2026-03-02.
struct Facet {
    std::string name;  // source, kind, sender, recipient, filetype, language, month
    std::vector<std::pair<std::string, std::uint64_t>> values;
    std::uint64_t distinct = 0, without = 0;
};
struct WhoToWhom {
    std::string sender, recipient;
    std::uint64_t count = 0;
};

struct SearchReport {
    std::vector<PersonTaken> persons;
    Unsearched unsearched;         // what may match what was asked, and could not be searched for it
    std::vector<Facet> facets;     // where they were asked for
    std::vector<WhoToWhom> pairs;  // likewise; most frequent first
    std::uint64_t total = 0;       // exact
    std::uint64_t restricted = 0;  // of these: counted, not opened (GDPR Art. 18)
    Coverage coverage;
    std::vector<Hit> hits;
    std::uint64_t offset = 0;
    // Entries of the ledger when it was asked; and one past the newest record in the index (0: none). What lies
    // between, and what is missing before, is `deferred`.
    std::uint64_t ledger_size = 0, index_end = 0;
};

// What was found out about an attachment when it was read for the index; machine words. Empty: nothing is kept.
struct AttachmentFacts {
    std::string kind;                  // by its bytes: "pdf", "docx", "png"
    std::string text;                  // "full", "partial", "opaque": how much of its text could be read
    std::string reason;                // why not all
    std::vector<std::string> remarks;  // "ocr", "type-mismatch:pdf-as-docx", "charset-corrected"
    std::string virus;                 // "clean", "found", "unchecked"; empty: nobody was asked
    std::string signature, scanner;    // what was found; by which engine with which signatures
    std::optional<UtcTime> scanned;
    std::vector<std::string> words;  // the same for people
};

// Whom an address book names for a sender's or recipient's address or id, at the time of the message.
struct PersonNamed {
    std::string handle;  // as the message has it
    std::string id;      // "P12"
    std::string name;
};

struct RecordReport {
    std::vector<PersonNamed> persons;
    EntryIndex entry;
    RecordId record;
    Hash leaf;
    std::string source;
    std::uint64_t sequence = 0;
    vault::Message message;
    std::vector<AttachmentFacts> attachments;  // of message.attachments, in their order
    std::uint64_t checkpoint_size = 0;         // the newest published checkpoint that covers it; 0: none yet
    bool anchored = false;
    // In people's words: what the message's format can prove, and how complete its source is.
    std::string evidential_value, completeness;
    std::vector<std::string> labels, codes;  // that this matter has given: names; GROUP=VALUE
};

struct PushReceipt {
    std::uint64_t line = 0;  // from 1; 0: of a part that no line names
    EntryIndex entry;
    RecordId record;
    Hash leaf;
    bool duplicate = false;
    bool quarantined = false;
    bool left_out = false;  // by the source's capture profile: not sealed, but counted; entry, record and leaf are zero
};

struct PushAnswer {
    std::vector<PushReceipt> receipts;
    std::uint64_t unknown_keys = 0;
    TreeSize checkpoint_size;  // all receipts are below it
    bool replayed = false;     // the same Idempotency-Key was answered before; these are the receipts of then
};

// What a source says of itself, and what is there: nothing is lost on the way if missing is 0.
struct HeartbeatAnswer {
    std::uint64_t received = 0;  // records of this source that are sealed
    std::uint64_t missing = 0;
};

struct PushRequest {
    std::string source;
    std::string token;            // without "Bearer "
    std::string idempotency_key;  // may be empty
    std::string feed_position;    // may be empty
    Bytes body;                   // NDJSON
    // Contents of attachments that lines name as "part" (docs/format/message-stream.md, "Over HTTP").
    std::map<std::string, Bytes, std::less<>> parts;
};

class Service {
public:
    virtual ~Service() = default;
    virtual Result<StatusReport> status(Language language) = 0;
    // Whether this token may push to this source: asked before a body is read. Code::denied; Code::overloaded: paused,
    // or the indexer is too far behind.
    virtual Status may_push(const std::string& source, const std::string& token) = 0;
    virtual Result<PushAnswer> push(PushRequest request) = 0;
    // sent: how many different messages the source has sent since it was added. Asked for after may_push().
    virtual Result<HeartbeatAnswer> heartbeat(const std::string& source, std::uint64_t sent) = 0;
    virtual Result<std::vector<MatterReport>> matters() = 0;
    // sort: "date" or "relevance". figures: facets and pairs, too. An empty matter is Code::usage with the exact
    // command that makes one as the hint.
    virtual Result<SearchReport> search(const std::string& actor, const std::string& matter, const std::string& query,
                                        const std::string& sort, std::uint64_t offset, std::uint64_t limit,
                                        bool figures = false) = 0;
    virtual Result<RecordReport> record(const std::string& actor, const std::string& matter, EntryIndex entry,
                                        Language language) = 0;
    // Code::usage: more than kMost. Code::not_in_version: with an opener apart.
    virtual Result<ContextReport> context(const std::string& actor, const std::string& matter, EntryIndex entry,
                                          const ContextAsk& ask) = 0;
    virtual Result<Bytes> original(const std::string& actor, const std::string& matter, EntryIndex entry) = 0;
    // Checks the whole archive without any key.
    virtual Result<audit::Report> verify() = 0;
    // The one local account of this version. False: wrong name or password (constant time, Argon2id).
    virtual Result<bool> log_in(const std::string& name, const std::string& password) = 0;
};

}  // namespace kustos::web
