// WhatsApp's text export, as phones write it in German and English.
#include <doctest/doctest.h>

#include <filesystem>

#include "ingest/src/single_formats.h"
#include "ingest/src/whatsapp_line.h"
#include "tests/ingest/chat_truth.h"
#include "tests/ingest/zip_builder.h"
#include "tests/support/doc_example.h"
#include "tests/support/shared.h"
#include "tests/support/temp_dir.h"

using namespace kustos;
using namespace kustos::ingest;
using nlohmann::json;
using vault::MessageKind;

namespace {

ReadContext berlin() {
    ReadContext out;
    out.time_zone = "Europe/Berlin";
    return out;
}

test::Collect chat(const std::string& text, const std::string& title = "Vertrieb",
                   const ReadContext& context = berlin()) {
    test::Collect out;
    REQUIRE(read_whatsapp(text, title, {}, context, out).ok());
    std::string all;
    for (const auto& item : out.items) all += as_text(item.message.raw);
    CHECK(all == text);  // every byte, once
    return out;
}

bool has_note(const vault::Message& m, std::string_view note) {
    return std::find(m.notes.begin(), m.notes.end(), note) != m.notes.end();
}

// What WhatsApp can't have said: rooms that were not exported, an empty message, seconds on Android.
test::ChatTruth truth_of(bool seconds) {
    auto truth = test::ChatTruth::load();
    json kept = json::array();
    for (json t : truth.json["messages"]) {
        if (t["ch"] == "c2" || t["text"] == "") continue;
        if (!seconds) t["ts"] = t["ts"].get<std::int64_t>() / 60'000 * 60'000;
        kept.push_back(t);
    }
    truth.json["messages"] = kept;
    return truth;
}

const test::ChatTruth::Cannot kWhatsapp = {.deleted_text = true,
                                           .deletion_time = true,
                                           .edit_text = true,
                                           .edit_time = true,
                                           .threads = true,
                                           .reactions = true,
                                           .files = true,  // media are messages of their own
                                           .carriage_return = true};

void compare_with_truth(const char* name, bool seconds) {
    CAPTURE(name);
    const auto truth = truth_of(seconds);
    const auto out = test::read_as(test::ingest_data("whatsapp") / (std::string(name) + ".txt"), "whatsapp", berlin());
    CHECK(out.quarantined() == 0);
    std::vector<ParsedItem> said;
    std::vector<std::string> files;
    for (const auto& item : out.items) {
        if (item.message.kind == MessageKind::file)
            files.push_back(item.message.attachments.at(0).name);
        else
            said.push_back(item);
    }
    CHECK(files.size() == 3);
    if (seconds) CHECK(files[2] == "Vertrag \"final\", v2; ok.pdf");
    const auto id_of = [&](const json& t) {
        for (const auto& item : said) {
            const auto& m = item.message;
            const bool gone = m.kind == MessageKind::deletion;
            if (m.sent_at && m.sent_at->ms == t["ts"] && gone == !t["deleted"].is_null() &&
                m.sender.name == truth.json["users"][t["user"].get<std::string>()]["name"] &&
                (gone || m.body.substr(0, 12) == t["text"].get<std::string>().substr(0, 12)))
                return m.native_id;
        }
        return std::string("none");
    };
    const auto user_of = [&](const std::string& user) { return truth.json["users"][user]["name"].get<std::string>(); };
    truth.compare(
        said, kWhatsapp, id_of, [&](const std::string&) { return std::string(name); }, user_of);
    CHECK(test::new_on_second_import(out.items, out.items) == 0);
}

}  // namespace

TEST_CASE("WhatsApp chats of two phones and languages say what truth.json says as far as a text carries it") {
    compare_with_truth("android_de", false);
    compare_with_truth("android_en_us", false);
    compare_with_truth("ios_de", true);
}

