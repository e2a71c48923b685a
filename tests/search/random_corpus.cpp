#include "tests/search/random_corpus.h"

namespace kustos::search::test {
namespace {

const std::vector<std::string> kWords = {"Vertrag",
                                         "Verträge",
                                         "Vertragsverlängerung",
                                         "Müller",
                                         "Mueller",
                                         "Straße",
                                         "Strasse",
                                         "Duell",
                                         "neue",
                                         "E-Mail-Archivierung",
                                         "12-345/26",
                                         "1.234.567",
                                         "15.04.2024",
                                         "contract",
                                         "contracts",
                                         "cancelled",
                                         "Donaudampfschiff",
                                         "Haustür",
                                         "Bußgeld",
                                         "Bescheid",
                                         "Bescheide",
                                         "Amt",
                                         "Ämter",
                                         "café",
                                         "naïve",
                                         "東京",
                                         "bericht.pdf",
                                         "anna@example.org",
                                         "Öffnungszeit",
                                         "unterschrieben",
                                         "geprüft",
                                         "prüfen",
                                         "ja",
                                         "nein",
                                         "DE02 1203 0000 0000 2020 51"};
const std::vector<std::string> kPeople = {"Anna Müller", "Bert Öztürk", "Zoë", "José Núñez", "Kanzlei Groß"};
const std::vector<std::string> kRooms = {"room-1", "Raum Süd/2", "!abc:example.org", "room-4"};
const std::vector<std::string> kSources = {"chat-server", "Exchange-Journal", "Straßenamt"};

const std::string& one_of(const std::vector<std::string>& list, SeededRandom& random) {
    return list[random.next() % list.size()];
}

std::string words(SeededRandom& random, std::size_t most) {
    std::string out;
    for (std::size_t n = random.next() % (most + 1); n > 0; --n) {
        if (!out.empty()) out += random.next() % 9 == 0 ? ", " : " ";
        // one word in eight is nearly alone in the world
        out += random.next() % 8 == 0 ? "selten" + std::to_string(random.next() % 400) : one_of(kWords, random);
    }
    return out;
}

}  // namespace

std::string random_source(SeededRandom& random) {
    return one_of(kSources, random);
}

vault::Message random_message(SeededRandom& random) {
    vault::Message message;
    message.kind = static_cast<vault::MessageKind>(1 + random.next() % 12);
    message.subject = words(random, 5);
    message.body = words(random, 30);
    if (random.next() % 4 == 0) message.previous_body = words(random, 8);
    message.sender = {"u" + std::to_string(random.next() % 5), one_of(kPeople, random), "a.b@example.org", "", false};
    for (std::size_t n = random.next() % 3; n > 0; --n)
        message.recipients.push_back({vault::Role::to, {"", one_of(kPeople, random), "c@example.net", "", false}});
    if (random.next() % 3 != 0)
        message.conversation = {one_of(kRooms, random), words(random, 2), vault::ConversationType::group};
    if (random.next() % 9 == 0) message.conversation.id = "einmalig-" + std::to_string(random.next() % 1'000);
    const auto day = static_cast<std::int64_t>(random.next() % 900);
    message.sent_at =
        UtcTime{1'700'000'000'000 + day * 86'400'000 + static_cast<std::int64_t>(random.next() % 86'400'000)};
    static const std::vector<std::string> types = {"text/plain", "test/partial", "test/broken", "application/zip"};
    for (std::size_t n = random.next() % 3; n > 0; --n)
        message.attachments.push_back({one_of(kWords, random) + ".txt",
                                       one_of(types, random),
                                       to_bytes(words(random, 9)),
                                       {},
                                       false,
                                       {},
                                       {},
                                       {},
                                       {},
                                       9,
                                       {}});
    if (random.next() % 20 == 0 && !message.attachments.empty()) message.attachments[0].missing = true;
    return message;
}

std::vector<std::string> broad_queries(SeededRandom& random, std::size_t combinations) {
    std::vector<std::string> out = {
        "*", "hat:anhang", "date:2024", "date:2024-05", "date:<2024-02-10", "datum:>=2025-03"};
    for (const std::string& word : kWords) {
        out.push_back(word);
        out.push_back("\"" + word + "\"");
        for (const char* field : {"von:", "an:", "betreff:", "datei:", "unterhaltung:"}) {
            out.push_back(field + ("\"" + word + "\""));
            if (word.find(' ') == std::string::npos) out.push_back(field + word);
        }
    }
    for (const char* prefix :
         {"ver*", "müll*", "muel*", "str*", "due*", "selt*", "selten1*", "con*", "betreff:ver*", "von:ann*"})
        out.emplace_back(prefix);
    for (const std::string& name : kPeople) {
        out.push_back(name);
        out.push_back("von:\"" + name + "\"");
    }
    for (const std::string& room : kRooms) out.push_back("conversation:\"" + room + "\"");
    for (const std::string& source : kSources) out.push_back("source:\"" + source + "\"");
    for (const char* kind : {"mail", "chat", "file", "call", "edit", "deletion", "join", "unreadable"})
        out.push_back(std::string("kind:") + kind);
    for (int i = 0; i < 400; i += 7) out.push_back("selten" + std::to_string(i));
    for (int i = 0; i < 1'000; i += 11) out.push_back("conversation:einmalig-" + std::to_string(i));
    for (std::size_t i = 0; i < combinations; ++i) {
        const std::string a = one_of(kWords, random), b = one_of(kWords, random), c = one_of(kWords, random);
        out.push_back("\"" + a + " " + b + "\"");
        out.push_back("\"" + a + "\" OR (\"" + b + "\" -\"" + c + "\")");
        out.push_back("\"" + a + "\" date:2024-0" + std::to_string(1 + random.next() % 9) + " -kind:chat");
    }
    return out;
}

}  // namespace kustos::search::test
