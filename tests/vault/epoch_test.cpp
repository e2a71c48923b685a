// e_n in a TPM and in a token: what is destroyed there is gone, what was interrupted is finished, and nothing is lost
// when the device is away. Against swtpm and softhsm2.
#include "vault/epoch.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <functional>

#include "base/pkcs11.h"
#include "base/tpm.h"
#include "tests/audit/failing_fs.h"
#include "tests/support/doc_example.h"
#include "tests/support/emulators.h"
#include "tests/support/temp_dir.h"
#include "vault/archive.h"
#include "vault/epoch_place.h"
#include "vault/erasure.h"
#include "vault/keyring.h"
#include "vault/retention.h"

using namespace kustos;
using namespace kustos::vault;

namespace {

// A store whose n-th call fails, and every one after it, before or behind what it does.
struct Fault {
    int left = -1;  // calls that still work; -1: all
    bool before = true;
    std::function<void()> hit;
    int calls = 0;
    bool fails() {
        ++calls;
        if (left < 0) return false;
        if (left > 0) return --left, false;
        if (hit) hit();
        return true;
    }
};

class FailingEpochs final : public EpochStore {
public:
    FailingEpochs(std::unique_ptr<EpochStore> inner, Fault& fault) : inner_(std::move(inner)), fault_(fault) {}
    Status store(std::uint32_t n, ByteView e) override {
        return change([&] { return inner_->store(n, e); });
    }
    Status store_in(std::uint32_t n, ByteView e, const EpochOrder& order) override {
        return change([&] { return inner_->store_in(n, e, order); });
    }
    Status destroy(std::uint32_t n) override {
        return change([&] { return inner_->destroy(n); });
    }
    Result<SecretBytes> load(std::uint32_t n) override {
        if (fault_.fails()) return away();
        return inner_->load(n);
    }
    std::string medium(std::uint32_t n) const override { return inner_->medium(n); }
    Status ready(std::uint32_t n) override { return fault_.left == 0 ? Status(away()) : inner_->ready(n); }

private:
    static Error away() { return Error(Code::environment, "the device is away"); }
    Status change(const std::function<Status()>& work) {
        if (!fault_.fails()) return work();
        const bool first = fault_.before ? false : std::exchange(behind_, false);
        if (first) (void)work().ok();
        return away();
    }
    std::unique_ptr<EpochStore> inner_;
    Fault& fault_;
    bool behind_ = true;
};

struct World {
    RealFs fs;
    SystemClock clock;
    SystemRandom random;
    test::TempDir dir;
    test::FailingFs disk{fs};
    Fault fault;
    Environment environment() { return {disk, clock, random}; }
    Path keys() const { return dir / "a" / "keys"; }
    VaultId vault;
    EscrowMaker escrow;

