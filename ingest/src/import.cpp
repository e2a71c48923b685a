#include "ingest/import.h"

#include <algorithm>
#include <future>
#include <nlohmann/json.hpp>

#include "base/crypto.h"
#include "base/progress.h"
#include "base/stack.h"

namespace kustos::ingest {

namespace {

std::uint64_t weight(const vault::Message& message) {
    std::uint64_t bytes = message.raw_spool ? message.raw_spool.size : message.raw.size();
    for (const auto& attachment : message.attachments)
        if (!attachment.in_raw) bytes += attachment.content_size();
    return bytes;
}

constexpr std::size_t kFirstBatch = 128;  // the first ones are small, so that sealing begins beside reading at once

class Importer final : public ItemSink {
public:
    Importer(SealPort& port, const Clock& clock, const ImportOptions& options, ImportResult& result)
        : port_(port), clock_(clock), options_(options), result_(result) {
        if (options.progress) progress_.emplace(clock, "importing", "messages", 0);
    }

    Status item(ParsedItem item) override {
        if (interrupt_requested()) return Error(Code::interrupted, "asked to stop");
        item.message.received_at = clock_.now();
        result_.bytes += item.source_bytes;
        batch_bytes_ += weight(item.message);
        PortItem entry;
        entry.dedupe_identity = dedupe_identity(item.message, item.update_type);
        entry.message = std::move(item.message);
        batch_.push_back(std::move(entry));
        if (batch_.size() >= std::min(room_, options_.batch_messages) || batch_bytes_ >= options_.batch_bytes)
            return flush();
        return ok_status();
    }

    void finding(std::string_view code, std::uint64_t count) override { result_.findings[std::string(code)] += count; }

    void promised(std::string_view folder, std::uint64_t count) override {
        folders_[std::string(folder)].promised += count;
        promises_ = true;
    }

    // After the last flush.
    void reconcile() {
        if (!promises_) return;
        for (const auto& [name, folder] : folders_)
            if (folder.missing() > 0) result_.findings["folder:short"] += folder.missing();
        result_.folders = std::move(folders_);
    }

    // Hands the batch on: it is sealed while the next one is read. An error is the one of the batch before.
    Status flush() {
        TRY(settle());
        if (batch_.empty()) return ok_status();
        for (const PortItem& entry : batch_)
            sealing_.push_back({entry.message.attachments.size(), entry.message.kind == vault::MessageKind::unreadable,
                                folder_of(entry.message)});
        batch_bytes_ = 0;
        room_ = std::min(2 * room_, options_.batch_messages);
        sealed_ = std::async(std::launch::async, [this, batch = std::exchange(batch_, {})]() mutable {
            const StackWiper wiper;
            return port_.seal(std::move(batch));
        });
        return ok_status();
    }

    // Waits for the batch that is being sealed, and counts it.
    Status settle() {
        if (!sealed_.valid()) return ok_status();
        const std::vector<Counted> counted = std::exchange(sealing_, {});
        const auto outcomes = TRY(sealed_.get());
        CHECK(outcomes.size() == counted.size());
        for (std::size_t i = 0; i < outcomes.size(); ++i) count(counted[i], outcomes[i]);
        if (progress_) progress_->advance_to(result_.messages + result_.duplicates);
        return ok_status();
    }

private:
    struct Counted {
        std::size_t attachments;
        bool unreadable;
        std::optional<std::string> folder;
    };

    // An envelope is no mail of the folder: the mail that it is about is.
    static std::optional<std::string> folder_of(const vault::Message& message) {
        constexpr std::string_view kNote = "folder:";
        if (message.kind == vault::MessageKind::envelope) return std::nullopt;
        for (const std::string& note : message.notes)
            if (note.rfind(kNote, 0) == 0) return note.substr(kNote.size());
        return std::nullopt;
    }

