// Blobs that are never held, through the archive: sealed from a spool, opened in pieces, in both suites.
#include <doctest/doctest.h>

#include "audit/verify_archive.h"
#include "tests/support/temp_dir.h"
#include "vault/archive.h"
#include "vault/opener.h"
#include "vault/retention.h"

using namespace kustos;
using namespace kustos::vault;

namespace {

struct World {
    RealFs fs;
    SystemClock clock;
    SystemRandom random;
    test::TempDir dir;

    void make() {
        const Status made = Archive::create({fs, clock, random}, dir / "a", dir / "state", {});
        if (!made.ok()) FAIL(made.error().message());
    }
    std::unique_ptr<Archive> open(audit::Suite suite) {
        OpenOptions options;
        options.state = dir / "state";
        options.suite = suite;
        auto archive = Archive::open({fs, clock, random}, dir / "a", std::move(options));
        if (!archive.ok()) FAIL(archive.error().message());
        return std::move(*archive);
    }
    SpoolPart spooled(const Bytes& content) {
        const auto spool = Spool::create(dir / "a" / "staging", random).value();
        REQUIRE(spool->write(content).ok());
        const SpoolPart part = end_part(spool);
        REQUIRE(spool->finish().ok());
        return part;
    }
    Draft draft(const SourceInfo& source, std::vector<Bytes> contents) {
        Message m;
        m.native_id = "m";
        m.body = "Text";
        m.raw = to_bytes("Text");
        for (const Bytes& content : contents) {
            Attachment a;
            a.name = "n";
            a.spool = spooled(content);
            m.attachments.push_back(std::move(a));
        }
        Draft d;
        d.source = source.id;
        d.retention_class = source.retention_class;
        d.content = compose(std::move(m)).value();
        return d;
    }
};

Bytes noise(std::size_t size) {
    SeededRandom random(size);
    Bytes out(size);
    random.fill(out);
    return out;
}

Bytes attachment_of(const Archive& archive, EntryIndex record, std::size_t number) {
    const audit::Entry entry = archive.entry(record).value();
    const OpenedPayload opened = archive.open_payload(record, entry).value();
    Bytes out;
    const Status given = archive.write_attachment(opened, number, [&out](ByteView piece) {
        CHECK(piece.size() <= 256u << 10);
        put(out, piece);
        return ok_status();
    });
    if (!given.ok()) FAIL(given.error().message());
    return out;
}

}  // namespace

TEST_CASE(
    "spooled attachments are sealed and opened in pieces, large and small, in both suites, also after a restart") {
    for (const audit::Suite suite : {audit::Suite::aes256_gcm, audit::Suite::xchacha20_poly1305}) {
        World w;
        w.make();
        // with a file of its own; without; small only once it is compressed; two of the first kind in one batch
        const std::vector<Bytes> contents = {noise(3'000'000), noise(70'000), Bytes(4'000'000, 'a'), noise(2'000'001)};
        EntryIndex record;
        {
            const auto archive = w.open(suite);
            const SourceInfo source = archive->add_source("chat", "import", kDefaultClass).value();
            std::vector<Draft> drafts;
            drafts.push_back(w.draft(source, contents));
            const auto receipts = archive->seal(std::move(drafts));
            if (!receipts.ok()) FAIL(receipts.error().message());
            record = receipts->front().index;
            CHECK(archive->entry(record).value().header.suite == suite);
            for (std::size_t i = 0; i < contents.size(); ++i) CHECK(attachment_of(*archive, record, i) == contents[i]);
            for (std::uint64_t i = 1; i <= 4; ++i) {
                const audit::Entry blob = archive->entry(EntryIndex(record.value - i)).value();
                CHECK(blob.header.kind == audit::Kind::blob);
                CHECK(blob.header.suite == suite);
            }
        }
        const auto again = w.open(audit::Suite::aes256_gcm);  // what is there opens whatever comes next
        for (std::size_t i = 0; i < contents.size(); ++i) CHECK(attachment_of(*again, record, i) == contents[i]);
        CHECK(audit::list_blobs(w.fs, w.dir / "a" / "vault").value().size() == 2);
        REQUIRE(again->settle().ok());
        const auto found = audit::verify_archive(w.fs, w.dir / "a", {});
        CHECK(found.report.ok);
        CHECK(found.report.problems.empty());
    }
}

TEST_CASE("a blob's file that was changed is refused when it is opened, and what came before it is not called whole") {
    World w;
    w.make();
    const auto archive = w.open(audit::Suite::xchacha20_poly1305);
    const SourceInfo source = archive->add_source("chat", "import", kDefaultClass).value();
    std::vector<Draft> drafts;
    drafts.push_back(w.draft(source, {noise(3'000'000)}));
    const EntryIndex record = archive->seal(std::move(drafts)).value().front().index;
    const Path file = audit::blob_file(w.dir / "a" / "vault", EntryIndex(record.value - 1));
    const auto handle = w.fs.open(file, OpenMode::read_write).value();
    std::uint8_t byte = 0;
    REQUIRE(handle->read_at(2'900'000, {&byte, 1}).ok());
    byte ^= 1;
    REQUIRE(handle->write_at(2'900'000, {&byte, 1}).ok());
    const OpenedPayload opened = archive->open_payload(record, archive->entry(record).value()).value();
    std::uint64_t given = 0;
    const Status status = archive->write_attachment(opened, 0, [&given](ByteView piece) {
        given += piece.size();
        return ok_status();
    });
    CHECK(status.error().code() == Code::corrupt);
    CHECK(given < 3'000'000);
}
