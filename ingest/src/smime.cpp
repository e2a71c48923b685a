#include "ingest/src/smime.h"

#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/x509.h>

#include <algorithm>
#include <climits>
#include <cstring>
#include <memory>

namespace kustos::ingest {

namespace {

struct Free {
    void operator()(CMS_ContentInfo* p) const { CMS_ContentInfo_free(p); }
    void operator()(BIO* p) const { BIO_free_all(p); }
    void operator()(STACK_OF(X509) * p) const { sk_X509_free(p); }
};
template <class T>
using Own = std::unique_ptr<T, Free>;

// The error queue is per thread and shared with everybody else who uses OpenSSL.
struct ErrorsCleared {
    ~ErrorsCleared() { ERR_clear_error(); }
};

Own<CMS_ContentInfo> parse(ByteView der, std::size_t most) {
    if (der.empty() || der.size() > most || der.size() > LONG_MAX) return nullptr;
    const unsigned char* at = der.data();
    return Own<CMS_ContentInfo>(d2i_CMS_ContentInfo(nullptr, &at, static_cast<long>(der.size())));
}

bool is_weak(X509_ALGOR* algorithm) {
    const ASN1_OBJECT* object = nullptr;
    X509_ALGOR_get0(&object, nullptr, nullptr, algorithm);
    const int nid = object ? OBJ_obj2nid(object) : NID_undef;
    return nid == NID_md2 || nid == NID_md4 || nid == NID_md5 || nid == NID_sha1;
}

// The number of signers; weak is set.
int look_at_signers(CMS_ContentInfo* cms, bool& weak) {
    STACK_OF(CMS_SignerInfo)* signers = CMS_get0_SignerInfos(cms);
    const int count = signers ? sk_CMS_SignerInfo_num(signers) : 0;
    for (int i = 0; i < std::min(count, kMaxSigners); ++i) {
        X509_ALGOR* digest = nullptr;
        CMS_SignerInfo_get0_algs(sk_CMS_SignerInfo_value(signers, i), nullptr, nullptr, &digest, nullptr);
        weak = weak || (digest && is_weak(digest));
    }
    return count;
}

std::vector<Hash> fingerprints(CMS_ContentInfo* cms) {
    std::vector<Hash> out;
    const Own<STACK_OF(X509)> certificates(CMS_get0_signers(cms));
    for (int i = 0; certificates && i < sk_X509_num(certificates.get()); ++i) {
        unsigned char digest[EVP_MAX_MD_SIZE];
        unsigned size = 0;
        if (X509_digest(sk_X509_value(certificates.get(), i), EVP_sha256(), digest, &size) != 1) continue;
        if (auto hash = Hash::from(ByteView(digest, size)); hash.ok()) out.push_back(*hash);
    }
    return out;
}

// The signers' certificates are looked for before anything is computed: this reason comes of nothing else.
bool lacks_certificate() {
    for (unsigned long error = ERR_get_error(); error != 0; error = ERR_get_error())
        if (ERR_GET_LIB(error) == ERR_LIB_CMS && ERR_GET_REASON(error) == CMS_R_SIGNER_CERTIFICATE_NOT_FOUND)
            return true;
    return false;
}

// Behind a filter that does nothing: CMS_verify copies a bare memory BIO, and loses the copy where it fails early
// (openssl/openssl#30471), for each mail that a stranger sends so.
Own<BIO> readable(ByteView content) {
    Own<BIO> filter(BIO_new(BIO_f_null()));
    BIO* const text = BIO_new_mem_buf(content.data(), static_cast<int>(content.size()));
    if (!filter || !text) {
        BIO_free(text);
        return nullptr;
    }
    BIO_push(filter.get(), text);
    return filter;
}

SignatureVerdict verdict(CMS_ContentInfo* cms, BIO* content) {
    SignatureVerdict out;
    const int count = look_at_signers(cms, out.weak_digest);
    if (count == 0 || count > kMaxSigners) return out;
    ERR_clear_error();
    constexpr unsigned kFlags = CMS_NO_SIGNER_CERT_VERIFY | CMS_BINARY;
    const bool fits = CMS_verify(cms, nullptr, nullptr, content, nullptr, kFlags) == 1;
    out.state = fits                  ? SignatureVerdict::State::valid
                : lacks_certificate() ? SignatureVerdict::State::unknown_signer
                                      : SignatureVerdict::State::invalid;
    out.signers = fingerprints(cms);
    return out;
}

}  // namespace

// ContentInfo ::= SEQUENCE { OBJECT IDENTIFIER, [0] ... }: all that matter are 1.2.840.113549.1.7.x, 9 octets, or
// 1.2.840.113549.1.9.16.1.x, 11.
CmsKind cms_kind(ByteView der) {
    if (der.size() < 13 || der[0] != 0x30) return CmsKind::none;
    std::size_t at = 2;
    if (der[1] > 0x80) at += der[1] & 0x7F;
    constexpr std::uint8_t kPkcs7[] = {0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07};
    constexpr std::uint8_t kSmime[] = {0x06, 0x0B, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x10, 0x01};
    if (at > 6 || der.size() < at + sizeof kSmime + 1) return CmsKind::none;
    const std::uint8_t* id = der.data() + at;
    if (std::memcmp(id, kPkcs7, sizeof kPkcs7) == 0) {
        const std::uint8_t type = id[sizeof kPkcs7];
        return type == 2 ? CmsKind::signed_data : type == 3 ? CmsKind::enveloped_data : CmsKind::other;
    }
    if (std::memcmp(id, kSmime, sizeof kSmime) != 0) return CmsKind::none;
    const std::uint8_t type = id[sizeof kSmime];  // RFC 3274: 9; RFC 5083: 23
    return type == 9 ? CmsKind::compressed_data : type == 23 ? CmsKind::enveloped_data : CmsKind::other;
}

SignatureVerdict check_detached(ByteView cms, ByteView content) {
    const ErrorsCleared cleared;
    const auto parsed = parse(cms, kMaxSignature);
    if (!parsed || OBJ_obj2nid(CMS_get0_type(parsed.get())) != NID_pkcs7_signed || content.size() > INT_MAX) return {};
    const Own<BIO> text = readable(content);
    return text ? verdict(parsed.get(), text.get()) : SignatureVerdict{};
}

std::optional<OpenedSignature> open_signed(ByteView cms) {
    const ErrorsCleared cleared;
    const auto parsed = parse(cms, kMaxSignedContent);
    if (!parsed || OBJ_obj2nid(CMS_get0_type(parsed.get())) != NID_pkcs7_signed) return std::nullopt;
    ASN1_OCTET_STRING** content = CMS_get0_content(parsed.get());
    if (!content || !*content) return std::nullopt;
    OpenedSignature out;
    out.content.assign(ASN1_STRING_get0_data(*content), ASN1_STRING_get0_data(*content) + ASN1_STRING_length(*content));
    const Own<BIO> text = readable(out.content);
    if (text) out.verdict = verdict(parsed.get(), text.get());
    return out;
}

}  // namespace kustos::ingest
