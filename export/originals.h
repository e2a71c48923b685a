// Originals as they came: each record's exact source bytes, as .eml files or as one mbox.
//
// eml: one file per record, named by its entry number, byte for byte, and SHA256SUMS beside them (sha256sum -c checks
// it).
//      A record that is not a mail gets the extension of its source format (.json, .csv, .bin) and the same exactness.
//      A journal's report whose mail is exported as well stands there whole, too, byte for byte as it arrived:
//      NUMBER-report.eml.
// mbox: "mboxrd": a line `From <sender> <date>` before each message; in the message every line that matches `^>*From `
// gets
//      one more '>' in front; a line end is added if the last line has none; then an empty line. Line ends inside a
//      message stay as they are. Taking one '>' off `^>+From ` gives the original back, except for that last line end:
//      where the exact bytes matter, use eml. Records that are not mails are left out and counted.
// Errors: what the source and the disk return; conflict when a file is already there with other bytes.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/fs.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "export/bundle.h"
#include "vault/envelope.h"
#include "vault/message.h"

namespace kustos::exporting {

struct Original {
    EntryIndex entry;
    vault::MessageKind kind = vault::MessageKind::mail;
    std::string format;          // vault::Message::format
    std::string sender_address;  // for the mbox separator
    UtcTime received_at;         // likewise
    Hash sha256;                 // of the original
    std::uint64_t size = 0;
    // Of a journal's report without its mail: how the two fit together, and the SHA-256 of the mail's bytes.
    std::optional<vault::ReportLayout> report;
    Hash enclosed;
};

class OriginalSource {
public:
    virtual ~OriginalSource() = default;
    virtual std::size_t count() const = 0;
    virtual Result<Original> describe(std::size_t position) = 0;
    virtual Status write(std::size_t position, const ByteSink& out) = 0;  // the exact bytes
};

struct OriginalsWritten {
    std::uint64_t written = 0;
    std::uint64_t left_out = 0;  // mbox: not mails
    std::uint64_t bytes = 0;     // of originals
};

// Durable when it returns: files and folder are synced.
Result<OriginalsWritten> write_eml_folder(Fs& fs, const Path& folder, OriginalSource& originals);
Result<OriginalsWritten> write_mbox(const ByteSink& out, OriginalSource& originals);
// With the dot: ".eml", ".json", ..., ".bin".
std::string original_extension(vault::MessageKind kind, std::string_view format);
// One record's file name in an eml folder: "000000000123.eml".
std::string original_name(const Original& original);

}  // namespace kustos::exporting
