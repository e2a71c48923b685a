// Small helpers of who reads and writes key files. Threads: pure functions.
#pragma once

#include "base/fs.h"
#include "base/secret.h"

namespace kustos::vault {

inline constexpr std::size_t kMaxKeyFile = 64 * 1024;

// 32 bytes, or Code::corrupt.
inline Result<SecretBytes> read_key(Fs& fs, const Path& file) {
    SecretBytes key = TRY(read_secret_file(fs, file, kMaxKeyFile));
    if (key.size() != 32) return Error(Code::corrupt, "a key file has not 32 bytes");
    return key;
}

inline Error vault_closed() {
    return Error(Code::closed, "the vault is closed: a key holder must open it")
        .with_hint("kustos unlock; for this command alone: --passphrase-file, --share-file, --tpm or --token");
}

}  // namespace kustos::vault
