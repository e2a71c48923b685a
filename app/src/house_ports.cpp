#include "app/src/house_ports.h"

#include "app/src/attachment_facts.h"

#include <unistd.h>

#include <algorithm>

#include "base/log.h"
#include "vault/grant_verifier.h"
#include "vault/retention.h"

namespace kustos::app {

namespace {
// A batch ends behind what brings it above that: what is opened is held until it is indexed.
constexpr std::size_t kBatchBytes = 32u << 20;
constexpr std::size_t kMostWaitingForOcr = 2'000;  // records and blobs

std::size_t size_of(const vault::Message& message) {
    std::size_t bytes = message.body.size() + message.body_html.size() + message.previous_body.size();
    for (const std::string& header : message.headers) bytes += header.size();
    for (const vault::Attachment& attachment : message.attachments) bytes += attachment.content.size();
    return bytes;
}
}  // namespace

// The records first: what is sealed meanwhile is not erased yet, and what is erased meanwhile was counted as sealed.
Result<search::CensusNow> House::Census::now() {
    search::CensusNow now;
    now.erased = TRY(archive_.erased());
    now.erased_records = TRY(archive_.erased_records())->count();
    now.sealed = archive_.count(audit::Kind::record);
    return now;
}

Result<std::vector<search::FeedItem>> House::Feed::next(EntryIndex from, std::size_t limit,
                                                        const std::function<bool(EntryIndex)>& known) {
    std::vector<search::FeedItem> items;
    EntryIndex at = from;
    std::vector<EntryIndex> deferred;  // that an opener apart may open
    const TreeSize size = archive_.head().size;
    std::size_t held = 0;
    const auto full = [&] { return items.size() == limit || held >= kBatchBytes; };
    while (!full() && at.value < size.value) {
        const std::size_t want = static_cast<std::size_t>(std::min<std::uint64_t>(512, size.value - at.value));
        const auto entries = TRY(archive_.entries(at, want));
        if (entries.empty()) break;
        for (const audit::Entry& entry : entries) {
            const EntryIndex index = at;
            at.value += 1;
            if (entry.header.kind != audit::Kind::record || known(index) || archive_.is_erased(entry.header)) continue;
            search::FeedItem item;
            item.index = index;
            if (const auto source = archive_.find_source(entry.header.source)) item.source_name = source->name;
            auto payload = archive_.open_payload(index, entry);
            if (payload.ok()) {
                auto message = vault::decompose(*payload);
                if (message.ok()) {
                    item.message = std::move(*message);
                } else {
                    item.reason = "payload-unreadable";
                }
            } else if (payload.error().code() == Code::erased) {
                continue;  // just now
            } else if (payload.error().code() == Code::closed) {
                if (!archive_.keys().apart()) continue;  // deferred until a key holder opens the vault
                deferred.push_back(index);
            } else {
                item.reason = "payload-damaged";
            }
            if (item.message) held += size_of(*item.message);
            items.push_back(std::move(item));
            if (full()) break;
        }
    }
    asked_ = at.value;
    if (!deferred.empty()) TRY(open_deferred(items, deferred));
    return items;
}

std::uint64_t House::Feed::behind() const {
    const std::uint64_t size = archive_.head().size.value, asked = asked_;
    return size > asked ? size - asked : 0;
}

// One access entry for the batch. Items of what can't be opened now go out again: they stay deferred.
Status House::Feed::open_deferred(std::vector<search::FeedItem>& items, const std::vector<EntryIndex>& deferred) {
    vault::Purpose purpose;
    purpose.action = audit::AccessAction::index;
    purpose.actor = vault::kIndexActor;
    auto session = opener_.begin_for_index(purpose, deferred);
    if (!session.ok() && session.error().code() != Code::closed) return std::move(session).error();
    if (session.ok()) deferred_ = std::move(*session);
    for (search::FeedItem& item : items) {
        if (!session.ok() || !std::binary_search(deferred.begin(), deferred.end(), item.index)) continue;
        auto opened = deferred_->open(item.index);
        if (opened.ok()) {
            item.message = std::move(opened->message);
        } else {
            item.reason = "payload-damaged";
        }
    }
    std::erase_if(items, [&](const search::FeedItem& item) { return !item.message && item.reason.empty(); });
    return {};
}

Result<vault::OpenedPayload> House::Feed::payload_of(EntryIndex index, const audit::Entry& entry) {
    auto payload = archive_.open_payload(index, entry);
    if (payload.ok() || payload.error().code() != Code::closed || !deferred_) return payload;
    return std::move(TRY(deferred_->open(index)).payload);
}

Result<Bytes> House::Feed::attachment(const search::FeedItem& item, std::size_t number) {
    const audit::Entry entry = TRY(archive_.entry(item.index));
    const vault::OpenedPayload payload = TRY(payload_of(item.index, entry));
    return vault::attachment_content(
        payload, number, [this](const vault::BlobRef& blob, const ByteSink& out) { return write_blob(blob, out); });
}

Status House::Feed::write_attachment(const search::FeedItem& item, std::size_t number, const ByteSink& sink) {
    const audit::Entry entry = TRY(archive_.entry(item.index));
    return vault::write_attachment(
        TRY(payload_of(item.index, entry)), number,
        [this](const vault::BlobRef& blob, const ByteSink& out) { return write_blob(blob, out); }, sink);
}

Status House::Feed::write_blob(const vault::BlobRef& blob, const ByteSink& out) {
    const Status written = archive_.blob_content(blob, out);
    if (written.ok() || written.error().code() != Code::closed || !deferred_) return written;
    return deferred_->write_blob_content(blob, out);
}

Status House::Feed::keep_text(const search::FeedItem& item, std::size_t number, std::string_view text) {
    return keep(item, attachment_text(number), as_bytes(text.substr(0, kKeptText)));
}

Status House::Feed::keep_facts(const search::FeedItem& item, std::size_t number, std::string_view facts) {
    return keep(item, attachment_facts_of(number), as_bytes(facts.substr(0, kMostFacts)));
}

Status House::Feed::keep(const search::FeedItem& item, const std::string& purpose, ByteView object) {
    const audit::Entry entry = TRY(archive_.entry(item.index));
    Status kept = archive_.keep_derived(item.index, entry, purpose, object);
    if (!kept.ok() && kept.error().code() == Code::closed && deferred_)
        kept = deferred_->keep_derived(item.index, purpose, object);
    if (!kept.ok())
        log(LogLevel::warning, "what was read of an attachment was not kept", {{"code", kept.error().code()}});
    return ok_status();
}

Result<search::ExtractedText> House::SandboxText::text(ByteView content, std::string_view name,
                                                       std::string_view media_type) {
    return text_of(
        content.size(), [content](const ByteSink& sink) { return sink(content); }, name, media_type);
}

Result<search::ExtractedText> House::SandboxText::text_of(std::uint64_t size,
                                                          const std::function<Status(const ByteSink&)>& give,
                                                          std::string_view name, std::string_view media_type) {
    const std::lock_guard lock(mutex_);
    ingest::Extractor* extractor = TRY(house_.extractor());
    // OCR takes seconds. While much is waiting, also keys that are to be forgotten soon, pictures are left for later.
    extractor->postpone_ocr(house_.archive_->waiting() > kMostWaitingForOcr &&
                            house_.feed_->behind() > kMostWaitingForOcr);
    ingest::ExtractedText got = TRY(extractor->text(size, give, name, media_type));
    web::AttachmentFacts facts;
    facts.kind = got.kind;
    facts.text = ingest::completeness_name(got.completeness);
    facts.reason = got.reason;
    facts.remarks = got.remarks;
    search::ExtractedText out;
    // Of "type-mismatch:exe-as-pdf" the index counts the word alone.
    for (const std::string& remark : got.remarks) out.remarks.push_back(remark.substr(0, remark.find(':')));
    if (house_.clamd_) {
        const ingest::ScanVerdict verdict = TRY(house_.clamd_->scan(give));
        facts.scanned = house_.environment_.clock.now();
        facts.signature = verdict.signature;
        facts.scanner = verdict.engine;
        switch (verdict.result) {
            case ingest::ScanVerdict::Result::clean:
                facts.virus = "clean";
                break;
            case ingest::ScanVerdict::Result::found:
                facts.virus = "found";
                out.remarks.emplace_back("virus-found");
                break;
            case ingest::ScanVerdict::Result::unchecked:
                facts.virus = "unchecked";
                out.remarks.emplace_back("virus-unchecked");
                break;
        }
    }
    out.facts = encode_facts(facts);
    out.text = std::move(got.text);
    out.reason = std::move(got.reason);
    switch (got.completeness) {
        case ingest::Completeness::full:
            out.completeness = search::Completeness::full;
            break;
        case ingest::Completeness::partial:
            out.completeness = search::Completeness::partial;
            break;
        case ingest::Completeness::opaque:
            out.completeness = search::Completeness::opaque;
            break;
    }
    return out;
}

Result<std::vector<ingest::Outcome>> House::Port::seal(std::vector<ingest::PortItem> items) {
    while (too_much_ && too_much_() && !interrupt_requested()) usleep(20'000);
    std::vector<ingest::Outcome> outcomes;
    for (const DoorAnswer& answer : TRY(door_.seal(std::move(items)))) {
        outcomes.push_back(answer.left_out            ? ingest::Outcome::left_out
                           : answer.receipt.duplicate ? ingest::Outcome::duplicate
                                                      : ingest::Outcome::sealed);
    }
    return outcomes;
}

}  // namespace kustos::app
