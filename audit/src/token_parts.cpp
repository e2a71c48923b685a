#include "audit/src/token_parts.h"

#include <ctime>

#include "audit/der.h"
#include "audit/src/message_imprint.h"
#include "base/crypto.h"

namespace kustos::audit {

namespace {

constexpr int kMaxCertificates = 32;

Error bad(const char* what) {
    return Error(Code::bad_input, what);
}

ByteView view(const ASN1_STRING* string) {
    return {ASN1_STRING_get0_data(string), static_cast<std::size_t>(ASN1_STRING_length(string))};
}

// The only value of the only signed attribute of that type; null if there is none.
Result<const ASN1_TYPE*> signed_attribute(const CMS_SignerInfo* info, int nid) {
    const int at = CMS_signed_get_attr_by_NID(info, nid, -1);
    if (at < 0) return static_cast<const ASN1_TYPE*>(nullptr);
    if (CMS_signed_get_attr_by_NID(info, nid, at) >= 0) return bad("a signed attribute stands twice in the token");
    X509_ATTRIBUTE* attribute = CMS_signed_get_attr(info, at);
    if (X509_ATTRIBUTE_count(attribute) != 1) return bad("a signed attribute of the token has several values");
    return static_cast<const ASN1_TYPE*>(X509_ATTRIBUTE_get0_type(attribute, 0));
}

// RFC 5652 section 5.3: contentType must be there and must name what is signed. OpenSSL looks only that it is there.
Status check_content_type(const CMS_SignerInfo* info) {
    const ASN1_TYPE* type = TRY(signed_attribute(info, NID_pkcs9_contentType));
    if (type == nullptr || type->type != V_ASN1_OBJECT || OBJ_obj2nid(type->value.object) != NID_id_smime_ct_TSTInfo) {
        return bad("the token's signed content type is not that of a time stamp");
    }
    return {};
}

// SigningCertificate(V2) ::= SEQUENCE { certs SEQUENCE OF ESSCertID(v2), policies OPTIONAL }; the first one is the
// signer's. The rest (chain, issuer and serial) is OpenSSL's CAdES check's.
Result<std::optional<SigningCertificate>> signing_certificate(const CMS_SignerInfo* info, int nid) {
    const ASN1_TYPE* type = TRY(signed_attribute(info, nid));
    if (type == nullptr) return std::optional<SigningCertificate>();
    if (type->type != V_ASN1_SEQUENCE) return bad("the token's signing-certificate attribute is malformed");
    DerReader outer(view(type->value.sequence));
    DerReader attribute = TRY(outer.enter(der::kSequence));
    DerReader certificates = TRY(attribute.enter(der::kSequence));
    DerReader first = TRY(certificates.enter(der::kSequence));
    SigningCertificate result;
    result.digest = nid == NID_id_smime_aa_signingCertificate ? EVP_sha1() : EVP_sha256();
    if (nid == NID_id_smime_aa_signingCertificateV2 && first.next_is(der::kSequence)) {
        DerReader algorithm = TRY(first.enter(der::kSequence));
        const std::string oid = TRY(der_oid_text(TRY(algorithm.next(der::kOid)).content));
        const DigestAlgorithm digest = TRY_IN("the token's signing-certificate attribute", parse_digest_oid(oid));
        result.digest = EVP_get_digestbyname(std::string(digest_name(digest)).c_str());
        CHECK(result.digest != nullptr);
    }
    result.hash = to_bytes(TRY(first.next(der::kOctetString)).content);
    return std::optional(result);
}

Status read_algorithms(TokenParts& parts) {
    X509_ALGOR* digest = nullptr;
    X509_ALGOR* signature = nullptr;
    CMS_SignerInfo_get0_algs(parts.signer_info, nullptr, nullptr, &digest, &signature);
    const ASN1_OBJECT* object = nullptr;
    X509_ALGOR_get0(&object, nullptr, nullptr, digest);
    switch (OBJ_obj2nid(object)) {
        case NID_sha224:
            parts.signed_digest = DigestAlgorithm::sha224;
            break;
        case NID_sha256:
            parts.signed_digest = DigestAlgorithm::sha256;
            break;
        case NID_sha384:
            parts.signed_digest = DigestAlgorithm::sha384;
            break;
        case NID_sha512:
            parts.signed_digest = DigestAlgorithm::sha512;
            break;
        default:
            return bad("the token is signed with a digest other than SHA-224, SHA-256, SHA-384 or SHA-512");
    }
    X509_ALGOR_get0(&object, nullptr, nullptr, signature);
    switch (OBJ_obj2nid(object)) {
        case NID_rsassaPss:
            parts.signature = "rsassa-pss-";
            break;
        case NID_rsaEncryption:
        case NID_sha224WithRSAEncryption:
        case NID_sha256WithRSAEncryption:
        case NID_sha384WithRSAEncryption:
        case NID_sha512WithRSAEncryption:
            parts.signature = "rsa-";
            break;
        case NID_ecdsa_with_SHA224:
        case NID_ecdsa_with_SHA256:
        case NID_ecdsa_with_SHA384:
        case NID_ecdsa_with_SHA512:
        case NID_X9_62_id_ecPublicKey:
            parts.signature = "ecdsa-";
            break;
        default:
            return bad("the token is signed with an algorithm other than RSA, RSASSA-PSS or ECDSA");
    }
    parts.signature += digest_name(parts.signed_digest);
    return {};
}

std::string name_text(const X509_NAME* name) {
    const openssl::Memory memory(BIO_new(BIO_s_mem()));
    CHECK(memory);
    X509_NAME_print_ex(memory.get(), name, 0, XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB));
    char* text = nullptr;
    const long length = BIO_get_mem_data(memory.get(), &text);
    return length > 0 ? std::string(text, static_cast<std::size_t>(length)) : std::string();
}

// The shell and what is signed; nothing of how it is signed.
Result<TokenParts> take_content(ByteView token) {
    if (token.size() > kMaxToken) return Error(Code::limit, "the time-stamp token is larger than 64 KiB");
    TRY(check_der(token));
    TokenParts parts;
    const unsigned char* at = token.data();
    parts.cms.reset(d2i_CMS_ContentInfo(nullptr, &at, static_cast<long>(token.size())));
    if (!parts.cms || at != token.data() + token.size()) return bad("not a CMS structure");
    if (OBJ_obj2nid(CMS_get0_type(parts.cms.get())) != NID_pkcs7_signed) return bad("not signed data");
    const ASN1_OBJECT* content_type = CMS_get0_eContentType(parts.cms.get());
    if (content_type == nullptr || OBJ_obj2nid(content_type) != NID_id_smime_ct_TSTInfo) {
        return bad("signed data, but not of a time stamp");
    }
    STACK_OF(CMS_SignerInfo)* signers = CMS_get0_SignerInfos(parts.cms.get());
    if (sk_CMS_SignerInfo_num(signers) != 1) return bad("a time-stamp token must have exactly one signer");
    parts.signer_info = sk_CMS_SignerInfo_value(signers, 0);
    ASN1_OCTET_STRING** content = CMS_get0_content(parts.cms.get());
    if (content == nullptr || *content == nullptr) return bad("a time-stamp token without its content");
    parts.info = TRY(parse_tst_info(view(*content)));
    return parts;
}

}  // namespace

