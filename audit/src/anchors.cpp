#include "audit/anchors.h"

#include <algorithm>

#include "audit/src/token_folder.h"
#include "audit/timestamp.h"
#include "audit/tsa_authority.h"

namespace kustos::audit {

namespace {

constexpr std::uint64_t kMaxSize = 999'999'999'999;  // twelve digits

std::string twelve_digits(std::uint64_t v) {
    std::string text = std::to_string(v);
    return std::string(text.size() < 12 ? 12 - text.size() : 0, '0') + text;
}

Result<std::uint64_t> parse_number(std::string_view text) {
    std::uint64_t v = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') return Error(Code::corrupt, "a name in the anchors folder is not a number");
        v = v * 10 + static_cast<std::uint64_t>(c - '0');
    }
    return v;
}

// What an interrupted store left behind: put_once() and replace_file() write under a temporary name first.
Status remove_left_overs(Fs& fs, const Path& dir) {
    for (const std::string& name : TRY(fs.list(dir))) {
        if (name.find(".tmp") != std::string::npos) TRY(fs.remove(dir / name));
    }
    return {};
}

}  // namespace

std::string AnchorSpan::folder() const {
    CHECK(size.value <= kMaxSize && previous.value < size.value);
    return twelve_digits(previous.value) + "-" + twelve_digits(size.value);
}

Result<AnchorSpan> AnchorSpan::parse(std::string_view folder) {
    if (folder.size() != 25 || folder[12] != '-') {
        return Error(Code::corrupt, "a name in the anchors folder is not <previous size>-<size>");
    }
    AnchorSpan span;
    span.previous = TreeSize(TRY(parse_number(folder.substr(0, 12))));
    span.size = TreeSize(TRY(parse_number(folder.substr(13))));
    if (span.previous >= span.size) return Error(Code::corrupt, "an anchor covers no entry");
    return span;
}

Result<bool> AnchorStore::complete(const AnchorSpan& span) const {
    const Path dir = folder(span);
    if (!fs_->exists(dir / "note")) return false;
    return has_tokens(*fs_, dir);
}

Result<std::vector<AnchorSpan>> AnchorStore::list() const {
    std::vector<AnchorSpan> anchors;
    if (!fs_->exists(dir_)) return anchors;
    for (const std::string& name : TRY_IN("anchors", fs_->list(dir_))) {
        const AnchorSpan span = TRY(AnchorSpan::parse(name));
        if (TRY(complete(span))) anchors.push_back(span);
    }
    std::sort(anchors.begin(), anchors.end(), [](const AnchorSpan& a, const AnchorSpan& b) {
        return a.size != b.size ? a.size < b.size : a.previous < b.previous;
    });
    return anchors;
}

Result<Anchor> AnchorStore::read(const AnchorSpan& span) const {
    if (!TRY(complete(span))) return Error(Code::not_found, "there is no such anchor");
    const Path dir = folder(span);
    Anchor anchor;
    anchor.span = span;
    anchor.note = TRY_IN("anchor note", read_file(*fs_, dir / "note", kMaxAnchorNote));
    anchor.tokens = TRY(read_tokens(*fs_, dir));
    return anchor;
}

Result<unsigned> AnchorStore::store(const AnchorSpan& span, ByteView note, ByteView token, std::string_view authority) {
    CHECK(is_authority_name(authority));
    if (note.size() > kMaxAnchorNote)
        return Error(Code::limit, "the checkpoint note is larger than an anchor may hold");
    if (token.size() > kMaxToken) return Error(Code::limit, "the token is larger than an anchor may hold");
    const Path dir = folder(span);
    if (!fs_->exists(dir)) {
        TRY_IN("anchors", fs_->make_dirs(dir));
        TRY_IN("anchors", fs_->sync_dir(dir_.parent_path()));
    }
    TRY_IN("anchors", fs_->sync_dir(dir_));
    TRY_IN("anchors", remove_left_overs(*fs_, dir));
    TRY_IN("anchor note", put_once(*fs_, dir / "note", note));
    return store_token(*fs_, dir, token, authority);
}

std::optional<AnchorSpan> newest_anchor(std::span<const AnchorSpan> anchors) {
    if (anchors.empty()) return std::nullopt;
    return anchors.back();
}

std::optional<AnchorSpan> newest_covering(std::span<const AnchorSpan> anchors, TreeSize size) {
    const auto newest = newest_anchor(anchors);
    if (newest && newest->size >= size) return newest;
    return std::nullopt;
}

std::optional<AnchorSpan> first_covering(std::span<const AnchorSpan> anchors, TreeSize size) {
    for (const AnchorSpan& anchor : anchors) {
        if (anchor.size >= size) return anchor;
    }
    return std::nullopt;
}

std::optional<AnchorSpan> anchor_of(std::span<const AnchorSpan> anchors, EntryIndex entry) {
    for (const AnchorSpan& anchor : anchors) {
        if (anchor.covers(entry)) return anchor;
    }
    return std::nullopt;
}

}  // namespace kustos::audit
