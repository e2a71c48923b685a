// Sealing and opening one entry's payload: keys from its DEK, commitments, compression, padding, encryption
// (docs/format/payload.md). The header's fields up to the content root go into every chunk's AAD.
//
// Errors of open: corrupt; the text says which check failed. Threads: pure functions.
#pragma once

#include "audit/entry.h"
#include "vault/payload.h"

namespace kustos::vault {

struct SealedPayload {
    audit::EntryHeader header;  // the given one with field count, content root, ciphertext length and hash
    Bytes ciphertext;
};
// header: kind, suite, class, source, sequence, record, tree and leaf are set. dek: 32 bytes, of this leaf.
Result<SealedPayload> seal_payload(const VaultId& vault, ByteView dek, audit::EntryHeader header, ByteView body,
                                   const Payload& payload);

// b: 32 random bytes, which stand in the record that names the blob.
Result<SealedPayload> seal_blob(const VaultId& vault, ByteView leaf_dek, audit::EntryHeader header,
                                const BlobDraft& draft, const std::array<std::uint8_t, 32>& b);
SecretBytes blob_dek(ByteView leaf_dek,
                     const std::array<std::uint8_t, 32>& b);  // HKDF-Extract(salt = leaf DEK, ikm = b)

// Checks ciphertext hash, key commitment, every field commitment and the content root.
Result<OpenedPayload> open_payload(const VaultId& vault, ByteView dek, const audit::EntryHeader& header, ByteView body,
                                   ByteView ciphertext);

// vault/dictionary/1.zdict, of compression 2: who leaves the product needs it to open what was sealed.
ByteView dictionary_1_file();

std::uint64_t padded_size(std::uint64_t size);  // multiples of 64 up to 2 KiB, then Padmé (PURBs, 2019)

}  // namespace kustos::vault
