#include "audit/trust.h"

#include <sstream>

#include "audit/timestamp.h"

namespace kustos::audit {

Result<Trust> parse_trust(std::string_view text) {
    if (text.size() > kMaxTrustFile) return Error(Code::limit, "the trust file has more than 1 MiB");
    Trust trust;
    std::istringstream lines{std::string(text)};
    std::string line;
    for (std::size_t number = 1; std::getline(lines, line); ++number) {
        if (number > kMaxTrustLines) return Error(Code::limit, "the trust file has more than 1,000 lines");
        const std::string where = "trust file, line " + std::to_string(number);
        if (!line.empty() && line.back() == '\r') line.pop_back();
        std::istringstream words(line);
        std::string key;
        if (!(words >> key) || key[0] == '#') continue;
        std::string a, b, c, rest;
        words >> a >> b >> c;
        if (words >> rest) return Error(Code::bad_input, where + ": too many words");
        if (key == "log" && !a.empty() && b.empty()) {
            trust.logs.push_back(TRY_IN(where, VerifierKey::parse(a)));
        } else if (key == "tsa" && !c.empty()) {
            TrustedAuthority authority;
            authority.name = a;
            if (b == "independent") {
                authority.level = AuthorityLevel::independent;
            } else if (b == "qualified") {
                authority.level = AuthorityLevel::qualified;
            } else {
                return Error(Code::bad_input, where + ": independent or qualified is expected");
            }
            authority.root = TRY_IN(where, read_certificate(TRY_IN(where, parse_base64(c))));
            trust.authorities.push_back(std::move(authority));
        } else if (key == "quorum" && a == "none" && b.empty()) {
            continue;
        } else if (key == "witness" || key == "group" || key == "quorum") {
            return Error(Code::not_in_version, where + ": witnesses are not in this version").with_hint("quorum none");
        } else {
            return Error(Code::bad_input, where + ": not understood")
                .with_hint("log KEY, tsa NAME independent|qualified CERTIFICATE, quorum none");
        }
    }
    if (trust.logs.empty()) return Error(Code::bad_input, "the trust file names no ledger (log KEY)");
    return trust;
}

std::string format_trust(const Trust& trust) {
    std::string out;
    for (const VerifierKey& log : trust.logs) out += "log " + log.format() + "\n";
    for (const TrustedAuthority& a : trust.authorities) {
        out += "tsa " + a.name + (a.level == AuthorityLevel::qualified ? " qualified " : " independent ") +
               base64(a.root) + "\n";
    }
    return out + "quorum none\n";
}

}  // namespace kustos::audit
