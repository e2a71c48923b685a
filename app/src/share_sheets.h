// Sheets of new shares, one file for each holder.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "app/call.h"
#include "base/environment.h"
#include "vault/archive.h"

namespace kustos::app {

struct SheetOrder {
    Path dir;
    Language language = Language::german;
    std::string archive_name, authority, time_zone = "Europe/Berlin";
    std::vector<std::string> holders;  // in order; fewer than shares: the rest are written by hand
};
// Writes share-SET-NUMBER-of-N.pdf (mode 0600) into the folder, which is made if need be. All or none: what was written
// of a set that fails is removed. `files` gets their names.
vault::HandOut sheets_into(Environment environment, SheetOrder order, std::vector<std::string>& files);

void say_sheets(const Call& call, const std::vector<std::string>& files, std::ostream& out);

}  // namespace kustos::app
