// RFC 4998 sections 4.3 and 5.3: verification, one time stamp after the other.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "audit/evidence_record.h"
#include "audit/report.h"

namespace kustos::audit {

namespace {

// What the first group of a time stamp must contain.
struct Wanted {
    std::vector<Bytes> digests;
    std::vector<Bytes> sorted;  // renewals of the hash tree: the other reading of section 5.3
    std::vector<std::string> names;
};

std::optional<Bytes> digest_under(const EvidenceObject& object, DigestAlgorithm algorithm) {
    if (object.content) return digest_of(algorithm, *object.content);
    const auto found = object.digests.find(algorithm);
    if (found == object.digests.end()) return std::nullopt;
    return found->second;
}

bool contains(const std::vector<Bytes>& group, const Bytes& member) {
    return std::find(group.begin(), group.end(), member) != group.end();
}

class Judge {
public:
    Judge(const EvidenceRecord& record, const std::vector<EvidenceObject>& objects, const std::optional<Trust>& trust,
          UtcTime now)
        : record_(record), objects_(objects), trust_(trust), now_(now) {}

    EvidenceReport run() {
        report_.trust_evaluated = trust_ && !trust_->authorities.empty();
        for (std::size_t c = 0; c < record_.chains.size(); ++c) {
            for (std::size_t p = 0; p < record_.chains[c].stamps.size(); ++p) judge_stamp(c, p);
        }
        judge_times();
        judge_trust();
        finish();
        return std::move(report_);
    }

private:
    void judge_stamp(std::size_t c, std::size_t p) {
        const ArchiveTimeStamp& stamp = record_.chains[c].stamps[p];
        StampVerdict verdict;
        verdict.chain = c;
        verdict.position = p;
        auto content = read_token_content(stamp.token);
        contents_.push_back(content.ok() ? std::optional(*content) : std::nullopt);
        if (!content.ok()) {
            verdict.problems.push_back("the token can't be read: " + content.error().message());
            if (stamp.algorithm) verdict.algorithm = *stamp.algorithm;
            report_.stamps.push_back(std::move(verdict));
            return;
        }
        verdict.time = content->gen_time;
        verdict.algorithm = stamp.algorithm.value_or(content->imprint.algorithm);
        if (verdict.algorithm != content->imprint.algorithm)
            verdict.problems.push_back("the token stamps a digest of another algorithm than its time stamp states");
        if (p != 0 && verdict.algorithm != report_.stamps.back().algorithm)
            verdict.problems.push_back("the digest algorithm changes inside a chain");
        judge_imprint(stamp, content->imprint, wanted(c, p, verdict.algorithm), verdict);
        judge_signature(stamp, content->imprint, verdict);
        report_.stamps.push_back(std::move(verdict));
    }

    void judge_signature(const ArchiveTimeStamp& stamp, const Imprint& imprint, StampVerdict& verdict) {
        TokenTrust nobody;
        nobody.rule = ChainRule::none;
        nobody.usage = false;
        const auto sound = verify_token(stamp.token, imprint, nobody);
        if (!sound.ok()) {
            verdict.problems.push_back(sound.error().message());
            return;
        }
        verdict.signature = true;
        verdict.authority = sound->tsa_name;
        if (sound->ess_v1)
            verdict.remarks.emplace_back("the token names its certificate by SHA-1 only (ESSCertID of RFC 2634)");
        nobody.usage = true;
        if (const auto usage = verify_token(stamp.token, imprint, nobody); !usage.ok())
            verdict.remarks.push_back(usage.error().message());
    }

