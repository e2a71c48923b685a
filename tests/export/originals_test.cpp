#include <doctest/doctest.h>

#include "base/crypto.h"
#include "export/originals.h"
#include "tests/support/temp_dir.h"

using namespace kustos;
using namespace kustos::exporting;

namespace {

class Fixed final : public OriginalSource {
public:
    void add(std::uint64_t entry, vault::MessageKind kind, const char* format, std::string raw) {
        Original o;
        o.entry = EntryIndex(entry);
        o.kind = kind;
        o.format = format;
        o.sender_address = "anna@amt.example";
        o.received_at = *parse_rfc3339("2026-03-02T10:00:00Z");
        o.sha256 = sha256(as_bytes(raw));
        o.size = raw.size();
        items.push_back({o, std::move(raw)});
    }
    std::size_t count() const override { return items.size(); }
    Result<Original> describe(std::size_t i) override { return items.at(i).first; }
    Status write(std::size_t i, const ByteSink& out) override {
        const ByteView all = as_bytes(items.at(i).second);
        for (std::size_t at = 0; at < all.size(); at += step)
            TRY(out(all.subspan(at, std::min(step, all.size() - at))));
        return ok_status();
    }
    std::vector<std::pair<Original, std::string>> items;
    std::size_t step = 3;
};

std::string mbox(Fixed& source) {
    std::string out;
    CHECK(write_mbox(
              [&](ByteView part) {
                  out += as_text(part);
                  return ok_status();
              },
              source)
              .ok());
    return out;
}

}  // namespace

TEST_CASE("an mbox quotes From lines reversibly and keeps every other byte") {
    Fixed source;
    source.add(7, vault::MessageKind::mail, "eml",
               "Subject: x\r\n\r\nFrom here\r\n>From there\r\n>>From\r\nFrom\r\nFromage\r\n>>>From deep\r\n> "
               "From\nFro\nFrom me");
    source.add(9, vault::MessageKind::chat, "stream", "{}");
    for (const std::size_t step : {1U, 2U, 3U, 5U, 1000U}) {
        source.step = step;
        CHECK(mbox(source) ==
              "From anna@amt.example Mon Mar  2 10:00:00 2026\n"
              "Subject: x\r\n\r\n>From here\r\n>>From there\r\n>>From\r\nFrom\r\nFromage\r\n>>>>From deep\r\n> "
              "From\nFro\n>From me\n\n");
    }
    auto written = write_mbox([](ByteView) { return ok_status(); }, source);
    REQUIRE(written.ok());
    CHECK(written->written == 1);
    CHECK(written->left_out == 1);
}

TEST_CASE("an mbox message that ends inside a possible From gets its bytes back") {
    Fixed source;
    source.add(1, vault::MessageKind::mail, "eml", "a\nFro");
    source.add(2, vault::MessageKind::mail, "eml", "");
    source.add(3, vault::MessageKind::mail, "eml", "b\n");
    const std::string line = "From anna@amt.example Mon Mar  2 10:00:00 2026\n";
    CHECK(mbox(source) == line + "a\nFro\n\n" + line + "\n" + line + "b\n\n");
}

TEST_CASE("a long line of '>' needs no memory") {
    Fixed source;
    source.add(1, vault::MessageKind::mail, "eml", std::string(1 << 20, '>') + "From x\n");
    source.step = 4096;
    const std::string out = mbox(source);
    CHECK(out.find(std::string(1 << 20, '>') + ">From x\n\n") != std::string::npos);
}

TEST_CASE("a folder of originals holds exact bytes, names by entry, and sums") {
    kustos::test::TempDir dir;
    RealFs fs;
    Fixed source;
    source.add(7, vault::MessageKind::mail, "eml", "Subject: x\r\n\r\nFrom \xff");
    source.add(123'456, vault::MessageKind::chat, "mattermost-csv/20", "a,b");
    auto written = write_eml_folder(fs, dir / "out", source);
    REQUIRE(written.ok());
    CHECK(written->written == 2);
    CHECK(to_text(*read_file(fs, dir / "out" / "000000000007.eml", 1000)) == source.items[0].second);
    CHECK(to_text(*read_file(fs, dir / "out" / "000000123456.csv", 1000)) == "a,b");
    const std::string sums = to_text(*read_file(fs, dir / "out" / "SHA256SUMS", 1000));
    CHECK(sums.find(source.items[0].first.sha256.hex() + "  000000000007.eml\n") != std::string::npos);
    CHECK(!write_eml_folder(fs, dir / "out", source).ok());  // never over what is there
}

TEST_CASE("an original that differs from its sealed sum is not handed out quietly") {
    kustos::test::TempDir dir;
    RealFs fs;
    Fixed source;
    source.add(7, vault::MessageKind::mail, "eml", "Subject: x");
    source.items[0].second = "Subject: y";
    auto written = write_eml_folder(fs, dir / "out", source);
    REQUIRE(!written.ok());
    CHECK(written.error().code() == Code::corrupt);
}