Result<TokenParts> take_apart(ByteView token) {
    TokenParts parts = TRY(take_content(token));
    parts.carried.reset(CMS_get1_certs(parts.cms.get()));
    if (!parts.carried) parts.carried.reset(sk_X509_new_null());
    CHECK(parts.carried);
    if (sk_X509_num(parts.carried.get()) > kMaxCertificates) return bad("the token carries too many certificates");

    TRY(check_content_type(parts.signer_info));
    parts.ess_v1 = TRY(signing_certificate(parts.signer_info, NID_id_smime_aa_signingCertificate));
    parts.ess_v2 = TRY(signing_certificate(parts.signer_info, NID_id_smime_aa_signingCertificateV2));
    if (!parts.ess_v1 && !parts.ess_v2)
        return bad("the token does not name its signing certificate under the signature");
    TRY(read_algorithms(parts));
    return parts;
}

X509* find_signer(const TokenParts& parts, STACK_OF(X509) * certificates) {
    for (int i = 0; i < sk_X509_num(certificates); ++i) {
        X509* certificate = sk_X509_value(certificates, i);
        if (CMS_SignerInfo_cert_cmp(parts.signer_info, certificate) == 0) return certificate;
    }
    return nullptr;
}

TokenFacts facts_of(const TokenParts& parts, X509* signer) {
    TokenFacts facts;
    facts.gen_time = parts.info.gen_time;
    facts.accuracy_ms = parts.info.accuracy_ms;
    facts.imprint = parts.info.imprint;
    facts.policy = parts.info.policy;
    facts.serial = parts.info.serial;
    facts.nonce = parts.info.nonce;
    facts.ordering = parts.info.ordering;
    facts.claims_qualified = parts.info.claims_qualified;
    facts.signature = parts.signature;
    facts.ess_v1 = !parts.ess_v2;
    for (int i = 0; i < sk_X509_num(parts.carried.get()); ++i) {
        facts.certificates.push_back(openssl::certificate_bytes(sk_X509_value(parts.carried.get(), i)));
    }
    if (signer != nullptr) {
        facts.signer = openssl::certificate_hash(signer);
        facts.tsa_name = name_text(X509_get_subject_name(signer));
    }
    return facts;
}

std::optional<UtcTime> first_end(const TokenFacts& facts) {
    std::optional<UtcTime> first;
    for (const Bytes& der : facts.certificates) {
        const auto certificate = openssl::parse_certificate(der);
        tm end{};
        if (!certificate.ok() || ASN1_TIME_to_tm(X509_get0_notAfter(certificate->get()), &end) != 1) continue;
        const UtcTime time{static_cast<std::int64_t>(timegm(&end)) * 1000};
        if (!first || time < *first) first = time;
    }
    return first;
}

Result<TokenContent> read_token_content(ByteView token) {
    openssl::ClearErrors clear;
    const TokenParts parts = TRY_IN("time-stamp token", take_content(token));
    return TokenContent{parts.info.imprint, parts.info.gen_time};
}

Result<TokenFacts> read_token(ByteView token) {
    openssl::ClearErrors clear;
    const TokenParts parts = TRY_IN("time-stamp token", take_apart(token));
    return facts_of(parts, find_signer(parts, parts.carried.get()));
}

}  // namespace kustos::audit
