// Files with what is known of them beside them: faxes, recordings, call records (docs/format/kustos-sidecar.md).
#include <algorithm>

#include "base/text.h"
#include "ingest/src/all_formats.h"
#include "ingest/src/beneath.h"
#include "ingest/src/chat_fields.h"
#include "ingest/src/csv.h"
#include "ingest/src/mail_header.h"
#include "ingest/src/sidecar.h"
#include "ingest/src/sidecar_record.h"
#include "ingest/src/spooler.h"
#include "ingest/src/unreadable.h"

namespace kustos::ingest {

namespace {

constexpr std::uint64_t kMaxSidecar = 1u << 20;
constexpr std::string_view kManifest = "manifest.csv";

bool ends(std::string_view text, std::string_view with) {
    return text.size() > with.size() && iequals(text.substr(text.size() - with.size()), with);
}
std::string folder_of(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string_view::npos ? std::string() : std::string(path.substr(0, slash + 1));
}
std::string_view name_of(std::string_view path) {
    return path.substr(folder_of(path).size());
}

bool is_sidecar_text(std::string_view text) {
    return !text.empty() && text.front() == '{' && text.find("\"kustos_sidecar\"") != std::string_view::npos;
}
bool is_manifest_text(std::string_view text) {
    if (text.substr(0, 3) == "\xEF\xBB\xBF") text.remove_prefix(3);
    CsvReader csv(text, separator_of(text));
    CsvRow row;
    if (!csv.next(row)) return false;
    const auto has = [&row](std::string_view title) {
        return std::any_of(row.fields.begin(), row.fields.end(),
                           [&](const auto& f) { return iequals(trim(f), title); });
    };
    return SidecarColumns::of(row.fields) && (has("duration") || has("dauer") || has("direction") || has("richtung"));
}

// A sidecar or manifest that stands alone: its files stand beside it.
class Beside {
public:
    Beside(Path folder, const ReadContext& context) : folder_(std::move(folder)), spooler_(context) {}
    ExportFiles files() {
        ExportFiles out;
        out.attach = [this](std::string_view path, vault::Attachment& into) {
            const auto file = open_beneath(folder_, path);
            into.missing =
                !file.ok() || file->size() > spooler_.most() ||
                !spooler_.take(into, file->size(), [&](const ByteSink& to) { return file->read_all(to); }).ok();
            into.size = into.content_size();
        };
        out.ready = [this] { return spooler_.finish(); };
        return out;
    }

private:
    Path folder_;
    Spooler spooler_;
};

// Where the paths of a record begin: in the folder that the record stands in.
ExportFiles below(const ExportFiles& files, const std::string& folder) {
    ExportFiles out = files;
    if (files.attach)
        out.attach = [&files, folder](std::string_view path, vault::Attachment& into) {
            files.attach(folder + std::string(path), into);
        };
    return out;
}

Status read_file_alone(const Input& input) {
    // What has nothing beside it says only that it came.
    auto content =
        TRY(whole_or_quarantine(input.path, input.context.limits.mail, kSidecarName, input.context, input.sink));
    if (!content) return ok_status();
    ParsedItem item;
    vault::Message& m = item.message;
    m.kind = vault::MessageKind::file;
    m.format = kSidecarName;
    m.notes = {"id-synthesised", "no-sidecar"};
    const std::string name = input.path.filename().string();
    vault::Attachment file = named_file(name, input.context.limits);
    file.missing = false;
    file.content = std::move(*content);
    file.size = file.content.size();
    item.source_bytes = file.size;
    m.native_id = made_id({file.name, as_text(file.content)});
    m.attachments.push_back(std::move(file));
    input.sink.finding("sidecar:file-without-sidecar");
    return input.sink.item(std::move(item));
}

// A folder is one delivery where it has a sidecar or a manifest directly in it.
Certainty container_looks(const Sample& sample, const std::vector<std::string>& names) {
    constexpr int kMostLooks = 16;
    int looks = 0;
    for (const std::string& name : names) {
        if (ends(name, ".json") && looks++ < kMostLooks && is_sidecar_text(sample.member_starting(name)))
            return Certainty::sure;
        if (iequals(name_of(name), kManifest) && is_manifest_text(sample.member_starting(name))) return Certainty::sure;
    }
    return Certainty::no;
}

Certainty looks(const Sample& sample) {
    if (sample.is_folder()) {
        RealFs fs;
        const auto names = fs.list(sample.path());
        return names.ok() ? container_looks(sample, *names) : Certainty::no;
    }
    if (sample.is_zip()) {
        std::vector<std::string> names;
        if (sample.has_member_ending(".json") || sample.has_member_ending(kManifest))
            for (const auto& [path, member] : sample.container()->members()) names.push_back(path);
        return container_looks(sample, names);
    }
    if (sample.binary()) return Certainty::no;
    if (is_sidecar_text(sample.text())) return Certainty::sure;
    return sample.has_ending(".csv") && is_manifest_text(sample.start()) ? Certainty::sure : Certainty::no;
}

Status read_delivery(ContainerReader& reader, const Input& input, bool& any) {
    const ExportFiles files = files_of(reader);
    std::vector<std::string> sidecars, manifests;
    for (const auto& [path, member] : reader.container().members()) {
        if (ends(path, ".json") && member.size <= kMaxSidecar) sidecars.push_back(path);
        if (iequals(name_of(path), kManifest)) manifests.push_back(path);
    }
    for (const std::string& path : sidecars) {
        auto text = reader.take(path, kMaxSidecar);
        if (!text || !is_sidecar_text(trim(as_text(*text)))) {
            reader.give_back(path);
            continue;
        }
        any = true;
        TRY(read_one_sidecar(std::move(*text), name_of(path), below(files, folder_of(path)), input.context,
                             input.sink));
    }
    for (const std::string& path : manifests) {
        auto text = reader.take(path, input.context.limits.csv);
        if (!text || !is_manifest_text(as_text(*text))) {
            reader.give_back(path);
            continue;
        }
        any = true;
        TRY(read_call_manifest(std::move(*text), below(files, folder_of(path)), input.context, input.sink));
    }
    std::uint64_t alone = 0;
    for (const auto& [path, member] : reader.container().members()) alone += !reader.taken(path);
    if (any && alone > 0) input.sink.finding("sidecar:file-without-sidecar", alone);
    return ok_status();
}

Status read_path(const Input& input) {
    const Sample sample = TRY(Sample::of(input.path, input.context));
    if (sample.is_zip() || sample.is_folder()) {
        return read_container(input, kSidecarName, [&](ContainerReader& reader) -> Result<bool> {
            bool any = false;
            TRY(read_delivery(reader, input, any));
            return any;
        });
    }
    const Path parent = input.path.parent_path();
    Beside beside(parent.empty() ? Path(".") : parent, input.context);
    const ExportFiles files = beside.files();
    const bool manifest = !is_sidecar_text(sample.text()) && is_manifest_text(sample.start());
    if (!manifest && !is_sidecar_text(sample.text())) return read_file_alone(input);
    auto text = TRY(whole_or_quarantine(input.path, manifest ? input.context.limits.csv : kMaxSidecar, kSidecarName,
                                        input.context, input.sink));
    if (!text) return ok_status();
    if (manifest) return read_call_manifest(std::move(*text), files, input.context, input.sink);
    return read_one_sidecar(std::move(*text), input.path.filename().string(), files, input.context, input.sink);
}

}  // namespace

Status read_one_sidecar(Bytes json, std::string_view name, const ExportFiles& files, const ReadContext& context,
                        ItemSink& sink) {
    JsonParser parser;
    SidecarRecord record;
    std::uint64_t unknown = 0;
    ByteView text(json);
    if (as_text(text).substr(0, 3) == "\xEF\xBB\xBF") text = text.subspan(3);
    std::string_view reason = parser.parse(text);
    if (reason.empty()) reason = read_sidecar(parser.root(), context.limits, record, unknown);
    if (!reason.empty()) {
        sink.finding("sidecar:unreadable");
        return quarantine(std::move(json), kSidecarName, reason, context.limits, sink);
    }
    if (unknown > 0) sink.finding("sidecar:unknown-key", unknown);
    // "fax-1.tif.json" is about "fax-1.tif". A record without a file has a name of its own: there is no such file.
    if (record.files.empty() && record.kind != "call" && ends(name, ".json"))
        record.files.emplace_back(name.substr(0, name.size() - 5));
    const std::string identity = canonical_json(parser.root());
    ParsedItem item = sidecar_item(record, std::move(json), identity, files, context, sink);
    if (files.ready) TRY(files.ready());
    return sink.item(std::move(item));
}

Status read_call_manifest(Bytes csv, const ExportFiles& files, const ReadContext& context, ItemSink& sink) {
    std::string_view text = as_text(csv);
    const std::size_t mark = text.substr(0, 3) == "\xEF\xBB\xBF" ? 3 : 0;
    CsvReader reader(text.substr(mark), separator_of(text));
    CsvRow row;
    if (!reader.next(row)) return ok_status();
    const auto columns = SidecarColumns::of(row.fields);
    if (!columns) return quarantine(std::move(csv), kSidecarName, "no-manifest", context.limits, sink);
    TRY(seal_frame(to_bytes(text.substr(0, mark + row.end)), kSidecarName, context.limits, sink));
    const std::size_t width = row.fields.size();
    NthEqual equal;
    while (reader.next(row)) {
        const std::string_view raw = text.substr(mark + row.begin, row.end - row.begin);
        if (trim(raw).empty()) continue;
        const bool bad = row.unclosed_quote || row.fields.size() > width;
        if (bad || raw.size() > context.limits.line || !is_valid_utf8(raw)) {
            sink.finding("sidecar:bad-row");
            TRY(quarantine(to_bytes(raw), kSidecarName, "bad-row", context.limits, sink));
            continue;
        }
        const std::string values = columns->canonical(row.fields);
        // The n-th of equal rows is the n-th in every export of them.
        const std::string identity = equal.id({values});
        ParsedItem item =
            sidecar_item(columns->record(row.fields, context.limits), to_bytes(raw), identity, files, context, sink);
        if (files.ready) TRY(files.ready());
        TRY(sink.item(std::move(item)));
    }
    return ok_status();
}

bool is_sidecar_file(const Path& path, const ReadContext& context) {
    const auto sample = Sample::of(path, context);
    return sample.ok() && !sample->is_folder() && !sample->is_zip() && is_sidecar_text(sample->text());
}

const Format kSidecarFormat = {{kSidecarName,
                                "Files with a sidecar, call records (kustos-sidecar)",
                                {.level = EvidentialLevel::medium,
                                 .ids = Carries::partly,
                                 .edits = Carries::no,
                                 .deletions = Carries::no,
                                 .time_zone = Carries::partly,
                                 .membership = Carries::no,
                                 .attachments = Carries::yes}},
                               looks,
                               read_path,
                               true};

}  // namespace kustos::ingest
