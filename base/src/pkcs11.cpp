#include "base/pkcs11.h"

#include <dlfcn.h>

#include <array>
#include <vector>

#include "base/secret.h"
#include "base/src/pkcs11_state.h"

namespace kustos {

using token_detail::attribute;
using token_detail::failed;

Error token_detail::failed(const char* what, CK_RV code) {
    char number[24];
    std::snprintf(number, sizeof number, "0x%lx", code);
    return Error(Code::environment, std::string("token: ") + what + " (PKCS #11 error " + number + ")")
        .with_hint("look at the token with the tools of its maker; and whether its PIN and label are right");
}

namespace {

constexpr std::uint8_t kEd25519Params[] = {0x06, 0x03, 0x2B, 0x65, 0x70};  // OID 1.3.101.112 (RFC 8410)
constexpr std::uint8_t kEd25519Name[] = {0x13, 0x0C, 'e', 'd', 'w', 'a', 'r', 'd', 's', '2', '5', '5', '1', '9'};
constexpr std::uint8_t kP256Params[] = {0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07};

Result<std::string> decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        const auto byte = parse_hex(text.substr(i + 1, 2));
        if (!byte.ok() || byte->size() != 1 || (*byte)[0] == 0)
            return Error(Code::usage, "pkcs11 URI: a % without two hex digits");
        out += static_cast<char>((*byte)[0]);
        i += 2;
    }
    return out;
}

std::string encoded(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                           c == '.' || c == '_' || c == '/';
        if (plain) {
            out += c;
        } else {
            const std::uint8_t byte[] = {static_cast<std::uint8_t>(c)};
            out += "%" + hex(byte);
        }
    }
    return out;
}

}  // namespace

Result<TokenUri> TokenUri::parse(std::string_view uri) {
    if (!is_one(uri)) return Error(Code::usage, "a pkcs11: URI is expected (RFC 7512)");
    TokenUri out;
    std::string_view rest = uri.substr(7);
    const std::size_t question = rest.find('?');
    const auto take = [&out](std::string_view part, char separator) -> Status {
        while (!part.empty()) {
            const std::string_view one = part.substr(0, part.find(separator));
            part.remove_prefix(std::min(part.size(), one.size() + 1));
            const std::size_t equals = one.find('=');
            const std::string_view key = one.substr(0, equals);
            std::string value = TRY(decoded(equals == std::string_view::npos ? "" : one.substr(equals + 1)));
            if (key == "token") {
                out.token = value;
            } else if (key == "object") {
                out.object = value;
            } else if (key == "module-path") {
                out.module = value;
            } else if (key == "pin-source") {
                out.pin_file = value.rfind("file:", 0) == 0 ? value.substr(5) : value;
            } else {
                return Error(Code::usage, "pkcs11 URI: " + std::string(key) + " is not known here")
                    .with_hint("token, object, module-path, pin-source");
            }
        }
        return {};
    };
    TRY(take(rest.substr(0, question), ';'));
    if (question != std::string_view::npos) TRY(take(rest.substr(question + 1), '&'));
    if (out.token.empty() || out.module.empty() || out.pin_file.empty())
        return Error(Code::usage, "pkcs11 URI: token, module-path and pin-source are needed");
    if (out.module[0] != '/' || out.pin_file[0] != '/')
        return Error(Code::usage, "pkcs11 URI: module-path and pin-source are absolute paths");
    return out;
}

std::string TokenUri::format() const {
    std::string out = "pkcs11:token=" + encoded(token);
    if (!object.empty()) out += ";object=" + encoded(object);
    return out + "?module-path=" + encoded(module) + "&pin-source=file:" + encoded(pin_file);
}

HardwareToken::State::~State() {
    // No C_Logout: it would log out every session of this process. The last one's end does.
    if (in_session) call->C_CloseSession(session);
    // C_Finalize would end the module for others in this process; the process's end does.
    if (library != nullptr) dlclose(library);
}

