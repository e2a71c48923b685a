// Outlook's .msg ([MS-OXMSG]): one message in a compound file.
#pragma once

#include "ingest/format.h"

namespace kustos::ingest {

// Always gives a message, as parse_mail() does; raw is the file.
ParsedItem parse_outlook_msg(Bytes raw, const Limits& limits = {});

// Shared with items of a mailbox file (pst_item.h): notes of what is signed or encrypted, by the message's class; and a
// span counts only where the attachment's bytes stand there.
void note_outlook_protection(const std::string& message_class, vault::Message& message);
void keep_true_spans(ByteView raw, vault::Message& message);

}  // namespace kustos::ingest
