// The signer: holds the checkpoint key and the evidence key, and the only memory of the last committed (size, root).
//
// advance() is the archive's commit point: it compares the caller's idea of the last head with its own, stores the new
// head durably, and only then signs. So no signature exists over a head that was not committed, and two writers that
// started from the same head can't both commit.
//
// It believes nothing: advance() carries what the old tree and the new entries are made of, and the signer adds them up
// itself. Who has taken over the archive's process can append, but never get a signature over another history.
//
// Trust: its store lies outside the archive directory, so that restoring a directory does not restore it
// (docs/format/signer.md). In this process, or in one of its own (net/signer_service.h) that holds the keys.
// Threads: safe from any thread.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "audit/checkpoint.h"
#include "audit/merkle.h"
#include "audit/note.h"
#include "base/environment.h"
#include "base/fs.h"

namespace kustos::audit {

// How `next` comes out of `previous`: the hashes of the old tree's perfect subtrees (merkle.h, CompactRange), and the
// new entries' leaf hashes.
struct Growth {
    std::vector<Hash> before;
    std::vector<Hash> leaves;
};

// For what a document is signed: an entry that says so, and a tlog-proof (tlog_proof.h) of it under the present
// checkpoint key.
struct SigningGround {
    Bytes entry;  // header || body: access export, control verification_reported, certificate_issued, ...
    std::string proof;
};

class Signer {
public:
    virtual ~Signer() = default;
    virtual Result<TreeHead> last() = 0;  // empty_head() before the first commit
    virtual Result<std::string>
    note() = 0;  // signed checkpoint of last(); Ed25519 is deterministic: always the same bytes
    // Compare-and-swap, then the signed checkpoint of `next`. Code::conflict: `previous` is not last(), or `growth`
    // does not lead from it to `next`; nothing changed. Code::usage: next does not grow. Code::read_only: the store
    // failed, or the signer is gone; whether it kept `next` is known after a restart.
    virtual Result<std::string> advance(const TreeHead& previous, const TreeHead& next, const Growth& growth) = 0;
    virtual VaultId vault() = 0;
    virtual VerifierKey verifier() = 0;  // of checkpoints now; its name is the origin
    // Rotation (docs/format/signer.md): the key to come, made once and then the same until take_next_key(). `source`:
    // where it is made, see KeySource; empty: as the present one.
    virtual Result<VerifierKey> next_key(const std::string& source = "") = 0;
    virtual Result<std::optional<VerifierKey>> waiting_key() = 0;
    // The key to come signs from now on, and the present one is forgotten. entry: the control entry key_rotated (header
    // || body) that names it; proof: a tlog-proof of it under the present key. Code::conflict: it is not that.
    virtual Result<VerifierKey> take_next_key(ByteView entry, std::string_view proof) = 0;
    virtual Bytes evidence_certificate() = 0;  // DER
    // Detached CMS (CAdES-BES) over content with this SHA-256, by the evidence key. No document leaves the house that
    // the ledger does not know of: Code::denied: the ground is no such entry, is not proven, or it served before the
    // last restart, or for 8 documents, already.
    virtual Result<Bytes> sign_cms(const Hash& digest, const SigningGround& ground) = 0;
};

class FileSigner final : public Signer {
public:
    // Makes the directory's files: checkpoint.key, evidence.key, evidence.crt, head. Code::conflict: there is a store
    // already.
    // keys: where they are made. Empty: in files. "pkcs11:token=T?module-path=/FILE&pin-source=file:/FILE" (RFC 7512):
    // in that token, which never gives them out.
    // of: for a continuation, which one it is and the head that it goes on from.
    struct Begin {
        std::uint32_t continuation = 0;
        TreeHead head = empty_head();
    };
    static Status create(Environment environment, const Path& dir, const VaultId& vault, const std::string& keys,
                         const Begin& of);
    static Status create(Environment environment, const Path& dir, const VaultId& vault, const std::string& keys = "") {
        return create(environment, dir, vault, keys, Begin());
    }
    // Holds dir/lock until destroyed. Code::conflict: another process has it. Code::corrupt: both slots of `head` are
    // unreadable, or the parts belong to different archives. Code::not_found: no store there.
    static Result<std::unique_ptr<FileSigner>> open(Environment environment, const Path& dir);
    ~FileSigner() override;

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
    struct State;
    Status serve(EntryIndex entry);  // under the state's mutex
    explicit FileSigner(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

// --- the head's two slots (docs/format/signer.md) ------------------------------------------------------
inline constexpr std::size_t kHeadSlotSize = 104;
inline constexpr std::uint64_t kHeadSlotSpacing = 4'096;  // slots never share a sector

struct HeadSlot {
    VaultId vault;
    std::uint64_t counter = 0;  // counts stores; slot number = counter mod 2
    TreeHead head;
    bool operator==(const HeadSlot&) const = default;
};
Bytes encode(const HeadSlot& slot);
Result<HeadSlot> decode_head_slot(ByteView bytes);  // Code::corrupt

}  // namespace kustos::audit
