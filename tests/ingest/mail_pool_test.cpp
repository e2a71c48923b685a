// Mails that several threads parse come out in the order in which they went in, and nothing of them is left behind.
#include "ingest/src/mail_pool.h"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>

#include "base/fs.h"
#include "base/text.h"
#include "tests/support/shared.h"

using namespace kustos;
using namespace kustos::ingest;

namespace {

struct Order final : ItemSink {
    std::vector<std::string> ids;
    Findings findings;
    std::size_t fails_at = SIZE_MAX;
    std::thread::id thread = std::this_thread::get_id();
    Status item(ParsedItem item) override {
        CHECK(std::this_thread::get_id() == thread);
        if (ids.size() == fails_at) return Error(Code::interrupted, "asked to stop");
        ids.push_back(item.message.native_id);
        return ok_status();
    }
    void finding(std::string_view code, std::uint64_t count) override { findings[std::string(code)] += count; }
};

Bytes mail(std::size_t number, std::size_t size = 100) {
    std::string text = "Message-ID: <" + std::to_string(number) + "@a.test>\r\nSubject: a\r\n\r\n";
    while (text.size() < size) text += "words and words and words\r\n";
    return to_bytes(as_bytes(text));
}

ParsedItem named(Bytes raw, const std::string& name) {
    ParsedItem item = parse_mail(std::move(raw));
    item.message.native_id = name;
    return item;
}

MailParser as(std::size_t number) {
    return [number](Bytes raw) { return named(std::move(raw), std::to_string(number)); };
}

}  // namespace

TEST_CASE("mails come out in the order in which they came, whatever each one takes") {
    for (const unsigned threads : {1u, 2u, 7u}) {
        Order sink;
        MailPool pool(sink, {}, threads);
        std::vector<std::string> expected;
        for (std::size_t n = 0; n < 3'000; ++n) {
            REQUIRE(pool.mail(mail(n, n % 97 == 0 ? 400'000 : 100), as(n)));
            expected.push_back(std::to_string(n));
        }
        REQUIRE(pool.finish());
        CHECK(sink.ids == expected);
    }
}

TEST_CASE("what is no mail, and a mail that is parsed alone, come behind the mails before them") {
    Order sink;
    MailPool pool(sink, {}, 3);
    REQUIRE(pool.mail(mail(0), as(0)));
    ParsedItem other;
    other.message.native_id = "1";
    REQUIRE(pool.item(std::move(other)));
    REQUIRE(pool.mail(mail(2), as(2)));
    REQUIRE(pool.mail(mail(3, 9u << 20), as(3)));
    CHECK(sink.ids == std::vector<std::string>{"0", "1", "2", "3"});
    REQUIRE(pool.mail(mail(4), as(4)));
    REQUIRE(pool.finish());
    REQUIRE(pool.finish());
    CHECK(sink.ids.back() == "4");
}

TEST_CASE("an error of the sink ends the reading, and what waited is dropped") {
    Order sink;
    sink.fails_at = 1'000;
    Status status;
    {
        MailPool pool(sink, {}, 2);
        for (std::size_t n = 0; status.ok() && n < 1'000'000; ++n) status = pool.mail(mail(n), as(n));
    }
    REQUIRE(!status.ok());
    CHECK(status.error().code() == Code::interrupted);
    CHECK(sink.ids.size() == 1'000);
}

TEST_CASE("what waits is bounded: a reader that is faster than the threads waits for them") {
    Order sink;
    std::atomic<std::uint64_t> held = 0, most = 0;
    MailPool pool(sink, {}, 1);
    for (std::size_t n = 0; n < 200; ++n) {
        Bytes raw = mail(n, 1u << 20);
        const std::uint64_t now = held += raw.size();
        most = std::max(most.load(), now);
        REQUIRE(pool.mail(std::move(raw), [&held](Bytes bytes) {
            held -= bytes.size();
            return named({}, "x");
        }));
    }
    REQUIRE(pool.finish());
    CHECK(sink.ids.size() == 200);
    CHECK(most.load() <= MailPool::kMostWaiting + (4ull << 20));
}

TEST_CASE("findings of mails that others parse are counted") {
    Order sink;
    MailPool pool(sink, {}, 2);
    pool.finding("here", 2);
    RealFs fs;
    const auto report =
        read_file(fs, test::source_dir() / "tests/data/ingest/journal/journal_without_inner.eml", 1u << 20);
    REQUIRE(report);
    for (int n = 0; n < 5; ++n) REQUIRE(pool.mail(*report, as(0)));
    REQUIRE(pool.finish());
    CHECK(sink.ids.size() == 5);
    CHECK(sink.findings["here"] == 2);
    CHECK(sink.findings["journal:inner-missing"] == 5);
}
