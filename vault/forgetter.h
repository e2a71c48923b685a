// Who destroys keys, for those who decide about it: the archive, or a model of it in tests.
#pragma once

#include <memory>

#include "base/entry_set.h"
#include "vault/archive.h"
#include "vault/erasure.h"

namespace kustos::vault {

class Forgetter {
public:
    virtual ~Forgetter() = default;
    // Whether it can be done now (Code::closed, ...): asked before an entry says that it will be.
    virtual Status ready() const = 0;
    virtual Result<Forgotten> forget(ForgetOrder order) = 0;
    virtual Result<std::shared_ptr<const EntrySet>> erased() const = 0;  // records and blobs; being destroyed counts
};

class ArchiveForgetter final : public Forgetter {
public:
    explicit ArchiveForgetter(Archive& archive) : archive_(archive) {}
    Status ready() const override {
        if (archive_.is_open()) return {};
        return Error(Code::closed, "the vault is closed: to destroy keys, a key holder must open it")
            .with_hint("give --passphrase-file FILE, or - for standard input");
    }
    Result<Forgotten> forget(ForgetOrder order) override { return archive_.forget(std::move(order)); }
    Result<std::shared_ptr<const EntrySet>> erased() const override { return archive_.erased(); }

private:
    Archive& archive_;
};

}  // namespace kustos::vault
