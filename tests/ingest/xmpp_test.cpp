// XMPP: what an archived stanza becomes, and files of server data.
#include <doctest/doctest.h>

#include <algorithm>

#include "ingest/src/single_formats.h"
#include "ingest/src/xml_pieces.h"
#include "ingest/src/xmpp_message.h"
#include "tests/ingest/chat_truth.h"
#include "tests/support/doc_example.h"
#include "tests/support/shared.h"

using namespace kustos;
using namespace kustos::ingest;
using nlohmann::json;
using vault::MessageKind;

namespace {

struct Parsed {
    ParsedItem item;
    Findings findings;
    std::vector<XmppFile> files;
    const vault::Message& message() const { return item.message; }
    bool has(std::string_view note) const {
        return std::find(item.message.notes.begin(), item.message.notes.end(), note) != item.message.notes.end();
    }
};

Parsed parse(const std::string& xml, XmppIds* ids = nullptr, const std::string& archive = "anna@amt.example") {
    XmppContext context;
    context.archive = archive;
    context.own_domain = "amt.example";
    context.ids = ids;
    Parsed out;
    out.item = parse_xmpp_message(as_bytes(xml), context, {}, &out.findings, &out.files);
    CHECK(to_text(out.item.message.raw) == xml);
    return out;
}

std::string result(const std::string& id, const std::string& stanza) {
    return "<message to='anna@amt.example/x'><result xmlns='urn:xmpp:mam:2' queryid='k' id='" + id +
           "'><forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='2026-03-02T10:00:00Z'/>" +
           stanza + "</forwarded></result></message>";
}

std::string direct(const std::string& inner, const std::string& id = "m1") {
    return "<message xmlns='jabber:client' type='chat' id='" + id +
           "' from='bert@fern.example/handy' to='anna@amt.example'>" + inner + "</message>";
}

std::string room(const std::string& inner, const std::string& id = "m1") {
    return "<message xmlns='jabber:client' type='groupchat' id='" + id + "' from='bau@konferenz.amt.example/Bert'>" +
           inner + "</message>";
}

test::Collect read_file(const std::string& text, const ReadContext& context = {}) {
    test::Collect out;
    REQUIRE(read_xmpp_archive(*memory_source(as_bytes(text)), context, out).ok());
    return out;
}

std::string server_data(const std::string& archive, const std::string& more = "") {
    return "<server-data xmlns='urn:xmpp:pie:0'><host jid='amt.example'><user name='anna'>" + more +
           "<archive xmlns='urn:xmpp:pie:0#mam'>" + archive + "</archive></user></host></server-data>";
}

std::string entry(const std::string& id, const std::string& stanza) {
    const std::string all = result(id, stanza);
    const std::size_t begin = all.find("<result"), end = all.rfind("</message>");
    return all.substr(begin, end - begin);
}

}  // namespace

TEST_CASE("server data of XMPP says what truth.json says but files' bytes") {
    const auto truth = test::ChatTruth::load();
    const auto out = test::read_as(test::ingest_data("xmpp/chat.xml"), "xmpp");
    CHECK(out.quarantined() == 0);
    CHECK(out.findings == Findings{{"xmpp:file-missing", 3}});
    const auto room_of = [&](const std::string& ch) {
        if (ch == "d1") return std::string("anna.mueller@beispiel.example juergen.gross@beispiel.example");
        return truth.json["channels"][ch]["name"].get<std::string>() + "@konferenz.beispiel.example";
    };
    truth.compare(
        out.items, {.file_bytes = true},
        [](const json& t) {
            const std::string id = t["id"], ch = t["ch"];
            return ch == "d1" ? id : ch + "-" + id;
        },
        room_of, [&](const std::string& user) { return truth.json["users"][user]["email"].get<std::string>(); });
    CHECK(test::new_on_second_import(out.items, out.items) == 0);
}

