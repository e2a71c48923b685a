// Places in the chip that forget: TPM 2.0 Part 3, clause 31.
#include "base/tpm/tpm_state.h"

namespace kustos {

namespace {
constexpr std::size_t kPlace = 32;
constexpr std::uint32_t kFirst = 0x01400000, kLast = 0x017FFFFF;  // the owner's range (TCG registry of handles)

Status check(std::uint32_t index, ByteView authorisation) {
    if (index < kFirst || index > kLast) return Error(Code::usage, "TPM: a place is 0x01400000 to 0x017fffff");
    if (authorisation.size() > 32) return Error(Code::usage, "TPM: an authorisation has at most 32 bytes");
    return {};
}

Error failed_at(const char* what, TSS2_RC rc) {
    switch (tpm_number(rc)) {
        case TPM2_RC_HANDLE:
        case TPM2_RC_NV_UNINITIALIZED:
            return Error(Code::not_found, "TPM: there is nothing in this place");
        case TPM2_RC_NV_DEFINED:
            return Error(Code::conflict, "TPM: this place is taken").with_hint("choose another number");
        case TPM2_RC_NV_SPACE:
            return Error(Code::environment, "TPM: no room is left for a place in it")
                .with_hint("tpm2_getcap handles-nv-index shows what is there");
        default:
            return tpm_failed(what, rc);
    }
}
}  // namespace

Result<Bytes> Tpm::name() {
    Bytes name;
    TRY(state_->root_key(state_->expected, &name));
    return name;
}

void Tpm::expect(Bytes name) {
    state_->expected = std::move(name);
}

Status Tpm::nv_define(std::uint32_t index, ByteView authorisation) {
    TRY(check(index, authorisation));
    const TpmHandle root = TRY(state_->root_key(state_->expected, nullptr));
    const TpmHandle session = TRY(state_->session(root.get()));
    TRY(state_->set_authorisation(ESYS_TR_RH_OWNER, state_->owner.view()));
    Wiped<TPM2B_AUTH> a;
    put_sized(a.value.size, a.value.buffer, authorisation);
    TPM2B_NV_PUBLIC wish{};
    wish.nvPublic.nvIndex = index;
    wish.nvPublic.nameAlg = TPM2_ALG_SHA256;
    // NO_DA: its authorisation is a key, not a PIN, and others' wrong PINs must not lock it.
    wish.nvPublic.attributes = TPMA_NV_AUTHREAD | TPMA_NV_AUTHWRITE | TPMA_NV_NO_DA;
    wish.nvPublic.dataSize = kPlace;
    ESYS_TR made = ESYS_TR_NONE;
    const TSS2_RC rc = Esys_NV_DefineSpace(state_->context, ESYS_TR_RH_OWNER, session.get(), ESYS_TR_NONE, ESYS_TR_NONE,
                                           &a.value, &wish, &made);
    if (rc != TSS2_RC_SUCCESS) return failed_at("no place is made", rc);
    (void)Esys_TR_Close(state_->context, &made);
    return {};
}

Result<bool> Tpm::nv_exists(std::uint32_t index) {
    TRY(check(index, {}));
    const auto found = TRY(state_->handles(index));
    return !found.empty() && found.front() == index;
}

namespace {
// The library's name for a place.
Result<TpmHandle> place(ESYS_CONTEXT* context, std::uint32_t index) {
    TpmHandle handle(context);
    handle.set_persistent();
    const TSS2_RC rc = Esys_TR_FromTPMPublic(context, index, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, handle.out());
    if (rc != TSS2_RC_SUCCESS) return failed_at("the place can't be read", rc);
    return handle;
}
}  // namespace

Status Tpm::nv_write(std::uint32_t index, ByteView authorisation, ByteView bytes32) {
    CHECK(bytes32.size() == kPlace);
    TRY(check(index, authorisation));
    const TpmHandle nv = TRY(place(state_->context, index));
    const TpmHandle root = TRY(state_->root_key(state_->expected, nullptr));
    const TpmHandle session = TRY(state_->session(root.get()));
    TRY(state_->set_authorisation(nv.get(), authorisation));
    Wiped<TPM2B_MAX_NV_BUFFER> data;
    put_sized(data.value.size, data.value.buffer, bytes32);
    const TSS2_RC rc =
        Esys_NV_Write(state_->context, nv.get(), nv.get(), session.get(), ESYS_TR_NONE, ESYS_TR_NONE, &data.value, 0);
    if (rc != TSS2_RC_SUCCESS) return failed_at("the place is not written", rc);
    return {};
}

Result<SecretBytes> Tpm::nv_read(std::uint32_t index, ByteView authorisation) {
    TRY(check(index, authorisation));
    const TpmHandle nv = TRY(place(state_->context, index));
    const TpmHandle root = TRY(state_->root_key(state_->expected, nullptr));
    const TpmHandle session = TRY(state_->session(root.get()));
    TRY(state_->set_authorisation(nv.get(), authorisation));
    TPM2B_MAX_NV_BUFFER* raw = nullptr;
    const TSS2_RC rc =
        Esys_NV_Read(state_->context, nv.get(), nv.get(), session.get(), ESYS_TR_NONE, ESYS_TR_NONE, kPlace, 0, &raw);
    if (rc != TSS2_RC_SUCCESS) return failed_at("the place is not read", rc);
    const EsysPtr<TPM2B_MAX_NV_BUFFER> data(raw);
    return SecretBytes(ByteView(data->buffer, std::min<std::size_t>(data->size, kPlace)));
}

Status Tpm::nv_remove(std::uint32_t index) {
    TRY(check(index, {}));
    const TpmHandle root = TRY(state_->root_key(state_->expected, nullptr));
    const TpmHandle session = TRY(state_->session(root.get()));
    TRY(state_->set_authorisation(ESYS_TR_RH_OWNER, state_->owner.view()));
    TpmHandle nv = TRY(place(state_->context, index));
    const TSS2_RC rc =
        Esys_NV_UndefineSpace(state_->context, ESYS_TR_RH_OWNER, nv.get(), session.get(), ESYS_TR_NONE, ESYS_TR_NONE);
    if (rc != TSS2_RC_SUCCESS) return failed_at("the place is not removed", rc);
    *nv.out() = ESYS_TR_NONE;  // the library has let it go
    return {};
}

}  // namespace kustos
