#include "audit/net/signer_service.h"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>

#include "audit/entry.h"
#include "audit/tlog_proof.h"
#include "tests/support/temp_dir.h"

using namespace kustos;
using namespace kustos::audit;

namespace {

struct Service {
    test::TempDir dir;
    RealFs fs;
    FixedClock clock{UtcTime{1'772'445'600'000}};
    SeededRandom random{1};
    VaultId vault = random.make<VaultId>();
    std::unique_ptr<FileSigner> signer;
    std::atomic<bool> stop{false};
    std::thread thread;

    Service() {
        REQUIRE(FileSigner::create({fs, clock, random}, dir / "signer", vault).ok());
        signer = FileSigner::open({fs, clock, random}, dir / "signer").value();
        thread = std::thread([this] {
            CHECK(serve_signer(*signer, {socket(), std::nullopt}, [this] { return stop.load(); }).ok());
        });
        while (!fs.exists(socket())) std::this_thread::yield();
    }
    ~Service() { end(); }
    void end() {
        stop = true;
        if (thread.joinable()) thread.join();
    }
    Path socket() const { return dir / "s"; }
    std::unique_ptr<RemoteSigner> connect() {
        for (int i = 0; i < 200; ++i) {  // the socket is there a moment before it listens
            if (auto made = RemoteSigner::connect(socket()); made.ok()) return std::move(*made);
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        FAIL("no connection");
        return nullptr;
    }
};

Growth first(const Hash& leaf) {
    return Growth{{}, {leaf}};
}

}  // namespace

TEST_CASE("a signer behind a socket answers like one in this process") {
    Service service;
    const auto remote = service.connect();
    CHECK(remote->vault() == service.vault);
    CHECK(remote->verifier() == service.signer->verifier());
    CHECK(remote->evidence_certificate() == service.signer->evidence_certificate());
    CHECK(remote->last().value() == empty_head());
    const Hash leaf = leaf_hash(as_bytes("one"));
    const TreeHead one{TreeSize(1), leaf};
    const std::string note = remote->advance(empty_head(), one, first(leaf)).value();
    CHECK(open_checkpoint(as_bytes(note), remote->verifier())->head() == one);
    CHECK(remote->note().value() == note);
    CHECK(remote->last().value() == one);
    const Error again = remote->advance(empty_head(), one, first(leaf)).error();
    CHECK(again.code() == Code::conflict);
    CHECK_FALSE(again.hint().empty());
    CHECK(remote->sign_cms(sha256(as_bytes("x")), {Bytes(100, 1), "proof"}).error().code() == Code::denied);
    Entry allows;
    allows.header.kind = Kind::access;
    allows.body = Body(AccessAction::export_).put_time(Tag::time, UtcTime{1}).encode();
    const Hash second = leaf_hash(encode(allows));
    CompactRange range;
    range.append(leaf);
    const Growth growth{range.hashes(), {second}};
    range.append(second);
    TlogProof proof;
    proof.index = EntryIndex(1);
    proof.proof = {leaf};
    proof.note = remote->advance(one, {TreeSize(2), range.root()}, growth).value();
    CHECK(remote->sign_cms(sha256(as_bytes("x")), {encode(allows), proof.format()}).ok());
    CHECK_FALSE(remote->waiting_key().value().has_value());
    const VerifierKey next = remote->next_key("").value();
    CHECK(*remote->waiting_key().value() == next);
    CHECK(remote->next_key("").value() == next);
    CHECK(remote->take_next_key(as_bytes("x"), "y").error().code() == Code::conflict);
    CHECK(remote->verifier() == service.signer->verifier());
}

TEST_CASE("a caller can't choose where a new key is made, nor load code into the signer") {
    Service service;
    const auto remote = service.connect();
    const std::string module = (service.dir / "evil.so").string();
    for (const std::string& where :
         {std::string("file"), "pkcs11:token=x?module-path=" + module + "&pin-source=file:" + module})
        CHECK(remote->next_key(where).error().code() == Code::denied);
    CHECK_FALSE(remote->waiting_key().value().has_value());
    CHECK(remote->next_key("").ok());
}

TEST_CASE("one caller at a time, and the next one when the first has gone") {
    Service service;
    auto one = service.connect();
    CHECK(RemoteSigner::connect(service.socket()).error().code() == Code::conflict);
    CHECK(one->last().ok());
    one.reset();
    CHECK(service.connect()->last().ok());
}

TEST_CASE("when the signer ends the archive's side says so and stays ended") {
    Service service;
    const auto remote = service.connect();
    CHECK(remote->last().ok());
    service.end();
    CHECK(remote->last().error().code() == Code::read_only);
    CHECK(remote->note().error().code() == Code::read_only);
}

TEST_CASE("nonsense from a caller ends its connection at most") {
    Service service;
    for (const Bytes& request :
         {Bytes{}, Bytes{99}, Bytes{4}, Bytes{4, 0, 0}, Bytes(100, 0xFF), Bytes{6, 0xFF, 0xFF, 0xFF, 0xFF}}) {
        auto socket = LocalSocket::connect(service.socket());
        while (!socket.ok()) socket = LocalSocket::connect(service.socket());
        REQUIRE(socket->receive_message(100).ok());  // its greeting
        REQUIRE(socket->send_message(request));
        const auto reply = socket->receive_message(10'000);
        REQUIRE(reply.ok());
        CHECK((*reply)[0] == 1);
    }
    const auto socket = LocalSocket::connect(service.socket());
    REQUIRE(socket.ok());
    REQUIRE(socket->receive_message(100).ok());
    REQUIRE(socket->send(Bytes{0xFF, 0xFF, 0xFF, 0xFF}));  // a length beyond all limits
    CHECK_FALSE(socket->receive_message(100).ok());
    CHECK(service.connect()->last().ok());
}
