#include "audit/net/signer_service.h"

#include <unistd.h>

#include "base/log.h"

namespace kustos::audit {

namespace {

enum class Ask : std::uint8_t { hello = 1, last, note, advance, sign, next_key, waiting_key, take_next_key };

void put_head(Bytes& out, const TreeHead& head) {
    put_u64(out, head.size.value);
    put(out, head.root.view());
}
void put_text(Bytes& out, std::string_view text) {
    put_u32(out, static_cast<std::uint32_t>(text.size()));
    put(out, as_bytes(text));
}
void put_bytes(Bytes& out, ByteView bytes) {
    put_u32(out, static_cast<std::uint32_t>(bytes.size()));
    put(out, bytes);
}
void put_hashes(Bytes& out, const std::vector<Hash>& hashes) {
    put_u32(out, static_cast<std::uint32_t>(hashes.size()));
    for (const Hash& h : hashes) put(out, h.view());
}

Result<TreeHead> take_head(ByteReader& in) {
    TreeHead head;
    head.size = TreeSize(TRY(in.u64()));
    head.root = TRY(Hash::from(TRY(in.take(32))));
    return head;
}
Result<Bytes> take_bytes(ByteReader& in) {
    return to_bytes(TRY(in.take(TRY(in.u32()))));
}
Result<std::string> take_text(ByteReader& in) {
    return to_text(TRY(take_bytes(in)));
}
Result<std::vector<Hash>> take_hashes(ByteReader& in) {
    const std::uint32_t count = TRY(in.u32());
    if (count > in.remaining() / 32) return Error(Code::bad_input, "a list is shorter than it says");
    std::vector<Hash> hashes;
    hashes.reserve(count);
    for (std::uint32_t i = 0; i < count; ++i) hashes.push_back(TRY(Hash::from(TRY(in.take(32)))));
    return hashes;
}

// 0 and the answer, or 1, the error's code, text and hint.
Bytes refusal(const Error& error) {
    Bytes out{1, static_cast<std::uint8_t>(error.code())};
    put_text(out, error.message());
    put_text(out, error.hint());
    return out;
}

Result<VerifierKey> next_key(Signer& signer, const std::string& wanted, const std::string& allowed) {
    if (!wanted.empty() && wanted != allowed) {
        return Error(Code::denied, "where a new key is made is not the archive's to say, but the signer's")
            .with_hint("start `kustos signer serve` with --new-keys, then rotate");
    }
    return signer.next_key(allowed);
}

Result<Bytes> answer(Signer& signer, const std::string& new_keys, ByteView request) {
    ByteReader in(request);
    Bytes out{0};
    switch (static_cast<Ask>(TRY(in.u8()))) {
        case Ask::hello:
            put(out, signer.vault().view());
            put_text(out, signer.verifier().format());
            put_bytes(out, signer.evidence_certificate());
            return out;
        case Ask::last:
            put_head(out, TRY(signer.last()));
            return out;
        case Ask::note:
            put_text(out, TRY(signer.note()));
            return out;
        case Ask::advance: {
            const TreeHead previous = TRY(take_head(in)), next = TRY(take_head(in));
            Growth growth;
            growth.before = TRY(take_hashes(in));
            growth.leaves = TRY(take_hashes(in));
            TRY(in.expect_end());
            put_text(out, TRY(signer.advance(previous, next, growth)));
            return out;
        }
        case Ask::sign: {
            const Hash digest = TRY(Hash::from(TRY(in.take(32))));
            SigningGround ground;
            ground.entry = TRY(take_bytes(in));
            ground.proof = TRY(take_text(in));
            put_bytes(out, TRY(signer.sign_cms(digest, ground)));
            return out;
        }
        case Ask::next_key:
            put_text(out, TRY(next_key(signer, TRY(take_text(in)), new_keys)).format());
            return out;
        case Ask::waiting_key: {
            const auto key = TRY(signer.waiting_key());
            put_text(out, key ? key->format() : "");
            return out;
        }
        case Ask::take_next_key: {
            const Bytes entry = TRY(take_bytes(in));
            put_text(out, TRY(signer.take_next_key(entry, TRY(take_text(in)))).format());
            return out;
        }
    }
    return Error(Code::bad_input, "the signer does not know this request");
}

}  // namespace

Bytes answer_signer_request(Signer& signer, const SignerServiceOptions& options, ByteView request) {
    const auto reply = answer(signer, options.new_keys, request);
    if (reply.ok()) return *reply;
    log(LogLevel::warning, "the signer refused", {{"code", reply.error().code()}});
    return refusal(reply.error());
}

Status serve_signer(Signer& signer, const SignerServiceOptions& options, const std::function<bool()>& stop) {
    const LocalSocket door = TRY_IN("signer", LocalSocket::listen(options.socket, options.caller.has_value()));
    if (options.listening) options.listening();
    LocalSocket caller;
    while (!stop()) {
        // One caller; others are told.
        if (auto came = door.accept(caller.open() ? 0 : 200); came.ok()) {
            const uid_t who = came->peer();
            const bool allowed = who == geteuid() || who == 0 || (options.caller && who == *options.caller);
            if (!allowed) {
                (void)came->send_message(refusal(Error(Code::denied, "the signer does not work for this user")));
            } else if (caller.open() && !caller.ended()) {
                (void)came->send_message(refusal(Error(Code::conflict, "another program is connected to the signer")
                                                     .with_hint("wait until it has ended")));
            } else {
                caller = std::move(*came);
                (void)caller.send_message(Bytes{0});
            }
        }
        if (!caller.open() || !caller.readable(50)) continue;
        const auto request = caller.receive_message(kMaxSignerMessage);
        if (!request.ok()) {
            caller = LocalSocket();
            continue;
        }
        if (!caller.send_message(answer_signer_request(signer, options, *request))) caller = LocalSocket();
    }
    ::unlink(options.socket.c_str());
    return {};
}

Result<std::unique_ptr<RemoteSigner>> RemoteSigner::connect(const Path& socket) {
    auto connected = LocalSocket::connect(socket);
    if (!connected.ok())
        return Error(Code::environment, "the signer does not answer at " + socket.string())
            .with_hint("start it: kustos signer serve --dir DIR --socket " + socket.string());
    auto signer = std::unique_ptr<RemoteSigner>(new RemoteSigner(std::move(*connected)));
    TRY(signer->ask({}));  // its greeting
    Bytes hello{static_cast<std::uint8_t>(Ask::hello)};
    const Bytes facts = TRY(signer->ask(hello));
    ByteReader in(facts);
    signer->vault_ = TRY(VaultId::from(TRY(in.take(VaultId::kSize))));
    signer->verifier_ = TRY(VerifierKey::parse(TRY(take_text(in))));
    signer->certificate_ = TRY(take_bytes(in));
    return signer;
}

Result<Bytes> RemoteSigner::ask(ByteView request) {
    const std::lock_guard lock(mutex_);
    const Error ended = Error(Code::read_only, "the signer has ended")
                            .with_hint("start it again, then this program: nothing acknowledged is lost");
    if (gone_) return ended;
    gone_ = true;  // until an answer is there: half an exchange can't be taken up again
    if (!request.empty() && !socket_.send_message(request)) return ended;
    Bytes reply;
    {
        auto received = socket_.receive_message(kMaxSignerMessage);
        if (!received.ok()) return ended;
        reply = std::move(*received);
    }
    gone_ = false;
    ByteReader in(reply);
    if (TRY(in.u8()) == 0) return to_bytes(ByteView(reply).subspan(1));
    const Code code = static_cast<Code>(TRY(in.u8()));
    const std::string text = TRY(take_text(in));
    return Error(code, text).with_hint(TRY(take_text(in)));
}

Result<TreeHead> RemoteSigner::last() {
    const Bytes reply = TRY(ask(Bytes{static_cast<std::uint8_t>(Ask::last)}));
    ByteReader in(reply);
    return take_head(in);
}
Result<std::string> RemoteSigner::note() {
    const Bytes reply = TRY(ask(Bytes{static_cast<std::uint8_t>(Ask::note)}));
    ByteReader in(reply);
    return take_text(in);
}
Result<std::string> RemoteSigner::advance(const TreeHead& previous, const TreeHead& next, const Growth& growth) {
    Bytes request{static_cast<std::uint8_t>(Ask::advance)};
    put_head(request, previous);
    put_head(request, next);
    put_hashes(request, growth.before);
    put_hashes(request, growth.leaves);
    const Bytes reply = TRY(ask(request));
    ByteReader in(reply);
    return take_text(in);
}
VaultId RemoteSigner::vault() {
    return vault_;
}
VerifierKey RemoteSigner::verifier() {
    const std::lock_guard lock(mutex_);
    return verifier_;
}
Bytes RemoteSigner::evidence_certificate() {
    return certificate_;
}
Result<Bytes> RemoteSigner::sign_cms(const Hash& digest, const SigningGround& ground) {
    Bytes request{static_cast<std::uint8_t>(Ask::sign)};
    put(request, digest.view());
    put_bytes(request, ground.entry);
    put_text(request, ground.proof);
    const Bytes reply = TRY(ask(request));
    ByteReader in(reply);
    return take_bytes(in);
}
Result<VerifierKey> RemoteSigner::next_key(const std::string& source) {
    Bytes request{static_cast<std::uint8_t>(Ask::next_key)};
    put_text(request, source);
    const Bytes reply = TRY(ask(request));
    ByteReader in(reply);
    return VerifierKey::parse(TRY(take_text(in)));
}
Result<std::optional<VerifierKey>> RemoteSigner::waiting_key() {
    const Bytes reply = TRY(ask(Bytes{static_cast<std::uint8_t>(Ask::waiting_key)}));
    ByteReader in(reply);
    const std::string text = TRY(take_text(in));
    if (text.empty()) return std::optional<VerifierKey>();
    return std::optional(TRY(VerifierKey::parse(text)));
}
Result<VerifierKey> RemoteSigner::take_next_key(ByteView entry, std::string_view proof) {
    Bytes request{static_cast<std::uint8_t>(Ask::take_next_key)};
    put_bytes(request, entry);
    put_text(request, proof);
    const Bytes reply = TRY(ask(request));
    ByteReader in(reply);
    VerifierKey key = TRY(VerifierKey::parse(TRY(take_text(in))));
    const std::lock_guard lock(mutex_);
    verifier_ = key;
    return key;
}

}  // namespace kustos::audit
