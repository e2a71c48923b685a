#include "search/src/shard_copy.h"

#include <algorithm>
#include <limits>

#include "search/src/shard_writer.h"
#include "search/src/xapian_guard.h"

namespace kustos::search {
namespace {

constexpr std::uint64_t kConditions = 16;  // about so many terms of a document are no words
constexpr std::size_t kMostParts = 100;    // four files each, and a process has 1,024
constexpr std::size_t kCounters = 12;      // bytes of a posting in memory, without its positions

// Whether the index knows at which places of a record a term of the space stands.
bool has_positions(Space space) {
    switch (space) {
        case Space::text:
        case Space::from:
        case Space::to:
        case Space::subject:
        case Space::file:
        case Space::conversation:
        case Space::cc:
        case Space::bcc:
            return true;
        default:
            return false;
    }
}

// Appends what the terms from `first` to `end` of the table say of each document of [from, to) that stays.
void read_terms(const Xapian::Database& database, std::vector<TermTable::Row>& terms, std::size_t first,
                std::size_t end, Xapian::docid from, Xapian::docid to, const std::vector<char>& stays,
                std::vector<Bytes>& documents) {
    for (std::size_t number = first; number < end; ++number) {
        const std::string term(terms[number].old.data(), kTermSize);
        Xapian::PostingIterator posting = database.postlist_begin(term);
        const Xapian::PostingIterator none = database.postlist_end(term);
        if (from > 1) posting.skip_to(from);
        for (; posting != none && *posting < to; ++posting) {
            if (stays[*posting - from] == 0) continue;
            terms[number].used = true;
            Bytes& out = documents[*posting - from];
            put_u32(out, static_cast<std::uint32_t>(number));
            put_u32(out, posting.get_wdf());
            const std::size_t count_at = out.size();
            put_u32(out, 0);
            // Asking for positions opens a cursor for each posting: half of the time that a copy takes.
            if (!has_positions(terms[number].space)) continue;
            std::uint32_t count = 0;
            for (auto at = posting.positionlist_begin(); at != posting.positionlist_end(); ++at, ++count)
                put_u32(out, *at);
            store_u32(out.data() + count_at, count);
        }
    }
}

void add_postings(const Bytes& postings, const std::vector<TermTable::Row>& terms, Xapian::Document& to) {
    for (std::size_t at = 0; at < postings.size();) {
        const TermTable::Row& row = terms[load_u32(postings.data() + at)];
        const std::uint32_t occurrences = load_u32(postings.data() + at + 4);
        const std::uint32_t positions = load_u32(postings.data() + at + 8);
        at += kCounters;
        const std::string term(row.fresh.data(), kTermSize);
        for (std::uint32_t i = 0; i < positions; ++i, at += 4) to.add_posting(term, load_u32(postings.data() + at), 0);
        to.add_term(term, occurrences);
    }
}

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
    TRY(fs_.make_dirs(files_.making));
    step("begun");
    return ok_status();
}

// Throws Xapian's errors: within guarded().
Status ShardCopy::begin_part() {
    if (!part_dirs_.empty()) {
        TRY_IN("words log", words_->write());
        database_.commit();
    }
    part_dirs_.push_back(files_.making / std::to_string(part_dirs_.size()));
    database_ =
        Xapian::WritableDatabase(part_dirs_.back().string(), Xapian::DB_CREATE | Xapian::DB_NO_SYNC | kShardFlags);
    in_part_ = 0;
    return ok_status();
}

// work(0) and work(1), at once where that is worth it. Throws what the first of them threw, when both have ended.
void ShardCopy::both(bool shared, const std::function<void(std::size_t half)>& work) {
    std::array<std::exception_ptr, 2> failed;
    const std::function<void(std::size_t)> one = [&](std::size_t half) {
        try {
            work(half);
        } catch (...) {
            failed[half] = std::current_exception();
        }
    };
    if (!shared) {
        one(0);
        one(1);
    } else {
        if (!helper_) helper_.emplace(1);
        helper_->for_each(2, one, 2);
    }
    for (const std::exception_ptr& exception : failed)
        if (exception) std::rethrow_exception(exception);
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
        Pass pass = next_pass(shard, from);
        read_postings(shard, table, rows, pass);
        TRY(write(pass, table, count_in(rows, pass)));
        step("pass");
        from = pass.end;
    }
    return ok_status();
}

