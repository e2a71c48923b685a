#include "search/src/shard_writer.h"

#include <xapian.h>

#include <algorithm>
#include <limits>
#include <unordered_map>
#include <unordered_set>

#include "search/query.h"
#include "search/src/date_terms.h"
#include "search/src/doc_data.h"
#include "search/src/index_files.h"
#include "search/src/term.h"
#include "search/src/words_log.h"
#include "search/src/xapian_guard.h"

namespace kustos::search {
namespace {

// Where the next text of a band begins. A record has at most 2^23 words (IndexerOptions::max_text_bytes), so that
// absurdly many fields stand closer, and none leaves its band.
class Places {
public:
    explicit Places(Band band) : next_((static_cast<std::uint32_t>(band) << kBandBits) + 1), from_(next_) {}
    std::uint32_t at() const { return next_; }
    void move(std::uint32_t used) {
        if (used > 0) next_ += used + (next_ - from_ < (1u << (kBandBits - 1)) ? kFieldGap : 2);
    }

private:
    std::uint32_t next_, from_;
};

struct WordTerms {
    std::string text;
    std::vector<std::string> stems;
};

}  // namespace

struct ShardWriter::State {
    State(Fs& fs_, const Path& dir, ShardId id, ByteView term_key, Analyser& analyser_, Random& random_)
        : fs(fs_),
          index_dir(dir),
          files(shard_files(dir, id)),
          key(term_key),
          terms(term_key),
          docs(term_key),
          analyser(analyser_),
          random(random_) {}

    Fs& fs;
    Path index_dir;
    ShardFiles files;
    SecretBytes key;
    TermKey terms;
    DocKey docs;
    Analyser& analyser;
    Random& random;
    std::uint32_t records_per_part = 0;  // of a bulk shard; 0: it is an open one
    Xapian::WritableDatabase database;   // of a bulk shard its newest part
    std::vector<Path> part_dirs;         // of a bulk shard
    Xapian::docid last = 0;              // likewise, of all parts
    std::uint32_t in_part = 0;           // documents
    std::optional<WordsWriter> words;
    ShardState numbers;
    UtcTime earliest{std::numeric_limits<std::int64_t>::max()}, latest{std::numeric_limits<std::int64_t>::min()};
    std::uint64_t uncommitted = 0;
    std::unordered_set<std::uint64_t> entries;
    std::unordered_set<std::string> known_words;  // keyed: the words themselves are content
    std::unordered_set<std::string> known_texts;  // likewise
    std::unordered_map<const WordForms*, WordTerms> cache;

    const WordTerms& terms_of(const WordForms& forms) {
        const auto [found, fresh] = cache.try_emplace(&forms);
        if (!fresh) return found->second;
        WordTerms& made = found->second;
        made.text = terms.term(Space::text, forms.form);
        for (const auto* list : {&forms.stems, &forms.components}) {
            for (const std::string& stem : *list) made.stems.push_back(terms.term(Space::stem, stem));
        }
        const bool fresh_word = known_words.insert(terms.term(Space::text, forms.plain)).second;
        std::vector<std::string> parts;
        for (const std::string& stem : forms.components)
            if (known_words.insert(part_key(forms.plain, stem)).second) parts.push_back(stem);
        if (!fresh_word && parts.empty()) return made;
        words->add({Space::text, forms.plain});
        for (std::string& stem : parts) words->add({Space::stem, std::move(stem)});
        return made;
    }

    std::string part_key(const std::string& plain, const std::string& stem) const {
        return terms.term(Space::stem, plain + '\0' + stem);
    }

    // What does not follow from the words, for the day when the shard is rewritten under another key.
    void log_text(Space space, std::string_view text) {
        if (known_texts.insert(terms.term(space, text)).second) words->add({space, std::string(text)});
    }

    // Text that free words look into; `position` moves on.
    void add_text(Xapian::Document& doc, std::string_view text, Places& places) {
        const std::uint32_t used = analyser.each(text, [&](const Occurrence& occurrence) {
            const WordTerms& made = terms_of(*occurrence.forms);
            doc.add_posting(made.text, places.at() + occurrence.position);
            for (const std::string& stem : made.stems) doc.add_term(stem);
        });
        places.move(used);
    }

