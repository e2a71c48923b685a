#include "audit/verify_report.h"

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>

#include "audit/cms_signature.h"
#include "audit/completeness.h"
#include "audit/entry.h"
#include "audit/erasures.h"
#include "audit/key_history.h"
#include "audit/pdf_container.h"
#include "audit/tlog_proof.h"
#include "base/crypto.h"

namespace kustos::audit {

using nlohmann::json;

namespace {

constexpr std::size_t kMaxProofJson = 64u << 20;
constexpr std::size_t kMaxCertificateEntries = 100'000;

json part_json(const ReportProof::Part& part) {
    return {{"entry", base64(part.entry)}, {"proof", part.proof}};
}

Result<std::string> text_of(const json& j, const char* key) {
    const auto found = j.is_object() ? j.find(key) : j.end();
    if (!j.is_object() || found == j.end() || !found->is_string())
        return Error(Code::bad_input, std::string(key) + " is missing");
    return found->get<std::string>();
}

Result<ReportProof::Part> part_of(const json& j, const char* key) {
    const auto found = j.find(key);
    if (found == j.end()) return Error(Code::bad_input, std::string(key) + " is missing");
    ReportProof::Part part;
    part.entry = TRY(parse_base64(TRY(text_of(*found, "entry"))));
    part.proof = TRY(text_of(*found, "proof"));
    return part;
}

class ReportJudge {
public:
    ReportJudge(ByteView pdf, const ReportParts& parts, const std::optional<Trust>& trust)
        : pdf_(pdf), parts_(parts), trust_(trust) {
        report_.subject = "report";
    }

    Report run() {
        check_signature();
        check_proof();
        report_.remark(RemarkCode::report_content);
        return std::move(report_);
    }

private:
    void check_signature() {
        const auto signature = find_signature(pdf_);
        if (!signature.ok()) return report_.problem("report.signature", "file", signature.error().message());
        auto cms = verify_cms(signature->der, signed_digest(pdf_, *signature));
        if (!cms.ok()) return report_.problem("report.signature", "file", cms.error().message());
        signer_ = std::move(cms->certificate);
        ++report_.checked["signatures"];
    }

    void check_proof() {
        const auto proof = ReportProof::parse(parts_.proof);
        if (!proof.ok()) return report_.problem("report.proof", "proof.json", proof.error().message());
        const auto key = VerifierKey::parse(proof->vkey);
        if (!key.ok()) return report_.problem("report.proof", "proof.json", key.error().message());
        report_.fingerprint = key_fingerprint(proof->vkey);
        KeyHistory history(*key);
        for (const ReportProof::Part& rotation : proof->rotations) {
            if (const Status added = history.add({rotation.entry, rotation.proof}); !added.ok())
                return report_.problem("key.rotation", "proof.json", added.error().message());
            ++report_.checked["rotations"];
        }
        const auto certificate = proven(history, proof->certificate, "certificate");
        const auto named = proven(history, proof->report, "report");
        if (certificate && signer_ && !names_signer(*certificate))
            report_.problem("report.signature", "file", "the signer's certificate is not one that the ledger names");
        if (named && control_action(*named) == ControlAction::certificate_issued) {
            check_certificate(history, *named);
        } else if (named && control_action(*named) == ControlAction::completeness_certified) {
            check_completeness(history, *named);
        } else if (named && control_action(*named) == ControlAction::hits_reported) {
            check_hits(*named);
        } else if (named) {
            check_entry(*named);
        }
        judge_origin(history);
    }