    World() {
        const Status made = Archive::create(environment(), dir / "a", dir / "s", CreateOptions());
        if (!made.ok()) FAIL(made.error().message());
    }
    Result<std::unique_ptr<Archive>> try_open() {
        OpenOptions options;
        options.state = dir / "s";
        options.escrow = escrow;
        options.epochs = [this](Environment e, const Path& keys_dir, const VaultId& v) {
            vault = v;
            return std::unique_ptr<EpochStore>(std::make_unique<FailingEpochs>(recorded_epochs(e, keys_dir, v), fault));
        };
        return Archive::open(environment(), dir / "a", std::move(options));
    }
    std::unique_ptr<Archive> open() {
        auto archive = try_open();
        if (!archive.ok()) FAIL(archive.error().message());
        return std::move(*archive);
    }
    EpochPlace place(std::uint32_t generation) {
        auto found = load_epoch_place(fs, keys(), generation);
        REQUIRE(found.ok());
        REQUIRE(found->has_value());
        return std::move(**found);
    }
};

Draft chat(const SourceInfo& source, const std::string& body) {
    Message m;
    m.native_id = body;
    m.body = body;
    m.received_at = UtcTime{1'772'445'600'000};
    m.raw = to_bytes("{\"body\":\"" + body + "\"}");
    Draft d;
    d.source = source.id;
    d.retention_class = source.retention_class;
    d.content = compose(std::move(m)).value();
    return d;
}

std::vector<EntryIndex> fill(Archive& archive, int count) {
    const auto known = archive.find_source("chat");
    const SourceInfo source = known ? *known : archive.add_source("chat", "import", kDefaultClass).value();
    std::vector<Draft> drafts;
    static int number = 0;
    for (int i = 0; i < count; ++i) drafts.push_back(chat(source, "Text " + std::to_string(++number)));
    std::vector<EntryIndex> entries;
    const std::vector<Receipt> receipts = archive.seal(std::move(drafts)).value();
    for (const Receipt& r : receipts) entries.push_back(r.index);
    REQUIRE(archive.indexed_below(EntryIndex(entries.back().value + 1)).ok());
    return entries;
}

Result<Forgotten> forget(Archive& archive, EntryIndex entry) {
    ForgetOrder order;
    order.entries = {entry};
    order.reason = compose_reason({"Art. 17 DSGVO", "clerk", {"one", "two"}, ""});
    return archive.forget(std::move(order));
}

std::string state_of(const Archive& archive, EntryIndex index) {
    const auto entry = archive.entry(index);
    REQUIRE(entry.ok());
    const auto opened = archive.open_payload(index, *entry);
    return opened.ok() ? "" : std::string(code_name(opened.error().code()));
}

std::uint32_t move_to(Archive& archive, const std::string& where) {
    const auto moved = archive.move_epoch(parse_epoch_order(where).value());
    if (!moved.ok()) FAIL(moved.error().message());
    return *moved;
}

// What lies in the place, whatever the archive thinks.
std::string in_device(Environment e, const EpochPlace& place) {
    auto device = open_epoch_device(e, place);
    REQUIRE(device.ok());
    const auto got = (*device)->get();
    return got.ok() ? hex(got->view()) : std::string(code_name(got.error().code()));
}

}  // namespace

TEST_CASE("the record of where a generation's key lies is what its page says, and a damaged one is refused") {
    for (const char* name : {"place in a TPM", "place in a token"}) {
        const Bytes bytes = test::doc_example("keys.md", name);
        const auto place = decode_epoch_place(bytes);
        REQUIRE(place.ok());
        CHECK(equal(encode(*place).view(), bytes));
        CHECK(equal(encode(place->clone()).view(), bytes));
        for (std::size_t i = 0; i < bytes.size(); ++i) CHECK_FALSE(decode_epoch_place(ByteView(bytes).first(i)).ok());
        Bytes longer = bytes;
        longer.push_back(0);
        CHECK_FALSE(decode_epoch_place(longer).ok());
    }
    Bytes elsewhere = test::doc_example("keys.md", "place in a TPM");
    const EpochPlace place = decode_epoch_place(elsewhere).value();
    CHECK(place.medium == "tpm");
    CHECK(place.address == "device:/dev/tpmrm0");
    CHECK(place.next_index == place.index + 1);
    // Nothing but its own places is ever touched.
    constexpr std::uint8_t kRange[] = {0x01, 0x41};
    const auto at = std::search(elsewhere.begin(), elsewhere.end(), std::begin(kRange), std::end(kRange));
    REQUIRE(at != elsewhere.end());
    at[1] = 0x42;
    CHECK(decode_epoch_place(elsewhere).error().code() == Code::corrupt);
    CHECK(decode_epoch_place(test::doc_example("keys.md", "place in a token"))->object.rfind("kustos-epoch-", 0) == 0);
}

TEST_CASE("where a generation's key is to lie is read from the command line, and nothing else is taken") {
    CHECK(parse_epoch_order("file")->medium == "file");
    CHECK(parse_epoch_order("tpm:device:/dev/tpm0")->address == "device:/dev/tpm0");
    CHECK(parse_epoch_order(test::shared_token().uri("x"))->medium == "pkcs11");
    for (const char* bad : {"", "auto", "passphrase", "shares:2/3", "tpm:cmd:id", "pkcs11:token=x", "File", "tpm2"})
        CHECK(parse_epoch_order(bad).error().code() == Code::usage);
}