TEST_CASE("beginnings of messages in the ways that phones write them") {
    const auto when = [](std::string_view line, DateOrder order = DateOrder::day_first) {
        const auto parsed = parse_chat_line(line);
        if (!parsed) return std::string("none");
        const auto reading = clock_reading(*parsed, order);
        return (reading ? format_rfc3339(*reading) : "impossible") + "|" + std::string(parsed->sender) + "|" +
               std::string(parsed->text);
    };
    CHECK(when("01.03.24, 10:00 - Anna: hallo") == "2024-03-01T10:00:00Z|Anna|hallo");
    CHECK(when("01.03.2024, 10:00 - Anna: hallo") == "2024-03-01T10:00:00Z|Anna|hallo");
    CHECK(when("\u200E[01.03.24, 10:00:05] \u200EAnna: \u200Ehallo") == "2024-03-01T10:00:05Z|Anna|\u200Ehallo");
    CHECK(when("3/1/24, 10:00\u202FPM - Anna: x", DateOrder::month_first) == "2024-03-01T22:00:00Z|Anna|x");
    CHECK(when("01/03/2024, 12:05 am - Anna: x") == "2024-03-01T00:05:00Z|Anna|x");
    CHECK(when("[2024-03-01, 10:00:05] Anna: x") == "2024-03-01T10:00:05Z|Anna|x");
    CHECK(when("01.03.24, 3:00 nachm. - Anna: x") == "2024-03-01T15:00:00Z|Anna|x");
    CHECK(when("[01.03.24, 10:00:05] ~\u202FMax: x") == "2024-03-01T10:00:05Z|~\u202FMax|x");
    CHECK(when("01.03.24, 10:00 - Anna:") == "2024-03-01T10:00:00Z|Anna|");
    CHECK(when("01.03.24, 10:00 - Anna hat den Betreff zu \u201Ea: b\u201C geändert.").find("Z||Anna hat") !=
          std::string::npos);
    for (const char* no :
         {"31.02.24, 10:00 - Anna: x", "01.03.24, 25:00 - Anna: x", "01.03.24, 10:61 - Anna: x", "01.03.24 - Anna: x",
          "1.3, 10:00 - Anna: x", "01.03/24, 10:00 - Anna: x", "3/1/24, 13:00 PM - Anna: x",
          "[01.03.24, 10:00:05 Anna: x", "hallo", "", "001.03.24, 10:00 - Anna: x", "00.03.24, 10:00 - Anna: x"})
        CHECK(when(no) == "none");
}

TEST_CASE("a later export that overlaps brings only what is new, and equal messages of one minute stay two") {
    const std::string first = "01.03.24, 10:00 - Anna: ja\n01.03.24, 10:00 - Anna: ja\n01.03.24, 10:01 - Bert: gut\n";
    const auto before = chat(first);
    CHECK(test::new_on_second_import({}, before.items) == 3);
    const auto later = chat(first + "01.03.24, 10:01 - Bert: gut\n02.03.24, 08:00 - Anna: neu\n");
    CHECK(test::new_on_second_import(before.items, later.items) == 2);
    // One that begins later, as exports of long chats do, and with other line ends.
    const auto tail = chat("01.03.24, 10:01 - Bert: gut\r\n01.03.24, 10:01 - Bert: gut\r\n02.03.24, 08:00 - Anna: neu");
    CHECK(test::new_on_second_import(later.items, tail.items) == 0);
    // Another chat with the same words is another one.
    CHECK(test::new_on_second_import(before.items, chat(first, "Einkauf").items) == 3);
}

TEST_CASE("a message has all its lines, and a line in another phone's style is text") {
    const auto out = chat(
        "01.03.24, 10:00 - Anna: Liste:\n- eins\n\n31.02.24, 25:61 - Bert: kein Datum\n"
        "[01.03.24, 10:00:00] Bert: kopiert\n01.03.24, 10:01 - Bert: ok\n");
    REQUIRE(out.items.size() == 2);
    CHECK(out.items[0].message.body ==
          "Liste:\n- eins\n\n31.02.24, 25:61 - Bert: kein Datum\n[01.03.24, 10:00:00] Bert: kopiert");
    CHECK(out.findings == Findings{{"whatsapp:other-style-line", 1}});
}

TEST_CASE("day or month first: said by a date, by their sequence, else a finding") {
    const auto of = [](const std::string& text) { return chat(text); };
    auto out = of("3/1/24, 10:00 AM - Anna: a\n3/31/24, 10:00 AM - Anna: b\n");
    CHECK(out.items[0].message.sent_at->ms == 1709283600000);
    CHECK(out.findings.count("whatsapp:date-order-ambiguous") == 0);
    out = of("13/02/2024, 10:00 - Anna: a\n01/03/2024, 10:00 - Anna: b\n");
    CHECK(out.items[1].message.sent_at->ms == 1709283600000);
    CHECK(out.findings.count("whatsapp:date-order-ambiguous") == 0);
    // Both readings are possible; only one does not go back.
    out = of("02/11/2024, 10:00 - Anna: a\n03/01/2024, 10:00 - Anna: b\n");
    CHECK(out.items[1].message.sent_at->ms == 1709283600000);
    CHECK(out.findings.at("whatsapp:date-order-ambiguous") == 1);
    CHECK(has_note(out.items[1].message, "date-order-assumed"));
    out = of("01/03/2024, 10:00 - Anna: a\n");
    CHECK(out.items[0].message.sent_at->ms == 1709283600000);
    CHECK(out.findings.at("whatsapp:date-order-ambiguous") == 1);
    // What one order cannot have been, in a chat that has the other one, too, has no time rather than a wrong one.
    out = of("13/02/2024, 10:00 - Anna: a\n02/13/2024, 10:00 - Anna: b\n");
    CHECK(out.findings.at("whatsapp:bad-time") == 1);
    CHECK_FALSE(out.items[1].message.sent_at);
    CHECK(out.items[1].message.body == "b");
}

