#include "audit/trust.h"

#include <algorithm>
#include <map>
#include <optional>
#include <sstream>

#include "audit/timestamp.h"

namespace kustos::audit {

namespace {

// One line after the other; names must be known before they are used.
class Reader {
public:
    explicit Reader(Trust& trust) : trust_(trust) {}

    Status take(const std::vector<std::string>& words) {
        const std::string& key = words[0];
        const std::size_t count = words.size();
        if (key == "log" && (count == 2 || count == 3)) return log(words[1]);
        if (key == "tsa" && count == 4) return authority(words);
        if (key == "witness" && (count == 3 || count == 4)) return witness(words);
        if (key == "group" && count >= 4) return group(words);
        if (key == "quorum" && count == 2) return quorum(words[1]);
        if (key == "digest" && count == 3) return digest(words[1], words[2]);
        return Error(Code::bad_input, "not understood")
            .with_hint(
                "log KEY, witness NAME KEY, group NAME any|all|K MEMBER..., quorum NAME|none, tsa NAME "
                "independent|qualified CERTIFICATE, digest NAME YYYY-MM-DD");
    }

private:
    Status log(const std::string& vkey) {
        trust_.logs.push_back(TRY(VerifierKey::parse(vkey)));
        if (trust_.logs.back().type != KeyType::ed25519) return Error(Code::bad_input, "this is a witness's key");
        return {};
    }
    Status authority(const std::vector<std::string>& words) {
        TrustedAuthority authority;
        authority.name = words[1];
        if (words[2] == "independent") {
            authority.level = AuthorityLevel::independent;
        } else if (words[2] == "qualified") {
            authority.level = AuthorityLevel::qualified;
        } else {
            return Error(Code::bad_input, "independent or qualified is expected");
        }
        authority.root = TRY(read_certificate(TRY(parse_base64(words[3]))));
        trust_.authorities.push_back(std::move(authority));
        return {};
    }
    Status new_name(const std::string& name) {
        if (name == "none" || !names_.emplace(name, false).second) return Error(Code::bad_input, "this name is taken");
        return {};
    }
    Status witness(const std::vector<std::string>& words) {
        TRY(new_name(words[1]));
        const VerifierKey key = TRY(VerifierKey::parse(words[2]));
        TrustedWitness witness{words[1], key, words.size() == 4 ? words[3] : ""};
        if (witness.key.type != KeyType::cosignature) return Error(Code::bad_input, "this is no witness's key");
        trust_.witnesses.push_back(std::move(witness));
        return {};
    }
    Status group(const std::vector<std::string>& words) {
        WitnessGroup group;
        group.name = words[1];
        group.members.assign(words.begin() + 3, words.end());
        for (const std::string& member : group.members) {
            const auto found = names_.find(member);
            if (found == names_.end()) return Error(Code::bad_input, "a member that no earlier line names");
            if (found->second) return Error(Code::bad_input, "a member of two groups");
            found->second = true;
        }
        TRY(new_name(group.name));
        if (words[2] == "any" || words[2] == "all") {
            group.threshold = words[2] == "any" ? 1 : group.members.size();
        } else {
            const bool digits = words[2].size() <= 4 && std::all_of(words[2].begin(), words[2].end(),
                                                                    [](char c) { return c >= '0' && c <= '9'; });
            group.threshold = digits ? std::stoul(words[2]) : 0;
            if (group.threshold == 0 || group.threshold > group.members.size())
                return Error(Code::bad_input, "a threshold is any, all, or a number up to that of the members");
        }
        trust_.groups.push_back(std::move(group));
        return {};
    }
    Status quorum(const std::string& name) {
        if (quorum_ && *quorum_ != name) return Error(Code::bad_input, "another quorum than before");
        quorum_ = name;
        if (name == "none") return {};
        if (names_.count(name) == 0) return Error(Code::bad_input, "no earlier line names this witness or group");
        trust_.quorum = name;
        return {};
    }