Result<CK_OBJECT_HANDLE> HardwareToken::State::find(const std::string& object, CK_OBJECT_CLASS kind, bool& found) {
    CK_ATTRIBUTE wanted[] = {attribute(CKA_CLASS, kind), attribute(CKA_LABEL, as_bytes(object))};
    CK_OBJECT_HANDLE handles[2] = {};
    CK_ULONG count = 0;
    if (const CK_RV rv = call->C_FindObjectsInit(session, wanted, 2); rv != CKR_OK)
        return failed("can't be searched", rv);
    const CK_RV rv = call->C_FindObjects(session, handles, 2, &count);
    call->C_FindObjectsFinal(session);
    if (rv != CKR_OK) return failed("can't be searched", rv);
    if (count > 1) return Error(Code::conflict, "token: two keys have the label " + object);
    found = count == 1;
    return handles[0];
}
Result<CK_OBJECT_HANDLE> HardwareToken::State::need(const std::string& object, CK_OBJECT_CLASS kind) {
    bool found = false;
    const CK_OBJECT_HANDLE handle = TRY(find(object, kind, found));
    if (!found) return Error(Code::not_found, "token: it has no key with the label " + object);
    return handle;
}

// CKA_EC_POINT: a DER OCTET STRING around the point; some modules leave the wrapping out.
Result<Bytes> HardwareToken::State::point(const std::string& object, std::size_t size) {
    const CK_OBJECT_HANDLE handle = TRY(need(object, CKO_PUBLIC_KEY));
    Bytes value(256);
    CK_ATTRIBUTE wanted = {CKA_EC_POINT, value.data(), value.size()};
    if (const CK_RV rv = call->C_GetAttributeValue(session, handle, &wanted, 1); rv != CKR_OK)
        return failed("the public key can't be read", rv);
    value.resize(wanted.ulValueLen);
    if (value.size() == size + 2 && value[0] == 0x04 && value[1] == size) value.erase(value.begin(), value.begin() + 2);
    if (value.size() != size) return Error(Code::environment, "token: the public key has an unknown form");
    return value;
}

Status HardwareToken::State::make(const std::string& object, CK_MECHANISM_TYPE type, ByteView params,
                                  ByteView other_params) {
    bool found = false;
    TRY(find(object, CKO_PRIVATE_KEY, found));
    if (found) return Error(Code::conflict, "token: it has a key with the label " + object);
    CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
    CK_MECHANISM mechanism = {type, nullptr, 0};
    CK_OBJECT_HANDLE public_key = 0, private_key = 0;
    CK_RV rv = CKR_OK;
    for (const ByteView p : {params, other_params}) {
        if (p.empty()) break;
        CK_ATTRIBUTE public_part[] = {attribute(CKA_EC_PARAMS, p), attribute(CKA_TOKEN, yes),
                                      attribute(CKA_VERIFY, yes), attribute(CKA_LABEL, as_bytes(object)),
                                      attribute(CKA_ID, as_bytes(object))};
        CK_ATTRIBUTE private_part[] = {attribute(CKA_TOKEN, yes),          attribute(CKA_PRIVATE, yes),
                                       attribute(CKA_SENSITIVE, yes),      attribute(CKA_EXTRACTABLE, no),
                                       attribute(CKA_SIGN, yes),           attribute(CKA_LABEL, as_bytes(object)),
                                       attribute(CKA_ID, as_bytes(object))};
        rv = call->C_GenerateKeyPair(session, &mechanism, public_part, 5, private_part, 7, &public_key, &private_key);
        if (rv == CKR_OK) return {};
    }
    return failed("it can't make such a key", rv);
}

Result<Bytes> HardwareToken::State::sign(const std::string& object, CK_MECHANISM_TYPE type, ByteView message) {
    const CK_OBJECT_HANDLE handle = TRY(need(object, CKO_PRIVATE_KEY));
    CK_MECHANISM mechanism = {type, nullptr, 0};
    Bytes signature(64);
    CK_ULONG length = signature.size();
    CK_RV rv = call->C_SignInit(session, &mechanism, handle);
    if (rv == CKR_OK)
        rv =
            call->C_Sign(session, const_cast<std::uint8_t*>(message.data()), message.size(), signature.data(), &length);
    if (rv != CKR_OK) return failed("it does not sign", rv);
    if (length != 64) return Error(Code::environment, "token: a signature has an unknown form");
    return signature;
}

Status HardwareToken::State::destroy(const std::string& object, CK_OBJECT_CLASS kind) {
    bool found = false;
    const CK_OBJECT_HANDLE handle = TRY(find(object, kind, found));
    if (!found) return {};
    if (const CK_RV rv = call->C_DestroyObject(session, handle); rv != CKR_OK)
        return failed("an object can't be removed", rv);
    return {};
}

HardwareToken::HardwareToken(std::unique_ptr<State> state) : state_(std::move(state)) {}
HardwareToken::~HardwareToken() = default;

