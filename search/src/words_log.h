// The words of a shard, as an append log of sealed chunks (docs/format/index.md, "Words log"). It serves prefix search
// and lets a merge worker rebuild a shard under a new key without opening records.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/fs.h"
#include "base/random.h"
#include "base/secret.h"
#include "search/index.h"

namespace kustos::search {

inline constexpr std::size_t kMaxWordsChunk = 1u << 20;  // plain bytes
inline constexpr std::uint64_t kMaxWordsLog = 1u << 30;

Bytes encode_words_header(ShardId id);
// One chunk, ready to be appended. Words: plain forms of 1 to kMaxFormBytes bytes.
Bytes seal_words(ByteView term_key, ShardId id, std::uint64_t chunk_number, const std::vector<std::string>& words,
                 Random& random);

struct WordsRead {
    std::vector<std::string> words;  // in the order of the log
    std::uint64_t chunks = 0;
    std::uint64_t length = 0;  // of the valid part: header and whole chunks
};
// Reads chunks up to `committed` bytes, or all valid ones when it is 0. Code::corrupt when the log is shorter than that
// or a chunk within it does not open; bytes after it are a torn tail and are left out.
Result<WordsRead> read_words(ByteView file, ByteView term_key, ShardId id, std::uint64_t committed);

class WordsWriter {
public:
    // Creates the file (length 0) or goes on after `length` bytes; what follows them is cut off.
    static Result<WordsWriter> open(Fs& fs, const Path& path, ByteView term_key, ShardId id, std::uint64_t length,
                                    std::uint64_t chunks, Random& random);
    void add(std::string word) { waiting_.push_back(std::move(word)); }
    Status sync();  // appends what waits, and syncs; the length is durable afterwards
    std::uint64_t length() const { return length_; }

private:
    WordsWriter() = default;
    std::unique_ptr<File> file_;
    SecretBytes key_;
    ShardId id_;
    Random* random_ = nullptr;
    std::uint64_t length_ = 0, chunks_ = 0;
    std::vector<std::string> waiting_;
};

}  // namespace kustos::search