TEST_CASE(
    "a key moves from a file to a TPM, to a token and back; erased is erased, the rest opens, and the ledger says "
    "where it lay") {
    World w;
    test::SoftTpm chip;
    std::vector<EntryIndex> entries;
    std::string at_first;
    {
        auto archive = w.open();
        entries = fill(*archive, 6);
        CHECK(move_to(*archive, "tpm:" + chip.address()) == 2);
        CHECK(archive->key_medium() == "tpm");
        CHECK_FALSE(w.fs.exists(w.keys() / "generation-2" / "e"));
        CHECK_FALSE(w.fs.exists(w.keys() / "generation-1"));
        at_first = in_device(w.environment(), w.place(2));
        CHECK(at_first.size() == 64);
        // Sealed before the move: a key that could bring it back was in a file once.
        CHECK(forget(*archive, entries[0])->medium == "file");
        const auto fresh = fill(*archive, 3);
        const auto done = forget(*archive, fresh[1]);
        REQUIRE(done.ok());
        CHECK(done->medium == "tpm");
        CHECK(done->generation == 4);
        CHECK(state_of(*archive, fresh[1]) == "erased");
        CHECK(state_of(*archive, fresh[2]) == "");
        CHECK(archive->medium_of(archive->erasure_runs()[0]) == "file");
        entries.push_back(fresh[2]);
    }
    chip.restart();
    {
        auto archive = w.open();
        CHECK(archive->key_medium() == "tpm");
        CHECK(archive->medium_of(archive->erasure_runs()[1]) == "tpm");
        // Two places, one of them empty; what was destroyed is in neither.
        EpochPlace now = w.place(4);
        const std::string present = in_device(w.environment(), now);
        CHECK(present.size() == 64);
        CHECK(present != at_first);
        std::swap(now.index, now.next_index);
        CHECK(in_device(w.environment(), now) == "not_found");
        for (std::size_t i = 1; i < entries.size(); ++i) CHECK(state_of(*archive, entries[i]) == "");
        CHECK(move_to(*archive, test::shared_token().uri("")) == 5);
        CHECK(archive->key_medium() == "pkcs11");
        // The chip is as it was before: both places are given back.
        auto tpm = Tpm::open(chip.address()).value();
        CHECK_FALSE(*tpm->nv_exists(now.index));
        CHECK_FALSE(*tpm->nv_exists(now.next_index));
        const EpochPlace in_token = w.place(5);
        REQUIRE(forget(*archive, entries[1]).ok());
        CHECK(in_device(w.environment(), in_token) == "not_found");
        CHECK(in_device(w.environment(), w.place(6)).size() == 64);
        CHECK(archive->catalog_agrees().value());
    }
    auto archive = w.open();
    const EpochPlace in_token = w.place(6);
    CHECK(move_to(*archive, "file") == 7);
    CHECK(archive->key_medium() == "file");
    CHECK(w.fs.exists(w.keys() / "generation-7" / "e"));
    CHECK_FALSE(w.fs.exists(w.keys() / "generation-7" / "medium"));
    CHECK(in_device(w.environment(), in_token) == "not_found");
    for (std::size_t i = 2; i < entries.size(); ++i) CHECK(state_of(*archive, entries[i]) == "");
    archive.reset();
    REQUIRE(w.fs.remove(w.dir / "a" / "catalog.db").ok());
    archive = w.open();
    CHECK(archive->medium_of(archive->erasure_runs()[1]) == "tpm");
    CHECK(archive->medium_of(archive->erasure_runs()[0]) == "file");
}

TEST_CASE("moved to where it is already, a key goes on in the same two places of the TPM") {
    World w;
    test::SoftTpm chip;
    auto archive = w.open();
    fill(*archive, 1);
    move_to(*archive, "tpm:" + chip.address());
    const EpochPlace first = w.place(2);
    move_to(*archive, "tpm:" + chip.address());
    CHECK(w.place(3).index == first.next_index);
    CHECK(w.place(3).next_index == first.index);
    CHECK(in_device(w.environment(), first) == "not_found");
}

