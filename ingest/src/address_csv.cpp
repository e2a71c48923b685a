// CSV with a header row. Which column is what is told by its name, in the words of the programs that export it.
#include <array>
#include <optional>
#include <vector>

#include "ingest/src/address_formats.h"
#include "ingest/src/csv.h"

namespace kustos::ingest {

namespace {

using access::add_address;
using access::add_value;
using access::PersonCard;
using access::trimmed;

enum class Column {
    none,
    uid,
    number,
    name,
    given,
    middle,
    family,
    email,
    phone,
    login,
    organisation,
    unit,
    title,
    from,
    until,
    matrix,
    xmpp,
    sip,
    threema,
    signal,
    telegram,
    mattermost,
    im
};

struct Title {
    std::string_view text;  // as squeezed() makes it
    Column column;
};
constexpr std::array kTitles = {
    Title{"uid", Column::uid},
    Title{"guid", Column::uid},
    Title{"objectguid", Column::uid},
    Title{"entryuuid", Column::uid},
    Title{"uuid", Column::uid},
    Title{"id", Column::uid},
    Title{"userid", Column::uid},
    Title{"externaldirectoryobjectid", Column::uid},
    Title{"kontaktid", Column::uid},
    Title{"employeenumber", Column::number},
    Title{"employeeid", Column::number},
    Title{"personalnummer", Column::number},
    Title{"personalnr", Column::number},
    Title{"mitarbeiternummer", Column::number},
    Title{"persnr", Column::number},
    Title{"organizationalidnumber", Column::number},
    Title{"name", Column::name},
    Title{"displayname", Column::name},
    Title{"anzeigename", Column::name},
    Title{"fullname", Column::name},
    Title{"cn", Column::name},
    Title{"commonname", Column::name},
    Title{"givenname", Column::given},
    Title{"firstname", Column::given},
    Title{"vorname", Column::given},
    Title{"middlename", Column::middle},
    Title{"weiterevornamen", Column::middle},
    Title{"additionalname", Column::middle},
    Title{"familyname", Column::family},
    Title{"lastname", Column::family},
    Title{"surname", Column::family},
    Title{"sn", Column::family},
    Title{"nachname", Column::family},
    Title{"familienname", Column::family},
    Title{"primarysmtpaddress", Column::email},
    Title{"smtpaddress", Column::email},
    Title{"emailaddresses", Column::email},
    Title{"proxyaddresses", Column::email},
    Title{"windowsemailaddress", Column::email},
    Title{"smtpadresse", Column::email},
    Title{"emailadressen", Column::email},
    Title{"login", Column::login},
    Title{"username", Column::login},
    Title{"loginname", Column::login},
    Title{"benutzername", Column::login},
    Title{"anmeldename", Column::login},
    Title{"benutzerkennung", Column::login},
    Title{"kennung", Column::login},
    Title{"samaccountname", Column::login},
    Title{"alias", Column::login},
    Title{"userprincipalname", Column::login},
    Title{"account", Column::login},
    Title{"konto", Column::login},
    Title{"company", Column::organisation},
    Title{"organisation", Column::organisation},
    Title{"organization", Column::organisation},
    Title{"organization1name", Column::organisation},
    Title{"organizationname", Column::organisation},
    Title{"firma", Column::organisation},
    Title{"department", Column::unit},
    Title{"abteilung", Column::unit},
    Title{"organisationseinheit", Column::unit},
    Title{"amt", Column::unit},
    Title{"organization1department", Column::unit},
    Title{"organizationdepartment", Column::unit},
    Title{"jobtitle", Column::title},
    Title{"title", Column::title},
    Title{"position", Column::title},
    Title{"funktion", Column::title},
    Title{"dienstbezeichnung", Column::title},
    Title{"organization1title", Column::title},
    Title{"validfrom", Column::from},
    Title{"g\xC3\xBCltigvon", Column::from},
    Title{"g\xC3\xBCltigab", Column::from},
    Title{"eintritt", Column::from},
    Title{"eintrittsdatum", Column::from},
    Title{"startdate", Column::from},
    Title{"hiredate", Column::from},
    Title{"validuntil", Column::until},
    Title{"validto", Column::until},
    Title{"g\xC3\xBCltigbis", Column::until},
    Title{"austritt", Column::until},
    Title{"austrittsdatum", Column::until},
    Title{"enddate", Column::until},
    Title{"matrix", Column::matrix},
    Title{"matrixid", Column::matrix},
    Title{"mxid", Column::matrix},
    Title{"xmpp", Column::xmpp},
    Title{"jabber", Column::xmpp},
    Title{"jid", Column::xmpp},
    Title{"jabberid", Column::xmpp},
    Title{"sip", Column::sip},
    Title{"sipaddress", Column::sip},
    Title{"sipadresse", Column::sip},
    Title{"threema", Column::threema},
    Title{"threemaid", Column::threema},
    Title{"signal", Column::signal},
    Title{"telegram", Column::telegram},
    Title{"mattermost", Column::mattermost},
    Title{"mattermostid", Column::mattermost},
    Title{"im", Column::im},
    Title{"imaddress", Column::im},
    Title{"imadresse", Column::im},
    Title{"chatadresse", Column::im},
};

// Letters and digits alone, small: "E-Mail 2: Adresse" becomes "email2adresse".
std::string squeezed(std::string_view title) {
    std::string out;
    for (const char c : fold(BookText::value(title)))
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || static_cast<unsigned char>(c) >= 0x80) out += c;
    return out;
}

bool is_email(std::string_view t) {
    if (t.substr(0, 1) == "e") t.remove_prefix(1);
    if (t.substr(0, 4) != "mail") return false;
    t.remove_prefix(4);
    while (!t.empty() && t[0] >= '0' && t[0] <= '9') t.remove_prefix(1);
    return t.empty() || t == "address" || t == "adresse" || t == "value" || t == "wert";
}
bool is_phone(std::string_view t) {
    const auto has = [t](std::string_view part) { return t.find(part) != std::string_view::npos; };
    if (has("fax") || has("type") || has("label") || has("typ")) return false;
    return has("phone") || has("telefon") || has("mobil") || has("handy") || t == "tel";
}

Column column_of(std::string_view title) {
    const std::string text = squeezed(title);
    for (const Title& t : kTitles)
        if (t.text == text) return t.column;
    if (is_email(text)) return Column::email;
    return is_phone(text) ? Column::phone : Column::none;
}

// The sign that stands most often in the first line, outside quotation marks.
char separator_of(std::string_view line) {
    std::array<std::size_t, 4> count{};
    constexpr std::string_view kSigns = ";,\t|";
    bool quoted = false;
    for (const char c : line) {
        if (c == '"') quoted = !quoted;
        const std::size_t which = quoted ? std::string_view::npos : kSigns.find(c);
        if (which != std::string_view::npos) ++count[which];
    }
    return kSigns[static_cast<std::size_t>(std::max_element(count.begin(), count.end()) - count.begin())];
}

template <class Add>
void each(std::string_view cell, std::string_view signs, Add add) {
    while (!cell.empty()) {
        const std::size_t end = std::min(cell.find_first_of(signs), cell.size());
        if (const auto part = trimmed(cell.substr(0, end)); !part.empty()) add(part);
        cell.remove_prefix(std::min(end + 1, cell.size()));
    }
}

void set(std::string& into, std::string_view value) {
    if (into.empty()) into = std::string(trimmed(value));
}

void take(PersonCard& card, std::string& middle, Column column, const std::string& cell) {
    const auto id = [&](const char* scheme) {
        each(cell, ";\n", [&](std::string_view one) { add_value(card.ids, std::string(scheme) + std::string(one)); });
    };
    switch (column) {
        case Column::none:
            return;
        case Column::uid:
            return set(card.uid, cell);
        case Column::number:
            return set(card.number, cell);
        case Column::name:
            return add_value(card.names, cell);
        case Column::given:
            return set(card.given, cell);
        case Column::middle:
            return set(middle, cell);
        case Column::family:
            return set(card.family, cell);
        case Column::email:
            return each(cell, ";,| \t\r\n", [&](std::string_view one) { add_address(card, one); });
        case Column::phone:
            return each(cell, ";\n", [&](std::string_view one) { add_value(card.phones, one); });
        case Column::login:
            return each(cell, ";\n", [&](std::string_view one) { add_value(card.logins, one); });
        case Column::organisation:
            return set(card.organisation, cell);
        case Column::unit:
            return set(card.unit, cell);
        case Column::title:
            return set(card.title, cell);
        case Column::from:
            card.from = access::parse_day(cell);
            return;
        case Column::until:
            card.until = access::parse_day(cell);
            return;
        case Column::matrix:
            return id("matrix:");
        case Column::xmpp:
            return id("xmpp:");
        case Column::sip:
            return id("sip:");
        case Column::threema:
            return id("threema:");
        case Column::signal:
            return id("signal:");
        case Column::telegram:
            return id("telegram:");
        case Column::mattermost:
            return id("mattermost:");
        case Column::im:
            return id("im:");
    }
}

PersonCard card_of(const CsvRow& row, const std::vector<Column>& columns) {
    PersonCard card;
    std::string middle;
    for (std::size_t i = 0; i < std::min(row.fields.size(), columns.size()); ++i)
        if (columns[i] != Column::none) take(card, middle, columns[i], BookText::value(row.fields[i]));
    if (card.names.empty()) {
        std::string name;
        for (const std::string* part : {&card.given, &middle, &card.family})
            if (!part->empty()) name += (name.empty() ? "" : " ") + *part;
        add_value(card.names, name);
    }
    return card;
}

}  // namespace

