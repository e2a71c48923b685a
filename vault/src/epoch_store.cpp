// Each generation's e where its record says it is.
#include <algorithm>

#include "base/log.h"
#include "vault/epoch_place.h"
#include "vault/keyring.h"
#include "vault/src/key_file.h"

namespace kustos::vault {

namespace {

constexpr const char* kRecord = "medium";
// A record whose e was put back into a file because its chip or token was away.
constexpr const char* kFormer = "former";

// What whoever starts the archive has to do. The chip's or token's own words and code stay, but for not_found: a PIN
// file that is away must not be taken for a key that was destroyed.
Error from_device(const Error& e, const EpochPlace& place, std::uint32_t generation) {
    const std::string n = std::to_string(generation);
    const std::string where = place.medium == "tpm" ? "the TPM at " + place.address : "a token";
    return Error(e.code() == Code::not_found ? Code::environment : e.code(),
                 "the key of keyring generation " + n + " is in " + where + ", which can't be used: " + e.message())
        .with_hint((e.hint().empty() ? "" : e.hint() + "; ") +
                   "if it is lost for good: kustos restore --from BACKUP --escrow MEDIUM --file keys/generation-" + n +
                   "/e puts the key back into a file");
}

class RecordedEpochs final : public EpochStore {
public:
    RecordedEpochs(Environment e, Path keys_dir, const VaultId& vault)
        : environment_(e), dir_(std::move(keys_dir)), vault_(vault), files_(file_epochs(e, dir_)) {}

    Status store(std::uint32_t generation, ByteView epoch) override {
        const auto before =
            generation > 1 ? TRY(load_epoch_place(environment_.fs, dir_, generation - 1)) : std::optional<EpochPlace>();
        if (!before) return store_here(generation, epoch, nullptr, {});
        const EpochPlace next = next_epoch_place(*before, vault_, generation);
        return store_here(generation, epoch, &next, {});
    }

    Status store_in(std::uint32_t generation, ByteView epoch, const EpochOrder& order) override {
        if (order.medium == "file") return store_here(generation, epoch, nullptr, {});
        const auto before =
            generation > 1 ? TRY(load_epoch_place(environment_.fs, dir_, generation - 1)) : std::optional<EpochPlace>();
        const EpochPlace chosen = TRY(choose_epoch_place(environment_, order, vault_, generation));
        // To where it is already: its places go on taking turns.
        const bool same = before && before->medium == chosen.medium && before->device == chosen.device;
        const EpochPlace next = same ? next_epoch_place(*before, vault_, generation) : chosen.clone();
        return store_here(generation, epoch, &next, order.owner.view());
    }

    Result<SecretBytes> load(std::uint32_t generation) override {
        const auto place = TRY(load_epoch_place(environment_.fs, dir_, generation));
        if (!place) return files_->load(generation);
        auto device = open_epoch_device(environment_, *place);
        if (!device.ok()) return from_device(device.error(), *place, generation);
        auto epoch = (*device)->get();
        if (!epoch.ok() && epoch.error().code() != Code::not_found)
            return from_device(epoch.error(), *place, generation);
        return epoch;
    }

    Status destroy(std::uint32_t generation) override {
        if (const auto place = TRY(load_epoch_place(environment_.fs, dir_, generation))) {
            auto device = open_epoch_device(environment_, *place);
            if (!device.ok()) return from_device(device.error(), *place, generation);
            if (const Status gone = (*device)->wipe(); !gone.ok()) return from_device(gone.error(), *place, generation);
            if (!TRY(has_neighbour(*place, generation))) (*device)->leave();
            TRY(remove(generation, kRecord));
        }
        TRY(destroy_former(generation));
        return files_->destroy(generation);
    }

    std::string medium(std::uint32_t generation) const override {
        const auto place = load_epoch_place(environment_.fs, dir_, generation);
        return place.ok() && *place ? (*place)->medium : "file";
    }

