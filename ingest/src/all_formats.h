// Every format, each defined in the .cpp of its name.
#pragma once

#include "ingest/src/registry.h"

namespace kustos::ingest {

extern const Format kEmlFormat;
extern const Format kEmlTreeFormat;
extern const Format kMaildirFormat;
extern const Format kMattermostCsvFormat;
extern const Format kMboxFormat;
extern const Format kMsgFormat;
extern const Format kStreamFormat;

}  // namespace kustos::ingest
