// Backups: consistent, incremental, made while the archive goes on (docs/format/backup.md).
//
//   <dir>/manifest          names every file as it was, with size and SHA-256; written last
//   <dir>/objects/<ab>/<..> pieces of files, named by their SHA-256
//
// A backup holds the ledger, the ciphertext, sealed boxes, slots and settings of one committed size. It never holds
// what opens the content: e_n, the keyring's root page and pages, auto.key, duplicates.key stand in the escrow
// (escrow.h). So ciphertext that is erased stays unreadable in every backup that was ever made.
//
// Atomic: the manifest is exchanged when everything else is durable; an interrupted backup leaves the one before, and
// the next takes up what it has copied. What the new manifest does not name any more is removed behind it: erased
// ciphertext that was compacted away leaves the backup, too. Threads: one backup into a folder at a time (locked).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "audit/report.h"
#include "vault/archive.h"

namespace kustos::vault {

struct BackupPiece {
    Hash hash;
    std::uint64_t size = 0;
    bool operator==(const BackupPiece&) const = default;
};
struct BackupFile {
    std::uint64_t size = 0;
    Hash hash;  // of the whole
    std::vector<BackupPiece> pieces;
    bool operator==(const BackupFile&) const = default;
};
struct BackupManifest {
    VaultId vault;
    UtcTime made;
    TreeSize size;  // of the ledger
    Hash root;
    std::uint32_t generation = 1;             // of the keyring, as the ledger names it
    std::map<std::string, BackupFile> files;  // by path in the archive directory
};
std::string format(const BackupManifest& manifest);
Result<BackupManifest> parse_backup_manifest(std::string_view text);  // Code::bad_input
// Code::not_found: there is no (complete) backup.
Result<BackupManifest> load_backup(Fs& fs, const Path& dir);

struct BackupOptions {
    Path to;
    std::function<bool()> stop;
    std::function<void(std::uint64_t done, std::uint64_t total)> progress;  // bytes
};
struct BackupReport {
    TreeSize size;
    Hash root;
    std::uint32_t generation = 1;
    std::uint64_t files = 0, bytes = 0;
    std::uint64_t bytes_written = 0;    // by this one
    std::uint64_t objects_removed = 0;  // that nothing names any more
};
// Code::conflict: the folder holds another archive's backup. Code::interrupted. Code::environment: no room, no disk.
Result<BackupReport> make_backup(Archive& archive, Environment environment, const BackupOptions& options);

// The backed up archive as a disk that can only be read: for the verifier. `root`: the path it appears under; keys/ is
// left out.
std::unique_ptr<Fs> view_backup(Fs& fs, const Path& dir, BackupManifest manifest, const Path& root);
// Every object, the ledger and the ciphertext (verify_archive), the boxes that the ledger names.
Result<audit::Report> verify_backup(Fs& fs, const Path& dir, const std::function<bool()>& stop);

// Writes every file below `archive`, which is absent or empty. Each piece's hash is checked on the way.
Status restore_files(Environment environment, const Path& dir, const BackupManifest& manifest, const Path& archive,
                     const BackupOptions& watch);
// One of them, over whatever is there. Code::not_found: the backup does not hold it.
Status restore_file(Environment environment, const Path& dir, const BackupManifest& manifest, const Path& archive,
                    const std::string& name);

}  // namespace kustos::vault
