#include "search/src/shard_reader.h"

#include <fcntl.h>

#include <algorithm>
#include <limits>

#include "search/analysis.h"
#include "search/src/words_log.h"
#include "search/src/xapian_guard.h"

namespace kustos::search {
namespace {

constexpr std::uint64_t kSmallShard = 5'000;  // records; about 10 bytes of memory for each distinct word

constexpr EntryIndex kNotRead(std::numeric_limits<std::uint64_t>::max());

}  // namespace

ShardReader::ShardReader(Fs& fs, ShardFiles files, ShardId id, bool closed, SecretBytes key)
    : fs_(fs),
      files_(std::move(files)),
      id_(id),
      closed_(closed),
      key_(std::move(key)),
      terms_(key_.view()),
      docs_(key_.view()) {}

Result<std::unique_ptr<ShardReader>> ShardReader::open(Fs& fs, const Path& index_dir, const FoundShard& found,
                                                       SecretBytes key) {
    if (key.size() != kTermKeySize) return Error(Code::corrupt, "a shard's term key has a wrong length");
    std::unique_ptr<ShardReader> reader(
        new ShardReader(fs, shard_files(index_dir, found.id), found.id, found.closed, std::move(key)));
    const Status opened = guarded("opening a shard", [&]() -> Status {
        if (found.closed) {
            reader->database_ = reader->open_again();
        } else {
            reader->database_ = Xapian::Database(reader->files_.open_dir.string(), Xapian::DB_BACKEND_GLASS);
        }
        return ok_status();
    });
    if (!opened.ok()) {
        // a folder that is just being made, or was left so: nothing was committed
        const bool unborn = !found.closed && !fs.exists(reader->files_.state) && !fs.exists(reader->files_.glass);
        if (unborn && opened.error().code() == kAskAgain) return std::unique_ptr<ShardReader>();
        return opened.error();
    }
    TRY(reader->check_whole());
    TRY(reader->load_numbers());
    if (reader->state_.counts.total() == 0) return std::unique_ptr<ShardReader>();
    // Its words stand elsewhere: it answers nothing, and coverage counts its records as deferred.
    if (reader->state_.analysis != kAnalysisVersion) return std::unique_ptr<ShardReader>();
    if (found.closed && reader->state_.counts.total() <= kSmallShard) {
        TRY(guarded("reading a shard", [&]() -> Status {
            reader->load_terms();
            return ok_status();
        }));
    }
    return reader;
}

Xapian::Database ShardReader::open_again() const {
    // By descriptor: given a path, Xapian would also follow a "stub" file that names another database or a host.
    const int fd = ::open(files_.glass.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) throw Xapian::DatabaseNotFoundError("the file is not there");
    return Xapian::Database(fd);
}

Status ShardReader::load_numbers() {
    return guarded("reading a shard", [&]() -> Status {
        const std::string stored = database_.get_metadata("state");
        if (stored.empty()) return ok_status();
        state_ = TRY(decode_state(as_bytes(stored), key_.view()));
        if (state_.id != id_) return Error(Code::corrupt, "a shard's file belongs to another shard");
        if (state_.analysis != kAnalysisVersion) return ok_status();
        if (state_.counts.total() != database_.get_doccount())
            return Error(Code::corrupt, "a shard's counts do not fit its documents");
        state_.closed = closed_;
        earliest_ = TRY(docs_.open(database_.get_metadata("earliest"))).time;
        latest_ = TRY(docs_.open(database_.get_metadata("latest"))).time;
        rows_.resize(database_.get_lastdocid(), DocData{kNotRead, {}, RecordState::failed});
        return ok_status();
    });
}

void ShardReader::load_terms() {
    std::vector<std::uint64_t> beginnings;
    for (Xapian::TermIterator term = database_.allterms_begin(); term != database_.allterms_end(); ++term)
        beginnings.push_back(TermSketch::beginning_of(*term));
    sketch_ = TermSketch(std::move(beginnings));
}

Status ShardReader::refresh() {
    if (closed_) return ok_status();
    const bool changed = TRY(guarded("reading a shard again", [&]() -> Result<bool> { return database_.reopen(); }));
    if (!changed) return ok_status();
    TRY(check_whole());
    return load_numbers();
}

// Xapian takes a table whose file is not there for an empty one: documents without data, phrases that find nothing. The
// files of an open shard vanish only after its closed file has appeared, so without that they were all there.
Status ShardReader::check_whole() const {
    if (!closed_ && fs_.exists(files_.glass)) return Error(kAskAgain, "reading a shard: it was closed meanwhile");
    return ok_status();
}

Result<DocData> ShardReader::row(Xapian::docid id) {
    if (id == 0 || id > rows_.size()) return Error(Code::corrupt, "a shard names a document that it does not have");
    DocData& cached = rows_[id - 1];
    if (cached.entry != kNotRead) return cached;
    cached = TRY(guarded("reading a hit", [&]() -> Result<DocData> {
        return docs_.open(database_.get_document(id, Xapian::DOC_ASSUME_VALID).get_data());
    }));
    return cached;
}

Status ShardReader::read_rows(const std::vector<Xapian::docid>& ids) {
    for (const Xapian::docid id : ids)
        if (id == 0 || id > rows_.size() || rows_[id - 1].entry == kNotRead) TRY(row(id));
    return ok_status();
}

Result<std::vector<DocData>> ShardReader::all_rows() {
    std::vector<DocData> out;
    out.reserve(rows_.size());
    for (Xapian::docid id = 1; id <= rows_.size(); ++id) out.push_back(TRY(row(id)));
    return out;
}

}  // namespace kustos::search
