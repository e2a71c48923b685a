// Evidence bundles: what is intact is called intact, and everything that was changed, withheld or swapped is named,
// also when the archive's own evidence key signed it.
#include <doctest/doctest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "audit/pdf_container.h"
#include "audit/verify_bundle.h"
#include "tests/audit/verify_sample.h"
#include "tests/support/stride.h"
#include "tests/support/temp_dir.h"

using namespace kustos;
using namespace kustos::audit;
using namespace kustos::test;
using nlohmann::json;

namespace {

struct Bench {
    TempDir dir;
    VerifySample sample{dir.path(), 11};
    Trust trust = *parse_trust(sample.trust_text());
};

Bench& bench() {
    static Bench b;
    return b;
}

std::set<std::string> codes(const Report& report) {
    std::set<std::string> out;
    for (const Problem& p : report.problems) out.insert(p.code);
    return out;
}
bool found(const Report& report, const std::string& code) {
    CAPTURE(report.to_json());
    CHECK(!report.ok);
    const bool there = codes(report).count(code) != 0;
    CHECK(there);
    return there;
}

using Members = std::map<std::string, Bytes>;

// The sample's members, changed; the manifest's list of files then fits again; signed by the true evidence key.
Report judge_changed(const std::function<void(Members&, json& manifest)>& change, bool relist = true) {
    Members members;
    const Bytes zip = bench().sample.zip(bench().sample.content());
    const std::vector<ZipMember> listed = read_zip(zip).value();
    for (const ZipMember& m : listed) members[m.name] = to_bytes(m.content);
    json manifest = json::parse(members["manifest.json"]);
    members.erase("manifest.json");
    change(members, manifest);
    if (relist) {
        manifest["files"] = json::array();
        for (const auto& [name, bytes] : members) {
            manifest["files"].push_back({{"name", name}, {"size", bytes.size()}, {"sha256", sha256(bytes).hex()}});
        }
    }
    ZipWriter writer;
    for (const auto& [name, bytes] : members) REQUIRE(writer.add(name, bytes).ok());
    REQUIRE(writer.add("manifest.json", as_bytes(manifest.dump() + "\n")).ok());
    return verify_bundle(bench().sample.bundle(*writer.finish()), bench().trust);
}

std::string record_name(std::size_t n) {
    return record_member(bench().sample.content().records[n].index);
}

void change_json(Members& members, const std::string& name, const std::function<void(json&)>& change) {
    json j = json::parse(members.at(name));
    change(j);
    members[name] = to_bytes(j.dump() + "\n");
}

}  // namespace

TEST_CASE("an intact bundle is intact; origin comes from the trust file, time from its token") {
    const Bytes pdf = bench().sample.bundle();
    const Report alone = verify_bundle(pdf, std::nullopt);
    INFO(alone.to_json());
    CHECK(alone.ok);
    CHECK(alone.origin == Origin::unknown);
    CHECK(alone.time == TimeLevel::self);
    CHECK(alone.checked.at("records") == 3);
    CHECK(alone.checked.at("originals") == 3);
    CHECK(alone.checked.at("fields") == 20);
    CHECK(alone.checked.at("blobs") == 1);

    Trust trust = bench().trust;
    CHECK(verify_bundle(pdf, trust).origin == Origin::pinned);
    trust.authorities.push_back({"somebody", AuthorityLevel::independent, bench().sample.tsa_root()});
    const Report timed = verify_bundle(pdf, trust);
    CHECK(timed.ok);
    CHECK(timed.time == TimeLevel::independent);
    REQUIRE(timed.anchors.size() == 1);
    CHECK(timed.anchors[0].authority == "somebody");
    CHECK(timed.proven_since);

    VerifySample::Content bare = bench().sample.content();
    bare.token.clear();
    const Report untimed = verify_bundle(bench().sample.bundle(bench().sample.zip(bare)), std::nullopt);
    CHECK(untimed.ok);
    CHECK(untimed.time == TimeLevel::none);
}