TEST_CASE("without a zone that the operator says times are read as UTC, and each message says so") {
    const auto out = chat("01.03.24, 10:00 - Anna: a\n", "Vertrieb", {});
    CHECK(out.items[0].message.sent_at->ms == 1709287200000);
    CHECK(has_note(out.items[0].message, "time-zone-unknown"));
    CHECK(out.findings.at("whatsapp:time-zone-unknown") == 1);
}

TEST_CASE("deleted, edited and omitted messages, calls, joins and leaves in the words of both languages") {
    const auto one = [](const std::string& rest) {
        const auto out = chat("[01.03.24, 10:00:00] " + rest + "\n");
        REQUIRE(out.items.size() == 1);
        return out.items[0].message;
    };
    auto m = one("Anna: \u200EDiese Nachricht wurde gelöscht.");
    CHECK(m.kind == MessageKind::deletion);
    CHECK(m.target == m.native_id);
    CHECK(one("Anna: You deleted this message").kind == MessageKind::deletion);
    m = one("Anna: neu \u200E<This message was edited>");
    CHECK(m.kind == MessageKind::edit);
    CHECK(m.body == "neu");
    m = one("Anna: \u200EBild weggelassen");
    CHECK(m.kind == MessageKind::file);
    CHECK(m.attachments.at(0).missing);
    CHECK(one("Anna: \u200Eaudio omitted").kind == MessageKind::voice);
    CHECK(one("Anna: \u200EPlan.pdf \u2022 \u200E3 Seiten Dokument weggelassen").attachments.at(0).name == "Plan.pdf");
    CHECK(one("Anna: das Komma habe ich weggelassen").kind == MessageKind::chat);
    m = one("Anna: Siehe \u200E<attached: 00000010-PHOTO.jpg>");
    CHECK(m.kind == MessageKind::file);
    CHECK(m.body == "Siehe");
    CHECK(m.attachments.at(0).name == "00000010-PHOTO.jpg");
    CHECK(one("Anna: \u200EMissed voice call").kind == MessageKind::call);
    m = one("Vertrieb: \u200EAnna hat Bert Öz hinzugefügt.");
    CHECK(m.kind == MessageKind::join);
    CHECK(m.sender.name == "Bert Öz");
    CHECK(m.recipients.at(0).person.name == "Anna");
    CHECK(one("Vertrieb: \u200EAnna removed +49 151 000").sender.address == "+49 151 000");
    CHECK(one("Vertrieb: \u200EBert hat die Gruppe verlassen.").kind == MessageKind::leave);
    CHECK(one("Vertrieb: \u200EAnna added Bert and Carl").kind == MessageKind::status);
    m = one("Vertrieb: \u200ENachrichten sind verschlüsselt.");
    CHECK(m.kind == MessageKind::status);
    CHECK(m.sender.empty());
    const auto android =
        chat("01.03.24, 10:00 - IMG-1.jpg\n01.03.24, 10:01 - A: \u200EIMG-1.jpg (Datei angehängt)\nSieh\n");
    CHECK(android.items[0].message.kind == MessageKind::status);
    CHECK(android.items[1].message.attachments.at(0).name == "IMG-1.jpg");
    CHECK(android.items[1].message.body == "Sieh");
    CHECK(android.findings.at("whatsapp:attachment-missing") == 1);
}

