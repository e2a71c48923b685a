// Every format, each defined in the .cpp of its name.
#pragma once

#include "ingest/src/registry.h"

namespace kustos::ingest {

extern const Format kElementFormat;
extern const Format kEmlFormat;
extern const Format kEmlTreeFormat;
extern const Format kMaildirFormat;
extern const Format kMatrixFormat;
extern const Format kMattermostActianceFormat;
extern const Format kMattermostBulkFormat;
extern const Format kMattermostCsvFormat;
extern const Format kMattermostGlobalRelayFormat;
extern const Format kMattermostLegalHoldFormat;
extern const Format kMboxFormat;
extern const Format kMsgFormat;
extern const Format kRsmfFormat;
extern const Format kStreamFormat;
extern const Format kSynapseFormat;
extern const Format kTeamsFormat;
extern const Format kXmppFormat;

}  // namespace kustos::ingest