TEST_CASE("a bundle of another archive is intact by itself and refused under the true archive's trust file") {
    TempDir dir;
    VerifySample forged(dir.path(), 12);
    const Bytes pdf = forged.bundle();
    const Report alone = verify_bundle(pdf, std::nullopt);
    CHECK(alone.ok);
    CHECK(alone.origin == Origin::unknown);
    const Report report = verify_bundle(pdf, bench().trust);
    CHECK(codes(report) == std::set<std::string>{"origin.mismatch"});
    CHECK(report.origin == Origin::unknown);
    // The true archive's container under a stranger's signature.
    const Report resigned = verify_bundle(forged.bundle(bench().sample.zip(bench().sample.content())), bench().trust);
    CHECK(codes(resigned) == std::set<std::string>{"bundle.signature"});
    // The stranger's entries under the true archive's key and name in the manifest.
    Members members;
    const Bytes zip = forged.zip(forged.content());
    const std::vector<ZipMember> listed = read_zip(zip).value();
    for (const ZipMember& m : listed) members[m.name] = to_bytes(m.content);
    json manifest = json::parse(members["manifest.json"]);
    const BundleFacts& truth = bench().sample.content().facts;
    manifest["vkey"] = truth.vkey;
    manifest["origin"] = truth.origin;
    manifest["vault_id"] = truth.vault.hex();
    members["manifest.json"] = to_bytes(manifest.dump() + "\n");
    ZipWriter writer;
    for (const auto& [name, bytes] : members) REQUIRE(writer.add(name, bytes).ok());
    found(verify_bundle(bench().sample.bundle(*writer.finish()), bench().trust), "checkpoint");
}

TEST_CASE("a change of any byte of a bundle is found") {
    const Bytes pdf = bench().sample.bundle();
    SeededRandom random(5);
    const auto signature = find_signature(pdf);
    REQUIRE(signature.ok());
    std::map<std::string, int> first;
    const auto flip = [&](std::size_t at, std::uint8_t bit) {
        Bytes changed = pdf;
        changed[at] = static_cast<std::uint8_t>(changed[at] ^ bit);
        const Report report = verify_bundle(changed, std::nullopt);
        if (report.ok) FAIL_CHECK("a change at byte " << at << " is not found");
        const auto all = codes(report);
        if (all.count("bundle.signature") == 0 && all.count("bundle.gap") == 0)
            FAIL_CHECK("byte " << at << " has another code");
        if (!report.problems.empty()) ++first[report.problems[0].code];
    };
    for (int n = 0; n < 500; n += kustos::test::kStride)
        flip(random.next() % pdf.size(), static_cast<std::uint8_t>(1u << (random.next() % 8)));
    // Every byte of the signature's own place, which no signature covers: the DER densely, the padding here and there.
    for (std::size_t at = signature->gap_begin; at < signature->gap_begin + 2 * signature->der.size() + 4;
         at += kustos::test::kStride)
        flip(at, 1);
    for (std::size_t at = signature->gap_begin + 2 * signature->der.size(); at < signature->gap_end;
         at += 37 * kustos::test::kStride)
        flip(at, 4);
    flip(signature->gap_end - 1, 1);
    // Upper case says the same to other readers; here it is another byte.
    for (std::size_t at = signature->gap_begin; at < signature->gap_end; at += kustos::test::kStride) {
        if (pdf[at] >= 'a' && pdf[at] <= 'f') flip(at, 0x20);
    }
    for (const auto& [code, count] : first) MESSAGE(code << ": " << count);
}

TEST_CASE("a bundle that is cut or lengthened is refused") {
    const Bytes pdf = bench().sample.bundle();
    for (std::size_t size = 0; size < pdf.size(); size += 1 + pdf.size() / 150) {
        if (verify_bundle(ByteView(pdf).first(size), std::nullopt).ok) FAIL_CHECK("cut at " << size);
    }
    Bytes longer = pdf;
    longer.push_back('\n');
    found(verify_bundle(longer, std::nullopt), "bundle.signature");
    put(longer, "7 0 obj\n<< >>\nendobj\n");
    found(verify_bundle(longer, std::nullopt), "bundle.signature");
}

