// Escrow: what opens the content lies on another medium, follows every generation, and lets go of old ones; a backup
// and an escrow make an archive again, in which what was erased stays erased.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

#include "audit/verify_archive.h"
#include "tests/audit/failing_fs.h"
#include "tests/support/doc_example.h"
#include "tests/support/temp_dir.h"
#include "vault/archive.h"
#include "vault/backup.h"
#include "vault/retention.h"

using namespace kustos;
using namespace kustos::vault;

namespace {

constexpr std::int64_t kDay = 86'400'000;

struct World {
    RealFs fs;
    FixedClock clock{UtcTime{1'772'445'600'000}};
    SystemRandom random;
    test::TempDir dir;
    Fs* disk = &fs;
    std::string name = "a";
    bool with_escrow = true;
    Environment environment() { return {*disk, clock, random}; }
    Path medium() const { return dir / "medium"; }

    World() { REQUIRE(fs.make_dirs(medium()).ok()); }
    void make(const std::string& unlock = "auto", std::string_view passphrase = {}) {
        CreateOptions options;
        options.unlock = unlock;
        options.passphrase = SecretBytes(as_bytes(passphrase));
        const Status made = Archive::create(environment(), dir / "a", dir / "state-a", std::move(options));
        if (!made.ok()) FAIL(made.error().message());
    }
    Result<std::unique_ptr<Archive>> try_open(std::optional<std::string> passphrase = std::nullopt) {
        OpenOptions options;
        options.state = dir / ("state-" + name);
        if (with_escrow) options.escrow = escrow_in_folder(medium());
        if (passphrase) options.passphrase = SecretBytes(as_bytes(*passphrase));
        return Archive::open(environment(), dir / name, std::move(options));
    }
    std::unique_ptr<Archive> open(std::optional<std::string> passphrase = std::nullopt) {
        auto archive = try_open(std::move(passphrase));
        if (!archive.ok()) FAIL(archive.error().message());
        return std::move(*archive);
    }
    Path folder() { return escrow_folder(medium(), vault_id); }
    VaultId vault_id;
};

std::vector<EntryIndex> fill(Archive& archive, int count) {
    const auto known = archive.find_source("chat");
    const SourceInfo source = known ? *known : archive.add_source("chat", "import", kDefaultClass).value();
    std::vector<Draft> drafts;
    for (int i = 0; i < count; ++i) {
        Message m;
        m.body = "Text " + std::to_string(i);
        m.native_id = m.body;
        m.received_at = archive.clock().now();
        m.raw = to_bytes(m.body);
        Draft d;
        d.source = source.id;
        d.retention_class = source.retention_class;
        d.content = compose(std::move(m)).value();
        drafts.push_back(std::move(d));
    }
    std::vector<EntryIndex> entries;
    const std::vector<Receipt> receipts = archive.seal(std::move(drafts)).value();
    for (const Receipt& r : receipts) entries.push_back(r.index);
    REQUIRE(archive.indexed_below(EntryIndex(entries.back().value + 1)).ok());
    return entries;
}

ForgetOrder order_of(std::vector<EntryIndex> entries) {
    ForgetOrder order;
    order.entries = std::move(entries);
    order.reason = compose_reason({"Art. 17 DSGVO", "clerk", {"one", "two"}, ""});
    return order;
}

std::string state_of(const Archive& archive, EntryIndex index) {
    const auto entry = archive.entry(index);
    REQUIRE(entry.ok());
    const auto opened = archive.open_payload(index, *entry);
    return opened.ok() ? "" : std::string(code_name(opened.error().code()));
}

std::vector<std::uint32_t> generations(World& w) {
    std::vector<std::uint32_t> list;
    const auto target = escrow_in_folder(w.medium())(w.environment(), w.dir / "a" / "keys", w.vault_id);
    const std::vector<EscrowedGeneration> there = target->generations().value();
    for (const EscrowedGeneration& g : there) list.push_back(g.generation);
    return list;
}

}  // namespace

TEST_CASE("the description of a generation in escrow is what its page says") {
    const VaultId vault = *VaultId::from(*parse_hex("000102030405060708090a0b0c0d0e0f"));
    const std::string text = test::doc_text("escrow.md", "about");
    const auto about = parse_escrow_about(text, vault);
    REQUIRE(about.ok());
    CHECK(about->generation == 3);
    CHECK(about->pages.size() == 2);
    CHECK(format(*about, vault) == text);
    CHECK_FALSE(parse_escrow_about(text, VaultId{}).ok());
    CHECK_FALSE(parse_escrow_about(text.substr(0, text.size() - 1), vault).ok());
    CHECK_FALSE(parse_escrow_about(text + "page ../../etc/passwd\n", vault).ok());
}

