#include "vault/src/rekeyed.h"

#include <algorithm>

#include "base/log.h"

namespace kustos::vault {

std::string methods_of(const Keyholder::Rekeyed& rekeyed) {
    std::string methods;
    for (const Slot& slot : rekeyed.slots)
        methods += (methods.empty() ? "" : ", ") + std::string(slot_kind_name(slot.kind));
    return methods;
}

Status store_rekeyed(Environment env, const Path& keys, const Keyholder::Rekeyed& next) {
    // A new auto.key before the slot that needs it; an old one goes away behind the slot that needed it.
    if (!next.key_file.empty()) TRY(replace_file(env.fs, keys / "auto.key", next.key_file.view()));
    TRY(store_slots(env.fs, keys, next.slots));
    const bool automatic =
        std::any_of(next.slots.begin(), next.slots.end(), [](const Slot& s) { return s.kind == SlotKind::automatic; });
    if (!automatic && env.fs.exists(keys / "auto.key")) {
        TRY(env.fs.remove(keys / "auto.key"));
        TRY(env.fs.sync_dir(keys));
    }
    for (const Slot& slot : next.dropped) {
        if (const Status gone = forget_slot(env, slot); !gone.ok())
            log(LogLevel::warning, "a key of a slot that was removed is still in its token",
                {{"code", gone.error().code()}});
    }
    return {};
}

}  // namespace kustos::vault
