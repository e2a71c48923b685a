// What the formats say of themselves, and what the documentation says of them.
#include <doctest/doctest.h>

#include <set>

#include "ingest/format.h"
#include "tests/ingest/chat_truth.h"
#include "tests/support/shared.h"

using namespace kustos;
using namespace kustos::ingest;

namespace {

std::string word(Carries carries) {
    return carries == Carries::yes ? "yes" : carries == Carries::partly ? "partly" : "no";
}
std::string word(EvidentialLevel level) {
    return level == EvidentialLevel::high ? "high" : level == EvidentialLevel::medium ? "medium" : "low";
}

}  // namespace

TEST_CASE("the table of evidential values says what the code says, for every format") {
    const std::string page = test::read_text(test::source_dir() / "docs/architecture/ingest.md");
    for (const FormatInfo* format : formats()) {
        const EvidentialValue& v = format->value;
        const std::string row = "| `" + std::string(format->name) + "` | " + word(v.level) + " | " + word(v.ids) +
                                " | " + word(v.edits) + " | " + word(v.deletions) + " | " + word(v.time_zone) + " | " +
                                word(v.membership) + " | " + word(v.attachments) + " |\n";
        CAPTURE(row);
        CHECK(page.find(row) != std::string::npos);
    }
}

TEST_CASE("formats have different names, and each is found by its name") {
    std::set<std::string_view> names;
    for (const FormatInfo* format : formats()) {
        CHECK(names.insert(format->name).second);
        CHECK(find_format(format->name) == format);
        CHECK(parse_format_name(format->name).value() == format);
    }
}