    void add_field(Xapian::Document& doc, Space space, std::string_view text, Places& places) {
        const std::uint32_t used = analyser.each(text, [&](const Occurrence& occurrence) {
            terms_of(*occurrence.forms);  // for the words log
            doc.add_posting(terms.term(space, occurrence.forms->form), places.at() + occurrence.position);
            if (space != Space::subject) return;
            for (const auto* list : {&occurrence.forms->stems, &occurrence.forms->components}) {
                for (const std::string& stem : *list) doc.add_term(terms.term(Space::subject_stem, stem));
            }
        });
        places.move(used);
    }

    void add_conditions(Xapian::Document& doc, const RecordDraft& draft, const std::vector<std::string>& reasons) {
        const auto mark = [&](Space space, std::string_view text) {
            if (text.empty() || text.size() > kMaxLoggedText) return;
            doc.add_boolean_term(terms.term(space, text));
            if (is_logged(space)) log_text(space, text);
        };
        const DateNames names = date_names(draft.time);
        mark(Space::day, names.day);
        mark(Space::month, names.month);
        mark(Space::year, names.year);
        mark(Space::source, draft.source.empty() ? "" : form_of_name(draft.source));
        mark(Space::kind, draft.kind);
        // no query can hold a longer one
        if (draft.conversation_id.size() <= kMaxQueryBytes) mark(Space::conversation_id, draft.conversation_id);
        if (draft.has_attachment) mark(Space::has, "attachment");
        if (!draft.subject.empty()) mark(Space::has, "subject");
        mark(Space::sender, draft.sender);
        for (const std::string& who : draft.recipients) mark(Space::recipient, who);
        for (const std::string& type : draft.filetypes) mark(Space::filetype, type);
        mark(Space::language, draft.language);
        mark(Space::size_class, size_class(draft.size));
        mark(Space::message_id, draft.message_id);
        for (const std::string& id : draft.thread) mark(Space::thread, id);
        mark(Space::edits, draft.edits);
        mark(Space::deletes, draft.deletes);
        for (const std::string& sha256 : draft.contents) mark(Space::content, sha256);
        for (const std::string& reason : reasons) mark(Space::reason, reason);
    }

    Xapian::Document document_of(const RecordDraft& draft, const std::vector<std::string>& reasons) {
        Xapian::Document doc;
        Places body(Band::body), subject(Band::subject), attachment(Band::attachment), file(Band::file);
        for (const std::string& text : draft.bodies) add_text(doc, text, body);
        add_text(doc, draft.subject, subject);
        for (const std::string& text : draft.attachments) add_text(doc, text, attachment);
        for (const std::string& name : draft.files) add_text(doc, name, file);
        const auto fields = [&](Space space, const std::vector<std::string>& texts) {
            Places places(Band::body);
            for (const std::string& text : texts) add_field(doc, space, text, places);
        };
        fields(Space::subject, {draft.subject});
        fields(Space::file, draft.files);
        fields(Space::from, draft.from);
        fields(Space::to, draft.to);
        fields(Space::cc, draft.cc);
        fields(Space::bcc, draft.bcc);
        fields(Space::conversation, {draft.conversation});
        add_conditions(doc, draft, reasons);
        doc.set_data(docs.seal({draft.entry, draft.time, draft.state, draft.size}, random));
        return doc;
    }

    // The words under which the reasons are counted, each once.
    std::vector<std::string> reasons_of(const RecordDraft& draft) const {
        std::vector<std::string> out;
        std::size_t fresh = 0;
        const auto add = [&](const std::string& word) {
            if (word.empty()) return;
            const bool known = numbers.reasons.count(word) != 0;
            const std::string counted = known || numbers.reasons.size() + fresh < kMostReasons ? word : "other";
            if (std::find(out.begin(), out.end(), counted) != out.end()) return;
            fresh += known ? 0 : 1;
            out.push_back(counted);
        };
        add(draft.reason);
        for (const std::string& word : draft.also) add(word);
        return out;
    }

    void count(const RecordDraft& draft, const std::vector<std::string>& reasons) {
        ++numbers.counts.of(draft.state);
        for (const std::string& reason : reasons) ++numbers.reasons[reason];
        const bool first = entries.empty();
        numbers.first = first ? draft.entry : std::min(numbers.first, draft.entry);
        numbers.end = std::max(numbers.end, EntryIndex(draft.entry.value + 1));
        entries.insert(draft.entry.value);
        earliest = std::min(earliest, draft.time);
        latest = std::max(latest, draft.time);
        ++uncommitted;
    }