// As many documents as fit into memory.
ShardCopy::Pass ShardCopy::next_pass(ShardReader& shard, Xapian::docid from) const {
    const Xapian::docid end = shard.database().get_lastdocid() + 1;
    Pass out;
    out.from = out.end = from;
    while (out.end < end && out.words <= options_.words_in_memory)
        out.words += shard.database().get_doclength(out.end++) + kConditions;
    out.shared = out.words >= options_.words_in_memory / 8;
    for (auto& half : out.postings) half.resize(out.end - from);
    return out;
}

void ShardCopy::read_postings(ShardReader& shard, TermTable& table, const std::vector<DocData>& rows, Pass& pass) {
    std::vector<char> stays(pass.end - pass.from);
    for (Xapian::docid id = pass.from; id < pass.end; ++id)
        stays[id - pass.from] = dropped_.contains(rows[row_of(id)].entry) ? 0 : 1;
    std::vector<TermTable::Row>& terms = table.rows();
    const std::size_t middle = terms.size() / 2;
    const Xapian::Database again = pass.shared ? shard.open_again() : shard.database();
    both(pass.shared, [&](std::size_t half) {
        read_terms(half == 0 ? shard.database() : again, terms, half == 0 ? 0 : middle,
                   half == 0 ? middle : terms.size(), pass.from, pass.end, stays, pass.postings[half]);
    });
}

std::vector<ShardCopy::Copied> ShardCopy::count_in(const std::vector<DocData>& rows, const Pass& pass) {
    std::vector<Copied> out;
    for (Xapian::docid id = pass.from; id < pass.end; ++id) {
        const DocData& data = rows[row_of(id)];
        if (dropped_.contains(data.entry)) continue;
        out.push_back({id, ++last_, docs_->seal(data, random_)});
        ++numbers_.counts.of(data.state);
        const bool first = numbers_.counts.total() == 1;
        numbers_.first = first ? data.entry : std::min(numbers_.first, data.entry);
        numbers_.end = std::max(numbers_.end, EntryIndex(data.entry.value + 1));
        earliest_ = std::min(earliest_, data.time);
        latest_ = std::max(latest_, data.time);
    }
    return out;
}

// A large pass becomes two parts, written side by side; small ones share one. Document numbers of parts lie apart.
Status ShardCopy::write(Pass& pass, const TermTable& table, const std::vector<Copied>& documents) {
    if (documents.empty()) return ok_status();
    const bool shared = pass.shared && part_dirs_.size() + 2 <= kMostParts;
    const bool full = in_part_ >= options_.words_in_memory / 4 && part_dirs_.size() < kMostParts;
    if (part_dirs_.empty() || shared || full) TRY(begin_part());
    Xapian::WritableDatabase first = database_;
    if (shared) TRY(begin_part());
    Xapian::WritableDatabase other = database_;
    in_part_ += pass.words;
    const std::size_t middle = documents.size() / 2;
    both(shared, [&](std::size_t half) {
        Xapian::WritableDatabase& to = half == 0 ? first : other;
        const std::size_t end = half == 0 ? middle : documents.size();
        for (std::size_t i = half == 0 ? 0 : middle; i < end; ++i) {
            Xapian::Document document;
            for (auto& postings : pass.postings) {
                Bytes& here = postings[documents[i].old - pass.from];
                add_postings(here, table.rows(), document);
                here = {};
            }
            document.set_data(documents[i].data);
            to.replace_document(documents[i].fresh, document);
        }
        if (shared && half == 0) to.commit();
    });
    return ok_status();
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

// Throws Xapian's errors: within guarded().
std::map<std::string, std::uint64_t> ShardCopy::count_reasons() const {
    std::map<std::string, std::uint64_t> out;
    for (const Path& dir : part_dirs_) {
        const Xapian::Database part(dir.string(), Xapian::DB_BACKEND_GLASS);
        for (const auto& [reason, zero] : numbers_.reasons) {
            const Xapian::doccount count = part.get_termfreq(terms_->term(Space::reason, reason));
            if (count > 0) out[reason] += count;
        }
    }
    return out;
}

Status ShardCopy::commit(const std::vector<ShardId>& old) {
    TRY_IN("words log", words_->sync());
    step("words");
    numbers_.words_bytes = words_->length();
    numbers_.replaces = old;
    numbers_.erased_apart = erased_.count_below(numbers_.end) - erased_.count_below(numbers_.first);
    return guarded("committing a shard", [&]() -> Status {
        database_.commit();
        numbers_.reasons = count_reasons();
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
        CHECK(TRY(compact_shard(fs_, files_, part_dirs_)));
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
