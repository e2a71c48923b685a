// Who has the vault of a running archive open, and until when: for one command, or for a time that a key holder chose.
// The vault closes when the last of these ends. Each opening and each closing is an entry of the ledger.
//
// Shares may also come one by one, from terminals of different people: what is right is kept in memory for half an hour
// from the last one, then forgotten.
//
// Threads: all functions are safe from any thread. tick() is called about once a second; without it nothing closes.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/environment.h"
#include "vault/archive.h"

namespace kustos::app {

inline constexpr std::int64_t kLongestOpening = 7LL * 24 * 3600 * 1000;  // ms
inline constexpr std::int64_t kDefaultOpening = 8LL * 3600 * 1000;
inline constexpr std::int64_t kSharesWait = 30LL * 60 * 1000;

class VaultDoor {
public:
    struct Watch {
        std::function<void()> opened;   // what waited for it can go on
        std::function<void()> closing;  // let go of what was opened with it
    };
    VaultDoor(Environment environment, vault::Archive& archive, Watch watch);
    ~VaultDoor();

    // For one piece of work; closed again when the last one has ended.
    class Opening {
    public:
        explicit Opening(VaultDoor& door) : door_(door) {}
        ~Opening() { door_.release("work"); }
        Opening(const Opening&) = delete;
        Opening& operator=(const Opening&) = delete;

    private:
        VaultDoor& door_;
    };
    // Null: the vault is open without anybody's doing (auto, or since the start). Code::denied: wrong secret.
    // actor: who brought it; sealed in the entries.
    Result<std::unique_ptr<Opening>> open(const vault::UnlockSecret& secret, const std::string& actor = "");

    struct Standing {
        bool open = false;
        UtcTime until;                // when it closes; of shares that wait: when they are forgotten
        unsigned have = 0, need = 0;  // of shares, where it is not open yet
        std::string method;
    };
    // For so long. Shares that are not enough are kept and counted. A standing opening gets the new end. Code::denied:
    // a wrong secret, or a wrong share among those given (the right ones are kept). Code::usage: the length; `auto`.
    Result<Standing> open_for(const vault::UnlockSecret& secret, std::int64_t ms, const std::string& actor = "");
    // Now, whatever was promised; commands that are under way end with Code::closed. Code::usage: `auto` can't be.
    Status close(const char* why = "key holder", const std::string& actor = "");
    std::optional<Standing> standing() const;
    // Closes what is due, and forgets shares that waited too long.
    void tick();

private:
    friend class Opening;
    struct Deadline {
        UtcTime until;           // as it was promised
        std::int64_t monotonic;  // a clock that is set back must not keep it open
    };
    bool past(const Deadline& deadline) const;
    Deadline in(std::int64_t ms) const;
    void release(const char* why);
    void close_locked(const char* why, const std::string& actor = "");  // under mutex_
    Status collect(vault::ShareSecrets& shares, Standing& answer);

    Environment environment_;
    vault::Archive& archive_;
    Watch watch_;
    mutable std::mutex mutex_;
    int works_ = 0;  // guarded by mutex_, as all below
    std::optional<Deadline> standing_;
    std::string method_;
    std::optional<vault::ShareDesk> desk_;
    std::optional<Deadline> desk_until_;
};

// "8h", "90m", "30s", "2d"; at most 7 days. Code::usage.
Result<std::int64_t> parse_duration(std::string_view text);

}  // namespace kustos::app