    // The entry's bytes, proven under a checkpoint of this ledger.
    std::optional<Entry> proven(const KeyHistory& history, const ReportProof::Part& part, const char* where) {
        const auto proof = TlogProof::parse(as_bytes(part.proof));
        if (!proof.ok()) {
            report_.problem("report.proof", where, proof.error().message());
            return std::nullopt;
        }
        const auto opened = history.open(as_bytes(proof->note));
        if (!opened.ok()) {
            report_.problem("checkpoint", where, opened.error().message());
            return std::nullopt;
        }
        const Checkpoint& c = opened->checkpoint;
        if (!verify_inclusion(proof->index, c.size, leaf_hash(part.entry), proof->proof, c.root).ok()) {
            report_.problem("report.proof", where, "the entry is not proven to stand in the ledger");
            return std::nullopt;
        }
        auto entry = decode_entry(part.entry);
        if (!entry.ok()) {
            report_.problem("report.proof", where, entry.error().message());
            return std::nullopt;
        }
        ++report_.checked["proofs"];
        notes_.insert(proof->note);
        report_.checked["checkpoints"] = notes_.size();
        if (trust_ && !trust_->witnesses.empty()) take_cosignatures(proof->note, where);
        return std::move(*entry);
    }

    void take_cosignatures(const std::string& note, const char* where) {
        const auto held = verify_cosignatures(*parse_note(as_bytes(note)), trust_->witness_keys());
        if (!held.ok()) return report_.problem("witness.cosignature", where, held.error().message());
        report_.checked["cosignatures"] += held->size();
        witnessed_ = trust_->witnessed(*held);  // of the report's own proof: it comes last
    }

    bool names_signer(const Entry& entry) const {
        const auto body = BodyReader::parse(entry.body);
        if (control_action(entry) != ControlAction::evidence_key || !body.ok()) return false;
        return body->find_bytes(Tag::certificate) == *signer_;
    }

    void check_entry(const Entry& entry) {
        const auto body = BodyReader::parse(entry.body);
        const auto content = json::parse(as_text(parts_.json), nullptr, false);
        const bool fine = content.is_object() && content.value("ok", json()) == true;
        if (control_action(entry) != ControlAction::verification_reported || !body.ok() ||
            body->find_hash(Tag::related_hash) != sha256(parts_.json) || !content.is_object() ||
            body->find_text(Tag::code) != (fine ? "ok" : "problems")) {
            return report_.problem("report.proof", "report", "the entry does not name this report");
        }
        report_.reported = fine ? "ok" : "problems";
    }

    // A hit report (hit-report.md): the entry names this JSON, how many terms it has and how many records they find.
    void check_hits(const Entry& entry) {
        const auto body = BodyReader::parse(entry.body);
        const auto content = json::parse(as_text(parts_.json), nullptr, false);
        const auto format = text_of(content, "format");
        if (!body.ok() || body->find_hash(Tag::related_hash) != sha256(parts_.json) || !format.ok() ||
            *format != "kustos-hits-1" || !names_figures(*body, content))
            return report_.problem("report.proof", "report", "the entry does not name this report");
        report_.reported = "hits";
    }
    static bool names_figures(const BodyReader& body, const json& content) {
        const auto terms = content.find("terms"), total = content.find("total");
        if (terms == content.end() || !terms->is_array() || total == content.end() || !total->is_object()) return false;
        const auto hits = total->find("hits");
        return hits != total->end() && hits->is_number_unsigned() && body.find_u64(Tag::count) == terms->size() &&
               body.find_u64(Tag::total) == hits->get<std::uint64_t>();
    }

    // A certificate of an erasure (certificate.md) brings the entries that it speaks of: what they say together must be
    // what it says.
    void check_certificate(const KeyHistory& history, const Entry& entry) {
        const auto body = BodyReader::parse(entry.body);
        const auto content = json::parse(as_text(parts_.json), nullptr, false);
        const auto text = [&](const char* key) { return text_of(content, key); };
        const auto state = text("state"), erasure = text("erasure"), format = text("format");
        const auto id = body.ok() ? body->find_bytes(Tag::erasure) : std::nullopt;
        if (!id || !state.ok() || !erasure.ok() || !format.ok() || *format != "kustos-certificate-1" ||
            body->find_hash(Tag::related_hash) != sha256(parts_.json) || body->find_text(Tag::code) != *state ||
            hex(*id) != *erasure)
            return report_.problem("report.proof", "report", "the entry does not name this report");
        if (!erasure_says(history, content, *id, *state))
            return report_.problem("report.proof", "report",
                                   "the ledger's entries do not say what this certificate says");
        report_.reported = "erasure:" + *state;
    }