    Wanted wanted(std::size_t c, std::size_t p, DigestAlgorithm algorithm) {
        Wanted wanted;
        if (p != 0) {
            wanted.digests.push_back(digest_of(algorithm, record_.chains[c].stamps[p - 1].token));
            wanted.names.emplace_back("the previous time stamp");
            return wanted;
        }
        Bytes sequence;
        if (c != 0) sequence = digest_of(algorithm, encode_sequence(record_, c));
        for (const EvidenceObject& object : objects_) {
            const auto digest = digest_under(object, algorithm);
            if (!digest) {
                report_.objects_missing.push_back(object.name + " (no " + std::string(digest_name(algorithm)) +
                                                  " digest of it was given)");
                continue;
            }
            wanted.names.push_back(object.name);
            if (c == 0) {
                wanted.digests.push_back(*digest);
                continue;
            }
            wanted.digests.push_back(renewed_digest(algorithm, *digest, sequence));
            wanted.sorted.push_back(*digest <= sequence ? renewed_digest(algorithm, *digest, sequence)
                                                        : renewed_digest(algorithm, sequence, *digest));
        }
        return wanted;
    }

    void judge_imprint(const ArchiveTimeStamp& stamp, const Imprint& imprint, const Wanted& wanted,
                       StampVerdict& verdict) {
        Bytes root;
        std::vector<Bytes> first;
        if (stamp.groups.empty()) {
            // Without a tree the imprint is the one object's digest.
            if (wanted.digests.size() == 1) {
                root = wanted.digests[0];
                if (root != imprint.value && !wanted.sorted.empty()) root = wanted.sorted[0];
                first = {root};
            } else if (wanted.digests.empty()) {
                verdict.problems.emplace_back("there is no object whose digest could be compared");
                return;
            } else {
                verdict.problems.emplace_back("a time stamp without a hash tree covers one object only");
                return;
            }
        } else {
            first = stamp.groups.front();
            const auto led = groups_root(verdict.algorithm, stamp.groups);
            if (!led.ok()) {
                verdict.problems.push_back(led.error().message());
                return;
            }
            root = *led;
        }
        verdict.imprint = verdict.algorithm == imprint.algorithm && root == imprint.value;
        if (!verdict.imprint) {
            verdict.double_hashed = digest_of(imprint.algorithm, root) == imprint.value;
            verdict.problems.emplace_back(
                verdict.double_hashed ? "the token stamps the digest of the tree's root, not the root (hashed twice)"
                                      : "the hash tree does not lead to what the token stamps");
        }
        std::set<Bytes> used;
        bool all = !wanted.digests.empty();
        for (std::size_t i = 0; i < wanted.digests.size(); ++i) {
            if (contains(first, wanted.digests[i])) {
                used.insert(wanted.digests[i]);
            } else if (!wanted.sorted.empty() && contains(first, wanted.sorted[i])) {
                used.insert(wanted.sorted[i]);
                verdict.sorted_renewal = true;
            } else {
                all = false;
                verdict.problems.push_back(wanted.names[i] + " is not among what this time stamp covers");
                if (verdict.position == 0) report_.objects_missing.push_back(wanted.names[i]);
            }
        }
        verdict.covers = all;
        verdict.others = static_cast<std::size_t>(
            std::count_if(first.begin(), first.end(), [&](const Bytes& m) { return used.count(m) == 0; }));
        // The same member twice: a group may hold equal objects.
        if (first.size() > used.size() + verdict.others) verdict.others = first.size() - used.size();
    }

    // Equal times are legal: a renewal may follow within the clock's resolution.
    void judge_times() {
        for (std::size_t i = 1; i < report_.stamps.size(); ++i) {
            const auto &before = report_.stamps[i - 1].time, &time = report_.stamps[i].time;
            if (before && time && *time < *before) {
                report_.stamps[i].problems.emplace_back("is earlier than the time stamp that it renews");
                in_order_ = false;
            }
        }
    }

