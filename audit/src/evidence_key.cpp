#include "audit/src/evidence_key.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <array>
#include <ctime>
#include <memory>

#include "audit/der.h"

namespace kustos::audit {

namespace {

template <auto Free>
struct Freer {
    template <class T>
    void operator()(T* p) const {
        Free(p);
    }
};
template <class T, auto Free>
using Owned = std::unique_ptr<T, Freer<Free>>;
using Bio = Owned<BIO, BIO_free_all>;
using Pkey = Owned<EVP_PKEY, EVP_PKEY_free>;
using Cert = Owned<X509, X509_free>;
using Group = Owned<EC_GROUP, EC_GROUP_free>;
using Point = Owned<EC_POINT, EC_POINT_free>;
using Number = Owned<BIGNUM, BN_clear_free>;

constexpr int kDaysIn30Years = 10'957;

Error failed(const char* what) {
    ERR_clear_error();
    return Error(Code::internal, std::string("evidence key: ") + what);
}

Error damaged(const char* what) {
    ERR_clear_error();
    return Error(Code::corrupt, std::string("evidence key: ") + what);
}

// A scalar in [1, order) from our own source of chance, so that tests and worked examples are repeatable.
Number make_scalar(Random& random, const EC_GROUP* group) {
    SecretBytes bytes(32);
    for (;;) {
        random.fill(bytes.writable());
        Number d(BN_secure_new());
        if (!d || !BN_bin2bn(bytes.view().data(), static_cast<int>(bytes.size()), d.get())) return nullptr;
        if (!BN_is_zero(d.get()) && BN_cmp(d.get(), EC_GROUP_get0_order(group)) < 0) return d;
    }
}

Result<Pkey> make_pkey(Random& random) {
    const Group group(EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1));
    if (!group) return failed("curve");
    const Number d = make_scalar(random, group.get());
    const Point point(EC_POINT_new(group.get()));
    if (!d || !point || EC_POINT_mul(group.get(), point.get(), d.get(), nullptr, nullptr, nullptr) != 1) {
        return failed("key");
    }
    std::array<std::uint8_t, 65> octets{};
    if (EC_POINT_point2oct(group.get(), point.get(), POINT_CONVERSION_UNCOMPRESSED, octets.data(), octets.size(),
                           nullptr) != octets.size()) {
        return failed("point");
    }
    const Owned<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free> build(OSSL_PARAM_BLD_new());
    if (!build || OSSL_PARAM_BLD_push_utf8_string(build.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) != 1 ||
        OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_PRIV_KEY, d.get()) != 1 ||
        OSSL_PARAM_BLD_push_octet_string(build.get(), OSSL_PKEY_PARAM_PUB_KEY, octets.data(), octets.size()) != 1) {
        return failed("parameters");
    }
    const Owned<OSSL_PARAM, OSSL_PARAM_free> params(OSSL_PARAM_BLD_to_param(build.get()));
    const Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
    EVP_PKEY* made = nullptr;
    if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_KEYPAIR, params.get()) != 1) {
        return failed("import");
    }
    return Pkey(made);
}

Result<Pkey> public_key(ByteView point) {
    const Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
    const Owned<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free> build(OSSL_PARAM_BLD_new());
    if (!build || OSSL_PARAM_BLD_push_utf8_string(build.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) != 1 ||
        OSSL_PARAM_BLD_push_octet_string(build.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) != 1)
        return failed("parameters");
    const Owned<OSSL_PARAM, OSSL_PARAM_free> params(OSSL_PARAM_BLD_to_param(build.get()));
    EVP_PKEY* made = nullptr;
    if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, params.get()) != 1)
        return failed("public key");
    return Pkey(made);
}

bool add_extension(X509* cert, int nid, const char* value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, cert, cert, nullptr, nullptr, 0);
    const Owned<X509_EXTENSION, X509_EXTENSION_free> extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value));
    return extension && X509_add_ext(cert, extension.get(), -1) == 1;
}

bool set_serial(X509* cert, Random& random) {
    std::array<std::uint8_t, 16> bytes{};
    random.fill(bytes);
    bytes[0] = static_cast<std::uint8_t>((bytes[0] & 0x3F) | 0x40);  // positive, always 16 bytes
    const Number serial(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
    return serial && BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(cert)) != nullptr;
}

bool set_name(X509* cert, const VaultId& vault) {
    const std::string name = "Kustos evidence " + vault.hex().substr(0, 8);
    X509_NAME* subject = X509_get_subject_name(cert);
    return X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(name.data()),
                                      static_cast<int>(name.size()), -1, 0) == 1 &&
           X509_set_issuer_name(cert, subject) == 1;
}

// signer: signs it; what it is put down as is the algorithm alone if somebody else signs in the end.
Result<Cert> make_certificate(EVP_PKEY* key, EVP_PKEY* signer, Random& random, UtcTime now, const VaultId& vault) {
    Cert cert(X509_new());
    if (!cert) return failed("certificate");
    std::time_t from = static_cast<std::time_t>(now.ms / 1000);
    const bool filled = X509_set_version(cert.get(), X509_VERSION_3) == 1 && set_serial(cert.get(), random) &&
                        set_name(cert.get(), vault) &&
                        X509_time_adj_ex(X509_getm_notBefore(cert.get()), 0, 0, &from) != nullptr &&
                        X509_time_adj_ex(X509_getm_notAfter(cert.get()), kDaysIn30Years, 0, &from) != nullptr &&
                        X509_set_pubkey(cert.get(), key) == 1 &&
                        add_extension(cert.get(), NID_basic_constraints, "critical,CA:FALSE") &&
                        add_extension(cert.get(), NID_key_usage, "critical,digitalSignature,nonRepudiation") &&
                        add_extension(cert.get(), NID_subject_key_identifier, "hash");
    if (!filled || X509_sign(cert.get(), signer, EVP_sha256()) == 0) return failed("certificate");
    return cert;
}