    // The entries that a certificate brings, each proven; `take` says no to one that does not belong there.
    bool each_entry(const KeyHistory& history, const json& content,
                    const std::function<bool(EntryIndex, const Entry&)>& take) {
        const auto entries = content.find("entries");
        if (entries == content.end() || !entries->is_array() || entries->size() > kMaxCertificateEntries) return false;
        const std::uint64_t proofs = report_.checked["proofs"];
        std::optional<std::uint64_t> before;
        for (const json& e : *entries) {
            const auto entry_text = text_of(e, "entry"), proof_text = text_of(e, "proof");
            if (!entry_text.ok() || !proof_text.ok()) return false;
            auto bytes = parse_base64(*entry_text);
            const auto proof = TlogProof::parse(as_bytes(*proof_text));
            if (!bytes.ok() || !proof.ok() || (before && proof->index.value <= *before)) return false;
            before = proof->index.value;
            const auto entry = proven(history, {std::move(*bytes), *proof_text}, "entries");
            if (!entry || !take(proof->index, *entry)) return false;
        }
        report_.checked["proofs"] = proofs;  // those of the report itself
        return true;
    }

    bool erasure_says(const KeyHistory& history, const json& content, const Bytes& id, const std::string& state) {
        Erasures erasures;
        if (!each_entry(history, content,
                        [&](EntryIndex index, const Entry& entry) { return erasures.take(index, entry).ok(); }))
            return false;
        ErasureId wanted{};
        if (id.size() != wanted.size()) return false;
        std::copy(id.begin(), id.end(), wanted.begin());
        const ErasureRun* run = erasures.find(wanted);
        const auto count = content.find("count");
        return run != nullptr && !run->broken && name_of(state_of(*run)) == state && count != content.end() &&
               count->is_number_unsigned() && (!run->done || count->get<std::uint64_t>() == run->count);
    }

    // A certificate of completeness (certificate.md): every number in it is computed again from the entries it brings.
    void check_completeness(const KeyHistory& history, const Entry& entry) {
        const auto body = BodyReader::parse(entry.body);
        const auto content = json::parse(as_text(parts_.json), nullptr, false);
        const auto period = body.ok() ? period_named(*body, content) : std::nullopt;
        if (!period || body->find_hash(Tag::related_hash) != sha256(parts_.json))
            return report_.problem("report.proof", "report", "the entry does not name this report");
        CompletenessBook book(period->source, period->begin, period->end);
        const bool taken = each_entry(history, content, [&](EntryIndex index, const Entry& e) {
            return book.concerns(e) && book.take(index, e).ok();
        });
        const auto found = book.judge();
        if (!taken || !found.ok() || !says(content, json::parse(found->to_json())) || !rests_on(content, *found))
            return report_.problem("report.proof", "report",
                                   "the ledger's entries do not say what this certificate says");
        report_.reported = "completeness:" + found->verdict;
    }

