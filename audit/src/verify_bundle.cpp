#include "audit/verify_bundle.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "audit/checkpoint.h"
#include "audit/cms_signature.h"
#include "audit/entry.h"
#include "audit/imprint.h"
#include "audit/pdf_container.h"
#include "audit/src/anchor_check.h"
#include "audit/zip.h"
#include "base/crypto.h"

namespace kustos::audit {

using nlohmann::json;

namespace {

constexpr std::uint16_t kPathType = 1, kPathReceived = 4, kPathRaw = 14;
constexpr int kMaxJsonDepth = 12;

// A small checked view of foreign JSON: whatever is missing or of another type is one error.
struct Bad {};
const json& at(const json& j, const char* key) {
    if (!j.is_object()) throw Bad();
    const auto found = j.find(key);
    if (found == j.end()) throw Bad();
    return *found;
}
std::string text(const json& j, const char* key) {
    const json& v = at(j, key);
    if (!v.is_string()) throw Bad();
    return v.get<std::string>();
}
std::uint64_t number(const json& j, const char* key) {
    const json& v = at(j, key);
    if (!v.is_number_unsigned()) throw Bad();
    return v.get<std::uint64_t>();
}
const json& list(const json& j, const char* key) {
    const json& v = at(j, key);
    if (!v.is_array()) throw Bad();
    return v;
}
Bytes bytes_of(const std::string& digits) {
    auto b = parse_hex(digits);
    if (!b.ok()) throw Bad();
    return std::move(*b);
}
Hash hash_of(const json& v) {
    if (!v.is_string()) throw Bad();
    auto h = Hash::parse(v.get<std::string>());
    if (!h.ok()) throw Bad();
    return *h;
}
std::vector<Hash> hashes_of(const json& array, std::size_t most) {
    if (!array.is_array() || array.size() > most) throw Bad();
    std::vector<Hash> out;
    for (const json& v : array) out.push_back(hash_of(v));
    return out;
}

class BundleCheck {
public:
    BundleCheck(ByteView pdf, const std::optional<Trust>& trust) : pdf_(pdf), trust_(trust) {
        report_.subject = "bundle";
    }

    Report run() {
        check_signature();
        if (open_container()) {
            try {
                check_manifest();
            } catch (const Bad&) {
                report_.problem("bundle.manifest", where_, "lacks what it must have, or has it in another form");
            } catch (const json::exception&) {
                report_.problem("bundle.manifest", where_, "can't be read");
            }
        }
        judge_origin();
        return std::move(report_);
    }

private:
    void check_signature() {
        const auto signature = find_signature(pdf_);
        if (!signature.ok()) {
            report_.problem(signature.error().code() == Code::conflict ? "bundle.gap" : "bundle.signature", "file",
                            signature.error().message());
            return;
        }
        const auto cms = verify_cms(signature->der, signed_digest(pdf_, *signature));
        if (!cms.ok()) {
            report_.problem("bundle.signature", "file", cms.error().message());
            return;
        }
        signer_ = cms->certificate;
        report_.checked["signatures"] += 1;
    }

    bool open_container() {
        const auto objects = walk_pdf(pdf_);
        if (!objects.ok()) {
            report_.problem("bundle.container", "file", objects.error().message());
            return false;
        }
        const auto container = find_container(*objects);
        if (!container.ok()) {
            report_.problem("bundle.container", "file", container.error().message());
            return false;
        }
        auto members = read_zip(*container);
        if (!members.ok()) {
            report_.problem("bundle.container", "evidence.zip", members.error().message());
            return false;
        }
        for (const ZipMember& m : *members) members_[m.name] = m.content;
        return true;
    }

    json parse(const std::string& member) {
        where_ = member;
        const auto found = members_.find(member);
        if (found == members_.end()) throw Bad();
        // Depth is bounded before anything is built; numbers and strings are bounded by the file's size.
        int depth = 0;
        bool in_string = false;
        for (std::size_t i = 0; i < found->second.size(); ++i) {
            const std::uint8_t c = found->second[i];
            if (in_string) {
                if (c == '\\')
                    ++i;
                else if (c == '"')
                    in_string = false;
            } else if (c == '"') {
                in_string = true;
            } else if (c == '[' || c == '{') {
                if (++depth > kMaxJsonDepth) throw Bad();
            } else if (c == ']' || c == '}') {
                --depth;
            }
        }
        return json::parse(found->second.begin(), found->second.end());
    }

