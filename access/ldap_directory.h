// A directory server as an address book (LDAPv3, RFC 4511; pages by RFC 2696), through libldap.
//
// Reads, and nothing else: one bind, one search in pages. Referrals are counted and never followed, aliases are not
// followed either. A password goes over TLS only, or to this machine. What a server sends is foreign: one answer has at
// most 16 MiB, a search has max_entries and an end in time.
// Errors: usage (settings), denied (the server refuses the bind or the search), environment (not to be reached, TLS,
// the server's own limits, an answer that is too large, time is up). Threads: one at a time; blocks.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "access/person_card.h"
#include "base/fs.h"
#include "base/secret.h"

namespace kustos::access {

struct LdapSettings {
    enum class Tls { starttls, ldaps, none };
    std::string uri;  // ldap://host:port or ldaps://host:port
    Tls tls = Tls::starttls;
    Path ca_file;  // empty: the system's
    std::string bind_dn;
    Path password_file;  // absolute; empty: anonymous
    std::string base;
    std::string filter = "(objectClass=person)";
    bool whole_tree = true;  // below base; else its children alone
    bool whole_book = true;  // who is not in it any more has left
    int page_size = 500;     // 0: no pages
    std::uint64_t max_entries = 500'000;
    int timeout_s = 60;  // for each answer
    // Field of a card ("email", "number", "matrix", ...) and the attributes that give it, in order.
    std::map<std::string, std::vector<std::string>> attributes;
};
// docs/format/persons.md, "Settings of a directory server". Code::usage, with key.
Result<LdapSettings> parse_ldap_settings(std::string_view yaml);

struct LdapEntry {
    std::string dn;
    std::vector<std::pair<std::string, std::vector<Bytes>>> attributes;  // as the server sent them
};
struct LdapOutcome {
    std::uint64_t entries = 0, referrals = 0;
    bool complete = true;  // false: the server's limit or max_entries ended it
};
// password: empty where there is none. An error of `take` ends it and is handed through.
Result<LdapOutcome> read_ldap(const LdapSettings& settings, const SecretBytes& password,
                              const std::function<Status(LdapEntry)>& take);

// --- pure ---
// binary, if given, gets the number of values that are no text and are left out of the card.
PersonCard card_of(const LdapEntry& entry, const LdapSettings& settings, std::uint64_t* binary = nullptr);
// The entry as an LDIF content record (RFC 2849), lines not folded.
Bytes ldif_of(const LdapEntry& entry);

}  // namespace kustos::access
