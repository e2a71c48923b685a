// The keyholder in this process.
#pragma once

#include <mutex>
#include <optional>

#include "vault/key_service.h"
#include "vault/src/keyholder.h"

namespace kustos::vault {

class LocalKeys final : public KeyService {
public:
    explicit LocalKeys(std::unique_ptr<Keyholder> holder) : holder_(std::move(holder)) {}

    bool apart() const override { return false; }
    Keyholder* local() override { return holder_.get(); }
    bool is_open() const override { return holder_->is_open(); }
    std::string state() const override { return holder_->state(); }
    std::uint32_t generation() const override { return holder_->generation(); }
    std::string medium() const override { return holder_->medium(); }
    std::string method() const override { return holder_->method(); }
    Status unlock(const UnlockSecret& secret) override { return holder_->unlock(secret); }
    void lock() override { holder_->lock(); }
    Result<KeyCover> ahead(const TreeInfo& tree) const override { return holder_->ahead(tree); }
    Result<SecretBytes> dek(EntryIndex, const audit::EntryHeader& header) const override {
        return holder_->dek(header.tree, header.leaf);
    }
    Result<SecretBytes> shard_key(std::uint32_t shard) const override { return holder_->shard_key(shard); }
    Result<SecretBytes> surviving(KeyTreeId tree) const override { return holder_->surviving(tree); }
    void puncture(KeyTreeId tree, const std::vector<KeyCover::Leaves>& leaves) override {
        holder_->puncture(tree, leaves);
    }
    Result<NextGeneration> prepare(const GenerationPlan& plan) override;
    Status ready() const override { return holder_->ready(); }
    Status adopt() override;
    Status destroy_before(std::uint32_t generation) override { return holder_->destroy_before(generation); }
    Status remove_noise() override { return holder_->remove_noise(); }

private:
    std::unique_ptr<Keyholder> holder_;
    std::mutex mutex_;
    std::optional<Keyholder::Next> next_;  // guarded by mutex_
};

}  // namespace kustos::vault
