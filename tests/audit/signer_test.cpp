#include "audit/signer.h"

#include <doctest/doctest.h>

#include "audit/cms_signature.h"
#include "audit/entry.h"
#include "audit/key_history.h"
#include "audit/src/evidence_key.h"
#include "audit/tlog_proof.h"
#include "tests/audit/failing_fs.h"
#include "tests/support/doc_example.h"
#include "tests/support/temp_dir.h"

using namespace kustos;
using namespace kustos::audit;
using namespace kustos::test;

namespace {

Hash leaf(std::uint64_t index) {
    return leaf_hash(as_bytes("entry " + std::to_string(index)));
}
CompactRange range(std::uint64_t size) {
    CompactRange out;
    for (std::uint64_t i = 0; i < size; ++i) out.append(leaf(i));
    return out;
}
TreeHead head(std::uint64_t size) {
    return {TreeSize{size}, range(size).root()};
}
Growth growth(std::uint64_t from, std::uint64_t to) {
    Growth out{range(from).hashes(), {}};
    for (std::uint64_t i = from; i < to; ++i) out.leaves.push_back(leaf(i));
    return out;
}
Result<std::string> advance(Signer& signer, const TreeHead& from, const TreeHead& to) {
    return signer.advance(from, to, growth(from.size.value, std::max(from.size.value, to.size.value)));
}

struct Store {
    RealFs fs;
    FixedClock clock{UtcTime{1'772'445'600'000}};
    SeededRandom random{1};
    TempDir dir;
    VaultId vault = random.make<VaultId>();
    Store() { REQUIRE(FileSigner::create({fs, clock, random}, path(), vault).ok()); }
    Environment environment() { return {fs, clock, random}; }
    Path path() const { return dir / "signer"; }
    std::unique_ptr<FileSigner> open() { return FileSigner::open(environment(), path()).value(); }
    void damage_slot(std::uint64_t number) {
        const auto file = fs.open(path() / "head", OpenMode::read_write).value();
        REQUIRE(file->write_at(number * kHeadSlotSpacing + 50, Bytes(20, 0x77)).ok());
    }
};

}  // namespace

TEST_CASE("the signer remembers what it signed, across restarts") {
    Store store;
    {
        const auto signer = store.open();
        CHECK(signer->last().value() == empty_head());
        CHECK(signer->vault() == store.vault);
        CHECK(signer->verifier().name == origin_of(store.vault));
        for (std::uint64_t n = 1; n <= 5; ++n) {
            const std::string note = advance(*signer, head(n - 1), head(n)).value();
            CHECK(open_checkpoint(as_bytes(note), signer->verifier()).value().head() == head(n));
            CHECK(signer->note().value() == note);
        }
    }
    const auto again = store.open();
    CHECK(again->last().value() == head(5));
    CHECK(open_checkpoint(as_bytes(again->note().value()), again->verifier()).value().head() == head(5));
}

TEST_CASE("compare-and-swap: another idea of the last head is a conflict and changes nothing") {
    Store store;
    const auto signer = store.open();
    REQUIRE(advance(*signer, empty_head(), head(10)).ok());
    CHECK(advance(*signer, empty_head(), head(11)).error().code() == Code::conflict);
    CHECK(advance(*signer, head(9), head(11)).error().code() == Code::conflict);
    TreeHead other_root = head(10);
    other_root.root = sha256(as_bytes("another"));
    CHECK(advance(*signer, other_root, head(11)).error().code() == Code::conflict);
    CHECK(advance(*signer, head(10), head(10)).error().code() == Code::usage);
    CHECK(advance(*signer, head(10), head(9)).error().code() == Code::usage);
    CHECK(signer->last().value() == head(10));
    CHECK(advance(*signer, head(10), head(11)).ok());
}

TEST_CASE("only one process has the store") {
    Store store;
    const auto signer = store.open();
    CHECK(FileSigner::open(store.environment(), store.path()).error().code() == Code::conflict);
}

