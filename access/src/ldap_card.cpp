// What an entry of a directory server says of a person, and its form on file.
#include <algorithm>
#include <cstdio>

#include "access/ldap_directory.h"
#include "base/config.h"
#include "base/text.h"

namespace kustos::access {

namespace {

struct Field {
    const char* name;
    const char* attributes;  // by default, with spaces
};
constexpr Field kFields[] = {
    {"uid", "entryUUID objectGUID"},
    {"number", "employeeNumber employeeID"},
    {"name", "displayName cn"},
    {"given", "givenName"},
    {"family", "sn"},
    {"email", "mail proxyAddresses"},
    {"phone", "telephoneNumber mobile"},
    {"login", "uid sAMAccountName userPrincipalName"},
    {"organisation", "o company"},
    {"unit", "ou department departmentNumber"},
    {"title", "title"},
    {"from", ""},
    {"until", ""},
    {"matrix", ""},
    {"xmpp", ""},
    {"sip", "msRTCSIP-PrimaryUserAddress"},
    {"threema", ""},
    {"mattermost", ""},
};

std::vector<std::string> words(std::string_view text) {
    std::vector<std::string> out;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(' '), text.size());
        if (end != 0) out.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out;
}

std::string lower(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return out;
}

// Microsoft's: the first three groups are little-endian (MS-DTYP 2.3.4).
std::string guid(ByteView b) {
    char text[40];
    std::snprintf(text, sizeof text, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[3], b[2],
                  b[1], b[0], b[5], b[4], b[7], b[6], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
    return text;
}

bool is_text(ByteView value) {
    const std::string_view text = as_text(value);
    return is_valid_utf8(text) && std::none_of(text.begin(), text.end(), [](char c) { return c == '\0'; });
}

void take(PersonCard& card, const std::string& field, const std::string& value) {
    const auto set = [&](std::string& into) {
        if (into.empty()) into = std::string(trimmed(value));
    };
    if (field == "uid") return set(card.uid);
    if (field == "number") return set(card.number);
    if (field == "name") return add_value(card.names, value);
    if (field == "given") return set(card.given);
    if (field == "family") return set(card.family);
    if (field == "email") return add_address(card, value);
    if (field == "phone") return add_value(card.phones, value);
    if (field == "login") return add_value(card.logins, value);
    if (field == "organisation") return set(card.organisation);
    if (field == "unit") return set(card.unit);
    if (field == "title") return set(card.title);
    if (field == "from") card.from = parse_day(value);
    if (field == "until") card.until = parse_day(value);
    if (field == "from" || field == "until" || trimmed(value).empty()) return;
    const bool has_scheme = lower(value.substr(0, field.size() + 1)) == field + ":";
    add_value(card.ids, has_scheme ? value : field + ":" + std::string(trimmed(value)));
}

// RFC 2849, SAFE-STRING.
bool is_safe(ByteView value) {
    if (value.empty()) return true;
    const std::uint8_t first = value.front();
    if (first == ' ' || first == ':' || first == '<' || value.back() == ' ') return false;
    return std::all_of(value.begin(), value.end(),
                       [](std::uint8_t c) { return c != 0 && c != '\n' && c != '\r' && c < 0x80; });
}

void put_line(Bytes& out, std::string_view name, ByteView value) {
    put(out, as_bytes(name));
    put(out, as_bytes(is_safe(value) ? ": " : ":: "));
    if (is_safe(value))
        put(out, value);
    else
        put(out, as_bytes(base64(value)));
    put_u8(out, '\n');
}

Error wrong(const std::string& what) {
    return Error(Code::usage, "settings of the directory server: " + what)
        .with_hint("docs/format/persons.md lists the keys");
}

}  // namespace

Result<LdapSettings> parse_ldap_settings(std::string_view yaml) {
    std::vector<std::string> names = {"uri",    "tls",   "ca_file",   "bind_dn",     "password_file", "base",
                                      "filter", "scope", "page_size", "max_entries", "timeout",       "whole_book"};
    for (const Field& f : kFields) names.push_back("attributes." + std::string(f.name));
    const Config config = TRY(Config::parse(yaml, {names.begin(), names.end()}));
    LdapSettings s;
    s.uri = config.text("uri", "");
    const bool ldaps = s.uri.rfind("ldaps://", 0) == 0;
    if (!ldaps && s.uri.rfind("ldap://", 0) != 0) return wrong("uri is ldap://HOST or ldaps://HOST");
    const std::string tls = config.text("tls", ldaps ? "ldaps" : "starttls");
    if (tls != "starttls" && tls != "ldaps" && tls != "none") return wrong("tls is starttls, ldaps or none");
    if ((tls == "ldaps") != ldaps) return wrong("tls: ldaps and an ldaps:// uri belong together");
    s.tls = ldaps ? LdapSettings::Tls::ldaps : tls == "none" ? LdapSettings::Tls::none : LdapSettings::Tls::starttls;
    if (s.tls == LdapSettings::Tls::none) {
        const std::string host = s.uri.substr(7, s.uri.find_first_of(":/", 7) - 7);
        if (host != "127.0.0.1" && host != "localhost" && s.uri.rfind("ldap://[::1]", 0) != 0)
            return wrong("tls: none is for a server on this machine (127.0.0.1) only");
    }
    s.ca_file = config.text("ca_file", "");
    s.bind_dn = config.text("bind_dn", "");
    s.password_file = config.text("password_file", "");
    if (s.bind_dn.empty() != s.password_file.empty()) return wrong("bind_dn and password_file belong together");
    for (const Path* file : {&s.ca_file, &s.password_file})
        if (!file->empty() && !file->is_absolute()) return wrong("ca_file and password_file are absolute paths");
    s.base = config.text("base", "");
    if (s.base.empty()) return wrong("base is missing");
    s.filter = config.text("filter", s.filter);
    const std::string scope = config.text("scope", "tree");
    if (scope != "tree" && scope != "children") return wrong("scope is tree or children");
    s.whole_tree = scope == "tree";
    const std::string whole = config.text("whole_book", "yes");
    if (whole != "yes" && whole != "no") return wrong("whole_book is yes or no");
    s.whole_book = whole == "yes";
    s.page_size = static_cast<int>(TRY(config.number("page_size", s.page_size, 0, 10'000)));
    s.max_entries = static_cast<std::uint64_t>(
        TRY(config.number("max_entries", static_cast<std::int64_t>(s.max_entries), 1, 10'000'000)));
    s.timeout_s = static_cast<int>(TRY(config.number("timeout", s.timeout_s, 1, 3'600)));
    for (const Field& f : kFields) {
        std::vector<std::string> given = config.list("attributes." + std::string(f.name));
        if (const std::string one = config.text("attributes." + std::string(f.name), ""); given.empty() && !one.empty())
            given = {one};
        if (given.empty()) given = words(f.attributes);
        if (!given.empty()) s.attributes[f.name] = std::move(given);
    }
    return s;
}

PersonCard card_of(const LdapEntry& entry, const LdapSettings& settings, std::uint64_t* binary) {
    PersonCard card;
    for (const auto& [field, names] : settings.attributes) {
        for (const std::string& name : names) {
            for (const auto& [attribute, values] : entry.attributes) {
                if (lower(attribute.substr(0, attribute.find(';'))) != lower(name)) continue;
                for (const Bytes& value : values) {
                    if (lower(name) == "objectguid" && value.size() == 16)
                        take(card, field, guid(value));
                    else if (is_text(value))
                        take(card, field, std::string(as_text(value)));
                    else if (binary != nullptr)
                        ++*binary;
                }
            }
        }
    }
    return card;
}

Bytes ldif_of(const LdapEntry& entry) {
    Bytes out;
    put_line(out, "dn", as_bytes(entry.dn));
    for (const auto& [name, values] : entry.attributes)
        for (const Bytes& value : values) put_line(out, name, value);
    return out;
}

}  // namespace kustos::access