    struct NamedPeriod {
        SourceId source;
        UtcTime begin, end;
    };
    // Of the JSON, if the entry names the same: days are those of a place, so that a day's edge lies within a day of
    // it.
    static std::optional<NamedPeriod> period_named(const BodyReader& body, const json& content) {
        const auto text = [&](const char* key) {
            const auto found = text_of(content, key);
            return found.ok() ? *found : std::string();
        };
        const auto source = body.find_u64(Tag::entry);
        const auto day = body.find_u32(Tag::day);
        const auto until = body.find_time(Tag::until);
        const auto begin = parse_rfc3339(text("begin")), end = parse_rfc3339(text("end"));
        const std::string from = text("from"), to = text("to");
        const auto first = parse_rfc3339(from + "T00:00:00Z"), last = parse_rfc3339(to + "T00:00:00Z");
        if (text("format") != "kustos-certificate-1" || text("kind") != "completeness" || !source || !day || !until ||
            *source > UINT32_MAX || !begin.ok() || !end.ok() || !first.ok() || !last.ok() || *until != *end)
            return std::nullopt;
        constexpr std::int64_t kDay = 24 * 3600 * 1000;
        const auto near = [](UtcTime a, std::int64_t ms) { return std::abs(a.ms - ms) < kDay; };
        std::string digits = from;
        digits.erase(std::remove(digits.begin(), digits.end(), '-'), digits.end());
        const auto entry = content.find("source_entry");
        if (std::to_string(*day) != digits || !near(*begin, first->ms) || !near(*end, last->ms + kDay) ||
            entry == content.end() || !entry->is_number_unsigned() || entry->get<std::uint64_t>() != *source)
            return std::nullopt;
        return NamedPeriod{SourceId(static_cast<std::uint32_t>(*source)), *begin, *end};
    }
    static bool says(const json& content, const json& computed) {
        return std::all_of(computed.items().begin(), computed.items().end(), [&](const auto& item) {
            const auto said = content.find(item.key());
            return said != content.end() && *said == item.value();
        });
    }
    // No entry that adds nothing: what a certificate brings is what its numbers rest on.
    static bool rests_on(const json& content, const Completeness& found) {
        return content.at("entries").size() == found.entries.size();
    }

    void judge_origin(const KeyHistory& history) {
        if (!trust_) return;
        const bool named = std::any_of(trust_->logs.begin(), trust_->logs.end(),
                                       [&](const VerifierKey& log) { return history.has(log); });
        if (!named) {
            report_.problem("origin.mismatch", "proof.json", "the trust file names another ledger than this report's");
        } else if (report_.checked["proofs"] == 2) {
            report_.origin = Origin::pinned;
            if (trust_->quorum.empty()) return;
            if (witnessed_) {
                report_.origin = Origin::witnessed;
            } else {
                report_.problem("witness.quorum", "proof.json", "lacks the cosignatures that the trust file asks for");
            }
        }
    }

    ByteView pdf_;
    ReportParts parts_;
    const std::optional<Trust>& trust_;
    Report report_;
    std::optional<Bytes> signer_;
    std::set<std::string> notes_;
    bool witnessed_ = false;
};

}  // namespace

std::string ReportProof::to_json() const {
    json later = json::array();
    for (const Part& r : rotations) later.push_back(part_json(r));
    return json{{"format", "kustos-report-proof-1"},
                {"vkey", vkey},
                {"rotations", std::move(later)},
                {"certificate", part_json(certificate)},
                {"report", part_json(report)}}
               .dump() +
           "\n";
}

Result<ReportProof> ReportProof::parse(ByteView bytes) {
    if (bytes.size() > kMaxProofJson) return Error(Code::bad_input, "is too large");
    const json j = json::parse(as_text(bytes), nullptr, false);
    if (!j.is_object()) return Error(Code::bad_input, "is not JSON");
    if (TRY(text_of(j, "format")) != "kustos-report-proof-1") return Error(Code::bad_input, "is of another format");
    ReportProof out;
    out.vkey = TRY(text_of(j, "vkey"));
    const auto later = j.find("rotations");
    if (later == j.end() || !later->is_array() || later->size() > kMaxRotations)
        return Error(Code::bad_input, "rotations is missing");
    for (const json& r : *later) {
        Part part;
        part.entry = TRY(parse_base64(TRY(text_of(r, "entry"))));
        part.proof = TRY(text_of(r, "proof"));
        out.rotations.push_back(std::move(part));
    }
    out.certificate = TRY(part_of(j, "certificate"));
    out.report = TRY(part_of(j, "report"));
    return out;
}

std::optional<Report> verify_report(ByteView pdf, const std::optional<Trust>& trust) {
    const auto file = walk_pdf(pdf);
    if (!file.ok()) return std::nullopt;
    const auto parts = find_report(*file);
    if (!parts.ok()) return std::nullopt;
    return ReportJudge(pdf, *parts, trust).run();
}

}  // namespace kustos::audit
