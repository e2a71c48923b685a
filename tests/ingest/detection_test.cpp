// Each sample is recognised as what it is, and by no other format.
#include <doctest/doctest.h>

#include "ingest/src/registry.h"
#include "tests/ingest/chat_truth.h"
#include "tests/support/shared.h"
#include "tests/support/temp_dir.h"

using namespace kustos;
using namespace kustos::ingest;

namespace {

struct Known {
    const char* path;  // in tests/data/ingest
    const char* format;
};
constexpr Known kSamples[] = {
    {"element/element_export_vertrieb.json", "element"},
    {"matrix/transactions/txn0001.json", "matrix"},
    {"mattermost-actiance/actiance_export.xml", "mattermost-actiance"},
    {"mattermost-bulk/bulk_import.jsonl", "mattermost-bulk"},
    {"rocketchat/channels.history.json", "rocketchat"},
    {"rocketchat/rocketchat_message.jsonl", "rocketchat"},
    {"signal/sigexport/Vertrieb", "sigexport"},
    {"signal/sigexport/Vertrieb/chat.md", "sigexport"},
    {"signal/signal-cli.jsonl", "signal-cli"},
    {"slack/export.zip", "slack"},
    {"teams/vertrieb_getAllMessages.json", "teams"},
    {"telegram/result_full_account.json", "telegram"},
    {"telegram/result_single_chat.json", "telegram"},
    {"whatsapp/android_de.txt", "whatsapp"},
    {"whatsapp/android_en_us.txt", "whatsapp"},
    {"whatsapp/ios_de.txt", "whatsapp"},
};

ReadContext sandboxed() {
    ReadContext out;
    out.extractor = &test::extractor();
    return out;
}

}  // namespace

TEST_CASE("every sample is recognised as itself for sure, and by no other format at all") {
    const ReadContext context = sandboxed();
    for (const Known& known : kSamples) {
        CAPTURE(known.path);
        const Path path = test::ingest_data(known.path);
        const Sample sample = Sample::of(path, context).value();
        for (const Format* format : all_formats()) {
            if (sample.is_folder() && !format->folders) continue;
            CAPTURE(std::string(format->info.name));
            CHECK(format->looks(sample) == (format->info.name == known.format ? Certainty::sure : Certainty::no));
        }
    }
}

TEST_CASE("a list of JSON objects that several or no formats could have is not taken for one of them for sure") {
    const test::TempDir dir;
    const auto certainty = [&](const std::string& text) {
        test::write_text(dir / "x.json", text);
        return detect(dir / "x.json", sandboxed()).value().certainty;
    };
    CHECK(certainty(R"([{"id":1,"text":"hallo","ts":"1709283600.1"}])") == Certainty::no);
    CHECK(certainty(R"({"messages":[{"id":1,"text":"hallo"}]})") == Certainty::no);
    CHECK(certainty(R"([])") == Certainty::no);
    CHECK(certainty(R"({"_id":"1","msg":"hallo"})") == Certainty::no);
}

TEST_CASE("where two formats are as certain the operator is told that it is unsure") {
    const test::TempDir dir;
    // One line that both readers of it would take.
    test::write_text(
        dir / "x.json",
        R"({"messages":[{"_id":"1","rid":"r","msg":"","ts":1,"u":{"username":"a"},"date_unixtime":"1"}]})");
    const auto found = detect(dir / "x.json", sandboxed()).value();
    CHECK(found.unsure());
    test::Collect out;
    REQUIRE(read(dir / "x.json", nullptr, sandboxed(), out).ok());
    CHECK(out.findings.at("format:unsure") == 1);
}
