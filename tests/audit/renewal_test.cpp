// Thirty years under a clock of our own: authorities come and go, a digest ages, ciphertext is erased.
#include "audit/renewal.h"

#include <doctest/doctest.h>

#include "audit/checkpoint.h"
#include "audit/imprint.h"
#include "base/crypto.h"
#include "tests/audit/failing_fs.h"
#include "tests/support/doc_example.h"
#include "tests/support/stride.h"
#include "tests/support/temp_dir.h"

using namespace kustos;
using namespace kustos::audit;
using kustos::test::FailingFs;
using kustos::test::Kept;

namespace {

constexpr std::int64_t kYear = 31'556'952'000;  // ms

UtcTime year(int y) {
    return *utc_midnight({y, 1, 1});
}

// A ledger of records and its anchors, no more: what renewals look at.
struct LongLife {
    test::TempDir dir;
    RealFs fs;
    FixedClock clock{year(2026)};
    SeededRandom random{7};
    Path ledger_dir = dir / "ledger";
    SignerKey key = *SignerKey::make("kustos.archive/00", Bytes(32, 7));
    std::vector<std::unique_ptr<BuiltinAuthority>> authorities;
    LedgerState state;
    std::vector<Bytes> entries;
    std::map<std::uint64_t, Bytes> ciphertexts;  // what is still there
    std::uint64_t anchored = 0;
    std::uint64_t hashed = 0;  // ciphertexts that a renewal has read

    LongLife() { REQUIRE(fs.make_dirs(ledger_dir).ok()); }

    // Its certificates end about 25 years after `since`.
    void authority_since(int since) {
        FixedClock then(year(since));
        const Path place = dir / ("tsa" + std::to_string(authorities.size()));
        authorities.push_back(*BuiltinAuthority::create({fs, then, random}, place));
        // Opened with the drill's clock: this one stamps.
        authorities.back() = *BuiltinAuthority::open({fs, clock, random}, place);
    }
    std::vector<AuthorityChoice> choice() { return {{authorities.back().get(), authorities.back()->trust()}}; }

    void append(int count) {
        std::vector<Bytes> batch;
        for (int i = 0; i < count; ++i) {
            Entry entry;
            entry.header.kind = Kind::record;
            entry.header.sequence = entries.size() + batch.size();
            entry.header.record = random.make<RecordId>();
            if (i % 5 == 4) {  // one without a payload
                entry.header.kind = Kind::control;
                entry.body = Body(ControlAction::vault_locked).encode();
            } else {
                Bytes ciphertext(80);
                random.fill(ciphertext);
                entry.header.suite = Suite::aes256_gcm;
                entry.header.tree = KeyTreeId(1);
                entry.header.leaf = LeafNumber(static_cast<std::uint32_t>(entries.size() + batch.size()));
                entry.header.field_count = 8;
                entry.header.content_root = sha256(ciphertext);
                entry.header.ciphertext_length = ciphertext.size();
                entry.header.ciphertext_hash = sha256(ciphertext);
                ciphertexts[entries.size() + batch.size()] = std::move(ciphertext);
            }
            batch.push_back(encode(entry));
        }
        AppendPlan plan = plan_append(state, batch);
        REQUIRE(install(fs, ledger_dir, plan.writes, note(plan.after.head())).ok());
        state = std::move(plan.after);
        entries.insert(entries.end(), batch.begin(), batch.end());
    }
    std::string note(const TreeHead& head) {
        return sign_note(format_checkpoint({key.name, head.size, head.root, {}}), key);
    }

    void anchor() {
        const std::string text = note(state.head());
        ImprintBuilder imprint(sha256(as_bytes(text)));
        for (std::uint64_t i = anchored; i < entries.size(); ++i) {
            const Entry entry = *decode_entry(entries[i]);
            ImprintGroup group{sha256(entries[i]), {}};
            if (entry.header.suite != Suite::none) group.ciphertext = entry.header.ciphertext_hash;
            imprint.add(group);
        }
        const auto outcomes = stamp(imprint.root(), choice(), clock, random);
        REQUIRE(outcomes[0].result.ok());
        AnchorStore store(fs, ledger_dir);
        REQUIRE(
            store.store({TreeSize(anchored), state.size()}, as_bytes(text), outcomes[0].result->token, "builtin").ok());
        anchored = entries.size();
    }

