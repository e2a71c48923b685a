#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <sstream>

#include "app/call.h"
#include "app/src/call_options.h"

namespace kustos::app {

namespace {

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr ? value : "";
}

// Letters to change, add or drop to make one word of the other.
std::size_t distance(const std::string& a, const std::string& b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t diagonal = row[0]++;
        for (std::size_t j = 0; j < b.size(); ++j) {
            const std::size_t changed = diagonal + (a[i] == b[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({changed, row[j] + 1, row[j + 1] + 1});
        }
    }
    return row.back();
}

// What to say when the first word is no command; empty otherwise.
std::string unknown_command(const CLI::App& app) {
    if (!app.get_subcommands().empty()) return {};
    const std::vector<std::string> rest = app.remaining();
    const auto word = std::find_if(rest.begin(), rest.end(), [](const std::string& w) { return w.rfind('-', 0) != 0; });
    if (word == rest.end()) return {};
    std::string text = "kustos: there is no command \"" + word->substr(0, 40) + "\"\n", nearest;
    std::size_t least = 3;
    for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
        const std::size_t away = word->size() < 40 ? distance(*word, sub->get_name()) : least;
        if (away < least) least = away, nearest = sub->get_name();
    }
    return text + (nearest.empty() ? "  kustos --help shows all" : "  did you mean: kustos " + nearest) + "\n";
}

void add_sources(CLI::App& app, Call& c, const Chosen& chosen) {
    auto* source = app.add_subcommand("source", "archive streams")->require_subcommand(1);
    const auto add = [&](const std::string& name, const char* help, bool named = true) {
        auto* sub = source->add_subcommand(name, help);
        if (named) sub->add_option("NAME", c.name)->required();
        chosen(sub, "source " + name);
        return sub;
    };
    auto* source_add = add("add", "introduce a source");
    source_add->add_option("--kind", c.kind, "import | http | folder | matrix | ...")->required();
    source_add->add_option("--class", c.retention_class, "retention class")->capture_default_str();
    add("list", "all sources, and how they stand", false);
    add("pause", "take nothing more from it");
    add("resume", "take from it again");
    Options(add("token", "of a source that pushes: its tokens, a new one, the end of an old one"), c)
        .flag("new", "issue a new one; it is shown once")
        .text("keep-old", "hours for which the old ones still count; without it they end at once")
        .text("end", "the number of one that ends now");
    auto* profile = add("profile", "what of it is captured; with --set, from now on");
    profile
        ->add_option("--set", c.paths,
                     "a YAML file: kinds_out, read_receipts, presence, typing, location, rooms_in, "
                     "rooms_out, persons_in, persons_out")
        ->expected(1)
        ->allow_extra_args(false);
    profile->add_option("--ground", c.ground, "why it is set; without --set, why what is sealed of it is read");
    profile->add_option("--approver", c.approvers, "who approved; two different people")->allow_extra_args(false);
    auto* findings = add("findings", "gaps and contradictions, open and settled", false);
    findings->add_option("NAME", c.name, "of this source alone");
    findings->add_option("--ground", c.ground, "why what they are about is read");
    findings->add_option("--limit", c.limit)->capture_default_str()->check(CLI::Range(1, 10'000));
    Options(findings, c).flag("open", "only those that nobody has settled");
    auto* resolve = add("resolve", "settle a finding");
    resolve->add_option("--ground", c.ground, "why")->required();
    Options(resolve, c).text("finding", "its number", true);
    auto* completeness = add("completeness", "what is here, what is missing; with --out, a signed certificate");
    completeness->add_option("--out", c.reports, "FILE.pdf or FILE.json; may repeat")->allow_extra_args(false);
    Options(completeness, c).text("from", "first day: 2026-03-01", true).text("to", "last day", true);

    auto* quarantine =
        app.add_subcommand("quarantine", "what could not be read and is sealed as it came")->require_subcommand(1);
    auto* quarantine_list = quarantine->add_subcommand("list", "without content: entry, source, reason, size");
    quarantine_list->add_option("--limit", c.limit)->capture_default_str()->check(CLI::Range(1, 100'000));
    auto* fetch = quarantine->add_subcommand("fetch", "the bytes of one");
    fetch->add_option("ENTRY", c.record)->required();
    fetch->add_option("--out", c.out, "a file")->required();
    auto* reparse = quarantine->add_subcommand("reparse", "read them with the formats of this version");
    reparse->add_option("ENTRY", c.record, "this one alone");
    reparse->add_option("--source", c.source, "of this source alone");
    reparse->add_option("--format", c.format, "auto, or one that `kustos formats` lists")->capture_default_str();
    for (auto* sub : {quarantine_list, fetch, reparse}) {
        sub->add_option("--matter", c.matter, "for which case");
        chosen(sub, "quarantine " + sub->get_name());
    }
}

void add_matters(CLI::App& app, Call& c, const Chosen& chosen) {
    auto* matter = app.add_subcommand("matter", "cases; no search without one")->require_subcommand(1);
    auto* fresh = matter->add_subcommand("new", "open a matter");
    fresh->add_option("--reference", c.reference, "file reference")->required();
    fresh->add_option("--ground", c.ground, "legal ground")->required();
    Options(fresh, c).text("scope", "a query: what its searches may find; without it, the whole archive");
    chosen(fresh, "matter new");
    chosen(matter->add_subcommand("list", "all matters"), "matter list");
    const auto of_one = [&](const char* name, const char* help) {
        auto* sub = matter->add_subcommand(name, help);
        sub->add_option("ID", c.matter)->required();
        chosen(sub, std::string("matter ") + name);
        return sub;
    };
    of_one("close", "end it");
    auto* scope = of_one("scope", "what its searches may find, and may have found before; with --query, from now on");
    scope->add_option("--query", c.query, "a query; '*': the whole archive");
    Options(scope, c).text("reason", "why it is changed");
    of_one("protocol", "who searched, opened and exported what, and when; leaves an entry of its own")
        ->add_option("--ground", c.ground, "why you read it; without it, the matter's own ground");

    auto* hashes = app.add_subcommand("hashes", "lists of attachments' sums, for hash:@NAME")->require_subcommand(1);
    const auto add = [&](const char* name, const char* help) {
        auto* sub = hashes->add_subcommand(name, help);
        sub->add_option("--matter", c.matter, "for which case");
        chosen(sub, std::string("hashes ") + name);
        return sub;
    };
    auto* add_list = add("add", "one SHA-256 a line, as sha256sum prints it");
    add_list->add_option("FILE", c.paths)->required()->expected(1);
    Options(add_list, c).text("name", "in the place of one of this name", true);
    add("list", "all lists of a matter");
    Options(add("remove", "no search finds by it any more"), c).text("name", "of the list", true);
}

void add_searches(CLI::App& app, Call& c, const Chosen& chosen) {
    const auto page = [&](CLI::App* sub) {
        sub->add_option("--matter", c.matter);
        sub->add_option("--limit", c.limit)->capture_default_str()->check(CLI::Range(1, 1000));
        sub->add_option("--sort", c.sort, "date | relevance")
            ->capture_default_str()
            ->check(CLI::IsMember({"date", "relevance"}));
        Options(sub, c).text("within", "a frozen result set: among its records alone");
    };
    auto* search =
        app.add_subcommand("search", "find records within a matter; save, saved, run, forget: its saved ones");
    page(search);
    search->add_option("QUERY", c.query)->required();
    Options(search, c)
        .flag("freeze", "keep what is found as a result set, such as R15")
        .flag("facets",
              "count the hits by source, kind, sender, recipient, file, language and month, and who wrote to whom")
        .text("name", "of the result set");
    search->footer(
        "Directly behind `search`: save --matter ID --name NAME QUERY | saved --matter ID | run --matter ID --name "
        "NAME |\n"
        "forget --matter ID --name NAME. To find such a word, put the options before it, or quotation marks around "
        "it.");
    chosen(search, "search");
    for (const char* what : {"save", "saved", "run", "forget"}) {
        auto* sub = app.add_subcommand(std::string("search-") + what, "a saved search of a matter")->group("");
        const bool runs = std::string_view(what) == "run";
        if (runs)
            page(sub);
        else
            sub->add_option("--matter", c.matter, "for which case");
        if (std::string_view(what) != "saved") Options(sub, c).text("name", "of the saved search", true);
        if (std::string_view(what) == "save") sub->add_option("QUERY", c.query)->required();
        chosen(sub, std::string("search ") + what);
    }

    auto* report = app.add_subcommand("hits", "what a list of terms finds")
                       ->require_subcommand(1)
                       ->add_subcommand("report", "for each term: hits, with family, unique, by month, by sender");
    report->add_option("--matter", c.matter, "for which case");
    report->add_option("--terms", c.paths, "a file with one query a line, or a name, a tab and a query")
        ->required()
        ->expected(1)
        ->allow_extra_args(false);
    report->add_option("--out", c.reports, "FILE.csv, FILE.xlsx or FILE.pdf; may repeat")->allow_extra_args(false);
    Options(report, c)
        .text("within", "a frozen result set: among its records alone")
        .text("name", "of the list; without it, the file's name");
    chosen(report, "hits report");

    auto* result = app.add_subcommand("result", "frozen result sets of a matter")->require_subcommand(1);
    auto* list = result->add_subcommand("list", "all of a matter");
    list->add_option("--matter", c.matter, "for which case");
    chosen(list, "result list");
    const auto limited = [&](const char* name, const char* help) {
        auto* sub = result->add_subcommand(name, help);
        sub->add_option("--limit", c.limit, "record numbers that are listed")
            ->capture_default_str()
            ->check(CLI::Range(1, 5'000'000));
        chosen(sub, std::string("result ") + name);
        return sub;
    };
    limited("show", "what one holds, and what of it is erased since")->add_option("ID", c.record)->required();
    limited("compare", "what came and what went")
        ->add_option("IDS", c.given["results"], "R15 R27")
        ->required()
        ->expected(2);
}

// `search save` is a command of its own only directly behind `search`: anywhere else it is a word to find.
std::vector<std::string> with_saved_searches(std::vector<std::string> words) {
    static constexpr std::string_view kWithValue[] = {"--archive",         "--state",      "--lang",
                                                      "--passphrase-file", "--share-file", "--pin-file"};
    for (std::size_t i = 0; i + 1 < words.size(); ++i) {
        if (std::find(std::begin(kWithValue), std::end(kWithValue), words[i]) != std::end(kWithValue)) {
            ++i;
        } else if (words[i].rfind('-', 0) != 0) {
            const std::string& next = words[i + 1];
            if (words[i] != "search" || (next != "save" && next != "saved" && next != "run" && next != "forget")) break;
            words[i] += "-" + next;
            words.erase(words.begin() + static_cast<std::ptrdiff_t>(i) + 1);
            break;
        }
    }
    return words;
}

void add_persons(CLI::App& app, Call& c, const Chosen& chosen) {
    auto* person = app.add_subcommand("person", "address books, and who is who")->require_subcommand(1);
    const auto add = [&](const std::string& name, const char* help) {
        auto* sub = person->add_subcommand(name, help);
        chosen(sub, "person " + name);
        return sub;
    };
    auto* import = add("import", "read an address book into its source");
    import->add_option("FILE", c.paths, "CSV or vCard");
    import->add_option("--source", c.source, "a source of kind directory")->required();
    import->add_option("--format", c.format, "auto | csv | vcard")->capture_default_str();
    Options(import, c)
        .file("ldap", "settings of a directory server (docs/format/persons.md), instead of a file")
        .flag("part", "not everybody is in it: who is missing has not left");
    const auto with_matter = [&](CLI::App* sub) {
        sub->add_option("--matter", c.matter, "for which case");
        return sub;
    };
    auto* list = with_matter(add("list", "persons of the newest cards"));
    list->add_option("--limit", c.limit)->capture_default_str()->check(CLI::Range(1, 100'000));
    for (const char* name : {"find", "show"}) {
        auto* sub = with_matter(add(name, "a name, an address or id, or P and a number"));
        sub->add_option("WHO", c.query)->required();
        Options(sub, c).text("at", "as of this day: who had it then");
    }
    for (const char* name : {"join", "split"}) {
        auto* sub = with_matter(add(name, "decide that two persons are one, or that two cards are not one person's"));
        sub->add_option("PERSONS", c.given["persons"], "P12 P34")->required()->expected(2);
        sub->add_option("--ground", c.ground, "why")->required();
    }
}

}  // namespace

Parsed parse_call(const std::vector<std::string>& arguments) {
    Call c;
    std::string language = environment("LC_ALL");
    if (language.empty()) language = environment("LC_MESSAGES");
    if (language.empty()) language = environment("LANG");
    language = language.substr(0, 2);
    std::string archive = environment("KUSTOS_ARCHIVE"), state = environment("KUSTOS_STATE");

    CLI::App app("Kustos: seals what an authority wrote, finds it for those with a lawful purpose, and proves it.",
                 "kustos");
    app.set_version_flag("--version", "kustos " KUSTOS_VERSION);
    app.require_subcommand(1);
    app.fallthrough();
    app.add_option("--archive", archive, "the archive directory (or KUSTOS_ARCHIVE)");
    app.add_option("--state", state, "where the signer keeps its own memory, outside the archive (or KUSTOS_STATE)");
    app.add_flag("--json", c.json, "machine-readable output");
    app.add_option("--lang", language, "de or en");
    app.add_option("--passphrase-file", c.passphrase_file, "a file with the passphrase, or - for standard input");
    app.add_option("--share-file", c.share_files,
                   "a file with a share; may repeat; - for standard input: on a terminal the holders are asked")
        ->allow_extra_args(false);
    app.add_flag("--tpm", c.tpm, "open the vault with this machine's TPM");
    app.add_flag("--token", c.token, "open the vault with the token that its slot names");
    app.add_option("--pin-file", c.pin_file, "the TPM's PIN, or another file than the slot names for the token's");

    auto chosen = [&c](CLI::App* sub, const std::string& name) { sub->callback([&c, name] { c.command = name; }); };

    auto* init = app.add_subcommand("init", "make a new archive");
    init->add_option("DIR", c.paths, "the new directory")->required()->expected(1);
    init->add_option("--signer-keys", c.signer_keys,
                     "where the signer's keys are made: file, or a token's pkcs11: URI");
    init->add_option("--suite", c.suite, "cipher: aes-256-gcm | xchacha20")->capture_default_str();
    init->add_option("--unlock", c.unlock, "auto (default) | passphrase | shares:K/N | tpm[:ADDRESS] | a pkcs11: URI");
    init->add_option("--shares-out", c.shares_out, "a folder for the sheets of shares, to be printed");
    init->add_option("--holder", c.holders, "whose name stands on a sheet, in order; may repeat")
        ->allow_extra_args(false);
    init->add_option("--tsa", c.authorities, "builtin, or the URL of an RFC 3161 authority; may repeat")
        ->allow_extra_args(false);
    init->add_option("--escrow", c.escrow, "another medium for what opens the content");
    chosen(init, "init");

    add_sources(app, c, chosen);

    auto* ingest = app.add_subcommand("ingest", "import files; can be interrupted and run again");
    ingest->add_option("--source", c.source)->required();
    ingest->add_option("--format", c.format, "auto, or one that `kustos formats` lists")->capture_default_str();
    Options(ingest, c)
        .text("time-zone", "of times without one: an IANA name such as Europe/Berlin")
        .file("origin-secret-file", "a file with the secret that the source signs its exports with");
    ingest->add_option("PATH", c.paths)->required();
    chosen(ingest, "ingest");
    chosen(app.add_subcommand("formats", "all formats, and what their messages can prove"), "formats");

    auto* index = app.add_subcommand("index", "what makes records findable")->require_subcommand(1);
    auto* check = index->add_subcommand("check", "compare the index with the ledger (needs an open vault)");
    Options(check, c).flag("repair", "remove what can't be trusted, and index what is missing");
    chosen(check, "index check");
    chosen(
        index->add_subcommand("rebuild", "remove the whole index and make it again from the vault, which must be open"),
        "index rebuild");
    chosen(index->add_subcommand("merge", "join small shards, so that searches ask fewer (needs an open vault)"),
           "index merge");
    chosen(index->add_subcommand("update", "take in what is sealed and not in the index yet"), "index update");
    auto* retry = index->add_subcommand("retry", "read attachments again that could not be read then");
    retry->add_option("--matter", c.matter, "with an opener apart: for which case");
    Options(retry, c).list("reason", "a word of the coverage (default: what ends by itself: no-sandbox, no-ocr, ...)");
    chosen(retry, "index retry");

    chosen(app.add_subcommand("status", "what is there, and what to do next"), "status");

    auto* attempt = app.add_subcommand("try", "a trial archive for the first five minutes");
    attempt->add_option("FILE", c.paths)->required();
    chosen(attempt, "try");

    add_matters(app, c, chosen);
    add_searches(app, c, chosen);

    auto* show = app.add_subcommand("show", "one record");
    show->add_option("--matter", c.matter);
    show->add_option("RECORD", c.record)->required();
    auto* original = show->add_flag("--original", c.original, "the exact source bytes");
    show->add_option("--attachment", c.attachment_number, "the content of this attachment, from 1")
        ->check(CLI::Range(1, 65'000))
        ->excludes(original);
    chosen(show, "show");

    auto* context = app.add_subcommand("context", "what stood before and after a record, and who was there");
    context->add_option("--matter", c.matter);
    context->add_option("RECORD", c.record)->required();
    for (const char* name : {"before", "after"})
        context->add_option("--" + std::string(name), c.given[name], "messages; 5, at most 50")
            ->expected(1)
            ->allow_extra_args(false)
            ->check(CLI::Range(0, 50));
    chosen(context, "context");

    auto* exporting = app.add_subcommand("export", "evidence bundle or originals");
    exporting->add_option("--matter", c.matter);
    exporting->add_option("--query", c.query);
    exporting->add_option("--records", c.records_file, "a file with one record number a line");
    Options(exporting, c).text("result", "a frozen result set: exactly what it holds");
    exporting->add_option("--out", c.out)->required();
    exporting->add_option("--as", c.as, "pdf | eml | mbox")->capture_default_str();
    exporting->add_option("--redact", c.redact);
    chosen(exporting, "export");

    auto* verify = app.add_subcommand("verify", "check the whole archive without any key");
    verify->add_flag("--deep", c.deep, "also open content");
    verify->add_option("--trust", c.trust, "a trust file");
    verify->add_flag("--since-last", c.since_last, "only what is new since the last time that nothing was found");
    verify->add_option("--sample", c.sample, "only so many entries, drawn by the nonce");
    verify->add_option("--nonce", c.nonce, "hex, 8 to 64 bytes: the auditor's choice");
    verify->add_option("--report", c.reports, "a signed report: FILE.pdf or FILE.json; may repeat")
        ->allow_extra_args(false);
    chosen(verify, "verify");

    auto* renew = app.add_subcommand("renew", "renew time stamps before certificates or digests age");
    renew->add_flag("--check", c.check, "only say what is due");
    chosen(renew, "renew");

    auto* evidence = app.add_subcommand("evidence", "evidence records (RFC 4998) of entries, without any content");
    evidence->add_option("RECORD", c.paths)->required();
    evidence->add_option("--out", c.out, "a folder")->required();
    chosen(evidence, "evidence");

    auto* anchor = app.add_subcommand("anchor", "time stamps by files carried by hand")->require_subcommand(1);
    auto* anchor_request = anchor->add_subcommand("request", "write a request for an authority (.tsq)");
    anchor_request->add_option("--out", c.out)->required();
    chosen(anchor_request, "anchor request");
    auto* anchor_preview = anchor->add_subcommand("preview", "how many tokens an interval costs, and what they cost");
    anchor_preview->add_option("--interval", c.interval_s, "seconds; without it, the configured one");
    anchor_preview->add_option("--price", c.price, "of one token, in any currency");
    chosen(anchor_preview, "anchor preview");
    auto* anchor_take = anchor->add_subcommand("take", "take the authority's answer (.tsr)");
    anchor_take->add_option("FILE", c.paths)->required()->expected(1);
    anchor_take->add_option("--authority", c.name, "what it is called here")->required();
    chosen(anchor_take, "anchor take");

    auto* receipt = app.add_subcommand("receipt", "the proof that an entry is in the ledger (C2SP tlog-proof)");
    receipt->add_option("RECORD", c.record)->required();
    receipt->add_option("--out", c.out, "a file; its entry goes beside it");
    chosen(receipt, "receipt");

    auto* witness = app.add_subcommand("witness", "watches other archives' ledgers")->require_subcommand(1);
    auto* witness_serve = witness->add_subcommand("serve", "cosigns checkpoints (C2SP tlog-witness)");
    witness_serve->add_option("--dir", c.out, "its folder (default: in the state directory)");
    witness_serve->add_option("--name", c.name, "of a new witness, such as witness.example.de");
    witness_serve->add_option("--port", c.port)->required();
    witness_serve->add_option("--host", c.host, "the address to listen on")->capture_default_str();
    witness_serve->add_option("--log", c.paths, "verifier key of a ledger; may repeat")->allow_extra_args(false);
    chosen(witness_serve, "witness serve");

    auto* trust =
        app.add_subcommand("trust", "signed trust files, for whoever is responsible for one")->require_subcommand(1);
    auto* trust_key = trust->add_subcommand("key", "make a key to sign trust files with");
    trust_key->add_option("--name", c.name, "whose, without spaces: authority.example/trust")->required();
    trust_key->add_option("--out", c.out, "the file for the private key")->required();
    chosen(trust_key, "trust key");
    auto* trust_sign = trust->add_subcommand("sign", "sign a trust file");
    trust_sign->add_option("FILE", c.paths)->required()->expected(1);
    trust_sign->add_option("--key", c.key_file)->required();
    trust_sign->add_option("--out", c.out)->required();
    chosen(trust_sign, "trust sign");

    auto* go_on = app.add_subcommand("continue", "go on under a new name, when a newer state of the archive is lost");
    go_on->add_flag("--yes", c.yes, "the newer state is lost, and the data protection officer knows");
    go_on->add_option("--signer-keys", c.signer_keys, "where the new keys are made: file, or a token's pkcs11: URI");
    chosen(go_on, "continue");

    auto* signer = app.add_subcommand("signer", "the signer in a process of its own")->require_subcommand(1);
    auto* signer_serve = signer->add_subcommand("serve", "hold the keys, and answer the archive alone");
    signer_serve->add_option("--dir", c.out, "the signer's store: STATE/VAULT/signer")->required();
    signer_serve->add_option("--socket", c.socket, "where the archive finds it")->required();
    signer_serve->add_option("--caller", c.name, "the archive's user, if it is another one");
    signer_serve->add_option("--new-keys", c.signer_keys,
                             "where a rotation makes the new key: file, or a token's pkcs11: URI; without it, as the "
                             "present one");
    chosen(signer_serve, "signer serve");

    auto* opener = app.add_subcommand("opener", "the opener in a process of its own")->require_subcommand(1);
    auto* opener_serve = opener->add_subcommand("serve", "hold the keys, and open what access entries list");
    opener_serve->add_option("--socket", c.socket, "where the archive finds it")->required();
    opener_serve->add_option("--caller", c.name, "the archive's user, if it is another one");
    opener_serve->add_option("--escrow", c.escrow,
                             "the medium that keeps what opens the content (config.yaml, escrow.dir)");
    opener_serve->add_option("--key", c.opener.key, "the ledger's key that it trusts; else that of the first start");
    opener_serve->add_option("--records-per-hour", c.opener.records_per_hour,
                             "for each person and matter; four times as many in all");
    opener_serve->add_option("--openings-per-minute", c.opener.openings_per_minute, "likewise");
    opener_serve->add_option("--searches-per-minute", c.opener.searches_per_minute, "likewise");
    chosen(opener_serve, "opener serve");
    auto* opener_status = opener->add_subcommand("status", "whether it is open, until when, and how much was opened");
    opener_status->add_option("--socket", c.socket, "else the one in config.yaml");
    chosen(opener_status, "opener status");
    auto* opener_unlock = opener->add_subcommand("unlock", "hand what opens the vault straight to the opener");
    opener_unlock->add_option("--socket", c.socket, "else the one in config.yaml");
    opener_unlock->add_option("--for", c.for_time, "30m, 8h (default), 2d; at most 7d");
    chosen(opener_unlock, "opener unlock");
    auto* opener_lock = opener->add_subcommand("lock", "close the vault now");
    opener_lock->add_option("--socket", c.socket, "else the one in config.yaml");
    chosen(opener_lock, "opener lock");
    auto* opener_note =
        opener->add_subcommand("note", "an entry of the opener's, brought by who talks to it")->group("");
    chosen(opener_note, "opener note");
    chosen(opener->add_subcommand("self-test", "raise the opener's walls and try them"), "opener self-test");
    chosen(app.add_subcommand("index-rewriter", "started by the opener")->group(""), "index-rewriter");
    chosen(app.add_subcommand("search-worker", "started by the opener")->group(""), "search-worker");

    auto* unlock = app.add_subcommand("unlock", "open the running server's vault for a time");
    unlock->add_option("--for", c.for_time, "30m, 8h (default), 2d; at most 7d");
    chosen(unlock, "unlock");
    chosen(app.add_subcommand("lock", "close it now"), "lock");

    auto* key =
        app.add_subcommand("key", "keys: who can open the vault, and the checkpoint key")->require_subcommand(1);
    chosen(key->add_subcommand("status", "how the vault can be opened, and how strong that is"), "key status");
    auto* key_rekey = key->add_subcommand("rekey", "add, replace or remove ways of opening; the data's keys stay");
    key_rekey->add_option("--add", c.add, "passphrase | shares:K/N | tpm[:ADDRESS] | a pkcs11: URI | auto; may repeat")
        ->allow_extra_args(false);
    key_rekey->add_option("--remove", c.remove, "passphrase | shares | tpm | pkcs11 | auto; may repeat")
        ->allow_extra_args(false);
    key_rekey->add_option("--new-passphrase-file", c.new_passphrase_file, "of a new slot; - for standard input");
    key_rekey->add_option("--new-pin-file", c.new_pin_file, "of a new TPM slot; - for standard input");
    key_rekey->add_option("--shares-out", c.shares_out, "a folder for the sheets of new shares");
    key_rekey->add_option("--holder", c.holders, "whose name stands on a sheet, in order; may repeat")
        ->allow_extra_args(false);
    chosen(key_rekey, "key rekey");
    auto* key_shares = key->add_subcommand("shares", "a new set of shares; the old ones open nothing any more");
    key_shares->add_option("--out", c.out, "a folder for the sheets, to be printed")->required();
    key_shares->add_option("--as", c.unlock, "shares:K/N; without it, as the present set");
    key_shares->add_option("--holder", c.holders, "whose name stands on a sheet, in order; may repeat")
        ->allow_extra_args(false);
    chosen(key_shares, "key shares");
    auto* key_rotate = key->add_subcommand("rotate", "announce a new key under the present one, and use it");
    key_rotate->add_option("--to", c.signer_keys, "file, or a token's pkcs11: URI; without it, as the present one");
    key_rotate
        ->add_option_function<std::string>(
            "--epoch", [&c](const std::string& where) { c.given["epoch"] = {where}; },
            "not the checkpoint key: the keyring's, with the secret that has to be forgotten in file | tpm[:ADDRESS] | "
            "a token's pkcs11: URI from now on")
        ->excludes("--to");
    key_rotate->add_option("--owner-file", c.new_pin_file,
                           "the TPM owner's authorisation, if it has one; - for standard input");
    chosen(key_rotate, "key rotate");

    auto* serve = app.add_subcommand("serve", "the daemon: streams, indexer, anchors, web");
    serve->add_option("--config", c.config);
    serve->add_option("--port", c.port, "https on loopback (default 8443)");
    chosen(serve, "serve");

    auto* tsa = app.add_subcommand("tsa", "the builtin time-stamp authority")->require_subcommand(1);
    auto* tsa_serve = tsa->add_subcommand("serve", "over HTTP, for trials and tests");
    tsa_serve->add_option("--port", c.port)->required();
    chosen(tsa_serve, "tsa serve");

    auto* audit =
        app.add_subcommand("audit", "the audit trail, for auditors: no keys, no content")->require_subcommand(1);
    auto* audit_list = audit->add_subcommand("list", "the newest entries: control, access, erasure");
    auto* audit_export = audit->add_subcommand("export", "all of them, into a .csv or .jsonl file");
    for (auto* sub : {audit_list, audit_export}) {
        sub->add_option("--kind", c.kind, "control | access | erasure | record | blob");
        sub->add_option("--action", c.action, "such as search, source_heartbeat, configuration_changed");
        sub->add_option("--source", c.source, "of this source, or about it");
        sub->add_option("--since", c.since, "a day or a time, RFC 3339");
        sub->add_option("--until", c.until, "before this day or time");
        sub->add_option("--from", c.from, "the first entry");
        sub->add_option("--to", c.to, "before this entry");
    }
    audit_list->add_option("--limit", c.limit)->capture_default_str()->check(CLI::Range(1, 100'000));
    audit_export->add_option("--out", c.out)->required();
    chosen(audit_list, "audit list");
    chosen(audit_export, "audit export");
    auto* audit_show = audit->add_subcommand("show", "what is sealed in such an entry; leaves an entry of its own");
    audit_show->add_option("ENTRY", c.record)->required();
    audit_show->add_option("--ground", c.ground, "why you read it")->required();
    chosen(audit_show, "audit show");
    auto* audit_sample = audit->add_subcommand(
        "sample", "open records that an auditor's nonce draws, and check that they are what was committed to");
    audit_sample->add_option("--nonce", c.nonce, "hex, 8 to 64 bytes, chosen after the checkpoint")->required();
    audit_sample->add_option("--count", c.sample, "records")->required();
    audit_sample->add_option("--report", c.reports, "a signed report: FILE.pdf or FILE.json; may repeat")
        ->allow_extra_args(false);
    chosen(audit_sample, "audit sample");

    auto* backup = app.add_subcommand("backup", "everything but what opens the content; while the server runs");
    backup->add_option("--to", c.out, "a folder; the next backup into it costs what is new");
    backup->add_option("--escrow", c.escrow, "the escrow's medium, where config.yaml names none");
    auto* backup_verify = backup->add_subcommand("verify", "check a backup without any key");
    backup_verify->add_option("DIR", c.paths)->required()->expected(1);
    chosen(backup_verify, "backup verify");
    backup->callback([&c, backup] {
        if (backup->get_subcommands().empty()) c.command = "backup";
    });
    auto* restore = app.add_subcommand("restore", "an archive from its backup and its escrow, into an empty place");
    restore->add_option("--from", c.from, "the backup")->required();
    restore->add_option("--escrow", c.escrow, "the escrow's medium; without it the content stays closed");
    restore->add_option("--report", c.reports, "FILE.json or FILE.txt; may repeat")->allow_extra_args(false);
    restore->add_option("--file", c.paths, "only this file of the archive directory; may repeat")
        ->allow_extra_args(false);
    restore->add_flag("--drill", c.drill, "into a temporary folder that is removed again: does it work?");
    restore->add_flag("--yes", c.yes, "go on under a new name, although a signer here remembers a newer state");
    chosen(restore, "restore");

    auto* exit_export =
        app.add_subcommand("exit-export", "the whole archive with its keys in the clear, for who leaves");
    exit_export->add_option("--to", c.out, "a folder that does not exist yet, or one that was interrupted")->required();
    exit_export->add_option("--ground", c.ground, "why")->required();
    exit_export->add_option("--approver", c.approvers, "two different people")->required()->allow_extra_args(false);
    chosen(exit_export, "exit-export");

    auto* account = app.add_subcommand("account", "who may use the pages of `serve`")->require_subcommand(1);
    auto* account_set = account->add_subcommand("set", "set the password of the one local account");
    account_set->add_option("NAME", c.name)->required();
    account_set->add_option("--password-file", c.password_file, "a file with the password, or -")->required();
    chosen(account_set, "account set");

    auto* erase = app.add_subcommand("erase", "destroy the keys of records (Art. 17 GDPR); status, list");
    erase->add_option("--record", c.record, "one record");
    erase->add_option("--records", c.records_file, "a file with one record number a line");
    erase->add_option("--query", c.query, "every record that it finds");
    erase->add_option("--attachment", c.attachment, "SHA-256 of an attachment: everywhere where it is");
    erase->add_option("--ground", c.ground, "the legal basis");
    erase->add_flag("--without-escrow", c.without_escrow,
                    "although its medium is away: until it is back, losing this machine loses the content");
    erase->add_option("--approver", c.approvers, "who approved; two different people")->allow_extra_args(false);
    erase->add_flag("--check", c.check, "only say what would be erased");
    erase->add_option("--certificate", c.reports, "a signed certificate: FILE.pdf or FILE.json; may repeat")
        ->allow_extra_args(false);
    erase->require_subcommand(0, 1);
    erase->callback([&c] {  // runs behind those of its own commands
        if (c.command.empty()) c.command = "erase";
    });
    auto* erase_status = erase->add_subcommand("status", "how far an erasure has come");
    erase_status->add_option("ERASURE", c.name)->required();
    erase_status->add_option("--certificate", c.reports, "a signed certificate: FILE.pdf or FILE.json; may repeat")
        ->allow_extra_args(false);
    chosen(erase_status, "erase status");
    chosen(erase->add_subcommand("list", "all erasures and dispositions"), "erase list");
    chosen(app.add_subcommand("compact", "remove the words and the ciphertext of what is erased"), "compact");

    add_decisions(app, c, chosen);
    add_persons(app, c, chosen);
    add_review(app, c, chosen);
    Parsed result;
    std::vector<const char*> argv{"kustos"};
    const std::vector<std::string> words = with_saved_searches(arguments);
    for (const std::string& a : words) argv.push_back(a.c_str());
    try {
        app.parse(static_cast<int>(argv.size()), argv.data());
    } catch (const CLI::ParseError& e) {
        if (const std::string wrong = unknown_command(app); !wrong.empty()) {
            result.err = wrong;
            result.exit_code = 2;
            return result;
        }
        std::ostringstream out, err;
        const int code = app.exit(e, out, err);
        result.out = out.str();
        if (code != 0) result.err = "kustos: " + err.str();
        result.exit_code = code == 0 ? 0 : 2;
        return result;
    }
    c.archive = archive;
    c.state = state;
    c.language = language == "de" ? Language::german : Language::english;
    result.call = std::move(c);
    return result;
}

}  // namespace kustos::app
