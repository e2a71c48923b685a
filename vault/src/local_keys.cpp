#include "vault/src/local_keys.h"

namespace kustos::vault {

namespace {
Error not_apart() {
    return Error(Code::usage, "the opener lives in this process");
}
}  // namespace

Result<NextGeneration> LocalKeys::prepare(const GenerationPlan& plan) {
    const std::lock_guard lock(mutex_);
    next_ = TRY(holder_->prepare(plan));
    return NextGeneration{next_->keyring.generation, to_bytes(next_->keyring.intake.public_key.view()),
                          next_->keyring_hash, next_->medium};
}

Status LocalKeys::adopt() {
    const std::lock_guard lock(mutex_);
    if (!next_) return Error(Code::conflict, "no generation was prepared");
    holder_->adopt(std::move(*next_));
    next_.reset();
    return {};
}

Result<std::unique_ptr<KeyGrant>> KeyService::begin(const Purpose&, const std::vector<EntryIndex>&,
                                                    const AppendAccess&) {
    return not_apart();
}
Result<std::pair<std::unique_ptr<KeyGrant>, SearchReply>> KeyService::search(const SearchAsk&, const AppendAccess&) {
    return not_apart();
}
Status KeyService::check(EntryIndex) {
    return not_apart();
}
Result<EntrySet> KeyService::accounted() {
    return not_apart();
}
Result<std::string> KeyService::status_json() {
    return not_apart();
}

}  // namespace kustos::vault