TEST_CASE("a torn slot is survived by the other one") {
    Store store;
    {
        const auto signer = store.open();
        REQUIRE(advance(*signer, empty_head(), head(1)).ok());  // slot 1
        REQUIRE(advance(*signer, head(1), head(2)).ok());       // slot 0
        REQUIRE(advance(*signer, head(2), head(3)).ok());       // slot 1
    }
    store.damage_slot(1);
    {
        const auto signer = store.open();
        CHECK(signer->last().value() == head(2));
        REQUIRE(advance(*signer, head(2), head(3)).ok());  // into the torn slot, not over the good one
    }
    store.damage_slot(0);
    CHECK(store.open()->last().value() == head(3));
    store.damage_slot(1);
    CHECK(FileSigner::open(store.environment(), store.path()).error().code() == Code::corrupt);
}

TEST_CASE("a store that fails during a commit ends the signer, and either head is found afterwards") {
    for (int k = 0; k < 2; ++k) {  // the write, the sync
        CAPTURE(k);
        Store store;
        FailingFs failing(store.fs);
        {
            const auto signer = FileSigner::open({failing, store.clock, store.random}, store.path()).value();
            REQUIRE(advance(*signer, empty_head(), head(1)).ok());
            failing.fail_from(k);
            CHECK(advance(*signer, head(1), head(2)).error().code() == Code::environment);
            failing.heal();
            CHECK(advance(*signer, head(1), head(2)).error().code() == Code::read_only);
        }
        const TreeHead found = store.open()->last().value();
        CHECK(found == (k == 0 ? head(1) : head(2)));
    }
}

