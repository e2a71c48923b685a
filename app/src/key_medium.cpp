// kustos key rotate --epoch.
#include <nlohmann/json.hpp>
#include <ostream>

#include "app/house.h"
#include "app/key_commands.h"
#include "app/src/key_words.h"

namespace kustos::app {

Result<int> move_keys(House& house, const Call& c, const CallSecrets& secrets, Streams s) {
    vault::EpochOrder order = TRY(vault::parse_epoch_order(c.given.at("epoch").front()));
    if (!secrets.new_pin.empty() && order.medium != "tpm")
        return Error(Code::usage, "--owner-file is for a TPM alone; a token's PIN file stands in its URI");
    order.owner = secrets.new_pin.clone();
    const std::string before = house.archive().key_medium();
    const std::uint32_t generation = TRY(house.archive().move_epoch(order));
    if (c.json) {
        s.out << nlohmann::json{{"generation", generation}, {"medium", order.medium}}.dump() << "\n";
        return 0;
    }
    const bool de = c.language == Language::german;
    s.out << (de ? "Generation     " : "generation     ") << generation << "\n"
          << (de ? "Vergessen      " : "forgetting     ") << medium_words(order.medium, de) << "\n";
    if (before == "file" && order.medium != "file")
        s.out << (de ? "Für das, was bis jetzt versiegelt ist, gilt weiter: nach bestem Vermögen; sein Schlüssel lag "
                       "schon einmal in einer Datei.\n"
                     : "For what is sealed by now it stays best effort: its key has been in a file once.\n");
    return 0;
}

}  // namespace kustos::app
