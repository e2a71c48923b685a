#include "access/accounts.h"

#include <doctest/doctest.h>

#include <thread>

#include "tests/support/temp_dir.h"

using namespace kustos;
using namespace kustos::access;

namespace {
struct World {
    test::TempDir dir;
    SystemRandom random;
    RealFs fs;
    Path file() const { return dir / "access.db"; }
    Accounts accounts() { return Accounts::open(file(), random).value(); }
    PushTokens tokens() { return PushTokens::open(file(), random).value(); }
    std::string content() { return to_text(read_file(fs, file(), 64u << 20).value()); }
};
constexpr std::int64_t kDay = 86'400'000;
}  // namespace

TEST_CASE("a password is known by its account only, and not by its neighbours") {
    World w;
    Accounts a = w.accounts();
    CHECK_FALSE(*a.any());
    REQUIRE(a.set_password("admin", "zwölf Boxkämpfer").ok());
    CHECK(*a.any());
    CHECK(*a.check("admin", "zwölf Boxkämpfer"));
    for (const char* wrong : {"", "zwölf Boxkämpfe", "zwölf Boxkämpfer ", "Zwölf Boxkämpfer"})
        CHECK_FALSE(*a.check("admin", wrong));
    CHECK_FALSE(*a.check("Admin", "zwölf Boxkämpfer"));
    CHECK_FALSE(*a.check("", "zwölf Boxkämpfer"));
    CHECK_FALSE(*a.check("' OR 1=1 --", "zwölf Boxkämpfer"));
    CHECK_FALSE(*a.check("admin", std::string(1 << 20, 'x')));
}

TEST_CASE("a new password ends the old one, and both survive a restart") {
    World w;
    REQUIRE(w.accounts().set_password("admin", "erstes Passwort").ok());
    CHECK(*w.accounts().check("admin", "erstes Passwort"));
    REQUIRE(w.accounts().set_password("admin", "zweites Passwort").ok());
    CHECK_FALSE(*w.accounts().check("admin", "erstes Passwort"));
    CHECK(*w.accounts().check("admin", "zweites Passwort"));
}

TEST_CASE("bad names and short passwords are refused, and nothing is kept of them") {
    World w;
    Accounts a = w.accounts();
    for (const std::string name : {"", "a b", "a/b", "ä", "x'y"})
        CHECK(a.set_password(name, "ein langes Passwort").error().code() == Code::usage);
    CHECK(a.set_password(std::string(65, 'a'), "ein langes Passwort").error().code() == Code::usage);
    CHECK(a.set_password("admin", "kurz").error().code() == Code::usage);
    CHECK(a.set_password("admin", std::string(1025, 'x')).error().code() == Code::usage);
    CHECK_FALSE(*a.any());
}

TEST_CASE("neither a password nor a token nor a key of a push stands in the database") {
    World w;
    REQUIRE(w.accounts().set_password("admin", "Zwetschgenkuchen").ok());
    PushTokens tokens = w.tokens();
    const std::string token = tokens.issue(3, 1000).value();
    CHECK(token.size() == 43);
    REQUIRE(tokens.remember(3, "Nachtigallenpfad", Hash{}, "{}", 1).ok());
    const std::string content = w.content();
    CHECK(content.find("Zwetschgenkuchen") == std::string::npos);
    CHECK(content.find(token) == std::string::npos);
    CHECK(content.find("Nachtigallenpfad") == std::string::npos);
}

TEST_CASE("a token belongs to one source, and a new one ends the old one") {
    World w;
    PushTokens tokens = w.tokens();
    const std::string first = tokens.issue(3, 1000).value(), other = tokens.issue(4, 1000).value();
    CHECK(*tokens.check(3, first, 2000));
    CHECK_FALSE(*tokens.check(4, first, 2000));
    CHECK(*tokens.check(4, other, 2000));
    CHECK_FALSE(*tokens.check(5, first, 2000));
    CHECK_FALSE(*tokens.check(3, "", 2000));
    const std::string second = tokens.issue(3, 1000).value();
    CHECK(first != second);
    CHECK_FALSE(*tokens.check(3, first, 2000));
    CHECK(*w.tokens().check(3, second, 2000));
}

