// A TPM 2.0 (TCG Library Specification 1.59), through tss2-esys: sealing a secret of 32 bytes so that this one chip
// alone gives it back, and small places in it that can really forget.
//
// Addresses (TCTI): device:/dev/tpmrm0, device:/dev/tpm0, swtpm:host=127.0.0.1,port=2321, swtpm:path=/SOCKET. No other
// form is taken: the library could run a program for some of them, and a network's chip is nobody's own.
//
// What is sealed lies under the storage root key (ECC P-256, the TCG's template), which the chip makes anew from its
// own seed each time, or which stands at 0x81000001. All commands with a secret go through a session salted with that
// key (AES-128-CFB, HMAC-SHA-256): who listens on the bus sees no secret. With a PIN the chip counts wrong ones and
// locks itself (dictionary attack protection is on); without one it does not, as there is nothing to guess, and what is
// sealed does not go bad because of others' wrong PINs. No PCRs: a stolen disk is useless, a whole stolen machine
// without a PIN is not (docs/threat-model.md).
//
// No resource manager is assumed: every handle and session is flushed, also on the way of an error. One program at a
// time may use /dev/tpm0; /dev/tpmrm0 takes many.
// Errors: usage (the address), environment (no chip, or it refuses; the hint says what to do), denied (wrong PIN,
// locked), conflict (made by another chip; a place that is taken), not_found (no such place).
// Threads: one at a time. An own target, kustos_base_tpm: kustos-verify never links it.
#pragma once

#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/secret.h"

namespace kustos {

// "tpm" stands for the first of the device's two names that is there.
Result<std::string> tpm_address(std::string_view text);

class Tpm {
public:
    struct Sealed {
        Bytes public_part, private_part;  // TPM2B_PUBLIC, TPM2B_PRIVATE
        Bytes parent_name;                // of the storage root key: another chip is told before it is asked
        bool with_pin = false;
    };

    // owner: the storage hierarchy's authorisation, mostly empty.
    static Result<std::unique_ptr<Tpm>> open(const std::string& address, SecretBytes owner = {});
    ~Tpm();

    Result<Sealed> seal(ByteView secret32, ByteView pin);  // an empty PIN: none
    Result<SecretBytes> unseal(const Sealed& sealed, ByteView pin);

    // The storage root key's name, by which one chip is told from another. From expect() on, another chip is
    // Code::conflict in all that follows.
    Result<Bytes> name();
    void expect(Bytes name);

    // NV indexes 0x01400000 to 0x017fffff, the owner's. The authorisation (at most 32 bytes) is asked at each reading
    // and writing. What was overwritten or removed is gone: the chip keeps no old state.
    Status nv_define(std::uint32_t index, ByteView authorisation);  // 32 bytes; Code::conflict: it is there
    Status nv_write(std::uint32_t index, ByteView authorisation, ByteView bytes32);
    Result<SecretBytes> nv_read(std::uint32_t index, ByteView authorisation);
    Status nv_remove(std::uint32_t index);
    Result<bool> nv_exists(std::uint32_t index);

    // Loaded objects and sessions in the chip now: 0 between two calls.
    Result<std::uint32_t> loaded();

private:
    struct State;
    explicit Tpm(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace kustos
