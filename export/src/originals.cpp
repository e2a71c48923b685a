#include "export/originals.h"

#include <algorithm>
#include <cstdio>
#include <map>

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

Error changed() {
    return Error(Code::corrupt, "an original does not match its sealed sum");
}

// The report's bytes before its mail, the mail, the bytes behind it.
Status write_report(OriginalSource& originals, std::size_t envelope, std::size_t mail,
                    const vault::ReportLayout& layout, const ByteSink& out) {
    const auto part_of_envelope = [&](bool before) {
        std::uint64_t at = 0;
        return originals.write(envelope, [&](ByteView piece) -> Status {
            const std::uint64_t begin = at;
            at += piece.size();
            const auto head = static_cast<std::size_t>(
                std::min<std::uint64_t>(piece.size(), layout.inner_offset > begin ? layout.inner_offset - begin : 0));
            return out(before ? piece.first(head) : piece.subspan(head));
        });
    };
    TRY(part_of_envelope(true));
    TRY(originals.write(mail, out));
    return part_of_envelope(false);
}

struct Exported {
    std::size_t position;
    Original original;
};

}  // namespace

std::string original_extension(vault::MessageKind kind, std::string_view format) {
    if (kind == vault::MessageKind::mail || kind == vault::MessageKind::envelope) return ".eml";
    format = format.substr(0, format.find('/'));
    if (format == "eml" || format == "mbox" || format == "maildir") return ".eml";
    if (format == "stream") return ".json";
    if (format == "mattermost-csv" || format == "mattermost-legal-hold") return ".csv";
    if (format == "mattermost-actiance") return ".xml";
    if (format == "mattermost-global-relay") return ".html";
    if (format == "whatsapp" || format == "sigexport") return ".txt";
    constexpr std::string_view kJson[] = {"element",        "matrix",     "mattermost-bulk", "rocketchat",
                                          "rsmf",           "signal-cli", "slack",           "slackdump",
                                          "synapse-export", "teams",      "telegram",        "zulip"};
    if (std::find(std::begin(kJson), std::end(kJson), format) != std::end(kJson)) return ".json";
    return ".bin";
}

namespace {
std::string digits_of(const Original& original) {
    char digits[24];
    std::snprintf(digits, sizeof digits, "%012llu", static_cast<unsigned long long>(original.entry.value));
    return digits;
}

// Reports whose mail is here, too, are put together again.
Status write_reports(Fs& fs, const Path& folder, OriginalSource& originals, const std::vector<Exported>& envelopes,
                     const std::map<Hash, std::size_t>& mails, std::string& sums) {
    for (const Exported& envelope : envelopes) {
        const auto mail = mails.find(envelope.original.enclosed);
        if (mail == mails.end()) continue;
        const vault::ReportLayout& layout = *envelope.original.report;
        const std::string name = digits_of(envelope.original) + "-report.eml";
        StagedFile file = TRY(StagedFile::create(fs, folder / name, StagedFile::Existing::refuse));
        Sha256 hash;
        TRY(write_report(originals, envelope.position, mail->second, layout, [&](ByteView piece) {
            hash.update(piece);
            return file.write(piece);
        }));
        if (hash.finish() != layout.whole_sha256) return changed();
        TRY(file.commit());
        sums += layout.whole_sha256.hex() + "  " + name + "\n";
    }
    return {};
}
}  // namespace

std::string original_name(const Original& original) {
    return digits_of(original) + original_extension(original.kind, original.format);
}

Result<OriginalsWritten> write_eml_folder(Fs& fs, const Path& folder, OriginalSource& originals) {
    TRY(fs.make_dirs(folder));
    OriginalsWritten written;
    std::string sums;
    std::vector<Exported> envelopes;
    std::map<Hash, std::size_t> mails;
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
        if (original.report) {
            envelopes.push_back({i, original});
        } else {
            mails.emplace(original.sha256, i);  // of any kind: what a report encloses may be no readable mail
        }
    }
    TRY(write_reports(fs, folder, originals, envelopes, mails, sums));
    TRY(put_once(fs, folder / "SHA256SUMS", as_bytes(sums)));
    TRY(fs.sync_dir(folder));
    return written;
}

Result<OriginalsWritten> write_mbox(const ByteSink& out, OriginalSource& originals) {
    OriginalsWritten written;
    for (std::size_t i = 0; i < originals.count(); ++i) {
        const Original original = TRY(originals.describe(i));
        if (original_extension(original.kind, original.format) != ".eml" ||
            original.kind == vault::MessageKind::envelope) {
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