    // Certificates must have been valid when the next time stamp took over, those of the last one now.
    void judge_trust() {
        for (std::size_t i = 0; i < report_.stamps.size(); ++i) {
            StampVerdict& verdict = report_.stamps[i];
            if (!report_.trust_evaluated) {
                verdict.trust = "not evaluated";
                continue;
            }
            if (!contents_[i]) {
                verdict.trust = "the token can't be read";
                continue;
            }
            const ArchiveTimeStamp& stamp = record_.chains[verdict.chain].stamps[verdict.position];
            const bool last = i + 1 == report_.stamps.size();
            const UtcTime at = last ? now_ : report_.stamps[i + 1].time.value_or(now_);
            std::string why = "no `tsa` line of the trust file leads to its certificate";
            TimeLevel best = TimeLevel::self;
            for (const TrustedAuthority& authority : trust_->authorities) {
                TokenTrust one;
                one.roots.push_back(authority.root);
                one.rule = ChainRule::pinned_signer;
                if (!verify_token(stamp.token, contents_[i]->imprint, one).ok()) continue;
                one.at = at;
                if (!verify_token(stamp.token, contents_[i]->imprint, one).ok()) {
                    why = last ? "its certificates are no longer valid: the record should have been renewed before"
                               : "its certificates were no longer valid when the next time stamp took over";
                    continue;
                }
                best = std::max(
                    best, authority.level == AuthorityLevel::qualified ? TimeLevel::qualified : TimeLevel::independent);
            }
            const auto end = trust_->digest_ends.find(verdict.algorithm);
            if (best != TimeLevel::self && end != trust_->digest_ends.end() && end->second <= at) {
                best = TimeLevel::self;
                why = last ? "its digest algorithm is no longer relied on: the record should have been renewed before"
                           : "its digest algorithm was no longer relied on when the next time stamp took over";
            }
            verdict.trust = best == TimeLevel::self ? why : std::string(time_name(best));
        }
    }

    void finish() {
        const auto& stamps = report_.stamps;
        const bool hashes =
            std::all_of(stamps.begin(), stamps.end(), [](const auto& s) { return s.imprint && s.covers; });
        const bool signatures = std::all_of(stamps.begin(), stamps.end(), [](const auto& s) { return s.signature; });
        const bool others =
            std::any_of(stamps.begin(), stamps.end(), [](const auto& s) { return s.position == 0 && s.others != 0; });
        if (!hashes) {
            report_.verdict = EvidenceVerdict::invalid_hash;
        } else if (!signatures || !in_order_) {
            report_.verdict = EvidenceVerdict::invalid_token;
        } else {
            report_.verdict = others ? EvidenceVerdict::valid_subset : EvidenceVerdict::valid;
        }
        report_.ok = report_.verdict == EvidenceVerdict::valid || report_.verdict == EvidenceVerdict::valid_subset;
        if (report_.ok) report_.proven_since = stamps.front().time;
        if (record_.has_encryption_info)
            report_.problems.emplace_back("remark: the record names an encryption that was not looked at");
    }