TEST_CASE("fields withheld, swapped or lied about are found even under the archive's own signature") {
    const std::string name = record_name(0), other = record_name(2);
    CHECK(judge_changed([](Members&, json&) {}).ok);
    const auto fields = [&](const std::function<void(json&)>& change) {
        return judge_changed([&](Members& m, json&) { change_json(m, name, [&](json& j) { change(j["fields"]); }); });
    };
    found(fields([](json& f) { f.erase(5); }), "bundle.field");
    found(fields([](json& f) { f.erase(2); }), "bundle.manifest");
    found(fields([](json& f) {
              f.push_back(f[5]);
              f[6]["i"] = 6;
          }),
          "bundle.field");
    found(fields([](json& f) { f[2]["value"] = base64(as_bytes("Beam 7")); }), "bundle.field");
    found(fields([](json& f) { f[2]["path"] = 5; }), "bundle.field");
    found(fields([](json& f) { f[2]["ordinal"] = 1; }), "bundle.field");
    found(fields([](json& f) { f[2]["type"] = 2; }), "bundle.field");
    found(fields([](json& f) { f[2]["salt"] = f[1]["salt"]; }), "bundle.field");
    found(fields([](json& f) { f[2] = {{"i", 2}, {"state", "decoy"}, {"salt", f[2]["salt"]}}; }), "bundle.field");
    found(fields([](json& f) {
              f[4] = {{"i", 4},    {"state", "disclosed"}, {"path", 17}, {"ordinal", 0},
                      {"type", 1}, {"salt", f[4]["salt"]}, {"value", ""}};
          }),
          "bundle.field");
    found(fields([](json& f) { std::swap(f[1], f[2]); }), "bundle.manifest");
    found(fields([](json& f) {
              std::swap(f[1], f[2]);
              f[1]["i"] = 1;
              f[2]["i"] = 2;
          }),
          "bundle.field");
    found(fields([](json& f) {
              f[0] = {{"i", 0}, {"state", "redacted"}, {"category", "c"}, {"legal_basis", "l"}, {"approver", "a"}};
          }),
          "bundle.field");
    found(fields([](json& f) { f[2]["state"] = "secret"; }), "bundle.manifest");
    found(fields([](json& f) { f[2].erase("salt"); }), "bundle.manifest");
    const json redaction = {
        {"i", 2}, {"state", "redacted"}, {"category", "c"}, {"legal_basis", "l"}, {"approver", "a"}};
    found(fields([&](json& f) { f[2] = redaction; }), "bundle.original");  // the source would show it
    const Report redacted = judge_changed([&](Members& m, json&) {
        change_json(m, name, [&](json& j) {
            m.erase(j["original"].get<std::string>());
            j.erase("original");
            j["fields"][2] = redaction;
        });
    });
    CHECK(redacted.ok);
    CHECK(redacted.checked.at("redacted") == 1);

    const auto whole = [&](const std::function<void(json&, json&)>& change) {
        return judge_changed([&](Members& m, json&) {
            const json second = json::parse(m.at(other));
            change_json(m, name, [&](json& j) {
                json copy = second;
                change(j, copy);
            });
        });
    };
    found(whole([](json& j, json& s) { j["fields"] = s["fields"]; }), "bundle.field");
    found(whole([](json& j, json& s) {
              j["fields"] = s["fields"];
              j["commitments"] = s["commitments"];
              j["key_commitment"] = s["key_commitment"];
          }),
          "bundle.field");
    found(whole([](json& j, json& s) { j["entry"] = s["entry"]; }), "bundle.proof");
    found(whole([](json& j, json& s) { j["index"] = s["index"]; }), "bundle.manifest");
    found(whole([](json& j, json&) { j["proof"].erase(0); }), "bundle.proof");
    found(whole([](json& j, json& s) { j["original"] = s["original"]; }), "bundle.original");
    found(whole([](json& j, json&) { j.erase("original"); }), "bundle.original");
    found(judge_changed([&](Members& m, json&) {  // withheld without a redaction
              change_json(m, name, [&](json& j) {
                  m.erase(j["original"].get<std::string>());
                  j.erase("original");
              });
          }),
          "bundle.original");
    found(whole([](json& j, json&) { j["commitments"].erase(0); }), "bundle.field");
    found(whole([](json& j, json&) { j.erase("commitments"); }), "bundle.manifest");
}

