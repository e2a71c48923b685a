// Maildir (cr.yp.to) and Maildir++: cur/ and new/ hold delivered mails, tmp/ undelivered ones; ".A.B" are folders.
#pragma once

#include <string>
#include <string_view>

#include "base/fs.h"
#include "ingest/format.h"

namespace kustos::ingest {

bool is_maildir(const Path& path);
Status read_maildir(const Path& path, const ReadContext& context, ItemSink& sink);
// RFC 3501 section 5.1.3: "&ANw-bersicht" is "Übersicht". What does not decode stays as it is.
std::string decode_modified_utf7(std::string_view name);

}  // namespace kustos::ingest
