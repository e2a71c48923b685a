// A tree of folders with mails in them: what piler's pilerexport, MailStore and others write when an archive is left
// for another one. The tree says how much there is to come; what came of each folder is counted beside it
// (docs/format/eml-tree.md).
#include <algorithm>
#include <charconv>
#include <optional>

#include "base/text.h"
#include "ingest/src/all_formats.h"
#include "ingest/src/container.h"
#include "ingest/src/csv.h"
#include "ingest/src/mail_header.h"
#include "ingest/src/mail_pool.h"
#include "ingest/src/outlook_msg.h"

namespace kustos::ingest {

namespace {

constexpr std::string_view kManifest = "manifest.csv";
constexpr std::uint64_t kMaxManifest = 16u << 20;

bool ends(std::string_view path, std::string_view with) {
    return path.size() >= with.size() && iequals(path.substr(path.size() - with.size()), with);
}
bool is_mail(std::string_view path) {
    return ends(path, ".eml") || ends(path, ".msg");
}
std::string folder_of(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string_view::npos ? std::string() : repair_utf8(path.substr(0, slash));
}
std::string_view name_of(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

// piler names each file by its own id: 36 hexadecimal digits.
bool is_piler_name(std::string_view path) {
    const std::string_view name = name_of(path);
    return name.size() == 40 && ends(name, ".eml") && std::all_of(name.begin(), name.begin() + 36, [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
           });
}

class TreeReader {
public:
    TreeReader(ContainerReader& reader, const ReadContext& context, ItemSink& sink)
        : reader_(reader), context_(context), sink_(sink, context.limits) {}

    Result<bool> run() {
        const auto promised = TRY(promises());
        std::size_t mails = 0;
        for (const auto& [path, member] : reader_.container().members()) {
            if (!is_mail(path)) continue;
            ++mails;
            TRY(mail(path));
        }
        TRY(sink_.finish());
        for (const auto& [folder, count] : promised) sink_.promised(folder, count);
        return mails > 0;
    }

private:
    using Counts = std::map<std::string, std::uint64_t>;

    // What the export itself says, if it says something; else the files that are there.
    Result<Counts> promises() {
        Counts out;
        for (const auto& [path, member] : reader_.container().members())
            if (is_mail(path)) ++out[folder_of(path)];
        const auto manifest = reader_.take(kManifest, kMaxManifest);
        if (!manifest) return out;
        reader_.give_back(kManifest);  // sealed with the rest
        Counts said;
        CsvReader csv(as_text(*manifest));
        CsvRow row;
        for (bool first = true; csv.next(row); first = false) {
            const auto line = promise(row);
            if (line)
                said[line->first] += line->second;
            else if (!first)
                sink_.finding("eml-tree:manifest-line");
        }
        for (const auto& [folder, count] : said) out[folder] = count;
        return out;
    }

    // folder,count; a title line has no number.
    static std::optional<std::pair<std::string, std::uint64_t>> promise(const CsvRow& row) {
        if (row.fields.size() < 2) return std::nullopt;
        const std::string_view number = trim(row.fields[1]);
        std::uint64_t count = 0;
        const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), count);
        if (error != std::errc() || end != number.data() + number.size()) return std::nullopt;
        std::string folder = repair_utf8(trim(row.fields[0]));
        std::replace(folder.begin(), folder.end(), '\\', '/');
        while (!folder.empty() && folder.back() == '/') folder.pop_back();
        return std::pair(std::move(folder), count);
    }

    Status mail(const std::string& path) {
        auto raw = reader_.take(path, context_.limits.mail);
        if (!raw) return ok_status();  // seal_rest() keeps it, or says that it could not be read
        const std::string note = "folder:" + folder_of(path);
        std::string position(name_of(path));
        const auto describe = [note, position](ParsedItem item) {
            item.message.notes.push_back(note);
            item.message.feed_position = repair_utf8(position);
            return item;
        };
        if (ends(path, ".msg")) return sink_.item(describe(parse_outlook_msg(std::move(*raw), context_.limits)));
        return sink_.mail(std::move(*raw), [describe, &limits = context_.limits](Bytes bytes) {
            return describe(parse_mail(std::move(bytes), limits));
        });
    }

    ContainerReader& reader_;
    const ReadContext& context_;
    MailPool sink_;
};

// A folder of mails is nothing special: only piler's own names are. For the others the operator says --format eml-tree.
Certainty looks(const Sample& sample) {
    if (!sample.is_folder() && !sample.is_zip()) return Certainty::no;
    if (!sample.has_member_ending(".eml")) return Certainty::no;
    if (sample.is_zip()) return Certainty::likely;
    std::error_code error;
    std::size_t seen = 0;
    for (std::filesystem::directory_iterator at(sample.path(), error), end; !error && at != end; at.increment(error)) {
        const std::string name = at->path().filename().string();
        if (!ends(name, ".eml")) continue;
        if (!is_piler_name(name)) return Certainty::no;
        if (++seen == 64) break;
    }
    return seen > 0 ? Certainty::likely : Certainty::no;
}

Status read_tree(const Input& input) {
    return read_container(input, "eml-tree",
                          [&](ContainerReader& reader) { return TreeReader(reader, input.context, input.sink).run(); });
}

}  // namespace

const Format kEmlTreeFormat = {{"eml-tree",
                                "Folder tree of mails (pilerexport, MailStore)",
                                {.level = EvidentialLevel::medium,  // what the former archive did is not shown
                                 .ids = Carries::yes,
                                 .edits = Carries::no,
                                 .deletions = Carries::no,
                                 .time_zone = Carries::yes,
                                 .membership = Carries::no,
                                 .attachments = Carries::yes}},
                               looks,
                               read_tree,
                               true,
                               true};

}  // namespace kustos::ingest