    const EvidenceRecord& record_;
    const std::vector<EvidenceObject>& objects_;
    const std::optional<Trust>& trust_;
    UtcTime now_;
    EvidenceReport report_;
    std::vector<std::optional<TokenContent>> contents_;
    bool in_order_ = true;
};

}  // namespace

std::string_view verdict_name(EvidenceVerdict verdict) {
    switch (verdict) {
        case EvidenceVerdict::valid:
            return "valid";
        case EvidenceVerdict::valid_subset:
            return "valid-subset";
        case EvidenceVerdict::invalid_hash:
            return "invalid-hash";
        case EvidenceVerdict::invalid_token:
            return "invalid-token";
        case EvidenceVerdict::malformed:
            return "malformed";
    }
    return "";
}

EvidenceReport verify_evidence_record(ByteView der, const std::vector<EvidenceObject>& objects,
                                      const std::optional<Trust>& trust, UtcTime now) {
    const auto record = parse_evidence_record(der);
    if (!record.ok()) {
        EvidenceReport report;
        report.problems.push_back(record.error().message());
        return report;
    }
    return Judge(*record, objects, trust, now).run();
}

std::string EvidenceReport::to_json() const {
    nlohmann::json j;
    j["ok"] = ok;
    j["verdict"] = verdict_name(verdict);
    j["trust"] = trust_evaluated ? "evaluated" : "not evaluated";
    j["imprint"] = nlohmann::json::array();
    j["signature"] = nlohmann::json::array();
    j["time_stamps"] = nlohmann::json::array();
    for (const StampVerdict& s : stamps) {
        j["imprint"].push_back(s.imprint && s.covers);
        j["signature"].push_back(s.signature);
        nlohmann::json one = {{"chain", s.chain},
                              {"position", s.position},
                              {"algorithm", digest_name(s.algorithm)},
                              {"root", s.imprint},
                              {"covers", s.covers},
                              {"others", s.others},
                              {"double_hashed", s.double_hashed},
                              {"sorted_renewal", s.sorted_renewal},
                              {"signature", s.signature},
                              {"trust", s.trust},
                              {"authority", s.authority},
                              {"problems", s.problems},
                              {"remarks", s.remarks}};
        if (s.time) one["time"] = format_rfc3339(*s.time);
        j["time_stamps"].push_back(std::move(one));
    }
    j["objects_missing"] = objects_missing;
    j["problems"] = problems;
    if (proven_since) j["proven_since"] = format_rfc3339(*proven_since);
    return j.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string EvidenceReport::to_text(std::string_view language) const {
    const bool de = language == "de";
    std::string text;
    switch (verdict) {
        case EvidenceVerdict::valid:
        case EvidenceVerdict::valid_subset:
            text = (de ? "Gültig: die vorgelegten Objekte bestanden am " : "Valid: the objects given existed on ") +
                   (proven_since ? format_rfc3339(*proven_since) : std::string("?")) +
                   (de ? ", wenn der Zeitstempelstelle zu trauen ist.\n"
                       : ", if the time-stamping authority is to be trusted.\n");
            break;
        case EvidenceVerdict::invalid_hash:
            text = de ? "Ungültig: der Nachweis gehört nicht zu den vorgelegten Objekten.\n"
                      : "Invalid: the record does not cover the objects given.\n";
            break;
        case EvidenceVerdict::invalid_token:
            text = de ? "Ungültig: ein Zeitstempel hält nicht.\n" : "Invalid: a time stamp does not hold.\n";
            break;
        case EvidenceVerdict::malformed:
            text = de ? "Unlesbar: das ist kein Evidence Record nach RFC 4998.\n"
                      : "Malformed: this is no evidence record of RFC 4998.\n";
            break;
    }
    for (const StampVerdict& s : stamps) {
        text += "  " + std::to_string(s.chain + 1) + "." + std::to_string(s.position + 1) + "  " +
                (s.time ? format_rfc3339(*s.time) : "?") + "  " + std::string(digest_name(s.algorithm)) + "  " +
                (de ? "Hashbaum " : "hash tree ") + (s.imprint && s.covers ? "ok" : (de ? "FALSCH" : "WRONG")) +
                (de ? ", Signatur " : ", signature ") + (s.signature ? "ok" : (de ? "FALSCH" : "WRONG")) +
                (de ? ", Vertrauen: " : ", trust: ") + s.trust + "\n";
        if (!s.authority.empty()) text += "       " + s.authority + "\n";
        for (const std::string& problem : s.problems) text += "       - " + problem + "\n";
        for (const std::string& remark : s.remarks)
            text += (de ? "       Hinweis: " : "       remark: ") + remark + "\n";
    }
    if (verdict == EvidenceVerdict::valid_subset)
        text += de ? "  Der Nachweis deckt noch weitere Objekte, die nicht vorgelegt wurden.\n"
                   : "  The record covers further objects that were not given.\n";
    for (const std::string& missing : objects_missing)
        text += (de ? "  nicht gedeckt: " : "  not covered: ") + missing + "\n";
    for (const std::string& problem : problems) text += "  - " + problem + "\n";
    return text;
}

}  // namespace kustos::audit
