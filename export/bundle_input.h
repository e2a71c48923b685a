// What an evidence bundle's pages are made of. The caller (app) fills it from opened records; this module opens
// nothing, asks no clock and knows no archive.
//
// Text is UTF-8; text that came from outside (names, subjects, bodies, file names) may be anything and is made harmless
// here: it can't leave its place on the page, reorder the frame or run over other text. Text that the caller makes
// itself (codes, authority, ground) is treated the same way.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "vault/message.h"

namespace kustos::exporting {

enum class Language { de, en };

struct Coverage {  // counts of records in the scope that was searched; sealed is the sum of the rest
    std::uint64_t sealed = 0, searchable = 0, partial = 0, opaque = 0, deferred = 0, failed = 0, erased = 0;
    bool adds_up() const { return sealed == searchable + partial + opaque + deferred + failed + erased; }
};

struct MatterFacts {
    std::string reference;  // Aktenzeichen
    std::string ground;     // legal ground
    EntryIndex entry;       // the control entry that opened the matter
};

struct CustodyEvent {
    UtcTime time;
    EntryIndex entry;
    std::string action;  // machine word: matter_opened, search, open, export, source_added, checkpoint_published,
                         // anchor_stored, vault_unlocked, vault_locked, approved, ... An unknown one is shown as it is
    std::string actor;   // account name, or empty: the archive itself
    std::string code;    // what the entry says in its public body, e.g. "total=37"; may be empty
};

struct AnchorFacts {
    UtcTime gen_time;
    std::string authority;
    bool builtin = false;  // the archive's own authority: only the archive's own word
    TreeSize covers;       // the checkpoint size that the token stamps
};

struct ProofFacts {
    TreeSize checkpoint_size;
    Hash checkpoint_root;
    std::string origin;        // "kustos.archive/<hex>"
    std::string fingerprint;   // of the archive's key, as the authority publishes it; grouped for reading on the page
    std::string verifier_key;  // the C2SP vkey, printed on the page "how to check"; may be empty
    std::vector<AnchorFacts> anchors;
    std::vector<std::string> not_proven;  // further sentences in the bundle's language
};

enum class AttachmentPlace : std::uint8_t {
    in_container,  // contained in evidence.zip
    in_original,   // inside the original message, which is contained
    missing,       // the source named it and did not deliver it
    left_out,      // not part of this bundle (redacted, too large, erased): reason in `remark`
};

struct AttachmentFacts {  // one for each of message.attachments, same order; fewer: the rest counts as in_original
    AttachmentPlace place = AttachmentPlace::in_original;
    std::string path;    // the member's name inside evidence.zip, where it has one
    std::string remark;  // for people, in the bundle's language; may be empty
};

struct BundleRecord {
    EntryIndex entry;
    vault::Message message;      // opened; contents of attachments and raw are not looked at and may be empty
    std::string source;          // the source's name
    std::uint64_t sequence = 0;  // the source's own gap-free count
    Hash original_sha256;
    std::uint64_t original_size = 0;
    std::string original_path;  // the member inside evidence.zip; empty: not contained
    std::vector<AttachmentFacts> attachments;
    std::vector<std::string> notes;  // evidential notes in machine words, beyond message.notes
    std::string evidential_value;    // of the message's format, one word in the bundle's language; may be empty
};

// Random access to the records, because pages are laid out by conversation and in two passes (first to count pages):
// each record is asked for about three times. at() may be called in any order, from one thread.
class RecordSource {
public:
    virtual ~RecordSource() = default;
    virtual std::size_t count() const = 0;
    virtual Result<BundleRecord> at(std::size_t position) = 0;
};

// For tests and small bundles.
class RecordsInMemory final : public RecordSource {
public:
    explicit RecordsInMemory(std::vector<BundleRecord> records) : records_(std::move(records)) {}
    std::size_t count() const override { return records_.size(); }
    Result<BundleRecord> at(std::size_t position) override { return records_.at(position); }

private:
    std::vector<BundleRecord> records_;
};

struct PeopleAttachment {  // for people's convenience, beside the evidence container
    std::string name;      // as shown; made harmless and unique here
    std::string media_type;
    Bytes content;
    std::string description;
};
inline constexpr std::size_t kMaxPeopleAttachments = 300;

// What the caller knows of a source or a format of the records, as one sentence in the bundle's language.
struct KnownOf {
    std::string name, words;
};

struct BundleInput {
    Language language = Language::de;
    std::string time_zone =
        "Europe/Berlin";       // IANA name; one that the machine does not know becomes UTC, and the pages say so
    std::string archive_name;  // "Zentralarchiv"
    std::string authority;     // who runs it, for the cover
    MatterFacts matter;
    std::string query;        // empty: records were named one by one
    std::uint64_t total = 0;  // hits of the query
    Coverage coverage;        // of the whole archive, when it was searched
    // Within the query: how many records it may match that could not be searched, and a sentence that says why. Absent
    // and empty: records were named, or an older result set does not say it.
    std::optional<std::uint64_t> unsearched;
    std::string unsearched_words;
    UtcTime created_at;
    std::string created_by;             // account name, may be empty
    std::string tool;                   // "kustos 0.1.0"
    std::vector<CustodyEvent> custody;  // oldest first
    ProofFacts proof;
    std::vector<PeopleAttachment> people_attachments;
    std::vector<KnownOf> sources;  // how complete they are
    std::vector<KnownOf> formats;  // what their messages can prove
};

}  // namespace kustos::exporting
