// Where the house's rooms meet: small adapters between interfaces of peers that do not know each other.
#pragma once

#include <atomic>
#include <mutex>

#include "app/house.h"

namespace kustos::app {

// Purpose of derived objects that hold the text of an attachment, for snippets; of one text so much is kept.
inline std::string attachment_text(std::size_t number) {
    return "attachment-text/" + std::to_string(number);
}
inline constexpr std::size_t kKeptText = 1u << 20;

inline web::Coverage to_web(const search::Coverage& c) {
    return {c.sealed, c.searchable, c.partial, c.opaque, c.deferred, c.failed, c.erased};
}
inline web::Coverage to_web(const vault::CoverageCounts& c) {
    return {c[0], c[1], c[2], c[3], c[4], c[5], c[6]};
}
inline vault::CoverageCounts to_counts(const web::Coverage& c) {
    return {c.sealed, c.searchable, c.partial, c.opaque, c.deferred, c.failed, c.erased};
}
inline Error vault_is_closed() {
    return Error(Code::closed, "the vault is closed: a key holder must open it")
        .with_hint("kustos unlock; for this command alone: --passphrase-file, --share-file, --tpm or --token");
}

// Term keys of index shards come from the archive.
class House::Keys final : public search::ShardKeys {
public:
    explicit Keys(vault::Archive& archive) : archive_(archive) {}
    Result<search::NewShard> open_shard() override {
        auto [id, key] = TRY(archive_.new_shard());
        return search::NewShard{search::ShardId(id), std::move(key)};
    }
    Result<SecretBytes> key_of(search::ShardId id) override {
        return archive_.shard_key(static_cast<std::uint32_t>(id.value));
    }
    Result<std::optional<EntrySet>> accounted() override {
        if (!archive_.keys().apart()) return std::optional<EntrySet>();
        return std::optional(TRY(archive_.keys().accounted()));
    }
    void forget(search::ShardId id) override { archive_.shard_closed(static_cast<std::uint32_t>(id.value)); }

private:
    vault::Archive& archive_;
};

class House::Census final : public search::RecordCensus {
public:
    explicit Census(vault::Archive& archive) : archive_(archive) {}
    Result<search::CensusNow> now() override;

private:
    vault::Archive& archive_;
};

// Records on their way into the index, opened with keys that are not forgotten yet.
class House::Feed final : public search::IndexFeed {
public:
    Feed(vault::Archive& archive, vault::Opener& opener) : archive_(archive), opener_(opener) {}
    Result<std::vector<search::FeedItem>> next(EntryIndex from, std::size_t limit,
                                               const std::function<bool(EntryIndex)>& known) override;
    Status done_up_to(EntryIndex end) override { return archive_.indexed_below(end); }
    Result<Bytes> attachment(const search::FeedItem& item, std::size_t number) override;
    Status write_attachment(const search::FeedItem& item, std::size_t number, const ByteSink& sink) override;
    Status keep_text(const search::FeedItem& item, std::size_t number, std::string_view text) override;
    Status keep_facts(const search::FeedItem& item, std::size_t number, std::string_view facts) override;
    // Entries that it was not asked for yet. Threads: any.
    std::uint64_t behind() const;

private:
    Result<vault::OpenedPayload> payload_of(EntryIndex index, const audit::Entry& entry);
    Status write_blob(const vault::BlobRef& blob, const ByteSink& out);
    Status keep(const search::FeedItem& item, const std::string& purpose, ByteView object);
    Status open_deferred(std::vector<search::FeedItem>& items, const std::vector<EntryIndex>& deferred);
    vault::Archive& archive_;
    vault::Opener& opener_;
    std::atomic<std::uint64_t> asked_{0};           // up to this entry
    std::unique_ptr<vault::OpenSession> deferred_;  // of an opener apart; of the last batch
};

class House::SandboxText final : public search::TextExtractor {
public:
    explicit SandboxText(House& house) : house_(house) {}
    Result<search::ExtractedText> text(ByteView content, std::string_view name, std::string_view media_type) override;
    Result<search::ExtractedText> text_of(std::uint64_t size, const std::function<Status(const ByteSink&)>& give,
                                          std::string_view name, std::string_view media_type) override;

private:
    House& house_;
    std::mutex mutex_;  // one extractor for all lanes of the indexer
};

// What the importer seals.
class House::Port final : public ingest::SealPort {
public:
    // too_much: asked before each piece; while it says yes, nothing is sealed.
    Port(SourceDoor door, std::function<bool()> too_much) : door_(door), too_much_(std::move(too_much)) {}
    Result<std::vector<ingest::Outcome>> seal(std::vector<ingest::PortItem> items) override;

private:
    SourceDoor door_;
    std::function<bool()> too_much_;
};

}  // namespace kustos::app
