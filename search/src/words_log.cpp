#include "search/src/words_log.h"

#include <array>

#include "base/crypto.h"
#include "search/analysis.h"

namespace kustos::search {
namespace {

constexpr std::size_t kHeader = 12, kSalt = 16;
constexpr std::array<std::uint8_t, 12> kNonce = {};  // the key is used once
constexpr std::uint8_t kOther = 0;                   // in place of a word's length: space, u16 length, text

std::array<std::uint8_t, 4> magic_of(std::uint8_t version) {
    return {'K', 'I', 'W', version};
}

SecretBytes chunk_key(ByteView term_key, std::uint64_t number, ByteView salt) {
    Bytes info;
    put(info, "kustos1/index/words");
    put_u64(info, number);
    put(info, salt);
    return hkdf_expand(term_key, info, 32);
}

Bytes chunk_aad(std::uint8_t version, ShardId id, std::uint64_t number) {
    Bytes aad;
    put(aad, ByteView(magic_of(version)));
    put_u64(aad, id.value);
    put_u64(aad, number);
    return aad;
}

Status read_other(ByteReader& reader, WordsRead& out) {
    const Space space = static_cast<Space>(TRY(reader.u8()));
    const std::uint16_t length = TRY(reader.u16());
    if (!is_logged(space) || length == 0) return Error(Code::corrupt, "an impossible text in a words log");
    std::string text = to_text(TRY(reader.take(length)));
    if (space != Space::stem) {
        out.texts.push_back({space, std::move(text)});
    } else if (out.words.empty()) {
        return Error(Code::corrupt, "a part without its word in a words log");
    } else {
        out.parts.emplace_back(static_cast<std::uint32_t>(out.words.size() - 1), std::move(text));
    }
    return ok_status();
}

Status read_chunk(ByteView plain, WordsRead& out) {
    ByteReader reader(plain);
    while (!reader.at_end()) {
        const std::uint8_t length = TRY(reader.u8());
        if (length == kOther && out.version > 1) {
            TRY(read_other(reader, out));
            continue;
        }
        if (length == 0 || length > kMaxFormBytes)
            return Error(Code::corrupt, "a word of impossible length in a words log");
        out.words.push_back(to_text(TRY(reader.take(length))));
    }
    return ok_status();
}

void put_logged(Bytes& plain, const LoggedText& logged) {
    CHECK(!logged.text.empty());
    if (logged.space == Space::text) {
        CHECK(logged.text.size() <= kMaxFormBytes);
        put_u8(plain, static_cast<std::uint8_t>(logged.text.size()));
    } else {
        CHECK(is_logged(logged.space) && logged.text.size() <= kMaxLoggedText);
        put_u8(plain, kOther);
        put_u8(plain, static_cast<std::uint8_t>(logged.space));
        put_u16(plain, static_cast<std::uint16_t>(logged.text.size()));
    }
    put(plain, logged.text);
}

}  // namespace

bool is_logged(Space space) {
    switch (space) {
        case Space::stem:
        case Space::conversation_id:
        case Space::source:
        case Space::kind:
        case Space::content:
        case Space::sender:
        case Space::recipient:
        case Space::filetype:
        case Space::language:
        case Space::message_id:
        case Space::thread:
        case Space::edits:
        case Space::deletes:
            return true;
        default:
            return false;
    }
}

Bytes encode_words_header(ShardId id, std::uint8_t version) {
    Bytes out;
    put(out, ByteView(magic_of(version)));
    put_u64(out, id.value);
    return out;
}

Bytes seal_words(ByteView term_key, ShardId id, std::uint64_t chunk_number, const std::vector<LoggedText>& texts,
                 Random& random, std::uint8_t version) {
    Bytes plain;
    for (const LoggedText& logged : texts) put_logged(plain, logged);
    std::array<std::uint8_t, kSalt> salt;
    random.fill(salt);
    Bytes sealed;
    Gcm(chunk_key(term_key, chunk_number, salt).view())
        .seal(kNonce, chunk_aad(version, id, chunk_number), plain, sealed);
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
    out.version = file[3];
    if (out.version == 0 || out.version > kWordsVersion ||
        !equal(file.first(kHeader), encode_words_header(id, out.version)))
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
        const Status opened = Gcm(chunk_key(term_key, out.chunks, *salt).view())
                                  .open(kNonce, chunk_aad(out.version, id, out.chunks), *sealed, plain);
        if (!opened.ok()) break;
        TRY(read_chunk(plain, out));
        wipe(plain);
        ++out.chunks;
        at += reader.position();
        out.length = at;
    }
    if (out.length < committed) return shorter;
    return out;
}

Result<WordsWriter> WordsWriter::open(Fs& fs, const Path& path, ByteView term_key, ShardId id, Random& random) {
    WordsWriter writer;
    writer.file_ = TRY(fs.open(path, OpenMode::create_or_open));
    writer.key_ = SecretBytes(term_key);
    writer.id_ = id;
    writer.random_ = &random;
    return writer;
}

Result<WordsWriter> WordsWriter::create(Fs& fs, const Path& path, ByteView term_key, ShardId id, Random& random) {
    WordsWriter writer = TRY(open(fs, path, term_key, id, random));
    TRY(writer.file_->truncate(0));
    const Bytes header = encode_words_header(id);
    TRY(writer.file_->write_at(0, header));
    writer.length_ = header.size();
    TRY(writer.file_->sync());
    TRY(fs.sync_dir(path.parent_path()));
    return writer;
}

Result<WordsWriter> WordsWriter::resume(Fs& fs, const Path& path, ByteView term_key, ShardId id, const WordsRead& read,
                                        Random& random) {
    if (read.length == 0) return create(fs, path, term_key, id, random);
    WordsWriter writer = TRY(open(fs, path, term_key, id, random));
    writer.version_ = read.version;
    writer.length_ = read.length;
    writer.chunks_ = read.chunks;
    TRY(writer.file_->truncate(read.length));
    return writer;
}

void WordsWriter::add(LoggedText text) {
    if (version_ > 1 || text.space == Space::text) waiting_.push_back(std::move(text));
}

Status WordsWriter::write() {
    if (waiting_.empty()) return ok_status();
    constexpr std::size_t kFraming = 4;
    Bytes out;
    std::vector<LoggedText> chunk;
    std::size_t bytes = 0;
    for (std::size_t i = 0; i <= waiting_.size(); ++i) {
        if (i == waiting_.size() || bytes + waiting_[i].text.size() + kFraming > kMaxWordsChunk) {
            if (!chunk.empty()) put(out, seal_words(key_.view(), id_, chunks_++, chunk, *random_, version_));
            chunk.clear();
            bytes = 0;
            if (i == waiting_.size()) break;
        }
        bytes += waiting_[i].text.size() + kFraming;
        chunk.push_back(std::move(waiting_[i]));
    }
    waiting_.clear();
    TRY(file_->write_at(length_, out));
    length_ += out.size();
    written_ = true;
    return ok_status();
}

Status WordsWriter::sync() {
    TRY(write());
    if (!written_) return ok_status();
    TRY(file_->sync());
    written_ = false;
    return ok_status();
}

}  // namespace kustos::search
