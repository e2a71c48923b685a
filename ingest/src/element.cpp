// A room as Element Web exports it: JSON, or a zip with files beside it (docs/format/element.md).
#include <algorithm>
#include <map>

#include "base/text.h"
#include "ingest/src/all_formats.h"
#include "ingest/src/mail_header.h"
#include "ingest/src/matrix_feed.h"
#include "ingest/src/single_formats.h"

namespace kustos::ingest {

namespace {

constexpr std::string_view kName = "element";

bool has_ending(std::string_view text, std::string_view ending) {
    return text.size() >= ending.size() && iequals(text.substr(text.size() - ending.size()), ending);
}

bool is_element(std::string_view text) {
    return !text.empty() && text.front() == '{' && text.find("\"room_name\"") != std::string_view::npos &&
           text.find("\"exported_by\"") != std::string_view::npos;
}

// export.json, in the zip or in a folder of it.
std::string export_of(const Container& container) {
    for (const auto& [path, member] : container.members())
        if (path == "export.json" || has_ending(path, "/export.json")) return path;
    return {};
}

// Element writes "images/photo-29-11-2026 at 10-00-00.png" and names no path: the one file whose name begins with the
// sent name's stem and has its ending is it; where several could be, none is.
class FilesByName {
public:
    explicit FilesByName(const Container& container) {
        for (const auto& [path, member] : container.members()) {
            const std::string_view base = std::string_view(path).substr(path.rfind('/') + 1);
            files_.emplace(key(base, base.substr(0, base.rfind('.'))), path);
        }
    }
    std::string find(std::string_view name) const {
        const std::string_view stem = name.substr(0, name.rfind('.'));
        const std::string plain = key(name, stem), dated = key(name, std::string(stem) + "-");
        const auto starts = [](const std::string& text, const std::string& start) {
            return text.compare(0, start.size(), start) == 0;
        };
        auto at = files_.lower_bound(dated);
        const bool found = at != files_.end() && starts(at->first, dated);
        const std::size_t exact = files_.count(plain);
        if (exact + (found ? 1 : 0) != 1) return {};
        if (!found) return files_.find(plain)->second;
        const std::string path = at->second;
        return ++at != files_.end() && starts(at->first, dated) ? std::string() : path;
    }

private:
    // The ending first, so that what could be meant stands together.
    static std::string key(std::string_view name, std::string_view stem) {
        const std::size_t dot = std::min(name.rfind('.'), name.size());
        return lower_ascii(name.substr(dot)) + std::string(1, '\0') + std::string(stem);
    }
    std::multimap<std::string, std::string> files_;
};

Certainty looks(const Sample& sample) {
    if (sample.is_folder()) return Certainty::no;
    if (!sample.is_zip()) return !sample.binary() && is_element(sample.text()) ? Certainty::sure : Certainty::no;
    const std::string name = sample.has_member_ending("export.json") ? export_of(*sample.container()) : "";
    return !name.empty() && is_element(sample.member_starting(name)) ? Certainty::sure : Certainty::no;
}

Status read_path(const Input& input) {
    const Sample sample = TRY(Sample::of(input.path, input.context));
    if (!sample.is_zip()) {
        const auto source = TRY(file_source(input.path));
        return read_element(*source, {}, input.context, input.sink);
    }
    return read_container(input, kName, [&](ContainerReader& reader) -> Result<bool> {
        const std::string name = export_of(reader.container());
        const auto json = name.empty() ? std::nullopt : reader.take(name, input.context.limits.csv);
        if (!json) return false;
        ExportFiles files = files_of(reader);
        const FilesByName names(reader.container());
        files.attach = [&](std::string_view sent, vault::Attachment& into) {
            const std::string path = names.find(sent);
            if (!path.empty() && !reader.taken(path)) reader.attach(path, into);
        };
        TRY(read_element(*memory_source(*json), files, input.context, input.sink));
        return true;
    });
}

}  // namespace

Status read_element(ByteSource& source, const ExportFiles& files, const ReadContext& context, ItemSink& sink) {
    MatrixFeed feed(context, sink, kName);
    if (files.attach) feed.set_files([&files](vault::Attachment& into) { files.attach(into.name, into); }, files.ready);
    return feed.read(source);
}

const Format kElementFormat = {{kName,
                                "Element room export (JSON)",
                                {.level = EvidentialLevel::medium,
                                 .ids = Carries::yes,
                                 .edits = Carries::partly,
                                 .deletions = Carries::partly,
                                 .time_zone = Carries::yes,
                                 .membership = Carries::yes,
                                 .attachments = Carries::partly}},
                               looks,
                               read_path};

}  // namespace kustos::ingest