    Status digest(const std::string& name, const std::string& day) {
        const DigestAlgorithm algorithm = TRY(parse_digest_name(name));
        const auto end = parse_rfc3339(day + "T00:00:00Z");
        if (!end.ok() || day.size() != 10) return Error(Code::bad_input, "a day is written YYYY-MM-DD");
        if (!trust_.digest_ends.emplace(algorithm, *end).second)
            return Error(Code::bad_input, "this algorithm has an end already");
        return {};
    }

    Trust& trust_;
    std::map<std::string, bool> names_;  // whether it is in a group
    std::optional<std::string> quorum_;
};

}  // namespace

std::vector<VerifierKey> Trust::witness_keys() const {
    std::vector<VerifierKey> keys;
    for (const TrustedWitness& w : witnesses) keys.push_back(w.key);
    return keys;
}

bool Trust::witnessed(std::span<const Cosignature> cosignatures) const {
    if (quorum.empty()) return false;
    std::map<std::string, bool> met;
    for (const TrustedWitness& w : witnesses)
        met[w.name] =
            std::any_of(cosignatures.begin(), cosignatures.end(), [&](const Cosignature& c) { return c.key == w.key; });
    for (const WitnessGroup& g : groups) {
        const auto count =
            std::count_if(g.members.begin(), g.members.end(), [&](const std::string& member) { return met[member]; });
        met[g.name] = static_cast<std::size_t>(count) >= g.threshold;
    }
    return met[quorum];
}

Result<Trust> parse_trust(std::string_view text, bool needs_log, const std::optional<VerifierKey>& signer) {
    if (text.size() > kMaxTrustFile) return Error(Code::limit, "the trust file has more than 1 MiB");
    Trust trust;
    // Only a file with a signature block is read as a note: one without may end as it likes.
    Note note;
    const bool is_signed = text.find("\n\n\xe2\x80\x94 ") != std::string_view::npos;
    if (is_signed) {
        note = TRY_IN("trust file, signature", parse_note(as_bytes(text)));
        text = note.text;
    }
    if (signer) {
        if (!is_signed)
            return Error(Code::bad_input, "the trust file is not signed")
                .with_hint("ask who gave it to you for theirs");
        const VerifierKey keys[] = {*signer};
        TRY_IN("trust file, signature", verify_note(note, keys));
        trust.signed_by = signer->name;
    }
    trust.signature_ignored = is_signed && !signer;
    Reader reader(trust);
    std::istringstream lines{std::string(text)};
    std::string line;
    for (std::size_t number = 1; std::getline(lines, line); ++number) {
        if (number > kMaxTrustLines) return Error(Code::limit, "the trust file has more than 1,000 lines");
        if (!line.empty() && line.back() == '\r') line.pop_back();
        std::istringstream split(line);
        std::vector<std::string> words;
        std::string word;
        while (split >> word) words.push_back(word);
        if (words.empty() || words[0][0] == '#') continue;
        TRY_IN("trust file, line " + std::to_string(number), reader.take(words));
    }
    if (needs_log && trust.logs.empty()) return Error(Code::bad_input, "the trust file names no ledger (log KEY)");
    return trust;
}

std::string format_trust(const Trust& trust) {
    std::string out;
    for (const VerifierKey& log : trust.logs) out += "log " + log.format() + "\n";
    for (const TrustedAuthority& a : trust.authorities) {
        out += "tsa " + a.name + (a.level == AuthorityLevel::qualified ? " qualified " : " independent ") +
               base64(a.root) + "\n";
    }
    for (const TrustedWitness& w : trust.witnesses)
        out += "witness " + w.name + " " + w.key.format() + (w.url.empty() ? "" : " " + w.url) + "\n";
    for (const WitnessGroup& g : trust.groups) {
        out += "group " + g.name + " " + std::to_string(g.threshold);
        for (const std::string& member : g.members) out += " " + member;
        out += "\n";
    }
    for (const auto& [algorithm, end] : trust.digest_ends)
        out += "digest " + std::string(digest_name(algorithm)) + " " + format_rfc3339(end).substr(0, 10) + "\n";
    return out + "quorum " + (trust.quorum.empty() ? "none" : trust.quorum) + "\n";
}

}  // namespace kustos::audit
