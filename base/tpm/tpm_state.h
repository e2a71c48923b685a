// What the TPM's files share: the connection, handles that are flushed, sessions, and words for the chip's answers.
#pragma once

#include <tss2/tss2_esys.h>
#include <tss2/tss2_mu.h>
#include <tss2/tss2_tctildr.h>

#include <memory>

#include "base/tpm.h"

namespace kustos {

// What the library allocated; wiped before it is given back where it may be a secret.
template <class T>
struct EsysFree {
    void operator()(T* memory) const {
        wipe({reinterpret_cast<std::uint8_t*>(memory), sizeof(T)});
        Esys_Free(memory);
    }
};
template <class T>
using EsysPtr = std::unique_ptr<T, EsysFree<T>>;

// A structure that held a secret.
template <class T>
struct Wiped {
    T value{};
    ~Wiped() { wipe({reinterpret_cast<std::uint8_t*>(&value), sizeof value}); }
};

// An object or session in the chip; flushed at the end whatever happens. A persistent one is only let go.
class TpmHandle {
public:
    explicit TpmHandle(ESYS_CONTEXT* context) : context_(context) {}
    TpmHandle(TpmHandle&& other) noexcept
        : context_(other.context_), handle_(other.handle_), persistent_(other.persistent_) {
        other.handle_ = ESYS_TR_NONE;
    }
    TpmHandle(const TpmHandle&) = delete;
    TpmHandle& operator=(const TpmHandle&) = delete;
    ~TpmHandle();
    ESYS_TR get() const { return handle_; }
    ESYS_TR* out() { return &handle_; }
    void set_persistent() { persistent_ = true; }

private:
    ESYS_CONTEXT* context_;
    ESYS_TR handle_ = ESYS_TR_NONE;
    bool persistent_ = false;
};

// The chip's own error number without the place of the parameter it is about.
TSS2_RC tpm_number(TSS2_RC code);
Error tpm_failed(const char* what, TSS2_RC code);

template <std::size_t N>
void put_sized(UINT16& size, BYTE (&buffer)[N], ByteView bytes) {
    CHECK(bytes.size() <= N);
    std::copy(bytes.begin(), bytes.end(), buffer);
    size = static_cast<UINT16>(bytes.size());
}

struct Tpm::State {
    TSS2_TCTI_CONTEXT* tcti = nullptr;
    ESYS_CONTEXT* context = nullptr;
    SecretBytes owner;
    Bytes expected;  // name of the storage root key; empty: any

    ~State();
    Status set_authorisation(ESYS_TR handle, ByteView value);
    // Handles of a kind in the chip, from `first` on.
    Result<std::vector<TPM2_HANDLE>> handles(UINT32 first);
    // Flushes objects and sessions that a killed process left in the chip: it has room for three or so, and would take
    // no more. Only while nobody else can have any there.
    void clear_away();
    // The storage root key: the persistent one, or made anew. wanted: its name; another chip is Code::conflict.
    Result<TpmHandle> root_key(ByteView wanted, Bytes* name);
    // Salted with the root key; everything that goes through it is encrypted both ways.
    Result<TpmHandle> session(ESYS_TR salt);
};

}  // namespace kustos
