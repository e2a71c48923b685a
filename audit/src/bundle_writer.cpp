#include "audit/bundle_writer.h"

#include <nlohmann/json.hpp>

#include "audit/ledger.h"
#include "base/crypto.h"

namespace kustos::audit {

using nlohmann::json;

namespace {

json hashes(const std::vector<Hash>& list) {
    json out = json::array();
    for (const Hash& h : list) out.push_back(h.hex());
    return out;
}

std::string dump(const json& j) {
    return j.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

json record_json(const RecordDisclosure& r) {
    json fields = json::array();
    for (std::size_t i = 0; i < r.fields.size(); ++i) {
        const DisclosedField& f = r.fields[i];
        json row = {{"i", i}};
        if (f.redacted) {
            row["state"] = "redacted";
            row["category"] = f.redacted->category;
            row["legal_basis"] = f.redacted->legal_basis;
            row["approver"] = f.redacted->approver;
            fields.push_back(std::move(row));
            continue;
        }
        row["salt"] = hex(f.salt);
        if (f.path == 0) {
            row["state"] = "decoy";
        } else {
            row["state"] = "disclosed";
            row["path"] = f.path;
            row["ordinal"] = f.ordinal;
            row["type"] = f.type;
            if (f.file.empty()) {
                row["value"] = base64(f.value);
            } else {
                row["value_from"] = {{"file", f.file}, {"offset", f.offset}, {"length", f.length}};
            }
        }
        fields.push_back(std::move(row));
    }
    json j = {{"index", r.index.value},
              {"entry", hex(r.entry)},
              {"proof", hashes(r.proof)},
              {"key_commitment", r.key_commitment.hex()},
              {"commitments", hashes(r.commitments)},
              {"fields", std::move(fields)}};
    if (!r.original.empty()) j["original"] = r.original;
    return j;
}

Status check_redactions(const RecordDisclosure& r) {
    for (const DisclosedField& f : r.fields) {
        if (!f.redacted) continue;
        if (f.redacted->category.empty() || f.redacted->legal_basis.empty() || f.redacted->approver.empty()) {
            return Error(Code::usage, "a redaction needs category, legal basis and approver");
        }
        if (!r.original.empty()) return Error(Code::usage, "the original would show what is redacted");
    }
    return {};
}

}  // namespace

std::string evidence_member(EntryIndex index) {
    return "evidence/" + twelve_digits(index.value) + ".ers";
}
std::string record_member(EntryIndex index) {
    return "records/" + twelve_digits(index.value) + ".json";
}
std::string rotation_member(std::uint32_t number, bool proof) {
    return "rotations/" + twelve_digits(number).substr(6) + (proof ? ".tlog-proof" : ".entry");
}

std::string original_member(EntryIndex index, const std::string& extension) {
    return "originals/" + twelve_digits(index.value) + "." + extension;
}

Status BundleWriter::add_file(const std::string& name, ByteView content) {
    TRY(zip_.add(name, content));
    files_.push_back({name, content.size(), sha256(content)});
    return {};
}

Status BundleWriter::add_context(EntryIndex index, ByteView entry, const std::vector<Hash>& proof) {
    const std::string name = "context/" + twelve_digits(index.value) + ".json";
    context_.push_back(name);
    return add_file(name, as_bytes(dump({{"index", index.value}, {"entry", hex(entry)}, {"proof", hashes(proof)}})));
}

Status BundleWriter::add_record(const RecordDisclosure& record) {
    TRY(check_redactions(record));
    json j = record_json(record);
    json blobs = json::array();
    for (const RecordDisclosure& blob : record.blobs) {
        TRY(check_redactions(blob));
        const std::string name = "blobs/" + twelve_digits(blob.index.value) + ".json";
        blobs.push_back(name);
        TRY(add_file(name, as_bytes(dump(record_json(blob)))));
    }
    if (!blobs.empty()) j["blobs"] = std::move(blobs);
    const std::string name = record_member(record.index);
    records_.push_back(name);
    return add_file(name, as_bytes(dump(j)));
}

Status BundleWriter::add_evidence_record(EntryIndex index, ByteView der) {
    return add_file(evidence_member(index), der);
}

Status BundleWriter::set_checkpoint(std::string_view note) {
    return add_file("checkpoint.note", as_bytes(note));
}

Status BundleWriter::add_rotation(const Rotation& rotation) {
    ++rotations_;
    TRY(add_file(rotation_member(rotations_, false), rotation.entry));
    return add_file(rotation_member(rotations_, true), as_bytes(rotation.proof));
}

Status BundleWriter::add_anchor(const std::string& authority, TreeSize previous, ByteView token,
                                const ReducedTree& path) {
    const std::string name = "anchors/" + std::to_string(anchors_.size()) + ".der";
    anchors_.push_back({name, authority, previous.value, path});
    return add_file(name, token);
}

Result<Bytes> BundleWriter::finish(const BundleFacts& f) {
    TRY(add_file(
        "trust-hint.txt",
        as_bytes("# From this bundle itself: proves nothing. Compare with what the authority has published.\nlog " +
                 f.vkey + "\nquorum none\n")));
    json anchors = json::array(), files = json::array();
    for (const AnchorRow& a : anchors_) {
        json path = json::array();
        for (const auto& group : a.path) path.push_back(hashes(group));
        anchors.push_back(
            {{"token", a.file}, {"authority", a.authority}, {"previous_size", a.previous}, {"path", std::move(path)}});
    }
    for (const FileRow& row : files_)
        files.push_back({{"name", row.name}, {"size", row.size}, {"sha256", row.sha256.hex()}});
    json manifest = {
        {"format", "kustos-evidence/1"},
        {"vault_id", f.vault.hex()},
        {"origin", f.origin},
        {"vkey", f.vkey},
        {"created_at", format_rfc3339(f.created_at)},
        {"language", f.language},
        {"tool", f.tool},
        {"matter", {{"reference", f.matter_reference}, {"ground", f.matter_ground}, {"entry", f.matter.value}}},
        {"query", f.query},
        {"total", f.total},
        {"coverage", f.coverage},
        {"checkpoint", "checkpoint.note"},
        {"anchors", std::move(anchors)},
        {"context", context_},
        {"records", records_},
        {"files", std::move(files)}};
    if (f.unsearched) {
        const Unsearched& u = *f.unsearched;
        manifest["unsearched"] = {{"partial", u.partial},   {"opaque", u.opaque},         {"failed", u.failed},
                                  {"deferred", u.deferred}, {"restricted", u.restricted}, {"reasons", u.reasons}};
    }
    TRY(zip_.add("manifest.json", as_bytes(dump(manifest))));
    return zip_.finish();
}

}  // namespace kustos::audit
