#include "audit/src/builtin_certificates.h"

#include <array>
#include <string>

namespace kustos::audit {

namespace {

constexpr int kValidDays = 25 * 365 + 7;

Error failed() {
    return Error(Code::internal, "OpenSSL can't make the builtin time-stamp authority's certificates");
}

bool set_name(X509_NAME* name, const std::string& common_name) {
    return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                      reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1, 0) == 1;
}

bool add_extension(X509* certificate, X509* issuer, int nid, const char* value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    const openssl::Extension extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value));
    return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

openssl::Certificate begin_certificate(const std::string& name, EVP_PKEY* key, UtcTime now, Random& random) {
    openssl::Certificate certificate(X509_new());
    const openssl::Integer serial = random_serial(random);
    const auto seconds = static_cast<time_t>(now.ms / 1000);
    const bool ok = certificate && X509_set_version(certificate.get(), 2) == 1 &&
                    X509_set_serialNumber(certificate.get(), serial.get()) == 1 &&
                    ASN1_TIME_adj(X509_getm_notBefore(certificate.get()), seconds, -1, 0) != nullptr &&
                    ASN1_TIME_adj(X509_getm_notAfter(certificate.get()), seconds, kValidDays, 0) != nullptr &&
                    X509_set_pubkey(certificate.get(), key) == 1 &&
                    set_name(X509_get_subject_name(certificate.get()), name);
    if (!ok) certificate.reset();
    return certificate;
}

}  // namespace

openssl::Integer random_serial(Random& random) {
    std::array<std::uint8_t, 16> bytes{};
    random.fill(bytes);
    bytes[0] = static_cast<std::uint8_t>((bytes[0] & 0x3F) | 0x40);
    const openssl::Number number(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
    openssl::Integer serial(number ? BN_to_ASN1_INTEGER(number.get(), nullptr) : nullptr);
    CHECK(serial);
    return serial;
}

Result<BuiltinCertificates> make_builtin_certificates(UtcTime now, Random& random) {
    openssl::ClearErrors clear;
    const openssl::Key root_key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
    BuiltinCertificates made;
    made.tsa_key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
    if (!root_key || !made.tsa_key) return failed();

    std::array<std::uint8_t, 4> mark{};  // so that two archives' roots have different names
    random.fill(mark);
    const std::string name = "Kustos builtin time stamps " + hex(mark);
    made.root = begin_certificate(name + " root", root_key.get(), now, random);
    made.tsa = begin_certificate(name, made.tsa_key.get(), now, random);
    if (!made.root || !made.tsa) return failed();

    X509* root = made.root.get();
    X509* tsa = made.tsa.get();
    const bool ok = X509_set_issuer_name(root, X509_get_subject_name(root)) == 1 &&
                    add_extension(root, root, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
                    add_extension(root, root, NID_key_usage, "critical,keyCertSign") &&
                    add_extension(root, root, NID_subject_key_identifier, "hash") &&
                    X509_sign(root, root_key.get(), EVP_sha256()) > 0 &&
                    X509_set_issuer_name(tsa, X509_get_subject_name(root)) == 1 &&
                    add_extension(tsa, root, NID_basic_constraints, "critical,CA:FALSE") &&
                    add_extension(tsa, root, NID_key_usage, "critical,digitalSignature") &&
                    add_extension(tsa, root, NID_ext_key_usage, "critical,timeStamping") &&
                    add_extension(tsa, root, NID_subject_key_identifier, "hash") &&
                    add_extension(tsa, root, NID_authority_key_identifier, "keyid") &&
                    X509_sign(tsa, root_key.get(), EVP_sha256()) > 0;
    if (!ok) return failed();
    return made;
}

}  // namespace kustos::audit
