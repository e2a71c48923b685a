#include <doctest/doctest.h>

#include "app/call.h"

using namespace kustos;
using namespace kustos::app;

namespace {

Call good(const std::vector<std::string>& arguments) {
    Parsed parsed = parse_call(arguments);
    INFO(parsed.err);
    REQUIRE(parsed.call);
    return std::move(*parsed.call);
}

std::string refused(const std::vector<std::string>& arguments) {
    const Parsed parsed = parse_call(arguments);
    CHECK_FALSE(parsed.call);
    CHECK(parsed.exit_code == 2);
    CHECK(parsed.out.empty());
    CHECK(parsed.err.rfind("kustos: ", 0) == 0);
    return parsed.err;
}

}  // namespace

TEST_CASE("each command is known by its words") {
    CHECK(good({"init", "dir"}).command == "init");
    CHECK(good({"source", "add", "n", "--kind", "http"}).command == "source add");
    CHECK(good({"source", "list"}).command == "source list");
    CHECK(good({"source", "pause", "n"}).command == "source pause");
    CHECK(good({"ingest", "--source", "s", "p"}).command == "ingest");
    CHECK(good({"status"}).command == "status");
    CHECK(good({"try", "f"}).command == "try");
    CHECK(good({"matter", "new", "--reference", "r", "--ground", "g"}).command == "matter new");
    CHECK(good({"matter", "list"}).command == "matter list");
    CHECK(good({"matter", "close", "M1"}).command == "matter close");
    CHECK(good({"search", "q"}).command == "search");
    CHECK(good({"show", "7"}).command == "show");
    CHECK(good({"export", "--out", "o"}).command == "export");
    CHECK(good({"verify"}).command == "verify");
    CHECK(good({"verify", "--report", "a.pdf", "--report", "b.json"}).reports ==
          std::vector<std::string>{"a.pdf", "b.json"});
    CHECK(good({"serve"}).command == "serve");
    CHECK(good({"tsa", "serve", "--port", "1"}).command == "tsa serve");
    CHECK(good({"erase", "--record", "7", "--approver", "a", "--approver", "b"}).approvers ==
          std::vector<std::string>{"a", "b"});
    CHECK(good({"erase", "status", "00"}).command == "erase status");
}

TEST_CASE("a saved search is meant directly behind search, and anywhere else its words are words to find") {
    CHECK(good({"search", "saved", "--matter", "M1"}).command == "search saved");
    CHECK(good({"--json", "--lang", "de", "search", "run", "--matter", "M1", "--name", "n"}).command == "search run");
    const Call save = good({"search", "save", "--matter", "M1", "--name", "n", "a b"});
    CHECK(save.command == "search save");
    CHECK(save.query == "a b");
    for (const char* word : {"save", "saved", "run", "forget"}) {
        const Call found = good({"search", "--matter", "M1", word});
        CHECK(found.command == "search");
        CHECK(found.query == word);
    }
    CHECK(good({"search", "\"run\""}).query == "\"run\"");
    CHECK(good({"--lang", "search", "search", "--freeze", "--name", "n", "x"}).given.at("freeze").size() == 1);
    refused({"search", "run", "--matter", "M1"});  // which one?
}

TEST_CASE("options common to all stand before or after the command") {
    for (const auto& arguments :
         {std::vector<std::string>{"--archive", "a", "--state", "s", "--json", "--lang", "de", "status"},
          std::vector<std::string>{"status", "--archive", "a", "--state", "s", "--json", "--lang", "de"}}) {
        const Call c = good(arguments);
        CHECK(c.archive == "a");
        CHECK(c.state == "s");
        CHECK(c.json);
        CHECK(c.language == Language::german);
    }
}

TEST_CASE("values arrive where they belong") {
    const Call init = good({"init", "dir", "--unlock", "passphrase", "--tsa", "builtin", "--tsa", "http://x/"});
    CHECK(init.paths == std::vector<std::string>{"dir"});
    CHECK(init.unlock == "passphrase");
    CHECK(init.authorities == std::vector<std::string>{"builtin", "http://x/"});
    const Call ingest = good({"ingest", "--source", "s", "--format", "mbox", "a", "b"});
    CHECK(ingest.source == "s");
    CHECK(ingest.format == "mbox");
    CHECK(ingest.paths == std::vector<std::string>{"a", "b"});
    const Call search = good({"search", "--matter", "M1", "--limit", "5", "--sort", "relevance", "a AND b"});
    CHECK(search.matter == "M1");
    CHECK(search.limit == 5);
    CHECK(search.sort == "relevance");
    CHECK(search.query == "a AND b");
    CHECK(good({"search", "q"}).limit == 20);
    const Call exporting = good({"export", "--matter", "M1", "--records", "f", "--out", "o", "--as", "eml"});
    CHECK(exporting.records_file == "f");
    CHECK(exporting.as == "eml");
}

TEST_CASE("what is missing, too much or unknown is refused by name") {
    CHECK(refused({}).find("--help") != std::string::npos);
    CHECK(refused({"status", "--nonsense"}).find("--nonsense") != std::string::npos);
    CHECK(refused({"init"}).find("DIR") != std::string::npos);
    CHECK(refused({"ingest", "p"}).find("--source") != std::string::npos);
    CHECK(refused({"search", "q", "--limit", "0"}).find("--limit") != std::string::npos);
    CHECK(refused({"search", "q", "--limit", "1001"}).find("--limit") != std::string::npos);
    CHECK(refused({"search", "q", "--sort", "size"}).find("--sort") != std::string::npos);
    refused({"source"});
    refused({"init", "a", "b"});
}

TEST_CASE("a mistyped command names the nearest one, a strange one names all") {
    CHECK(refused({"serach", "q"}).find("kustos search") != std::string::npos);
    CHECK(refused({"verfy"}).find("kustos verify") != std::string::npos);
    CHECK(refused({"xyzzy"}).find("--help") != std::string::npos);
    CHECK(refused({std::string(5000, 'x')}).size() < 200);
}

TEST_CASE("help and version are answers, not errors") {
    const Parsed help = parse_call({"--help"});
    CHECK(help.exit_code == 0);
    CHECK(help.out.find("ingest") != std::string::npos);
    CHECK(help.out.find("not in this version") == std::string::npos);
    CHECK(parse_call({"--version"}).out.rfind("kustos ", 0) == 0);
    CHECK(parse_call({"search", "--help"}).out.find("--matter") != std::string::npos);
}
