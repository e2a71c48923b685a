// What is sealed in an entry: a table of fields, a recipe that gives the source's exact bytes back, and two areas of
// bytes (docs/format/payload.md). Nothing is stored twice where it can be helped: fields point into the literal bytes
// of the source where they stand there verbatim, and an attachment's decoded bytes stand once, encoded again when the
// source's bytes are asked for.
//
// compose() splits, decompose() joins; opening never parses or splits again, so an upgrade of a library can't break a
// proof. Errors: compose: limit (more than 4,095 attachments; otherwise everything fits). decode: corrupt. Threads:
// values.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/crypto.h"
#include "base/ids.h"
#include "base/spool.h"
#include "vault/field.h"
#include "vault/message.h"
#include "vault/purpose.h"
#include "vault/recipe_step.h"

namespace kustos::vault {

enum class Area : std::uint8_t { literal = 0, value = 1 };

struct FieldRow {
    PathCode path = PathCode::decoy;
    std::uint16_t ordinal = 0;
    ValueType type = ValueType::none;
    Area area = Area::value;
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
    bool operator==(const FieldRow&) const = default;
};

inline constexpr std::uint16_t kNoAttachment = 0xFFFF;

struct BlobRef {
    EntryIndex entry;
    RecordId record;
    std::array<std::uint8_t, 32> b{};  // with the blob's leaf it makes the blob's key
    std::uint64_t size = 0;            // of the blob's content
    Hash sha256;                       // likewise
    bool encoded = false;              // the content is base64 text; decoded by decode_lenient()
    std::uint16_t attachment = kNoAttachment;
    bool operator==(const BlobRef&) const = default;
};

struct Payload {
    std::vector<FieldRow> rows;  // decoys included: a multiple of 8
    std::vector<RecipeStep> recipe;
    std::vector<BlobRef> blobs;
    Bytes literal;
    Bytes value;
    // The raw field is what the recipe gives, and needs no bytes of its own (compose() knows). Not part of what is
    // said.
    bool raw_computed = false;
    bool operator==(const Payload& other) const;
    ByteView field(const FieldRow& row) const;  // within the areas: decode() has checked
};

struct BlobDraft {
    Bytes content;
    std::size_t number = 0;  // in Payload::blobs
    SpoolPart spool;         // instead of content
    std::uint64_t size() const { return spool ? spool.size : content.size(); }
};

struct Composed {
    Payload payload;
    std::vector<BlobDraft> blobs;
    std::uint64_t approximate_size() const;
    void set_blob(const BlobDraft& draft, EntryIndex entry, const RecordId& record,
                  const std::array<std::uint8_t, 32>& b);
};

Result<Composed> compose(Message message);
Payload compose_blob(Bytes content);
std::uint64_t blob_chunk(
    std::uint64_t size);  // bytes of one field of a blob: 1 MiB, more where there would be too many
std::vector<FieldRow> blob_rows(std::uint64_t size);
Composed compose_matter(const std::string& reference, const std::string& ground, const std::string& scope = "");
// What a matter's own entries say: its scope, result sets, saved searches, lists of sums. Empty: no field.
struct MatterText {
    std::string actor, ground, label, query, scope;
    Bytes entry_set, checksums, coverage, unsearched;
    bool operator==(const MatterText&) const = default;
};
Composed compose_matter_text(const MatterText& text);
Composed compose_configuration(const std::string& actor, ByteView before, ByteView after);
// What people decided about retention, holds, restrictions and dispositions, and who.
struct DecisionText {
    std::string actor;
    std::vector<std::string> approvers;  // sealed as actors 1, 2, ...
    std::string ground;
    std::string query;
    std::string scope;
    std::string reference, plan;           // of the file, for record-relevant marks
    std::vector<std::uint16_t> questions;  // answered by yes
};
Composed compose_decision(const DecisionText& text);
Composed compose_access(const std::string& actor, const std::string& query, const std::vector<EntryIndex>& ids);
// Of an opening or search for a matter: with scope, coverage and result set, where there are such.
Composed compose_access(const Purpose& purpose, const std::vector<EntryIndex>& ids);

// "original" of docs/format/payload.md, before compression: version 1 (blobs, and what goes between processes) and the
// smaller version 2. Both are read.
Bytes encode(const Payload& payload);
Bytes encode_compact(const Payload& payload);
Result<Payload> decode_payload(ByteView original);

// An opened entry: what it holds, and what an export needs to disclose it.
struct OpenedPayload {
    RecordId record;
    Payload payload;
    Hash key_commitment;
    std::vector<std::array<std::uint8_t, 32>> salts;  // one for each row
    std::vector<Hash> commitments;                    // one for each row
};

Result<Message> decompose(const OpenedPayload& opened);
std::string field_text(const OpenedPayload& opened, PathCode path);  // the first of that path; empty if none
Bytes field_bytes(const OpenedPayload& opened, PathCode path);       // likewise
MatterText matter_text(const OpenedPayload& opened);
std::optional<CoverageCounts> coverage_of(const OpenedPayload& opened);
std::optional<Unsearched> unsearched_of(const OpenedPayload& opened);  // nothing: it is not said, or not readable
// Content of a blob: its chunks joined.
Result<Bytes> blob_content(const OpenedPayload& opened);

// Gives a blob's content in pieces. Until it is ok, nothing given is final (blob_stream.h).
using BlobFetcher = std::function<Status(const BlobRef&, const ByteSink&)>;
// What the recipe gives, in pieces, unchecked.
Status give_raw(const Payload& payload, const BlobFetcher& fetch, const ByteSink& sink);
// The source's exact bytes, in pieces; checked against the raw field at the end (Code::corrupt).
Status reconstruct_raw(const OpenedPayload& opened, const BlobFetcher& fetch, const ByteSink& sink);
// Decoded bytes of one attachment, in pieces or at once. Code::not_found: missing.
Status write_attachment(const OpenedPayload& opened, std::size_t number, const BlobFetcher& fetch,
                        const ByteSink& sink);
Result<Bytes> attachment_content(const OpenedPayload& opened, std::size_t number, const BlobFetcher& fetch);

}  // namespace kustos::vault
