#include <openssl/pem.h>

#include "audit/der.h"
#include "audit/src/openssl_time.h"
#include "audit/timestamp.h"
#include "base/crypto.h"

namespace kustos::audit {

namespace openssl {

namespace {
constexpr std::size_t kMaxCertificate = 16 * 1024;
}

Result<Certificate> parse_certificate(ByteView der) {
    ClearErrors clear;
    if (der.size() > kMaxCertificate) return Error(Code::limit, "a certificate is larger than 16 KiB");
    TRY_IN("certificate", check_der(der));
    const unsigned char* at = der.data();
    Certificate certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
    if (!certificate || at != der.data() + der.size()) return Error(Code::bad_input, "not an X.509 certificate");
    return certificate;
}

Result<Certificates> parse_certificates(const std::vector<Bytes>& ders) {
    Certificates stack(sk_X509_new_null());
    CHECK(stack);
    for (const Bytes& der : ders) {
        Certificate certificate = TRY(parse_certificate(der));
        CHECK(sk_X509_push(stack.get(), certificate.get()) > 0);
        certificate.release();
    }
    return stack;
}

Bytes certificate_bytes(const X509* certificate) {
    return encoded(i2d_X509, certificate);
}

Hash certificate_hash(const X509* certificate) {
    return sha256(certificate_bytes(certificate));
}

}  // namespace openssl

namespace {

// X509_check_purpose says only yes or no; an operator who bought the wrong certificate needs the reason.
Status check_extended_key_usage(X509* certificate) {
    int critical = -1;
    const auto free_usage = [](EXTENDED_KEY_USAGE* usage) { EXTENDED_KEY_USAGE_free(usage); };
    const std::unique_ptr<EXTENDED_KEY_USAGE, decltype(free_usage)> usage(
        static_cast<EXTENDED_KEY_USAGE*>(X509_get_ext_d2i(certificate, NID_ext_key_usage, &critical, nullptr)),
        free_usage);
    if (!usage)
        return Error(Code::bad_input,
                     "the certificate has no (readable) extended key usage: it is not one for time stamps");
    if (sk_ASN1_OBJECT_num(usage.get()) != 1 || OBJ_obj2nid(sk_ASN1_OBJECT_value(usage.get(), 0)) != NID_time_stamp) {
        return Error(Code::bad_input, "the certificate's extended key usage is not timeStamping alone");
    }
    if (critical != 1)
        return Error(Code::bad_input, "the certificate's extended key usage timeStamping is not marked critical");
    return {};
}

}  // namespace

Status check_tsa_certificate(ByteView der) {
    openssl::ClearErrors clear;
    const openssl::Certificate certificate = TRY(openssl::parse_certificate(der));
    TRY(check_extended_key_usage(certificate.get()));
    if (X509_check_purpose(certificate.get(), X509_PURPOSE_TIMESTAMP_SIGN, 0) != 1) {
        return Error(Code::bad_input, "the certificate's key usage does not allow signing time stamps");
    }
    return {};
}

Result<Bytes> read_certificate(ByteView der_or_pem) {
    openssl::ClearErrors clear;
    if (der_or_pem.size() > kMaxToken) return Error(Code::limit, "the certificate file is larger than 64 KiB");
    if (as_text(der_or_pem).find("-----BEGIN") == std::string_view::npos) {
        TRY(openssl::parse_certificate(der_or_pem));
        return to_bytes(der_or_pem);
    }
    const openssl::Memory memory(BIO_new_mem_buf(der_or_pem.data(), static_cast<int>(der_or_pem.size())));
    CHECK(memory);
    const openssl::Certificate certificate(PEM_read_bio_X509(memory.get(), nullptr, nullptr, nullptr));
    if (!certificate) return Error(Code::bad_input, "no X.509 certificate in the file");
    return openssl::certificate_bytes(certificate.get());
}

}  // namespace kustos::audit
