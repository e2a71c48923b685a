#include "vault/src/slot_devices.h"

#include <sys/stat.h>

namespace kustos::vault {

namespace {
constexpr std::size_t kMostPart = 4096;

Status put_part(Bytes& out, ByteView part) {
    if (part.size() > kMostPart) return Error(Code::limit, "a slot's part is too long");
    put_u16(out, static_cast<std::uint16_t>(part.size()));
    put(out, part);
    return {};
}

Result<Bytes> take_part(ByteReader& in) {
    return to_bytes(TRY(in.take(TRY(in.u16()))));
}
}  // namespace

Bytes encode(const TpmDetails& details) {
    Bytes out;
    put_u8(out, details.sealed.with_pin ? 1 : 0);
    for (const ByteView part : {as_bytes(details.address), ByteView(details.sealed.parent_name),
                                ByteView(details.sealed.public_part), ByteView(details.sealed.private_part)})
        CHECK(put_part(out, part).ok());
    return out;
}

Result<TpmDetails> decode_tpm_details(ByteView bytes) {
    ByteReader in(bytes);
    TpmDetails d;
    d.sealed.with_pin = TRY(in.u8()) == 1;
    d.address = to_text(TRY(take_part(in)));
    d.sealed.parent_name = TRY(take_part(in));
    d.sealed.public_part = TRY(take_part(in));
    d.sealed.private_part = TRY(take_part(in));
    TRY(in.expect_end());
    return d;
}

Bytes encode(const TokenDetails& details) {
    Bytes out;
    CHECK(put_part(out, as_bytes(details.uri.format())).ok());
    CHECK(put_part(out, details.sealed).ok());
    return out;
}

Result<TokenDetails> decode_token_details(ByteView bytes) {
    ByteReader in(bytes);
    TokenDetails d;
    d.uri = TRY(TokenUri::parse(as_text(TRY(take_part(in)))));
    d.sealed = TRY(take_part(in));
    TRY(in.expect_end());
    return d;
}

Status check_module(const Path& module) {
    std::error_code failed;
    Path part = std::filesystem::canonical(module, failed);
    if (failed) return Error(Code::environment, "token: the module " + module.string() + " is not there");
    for (;; part = part.parent_path()) {
        struct stat facts {};
        if (::stat(part.c_str(), &facts) != 0 || facts.st_uid != 0 || (facts.st_mode & (S_IWGRP | S_IWOTH)) != 0)
            return Error(Code::denied,
                         "token: the slot names a module that others than root could change: " + part.string())
                .with_hint("install it below /usr or /opt, owned by root and writable for root alone");
        if (part == part.root_path()) return {};
    }
}

Result<NewSlot> make_tpm_slot(Environment e, const SlotOrder& order, ByteView root, const VaultId& vault) {
    TpmDetails d;
    d.address = TRY(tpm_address(order.address));
    const SecretBytes secret = SecretBytes::random(e.random, 32);
    const auto tpm = TRY(Tpm::open(d.address, order.owner.clone()));
    d.sealed = TRY(tpm->seal(secret.view(), order.pin.view()));
    // A chip that would not open it again is noticed now.
    if (!equal_constant_time(TRY(tpm->unseal(d.sealed, order.pin.view())).view(), secret.view()))
        return Error(Code::environment, "TPM: it does not give back what it sealed");
    NewSlot made;
    made.slot =
        TRY(make_slot(SlotKind::tpm, secret.view(), Argon2Cost{0, 0}, root, vault, e.random, e.clock.now(), encode(d)));
    return made;
}

Result<SecretBytes> open_tpm_slot(const Slot& slot, const TpmSecret& secret, const VaultId& vault) {
    const TpmDetails d = TRY_IN("keys/slots", decode_tpm_details(slot.details));
    if (d.sealed.with_pin && secret.pin.empty())
        return Error(Code::usage, "the TPM asks for a PIN").with_hint("--pin-file FILE, or - for standard input");
    const auto tpm = TRY(Tpm::open(d.address, secret.owner.clone()));
    const SecretBytes key = TRY(tpm->unseal(d.sealed, d.sealed.with_pin ? secret.pin.view() : ByteView()));
    return open_slot(slot, key.view(), vault);
}

Result<NewSlot> make_token_slot(Environment e, const SlotOrder& order, ByteView root, const VaultId& vault) {
    TokenDetails d;
    d.uri = TRY(TokenUri::parse(order.address));
    TRY(check_module(d.uri.module));
    if (d.uri.object.empty()) d.uri.object = "kustos-slot-" + hex(SecretBytes::random(e.random, 4).view());
    const SecretBytes secret = SecretBytes::random(e.random, 32);
    const auto token = TRY(HardwareToken::open(e.fs, d.uri));
    TRY(token->make_aes(d.uri.object));
    const auto finish = [&]() -> Result<NewSlot> {
        d.sealed = TRY(token->aes_seal(d.uri.object, secret.view(), e.random));
        if (!equal_constant_time(TRY(token->aes_open(d.uri.object, d.sealed)).view(), secret.view()))
            return Error(Code::environment, "token: it does not give back what it sealed");
        NewSlot made;
        made.slot = TRY(make_slot(SlotKind::pkcs11, secret.view(), Argon2Cost{0, 0}, root, vault, e.random,
                                  e.clock.now(), encode(d)));
        return made;
    };
    auto made = finish();
    if (!made.ok()) (void)token->forget_aes(d.uri.object);
    return made;
}

Result<SecretBytes> open_token_slot(Environment e, const Slot& slot, const TokenSecret& secret, const VaultId& vault) {
    TokenDetails d = TRY_IN("keys/slots", decode_token_details(slot.details));
    if (!secret.pin_file.empty()) d.uri.pin_file = secret.pin_file;
    TRY(check_module(d.uri.module));
    const auto token = TRY(HardwareToken::open(e.fs, d.uri));
    const SecretBytes key = TRY(token->aes_open(d.uri.object, d.sealed));
    return open_slot(slot, key.view(), vault);
}

}  // namespace kustos::vault
