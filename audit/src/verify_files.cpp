// Files that nothing refers to.
#include <algorithm>

#include "audit/src/verify_archive_check.h"

namespace kustos::audit {

namespace {

// "x.tmp" and "x.tmp123-4": names under which files are written before they get their own.
bool is_temporary(std::string_view name) {
    const std::size_t at = name.rfind(".tmp");
    return at != std::string_view::npos &&
           name.substr(at + 4).find_first_not_of("0123456789-") == std::string_view::npos;
}

}  // namespace

void ArchiveCheck::only(const Path& folder, const std::string& where,
                        const std::function<bool(const std::string&)>& expected) {
    if (live_ || !fs_.exists(folder)) return;
    const auto names = fs_.list(folder);
    if (!names.ok()) {
        report_.problem("archive.unreadable", where, names.error().message());
        return;
    }
    for (const std::string& n : *names) {
        if (!expected(n)) unreferenced(where + "/" + n, "nothing refers to it");
    }
}

void ArchiveCheck::unreferenced(const std::string& where, const char* text) {
    if (live_) return;
    if (is_temporary(where)) {
        report_.remark(where + ": left behind by an interrupted write");
    } else {
        report_.problem("file.unreferenced", where, text);
    }
}

void ArchiveCheck::find_unreferenced() {
    if (!complete_) return;
    walk_folder(ledger_ / "tile", "tile");
    const std::set<std::string> parts = {"checkpoint", "published", "tile",      "anchors",
                                         "renewals",   "cosigned",  "rotations", "continuations"};
    only(ledger_, "ledger", [&](const std::string& n) { return parts.count(n) != 0; });
    only(ledger_ / "published", "ledger/published", [](const std::string& n) { return parse_twelve_digits(n).ok(); });
    only(ledger_ / "cosigned", "ledger/cosigned", [](const std::string& n) { return parse_twelve_digits(n).ok(); });
    only(ledger_ / "rotations", "ledger/rotations", [this](const std::string& n) {
        for (std::size_t number = 1; number <= rotations_; ++number) {
            const std::string digits = twelve_digits(number).substr(6);
            if (n == digits + ".entry" || n == digits + ".tlog-proof") return true;
        }
        // An announcement whose proof a crash has prevented counts for nothing, and the next one takes its place.
        return n == twelve_digits(rotations_ + 1).substr(6) + ".entry";
    });
    only(ledger_ / "continuations", "ledger/continuations", [this](const std::string& n) {
        const auto& steps = history_->steps();
        return std::any_of(steps.begin(), steps.end(), [&](const KeyHistory::Step& s) {
            return s.continuation && n == twelve_digits(s.entry.value) + ".entry";
        });
    });
    only(vault_ / "segments", "vault/segments", [](const std::string& n) {
        return n.size() == 16 && n.substr(12) == ".seg" && parse_twelve_digits(n.substr(0, 12)).ok();
    });
    only(vault_ / "blobs", "vault/blobs", [](const std::string& n) {
        return n.size() == 17 && n.substr(12) == ".blob" && parse_twelve_digits(n.substr(0, 12)).ok();
    });
}

void ArchiveCheck::walk_folder(const Path& folder, const std::string& name) {
    const auto names = fs_.list(folder);
    if (!names.ok()) return;
    for (const std::string& n : *names) {
        const std::string relative = name + "/" + n;
        if (belongs(relative)) continue;
        const auto is_dir = fs_.is_dir(folder / n);
        // A link is followed by nobody: one that leads back up would be walked for ever.
        if (is_dir.ok() && *is_dir && !fs_.is_link(folder / n)) {
            walk_folder(folder / n, relative);
        } else {
            unreferenced("ledger/" + relative, "belongs to no ledger of this size");
        }
    }
}

bool ArchiveCheck::belongs(const std::string& relative) const {
    const auto name = parse_tile_path(relative);
    return name.ok() && tile_width(size_, name->level.value_or(0), name->index) == name->width;
}

}  // namespace kustos::audit