TEST_CASE("an old token may open for a while beside the new one, and ends then, or when it is told to") {
    World w;
    PushTokens tokens = w.tokens();
    const std::string first = tokens.issue(3, 1000).value();
    const std::string second = tokens.issue(3, 2000, 5000).value();
    CHECK(*tokens.check(3, first, 6999));
    CHECK(*tokens.check(3, second, 6999));
    CHECK_FALSE(*tokens.check(3, first, 7000));
    const std::string third = tokens.issue(3, 8000, 50'000).value();
    CHECK(tokens.end(3, 1, 8000).error().code() == Code::usage);
    CHECK(tokens.end(3, 9, 8000).error().code() == Code::usage);
    CHECK(tokens.end(4, 2, 8000).error().code() == Code::usage);
    REQUIRE(tokens.end(3, 2, 9000).ok());
    CHECK_FALSE(*tokens.check(3, second, 9000));
    CHECK(*tokens.check(3, third, 9000));
    const auto all = tokens.list(3).value();
    REQUIRE(all.size() == 3);
    CHECK(all[0].number == 1);
    CHECK(all[0].ends_ms == 7000);
    CHECK(all[1].ends_ms == 9000);
    CHECK(all[2].issued_ms == 8000);
    CHECK_FALSE(all[2].ends_ms);
    CHECK(all[1].used_ms);
}

TEST_CASE("a later end does not follow from a new token, and no source has more than sixteen that count") {
    World w;
    PushTokens tokens = w.tokens();
    const std::string first = tokens.issue(3, 0).value();
    REQUIRE(tokens.issue(3, 0, 100).ok());
    REQUIRE(tokens.issue(3, 0, 10'000).ok());
    CHECK_FALSE(*tokens.check(3, first, 100));  // still when it was said to
    for (std::uint32_t i = 3; i < PushTokens::kMostTokens; ++i) REQUIRE(tokens.issue(3, 50, 10'000).ok());
    CHECK(tokens.issue(3, 60, 10'000).error().code() == Code::limit);
    CHECK(*tokens.check(3, first, 60));  // the refused one changed nothing
    CHECK(tokens.issue(3, 60).ok());
    CHECK_FALSE(*tokens.check(3, first, 60));
}

TEST_CASE("the one token of a database of before still opens") {
    World w;
    const std::string token = "0123456789012345678901234567890123456789abc";
    {
        auto old = Database::open(w.file(), DatabaseMode::create_or_open).value();
        REQUIRE(old.execute("CREATE TABLE token(source INTEGER PRIMARY KEY, hash BLOB NOT NULL)").ok());
        auto insert = old.prepare("INSERT INTO token VALUES(3, ?)").value();
        REQUIRE(insert.bind(1, sha256(as_bytes(token)).view()).run().ok());
    }
    PushTokens tokens = w.tokens();
    CHECK(*tokens.check(3, token, 1));
    CHECK(tokens.list(3).value().size() == 1);
    CHECK(*w.tokens().check(3, token, 2));
}

TEST_CASE("a push is remembered by source, key and body, for seven days") {
    World w;
    PushTokens tokens = w.tokens();
    const Hash body = sha256(as_bytes("body")), other = sha256(as_bytes("other"));
    CHECK(tokens.remembered(3, "k", body).error().code() == Code::not_found);
    REQUIRE(tokens.remember(3, "k", body, "answer", 10 * kDay).ok());
    CHECK(*tokens.remembered(3, "k", body) == "answer");
    CHECK(tokens.remembered(3, "k", other).error().code() == Code::conflict);
    CHECK(tokens.remembered(4, "k", body).error().code() == Code::not_found);
    REQUIRE(tokens.remember(3, "l", body, "later", 17 * kDay).ok());
    CHECK(*tokens.remembered(3, "k", body) == "answer");
    REQUIRE(tokens.remember(3, "m", body, "later", 17 * kDay + 1).ok());
    CHECK(tokens.remembered(3, "k", body).error().code() == Code::not_found);
}

TEST_CASE("many threads may ask at once") {
    World w;
    PushTokens tokens = w.tokens();
    const std::string token = tokens.issue(3, 1000).value();
    std::vector<std::thread> threads;
    std::atomic<int> good = 0;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < 20; ++i) {
                const std::string key = std::to_string(t) + "-" + std::to_string(i);
                if (*tokens.check(3, token, 2) && tokens.remember(3, key, Hash{}, key, 1).ok() &&
                    *tokens.remembered(3, key, Hash{}) == key)
                    ++good;
            }
        });
    }
    for (std::thread& t : threads) t.join();
    CHECK(good == 80);
}

TEST_CASE("a damaged database is refused with an error") {
    World w;
    REQUIRE(replace_file(w.fs, w.file(), Bytes(5000, 'x')).ok());
    CHECK_FALSE(Accounts::open(w.file(), w.random).ok());
    CHECK_FALSE(PushTokens::open(w.file(), w.random).ok());
}