TEST_CASE("the worked example of the XMPP page is read as the page says, and no byte but white space is lost") {
    const std::string text = test::doc_text("xmpp.md", "xmpp");
    const auto out = read_file(text);
    REQUIRE(out.items.size() == 4);
    CHECK(out.items[0].message.notes == std::vector<std::string>{"rest-of-export"});
    const auto& chat = out.items[1].message;
    CHECK(chat.kind == MessageKind::chat);
    CHECK(chat.body == "Der Plan hängt aus.");
    CHECK(chat.native_id == "a1");
    CHECK(chat.sender.id == "anna@amt.example");
    CHECK(chat.sender.name == "Anna");
    CHECK(chat.conversation.id == "bauamt@konferenz.amt.example");
    CHECK(chat.sent_at->ms == 1772445600000);
    CHECK(out.items[2].message.kind == MessageKind::edit);
    CHECK(out.items[2].message.target == "a1");
    const auto blanks = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
    CHECK(test::raw_bytes(out.items) >= text.size() - blanks);
}

TEST_CASE("a message between two people has the sender's id, both addresses and the other's home") {
    const auto p = parse(result("28-1", direct("<body>guten Tag</body><reply xmlns='urn:xmpp:reply:0' id='m0'/>")));
    CHECK(p.message().kind == MessageKind::chat);
    CHECK(p.message().native_id == "m1");
    CHECK(p.message().feed_position == "28-1");
    CHECK(p.message().sender.id == "bert@fern.example");
    CHECK(p.message().sender.home == "fern.example");
    REQUIRE(p.message().recipients.size() == 1);
    CHECK(p.message().recipients[0].person.id == "anna@amt.example");
    CHECK(p.message().recipients[0].person.home.empty());
    CHECK(p.message().conversation.id == "anna@amt.example bert@fern.example");
    CHECK(p.message().reply_to == "m0");
    CHECK(p.findings.empty());
}

TEST_CASE("retractions and moderations of today and of before are deletions with their target") {
    for (const char* retract :
         {"<retract xmlns='urn:xmpp:message-retract:1' id='m0'/><body>fallback</body>",
          "<apply-to xmlns='urn:xmpp:fasten:0' id='m0'><retract xmlns='urn:xmpp:message-retract:0'/></apply-to>"}) {
        const auto p = parse(result("a", direct(retract, "r")));
        CHECK(p.message().kind == MessageKind::deletion);
        CHECK(p.message().target == "m0");
        CHECK(p.message().body.empty());
    }
    for (const char* moderate :
         {"<retract xmlns='urn:xmpp:message-retract:1' id='a0'><moderated xmlns='urn:xmpp:message-moderate:1' "
          "by='bau@konferenz.amt.example/Chef'/><reason>Spam</reason></retract>",
          "<apply-to xmlns='urn:xmpp:fasten:0' id='a0'><moderated xmlns='urn:xmpp:message-moderate:0' "
          "by='bau@konferenz.amt.example/Chef'><retract "
          "xmlns='urn:xmpp:message-retract:0'/><reason>Spam</reason></moderated></apply-to>"}) {
        const auto p = parse(result("a", room(moderate)));
        CHECK(p.message().kind == MessageKind::deletion);
        CHECK(p.message().target == "a0");
        CHECK(p.message().subject == "Spam");
        CHECK(p.message().sender.name == "Chef");
        CHECK(p.has("moderated"));
    }
    const auto gone =
        parse(result("a0", room("<retracted xmlns='urn:xmpp:message-retract:1' stamp='2026-03-02T11:00:00Z'/>")));
    CHECK(gone.message().kind == MessageKind::deletion);
    CHECK(gone.message().target == "a0");
    CHECK(gone.has("tombstone"));
    // What stood there before is another event, though its archive id is the same.
    const auto before = parse(result("a0", room("<body>falsch</body>")));
    CHECK(test::new_on_second_import({before.item}, {gone.item}) == 1);
}

TEST_CASE("a correction in a room finds the message by whom it is from, and says so where it can't") {
    XmppIds ids;
    (void)parse(result("a1", room("<body>eins</body>", "m1")), &ids);
    const std::string correction = "<body>zwei</body><replace xmlns='urn:xmpp:message-correct:0' id='m1'/>";
    const auto known = parse(result("a2", room(correction, "m2")), &ids);
    CHECK(known.message().kind == MessageKind::edit);
    CHECK(known.message().target == "a1");
    std::string other = result("a3", room(correction, "m3"));
    other.replace(other.find("/Bert"), 5, "/Eva!");
    const auto stranger = parse(other, &ids);
    CHECK(stranger.message().target == "m1");
    CHECK(stranger.has("target:sender-id"));
    CHECK(parse(result("b", direct(correction))).message().target == "m1");
}

