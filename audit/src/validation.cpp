#include "audit/validation.h"

#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <memory>

#include "audit/der.h"
#include "base/crypto.h"

namespace kustos::audit {

namespace {

void add(Bytes& out, ByteView more) {
    out.insert(out.end(), more.begin(), more.end());
}

template <auto Free>
struct Freed {
    template <class T>
    void operator()(T* p) const {
        Free(p);
    }
};
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Crl = std::unique_ptr<X509_CRL, Freed<X509_CRL_free>>;
using Request = std::unique_ptr<OCSP_REQUEST, Freed<OCSP_REQUEST_free>>;
using Response = std::unique_ptr<OCSP_RESPONSE, Freed<OCSP_RESPONSE_free>>;
using Basic = std::unique_ptr<OCSP_BASICRESP, Freed<OCSP_BASICRESP_free>>;
using Id = std::unique_ptr<OCSP_CERTID, Freed<OCSP_CERTID_free>>;
using Store = std::unique_ptr<X509_STORE, Freed<X509_STORE_free>>;

template <class T>
Bytes der_of(const T* object, int (*encode)(const T*, unsigned char**)) {
    Bytes bytes(static_cast<std::size_t>(std::max(0, encode(object, nullptr))));
    unsigned char* at = bytes.data();
    encode(object, &at);
    return bytes;
}

Certificate read_x509(ByteView der) {
    const unsigned char* at = der.data();
    return Certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
}

bool is_http(const std::string& url) {
    return url.rfind("http://", 0) == 0 && url.size() < 1024;
}

std::vector<std::string> access_urls(const X509* certificate, int method) {
    std::vector<std::string> urls;
    auto* info = static_cast<AUTHORITY_INFO_ACCESS*>(X509_get_ext_d2i(certificate, NID_info_access, nullptr, nullptr));
    for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(info); ++i) {
        const ACCESS_DESCRIPTION* one = sk_ACCESS_DESCRIPTION_value(info, i);
        if (OBJ_obj2nid(one->method) != method || one->location->type != GEN_URI) continue;
        const ASN1_IA5STRING* text = one->location->d.uniformResourceIdentifier;
        urls.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)), ASN1_STRING_length(text));
    }
    AUTHORITY_INFO_ACCESS_free(info);
    urls.erase(std::remove_if(urls.begin(), urls.end(), [](const std::string& u) { return !is_http(u); }), urls.end());
    return urls;
}

std::vector<std::string> crl_urls(const X509* certificate) {
    std::vector<std::string> urls;
    auto* points =
        static_cast<CRL_DIST_POINTS*>(X509_get_ext_d2i(certificate, NID_crl_distribution_points, nullptr, nullptr));
    for (int i = 0; i < sk_DIST_POINT_num(points); ++i) {
        const DIST_POINT* point = sk_DIST_POINT_value(points, i);
        if (point->distpoint == nullptr || point->distpoint->type != 0) continue;
        const GENERAL_NAMES* names = point->distpoint->name.fullname;
        for (int n = 0; n < sk_GENERAL_NAME_num(names); ++n) {
            const GENERAL_NAME* name = sk_GENERAL_NAME_value(names, n);
            if (name->type != GEN_URI) continue;
            const ASN1_IA5STRING* text = name->d.uniformResourceIdentifier;
            urls.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)), ASN1_STRING_length(text));
        }
    }
    CRL_DIST_POINTS_free(points);
    urls.erase(std::remove_if(urls.begin(), urls.end(), [](const std::string& u) { return !is_http(u); }), urls.end());
    return urls;
}

bool issued(X509* issuer, X509* subject) {
    return X509_check_issued(issuer, subject) == X509_V_OK && X509_verify(subject, X509_get0_pubkey(issuer)) == 1;
}

enum class Standing { unknown, good, revoked };

// RFC 6960: signed by the issuer, or by a responder that the issuer certified.
Standing ocsp_standing(OCSP_BASICRESP* basic, X509* certificate, X509* issuer) {
    const Store store(X509_STORE_new());
    X509_STORE_add_cert(store.get(), issuer);
    X509_STORE_set_flags(store.get(), X509_V_FLAG_PARTIAL_CHAIN);
    STACK_OF(X509)* helpers = sk_X509_new_null();
    sk_X509_push(helpers, issuer);
    const int verified = OCSP_basic_verify(basic, helpers, store.get(), 0);
    sk_X509_free(helpers);
    if (verified != 1) return Standing::unknown;
    const Id id(OCSP_cert_to_id(EVP_sha1(), certificate, issuer));
    int status = 0, reason = 0;
    if (OCSP_resp_find_status(basic, id.get(), &status, &reason, nullptr, nullptr, nullptr) != 1)
        return Standing::unknown;
    if (status == V_OCSP_CERTSTATUS_GOOD) return Standing::good;
    return status == V_OCSP_CERTSTATUS_REVOKED ? Standing::revoked : Standing::unknown;
}

