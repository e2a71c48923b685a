#include "audit/witness.h"

#include <doctest/doctest.h>

#include "audit/tlog_proof.h"
#include "audit/trust.h"
#include "base/crypto.h"
#include "tests/support/doc_example.h"
#include "tests/support/temp_dir.h"

using namespace kustos;
using namespace kustos::audit;

namespace {

constexpr const char* kOrigin = "kustos.archive/00000000000000000000000000000000";

// A ledger in memory: leaves, heads and proofs of any two sizes.
struct Log {
    SignerKey key = *SignerKey::make(kOrigin, Bytes(32, 1));
    std::vector<Hash> leaves;
    explicit Log(std::size_t count, std::uint8_t salt = 0) {
        for (std::size_t i = 0; i < count; ++i) {
            const std::uint8_t bytes[] = {static_cast<std::uint8_t>(i), static_cast<std::uint8_t>(i >> 8), salt};
            leaves.push_back(leaf_hash(bytes));
        }
    }
    NodeSource nodes() const {
        return [this](unsigned level, std::uint64_t index) -> Result<Hash> {
            const std::size_t width = std::size_t{1} << level;
            return root_of(std::span(leaves).subspan(index * width, width));
        };
    }
    TreeHead head(std::uint64_t size) const { return {TreeSize(size), *root_of(TreeSize(size), nodes())}; }
    std::string note(std::uint64_t size) const {
        return sign_note(format_checkpoint({kOrigin, TreeSize(size), size == 0 ? empty_root() : head(size).root, {}}),
                         key);
    }
    std::string request(std::uint64_t old_size, std::uint64_t size) const {
        AddCheckpoint r;
        r.old_size = TreeSize(old_size);
        if (old_size != 0 && old_size < size) r.proof = *consistency_proof(TreeSize(old_size), TreeSize(size), nodes());
        r.note = note(size);
        return r.format();
    }
};

struct Stand {
    test::TempDir dir;
    RealFs fs;
    FixedClock clock{UtcTime{1'800'000'000'500}};
    SeededRandom random{3};
    std::unique_ptr<Witness> witness;
    Log log{600};
    Stand() {
        open();
        REQUIRE(witness->add_log(log.key.verifier()).ok());
    }
    void open() {
        witness.reset();
        auto made = Witness::open({fs, clock, random}, dir / "w", "witness.example");
        REQUIRE(made.ok());
        witness = std::move(*made);
    }
    WitnessAnswer ask(const std::string& body) { return witness->add_checkpoint(as_bytes(body)); }
};

}  // namespace

TEST_CASE("a witness cosigns what continues, and its signature verifies") {
    Stand s;
    std::string note;
    for (const auto& [old_size, size] : {std::pair{0, 1}, {1, 7}, {7, 7}, {7, 256}, {256, 600}}) {
        const auto answer =
            s.ask(s.log.request(static_cast<std::uint64_t>(old_size), static_cast<std::uint64_t>(size)));
        CAPTURE(answer.body);
        REQUIRE(answer.status == 200);
        note = add_signature_line(s.log.note(static_cast<std::uint64_t>(size)), answer.body);
        const VerifierKey key = s.witness->key();
        const auto held = verify_cosignatures(*parse_note(as_bytes(note)), std::span(&key, 1));
        REQUIRE(held.ok());
        REQUIRE(held->size() == 1);
        CHECK(held->front().time.ms == 1'800'000'000'000);
        CHECK(open_checkpoint(as_bytes(note), s.log.key.verifier())->size.value == static_cast<std::uint64_t>(size));
        CHECK(*as_first_published(as_bytes(note), s.log.key.verifier()) ==
              s.log.note(static_cast<std::uint64_t>(size)));
    }
    // The key is stored as a public format: type 4.
    CHECK(VerifierKey::parse(s.witness->key().format())->type == KeyType::cosignature);
    std::string bad = note;
    bad[bad.size() - 10] = bad[bad.size() - 10] == 'A' ? 'B' : 'A';
    const VerifierKey key = s.witness->key();
    CHECK(!verify_cosignatures(*parse_note(as_bytes(bad)), std::span(&key, 1)).ok());
}

