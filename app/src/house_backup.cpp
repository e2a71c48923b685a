// Backup, and what is due for the escrow of keys.
#include "app/house.h"
#include "base/log.h"
#include "base/progress.h"

namespace kustos::app {

namespace {
constexpr std::int64_t kDay = 86'400'000;  // ms

// Whether `inner` lies in `outer`, or is it.
bool lies_in(const Path& inner, const Path& outer) {
    std::error_code ignored;
    const Path a = std::filesystem::weakly_canonical(inner, ignored);
    const Path b = std::filesystem::weakly_canonical(outer, ignored);
    const auto [end, at] = std::mismatch(b.begin(), b.end(), a.begin(), a.end());
    return end == b.end();
}
}  // namespace

Result<vault::BackupReport> House::back_up(const Path& to) {
    const Path escrow = escrow_medium();
    if (lies_in(to, archive_->dir()) || lies_in(archive_->dir(), to) || lies_in(to, options_.state))
        return Error(Code::usage, "a backup does not lie in the archive, and the archive not in it");
    if (!escrow.empty() && (lies_in(to, escrow) || lies_in(escrow, to)))
        return Error(Code::usage, "backup and escrow lie on different media: together they are as good as plain text");
    // Before, not behind: whoever restores a backup of a quiet archive has lost nothing.
    if (const Status kept = maintain_escrow(); !kept.ok())
        log(LogLevel::warning, "the escrow was not brought up to date", {{"code", kept.error().code()}});
    Progress progress(environment_.clock, "backup", "bytes", 0);
    vault::BackupOptions options;
    options.to = to;
    options.stop = interrupt_requested;
    options.progress = [&progress](std::uint64_t done, std::uint64_t total) {
        progress.expect(total);
        progress.advance_to(done);
    };
    const vault::BackupReport report = TRY(vault::make_backup(*archive_, environment_, options));
    progress.finish();
    return report;
}

Path House::escrow_medium() const {
    return options_.escrow.empty() ? Path(config_.text("escrow.dir", "")) : options_.escrow;
}

Status House::maintain_escrow() {
    const std::int64_t days = TRY(config_.number("escrow.keep_days", 35, 0, 3650));
    const Status kept = archive_->keep_escrow();
    TRY(archive_->finalise(days * kDay));
    return kept;
}

}  // namespace kustos::app