    // Throws Xapian's errors: within guarded().
    Status add_document(const Xapian::Document& document) {
        if (records_per_part == 0) {
            database.add_document(document);
            return ok_status();
        }
        if (part_dirs.empty() || in_part == records_per_part) {
            TRY_IN("words log", words->write());
            if (!part_dirs.empty()) database.commit();
            part_dirs.push_back(files.making / std::to_string(part_dirs.size()));
            database = Xapian::WritableDatabase(part_dirs.back().string(),
                                                Xapian::DB_CREATE | Xapian::DB_NO_SYNC | kShardFlags);
            in_part = 0;
        }
        database.replace_document(++last, document);
        ++in_part;
        return ok_status();
    }

    // The numbers stand in the database, which becomes durable, or will be with its joined file.
    Status commit() {
        TRY_IN("words log", words->sync());
        numbers.words_bytes = words->length();
        return guarded("committing a shard", [&]() -> Status {
            database.set_metadata("state", to_text(encode_state(numbers, key.view())));
            database.set_metadata("earliest", docs.seal({EntryIndex(0), earliest, RecordState::searchable}, random));
            database.set_metadata("latest", docs.seal({EntryIndex(0), latest, RecordState::searchable}, random));
            database.commit();
            return ok_status();
        });
    }

    Status close_database() {
        return guarded("closing a shard", [&]() -> Status {
            database.close();
            return ok_status();
        });
    }