    CiphertextDigest digests() {
        return [this](EntryIndex i, DigestAlgorithm algorithm) -> Result<std::optional<Bytes>> {
            ++hashed;
            const auto found = ciphertexts.find(i.value);
            if (found == ciphertexts.end()) return std::optional<Bytes>();
            return std::optional(digest_of(algorithm, found->second));
        };
    }

    std::optional<RenewalResult> renew(const AlgorithmEnds& ends) {
        const LedgerReader ledger(fs, ledger_dir, state.size());
        const auto evidence = *Evidence::open(fs, ledger_dir, ledger);
        const RenewalPlan plan = *plan_renewal(*evidence, ends, clock.now());
        if (!plan.due()) return std::nullopt;
        Renewer renewer(fs, ledger_dir, ledger, digests());
        auto result = renewer.run(plan, choice(), clock, random);
        REQUIRE_MESSAGE(result.ok(), (result.ok() ? "" : result.error().message()));
        return *result;
    }

    Trust trust() const {
        Trust trust;
        for (const auto& a : authorities)
            trust.authorities.push_back({"tsa", AuthorityLevel::independent, a->root_certificate()});
        return trust;
    }

    struct Tally {
        std::size_t ok = 0, trusted = 0, without_ciphertext = 0, stamps = 0;
    };
    Tally verify_all() {
        const LedgerReader ledger(fs, ledger_dir, state.size());
        const auto evidence = *Evidence::open(fs, ledger_dir, ledger);
        Tally tally;
        for (std::uint64_t i = 0; i < anchored; ++i) {
            const auto record = evidence->record_of(EntryIndex(i));
            REQUIRE_MESSAGE(record.ok(), (record.ok() ? "" : record.error().message()));
            std::vector<EvidenceObject> objects{{"entry", entries[i], {}}};
            const auto found = ciphertexts.find(i);
            if (found != ciphertexts.end()) objects.push_back({"ciphertext", found->second, {}});
            const Bytes der = encode(*record);
            CHECK(encode(*parse_evidence_record(der)) == der);
            const auto report = verify_evidence_record(der, objects, trust(), clock.now());
            CAPTURE(report.to_text("en"));
            CHECK(report.ok);
            tally.ok += report.ok;
            tally.stamps = std::max(tally.stamps, report.stamps.size());
            tally.without_ciphertext += report.verdict == EvidenceVerdict::valid_subset;
            bool trusted = true;
            for (const StampVerdict& s : report.stamps) trusted = trusted && s.trust == "independent";
            tally.trusted += trusted;
        }
        for (const Renewal& renewal : evidence->renewals()) CHECK(evidence->check(renewal, digests()).ok());
        return tally;
    }
};

}  // namespace

TEST_CASE("thirty years of renewals keep every record provable, erased ones without their ciphertext") {
    LongLife life;
    life.authority_since(2006);  // ends 2031
    const AlgorithmEnds ends{{DigestAlgorithm::sha256, year(2045)}};
    int time_stamps = 0, hash_trees = 0;
    for (int y = 2026; y <= 2056; ++y) {
        if (y == 2029) life.authority_since(2014);  // ends 2039
        if (y == 2037) life.authority_since(2034);  // ends 2059
        life.append(y == 2030 ? 40 : 5);
        life.anchor();
        life.clock.advance_ms(kYear / 2);
        // What is erased: a seventh of all that there is, each year.
        if (y % 2 == 0) {
            for (auto at = life.ciphertexts.begin(); at != life.ciphertexts.end();)
                at =
                    at->first % 7 == static_cast<std::uint64_t>(y / 2 % 7) ? life.ciphertexts.erase(at) : std::next(at);
        }
        while (const auto result = life.renew(ends)) {
            (result->kind == RenewalKind::time_stamp ? time_stamps : hash_trees) += 1;
            CHECK((result->kind == RenewalKind::hash_tree) == (result->algorithm == DigestAlgorithm::sha512));
        }
        if (y % 10 == 0) {
            const auto tally = life.verify_all();
            CHECK(tally.ok == life.anchored);
            CHECK(tally.trusted == life.anchored);
        }
        life.clock.advance_ms(kYear - kYear / 2);
    }
    MESSAGE(time_stamps << " time-stamp renewals, " << hash_trees << " hash-tree renewals, " << life.anchored
                        << " entries, " << life.ciphertexts.size() << " with their ciphertext");
    CHECK(time_stamps >= 2);
    CHECK(hash_trees >= 2);
    const auto tally = life.verify_all();
    CHECK(tally.stamps >= 4);
    CHECK(tally.without_ciphertext > 30);
}

