// The words of a shard, as an append log of sealed chunks (docs/format/index.md, "Words log"). It serves prefix search
// and lets a shard be rewritten under a new key without opening records (search/rewrite.h).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/fs.h"
#include "base/random.h"
#include "base/secret.h"
#include "search/index.h"
#include "search/src/term.h"

namespace kustos::search {

inline constexpr std::size_t kMaxWordsChunk = 1u << 20;  // plain bytes
inline constexpr std::uint64_t kMaxWordsLog = 1u << 30;

inline constexpr std::size_t kMaxLoggedText = 65'535;
// 1: words only, as older programs wrote it: its shard can't be rewritten.
inline constexpr std::uint8_t kWordsVersion = 2;

// A word (Space::text: plain form of 1 to kMaxFormBytes bytes), or the text of a term that does not follow from the
// words and from the document data: the stem of a word inside a compound (Space::stem), a conversation's id, a source,
// a kind; 1 to kMaxLoggedText bytes. A word's stems of that kind follow it at once.
struct LoggedText {
    Space space = Space::text;
    std::string text;
    bool operator==(const LoggedText&) const = default;
};
bool is_logged(Space space);

Bytes encode_words_header(ShardId id, std::uint8_t version = kWordsVersion);
// One chunk, ready to be appended.
Bytes seal_words(ByteView term_key, ShardId id, std::uint64_t chunk_number, const std::vector<LoggedText>& texts,
                 Random& random, std::uint8_t version = kWordsVersion);

struct WordsRead {
    std::vector<std::string> words;  // in the order of the log
    // Stems of words inside a compound, with the place of the compound in `words`; in the same order.
    std::vector<std::pair<std::uint32_t, std::string>> parts;
    std::vector<LoggedText> texts;  // the others, likewise
    std::uint8_t version = kWordsVersion;
    std::uint64_t chunks = 0;
    std::uint64_t length = 0;  // of the valid part: header and whole chunks
};
// Reads chunks up to `committed` bytes, or all valid ones when it is 0. Code::corrupt when the log is shorter than that
// or a chunk within it does not open; bytes after it are a torn tail and are left out.
Result<WordsRead> read_words(ByteView file, ByteView term_key, ShardId id, std::uint64_t committed);

class WordsWriter {
public:
    static Result<WordsWriter> create(Fs& fs, const Path& path, ByteView term_key, ShardId id, Random& random);
    // Goes on after what was read, in its version; what follows it is cut off.
    static Result<WordsWriter> resume(Fs& fs, const Path& path, ByteView term_key, ShardId id, const WordsRead& read,
                                      Random& random);
    void add(LoggedText text);  // in a log of version 1 only words are kept
    Status write();             // appends what waits
    Status sync();              // that, and syncs; the length is durable afterwards
    std::uint64_t length() const { return length_; }

private:
    WordsWriter() = default;
    static Result<WordsWriter> open(Fs& fs, const Path& path, ByteView term_key, ShardId id, Random& random);
    std::unique_ptr<File> file_;
    SecretBytes key_;
    ShardId id_;
    Random* random_ = nullptr;
    std::uint8_t version_ = kWordsVersion;
    std::uint64_t length_ = 0, chunks_ = 0;
    bool written_ = false;  // and not synced
    std::vector<LoggedText> waiting_;
};

}  // namespace kustos::search