Result<std::shared_ptr<HardwareToken>> HardwareToken::open(Fs& fs, const TokenUri& uri) {
    auto state = std::make_unique<State>();
    state->library = dlopen(uri.module.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (state->library == nullptr)
        return Error(Code::environment, "token: the module " + uri.module + " can't be loaded");
    const auto list = reinterpret_cast<CK_RV (*)(CK_FUNCTION_LIST**)>(dlsym(state->library, "C_GetFunctionList"));
    if (list == nullptr || list(&state->call) != CKR_OK)
        return Error(Code::environment, "token: " + uri.module + " is no PKCS #11 module");
    CK_C_INITIALIZE_ARGS arguments{};
    arguments.flags = CKF_OS_LOCKING_OK;
    if (const CK_RV rv = state->call->C_Initialize(&arguments); rv != CKR_OK && rv != CKR_CRYPTOKI_ALREADY_INITIALIZED)
        return failed("the module does not start", rv);
    CK_ULONG count = 0;
    if (const CK_RV rv = state->call->C_GetSlotList(CK_TRUE, nullptr, &count); rv != CKR_OK)
        return failed("no slots", rv);
    std::vector<CK_SLOT_ID> slots(count);
    if (count != 0 && state->call->C_GetSlotList(CK_TRUE, slots.data(), &count) != CKR_OK) count = 0;
    slots.resize(count);
    for (const CK_SLOT_ID slot : slots) {
        CK_TOKEN_INFO info{};
        if (state->call->C_GetTokenInfo(slot, &info) != CKR_OK) continue;
        std::string label(reinterpret_cast<const char*>(info.label), sizeof info.label);
        label.erase(label.find_last_not_of(' ') + 1);
        if (label != uri.token) continue;
        if (const CK_RV rv = state->call->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr,
                                                        &state->session);
            rv != CKR_OK)
            return failed("no session", rv);
        state->in_session = true;
        state->serial.assign(reinterpret_cast<const char*>(info.serialNumber), sizeof info.serialNumber);
        state->serial.erase(state->serial.find_last_not_of(' ') + 1);
        Bytes file = TRY_IN("the token's PIN", read_file(fs, uri.pin_file, 4096));
        SecretBytes pin((ByteView(file)));
        wipe(file);
        std::size_t length = pin.size();
        while (length != 0 && (pin.view()[length - 1] == '\n' || pin.view()[length - 1] == '\r')) --length;
        const CK_RV rv = state->call->C_Login(state->session, CKU_USER, pin.writable().data(), length);
        if (rv != CKR_OK && rv != CKR_USER_ALREADY_LOGGED_IN) return failed("it does not accept the PIN", rv);
        return std::shared_ptr<HardwareToken>(new HardwareToken(std::move(state)));
    }
    return Error(Code::environment, "token: none with the label " + uri.token + " is there")
        .with_hint("plug it in; the module's own configuration must be readable for this user");
}

const std::string& HardwareToken::serial() const {
    return state_->serial;
}

Result<Ed25519Public> HardwareToken::make_ed25519(const std::string& object) {
    const std::lock_guard lock(mutex_);
    TRY(state_->make(object, CKM_EC_EDWARDS_KEY_PAIR_GEN, kEd25519Params, kEd25519Name));
    return Ed25519Public::from(TRY(state_->point(object, 32)));
}
Result<Bytes> HardwareToken::make_p256(const std::string& object) {
    const std::lock_guard lock(mutex_);
    TRY(state_->make(object, CKM_EC_KEY_PAIR_GEN, kP256Params, {}));
    return state_->point(object, 65);
}
Result<Ed25519Public> HardwareToken::ed25519_public(const std::string& object) {
    const std::lock_guard lock(mutex_);
    return Ed25519Public::from(TRY(state_->point(object, 32)));
}
Result<Bytes> HardwareToken::p256_public(const std::string& object) {
    const std::lock_guard lock(mutex_);
    return state_->point(object, 65);
}
Result<Bytes> HardwareToken::sign_ed25519(const std::string& object, ByteView message) {
    const std::lock_guard lock(mutex_);
    return state_->sign(object, CKM_EDDSA, message);
}
Result<Bytes> HardwareToken::sign_p256(const std::string& object, const Hash& digest) {
    const std::lock_guard lock(mutex_);
    return state_->sign(object, CKM_ECDSA, digest.view());
}
Status HardwareToken::forget(const std::string& object) {
    const std::lock_guard lock(mutex_);
    for (const CK_OBJECT_CLASS kind : {CKO_PRIVATE_KEY, CKO_PUBLIC_KEY}) TRY(state_->destroy(object, kind));
    return {};
}

}  // namespace kustos
