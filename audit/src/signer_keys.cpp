#include "audit/src/signer_keys.h"

#include "audit/cms_signature.h"

namespace kustos::audit {

namespace {

constexpr std::string_view kInToken = "PKCS11 ";

Error damaged(const char* what) {
    return Error(Code::corrupt, std::string("signer's store: ") + what)
        .with_hint("restore the store from its own backup, or start a continuation");
}

SecretBytes secret_text(const std::string& text) {
    return SecretBytes(as_bytes(text));
}

// A label of its own for each pair, so that two archives and two generations of keys can share a token.
std::string label(std::string_view what, Random& random) {
    std::uint8_t bytes[6];
    random.fill(bytes);
    return "kustos-" + std::string(what) + "-" + hex(bytes);
}

std::vector<std::string> words_of(ByteView file) {
    std::vector<std::string> words(1);
    for (const char c : as_text(file)) {
        if (c == '\n') break;
        if (c == ' ') {
            words.emplace_back();
        } else {
            words.back() += c;
        }
    }
    return words;
}

Result<CheckpointKey> in_token(std::shared_ptr<HardwareToken> token, const TokenUri& uri, VerifierKey verifier) {
    CheckpointKey key;
    key.verifier = std::move(verifier);
    TokenUri source = uri;
    source.object.clear();
    key.source = source.format();
    key.file = secret_text(std::string(kInToken) + uri.format() + " " + key.verifier.format() + "\n");
    key.sign = [token = std::move(token), object = uri.object](ByteView message) {
        return token->sign_ed25519(object, message);
    };
    return key;
}

CheckpointKey in_file(SignerKey key) {
    CheckpointKey out;
    out.verifier = key.verifier();
    out.file = key.format();
    const auto shared = std::make_shared<const SignerKey>(std::move(key));
    out.sign = [shared](ByteView message) -> Result<Bytes> {
        return to_bytes(ed25519_sign(shared->key, message).view());
    };
    return out;
}

}  // namespace

Result<CheckpointKey> CheckpointKey::make(Environment environment, const std::string& name, const std::string& source) {
    if (source.empty() || source == "file") {
        const SecretBytes seed = SecretBytes::random(environment.random, 32);
        return in_file(TRY(SignerKey::make(name, seed.view())));
    }
    TokenUri uri = TRY(TokenUri::parse(source));
    if (!uri.object.empty())
        return Error(Code::usage, "pkcs11 URI: no object= here, a new pair gets a name of its own");
    uri.object = label("checkpoint", environment.random);
    auto token = TRY(HardwareToken::open(environment.fs, uri));
    VerifierKey verifier = TRY(VerifierKey::make(name, TRY(token->make_ed25519(uri.object))));
    return in_token(std::move(token), uri, std::move(verifier));
}

Result<CheckpointKey> CheckpointKey::open(Fs& fs, ByteView file) {
    if (as_text(file).substr(0, kInToken.size()) != kInToken) {
        auto key = SignerKey::parse(file);
        if (!key.ok()) return damaged("checkpoint.key can't be read");
        return in_file(std::move(*key));
    }
    const auto words = words_of(file);
    if (words.size() != 3) return damaged("checkpoint.key can't be read");
    const TokenUri uri = TRY(TokenUri::parse(words[1]));
    VerifierKey verifier = TRY(VerifierKey::parse(words[2]));
    auto token = TRY(HardwareToken::open(fs, uri));
    if (!(TRY(token->ed25519_public(uri.object)) == verifier.public_key))
        return damaged("the token holds another key than checkpoint.key names");
    return in_token(std::move(token), uri, std::move(verifier));
}

void CheckpointKey::forget(Fs& fs) const {
    const auto words = words_of(file.view());
    if (source.empty() || words.size() != 3) return;
    const auto uri = TokenUri::parse(words[1]);
    if (!uri.ok()) return;
    if (const auto token = HardwareToken::open(fs, *uri); token.ok()) (void)(*token)->forget(uri->object);
}

Result<std::string> signed_note_of(const CheckpointKey& key, std::string_view text) {
    Bytes signature = TRY_IN("checkpoint key", key.sign(as_bytes(text)));
    return std::string(text) + "\n" + signature_line({key.verifier.name, key.verifier.key_id, std::move(signature)});
}

Result<BundleKey> BundleKey::make(Environment environment, const VaultId& vault, const std::string& source) {
    BundleKey out;
    if (source.empty() || source == "file") {
        const EvidenceKey made = TRY(make_evidence_key(environment.random, environment.clock.now(), vault));
        out.file = TRY(private_key_pem(made));
        const Bytes certificate = TRY(certificate_pem(made));
        return open(environment.fs, out.file.view(), certificate);
    }
    TokenUri uri = TRY(TokenUri::parse(source));
    uri.object = label("evidence", environment.random);
    const auto token = TRY(HardwareToken::open(environment.fs, uri));
    const Bytes point = TRY(token->make_p256(uri.object));
    out.sign = [token, object = uri.object](ByteView message) -> Result<Bytes> {
        return ecdsa_der(TRY(token->sign_p256(object, sha256(message))));
    };
    out.certificate =
        TRY(make_evidence_certificate(point, out.sign, environment.random, environment.clock.now(), vault));
    out.file = secret_text(std::string(kInToken) + uri.format() + "\n");
    return out;
}

Result<BundleKey> BundleKey::open(Fs& fs, ByteView file, ByteView certificate_pem) {
    BundleKey out;
    out.file = SecretBytes(file);
    if (as_text(file).substr(0, kInToken.size()) != kInToken) {
        EvidenceKey key = TRY(parse_evidence_key(file, certificate_pem));
        out.certificate = key.certificate_der;
        const auto shared = std::make_shared<const EvidenceKey>(std::move(key));
        out.sign = [shared](ByteView message) { return ecdsa_sign(shared->private_key_der.view(), message); };
        return out;
    }
    const auto words = words_of(file);
    if (words.size() != 2) return damaged("evidence.key can't be read");
    const TokenUri uri = TRY(TokenUri::parse(words[1]));
    const auto token = TRY(HardwareToken::open(fs, uri));
    out.certificate = TRY(parse_evidence_certificate(certificate_pem, TRY(token->p256_public(uri.object))));
    out.sign = [token, object = uri.object](ByteView message) -> Result<Bytes> {
        return ecdsa_der(TRY(token->sign_p256(object, sha256(message))));
    };
    return out;
}

}  // namespace kustos::audit
