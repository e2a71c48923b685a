// Text of attachments over the corpora: what is read, what is not and why, and what independent readers found in them.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "base/sanitized.h"
#include "ingest/extract.h"
#include "tests/ingest/collect.h"
#include "tests/support/shared.h"

using namespace kustos;
using namespace kustos::ingest;

namespace {

struct Row {
    std::string path;  // below the corpora
    nlohmann::json facts;
};

std::vector<Row> manifest(const Path& corpora, const std::string& folder) {
    std::vector<Row> out;
    std::ifstream file(corpora / "MANIFEST.tsv");
    for (std::string line; std::getline(file, line);) {
        if (line.rfind(folder, 0) != 0) continue;
        const std::size_t facts = line.rfind('\t');
        out.push_back({line.substr(0, line.find('\t')), nlohmann::json::parse(line.substr(facts + 1))});
    }
    return out;
}

// What the independent reader had and this does not, for a reason.
const std::set<std::string> kOtherOrder = {
    "attachments/authored/iso8859-15.txt",      // nothing in it says that 0xA4 is the euro
    "attachments/tika/testODFwithOOo3.odt",     // annotations first, with their dates
    "attachments/tika/testWORD_various.docx"};  // the text box first, and twice

// Readers disagree about line ends and spaces, not about letters.
std::string letters(std::string_view text) {
    std::string out;
    for (const char c : text)
        if (c != ' ' && c != '\n' && c != '\t' && c != '\r') out += c;
    return out;
}

ExtractedText read(Extractor& extractor, const Path& path) {
    RealFs fs;
    const Bytes bytes = read_file(fs, path, 256u << 20).value();
    auto answer = extractor.text(bytes, path.filename().string(), "application/octet-stream");
    REQUIRE(answer.ok());
    return *answer;
}

void print(const std::map<std::string, std::map<std::string, unsigned>>& table) {
    for (const auto& [ending, results] : table) {
        std::cout << "  " << ending << ":";
        for (const auto& [result, count] : results) std::cout << "  " << count << " " << result;
        std::cout << "\n";
    }
}

}  // namespace

TEST_CASE(
    "the corpora's attachments are read as far as their kind allows, and hold what independent readers "
    "found" KUSTOS_NEEDS_SANDBOX) {
    const auto shared = test::shared_dir();
    if (!shared) {
        MESSAGE("skipped: ../shared is absent");
        return;
    }
    const Path corpora = *shared / "corpora";
    std::map<std::string, std::map<std::string, unsigned>> table;
    std::size_t with_truth = 0;
    for (const Row& row : manifest(corpora, "attachments/")) {
        CAPTURE(row.path);
        const ExtractedText got = read(test::extractor(), corpora / row.path);
        CHECK(got.reason != "crashed");
        CHECK(got.reason != "time-out");
        CHECK((got.completeness == Completeness::full) == got.reason.empty());
        std::string result(completeness_name(got.completeness));
        if (!got.reason.empty()) result += " (" + got.reason + ")";
        ++table[Path(row.path).extension().string()][result];
        const std::string start = row.facts.value("start", row.facts.value("text", ""));
        if (start.empty() || row.path.find(".pdf") != std::string::npos || kOtherOrder.count(row.path)) continue;
        ++with_truth;
        CHECK(letters(got.text).find(letters(start)) != std::string::npos);
    }
    print(table);
    CHECK(with_truth >= 25);
}

TEST_CASE("hostile documents are answered within the limits, and none of their traps opens" KUSTOS_NEEDS_SANDBOX) {
    const auto shared = test::shared_dir();
    if (!shared) {
        MESSAGE("skipped: ../shared is absent");
        return;
    }
    const std::map<std::string, std::string> wanted = {{"billion_laughs.docx", "document-type"},
                                                       {"xxe.docx", "document-type"},
                                                       {"bomb_100MB.docx", "ratio-limit"},
                                                       {"gzip_bomb_1GB.gz", "ratio-limit"},
                                                       {"nested_zip_5_levels.zip", "depth-limit"},
                                                       {"quine.gz", "damaged"},
                                                       {"truncated.docx", "damaged"},
                                                       {"zip_wrong_cd_count.zip", "damaged"},
                                                       {"exe_named_docx.docx", "unsupported-type"},
                                                       {"docx_named_pdf.pdf", ""},
                                                       {"rtf_umlaute.rtf", ""}};
    const auto before = std::chrono::steady_clock::now();
    auto extractor = Extractor::create({}).value();
    // KiB, of a worker or of a program that it has asked for, which lives for a second: so all the time.
    std::atomic<std::uint64_t> peak = 0;
    std::atomic<bool> over = false;
    std::thread watch([&] {
        while (!over) {
            peak = std::max<std::uint64_t>(peak, test::largest_descendant_kib());
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
    });
    std::map<std::string, std::map<std::string, unsigned>> table;
    std::size_t files = 0, met = 0;
    for (const char* folder : {"corpora/hostile/documents", "corpora/hostile/tika"})
        for (const auto& entry : std::filesystem::directory_iterator(*shared / folder)) {
            const std::string name = entry.path().filename().string();
            CAPTURE(name);
            ++files;
            const ExtractedText got = read(*extractor, entry.path());
            CHECK(got.reason != "crashed");
            CHECK(got.reason != "time-out");
            std::string result(completeness_name(got.completeness));
            if (!got.reason.empty()) result += " (" + got.reason + ")";
            ++table[entry.path().extension().string()][result];
            CHECK(got.text.find("root:") == std::string::npos);
            CHECK(got.text.find("lollol") == std::string::npos);
            const auto want = wanted.find(name);
            if (want == wanted.end()) continue;
            ++met;
            CHECK(got.reason == want->second);
        }
    const auto took = std::chrono::steady_clock::now() - before;
    over = true;
    watch.join();
    print(table);
    CHECK(files >= 43);
    CHECK(met == wanted.size());
    CHECK(extractor->restarts() == 0);
    CHECK(took < std::chrono::minutes(2));
    CHECK(peak > 1024);  // it was measured
#ifndef KUSTOS_SANITIZED
    CHECK(peak < 512 * 1024);
#endif
    std::cout << "  " << files << " files in " << std::chrono::duration_cast<std::chrono::milliseconds>(took).count()
              << " ms, largest worker " << peak / 1024 << " MiB\n";
}