TEST_CASE("reactions, markers, chat states, subjects, calls, invitations and errors of XMPP") {
    auto p = parse(result("a", direct("<reactions xmlns='urn:xmpp:reactions:0' "
                                      "id='m0'><reaction>👋</reaction><reaction>🐢</reaction></reactions>")));
    CHECK(p.message().kind == MessageKind::reaction);
    CHECK(p.message().target == "m0");
    CHECK(p.message().body == "👋 🐢");
    p = parse(result("a", direct("<reactions xmlns='urn:xmpp:reactions:0' id='m0'/>")));
    CHECK(p.has("reactions-withdrawn"));
    p = parse(result("a", direct("<displayed xmlns='urn:xmpp:chat-markers:0' id='m0'/>")));
    CHECK(p.message().kind == MessageKind::status);
    CHECK(p.has("event:read-receipt"));
    CHECK(parse(result("a", direct("<composing xmlns='http://jabber.org/protocol/chatstates'/>"))).has("event:typing"));
    p = parse(result("a", room("<subject>Umbau</subject>")));
    CHECK(p.message().kind == MessageKind::status);
    CHECK(p.message().body == "Umbau");
    CHECK(p.has("subject-change"));
    p = parse(result("a", direct("<propose xmlns='urn:xmpp:jingle-message:0' id='call1'/>")));
    CHECK(p.message().kind == MessageKind::call);
    CHECK(p.message().target == "call1");
    CHECK(parse(result("a", direct("<x xmlns='jabber:x:conference' jid='bau@konferenz.amt.example'/>")))
              .has("invitation"));
    // Text decides: a marker or a place beside it must not make the profile drop what was written.
    p = parse(result("a", direct("<body>Hier</body><displayed xmlns='urn:xmpp:chat-markers:0' id='m0'/><geoloc "
                                 "xmlns='http://jabber.org/protocol/geoloc'/>")));
    CHECK(p.message().kind == MessageKind::chat);
    CHECK(p.message().notes.empty());
}

TEST_CASE("joins and leaves of a room where its archive has them") {
    const auto presence = [](const std::string& more) {
        return parse(result("p", "<presence xmlns='jabber:client' from='bau@konferenz.amt.example/Bert'" + more));
    };
    CHECK(presence("><x xmlns='http://jabber.org/protocol/muc'/></presence>").message().kind == MessageKind::join);
    const auto kicked = presence(
        " type='unavailable'><x xmlns='http://jabber.org/protocol/muc#user'><item jid='bert@amt.example/x'/><status "
        "code='307'/></x></presence>");
    CHECK(kicked.message().kind == MessageKind::leave);
    CHECK(kicked.message().sender.id == "bert@amt.example");
    CHECK(kicked.has("muc-status:307"));
}