    Status close_bulk() {
        if (part_dirs.empty()) return remove_shard(fs, index_dir, numbers.id);
        TRY(commit());
        TRY(close_database());
        CHECK(TRY(compact_shard(fs, files, part_dirs)));
        TRY(fs.rename(files.glass_new, files.glass));
        TRY(fs.sync_dir(index_dir));
        TRY(remove_tree(fs, files.making));
        return fs.sync_dir(index_dir);
    }
};

ShardWriter::ShardWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
ShardWriter::~ShardWriter() {
    // Xapian commits what waits when a database is destroyed; what was not committed by us must not be there later.
    if (state_ == nullptr || state_->uncommitted == 0) return;
    try {
        state_->database.begin_transaction(false);
        state_->database.cancel_transaction();
    } catch (const Xapian::Error&) {
        return;  // the next start finds the last commit either way
    }
}

Result<std::unique_ptr<ShardWriter>> ShardWriter::create(Fs& fs, const Path& index_dir, NewShard shard, UtcTime now,
                                                         Analyser& analyser, Random& random,
                                                         std::uint32_t records_per_part) {
    CHECK(shard.term_key.size() == kTermKeySize);
    TRY(fs.make_dirs(index_dir));
    auto state = std::make_unique<State>(fs, index_dir, shard.id, shard.term_key.view(), analyser, random);
    state->records_per_part = records_per_part;
    const ShardFiles& files = state->files;
    if (fs.exists(files.open_dir) || fs.exists(files.making) || fs.exists(files.glass) || fs.exists(files.words))
        return Error(Code::conflict, "a new shard's id was used before");
    state->words = TRY(WordsWriter::create(fs, state->files.words, shard.term_key.view(), shard.id, random));
    if (records_per_part != 0) {
        TRY(fs.make_dirs(files.making));
    } else {
        TRY(guarded("opening a shard", [&]() -> Status {
            state->database = Xapian::WritableDatabase(files.open_dir.string(), Xapian::DB_CREATE | kShardFlags);
            return ok_status();
        }));
    }
    state->numbers.id = shard.id;
    state->numbers.opened_at = now;
    state->numbers.analysis = kAnalysisVersion;
    return std::unique_ptr<ShardWriter>(new ShardWriter(std::move(state)));
}

Result<std::unique_ptr<ShardWriter>> ShardWriter::resume(Fs& fs, const Path& index_dir, ShardId id,
                                                         SecretBytes term_key, Analyser& analyser, Random& random) {
    auto state = std::make_unique<State>(fs, index_dir, id, term_key.view(), analyser, random);
    const bool committed = TRY(guarded("opening a shard again", [&]() -> Result<bool> {
        state->database = Xapian::WritableDatabase(state->files.open_dir.string(), Xapian::DB_OPEN | kShardFlags);
        const std::string stored = state->database.get_metadata("state");
        if (stored.empty()) return false;
        state->numbers = TRY(decode_state(as_bytes(stored), term_key.view()));
        if (state->numbers.analysis != kAnalysisVersion)
            return Error(Code::not_in_version, "an open shard is of another version of the analysis");
        if (state->numbers.id != id) return Error(Code::corrupt, "an open shard belongs to another id");
        for (Xapian::PostingIterator doc = state->database.postlist_begin(""); doc != state->database.postlist_end("");
             ++doc) {
            const DocData data = TRY(state->docs.open(state->database.get_document(*doc).get_data()));
            state->entries.insert(data.entry.value);
            state->earliest = std::min(state->earliest, data.time);
            state->latest = std::max(state->latest, data.time);
        }
        return true;
    }));
    if (!committed) return std::unique_ptr<ShardWriter>();
    const std::uint64_t length = state->numbers.words_bytes;
    {
        const Bytes log = TRY(read_file(fs, state->files.words, kMaxWordsLog));
        WordsRead read = TRY(read_words(log, term_key.view(), id, length));
        state->words = TRY(WordsWriter::resume(fs, state->files.words, term_key.view(), id, read, random));
        for (const std::string& word : read.words) state->known_words.insert(state->terms.term(Space::text, word));
        for (const auto& [word, stem] : read.parts)
            state->known_words.insert(state->part_key(read.words.at(word), stem));
        for (const LoggedText& known : read.texts)
            state->known_texts.insert(state->terms.term(known.space, known.text));
    }
    return std::unique_ptr<ShardWriter>(new ShardWriter(std::move(state)));
}

Status ShardWriter::add(const RecordDraft& draft) {
    CHECK(state_->entries.count(draft.entry.value) == 0);
    return guarded("indexing a record", [&]() -> Status {
        const std::vector<std::string> reasons = state_->reasons_of(draft);
        TRY(state_->add_document(state_->document_of(draft, reasons)));
        state_->count(draft, reasons);
        return ok_status();
    });
}

Status ShardWriter::commit() {
    State& s = *state_;
    CHECK(!is_bulk());
    if (s.uncommitted == 0) return ok_status();
    TRY(s.commit());
    s.uncommitted = 0;
    return replace_file(s.fs, s.files.state, encode_state(s.numbers, s.key.view()));
}

Status ShardWriter::close() {
    State& s = *state_;
    if (is_bulk()) {
        TRY(s.close_bulk());
        s.uncommitted = 0;
        return ok_status();
    }
    TRY(commit());
    TRY(s.close_database());
    return close_as_it_is(s.fs, s.index_dir, s.numbers.id);
}

bool ShardWriter::is_bulk() const {
    return state_->records_per_part != 0;
}

const std::unordered_set<std::uint64_t>& ShardWriter::entries() const {
    return state_->entries;
}
const ShardState& ShardWriter::state() const {
    return state_->numbers;
}
std::uint64_t ShardWriter::uncommitted() const {
    return state_->uncommitted;
}
void ShardWriter::forget_cached_words() {
    state_->cache.clear();
}

Result<bool> compact_shard(Fs& fs, const ShardFiles& files, const std::vector<Path>& from) {
    TRY(remove_tree(fs, files.glass_new));
    const std::string numbers = TRY(guarded("compacting a shard", [&]() -> Result<std::string> {
        std::string stored = Xapian::Database(from.back().string(), Xapian::DB_BACKEND_GLASS).get_metadata("state");
        Xapian::Database all;
        for (const Path& part : from) all.add_database(Xapian::Database(part.string(), Xapian::DB_BACKEND_GLASS));
        if (!stored.empty())
            all.compact(files.glass_new.string(), Xapian::DBCOMPACT_SINGLE_FILE | Xapian::DBCOMPACT_NO_RENUMBER |
                                                      static_cast<unsigned>(Xapian::Compactor::FULL));
        return stored;
    }));
    if (numbers.empty()) return false;
    TRY(TRY(fs.open(files.glass_new, OpenMode::read_write))->sync());
    TRY(replace_file(fs, files.state, as_bytes(numbers)));
    return true;
}

Status close_as_it_is(Fs& fs, const Path& index_dir, ShardId id) {
    const ShardFiles files = shard_files(index_dir, id);
    if (!fs.exists(files.glass)) {
        const bool any = TRY(compact_shard(fs, files, {files.open_dir}));
        if (!any) return remove_shard(fs, index_dir, id);
        TRY(fs.rename(files.glass_new, files.glass));
        TRY(fs.sync_dir(index_dir));
    }
    TRY(remove_tree(fs, files.open_dir));
    return fs.sync_dir(index_dir);
}

}  // namespace kustos::search
