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
extern const Format kRocketchatFormat;
extern const Format kPstFormat;
extern const Format kRsmfFormat;
extern const Format kSidecarFormat;
extern const Format kSigexportFormat;
extern const Format kSignalCliFormat;
extern const Format kSlackFormat;
extern const Format kSlackdumpFormat;
extern const Format kStreamFormat;
extern const Format kSynapseFormat;
extern const Format kTeamsFormat;
extern const Format kTelegramFormat;
extern const Format kWhatsappFormat;
extern const Format kZulipFormat;
extern const Format kXmppFormat;

}  // namespace kustos::ingest