TEST_CASE("without a renewal the proof ends with the certificate, and the verifier says so") {
    LongLife life;
    life.authority_since(2006);
    life.append(9);
    life.anchor();
    CHECK(life.verify_all().trusted == 9);
    life.clock.advance_ms(6 * kYear);  // 2032
    CHECK(life.verify_all().trusted == 0);
}

TEST_CASE("an interrupted renewal goes on where it was") {
    LongLife life;
    life.authority_since(2020);
    life.append(200);
    life.anchor();
    const LedgerReader ledger(life.fs, life.ledger_dir, life.state.size());
    const auto evidence = *Evidence::open(life.fs, life.ledger_dir, ledger);
    const RenewalPlan plan = *plan_renewal(*evidence, {{DigestAlgorithm::sha256, year(2027)}}, life.clock.now());
    REQUIRE(plan.hash_trees.size() == 1);
    CHECK(plan.to == DigestAlgorithm::sha512);
    Renewer renewer(life.fs, life.ledger_dir, ledger, life.digests());
    const auto broken = renewer.run(plan, life.choice(), life.clock, life.random,
                                    [](std::uint64_t done, std::uint64_t) { return done < 150; });
    REQUIRE(!broken.ok());
    CHECK(broken.error().code() == Code::interrupted);
    const std::uint64_t before = life.hashed;
    CHECK(life.verify_all().ok == 200);  // nothing has changed yet
    life.hashed = before;
    REQUIRE(renewer.run(plan, life.choice(), life.clock, life.random).ok());
    CHECK(life.hashed < before + 60);  // only what was missing
    CHECK(life.verify_all().stamps == 2);
}

TEST_CASE("whichever disk change of a renewal fails, the next run finishes it, and every record stays provable") {
    for (const bool hash_tree : {false, true}) {
        const AlgorithmEnds ends = hash_tree ? AlgorithmEnds{{DigestAlgorithm::sha256, year(2027)}} : AlgorithmEnds{};
        for (const Kept kept : {Kept::nothing, Kept::half, Kept::all}) {
            int k = 0;
            for (bool whole = false; !whole; k += kustos::test::kStride) {
                CAPTURE(hash_tree);
                CAPTURE(static_cast<int>(kept));
                CAPTURE(k);
                LongLife life;
                life.authority_since(hash_tree ? 2020 : 2002);  // ends 2045, 2027
                life.append(12);
                life.anchor();
                life.authority_since(2020);
                life.clock.advance_ms(kYear / 2);
                {
                    FailingFs fs(life.fs);
                    const LedgerReader ledger(fs, life.ledger_dir, life.state.size());
                    const auto evidence = *Evidence::open(fs, life.ledger_dir, ledger);
                    const RenewalPlan plan = *plan_renewal(*evidence, ends, life.clock.now());
                    REQUIRE(plan.due());
                    fs.fail_from(k, kept);
                    whole = Renewer(fs, life.ledger_dir, ledger, life.digests())
                                .run(plan, life.choice(), life.clock, life.random)
                                .ok();
                }
                while (life.renew(ends)) CHECK_FALSE(whole);
                const auto tally = life.verify_all();
                CHECK(tally.trusted == 12);
                CHECK(tally.stamps == 2);
            }
            CHECK(k > 8);
        }
    }
}

