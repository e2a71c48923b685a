// Is a backup whole, and does it say what a ledger says? And its way back onto a disk.
#include <algorithm>
#include <set>

#include "audit/ledger.h"
#include "audit/verify_archive.h"
#include "base/crypto.h"
#include "vault/backup.h"
#include "vault/boxes.h"
#include "vault/src/backup_store.h"

namespace kustos::vault {

using audit::BodyReader;
using audit::ControlAction;
using audit::Tag;

namespace {

Result<Hash> hash_object(Fs& fs, const Path& file, std::uint64_t expected, const std::function<bool()>& stop) {
    auto opened = TRY(fs.open(file, OpenMode::read));
    if (TRY(opened->size()) != expected) return Error(Code::corrupt, "has another size");
    Sha256 hash;
    Bytes buffer(1u << 20);
    for (std::uint64_t at = 0; at < expected;) {
        if (stop && stop()) return Error(Code::interrupted, "interrupted");
        const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(expected - at, buffer.size()));
        if (TRY(opened->read_at(at, std::span(buffer).first(n))) != n) return Error(Code::corrupt, "is too short");
        hash.update(ByteView(buffer).first(n));
        at += n;
    }
    return hash.finish();
}

// The boxes of the newest generation: what is in older ones lies in the escrow's pages.
Status check_boxes(Fs& view, const Path& root, const BackupManifest& manifest, audit::Report& report) {
    const audit::LedgerReader reader(view, root / "ledger", manifest.size);
    return reader.for_each(
        EntryIndex(0), EntryIndex(manifest.size.value), [&](EntryIndex index, ByteView bytes) -> Status {
            if (TRY(audit::decode_header(bytes)).kind != audit::Kind::control) return {};
            const audit::Entry entry = TRY(audit::decode_entry(bytes));
            const bool tree = control_action(entry) == ControlAction::tree_opened;
            if (!tree && control_action(entry) != ControlAction::shard_opened) return {};
            const BodyReader body = TRY(BodyReader::parse(entry.body));
            const auto id = body.find_u32(tree ? Tag::tree : Tag::shard);
            const auto hash = body.find_hash(Tag::box_hash);
            if (!id || !hash || body.find_u32(Tag::generation).value_or(0) < manifest.generation) return {};
            bool any = false;
            for (const char copy : {'a', 'b'}) {
                const std::string name =
                    "keys/boxes/" +
                    box_file("", tree ? BoxPurpose::tree : BoxPurpose::shard, *id, copy).filename().string();
                const auto found = manifest.files.find(name);
                any = any || (found != manifest.files.end() && found->second.hash == *hash);
            }
            if (!any)
                report.problem("keys.box", "entry " + std::to_string(index.value),
                               "the backup lacks the sealed box that it names");
            report.checked["boxes"] += 1;
            return {};
        });
}

}  // namespace

Result<audit::Report> verify_backup(Fs& fs, const Path& dir, const std::function<bool()>& stop) {
    const BackupManifest manifest = TRY(load_backup(fs, dir));
    std::set<std::pair<std::string, std::uint64_t>> objects;
    std::vector<std::pair<std::string, std::string>> wrong;
    std::map<std::string, std::string> first_named;
    for (const auto& [name, file] : manifest.files) {
        for (const BackupPiece& p : file.pieces) {
            if (!objects.insert({p.hash.hex(), p.size}).second) continue;
            const auto hash = hash_object(fs, object_file(dir, p.hash), p.size, stop);
            if (!hash.ok() && hash.error().code() == Code::interrupted) return hash.error();
            if (!hash.ok() || !(*hash == p.hash))
                wrong.emplace_back(name, hash.ok() ? "is not what was backed up" : hash.error().message());
        }
    }
    const Path root("/backup");
    const auto view = view_backup(fs, dir, manifest, root);
    audit::VerifyOptions options;
    options.stop = stop;
    audit::Verification found = audit::verify_archive(*view, root, options);
    if (found.interrupted) return Error(Code::interrupted, "interrupted");
    audit::Report report = std::move(found.report);
    report.checked["objects"] += objects.size();
    for (const auto& [name, what] : wrong) report.problem("backup.object", name, what);
    if (report.size != manifest.size.value || !report.root || !(*report.root == manifest.root))
        report.problem("backup.manifest", "manifest", "names another size than the checkpoint in the backup");
    if (const Status boxes = check_boxes(*view, root, manifest, report); !boxes.ok())
        report.problem("backup.object", "ledger", boxes.error().message());
    return report;
}

namespace {
struct Watched {
    const BackupOptions& watch;
    std::uint64_t total = 0, done = 0;
    Bytes buffer = Bytes(1u << 20);
};

// Synced; its name is the caller's to sync.
Status write_out(Fs& fs, const Path& dir, const std::string& name, const BackupFile& file, const Path& to, Watched& w) {
    auto out = TRY_IN(name, fs.open(to, OpenMode::create_or_open));
    TRY(out->truncate(0));
    std::uint64_t at = 0;
    for (const BackupPiece& p : file.pieces) {
        auto in = TRY_IN(name, fs.open(object_file(dir, p.hash), OpenMode::read));
        Sha256 hash;
        for (std::uint64_t from = 0; from < p.size;) {
            if (w.watch.stop && w.watch.stop()) return Error(Code::interrupted, "interrupted");
            const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(p.size - from, w.buffer.size()));
            if (TRY(in->read_at(from, std::span(w.buffer).first(n))) != n)
                return Error(Code::corrupt, name + ": an object of the backup is too short");
            hash.update(ByteView(w.buffer).first(n));
            TRY(out->write_at(at, ByteView(w.buffer).first(n)));
            from += n;
            at += n;
            w.done += n;
            if (w.watch.progress) w.watch.progress(w.done, w.total);
        }
        if (!(hash.finish() == p.hash))
            return Error(Code::corrupt, name + ": an object of the backup is damaged")
                .with_hint("kustos backup verify names all of them");
    }
    return out->sync();
}
}  // namespace

Status restore_files(Environment e, const Path& dir, const BackupManifest& manifest, const Path& archive,
                     const BackupOptions& watch) {
    Fs& fs = e.fs;
    if (fs.exists(archive) && !TRY(fs.list(archive)).empty())
        return Error(Code::conflict, "the folder for the restored archive is not empty")
            .with_hint("name one that does not exist yet");
    for (const char* folder : {"ledger", "vault/segments", "vault/blobs", "staging", "keys/boxes", "index"})
        TRY(make_dirs_synced(fs, archive / folder));
    Watched w{watch};
    for (const auto& [name, file] : manifest.files) w.total += file.size;
    std::set<Path> folders;
    for (const auto& [name, file] : manifest.files) {
        const Path to = archive / name;
        if (folders.insert(to.parent_path()).second) TRY(make_dirs_synced(fs, to.parent_path()));
        TRY(write_out(fs, dir, name, file, to, w));
    }
    for (const Path& folder : folders) TRY(fs.sync_dir(folder));
    return {};
}

Status restore_file(Environment e, const Path& dir, const BackupManifest& manifest, const Path& archive,
                    const std::string& name) {
    const auto found = manifest.files.find(name);
    if (found == manifest.files.end()) return Error(Code::not_found, "the backup does not hold " + name);
    const BackupOptions nobody;
    Watched w{nobody};
    const Path to = archive / name;
    Path part = to;
    part += ".tmp";
    TRY(make_dirs_synced(e.fs, to.parent_path()));
    TRY(write_out(e.fs, dir, name, found->second, part, w));
    TRY(e.fs.rename(part, to));
    return e.fs.sync_dir(to.parent_path());
}

}  // namespace kustos::vault
