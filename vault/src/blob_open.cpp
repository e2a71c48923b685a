#include <algorithm>
#include <optional>

#include "base/compress.h"
#include "vault/blob_stream.h"
#include "vault/payload.h"
#include "vault/src/field_committer.h"
#include "vault/src/payload_keys.h"
#include "vault/stream_cipher.h"

namespace kustos::vault {

namespace {

Error damaged(const char* what) {
    return Error(Code::corrupt, std::string("blob: ") + what);
}

// The original: the field table, of which a blob has one shape only, then the content.
class OriginalReader {
public:
    OriginalReader(ByteView seed, const RecordId& record, std::uint64_t length, const ByteSink& out)
        : seed_(seed), record_(record), length_(length), out_(out) {}

    Status write(ByteView piece) {
        if (piece.size() > length_ - seen_) return damaged("more than its length");
        seen_ += piece.size();
        if (!fields_) {
            // Version and number of rows say how long the head is.
            constexpr std::size_t kStart = 3, kRow = 22, kBehindRows = 4 + 2 + 8 + 8;
            const auto take_until = [&](std::size_t size) {
                const std::size_t n = head_.size() >= size ? 0 : std::min(piece.size(), size - head_.size());
                put(head_, piece.first(n));
                piece = piece.subspan(n);
                return head_.size() >= size;
            };
            if (!take_until(kStart)) return {};
            const std::size_t rows = load_u16(head_.data() + 1);
            if (rows > kMaxFieldCount) return damaged("too many fields");
            if (!take_until(kStart + rows * kRow + kBehindRows)) return {};
            TRY(read_head());
        }
        if (piece.empty()) return {};
        fields_->update(piece);
        return out_(piece);
    }

    Result<Hash> finish(std::size_t field_count) {
        if (seen_ != length_ || !fields_) return damaged("less than its length");
        if (rows_.size() != field_count) return damaged("another number of fields");
        return fields_->root();
    }

private:
    Status read_head() {
        const std::uint64_t size = load_u64(head_.data() + head_.size() - 8);
        if (size > kMaxBlobContent || size != length_ - head_.size()) return damaged("lengths don't fit");
        rows_ = blob_rows(size);
        Payload expected;
        expected.rows = rows_;
        Bytes wanted = encode(expected);
        store_u64(wanted.data() + wanted.size() - 8, size);
        if (head_ != wanted) return damaged("its fields are not a blob's");
        fields_.emplace(seed_, record_, rows_);
        return {};
    }
    ByteView seed_;
    RecordId record_;
    std::uint64_t length_, seen_ = 0;
    const ByteSink& out_;
    Bytes head_;
    std::vector<FieldRow> rows_;
    std::optional<FieldCommitter> fields_;
};

// The plaintext: envelope, stored bytes, zeros.
class PlaintextReader {
public:
    PlaintextReader(ByteView seed, const RecordId& record, const ByteSink& out)
        : seed_(seed), record_(record), out_(out) {}

    Status write(ByteView piece) {
        if (!original_) {
            const std::size_t n = std::min(piece.size(), kEnvelope - envelope_.size());
            put(envelope_, piece.first(n));
            piece = piece.subspan(n);
            if (envelope_.size() < kEnvelope) return {};
            TRY(read_envelope());
        }
        const std::size_t stored = static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), left_));
        left_ -= stored;
        if (stored != 0) TRY(write_stored(piece.first(stored)));
        const ByteView padding = piece.subspan(stored);
        if (std::any_of(padding.begin(), padding.end(), [](std::uint8_t b) { return b != 0; }))
            return damaged("padding is not zero");
        return {};
    }

    Result<Hash> finish(std::size_t field_count) {
        if (!original_ || left_ != 0) return damaged("less than its length");
        if (zstd_ && !zstd_->finished()) return damaged("compressed bytes end too early");
        return original_->finish(field_count);
    }

private:
    Status read_envelope() {
        ByteReader in(envelope_);
        if (TRY(in.u8()) != 1) return damaged("unknown version");
        const std::uint8_t compression = TRY(in.u8());
        left_ = TRY(in.u64());
        const std::uint64_t length = TRY(in.u64());
        if (compression > 1) return damaged("unknown compression");
        if (compression == 0 && left_ != length) return damaged("lengths don't fit");
        if (compression == 1) zstd_.emplace();
        original_.emplace(seed_, record_, length, out_);
        return {};
    }
    Status write_stored(ByteView stored) {
        if (!zstd_) return original_->write(stored);
        return zstd_->write(stored, [this](ByteView plain) { return original_->write(plain); });
    }
    ByteView seed_;
    RecordId record_;
    const ByteSink& out_;
    Bytes envelope_;
    std::uint64_t left_ = 0;  // of the stored bytes
    std::optional<ZstdReader> zstd_;
    std::optional<OriginalReader> original_;
};

}  // namespace

Status open_blob_stream(const VaultId& vault, ByteView dek, const audit::EntryHeader& header,
                        const CiphertextReader& ciphertext, const ByteSink& content) {
    if (header.kind != audit::Kind::blob || header.suite == audit::Suite::none)
        return Error(Code::corrupt, "this entry is no blob");
    const PayloadKeys keys = derive_keys(vault, dek, header);
    StreamCipher cipher(header.suite, keys.encryption.view(), audit::chunk_aad(vault, header, {}));
    PlaintextReader reader(keys.seed.view(), header.record, content);
    Sha256 hash;
    Bytes sealed, plain;
    std::uint64_t at = 0;
    do {
        const std::uint64_t n = std::min<std::uint64_t>(kSealedChunk, header.ciphertext_length - at);
        sealed.resize(static_cast<std::size_t>(n));
        TRY(ciphertext(at, sealed));
        at += n;
        hash.update(sealed);
        TRY(cipher.open(sealed, at == header.ciphertext_length, plain));
        TRY(reader.write(plain));
        wipe(plain);
        plain.clear();
    } while (at < header.ciphertext_length);
    if (!(hash.finish() == header.ciphertext_hash))
        return Error(Code::corrupt, "the ciphertext is not the one that was sealed");
    const Hash root = TRY(reader.finish(header.field_count));
    if (!(audit::content_root(keys.commitment, root) == header.content_root))
        return Error(Code::corrupt, "the content does not match its commitments");
    return {};
}

}  // namespace kustos::vault
