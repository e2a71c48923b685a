// What is erased is in no index, no cache and no answer, and whoever asks for it is told so.
#include <doctest/doctest.h>

#include <filesystem>

#include "app/house.h"
#include "tests/support/temp_dir.h"
#include "vault/retention.h"

using namespace kustos;
using namespace kustos::app;

namespace {

const Bytes kPassphrase = to_bytes("vier Worte und ein Fisch");

struct World {
    RealFs fs;
    SystemClock clock;
    SystemRandom random;
    test::TempDir dir;
    std::unique_ptr<House> house;
    std::string matter;

    World() {
        vault::CreateOptions options;
        options.unlock = "passphrase";
        options.passphrase = SecretBytes(kPassphrase);
        REQUIRE(vault::Archive::create({fs, clock, random}, dir / "a", dir / "s", std::move(options)).ok());
        open(true);
        const auto source = house->archive().add_source("live", "http", vault::kDefaultClass).value();
        push(source, 12);
        REQUIRE(house->index_all(false).ok());
        matter = access::matter_id(house->matter_desk().open_new("Az. 1", "Art. 15").value().entry);
    }
    void open(bool unlocked) {
        house.reset();
        HouseOptions options;
        options.archive = dir / "a";
        options.state = dir / "s";
        options.actor = "tester";
        if (unlocked) options.secret = vault::PassphraseSecret{SecretBytes(kPassphrase)};
        auto opened = House::open({fs, clock, random}, std::move(options));
        if (!opened.ok()) FAIL(opened.error().message());
        house = std::move(*opened);
    }
    void push(const vault::SourceInfo& source, int count) {
        web::PushRequest request;
        request.source = source.name;
        request.token = house->issue_token(source.id, "tester").value();
        std::string lines;
        for (int i = 0; i < count; ++i)
            lines += R"({"id":"m)" + std::to_string(i) +
                     R"(","kind":"chat","sent_at":"2026-03-02T10:00:00Z","sender":{"id":"u"},"body":"Wort nummer)" +
                     std::to_string(i) +
                     R"(","attachments":[{"name":"a.txt","type":"text/plain","size":5,"content_base64":"SGFsbG8="}]})"
                     "\n";
        request.body = to_bytes(lines);
        const auto answer = house->push(request);
        if (!answer.ok()) FAIL(answer.error().message());
    }
    std::vector<EntryIndex> find(const std::string& query) {
        const auto report = house->search("tester", matter, query, "date", 0, 100);
        if (!report.ok()) FAIL(report.error().message());
        const web::Coverage& c = report->coverage;
        CHECK(c.sealed == c.searchable + c.partial + c.opaque + c.deferred + c.failed + c.erased);
        std::vector<EntryIndex> out;
        for (const web::Hit& hit : report->hits) out.push_back(hit.entry);
        return out;
    }
    void forget(const std::vector<EntryIndex>& entries) {
        vault::ForgetOrder order;
        order.entries = entries;
        order.reason = vault::compose_reason({"Art. 17 DSGVO", "clerk", {"one", "two"}, ""});
        const auto done = house->archive().forget(std::move(order));
        if (!done.ok()) FAIL(done.error().message());
    }
};

}  // namespace

TEST_CASE("an erased record is in no answer at once, in no shard after the index forgot it, and named when asked for") {
    World w;
    const EntryIndex gone = w.find("nummer5").at(0);
    REQUIRE(w.find("nummer*").size() == 12);
    const std::vector<std::uint32_t> shards = w.house->archive().shards();
    w.forget({gone});
    CHECK(w.find("nummer5").empty());
    CHECK(w.find("nummer*").size() == 11);
    for (const bool rewritten : {false, true}) {
        const auto record = w.house->record("tester", w.matter, gone, web::Language::english);
        REQUIRE(!record.ok());
        CHECK(record.error().code() == Code::erased);
        CHECK(record.error().message().find("entry " + std::to_string(gone.value) + " was erased on 20") == 0);
        CHECK(record.error().message().find(" by entry ") != std::string::npos);
        CHECK(w.house->original("tester", w.matter, gone).error().code() == Code::erased);
        ExportRequest request;
        request.matter = w.matter;
        request.records = {gone};
        request.as = "eml";
        request.out = w.dir / "out";
        CHECK(w.house->export_records(request).error().code() == Code::erased);
        const auto status = w.house->status(web::Language::english);
        REQUIRE(status.ok());
        CHECK(status->coverage_known);
        CHECK(status->coverage.erased == 1);
        CHECK(status->coverage.deferred == 0);
        CHECK(status->coverage.searchable + status->coverage.partial == 11);
        if (rewritten) break;
        const auto report = w.house->forget_terms();
        if (!report.ok()) FAIL(report.error().message());
        CHECK(report->rewritten == 1);
        CHECK(report->documents_dropped == 1);
        CHECK(w.house->archive().shard_key(shards.back()).error().code() == Code::not_found);  // and its key is no more
        CHECK(w.find("nummer5").empty());
        CHECK(w.find("nummer*").size() == 11);
    }
    REQUIRE(w.house->index_all(false).ok());  // it does not come back
    CHECK(w.find("nummer*").size() == 11);
    const std::uint32_t generation = w.house->archive().key_generation();
    CHECK(w.house->forget_terms()->rewritten == 0);
    CHECK(w.house->archive().key_generation() == generation);  // nothing to drop, no new generation
}

TEST_CASE(
    "while the vault is closed coverage after an erasure is not known, and known again when the index forgot it") {
    World w;
    w.forget({w.find("nummer5").at(0)});
    w.open(false);
    CHECK(w.house->forget_terms().error().code() == Code::closed);
    const auto before = w.house->status(web::Language::german);
    REQUIRE(before.ok());
    CHECK(!before->coverage_known);
    CHECK(before->coverage.sealed == 12);
    CHECK(before->coverage.erased == 1);
    w.open(true);
    REQUIRE(w.house->forget_terms().ok());
    w.open(false);
    const auto after = w.house->status(web::Language::german);
    REQUIRE(after.ok());
    CHECK(after->coverage_known);
    CHECK(after->coverage.searchable + after->coverage.partial == 11);
    CHECK(after->coverage.deferred == 0);
}

TEST_CASE("a record that is erased before it is indexed is not indexed and not deferred") {
    World w;
    const std::uint64_t before = w.house->archive().head().size.value;
    vault::Draft draft;
    draft.kind = audit::Kind::record;
    draft.source = w.house->archive().find_source("live")->id;
    draft.retention_class = vault::kDefaultClass;
    vault::Message message;
    message.body = "niemals";
    message.received_at = w.clock.now();
    draft.content = vault::compose(std::move(message)).value();
    std::vector<vault::Draft> drafts;
    drafts.push_back(std::move(draft));
    const EntryIndex entry = w.house->archive().seal(std::move(drafts)).value().front().index;
    CHECK(entry.value >= before);
    w.forget({entry});
    REQUIRE(w.house->index_all(false).ok());
    CHECK(w.find("niemals").empty());
    const auto coverage = w.house->status(web::Language::english)->coverage;
    CHECK(coverage.erased == 1);
    CHECK(coverage.deferred == 0);
    CHECK(coverage.failed == 0);
}

TEST_CASE("the sealer forgets the key of a closed shard") {
    World w;
    const std::uint32_t shard = w.house->archive().shards().back();
    CHECK(w.house->archive().shard_key(shard).ok());
    REQUIRE(w.house->archive().lock().ok());
    CHECK(w.house->archive().shard_key(shard).error().code() == Code::closed);
}
