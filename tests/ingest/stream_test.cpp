#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/crypto.h"
#include "tests/ingest/collect.h"
#include "tests/support/doc_example.h"
#include "tests/support/shared.h"
#include "tests/support/temp_dir.h"

using namespace kustos;
using namespace kustos::ingest;
using vault::MessageKind;

namespace {

std::string with(const std::string& more) {
    return "{\"id\":\"m1\",\"kind\":\"chat\",\"sent_at\":\"2026-03-02T10:00:00Z\",\"sender\":{\"id\":\"u1\"}" + more +
           "}";
}
std::string refusal(const std::string& line) {
    const auto item = parse_stream_line(as_bytes(line));
    if (item.message.kind != MessageKind::unreadable) return "";
    CHECK(to_text(item.message.raw) == line);
    return item.message.notes.at(0);
}

// Gives one byte at a time.
class Trickle final : public ByteSource {
public:
    explicit Trickle(std::string text) : text_(std::move(text)) {}
    Result<std::size_t> read(std::span<std::uint8_t> out) override {
        if (at_ == text_.size()) return std::size_t{0};
        out[0] = static_cast<std::uint8_t>(text_[at_++]);
        return std::size_t{1};
    }

private:
    std::string text_;
    std::size_t at_ = 0;
};

}  // namespace

TEST_CASE("the worked example of the format page is read as the page says") {
    const std::string text = test::doc_text("message-stream.md", "stream");
    test::Collect out;
    const auto source = memory_source(as_bytes(text));
    REQUIRE(read_stream(*source, {}, {}, out).ok());
    REQUIRE(out.items.size() == 4);
    CHECK(out.quarantined() == 1);
    const auto& first = out.items[0].message;
    CHECK(first.kind == MessageKind::chat);
    CHECK(first.native_id == "m1");
    CHECK(format_rfc3339(*first.sent_at) == "2026-03-02T10:00:00Z");
    CHECK(first.sender.name == "Anna M\xC3\xBCller");
    CHECK(first.conversation.type == vault::ConversationType::channel);
    REQUIRE(first.attachments.size() == 1);
    CHECK(to_text(first.attachments[0].content) == "Hallo");
    REQUIRE(first.attachments[0].in_raw);
    CHECK(to_text(ByteView(first.raw).subspan(first.attachments[0].in_raw->offset,
                                              first.attachments[0].in_raw->length)) == "SGFsbG8=");
    CHECK(out.items[1].message.kind == MessageKind::edit);
    CHECK(out.items[1].message.target == "m1");
    CHECK(to_text(out.items[2].message.raw) == "<message id='7'/>");
    CHECK(out.items[3].message.notes == std::vector<std::string>{"quarantine:unknown-kind"});
    CHECK(out.findings == Findings{{"stream:unknown-key", 1}});
}

TEST_CASE("the JSON Schema names the keys and kinds that the reader knows") {
    RealFs fs;
    const Bytes text = read_file(fs, test::source_dir() / "docs/format/message-stream.schema.json", 1u << 20).value();
    const auto schema = nlohmann::json::parse(as_text(text));
    CHECK(schema["required"] == nlohmann::json({"id", "kind", "sent_at", "sender"}));
    for (const auto& kind : schema["properties"]["kind"]["enum"]) {
        std::string line = with("");
        line.replace(line.find("chat"), 4, kind.get<std::string>());
        CHECK(refusal(line) == "");
    }
    for (const auto& [key, value] : schema["properties"].items()) {
        if (schema["required"].dump().find("\"" + key + "\"") != std::string::npos) continue;
        Findings findings;
        CHECK(parse_stream_line(as_bytes(with(",\"" + key + "\":null")), {}, {}, &findings).message.kind ==
              MessageKind::chat);
        CHECK(findings.empty());
    }
}