// The erasure of one record, with the power cut at every change of the disk and around every call of the store.
void cut_everywhere(World& w, const std::string& medium, int step) {
    int next = 0, finished = 0, unbegun = 0;
    std::vector<EntryIndex> entries = fill(*w.open(), 150);
    std::vector<bool> gone(entries.size());
    const auto drill = [&](const std::function<void()>& arm, const std::function<bool()>& was_hit) {
        const EntryIndex victim = entries[static_cast<std::size_t>(next)];
        bool hit = false, done = false;
        std::size_t runs = 0;
        std::uint32_t generation = 0;
        std::optional<EpochPlace> old;
        {
            auto archive = w.open();
            runs = archive->erasure_runs().size();
            generation = archive->key_generation();
            old = w.place(generation);
            arm();
            done = forget(*archive, victim).ok();
            hit = was_hit();
        }
        w.disk.heal();
        w.fault = Fault();
        auto archive = w.open();
        const bool begun = archive->erasure_runs().size() == runs + 1;
        CHECK((begun || !done));
        (begun ? finished : unbegun) += 1;
        if (begun) {
            CHECK(archive->erasure_runs().back().done.has_value());
            CHECK(archive->medium_of(archive->erasure_runs().back()) == medium);
            gone[static_cast<std::size_t>(next)] = true;
            ++next;
            CHECK(archive->key_generation() == generation + 1);
            CHECK_FALSE(w.fs.exists(generation_dir(w.keys(), generation)));
            CHECK(in_device(w.environment(), *old) == "not_found");
        } else {
            CHECK(archive->key_generation() == generation);
        }
        CHECK(archive->key_medium() == medium);
        for (const std::size_t i : {next - 1, next, next + 1, 149})
            CHECK(state_of(*archive, entries[i]) == (gone[i] ? "erased" : ""));
        return hit;
    };
    {  // one without a fault, so that there is one behind the first
        CHECK_FALSE(drill([] {}, [] { return false; }));
    }
    for (const test::Kept kept : {test::Kept::nothing, test::Kept::all}) {
        bool hit = true;
        for (int n = 0; hit; n += step) {
            INFO("change of the disk ", n);
            hit = drill([&] { w.disk.fail_from(n, kept); }, [&] { return w.disk.failed(); });
        }
    }
    for (const bool before : {true, false}) {
        bool hit = true;
        for (int n = 0; hit; ++n) {
            INFO("call of the store ", n);
            bool was = false;
            hit = drill(
                [&] {
                    w.fault.left = n;
                    w.fault.before = before;
                    // The power is away, for the disk as well.
                    w.fault.hit = [&] {
                        if (!std::exchange(was, true) && before) w.disk.fail_from(0, test::Kept::nothing);
                    };
                },
                [&] { return was; });
        }
    }
    CHECK(finished > 10);
    CHECK(unbegun > 1);
}

TEST_CASE(
    "an erasure whose power is cut at any step, with its key in a TPM, did not begin or is finished by the next "
    "start") {
    World w;
    test::SoftTpm chip;
    {
        auto archive = w.open();
        move_to(*archive, "tpm:" + chip.address());
    }
    cut_everywhere(w, "tpm", 5);  // slow: the changes of the disk are the token's, below
}

TEST_CASE(
    "an erasure whose power is cut at any step, with its key in a token, did not begin or is finished by the next "
    "start") {
    World w;
    {
        auto archive = w.open();
        move_to(*archive, test::shared_token().uri(""));
    }
    cut_everywhere(w, "pkcs11", 1);
}

