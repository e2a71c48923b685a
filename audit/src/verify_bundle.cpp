#include "audit/verify_bundle.h"

#include <algorithm>
#include <map>
#include <set>

#include "audit/bundle_writer.h"
#include "audit/checkpoint.h"
#include "audit/cms_signature.h"
#include "audit/entry.h"
#include "audit/evidence_record.h"
#include "audit/judge_token.h"
#include "audit/key_history.h"
#include "audit/ledger.h"
#include "audit/pdf_container.h"
#include "audit/src/bundle_json.h"
#include "audit/zip.h"
#include "base/crypto.h"

namespace kustos::audit {

namespace {

// The path codes that this layer must know: what can't be redacted, and what ties files to fields.
constexpr std::uint16_t kPathType = 1, kPathReceived = 4, kPathContentHash = 13, kPathRaw = 14, kPathContent = 18;

bool has_folder(std::string_view name, std::string_view folder) {
    return name.substr(0, folder.size()) == folder;
}

class BundleJudge {
public:
    BundleJudge(ByteView pdf, const std::optional<Trust>& trust) : pdf_(pdf), trust_(trust) {
        report_.subject = "bundle";
    }

    Report run() {
        check_signature();
        if (open_container()) check_manifest();
        judge_origin();
        report_.remark(RemarkCode::pages);
        report_.remark(RemarkCode::coverage);
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
        ++report_.checked["signatures"];
    }

    bool open_container() {
        const auto refuse = [&](const char* where, const Error& error) {
            report_.problem("bundle.container", where, error.message());
            return false;
        };
        const auto file = walk_pdf(pdf_);
        if (!file.ok()) return refuse("file", file.error());
        const auto container = find_container(*file);
        if (!container.ok()) return refuse("file", container.error());
        auto members = read_zip(*container);
        if (!members.ok()) return refuse("evidence.zip", members.error());
        for (const ZipMember& m : *members) members_[m.name] = m.content;
        return true;
    }

    // The member's bytes; absent is a finding and nullopt.
    std::optional<ByteView> member(const std::string& name) {
        const auto found = members_.find(name);
        if (found != members_.end()) return found->second;
        report_.problem("bundle.manifest", name, "is missing in the evidence container");
        return std::nullopt;
    }
    template <class T>
    std::optional<T> parsed(const std::string& name, Result<T> (*parse)(ByteView)) {
        const auto bytes = member(name);
        if (!bytes) return std::nullopt;
        auto value = parse(*bytes);
        if (value.ok()) return std::move(*value);
        report_.problem("bundle.manifest", name, value.error().message());
        return std::nullopt;
    }

    void check_manifest() {
        const auto m = parsed<Manifest>("manifest.json", &parse_manifest);
        if (!m) return;
        check_files(*m);
        if (!check_checkpoint(*m)) return;
        for (const std::string& name : m->context) check_context(name, *m);
        if (!introduced_ || !named_)
            report_.problem("bundle.entry", "context",
                            "the entry that introduces the archive is missing or another one");
        if (signer_ && evidence_certificates_.count(*signer_) == 0) {
            report_.problem("bundle.signature", "file", "the signer's certificate is not one that the ledger names");
        }
        for (const ManifestAnchor& a : m->anchors) check_anchor(a);
        std::set<std::string> seen;
        for (const std::string& name : m->records) {
            if (seen.insert(name).second) {
                check_record(name);
            } else {
                report_.problem("bundle.manifest", name, "is listed twice");
            }
        }
        check_leftovers(*m, seen);
        check_evidence_records();
    }

