// OpenSSL objects with owners, for the files of this folder that deal with time stamps.
#pragma once

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ts.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"

namespace kustos::audit::openssl {

template <auto release>
struct Release {
    template <class T>
    void operator()(T* object) const {
        release(object);
    }
};
template <class T, auto release>
using Owned = std::unique_ptr<T, Release<release>>;

inline void free_certificates(STACK_OF(X509) * certificates) {
    sk_X509_pop_free(certificates, X509_free);
}

using Cms = Owned<CMS_ContentInfo, CMS_ContentInfo_free>;
using Certificate = Owned<X509, X509_free>;
using Certificates = Owned<STACK_OF(X509), free_certificates>;
using Store = Owned<X509_STORE, X509_STORE_free>;
using StoreContext = Owned<X509_STORE_CTX, X509_STORE_CTX_free>;
using Memory = Owned<BIO, BIO_free_all>;
using Key = Owned<EVP_PKEY, EVP_PKEY_free>;
using Request = Owned<TS_REQ, TS_REQ_free>;
using Response = Owned<TS_RESP, TS_RESP_free>;
using ResponseContext = Owned<TS_RESP_CTX, TS_RESP_CTX_free>;
using MessageImprint = Owned<TS_MSG_IMPRINT, TS_MSG_IMPRINT_free>;
using Algorithm = Owned<X509_ALGOR, X509_ALGOR_free>;
using Object = Owned<ASN1_OBJECT, ASN1_OBJECT_free>;
using Integer = Owned<ASN1_INTEGER, ASN1_INTEGER_free>;
using Number = Owned<BIGNUM, BN_free>;
using Name = Owned<GENERAL_NAME, GENERAL_NAME_free>;
using Names = Owned<GENERAL_NAMES, GENERAL_NAMES_free>;
using Extension = Owned<X509_EXTENSION, X509_EXTENSION_free>;

// OpenSSL's error queue belongs to the thread: whoever calls into it leaves it empty.
struct ClearErrors {
    ClearErrors() { ERR_clear_error(); }
    ~ClearErrors() { ERR_clear_error(); }
    ClearErrors(const ClearErrors&) = delete;
    ClearErrors& operator=(const ClearErrors&) = delete;
};

template <class T, class Encode>
Bytes encoded(Encode encode, const T* object) {
    unsigned char* out = nullptr;
    const int length = encode(object, &out);
    CHECK(length > 0);
    Bytes bytes(out, out + length);
    OPENSSL_free(out);
    return bytes;
}

// A certificate of at most 16 KiB that fills the view.
Result<Certificate> parse_certificate(ByteView der);
Result<Certificates> parse_certificates(const std::vector<Bytes>& ders);
Bytes certificate_bytes(const X509* certificate);
Hash certificate_hash(const X509* certificate);

}  // namespace kustos::audit::openssl
