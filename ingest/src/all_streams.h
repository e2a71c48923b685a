// Every stream's kind, each defined in the .cpp of its name.
#pragma once

#include "ingest/streams.h"

namespace kustos::ingest {

extern const StreamKind kFolderStream;
extern const StreamKind kImapStream;
extern const StreamKind kLmtpStream;
extern const StreamKind kMatrixStream;
extern const StreamKind kXmppStream;

}  // namespace kustos::ingest