    // Each belongs to a record or blob of this bundle and proves the entry that the ledger proves.
    void check_evidence_records() {
        for (const auto& [name, content] : members_) {
            if (!has_folder(name, "evidence/")) continue;
            const auto entry = proven_.find(name);
            if (entry == proven_.end()) {
                report_.problem("bundle.evidence", name, "belongs to no record");
                continue;
            }
            const auto header = decode_header(entry->second);
            const auto record = parse_evidence_record(content);
            if (!header.ok() || !record.ok()) {
                report_.problem("bundle.evidence", name, "is no evidence record");
                continue;
            }
            EvidenceObject object;
            object.name = "the entry";
            object.content = entry->second;
            const auto verdict = verify_evidence_record(content, {object}, std::nullopt, UtcTime{});
            // The first time stamp binds the entry and its ciphertext, and nothing else.
            std::vector<Bytes> members{to_bytes(sha256(entry->second).view())};
            if (header->suite != Suite::none) members.push_back(to_bytes(header->ciphertext_hash.view()));
            std::sort(members.begin(), members.end());
            std::vector<Bytes> first;
            if (const auto& groups = record->chains[0].stamps[0].groups; !groups.empty()) first = groups[0];
            std::sort(first.begin(), first.end());
            if (!verdict.ok || first != members)
                report_.problem("bundle.evidence", name,
                                "does not prove the entry: " + std::string(verdict_name(verdict.verdict)));
            ++report_.checked["evidence_records"];
        }
    }

    // The list of files is exact both ways.
    void check_files(const Manifest& m) {
        std::set<std::string> listed;
        for (const ManifestFile& f : m.files) {
            const auto found = members_.find(f.name);
            const bool fits = found != members_.end() && f.name != "manifest.json" && listed.insert(f.name).second &&
                              found->second.size() == f.size && sha256(found->second) == f.sha256;
            if (!fits)
                report_.problem("bundle.manifest", f.name,
                                "is missing, listed twice, or not the file that the manifest lists");
            ++report_.checked["files"];
        }
        for (const auto& [name, content] : members_) {
            if (name != "manifest.json" && listed.count(name) == 0)
                report_.problem("bundle.manifest", name, "is not in the manifest");
        }
    }

    bool check_checkpoint(const Manifest& m) {
        const auto key = VerifierKey::parse(m.vkey);
        const auto origin = parse_origin(m.origin);
        if (!key.ok() || !origin.ok() || !(origin->vault == m.vault) || key->name != m.origin) {
            report_.problem("bundle.manifest", "manifest.json", "vault id, origin and key do not belong together");
            return false;
        }
        key_ = *key;
        report_.fingerprint = key_fingerprint(m.vkey);
        const auto coverage_sum = m.coverage.at("searchable") + m.coverage.at("partial") + m.coverage.at("opaque") +
                                  m.coverage.at("deferred") + m.coverage.at("failed") + m.coverage.at("erased");
        const auto within = [&m](const char* state, std::uint64_t n) { return n <= m.coverage.at(state); };
        const bool fits =
            !m.unsearched || (within("partial", m.unsearched->partial) && within("opaque", m.unsearched->opaque) &&
                              within("failed", m.unsearched->failed) && within("deferred", m.unsearched->deferred));
        if (coverage_sum != m.coverage.at("sealed") || m.records.size() > m.total || !fits) {
            report_.problem("bundle.manifest", "manifest.json", "the counts do not add up");
        }
        const auto note = member(m.checkpoint);
        if (!note) return false;
        history_.emplace(*key_);
        if (!learn_rotations()) return false;
        const auto opened = history_->open(*note);
        if (!opened.ok()) {
            report_.problem("checkpoint", m.checkpoint, opened.error().message());
            return false;
        }
        size_ = opened->checkpoint.size;
        root_ = opened->checkpoint.root;
        report_.size = size_.value;
        report_.root = root_;
        // Witnesses' signatures may stand behind the archive's; stamped is the note as it was first published.
        const auto first = as_first_published(*note, opened->key);
        if (!first.ok()) {
            report_.problem("checkpoint", m.checkpoint, first.error().message());
            return false;
        }
        note_ = sha256(as_bytes(*first));
        if (trust_ && !trust_->witnesses.empty()) {
            const auto held = verify_cosignatures(*parse_note(*note), trust_->witness_keys());
            if (!held.ok()) {
                report_.problem("witness.cosignature", m.checkpoint, held.error().message());
            } else {
                report_.checked["cosignatures"] += held->size();
                witnessed_ = trust_->witnessed(*held);
            }
        }
        ++report_.checked["checkpoints"];
        return true;
    }

