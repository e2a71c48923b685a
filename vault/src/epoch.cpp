#include "vault/epoch.h"

#include "vault/keyring.h"

namespace kustos::vault {

namespace {

constexpr std::size_t kEpochFile = 4096;

class FileEpochs final : public EpochStore {
public:
    FileEpochs(Environment e, Path keys_dir) : environment_(e), dir_(std::move(keys_dir)) {}

    Status store(std::uint32_t generation, ByteView epoch) override {
        CHECK(epoch.size() == 32);
        TRY(make_dirs_synced(environment_.fs, generation_dir(dir_, generation)));
        SecretBytes block(kEpochFile);
        std::copy(epoch.begin(), epoch.end(), block.writable().begin());
        TRY(write(generation, block.view()));
        const SecretBytes back = TRY(load(generation));
        if (!equal_constant_time(back.view(), epoch))
            return Error(Code::environment, "a generation's key was not read back as it was written");
        return {};
    }

    Result<SecretBytes> load(std::uint32_t generation) override {
        auto file = environment_.fs.open(path(generation), OpenMode::read);
        if (!file.ok()) return file.error();
        SecretBytes epoch(32);
        if (TRY((*file)->read_at(0, epoch.writable())) != 32)
            return Error(Code::corrupt, "a generation's key file is too short");
        return epoch;
    }

    // Random bytes, then zeros, each synced: what lies below may still keep the old block, and status says so.
    Status destroy(std::uint32_t generation) override {
        if (!environment_.fs.exists(path(generation))) return {};
        Bytes noise(kEpochFile);
        environment_.random.fill(noise);
        TRY(write(generation, noise));
        TRY(write(generation, Bytes(kEpochFile, 0)));
        TRY(environment_.fs.discard(path(generation)));
        TRY(environment_.fs.remove(path(generation)));
        return environment_.fs.sync_dir(generation_dir(dir_, generation));
    }

    std::string medium(std::uint32_t) const override { return "file"; }
    Status ready(std::uint32_t) override { return {}; }

private:
    Path path(std::uint32_t generation) const { return generation_dir(dir_, generation) / "e"; }
    Status write(std::uint32_t generation, ByteView block) {
        auto file = TRY(environment_.fs.open(path(generation), OpenMode::create_or_open));
        TRY(file->write_at(0, block));
        TRY(file->sync());
        return environment_.fs.sync_dir(generation_dir(dir_, generation));
    }

    Environment environment_;
    Path dir_;
};

}  // namespace

std::unique_ptr<EpochStore> file_epochs(Environment environment, const Path& keys_dir) {
    return std::make_unique<FileEpochs>(environment, keys_dir);
}

}  // namespace kustos::vault
