#include "search/src/language.h"

#include <doctest/doctest.h>

#include <sstream>

#include "base/fs.h"
#include "tests/support/shared.h"

namespace kustos::search {
namespace {

struct Score {
    std::size_t right = 0, unsure = 0, wrong = 0;
    void add(std::string_view text, std::string_view language) {
        const std::string found = language_of(text);
        (found == language ? right : found.empty() ? unsure : wrong) += 1;
    }
    std::string text() const {
        return std::to_string(right) + " right, " + std::to_string(unsure) + " unsure, " + std::to_string(wrong) +
               " wrong";
    }
};

// The first `count` words.
std::string beginning(const std::string& text, int count) {
    std::size_t at = 0;
    while (count-- > 0 && at != std::string::npos) at = text.find(' ', at + 1);
    return text.substr(0, at);
}

}  // namespace

TEST_CASE("a text's language is told by a sentence of it") {
    CHECK(language_of("Bitte senden Sie uns den unterschriebenen Vertrag bis Freitag zurück.") == "de");
    CHECK(language_of("Please send us the signed contract by Friday.") == "en");
    CHECK(language_of("Ich weiß nicht, ob wir das bis Freitag schaffen \xF0\x9F\x98\x80") == "de");
    CHECK(language_of("I don’t think that we could do this by Friday — what about you?") == "en");
    CHECK(language_of("We moeten dit voor vrijdag nog even met de burgemeester bespreken.") == "nl");
    CHECK(language_of("Vi skal huske at sende den underskrevne kontrakt til kommunen inden fredag.") == "da");
    CHECK(language_of("Vi måste skicka det undertecknade avtalet till kommunen före fredag.") == "sv");
    CHECK(language_of("Veuillez nous renvoyer le contrat signé avant vendredi.") == "fr");
    CHECK(language_of("Lütfen imzalı sözleşmeyi cuma gününe kadar bize geri gönderin.") == "tr");
    CHECK(language_of("Пожалуйста, отправьте нам подписанный договор до пятницы.") == "ru");
    CHECK(language_of("Παρακαλούμε στείλτε μας το υπογεγραμμένο συμβόλαιο.") == "el");
    CHECK(language_of("يرجى إرسال العقد الموقع إلينا قبل يوم الجمعة") == "ar");
    CHECK(language_of("请在星期五之前将签署的合同发送给我们") == "zh");
    CHECK(language_of("אנא שלחו לנו את החוזה החתום עד יום שישי") == "he");
}

TEST_CASE("what is too short, no language, or not UTF-8 is unsure") {
    CHECK(language_of("").empty());
    CHECK(language_of("ok").empty());
    CHECK(language_of("12.345,67 / 089 1234567").empty());
    CHECK(language_of("\xF0\x9F\x98\x80\xF0\x9F\x98\x80\xF0\x9F\x98\x80").empty());
    CHECK(language_of("\xFF\xFE\xFF\xFE das ist kein Text, den man lesen kann").empty());
    CHECK(language_of("https://example.org/a/b/c?d=e").empty());
}

TEST_CASE("only the beginning of a long text is looked at") {
    std::string text;
    while (text.size() < kLanguageBytes) text += "Der Vertrag wurde gestern geprüft und unterschrieben. ";
    for (int i = 0; i < 1'000; ++i) text += "The contract was checked and signed yesterday. ";
    CHECK(language_of(text) == "de");
}

TEST_CASE("sentences of a treebank are told apart, German and English") {
    const auto shared = kustos::test::shared_dir();
    if (!shared) {
        MESSAGE("skipped: ../shared is absent");
        return;
    }
    RealFs fs;
    const auto file = read_file(fs, *shared / "corpora/german/ud-pud/de_pud-ud-test.conllu", 10'000'000);
    REQUIRE(file.ok());
    Score german, english, short_german, short_english;
    std::istringstream lines(to_text(*file));
    for (std::string line; std::getline(lines, line);) {
        constexpr std::string_view kGerman = "# text = ", kEnglish = "# text_en = ";
        if (line.rfind(kGerman, 0) == 0) {
            german.add(line.substr(kGerman.size()), "de");
            short_german.add(beginning(line.substr(kGerman.size()), 5), "de");
        } else if (line.rfind(kEnglish, 0) == 0) {
            english.add(line.substr(kEnglish.size()), "en");
            short_english.add(beginning(line.substr(kEnglish.size()), 5), "en");
        }
    }
    MESSAGE("German sentences: ", german.text(), "; their first five words: ", short_german.text());
    MESSAGE("English sentences: ", english.text(), "; their first five words: ", short_english.text());
    CHECK(german.right + german.unsure + german.wrong == 1'000);
    CHECK(german.right >= 980);
    CHECK(english.right >= 980);
    CHECK(short_german.wrong <= 50);
    CHECK(short_english.wrong <= 50);
}

}  // namespace kustos::search