    // Later keys: each announced by an entry that is proven under the key before.
    bool learn_rotations() {
        for (std::uint32_t number = 1;; ++number) {
            const std::string entry_name = rotation_member(number, false), proof_name = rotation_member(number, true);
            if (members_.count(entry_name) == 0 && members_.count(proof_name) == 0) return true;
            const auto entry = member(entry_name), proof = member(proof_name);
            if (!entry || !proof) return false;
            if (const Status added = history_->add({to_bytes(*entry), to_text(*proof)}); !added.ok()) {
                report_.problem("key.rotation", proof_name, added.error().message());
                return false;
            }
            rotations_.insert(entry_name);
            rotations_.insert(proof_name);
            ++report_.checked["rotations"];
        }
    }

    // The entry's own bytes, proven to stand in the ledger at its index; the member's name must say that index.
    std::optional<Entry> proven_entry(const ProvenEntry& p, const std::string& name, std::string_view folder) {
        if (p.index >= 1'000'000'000'000 || name != std::string(folder) + twelve_digits(p.index) + ".json") {
            report_.problem("bundle.manifest", name, "has another name than its index asks for");
            return std::nullopt;
        }
        auto entry = decode_entry(p.entry);
        if (!entry.ok()) {
            report_.problem("bundle.entry", name, entry.error().message());
            return std::nullopt;
        }
        if (!verify_inclusion(EntryIndex(p.index), size_, leaf_hash(p.entry), p.proof, root_).ok()) {
            report_.problem("bundle.proof", name, "the entry is not proven to stand in the ledger");
            return std::nullopt;
        }
        ++report_.checked["proofs"];
        proven_[evidence_member(EntryIndex(p.index))] = p.entry;
        return std::move(*entry);
    }

    static bool names_this(const BodyReader& body, const Manifest& m) {
        return body.find_text(Tag::origin) == m.origin && body.find_text(Tag::vkey) == m.vkey;
    }

    void check_context(const std::string& name, const Manifest& m) {
        const auto p = parsed<ProvenEntry>(name, &parse_context);
        if (!p) return;
        const auto entry = proven_entry(*p, name, "context/");
        if (!entry) return;
        const auto action = control_action(*entry);
        const auto body = BodyReader::parse(entry->body);
        if (!action || !body.ok()) return;
        if (*action == ControlAction::archive_created && p->index == 0) {
            const auto id = body->find_bytes(Tag::vault_id);
            introduced_ = id && equal(*id, m.vault.view());
            named_ = named_ || names_this(*body, m);
            builtin_root_ = body->find_hash(Tag::tsa_root_hash);
        } else if (*action == ControlAction::archive_continued) {
            named_ = named_ || names_this(*body, m);
            report_.remark(RemarkCode::continued, {std::to_string(p->index)});
        } else if (*action == ControlAction::evidence_key) {
            if (auto certificate = body->find_bytes(Tag::certificate))
                evidence_certificates_.insert(std::move(*certificate));
        }
    }

    void check_anchor(const ManifestAnchor& a) {
        const auto token = member(a.token);
        if (!token) return;
        const auto imprint = reduced_tree_root(a.path);
        if (!imprint.ok() || a.previous_size >= size_.value ||
            !verify_reduced_tree(a.path, std::vector<Hash>{note_}, *imprint).ok()) {
            report_.problem("anchor.imprint", a.token, "the checkpoint does not lead to what the time stamp imprints");
            return;
        }
        const auto verdict = judge_token(*token, *imprint, builtin_root_, trust_);
        if (!verdict.ok()) {
            report_.problem("anchor.token", a.token, verdict.error().message());
            return;
        }
        if (!verdict->remark.empty()) report_.remark(verdict->remark);
        // the trust file's name for it, where it has one: the manifest's is only the archive's word
        const std::string& authority = verdict->authority.empty() ? a.authority : verdict->authority;
        report_.anchor({size_.value, authority, verdict->gen_time, verdict->level});
    }

    // --- disclosures -------------------------------------------------------------------------------------------
    struct Opened {
        std::set<std::uint16_t> paths;   // disclosed
        std::set<Bytes> content_hashes;  // disclosed values of content hash
        std::optional<Bytes> raw;
        std::uint64_t redacted = 0;
        Hash content;  // of the content chunks, in order
    };