Standing crl_standing(X509_CRL* crl, X509* certificate, X509* issuer) {
    if (X509_CRL_verify(crl, X509_get0_pubkey(issuer)) != 1) return Standing::unknown;
    X509_REVOKED* row = nullptr;
    return X509_CRL_get0_by_cert(crl, &row, certificate) == 0 ? Standing::good : Standing::revoked;
}

class Collector {
public:
    explicit Collector(const Fetcher& fetch) : fetch_(fetch) {}

    Status collect(const TokenFacts& facts) {
        for (const Bytes& der : facts.certificates) {
            if (auto one = read_x509(der)) known_.push_back(std::move(one));
        }
        Certificate signer;
        for (const Bytes& der : facts.certificates) {
            if (sha256(der) == facts.signer) signer = read_x509(der);
        }
        if (!signer) return {};
        complete_ = true;
        // A chain of more than eight certificates is none that an authority issues.
        for (int depth = 0; depth < 8 && !issued(signer.get(), signer.get()); ++depth) {
            Certificate issuer = issuer_of(signer.get());
            if (!issuer) {
                complete_ = false;
                break;
            }
            TRY(standing_of(signer.get(), issuer.get()));
            signer = std::move(issuer);
        }
        return {};
    }

    std::vector<Bytes> certificates, revocation;  // to be added: DER; CRL, or RFC 5940 OtherRevocationInfoFormat
    unsigned ocsp = 0, crls = 0;
    bool complete() const { return complete_; }

private:
    Result<Bytes> get(const std::string& url, const std::string& content_type = {}, Bytes body = {}) {
        if (++fetches_ > kMaxFetches) return Error(Code::limit, "too many addresses in the certificates");
        return fetch_({url, content_type, std::move(body)});
    }

    Certificate issuer_of(X509* certificate) {
        for (const Certificate& one : known_) {
            if (issued(one.get(), certificate)) return Certificate(X509_dup(one.get()));
        }
        for (const std::string& url : access_urls(certificate, NID_ad_ca_issuers)) {
            const auto answer = get(url);
            if (!answer.ok()) continue;
            const auto der = read_certificate(*answer);  // DER or PEM
            Certificate one = der.ok() ? read_x509(*der) : nullptr;
            if (!one || !issued(one.get(), certificate)) continue;
            certificates.push_back(*der);
            return one;
        }
        return nullptr;
    }

    Status standing_of(X509* certificate, X509* issuer) {
        for (const std::string& url : access_urls(certificate, NID_ad_OCSP)) {
            const Request request(OCSP_REQUEST_new());
            OCSP_request_add0_id(request.get(), OCSP_cert_to_id(EVP_sha1(), certificate, issuer));
            const auto answer = get(url, "application/ocsp-request",
                                    der_of<OCSP_REQUEST>(request.get(), [](const OCSP_REQUEST* r, unsigned char** out) {
                                        return i2d_OCSP_REQUEST(r, out);
                                    }));
            if (!answer.ok()) continue;
            const unsigned char* at = answer->data();
            const Response response(d2i_OCSP_RESPONSE(nullptr, &at, static_cast<long>(answer->size())));
            if (!response || at != answer->data() + answer->size()) continue;
            const Basic basic(OCSP_response_get1_basic(response.get()));
            if (!basic) continue;
            const Standing standing = ocsp_standing(basic.get(), certificate, issuer);
            if (standing == Standing::revoked) return revoked();
            if (standing != Standing::good) continue;
            // OtherRevocationInfoFormat ::= SEQUENCE { id-ri-ocsp-response, OCSPResponse }, as [1]
            static constexpr std::uint8_t kOid[] = {0x2b, 6, 1, 5, 5, 7, 16, 2};
            Bytes pair, other;
            put_der(pair, der::kOid, kOid);
            add(pair, *answer);
            put_der(other, der::context_constructed(1), pair);
            revocation.push_back(std::move(other));
            ++ocsp;
            return {};
        }
        for (const std::string& url : crl_urls(certificate)) {
            const auto answer = get(url);
            if (!answer.ok()) continue;
            const unsigned char* at = answer->data();
            const Crl crl(d2i_X509_CRL(nullptr, &at, static_cast<long>(answer->size())));
            if (!crl || at != answer->data() + answer->size()) continue;
            const Standing standing = crl_standing(crl.get(), certificate, issuer);
            if (standing == Standing::revoked) return revoked();
            if (standing != Standing::good) continue;
            revocation.push_back(*answer);
            ++crls;
            return {};
        }
        complete_ = false;
        return {};
    }

