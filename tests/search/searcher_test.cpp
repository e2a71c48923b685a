#include "search/searcher.h"

#include <doctest/doctest.h>

#include "base/crypto.h"
#include "tests/search/archive_of.h"

namespace kustos::search::test {
namespace {

using Entries = std::vector<std::uint64_t>;

UtcTime at(const char* text) {
    const auto time = parse_rfc3339(text);
    REQUIRE(time.ok());
    return *time;
}

vault::Message mail(const std::string& subject, const std::string& body) {
    vault::Message message;
    message.kind = vault::MessageKind::mail;
    message.subject = subject;
    message.body = body;
    message.sent_at = at("2026-03-02T10:00:00Z");
    message.sender = {"", "Anna Müller", "anna.mueller@example.org", "", false};
    message.recipients = {{vault::Role::to, {"", "Bert Öztürk", "bert@example.net", "", false}},
                          {vault::Role::cc, {"", "", "rechtsabteilung@example.org", "", false}}};
    return message;
}

}  // namespace

TEST_CASE("words, phrases and operators find what they say") {
    SmallArchive a;
    const auto one = a.add_text("Der Vertrag wurde nicht verkündet.").value;
    const auto two = a.add_text("Die Verträge wurden verkündet, nicht geprüft.").value;
    const auto three = a.add_text("Contract cancelled").value;
    REQUIRE(a.index_all().ok());
    CHECK(a.find("vertrag") == Entries{one, two});
    CHECK(a.find("\"vertrag\"") == Entries{one});
    CHECK(a.find("\"nicht verkündet\"") == Entries{one});
    CHECK(a.find("nicht verkündet") == Entries{one, two});
    CHECK(a.find("vertrag -geprüft") == Entries{one});
    CHECK(a.find("-vertrag") == Entries{three});
    CHECK(a.find("geprüft OR contract") == Entries{two, three});
    CHECK(a.find("(geprüft ODER contracts) NICHT vertrag") == Entries{three});
    CHECK(a.find("*") == Entries{one, two, three});
    CHECK(a.find("nirgends").empty());
    CHECK(a.find("cancel") == Entries{three});
}

TEST_CASE("people, subjects, files, conversations, kinds and sources are fields") {
    SmallArchive a;
    vault::Message with_file = mail("Angebot 12-345/26", "Siehe Anlage");
    with_file.attachments.push_back(
        {"Bericht_final.pdf", "text/plain", to_bytes("Umsatz im Quartal"), {}, false, {}, {}, {}, {}, 17, {}});
    const auto one = a.add(std::move(with_file), "Exchange-Journal").value;
    vault::Message chat;
    chat.body = "Anna kommt um 12:30";
    chat.sender = {"u17", "Bert Öztürk", "", "", false};
    chat.conversation = {"room-9", "Vertrieb Süd", vault::ConversationType::group};
    chat.sent_at = at("2026-03-03T10:00:00Z");
    const auto two = a.add(std::move(chat)).value;
    REQUIRE(a.index_all().ok());
    CHECK(a.find("from:müller") == Entries{one});
    CHECK(a.find("von:anna") == Entries{one});
    CHECK(a.find("von:anna.mueller@example.org") == Entries{one});
    CHECK(a.find("von:example.org") == Entries{one});
    CHECK(a.find("an:rechtsabteilung") == Entries{one});
    CHECK(a.find("from:u17") == Entries{two});
    CHECK(a.find("bert") == Entries{one, two});
    CHECK(a.find("an:bert") == Entries{one});
    CHECK(a.find("\"Bert Oeztuerk\"") == Entries{one, two});
    CHECK(a.find("12-345/26") == Entries{one});
    CHECK(a.find("345") == Entries{one});
    CHECK(a.find("betreff:angebote") == Entries{one});
    CHECK(a.find("subject:anlage").empty());
    CHECK(a.find("bericht_final.pdf") == Entries{one});
    CHECK(a.find("datei:bericht") == Entries{one});
    CHECK(a.find("umsatz") == Entries{one});
    CHECK(a.find("hat:anhang") == Entries{one});
    CHECK(a.find("kind:chat") == Entries{two});
    CHECK(a.find("art:mail") == Entries{one});
    CHECK(a.find("quelle:exchange-journal") == Entries{one});
    CHECK(a.find("source:\"chat-server\"") == Entries{two});
    CHECK(a.find("vertrieb") == Entries{two});
    CHECK(a.find("unterhaltung:vertrieb") == Entries{two});
    CHECK(a.find("conversation:room-9") == Entries{two});
    CHECK(a.find("12:30") == Entries{two});
}

TEST_CASE("dates count whole days, in the reader's time zone") {
    SmallArchive a;
    const auto feb = a.add_text("eins", at("2026-02-28T23:30:00Z")).value;
    const auto mar = a.add_text("zwei", at("2026-03-01T00:00:00Z")).value;
    const auto end = a.add_text("drei", at("2026-03-31T23:59:59.999Z")).value;
    const auto apr = a.add_text("vier", at("2026-04-01T00:00:00Z")).value;
    const auto old = a.add_text("fünf", at("1999-12-31T12:00:00Z")).value;
    REQUIRE(a.index_all().ok());
    CHECK(a.find("date:2026-03") == Entries{mar, end});
    CHECK(a.find("date:2026-02-28") == Entries{feb});
    CHECK(a.find("datum:>=31.03.2026") == Entries{end, apr});
    CHECK(a.find("date:<2026-03") == Entries{feb, old});
    CHECK(a.find("date:2026") == Entries{feb, mar, end, apr});
    CHECK(a.find("bis:2025") == Entries{old});
    CHECK(a.find("-date:2026") == Entries{old});
    CHECK(a.find("date:2030").empty());
    CHECK(a.find("date:0001..9999").size() == 5);
    SearchOptions berlin;  // an hour before UTC, as in winter
    berlin.midnight = [](CivilDate date) -> Result<UtcTime> { return UtcTime{TRY(utc_midnight(date)).ms - 3'600'000}; };
    const auto march = a.ask("date:2026-03", berlin);
    REQUIRE(march.ok());
    CHECK(march->entries == std::vector<EntryIndex>{EntryIndex(mar), EntryIndex(feb)});
    const auto not_march = a.ask("NOT date:2026-03", berlin);
    REQUIRE(not_march.ok());
    CHECK(not_march->total == 3);
}

TEST_CASE("answers come newest first, or by relevance, with the time as sealed") {
    SmallArchive a;
    const auto first = a.add_text("Vertrag", at("2026-03-01T00:00:00Z"));
    const auto second = a.add_text("Vertrag Vertrag Vertrag", at("2025-03-01T00:00:00Z"));
    const auto third =
        a.add_text("Vertrag über sehr viele andere Dinge die hier auch noch stehen", at("2026-05-01T00:00:00Z"));
    for (int i = 0; i < 20; ++i) a.add_text("anderes", at("2026-01-01T00:00:00Z"));
    REQUIRE(a.index_all().ok());
    const auto by_date = a.ask("vertrag");
    REQUIRE(by_date.ok());
    CHECK(by_date->entries == std::vector<EntryIndex>{third, first, second});
    CHECK(by_date->sent_at[1] == at("2026-03-01T00:00:00Z"));
    SearchOptions options;
    options.sort = Sort::relevance;
    const auto by_relevance = a.ask("vertrag", options);
    REQUIRE(by_relevance.ok());
    CHECK(by_relevance->entries.front() == second);
    CHECK(by_relevance->entries.back() == third);
    CHECK(by_relevance->result_set == by_date->result_set);
}

TEST_CASE("the result set's hash is that of the numbers in ascending order") {
    Bytes list;
    put_u64(list, 3);
    put_u64(list, 9);
    CHECK(result_set_hash({EntryIndex(9), EntryIndex(3), EntryIndex(9)}) == sha256(list));
    CHECK(result_set_hash({}) == sha256(ByteView{}));
}

TEST_CASE("a star finds the words of all shards, and refuses what stands for too many") {
    SmallArchive a;
    const auto one = a.add_text("Mueller").value;
    REQUIRE(a.index_all().ok());
    const auto two = a.add_text("Müllabfuhr und Mulde").value;
    REQUIRE(a.index_all().ok());
    CHECK(a.find("müll*") == Entries{one, two});
    CHECK(a.find("muel*") == Entries{one, two});
    CHECK(a.find("mull*").empty());
    CHECK(a.find("müllab* -von:x") == Entries{two});
    std::string many;
    for (int i = 0; i < 600; ++i) many += " wort" + std::to_string(i);
    const auto three = a.add_text(many).value;
    REQUIRE(a.index_all().ok());
    CHECK(a.find("wort*") == Entries{three});
    std::string more;
    for (int i = 600; i < 1'001; ++i) more += " wort" + std::to_string(i);
    a.add_text(more);
    REQUIRE(a.index_all().ok());
    const auto refused = a.ask("wort*");
    REQUIRE(!refused.ok());
    CHECK(refused.error().code() == Code::limit);
    CHECK(refused.error().message().find("wort") == std::string::npos);
    CHECK(!refused.error().hint().empty());
    CHECK(a.find("wort60*").size() == 2);
}

TEST_CASE("coverage adds up whatever became of the records, and erased ones are in no answer") {
    SmallArchive a;
    const auto text = [](const char* type, const char* body) {
        vault::Message message;
        message.body = body;
        message.attachments.push_back({"a.bin", type, to_bytes("Inhalt"), {}, false, {}, {}, {}, {}, 6, {}});
        return message;
    };
    a.add(text("text/plain", "ganz"));
    const auto partial = a.add(text("application/zip", "halb")).value;
    a.add(text("application/zip", ""));
    a.add(text("test/broken", "kaputt"));
    const auto erased = a.add_text("gelöscht");
    a.feed.items.push_back({EntryIndex(100), "s", std::nullopt, "key-gone"});
    ++a.census.census.sealed;
    REQUIRE(a.index_all().ok());
    a.census.census.sealed += 3;  // sealed, not indexed
    a.census.census.erased = std::make_shared<EntrySet>(std::vector<EntryIndex>{erased});
    a.census.census.erased_records = 1;
    const auto answer = a.ask("*");
    REQUIRE(answer.ok());
    CHECK(answer->coverage == Coverage{9, 1, 2, 1, 3, 1, 1});
    CHECK(answer->total == 5);
    CHECK(a.find("gelöscht").empty());
    CHECK(a.find("halb") == Entries{partial});
    const auto coverage = a.searcher->coverage(a.census);
    REQUIRE(coverage.ok());
    CHECK(*coverage == answer->coverage);
    const auto summary = summarise(a.fs, a.index());
    REQUIRE(summary.ok());
    CHECK(summary->reasons ==
          std::map<std::string, std::uint64_t>{{"encrypted", 2}, {"extractor-failed", 1}, {"key-gone", 1}});
    a.census.census.sealed = 2;
    CHECK(a.ask("*").error().code() == Code::corrupt);
}

TEST_CASE("without an index everything is deferred, and a closed vault answers nothing") {
    SmallArchive a;
    a.add_text("eins");
    const auto empty = a.ask("eins");
    REQUIRE(empty.ok());
    CHECK(empty->total == 0);
    CHECK(empty->coverage == Coverage{1, 0, 0, 0, 1, 0, 0});
    REQUIRE(a.index_all().ok());
    a.keys.closed = true;
    CHECK(a.ask("eins").error().code() == Code::closed);
    CHECK(a.searcher->coverage(a.census).ok());  // numbers need no key
    a.keys.closed = false;
    CHECK(a.find("eins").size() == 1);
    a.keys.closed = true;
    a.searcher->forget();
    CHECK(a.ask("eins").error().code() == Code::closed);
}

TEST_CASE("a damaged shard is named, not skipped") {
    SmallArchive a;
    a.add_text("eins");
    REQUIRE(a.index_all().ok());
    a.keys.keys.begin()->second = SecretBytes::random(a.random, kTermKeySize);  // as good as changed bytes everywhere
    const auto answer = a.ask("eins");
    REQUIRE(!answer.ok());
    CHECK(answer.error().code() == Code::corrupt);
    REQUIRE(remove_shard(a.fs, a.index(), ShardId(7)).ok());
    const auto again = a.ask("eins");
    REQUIRE(again.ok());
    CHECK(again->coverage.deferred == 1);
}

}  // namespace kustos::search::test
