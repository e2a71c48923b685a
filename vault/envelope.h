// A journal report, taken apart: the mail that it encloses is a record of its own, so that its content lies in one
// place however many reports enclose it; the report without it is a message of kind `envelope`. Here is how the two
// fit together (docs/format/journal-reports.md).
//
// Pure. Errors: none of report_layout(); of join_report() Code::bad_input when the two do not fit together.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "vault/message.h"

namespace kustos::vault {

// Where the enclosed mail stood, and what all of it was. In bytes.
struct ReportLayout {
    std::uint64_t inner_offset = 0;  // in the envelope's raw bytes as well: what stood before it is as long there
    std::uint64_t inner_length = 0;
    Hash whole_sha256;
};
// Written into an envelope's notes, and read from them. nullopt: no envelope, or its notes do not say it.
// Inline: formats write notes and link nothing of the vault.
inline constexpr std::string_view kInnerNote = "inner:", kWholeNote = "whole-sha256:";
inline void note_layout(const ReportLayout& layout, Message& envelope) {
    envelope.notes.push_back(std::string(kInnerNote) + std::to_string(layout.inner_offset) + ":" +
                             std::to_string(layout.inner_length));
    envelope.notes.push_back(std::string(kWholeNote) + layout.whole_sha256.hex());
}
std::optional<ReportLayout> report_layout(const Message& envelope);

// The whole report, byte for byte as it arrived. envelope_raw: the envelope's raw bytes; inner: those of the record
// whose SHA-256 is the envelope's `thread`. Checked against the SHA-256 of the whole.
Result<Bytes> join_report(const ReportLayout& layout, ByteView envelope_raw, ByteView inner);

}  // namespace kustos::vault