TEST_CASE(
    "a device that goes away in the middle makes an erasure wait, and the writer goes on; back again, it is finished") {
    World w;
    test::SoftTpm chip;
    auto archive = w.open();
    move_to(*archive, "tpm:" + chip.address());
    const auto entries = fill(*archive, 30);
    int waited = 0;
    for (int n = 0; n < 12; ++n) {
        INFO("call of the store ", n);
        const EntryIndex victim = entries[static_cast<std::size_t>(n)];
        const std::size_t runs = archive->erasure_runs().size();
        w.fault.left = n;
        const auto done = forget(*archive, victim);
        CHECK_FALSE(archive->read_only());
        const bool begun = archive->erasure_runs().size() != runs;
        CHECK(state_of(*archive, victim) == (begun ? "erased" : ""));
        if (!done.ok()) CHECK(done.error().code() == (begun ? Code::closed : Code::environment));
        if (begun && !done.ok()) {
            ++waited;
            // Neither finished nor overtaken while it is away.
            REQUIRE(archive->resume_erasures().ok());
            CHECK_FALSE(archive->erasure_runs().back().done.has_value());
            CHECK(forget(*archive, entries[29]).error().code() == Code::environment);
            fill(*archive, 1);
        }
        w.fault = Fault();
        REQUIRE(archive->resume_erasures().ok());
        if (begun) CHECK(archive->erasure_runs().back().done.has_value());
        for (int i = n + 1; i < 30; i += 7) CHECK(state_of(*archive, entries[static_cast<std::size_t>(i)]) == "");
    }
    CHECK(waited >= 1);
}

TEST_CASE(
    "a TPM that is away stops the start with a message that says what to do, and the escrow brings the key back into a "
    "file") {
    World w;
    std::filesystem::create_directories(w.dir / "medium");
    w.escrow = escrow_in_folder(w.dir / "medium");
    test::SoftTpm chip;
    std::vector<EntryIndex> entries;
    {
        auto archive = w.open();
        move_to(*archive, "tpm:" + chip.address());
        entries = fill(*archive, 4);
        REQUIRE(forget(*archive, entries[0]).ok());
    }
    const EpochPlace lost = w.place(3);
    chip.stop();
    const auto refused = w.try_open();
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().code() == Code::environment);
    CHECK(refused.error().message().find("the TPM at " + chip.address()) != std::string::npos);
    CHECK(refused.error().hint().find("kustos restore --from BACKUP --escrow MEDIUM --file keys/generation-3/e") !=
          std::string::npos);
    REQUIRE(restore_escrow_file(w.environment(), w.dir / "medium", w.vault, w.keys(), "generation-3/e").ok());
    {
        auto archive = w.open();
        CHECK(archive->key_medium() == "file");
        CHECK(state_of(*archive, entries[0]) == "erased");
        CHECK(state_of(*archive, entries[1]) == "");
        // From now on no certificate says more than it may.
        CHECK(forget(*archive, entries[1])->medium == "file");
        CHECK(archive->medium_of(archive->erasure_runs()[0]) == "tpm");
    }
    {
        auto archive = w.open();
        CHECK(archive->medium_of(archive->erasure_runs()[1]) == "file");
        CHECK(state_of(*archive, entries[2]) == "");
    }
    // It was destroyed while the chip was away, so it is still in there: `former` was the only way to it.
    chip.start();
    CHECK(in_device(w.environment(), lost).size() == 64);
}

TEST_CASE("a key that was put back into a file is destroyed in the TPM as well where that came back") {
    World w;
    std::filesystem::create_directories(w.dir / "medium");
    w.escrow = escrow_in_folder(w.dir / "medium");
    test::SoftTpm chip;
    std::vector<EntryIndex> entries;
    {
        auto archive = w.open();
        entries = fill(*archive, 2);
        move_to(*archive, "tpm:" + chip.address());
    }
    const EpochPlace place = w.place(2);
    // Where the chip answers, it goes back there.
    REQUIRE(restore_escrow_file(w.environment(), w.dir / "medium", w.vault, w.keys(), "generation-2/e").ok());
    CHECK_FALSE(w.fs.exists(w.keys() / "generation-2" / "e"));
    chip.stop();
    REQUIRE(restore_escrow_file(w.environment(), w.dir / "medium", w.vault, w.keys(), "generation-2/e").ok());
    CHECK(w.fs.exists(w.keys() / "generation-2" / "former"));
    chip.start();
    auto archive = w.open();
    REQUIRE(forget(*archive, entries[0]).ok());
    CHECK(in_device(w.environment(), place) == "not_found");
    CHECK(state_of(*archive, entries[1]) == "");
}

