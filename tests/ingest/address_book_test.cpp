#include "ingest/address_book.h"

#include <doctest/doctest.h>

#include "access/ldap_directory.h"
#include "tests/support/doc_example.h"

namespace kustos::ingest {
namespace {

class Items final : public BookSink {
public:
    Status item(BookItem item) override {
        raw += as_text(item.raw);
        items.push_back(std::move(item));
        return ok_status();
    }
    void finding(std::string_view code, std::uint64_t count) override { findings[std::string(code)] += count; }
    const access::PersonCard& card(std::size_t i) const { return items.at(i).card; }
    std::vector<BookItem> items;
    std::map<std::string, std::uint64_t> findings;
    std::string raw;
};

Items read(std::string_view text, BookFormat format = BookFormat::automatic) {
    Items out;
    REQUIRE(read_address_book(as_bytes(text), format, out).ok());
    CHECK(out.raw == text);  // each byte is in one item
    return out;
}

std::string utf16(std::string_view ascii, bool little) {
    std::string out = little ? "\xFF\xFE" : "\xFE\xFF";
    for (const char c : ascii) {
        if (!little) out += '\0';
        out += c;
        if (little) out += '\0';
    }
    return out;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("the examples on the page give the card on the page") {
    const access::PersonCard page = access::parse_card(test::doc_text("persons.md", "card")).value();
    const Items csv = read(test::doc_text("persons.md", "csv"));
    REQUIRE(csv.items.size() == 2);
    CHECK(csv.items[0].nobody);
    CHECK(csv.card(1).names == Texts{"Anna Müller"});
    CHECK(csv.card(1).emails == page.emails);
    CHECK(csv.card(1).ids == page.ids);
    CHECK(csv.card(1).number == page.number);
    CHECK(csv.card(1).phones == page.phones);
    const Items vcard = read(test::doc_text("persons.md", "vcard"));
    REQUIRE(vcard.items.size() == 1);
    CHECK(access::as_uuid(vcard.card(0).uid) == page.uid);
    CHECK(vcard.card(0).emails == Texts{"anna.mueller@example.org"});
    CHECK(vcard.card(0).ids == page.ids);
    CHECK(vcard.card(0).family == page.family);
    CHECK(vcard.card(0).unit == page.unit);
    CHECK(vcard.card(0).phones == Texts{"+49-30-1234567"});
    const access::LdapSettings ldap = access::parse_ldap_settings(test::doc_text("persons.md", "ldap")).value();
    CHECK(ldap.tls == access::LdapSettings::Tls::starttls);
    CHECK(ldap.attributes.at("matrix") == Texts{"matrixId"});
    CHECK(ldap.attributes.at("name") == Texts{"displayName", "cn"});
}

TEST_CASE("Outlook's, Exchange's and Google's columns are known by their titles") {
    const Items outlook = read(
        "\"First Name\",\"Last Name\",\"Company\",\"Job Title\",\"Business Fax\",\"Business Phone\",\"E-mail Address\","
        "\"E-mail Type\",\"E-mail Display Name\"\r\n"
        "\"Bert\",\"O\"\"Neil\",\"Stadt\",\"Leiter\",\"+49 1\",\"+49 2\",\"bert@example.org\",\"SMTP\",\"Bert\"\r\n");
    CHECK(outlook.card(1).names == Texts{"Bert O\"Neil"});
    CHECK(outlook.card(1).phones == Texts{"+49 2"});
    CHECK(outlook.card(1).emails == Texts{"bert@example.org"});
    CHECK(outlook.card(1).title == "Leiter");
    CHECK(outlook.findings.at("address-book:column-not-known") == 3);
    const Items exchange = read(
        "#TYPE is not here\n"
        "x\n");
    CHECK(exchange.items[0].quarantine == "no-known-column");
    const Items get_mailbox = read(
        "\"DisplayName\",\"PrimarySmtpAddress\",\"EmailAddresses\",\"Guid\",\"SamAccountName\"\n"
        "\"Amt\",\"amt@example.org\",\"SMTP:amt@example.org smtp:bau@example.org X500:/o=Ex/cn=amt "
        "SIP:amt@example.org\","
        "\"4fbe8971-0bc3-424c-9c26-36c3e1eff6b1\",\"amt\"\n");
    CHECK(get_mailbox.card(1).emails == Texts{"amt@example.org", "bau@example.org"});
    CHECK(get_mailbox.card(1).ids == Texts{"sip:amt@example.org"});
    CHECK(get_mailbox.card(1).logins == Texts{"amt"});
    const Items google =
        read("Given Name,Family Name,E-mail 1 - Type,E-mail 1 - Value,Phone 1 - Value\nA,B,*,a@x.de,1\n");
    CHECK(google.card(1).emails == Texts{"a@x.de"});
    CHECK(google.card(1).names == Texts{"A B"});
}

TEST_CASE("separators, marks and charsets are told from the file") {
    CHECK(read("sep=|\nName|E-Mail\nA|a@x.de\n").card(1).emails == Texts{"a@x.de"});
    CHECK(read("Name\tE-Mail\nA\ta@x.de\n").card(1).emails == Texts{"a@x.de"});
    CHECK(read("\xEF\xBB\xBF"
               "Name;E-Mail\nA;a@x.de")
              .card(1)
              .names == Texts{"A"});
    CHECK(read("Name;E-Mail\nM\xFCller;m@x.de\n").card(1).names == Texts{"Müller"});
    for (const bool little : {true, false}) {
        const Items wide = read(utf16("Name;E-Mail\nA;a@x.de\nB;b@x.de\n", little));
        REQUIRE(wide.items.size() == 3);
        CHECK(wide.card(2).emails == Texts{"b@x.de"});
    }
    const Items odd = read(utf16("Name;E-Mail\nA;a@x.de\n", true) + "x");
    CHECK(odd.card(1).names == Texts{"A"});
}

TEST_CASE("rows that say nothing of anybody, and quotes that never close, are kept as they are") {
    const Items rows = read("Name;E-Mail;Ort\nA;a@x.de;\n;;\n;;Berlin\n\"B;b@x.de;\nC;c@x.de;\n");
    REQUIRE(rows.items.size() == 5);
    CHECK(rows.items[2].nobody);
    CHECK(rows.items[3].quarantine == "no-person");
    CHECK(rows.items[4].quarantine == "csv-unclosed-quote");
}

TEST_CASE("vCard 3.0 and 2.1 are read, with quoted-printable, charsets and an agent inside") {
    const Items old = read(
        "BEGIN:VCARD\r\nVERSION:2.1\r\nN;CHARSET=ISO-8859-1;ENCODING=QUOTED-PRINTABLE:M=FCller;J=F6rg\r\n"
        "FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:J=C3=B6rg =\r\nM=C3=BCller\r\n"
        "TEL;FAX:+49 1\r\nTEL;CELL:+49 2\r\nAGENT:\r\nBEGIN:VCARD\r\nFN:Zoe\r\nEMAIL:zoe@x.de\r\nEND:VCARD\r\n"
        "EMAIL;INTERNET:j@x.de\r\nEND:VCARD\r\n\r\n");
    REQUIRE(old.items.size() == 1);
    CHECK(old.card(0).names == Texts{"Jörg Müller"});
    CHECK(old.card(0).family == "Müller");
    CHECK(old.card(0).emails == Texts{"j@x.de"});
    CHECK(old.card(0).phones == Texts{"+49 2"});
    const Items three = read(
        "BEGIN:VCARD\nVERSION:3.0\nFN:A\\, B\\; C\nORG:Stadt\\; Land;Amt 1\nX-JABBER:a@x.de\nX-MATRIX:@a:x.de\n"
        "EMAIL;TYPE=\"a:b;c\":a@x.de\nUID:17\nEND:VCARD\nBEGIN:VCARD\nKIND:group\nFN:Alle\nMEMBER:urn:x\nEND:VCARD\n");
    CHECK(three.card(0).names == Texts{"A, B; C"});
    CHECK(three.card(0).organisation == "Stadt; Land");
    CHECK(three.card(0).unit == "Amt 1");
    CHECK(three.card(0).ids == Texts{"xmpp:a@x.de", "matrix:@a:x.de"});
    CHECK(three.card(0).emails == Texts{"a@x.de"});
    CHECK(three.items[1].nobody);
}

TEST_CASE("a card without an end, an endless one and rubbish are quarantined, and the next card is read") {
    const Items cut = read("rubbish\nBEGIN:VCARD\nFN:A\nBEGIN:VCARD\nFN:B\nEND:VCARD\nBEGIN:VCARD\nFN:C\n");
    REQUIRE(cut.items.size() == 4);
    CHECK(cut.items[0].quarantine == "not-a-vcard");
    CHECK(cut.items[1].quarantine == "vcard-cut");
    CHECK(cut.card(2).names == Texts{"B"});
    CHECK(cut.items[3].quarantine == "vcard-cut");
    const Items large = read("BEGIN:VCARD\nFN:A\nNOTE:" + std::string(kMaxVcard, 'x') + "\nEND:VCARD\n");
    CHECK(large.items.at(0).quarantine == "vcard-too-large");
    CHECK(read("BEGIN:VCARD\nEND:VCARD\n").items.at(0).quarantine == "no-person");
    CHECK(read("", BookFormat::vcard).items.empty());
    CHECK(read("  \n", BookFormat::vcard).items.size() == 1);
}

TEST_CASE("a hundred thousand cards and one endless line are no trouble") {
    std::string many = "Name;E-Mail\n";
    for (int i = 0; i < 100'000; ++i) many += "P;p" + std::to_string(i) + "@example.org\n";
    CHECK(read(many).items.size() == 100'001);
    const Items line = read("Name;E-Mail\n" + std::string(20u << 20, 'x') + ";a@x.de\n");
    const access::PersonCard back = [&] {
        access::PersonCard c = line.card(1);
        c.key = "k";
        return access::parse_card(access::encode_card(c)).value();
    }();
    CHECK(back.names.front().size() <= access::kMaxCardValue);
    CHECK(back.emails == Texts{"a@x.de"});
}

TEST_CASE("a format is named, or told by its content") {
    CHECK(parse_book_format("auto").value() == BookFormat::automatic);
    CHECK(parse_book_format("ldif").error().code() == Code::not_in_version);
    Items out;
    CHECK(read_address_book(Bytes(kMaxBook + 1), BookFormat::automatic, out).error().code() == Code::limit);
}

}  // namespace kustos::ingest
