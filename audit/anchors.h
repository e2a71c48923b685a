// Anchors on disk: ledger/anchors/<previous size, 12 digits>-<size, 12 digits>/{note, <n>.der, <n>.authority}.
// docs/format/anchors.md has the page.
//
// An anchor is one published checkpoint note and the tokens over its imprint (imprint.h). A token without its
// authority's name, or a folder without a note, is an interrupted store: it is left out of what is read, and the next
// store of the same anchor completes it. Files are written once and never changed.
// Durability: store() returns after everything is synced. Threads: any; two stores of the same anchor at a time are
// the caller's to prevent (the committer is the only writer).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/fs.h"
#include "base/ids.h"
#include "base/result.h"

namespace kustos::audit {

inline constexpr std::size_t kMaxAnchorNote = 64 * 1024;
inline constexpr unsigned kMaxAnchorTokens = 64;

// Covers the entries [previous, size).
struct AnchorSpan {
    TreeSize previous;
    TreeSize size;
    auto operator<=>(const AnchorSpan&) const = default;
    bool covers(EntryIndex entry) const { return previous.value <= entry.value && entry.value < size.value; }
    std::string folder() const;  // "000000000000-000000000042"
    static Result<AnchorSpan> parse(std::string_view folder);
};

struct AnchorToken {
    unsigned number = 0;
    std::string authority;
    Bytes token;
};

struct Anchor {
    AnchorSpan span;
    Bytes note;                       // signed note, as first published
    std::vector<AnchorToken> tokens;  // ascending numbers, at least one
};

class AnchorStore {
public:
    AnchorStore(Fs& fs, const Path& ledger_dir) : fs_(&fs), dir_(ledger_dir / "anchors") {}

    // Those with a note and a token, by size, then previous size. A folder with another kind of name is Code::corrupt.
    Result<std::vector<AnchorSpan>> list() const;
    Result<Anchor> read(const AnchorSpan& span) const;  // Code::not_found, Code::corrupt
    // Adds a token; the same token again changes nothing. Code::conflict if the anchor has another note.
    Result<unsigned> store(const AnchorSpan& span, ByteView note, ByteView token, std::string_view authority);

private:
    Path folder(const AnchorSpan& span) const { return dir_ / span.folder(); }
    Result<bool> complete(const AnchorSpan& span) const;
    Fs* fs_;
    Path dir_;
};

// Over the list of AnchorStore::list().
std::optional<AnchorSpan> newest_anchor(std::span<const AnchorSpan> anchors);
// The newest whose checkpoint covers a ledger of `size` entries; none if only a part of them is anchored yet.
std::optional<AnchorSpan> newest_covering(std::span<const AnchorSpan> anchors, TreeSize size);
// The first whose checkpoint covers it: the earliest proof of existence.
std::optional<AnchorSpan> first_covering(std::span<const AnchorSpan> anchors, TreeSize size);
// The one whose imprint has the entry's group: for the entry's evidence record.
std::optional<AnchorSpan> anchor_of(std::span<const AnchorSpan> anchors, EntryIndex entry);

}  // namespace kustos::audit