TEST_CASE("a renewal whose files were changed does not check") {
    LongLife life;
    life.authority_since(2020);
    life.append(40);
    life.anchor();
    REQUIRE(life.renew({{DigestAlgorithm::sha256, year(2027)}}));
    const LedgerReader ledger(life.fs, life.ledger_dir, life.state.size());
    const Path folder = RenewalStore(life.fs, life.ledger_dir).folder(1);
    for (const char* name : {"leaves", "ciphertexts", "0.der"}) {
        CAPTURE(name);
        const Bytes good = *read_file(life.fs, folder / name, 1u << 20);
        int found = 0;
        for (std::size_t at = 700; at + 100 < good.size(); at += good.size() / 7) {
            Bytes bad = good;
            bad[at] ^= 0x40;
            REQUIRE(replace_file(life.fs, folder / name, bad).ok());
            const auto evidence = *Evidence::open(life.fs, life.ledger_dir, ledger);
            found += !evidence->check(evidence->renewals().at(0), life.digests()).ok();
        }
        // In a token some bytes are nobody's word; its hash stands in the ledger, and verify compares that.
        CHECK(found >= (name == std::string_view("0.der") ? 1 : 4));
        REQUIRE(replace_file(life.fs, folder / name, good).ok());
    }
    const auto evidence = *Evidence::open(life.fs, life.ledger_dir, ledger);
    CHECK(evidence->check(evidence->renewals().at(0), life.digests()).ok());
}

TEST_CASE("the manifest on the format page is read and written") {
    const std::string text = test::doc_text("renewals.md", "manifest");
    const auto manifest = RenewalManifest::parse(text);
    REQUIRE(manifest.ok());
    CHECK(manifest->format() == text);
    CHECK(manifest->leaves() == 43);
}

TEST_CASE("a manifest has one form, and hostile ones are refused") {
    RenewalManifest manifest;
    manifest.kind = RenewalKind::time_stamp;
    manifest.covers = {{0, {TreeSize(0), TreeSize(42)}, 0, sha256(as_bytes("a"))}, {1, {}, 3, sha256(as_bytes("b"))}};
    const std::string text = manifest.format();
    CHECK(RenewalManifest::parse(text)->format() == text);
    for (std::size_t cut = 0; cut < text.size(); ++cut) {
        const auto parsed = RenewalManifest::parse(text.substr(0, cut));
        if (parsed.ok()) CHECK(parsed->format() == text.substr(0, cut));
    }
    CHECK(!RenewalManifest::parse("kustos.renewal/1\nkind hash-tree\nalgorithm sha256\nrenewal 1 0 " +
                                  std::string(64, 'a') + "\n")
               .ok());
    CHECK(!RenewalManifest::parse("kustos.renewal/1\nkind time-stamp\nalgorithm sha1\n").ok());
    CHECK(!RenewalManifest::parse("kustos.renewal/1\nkind time-stamp\nalgorithm sha256\nrenewal 01 0 " +
                                  std::string(64, 'a') + "\n")
               .ok());
}

TEST_CASE("the rows of ciphertexts are as on the format page: a digest, or none") {
    const auto row = [](const std::optional<Bytes>& ciphertext) {
        Bytes bytes(65);
        bytes[0] = ciphertext ? 1 : 2;
        if (ciphertext) {
            const Bytes digest = digest_of(DigestAlgorithm::sha512, *ciphertext);
            std::copy(digest.begin(), digest.end(), bytes.begin() + 1);
        }
        return bytes;
    };
    Bytes page = row({});
    const Bytes second = row(test::doc_example("anchors.md", "ciphertext-9"));
    page.insert(page.end(), second.begin(), second.end());
    CHECK(test::doc_example("renewals.md", "ciphertext-rows") == page);

    LongLife life;
    life.authority_since(2020);
    life.append(40);
    life.anchor();
    life.ciphertexts.erase(8);  // gone before
    REQUIRE(life.renew({{DigestAlgorithm::sha256, year(2027)}}));
    Bytes wanted = row({});  // of the note
    for (std::uint64_t i = 0; i < 40; ++i) {
        const auto found = life.ciphertexts.find(i);
        const Bytes next = found == life.ciphertexts.end() ? row({}) : row(found->second);
        wanted.insert(wanted.end(), next.begin(), next.end());
    }
    const Path folder = RenewalStore(life.fs, life.ledger_dir).folder(1);
    CHECK(*read_file(life.fs, folder / "ciphertexts", 1u << 20) == wanted);
}
