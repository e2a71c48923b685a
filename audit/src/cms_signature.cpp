#include "audit/cms_signature.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <algorithm>
#include <memory>
#include <string_view>

#include "audit/der.h"
#include "base/crypto.h"

namespace kustos::audit {

namespace {

struct Free {
    void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
    void operator()(EVP_MD_CTX* p) const { EVP_MD_CTX_free(p); }
    void operator()(X509* p) const { X509_free(p); }
    void operator()(ECDSA_SIG* p) const { ECDSA_SIG_free(p); }
    void operator()(BIGNUM* p) const { BN_free(p); }
};
template <class T>
using Own = std::unique_ptr<T, Free>;

constexpr std::uint8_t kSignedData[] = {0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x02};
constexpr std::uint8_t kData[] = {0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x01};
constexpr std::uint8_t kSha256[] = {0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01};
constexpr std::uint8_t kEcdsaSha256[] = {0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02};
constexpr std::uint8_t kContentType[] = {0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x03};
constexpr std::uint8_t kMessageDigest[] = {0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x04};
constexpr std::uint8_t kSigningCertificateV2[] = {0x06, 0x0B, 0x2A, 0x86, 0x48, 0x86, 0xF7,
                                                  0x0D, 0x01, 0x09, 0x10, 0x02, 0x2F};

Bytes wrap(std::uint8_t tag, std::initializer_list<ByteView> parts) {
    Bytes content;
    for (const ByteView p : parts) put(content, p);
    Bytes out;
    put_der(out, tag, content);
    return out;
}

// RFC 5652 section 11, RFC 5035: sorted as DER wants a SET OF.
Bytes signed_attributes(ByteView certificate, const Hash& digest) {
    const Bytes hash = wrap(der::kOctetString, {sha256(certificate).view()});
    const Bytes ess = wrap(der::kSequence, {wrap(der::kSequence, {wrap(der::kSequence, {hash})})});
    std::vector<Bytes> attributes = {
        wrap(der::kSequence, {kContentType, wrap(der::kSet, {kData})}),
        wrap(der::kSequence, {kMessageDigest, wrap(der::kSet, {wrap(der::kOctetString, {digest.view()})})}),
        wrap(der::kSequence, {kSigningCertificateV2, wrap(der::kSet, {ess})}),
    };
    std::sort(attributes.begin(), attributes.end());
    Bytes all;
    for (const Bytes& a : attributes) put(all, a);
    return all;
}

struct CertificateParts {
    Bytes issuer, serial;  // DER
};
// TBSCertificate: [0] version, serial, signature algorithm, issuer, ... (RFC 5280 section 4.1)
Result<CertificateParts> parts_of(ByteView certificate) {
    const DerValue whole = TRY(der_single(certificate, der::kSequence));
    DerReader outer(whole.content);
    DerReader tbs = TRY(outer.enter(der::kSequence));
    if (tbs.next_is(der::context_constructed(0))) TRY(tbs.any());
    const DerValue serial = TRY(tbs.next(der::kInteger));
    TRY(tbs.next(der::kSequence));
    const DerValue issuer = TRY(tbs.next(der::kSequence));
    return CertificateParts{to_bytes(issuer.whole), to_bytes(serial.whole)};
}

Result<Bytes> assemble(ByteView certificate, const Hash& digest, ByteView signature) {
    const CertificateParts parts = TRY(parts_of(certificate));
    const std::uint8_t one[] = {0x02, 0x01, 0x01};
    const Bytes sha = wrap(der::kSequence, {kSha256});
    const Bytes attributes = signed_attributes(certificate, digest);
    const Bytes signer =
        wrap(der::kSequence, {one, wrap(der::kSequence, {parts.issuer, parts.serial}), sha,
                              wrap(der::context_constructed(0), {attributes}), wrap(der::kSequence, {kEcdsaSha256}),
                              wrap(der::kOctetString, {signature})});
    const Bytes data =
        wrap(der::kSequence, {one, wrap(der::kSet, {sha}), wrap(der::kSequence, {kData}),
                              wrap(der::context_constructed(0), {certificate}), wrap(der::kSet, {signer})});
    return wrap(der::kSequence, {kSignedData, wrap(der::context_constructed(0), {data})});
}

// Of (r, s) and (r, n - s), which both verify, only the one with the smaller s is written and accepted: so nobody
// without the key can make a second signature out of a first one.
Result<Bytes> with_low_s(ByteView signature) {
    const Error bad(Code::bad_input, "the signature's value is malformed");
    const std::uint8_t* at = signature.data();
    const Own<ECDSA_SIG> parsed(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(signature.size())));
    Own<BIGNUM> order, s(BN_new());
    BIGNUM* raw = nullptr;
    if (BN_hex2bn(&raw, "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551") == 0)
        return bad;  // P-256's n
    order.reset(raw);
    if (!parsed || at != signature.data() + signature.size() || !s) return bad;
    const BIGNUM* old = ECDSA_SIG_get0_s(parsed.get());
    if (BN_is_negative(old) || BN_cmp(old, order.get()) >= 0) return bad;
    Own<BIGNUM> half(BN_dup(order.get()));
    if (!half || BN_rshift1(half.get(), half.get()) != 1) return bad;
    if (BN_cmp(old, half.get()) > 0) {
        Own<BIGNUM> r(BN_dup(ECDSA_SIG_get0_r(parsed.get())));
        if (!r || BN_sub(s.get(), order.get(), old) != 1 || ECDSA_SIG_set0(parsed.get(), r.get(), s.get()) != 1)
            return bad;
        (void)r.release();
        (void)s.release();
    }
    std::uint8_t* der = nullptr;
    const int length = i2d_ECDSA_SIG(parsed.get(), &der);
    if (length <= 0) return bad;
    Bytes out(der, der + length);
    OPENSSL_free(der);
    return out;
}

bool is_p256(const EVP_PKEY* key) {
    char group[32] = {};
    std::size_t length = 0;
    return key != nullptr && EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
           EVP_PKEY_get_group_name(key, group, sizeof group, &length) == 1 &&
           std::string_view(group, length) == "prime256v1";
}

}  // namespace