    // Every one of the m fields is accounted for, and what is opened is what was sealed. nullopt after a finding that
    // leaves nothing to go on with.
    std::optional<Opened> check_fields(const Disclosure& d, const EntryHeader& h, const std::string& name) {
        if (d.commitments.size() != h.field_count || d.fields.size() != h.field_count) {
            report_.problem(
                "bundle.field", name,
                "accounts for " + std::to_string(d.fields.size()) + " of " + std::to_string(h.field_count) + " fields");
            return std::nullopt;
        }
        if (!(content_root(d.key_commitment, field_root(d.commitments)) == h.content_root)) {
            report_.problem("bundle.field", name, "the commitments are not the ones that were sealed");
            return std::nullopt;
        }
        Opened opened;
        Sha256 content;
        for (std::size_t i = 0; i < d.fields.size(); ++i) {
            const FieldRow& f = d.fields[i];
            if (f.state == FieldState::redacted) {
                ++report_.checked["redacted"];
                ++opened.redacted;
                continue;
            }
            const auto value = value_of(f, name);
            if (!value) return std::nullopt;
            const Bytes encoded =
                encode_field(h.record, f.salt, static_cast<std::uint16_t>(i), f.path, f.ordinal, f.type, *value);
            if (!(field_commitment(encoded) == d.commitments[i])) {
                report_.problem(f.file ? "bundle.blob" : "bundle.field", f.file ? *f.file : name,
                                "field " + std::to_string(i) + " is not what was sealed");
            }
            opened.paths.insert(f.path);
            if (f.path == kPathRaw) opened.raw = to_bytes(*value);
            if (f.path == kPathContentHash) opened.content_hashes.insert(to_bytes(*value));
            if (f.path == kPathContent) content.update(*value);
            ++report_.checked["fields"];
        }
        opened.content = content.finish();
        return opened;
    }

    // A value in a file: the ranges follow each other without a gap, so that nothing unproven stands between them and
    // no byte is hashed twice.
    std::optional<ByteView> value_of(const FieldRow& f, const std::string& name) {
        if (!f.file) return ByteView(f.value);
        const auto found = members_.find(*f.file);
        std::uint64_t& next = proven_bytes_[*f.file];
        if (!has_folder(*f.file, "attachments/") || found == members_.end() || f.offset != next ||
            f.length > found->second.size() - f.offset) {
            report_.problem("bundle.blob", name, "a value points to bytes that are not there, or not in order");
            return std::nullopt;
        }
        next += f.length;
        return found->second.subspan(static_cast<std::size_t>(f.offset), static_cast<std::size_t>(f.length));
    }

    void check_record(const std::string& name) {
        const auto d = parsed<Disclosure>(name, &parse_disclosure);
        if (!d) return;
        ++report_.checked["records"];
        const auto entry = proven_entry(d->proven, name, "records/");
        if (!entry) return;
        if (entry->header.kind != Kind::record) report_.problem("bundle.entry", name, "is no record");
        const auto opened = check_fields(*d, entry->header, name);
        if (!opened) return;
        if (opened->paths.count(kPathType) == 0 || opened->paths.count(kPathReceived) == 0) {
            report_.problem("bundle.field", name, "type and time of receipt must be disclosed");
        }
        if (d->original) {
            check_original(*d->original, *opened, name);
        } else if (opened->raw && opened->redacted == 0) {
            report_.problem("bundle.original", name, "the source is withheld though nothing is redacted");
        }
        for (const std::string& blob : d->blobs) check_blob(blob, *opened);
    }

    void check_original(const std::string& name, const Opened& opened, const std::string& record) {
        if (opened.redacted != 0)
            report_.problem("bundle.original", record, "has redacted fields, but the original shows everything");
        const auto found = members_.find(name);
        if (!has_folder(name, "originals/") || found == members_.end() || !used_.insert(name).second) {
            report_.problem("bundle.original", record, "the original is missing, or another record's");
            return;
        }
        Bytes wanted;
        put_u64(wanted, found->second.size());
        put(wanted, sha256(found->second).view());
        if (!opened.raw || *opened.raw != wanted)
            report_.problem("bundle.original", name, "is not the source that was sealed");
        ++report_.checked["originals"];
    }