TEST_CASE("a witness refuses rollback, another history, strangers and nonsense") {
    Stand s;
    REQUIRE(s.ask(s.log.request(0, 300)).status == 200);
    const auto out_of_step = [&](const std::string& body) {
        const auto answer = s.ask(body);
        CHECK(answer.status == 409);
        CHECK(answer.body == "300\n");
    };
    out_of_step(s.log.request(0, 200));    // older than what it has seen
    out_of_step(s.log.request(200, 250));  // yesterday's copy goes on
    out_of_step(s.log.request(0, 600));
    const Log fork(600, 9);
    CHECK(s.ask(fork.request(300, 400)).status == 422);
    out_of_step(fork.request(300, 300));  // the same size, another root
    CHECK(s.ask(s.log.request(400, 300)).status == 400);
    Log stranger(10);
    stranger.key = *SignerKey::make("kustos.archive/11111111111111111111111111111111", Bytes(32, 1));
    AddCheckpoint unknown;
    unknown.note =
        sign_note(format_checkpoint({stranger.key.name, TreeSize(10), stranger.head(10).root, {}}), stranger.key);
    CHECK(s.ask(unknown.format()).status == 404);
    AddCheckpoint forged;
    forged.old_size = TreeSize(300);
    const SignerKey other = *SignerKey::make(kOrigin, Bytes(32, 2));
    forged.note = sign_note(format_checkpoint({kOrigin, TreeSize(300), s.log.head(300).root, {}}), other);
    CHECK(s.ask(forged.format()).status == 403);
    AddCheckpoint needless;
    needless.old_size = TreeSize(300);
    needless.proof = {Hash{}};
    needless.note = s.log.note(300);
    CHECK(s.ask(needless.format()).status == 422);
    const std::string good = s.log.request(300, 400);
    for (std::size_t cut = 0; cut < good.size(); cut += 3) CHECK(s.ask(good.substr(0, cut)).status == 400);
    for (const char* text : {"", "old", "old 03\n\n", "old -1\n\n", "new 3\n\n", "old 99999999999999999999\n\n"})
        CHECK(s.ask(text + s.log.note(400)).status == 400);
    CHECK(s.ask(good).status == 200);  // and nothing of it was remembered
}

TEST_CASE("an empty ledger has one root, and no other is signed") {
    Stand s;
    AddCheckpoint lying;
    lying.note = sign_note(format_checkpoint({kOrigin, TreeSize(0), s.log.head(3).root, {}}), s.log.key);
    const auto refused = s.ask(lying.format());
    CHECK(refused.status == 409);
    CHECK(refused.body == "0\n");
    CHECK(s.ask(s.log.request(0, 0)).status == 200);
    CHECK(s.ask(lying.format()).status == 409);
    CHECK(s.ask(s.log.request(0, 5)).status == 200);
}

TEST_CASE("of a witness's answer only its own line that holds is taken") {
    const Log log(5);
    const std::string note = log.note(5), text = note.substr(0, note.find("\n\n") + 1);
    const auto key = [](const char* name, std::uint8_t seed) {
        return *SignerKey::make(name, Bytes(32, seed), KeyType::cosignature);
    };
    const SignerKey mine = key("w", 7), other = key("v", 8);
    const UtcTime now{1'800'000'000'000};
    const std::string good = cosign(text, mine, now), theirs = cosign(text, other, now);
    const std::string spoilt = cosign(log.note(4).substr(0, 40), other, now);  // v's key, over something else
    CHECK(*cosignature_line(note, good, mine.verifier()) == good);
    CHECK(*cosignature_line(note, spoilt + theirs + good, mine.verifier()) == good);
    const std::string elsewhere = cosign(log.note(4).substr(0, 40), mine, now);
    CHECK(*cosignature_line(note, elsewhere + good, mine.verifier()) == good);
    for (const std::string& bad :
         {std::string(), theirs, spoilt, elsewhere, std::string("OK\n"), good.substr(0, 30), good + "x"})
        CHECK_MESSAGE(!cosignature_line(note, bad, mine.verifier()).ok(), bad);
}

TEST_CASE("a witness remembers across restarts, and stores before it answers") {
    Stand s;
    REQUIRE(s.ask(s.log.request(0, 300)).status == 200);
    s.open();
    CHECK(s.ask(s.log.request(0, 400)).status == 409);
    CHECK(s.ask(s.log.request(300, 400)).status == 200);
    CHECK(s.witness->logs() == 1);
    // A memory that can't be read is no reason to begin anew.
    const auto names = s.fs.list(s.dir / "w");
    REQUIRE(names.ok());
    for (const std::string& name : *names) {
        if (name.starts_with("seen-")) REQUIRE(replace_file(s.fs, s.dir / "w" / name, as_bytes("?")).ok());
    }
    CHECK(s.ask(s.log.request(0, 500)).status == 500);
    CHECK(!Witness::open({s.fs, s.clock, s.random}, s.dir / "w", "").ok());  // it is running already
}