    static Error revoked() {
        return Error(Code::denied, "a certificate of the time-stamping authority is revoked")
            .with_hint("its tokens are not used; ask the authority, and use another one meanwhile");
    }

    const Fetcher& fetch_;
    std::vector<Certificate> known_;
    unsigned fetches_ = 0;
    bool complete_ = false;
};

// DER's order for a SET OF: ascending by encoding.
void put_set(Bytes& out, std::uint8_t tag, std::vector<Bytes> members) {
    std::sort(members.begin(), members.end());
    members.erase(std::unique(members.begin(), members.end()), members.end());
    Bytes content;
    for (const Bytes& one : members) add(content, one);
    if (!content.empty()) put_der(out, tag, content);
}

Result<std::vector<Bytes>> members_of(DerReader& reader, std::uint8_t tag) {
    std::vector<Bytes> members;
    if (!reader.next_is(tag)) return members;
    DerReader inside = TRY(reader.enter(tag));
    while (!inside.at_end()) members.push_back(to_bytes(TRY(inside.any()).whole));
    return members;
}

// SignedData ::= SEQUENCE { version, digestAlgorithms, encapContentInfo, [0] certificates, [1] crls, signerInfos }
Result<Bytes> with_material(ByteView token, const std::vector<Bytes>& certificates,
                            const std::vector<Bytes>& revocation) {
    DerReader outer(token);
    DerReader content_info = TRY(outer.enter(der::kSequence));
    const DerValue type = TRY(content_info.next(der::kOid));
    DerReader wrapped = TRY(content_info.enter(der::context_constructed(0)));
    DerReader signed_data = TRY(wrapped.enter(der::kSequence));
    const DerValue version = TRY(signed_data.next(der::kInteger));
    const DerValue digests = TRY(signed_data.next(der::kSet));
    const DerValue content = TRY(signed_data.next(der::kSequence));
    auto all_certificates = TRY(members_of(signed_data, der::context_constructed(0)));
    auto all_revocation = TRY(members_of(signed_data, der::context_constructed(1)));
    all_certificates.insert(all_certificates.end(), certificates.begin(), certificates.end());
    all_revocation.insert(all_revocation.end(), revocation.begin(), revocation.end());
    const bool other = std::any_of(all_revocation.begin(), all_revocation.end(),
                                   [](const Bytes& one) { return one[0] == der::context_constructed(1); });
    Bytes inside;
    if (other) {
        static constexpr std::uint8_t kFive[] = {5};  // RFC 5652 section 5.1: with another revocation format, version 5
        put_der(inside, der::kInteger, kFive);
    } else {
        add(inside, version.whole);
    }
    add(inside, digests.whole);
    add(inside, content.whole);
    put_set(inside, der::context_constructed(0), std::move(all_certificates));
    put_set(inside, der::context_constructed(1), std::move(all_revocation));
    add(inside, signed_data.rest());
    Bytes data, explicit_data, all;
    put_der(data, der::kSequence, inside);
    add(explicit_data, type.whole);
    put_der(explicit_data, der::context_constructed(0), data);
    put_der(all, der::kSequence, explicit_data);
    return all;
}

}  // namespace

Result<Validation> collect_validation(ByteView token, const Fetcher& fetch) {
    const TokenFacts facts = TRY(read_token(token));
    Validation result;
    result.token = to_bytes(token);
    Collector collector(fetch);
    const Status collected = collector.collect(facts);
    ERR_clear_error();  // what did not parse is left out: nothing to be told later
    TRY(collected);
    result.complete = collector.complete();
    if (collector.certificates.empty() && collector.revocation.empty()) return result;
    Bytes with = TRY(with_material(token, collector.certificates, collector.revocation));
    TokenTrust nobody;
    nobody.rule = ChainRule::none;
    if (with.size() > kMaxToken || !verify_token(with, facts.imprint, nobody).ok()) {
        result.complete = false;
        return result;
    }
    result.token = std::move(with);
    result.certificates = static_cast<unsigned>(collector.certificates.size());
    result.ocsp = collector.ocsp;
    result.crls = collector.crls;
    return result;
}

}  // namespace kustos::audit
