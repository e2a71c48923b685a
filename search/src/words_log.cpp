#include "search/src/words_log.h"

#include <array>

#include "base/crypto.h"
#include "search/analysis.h"

namespace kustos::search {
namespace {

constexpr std::array<std::uint8_t, 4> kMagic = {'K', 'I', 'W', 1};
constexpr std::size_t kHeader = 12, kSalt = 16;
constexpr std::array<std::uint8_t, 12> kNonce = {};  // the key is used once

SecretBytes chunk_key(ByteView term_key, std::uint64_t number, ByteView salt) {
    Bytes info;
    put(info, "kustos1/index/words");
    put_u64(info, number);
    put(info, salt);
    return hkdf_expand(term_key, info, 32);
}

Bytes chunk_aad(ShardId id, std::uint64_t number) {
    Bytes aad;
    put(aad, ByteView(kMagic));
    put_u64(aad, id.value);
    put_u64(aad, number);
    return aad;
}

Status read_chunk(ByteView plain, std::vector<std::string>& words) {
    ByteReader reader(plain);
    while (!reader.at_end()) {
        const std::uint8_t length = TRY(reader.u8());
        if (length == 0 || length > kMaxFormBytes)
            return Error(Code::corrupt, "a word of impossible length in a words log");
        words.push_back(to_text(TRY(reader.take(length))));
    }
    return ok_status();
}

}  // namespace

Bytes encode_words_header(ShardId id) {
    Bytes out;
    put(out, ByteView(kMagic));
    put_u64(out, id.value);
    return out;
}

Bytes seal_words(ByteView term_key, ShardId id, std::uint64_t chunk_number, const std::vector<std::string>& words,
                 Random& random) {
    Bytes plain;
    for (const std::string& word : words) {
        CHECK(!word.empty() && word.size() <= kMaxFormBytes);
        put_u8(plain, static_cast<std::uint8_t>(word.size()));
        put(plain, word);
    }
    std::array<std::uint8_t, kSalt> salt;
    random.fill(salt);
    Bytes sealed;
    Gcm(chunk_key(term_key, chunk_number, salt).view()).seal(kNonce, chunk_aad(id, chunk_number), plain, sealed);
    wipe(plain);
    Bytes out;
    put_u32(out, static_cast<std::uint32_t>(sealed.size()));
    put(out, ByteView(salt));
    put(out, sealed);
    return out;
}

Result<WordsRead> read_words(ByteView file, ByteView term_key, ShardId id, std::uint64_t committed) {
    WordsRead out;
    const Error shorter(Code::corrupt, "a words log is shorter than its shard's last commit");
    if (file.size() < kHeader) {
        if (committed > 0) return shorter;
        return out;
    }
    if (!equal(file.first(kHeader), encode_words_header(id)))
        return Error(Code::corrupt, "not the words log of this shard");
    std::uint64_t at = kHeader;
    out.length = at;
    while (committed == 0 || at < committed) {
        ByteReader reader(file.subspan(at));
        const auto length = reader.u32();
        if (!length.ok() || *length < kGcmTag || *length > kMaxWordsChunk + 4096) break;
        const auto salt = reader.take(kSalt);
        if (!salt.ok()) break;
        const auto sealed = reader.take(*length);
        if (!sealed.ok()) break;
        Bytes plain;
        const Status opened =
            Gcm(chunk_key(term_key, out.chunks, *salt).view()).open(kNonce, chunk_aad(id, out.chunks), *sealed, plain);
        if (!opened.ok()) break;
        TRY(read_chunk(plain, out.words));
        wipe(plain);
        ++out.chunks;
        at += reader.position();
        out.length = at;
    }
    if (out.length < committed) return shorter;
    return out;
}

Result<WordsWriter> WordsWriter::open(Fs& fs, const Path& path, ByteView term_key, ShardId id, std::uint64_t length,
                                      std::uint64_t chunks, Random& random) {
    WordsWriter writer;
    writer.file_ = TRY(fs.open(path, OpenMode::create_or_open));
    writer.key_ = SecretBytes(term_key);
    writer.id_ = id;
    writer.random_ = &random;
    writer.length_ = length;
    writer.chunks_ = chunks;
    TRY(writer.file_->truncate(length));
    if (length == 0) {
        const Bytes header = encode_words_header(id);
        TRY(writer.file_->write_at(0, header));
        writer.length_ = header.size();
        TRY(writer.file_->sync());
        TRY(fs.sync_dir(path.parent_path()));
    }
    return writer;
}

Status WordsWriter::sync() {
    if (waiting_.empty()) return ok_status();
    Bytes out;
    std::vector<std::string> chunk;
    std::size_t bytes = 0;
    for (std::size_t i = 0; i <= waiting_.size(); ++i) {
        if (i == waiting_.size() || bytes + waiting_[i].size() + 1 > kMaxWordsChunk) {
            if (!chunk.empty()) put(out, seal_words(key_.view(), id_, chunks_++, chunk, *random_));
            chunk.clear();
            bytes = 0;
            if (i == waiting_.size()) break;
        }
        bytes += waiting_[i].size() + 1;
        chunk.push_back(std::move(waiting_[i]));
    }
    waiting_.clear();
    TRY(file_->write_at(length_, out));
    TRY(file_->sync());
    length_ += out.size();
    return ok_status();
}

}  // namespace kustos::search