TEST_CASE("trust files name witnesses, groups and a quorum as C2SP tlog-policy has them") {
    std::vector<SignerKey> keys;
    std::vector<std::string> lines;
    for (std::uint8_t i = 0; i < 4; ++i) {
        keys.push_back(*SignerKey::make("w" + std::to_string(i), Bytes(32, static_cast<std::uint8_t>(i + 10)),
                                        KeyType::cosignature));
        lines.push_back("witness W" + std::to_string(i) + " " + keys.back().verifier().format() +
                        " https://w.example/\n");
    }
    const SignerKey log = *SignerKey::make(kOrigin, Bytes(32, 1));
    const std::string base = "log " + log.verifier().format() + "\n" + lines[0] + lines[1] + lines[2] + lines[3];
    const auto trust = parse_trust(base + "group two 2 W0 W1 W2\ngroup both all two W3\nquorum both\n");
    REQUIRE_MESSAGE(trust.ok(), (trust.ok() ? "" : trust.error().message()));
    CHECK(format_trust(*parse_trust(format_trust(*trust))) == format_trust(*trust));
    const auto met = [&](std::initializer_list<int> who) {
        std::vector<Cosignature> held;
        for (const int i : who) held.push_back({keys[static_cast<std::size_t>(i)].verifier(), UtcTime{}});
        return trust->witnessed(held);
    };
    CHECK(met({0, 1, 3}));
    CHECK(met({0, 1, 2, 3}));
    CHECK(!met({0, 1, 2}));
    CHECK(!met({0, 3}));
    CHECK(!met({}));
    for (const char* bad : {"group g 2 W0\n", "group g 0 W0\n", "group g any W9\n", "group g any W0\ngroup h any W0\n",
                            "group W0 any W1\n", "group none any W1\n", "quorum nobody\n", "quorum none\nquorum W0\n",
                            "witness W0 x\n", "group g any\n", "quorum\n", "witness X kustos+00000000+AQ==\n"})
        CHECK_MESSAGE(!parse_trust(base + bad).ok(), bad);
    CHECK(!parse_trust("log " + keys[0].verifier().format() + "\n").ok());
    CHECK(!parse_trust(base + "witness L " + log.verifier().format() + "\n").ok());
}

TEST_CASE("the examples on the format page are what the code reads") {
    const std::string message = test::doc_text("witness.md", "cosigned-message");
    const std::string text = message.substr(message.find("kustos"));
    const auto checkpoint = parse_checkpoint(text);
    REQUIRE(checkpoint.ok());
    CHECK(checkpoint->head() == empty_head());
    const SignerKey key = *SignerKey::make("w", Bytes(32, 3), KeyType::cosignature);
    const std::string note = text + "\n" + cosign(text, key, UtcTime{1'800'000'000'999});
    const Note parsed = *parse_note(as_bytes(note));
    const auto signature = Ed25519Signature::from(ByteView(parsed.signatures[0].signature).subspan(8));
    CHECK(ed25519_verify(key.key.public_key, as_bytes(message), *signature));
    const std::string proof = test::doc_text("witness.md", "tlog-proof");
    const auto read = TlogProof::parse(as_bytes(proof));
    REQUIRE_MESSAGE(read.ok(), (read.ok() ? "" : read.error().message()));
    CHECK(read->format() == proof);
}

TEST_CASE("a tlog-proof proves one entry in one checkpoint, and nothing else") {
    Log log(0);
    std::vector<Bytes> entries;
    for (std::uint8_t i = 0; i < 77; ++i) {
        entries.push_back(Bytes(3, i));
        log.leaves.push_back(leaf_hash(entries.back()));
    }
    TlogProof proof;
    proof.index = EntryIndex(42);
    proof.proof = *inclusion_proof(EntryIndex(42), TreeSize(77), log.nodes());
    proof.note = log.note(77);
    const std::string text = proof.format();
    CHECK(text.starts_with("c2sp.org/tlog-proof@v1\nindex 42\n"));
    const auto read = TlogProof::parse(as_bytes(text));
    REQUIRE(read.ok());
    CHECK(read->format() == text);
    CHECK(verify_tlog_proof(*read, entries[42], log.key.verifier())->size.value == 77);
    CHECK(!verify_tlog_proof(*read, entries[41], log.key.verifier()).ok());
    const SignerKey other = *SignerKey::make(kOrigin, Bytes(32, 2));
    CHECK(!verify_tlog_proof(*read, entries[42], other.verifier()).ok());
    CHECK(TlogProof::parse(as_bytes("c2sp.org/tlog-proof@v1\nextra YWJj\n" + text.substr(23))).ok());
    int refused = 0;
    for (std::size_t at = 0; at < text.size(); ++at) {
        std::string bad = text;
        bad[at] = static_cast<char>(bad[at] ^ 1);
        const auto changed = TlogProof::parse(as_bytes(bad));
        const bool held = changed.ok() && verify_tlog_proof(*changed, entries[42], log.key.verifier()).ok();
        refused += !held;
    }
    CHECK(refused == static_cast<int>(text.size()));
}

TEST_CASE("the cosigned checkpoint on the format page holds, and is what its witness signs") {
    const std::string note = test::doc_text("witness.md", "cosigned-note");
    const std::string vkey = test::doc_text("witness.md", "witness-key");
    const SignerKey key = *SignerKey::make("witness.example", Bytes(32, 5), KeyType::cosignature);
    CHECK(key.verifier().format() + "\n" == vkey);
    const VerifierKey witness = key.verifier();
    const auto held = verify_cosignatures(*parse_note(as_bytes(note)), std::span(&witness, 1));
    REQUIRE(held.ok());
    REQUIRE(held->size() == 1);
    const std::string archives = test::doc_text("ledger.md", "checkpoint");
    const std::string text = archives.substr(0, archives.find("\n\n") + 1);
    CHECK(archives + cosign(text, key, UtcTime{1'800'000'000'000}) == note);
}
