// Writes the evidence container of a bundle (docs/format/bundle.md): originals, disclosures, proofs, tokens, manifest.
// verify_bundle.h is its reader; nobody else knows the format.
// Memory: everything that is contained, twice while finish() runs. Threads: one.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "audit/imprint.h"
#include "audit/key_history.h"
#include "audit/unsearched.h"
#include "audit/zip.h"
#include "base/ids.h"
#include "base/time.h"

namespace kustos::audit {

// Why a field is not shown. A redacted field's row carries nothing but this.
struct Redaction {
    std::string category, legal_basis, approver;  // none may be empty
};

struct DisclosedField {
    std::optional<Redaction> redacted;
    std::uint16_t path = 0;  // 0: a decoy, opened by its salt
    std::uint16_t ordinal = 0;
    std::uint8_t type = 0;
    std::array<std::uint8_t, 32> salt{};
    Bytes value;
    // Large values stand in a file "attachments/...": then value is empty. The fields of one file follow each other and
    // cover it.
    std::string file;
    std::uint64_t offset = 0, length = 0;
};

struct RecordDisclosure {
    EntryIndex index;
    Bytes entry;              // 116 bytes
    std::vector<Hash> proof;  // to the bundle's checkpoint
    Hash key_commitment;
    std::vector<Hash> commitments;
    std::vector<DisclosedField> fields;  // all, in order
    std::string original;                // member name; empty: none. Never with a redacted field
    std::vector<RecordDisclosure> blobs;
};

struct BundleFacts {
    VaultId vault;
    std::string origin, vkey;
    UtcTime created_at;
    std::string language, tool;
    std::string matter_reference, matter_ground;
    EntryIndex matter;
    std::string query;
    std::uint64_t total = 0;
    std::map<std::string, std::uint64_t> coverage;  // of the whole archive, when it was searched
    std::optional<Unsearched> unsearched;           // of what the query may find; absent: no query, or it is not known
};

// Order of calls: files before finish(), otherwise any. Code::usage: a name that is taken or unsafe, a redaction
// without its reasons, an original beside a redaction. Code::limit: zip.h.
class BundleWriter {
public:
    // originals/..., attachments/...
    Status add_file(const std::string& name, ByteView content);
    // Entries that the verifier needs beside the records: archive_created, evidence_key.
    Status add_context(EntryIndex index, ByteView entry, const std::vector<Hash>& proof);
    Status add_record(const RecordDisclosure& record);
    // The evidence record (RFC 4998, DER) of a record or blob that is added.
    Status add_evidence_record(EntryIndex index, ByteView der);
    Status set_checkpoint(std::string_view note);
    // Those that lead from entry 0's key to the checkpoint's, in order.
    Status add_rotation(const Rotation& rotation);
    Status add_anchor(const std::string& authority, TreeSize previous, ByteView token, const ReducedTree& path);
    // The zip; trust-hint.txt is for people and never believed.
    Result<Bytes> finish(const BundleFacts& facts);

private:
    ZipWriter zip_;
    struct FileRow {
        std::string name;
        std::uint64_t size;
        Hash sha256;
    };
    std::vector<FileRow> files_;
    std::vector<std::string> context_, records_;
    std::uint32_t rotations_ = 0;
    struct AnchorRow {
        std::string file, authority;
        std::uint64_t previous;
        ReducedTree path;
    };
    std::vector<AnchorRow> anchors_;
};

std::string rotation_member(std::uint32_t number, bool proof);  // rotations/000001.tlog-proof, rotations/000001.entry
std::string evidence_member(EntryIndex index);                  // evidence/000000000123.ers
std::string record_member(EntryIndex index);                    // records/000000000123.json
std::string original_member(EntryIndex index, const std::string& extension);  // originals/000000000123.eml

}  // namespace kustos::audit