TEST_CASE("files of XMPP are named, sized and linked, and only by https") {
    auto p = parse(result("a", direct("<body>https://upload.amt.example/x/Plan%201.pdf</body><x xmlns='jabber:x:oob'>"
                                      "<url>https://upload.amt.example/x/Plan%201.pdf</url></x>")));
    CHECK(p.message().kind == MessageKind::file);
    REQUIRE(p.files.size() == 1);
    CHECK(p.files[0].url == "https://upload.amt.example/x/Plan%201.pdf");
    CHECK(p.message().attachments[0].missing);
    CHECK(p.message().attachments[0].media_type == "application/pdf");
    p = parse(result(
        "a", direct("<body>Anbei</body><file-sharing xmlns='urn:xmpp:sfs:0'><file xmlns='urn:xmpp:file:metadata:0'>"
                    "<name>../Plan.pdf</name><size>12</size><media-type>application/pdf</media-type></file><sources>"
                    "<url-data xmlns='http://jabber.org/protocol/url-data' "
                    "target='https://u.example/1'/></sources></file-sharing>"
                    "<x xmlns='jabber:x:oob'><url>https://u.example/1</url></x>")));
    CHECK(p.message().kind == MessageKind::chat);
    REQUIRE(p.message().attachments.size() == 1);
    CHECK(p.message().attachments[0].name == "Plan.pdf");
    CHECK(p.message().attachments[0].declared_size == 12);
    p = parse(result("a", direct("<body>aesgcm://u.example/2.jpg#00ff</body>")));
    REQUIRE(p.files.size() == 1);
    CHECK(p.files[0].url == "https://u.example/2.jpg");
    CHECK(p.files[0].encrypted);
    for (const char* url : {"http://u.example/1", "file:///etc/passwd", "https://user@u.example/1", "https:///x",
                            "https://u.example/a b"}) {
        p = parse(result("a", direct("<x xmlns='jabber:x:oob'><url>" + std::string(url) + "</url></x>")));
        CHECK(p.files.empty());
        CHECK(p.has("no-media-address"));
    }
}

TEST_CASE("ciphertext of XMPP stays what it is") {
    const auto p =
        parse(result("a", direct("<encrypted xmlns='eu.siacs.conversations.axolotl'><payload>xyz=</payload></encrypted>"
                                 "<body>I sent you an OMEMO encrypted message</body>")));
    CHECK(p.message().kind == MessageKind::chat);
    CHECK(p.has("encrypted:omemo"));
    CHECK(parse(result("a", direct("<encrypted xmlns='urn:xmpp:omemo:2'/>"))).message().kind == MessageKind::chat);
}

TEST_CASE("an id that is asked for again is a duplicate however it is written, and hides nothing else") {
    const auto first = parse(result("a", direct("<body>eins</body>")));
    std::string again = result("a", direct("<body>eins</body>"));
    again.replace(again.find("to='anna@amt.example/x'"), 23, "from='anna@amt.example' to='anna@amt.example/y'");
    again.replace(again.find("id='m1' from='bert@fern.example/handy'"), 38, "from=\"bert@fern.example/handy\" id='m1'");
    CHECK(test::new_on_second_import({first.item}, {parse(again).item}) == 0);
    CHECK(test::new_on_second_import({first.item}, {parse(result("a", direct("<body>zwei</body>"))).item}) == 1);
    CHECK(test::new_on_second_import({first.item}, {parse(result("b", direct("<body>eins</body>"))).item}) == 1);
    const auto other = parse(result("a", direct("<body>eins</body>")), nullptr, "bert@amt.example");
    CHECK(test::new_on_second_import({first.item}, {other.item}) == 1);
    // The same from a file, where it stands without the message around it.
    const auto file = read_file(server_data(entry("a", direct("<body>eins</body>"))));
    REQUIRE(file.items.size() == 3);
    CHECK(test::new_on_second_import({first.item}, {file.items[1]}) == 0);
}

TEST_CASE("a stanza-id counts only from the archive itself") {
    const std::string foreign =
        "<message from='b@x.example' to='anna@amt.example'><body>x</body><stanza-id xmlns='urn:xmpp:sid:0' "
        "by='b@x.example' id='7'/></message>";
    const auto p = parse(foreign);
    CHECK(p.message().feed_position.empty());
    CHECK(p.findings.count("xmpp:no-archive-id") == 1);
    CHECK(p.findings.count("xmpp:bad-time") == 1);
    std::string own = foreign;
    own.replace(own.find("by='b@x.example'"), 16, "by='anna@amt.example'");
    CHECK(parse(own).message().feed_position == "7");
}

