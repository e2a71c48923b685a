#include <doctest/doctest.h>

#include "access/ldap_directory.h"

namespace kustos::access {
namespace {

LdapSettings settings(const std::string& more = "") {
    return parse_ldap_settings("uri: ldap://127.0.0.1:1\ntls: none\nbase: dc=x\n" + more).value();
}
Bytes text(std::string_view t) {
    return to_bytes(as_bytes(t));
}
Code refused(const std::string& yaml) {
    const auto parsed = parse_ldap_settings(yaml);
    REQUIRE(!parsed.ok());
    return parsed.error().code();
}

}  // namespace

TEST_CASE("an entry of a directory server becomes a card, and binary values do not") {
    LdapEntry e;
    e.dn = "uid=anna,dc=x";
    e.attributes = {
        {"CN", {text("Anna Müller")}},
        {"mail", {text("anna@example.org")}},
        {"proxyAddresses", {text("SMTP:anna@example.org"), text("smtp:a.mueller@example.org"), text("X500:/o=x")}},
        {"objectGUID",
         {Bytes{0x71, 0x89, 0xbe, 0x4f, 0xc3, 0x0b, 0x4c, 0x42, 0x9c, 0x26, 0x36, 0xc3, 0xe1, 0xef, 0xf6, 0xb1}}},
        {"telephoneNumber;lang-de", {text("+49 1")}},
        {"employeeNumber", {Bytes{0xff, 0xfe}}},
        {"jpegPhoto", {Bytes{0xff, 0xd8}}}};
    std::uint64_t binary = 0;
    const PersonCard card = card_of(e, settings(), &binary);
    CHECK(card.names == std::vector<std::string>{"Anna Müller"});
    CHECK(card.emails == std::vector<std::string>{"anna@example.org", "a.mueller@example.org"});
    CHECK(card.uid == "4fbe8971-0bc3-424c-9c26-36c3e1eff6b1");
    CHECK(card.phones == std::vector<std::string>{"+49 1"});
    CHECK(card.number.empty());
    CHECK(binary == 1);
}

TEST_CASE("an entry is kept as LDIF, with base64 where it must be") {
    LdapEntry e;
    e.dn = "cn=Müller,dc=x";
    e.attributes = {{"cn", {text("Müller"), text("plain"), text(" spaced"), text("two\nlines"), text("")}}};
    CHECK(as_text(ldif_of(e)) ==
          "dn:: Y249TcO8bGxlcixkYz14\ncn:: TcO8bGxlcg==\ncn: plain\ncn:: IHNwYWNlZA==\ncn:: dHdvCmxpbmVz\ncn: \n");
}

TEST_CASE("attributes can be named, and ids of messengers get their scheme once") {
    LdapEntry e;
    e.attributes = {{"matrixId", {text("@anna:example.org")}}, {"sipUri", {text("SIP:anna@example.org")}}};
    const PersonCard card = card_of(e, settings("attributes:\n  matrix: matrixId\n  sip: [sipUri]\n"));
    CHECK(card.ids == std::vector<std::string>{"matrix:@anna:example.org", "SIP:anna@example.org"});
}

TEST_CASE("settings that would send a password in the clear, or make no sense, are refused") {
    CHECK(refused("uri: ldap://ldap.example.org\ntls: none\nbase: dc=x\n") == Code::usage);
    CHECK(refused("uri: ldap://127.0.0.1.example.org\ntls: none\nbase: dc=x\n") == Code::usage);
    CHECK(refused("uri: ldap://localhost.evil\ntls: none\nbase: dc=x\n") == Code::usage);
    CHECK(refused("uri: ldaps://x\ntls: none\nbase: dc=x\n") == Code::usage);
    CHECK(refused("uri: ldap://x\nbase: dc=x\nbind_dn: cn=a\n") == Code::usage);
    CHECK(refused("uri: ldap://x\nbase: dc=x\nbind_dn: cn=a\npassword_file: here\n") == Code::usage);
    CHECK(refused("uri: ldapi:///\nbase: dc=x\n") == Code::usage);
    CHECK(refused("uri: ldap://x\n") == Code::usage);
    CHECK(refused("uri: ldap://x\nbase: dc=x\nscope: everything\n") == Code::usage);
    CHECK(!parse_ldap_settings("uri: ldap://x\nbase: dc=x\nunknown: 1\n").ok());
    CHECK(settings().page_size == 500);
}

TEST_CASE("a server that is not there is an error of the environment") {
    const auto answer = read_ldap(settings("timeout: 2\n"), SecretBytes(), [](LdapEntry) { return ok_status(); });
    REQUIRE(!answer.ok());
    CHECK(answer.error().code() == Code::environment);
}

}  // namespace kustos::access
