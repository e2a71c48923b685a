#include "app/vault_door.h"

#include <charconv>

#include "base/log.h"

namespace kustos::app {

using vault::ShareAnswer;
using vault::ShareSecrets;

VaultDoor::VaultDoor(Environment environment, vault::Archive& archive, Watch watch)
    : environment_(environment), archive_(archive), watch_(std::move(watch)) {}

VaultDoor::~VaultDoor() {
    const std::lock_guard lock(mutex_);
    if (standing_) close_locked("end");
}

VaultDoor::Deadline VaultDoor::in(std::int64_t ms) const {
    return {UtcTime{environment_.clock.now().ms + ms}, environment_.clock.monotonic_ms() + ms};
}

bool VaultDoor::past(const Deadline& deadline) const {
    return environment_.clock.now() >= deadline.until || environment_.clock.monotonic_ms() >= deadline.monotonic;
}

void VaultDoor::close_locked(const char* why, const std::string& actor) {
    standing_.reset();
    method_.clear();
    watch_.closing();
    if (const Status locked = archive_.lock(why, actor); !locked.ok())
        log(LogLevel::error, "the vault was closed without an entry", {{"code", locked.error().code()}});
}

void VaultDoor::release(const char* why) {
    const std::lock_guard lock(mutex_);
    if (--works_ > 0 || standing_ || !archive_.is_open()) return;
    close_locked(why);
}

Result<std::unique_ptr<VaultDoor::Opening>> VaultDoor::open(const vault::UnlockSecret& secret,
                                                            const std::string& actor) {
    {
        const std::lock_guard lock(mutex_);
        if (works_ == 0 && !standing_ && archive_.is_open()) return std::unique_ptr<Opening>();
        TRY(archive_.unlock(secret, std::nullopt, actor));
        ++works_;
    }
    auto opening = std::make_unique<Opening>(*this);
    watch_.opened();
    return opening;
}

// Checks each share; afterwards `shares` holds all the good ones there are.
Status VaultDoor::collect(ShareSecrets& shares, Standing& answer) {
    if (!desk_) {
        for (const vault::SlotFacts& facts : TRY(archive_.slots())) {
            if (facts.shares) desk_.emplace(archive_.vault_id(), *facts.shares);
        }
        if (!desk_) return Error(Code::usage, "this archive has no shares").with_hint("kustos key status");
    }
    std::string wrong;
    for (const SecretBytes& text : shares.texts) {
        const ShareAnswer given = desk_->give(text.view());
        if (given.kind != ShareAnswer::Kind::good)
            wrong += (wrong.empty() ? "" : "; ") + share_answer_text(given, false);
    }
    answer.have = desk_->have();
    answer.need = desk_->need();
    desk_until_ = in(kSharesWait);
    if (!desk_->enough() && !wrong.empty()) return Error(Code::denied, wrong);
    shares.texts = desk_->texts();
    return {};
}

Result<VaultDoor::Standing> VaultDoor::open_for(const vault::UnlockSecret& secret, std::int64_t ms,
                                                const std::string& actor) {
    if (ms <= 0 || ms > kLongestOpening) return Error(Code::usage, "the vault is opened for 1 second to 7 days");
    Standing answer;
    {
        const std::lock_guard lock(mutex_);
        if (archive_.unlock_state() == "open (auto)")
            return Error(Code::usage, "this archive opens by itself (auto): whoever has the disk can read everything")
                .with_hint("kustos key rekey --add passphrase --remove auto");
        vault::UnlockSecret all = vault::clone(secret);
        if (auto* shares = std::get_if<ShareSecrets>(&all)) {
            TRY(collect(*shares, answer));
            if (answer.have < answer.need) {
                answer.until = desk_until_->until;
                return answer;
            }
        }
        const Deadline end = in(ms);
        const Status opened = archive_.unlock(all, end.until, actor);
        if (std::holds_alternative<ShareSecrets>(all)) {  // used, or of no use
            desk_.reset();
            desk_until_.reset();
        }
        TRY(Status(opened));
        standing_ = end;
        method_ = archive_.unlock_state();
        answer.open = true;
        answer.until = end.until;
        answer.method = method_;
    }
    watch_.opened();
    return answer;
}

Status VaultDoor::close(const char* why, const std::string& actor) {
    const std::lock_guard lock(mutex_);
    desk_.reset();
    desk_until_.reset();
    if (!archive_.is_open()) return {};
    if (archive_.unlock_state() == "open (auto)")
        return Error(Code::usage, "this archive opens by itself (auto) and can't be closed")
            .with_hint("kustos key rekey --add passphrase --remove auto");
    close_locked(why, actor);
    return {};
}

std::optional<VaultDoor::Standing> VaultDoor::standing() const {
    const std::lock_guard lock(mutex_);
    Standing s;
    if (standing_) {
        s.open = true;
        s.until = standing_->until;
        s.method = method_;
        return s;
    }
    if (!desk_ || !desk_until_) return std::nullopt;
    s.until = desk_until_->until;
    s.have = desk_->have();
    s.need = desk_->need();
    return s;
}

void VaultDoor::tick() {
    const std::lock_guard lock(mutex_);
    if (desk_until_ && past(*desk_until_)) {
        desk_.reset();
        desk_until_.reset();
        log(LogLevel::info, "shares that waited for others were forgotten", {});
    }
    if (!standing_ || !past(*standing_)) return;
    standing_.reset();
    method_.clear();
    if (works_ > 0) return;  // closed when the last of these ends
    close_locked("time");
}

Result<std::int64_t> parse_duration(std::string_view text) {
    std::int64_t n = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    const Error wrong =
        Error(Code::usage, "--for takes a time such as 30m, 8h or 2d").with_hint("at least 1s, at most 7d");
    if (error != std::errc() || end + 1 != text.data() + text.size() || n <= 0 || n > kLongestOpening) return wrong;
    const std::int64_t unit = *end == 's'   ? 1000
                              : *end == 'm' ? 60'000
                              : *end == 'h' ? 3'600'000
                              : *end == 'd' ? 86'400'000
                                            : 0;
    if (unit == 0 || n > kLongestOpening / unit) return wrong;
    return n * unit;
}

}  // namespace kustos::app
