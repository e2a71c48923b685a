#include "export/originals.h"

#include <algorithm>
#include <cstdio>

#include "base/crypto.h"
#include "base/staged_file.h"

namespace kustos::exporting {
namespace {

// "From " line of RFC 4155: an address without white space, and the time as asctime() writes it, in UTC.
std::string separator(const Original& original) {
    std::string address;
    for (const char c : original.sender_address) {
        if (c > 0x20 && c < 0x7F && address.size() < 320) address += c;
    }
    if (address.empty()) address = "MAILER-DAEMON";
    // RFC 5322 form: "Mon, 02 Mar 2026 10:00:00 +0000"; asctime: "Mon Mar  2 10:00:00 2026"
    const std::string full = format_rfc5322(original.received_at);
    std::string day = full.substr(5, 2);
    if (day[0] == '0') day[0] = ' ';
    return "From " + address + " " + full.substr(0, 3) + " " + full.substr(8, 3) + " " + day + " " +
           full.substr(17, 8) + " " + full.substr(12, 4) + "\n";
}

// Lines that match ^>*From  get one more '>'. Fed piece by piece; holds back at most four bytes. (The added '>' stands
// at the end of the run of '>', which is the same as at its beginning.)
class MboxQuoter {
public:
    explicit MboxQuoter(const ByteSink& out) : out_(out) {}

    Status feed(ByteView part) {
        Bytes ready;
        ready.reserve(part.size() + 64);
        for (const std::uint8_t byte : part) take(byte, ready);
        return out_(ready);
    }
    Status finish() {
        Bytes ready;
        release(ready);
        if (last_ != '\n') put_u8(ready, '\n');
        put_u8(ready, '\n');
        return out_(ready);
    }

private:
    static constexpr std::string_view kFrom = "From ";

    void take(std::uint8_t byte, Bytes& ready) {
        last_ = byte;
        if (at_start_ && byte == kFrom[matched_]) {
            if (++matched_ < kFrom.size()) return;
            put_u8(ready, '>');
            at_start_ = false;
            release(ready);
            return;
        }
        if (matched_ > 0) at_start_ = false;
        release(ready);
        put_u8(ready, byte);
        at_start_ = byte == '\n' || (at_start_ && byte == '>');
    }
    void release(Bytes& ready) {
        put(ready, kFrom.substr(0, matched_));
        matched_ = 0;
    }

    const ByteSink& out_;
    bool at_start_ = true;     // of a line, or after nothing but '>'
    std::size_t matched_ = 0;  // of kFrom, held back
    std::uint8_t last_ = '\n';
};

std::string extension(const Original& original) {
    if (original.kind == vault::MessageKind::mail) return ".eml";
    const std::string format = original.format.substr(0, original.format.find('/'));
    if (format == "eml" || format == "mbox" || format == "maildir") return ".eml";
    if (format == "stream") return ".json";
    if (format == "mattermost-csv" || format == "mattermost-legal-hold") return ".csv";
    if (format == "mattermost-actiance") return ".xml";
    if (format == "mattermost-global-relay") return ".html";
    constexpr std::string_view kJson[] = {"element", "matrix", "mattermost-bulk", "rsmf", "synapse-export", "teams"};
    if (std::find(std::begin(kJson), std::end(kJson), format) != std::end(kJson)) return ".json";
    return ".bin";
}

Error changed() {
    return Error(Code::corrupt, "an original does not match its sealed sum");
}

}  // namespace

std::string original_name(const Original& original) {
    char digits[24];
    std::snprintf(digits, sizeof digits, "%012llu", static_cast<unsigned long long>(original.entry.value));
    return digits + extension(original);
}

Result<OriginalsWritten> write_eml_folder(Fs& fs, const Path& folder, OriginalSource& originals) {
    TRY(fs.make_dirs(folder));
    OriginalsWritten written;
    std::string sums;
    for (std::size_t i = 0; i < originals.count(); ++i) {
        const Original original = TRY(originals.describe(i));
        const std::string name = original_name(original);
        StagedFile file = TRY(StagedFile::create(fs, folder / name, StagedFile::Existing::refuse));
        Sha256 hash;
        TRY(originals.write(i, [&](ByteView part) {
            hash.update(part);
            return file.write(part);
        }));
        if (hash.finish() != original.sha256) return changed();
        TRY(file.commit());
        sums += original.sha256.hex() + "  " + name + "\n";
        ++written.written;
        written.bytes += file.size();
    }
    TRY(put_once(fs, folder / "SHA256SUMS", as_bytes(sums)));
    TRY(fs.sync_dir(folder));
    return written;
}

Result<OriginalsWritten> write_mbox(const ByteSink& out, OriginalSource& originals) {
    OriginalsWritten written;
    for (std::size_t i = 0; i < originals.count(); ++i) {
        const Original original = TRY(originals.describe(i));
        if (extension(original) != ".eml") {
            ++written.left_out;
            continue;
        }
        const std::string line = separator(original);
        TRY(out(as_bytes(line)));
        Sha256 hash;
        MboxQuoter quoter(out);
        TRY(originals.write(i, [&](ByteView part) {
            hash.update(part);
            written.bytes += part.size();
            return quoter.feed(part);
        }));
        TRY(quoter.finish());
        if (hash.finish() != original.sha256) return changed();
        ++written.written;
    }
    return written;
}

}  // namespace kustos::exporting
