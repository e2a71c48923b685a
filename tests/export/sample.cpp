#include "tests/export/sample.h"

#include "base/crypto.h"
#include "tests/support/shared.h"

namespace kustos::exporting::test {

using vault::Attachment;
using vault::Conversation;
using vault::ConversationType;
using vault::Message;
using vault::MessageKind;
using vault::Person;
using vault::Role;

namespace {

UtcTime at(const char* text) {
    return *parse_rfc3339(text);
}

Person person(const char* name, const char* address) {
    Person p;
    p.id = address;
    p.name = name;
    p.address = address;
    return p;
}

const Person kAnna = person("Anna Jäger", "anna.jaeger@amt.example");
const Person kBen = person("Benjamin Groß", "b.gross@amt.example");
const Person kYara = person("يارا حداد", "yara@bau.example");

class Builder {
public:
    std::vector<BundleRecord> done;

    BundleRecord& add(MessageKind kind, const Person& who, const char* when, std::string body) {
        BundleRecord r;
        r.entry = EntryIndex(next_ += 3);
        r.source = "Mattermost Amt Musterstadt";
        r.sequence = done.size();
        Message& m = r.message;
        m.kind = kind;
        m.native_id = "id" + std::to_string(done.size());
        m.sender = who;
        m.sent_at = at(when);
        m.received_at = {m.sent_at->ms + 4000};
        m.body = std::move(body);
        m.conversation = {"c1", "Bauprojekt „Am Äußeren Ring“", ConversationType::channel};
        m.format = "stream";
        r.original_sha256 = sha256(as_bytes(m.native_id + m.body));
        r.original_size = m.body.size() + 400;
        r.original_path = "originals/" + std::to_string(r.entry.value) + ".json";
        done.push_back(std::move(r));
        return done.back();
    }

private:
    std::uint64_t next_ = 120;
};

Attachment file(const char* name, const char* type, std::uint64_t size) {
    Attachment a;
    a.name = name;
    a.media_type = type;
    a.size = size;
    a.sha256 = sha256(as_bytes(name));
    return a;
}

void make_mail(BundleRecord& r, const char* subject) {
    Message& m = r.message;
    r.source = "Journal Exchange";
    m.subject = subject;
    m.conversation = {};
    m.recipients = {{Role::to, kBen}, {Role::to, kYara}, {Role::cc, person("", "poststelle@amt.example")}};
    m.native_id += "@mail.amt.example";
    r.original_path = "originals/000000000150.eml";
}

}  // namespace

BundleInput sample_input(Language language) {
    BundleInput in;
    in.language = language;
    in.archive_name = "Zentralarchiv";
    in.authority = "Stadt Musterstadt, Amt für Bauaufsicht";
    in.matter = {"BA-2026/0417-III",
                 "§ 26 BDSG; Beschluss des Amtsgerichts Musterstadt vom 11.03.2026, Az. 4 Gs 117/26", EntryIndex(88)};
    in.query = "from:jaeger (Überweisung OR \"Äußerer Ring\") date:2026-03";
    in.total = 18;
    in.coverage = {12'840, 12'201, 318, 204, 55, 3, 59};
    in.unsearched = 41;
    in.unsearched_words = language == Language::de
                              ? "41 Nachrichten, die in Frage kommen, konnten nicht ganz durchsucht "
                                "werden: 12 Sprachnachrichten, 29 verschlüsselt."
                              : "41 items that may match could not be searched wholly: 12 voice "
                                "messages, 29 encrypted.";
    in.created_at = at("2026-04-02T08:15:30Z");
    in.created_by = "m.schulze";
    in.tool = "kustos 0.1.0";
    in.custody = {{at("2026-03-01T06:00:00Z"), EntryIndex(0), "archive_created", "", ""},
                  {at("2026-03-01T06:01:00Z"), EntryIndex(5), "source_added", "admin", "Mattermost Amt Musterstadt"},
                  {at("2026-03-12T09:30:00Z"), EntryIndex(88), "matter_opened", "m.schulze", "BA-2026/0417-III"},
                  {at("2026-04-02T08:10:00Z"), EntryIndex(401), "search", "m.schulze", "total=18"},
                  {at("2026-04-02T08:15:00Z"), EntryIndex(402), "export", "m.schulze", "count=18"}};
    in.proof.checkpoint_size = TreeSize(14'233);
    in.proof.checkpoint_root = sha256(as_bytes("root"));
    in.proof.origin = "kustos.archive/5f0c1d2e3a4b5c6d7e8f90a1b2c3d4e5";
    in.proof.fingerprint = sha256(as_bytes("key")).hex();
    in.proof.verifier_key = "kustos.archive/5f0c1d2e+a1b2c3d4+AXc0VjI2S2RhdGFCYXNlNjRFeGFtcGxlS2V5Qnl0ZXM=";
    in.proof.anchors = {{at("2026-04-02T08:14:10Z"), "builtin", true, TreeSize(14'200)},
                        {at("2026-04-02T08:14:12Z"), "Zeitstempeldienst der Bundesdruckerei", false, TreeSize(14'200)}};
    return in;
}

std::vector<BundleRecord> sample_records() {
    Builder b;
    b.add(MessageKind::join, kYara, "2026-03-02T08:59:10Z", "");
    b.add(MessageKind::chat, kAnna, "2026-03-02T09:00:00Z",
          "Guten Morgen! Die Überweisung über 1.250,00 € an die Firma Müller & Söhne ist heute früh rausgegangen – "
          "prüfst du "
          "bitte, ob das Grundstück in der Straße „Am Äußeren Ring 12“ wirklich schon im Grundbuch steht? Sonst "
          "verfällt die "
          "Frist am Freitag und wir fangen von vorne an.");
    b.add(MessageKind::chat, kBen, "2026-03-02T09:02:41Z", "Mach ich 👍🏽 Bis später!").message.reply_to = "id1";
    b.add(MessageKind::chat, kYara, "2026-03-02T09:05:00Z",
          "مرحبا يا يورغن، تم تحويل المبلغ 1250 يورو اليوم.\nKurz auf Deutsch: Geld ist da. 😀🎉 "
          "👨‍👩‍👧‍👦 "
          "🇩🇪 "
          "❤️");
    b.add(MessageKind::reaction, kAnna, "2026-03-02T09:05:20Z", "👍").message.target = "id3";
    b.add(MessageKind::reaction, kBen, "2026-03-02T09:05:31Z", "🎉").message.target = "id3";
    b.add(MessageKind::chat, kAnna, "2026-03-02T09:10:00Z", "Das Angebot liegt bei 48.000 €.");
    auto& edit = b.add(MessageKind::edit, kAnna, "2026-03-02T09:11:30Z", "Das Angebot liegt bei 84.000 €.");
    edit.message.target = "id6";
    edit.message.previous_body = "Das Angebot liegt bei 48.000 €.";
    b.add(MessageKind::chat, kBen, "2026-03-02T09:20:00Z", "Bitte nichts davon in die Akte.");
    b.add(MessageKind::deletion, kBen, "2026-03-02T11:45:02Z", "").message.target = "id8";
    b.add(MessageKind::chat, kYara, "2026-03-03T07:30:00Z",
          "你好,合同已经签好了。请查收附件。\nשלום עולם, Mischtext mit עברית darin.\nनमस्ते, क्षत्रिय स्त्री");
    auto& with_files = b.add(MessageKind::file, kAnna, "2026-03-03T07:42:00Z", "Hier das Protokoll und die Fotos.");
    with_files.message.attachments = {
        file("Protokoll_Übergabe_2026-03-02.pdf", "application/pdf", 1'432'118),
        file("Foto Baustelle.jpg", "image/jpeg", 88'213),
        file("Angebot.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", 0)};
    with_files.message.attachments[2].missing = true;
    with_files.attachments = {{AttachmentPlace::in_container, "attachments/153-0-Protokoll.pdf", ""},
                              {AttachmentPlace::left_out, "", "geschwärzt nach § 4 IFG, M. Schulze"},
                              {AttachmentPlace::missing, "", ""}};
    b.add(MessageKind::call, kBen, "2026-03-03T08:00:00Z", "Anruf, 14 Minuten, 2 Teilnehmer");
    auto& direct = b.add(MessageKind::chat, kBen, "2026-03-04T17:00:00Z", "Hast du kurz Zeit?");
    direct.message.conversation = {"d1", "", ConversationType::direct};
    auto& answer = b.add(MessageKind::chat, kAnna, "2026-03-04T17:00:30Z", "Ja.");
    answer.message.conversation = {"d1", "", ConversationType::direct};
    auto& mail = b.add(
        MessageKind::mail, kAnna, "2026-03-05T10:12:00+01:00",
        "Sehr geehrter Herr Groß,\n\nanbei die Unterlagen zum Vorgang.\n\n> Am 04.03. schrieb Benjamin Groß:\n> Bitte "
        "bis Freitag.\n\nMit freundlichen Grüßen\nAnna Jäger\n-- \nStadt Musterstadt");
    make_mail(mail, "Unterlagen zum Vorgang BA-2026/0417: Straße „Am Äußeren Ring“");
    mail.message.attachments = {file("Lageplan.pdf", "application/pdf", 512'000)};
    mail.message.notes = {"defect:charset"};
    auto& html = b.add(MessageKind::mail, kYara, "2026-03-06T09:00:00Z", "");
    make_mail(html, "");
    html.message.body_html =
        "<html><head><style>p{}</style></head><body><p>Sch&ouml;ne Gr&uuml;&szlig;e,<br>Yara</p>"
        "<ul><li>Punkt&nbsp;1</li><li>Punkt 2 &amp; mehr</li></ul></body></html>";
    auto& unreadable = b.add(MessageKind::unreadable, {}, "2026-03-07T09:00:00Z", "");
    unreadable.message.sent_at.reset();
    unreadable.message.notes = {"quarantine:too-deep"};
    unreadable.message.conversation = {};
    return std::move(b.done);
}

std::vector<BundleRecord> hostile_records() {
    Builder b;
    Person spoof = person("\u202EGroß Benjamin\u202C\u2066", "evil\u202E@amt.example");
    b.add(MessageKind::chat, spoof, "2026-03-02T09:00:00Z",
          "Name mit U+202E; dateiname rechnung\u202Efdp.exe\nzweite Zeile");
    b.add(MessageKind::chat, kAnna, "2026-03-02T09:00:10Z", std::string(3000, 'A') + "Ü" + std::string(3000, 'b'));
    b.add(MessageKind::chat, kAnna, "2026-03-02T09:00:20Z",
          std::string("Steuerzeichen:\0\x01\x02\x1b[31mrot\x1b[0m\x07\x7f Ende", 37));
    b.add(MessageKind::chat, kAnna, "2026-03-02T09:00:30Z", "");
    b.add(MessageKind::chat, kAnna, "2026-03-02T09:00:40Z", " \n\t\n \n");
    std::string marks = "Z";
    for (int i = 0; i < 400; ++i) marks += "\u0335\u0321\u0489\u030d";
    b.add(MessageKind::chat, kAnna, "2026-03-02T09:00:50Z", "vorher " + marks + "algo nachher\nbleibt lesbar");
    b.add(MessageKind::chat, kAnna, "2026-03-02T09:01:00Z", "\uFDFD \U0001242B \uFDFD\uFDFD\uFDFD");
    b.add(MessageKind::chat, kAnna, "2026-03-02T09:01:10Z", std::string("kaputt \xff\xfe\xc3 \xed\xa0\x80 ende"));
    b.add(MessageKind::chat, kAnna, "2026-03-02T09:01:20Z",
          "Objekt \uFFFC, BOM \uFEFF, privat \uE000, unbekannt \U0003FFFD");
    std::string lines;
    for (int i = 1; i <= 500; ++i) lines += "Zeile " + std::to_string(i) + " einer langen Mail mit Umlauten: äöüß\n";
    auto& mail =
        b.add(MessageKind::mail, person(std::string(5000, 'N').c_str(), "x@y.example"), "2026-03-05T10:12:00Z", lines);
    make_mail(mail, "Betreff\nBcc: opfer@example.org \u202Eumgedreht");
    for (int i = 0; i < 600; ++i)
        mail.message.recipients.push_back(
            {Role::cc, person("Empfänger", ("e" + std::to_string(i) + "@example.org").c_str())});
    Attachment a = file("../../etc/pass\u202Egpj.exe\n\x01", "text/html; charset=\"<script>\"", 12);
    mail.message.attachments = {a};
    std::string emoji;
    for (int i = 0; i < 300; ++i) emoji += "👩🏽‍💻";
    b.add(MessageKind::chat, kAnna, "2026-03-06T09:01:20Z",
          emoji + " #️⃣ 1️⃣ \u2764 ☎ ☎️ 🏴󠁧󠁢󠁥󠁮󠁧󠁿 👍\u200D👎 \u200D\u200D");
    auto& title = b.add(MessageKind::chat, kYara, "2026-03-06T10:00:00Z", "Titel mit Überlänge");
    title.message.conversation = {"c9", "عنوان طويل \u2067" + std::string(2000, 'T'), ConversationType::group};
    auto& self = b.add(MessageKind::chat, kYara, "2026-03-06T10:01:00Z", "antwortet sich selbst");
    self.message.reply_to = self.message.native_id;
    return std::move(b.done);
}

std::vector<BundleRecord> many_records(std::size_t count) {
    Builder b;
    const char* const texts[] = {
        "Hallo Jürgen, die Überweisung über 1.250,00 € ist heute früh rausgegangen – prüfst du bitte?",
        "Ok.",
        "Schöne Grüße aus Köln! Ich hab’s dir doch gesagt: „Das geht so nicht“, und zwar mehrfach. Wir müssen die "
        "Verträge für das "
        "Grundstück bis spätestens Freitag unterschreiben, sonst verfällt die Frist.",
        "Alles klar 👍🏽😀 danke!",
        "你好,合同已经签好了。",
        "مرحبا يا يورغن"};
    for (std::size_t i = 0; i < count; ++i) {
        BundleRecord& r = b.add(MessageKind::chat, i % 3 ? kAnna : kBen, "2026-01-05T07:00:00Z", texts[i % 6]);
        r.message.sent_at = UtcTime{r.message.sent_at->ms + static_cast<std::int64_t>(i) * 271'000};
        r.message.conversation.id = "c" + std::to_string(i % 7);
        r.message.conversation.title = "Kanal " + std::to_string(i % 7);
        if (i % 50 == 49) r.message.reply_to = "id" + std::to_string(i - 7);
    }
    return std::move(b.done);
}

EvidenceContainer stub_container() {
    Bytes zip;
    put(zip, "PK\x03\x04 stub evidence container endstream endobj ");
    for (unsigned i = 0; i < 70'000; ++i) put_u8(zip, static_cast<std::uint8_t>(i * 31));
    return container_in_memory(std::move(zip));
}

Made make(const BundleInput& input, std::vector<BundleRecord> records, const EvidenceContainer& container) {
    RecordsInMemory source(std::move(records));
    Made made;
    auto facts = write_pdf(input, source, container, [&](ByteView part) {
        put(made.pdf, part);
        return ok_status();
    });
    CHECK(facts.ok());
    made.facts = *facts;
    return made;
}

}  // namespace kustos::exporting::test
