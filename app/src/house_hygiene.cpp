// How well this machine keeps keys, and the forward state: what is kept of it, and what `status` says.
#include "app/house.h"
#include "base/log.h"

namespace kustos::app {

namespace {
constexpr std::int64_t kMinutes = 15, kMostMinutes = 24 * 60;
}  // namespace

Status House::check_key_memory() const {
    const std::string wanted = config_.text("harden", "warn");
    if (wanted != "warn" && wanted != "strict") return Error(Code::bad_input, "config.yaml: harden is warn or strict");
    const KeyMemory memory = key_memory();
    if (!memory.may_be_swapped() && !memory.may_be_hibernated()) return {};
    log(LogLevel::warning, "keys may reach the swap disk",
        {{"unlocked_bytes", memory.unlocked}, {"hibernation", memory.may_be_hibernated()}});
    if (wanted == "warn") return {};
    return Error(Code::environment, memory.may_be_swapped()
                                        ? "keys may be swapped to disk: this process may not lock its memory"
                                        : "keys may reach the disk: this machine can hibernate")
        .with_hint("swapoff -a, or LimitMEMLOCK=infinity for the service; harden: warn in config.yaml starts anyway");
}

Status House::keep_forward_state() {
    const std::int64_t minutes = TRY(config_.number("forward_state.minutes", kMinutes, 0, kMostMinutes));
    // Whoever has the disk opens such a vault anyway, and so does the next start.
    if (minutes == 0 || archive_->unlock_state() == "open (auto)" || !archive_->forward_memory().empty()) return {};
    const auto kept = [&]() -> Status {
        auto memory = TRY(vault::ForwardMemory::make());
        TRY(keeper_.entrust(options_.state, *memory, minutes));
        archive_->keep_forward_state(std::move(memory));
        return {};
    };
    if (const Status done = kept(); !done.ok())
        log(LogLevel::warning, "a crash will count as a power loss", {{"code", done.error().code()}});
    return {};
}

void House::add_hygiene(web::StatusReport& s, bool de) const {
    const KeyMemory memory = key_memory();
    s.key_memory = memory.may_be_swapped()      ? "may be swapped"
                   : memory.may_be_hibernated() ? "may be hibernated"
                   : memory.unlocked != 0       ? "not locked, no swap"
                                                : "locked";
    s.forward_memory = archive_->forward_memory();
    const auto step = [&](const char* german, const char* english) {
        s.next_steps.emplace_back(de ? german : english);
    };
    if (memory.may_be_swapped())
        step(
            "Schlüssel können auf die Platte ausgelagert werden: Auslagerung abschalten (swapoff) oder verschlüsseln, "
            "oder dem Dienst LimitMEMLOCK=infinity geben.",
            "Keys may be swapped to disk: switch swap off (swapoff) or encrypt it, or give the service "
            "LimitMEMLOCK=infinity.");
    if (memory.may_be_hibernated())
        step(
            "Der Ruhezustand schreibt den ganzen Speicher samt Schlüsseln auf die Platte: abschalten (systemctl mask "
            "hibernate.target hybrid-sleep.target) oder die Auslagerung verschlüsseln.",
            "Hibernation writes all of the memory, keys too, to disk: switch it off (systemctl mask hibernate.target "
            "hybrid-sleep.target) or encrypt swap.");
}

}  // namespace kustos::app
