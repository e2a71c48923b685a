// What is too large to be held: spooled attachments and condensed mails. The limits are small here; what matters is
// that the same comes out as from memory.
#include <doctest/doctest.h>

#include <fstream>

#include "base/crypto.h"
#include "ingest/src/large_mail.h"
#include "tests/ingest/collect.h"
#include "tests/ingest/zip_builder.h"
#include "tests/support/temp_dir.h"
#include "vault/payload.h"

using namespace kustos;
using namespace kustos::ingest;

namespace {

Bytes noise(std::size_t size, std::uint64_t seed = 3) {
    SeededRandom random(seed);
    Bytes out(size);
    random.fill(out);
    return out;
}

std::string base64_lines(ByteView bytes, std::size_t line, const std::string& ending) {
    const std::string all = base64(bytes);
    std::string out;
    for (std::size_t at = 0; at < all.size(); at += line) out += all.substr(at, line) + ending;
    return out;
}

std::string part(const std::string& name, const std::string& encoding, const std::string& content,
                 const std::string& type = "application/octet-stream") {
    return "--b\r\nContent-Type: " + type + "\r\nContent-Disposition: attachment; filename=\"" + name +
           "\"\r\nContent-Transfer-Encoding: " + encoding + "\r\n\r\n" + content + "\r\n";
}

std::string mail(const std::string& parts) {
    return "From: a@x.example\r\nTo: b@x.example\r\nSubject: Anhang\r\nMessage-ID: <m@x>\r\nMIME-Version: 1.0\r\n"
           "Content-Type: multipart/mixed; boundary=\"b\"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nText\r\n" +
           parts + "--b--\r\n";
}

struct Read {
    test::TempDir dir, spool;
    test::Collect out;
    ReadContext context;
    Read() {
        context.limits.in_memory = 64u << 10;
        context.spool_folder = spool.path();
    }
    const vault::Message& file(const std::string& name, const std::string& content) {
        std::ofstream(dir / name, std::ios::binary) << content;
        REQUIRE(read(dir / name, nullptr, context, out).ok());
        REQUIRE(out.items.size() >= 1);
        CHECK(std::filesystem::is_empty(spool.path()));
        return out.items.back().message;
    }
};

Bytes content_of(const vault::Attachment& a) {
    if (!a.spool) return a.content;
    Bytes out(static_cast<std::size_t>(a.spool.size));
    REQUIRE(a.spool.read(0, out).ok());
    CHECK(a.spool.sha256 == sha256(out));
    CHECK(a.size == out.size());
    return out;
}

// What a message gives back after it was composed: its source.
Bytes source_again(const vault::Message& message) {
    auto composed = vault::compose(message);
    REQUIRE(composed.ok());
    std::vector<Bytes> blobs;
    for (vault::BlobDraft& draft : composed->blobs) {
        composed->set_blob(draft, EntryIndex(blobs.size()), RecordId{}, {});
        Bytes content = draft.content;
        if (draft.spool) {
            content.resize(static_cast<std::size_t>(draft.spool.size));
            REQUIRE(draft.spool.read(0, content).ok());
        }
        blobs.push_back(std::move(content));
    }
    vault::OpenedPayload opened;
    opened.payload = composed->payload;
    Bytes out;
    const Status given = reconstruct_raw(
        opened, [&](const vault::BlobRef& ref, const ByteSink& sink) { return sink(blobs.at(ref.entry.value)); },
        [&](ByteView piece) {
            put(out, piece);
            return ok_status();
        });
    REQUIRE(given.ok());
    return out;
}

bool has_note(const vault::Message& message, const std::string& note) {
    return std::find(message.notes.begin(), message.notes.end(), note) != message.notes.end();
}

}  // namespace

TEST_CASE("a large attachment by path is spooled, with the sum that was declared") {
    Read r;
    const Bytes content = noise(300'000);
    std::ofstream(r.dir / "big.bin", std::ios::binary) << as_text(content);
    const auto& m =
        r.file("in.ndjson", R"({"id":"m1","kind":"chat","sent_at":"2026-03-02T10:00:00Z","sender":{"id":"u"},)"
                            R"("attachments":[{"name":"big.bin","path":"big.bin","size":300000,"sha256":")" +
                                sha256(content).hex() + "\"}]}\n");
    REQUIRE(m.attachments.size() == 1);
    CHECK(m.attachments[0].spool);
    CHECK(m.attachments[0].content.empty());
    CHECK(content_of(m.attachments[0]) == content);
    CHECK(m.notes.empty());
    CHECK(source_again(m) == m.raw);
}

