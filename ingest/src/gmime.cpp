#include "ingest/src/gmime.h"

#include "base/text.h"

namespace kustos::ingest {

namespace {

void add_mailboxes(InternetAddressList* list, std::vector<vault::Person>& out, std::size_t most, int depth) {
    const int count = internet_address_list_length(list);
    for (int i = 0; i < count && out.size() < most; ++i) {
        InternetAddress* address = internet_address_list_get_address(list, i);
        if (INTERNET_ADDRESS_IS_GROUP(address)) {
            InternetAddressList* members =
                internet_address_group_get_members(reinterpret_cast<InternetAddressGroup*>(address));
            if (members && depth > 0) add_mailboxes(members, out, most, depth - 1);
            continue;
        }
        vault::Person person;
        if (const char* name = internet_address_get_name(address)) person.name = repair_utf8(name);
        const char* addr = internet_address_mailbox_get_addr(reinterpret_cast<InternetAddressMailbox*>(address));
        if (addr) person.address = repair_utf8(addr);
        if (!person.empty()) out.push_back(std::move(person));
    }
}

}  // namespace

std::vector<vault::Person> people_of(InternetAddressList* list, std::size_t most) {
    std::vector<vault::Person> people;
    if (list) add_mailboxes(list, people, most, 8);
    return people;
}

GMimeParserOptions* gmime_options() {
    static GMimeParserOptions* options = [] {
        g_mime_init();
        GMimeParserOptions* made = g_mime_parser_options_new();
        const char* fallback[] = {"utf-8", "windows-1252", nullptr};
        g_mime_parser_options_set_fallback_charsets(made, fallback);
        g_mime_parser_options_set_allow_addresses_without_domain(made, TRUE);
        g_mime_parser_options_set_rfc2047_compliance_mode(made, GMIME_RFC_COMPLIANCE_LOOSE);
        g_mime_parser_options_set_parameter_compliance_mode(made, GMIME_RFC_COMPLIANCE_LOOSE);
        g_mime_parser_options_set_address_compliance_mode(made, GMIME_RFC_COMPLIANCE_LOOSE);
        return made;
    }();
    return options;
}

}  // namespace kustos::ingest
