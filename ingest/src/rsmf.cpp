// RSMF 2.0: a mail with a zip in it, whose manifest has the events (docs/format/rsmf.md).
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <map>

#include "base/text.h"
#include "ingest/src/all_formats.h"
#include "ingest/src/chat_fields.h"
#include "ingest/src/mail_header.h"
#include "ingest/src/mail_parts.h"
#include "ingest/src/rsmf_manifest.h"
#include "ingest/src/single_formats.h"
#include "ingest/src/unreadable.h"

namespace kustos::ingest {

namespace {

constexpr std::string_view kName = "rsmf";
constexpr std::string_view kManifest = "rsmf_manifest.json";

bool is_rsmf(const HeaderBlock& header) {
    return std::any_of(header.lines.begin(), header.lines.end(),
                       [](const HeaderLine& line) { return iequals(line.name, "X-RSMF-Version"); });
}

// A zip that stands inside a mail, in memory and never in a file: the sandbox is given a path to it.
class MemoryFile {
public:
    MemoryFile() = default;
    MemoryFile(const MemoryFile&) = delete;
    MemoryFile& operator=(const MemoryFile&) = delete;
    ~MemoryFile() {
        if (fd_ >= 0) ::close(fd_);
    }
    Status fill(ByteView bytes) {
        fd_ = ::memfd_create("rsmf", MFD_CLOEXEC);
        if (fd_ < 0) return Error(Code::environment, "no memory file");
        while (!bytes.empty()) {
            const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
            if (written <= 0) return Error(Code::environment, "cannot fill a memory file");
            bytes = bytes.subspan(static_cast<std::size_t>(written));
        }
        return ok_status();
    }
    Path path() const { return "/proc/self/fd/" + std::to_string(fd_); }

private:
    int fd_ = -1;
};

Certainty looks(const Sample& sample) {
    if (sample.is_folder()) return Certainty::no;
    if (sample.is_zip()) return sample.has(kManifest) ? Certainty::sure : Certainty::no;
    return !sample.binary() && is_rsmf(split_header(sample.start())) ? Certainty::sure : Certainty::no;
}

Result<bool> read_archive(ContainerReader& reader, const ReadContext& context, ItemSink& sink) {
    auto manifest = reader.take(kManifest, context.limits.csv);
    if (!manifest) return false;
    TRY(read_rsmf_manifest(*manifest, files_of(reader), context, sink));
    return true;
}

// The mail without the zip's bytes: its header says who exported what.
Status seal_wrapping(const Bytes& mail, const std::optional<vault::RawSpan>& span, const ReadContext& context,
                     ItemSink& sink) {
    Bytes rest = to_bytes(ByteView(mail).first(span ? span->offset : mail.size()));
    if (span) put(rest, ByteView(mail).subspan(span->offset + span->length));
    return seal_frame(std::move(rest), kName, context.limits, sink);
}

Status read_path(const Input& input) {
    if (TRY(Sample::of(input.path, input.context)).is_zip())
        return read_container(input, kName,
                              [&](ContainerReader& reader) { return read_archive(reader, input.context, input.sink); });
    auto mail = TRY(whole_or_quarantine(input.path, input.context.limits.mail, kName, input.context, input.sink));
    return mail ? read_rsmf(std::move(*mail), input.context, input.sink) : ok_status();
}

}  // namespace

Status read_rsmf(Bytes mail, const ReadContext& context, ItemSink& sink) {
    const auto refuse = [&](std::string_view reason) {
        return quarantine(std::move(mail), kName, reason, context.limits, sink);
    };
    if (!context.extractor) return refuse("no-extractor");
    const MailParts parts = split_parts(mail, context.limits);
    const auto zip = std::find_if(parts.parts.begin(), parts.parts.end(), [](const MailPart& p) {
        return p.content.size() > 4 && as_text(p.content).substr(0, 4) == "PK\x03\x04";
    });
    if (zip == parts.parts.end()) return refuse("no-rsmf-zip");
    MemoryFile file;
    TRY(file.fill(zip->content));
    const auto container = TRY(open_zip(file.path(), context));
    ContainerReader reader(*container, context, sink);
    const bool known = TRY(read_archive(reader, context, sink));
    const auto problems = container->problems();
    for (const std::string& problem : problems) sink.finding(problem);
    // What can't be trusted is sealed whole beside what was read of it.
    if (!known || !problems.empty()) return refuse(problems.empty() ? "no-manifest" : problems.front());
    TRY(reader.seal_rest(kName));
    return seal_wrapping(mail, zip->in_raw, context, sink);
}

const Format kRsmfFormat = {
    {kName,
     "RSMF 2.0",
     {.level = EvidentialLevel::medium,  // a review format: made from an export, not by a source
      .ids = Carries::partly,
      .edits = Carries::yes,
      .deletions = Carries::partly,  // that, not when
      .time_zone = Carries::yes,
      .membership = Carries::yes,
      .attachments = Carries::yes}},
    looks,
    read_path};

}  // namespace kustos::ingest