TEST_CASE("members that are missing, foreign or swapped are refused") {
    const std::string name = record_name(0);
    const std::string original = bench().sample.content().records[0].original;
    found(judge_changed([&](Members& m, json&) { m.erase(original); }), "bundle.original");
    found(judge_changed([&](Members& m, json&) { m.erase(name); }), "bundle.manifest");
    found(judge_changed([&](Members& m, json& j) {
              m.erase(name);
              j["records"].erase(0);
          }),
          "bundle.original");
    found(judge_changed([&](Members&, json& j) { j["records"].erase(0); }), "bundle.manifest");
    found(judge_changed([&](Members&, json& j) { j["records"].push_back(j["records"][0]); }), "bundle.manifest");
    found(judge_changed([&](Members& m, json&) { m["records/extra.json"] = m[name]; }), "bundle.manifest");
    found(judge_changed([&](Members& m, json& j) {
              m["records/extra.json"] = m[name];
              j["records"].push_back("records/extra.json");
          }),
          "bundle.manifest");
    found(judge_changed([&](Members& m, json&) { m["originals/extra.eml"] = to_bytes("forged"); }), "bundle.original");
    found(judge_changed([&](Members& m, json&) { m["attachments/extra.bin"] = to_bytes("forged"); }), "bundle.blob");
    found(judge_changed([&](Members& m, json&) { m["extra"] = to_bytes("x"); }, false), "bundle.manifest");
    found(judge_changed([&](Members& m, json&) { m[original].push_back('x'); }), "bundle.original");
    found(judge_changed([&](Members& m, json&) { m[original].push_back('x'); }, false), "bundle.manifest");
    // Bytes of an attachment that no field holds.
    const RecordDisclosure& blob = bench().sample.content().records[1].blobs[0];
    const std::string file = blob.fields[0].file;
    found(judge_changed([&](Members& m, json&) { put(m[file], "appended"); }), "bundle.blob");
    found(judge_changed([&](Members& m, json&) { m[file][3] ^= 1; }), "bundle.blob");
    const std::string blob_name = "blobs/" + file.substr(12, 12) + ".json";
    found(judge_changed([&](Members& m, json&) {
              change_json(m, blob_name, [](json& j) { j["fields"][1]["value_from"]["length"] = 1'000'000; });
          }),
          "bundle.blob");
    found(judge_changed([&](Members& m, json&) {
              change_json(m, record_name(0), [&](json& j) { j["blobs"] = json::array({blob_name}); });
          }),
          "bundle.blob");
    found(judge_changed([&](Members& m, json&) { change_json(m, record_name(1), [](json& j) { j.erase("blobs"); }); }),
          "bundle.blob");
}

TEST_CASE("manifest, context, checkpoint and time stamp must belong to one archive") {
    const auto manifest = [](const std::function<void(json&)>& change) {
        return judge_changed([&](Members&, json& j) { change(j); });
    };
    found(manifest([](json& j) { j["format"] = "kustos-evidence/2"; }), "bundle.manifest");
    found(manifest([](json& j) { j["vault_id"] = std::string(32, '0'); }), "bundle.manifest");
    found(manifest([](json& j) { j["origin"] = "kustos.archive/other"; }), "bundle.manifest");
    found(manifest([](json& j) { j.erase("vkey"); }), "bundle.manifest");
    found(manifest([](json& j) { j["context"].erase(0); }), "bundle.entry");
    found(manifest([](json& j) { j["context"].erase(1); }), "bundle.signature");
    found(manifest([](json& j) { j["records"] = 5; }), "bundle.manifest");
    found(manifest([](json& j) { j["anchors"][0]["path"].erase(1); }), "anchor.token");
    found(manifest([](json& j) { j["anchors"][0]["path"].erase(0); }), "anchor.imprint");
    found(manifest([](json& j) { j["anchors"][0]["token"] = "checkpoint.note"; }), "anchor.token");
    found(judge_changed([](Members& m, json&) { m["anchors/0.der"][40] ^= 1; }), "anchor.token");
    found(judge_changed([](Members& m, json&) { m["checkpoint.note"][50] ^= 1; }), "checkpoint");
    // One name twice: two readers could see two things.
    found(judge_changed([](Members& m, json&) {
              Bytes& r = m[record_name(0)];
              const std::string text = to_text(r);
              r = to_bytes("{\"index\":0," + text.substr(1));
          }),
          "bundle.manifest");
    found(judge_changed([](Members& m, json&) { m[record_name(0)] = to_bytes(std::string(100'000, '[')); }),
          "bundle.manifest");
}
