#include "app/src/person_intake.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "access/ldap_directory.h"
#include "app/person_import.h"

namespace kustos::app {

using nlohmann::json;

namespace {

constexpr std::uint64_t kMostSettings = 64u << 10;

struct Done {
    PersonImportResult result;
    std::uint64_t referrals = 0;
    bool complete = true;
};

Result<Done> from_files(const SourceCall& c, PersonImport& import) {
    const ingest::BookFormat format = TRY(ingest::parse_book_format(c.call.format));
    for (const std::string& path : c.call.paths) {
        const Bytes bytes = TRY_IN("the address book", read_file(c.house.environment().fs, path, ingest::kMaxBook));
        TRY(ingest::read_address_book(bytes, format, import));
    }
    Done done;
    done.result = TRY(import.finish(c.one("part").empty()));
    return done;
}

bool lies_in(const Path& file, const Path& folder) {
    std::error_code ignored;
    const Path inner = std::filesystem::weakly_canonical(file, ignored);
    const Path outer = std::filesystem::weakly_canonical(folder, ignored);
    return std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end()).first == outer.end();
}

Result<Done> from_server(const SourceCall& c, Streams streams, PersonImport& import, const std::string& file) {
    const Bytes text = TRY_IN("the settings", read_file(c.house.environment().fs, file, kMostSettings));
    const access::LdapSettings settings = TRY(access::parse_ldap_settings(as_text(text)));
    SecretBytes password;
    if (!settings.password_file.empty()) {
        if (lies_in(settings.password_file, c.house.archive().dir()))
            return Error(Code::usage, "the password of a directory server does not lie in the archive")
                .with_hint("backups take everything that lies there");
        password = TRY(read_secret(c.house.environment(), settings.password_file.string(), "the directory's password"));
    }
    (void)streams;
    std::uint64_t binary = 0;
    const access::LdapOutcome outcome =
        TRY(access::read_ldap(settings, password, [&](access::LdapEntry entry) -> Status {
            ingest::BookItem item;
            item.raw = access::ldif_of(entry);
            item.format = "ldap";
            item.card = access::card_of(entry, settings, &binary);
            if (item.card.empty()) item.nobody = true;
            return import.item(std::move(item));
        }));
    if (binary != 0) import.finding("ldap:binary-value", binary);
    if (outcome.referrals != 0) import.finding("ldap:referral-not-followed", outcome.referrals);
    if (!outcome.complete) import.finding("ldap:incomplete");
    Done done;
    done.referrals = outcome.referrals;
    done.complete = outcome.complete && outcome.referrals == 0;
    done.result = TRY(import.finish(settings.whole_book && done.complete && c.one("part").empty()));
    return done;
}

Status make_findable(const SourceCall& c, Streams streams) {
    TRY(c.house.index_all(!c.call.json));
    if (!TRY(c.house.publish_and_anchor()))
        streams.err << "kustos: "
                    << c.say(
                           "eine Zeitstempelstelle hat nicht geantwortet; es wird beim nächsten Mal weiter versucht\n",
                           "a time-stamp authority did not answer; it is tried again next time\n");
    return {};
}

void say(const SourceCall& c, const Done& done) {
    const PersonImportResult& r = done.result;
    if (c.call.json) {
        json findings = json::array();
        for (const auto& [code, n] : r.findings) findings.push_back({{"code", code}, {"count", n}});
        c.out << json{{"persons", r.persons},
                      {"sealed", r.sealed},
                      {"unchanged", r.unchanged},
                      {"gone", r.gone},
                      {"quarantined", r.quarantined},
                      {"conflicts", r.conflicts},
                      {"findings", std::move(findings)},
                      {"complete", done.complete}}
                     .dump()
              << "\n";
        return;
    }
    c.out << r.persons << c.say(" Personen im Adressbuch: ", " persons in the address book: ") << r.sealed
          << c.say(" Karten versiegelt, ", " cards sealed, ") << r.unchanged << c.say(" unverändert, ", " unchanged, ")
          << r.gone << c.say(" nicht mehr darin, ", " not in it any more, ") << r.quarantined
          << c.say(" in Quarantäne\n", " quarantined\n");
    for (const auto& [code, n] : r.findings) c.out << c.say("Befund: ", "finding: ") << code << " × " << n << "\n";
    if (!done.complete)
        c.out << c.say("Der Server hat nicht alles gegeben: niemand gilt als ausgeschieden.\n",
                       "The server has not given everything: nobody counts as having left.\n");
}

}  // namespace

Result<int> import_persons(const SourceCall& c, Streams streams) {
    const std::string settings = c.one("ldap");
    if (c.call.paths.empty() == settings.empty()) return Error(Code::usage, "give either files or --ldap SETTINGS");
    const vault::SourceInfo source = TRY(c.desk().find(c.call.source));
    if (source.kind != "directory")
        return Error(Code::usage, "this source is no address book")
            .with_hint("kustos source add NAME --kind directory");
    if (source.paused) return Error(Code::denied, "this source is paused");
    PersonImport import(c.house, source);
    TRY(import.begin());
    auto done = settings.empty() ? from_files(c, import) : from_server(c, streams, import, settings);
    const Status finished = make_findable(c, streams);  // also what an import that ended early has sealed
    if (!done.ok()) return done.error();
    TRY(Status(finished));
    say(c, *done);
    return 0;
}

}  // namespace kustos::app
