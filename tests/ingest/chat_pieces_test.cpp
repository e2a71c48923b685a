// What the chat formats are made of: where JSON values stand, markup, HMAC, local times.
#include <doctest/doctest.h>

#include <chrono>

#include "ingest/src/chat_fields.h"
#include "ingest/src/hmac_sha512.h"
#include "ingest/src/json_scan.h"
#include "ingest/src/json_value.h"
#include "ingest/src/local_time.h"
#include "ingest/src/markup.h"

using namespace kustos;
using namespace kustos::ingest;

namespace {

// Gives its bytes in pieces of one size.
class Drops final : public ByteSource {
public:
    Drops(std::string text, std::size_t size) : text_(std::move(text)), size_(size) {}
    Result<std::size_t> read(std::span<std::uint8_t> out) override {
        const std::size_t size = std::min({size_, out.size(), text_.size() - at_});
        std::copy_n(text_.begin() + static_cast<std::ptrdiff_t>(at_), size, out.begin());
        at_ += size;
        return size;
    }

private:
    std::string text_;
    std::size_t size_, at_ = 0;
};

struct Scanned {
    std::vector<std::string> records;
    std::string frame, all;
    std::vector<JsonRecord::Is> is;
};

Scanned scan(const std::string& text, std::size_t piece, std::size_t limit = 1'000'000) {
    Drops source(text, piece);
    JsonRecords records(source, {"events"}, limit);
    Scanned out;
    JsonRecord record;
    while (records.next(record).value()) {
        out.records.push_back(to_text(record.bytes));
        out.is.push_back(record.is);
    }
    out.frame = to_text(records.take_frame());
    return out;
}

std::size_t sorted_sum(const std::string& text) {
    std::size_t sum = 0;
    for (const char c : text) sum += static_cast<unsigned char>(c);
    return sum;
}

}  // namespace

TEST_CASE("elements of arrays and top-level values are found, in whatever pieces the bytes come") {
    const std::string text =
        " \xEF\xBB\xBF"
        "[{\"a\":\"]}\\\"\"}, 1 ,\"x\",[2,[3]]]\n{\"k\":{\"events\":[9]},\"events\":[{\"b\":1},null],\"z\":[1]}"
        "{\"no\":\"array\"}{\"c\":2}\nwords\n[]";
    const Scanned whole = scan(text.substr(1), 1'000'000);
    const std::vector<std::string> wanted = {"{\"a\":\"]}\\\"\"}", "1",         "\"x\"", "[2,[3]]", "{\"b\":1}", "null",
                                             "{\"no\":\"array\"}", "{\"c\":2}", "words"};
    CHECK(whole.records == wanted);
    for (const std::size_t piece : {1u, 2u, 3u, 7u}) {
        const Scanned again = scan(text.substr(1), piece);
        CHECK(again.records == wanted);
        CHECK(again.frame == whole.frame);
    }
    std::size_t sum = sorted_sum(whole.frame);
    for (const std::string& record : whole.records) sum += sorted_sum(record);
    CHECK(sum == sorted_sum(text.substr(1)));  // no byte is lost, none is there twice
}

TEST_CASE("a value that is longer than the limit comes in pieces, and what follows it is found") {
    for (const std::string& big :
         {"\"" + std::string(50, 'x') + "\"", "[" + std::string(40, '1') + "]", std::string(33, '7')}) {
        for (const std::size_t piece : {1u, 5u, 1000u}) {
            const Scanned out = scan("[" + big + ",{\"a\":1}]", piece, 16);
            std::string joined;
            for (std::size_t i = 0; i + 1 < out.records.size(); ++i) {
                CHECK(out.is[i] == JsonRecord::Is::piece);
                joined += out.records[i];
            }
            CHECK(joined == big);
            // Cut off where a piece ends: no empty piece follows.
            for (const std::string& record : scan("[\"" + std::string(31, 'x'), piece, 16).records)
                CHECK_FALSE(record.empty());
            CHECK(out.records.back() == "{\"a\":1}");
        }
    }
}

TEST_CASE("what is cut off is given as far as it goes") {
    for (const std::string text : {"[{\"a\":1},{\"b\":", "{\"events\":[{\"a\":1},{\"b\":", "[{\"a\":1},\"b"}) {
        const Scanned out = scan(text, 3);
        REQUIRE(out.records.size() == 2);
        CHECK(out.is[0] == JsonRecord::Is::whole);
        CHECK(out.is[1] == JsonRecord::Is::truncated);
    }
    CHECK(scan("{\"events\":[1]garbage", 1).records.size() == 2);
}

TEST_CASE("members and elements are the exact bytes that stand there") {
    const std::string text = R"( {"a" : [1, {"b":"]"} ,"x"], "c":{}})";
    CHECK(json_member(text, "a") == R"([1, {"b":"]"} ,"x"])");
    CHECK(json_member(text, "c") == "{}");
    CHECK(json_member(text, "d").empty());
    CHECK(json_elements(json_member(text, "a")) == std::vector<std::string_view>{"1", R"({"b":"]"})", "\"x\""});
    CHECK(json_elements("{}").empty());
    CHECK(json_elements("[").empty());
}

