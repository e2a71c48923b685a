#include "ingest/src/container.h"

#include <algorithm>

#include "base/crypto.h"
#include "base/text.h"
#include "ingest/src/beneath.h"
#include "ingest/src/files.h"
#include "ingest/src/mail_header.h"
#include "ingest/src/media_type.h"
#include "ingest/src/registry.h"
#include "ingest/src/unreadable.h"

namespace kustos::ingest {

namespace {

class ZipContainer final : public Container {
public:
    explicit ZipContainer(std::unique_ptr<UnpackedArchive> archive) : archive_(std::move(archive)) {
        for (const ArchiveMember& member : archive_->members()) members_.emplace(member.path, member);
    }
    using Container::read;
    Status read(const ArchiveMember& member, std::uint64_t most, const ByteSink& sink) override {
        return archive_->read(member.index, most, sink);
    }
    std::vector<std::string> problems() const override { return archive_->problems(); }

private:
    std::unique_ptr<UnpackedArchive> archive_;
};

class FolderContainer final : public Container {
public:
    explicit FolderContainer(Path root) : root_(std::move(root)) {}

    Status list(const Path& folder, const std::string& prefix, int depth) {
        constexpr int kMaxDepth = 32;
        if (depth > kMaxDepth) return note("folder:too-deep");
        RealFs fs;
        for (const std::string& name : TRY(fs.list(folder))) {
            const std::string path = prefix + name;
            const FileKind kind = kind_of(folder / name);
            if (kind == FileKind::folder) {
                TRY(list(folder / name, path + "/", depth + 1));
            } else if (kind != FileKind::file) {
                TRY(note(kind == FileKind::link ? "folder:link-skipped" : "folder:special-skipped"));
            } else if (!RelPath::parse(path).ok()) {
                TRY(note("folder:name-skipped"));
            } else if (members_.size() >= UnpackLimits().members) {
                return note("folder:limit");
            } else {
                std::error_code error;
                const auto size = std::filesystem::file_size(folder / name, error);
                members_.emplace(path, ArchiveMember{static_cast<std::uint32_t>(members_.size()), path,
                                                     error ? 0 : static_cast<std::uint64_t>(size)});
            }
        }
        return ok_status();
    }

