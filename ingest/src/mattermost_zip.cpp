#include <map>
#include <optional>
#include <set>

#include "ingest/extract.h"
#include "ingest/src/files.h"
#include "ingest/src/mattermost.h"
#include "ingest/src/spooler.h"
#include "ingest/src/unreadable.h"

namespace kustos::ingest {

namespace {

constexpr std::uint64_t kMaxSideFile = 16u << 20;  // metadata.json, warning.txt

Status quarantine_zip(const Path& zip, std::string_view reason, const ReadContext& context, ItemSink& sink) {
    auto raw = TRY(whole_or_quarantine(zip, context.limits.mail, "zip", context, sink));
    if (!raw) return ok_status();
    return quarantine(std::move(*raw), "zip", reason, context.limits, sink);
}

class ZipBatch {
public:
    ZipBatch(const Path& zip, const ReadContext& context, ItemSink& sink)
        : zip_(zip), context_(context), sink_(sink), spooler_(context) {}

    Status read() {
        if (!context_.extractor) return quarantine_zip(zip_, "no-extractor", context_, sink_);
        UnpackLimits limits;
        limits.member_bytes = std::max(context_.limits.csv, spooler_.most());
        archive_ = TRY(context_.extractor->unpack(zip_, limits));
        for (const ArchiveMember& member : archive_->members()) by_path_.emplace(member.path, member);
        MattermostBatch batch;
        auto posts = content("posts.csv", context_.limits.csv);
        if (!posts) return refuse("no-posts-csv");
        batch.posts = std::move(*posts);
        batch.metadata = content("metadata.json", kMaxSideFile);
        batch.warnings = content("warning.txt", kMaxSideFile);
        batch.file = [this](const std::string& path, vault::Attachment& into) { return attachment(path, into); };
        batch.ready = [this] { return spooler_.finish(); };
        TRY(read_mattermost_batch(std::move(batch), context_, sink_));
        report_unnamed_files();
        // Something in it could not be trusted: what was read stays read, and the whole is sealed too.
        if (!archive_->problems().empty()) return refuse("archive-problem");
        return ok_status();
    }

private:
    std::optional<Bytes> content(const std::string& path, std::uint64_t most) {
        const auto member = by_path_.find(path);
        if (member == by_path_.end()) return std::nullopt;
        read_.insert(path);
        auto bytes = archive_->read(member->second.index, most);
        if (!bytes) return std::nullopt;
        return std::optional<Bytes>(std::move(*bytes));
    }

    // A disk that fails under the spool is no missing attachment: spooler_.finish() ends the reading then.
    bool attachment(const std::string& path, vault::Attachment& into) {
        const auto member = by_path_.find(path);
        if (member == by_path_.end()) return false;
        read_.insert(path);
        const ArchiveMember& m = member->second;
        return spooler_
            .take(into, m.size, [&](const ByteSink& out) { return archive_->read(m.index, spooler_.most(), out); })
            .ok();
    }

    Status refuse(std::string_view fallback) {
        for (const std::string& problem : archive_->problems()) sink_.finding(problem);
        const std::string reason = archive_->problems().empty() ? std::string(fallback) : archive_->problems().front();
        return quarantine_zip(zip_, reason, context_, sink_);
    }

    void report_unnamed_files() {
        std::uint64_t unnamed = 0;
        for (const auto& [path, index] : by_path_)
            if (read_.count(path) == 0) ++unnamed;
        if (unnamed > 0) sink_.finding("mattermost:unnamed-file", unnamed);
    }

    const Path& zip_;
    const ReadContext& context_;
    ItemSink& sink_;
    Spooler spooler_;
    std::unique_ptr<UnpackedArchive> archive_;
    std::map<std::string, ArchiveMember> by_path_;
    std::set<std::string> read_;
};

}  // namespace

Status read_mattermost_zip(const Path& zip, const ReadContext& context, ItemSink& sink) {
    return ZipBatch(zip, context, sink).read();
}

}  // namespace kustos::ingest