TEST_CASE("hostile stanzas are quarantined alone") {
    const auto reason = [](const std::string& xml) {
        const auto p = parse(xml);
        return p.message().kind == MessageKind::unreadable ? p.message().notes.at(0) : "";
    };
    CHECK(reason("") == "quarantine:not-xml");
    CHECK(reason("<message>") == "quarantine:truncated");
    CHECK(reason("<iq/>") == "quarantine:no-stanza");
    CHECK(reason(result("a", "")) == "quarantine:no-stanza");
    CHECK(reason("<message><a></b></message>") == "quarantine:not-xml");
    CHECK(reason("<message a='1' a='2'/>") == "quarantine:not-xml");
    CHECK(reason("<message/><message/>") == "quarantine:not-xml");
    CHECK(reason("<!DOCTYPE x [<!ENTITY a 'b'>]><message><body>&a;</body></message>") != "");
    std::string deep, wide = "<message>";
    for (int i = 0; i < 100'000; ++i) deep += "<a>";
    for (int i = 0; i < 100'000; ++i) wide += "<a/>";
    CHECK(reason(deep) == "quarantine:too-deep");
    CHECK(reason(wide + "</message>") == "quarantine:too-many-elements");
    CHECK(reason("<message xmlns='" + std::string(1000, 'x') + "'/>") == "quarantine:too-large");
    // No entity is defined; what looks like one stays text.
    CHECK(parse(result("a", direct("<body>&lol9; &amp; &#x10FFFF;&#0;</body>"))).message().body.find("&lol9; & ") == 0);
}

TEST_CASE("server data: what is no stanza is sealed as it stands, and said where it matters") {
    const std::string text = server_data(
        entry("a", direct("<body>eins</body>")) + "<result xmlns='urn:xmpp:mam:2' id='b'><nothing/></result>" +
            entry("c", direct("<body>drei</body>", "m3")),
        "<scram-credentials xmlns='urn:xmpp:pie:0#scram'/><offline-messages><message "
        "xmlns='jabber:client' from='b@x.example' id='o'><body>wartet</body><delay xmlns='urn:xmpp:delay' "
        "stamp='2026-03-02T10:00:00Z'/></message></offline-messages>");
    const auto out = read_file("<?xml version='1.0'?>\n" + text);
    REQUIRE(out.items.size() == 7);
    CHECK(out.items[1].message.body == "wartet");
    CHECK(out.items[3].message.body == "eins");
    CHECK(out.items[4].message.kind == MessageKind::unreadable);
    CHECK(out.items[5].message.body == "drei");
    CHECK(out.findings == Findings{{"xmpp:credentials", 1}, {"xmpp:no-archive-id", 1}});
    CHECK(test::raw_bytes(out.items) >= text.size());
}

TEST_CASE("server data with prefixes is read like server data without") {
    const auto out = read_file(
        "<p:server-data xmlns:p='urn:xmpp:pie:0' xmlns:c='jabber:client' xmlns:m='urn:xmpp:mam:2' "
        "xmlns:f='urn:xmpp:forward:0' xmlns:d='urn:xmpp:delay'>"
        "<p:host jid='amt.example'><p:user name='anna'><a:archive xmlns:a='urn:xmpp:pie:0#mam'><m:result "
        "id='a'><f:forwarded><d:delay stamp='2026-03-02T10:00:00Z'/>"
        "<c:message from='b@x.example' "
        "id='m'><c:body>hallo</c:body></c:message></f:forwarded></m:result></a:archive></p:user></p:host></"
        "p:server-data>");
    REQUIRE(out.items.size() == 3);
    CHECK(out.items[1].message.body == "hallo");
    CHECK(out.items[1].message.recipients.at(0).person.id == "anna@amt.example");
}

TEST_CASE("hostile server data: cut off, too large, endless, with a document type; no byte is lost") {
    ReadContext small;
    small.limits.line = 4'096;
    small.limits.quarantine_piece = 1'024;
    const std::string good = entry("a", direct("<body>eins</body>"));
    const auto check = [&](const std::string& text, std::size_t good_ones) {
        const auto out = read_file(text, small);
        CHECK(test::raw_bytes(out.items) == text.size());
        std::size_t chats = 0;
        for (const auto& item : out.items) chats += item.message.kind == MessageKind::chat;
        CHECK(chats == good_ones);
        return out;
    };
    const std::string whole = server_data(good + good);
    for (std::size_t cut = 1; cut < whole.size(); cut += 7)
        check(whole.substr(0, cut), cut > whole.rfind("</result>") + 8 ? 2 : cut > whole.find("</result>") + 8 ? 1 : 0);
    check(server_data("<result xmlns='urn:xmpp:mam:2'>" + std::string(100'000, 'x') + "</result>" + good), 1);
    check(server_data("<result xmlns='urn:xmpp:mam:2' id='" + std::string(100'000, 'x') + "'></result>" + good), 1);
    check("<!DOCTYPE x [<!ENTITY a 'b'>]>" + whole, 0);
    check(server_data(good + "<<<") + good, 1);
    std::string deep;
    for (int i = 0; i < 10'000; ++i) deep += "<a>";
    check(server_data(deep), 0);
    check(server_data("<result xmlns='urn:xmpp:mam:2'>" + deep), 0);
    check("", 0);
    check("<server-data xmlns='urn:xmpp:pie:0'", 0);
}

TEST_CASE("XML that comes byte by byte is cut where XML that comes at once is") {
    const std::string text = "<a b='>'><!-- > -- --><c/>te<![CDATA[x]]]]>xt<?pi ?></a>";
    const auto kinds = [&](std::size_t step) {
        std::string out;
        XmlPieces pieces;
        for (std::size_t there = step;; there += step) {
            const std::string_view now = std::string_view(text).substr(0, std::min(there, text.size()));
            for (MarkupToken token = pieces.next(now); token.kind != MarkupToken::Kind::done;
                 token = pieces.next(now)) {
                REQUIRE(token.kind != MarkupToken::Kind::broken);
                if (token.kind != MarkupToken::Kind::text)
                    out += std::to_string(token.begin) + "-" + std::to_string(token.past) + " ";
            }
            if (there >= text.size()) return out;
        }
    };
    CHECK(kinds(1) == kinds(text.size()));
    CHECK(kinds(1) == "0-9 9-22 22-26 28-43 45-52 52-56 ");
}

TEST_CASE("every example stanza of the XEPs is read: corrections, retractions, reactions, archives") {
    if (!test::shared_dir()) {
        MESSAGE("skipped: ../shared is absent");
        return;
    }
    const auto folder = *test::shared_dir() / "corpora/messenger/xmpp";
    RealFs fs;
    std::map<MessageKind, int> kinds;
    const auto names = fs.list(folder);
    REQUIRE(names.ok());
    for (const std::string& name : *names) {
        const std::string text = test::read_text(folder / name);
        // Several stand in one file; each by itself.
        for (std::size_t at = text.find("<message"); at != std::string::npos; at = text.find("<message", at + 1)) {
            XmlPieces pieces;
            std::size_t depth = 0, past = 0;
            const std::string_view rest = std::string_view(text).substr(at);
            for (MarkupToken t = pieces.next(rest);
                 t.kind != MarkupToken::Kind::done && t.kind != MarkupToken::Kind::broken; t = pieces.next(rest)) {
                depth += t.kind == MarkupToken::Kind::start ? 1 : 0;
                depth -= t.kind == MarkupToken::Kind::end ? 1 : 0;
                past = t.past;
                if (depth == 0) break;
            }
            const auto p = parse(std::string(rest.substr(0, past)));
            ++kinds[p.message().kind];
            if (name.rfind("xep-0313", 0) == 0) CHECK(p.message().kind != MessageKind::unreadable);
        }
    }
    CHECK(kinds[MessageKind::edit] >= 1);
    CHECK(kinds[MessageKind::deletion] >= 2);
    CHECK(kinds[MessageKind::reaction] >= 3);
    const auto page = test::read_text(folder / "xep-0424_06.xml");
    const auto tombstone = parse(page.substr(page.find('<'), page.rfind('>') + 1));
    CHECK(tombstone.message().target == "stanza-id-1");
    const auto hag = test::read_text(folder / "xep-0313_26.xml");
    const auto first = parse(
        hag.substr(0, hag.find("</message>\n\n") == std::string::npos ? hag.size() : hag.find("</message>\n\n") + 10));
    CHECK(first.message().body == "Thrice the brinded cat hath mew'd.");
    CHECK(first.message().sender.id == "crone1@shakespeare.lit");
    CHECK(first.message().native_id == "78527-06716-51603");
}
