// Queries that a matter keeps by name. They are run as if they were typed again: in the scope of that day.
//
// Errors: usage (no such one, name), closed. Threads: as Archive.
#pragma once

#include <string>
#include <vector>

#include "vault/archive.h"

namespace kustos::app {

struct SavedSearch {
    vault::MatterNote note;
    std::string name, query, actor;  // empty while the vault is closed
};

class SavedSearches {
public:
    explicit SavedSearches(vault::Archive& archive) : archive_(archive) {}
    // In the place of one of the same name. Whether it is a query is the caller's to know.
    Result<EntryIndex> save(EntryIndex matter, const std::string& name, const std::string& query,
                            const std::string& actor);
    Result<std::vector<SavedSearch>> list(EntryIndex matter) const;
    Result<SavedSearch> find(EntryIndex matter, const std::string& name) const;
    Status forget(EntryIndex matter, const std::string& name);

private:
    Result<std::vector<SavedSearch>> all(EntryIndex matter) const;
    vault::Archive& archive_;
};

}  // namespace kustos::app