TEST_CASE("a backup's manifest is what its page says, and damage to it is noticed") {
    const std::string text = test::doc_text("backup.md", "manifest");
    const auto manifest = parse_backup_manifest(text);
    if (!manifest.ok()) FAIL(manifest.error().message());
    CHECK(manifest->size == TreeSize(3));
    CHECK(manifest->files.at("config.yaml").pieces.size() == 1);
    CHECK(format(*manifest) == text);
    for (std::size_t i = 0; i < text.size(); ++i) {
        std::string damaged = text;
        damaged[i] = static_cast<char>(damaged[i] ^ 1);
        CHECK_FALSE(parse_backup_manifest(damaged).ok());
    }
}

TEST_CASE(
    "every generation is in escrow before the one before it is destroyed, and old ones go when their days are over") {
    World w;
    w.make();
    auto archive = w.open();
    w.vault_id = archive->vault_id();
    CHECK(generations(w) == std::vector<std::uint32_t>{1});
    CHECK_FALSE(archive->escrow_state().behind());
    const auto entries = fill(*archive, 6);
    REQUIRE(archive->forget(order_of({entries[1]})).ok());
    CHECK(generations(w) == std::vector<std::uint32_t>{1, 2});
    CHECK_FALSE(archive->finalise(35 * kDay).value());
    CHECK(archive->escrow_state().oldest == 1);
    w.clock.advance_ms(36 * kDay);
    REQUIRE(archive->forget(order_of({entries[2]})).ok());
    // Generation 1 was superseded 36 days ago, 2 just now.
    CHECK(archive->finalise(35 * kDay).value());
    CHECK(generations(w) == std::vector<std::uint32_t>{2, 3});
    CHECK_FALSE(w.fs.exists(w.folder() / "generation-1"));
    REQUIRE(archive->erasure_runs().size() == 2);
    CHECK(archive->erasure_runs()[0].final_entry.has_value());
    CHECK_FALSE(archive->erasure_runs()[1].final_entry.has_value());
    CHECK_FALSE(archive->finalise(35 * kDay).value());
    w.clock.advance_ms(36 * kDay);
    CHECK(archive->finalise(35 * kDay).value());
    CHECK(generations(w) == std::vector<std::uint32_t>{3});
    CHECK(archive->erasure_runs()[1].final_entry.has_value());
    // Every page of today is there, and of before at most what the last generation found: noise, its key is destroyed.
    const auto pages = w.fs.list(w.folder() / "pages").value();
    const auto here = w.fs.list(w.dir / "a" / "keys" / "pages").value();
    CHECK(std::includes(pages.begin(), pages.end(), here.begin(), here.end()));
    CHECK(pages.size() <= 2 * here.size());
    CHECK(archive->catalog_agrees().value());
}

TEST_CASE("without any escrow an erasure is final when its key is destroyed; where there was one once, it is not") {
    World w;
    w.with_escrow = false;
    w.make();
    {
        auto archive = w.open();
        const auto entries = fill(*archive, 3);
        CHECK_FALSE(archive->finalise(35 * kDay).value());
        REQUIRE(archive->forget(order_of({entries[0]})).ok());
        CHECK(archive->finalise(35 * kDay).value());
        CHECK(archive->erasure_runs()[0].final_entry.has_value());
    }
    w.with_escrow = true;
    w.open();
    w.with_escrow = false;
    auto archive = w.open();
    const auto entries = fill(*archive, 3);
    REQUIRE(archive->forget(order_of({entries[0]})).ok());
    CHECK_FALSE(archive->finalise(35 * kDay).value());
    CHECK_FALSE(archive->erasure_runs()[1].final_entry.has_value());
}

TEST_CASE("an erasure is refused while the medium is away, unless that is accepted; the escrow catches up") {
    World w;
    w.make();
    auto archive = w.open();
    w.vault_id = archive->vault_id();
    const auto entries = fill(*archive, 4);
    std::filesystem::rename(w.medium(), w.dir / "elsewhere");
    std::filesystem::create_directory(w.medium());  // an empty mount point is not the medium
    const auto refused = archive->forget(order_of({entries[0]}));
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().code() == Code::environment);
    CHECK(state_of(*archive, entries[0]) == "");
    CHECK_FALSE(archive->read_only());
    CHECK(w.fs.list(w.medium()).value().empty());
    ForgetOrder order = order_of({entries[0]});
    order.without_escrow = true;
    REQUIRE(archive->forget(std::move(order)).ok());
    CHECK(state_of(*archive, entries[0]) == "erased");
    CHECK(archive->escrow_state().behind());
    CHECK_FALSE(archive->escrow_state().problem.empty());
    CHECK_FALSE(archive->finalise(0).value());
    CHECK(archive->keep_escrow().error().code() == Code::environment);
    std::filesystem::remove(w.medium());
    std::filesystem::rename(w.dir / "elsewhere", w.medium());
    REQUIRE(archive->keep_escrow().ok());
    CHECK_FALSE(archive->escrow_state().behind());
    CHECK(generations(w) == std::vector<std::uint32_t>{1, 2});
}

