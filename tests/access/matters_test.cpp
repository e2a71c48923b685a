#include "access/matters.h"

#include <doctest/doctest.h>

#include "tests/support/temp_dir.h"

using namespace kustos;
using namespace kustos::access;

namespace {

struct World {
    RealFs fs;
    SystemClock clock;
    SystemRandom random;
    test::TempDir dir;
    std::unique_ptr<vault::Archive> archive;

    explicit World(const std::string& unlock = "auto") {
        vault::CreateOptions options;
        options.unlock = unlock;
        options.passphrase = SecretBytes(as_bytes("zwölf Boxkämpfer"));
        REQUIRE(vault::Archive::create({fs, clock, random}, dir / "a", dir / "s", std::move(options)).ok());
        reopen({});
    }
    void reopen(std::optional<std::string> passphrase) {
        archive.reset();
        vault::OpenOptions options;
        options.state = dir / "s";
        if (passphrase) options.passphrase = SecretBytes(as_bytes(*passphrase));
        archive = vault::Archive::open({fs, clock, random}, dir / "a", std::move(options)).value();
    }
};

vault::Purpose purpose_in(EntryIndex matter) {
    vault::Purpose p;
    p.matter = matter;
    return p;
}

}  // namespace

TEST_CASE("a matter is an entry of the ledger with its reference and ground sealed") {
    World w;
    Matters matters(*w.archive);
    const Matter m = matters.open_new("30-Z 114/26", "Art. 15 DSGVO").value();
    CHECK(w.archive->head().size.value == m.entry.value + 1);
    CHECK(matters.find(m.entry)->reference == "30-Z 114/26");
    CHECK(matters.find(m.entry)->ground == "Art. 15 DSGVO");
    REQUIRE(matters.list()->size() == 1);
    w.reopen({});
    CHECK(Matters(*w.archive).find(m.entry)->reference == "30-Z 114/26");
}

TEST_CASE("with a closed vault a matter is known by its number only, and can still be opened") {
    World w("passphrase");
    const Matter m = Matters(*w.archive).open_new("30-Z 114/26", "Art. 15 DSGVO").value();
    w.reopen({});
    CHECK(Matters(*w.archive).find(m.entry)->reference.empty());
    CHECK(Matters(*w.archive).open_new("30-Z 115/26", "Art. 17 DSGVO").ok());
    w.reopen("zwölf Boxkämpfer");
    CHECK(Matters(*w.archive).find(m.entry)->reference == "30-Z 114/26");
    CHECK(Matters(*w.archive).list()->size() == 2);
}

TEST_CASE("without reference or ground there is no matter") {
    World w;
    Matters matters(*w.archive);
    const TreeSize before = w.archive->head().size;
    CHECK(matters.open_new("", "Art. 15").error().code() == Code::usage);
    CHECK(matters.open_new("30-Z", "").error().code() == Code::usage);
    CHECK(matters.open_new(std::string(201, 'x'), "Art. 15").error().code() == Code::usage);
    CHECK(matters.open_new("30-Z", std::string(2001, 'x')).error().code() == Code::usage);
    CHECK(matters.open_new("\xff", "Art. 15").error().code() == Code::usage);
    CHECK(w.archive->head().size == before);
}

TEST_CASE("an unknown or closed matter allows nothing, and is closed once") {
    World w;
    Matters matters(*w.archive);
    const Matter m = matters.open_new("30-Z", "Art. 15").value();
    CHECK(matters.allow(purpose_in(m.entry), {}).ok());
    CHECK(matters.allow(purpose_in(EntryIndex(0)), {}).error().code() == Code::denied);
    CHECK(matters.allow(purpose_in(EntryIndex(m.entry.value + 7)), {}).error().code() == Code::denied);
    REQUIRE(matters.close(m.entry).ok());
    CHECK(matters.allow(purpose_in(m.entry), {}).error().code() == Code::denied);
    CHECK(matters.close(m.entry).error().code() == Code::usage);
    w.reopen({});
    CHECK(Matters(*w.archive).allow(purpose_in(m.entry), {}).error().code() == Code::denied);
}

TEST_CASE("a matter is named M and its number") {
    CHECK(matter_id(EntryIndex(12)) == "M12");
    for (const char* good : {"M12", "m12", "12"}) CHECK(*parse_matter_id(good) == EntryIndex(12));
    for (const char* bad : {"", "M", "12x", "M 12", "-1", "99999999999999999999"})
        CHECK(parse_matter_id(bad).error().code() == Code::usage);
}

TEST_CASE("a matter's scope is sealed, the newest counts, and records are allowed by who knows the index") {
    World w("passphrase");
    w.reopen("zwölf Boxkämpfer");
    Matters matters(*w.archive);
    const Matter m = matters.open_new("30-Z", "Art. 15", "source:a").value();
    CHECK(matters.scope(m.entry).value() == "source:a");
    const std::vector<EntryIndex> ids = {EntryIndex(1)};
    CHECK(matters.allow(purpose_in(m.entry), {}).ok());
    CHECK(matters.allow(purpose_in(m.entry), ids).error().code() == Code::denied);  // nobody can tell
    std::string asked;
    matters.check_scopes_with([&](const std::string& scope, std::span<const EntryIndex>) -> Status {
        asked = scope;
        return scope == "source:b" ? Status() : Status(Error(Code::denied, "outside"));
    });
    CHECK(matters.allow(purpose_in(m.entry), ids).error().code() == Code::denied);
    CHECK(asked == "source:a");
    REQUIRE(matters.change_scope(m.entry, "source:b", "why", "clerk").ok());
    CHECK(matters.allow(purpose_in(m.entry), ids).ok());
    CHECK(asked == "source:b");
    asked.clear();
    vault::Purpose decided = purpose_in(m.entry);
    decided.scope_decided = true;
    CHECK(matters.allow(decided, ids).ok());
    CHECK(asked.empty());
    REQUIRE(matters.change_scope(m.entry, "", "the whole archive", "clerk").ok());
    CHECK(matters.allow(purpose_in(m.entry), ids).ok());
    CHECK(asked.empty());
    CHECK(matters.open_new("30-Z", "Art. 15", std::string(kMaxScope + 1, 'x')).error().code() == Code::usage);
    w.reopen({});
    Matters closed(*w.archive);
    CHECK(closed.scope(m.entry).error().code() == Code::closed);
    CHECK(closed.allow(purpose_in(m.entry), ids).error().code() == Code::closed);
    CHECK(closed.find(m.entry)->scope.empty());
}

TEST_CASE("a result set is named R and its number") {
    CHECK(result_id(EntryIndex(15)) == "R15");
    for (const char* good : {"R15", "r15", "15"}) CHECK(*parse_result_id(good) == EntryIndex(15));
    for (const char* bad : {"", "R", "M15", "R 15"}) CHECK(parse_result_id(bad).error().code() == Code::usage);
}
