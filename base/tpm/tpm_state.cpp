#include "base/tpm/tpm_state.h"

namespace kustos {

namespace {
constexpr TPM2_HANDLE kPersistentRoot = 0x81000001;  // TCG TPM v2.0 Provisioning Guidance, 7.5.2

// TCG TPM v2.0 Provisioning Guidance, 7.5.1: the ECC P-256 storage root key.
TPM2B_PUBLIC root_template() {
    TPM2B_PUBLIC t{};
    TPMT_PUBLIC& p = t.publicArea;
    p.type = TPM2_ALG_ECC;
    p.nameAlg = TPM2_ALG_SHA256;
    p.objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN |
                         TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_NODA | TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT;
    p.parameters.eccDetail.symmetric.algorithm = TPM2_ALG_AES;
    p.parameters.eccDetail.symmetric.keyBits.aes = 128;
    p.parameters.eccDetail.symmetric.mode.aes = TPM2_ALG_CFB;
    p.parameters.eccDetail.scheme.scheme = TPM2_ALG_NULL;
    p.parameters.eccDetail.curveID = TPM2_ECC_NIST_P256;
    p.parameters.eccDetail.kdf.scheme = TPM2_ALG_NULL;
    p.unique.ecc.x.size = 32;
    p.unique.ecc.y.size = 32;
    return t;
}

constexpr TPMT_SYM_DEF kSessionCipher = {TPM2_ALG_AES, {128}, {TPM2_ALG_CFB}};
constexpr TPMA_SESSION kBothWays = TPMA_SESSION_DECRYPT | TPMA_SESSION_ENCRYPT | TPMA_SESSION_CONTINUESESSION;
}  // namespace

TSS2_RC tpm_number(TSS2_RC code) {
    if ((code & TSS2_RC_LAYER_MASK) != TSS2_TPM_RC_LAYER) return code;
    return (code & TPM2_RC_FMT1) != 0 ? (code & (TPM2_RC_FMT1 | 0x3FU)) : code;
}

Error tpm_failed(const char* what, TSS2_RC code) {
    char number[24];
    std::snprintf(number, sizeof number, "0x%x", static_cast<unsigned>(code));
    const std::string said = std::string("TPM: ") + what + " (answer " + number + ")";
    switch (tpm_number(code)) {
        case TPM2_RC_AUTH_FAIL:
        case TPM2_RC_BAD_AUTH:
            return Error(Code::denied, "TPM: it does not accept the PIN or authorisation")
                .with_hint("it counts wrong ones and locks itself after some; look at the PIN before the next try");
        case TPM2_RC_LOCKOUT:
            return Error(Code::denied, "TPM: it has locked itself after too many wrong PINs")
                .with_hint(
                    "it opens by itself with time (tpm2_getcap properties-variable says when); or use another "
                    "way of unlocking");
        case TPM2_RC_INTEGRITY:
            return Error(Code::conflict, "TPM: this was sealed by another chip, or it was changed")
                .with_hint("the chip was exchanged or cleared, or the disk is in another machine: use another slot");
        case TPM2_RC_OBJECT_MEMORY:
        case TPM2_RC_SESSION_MEMORY:
        case TPM2_RC_MEMORY:
        case TPM2_RC_OBJECT_HANDLES:
        case TPM2_RC_SESSION_HANDLES:
            return Error(Code::environment, said + ": no room is left in it")
                .with_hint("other programs left something in it: use device:/dev/tpmrm0, or tpm2_flushcontext -t");
        case TPM2_RC_INITIALIZE:
            return Error(Code::environment, said + ": it was not started")
                .with_hint("the firmware does this at boot; swtpm needs --flags not-need-init,startup-clear");
        default:
            return Error(Code::environment, said)
                .with_hint("look at it with tpm2-tools (tpm2_getcap properties-fixed), and at its address");
    }
}

TpmHandle::~TpmHandle() {
    if (handle_ == ESYS_TR_NONE) return;
    if (persistent_) {
        (void)Esys_TR_Close(context_, &handle_);
    } else {
        (void)Esys_FlushContext(context_, handle_);
    }
}

Tpm::State::~State() {
    if (context != nullptr) Esys_Finalize(&context);
    if (tcti != nullptr) Tss2_TctiLdr_Finalize(&tcti);
}

Status Tpm::State::set_authorisation(ESYS_TR handle, ByteView value) {
    Wiped<TPM2B_AUTH> a;
    put_sized(a.value.size, a.value.buffer, value);
    if (const TSS2_RC rc = Esys_TR_SetAuth(context, handle, &a.value); rc != TSS2_RC_SUCCESS)
        return tpm_failed("an authorisation is not taken", rc);
    return {};
}

Result<std::vector<TPM2_HANDLE>> Tpm::State::handles(UINT32 first) {
    TPMI_YES_NO more = TPM2_NO;
    TPMS_CAPABILITY_DATA* raw = nullptr;
    const TSS2_RC rc = Esys_GetCapability(context, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, TPM2_CAP_HANDLES, first,
                                          TPM2_MAX_CAP_HANDLES, &more, &raw);
    if (rc != TSS2_RC_SUCCESS) return tpm_failed("it does not answer", rc);
    const EsysPtr<TPMS_CAPABILITY_DATA> data(raw);
    const TPML_HANDLE& list = data->data.handles;
    return std::vector<TPM2_HANDLE>(list.handle, list.handle + std::min<UINT32>(list.count, TPM2_MAX_CAP_HANDLES));
}

void Tpm::State::clear_away() {
    for (const UINT32 first : {TPM2_TRANSIENT_FIRST, TPM2_LOADED_SESSION_FIRST}) {
        const auto left = handles(first);
        if (!left.ok()) return;  // what comes next says why
        for (const TPM2_HANDLE handle : *left) {
            ESYS_TR known = ESYS_TR_NONE;
            if (Esys_TR_FromTPMPublic(context, handle, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &known) ==
                TSS2_RC_SUCCESS)
                (void)Esys_FlushContext(context, known);
        }
    }
}

Result<TpmHandle> Tpm::State::root_key(ByteView wanted, Bytes* name) {
    const auto named = [this](const TpmHandle& key) -> Result<Bytes> {
        TPM2B_NAME* raw = nullptr;
        if (const TSS2_RC rc = Esys_TR_GetName(context, key.get(), &raw); rc != TSS2_RC_SUCCESS)
            return tpm_failed("the storage root key has no name", rc);
        const EsysPtr<TPM2B_NAME> got(raw);
        return Bytes(got->name, got->name + got->size);
    };
    const auto persistent = TRY(handles(kPersistentRoot));
    if (!persistent.empty() && persistent.front() == kPersistentRoot) {
        TpmHandle key(context);
        key.set_persistent();
        const TSS2_RC rc =
            Esys_TR_FromTPMPublic(context, kPersistentRoot, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, key.out());
        TPM2B_PUBLIC* raw = nullptr;
        if (rc == TSS2_RC_SUCCESS && Esys_ReadPublic(context, key.get(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &raw,
                                                     nullptr, nullptr) == TSS2_RC_SUCCESS) {
            const EsysPtr<TPM2B_PUBLIC> known(raw);
            const Bytes its_name = TRY(named(key));
            // Only one that the template describes; somebody may have put another key there.
            const bool fits = known->publicArea.type == TPM2_ALG_ECC &&
                              known->publicArea.objectAttributes == root_template().publicArea.objectAttributes;
            if (fits && (wanted.empty() || equal(its_name, wanted))) {
                if (name != nullptr) *name = its_name;
                return key;
            }
        }
    }
    TRY(set_authorisation(ESYS_TR_RH_OWNER, owner.view()));
    // No key of the chip's stands yet to salt with: the owner's authorisation shows as an HMAC only.
    TpmHandle plain(context);
    TSS2_RC rc = Esys_StartAuthSession(context, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                       nullptr, TPM2_SE_HMAC, &kSessionCipher, TPM2_ALG_SHA256, plain.out());
    if (rc != TSS2_RC_SUCCESS) return tpm_failed("no session", rc);
    (void)Esys_TRSess_SetAttributes(context, plain.get(), TPMA_SESSION_CONTINUESESSION, 0xFF);
    const TPM2B_PUBLIC wish = root_template();
    const TPM2B_SENSITIVE_CREATE nothing{};
    const TPM2B_DATA outside{};
    const TPML_PCR_SELECTION pcrs{};
    TpmHandle key(context);
    rc = Esys_CreatePrimary(context, ESYS_TR_RH_OWNER, plain.get(), ESYS_TR_NONE, ESYS_TR_NONE, &nothing, &wish,
                            &outside, &pcrs, key.out(), nullptr, nullptr, nullptr, nullptr);
    if (rc != TSS2_RC_SUCCESS) return tpm_failed("the storage root key can't be made", rc);
    Bytes its_name = TRY(named(key));
    if (!wanted.empty() && !equal(its_name, wanted))
        return Error(Code::conflict, "TPM: this was sealed by another chip, or the chip was cleared")
            .with_hint("is the disk in its own machine? if the chip is gone, another slot opens: kustos key status");
    if (name != nullptr) *name = std::move(its_name);
    return key;
}

Result<TpmHandle> Tpm::State::session(ESYS_TR salt) {
    TpmHandle session(context);
    const TSS2_RC rc = Esys_StartAuthSession(context, salt, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                             nullptr, TPM2_SE_HMAC, &kSessionCipher, TPM2_ALG_SHA256, session.out());
    if (rc != TSS2_RC_SUCCESS) return tpm_failed("no session", rc);
    if (const TSS2_RC set = Esys_TRSess_SetAttributes(context, session.get(), kBothWays, 0xFF); set != TSS2_RC_SUCCESS)
        return tpm_failed("no encrypted session", set);
    return session;
}

}  // namespace kustos
