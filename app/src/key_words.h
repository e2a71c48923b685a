// Sentences about slots and the vault, in German and English.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/vault_door.h"
#include "vault/slots.h"

namespace kustos::app {

std::string slot_strength(const vault::SlotFacts& slot, bool german);  // against whom it protects, and what not
std::string medium_words(const std::string& medium, bool german);
// "open (tpm), until ...", "closed; 1 of 3 shares given, ..."
std::string vault_words(const std::string& state, const std::optional<VaultDoor::Standing>& standing, bool german);

}  // namespace kustos::app