TEST_CASE("a disk that can't take the spool ends the reading; nothing counts as missing") {
    Read r;
    std::ofstream(r.dir / "big.bin", std::ios::binary) << as_text(noise(300'000));
    std::ofstream(r.dir / "in.ndjson")
        << R"({"id":"m1","kind":"chat","sent_at":"2026-03-02T10:00:00Z","sender":{"id":"u"},"attachments":[{"name":"n","path":"big.bin"}]})";
    r.context.spool_folder = r.dir / "absent";
    const Status status = read(r.dir / "in.ndjson", find_format("stream"), r.context, r.out);
    CHECK(status.error().code() == Code::environment);
    CHECK(r.out.items.empty());
}

TEST_CASE("large files of a Mattermost export are spooled, small ones held") {
    Read r;
    r.context.extractor = &test::extractor();
    const Bytes big = noise(400'000), small = noise(1'000);
    const std::string header =
        "Post Creation Time,Post Update Time,Post Update Type,Team Id,Team Name,Team Display Name,Channel Id,Channel "
        "Name,Channel Display Name,Channel Type,User Id,User Email,Username,Post Id,Edited By Post Id,Replied to Post "
        "Id,Post Message,Post Type,User Type,Previews Post Id\n";
    const auto row = [](const std::string& text, const std::string& type) {
        return "1000,1000,,t,t,T,c,chan,Channel,public,u,u@x.example,user,p1,,,\"" + text + "\"," + type + ",user,\n";
    };
    test::ZipBuilder zip;
    zip.add("posts.csv", header + row("Hallo", "message") + row("big.bin (files/p1/f1-big.bin)", "attachment") +
                             row("small.bin (files/p1/f2-small.bin)", "attachment"));
    zip.add("files/p1/f1-big.bin", to_text(big));
    zip.add("files/p1/f2-small.bin", to_text(small));
    zip.write(r.dir / "batch001-0-1.zip");
    REQUIRE(read(r.dir / "batch001-0-1.zip", nullptr, r.context, r.out).ok());
    REQUIRE(r.out.items.size() == 1);
    const auto& m = r.out.items[0].message;
    REQUIRE(m.attachments.size() == 2);
    CHECK(m.attachments[0].spool);
    CHECK(content_of(m.attachments[0]) == big);
    CHECK_FALSE(m.attachments[1].spool);
    CHECK(content_of(m.attachments[1]) == small);
}

TEST_CASE("a large mail is condensed: its parts are those that memory would have given, its source comes back") {
    const Bytes big = noise(700'000), bigger = noise(900'001, 4), small = noise(5'000, 5);
    for (const std::string ending : {"\r\n", "\n"}) {
        for (const std::size_t line : {76u, 64u}) {
            CAPTURE(line);
            const std::string text = mail(part("one.bin", "base64", base64_lines(big, line, ending)) +
                                          part("small.bin", "base64", base64_lines(small, line, ending)) +
                                          part("two.bin", "base64", base64_lines(bigger, line, ending)));
            Read r;
            const auto& m = r.file("mail.eml", text);
            CHECK(m.kind == vault::MessageKind::mail);
            CHECK(m.subject == "Anhang");
            CHECK(m.body == "Text");
            CHECK(m.raw.empty());
            REQUIRE(m.raw_spool);
            CHECK(m.raw_spool.sha256 == sha256(as_bytes(text)));
            CHECK(r.out.items.back().source_bytes == text.size());
            REQUIRE(m.attachments.size() == 3);
            CHECK(m.attachments[0].spool);
            CHECK(m.attachments[2].spool);
            CHECK(content_of(m.attachments[0]) == big);
            CHECK(content_of(m.attachments[1]) == small);
            CHECK(content_of(m.attachments[2]) == bigger);
            const auto held = parse_mail(to_bytes(text)).message;
            CHECK(held.notes == m.notes);
            CHECK(held.headers == m.headers);
            for (std::size_t i = 0; i < 3; ++i) {
                CHECK(held.attachments[i].name == m.attachments[i].name);
                CHECK(held.attachments[i].in_raw->offset == m.attachments[i].in_raw->offset);
                CHECK(held.attachments[i].in_raw->length == m.attachments[i].in_raw->length);
            }
            CHECK(to_text(source_again(m)) == text);
            auto composed = vault::compose(m);
            REQUIRE(composed.ok());
            CHECK(composed->payload.literal.size() < 20'000);  // nothing is stored twice
            CHECK(composed->blobs.size() == 2);
        }
    }
}

TEST_CASE("base64 that no encoder makes again is kept as it stands, and the attachment is what it says") {
    const Bytes big = noise(600'000);
    std::string encoded = base64_lines(big, 76, "\r\n");
    encoded.insert(78 * 3000, "\r\n");       // an empty line between
    encoded.insert(78 * 5000 + 2, "!\r\n");  // and a foreign character
    const std::string text = mail(part("one.bin", "base64", encoded));
    Read r;
    const auto& m = r.file("mail.eml", text);
    REQUIRE(m.attachments.size() == 1);
    CHECK(content_of(m.attachments[0]) == big);
    CHECK(to_text(source_again(m)) == text);
    auto composed = vault::compose(m);
    REQUIRE(composed.ok());
    REQUIRE(composed->payload.blobs.size() == 1);
    CHECK(composed->payload.blobs[0].encoded);
    CHECK(composed->payload.literal.size() < 20'000);
}

TEST_CASE("a nested mail with a large attachment stays whole") {
    const std::string inner = mail(part("one.bin", "base64", base64_lines(noise(500'000), 76, "\r\n")));
    std::string renamed = inner;
    for (std::size_t at = 0; (at = renamed.find("--b", at)) != std::string::npos; at += 4) renamed.insert(at + 2, "i");
    renamed.replace(renamed.find("boundary=\"b\""), 12, "boundary=\"ib\"");
    const std::string text = mail("--b\r\nContent-Type: message/rfc822\r\n\r\n" + renamed + "\r\n");
    Read r;
    const auto& m = r.file("mail.eml", text);
    CHECK(m.kind == vault::MessageKind::mail);
    REQUIRE(m.attachments.size() == 1);
    CHECK(to_text(content_of(m.attachments[0])).find(renamed.substr(0, renamed.size() - 2)) == 0);
    CHECK(to_text(source_again(m)) == text);
}

TEST_CASE("a large mail that can't be condensed is held where the limits allow it, else sealed in pieces") {
    // Base64 lines in a body that is text: leaving lines out would change what people read.
    const std::string text = "From: a@x.example\r\nSubject: s\r\n\r\n" + base64_lines(noise(400'000), 76, "\r\n");
    {
        Read r;
        const auto& m = r.file("mail.eml", text);
        CHECK(m.kind == vault::MessageKind::mail);
        CHECK(to_text(m.raw) == text);
        CHECK(m.body.size() > 500'000);
    }
    Read r;
    r.context.limits.mail = 200'000;
    r.context.limits.quarantine_piece = 100'000;
    std::ofstream(r.dir / "mail.eml", std::ios::binary) << text;
    REQUIRE(read(r.dir / "mail.eml", find_format("eml"), r.context, r.out).ok());
    std::string all;
    for (const auto& item : r.out.items) {
        CHECK(item.message.kind == vault::MessageKind::unreadable);
        CHECK(has_note(item.message, "quarantine:too-large"));
        all += to_text(item.message.raw);
    }
    CHECK(all == text);
}

TEST_CASE("what a condenser leaves out and what it keeps are together what came, however it is cut into pieces") {
    SeededRandom random(11);
    for (int round = 0; round < 40; ++round) {
        std::string text;
        for (int i = 0; i < 8; ++i) {
            const std::string ending = random.next() % 2 == 0 ? "\n" : "\r\n";
            const std::size_t size = random.next() % 3 == 0 ? 400'000 : random.next() % 3'000;
            text += base64_lines(noise(size, random.next()), 40 + random.next() % 30 * 4, ending);
            if (random.next() % 2 == 0) text += "--b" + ending + "x: y" + ending;
            if (random.next() % 5 == 0) text += std::string(random.next() % 9'000, 'A');
        }
        Condenser condenser(64u << 20);
        for (std::size_t at = 0; at < text.size();) {
            const std::size_t n = std::min<std::size_t>(1 + random.next() % 100'000, text.size() - at);
            condenser.write(as_bytes(text).subspan(at, n));
            at += n;
        }
        condenser.finish();
        const auto cuts = condenser.cuts();
        const std::string kept = to_text(condenser.take());
        std::uint64_t left_out = 0;
        std::string again;
        std::size_t from = 0;
        for (const Condenser::Cut& cut : cuts) {
            again += kept.substr(from, cut.at - from);
            again += text.substr(again.size(), cut.length);
            from = cut.at;
            left_out += cut.length;
            CHECK(cut.length >= 192u << 10);
        }
        again += kept.substr(from);
        CHECK(kept.size() + left_out == text.size());
        CHECK(again == text);
    }
}