TEST_CASE("only id, kind, sent_at and sender.id are required") {
    CHECK(refusal(with("")) == "");
    CHECK(refusal("{\"kind\":\"chat\",\"sent_at\":\"2026-03-02T10:00:00Z\",\"sender\":{\"id\":\"u1\"}}") ==
          "quarantine:missing-id");
    CHECK(refusal("{\"id\":\"1\",\"sent_at\":\"2026-03-02T10:00:00Z\",\"sender\":{\"id\":\"u1\"}}") ==
          "quarantine:missing-kind");
    CHECK(refusal("{\"id\":\"1\",\"kind\":\"chat\",\"sender\":{\"id\":\"u1\"}}") == "quarantine:missing-sent-at");
    CHECK(refusal("{\"id\":\"1\",\"kind\":\"chat\",\"sent_at\":\"2026-03-02T10:00:00Z\"}") ==
          "quarantine:missing-sender");
    CHECK(
        refusal("{\"id\":\"1\",\"kind\":\"chat\",\"sent_at\":\"2026-03-02T10:00:00Z\",\"sender\":{\"name\":\"x\"}}") ==
        "quarantine:missing-sender-id");
}

TEST_CASE("lines that are no events keep their bytes and get a reason") {
    CHECK(refusal("hello") == "quarantine:not-json");
    CHECK(refusal("[1]") == "quarantine:not-an-object");
    CHECK(refusal(with(",\"body\":7")) == "quarantine:bad-body");
    CHECK(refusal(with(",\"id\":\"m2\"")) == "quarantine:duplicate-key");
    CHECK(refusal("{\"id\":\"1\",\"kind\":\"chat\",\"sent_at\":\"2026-02-30T10:00:00Z\",\"sender\":{\"id\":\"u\"}}") ==
          "quarantine:bad-sent-at");
    CHECK(refusal(with(",\"body\":\"\\ud800\"")) == "quarantine:not-json");
    CHECK(refusal(with(",\"body\":\"\xFF\"")) == "quarantine:not-json");
    CHECK(refusal(with(",\"x\":" + std::string(100'000, '[') + std::string(100'000, ']'))) == "quarantine:too-deep");
    CHECK(refusal(with(",\"attachments\":[{\"content_base64\":\"SGF*\"}]")) == "quarantine:bad-base64");
    CHECK(refusal(with(",\"subject\":\"" + std::string(70'000, 'a') + "\"")) == "quarantine:limit-subject");
}

TEST_CASE("raw is the source's own bytes if given, else the line without its end") {
    CHECK(to_text(parse_stream_line(as_bytes(with(""))).message.raw) == with(""));
    CHECK(to_text(parse_stream_line(as_bytes(with(",\"source_original\":\"PGE+\""))).message.raw) == "<a>");
    test::Collect out;
    const std::string text = with("") + "\r\n" + with(",\"body\":\"x\"") + "\n\n";
    const auto source = memory_source(as_bytes(text));
    REQUIRE(read_stream(*source, {}, {}, out).ok());
    REQUIRE(out.items.size() == 2);
    CHECK(to_text(out.items[0].message.raw) == with(""));
}

TEST_CASE("a stream may arrive byte by byte, with a byte order mark, without a final line end") {
    Trickle source("\xEF\xBB\xBF" + with("") + "\nbroken\n" + with(",\"body\":\"last\""));
    test::Collect out;
    REQUIRE(read_stream(source, {}, {}, out).ok());
    REQUIRE(out.items.size() == 3);
    CHECK(out.quarantined() == 1);
    CHECK(out.items[2].message.body == "last");
}

TEST_CASE("a line above the limit is quarantined in pieces and the next line is read") {
    ReadContext context;
    context.limits.line = 1000;
    context.limits.quarantine_piece = 400;
    const std::string longer = with(",\"body\":\"" + std::string(1200, 'x') + "\"") + "\n";
    test::Collect out;
    const std::string text = longer + with("");
    const auto source = memory_source(as_bytes(text));
    REQUIRE(read_stream(*source, {}, context, out).ok());
    std::string pieces;
    for (const auto& item : out.items)
        if (item.message.kind == MessageKind::unreadable) pieces += to_text(item.message.raw);
    CHECK(pieces == longer);
    CHECK(out.items.back().message.native_id == "m1");
}

TEST_CASE("attachments by path lie beneath the stream file, and no link leads out") {
    test::TempDir dir;
    std::filesystem::create_directory(dir / "files");
    std::ofstream(dir / "files/a.txt") << "inside";
    std::filesystem::create_symlink("/etc/hostname", dir / "files/link");
    const auto get = [&](const std::string& path, const Path& base) {
        return parse_stream_line(as_bytes(with(",\"attachments\":[{\"name\":\"n\",\"path\":\"" + path + "\"}]")), base)
            .message;
    };
    CHECK(to_text(get("files/a.txt", dir.path()).attachments[0].content) == "inside");
    for (const char* path : {"files/link", "../x", "/etc/hostname", "files/absent"}) {
        CAPTURE(path);
        const auto message = get(path, dir.path());
        REQUIRE(message.attachments.size() == 1);
        CHECK(message.attachments[0].missing);
        CHECK(message.attachments[0].content.empty());
    }
    CHECK(get("files/a.txt", {}).notes == std::vector<std::string>{"attachment-path-not-allowed"});
}

TEST_CASE("a content may come beside the line, and what is not there or not allowed counts as missing") {
    const auto get = [](const std::string& attachment, StreamParts* parts) {
        return parse_stream_line(as_bytes(with(",\"attachments\":[" + attachment + "]")), {}, {}, nullptr, parts)
            .message;
    };
    StreamParts parts;
    parts.contents["plan"] = to_bytes(std::string_view("inside"));
    parts.contents["other"] = {};
    const auto good = get(R"({"name":"Plan.pdf","part":"plan","size":6})", &parts);
    CHECK(to_text(good.attachments.at(0).content) == "inside");
    CHECK(good.notes.empty());
    CHECK(parts.named == std::set<std::string, std::less<>>{"plan"});
    const auto absent = get(R"({"name":"Plan.pdf","part":"plane"})", &parts);
    CHECK(absent.attachments.at(0).missing);
    CHECK(absent.notes == std::vector<std::string>{"attachment-missing"});
    const auto alone = get(R"({"name":"Plan.pdf","part":"plan"})", nullptr);
    CHECK(alone.attachments.at(0).missing);
    CHECK(alone.notes == std::vector<std::string>{"attachment-part-not-allowed"});
    CHECK(get(R"({"part":"plan","content_base64":"SGFsbG8="})", &parts).notes ==
          std::vector<std::string>{"quarantine:attachment-twice"});
    CHECK(get(R"({"part":null,"content_base64":"SGFsbG8="})", &parts).notes.empty());
}

TEST_CASE("what an attachment declares is checked") {
    const std::string hash = sha256(as_bytes("Hallo")).hex();
    const auto good = parse_stream_line(
        as_bytes(with(",\"attachments\":[{\"size\":5,\"sha256\":\"" + hash + "\",\"content_base64\":\"SGFsbG8=\"}]")));
    CHECK(good.message.notes.empty());
    const auto bad =
        parse_stream_line(as_bytes(with(",\"attachments\":[{\"size\":6,\"content_base64\":\"SGFsbG8=\"}]")));
    CHECK(bad.message.notes == std::vector<std::string>{"attachment-mismatch:size"});
}

TEST_CASE("hostile JSON of the corpora is quarantined line by line") {
    const auto shared = test::shared_dir();
    if (!shared) {
        MESSAGE("skipped: ../shared is absent");
        return;
    }
    for (const auto& entry : std::filesystem::directory_iterator(*shared / "corpora/hostile/messenger")) {
        const auto name = entry.path().extension();
        if (name != ".json" && name != ".jsonl") continue;
        test::Collect out;
        REQUIRE(read(entry.path(), find_format("stream"), {}, out).ok());
        CHECK(out.items.size() == out.quarantined());
        CHECK(out.items.size() > 0);
    }
}