TEST_CASE("whatever is interrupted while a generation goes into escrow, one whole generation is always there") {
    World w;
    w.make();
    std::vector<EntryIndex> entries;
    {
        auto archive = w.open();
        w.vault_id = archive->vault_id();
        entries = fill(*archive, 4);
    }
    const auto copy = [&w](const std::string& from, const std::string& to) {
        std::filesystem::remove_all(w.dir / to);
        std::filesystem::copy(w.dir / from, w.dir / to, std::filesystem::copy_options::recursive);
    };
    for (const std::string part : {"a", "state-a", "medium"}) copy(part, part + "-before");
    int interrupted = 0;
    for (const test::Kept kept : {test::Kept::nothing, test::Kept::half}) {
        bool failed = true;
        for (int n = 0; failed; n += 2) {
            for (const std::string part : {"a", "state-a", "medium"}) copy(part + "-before", part);
            test::FailingFs disk(w.fs);
            w.disk = &disk;
            {
                auto archive = w.open();
                disk.fail_from(n, kept);
                (void)archive->forget(order_of({entries[1]})).ok();
                failed = disk.failed();
            }
            disk.heal();
            w.disk = &w.fs;
            interrupted += failed ? 1 : 0;
            INFO("step ", n);
            // The machine is lost here: what the escrow holds opens what the ledger of then says.
            const auto list = generations(w);
            REQUIRE_FALSE(list.empty());
            auto archive = w.open();
            CHECK_FALSE(archive->escrow_state().behind());
            CHECK(generations(w).back() == archive->key_generation());
            CHECK(state_of(*archive, entries[2]) == "");
            CHECK(state_of(*archive, entries[1]) == (archive->erasure_runs().empty() ? "" : "erased"));
        }
    }
    CHECK(interrupted > 10);
}

TEST_CASE("a backup holds nothing that opens content, costs what is new, and drops what is gone") {
    World w;
    w.make();
    auto archive = w.open();
    w.vault_id = archive->vault_id();
    auto entries = fill(*archive, 300);
    BackupOptions options;
    options.to = w.dir / "backup";
    const auto first = make_backup(*archive, w.environment(), options);
    if (!first.ok()) FAIL(first.error().message());
    CHECK(first->bytes_written > 0);
    const auto checked = verify_backup(w.fs, options.to, {});
    REQUIRE(checked.ok());
    for (const audit::Problem& p : checked->problems) MESSAGE(p.code, " ", p.where, " ", p.text);
    CHECK(checked->ok);
    const BackupManifest manifest = load_backup(w.fs, options.to).value();
    for (const auto& [name, file] : manifest.files) {
        CHECK(name.find("generation-") == std::string::npos);
        CHECK(name.find("auto.key") == std::string::npos);
        CHECK(name.find("duplicates.key") == std::string::npos);
        CHECK(name.find("keys/pages") == std::string::npos);
        CHECK(name.rfind("index", 0) != 0);
    }
    CHECK(parse_backup_manifest(format(manifest)).value().files == manifest.files);
    const auto again = make_backup(*archive, w.environment(), options);
    REQUIRE(again.ok());
    CHECK(again->bytes_written < first->bytes_written / 4);
    entries = fill(*archive, 40);
    const auto third = make_backup(*archive, w.environment(), options);
    REQUIRE(third.ok());
    CHECK(third->size.value >= entries.back().value);
    CHECK(verify_backup(w.fs, options.to, {})->ok);
    // Damage is found and named.
    const Path object = w.dir / "backup" / "objects";
    Path damaged;  // a folder may be empty: what was in it is gone
    const std::vector<std::string> folders = w.fs.list(object).value();
    for (const std::string& folder : folders) {
        const std::vector<std::string> names = w.fs.list(object / folder).value();
        if (damaged.empty() && !names.empty()) damaged = object / folder / names.front();
    }
    REQUIRE_FALSE(damaged.empty());
    REQUIRE(w.fs.remove(damaged).ok());
    CHECK_FALSE(verify_backup(w.fs, options.to, {})->ok);
    // ... and mended by the next one.
    REQUIRE(make_backup(*archive, w.environment(), options).ok());
    CHECK(verify_backup(w.fs, options.to, {})->ok);
}

TEST_CASE("an interrupted backup leaves the one before, and the next one takes up what it has copied") {
    World w;
    w.make();
    auto archive = w.open();
    fill(*archive, 50);
    BackupOptions options;
    options.to = w.dir / "backup";
    REQUIRE(make_backup(*archive, w.environment(), options).ok());
    const TreeSize before = load_backup(w.fs, options.to).value().size;
    fill(*archive, 50);
    bool whole = false;
    for (int n = 0; !whole; n += 3) {
        int left = n;
        options.stop = [&left] { return left-- <= 0; };
        const auto result = make_backup(*archive, w.environment(), options);
        whole = result.ok();
        if (!whole) {
            CHECK(result.error().code() == Code::interrupted);
            CHECK(load_backup(w.fs, options.to).value().size == before);
            CHECK(verify_backup(w.fs, options.to, {})->ok);
        }
    }
    CHECK(load_backup(w.fs, options.to).value().size > before);
    CHECK(verify_backup(w.fs, options.to, {})->ok);
}
