#include "search/snippet.h"

#include <doctest/doctest.h>

#include "base/random.h"
#include "base/text.h"

namespace kustos::search {
namespace {

Query query(std::string_view text) {
    ParsedQuery parsed = parse(text);
    REQUIRE(parsed.query);
    return *parsed.query;
}

std::vector<std::string> highlighted(const Snippet& snippet) {
    std::vector<std::string> out;
    for (const TextRange& range : snippet.highlights) {
        REQUIRE(range.begin < range.end);
        REQUIRE(range.end <= snippet.text.size());
        out.push_back(snippet.text.substr(range.begin, range.end - range.begin));
    }
    return out;
}

vault::Message with_body(std::string body) {
    vault::Message message;
    message.body = std::move(body);
    return message;
}

using Strings = std::vector<std::string>;

std::string filler(int words) {
    std::string out;
    for (int i = 0; i < words; ++i) out += "füllwort ";
    return out;
}

}  // namespace

TEST_CASE("a short text is shown whole, with the words that were found") {
    const Snippet snippet = make_snippet(with_body("Die  Verträge wurden\n\ngeprüft."), query("vertrag geprüft"));
    CHECK(snippet.text == "Die Verträge wurden geprüft.");
    CHECK(highlighted(snippet) == Strings{"Verträge", "geprüft"});
    CHECK(snippet.where == "body");
}

TEST_CASE("a long text is cut around what was found, at words") {
    const Snippet snippet = make_snippet(with_body(filler(200) + "Müller kündigt " + filler(200)), query("mueller"));
    CHECK(highlighted(snippet) == Strings{"Müller"});
    CHECK(snippet.text.rfind("…füllwort", 0) == 0);
    CHECK(snippet.text.size() < 260);
    CHECK(snippet.text.substr(snippet.text.size() - 3) == "…");
}

TEST_CASE("the place with most different words wins") {
    const Snippet snippet =
        make_snippet(with_body("Haus " + filler(100) + "Haus und Garten " + filler(100)), query("haus garten"));
    CHECK(highlighted(snippet) == Strings{"Haus", "Garten"});
}

TEST_CASE("phrases, prefixes, compounds and second readings are highlighted, exclusions are not") {
    CHECK(highlighted(make_snippet(with_body("nicht da, nicht verkündet"), query("\"nicht verkündet\""))) ==
          Strings{"nicht verkündet"});
    CHECK(highlighted(make_snippet(with_body("Vertragswerk"), query("vertr*"))) == Strings{"Vertragswerk"});
    CHECK(highlighted(make_snippet(with_body("der Haftungsausschluss"), query("ausschluss"))) ==
          Strings{"Haftungsausschluss"});
    CHECK(highlighted(make_snippet(with_body("per E-Mail"), query("email"))) == Strings{"E-Mail"});
    CHECK(highlighted(make_snippet(with_body("an anna@example.org"), query("anna@example.org"))) ==
          Strings{"anna@example.org"});
    CHECK(highlighted(make_snippet(with_body("ja nein"), query("ja -nein"))) == Strings{"ja"});
}

TEST_CASE("wildcards, fuzzy and exact words are highlighted where they match") {
    const auto found = [](std::string body, std::string_view text) {
        return highlighted(make_snippet(with_body(std::move(body)), query(text)));
    };
    CHECK(found("Meier, Meyer und Mayer", "me?er") == Strings{"Meier", "Meyer"});
    CHECK(found("Auftrag, Vertrag, Verträge", "*trag") == Strings{"Auftrag", "Vertrag"});
    CHECK(found("Mueller und Möller, Mahler", "müller~1") == Strings{"Mueller", "Möller"});
    CHECK(found("Angebot, angebot, Angebote", "=Angebot") == Strings{"Angebot"});
    CHECK(found("Die Müller  GmbH, Müller AG", "=\"Müller GmbH\"") == Strings{"Müller GmbH"});
}

TEST_CASE("words beside NEAR and W are highlighted where they stand within the distance") {
    const auto found = [](std::string body, std::string_view text) {
        return highlighted(make_snippet(with_body(std::move(body)), query(text)));
    };
    const std::string text = "kauf eins zwei vertrag drei vier fünf kauf sechs sieben acht neun zehn kauf";
    CHECK(found(text, "kauf NEAR/3 vertrag") == Strings{"kauf", "vertrag"});
    CHECK(found(text, "kauf NEAR/4 vertrag") == Strings{"kauf", "vertrag", "kauf"});
    CHECK(found(text, "vertrag W/4 kauf") == Strings{"vertrag", "kauf"});
    CHECK(found(text, "vertrag W/3 kauf").empty());
    CHECK(found(text, "kauf NEAR/2 vertrag").empty());
    CHECK(found(text, "kauf W/3 vertr* W/3 fünf") == Strings{"kauf", "vertrag", "fünf"});
    CHECK(found(text, "\"eins zwei\" W/1 (vertrag OR drei)") == Strings{"eins zwei", "vertrag"});
    CHECK(found("kauf und kauf", "kauf NEAR/2 kauf") == Strings{"kauf", "kauf"});
    CHECK(found("kauf", "kauf NEAR/2 kauf").empty());
}

TEST_CASE("a field's words are highlighted in its texts alone") {
    vault::Message message = with_body("Anna im Text");
    message.subject = "Anna im Betreff";
    message.sender.name = "Anna Absender";
    const auto recipient = [&](vault::Role role, const char* name) {
        vault::Recipient added;
        added.role = role;
        added.person.name = name;
        message.recipients.push_back(added);
    };
    recipient(vault::Role::to, "Anna An");
    recipient(vault::Role::cc, "Anna Kopie");
    recipient(vault::Role::bcc, "Anna Blind");
    recipient(vault::Role::reply_to, "Anna Antwort");
    SnippetOptions options;
    options.attachment_texts = {"Anna im Anhang"};
    const auto shown = [&](const char* text) { return make_snippet(message, query(text), options).text; };
    CHECK(shown("body:anna") == "Anna im Text");
    CHECK(shown("attachment:anna") == "Anna im Anhang");
    CHECK(shown("subject:anna") == "Anna im Betreff");
    CHECK(shown("from:absender") == "Anna Absender");
    CHECK(shown("from:antwort") == "Anna Antwort");
    CHECK(shown("cc:anna") == "Anna Kopie");
    CHECK(shown("bcc:anna") == "Anna Blind");
    CHECK(shown("to:anna") == "Anna An");
    CHECK(shown("to:kopie") == "Anna Kopie");
    CHECK(shown("participant:blind") == "Anna Blind");
    CHECK(shown("participant:absender") == "Anna Absender");
    CHECK(make_snippet(message, query("cc:absender"), options).where.empty());
    CHECK(find_highlights("Anna", query("body:anna")).empty());
    CHECK(find_highlights("Anna", query("body:anna"), Field::body).size() == 1);
}

TEST_CASE("what stands elsewhere is shown from there") {
    vault::Message message = with_body("nichts davon");
    message.subject = "Angebot";
    message.sender.name = "Anna Müller";
    message.attachments.push_back({"Bericht.pdf", "", {}, {}, false, {}, {}, {}, {}, 0, {}});
    CHECK(make_snippet(message, query("angebote")).where == "subject");
    CHECK(make_snippet(message, query("von:müller")).where == "sender");
    CHECK(make_snippet(message, query("bericht")).where == "attachment:0");
    SnippetOptions options;
    options.attachment_texts = {"Umsatz im Quartal"};
    CHECK(make_snippet(message, query("umsatz"), options).text == "Umsatz im Quartal");
    const Snippet nothing = make_snippet(message, query("date:2026"), options);
    CHECK(nothing.where.empty());
    CHECK(nothing.highlights.empty());
    CHECK(nothing.text == "nichts davon");
}

TEST_CASE("HTML bodies give text, never markup of ours") {
    vault::Message message;
    message.body_html = "<p>Der <b>Vertrag</b> &lt;b&gt;</p>";
    const Snippet snippet = make_snippet(message, query("vertrag"));
    CHECK(snippet.text == "Der Vertrag <b>");  // as the reader of the mail saw it
    CHECK(highlighted(snippet) == Strings{"Vertrag"});
}

TEST_CASE("cuts fall between graphemes, whatever the text") {
    SeededRandom random(9);
    const Strings pieces = {"wort",
                            " ",
                            "\n",
                            "ä",
                            "e\xCC\x81",
                            "\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x91\xA7",
                            "\xF0\x9F\x87\xA9\xF0\x9F\x87\xAA",
                            "漢字",
                            "ـعربي",
                            ".",
                            "treffer"};
    for (int round = 0; round < 1'500; ++round) {
        std::string text;
        for (std::uint64_t n = random.next() % 120; n > 0; --n) text += pieces[random.next() % pieces.size()];
        SnippetOptions options;
        options.characters = 16 + random.next() % 60;
        const Snippet snippet = make_snippet(with_body(text), query("treffer OR wort*"), options);
        REQUIRE(is_valid_utf8(snippet.text));
        std::uint32_t last = 0;
        for (const TextRange& range : snippet.highlights) {
            REQUIRE(range.begin >= last);
            REQUIRE(range.end > range.begin);
            REQUIRE(grapheme_boundary_before(snippet.text, range.begin) == range.begin);
            last = range.end;
        }
    }
}

TEST_CASE("highlights of a whole text follow the same rules") {
    const std::string text = "Vertrag, Vertragsentwurf und Müller";
    const auto ranges = find_highlights(text, query("vertrag müller"));
    REQUIRE(ranges.size() == 3);
    CHECK(text.substr(ranges[0].begin, ranges[0].end - ranges[0].begin) == "Vertrag");
    CHECK(text.substr(ranges[2].begin, ranges[2].end - ranges[2].begin) == "Müller");
}

TEST_CASE("a hit in a text with pages has a page, and the ends of pages are never shown") {
    SnippetOptions options;
    options.attachment_texts = {"Deckblatt\n\fDer Vertrag gilt ab\n\fsofort. Kündigung\n\f"};
    const auto page = [&](std::string_view text) { return make_snippet({}, query(text), options).page; };
    CHECK(page("Deckblatt") == 1);
    CHECK(page("Vertrag") == 2);
    CHECK(page("Kündigung") == 3);
    // Pages tear no sentence apart.
    CHECK(page("\"gilt ab sofort\"") == 2);
    CHECK(page("gilt NEAR/3 sofort") == 2);
    const Snippet snippet = make_snippet({}, query("sofort"), options);
    CHECK(snippet.text == "Deckblatt Der Vertrag gilt ab sofort. Kündigung");
    CHECK(snippet.where == "attachment:0");
}

TEST_CASE("a word that a page's end divides is found on the page where it begins") {
    SnippetOptions options;
    options.attachment_texts = {"eins\n\fRahmenver-\n\ftrag\n\f"};
    const Snippet snippet = make_snippet({}, query("Rahmenvertrag"), options);
    CHECK(snippet.page == 2);
    CHECK(highlighted(snippet) == Strings{"Rahmenver- trag"});
}

TEST_CASE("scanned pages, which are read last, are counted from the first again") {
    const std::string text = "eins\n\f\fdrei\n\f\v\fzwei\n";
    CHECK(page_at(text, text.find("eins")) == 1);
    CHECK(page_at(text, text.find("zwei")) == 2);
    CHECK(page_at(text, text.find("drei")) == 3);
    CHECK(page_at("\veins", 1) == 1);
    CHECK(page_at("", 0) == 0);
}

TEST_CASE("a text without ends of pages, a file's name and a body have no page") {
    vault::Message message = with_body("eins\fVertrag");
    CHECK(make_snippet(message, query("Vertrag")).page == 0);
    message.attachments.emplace_back();
    message.attachments.back().name = "Angebot.pdf";
    SnippetOptions options;
    options.attachment_texts = {"eins\nzwei"};
    CHECK(make_snippet(message, query("zwei"), options).page == 0);
    options.attachment_texts = {"eins\f"};
    CHECK(make_snippet(message, query("file:Angebot"), options).page == 0);
}

}  // namespace kustos::search