    Status ready(std::uint32_t present) override {
        for (const std::string& name : TRY(environment_.fs.list(dir_))) {
            const auto generation = generation_of(name);
            if (!generation) continue;
            const auto place = TRY(load_epoch_place(environment_.fs, dir_, *generation));
            if (!place) continue;
            auto device = open_epoch_device(environment_, *place);
            if (!device.ok()) return from_device(device.error(), *place, *generation);
            if (*generation != present) continue;
            if (const Status room = (*device)->make_room(); !room.ok())
                return from_device(room.error(), *place, *generation);
        }
        return {};
    }

private:
    Path file(std::uint32_t generation, const char* name) const { return generation_dir(dir_, generation) / name; }

    // The record first: whatever comes between, what lies in the chip or token is known.
    Status store_here(std::uint32_t generation, ByteView epoch, const EpochPlace* place, ByteView owner) {
        // A generation below the present one that an interrupted run left may lie where this one is to lie.
        for (const std::string& name : TRY(environment_.fs.list(dir_))) {
            const auto old = generation_of(name);
            if (old && *old + 1 < generation) TRY(destroy(*old));
        }
        TRY(destroy(generation));
        if (place == nullptr) return files_->store(generation, epoch);
        TRY(make_dirs_synced(environment_.fs, generation_dir(dir_, generation)));
        TRY(replace_file(environment_.fs, file(generation, kRecord), encode(*place).view()));
        auto device = open_epoch_device(environment_, *place, owner);
        if (!device.ok()) return from_device(device.error(), *place, generation);
        const Status put = (*device)->put(epoch);
        if (put.ok()) return {};
        // Where it can be taken back now, no later run has to ask this device.
        (void)destroy(generation).ok();
        return from_device(put.error(), *place, generation);
    }

    // Whether the generation before or behind this one lies in the same pair of places.
    Result<bool> has_neighbour(const EpochPlace& place, std::uint32_t generation) const {
        const auto next = TRY(load_epoch_place(environment_.fs, dir_, generation + 1));
        const auto before = TRY(load_epoch_place(environment_.fs, dir_, generation - 1));
        const auto shares = [&place](const std::optional<EpochPlace>& p) {
            return p && p->medium == place.medium && p->device == place.device &&
                   (p->index == place.index || p->index == place.next_index);
        };
        return shares(next) || shares(before);
    }

    Status destroy_former(std::uint32_t generation) {
        if (!environment_.fs.exists(file(generation, kFormer))) return {};
        const SecretBytes bytes = TRY(read_secret_file(environment_.fs, file(generation, kFormer), kMaxKeyFile));
        const EpochPlace place = TRY(decode_epoch_place(bytes.view()));
        auto device = open_epoch_device(environment_, place);
        Status gone = device.ok() ? (*device)->wipe() : Status(device.error());
        // It was declared lost: nothing waits for it. Its file is what counts, and the ledger says "file".
        if (!gone.ok())
            kustos::log(LogLevel::warning, "a lost chip or token may still hold an old key",
                        {{"generation", std::uint64_t{generation}}, {"code", gone.error().code()}});
        return remove(generation, kFormer);
    }

    Status remove(std::uint32_t generation, const char* name) {
        TRY(environment_.fs.remove(file(generation, name)));
        return environment_.fs.sync_dir(generation_dir(dir_, generation));
    }

    Environment environment_;
    Path dir_;
    VaultId vault_;
    std::unique_ptr<EpochStore> files_;
};

}  // namespace

std::unique_ptr<EpochStore> recorded_epochs(Environment environment, const Path& keys_dir, const VaultId& vault) {
    return std::make_unique<RecordedEpochs>(environment, keys_dir, vault);
}

Result<bool> put_back_epoch(Environment e, const Path& keys_dir, std::uint32_t generation, ByteView epoch) {
    const auto place = TRY(load_epoch_place(e.fs, keys_dir, generation));
    if (place) {
        auto device = open_epoch_device(e, *place);
        if (device.ok() && (*device)->put(epoch).ok()) return false;
    }
    TRY(file_epochs(e, keys_dir)->store(generation, epoch));
    if (!place) return false;
    const Path folder = generation_dir(keys_dir, generation);
    TRY(e.fs.rename(folder / kRecord, folder / kFormer));
    TRY(e.fs.sync_dir(folder));
    return true;
}

}  // namespace kustos::vault
