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
Status KeyService::open_noted(const UnlockSecret&, std::uint32_t, const std::string&, const AppendControl&) {
    return not_apart();
}
Status KeyService::close_noted(const std::string&, std::string_view, const AppendControl&) {
    return not_apart();
}
Status KeyService::settle_owed(const AppendControl&) {
    return {};
}
Status KeyService::rekey(const RekeyOrder&, const std::function<Status(const std::vector<Share>&)>&,
                         const AppendControl&) {
    return not_apart();
}
Status KeyService::give_away(const LeaveOrder&, const std::vector<KeyTreeId>&, const AppendControl&) {
    return not_apart();
}
Result<RewriteDone> KeyService::rewrite(const RewriteOrder&,
                                        const std::function<Result<EntryIndex>(const ShardWanted&)>&) {
    return not_apart();
}
Result<std::vector<std::uint32_t>> KeyService::living_shards() {
    return not_apart();
}
std::unique_ptr<EscrowTarget> KeyService::escrow_apart() {
    return nullptr;
}

}  // namespace kustos::vault