Result<Bytes> ecdsa_sign(ByteView private_key_der, ByteView message) {
    const Error failed(Code::internal, "the signature can't be made");
    const std::uint8_t* at = private_key_der.data();
    const Own<EVP_PKEY> key(d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(private_key_der.size())));
    const Own<EVP_MD_CTX> context(EVP_MD_CTX_new());
    if (!key || !is_p256(key.get()) || !context) return failed;
    std::size_t length = 0;
    if (EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) != 1 ||
        EVP_DigestSign(context.get(), nullptr, &length, message.data(), message.size()) != 1) {
        return failed;
    }
    Bytes signature(length);
    if (EVP_DigestSign(context.get(), signature.data(), &length, message.data(), message.size()) != 1) return failed;
    signature.resize(length);
    return signature;
}

Result<Bytes> ecdsa_der(ByteView r_and_s) {
    if (r_and_s.size() != 64) return Error(Code::internal, "a signature of 64 bytes is expected");
    Bytes pair, out;
    put_der_uint(pair, r_and_s.first(32));
    put_der_uint(pair, r_and_s.last(32));
    put_der(out, der::kSequence, pair);
    return out;
}

Result<Bytes> make_cms(const EcdsaSign& sign, ByteView certificate_der, const Hash& digest) {
    const Bytes attributes = wrap(der::kSet, {signed_attributes(certificate_der, digest)});
    return assemble(certificate_der, digest, TRY(with_low_s(TRY(sign(attributes)))));
}

Result<Bytes> make_cms(ByteView private_key_der, ByteView certificate_der, const Hash& digest) {
    return make_cms([private_key_der](ByteView message) { return ecdsa_sign(private_key_der, message); },
                    certificate_der, digest);
}

Result<CmsFacts> verify_cms(ByteView der, const Hash& digest) {
    if (der.size() > kMaxCms) return Error(Code::limit, "the signature is larger than 16 KiB");
    TRY(check_der(der));
    const DerValue whole = TRY(der_single(der, der::kSequence));
    DerReader content_info(whole.content);
    TRY(content_info.next(der::kOid));
    DerReader wrapper = TRY(content_info.enter(der::context_constructed(0)));
    DerReader data = TRY(wrapper.enter(der::kSequence));
    TRY(data.next(der::kInteger));
    TRY(data.next(der::kSet));
    TRY(data.next(der::kSequence));
    DerReader certificates = TRY(data.enter(der::context_constructed(0)));
    const DerValue certificate = TRY(certificates.next(der::kSequence));
    DerReader signers = TRY(data.enter(der::kSet));
    DerReader signer = TRY(signers.enter(der::kSequence));
    TRY(signer.next(der::kInteger));
    TRY(signer.next(der::kSequence));
    TRY(signer.next(der::kSequence));
    TRY(signer.next(der::context_constructed(0)));
    TRY(signer.next(der::kSequence));
    const DerValue signature = TRY(signer.next(der::kOctetString));

    const Bytes wanted = TRY(assemble(certificate.whole, digest, signature.content));
    if (!equal(wanted, der) || TRY(with_low_s(signature.content)) != to_bytes(signature.content))
        return Error(Code::bad_input,
                     "the signature is not over these bytes, or not in the one form that bundles have");
    const std::uint8_t* at = certificate.whole.data();
    const Own<X509> parsed(d2i_X509(nullptr, &at, static_cast<long>(certificate.whole.size())));
    if (!parsed || at != certificate.whole.data() + certificate.whole.size())
        return Error(Code::bad_input, "the signer's certificate can't be read");
    EVP_PKEY* key = X509_get0_pubkey(parsed.get());
    const Own<EVP_MD_CTX> context(EVP_MD_CTX_new());
    const Bytes attributes = wrap(der::kSet, {signed_attributes(certificate.whole, digest)});
    if (!is_p256(key) || !context || EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key) != 1 ||
        EVP_DigestVerify(context.get(), signature.content.data(), signature.content.size(), attributes.data(),
                         attributes.size()) != 1) {
        return Error(Code::bad_input, "the signature does not fit the signer's certificate");
    }
    return CmsFacts{to_bytes(certificate.whole)};
}

}  // namespace kustos::audit
