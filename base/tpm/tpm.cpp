#include "base/tpm.h"

#include <cstdlib>

#include "base/tpm/tpm_state.h"

namespace kustos {

namespace {
constexpr std::size_t kSecret = 32, kMostPin = 32;

template <class T, class Marshal>
Result<Bytes> encoded(const T& value, Marshal marshal) {
    Bytes out(sizeof(T) + 16);
    std::size_t size = 0;
    if (const TSS2_RC rc = marshal(&value, out.data(), out.size(), &size); rc != TSS2_RC_SUCCESS)
        return tpm_failed("what it answered can't be kept", rc);
    out.resize(size);
    return out;
}

template <class T, class Unmarshal>
Result<T> decoded(ByteView bytes, Unmarshal unmarshal) {
    T value{};
    std::size_t used = 0;
    if (unmarshal(bytes.data(), bytes.size(), &used, &value) != TSS2_RC_SUCCESS || used != bytes.size())
        return Error(Code::corrupt, "TPM: what was sealed is damaged");
    return value;
}
}  // namespace

Tpm::Tpm(std::unique_ptr<State> state) : state_(std::move(state)) {}
Tpm::~Tpm() = default;

Result<std::unique_ptr<Tpm>> Tpm::open(const std::string& address, SecretBytes owner) {
    const std::string tcti = TRY(tpm_address(address));
    // The library prints failures by itself, and at its finest level what goes over the bus.
    static const int quiet = ::setenv("TSS2_LOG", "all+none", 1);
    (void)quiet;
    auto state = std::make_unique<State>();
    state->owner = std::move(owner);
    if (const TSS2_RC rc = Tss2_TctiLdr_Initialize(tcti.c_str(), &state->tcti); rc != TSS2_RC_SUCCESS)
        return Error(Code::environment, "TPM: none answers at " + tcti)
            .with_hint(
                "is it there and free (one program at a time without /dev/tpmrm0)? may this user open it "
                "(group tss)?");
    if (const TSS2_RC rc = Esys_Initialize(&state->context, state->tcti, nullptr); rc != TSS2_RC_SUCCESS)
        return tpm_failed("the library does not start", rc);
    // Behind /dev/tpmrm0 the kernel does this; elsewhere who has the connection has the chip for itself.
    if (!tcti.starts_with("device:/dev/tpmrm")) state->clear_away();
    return std::unique_ptr<Tpm>(new Tpm(std::move(state)));
}

Result<Tpm::Sealed> Tpm::seal(ByteView secret32, ByteView pin) {
    CHECK(secret32.size() == kSecret);
    if (pin.size() > kMostPin) return Error(Code::usage, "TPM: a PIN has at most 32 bytes");
    Sealed out;
    const TpmHandle root = TRY(state_->root_key({}, &out.parent_name));
    const TpmHandle session = TRY(state_->session(root.get()));
    Wiped<TPM2B_SENSITIVE_CREATE> inside;
    put_sized(inside.value.sensitive.userAuth.size, inside.value.sensitive.userAuth.buffer, pin);
    put_sized(inside.value.sensitive.data.size, inside.value.sensitive.data.buffer, secret32);
    TPM2B_PUBLIC wish{};
    wish.publicArea.type = TPM2_ALG_KEYEDHASH;
    wish.publicArea.nameAlg = TPM2_ALG_SHA256;
    wish.publicArea.objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_USERWITHAUTH;
    if (pin.empty()) wish.publicArea.objectAttributes |= TPMA_OBJECT_NODA;
    wish.publicArea.parameters.keyedHashDetail.scheme.scheme = TPM2_ALG_NULL;
    const TPM2B_DATA outside{};
    const TPML_PCR_SELECTION pcrs{};
    TPM2B_PRIVATE* private_raw = nullptr;
    TPM2B_PUBLIC* public_raw = nullptr;
    const TSS2_RC rc =
        Esys_Create(state_->context, root.get(), session.get(), ESYS_TR_NONE, ESYS_TR_NONE, &inside.value, &wish,
                    &outside, &pcrs, &private_raw, &public_raw, nullptr, nullptr, nullptr);
    if (rc != TSS2_RC_SUCCESS) return tpm_failed("it does not seal", rc);
    const EsysPtr<TPM2B_PRIVATE> private_part(private_raw);
    const EsysPtr<TPM2B_PUBLIC> public_part(public_raw);
    out.private_part = TRY(encoded(*private_part, Tss2_MU_TPM2B_PRIVATE_Marshal));
    out.public_part = TRY(encoded(*public_part, Tss2_MU_TPM2B_PUBLIC_Marshal));
    out.with_pin = !pin.empty();
    return out;
}

Result<SecretBytes> Tpm::unseal(const Sealed& sealed, ByteView pin) {
    if (pin.size() > kMostPin) return Error(Code::usage, "TPM: a PIN has at most 32 bytes");
    const auto private_part = TRY(decoded<TPM2B_PRIVATE>(sealed.private_part, Tss2_MU_TPM2B_PRIVATE_Unmarshal));
    const auto public_part = TRY(decoded<TPM2B_PUBLIC>(sealed.public_part, Tss2_MU_TPM2B_PUBLIC_Unmarshal));
    const TpmHandle root = TRY(state_->root_key(sealed.parent_name, nullptr));
    const TpmHandle session = TRY(state_->session(root.get()));
    TpmHandle object(state_->context);
    TSS2_RC rc = Esys_Load(state_->context, root.get(), session.get(), ESYS_TR_NONE, ESYS_TR_NONE, &private_part,
                           &public_part, object.out());
    if (rc != TSS2_RC_SUCCESS) return tpm_failed("it does not load what was sealed", rc);
    TRY(state_->set_authorisation(object.get(), pin));
    TPM2B_SENSITIVE_DATA* raw = nullptr;
    rc = Esys_Unseal(state_->context, object.get(), session.get(), ESYS_TR_NONE, ESYS_TR_NONE, &raw);
    if (rc != TSS2_RC_SUCCESS) return tpm_failed("it does not unseal", rc);
    const EsysPtr<TPM2B_SENSITIVE_DATA> data(raw);
    if (data->size != kSecret) return Error(Code::corrupt, "TPM: what was sealed has not 32 bytes");
    return SecretBytes(ByteView(data->buffer, data->size));
}

Result<std::uint32_t> Tpm::loaded() {
    std::uint32_t count = 0;
    for (const UINT32 first : {TPM2_TRANSIENT_FIRST, TPM2_LOADED_SESSION_FIRST})
        count += static_cast<std::uint32_t>(TRY(state_->handles(first)).size());
    return count;
}

}  // namespace kustos
