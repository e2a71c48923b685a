#include <doctest/doctest.h>

#include "app/house.h"
#include "tests/support/temp_dir.h"

using namespace kustos;
using namespace kustos::app;

namespace {
struct World {
    RealFs fs;
    test::TempDir dir;
    Result<Config> load(const std::string& text) {
        REQUIRE(replace_file(fs, dir / "config.yaml", as_bytes(text)).ok());
        return load_config(fs, dir.path());
    }
};
}  // namespace

TEST_CASE("the settings that init writes are read, with and without authorities") {
    World w;
    for (const auto& authorities :
         {std::vector<std::string>{}, std::vector<std::string>{"builtin", "https://tsa.example/x"}}) {
        auto config = w.load(config_template(authorities));
        REQUIRE(config.ok());
        CHECK(config->list("time_stamps.authorities") == authorities);
        CHECK(config->text("language", "en") == "de");
        CHECK(*config->number("web.port", 1, 1, 65535) == 8443);
        CHECK(*config->number("time_stamps.interval_seconds", 1, 1, 86'400) == 60);
    }
}

TEST_CASE("without a settings file everything has its default") {
    RealFs fs;
    const test::TempDir dir;
    auto config = load_config(fs, dir.path());
    REQUIRE(config.ok());
    CHECK(config->list("time_stamps.authorities").empty());
    CHECK(*config->number("web.port", 8443, 1, 65535) == 8443);
}

TEST_CASE("unknown keys, broken text and wild numbers are refused, not ignored") {
    World w;
    CHECK(w.load("colour: red\n").error().message().find("colour") != std::string::npos);
    CHECK_FALSE(w.load("web:\n  prot: 1\n").ok());
    CHECK_FALSE(w.load("name: [unclosed\n").ok());
    CHECK_FALSE(w.load("- a\n- list\n").ok());
    CHECK_FALSE(w.load(std::string(70 * 1024, '#')).ok());
    auto port = w.load("web:\n  port: 99999\n");
    REQUIRE(port.ok());
    CHECK_FALSE(port->number("web.port", 1, 1, 65535).ok());
    auto word = w.load("web:\n  port: many\n");
    REQUIRE(word.ok());
    CHECK_FALSE(word->number("web.port", 1, 1, 65535).ok());
}