Result<EvidenceKey> to_der(EVP_PKEY* key, X509* cert) {
    const Owned<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free> info(EVP_PKEY2PKCS8(key));
    unsigned char* der = nullptr;
    const int length = info ? i2d_PKCS8_PRIV_KEY_INFO(info.get(), &der) : -1;
    if (length <= 0) return failed("encoding");
    EvidenceKey out;
    out.private_key_der = SecretBytes(ByteView(der, static_cast<std::size_t>(length)));
    OPENSSL_clear_free(der, static_cast<std::size_t>(length));
    der = nullptr;
    const int cert_length = i2d_X509(cert, &der);
    if (cert_length <= 0) return failed("encoding");
    out.certificate_der.assign(der, der + cert_length);
    OPENSSL_free(der);
    return out;
}

Bio reading(ByteView bytes) {
    return Bio(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

ByteView content(BIO* bio) {
    char* data = nullptr;
    const long length = BIO_get_mem_data(bio, &data);
    return {reinterpret_cast<const std::uint8_t*>(data), static_cast<std::size_t>(length)};
}

// Never ask on a terminal.
int no_password(char*, int, int, void*) {
    return -1;
}

}  // namespace

Result<EvidenceKey> make_evidence_key(Random& random, UtcTime now, const VaultId& vault) {
    const Pkey key = TRY(make_pkey(random));
    const Cert cert = TRY(make_certificate(key.get(), key.get(), random, now, vault));
    return to_der(key.get(), cert.get());
}

Result<SecretBytes> private_key_pem(const EvidenceKey& key) {
    const Bio bio(BIO_new(BIO_s_secmem()));
    const ByteView der = key.private_key_der.view();
    if (!bio || PEM_write_bio(bio.get(), PEM_STRING_PKCS8INF, "", der.data(), static_cast<long>(der.size())) <= 0) {
        return failed("encoding");
    }
    return SecretBytes(content(bio.get()));
}

Result<Bytes> certificate_pem(const EvidenceKey& key) {
    return certificate_pem(ByteView(key.certificate_der));
}

Result<Bytes> certificate_pem(ByteView der) {
    const Bio bio(BIO_new(BIO_s_mem()));
    if (!bio || PEM_write_bio(bio.get(), PEM_STRING_X509, "", der.data(), static_cast<long>(der.size())) <= 0) {
        return failed("encoding");
    }
    return to_bytes(content(bio.get()));
}

Result<Bytes> make_evidence_certificate(ByteView point, const EcdsaSign& sign, Random& random, UtcTime now,
                                        const VaultId& vault) {
    const Pkey key = TRY(public_key(point));
    const Pkey throwaway = TRY(make_pkey(random));
    const Cert cert = TRY(make_certificate(key.get(), throwaway.get(), random, now, vault));
    unsigned char* der = nullptr;
    const int length = i2d_re_X509_tbs(cert.get(), &der);
    if (length <= 0) return failed("encoding");
    const Bytes tbs(der, der + length);
    OPENSSL_free(der);
    static constexpr std::uint8_t kEcdsaSha256[] = {0x30, 0x0A, 0x06, 0x08, 0x2A, 0x86,
                                                    0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02};
    Bytes bits(1), content = tbs, out;
    put(bits, TRY(sign(tbs)));
    put(content, kEcdsaSha256);
    put_der(content, der::kBitString, bits);
    put_der(out, der::kSequence, content);
    const unsigned char* at = out.data();
    const Cert made(d2i_X509(nullptr, &at, static_cast<long>(out.size())));
    if (!made || X509_verify(made.get(), key.get()) != 1) return failed("the certificate's signature");
    return out;
}

Result<Bytes> parse_evidence_certificate(ByteView certificate, ByteView point) {
    const Bio bio = reading(certificate);
    const Cert cert(PEM_read_bio_X509(bio.get(), nullptr, no_password, nullptr));
    const Pkey key = TRY(public_key(point));
    if (!cert) return damaged("the certificate can't be read");
    if (EVP_PKEY_eq(X509_get0_pubkey(cert.get()), key.get()) != 1) return damaged("the key is not the certificate's");
    unsigned char* der = nullptr;
    const int length = i2d_X509(cert.get(), &der);
    if (length <= 0) return failed("encoding");
    Bytes out(der, der + length);
    OPENSSL_free(der);
    return out;
}

Result<EvidenceKey> parse_evidence_key(ByteView private_key, ByteView certificate) {
    const Bio key_bio = reading(private_key), cert_bio = reading(certificate);
    const Pkey key(PEM_read_bio_PrivateKey(key_bio.get(), nullptr, no_password, nullptr));
    const Cert cert(PEM_read_bio_X509(cert_bio.get(), nullptr, no_password, nullptr));
    if (!key || !cert) return damaged("key or certificate can't be read");
    if (X509_check_private_key(cert.get(), key.get()) != 1) return damaged("the key is not the certificate's");
    return to_der(key.get(), cert.get());
}

}  // namespace kustos::audit
