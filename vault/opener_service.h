// The opener apart (docs/architecture/opener.md): what it answers to each message of the sealer, without the socket.
//
// It believes nothing that it is told: purpose and list are checked against the ledger that it follows itself, and no
// key leaves before the access entry for it was found there. Every refusal is an answer. Threads: OpenerService any; a
// Caller one at a time.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "audit/note.h"
#include "base/environment.h"
#include "vault/finder.h"
#include "vault/grant_verifier.h"
#include "vault/rate_limits.h"

namespace kustos::vault {

struct OpenerServiceOptions {
    Path archive;
    Path state;  // the opener's own folder; a subfolder per vault is not made
    std::optional<audit::VerifierKey> key;
    RateRules rules;
    std::unique_ptr<GrantVerifier> verifier;  // null: LedgerGrants
    std::unique_ptr<Finder> finder;           // null: no queries
    std::unique_ptr<EscrowTarget> escrow;     // null: none
    std::function<std::string()> walls;       // for status; none: nothing is said
};

class OpenerService {
public:
    // Opens the keyring where the slot is `auto`. Errors: as LedgerView's, and of the keyring.
    static Result<std::unique_ptr<OpenerService>> open(Environment environment, OpenerServiceOptions options);
    ~OpenerService();

    const VaultId& vault() const;
    const audit::VerifierKey& ledger_key() const;
    void tick();     // closes the vault when its time is over; flushes what was followed
    Status flush();  // before the end
    void set_walls(std::function<std::string()> walls);

    // One connection. Its grant ends with it.
    class Caller {
    public:
        virtual ~Caller() = default;
        virtual Bytes answer(ByteView request) = 0;  // a whole answer, refusals included
    };
    // peer: the user id of who speaks there, for the entries.
    std::unique_ptr<Caller> connect(std::optional<std::uint32_t> peer = std::nullopt);

    struct State;

private:
    explicit OpenerService(std::shared_ptr<State> state);
    std::shared_ptr<State> state_;  // callers hold it too: a connection may end later than the service
};

// Serves until stop() says so. caller: who may ask beside root and this process's user. listening: called when the
// socket is there (the walls go up then).
Status serve_opener(OpenerService& service, const Path& socket, const std::optional<std::uint32_t>& caller,
                    const std::function<Status()>& listening, const std::function<bool()>& stop);

}  // namespace kustos::vault
