// e_n in a TPM's NV index, and in a token's data object.
#include "base/crypto.h"
#include "base/log.h"
#include "base/pkcs11.h"
#include "base/tpm.h"
#include "vault/epoch_place.h"
#include "vault/src/slot_devices.h"

namespace kustos::vault {

namespace {
constexpr std::size_t kEpoch = 32;

bool is_zero(ByteView bytes) {
    std::uint8_t any = 0;
    for (const std::uint8_t b : bytes) any = static_cast<std::uint8_t>(any | b);
    return any == 0;
}
Error not_kept(const char* what) {
    return Error(Code::environment, std::string(what) + ": it did not give back what was written");
}

// Two places take turns, so that in daily work none is made or removed: a chip that is full, or an owner's
// authorisation that nobody is there to give, can't stop an erasure. A place of zeros, or one that was made and never
// written (the power failed between the two), is empty.
class TpmEpoch final : public EpochDevice {
public:
    TpmEpoch(std::unique_ptr<Tpm> chip, EpochPlace place) : chip_(std::move(chip)), place_(std::move(place)) {}

    Status put(ByteView epoch) override {
        TRY(have(place_.index));
        TRY(have(place_.next_index));
        TRY(write(place_.index, epoch));
        const SecretBytes back = TRY(chip_->nv_read(place_.index, place_.authorisation.view()));
        return equal_constant_time(back.view(), epoch) ? ok_status() : Status(not_kept("TPM"));
    }

    Result<SecretBytes> get() override {
        auto epoch = chip_->nv_read(place_.index, place_.authorisation.view());
        if (!epoch.ok() && epoch.error().code() == Code::not_found) TRY(chip_->name());  // of another chip?
        if (epoch.ok() && (epoch->size() != kEpoch || is_zero(epoch->view())))
            return Error(Code::not_found, "TPM: there is nothing in this place");
        return epoch;
    }

    Status wipe() override {
        if (!TRY(chip_->nv_exists(place_.index))) {
            TRY(chip_->name());  // in another chip it is not there either
            return {};
        }
        TRY(write(place_.index, Bytes(kEpoch, 0)));
        const SecretBytes back = TRY(chip_->nv_read(place_.index, place_.authorisation.view()));
        return is_zero(back.view()) ? ok_status() : Status(not_kept("TPM"));
    }

    Status make_room() override { return have(place_.next_index); }

    void leave() override {
        for (const std::uint32_t index : {place_.index, place_.next_index}) {
            const Status gone = chip_->nv_remove(index);
            if (!gone.ok() && gone.error().code() != Code::not_found)
                kustos::log(LogLevel::warning, "an empty place stays in the TPM: its owner can remove it",
                            {{"index", std::uint64_t{index}}, {"code", gone.error().code()}});
        }
    }

private:
    // Makes it where it is not there. Another's place has another authorisation, and refuses what comes next.
    Status have(std::uint32_t index) {
        if (TRY(chip_->nv_exists(index))) return {};
        return chip_->nv_define(index, place_.authorisation.view());
    }
    Status write(std::uint32_t index, ByteView bytes) {
        return chip_->nv_write(index, place_.authorisation.view(), bytes);
    }

    std::unique_ptr<Tpm> chip_;
    EpochPlace place_;
};

class TokenEpoch final : public EpochDevice {
public:
    TokenEpoch(std::shared_ptr<HardwareToken> token, EpochPlace place)
        : token_(std::move(token)), place_(std::move(place)) {}

    Status put(ByteView epoch) override {
        TRY(token_->forget_data(place_.object));
        TRY(token_->keep_data(place_.object, epoch));
        const SecretBytes back = TRY(token_->read_data(place_.object));
        return equal_constant_time(back.view(), epoch) ? ok_status() : Status(not_kept("token"));
    }
    Result<SecretBytes> get() override {
        SecretBytes epoch = TRY(token_->read_data(place_.object));
        if (epoch.size() != kEpoch) return Error(Code::corrupt, "token: a generation's key has not 32 bytes");
        return epoch;
    }
    Status wipe() override { return token_->forget_data(place_.object); }
    Status make_room() override {
        // One name for all generations: what a power cut leaves is found again.
        const std::string trial = place_.object.substr(0, place_.object.rfind('-')) + "-room";
        TRY(token_->forget_data(trial));
        TRY(token_->keep_data(trial, Bytes(kEpoch, 0)));
        return token_->forget_data(trial);
    }
    void leave() override {}

private:
    std::shared_ptr<HardwareToken> token_;
    EpochPlace place_;
};

std::string label(const VaultId& vault, std::uint32_t generation) {
    return "kustos-epoch-" + vault.hex() + "-" + std::to_string(generation);
}
}  // namespace

Result<std::unique_ptr<EpochDevice>> open_epoch_device(Environment e, const EpochPlace& place, ByteView owner) {
    if (place.medium == "tpm") {
        auto chip = TRY(Tpm::open(place.address, SecretBytes(owner)));
        chip->expect(place.device);
        return std::unique_ptr<EpochDevice>(std::make_unique<TpmEpoch>(std::move(chip), place.clone()));
    }
    const TokenUri uri = TRY_IN("keys: medium", TokenUri::parse(place.address));
    TRY(check_module(uri.module));
    auto token = TRY(HardwareToken::open(e.fs, uri));
    if (!equal(as_bytes(token->serial()), place.device))
        return Error(Code::conflict, "token: another one with the same label is here")
            .with_hint("bring the one with the serial number " + to_text(place.device));
    return std::unique_ptr<EpochDevice>(std::make_unique<TokenEpoch>(std::move(token), place.clone()));
}

Result<EpochPlace> choose_epoch_place(Environment e, const EpochOrder& order, const VaultId& vault,
                                      std::uint32_t generation) {
    EpochPlace place;
    place.medium = order.medium;
    if (order.medium != "tpm") {
        TokenUri uri = TRY(TokenUri::parse(order.address));
        TRY(check_module(uri.module));
        uri.object.clear();
        place.address = uri.format();
        place.device = to_bytes(std::string_view(TRY(HardwareToken::open(e.fs, uri))->serial()));
        place.object = label(vault, generation);
        return place;
    }
    place.address = TRY(tpm_address(order.address));
    place.authorisation = SecretBytes::random(e.random, 32);
    const auto chip = TRY(Tpm::open(place.address, order.owner.clone()));
    place.device = TRY(chip->name());
    // From a number of the archive's own on, so that two archives with one chip hardly ever meet.
    constexpr std::uint32_t kPairs = (kLastEpochIndex - kFirstEpochIndex + 1) / 2;
    const std::uint32_t start = load_u32(sha256(vault.view()).view().data()) % kPairs;
    for (std::uint32_t i = 0; i < 64; ++i) {
        place.index = kFirstEpochIndex + 2 * ((start + i) % kPairs);
        place.next_index = place.index + 1;
        if (!TRY(chip->nv_exists(place.index)) && !TRY(chip->nv_exists(place.next_index))) return place;
    }
    return Error(Code::environment, "TPM: its places for archives are taken")
        .with_hint("tpm2_getcap handles-nv-index shows what is there");
}

EpochPlace next_epoch_place(const EpochPlace& place, const VaultId& vault, std::uint32_t generation) {
    EpochPlace next = place.clone();
    std::swap(next.index, next.next_index);
    if (next.medium != "tpm") next.object = label(vault, generation);
    return next;
}

}  // namespace kustos::vault