    void check_blob(const std::string& name, const Opened& record) {
        if (!used_.insert(name).second) {
            report_.problem("bundle.blob", name, "is listed twice");
            return;
        }
        const auto d = parsed<Disclosure>(name, &parse_disclosure);
        if (!d) return;
        const auto entry = proven_entry(d->proven, name, "blobs/");
        if (!entry) return;
        if (entry->header.kind != Kind::blob) report_.problem("bundle.entry", name, "is no blob");
        const auto opened = check_fields(*d, entry->header, name);
        ++report_.checked["blobs"];
        if (opened && opened->redacted == 0 && record.content_hashes.count(to_bytes(opened->content.view())) == 0)
            report_.remark(RemarkCode::untied_attachment);
    }

    // Nothing stands in the container that no record or list accounts for.
    void check_leftovers(const Manifest& m, const std::set<std::string>& records) {
        const std::set<std::string> context(m.context.begin(), m.context.end());
        std::set<std::string> tokens;
        for (const ManifestAnchor& a : m.anchors) tokens.insert(a.token);
        for (const auto& [name, content] : members_) {
            if (name == "manifest.json" || name == m.checkpoint || name == "trust-hint.txt") continue;
            if (has_folder(name, "originals/")) {
                if (used_.count(name) == 0) report_.problem("bundle.original", name, "belongs to no record");
            } else if (has_folder(name, "blobs/")) {
                if (used_.count(name) == 0) report_.problem("bundle.blob", name, "belongs to no record");
            } else if (has_folder(name, "evidence/")) {
                continue;  // judged already
            } else if (has_folder(name, "attachments/")) {
                const auto proven = proven_bytes_.find(name);
                if (proven == proven_bytes_.end() || proven->second != content.size())
                    report_.problem("bundle.blob", name, "holds bytes that no field proves");
            } else if (records.count(name) == 0 && context.count(name) == 0 && tokens.count(name) == 0 &&
                       rotations_.count(name) == 0) {
                report_.problem("bundle.manifest", name, "has no place in this format");
            }
        }
    }

    void judge_origin() {
        if (!trust_ || !key_) return;  // without a key there is a finding already
        const bool named = std::any_of(trust_->logs.begin(), trust_->logs.end(), [this](const VerifierKey& log) {
            return history_ ? history_->has(log) : log == *key_;
        });
        if (!named) {
            report_.problem("origin.mismatch", "checkpoint.note",
                            "the trust file names another ledger than this bundle's");
        } else if (report_.checked.count("checkpoints") != 0) {  // anybody can name a key: its signature counts
            report_.origin = Origin::pinned;
            if (trust_->quorum.empty()) return;
            if (witnessed_) {
                report_.origin = Origin::witnessed;
            } else {
                report_.problem("witness.quorum", "checkpoint.note",
                                "lacks the cosignatures that the trust file asks for");
            }
        }
    }

    ByteView pdf_;
    const std::optional<Trust>& trust_;
    Report report_;
    std::map<std::string, ByteView> members_;
    std::set<std::string> used_;                         // originals and blobs that a record names
    std::map<std::string, std::uint64_t> proven_bytes_;  // of attachments, from their beginning
    std::optional<Bytes> signer_;
    std::optional<VerifierKey> key_;  // of entry 0
    std::optional<KeyHistory> history_;
    std::set<std::string> rotations_;  // members that belong to it
    std::optional<Hash> builtin_root_;
    std::set<Bytes> evidence_certificates_;
    std::map<std::string, Bytes> proven_;  // by the name that its evidence record has
    bool introduced_ = false, named_ = false, witnessed_ = false;
    TreeSize size_;
    Hash root_, note_;
};

}  // namespace

Report verify_bundle(ByteView pdf, const std::optional<Trust>& trust) {
    return BundleJudge(pdf, trust).run();
}

}  // namespace kustos::audit
