// Commitments of a blob's fields from its content in pieces.
#pragma once

#include <algorithm>
#include <vector>

#include "audit/entry.h"
#include "base/crypto.h"
#include "vault/payload.h"
#include "vault/src/payload_keys.h"

namespace kustos::vault {

// One field after the other, from pieces of the content that know nothing of fields.
class FieldCommitter {
public:
    FieldCommitter(ByteView seed, const RecordId& record, const std::vector<FieldRow>& rows)
        : record_(record), rows_(rows), salts_(field_salts(seed, rows.size())) {
        begin();
    }
    void update(ByteView piece) {
        while (!piece.empty()) {
            const std::size_t n =
                static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), rows_[row_].length - at_));
            hash_.update(piece.first(n));
            at_ += n;
            piece = piece.subspan(n);
            if (at_ == rows_[row_].length) next();
        }
    }
    Hash root() {
        while (row_ < rows_.size()) next();  // decoys, and the one field of an empty blob
        return audit::field_root(commitments_);
    }

private:
    void begin() {
        if (row_ == rows_.size()) return;
        constexpr std::uint8_t kTag = 0x03;
        const FieldRow& r = rows_[row_];
        hash_.update({&kTag, 1});
        hash_.update(audit::encode_field_head(record_, salts_[row_], static_cast<std::uint16_t>(row_),
                                              static_cast<std::uint16_t>(r.path), r.ordinal,
                                              static_cast<std::uint8_t>(r.type), r.length));
        at_ = 0;
    }
    void next() {
        commitments_.push_back(hash_.finish());
        ++row_;
        begin();
    }
    RecordId record_;
    const std::vector<FieldRow>& rows_;
    std::vector<std::array<std::uint8_t, 32>> salts_;
    std::vector<Hash> commitments_;
    std::size_t row_ = 0;
    std::uint64_t at_ = 0;
    Sha256 hash_;
};

}  // namespace kustos::vault
