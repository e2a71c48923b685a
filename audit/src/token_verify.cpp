// RFC 3161 section 2.4.2, RFC 5816, RFC 5652 section 5.4: is this token what it says?
#include <algorithm>

#include "audit/src/token_parts.h"
#include "base/crypto.h"

namespace kustos::audit {

namespace {

constexpr int kMaxChainDepth = 8;
constexpr int kSecurityLevel = 2;  // 112 bits: RSA from 2048, no SHA-1 signature in the chain

Error bad(const char* what) {
    return Error(Code::bad_input, what);
}

// Our own look at what binds the signer's certificate, for chains that OpenSSL's CAdES check can't follow.
Status check_binding(const TokenParts& parts, const X509* signer) {
    for (const auto& reference : {parts.ess_v1, parts.ess_v2}) {
        if (!reference) continue;
        unsigned char digest[EVP_MAX_MD_SIZE];
        unsigned int size = 0;
        if (X509_digest(signer, reference->digest, digest, &size) != 1)
            return bad("the signer's certificate can't be hashed");
        if (!equal(reference->hash, {digest, size})) {
            return bad("the token names another signing certificate under its signature than the one that fits it");
        }
    }
    return {};
}

// RFC 3161 section 2.4.2: the tsa field must be one of the signer certificate's names.
Status check_tsa_name(const Bytes& general_name, const X509* signer) {
    if (general_name.empty()) return {};
    const unsigned char* at = general_name.data();
    const openssl::Name name(d2i_GENERAL_NAME(nullptr, &at, static_cast<long>(general_name.size())));
    if (!name) return bad("the token's authority name is malformed");
    if (name->type == GEN_DIRNAME && X509_NAME_cmp(name->d.directoryName, X509_get_subject_name(signer)) == 0)
        return {};
    const openssl::Names others(
        static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(signer, NID_subject_alt_name, nullptr, nullptr)));
    for (int i = 0; others && i < sk_GENERAL_NAME_num(others.get()); ++i) {
        if (GENERAL_NAME_cmp(sk_GENERAL_NAME_value(others.get(), i), name.get()) == 0) return {};
    }
    return bad("the token's authority name is not the signer certificate's");
}

Status add(X509_STORE* store, X509* certificate) {
    if (X509_STORE_add_cert(store, certificate) != 1)
        return Error(Code::internal, "a trusted certificate can't be used");
    return {};
}

Result<openssl::Store> make_store(const TokenParts& parts, const TokenTrust& trust) {
    openssl::Store store(X509_STORE_new());
    CHECK(store);
    for (const Bytes& root : trust.roots) {
        TRY(add(store.get(), TRY_IN("trusted certificate", openssl::parse_certificate(root)).get()));
    }
    for (int i = 0; !trust.root_hashes.empty() && i < sk_X509_num(parts.carried.get()); ++i) {
        X509* carried = sk_X509_value(parts.carried.get(), i);
        const Hash hash = openssl::certificate_hash(carried);
        const bool named =
            std::find(trust.root_hashes.begin(), trust.root_hashes.end(), hash) != trust.root_hashes.end();
        if (named && X509_self_signed(carried, 1) == 1) TRY(add(store.get(), carried));
    }
    X509_VERIFY_PARAM* rules = X509_STORE_get0_param(store.get());
    X509_VERIFY_PARAM_set_purpose(rules, X509_PURPOSE_TIMESTAMP_SIGN);
    X509_VERIFY_PARAM_set_depth(rules, kMaxChainDepth);
    X509_VERIFY_PARAM_set_auth_level(rules, kSecurityLevel);
    const UtcTime at = trust.at.value_or(parts.info.gen_time);
    X509_VERIFY_PARAM_set_time(rules, static_cast<time_t>(at.ms >= 0 ? at.ms / 1000 : (at.ms - 999) / 1000));
    if (trust.rule == ChainRule::pinned_signer) X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_PARTIAL_CHAIN);
    return store;
}

// Before CMS_verify, which would do it again but tells only that it failed.
Status check_chain(X509_STORE* store, X509* signer, STACK_OF(X509) * untrusted, TokenFacts& facts) {
    const openssl::StoreContext context(X509_STORE_CTX_new());
    CHECK(context);
    if (X509_STORE_CTX_init(context.get(), store, signer, untrusted) != 1) {
        return Error(Code::internal, "the certificate check can't start");
    }
    if (X509_verify_cert(context.get()) != 1) {
        const int error = X509_STORE_CTX_get_error(context.get());
        Error refused(Code::bad_input,
                      std::string("the signer's certificate is not trusted: ") + X509_verify_cert_error_string(error));
        return std::move(refused).with_hint(
            "compare the authority's root certificate with the one configured as trusted");
    }
    STACK_OF(X509)* chain = X509_STORE_CTX_get0_chain(context.get());
    for (int i = 0; i < sk_X509_num(chain); ++i) {
        facts.chain.push_back(openssl::certificate_bytes(sk_X509_value(chain, i)));
    }
    facts.chain_root = sha256(facts.chain.back());
    return {};
}

