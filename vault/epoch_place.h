// Which chip or token holds a generation's e: keys/generation-<n>/medium (docs/format/keys.md). Nothing in it opens
// anything; it is written before the first change in the chip or token, so that no power cut leaves a secret there that
// nobody knows of.
//
// Threads: values.
#pragma once

#include <optional>

#include "base/environment.h"
#include "base/secret.h"
#include "vault/epoch.h"

namespace kustos::vault {

// The two places of an archive in a TPM lie in these NV indexes (TCG, owner's range), next to each other.
inline constexpr std::uint32_t kFirstEpochIndex = 0x01410000, kLastEpochIndex = 0x0141FFFF;

struct EpochPlace {
    std::string medium;   // "tpm" or "pkcs11"
    std::string address;  // of the TPM; the token's URI
    Bytes device;         // the storage root key's name, or the token's serial number: another one is told from it
    // TPM: the place of this generation and the one of the next, which take turns.
    std::uint32_t index = 0, next_index = 0;
    SecretBytes authorisation;  // TPM: 32 bytes, asked at each reading and writing
    std::string object;         // token: label of the data object

    EpochPlace clone() const;
};
SecretBytes encode(const EpochPlace& place);
Result<EpochPlace> decode_epoch_place(ByteView bytes);  // Code::corrupt

// None: this generation lies in a file.
Result<std::optional<EpochPlace>> load_epoch_place(Fs& fs, const Path& keys_dir, std::uint32_t generation);

// One generation's e in the chip or token that the place names.
class EpochDevice {
public:
    virtual ~EpochDevice() = default;
    virtual Status put(ByteView epoch32) = 0;
    virtual Result<SecretBytes> get() = 0;  // Code::not_found: nothing is there
    virtual Status wipe() = 0;              // and looks whether it is gone; absent is fine
    virtual Status make_room() = 0;         // for the generation after this one
    virtual void leave() = 0;               // no generation after this one lies here: gives back what it took
};
// owner: of a TPM, where a place has to be made.
Result<std::unique_ptr<EpochDevice>> open_epoch_device(Environment environment, const EpochPlace& place,
                                                       ByteView owner = {});
// A place for an archive's first e there: asks the chip which NV indexes are free, and changes nothing.
Result<EpochPlace> choose_epoch_place(Environment environment, const EpochOrder& order, const VaultId& vault,
                                      std::uint32_t generation);
EpochPlace next_epoch_place(const EpochPlace& place, const VaultId& vault, std::uint32_t generation);

}  // namespace kustos::vault
