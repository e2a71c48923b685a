#include <openssl/pem.h>

#include "audit/der.h"
#include "audit/src/builtin_certificates.h"
#include "audit/src/openssl_time.h"
#include "audit/tsa_authority.h"
#include "base/crypto.h"
#include "base/secret.h"

namespace kustos::audit {

namespace {

constexpr std::size_t kMaxFile = 16 * 1024;
constexpr int kAccuracy_s = 1;

// Bytes of a memory BIO; secure ones are wiped when released.
ByteView content(BIO* memory) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(memory, &data);
    return {reinterpret_cast<const std::uint8_t*>(data), static_cast<std::size_t>(size > 0 ? size : 0)};
}

Status write_certificate(Fs& fs, const Path& path, X509* certificate) {
    const openssl::Memory memory(BIO_new(BIO_s_mem()));
    CHECK(memory && PEM_write_bio_X509(memory.get(), certificate) == 1);
    return replace_file(fs, path, content(memory.get()));
}

Status write_key(Fs& fs, const Path& path, EVP_PKEY* key) {
    const openssl::Memory memory(BIO_new(BIO_s_secmem()));
    CHECK(memory && PEM_write_bio_PKCS8PrivateKey(memory.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
    return put_once(fs, path, content(memory.get()));
}

int no_passphrase(char*, int, int, void*) {
    return 0;
}

Result<openssl::Key> load_key(Fs& fs, const Path& path) {
    Bytes pem = TRY(read_file(fs, path, kMaxFile));
    const openssl::Memory memory(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    openssl::Key key(PEM_read_bio_PrivateKey(memory.get(), nullptr, no_passphrase, nullptr));
    wipe(pem);
    if (!key) return Error(Code::corrupt, "tsa.key holds no private key");
    return key;
}

Result<openssl::Certificate> load_certificate(Fs& fs, const Path& path) {
    return openssl::parse_certificate(TRY(read_certificate(TRY(read_file(fs, path, kMaxFile)))));
}

ASN1_INTEGER* serial_callback(TS_RESP_CTX*, void* random) {
    return random_serial(*static_cast<Random*>(random)).release();
}

int time_callback(TS_RESP_CTX*, void* now, long* seconds, long* microseconds) {
    const auto ms = static_cast<const UtcTime*>(now)->ms;
    *seconds = static_cast<long>(ms / 1000);
    *microseconds = static_cast<long>(ms % 1000) * 1000;
    return 1;
}

}  // namespace

struct BuiltinAuthority::State {
    Environment environment;
    openssl::Certificate tsa;
    openssl::Certificates others;  // the root: goes into each token
    openssl::Key key;
    Bytes root_der;

    State(const Environment& e) : environment(e) {}
    Status configure(TS_RESP_CTX* context, UtcTime* now) const;
};

BuiltinAuthority::BuiltinAuthority(std::unique_ptr<State> state) : state_(std::move(state)) {}
BuiltinAuthority::~BuiltinAuthority() = default;

Result<std::unique_ptr<BuiltinAuthority>> BuiltinAuthority::create(const Environment& environment,
                                                                   const Path& directory) {
    openssl::ClearErrors clear;
    Fs& fs = environment.fs;
    TRY_IN("builtin time-stamp authority", make_dirs_synced(fs, directory));
    if (fs.exists(directory / "tsa.key")) {
        return Error(Code::conflict, "the folder already has a builtin time-stamp authority");
    }
    const BuiltinCertificates made = TRY(make_builtin_certificates(environment.clock.now(), environment.random));
    // The key comes last: with it the authority exists. Certificates alone are an interrupted creation's.
    TRY_IN("root.crt", write_certificate(fs, directory / "root.crt", made.root.get()));
    TRY_IN("tsa.crt", write_certificate(fs, directory / "tsa.crt", made.tsa.get()));
    TRY_IN("tsa.key", write_key(fs, directory / "tsa.key", made.tsa_key.get()));
    if (directory.has_parent_path()) TRY(fs.sync_dir(directory.parent_path()));
    return open(environment, directory);
}

Result<std::unique_ptr<BuiltinAuthority>> BuiltinAuthority::open(const Environment& environment,
                                                                 const Path& directory) {
    openssl::ClearErrors clear;
    auto state = std::make_unique<State>(environment);
    Fs& fs = environment.fs;
    state->key = TRY_IN("builtin time-stamp authority", load_key(fs, directory / "tsa.key"));
    state->tsa = TRY_IN("tsa.crt", load_certificate(fs, directory / "tsa.crt"));
    openssl::Certificate root = TRY_IN("root.crt", load_certificate(fs, directory / "root.crt"));
    TRY_IN("tsa.crt", check_tsa_certificate(openssl::certificate_bytes(state->tsa.get())));
    if (X509_check_private_key(state->tsa.get(), state->key.get()) != 1 ||
        X509_verify(state->tsa.get(), X509_get0_pubkey(root.get())) != 1) {
        return Error(Code::corrupt, "the builtin time-stamp authority's files do not belong together");
    }
    state->root_der = openssl::certificate_bytes(root.get());
    state->others.reset(sk_X509_new_null());
    CHECK(state->others && sk_X509_push(state->others.get(), root.get()) > 0);
    root.release();
    return std::unique_ptr<BuiltinAuthority>(new BuiltinAuthority(std::move(state)));
}

Status BuiltinAuthority::State::configure(TS_RESP_CTX* context, UtcTime* now) const {
    const openssl::Object policy(OBJ_txt2obj(kPolicy, 1));
    const bool ok =
        policy && TS_RESP_CTX_set_signer_cert(context, tsa.get()) == 1 &&
        TS_RESP_CTX_set_signer_key(context, key.get()) == 1 &&
        TS_RESP_CTX_set_signer_digest(context, EVP_sha256()) == 1 &&
        TS_RESP_CTX_set_ess_cert_id_digest(context, EVP_sha256()) == 1 &&
        TS_RESP_CTX_set_certs(context, others.get()) == 1 && TS_RESP_CTX_set_def_policy(context, policy.get()) == 1 &&
        TS_RESP_CTX_add_md(context, EVP_sha256()) == 1 && TS_RESP_CTX_add_md(context, EVP_sha384()) == 1 &&
        TS_RESP_CTX_add_md(context, EVP_sha512()) == 1 && TS_RESP_CTX_set_accuracy(context, kAccuracy_s, 0, 0) == 1 &&
        TS_RESP_CTX_set_clock_precision_digits(context, 3) == 1;
    if (!ok) return Error(Code::internal, "OpenSSL can't set up a time-stamp response");
    TS_RESP_CTX_add_flags(context, TS_TSA_NAME);
    TS_RESP_CTX_set_serial_cb(context, serial_callback, &environment.random);
    TS_RESP_CTX_set_time_cb(context, time_callback, now);
    return {};
}

Result<Bytes> BuiltinAuthority::answer(ByteView tsq) const {
    openssl::ClearErrors clear;
    if (tsq.size() > kMaxToken) return Error(Code::limit, "the time-stamp request is larger than 64 KiB");
    const openssl::ResponseContext context(TS_RESP_CTX_new());
    CHECK(context);
    UtcTime now = state_->environment.clock.now();
    TRY(state_->configure(context.get(), &now));
    // What is not even DER never reaches OpenSSL: in its place goes something that it rejects as malformed.
    static constexpr std::uint8_t kMalformed[] = {0x30, 0x00};
    const ByteView request = check_der(tsq).ok() ? tsq : ByteView(kMalformed);
    const openssl::Memory memory(BIO_new_mem_buf(request.data(), static_cast<int>(request.size())));
    CHECK(memory);
    const openssl::Response response(TS_RESP_create_response(context.get(), memory.get()));
    if (!response) return Error(Code::internal, "OpenSSL can't make a time-stamp response");
    return openssl::encoded(i2d_TS_RESP, response.get());
}

const Bytes& BuiltinAuthority::root_certificate() const {
    return state_->root_der;
}

Hash BuiltinAuthority::root_hash() const {
    return sha256(state_->root_der);
}

TokenTrust BuiltinAuthority::trust() const {
    TokenTrust trust;
    trust.roots.push_back(state_->root_der);
    return trust;
}

}  // namespace kustos::audit