Status read_address_csv(BookText& text, BookSink& sink) {
    const std::string_view all = text.utf8();
    const auto give = [&](std::size_t begin, std::size_t end, PersonCard card, std::string quarantine,
                          bool nobody) -> Status {
        BookItem item;
        item.card = std::move(card);
        item.raw = text.raw(begin, end);
        item.format = "address-csv";
        item.quarantine = std::move(quarantine);
        item.nobody = nobody;
        return item.raw.empty() ? ok_status() : sink.item(std::move(item));
    };
    std::size_t skipped = 0;  // Excel's "sep=;"
    const std::string_view first = all.substr(0, std::min(all.find('\n'), all.size()));
    char separator = separator_of(first);
    if (first.size() >= 5 && fold(first.substr(0, 4)) == "sep=") {
        separator = first[4];
        skipped = std::min(first.size() + 1, all.size());
    }
    CsvReader rows(all.substr(skipped), separator);
    CsvRow row;
    std::vector<Column> columns;
    if (rows.next(row))
        for (const std::string& title : row.fields) columns.push_back(column_of(title));
    const auto has = [&](Column c) { return std::find(columns.begin(), columns.end(), c) != columns.end(); };
    if (!has(Column::email) && !has(Column::name) && !has(Column::family) && !has(Column::login) &&
        !has(Column::matrix))
        return give(0, all.size(), {}, "no-known-column", false);
    const auto unknown = std::count(columns.begin(), columns.end(), Column::none);
    if (unknown != 0) sink.finding("address-book:column-not-known", static_cast<std::uint64_t>(unknown));
    TRY(give(0, skipped + row.end, {}, "", true));
    while (rows.next(row)) {
        PersonCard card = card_of(row, columns);
        const bool blank = std::all_of(row.fields.begin(), row.fields.end(),
                                       [](const std::string& cell) { return trimmed(cell).empty(); });
        const char* const why = row.unclosed_quote ? "csv-unclosed-quote" : card.empty() && !blank ? "no-person" : "";
        TRY(give(skipped + row.begin, skipped + row.end, std::move(card), why, blank));
    }
    return ok_status();
}

}  // namespace kustos::ingest
