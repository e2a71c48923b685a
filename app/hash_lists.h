// Lists of attachments' SHA-256 sums that a matter has: hash:@NAME finds who has one of them attached.
//
// Errors: usage (no such list, name), bad_input (a line that is no sum: says which), limit, closed. Threads: as
// Archive.
#pragma once

#include <string>
#include <vector>

#include "vault/archive.h"

namespace kustos::app {

inline constexpr std::size_t kMaxSums = 1'000'000;
inline constexpr std::size_t kMostSumsApart = 100;  // in one query that goes as text to an opener apart

// One sum a line, as `sha256sum` prints it (with or without a file's name), in either case; empty lines and lines that
// begin with # are passed over. Ascending, each once, 64 lower-case hex digits. Pure.
Result<std::vector<std::string>> parse_sums(std::string_view text);

struct HashList {
    vault::MatterNote note;
    std::string name, actor;  // empty while the vault is closed
};

class HashLists {
public:
    explicit HashLists(vault::Archive& archive) : archive_(archive) {}
    // In the place of one of the same name.
    Result<HashList> add(EntryIndex matter, const std::string& name, const std::vector<std::string>& sums,
                         const std::string& actor);
    Result<std::vector<HashList>> list(EntryIndex matter) const;
    Result<std::vector<std::string>> sums(EntryIndex matter, const std::string& name) const;
    Status remove(EntryIndex matter, const std::string& name);

private:
    Result<std::vector<HashList>> all(EntryIndex matter) const;
    Result<HashList> find(EntryIndex matter, const std::string& name) const;
    vault::Archive& archive_;
};

}  // namespace kustos::app
