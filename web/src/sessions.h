// Who is logged in: random tokens in memory, gone with the process. Threads: safe.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "base/crypto.h"
#include "base/environment.h"

namespace kustos::web {

struct Session {
    std::string actor;
    std::string form_token;
    std::int64_t last_ms = 0;
};

class Sessions {
public:
    Sessions(const Clock& clock, Random& random) : clock_(clock), random_(random) {}

    std::string open(const std::string& actor) {
        const std::string id = token();
        const std::lock_guard lock(mutex_);
        if (sessions_.size() >= 10'000) sessions_.clear();
        sessions_[key(id)] = {actor, token(), clock_.monotonic_ms()};
        return id;
    }

    std::optional<Session> find(const std::string& id) {
        const std::lock_guard lock(mutex_);
        const auto found = sessions_.find(key(id));
        if (found == sessions_.end()) return std::nullopt;
        if (clock_.monotonic_ms() - found->second.last_ms > kIdleMs) {
            sessions_.erase(found);
            return std::nullopt;
        }
        found->second.last_ms = clock_.monotonic_ms();
        return found->second;
    }

    void close(const std::string& id) {
        const std::lock_guard lock(mutex_);
        sessions_.erase(key(id));
    }

    // At most five wrong passwords a minute, for everybody together: there is one account. An attempt counts as wrong
    // until succeeded() takes it back, so that attempts at the same time count too.
    bool may_try() {
        const std::lock_guard lock(mutex_);
        const std::int64_t now = clock_.monotonic_ms();
        if (now - window_ms_ > 60'000) {
            window_ms_ = now;
            failures_ = 0;
        }
        if (failures_ >= 5) return false;
        ++failures_;
        return true;
    }
    void succeeded() {
        const std::lock_guard lock(mutex_);
        if (failures_ > 0) --failures_;
    }

private:
    static constexpr std::int64_t kIdleMs = 30 * 60'000;
    // Looked up by hash, so that comparing takes no time that tells.
    static Hash key(const std::string& id) { return sha256(as_bytes(id)); }
    std::string token() { return base64url(SecretBytes::random(random_, 32).view()); }

    const Clock& clock_;
    Random& random_;
    std::mutex mutex_;
    std::map<Hash, Session> sessions_;  // guarded by mutex_
    std::int64_t window_ms_ = 0;
    int failures_ = 0;
};

}  // namespace kustos::web
