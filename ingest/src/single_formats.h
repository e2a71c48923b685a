// The chat formats whose bytes may be at hand already (tests, fuzzing, streams). Each: errors of the sink and of the
// disk only; bad content is quarantined.
#pragma once

#include <functional>
#include <string_view>

#include "ingest/format.h"
#include "ingest/src/container.h"
#include "ingest/src/files.h"
#include "ingest/src/registry.h"

namespace kustos::ingest {

// Where the files are that an export names.
struct ExportFiles {
    // Fills in content and missing; absent: every file is missing.
    std::function<void(std::string_view path, vault::Attachment& into)> attach;
    std::function<Status()> ready;  // before each message is handed on; an error ends the reading
};
ExportFiles files_of(ContainerReader& reader);
// warning.txt of a Mattermost export, a line each: finding "mattermost:export-warning".
void count_mattermost_warnings(ContainerReader& reader, ItemSink& sink);

Status read_actiance(Bytes xml, const ExportFiles& files, const ReadContext& context, ItemSink& sink);
Status read_global_relay(Bytes mail, const ReadContext& context, ItemSink& sink);
Status read_mattermost_bulk(ByteSource& lines, const ExportFiles& files, const ReadContext& context, ItemSink& sink);
Status read_matrix(ByteSource& source, const ReadContext& context, ItemSink& sink);
Status read_element(ByteSource& source, const ExportFiles& files, const ReadContext& context, ItemSink& sink);
Status read_teams(ByteSource& source, const ReadContext& context, ItemSink& sink);
Status read_rocketchat(ByteSource& source, const ReadContext& context, ItemSink& sink);
Status read_signal_cli(ByteSource& source, const ReadContext& context, ItemSink& sink);
// title: of the chat, which its text does not say.
Status read_sigexport(std::string_view text, std::string_view title, const ExportFiles& files,
                      const ReadContext& context, ItemSink& sink);
// One conversation, as `slackdump dump` writes it.
Status read_slackdump(Bytes json, const ExportFiles& files, const ReadContext& context, ItemSink& sink);
Status read_telegram(ByteSource& source, const ExportFiles& files, const ReadContext& context, ItemSink& sink);
// title: of the chat, which its text does not say.
Status read_whatsapp(std::string_view text, std::string_view title, const ExportFiles& files,
                     const ReadContext& context, ItemSink& sink);
// Whatever holds the files of an export. false: there is no realm.json.
Result<bool> read_zulip(ContainerReader& reader, const Input& input);
Status read_xmpp_archive(ByteSource& source, const ReadContext& context, ItemSink& sink);
Status read_rsmf(Bytes mail, const ReadContext& context, ItemSink& sink);

}  // namespace kustos::ingest
