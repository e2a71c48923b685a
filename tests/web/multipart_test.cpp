#include "web/src/multipart.h"

#include <doctest/doctest.h>

using namespace kustos;
using namespace kustos::web;

namespace {

const std::string kType = "multipart/form-data; boundary=edge";

std::string part(const std::string& name, const std::string& content, const std::string& more = "") {
    return "--edge\r\nContent-Disposition: form-data; name=\"" + name + "\"" + more + "\r\n\r\n" + content + "\r\n";
}

const std::string kEnd = "--edge--\r\n";

Result<PushBody> parse(const std::string& body, const std::string& type = kType) {
    return parse_multipart(as_bytes(body), type);
}

std::string refusal(const std::string& body, const std::string& type = kType) {
    const auto parsed = parse(body, type);
    return parsed.ok() ? "taken" : parsed.error().message();
}

}  // namespace

TEST_CASE("lines and contents come out byte for byte, in whatever order, as curl and browsers write them") {
    std::string binary;
    for (int i = 0; i < 256; ++i) binary += static_cast<char>(i);
    binary += "\r\n--edg\r\n\r\n--\r\n";
    const auto parsed = parse(part("plan", binary, "; filename=\"Plan ä.pdf\"\r\nContent-Type: application/pdf") +
                              part("messages", "{}\n{}\n") + part("leer", "") + kEnd);
    REQUIRE(parsed.ok());
    CHECK(to_text(parsed->messages) == "{}\n{}\n");
    REQUIRE(parsed->parts.size() == 2);
    CHECK(to_text(parsed->parts.at("plan")) == binary);
    CHECK(parsed->parts.at("leer").empty());
    CHECK(parse("preamble\r\n" + part("messages", "x") + kEnd).ok());
    CHECK(parse(part("messages", "x") + "--edge--").ok());
    CHECK(parse(part("messages", "x") + kEnd, "Multipart/Form-Data; boundary=\"edge\"").ok());
}

TEST_CASE("a body that was cut off anywhere is refused, never taken as shorter") {
    const std::string whole = part("messages", "{\"id\":1}\n") + part("plan", "content") + "--edge--";
    REQUIRE(parse(whole).ok());
    for (std::size_t size = 0; size < whole.size(); ++size) {
        CAPTURE(size);
        CHECK(parse(whole.substr(0, size)).error().code() == Code::bad_input);
    }
}

TEST_CASE("what is no form of ours is refused with what is wrong, and without its content") {
    const std::string messages = part("messages", "x");
    CHECK(refusal(messages + kEnd, "multipart/form-data").find("boundary") != std::string::npos);
    CHECK(refusal(messages + kEnd, "multipart/form-data; boundary=" + std::string(71, 'e')).find("boundary") !=
          std::string::npos);
    CHECK(refusal(part("plan", "geheim") + kEnd).find("messages") != std::string::npos);
    CHECK(refusal(messages + messages + kEnd).find("two parts") != std::string::npos);
    CHECK(refusal(messages + part("a", "") + part("a", "") + kEnd).find("two parts") != std::string::npos);
    CHECK(refusal("--edge\r\nContent-Type: text/plain\r\n\r\ngeheim\r\n" + messages + kEnd).find("without a name") !=
          std::string::npos);
    CHECK(refusal("--edge\r\nContent-Disposition: attachment; name=\"a\"\r\n\r\ngeheim\r\n" + messages + kEnd)
              .find("without a name") != std::string::npos);
    CHECK(refusal(part("geheim", "geheim")).find("geheim") == std::string::npos);
    CHECK(parse(messages + part(std::string(201, 'n'), "") + kEnd).error().code() == Code::limit);
    std::string many = messages;
    for (int i = 0; i < 4100; ++i) many += part("p" + std::to_string(i), "");
    CHECK(parse(many + kEnd).error().code() == Code::limit);
}
