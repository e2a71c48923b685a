#include "vault/payload.h"

#include <doctest/doctest.h>

#include "vault/seal.h"

using namespace kustos;
using namespace kustos::vault;

namespace {

std::string random_text(SeededRandom& random, std::size_t length) {
    static const char* const kPieces[] = {"Prüfbericht", " ",       "\n", "a",  "👨‍👩‍👧",
                                          "\r\n",        "Straße ", "0",  "\t", "العربية",
                                          "游乐场",      "x\n\n"};
    std::string out;
    while (out.size() < length) out += kPieces[random.next() % 12];
    return out;
}

Bytes random_bytes(SeededRandom& random, std::size_t length) {
    Bytes b(length);
    random.fill(b);
    return b;
}

// Stands in for the blobs' entries.
struct Blobs {
    std::vector<Bytes> contents;
    Status operator()(const BlobRef& ref, const ByteSink& out) const {
        const Bytes& content = contents.at(static_cast<std::size_t>(ref.entry.value));
        for (std::size_t at = 0; at < content.size(); at += 1'001)  // in pieces that fit nothing
            TRY(out(ByteView(content).subspan(at, std::min<std::size_t>(1'001, content.size() - at))));
        return ok_status();
    }
};

struct RoundTrip {
    Message message;
    Bytes raw;
    std::vector<Bytes> attachments;
    std::size_t fields = 0;
    std::size_t blobs = 0;
};

RoundTrip round_trip(Message message) {
    auto composed = compose(std::move(message));
    REQUIRE(composed.ok());
    Blobs blobs;
    for (BlobDraft& draft : composed->blobs) {
        composed->set_blob(draft, EntryIndex(blobs.contents.size()), RecordId{}, {});
        blobs.contents.push_back(std::move(draft.content));
    }
    auto decoded = decode_payload(encode(composed->payload));
    REQUIRE(decoded.ok());
    CHECK(*decoded == composed->payload);
    decoded = decode_payload(encode_compact(composed->payload));
    REQUIRE(decoded.ok());
    CHECK(*decoded == composed->payload);
    CHECK(decoded->raw_computed == composed->blobs.empty());
    OpenedPayload opened;
    opened.payload = std::move(*decoded);
    RoundTrip out;
    out.fields = opened.payload.rows.size();
    out.blobs = blobs.contents.size();
    const Status raw = reconstruct_raw(opened, blobs, [&](ByteView piece) {
        put(out.raw, piece);
        return ok_status();
    });
    CHECK(raw.ok());
    auto back = decompose(opened);
    REQUIRE(back.ok());
    out.message = std::move(*back);
    for (std::size_t i = 0; i < out.message.attachments.size(); ++i) {
        auto content = attachment_content(opened, i, blobs);
        out.attachments.push_back(content.ok() ? *content : Bytes{});
    }
    return out;
}

Message full_message(SeededRandom& random) {
    Message m;
    m.kind = static_cast<MessageKind>(1 + random.next() % 11);
    m.native_id = "id-" + std::to_string(random.next());
    if (random.next() % 4 != 0) m.sent_at = UtcTime{static_cast<std::int64_t>(random.next() % 4'000'000'000'000)};
    m.received_at = UtcTime{1'772'445'600'123};
    m.sender = {"u1", "Jörg Größner", "joerg@auenbrueck.example", "chat.example", random.next() % 2 == 0};
    for (std::uint64_t i = random.next() % 5; i > 0; --i)
        m.recipients.push_back(
            {static_cast<Role>(1 + random.next() % 6), {"", "N" + std::to_string(i), "n@x.example", "", false}});
    m.conversation = {"c1", "Am Mühlbach", static_cast<ConversationType>(random.next() % 4)};
    m.subject = random_text(random, random.next() % 60);
    for (std::uint64_t i = random.next() % 6; i > 0; --i)
        m.headers.push_back("X-Header: " + random_text(random, random.next() % 40));
    m.body = random_text(random, random.next() % 5000);
    m.body_html = random.next() % 2 == 0 ? "<p>" + random_text(random, 300) + "</p>" : "";
    m.previous_body = random.next() % 3 == 0 ? random_text(random, 100) : "";
    m.reply_to = random.next() % 2 == 0 ? "r" : "";
    m.thread = random.next() % 2 == 0 ? "t" : "";
    m.target = random.next() % 2 == 0 ? "g" : "";
    m.format = "stream";
    m.notes = {"defect:charset", "time-zone-unknown"};
    m.feed_position = "pos-7";
    if (random.next() % 2 == 0) m.duration_ms = random.next() % 100'000;
    return m;
}

void check_same(const Message& a, const Message& b) {
    CHECK(a.kind == b.kind);
    CHECK(a.native_id == b.native_id);
    CHECK(a.sent_at == b.sent_at);
    CHECK(a.received_at == b.received_at);
    CHECK(a.sender == b.sender);
    CHECK(a.recipients == b.recipients);
    CHECK(a.conversation == b.conversation);
    CHECK(a.subject == b.subject);
    CHECK(a.headers == b.headers);
    CHECK(a.body == b.body);
    CHECK(a.body_html == b.body_html);
    CHECK(a.previous_body == b.previous_body);
    CHECK(a.reply_to == b.reply_to);
    CHECK(a.thread == b.thread);
    CHECK(a.target == b.target);
    CHECK(a.format == b.format);
    CHECK(a.notes == b.notes);
    CHECK(a.feed_position == b.feed_position);
    CHECK(a.duration_ms == b.duration_ms);
}

std::string lines_of_base64(ByteView bytes, std::size_t line, const std::string& ending, bool terminated) {
    const std::string all = base64(bytes);
    std::string out;
    for (std::size_t at = 0; at < all.size(); at += line) {
        out += all.substr(at, line);
        if (at + line < all.size() || terminated) out += ending;
    }
    return out;
}

}  // namespace

TEST_CASE("a message comes back as it was sealed, its source byte for byte") {
    SeededRandom random(7);
    for (int i = 0; i < 200; ++i) {
        Message m = full_message(random);
        m.raw = to_bytes("{\"body\":\"" + m.body + "\",\"subject\":\"" + m.subject + "\"}");
        const RoundTrip back = round_trip(m);
        check_same(m, back.message);
        CHECK(back.raw == m.raw);
        CHECK(back.message.raw_size == m.raw.size());
        CHECK(back.fields % 8 == 0);
    }
}

TEST_CASE("attachments of every encoding and size come back, and stand only once where they can") {
    SeededRandom random(11);
    for (const std::size_t size : {0u, 1u, 2u, 3u, 56u, 57u, 58u, 1000u, 65'535u, 65'536u, 200'000u}) {
        for (const std::size_t line : {4u, 60u, 64u, 76u, 75u, 100'000u}) {
            for (const std::string ending : {"\n", "\r\n"}) {
                for (const bool terminated : {true, false}) {
                    CAPTURE(size);
                    CAPTURE(line);
                    Message m;
                    m.kind = MessageKind::mail;
                    const Bytes content = random_bytes(random, size);
                    const std::string encoded = lines_of_base64(content, line, ending, terminated);
                    const std::string head = "Header: x" + ending + ending, tail = ending + "--end--";
                    m.raw = to_bytes(head + encoded + tail);
                    Attachment a;
                    a.name = "bericht.pdf";
                    a.media_type = "application/pdf";
                    a.content = content;
                    a.in_raw = RawSpan{head.size(), encoded.size(), RawEncoding::base64};
                    m.attachments.push_back(a);
                    const RoundTrip back = round_trip(m);
                    CHECK(back.raw == m.raw);
                    REQUIRE(back.attachments.size() == 1);
                    CHECK(back.attachments[0] == content);
                    CHECK(back.message.attachments[0].name == "bericht.pdf");
                    CHECK(back.message.attachments[0].size == size);
                    CHECK(back.message.attachments[0].sha256 == sha256(content));
                    CHECK(back.blobs == (size >= kBlobFrom ? 1 : 0));
                }
            }
        }
    }
}

TEST_CASE("base64 that no encoder writes is kept as it came") {
    SeededRandom random(13);
    for (const std::size_t size : {1'000u, 100'000u}) {
        const Bytes content = random_bytes(random, size);
        std::string encoded = lines_of_base64(content, 76, "\r\n", true);
        encoded.insert(encoded.size() / 2, " \t!");  // junk
        encoded.insert(100, "\n");                   // an odd line
        Message m;
        m.raw = to_bytes("x\n" + encoded + "y");
        Attachment a;
        a.content = content;
        a.in_raw = RawSpan{2, encoded.size(), RawEncoding::base64};
        m.attachments.push_back(a);
        const RoundTrip back = round_trip(m);
        CHECK(back.raw == m.raw);
        CHECK(back.attachments[0] == content);
    }
}

TEST_CASE("a wrong claim about where an attachment stands harms nothing") {
    SeededRandom random(17);
    const Bytes content = random_bytes(random, 500);
    for (const RawSpan span :
         {RawSpan{0, 5, RawEncoding::identity}, RawSpan{99'999, 5, RawEncoding::base64},
          RawSpan{3, UINT64_MAX, RawEncoding::base64}, RawSpan{UINT64_MAX, 1, RawEncoding::identity},
          RawSpan{2, 10, RawEncoding::quoted_printable}}) {
        Message m;
        m.raw = to_bytes(std::string_view("some source bytes"));
        Attachment a;
        a.content = content;
        a.in_raw = span;
        m.attachments = {a, a};  // and the same span twice
        const RoundTrip back = round_trip(m);
        CHECK(back.raw == m.raw);
        CHECK(back.attachments[0] == content);
        CHECK(back.attachments[1] == content);
    }
}

TEST_CASE("a message of any size stays below 4,096 fields and loses nothing") {
    SeededRandom random(19);
    Message m = full_message(random);
    for (int i = 0; i < 20'000; ++i)
        m.recipients.push_back({Role::to, {"", "R" + std::to_string(i), "r@x.example", "", false}});
    for (int i = 0; i < 5'000; ++i) m.headers.push_back("X-H" + std::to_string(i) + ": v");
    for (int i = 0; i < 3'000; ++i) m.notes.push_back("note-" + std::to_string(i));
    m.body = random_text(random, 30'000'000);
    for (int i = 0; i < 1'000; ++i) {
        Attachment a;
        a.name = "f" + std::to_string(i);
        a.media_type = "text/plain";
        a.content = to_bytes("content " + std::to_string(i));
        m.attachments.push_back(a);
    }
    const RoundTrip back = round_trip(m);
    CHECK(back.fields <= kMaxFieldCount);
    check_same(m, back.message);
    REQUIRE(back.attachments.size() == 1'000);
    for (int i = 0; i < 1'000; ++i) {
        if (back.attachments[static_cast<std::size_t>(i)] != to_bytes("content " + std::to_string(i)))
            FAIL("attachment " << i);
        if (back.message.attachments[static_cast<std::size_t>(i)].name != "f" + std::to_string(i)) FAIL("name " << i);
    }
}

TEST_CASE("an attachment that the source did not deliver stays visible as missing") {
    Message m;
    Attachment a;
    a.name = "fehlt.docx";
    a.missing = true;
    a.declared_size = 4711;
    a.declared_sha256 = sha256(as_bytes("x"));
    m.attachments.push_back(a);
    const RoundTrip back = round_trip(m);
    CHECK(back.message.attachments[0].missing);
    CHECK(back.message.attachments[0].declared_size == 4711);
    CHECK(back.message.attachments[0].declared_sha256 == a.declared_sha256);
}

TEST_CASE("a body's spans are whole lines or grapheme clusters") {
    SeededRandom random(23);
    Message m;
    std::string family;
    for (int i = 0; i < 500; ++i) family += "👨‍👩‍👧";
    m.body = family;
    auto composed = compose(m);
    REQUIRE(composed.ok());
    for (const FieldRow& r : composed->payload.rows) {
        if (r.path == PathCode::body_span) CHECK(r.length % std::string("👨‍👩‍👧").size() == 0);
    }
}

TEST_CASE("a damaged payload is an error, never a crash") {
    SeededRandom random(29);
    Message m = full_message(random);
    m.raw = to_bytes(m.body);
    auto composed = compose(m);
    REQUIRE(composed.ok());
    const Bytes good = encode(composed->payload);
    for (int i = 0; i < 3000; ++i) {
        Bytes bad = good;
        for (std::uint64_t n = 1 + random.next() % 3; n > 0; --n)
            bad[random.next() % std::min<std::size_t>(bad.size(), 700)] = static_cast<std::uint8_t>(random.next());
        if (random.next() % 4 == 0) bad.resize(random.next() % bad.size());
        auto decoded = decode_payload(bad);
        if (!decoded.ok()) continue;
        OpenedPayload opened;
        opened.payload = std::move(*decoded);
        (void)decompose(opened).ok();
        (void)reconstruct_raw(
            opened, [](const BlobRef&, const ByteSink&) -> Status { return Error(Code::not_found, "none"); },
            [](ByteView) { return ok_status(); })
            .ok();
    }
}
