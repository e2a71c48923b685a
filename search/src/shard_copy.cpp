#include "search/src/shard_copy.h"

#include <algorithm>
#include <limits>

#include "search/src/shard_writer.h"
#include "search/src/xapian_guard.h"

namespace kustos::search {
namespace {

constexpr std::uint64_t kConditions = 16;  // about so many terms of a document are no words

// The document ids from 1 are the places of all_rows() from 0.
std::size_t row_of(Xapian::docid id) {
    return static_cast<std::size_t>(id - 1);
}

}  // namespace

ShardCopy::ShardCopy(Fs& fs, Path index_dir, const EntrySet& erased, const EntrySet& dropped, Random& random,
                     const RewriteOptions& options)
    : fs_(fs),
      index_dir_(std::move(index_dir)),
      erased_(erased),
      dropped_(dropped),
      random_(random),
      options_(options),
      earliest_{std::numeric_limits<std::int64_t>::max()},
      latest_{std::numeric_limits<std::int64_t>::min()} {}

void ShardCopy::step(std::string_view what) const {
    if (options_.on_step) options_.on_step(what);
}

Status ShardCopy::begin(ShardKeys& fresh) {
    if (shard_) return ok_status();
    NewShard shard = TRY(fresh.open_shard());
    CHECK(shard.term_key.size() == kTermKeySize);
    files_ = shard_files(index_dir_, shard.id);
    if (fs_.exists(files_.making) || fs_.exists(files_.glass) || fs_.exists(files_.words))
        return Error(Code::conflict, "a new shard's id was used before");
    terms_.emplace(shard.term_key.view());
    docs_.emplace(shard.term_key.view());
    numbers_.id = shard.id;
    shard_ = std::move(shard);
    words_ = TRY(WordsWriter::create(fs_, files_.words, shard_->term_key.view(), shard_->id, random_));
    TRY(guarded("opening a shard", [&]() -> Status {
        database_ = Xapian::WritableDatabase(files_.making.string(), Xapian::DB_CREATE | kShardFlags);
        return ok_status();
    }));
    step("begun");
    return ok_status();
}

Result<bool> ShardCopy::add(ShardReader& shard, ByteView old_key, ShardKeys& fresh) {
    const std::vector<DocData> rows = TRY(shard.all_rows());
    const bool any =
        std::any_of(rows.begin(), rows.end(), [this](const DocData& data) { return !dropped_.contains(data.entry); });
    const Bytes file = TRY(read_file(fs_, shard_files(index_dir_, shard.id()).words, kMaxWordsLog));
    const WordsRead log = TRY(read_words(file, old_key, shard.id(), shard.state().words_bytes));
    if (!any) {
        words_dropped_ += log.words.size() + log.texts.size();
        return true;
    }
    if (log.version < kWordsVersion) return false;
    return guarded("copying a shard", [&]() -> Result<bool> {
        TermTable table(shard.database(), shard.terms());
        table.add(log, stemmer_);
        table.add_reasons(shard.state().reasons);
        table.add_conditions(rows);
        if (table.unknown() > 0) return false;
        TRY(begin(fresh));
        table.rekey(*terms_);
        TRY(copy(shard, table, rows));
        keep_words(log, table);
        return true;
    });
}

Status ShardCopy::copy(ShardReader& shard, TermTable& table, const std::vector<DocData>& rows) {
    const ShardState& old = shard.state();
    if (records() == 0) {
        numbers_.analysis = old.analysis;
        numbers_.opened_at = old.opened_at;
    }
    numbers_.opened_at = std::min(numbers_.opened_at, old.opened_at);
    for (const auto& [reason, count] : old.reasons) numbers_.reasons[reason] += 0;  // counted when all is there
    const auto last = static_cast<Xapian::docid>(rows.size());
    for (Xapian::docid from = 1; from <= last;) {
        const Xapian::docid end = end_of_pass(shard, from);
        std::vector<Bytes> documents(end - from);
        read_postings(shard, table, rows, from, end, documents);
        for (Xapian::docid id = from; id < end; ++id) {
            const DocData& data = rows[row_of(id)];
            if (!dropped_.contains(data.entry)) write_document(documents[id - from], table, data);
            documents[id - from] = {};
        }
        database_.commit();
        step("pass");
        from = end;
    }
    return ok_status();
}

// One past the last document whose postings still fit.
Xapian::docid ShardCopy::end_of_pass(ShardReader& shard, Xapian::docid from) const {
    const Xapian::docid end = shard.database().get_lastdocid() + 1;
    std::uint64_t words = 0;
    Xapian::docid id = from;
    while (id < end) {
        words += shard.database().get_doclength(id) + kConditions;
        ++id;
        if (words > options_.words_in_memory) break;
    }
    return id;
}

// Of each document that stays: {u32 row of the table, u32 occurrences, u32 number of positions, u32 each}*.
void ShardCopy::read_postings(const ShardReader& shard, TermTable& table, const std::vector<DocData>& rows,
                              Xapian::docid from, Xapian::docid end, std::vector<Bytes>& documents) const {
    const Xapian::Database& database = shard.database();
    std::vector<bool> stays(end - from);
    for (Xapian::docid id = from; id < end; ++id) stays[id - from] = !dropped_.contains(rows[row_of(id)].entry);
    std::vector<TermTable::Row>& terms = table.rows();
    for (std::size_t number = 0; number < terms.size(); ++number) {
        const std::string term(terms[number].old.data(), kTermSize);
        Xapian::PostingIterator posting = database.postlist_begin(term);
        const Xapian::PostingIterator none = database.postlist_end(term);
        if (from > 1) posting.skip_to(from);
        for (; posting != none && *posting < end; ++posting) {
            if (!stays[*posting - from]) continue;
            terms[number].used = true;
            Bytes& out = documents[*posting - from];
            put_u32(out, static_cast<std::uint32_t>(number));
            put_u32(out, posting.get_wdf());
            const std::size_t count_at = out.size();
            put_u32(out, 0);
            std::uint32_t count = 0;
            for (auto at = posting.positionlist_begin(); at != posting.positionlist_end(); ++at, ++count)
                put_u32(out, *at);
            store_u32(out.data() + count_at, count);
        }
    }
}

void ShardCopy::write_document(const Bytes& postings, const TermTable& table, const DocData& data) {
    Xapian::Document doc;
    const auto& terms = const_cast<TermTable&>(table).rows();
    for (std::size_t at = 0; at < postings.size();) {
        const TermTable::Row& row = terms[load_u32(postings.data() + at)];
        const std::uint32_t occurrences = load_u32(postings.data() + at + 4);
        const std::uint32_t positions = load_u32(postings.data() + at + 8);
        at += 12;
        const std::string term(row.fresh.data(), kTermSize);
        for (std::uint32_t i = 0; i < positions; ++i, at += 4) doc.add_posting(term, load_u32(postings.data() + at), 0);
        doc.add_term(term, occurrences);
    }
    doc.set_data(docs_->seal(data, random_));
    database_.add_document(doc);
    ++numbers_.counts.of(data.state);
    const bool first = numbers_.counts.total() == 1;
    numbers_.first = first ? data.entry : std::min(numbers_.first, data.entry);
    numbers_.end = std::max(numbers_.end, EntryIndex(data.entry.value + 1));
    earliest_ = std::min(earliest_, data.time);
    latest_ = std::max(latest_, data.time);
}

void ShardCopy::keep_words(const WordsRead& log, const TermTable& table) {
    auto part = log.parts.begin();
    for (std::uint32_t i = 0; i < log.words.size(); ++i) {
        const LoggedText word{Space::text, log.words[i]};
        std::vector<LoggedText> kept;
        if (table.uses(word)) kept.push_back(word);
        for (; part != log.parts.end() && part->first == i; ++part) {
            LoggedText stem{Space::stem, part->second};
            if (!kept.empty() && table.uses(stem)) kept.push_back(std::move(stem));
        }
        if (kept.empty()) {
            ++words_dropped_;
            continue;
        }
        // Two shards may have taken a word apart differently, with other word lists: then it stands there twice.
        std::string key(1, static_cast<char>(Space::text));
        for (const LoggedText& logged : kept) key += logged.text + '\0';
        if (!known_.insert(std::move(key)).second) continue;
        for (LoggedText& logged : kept) words_->add(std::move(logged));
    }
    for (const LoggedText& logged : log.texts) {
        if (!table.uses(logged)) {
            ++words_dropped_;
            continue;
        }
        std::string key(1, static_cast<char>(logged.space));
        key += logged.text;
        if (known_.insert(std::move(key)).second) words_->add(logged);
    }
}

Status ShardCopy::commit(const std::vector<ShardId>& old) {
    TRY_IN("words log", words_->sync());
    step("words");
    numbers_.words_bytes = words_->length();
    numbers_.replaces = old;
    numbers_.erased_apart = erased_.count_below(numbers_.end) - erased_.count_below(numbers_.first);
    return guarded("committing a shard", [&]() -> Status {
        database_.commit();
        std::map<std::string, std::uint64_t> reasons;
        for (const auto& [reason, zero] : numbers_.reasons) {
            const Xapian::doccount count = database_.get_termfreq(terms_->term(Space::reason, reason));
            if (count > 0) reasons[reason] = count;
        }
        numbers_.reasons = std::move(reasons);
        database_.set_metadata("state", to_text(encode_state(numbers_, shard_->term_key.view())));
        database_.set_metadata("earliest", docs_->seal({EntryIndex(0), earliest_, RecordState::searchable}, random_));
        database_.set_metadata("latest", docs_->seal({EntryIndex(0), latest_, RecordState::searchable}, random_));
        database_.commit();
        database_.close();
        return ok_status();
    });
}

Status ShardCopy::finish(const std::vector<ShardId>& old) {
    if (records() > 0) {
        TRY(commit(old));
        step("committed");
        CHECK(TRY(compact_shard(fs_, files_, {files_.making})));
        step("compacted");
        TRY(fs_.rename(files_.glass_new, files_.glass));
        TRY(fs_.sync_dir(index_dir_));
        step("whole");
        TRY(remove_tree(fs_, files_.making));
    }
    for (const ShardId id : old) {
        TRY(remove_shard(fs_, index_dir_, id));
        step("removed");
    }
    return ok_status();
}

Status ShardCopy::give_up() {
    if (!shard_) return ok_status();
    TRY(guarded("closing a shard", [&]() -> Status {
        database_.close();
        return ok_status();
    }));
    return remove_shard(fs_, index_dir_, shard_->id);
}

}  // namespace kustos::search
