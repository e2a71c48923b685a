// Matters: a case with reference number and legal ground, and what its searches may find. No search without one.
//
// A matter's number is the index of the control entry that opened it ("M12"); reference, ground and scope are sealed in
// that entry's payload, a later scope in an entry of its own. Threads: safe.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "vault/archive.h"
#include "vault/opener.h"

namespace kustos::access {

inline constexpr std::size_t kMaxReference = 200;  // bytes of UTF-8
inline constexpr std::size_t kMaxGround = 2000;
inline constexpr std::size_t kMaxScope = 8192;

struct Matter {
    EntryIndex entry;
    std::string reference;  // empty while the vault is closed
    std::string ground;
    std::string scope;  // a query; empty: the whole archive, or the vault is closed
    UtcTime opened;
    std::optional<UtcTime> closed;
};

struct ScopeChange {
    EntryIndex entry;
    UtcTime time;
    std::string actor, reason, scope;  // empty while the vault is closed; the first has neither actor nor reason
};

// Whether all of these records are in this scope. Code::denied: one is not, or nobody can tell.
using ScopeCheck = std::function<Status(const std::string& scope, std::span<const EntryIndex> ids)>;

class Matters final : public vault::AccessCheck {
public:
    explicit Matters(vault::Archive& archive) : archive_(archive) {}
    // Who knows the index. Once, before anything is asked; without it nothing of a matter with a scope is allowed.
    void check_scopes_with(ScopeCheck check) { scope_check_ = std::move(check); }
    // Whether a scope is a query is the caller's to know. usage: empty or too long reference or ground.
    Result<Matter> open_new(const std::string& reference, const std::string& ground, const std::string& scope = "");
    Status close(EntryIndex matter);
    // From now on; what was before stays in the ledger. usage: no reason, or closed already.
    Result<EntryIndex> change_scope(EntryIndex matter, const std::string& scope, const std::string& reason,
                                    const std::string& actor);
    // All, oldest first; with reference and ground where the vault is open.
    Result<std::vector<Matter>> list() const;
    Result<Matter> find(EntryIndex matter) const;  // denied: no such matter
    // The one that counts. Code::closed: not known while the vault is closed.
    Result<std::string> scope(EntryIndex matter) const;
    Result<std::vector<ScopeChange>> scope_history(EntryIndex matter) const;  // oldest first
    Status allow(const vault::Purpose& purpose, std::span<const EntryIndex> ids) override;
    Status allow_trail(const vault::Purpose& purpose, ClassCode retention_class) override;  // with a ground

private:
    Result<Matter> read(const vault::MatterInfo& info) const;
    Status check_scope(const vault::Purpose& purpose, std::span<const EntryIndex> ids) const;
    vault::Archive& archive_;
    ScopeCheck scope_check_;
};

std::string matter_id(EntryIndex entry);                      // "M12"
Result<EntryIndex> parse_matter_id(const std::string& text);  // "M12", "m12" or "12"
std::string result_id(EntryIndex entry);                      // "R15", a frozen result set
Result<EntryIndex> parse_result_id(const std::string& text);

}  // namespace kustos::access