TEST_CASE("media of a zip and of a folder come with their messages, and what no message names is kept") {
    const std::string text =
        "[01.03.24, 10:00:00] Anna: \u200E<Anhang: 00000001-AUDIO.opus>\n[01.03.24, 10:01:00] Anna: \u200E<Anhang: "
        "weg.jpg>\n";
    const test::TempDir dir;
    const auto check = [&](const Path& path) {
        const auto out = test::read_as(path, "whatsapp", berlin());
        REQUIRE(out.items.size() == 3);
        CHECK(out.items[0].message.kind == MessageKind::voice);
        CHECK(to_text(out.items[0].message.attachments.at(0).content) == "OggS");
        CHECK(out.items[0].message.conversation.title == "Bau & Amt");
        CHECK(out.items[1].message.attachments.at(0).missing);
        CHECK(out.findings.at("whatsapp:attachment-missing") == 1);
        CHECK(out.items[2].message.native_id == "sticker.webp");
        return out.items;
    };
    test::ZipBuilder zip;
    zip.add("_chat.txt", text);
    zip.add("00000001-AUDIO.opus", "OggS");
    zip.add("sticker.webp", "RIFF");
    zip.write(dir.path() / "WhatsApp Chat - Bau & Amt (1).zip");
    const auto zipped = check(dir.path() / "WhatsApp Chat - Bau & Amt (1).zip");
    const Path folder = dir.path() / "WhatsApp Chat - Bau & Amt";
    std::filesystem::create_directory(folder);
    test::write_text(folder / "_chat.txt", text);
    test::write_text(folder / "00000001-AUDIO.opus", "OggS");
    test::write_text(folder / "sticker.webp", "RIFF");
    CHECK(test::new_on_second_import(zipped, check(folder)) == 0);
}

TEST_CASE("what looks like messages inside a message cannot be told apart, but time that goes back is told") {
    const auto out = test::read_as(test::ingest_data("hostile/whatsapp_fake_header_in_text.txt"), "whatsapp", berlin());
    REQUIRE(out.items.size() == 3);
    CHECK(out.items[1].message.sender.name == "Chef");
    CHECK(out.items[2].message.sender.name == "Anna");
    CHECK(out.items[2].message.body == "Müller: Text: mit: Doppelpunkten\n31.02.24, 25:61 - Anna: unmögliches Datum");
    CHECK(chat("01.03.24, 10:00 - A: a\n01.03.24, 08:00 - A: b\n").findings.at("whatsapp:time-goes-back") == 1);
}

TEST_CASE("texts that are no chat are quarantined, and what stands before the first message is kept") {
    CHECK(chat("Guten Tag\nkein Chat\n").quarantined() == 1);
    const auto out = chat("\xEF\xBB\xBFVorwort\n01.03.24, 10:00 - A: a\xFF\n");
    REQUIRE(out.items.size() == 2);
    CHECK(has_note(out.items[0].message, "rest-of-export"));
    CHECK(out.items[1].message.body == "a\uFFFD");
    const test::TempDir dir;
    test::write_text(dir.path() / "log.txt", "2024-03-01 10:00:00 - root: started\n2024-03-01 10:00:01 - root: x\n");
    CHECK(detect(dir.path() / "log.txt", {}).value().format == nullptr);
}

TEST_CASE("a folder of many things is no chat, though there is one in it") {
    const test::TempDir dir;
    test::write_text(dir / "WhatsApp Chat mit Anna.txt", "01.03.24, 10:00 - Anna: a\n");
    CHECK(detect(dir.path(), {}).value().certainty == Certainty::sure);
    std::filesystem::create_directory(dir / "Mails");
    CHECK(detect(dir.path(), {}).value().format == nullptr);
    test::Collect out;
    REQUIRE(read(dir.path(), nullptr, {}, out).ok());
    CHECK(out.items.at(0).message.format == "whatsapp");
}

TEST_CASE("somebody else's chat: the sample of a public parser is read") {
    if (!test::shared_dir()) {
        MESSAGE("skipped: ../shared is absent");
        return;
    }
    const auto out =
        test::read_as(*test::shared_dir() / "corpora/messenger/samples-pustur/short-chat.txt", "whatsapp", berlin());
    REQUIRE(out.items.size() == 5);
    CHECK(out.items[4].message.body == "How are you?\nIs everything alright?");
    CHECK(out.items[4].message.sender.address == "+410123456789");
    CHECK(out.findings.at("whatsapp:date-order-ambiguous") == 1);
}

TEST_CASE("the worked example of the WhatsApp page is read as the page says") {
    const auto out = chat(test::doc_text("whatsapp.md", "whatsapp"));
    REQUIRE(out.items.size() == 6);
    CHECK(out.items[0].message.kind == MessageKind::status);
    CHECK(out.items[1].message.body == "Zeile 1\nZeile 2");
    CHECK(out.items[2].message.kind == MessageKind::edit);
    CHECK(out.items[3].message.kind == MessageKind::deletion);
    CHECK(out.items[4].message.kind == MessageKind::file);
    CHECK(out.items[5].message.kind == MessageKind::join);
}