TEST_CASE("equal JSON is equal however it is written") {
    JsonParser one, two;
    REQUIRE(one.parse(as_bytes(std::string_view(R"({"b":[1,2.50,"\u00e4"],"a":null})"))).empty());
    REQUIRE(two.parse(as_bytes(std::string_view("{ \"a\" : null, \"b\" : [ 1, 2.5, \"ä\" ] }"))).empty());
    CHECK(canonical_json(one.root()) == canonical_json(two.root()));
}

TEST_CASE("HTML becomes what people read") {
    CHECK(html_to_text("<p>a &lt; b &amp;&nbsp;c</p><div>zwei<br>drei</div>") ==
          "a < b &\xC2\xA0"
          "c\nzwei\ndrei");
    CHECK(html_to_text("<p><at id=\"0\">Anna</at>: sieh <img alt=\"Bild\" src=x> <emoji alt=\"😊\"></emoji></p>") ==
          "Anna: sieh Bild 😊");
    CHECK(html_to_text("<script>alert(1)</script><style>p{}</style>x<attachment id=\"1\"></attachment>") == "x");
    CHECK(html_to_text("1 < 2 and <unclosed") == "1 < 2 and <unclosed");
    CHECK(html_to_text("<pre>a\n  b</pre>c") == "a\n  b\nc");
    CHECK(html_to_text("&#0; &#xD800; &unknown;") == "&#0; &#xD800; &unknown;");
    CHECK(html_to_text(std::string(100'000, '<')).size() == 100'000);
}

TEST_CASE("markup that never closes costs no more than some walks over it") {
    const auto started = std::chrono::steady_clock::now();
    for (const std::string_view part : {"<a '", "<!--", "<![CDATA[", "<?", "<!", "<a =\"", "&", "<p"}) {
        std::string text;
        while (text.size() < 4'000'000) text += part;
        CHECK(html_to_text(text).size() > 0);
    }
    // One walk takes milliseconds; from each beginning to the end would take hours.
    CHECK(std::chrono::steady_clock::now() - started < std::chrono::seconds(120));
}

TEST_CASE("what stands between values comes in pieces, too, where it is very long") {
    const std::string text = "[" + std::string(100, ' ') + "1" + std::string(100, ',') + "2]";
    Drops source(text, 7);
    JsonRecords records(source, {}, 16);
    JsonRecord record;
    std::size_t all = 0, frames = 0;
    while (records.next(record).value()) {
        all += record.bytes.size();
        frames += record.is == JsonRecord::Is::frame;
        CHECK(record.bytes.size() <= 16);
    }
    CHECK(frames >= 12);
    CHECK(all + records.take_frame().size() == text.size());
}

TEST_CASE("HMAC-SHA-512 gives what RFC 4231 says") {
    const auto mac = [](const Bytes& key, std::string_view text) {
        HmacSha512 sum(key);
        sum.update(as_bytes(text.substr(0, 3)));
        sum.update(as_bytes(text.substr(3)));
        return hex(sum.finish());
    };
    CHECK(mac(Bytes(20, 0x0b), "Hi There") ==
          "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eaea3f4e4be9d914eeb61"
          "f1702e"
          "696c203a126854");
    CHECK(mac(Bytes(131, 0xaa), "Test Using Larger Than Block-Size Key - Hash Key First") ==
          "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f3526b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f"
          "0aec8b"
          "915a985d786598");
}

TEST_CASE("local times: summer, winter, the hour that is skipped and the one that comes twice") {
    const auto utc = [](const char* local) {
        return format_rfc3339(*local_to_utc(parse_rfc3339(std::string(local) + "Z").value(), "Europe/Berlin"));
    };
    CHECK(utc("2024-03-01T10:00:00") == "2024-03-01T09:00:00Z");
    CHECK(utc("2024-07-01T10:00:00") == "2024-07-01T08:00:00Z");
    CHECK(utc("2024-03-31T02:30:00") == "2024-03-31T01:00:00Z");
    CHECK(utc("2024-10-27T02:30:00") == "2024-10-27T00:30:00Z");
    CHECK_FALSE(local_to_utc(UtcTime{0}, "Nowhere/Land"));
}

TEST_CASE("durations of ISO 8601") {
    CHECK(iso_duration_ms("PT1M30S") == 90'000);
    CHECK(iso_duration_ms("P1DT1H0.25S") == 90'000'250);
    for (const char* bad : {"", "P", "PT", "1M", "PTM", "P1M", "PT1H2", "PT-1S", "PT1e99S", "PT99999999999999999S"})
        CHECK_FALSE(iso_duration_ms(bad));
}
