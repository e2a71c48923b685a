// The sheet that a holder of a share gets: one page of A4 to be printed, with the share and what to do with it.
//
// The PDF is as secret as the share: whoever keeps it has the share. Cairo's and Pango's own memory is not wiped.
// Threads: one at a time in a process (fonts). Errors: environment (a font is missing), internal.
#pragma once

#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "export/bundle_input.h"

namespace kustos::exporting {

struct ShareSheet {
    Language language = Language::de;
    std::string time_zone = "Europe/Berlin";
    std::string archive_name, authority;  // as config.yaml says; may be empty
    std::string fingerprint;              // of the archive
    std::string set;                      // vault/share_set.h, set_name()
    unsigned number = 0, threshold = 0, count = 0;
    std::string holder;  // empty: a line to write on
    UtcTime made;
    ByteView text;  // vault/shares.h, share_text(): four lines
};
Result<Bytes> draw_share_sheet(const ShareSheet& sheet);

}  // namespace kustos::exporting