Error signature_error() {
    for (unsigned long code = ERR_get_error(); code != 0; code = ERR_get_error()) {
        if (ERR_GET_LIB(code) == ERR_LIB_ESS) {
            return bad("the token names other certificates under its signature than those of its chain");
        }
        if (ERR_GET_LIB(code) != ERR_LIB_CMS) continue;
        if (ERR_GET_REASON(code) == CMS_R_CONTENT_VERIFY_ERROR) {
            return bad("the token's content was changed: its signed digest differs");
        }
    }
    return bad("the token's signature does not fit: the token was changed, or another key made it");
}

Status check_signature(const TokenParts& parts, STACK_OF(X509) * certificates, X509_STORE* store, ChainRule rule) {
    unsigned flags = CMS_BINARY;
    if (rule == ChainRule::to_root) flags |= CMS_CADES;
    if (rule == ChainRule::none) flags |= CMS_NO_SIGNER_CERT_VERIFY;
    const openssl::Memory content(BIO_new(BIO_s_mem()));
    CHECK(content);
    if (CMS_verify(parts.cms.get(), certificates, store, nullptr, content.get(), flags) != 1) return signature_error();
    return {};
}

Status check_expectations(const TstInfo& info, const Imprint& imprint, const TokenTrust& trust) {
    if (info.imprint.algorithm != imprint.algorithm) return bad("the token stamps a digest of another algorithm");
    if (info.imprint.value != imprint.value) return bad("the token stamps something else: message imprint mismatch");
    if (trust.nonce && info.nonce != *trust.nonce) return bad("the token answers another request: nonce mismatch");
    if (trust.policy && info.policy != *trust.policy)
        return bad("the token was issued under another policy than requested");
    return {};
}

// All that may be the signer's certificate or help to build its chain.
Result<openssl::Certificates> helpers(const TokenTrust& trust) {
    std::vector<Bytes> ders = trust.untrusted;
    if (trust.rule == ChainRule::pinned_signer) ders.insert(ders.end(), trust.roots.begin(), trust.roots.end());
    return openssl::parse_certificates(ders);
}

Result<TokenFacts> verify(ByteView token, const Imprint& imprint, const TokenTrust& trust) {
    const TokenParts parts = TRY(take_apart(token));
    TRY(check_expectations(parts.info, imprint, trust));
    const openssl::Certificates given = TRY(helpers(trust));
    X509* signer = find_signer(parts, parts.carried.get());
    if (signer == nullptr) signer = find_signer(parts, given.get());
    if (signer == nullptr) {
        return Error(Code::bad_input, "the signer's certificate is neither in the token nor given")
            .with_hint("ask for the certificate with the request, or give the authority's certificate");
    }
    TokenFacts facts = facts_of(parts, signer);
    if (trust.usage) TRY(check_tsa_certificate(openssl::certificate_bytes(signer)));
    TRY(check_binding(parts, signer));
    TRY(check_tsa_name(parts.info.tsa, signer));

    const openssl::Store store = TRY(make_store(parts, trust));
    const openssl::Certificates untrusted(X509_chain_up_ref(parts.carried.get()));
    CHECK(untrusted);
    for (int i = 0; i < sk_X509_num(given.get()); ++i) {
        X509* certificate = sk_X509_value(given.get(), i);
        CHECK(X509_up_ref(certificate) == 1 && sk_X509_push(untrusted.get(), certificate) > 0);
    }
    if (trust.rule != ChainRule::none) TRY(check_chain(store.get(), signer, untrusted.get(), facts));
    ERR_clear_error();
    TRY(check_signature(parts, given.get(), store.get(), trust.rule));
    return facts;
}

}  // namespace

Result<TokenFacts> verify_token(ByteView token, const Imprint& imprint, const TokenTrust& trust) {
    openssl::ClearErrors clear;
    return TRY_IN("time-stamp token", verify(token, imprint, trust));
}

Result<StampedToken> verify_response(ByteView tsr, const TimestampRequest& request, const TokenTrust& trust) {
    StampedToken stamped;
    stamped.token = TRY(token_from_response(tsr));
    TokenTrust expected = trust;
    if (!request.nonce.empty()) expected.nonce = request.nonce;
    if (!request.policy.empty()) expected.policy = request.policy;
    stamped.facts = TRY(verify_token(stamped.token, request.imprint, expected));
    return stamped;
}

}  // namespace kustos::audit
