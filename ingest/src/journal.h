// Journal reports: a mail server's own mail about a mail that went through it, with the envelope in its text and the
// mail itself enclosed (docs/format/journal-reports.md). Pure.
#pragma once

#include <string>

#include "base/bytes.h"
#include "ingest/format.h"
#include "vault/envelope.h"
#include "vault/message.h"

namespace kustos::ingest {

enum class Enclosure {
    no_report,  // a plain mail
    found,      // the enclosed mail's bytes stand in the report as they are
    encoded,    // it is there, but under a transfer encoding
    missing,
};
struct Enclosed {
    Enclosure state = Enclosure::no_report;
    std::size_t offset = 0, length = 0;  // where found
    bool ended = true;                   // the boundary behind it was there
};
Enclosed find_enclosed(ByteView mail);

// For a report that stays one record.
void note_kept_whole(Enclosure state, const Limits& limits, vault::Message& message, ItemSink& sink);
// Makes the envelope of what parse_mail() made of the report without its mail: sender, recipients and subject are those
// that the report's text (message.body) names, never those of its own header, which are about the report.
struct InnerMail {
    std::string message_id;
    Hash sha256;
    bool readable = true;
};
void make_envelope(const vault::ReportLayout& layout, const InnerMail& inner, const Limits& limits, ParsedItem& item);
std::string message_id_of(ByteView mail);  // of its header; empty: none

}  // namespace kustos::ingest