    using Container::read;
    Status read(const ArchiveMember& member, std::uint64_t most, const ByteSink& sink) override {
        const NamedFile file = TRY(open_beneath(root_, member.path));
        if (file.size() > most) return Error(Code::limit, "member too large");
        return file.read_all(sink);
    }
    std::vector<std::string> problems() const override { return problems_; }

private:
    Status note(std::string_view word) {
        if (std::find(problems_.begin(), problems_.end(), word) == problems_.end()) problems_.emplace_back(word);
        return ok_status();
    }
    Path root_;
    std::vector<std::string> problems_;
};

Status quarantine_zip(const Path& zip, std::string_view format, std::string_view reason, const ReadContext& context,
                      ItemSink& sink) {
    auto raw = TRY(whole_or_quarantine(zip, context.limits.mail, format, context, sink));
    if (!raw) return ok_status();
    return quarantine(std::move(*raw), format, reason, context.limits, sink);
}

bool is_zip_file(const Path& path) {
    const auto source = file_source(path);
    std::array<std::uint8_t, 4> start{};
    if (!source.ok()) return false;
    const auto got = (*source)->read(start);
    return got.ok() && *got == 4 && start[0] == 'P' && start[1] == 'K' && (start[2] == 3 || start[2] == 5);
}

}  // namespace

const ArchiveMember* Container::find(std::string_view path) const {
    const auto at = members_.find(path);
    return at == members_.end() ? nullptr : &at->second;
}

Result<Bytes> Container::read(const ArchiveMember& member, std::uint64_t most) {
    Bytes out;
    TRY(read(member, most, [&](ByteView piece) -> Status {
        if (out.size() + piece.size() > most) return Error(Code::limit, "member too large");
        put(out, piece);
        return ok_status();
    }));
    return out;
}

Result<std::unique_ptr<Container>> open_zip(const Path& zip, const ReadContext& context) {
    if (!context.extractor) return Error(Code::not_found, "no sandbox to read a zip in");
    UnpackLimits limits;
    limits.member_bytes = std::max(context.limits.csv, Spooler(context).most());
    return std::unique_ptr<Container>(std::make_unique<ZipContainer>(TRY(context.extractor->unpack(zip, limits))));
}

Result<std::unique_ptr<Container>> open_folder(const Path& folder) {
    auto out = std::make_unique<FolderContainer>(folder);
    TRY(out->list(folder, "", 0));
    return std::unique_ptr<Container>(std::move(out));
}

std::optional<Bytes> ContainerReader::take(std::string_view path, std::uint64_t most) {
    const ArchiveMember* member = container_.find(path);
    if (!member) return std::nullopt;
    auto bytes = container_.read(*member, most);
    if (!bytes.ok()) return std::nullopt;
    taken_.insert(std::string(path));
    return std::optional<Bytes>(std::move(*bytes));
}

Status ContainerReader::pass(std::string_view path, const ByteSink& sink) {
    const ArchiveMember* member = container_.find(path);
    if (!member) return Error(Code::not_found, "no such member");
    return container_.read(*member, spooler_.most(), sink);
}

void ContainerReader::attach(std::string_view path, vault::Attachment& into) {
    const ArchiveMember* member = path.empty() ? nullptr : container_.find(path);
    if (member) {
        const std::uint64_t most = spooler_.most();
        const Status taken =
            spooler_.take(into, member->size, [&](const ByteSink& out) { return container_.read(*member, most, out); });
        // A disk that fails under the spool is no missing attachment: finish_message() ends the reading then.
        into.missing = !taken.ok();
        if (taken.ok()) taken_.insert(std::string(path));
    } else {
        into.missing = true;
    }
    into.size = into.content_size();
}

Status ContainerReader::seal_rest(std::string_view format) {
    for (const auto& [path, member] : container_.members()) {
        if (taken_.count(path) != 0) continue;
        ParsedItem item;
        item.message.kind = vault::MessageKind::file;
        item.message.format = format;
        item.message.notes = {"rest-of-export"};
        vault::Attachment file;
        bool cut = false;
        file.name = cut_utf8(repair_utf8(path), context_.limits.text_value, cut);
        file.media_type = media_type_of_name(path);
        attach(path, file);
        if (file.missing) {
            sink_.finding(std::string(format) + ":member-unreadable");
            continue;
        }
        TRY(spooler_.finish());
        item.source_bytes = file.size;
        item.update_type = hex(file.spool ? file.spool.sha256.view() : sha256(file.content).view());
        item.message.native_id = file.name;
        item.message.attachments.push_back(std::move(file));
        TRY(sink_.item(std::move(item)));
    }
    return ok_status();
}

Status read_container(const Input& input, std::string_view format,
                      const std::function<Result<bool>(ContainerReader& reader)>& body) {
    const bool folder = kind_of(input.path) == FileKind::folder;
    if (!folder && !is_zip_file(input.path)) {
        auto raw = TRY(whole_or_quarantine(input.path, input.context.limits.mail, format, input.context, input.sink));
        return raw ? quarantine(std::move(*raw), format, "no-archive", input.context.limits, input.sink) : ok_status();
    }
    if (!folder && !input.context.extractor)
        return quarantine_zip(input.path, format, "no-extractor", input.context, input.sink);
    const auto container = folder ? TRY(open_folder(input.path)) : TRY(open_zip(input.path, input.context));
    ContainerReader reader(*container, input.context, input.sink);
    const bool known = TRY(body(reader));
    const auto problems = container->problems();
    for (const std::string& problem : problems) input.sink.finding(problem);
    if (folder) return reader.seal_rest(format);
    // Something in it could not be trusted: what was read stays read, and the whole is sealed, too.
    if (!known || !problems.empty()) {
        return quarantine_zip(input.path, format, problems.empty() ? "no-" + std::string(format) : problems.front(),
                              input.context, input.sink);
    }
    return reader.seal_rest(format);
}

}  // namespace kustos::ingest
