#include "audit/judge_token.h"

namespace kustos::audit {

Result<TokenVerdict> judge_token(ByteView token, const Imprint& imprint, const std::optional<Hash>& builtin_root,
                                 const std::optional<Trust>& trust) {
    TokenVerdict verdict;
    // Whoever it is, the token must be sound and imprint this.
    TokenTrust nobody;
    nobody.rule = ChainRule::none;
    const TokenFacts facts = TRY(verify_token(token, imprint, nobody));
    verdict.gen_time = facts.gen_time;
    if (trust) {
        for (const TrustedAuthority& authority : trust->authorities) {
            TokenTrust one;
            one.roots.push_back(authority.root);
            one.rule = ChainRule::pinned_signer;  // the trust file may name a root or an issuer's certificate
            if (!verify_token(token, imprint, one).ok()) continue;
            const TimeLevel level =
                authority.level == AuthorityLevel::qualified ? TimeLevel::qualified : TimeLevel::independent;
            if (level > verdict.level) {
                verdict.level = level;
                verdict.authority = authority.name;
            }
        }
    }
    if (verdict.level == TimeLevel::self) {
        bool builtin = false;
        if (builtin_root) {
            TokenTrust own;
            own.root_hashes.push_back(*builtin_root);
            builtin = verify_token(token, imprint, own).ok();
        }
        if (!builtin)
            verdict.remark =
                "whether the time-stamping authority is independent: no `tsa` line of a trust file names it";
    }
    return verdict;
}

}  // namespace kustos::audit