    void count(const Counted& entry, Outcome outcome) {
        if (entry.folder) {
            FolderCount& folder = folders_[*entry.folder];
            ++(outcome == Outcome::duplicate  ? folder.duplicates
               : outcome == Outcome::left_out ? folder.left_out
                                              : folder.sealed);
            folder.quarantined += outcome == Outcome::sealed && entry.unreadable;
        }
        if (outcome == Outcome::duplicate) {
            ++result_.duplicates;
            return;
        }
        if (outcome == Outcome::left_out) {
            ++result_.left_out;
            return;
        }
        ++result_.messages;
        result_.attachments += entry.attachments;
        result_.quarantined += entry.unreadable;
    }

    SealPort& port_;
    const Clock& clock_;
    const ImportOptions& options_;
    ImportResult& result_;
    std::vector<PortItem> batch_;
    std::uint64_t batch_bytes_ = 0;
    std::size_t room_ = kFirstBatch;
    std::vector<Counted> sealing_;  // of the batch that is being sealed
    std::future<Result<std::vector<Outcome>>> sealed_;
    std::optional<Progress> progress_;
    std::map<std::string, FolderCount> folders_;
    bool promises_ = false;
};

void put_part(Bytes& out, std::string_view text) {
    put_u64(out, text.size());
    put(out, text);
}

}  // namespace

Bytes dedupe_identity(const vault::Message& message, std::string_view update_type) {
    Bytes out;
    put_u8(out, 1);  // version: a change of the rule must not make old imports new
    put_u8(out, static_cast<std::uint8_t>(message.kind));
    put_part(out, message.native_id);
    put_part(out, update_type);
    const bool mail = message.kind == vault::MessageKind::mail;
    if (mail || message.native_id.empty())
        put(out, (message.raw_spool ? message.raw_spool.sha256 : sha256(message.raw)).view());
    return out;
}

Result<ImportResult> run_import(SealPort& port, const Clock& clock, const std::vector<Path>& paths,
                                const ImportOptions& options, ImportResult* so_far) {
    ImportResult local;
    ImportResult& result = so_far ? *so_far : local;
    result = {};
    const std::int64_t started_ms = clock.monotonic_ms();
    Importer importer(port, clock, options, result);
    Status status;
    for (const Path& path : paths) {
        status = read(path, options.format, options.context, importer);
        if (!status) break;
    }
    const bool interrupted = !status && status.error().code() == Code::interrupted;
    // What was read is sealed even when reading failed or was stopped.
    if (status.ok() || interrupted || status.error().code() == Code::environment ||
        status.error().code() == Code::not_found) {
        const Status flushed = importer.flush();
        if (!flushed) status = flushed;
    }
    const Status settled = importer.settle();
    if (!settled && (status.ok() || interrupted)) status = settled;
    importer.reconcile();
    result.seconds = static_cast<double>(clock.monotonic_ms() - started_ms) / 1000.0;
    result.interrupted = interrupted;
    if (!status && !(interrupted && status.error().code() == Code::interrupted)) return Error(status.error());
    return result;
}

std::string to_json(const ImportResult& result) {
    nlohmann::ordered_json findings = nlohmann::ordered_json::array();
    for (const auto& [code, count] : result.findings) findings.push_back({{"code", code}, {"count", count}});
    nlohmann::ordered_json json = {{"messages", result.messages},
                                   {"attachments", result.attachments},
                                   {"duplicates", result.duplicates},
                                   {"quarantined", result.quarantined},
                                   {"left_out", result.left_out},
                                   {"findings", findings},
                                   {"bytes", result.bytes},
                                   {"seconds", result.seconds},
                                   {"interrupted", result.interrupted}};
    if (!result.folders.empty()) {
        nlohmann::ordered_json folders = nlohmann::ordered_json::array();
        for (const auto& [name, folder] : result.folders)
            folders.push_back({{"folder", name},
                               {"promised", folder.promised},
                               {"sealed", folder.sealed},
                               {"duplicates", folder.duplicates},
                               {"left_out", folder.left_out},
                               {"quarantined", folder.quarantined}});
        json["folders"] = std::move(folders);
    }
    return json.dump();
}

}  // namespace kustos::ingest