TEST_CASE(
    "power that fails between the making of a place and its first writing leaves nothing that stops the next try") {
    World w;
    test::SoftTpm chip;
    auto archive = w.open();
    fill(*archive, 1);
    // The record and the place stand, as an interrupted move leaves them.
    const EpochPlace place =
        choose_epoch_place(w.environment(), parse_epoch_order("tpm:" + chip.address()).value(), w.vault, 2).value();
    REQUIRE(make_dirs_synced(w.fs, generation_dir(w.keys(), 2)).ok());
    REQUIRE(replace_file(w.fs, generation_dir(w.keys(), 2) / "medium", encode(place).view()).ok());
    REQUIRE(Tpm::open(chip.address()).value()->nv_define(place.index, place.authorisation.view()).ok());
    CHECK(in_device(w.environment(), place) == "not_found");
    archive.reset();
    archive = w.open();  // it counts for nothing
    CHECK(archive->key_generation() == 1);
    CHECK(move_to(*archive, "tpm:" + chip.address()) == 2);
    CHECK(in_device(w.environment(), w.place(2)).size() == 64);
}

TEST_CASE(
    "a TPM without room refuses the move, nothing has changed, and a chip that becomes full later stops no erasure") {
    World w;
    test::SoftTpm chip;
    auto archive = w.open();
    const auto entries = fill(*archive, 3);
    const auto fill_up = [&] {
        auto tpm = Tpm::open(chip.address()).value();
        for (std::uint32_t i = 0;; ++i) {
            const Status made = tpm->nv_define(0x01500000 + i, Bytes(32, 1));
            if (!made.ok()) return made.error();
        }
    };
    const Error full = fill_up();
    CHECK(full.message().find("no room") != std::string::npos);
    const auto refused = archive->move_epoch(parse_epoch_order("tpm:" + chip.address()).value());
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().message().find("no room") != std::string::npos);
    CHECK_FALSE(archive->read_only());
    CHECK(archive->key_generation() == 1);
    CHECK(archive->key_medium() == "file");
    CHECK_FALSE(w.fs.exists(generation_dir(w.keys(), 2) / "medium"));
    CHECK(forget(*archive, entries[0]).ok());
    {
        auto tpm = Tpm::open(chip.address()).value();
        for (std::uint32_t i = 0; i < 2; ++i) REQUIRE(tpm->nv_remove(0x01500000 + i).ok());
    }
    move_to(*archive, "tpm:" + chip.address());
    CHECK(fill_up().code() == Code::environment);
    const auto fresh = fill(*archive, 2);
    CHECK(forget(*archive, fresh[0])->medium == "tpm");
    CHECK(state_of(*archive, fresh[1]) == "");
}

TEST_CASE("another TPM at the same address is refused, and so is another token under the same name") {
    World w;
    test::SoftTpm chip, other;
    {
        auto archive = w.open();
        move_to(*archive, "tpm:" + chip.address());
    }
    const EpochPlace right = w.place(2);
    const Path record = generation_dir(w.keys(), 2) / "medium";
    EpochPlace wrong = right.clone();
    wrong.address = other.address();
    REQUIRE(replace_file(w.fs, record, encode(wrong).view()).ok());
    const auto refused = w.try_open();
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().code() == Code::conflict);
    // Nor is it taken for gone because the other one does not have it.
    CHECK(open_epoch_device(w.environment(), wrong).value()->wipe().error().code() == Code::conflict);
    REQUIRE(replace_file(w.fs, record, encode(right).view()).ok());
    auto archive = w.open();
    move_to(*archive, test::shared_token().uri(""));
    EpochPlace token = w.place(3);
    token.device.back() ^= 1;
    CHECK(open_epoch_device(w.environment(), token).error().code() == Code::conflict);
    // A PIN file that is away is not a key that was destroyed.
    EpochPlace closed = w.place(3);
    closed.address.replace(closed.address.rfind('/'), std::string::npos, "/away");
    REQUIRE(replace_file(w.fs, generation_dir(w.keys(), 3) / "medium", encode(closed).view()).ok());
    CHECK(recorded_epochs(w.environment(), w.keys(), w.vault)->load(3).error().code() == Code::environment);
}
