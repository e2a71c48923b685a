// The settings of a mail listener: what a new source gets works, and what is wrong is named.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "base/crypto.h"
#include "ingest/src/lmtp_settings.h"
#include "tests/ingest/fake_intake.h"
#include "tests/support/temp_dir.h"

using namespace kustos;
using namespace kustos::ingest;

namespace {

struct Desk {
    Result<LmtpSettings> read(const std::string& yaml) {
        RealFs fs;
        return read_lmtp_settings({dir.path(), Config::parse(yaml, find_stream_kind("lmtp")->keys).value()}, fs);
    }
    std::string wrong(const std::string& more) {
        const auto settings = read("listen: \"127.0.0.1:2424\"\n" + more);
        if (settings.ok()) return "";
        CHECK(settings.error().code() == Code::usage);
        return settings.error().message();
    }
    void put(const std::string& name, const std::string& text, bool for_all = false) {
        std::ofstream(dir.path() / name) << text;
        using std::filesystem::perms;
        std::filesystem::permissions(dir.path() / name,
                                     perms::owner_read | (for_all ? perms::others_read : perms::none));
    }
    test::TempDir dir;
};

}  // namespace

TEST_CASE("the settings that a new source gets are those that the page names") {
    const StreamKind* kind = find_stream_kind("lmtp");
    REQUIRE(kind);
    Desk desk;
    const auto settings = desk.read(std::string(kind->settings));
    REQUIRE(settings.ok());
    CHECK(settings->host == "127.0.0.1");
    CHECK(settings->port == 2424);
    CHECK(settings->session.lmtp);
    CHECK(settings->session.max_size == 256u << 20);
    CHECK(settings->memory == 512u << 20);
    CHECK(settings->max_connections == 32);
    CHECK(settings->max_per_client == 24);
    CHECK(!settings->session.require_auth);
    REQUIRE(settings->networks.size() == 2);
    CHECK(settings->networks[0].holds(*parse_net_address("127.0.0.1")));
    CHECK(settings->networks[1].holds(*parse_net_address("::1")));
}

TEST_CASE("what is wrong in the settings of a listener is named by its key") {
    Desk desk;
    CHECK(desk.wrong("") == "");
    const std::pair<std::string, std::string> table[] = {
        {"protocol: esmtp", "protocol"},
        {"networks: [\"10.0.0.0/40\"]", "networks"},
        {"require_tls: true", "require_tls"},
        {"require_tls: sure", "require_tls"},
        {"client_certificates: [\"abc\"]", "client_certificates"},
        {"max_size_mib: 0", "max_size_mib"},
        {"memory_mib: 1", "memory_mib"},
        {"name: \"a b\"", "name"},
        {"users: absent", "users"},
        {"tls_certificate: x.crt", "tls_key"},
    };
    for (const auto& [line, key] : table) CHECK(desk.wrong(line + "\n").find(key) != std::string::npos);
    for (const std::string listen : {"", "2424", "localhost:2424", "127.0.0.1:70000", "127.0.0.1:", "[::1]2424"})
        CHECK(!desk.read("listen: \"" + listen + "\"\n").ok());
    CHECK(desk.read("listen: \"[::1]:2424\"\n").value().host == "::1");
}

TEST_CASE("users and certificates need TLS, and files that others can't read") {
    Desk desk;
    const std::string users = "journal:" + sha256(as_bytes("secret")).hex() + "\n";
    desk.put("users", users);
    CHECK(desk.wrong("users: users\n").find("tls_certificate") != std::string::npos);
    CHECK(desk.wrong("client_certificates: [\"" + Hash{}.hex() + "\"]\n").find("tls_certificate") != std::string::npos);
    desk.put("key", "a key");
    const auto settings = desk.read("listen: \"127.0.0.1:1\"\nusers: users\ntls_certificate: crt\ntls_key: key\n");
    REQUIRE(settings.ok());
    CHECK(settings->session.require_auth);
    CHECK(settings->session.auth_offered);
    desk.put("open", users, true);
    CHECK(desk.wrong("users: open\n").find("others") != std::string::npos);
}