TEST_CASE("a store is never made twice, and its parts belong together") {
    Store store, other;
    CHECK(FileSigner::create({store.fs, store.clock, store.random}, store.path(), store.vault).error().code() ==
          Code::conflict);
    CHECK(FileSigner::open(store.environment(), store.dir / "nowhere").error().code() == Code::not_found);
    SeededRandom random(2);
    TempDir dir;
    REQUIRE(FileSigner::create({store.fs, store.clock, random}, dir / "signer", random.make<VaultId>()).ok());
    const auto copy = [&](const char* name) {
        REQUIRE(replace_file(store.fs, dir / "signer" / name, read_file(store.fs, store.path() / name, 100'000).value())
                    .ok());
    };
    copy("checkpoint.key");
    CHECK(FileSigner::open(store.environment(), dir / "signer").error().code() == Code::corrupt);
    copy("head");
    CHECK(FileSigner::open(store.environment(), dir / "signer").ok());
    copy("evidence.key");
    CHECK(FileSigner::open(store.environment(), dir / "signer").error().code() == Code::corrupt);
    copy("evidence.crt");
    CHECK(FileSigner::open(store.environment(), dir / "signer").ok());
    REQUIRE(replace_file(store.fs, dir / "signer" / "checkpoint.key", as_bytes("PRIVATE+KEY+x\n")).ok());
    CHECK(FileSigner::open(store.environment(), dir / "signer").error().code() == Code::corrupt);
}

TEST_CASE("the evidence key's certificate is its own, for thirty years") {
    SeededRandom random(3), same(3);
    VaultId vault;
    vault.bytes.fill(0xAB);
    const UtcTime now{1'772'445'600'000};  // 2026-03-02T10:00:00Z
    const EvidenceKey key = make_evidence_key(random, now, vault).value();
    // The key follows from the given chance; the certificate's signature does not (ECDSA).
    CHECK(equal(make_evidence_key(same, now, vault).value().private_key_der.view(), key.private_key_der.view()));
    const std::string der = to_text(key.certificate_der);
    CHECK(der.find("Kustos evidence abababab") != std::string::npos);
    CHECK(der.find("260302100000Z") != std::string::npos);
    CHECK(der.find("20560301100000Z") != std::string::npos);
    const SecretBytes key_pem = private_key_pem(key).value();
    const Bytes cert_pem = certificate_pem(key).value();
    CHECK(as_text(key_pem.view()).substr(0, 27) == "-----BEGIN PRIVATE KEY-----");
    const EvidenceKey again = parse_evidence_key(key_pem.view(), cert_pem).value();
    CHECK(again.certificate_der == key.certificate_der);
    CHECK(equal(again.private_key_der.view(), key.private_key_der.view()));
    const EvidenceKey stranger = make_evidence_key(random, now, vault).value();
    CHECK(parse_evidence_key(key_pem.view(), certificate_pem(stranger).value()).error().code() == Code::corrupt);
    CHECK(parse_evidence_key({}, cert_pem).error().code() == Code::corrupt);
}

namespace {

// A ledger of entries that allow documents, or don't.
struct Documents {
    FileSigner& signer;
    std::vector<Bytes> entries;
    void append(Bytes entry) {
        const auto leaves = [this] {
            CompactRange out;
            for (const Bytes& e : entries) out.append(leaf_hash(e));
            return out;
        };
        const CompactRange before = leaves();
        entries.push_back(std::move(entry));
        const CompactRange after = leaves();
        REQUIRE(signer
                    .advance({before.size(), before.root()}, {after.size(), after.root()},
                             {before.hashes(), {leaf_hash(entries.back())}})
                    .ok());
    }
    SigningGround ground(std::size_t index) {
        TlogProof proof;
        proof.index = EntryIndex(index);
        std::vector<Hash> leaves;
        for (const Bytes& e : entries) leaves.push_back(leaf_hash(e));
        proof.proof = inclusion_proof(proof.index, TreeSize(leaves.size()), [&](unsigned level, std::uint64_t at) {
                          const std::size_t width = std::size_t{1} << level;
                          return Result<Hash>(root_of(std::span(leaves).subspan(at * width, width)));
                      }).value();
        proof.note = signer.note().value();
        return {entries[index], proof.format()};
    }
};

Bytes allowing(AccessAction action) {
    Entry entry;
    entry.header.kind = Kind::access;
    entry.body = Body(action).put_time(Tag::time, UtcTime{1}).encode();
    return encode(entry);
}
Bytes allowing(ControlAction action) {
    Entry entry;
    entry.body = Body(action).put_time(Tag::time, UtcTime{1}).encode();
    return encode(entry);
}

}  // namespace

TEST_CASE("documents are signed with the evidence key if an entry of the ledger allows them, and not otherwise") {
    Store store;
    const Hash digest = sha256(as_bytes("document"));
    {
        const auto signer = store.open();
        Documents ledger{*signer, {}};
        ledger.append(allowing(ControlAction::archive_created));
        ledger.append(allowing(AccessAction::export_));
        ledger.append(allowing(AccessAction::search));
        ledger.append(allowing(ControlAction::verification_reported));
        const Bytes cms = signer->sign_cms(digest, ledger.ground(1)).value();
        CHECK(verify_cms(cms, digest).value().certificate == signer->evidence_certificate());
        CHECK_FALSE(verify_cms(cms, sha256(as_bytes("another"))).ok());
        for (const std::size_t other : {0u, 2u})
            CHECK(signer->sign_cms(digest, ledger.ground(other)).error().code() == Code::denied);
        CHECK(signer->sign_cms(digest, {}).error().code() == Code::denied);
        // An entry that is nowhere, and a proof of another one.
        SigningGround forged = ledger.ground(3);
        forged.entry = allowing(AccessAction::export_);
        CHECK(signer->sign_cms(digest, forged).error().code() == Code::denied);
        SigningGround swapped = ledger.ground(1);
        swapped.proof = ledger.ground(3).proof;
        CHECK(signer->sign_cms(digest, swapped).error().code() == Code::denied);
        for (int i = 0; i < 8; ++i) CHECK(signer->sign_cms(digest, ledger.ground(3)).ok());
        CHECK(signer->sign_cms(digest, ledger.ground(3)).error().code() == Code::denied);
        CHECK(signer->sign_cms(digest, ledger.ground(1)).ok());  // two at a time may come in either order
        ledger.append(allowing(AccessAction::export_));
        CHECK(signer->sign_cms(digest, ledger.ground(4)).ok());
        ledger.append(allowing(AccessAction::export_));
    }
    const auto signer = store.open();
    Documents ledger{*signer,
                     {allowing(ControlAction::archive_created), allowing(AccessAction::export_),
                      allowing(AccessAction::search), allowing(ControlAction::verification_reported),
                      allowing(AccessAction::export_), allowing(AccessAction::export_)}};
    for (const std::size_t served : {1u, 3u, 4u})
        CHECK(signer->sign_cms(digest, ledger.ground(served)).error().code() == Code::denied);
    CHECK(signer->sign_cms(digest, ledger.ground(5)).ok());
}

TEST_CASE("every kind of signed document has an entry that allows it, and what else a matter has allows none") {
    Store store;
    const Hash digest = sha256(as_bytes("document"));
    const auto signer = store.open();
    Documents ledger{*signer, {}};
    ledger.append(allowing(ControlAction::archive_created));
    for (const ControlAction action : {ControlAction::verification_reported, ControlAction::certificate_issued,
                                       ControlAction::completeness_certified, ControlAction::hits_reported,
                                       ControlAction::results_frozen, ControlAction::hashes_added})
        ledger.append(allowing(action));
    for (const std::size_t i : {1u, 2u, 3u, 4u}) CHECK(signer->sign_cms(digest, ledger.ground(i)).ok());
    for (const std::size_t i : {5u, 6u})
        CHECK(signer->sign_cms(digest, ledger.ground(i)).error().code() == Code::denied);
}

TEST_CASE("entries from before a store's first signature are no grounds: only what is appended from then on is") {
    Store store;
    const Hash digest = sha256(as_bytes("document"));
    const std::vector<Bytes> old = {allowing(ControlAction::archive_created), allowing(AccessAction::export_),
                                    allowing(AccessAction::export_)};
    {
        const auto signer = store.open();
        Documents ledger{*signer, {}};
        for (const Bytes& entry : old) ledger.append(entry);
    }
    const auto signer = store.open();
    Documents ledger{*signer, old};
    for (const std::size_t i : {1u, 2u})
        CHECK(signer->sign_cms(digest, ledger.ground(i)).error().code() == Code::denied);
    ledger.append(allowing(AccessAction::export_));
    CHECK(signer->sign_cms(digest, ledger.ground(3)).ok());
    CHECK(signer->sign_cms(digest, ledger.ground(2)).error().code() == Code::denied);
}

TEST_CASE("the head slot on the format page is read") {
    const Bytes bytes = doc_example("signer.md", "head-slot");
    CHECK(bytes.size() == kHeadSlotSize);
    const auto slot = decode_head_slot(bytes);
    REQUIRE(slot.ok());
    CHECK(slot->counter == 7);
    CHECK(slot->head == TreeHead{TreeSize{3}, sha256(as_bytes("root"))});
    CHECK(encode(*slot) == bytes);
    for (std::size_t at = 0; at < bytes.size(); ++at) {
        Bytes changed = bytes;
        changed[at] ^= 1;
        if (decode_head_slot(changed).ok()) FAIL("changed at " << at);
    }
}

TEST_CASE("the signer adds up the new tree itself: what does not follow from the last one is refused") {
    Store store;
    const auto signer = store.open();
    REQUIRE(advance(*signer, head(0), head(10)).ok());
    const auto refused = [&](const TreeHead& to, const Growth& by) {
        return signer->advance(head(10), to, by).error().code() == Code::conflict && signer->last().value() == head(10);
    };
    Growth other = growth(10, 13);
    std::swap(other.leaves[0], other.leaves[1]);
    CHECK(refused(head(13), other));  // another order
    Growth rewritten = growth(10, 13);
    rewritten.before[0] = leaf(77);
    CHECK(refused(head(13), rewritten));  // another past
    CHECK(refused(head(13), growth(10, 12)));
    CHECK(refused(head(13), growth(10, 14)));
    CHECK(refused(head(13), growth(9, 13)));
    CHECK(refused(head(13), Growth{}));
    TreeHead lying = head(13);
    lying.root = leaf(1);
    CHECK(refused(lying, growth(10, 13)));
    CHECK(signer->advance(head(10), head(13), growth(10, 13)).ok());
}

TEST_CASE("a new key is taken only when it is announced under the present one") {
    Store store;
    const auto signer = store.open();
    const VerifierKey before = signer->verifier();
    REQUIRE(advance(*signer, head(0), head(5)).ok());
    CHECK_FALSE(signer->waiting_key().value().has_value());
    CHECK(signer->take_next_key(as_bytes("x"), "y").error().code() == Code::conflict);
    const VerifierKey next = signer->next_key("").value();
    CHECK(signer->next_key("").value() == next);  // the same until it is taken
    CHECK(*signer->waiting_key().value() == next);
    CHECK_FALSE(next == before);

    const auto announcement = [](const VerifierKey& key, ControlAction action) {
        Entry entry;
        entry.header.kind = Kind::control;
        entry.header.suite = Suite::none;
        entry.body = Body(action).put_time(Tag::time, UtcTime{1}).put_text(Tag::vkey, key.format()).encode();
        return encode(entry);
    };
    // A tree whose sixth entry is the announcement.
    const auto proven = [&](const Bytes& entry, const std::string& signed_note) {
        std::vector<Hash> leaves;
        for (std::uint64_t i = 0; i < 5; ++i) leaves.push_back(leaf(i));
        leaves.push_back(leaf_hash(entry));
        TlogProof proof;
        proof.index = EntryIndex(5);
        const NodeSource nodes = [&](unsigned level, std::uint64_t index) -> Result<Hash> {
            const std::size_t width = std::size_t{1} << level;
            return root_of(std::span(leaves).subspan(index * width, width));
        };
        proof.proof = inclusion_proof(EntryIndex(5), TreeSize(6), nodes).value();
        proof.note = signed_note;
        return proof.format();
    };
    const auto commit = [&](const Bytes& entry) {
        CompactRange six = range(5);
        six.append(leaf_hash(entry));
        return signer->advance(signer->last().value(), {TreeSize(6), six.root()},
                               Growth{range(5).hashes(), {leaf_hash(entry)}});
    };
    const Bytes good = announcement(next, ControlAction::key_rotated);
    const std::string note = commit(good).value();
    const std::string proof = proven(good, note);
    for (const Bytes& bad : {announcement(before, ControlAction::key_rotated),
                             announcement(next, ControlAction::finding), Bytes(good.begin(), good.end() - 1)})
        CHECK(signer->take_next_key(bad, proof).error().code() == Code::conflict);
    std::string unsigned_note = note;
    unsigned_note[note.size() - 10] = unsigned_note[note.size() - 10] == 'A' ? 'B' : 'A';
    CHECK(signer->take_next_key(good, proven(good, unsigned_note)).error().code() == Code::conflict);
    CHECK(signer->verifier() == before);

    CHECK(signer->take_next_key(good, proof).value() == next);
    CHECK(signer->verifier() == next);
    CHECK_FALSE(signer->waiting_key().value().has_value());
    CHECK(open_checkpoint(as_bytes(signer->note().value()), next).ok());
    CHECK_FALSE(open_checkpoint(as_bytes(signer->note().value()), before).ok());
    KeyHistory history(before);
    REQUIRE(history.add({good, proof}).ok());
    CHECK(history.open(as_bytes(note))->key == before);  // at the border either is good
    CHECK(history.open(as_bytes(signer->note().value()))->key == next);
}

TEST_CASE("the announcements of new keys on the format page are read") {
    const SignerKey first = SignerKey::make(origin_of(VaultId{}), Bytes(32, 7)).value();
    const Bytes rotated = doc_example("signer.md", "rotated");
    const auto next = announced_key(rotated);
    REQUIRE(next.ok());
    CHECK(*next == SignerKey::make(first.name, Bytes(32, 9)).value().verifier());
    CHECK(encode(*decode_entry(rotated)) == rotated);

    const Bytes continued = doc_example("signer.md", "continued");
    KeyHistory history(first.verifier());
    REQUIRE(history.add(EntryIndex(3), continued).ok());
    CHECK(history.first() == SignerKey::make(first.name + "/1", Bytes(32, 8)).value().verifier());
    CHECK(encode(*decode_entry(continued)) == continued);
    const auto entry = decode_entry(continued);
    const auto rows = BodyReader::parse(entry->body);
    REQUIRE(rows.ok());
    CHECK(rows->find_hash(Tag::root) == sha256(as_bytes("root")));
    CHECK(rows->find_u64(Tag::remembered_size) == 5);
    CHECK_FALSE(KeyHistory(first.verifier()).add(EntryIndex(4), continued).ok());
}
