// What is derived from one record (extracted text, later OCR and thumbnails): sealed under a key that comes from the
// record's own DEK, so that forgetting the record forgets it too (docs/format/keys.md).
//
//   object = 16 random bytes || AES-256-GCM, zero nonce
//   key    = HKDF-Expand(PRK, "kustos1/derived" || u8 length of purpose || purpose || the 16 bytes, 32), new for every
//   write
#pragma once

#include "base/crypto.h"
#include "base/random.h"

namespace kustos::vault {

Bytes seal_derived(const VaultId& vault, ByteView dek, std::string_view purpose, ByteView object, Random& random);
Result<Bytes> open_derived(const VaultId& vault, ByteView dek, std::string_view purpose, ByteView sealed);

}  // namespace kustos::vault
