// The signer in a process of its own, behind a socket of this machine (docs/format/signer.md, "Protocol").
//
// Who takes over the archive's process gets no key and no signature over another history. One caller at a time: a
// second one is refused (Code::conflict) as long as the first is connected.
// Threads: RemoteSigner any.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "audit/signer.h"
#include "base/local_socket.h"

namespace kustos::audit {

inline constexpr std::size_t kMaxSignerMessage = 8u << 20;

struct SignerServiceOptions {
    Path socket;
    std::optional<uid_t> caller;  // who may ask beside root and this process's user
    // Where keys to come are made (signer.h); empty: as the present one. Never a caller's choice: a token's name names
    // a module, which is code that runs in this process.
    std::string new_keys = {};
    std::function<void()> listening = {};  // called once, when callers can connect
};
// Serves until stop() says so. Code::conflict: somebody listens there.
Status serve_signer(Signer& signer, const SignerServiceOptions& options, const std::function<bool()>& stop);

// What the service answers to one message, a refusal included: the protocol without its socket.
Bytes answer_signer_request(Signer& signer, const SignerServiceOptions& options, ByteView request);

class RemoteSigner final : public Signer {
public:
    // Code::environment: nobody answers there. Code::denied: not for this user. Code::conflict: another caller is
    // there.
    static Result<std::unique_ptr<RemoteSigner>> connect(const Path& socket);

    Result<TreeHead> last() override;
    Result<std::string> note() override;
    Result<std::string> advance(const TreeHead& previous, const TreeHead& next, const Growth& growth) override;
    VaultId vault() override;
    VerifierKey verifier() override;
    Result<VerifierKey> next_key(const std::string& source) override;
    Result<std::optional<VerifierKey>> waiting_key() override;
    Result<VerifierKey> take_next_key(ByteView entry, std::string_view proof) override;
    Bytes evidence_certificate() override;
    Result<Bytes> sign_cms(const Hash& digest, const SigningGround& ground) override;

private:
    explicit RemoteSigner(LocalSocket socket) : socket_(std::move(socket)) {}
    Result<Bytes> ask(ByteView request);
    std::mutex mutex_;  // for all that follows
    LocalSocket socket_;
    VaultId vault_;
    VerifierKey verifier_;
    Bytes certificate_;
    bool gone_ = false;
};

}  // namespace kustos::audit
