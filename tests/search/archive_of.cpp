#include "tests/search/archive_of.h"

#include <algorithm>
#include <cstdio>

namespace kustos::search::test {

Result<NewShard> MemoryKeys::open_shard() {
    const std::lock_guard lock(mutex_);
    const ShardId id(next_++);
    SecretBytes key = SecretBytes::random(random_, kTermKeySize);
    keys[id.value] = key.clone();
    return NewShard{id, std::move(key)};
}

Result<SecretBytes> MemoryKeys::key_of(ShardId id) {
    const std::lock_guard lock(mutex_);
    if (closed) return Error(Code::closed, "the vault is closed");
    const auto found = keys.find(id.value);
    if (found == keys.end()) return Error(Code::not_found, "no such shard");
    return found->second.clone();
}

void MemoryKeys::forget(ShardId id) {
    const std::lock_guard lock(mutex_);
    forgotten.push_back(id);
}

Result<std::vector<FeedItem>> MemoryFeed::next(EntryIndex from, std::size_t limit,
                                               const std::function<bool(EntryIndex)>& known) {
    std::vector<FeedItem> out;
    for (const FeedItem& item : items) {
        if (item.index >= from && out.size() < limit && !known(item.index)) out.push_back(item);
    }
    return out;
}

Status MemoryFeed::done_up_to(EntryIndex end) {
    done = end;
    return ok_status();
}

Result<Bytes> MemoryFeed::attachment(const FeedItem& item, std::size_t number) {
    const auto found = blobs.find(item.message->attachments.at(number).blob->value);
    if (found == blobs.end()) return Error(Code::not_found, "no such blob");
    return found->second;
}

Status MemoryFeed::keep_text(const FeedItem&, std::size_t, std::string_view text) {
    const std::lock_guard lock(mutex_);
    kept.emplace_back(text);
    return ok_status();
}

Result<ExtractedText> PlainExtractor::text(ByteView content, std::string_view, std::string_view media_type) {
    ++calls;
    if (media_type == "text/plain") return ExtractedText{to_text(content), Completeness::full, ""};
    if (media_type == "test/partial") return ExtractedText{to_text(content), Completeness::partial, "time-out"};
    if (media_type == "test/remarked")
        return ExtractedText{to_text(content), Completeness::partial, "ocr", {"type-mismatch"}};
    if (media_type == "test/broken") return Error(Code::internal, "the extractor died");
    if (media_type == "test/interrupted") return Error(Code::interrupted, "asked to stop");
    return ExtractedText{"", Completeness::opaque, "encrypted"};
}

EntryIndex SmallArchive::add(vault::Message message, const std::string& source) {
    const EntryIndex index(next_entry_);
    next_entry_ += 2;  // entries of other kinds stand between records
    feed.items.push_back({index, source, std::move(message), ""});
    ++census.census.sealed;
    return index;
}

EntryIndex SmallArchive::add_text(const std::string& body, UtcTime sent) {
    vault::Message message;
    message.body = body;
    message.sent_at = sent;
    return add(std::move(message));
}

Result<std::unique_ptr<Indexer>> SmallArchive::open_indexer() {
    return Indexer::open(fs, index(), keys, extractor, clock, random, options);
}

Status SmallArchive::index_all(bool close) {
    auto indexer = TRY(open_indexer());
    EntryIndex from = indexer->position();
    for (;;) {
        const IndexStep step = TRY(indexer->run_once(feed, from));
        from = step.next;
        if (step.drained) break;
    }
    return close ? indexer->close_shard(feed) : indexer->commit(feed);
}

Searcher& SmallArchive::searcher_of() {
    if (searcher == nullptr) searcher = std::make_unique<Searcher>(fs, index(), keys);
    return *searcher;
}

Result<Answer> SmallArchive::ask(const std::string& query, SearchOptions search_options) {
    return searcher_of().run(TRY(parse_query(query)), search_options, census);
}

std::vector<std::uint64_t> SmallArchive::find(const std::string& query) {
    const auto answer = ask(query);
    if (!answer.ok()) std::fprintf(stderr, "%s: %s\n", query.c_str(), answer.error().message().c_str());
    CHECK(answer.ok());
    const Coverage& c = answer->coverage;
    CHECK(c.sealed == c.searchable + c.partial + c.opaque + c.deferred + c.failed + c.erased);
    CHECK(answer->total == answer->entries.size());
    std::vector<std::uint64_t> out;
    for (const EntryIndex entry : answer->entries) out.push_back(entry.value);
    std::sort(out.begin(), out.end());
    return out;
}

}  // namespace kustos::search::test
