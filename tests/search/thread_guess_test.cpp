#include "search/thread_guess.h"

#include <doctest/doctest.h>

#include "base/text.h"

namespace kustos::search {
namespace {

constexpr std::int64_t kDay = 86'400'000;

vault::Message mail(const std::string& subject, const std::string& from, const std::vector<std::string>& to,
                    std::int64_t day = 0) {
    vault::Message message;
    message.kind = vault::MessageKind::mail;
    message.native_id = "m" + std::to_string(day) + "@x.example";
    message.subject = subject;
    message.sender.address = from;
    for (const std::string& one : to) {
        message.recipients.emplace_back();
        message.recipients.back().person.address = one;
    }
    message.sent_at = UtcTime{20'000 * kDay + day * kDay};
    return message;
}

bool belong(const vault::Message& a, const vault::Message& b) {
    const auto guess = guess_thread(mail_facts(a), mail_facts(b));
    CHECK(guess.has_value() == guess_thread(mail_facts(b), mail_facts(a)).has_value());
    return guess.has_value();
}

}  // namespace

TEST_CASE("what programs of many languages put before a subject is taken off") {
    for (const char* subject : {
             "Re: Neue Schaukel",          "RE: Neue Schaukel",
             "re : Neue Schaukel",         "AW: Neue Schaukel",
             "Aw: Neue Schaukel",          "WG: Neue Schaukel",
             "Antw: Neue Schaukel",        "Antwort: Neue Schaukel",
             "Fwd: Neue Schaukel",         "FW: Neue Schaukel",
             "AW: WG: Re: Neue Schaukel",  "Re[2]: Neue Schaukel",
             "Re(3): Neue Schaukel",       "Re^4: Neue Schaukel",
             "RE: [EXTERN] Neue Schaukel", "[EXT] AW: Neue  Schaukel",
             "SV: Neue Schaukel",          "VS: Neue Schaukel",
             "TR: Neue Schaukel",          "RÉF: Neue Schaukel",
             "réf : Neue Schaukel",        "RV: Neue Schaukel",
             "RES: Neue Schaukel",         "ENC: Neue Schaukel",
             "R: Neue Schaukel",           "I: Neue Schaukel",
             "Odp: Neue Schaukel",         "PD: Neue Schaukel",
             "Vá: Neue Schaukel",          "YNT: Neue Schaukel",
             "İLT: Neue Schaukel",         "ΑΠ: Neue Schaukel",
             "ΠΡΘ: Neue Schaukel",         "Отв: Neue Schaukel",
             "回复：Neue Schaukel",        "答复: Neue Schaukel",
             "转发： Neue Schaukel",       "회신: Neue Schaukel",
             "השב: Neue Schaukel",         "Automatische Antwort: Neue Schaukel",
             "Re: Neue\r\n\tSchaukel",     "Neue Schaukel (fwd)",
             "  WG:  AW:Neue Schaukel ",   "Doorst: Neue Schaukel",
         }) {
        CAPTURE(subject);
        const BaseSubject base = base_subject(subject);
        CHECK(base.text == "neue schaukel");
        CHECK(base.answers);
    }
}

TEST_CASE("what only looks like it stays, and a list's tag counts wherever it stands") {
    for (const auto& row : std::vector<std::pair<std::string, std::string>>{
             {"Neue Schaukel", "neue schaukel"},
             {"Rechnung: Neue Schaukel", "rechnung: neue schaukel"},
             {"Reise: Köln", "reise: köln"},
             {"12:30 Uhr", "12:30 uhr"},
             {"Frist 31.03.: Antwort", "frist 31.03.: antwort"},
             {"Straße", "strasse"},
             {"[EXTERN] Neue Schaukel", "neue schaukel"},
             {"[Liste] Schaukel", "[liste] schaukel"},
             {"[Liste]", "[liste]"},
             {"AW:", ""},
             {"Re: AW: ", ""},
             {"", ""},
         }) {
        CAPTURE(row.first);
        CHECK(base_subject(row.first).text == row.second);
    }
    CHECK(base_subject("[Liste] Re: Schaukel").text == base_subject("AW: [Liste] Schaukel").text);
    CHECK(base_subject("[Liste] Re: [Liste] Schaukel").text == "[liste] schaukel");
    CHECK(base_subject("AW: [Liste] Schaukel").words == "schaukel");
    CHECK_FALSE(base_subject("[Liste] Schaukel").answers);
    // Foreign text of any length: cut, at a character.
    std::string prefixes;
    for (int i = 0; i < 5'000; ++i) prefixes += "Re: ";
    CHECK(base_subject(prefixes + "x").text.empty());
    std::string umlauts = "x";
    for (int i = 0; i < 5'000; ++i) umlauts += "ü";
    CHECK(is_valid_utf8(base_subject(umlauts).text));
}

TEST_CASE("an answer that somebody typed anew is guessed to belong to what it answers") {
    const vault::Message asked = mail("Schaukel", "anna@x", {"bert@x"});
    CHECK(belong(asked, mail("AW: Schaukel", "bert@x", {"anna@x"}, 3)));
    CHECK(belong(asked, mail("Schaukel", "bert@x", {"anna@x"}, 3)));
    CHECK(belong(asked, mail("Schaukel", "Anna@X", {"bert@x"}, 30)));      // she asks again
    CHECK(belong(asked, mail("WG: Schaukel", "bert@x", {"carla@x"}, 1)));  // forwarded
    const auto guess = guess_thread(mail_facts(asked), mail_facts(mail("Re: Schaukel", "bert@x", {"anna@x"}, 3)));
    REQUIRE(guess);
    CHECK(guess->days_apart == 3);
    CHECK(guess->shared_people == 2);
}

TEST_CASE("another subject, other people, or another month are no guess") {
    const vault::Message asked = mail("Schaukel", "anna@x", {"bert@x"});
    CHECK_FALSE(belong(asked, mail("AW: Rutsche", "bert@x", {"anna@x"}, 3)));
    CHECK_FALSE(belong(asked, mail("AW: Schaukel", "carla@x", {"anna@x"}, 3)));  // she never had it
    CHECK_FALSE(belong(asked, mail("AW: Schaukel", "bert@x", {"anna@x"}, 31)));
    CHECK_FALSE(belong(mail("", "anna@x", {"bert@x"}), mail("AW:", "bert@x", {"anna@x"}, 1)));
    // One sender, one subject, many who get it: no conversation.
    CHECK_FALSE(belong(mail("Rechnung", "shop@x", {"anna@x"}), mail("Rechnung", "shop@x", {"bert@x"}, 1)));
}

TEST_CASE("mails that both name others are tied by ids or not at all") {
    vault::Message asked = mail("Schaukel", "anna@x", {"bert@x"});
    vault::Message answer = mail("AW: Schaukel", "bert@x", {"anna@x"}, 1);
    answer.headers = {"In-Reply-To: <lost@x.example>"};
    CHECK(belong(asked, answer));
    asked.headers = {"References: <other@x.example>\r\n <more@x.example>"};
    CHECK_FALSE(belong(asked, answer));
}

TEST_CASE("candidates are looked for by the subject's words and the days around") {
    const UtcTime time{20'000 * kDay};
    const auto query = same_words(base_subject("AW: [Liste] Neue Schaukel"), time);
    REQUIRE(query);
    CHECK(query_text(query->root) == "(subject:\"neue schaukel\" AND kind:mail AND date:2024-09-04..2024-11-03)");
    CHECK_FALSE(same_words(base_subject("Re: ???"), time));
    CHECK_FALSE(same_words(base_subject(""), time));
    std::string word;
    for (int i = 0; i < 300; ++i) word += "ab";
    CHECK(same_words(base_subject(word), time));
}

}  // namespace kustos::search
