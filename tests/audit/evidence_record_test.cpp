// Records made by others (../shared/data/ers), and the tree against a naive one.
#include "audit/evidence_record.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/crypto.h"
#include "base/fs.h"
#include "tests/support/doc_example.h"
#include "tests/support/shared.h"

using namespace kustos;
using namespace kustos::audit;

namespace {

constexpr UtcTime kNow{1'790'000'000'000};

std::vector<EvidenceObject> objects_of(const Path& dir, const nlohmann::json& documents) {
    RealFs fs;
    std::vector<EvidenceObject> objects;
    for (const auto& document : documents) {
        EvidenceObject object;
        object.name = "document " + std::to_string(objects.size() + 1);
        if (document.contains("content_b64"))
            object.content = *parse_base64(document["content_b64"].get<std::string>());
        if (document.contains("file"))
            object.content = *read_file(fs, dir / document["file"].get<std::string>(), 1u << 26);
        if (document.contains("digest")) {
            for (const auto& [name, value] : document["digest"].items())
                object.digests[*parse_digest_name(name)] = *parse_base64(value.get<std::string>());
        }
        objects.push_back(std::move(object));
    }
    return objects;
}

}  // namespace

TEST_CASE("every foreign evidence record gets the verdict that its makers expect") {
    const auto shared = test::shared_dir();
    if (!shared) {
        MESSAGE("skipped: ../shared is absent");
        return;
    }
    RealFs fs;
    const Path dir = *shared / "data/ers";
    const Bytes manifest = *read_file(fs, dir / "manifest-asn1.json", 1u << 22);
    int cases = 0;
    for (const auto& c : nlohmann::json::parse(manifest.begin(), manifest.end())) {
        const std::string id = c["id"], expected = c["expected"];
        CAPTURE(id);
        const Bytes record = *read_file(fs, dir / c["file"].get<std::string>(), kMaxEvidenceRecord);
        const EvidenceReport report =
            verify_evidence_record(record, objects_of(dir, c["documents"]), std::nullopt, kNow);
        CAPTURE(report.to_json());
        if (expected == "unclear") {  // its object is not the one that was stamped; the tree leads to the imprint
            CHECK(report.verdict == EvidenceVerdict::invalid_hash);
            CHECK(report.stamps.at(0).imprint);
        } else {
            CHECK(verdict_name(report.verdict) == expected);
        }
        for (std::size_t i = 0; i < report.stamps.size(); ++i) {
            const auto& check = c["independent_check"]["ats"][i];
            CHECK(report.stamps[i].imprint == check["root_ok"].get<bool>());
            CHECK(report.stamps[i].covers == (check["missing"] == 0));
        }
        if (const auto parsed = parse_evidence_record(record); parsed.ok()) {
            const Bytes sequence = encode_sequence(*parsed, parsed->chains.size());
            CHECK(equal(ByteView(record).last(sequence.size()), sequence));
        }
        ++cases;
    }
    CHECK(cases == 34);
}

TEST_CASE("the reduced hash tree on the format page is the way of anchors.md, as a record holds it") {
    std::istringstream lines(test::doc_text("anchors.md", "reduced-10"));
    HashGroups groups;
    for (std::string line; std::getline(lines, line);) {
        const std::size_t group = static_cast<std::size_t>(std::stoul(line.substr(line.find("group") + 6)));
        groups.resize(group + 1);
        groups[group].push_back(*parse_hex(line.substr(0, 64)));
    }
    REQUIRE(groups.size() == 4);
    CHECK(*groups_root(DigestAlgorithm::sha256, groups) == test::doc_example("anchors.md", "imprint"));
    EvidenceRecord record;
    record.algorithms = {DigestAlgorithm::sha256};
    record.chains.push_back({{{DigestAlgorithm::sha256, groups, Bytes{0x30, 0x00}, false}}, {}});
    const Bytes der = encode(record), tree = test::doc_example("renewals.md", "reduced-tree");
    const auto found = std::search(der.begin(), der.end(), tree.begin(), tree.end());
    REQUIRE(found != der.end());
    CHECK(der.end() - found == static_cast<std::ptrdiff_t>(tree.size() + 2));  // then the token
}
