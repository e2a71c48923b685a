// The keys of an archive whose opener lives in a process of its own (docs/architecture/opener.md): KeyService over its
// socket. While the opener is away the vault counts as closed; it is found again when it is back. Passphrases given to
// unlock() pass through this process: `kustos opener unlock` hands them over directly.
// Threads: safe from any thread; a grant has a connection of its own.
#pragma once

#include <mutex>
#include <optional>

#include "base/local_socket.h"
#include "vault/opener_protocol.h"

namespace kustos::vault {

class RemoteKeys final : public KeyService {
public:
    // Nothing is asked yet.
    explicit RemoteKeys(Path socket) : path_(std::move(socket)) {}
    // Which vault answers there. Code::environment: nobody; Code::denied: not for this user.
    Result<VaultId> vault() const;

    bool apart() const override { return true; }
    void work_for(const VaultId& vault) override { expected_ = vault; }
    bool is_open() const override;
    std::string state() const override;
    std::uint32_t generation() const override;
    std::string medium() const override;
    std::string method() const override;
    Status unlock(const UnlockSecret& secret) override;
    void lock() override;  // at once; the opener owes the entry
    Status open_noted(const UnlockSecret& secret, std::uint32_t seconds, const std::string& actor,
                      const AppendControl& append) override;
    Status close_noted(const std::string& actor, std::string_view why, const AppendControl& append) override;
    Status settle_owed(const AppendControl& append) override;
    Status rekey(const RekeyOrder& order, const std::function<Status(const std::vector<Share>&)>& hand_out,
                 const AppendControl& append) override;
    Status give_away(const LeaveOrder& order, const std::vector<KeyTreeId>& trees,
                     const AppendControl& append) override;
    Result<SecretBytes> surviving(KeyTreeId tree) const override;
    Result<RewriteDone> rewrite(const RewriteOrder& order,
                                const std::function<Result<EntryIndex>(const ShardWanted&)>& store) override;
    Result<std::vector<std::uint32_t>> living_shards() override;
    std::unique_ptr<EscrowTarget> escrow_apart() override;
    Result<KeyCover> ahead(const TreeInfo& tree) const override;
    Result<SecretBytes> dek(EntryIndex index, const audit::EntryHeader& header) const override;
    Result<SecretBytes> shard_key(std::uint32_t shard) const override;
    void puncture(KeyTreeId, const std::vector<KeyCover::Leaves>&) override {}  // it reads the ledger
    Result<NextGeneration> prepare(const GenerationPlan& plan) override;
    Status adopt() override;
    Status destroy_before(std::uint32_t generation) override;
    Status remove_noise() override { return {}; }  // part of destroy_before()
    Result<std::unique_ptr<KeyGrant>> begin(const Purpose& purpose, const std::vector<EntryIndex>& ids,
                                            const AppendAccess& append) override;
    Result<std::pair<std::unique_ptr<KeyGrant>, SearchReply>> search(const SearchAsk& ask,
                                                                     const AppendAccess& append) override;
    Status check(EntryIndex record) override;
    Result<EntrySet> accounted() override;
    Result<std::string> status_json() override;

private:
    class Grant;
    class Escrow;
    Result<LocalSocket> connect() const;
    static Result<Bytes> ask(const LocalSocket& socket, const OpenerRequest& request);
    Result<Bytes> ask(const OpenerRequest& request) const;  // over the connection that is kept
    Result<OpenerState> look() const;
    static Status store_control(const LocalSocket& socket, const Bytes& draft, const AppendControl& append);
    static Result<std::pair<EntryIndex, Bytes>> store(const LocalSocket& socket, const Bytes& draft,
                                                      const AppendAccess& append);

    Path path_;
    std::optional<VaultId> expected_;
    mutable std::mutex mutex_;
    mutable LocalSocket kept_;             // guarded by mutex_
    std::map<KeyTreeId, KeyCover> given_;  // by give_away(); guarded by mutex_
};

}  // namespace kustos::vault
