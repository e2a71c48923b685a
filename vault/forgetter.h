// Who destroys keys, for those who decide about it: the archive, or a model of it in tests.
#pragma once

#include <memory>

#include "base/entry_set.h"
#include "vault/erasure.h"

namespace kustos::vault {

class Forgetter {
public:
    virtual ~Forgetter() = default;
    // Whether it can be done now (Code::closed, ...): asked before an entry says that it will be.
    virtual Status ready() const = 0;
    virtual Result<Forgotten> forget(ForgetOrder order) = 0;
    virtual std::shared_ptr<const EntrySet> erased() const = 0;  // records and blobs; being destroyed counts
};

}  // namespace kustos::vault
