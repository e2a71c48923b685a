#include "web/src/tls.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <memory>

#include "base/crypto.h"

namespace kustos::web {

namespace {

struct Free {
    void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
    void operator()(X509* p) const { X509_free(p); }
    void operator()(BIO* p) const { BIO_free(p); }
    void operator()(X509_EXTENSION* p) const { X509_EXTENSION_free(p); }
};
template <class T>
using Own = std::unique_ptr<T, Free>;

Bytes contents(BIO* bio) {
    char* data = nullptr;
    const long length = BIO_get_mem_data(bio, &data);
    return Bytes(data, data + length);
}

bool add_extension(X509* certificate, int nid, const char* value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
    const Own<X509_EXTENSION> extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value));
    return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

}  // namespace

Result<Hash> ensure_certificate(Environment e, const Path& dir) {
    const Error failed(Code::internal, "the TLS certificate can't be made");
    if (!e.fs.exists(dir / "server.crt")) {
        TRY(e.fs.make_dirs(dir));
        const Own<EVP_PKEY> key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
        const Own<X509> certificate(X509_new());
        if (!key || !certificate) return failed;
        Bytes serial(16);
        e.random.fill(serial);
        serial[0] &= 0x7f;
        const std::unique_ptr<BIGNUM, decltype(&BN_free)> number(BN_bin2bn(serial.data(), 16, nullptr), BN_free);
        X509_set_version(certificate.get(), 2);
        BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate.get()));
        X509_time_adj_ex(X509_getm_notBefore(certificate.get()), 0, -3600, nullptr);
        X509_time_adj_ex(X509_getm_notAfter(certificate.get()), 825, 0, nullptr);
        X509_set_pubkey(certificate.get(), key.get());
        X509_NAME* name = X509_get_subject_name(certificate.get());
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                   reinterpret_cast<const unsigned char*>("Kustos on this machine"), -1, -1, 0);
        X509_set_issuer_name(certificate.get(), name);
        if (!add_extension(certificate.get(), NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1,IP:0:0:0:0:0:0:0:1") ||
            !add_extension(certificate.get(), NID_basic_constraints, "critical,CA:FALSE") ||
            !add_extension(certificate.get(), NID_ext_key_usage, "serverAuth") ||
            X509_sign(certificate.get(), key.get(), EVP_sha256()) == 0) {
            return failed;
        }
        const Own<BIO> key_out(BIO_new(BIO_s_mem())), certificate_out(BIO_new(BIO_s_mem()));
        if (PEM_write_bio_PrivateKey(key_out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1 ||
            PEM_write_bio_X509(certificate_out.get(), certificate.get()) != 1) {
            return failed;
        }
        TRY(replace_file(e.fs, dir / "server.key", contents(key_out.get())));
        TRY(replace_file(e.fs, dir / "server.crt", contents(certificate_out.get())));
    }
    const Bytes pem = TRY(read_file(e.fs, dir / "server.crt", 100'000));
    const Own<BIO> in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    const Own<X509> certificate(PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr));
    if (!certificate) return Error(Code::corrupt, "server.crt is damaged").within("TLS");
    unsigned char* der = nullptr;
    const int length = i2d_X509(certificate.get(), &der);
    if (length <= 0) return failed;
    const Hash hash = sha256(ByteView(der, static_cast<std::size_t>(length)));
    OPENSSL_free(der);
    return hash;
}

}  // namespace kustos::web
