// What people decide and ask about sources: the capture profile, and what became of findings. Each decision is an entry
// before it takes effect; who, why and the text of a profile are sealed in it (class 3).
//
// Errors: usage (no such source or finding, a profile that is not understood), denied (not two approvers), conflict
// (the finding is resolved). Threads: one decision at a time (House::decisions()).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/house.h"
#include "vault/source_book.h"

namespace kustos::app {

struct ProfileOrder {
    std::string source;
    std::string yaml;  // docs/format/sources.md, "Setting a profile"
    std::string ground;
    std::vector<std::string> approvers;  // at least two, different people
};

class SourceDesk {
public:
    SourceDesk(House& house, std::string actor) : house_(house), actor_(std::move(actor)) {}
    Result<vault::SourceInfo> find(const std::string& name) const;
    Result<EntryIndex> set_profile(const ProfileOrder& order);
    Result<EntryIndex> resolve(const std::string& source, EntryIndex finding, const std::string& ground);
    // Paused or not from now on; nothing happens where it is so already. False: it was.
    Result<bool> pause(const std::string& source, bool paused);

private:
    vault::RuleMac mac() const;
    House& house_;
    std::string actor_;
};

// The profile that a person has written: unknown keys and words are refused with their line.
Result<vault::CaptureProfile> parse_profile(std::string_view yaml, const vault::RuleMac& mac);
std::string profile_template();
// What is captured, what is not, and how that is counted: one sentence each.
std::vector<std::string> profile_words(const vault::CaptureProfile& profile, bool german);
// What a finding's machine word means; the word itself where nobody has written more.
std::string finding_words(std::string_view code, bool german);

}  // namespace kustos::app
