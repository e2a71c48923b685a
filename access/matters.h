// Matters: a case with reference number and legal ground. No search without one.
//
// A matter's number is the index of the control entry that opened it ("M12"); reference and ground are sealed in that
// entry's payload. Threads: safe.
#pragma once

#include <string>
#include <vector>

#include "vault/archive.h"
#include "vault/opener.h"

namespace kustos::access {

inline constexpr std::size_t kMaxReference = 200;  // bytes of UTF-8
inline constexpr std::size_t kMaxGround = 2000;

struct Matter {
    EntryIndex entry;
    std::string reference;  // empty while the vault is closed
    std::string ground;
    UtcTime opened;
    std::optional<UtcTime> closed;
};

class Matters final : public vault::AccessCheck {
public:
    explicit Matters(vault::Archive& archive) : archive_(archive) {}
    // usage: empty or too long reference or ground.
    Result<Matter> open_new(const std::string& reference, const std::string& ground);
    Status close(EntryIndex matter);
    // All, oldest first; with reference and ground where the vault is open.
    Result<std::vector<Matter>> list() const;
    Result<Matter> find(EntryIndex matter) const;  // denied: no such matter
    Status allow(const vault::Purpose& purpose, std::span<const EntryIndex> ids) override;
    Status allow_trail(const vault::Purpose& purpose, ClassCode retention_class) override;  // with a ground

private:
    Result<Matter> read(const vault::MatterInfo& info) const;
    vault::Archive& archive_;
};

std::string matter_id(EntryIndex entry);                      // "M12"
Result<EntryIndex> parse_matter_id(const std::string& text);  // "M12", "m12" or "12"

}  // namespace kustos::access