    void check_manifest() {
        const json m = parse("manifest.json");
        if (text(m, "format") != "kustos-evidence/1") {
            report_.problem("bundle.manifest", "manifest.json", "is of another version of the format");
            return;
        }
        check_files(m);
        where_ = "manifest.json";
        const auto key = VerifierKey::parse(text(m, "vkey"));
        if (!key.ok()) throw Bad();
        key_ = *key;
        report_.fingerprint = key_fingerprint(key_->format());
        const std::string vault = text(m, "vault_id"), origin = text(m, "origin");
        const auto note = members_.find(text(m, "checkpoint"));
        if (note == members_.end()) throw Bad();
        const auto checkpoint = open_checkpoint(note->second, *key_);
        if (!checkpoint.ok()) {
            report_.problem("checkpoint", "checkpoint.note", checkpoint.error().message());
            return;
        }
        size_ = checkpoint->size;
        root_ = checkpoint->root;
        report_.checked["checkpoints"] += 1;
        for (const json& name : list(m, "context")) check_context(name.get<std::string>(), vault, origin);
        where_ = "manifest.json";
        if (!introduced_)
            report_.problem("bundle.entry", "context", "the entry that introduces the archive is missing");
        if (signer_ && std::find(evidence_certificates_.begin(), evidence_certificates_.end(), *signer_) ==
                           evidence_certificates_.end()) {
            report_.problem("bundle.signature", "file", "the signer's certificate is not one that the ledger names");
        }
        for (const json& anchor : list(m, "anchors")) check_anchor(anchor, sha256(note->second));
        std::set<std::string> seen;
        for (const json& name : list(m, "records")) {
            const std::string member = name.get<std::string>();
            if (!seen.insert(member).second) report_.problem("bundle.manifest", member, "is listed twice");
            check_record(member, false);
            report_.checked["records"] += 1;
        }
        for (const auto& [name, content] : members_) {
            if (name.rfind("originals/", 0) == 0 && used_.count(name) == 0)
                report_.problem("bundle.original", name, "belongs to no record");
            if (name.rfind("records/", 0) == 0 && seen.count(name) == 0)
                report_.problem("bundle.manifest", name, "is not listed as a record");
        }
    }

    void check_files(const json& m) {
        std::set<std::string> listed;
        for (const json& f : list(m, "files")) {
            const std::string name = text(f, "name");
            const auto found = members_.find(name);
            if (!listed.insert(name).second || found == members_.end() || found->second.size() != number(f, "size") ||
                !(sha256(found->second) == hash_of(at(f, "sha256")))) {
                report_.problem("bundle.manifest", name, "is missing, or not the file that the manifest lists");
            }
            report_.checked["files"] += 1;
        }
        for (const auto& [name, content] : members_) {
            if (name != "manifest.json" && listed.count(name) == 0)
                report_.problem("bundle.manifest", name, "is not in the manifest");
        }
    }

    // The entry's own bytes, proven to stand in the ledger at its index.
    std::optional<Entry> proven_entry(const json& j, const std::string& member) {
        const Bytes bytes = bytes_of(text(j, "entry"));
        const EntryIndex index(number(j, "index"));
        const auto entry = decode_entry(bytes);
        if (!entry.ok()) {
            report_.problem("bundle.entry", member, entry.error().message());
            return std::nullopt;
        }
        const std::vector<Hash> proof = hashes_of(at(j, "proof"), 64);
        const Status included = verify_inclusion(index, size_, leaf_hash(bytes), proof, root_);
        if (!included.ok()) {
            report_.problem("bundle.proof", member, "the entry is not proven to stand in the ledger");
            return std::nullopt;
        }
        report_.checked["proofs"] += 1;
        return *entry;
    }

    void check_context(const std::string& member, const std::string& vault, const std::string& origin) {
        const json j = parse(member);
        const auto entry = proven_entry(j, member);
        if (!entry) return;
        const auto action = control_action(*entry);
        const auto body = BodyReader::parse(entry->body);
        if (!body.ok()) return;
        if (action == ControlAction::archive_created) {
            const auto id = body->find_bytes(Tag::vault_id);
            introduced_ = number(j, "index") == 0 && id && hex(*id) == vault &&
                          body->find_text(Tag::origin) == origin && body->find_text(Tag::vkey) == key_->format() &&
                          key_->name == origin;
            if (!introduced_)
                report_.problem("bundle.entry", member, "introduces another archive than the manifest names");
            builtin_root_ = body->find_hash(Tag::tsa_root_hash);
        } else if (action == ControlAction::evidence_key) {
            if (const auto certificate = body->find_bytes(Tag::certificate))
                evidence_certificates_.push_back(*certificate);
        }
    }

    void check_anchor(const json& a, const Hash& note) {
        const std::string member = text(a, "token");
        const auto token = members_.find(member);
        if (token == members_.end()) throw Bad();
        ReducedTree path;
        for (const json& group : list(a, "path")) path.push_back(hashes_of(group, 16));
        const auto imprint = reduced_tree_root(path);
        if (!imprint.ok() || !verify_reduced_tree(path, std::vector<Hash>{note}, *imprint).ok()) {
            report_.problem("anchor.imprint", member, "the checkpoint does not lead to what the time stamp imprints");
            return;
        }
        const auto verdict = judge_token(token->second, *imprint, builtin_root_, trust_);
        if (!verdict.ok()) {
            report_.problem("anchor.token", member, verdict.error().message());
            return;
        }
        if (!verdict->remark.empty()) report_.not_checked.push_back(verdict->remark);
        report_.anchors.push_back({size_.value, text(a, "authority"), verdict->gen_time, verdict->level});
        if (verdict->level > report_.time) {
            report_.time = verdict->level;
            report_.proven_since = verdict->gen_time;
        }
        report_.checked["anchors"] += 1;
    }

