// Facts of an attachment, as they are kept and shown.
#include "app/src/attachment_facts.h"

#include <doctest/doctest.h>

#include "tests/support/doc_example.h"

using namespace kustos;
using namespace kustos::app;

TEST_CASE("the page's facts are read as the page says, and written in the same bytes") {
    const std::string example = test::doc_text("attachment-facts.md", "FACTS");
    const auto facts = parse_facts(example);
    REQUIRE(facts.ok());
    CHECK(facts->kind == "exe");
    CHECK(facts->text == "opaque");
    CHECK(facts->reason == "unsupported-type");
    CHECK(facts->remarks == std::vector<std::string>{"type-mismatch:exe-as-pdf"});
    CHECK(facts->virus == "found");
    CHECK(facts->signature == "Eicar-Signature");
    CHECK(facts->scanner == "ClamAV 1.4.3/27812/Sat Nov 28 09:40:00 2026");
    REQUIRE(facts->scanned);
    CHECK(encode_facts(*facts) == example);
    CHECK(facts_words(*facts, false) ==
          std::vector<std::string>{
              "content is exe, presented as pdf (type-mismatch:exe-as-pdf)", "not read: unsupported-type",
              "ClamAV found in it: Eicar-Signature (ClamAV 1.4.3/27812/Sat Nov 28 09:40:00 2026)"});
}

TEST_CASE("what a daemon or a document puts into a fact can't begin another one") {
    web::AttachmentFacts facts;
    facts.text = "full";
    facts.virus = "found";
    facts.signature = "A\nvirus clean\n";
    facts.scanner = "x\ntext opaque";
    const auto back = parse_facts(encode_facts(facts));
    REQUIRE(back.ok());
    CHECK(back->virus == "found");
    CHECK(back->text == "full");
    CHECK(back->signature == "A?virus clean?");
}

TEST_CASE("a newer program's facts are read, and bytes that are none are refused") {
    CHECK(parse_facts("kustos-attachment 1\nkind pdf\ncolour blue green\ntext full\n")->kind == "pdf");
    for (const char* bad : {"", "kustos-attachment 1", "kustos-attachment 2\nkind pdf\n", "kustos-attachment 1\nkind\n",
                            "kustos-attachment 1\nscanned gestern\n"})
        CHECK(parse_facts(bad).error().code() != Code::internal);
    CHECK_FALSE(parse_facts(std::string("kustos-attachment 1\n") + std::string(9'000, 'a') + "\n").ok());
    CHECK(facts_words({}, true).empty());
}
