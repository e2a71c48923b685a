// The JSON members of an evidence container, read into plain structs under limits (docs/format/bundle.md, "JSON").
//
// What is missing, of another type, too large or too deep is Code::bad_input with the key's name; unknown keys are
// passed over, except in a field's row, where nothing may stand that its state does not allow. Threads: pure functions.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "audit/imprint.h"
#include "audit/unsearched.h"
#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"

namespace kustos::audit {

inline constexpr std::size_t kMaxJson = 256u << 20;  // bytes of one member
inline constexpr std::size_t kMaxJsonValues = 2'000'000;
inline constexpr int kMaxJsonDepth = 12;
inline constexpr std::size_t kMaxProof = 64;

struct ManifestFile {
    std::string name;
    std::uint64_t size = 0;
    Hash sha256;
};
struct ManifestAnchor {
    std::string token, authority;
    std::uint64_t previous_size = 0;
    ReducedTree path;
};
struct Manifest {
    VaultId vault;
    std::string origin, vkey, language, tool, checkpoint, reference, ground, query;
    UtcTime created_at;
    std::uint64_t matter = 0, total = 0;
    std::map<std::string, std::uint64_t> coverage;
    std::optional<Unsearched> unsearched;
    std::vector<ManifestAnchor> anchors;
    std::vector<std::string> context, records;
    std::vector<ManifestFile> files;
};

struct ProvenEntry {
    std::uint64_t index = 0;
    Bytes entry;
    std::vector<Hash> proof;
};

enum class FieldState { disclosed, redacted, decoy };
struct FieldRow {
    FieldState state = FieldState::disclosed;
    std::uint16_t path = 0, ordinal = 0;
    std::uint8_t type = 0;
    Bytes salt;   // 32 bytes, empty if redacted
    Bytes value;  // or:
    std::optional<std::string> file;
    std::uint64_t offset = 0, length = 0;
};
struct Disclosure {
    ProvenEntry proven;
    Hash key_commitment;
    std::vector<Hash> commitments;
    std::vector<FieldRow> fields;
    std::optional<std::string> original;
    std::vector<std::string> blobs;
};

// Code::not_in_version: another "format".
Result<Manifest> parse_manifest(ByteView json);
Result<ProvenEntry> parse_context(ByteView json);
Result<Disclosure> parse_disclosure(ByteView json);

}  // namespace kustos::audit