    // One record's (or blob's) disclosure. Every one of its m fields must be accounted for.
    void check_record(const std::string& member, bool blob) {
        const json j = parse(member);
        const auto entry = proven_entry(j, member);
        if (!entry) return;
        const EntryHeader& h = entry->header;
        if (h.kind != (blob ? Kind::blob : Kind::record))
            report_.problem("bundle.entry", member, blob ? "is no blob" : "is no record");
        const std::vector<Hash> commitments = hashes_of(at(j, "commitments"), kMaxFields);
        const json& fields = list(j, "fields");
        if (commitments.size() != h.field_count || fields.size() != h.field_count) {
            report_.problem(
                "bundle.field", member,
                "accounts for " + std::to_string(fields.size()) + " of " + std::to_string(h.field_count) + " fields");
            return;
        }
        if (!(content_root(hash_of(at(j, "key_commitment")), field_root(commitments)) == h.content_root)) {
            report_.problem("bundle.field", member, "the commitments are not the ones that were sealed");
            return;
        }
        bool has_type = false, has_received = false;
        std::optional<Bytes> raw;
        for (std::size_t i = 0; i < fields.size(); ++i) {
            const json& f = fields[i];
            if (number(f, "i") != i) throw Bad();
            const std::string state = text(f, "state");
            if (state == "redacted") {
                if (text(f, "category").empty() || text(f, "legal_basis").empty() || text(f, "approver").empty())
                    throw Bad();
                report_.checked["redacted"] += 1;
                continue;
            }
            const Bytes salt = bytes_of(text(f, "salt"));
            if (salt.size() != 32) throw Bad();
            std::uint64_t path = 0, ordinal = 0, type = 0;
            Bytes owned;
            ByteView value;
            if (state == "disclosed") {
                path = number(f, "path");
                ordinal = number(f, "ordinal");
                type = number(f, "type");
                if (path == 0 || path > 0xFFFF || ordinal > 0xFFFF || type > 0xFF) throw Bad();
                value = value_of(f, owned);
            } else if (state != "decoy") {
                throw Bad();
            }
            const Bytes encoded =
                encode_field(h.record, salt, static_cast<std::uint16_t>(i), static_cast<std::uint16_t>(path),
                             static_cast<std::uint16_t>(ordinal), static_cast<std::uint8_t>(type), value);
            if (!(field_commitment(encoded) == commitments[i]))
                report_.problem("bundle.field", member, "field " + std::to_string(i) + " is not what was sealed");
            if (path == kPathType) has_type = true;
            if (path == kPathReceived) has_received = true;
            if (path == kPathRaw) raw = to_bytes(value);
            report_.checked["fields"] += 1;
        }
        if (blob) {
            report_.checked["blobs"] += 1;
            return;
        }
        if (!has_type || !has_received)
            report_.problem("bundle.field", member, "type and time of receipt must be disclosed");
        if (j.contains("original")) check_original(text(j, "original"), raw);
        if (j.contains("blobs")) {
            for (const json& b : list(j, "blobs")) {
                if (!b.is_string()) throw Bad();
                check_record(b.get<std::string>(), true);
                where_ = member;
            }
        }
    }

    ByteView value_of(const json& f, Bytes& owned) {
        if (f.contains("value")) {
            auto decoded = parse_base64(text(f, "value"));
            if (!decoded.ok()) throw Bad();
            owned = std::move(*decoded);
            return owned;
        }
        const json& from = at(f, "value_from");
        const auto found = members_.find(text(from, "file"));
        const std::uint64_t offset = number(from, "offset"), length = number(from, "length");
        if (found == members_.end() || offset > found->second.size() || length > found->second.size() - offset)
            throw Bad();
        return found->second.subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(length));
    }

    void check_original(const std::string& name, const std::optional<Bytes>& raw) {
        const auto found = members_.find(name);
        if (found == members_.end()) throw Bad();
        used_.insert(name);
        Bytes wanted;
        put_u64(wanted, found->second.size());
        put(wanted, sha256(found->second).view());
        if (!raw || *raw != wanted) report_.problem("bundle.original", name, "is not the source that was sealed");
        report_.checked["originals"] += 1;
    }

    void judge_origin() {
        if (!trust_) return;
        if (key_) {
            for (const VerifierKey& log : trust_->logs) {
                if (log == *key_) {
                    report_.origin = Origin::pinned;
                    return;
                }
            }
        }
        report_.problem("origin.mismatch", "checkpoint.note", "the trust file names another ledger than this bundle's");
    }

    ByteView pdf_;
    const std::optional<Trust>& trust_;
    Report report_;
    std::string where_ = "manifest.json";
    std::map<std::string, ByteView> members_;
    std::set<std::string> used_;
    std::optional<Bytes> signer_;
    std::optional<VerifierKey> key_;
    std::optional<Hash> builtin_root_;
    std::vector<Bytes> evidence_certificates_;
    bool introduced_ = false;
    TreeSize size_;
    Hash root_;
};

}  // namespace

Report verify_bundle(ByteView pdf, const std::optional<Trust>& trust) {
    return BundleCheck(pdf, trust).run();
}

}  // namespace kustos::audit
