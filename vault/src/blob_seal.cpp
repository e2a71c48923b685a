#include "vault/blob_stream.h"

#include "base/compress.h"
#include "vault/payload.h"
#include "vault/seal.h"
#include "vault/src/field_committer.h"
#include "vault/src/payload_keys.h"
#include "vault/stream_cipher.h"

namespace kustos::vault {

namespace {

// What stands before the content in the original: the field table, an empty recipe, the sizes of the areas.
Bytes original_head(const std::vector<FieldRow>& rows, std::uint64_t size) {
    Payload p;
    p.rows = rows;
    Bytes head = encode(p);
    store_u64(head.data() + head.size() - 8, size);
    return head;
}

// Cuts what is written into chunks and seals them.
class ChunkWriter {
public:
    ChunkWriter(StreamCipher cipher, std::uint64_t total, const ByteSink& out)
        : cipher_(std::move(cipher)), left_(total), out_(out) {}

    Status write(ByteView plain) {
        CHECK(plain.size() <= left_ - pending_.size());
        while (!plain.empty()) {
            const std::size_t n = std::min(plain.size(), kChunk - pending_.size());
            put(pending_, plain.first(n));
            plain = plain.subspan(n);
            if (pending_.size() == kChunk || pending_.size() == left_) TRY(give());
        }
        return {};
    }
    Status zeros(std::uint64_t count) {
        const Bytes some(4096, 0);
        for (; count != 0; count -= std::min<std::uint64_t>(count, some.size()))
            TRY(write(ByteView(some).first(static_cast<std::size_t>(std::min<std::uint64_t>(count, some.size())))));
        return {};
    }
    bool done() const { return left_ == 0; }
    Hash finish() { return hash_.finish(); }

private:
    Status give() {
        sealed_.clear();
        left_ -= pending_.size();
        cipher_.seal(pending_, left_ == 0, sealed_);
        wipe(pending_);
        pending_.clear();
        hash_.update(sealed_);
        return out_(sealed_);
    }
    StreamCipher cipher_;
    std::uint64_t left_;
    const ByteSink& out_;
    Sha256 hash_;
    Bytes pending_, sealed_;
};

}  // namespace

struct BlobSealer::State {
    VaultId vault;
    audit::EntryHeader header;
    SpoolPart content;
    PayloadKeys keys;
    Bytes head;
    bool compressed = false;
    std::uint64_t stored = 0, original = 0, plaintext = 0;

    // Gives head and content, compressed or not, always in the same pieces.
    // fields: sees the content too, if given.
    Status give_stored(bool compress, const ByteSink& out, FieldCommitter* fields = nullptr) const {
        if (!compress) {
            TRY(out(head));
            return content.read_all(out);
        }
        ZstdWriter zstd(kCompressionLevel);
        Bytes ready;
        const auto step = [&](ByteView plain) -> Status {
            zstd.write(plain, ready);
            const Status given = ready.empty() ? ok_status() : out(ready);
            ready.clear();
            return given;
        };
        TRY(step(head));
        TRY(content.read_all([&](ByteView piece) {
            if (fields != nullptr) fields->update(piece);
            return step(piece);
        }));
        zstd.finish(ready);
        return out(ready);
    }
};

BlobSealer::BlobSealer(std::unique_ptr<State> state) : state_(std::move(state)) {}
BlobSealer::BlobSealer(BlobSealer&&) noexcept = default;
BlobSealer::~BlobSealer() = default;

std::uint64_t BlobSealer::ciphertext_length() const {
    return sealed_size(state_->plaintext);
}

Result<BlobSealer> BlobSealer::plan(const VaultId& vault, ByteView leaf_dek, audit::EntryHeader header,
                                    const SpoolPart& content, const std::array<std::uint8_t, 32>& b) {
    if (content.size > kMaxBlobContent) return Error(Code::limit, "an attachment has more than 64 GiB");
    auto s = std::make_unique<State>();
    s->vault = vault;
    s->content = content;
    s->keys = derive_keys(vault, blob_dek(leaf_dek, b).view(), header);
    const std::vector<FieldRow> rows = blob_rows(content.size);
    s->head = original_head(rows, content.size);
    s->original = s->head.size() + content.size;
    FieldCommitter fields(s->keys.seed.view(), header.record, rows);
    std::uint64_t compressed = 0;
    TRY(s->give_stored(
        true,
        [&compressed](ByteView piece) {
            compressed += piece.size();
            return ok_status();
        },
        &fields));
    header.field_count = static_cast<std::uint16_t>(rows.size());
    header.content_root = audit::content_root(s->keys.commitment, fields.root());
    s->compressed = compressed < s->original;
    s->stored = s->compressed ? compressed : s->original;
    s->plaintext = padded_size(kEnvelope + s->stored);
    s->header = header;
    return BlobSealer(std::move(s));
}

Result<audit::EntryHeader> BlobSealer::seal(const ByteSink& ciphertext) {
    const State& s = *state_;
    ChunkWriter out(StreamCipher(s.header.suite, s.keys.encryption.view(), audit::chunk_aad(s.vault, s.header, {})),
                    s.plaintext, ciphertext);
    Bytes envelope;
    put_u8(envelope, 1);
    put_u8(envelope, s.compressed ? 1 : 0);
    put_u64(envelope, s.stored);
    put_u64(envelope, s.original);
    TRY(out.write(envelope));
    std::uint64_t given = 0;
    TRY(s.give_stored(s.compressed, [&](ByteView piece) {
        given += piece.size();
        return given <= s.stored ? out.write(piece) : ok_status();
    }));
    if (given != s.stored) return Error(Code::internal, "a blob was compressed to another length the second time");
    TRY(out.zeros(s.plaintext - kEnvelope - s.stored));
    CHECK(out.done());
    audit::EntryHeader header = s.header;
    header.ciphertext_length = ciphertext_length();
    header.ciphertext_hash = out.finish();
    return header;
}

}  // namespace kustos::vault
