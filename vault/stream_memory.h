// What streams remember between rounds (a cursor, a transaction's id, the place in a mailbox): vault/streams.db.
//
// Names and values may be personal (the address of a mailbox, the id of a room): names are kept as MACs, values sealed
// as derived data is, each write under a key of its own that comes from the archive's duplicates key. Like that key it
// is readable with the vault closed, by whoever has the whole disk (docs/threat-model.md). Lost with the file: a stream
// begins anew, and what comes twice is a duplicate.
//
// Durability: remember() and forget() are durable when they return. Threads: safe (own lock).
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/random.h"
#include "base/secret.h"
#include "base/sqlite.h"

namespace kustos::vault {

class StreamMemory {
public:
    static constexpr std::size_t kMaxValue = 64u << 10;
    // key32: of this source alone (Archive::stream_key).
    static Result<std::unique_ptr<StreamMemory>> open(const Path& file, const VaultId& vault, Random& random);
    Result<std::optional<std::string>> recall(ByteView key32, SourceId source, std::string_view name);
    Status remember(ByteView key32, SourceId source, std::string_view name, std::string_view value);
    Status forget(ByteView key32, SourceId source, std::string_view name);

private:
    StreamMemory(Database database, const VaultId& vault, Random& random)
        : database_(std::move(database)), vault_(vault), random_(random) {}
    std::mutex mutex_;
    Database database_;
    VaultId vault_;
    Random& random_;
};

}  // namespace kustos::vault
