// The Matrix application service without sockets: requests, retries, the comparison with rooms.
#include <doctest/doctest.h>

#include "ingest/src/matrix_reconcile.h"
#include "ingest/src/matrix_registration.h"
#include "ingest/src/matrix_service.h"
#include "tests/ingest/matrix_fakes.h"
#include "vault/capture_profile.h"

using namespace kustos;
using namespace kustos::ingest;
using vault::MessageKind;

namespace {

constexpr std::int64_t kNow = 1'772'500'000'000;
const std::string kRoom = "!r:amt.example";

std::string event(int n, const std::string& more = "", std::int64_t ms = kNow - 3'600'000) {
    return R"({"type":"m.room.message","event_id":"$e)" + std::to_string(n) +
           R"(","room_id":"!r:amt.example","sender":"@anna:amt.example","origin_server_ts":)" + std::to_string(ms + n) +
           R"(,"content":{"msgtype":"m.text","body":"Nr. )" + std::to_string(n) + "\"" + more + "}}";
}
std::string file_event(int n, const std::string& url) {
    return R"({"type":"m.room.message","event_id":"$e)" + std::to_string(n) +
           R"(","room_id":"!r:amt.example","sender":"@anna:amt.example","origin_server_ts":1772490000000,)" +
           R"("content":{"msgtype":"m.file","body":"plan.pdf","url":")" + url + R"(","info":{"size":4}}})";
}
std::string transaction(const std::vector<std::string>& events, const std::string& more = "") {
    std::string list;
    for (const std::string& one : events) list += (list.empty() ? "" : ",") + one;
    return "{\"events\":[" + list + "]" + more + "}";
}

struct World {
    explicit World(bool with_homeserver = true)
        : taker(intake, with_homeserver ? &homeserver : nullptr, "amt.example"),
          rooms(intake),
          service({SecretBytes(as_bytes("hs-token-of-the-test")), "amt.example", "kustos", [this] { ++pings; }}, intake,
                  taker, rooms) {}
    MatrixAnswer ask(const std::string& method, const std::string& target, const std::string& body = "",
                     const std::string& authorization = "Bearer hs-token-of-the-test") {
        return service.answer({method, target, authorization, as_bytes(body)});
    }
    MatrixAnswer put(const std::string& id, const std::string& body) {
        return ask("PUT", "/_matrix/app/v1/transactions/" + id, body);
    }
    MatrixReconcile reconcile(bool history = true, std::int64_t settle_ms = 60'000) {
        return MatrixReconcile({settle_ms, history}, intake, homeserver, taker, rooms);
    }
    test::MemoryIntake intake;
    test::FakeHomeserver homeserver;
    MatrixTaker taker;
    MatrixRooms rooms;
    int pings = 0;
    MatrixService service;
};

}  // namespace

TEST_CASE("only the homeserver with its token is let in, on the paths that there are") {
    World w;
    CHECK(w.ask("PUT", "/_matrix/app/v1/transactions/1", transaction({event(1)}), "").status == 401);
    const MatrixAnswer wrong =
        w.ask("PUT", "/_matrix/app/v1/transactions/1", transaction({event(1)}), "Bearer hs-token-of-the-tesT");
    CHECK(wrong.status == 403);
    CHECK(wrong.body.find("M_FORBIDDEN") != std::string::npos);
    CHECK(w.ask("PUT", "/_matrix/app/v1/transactions/1", "", "Basic hs-token-of-the-test").status == 403);
    CHECK(w.ask("PUT", "/transactions/1?access_token=wrong", "", "").status == 403);
    CHECK(w.ask("GET", "/_matrix/app/v1/transactions/1").status == 405);
    CHECK(w.ask("PUT", "/_matrix/app/v1/transactions/").status == 404);
    CHECK(w.ask("PUT", "/_matrix/app/v1/transactions/1/2").status == 404);
    CHECK(w.ask("GET", "/").status == 404);
    CHECK(w.intake.messages.empty());
    CHECK(w.ask("PUT", "/transactions/1?access_token=hs-token-of-the-test", transaction({event(1)}), "").status == 200);
    CHECK(w.intake.messages.size() == 1);
}

TEST_CASE("a ping is answered and asks for a comparison; the bot is the one user that there is") {
    World w;
    CHECK(w.ask("POST", "/_matrix/app/v1/ping", R"({"transaction_id":"a"})").status == 200);
    CHECK(w.pings == 1);
    CHECK(w.intake.beats == 1);
    CHECK(w.ask("GET", "/_matrix/app/v1/users/%40kustos%3Aamt.example").status == 200);
    const MatrixAnswer other = w.ask("GET", "/_matrix/app/v1/users/%40anna%3Aamt.example");
    CHECK(other.status == 404);
    CHECK(other.body.find("M_NOT_FOUND") != std::string::npos);
    CHECK(w.ask("GET", "/_matrix/app/v1/rooms/%23amt%3Aamt.example").status == 404);
}

TEST_CASE("a transaction that comes again, out of order, or with more events is sealed exactly once") {
    World w;
    CHECK(w.put("2", transaction({event(3), event(4)})).body == "{}");
    CHECK(w.put("1", transaction({event(1), event(2)})).status == 200);
    CHECK(w.put("2", transaction({event(3), event(4)})).status == 200);
    // The age of an event changes from one attempt to the next.
    std::string aged = event(3);
    aged.insert(aged.size() - 1, R"(,"unsigned":{"age":17})");
    CHECK(w.put("2", transaction({aged, event(4)})).status == 200);
    CHECK(w.intake.messages.size() == 4);
    CHECK(w.intake.findings.empty());
    // A redaction in between: what the homeserver sends then is another content, and no contradiction.
    CHECK(w.put("2", transaction({event(3, R"(,"x":1)"), event(4)})).status == 200);
    CHECK(w.intake.messages.size() == 5);
    CHECK(w.intake.findings.empty());
}

TEST_CASE("the same transaction id with other events: they are sealed, and it is a finding") {
    World w;
    CHECK(w.put("7", transaction({event(1)})).status == 200);
    CHECK(w.put("7", transaction({event(2)})).status == 200);
    CHECK(w.intake.messages.size() == 2);
    CHECK(w.intake.findings.count("matrix:txn-reused 7") == 1);
    // A new process knows both.
    MatrixService again({SecretBytes(as_bytes("hs-token-of-the-test")), "amt.example", "kustos", {}}, w.intake, w.taker,
                        w.rooms);
    w.intake.findings.clear();
    const std::string body = transaction({event(2)});
    CHECK(
        again.answer({"PUT", "/_matrix/app/v1/transactions/7", "Bearer hs-token-of-the-test", as_bytes(body)}).status ==
        200);
    CHECK(w.intake.findings.empty());
    CHECK(w.intake.messages.size() == 2);
}

TEST_CASE("the last transactions are remembered in a bounded value") {
    World w;
    for (int n = 0; n < 600; ++n) CHECK(w.put(std::to_string(n), transaction({event(n)})).status == 200);
    CHECK(w.intake.memory["transactions"].size() < (64u << 10));
    CHECK(w.put("599", transaction({event(1599)})).status == 200);
    CHECK(w.intake.findings.count("matrix:txn-reused 599") == 1);
}

TEST_CASE("a full or failing archive says later, and nothing counts as answered") {
    World w;
    w.intake.full = true;
    const MatrixAnswer later = w.put("1", transaction({event(1)}));
    CHECK(later.status == 503);
    CHECK(later.retry_after_s == 5);
    CHECK(later.body.find("M_LIMIT_EXCEEDED") != std::string::npos);
    CHECK(later.body.find("\"retry_after_ms\":5000") != std::string::npos);
    w.intake.full = false;
    w.intake.fails = true;
    CHECK(w.put("1", transaction({event(1)})).status == 503);
    w.intake.fails = false;
    CHECK(w.intake.memory.count("transactions") == 0);
    CHECK(w.put("1", transaction({event(1)})).status == 200);
    CHECK(w.intake.messages.size() == 1);
    CHECK(w.service.refused() == 2);
}

TEST_CASE("what is no transaction is refused, and a bad event in one is sealed as it came") {
    World w;
    for (const char* body : {"", "[]", "{}", "{\"events\":{}}", "nonsense"}) CHECK(w.put("1", body).status == 400);
    CHECK(w.intake.messages.empty());
    CHECK(w.intake.findings.count("matrix:bad-transaction 1") == 1);
    std::string deep = R"({"type":"m.x","content":)";
    for (int n = 0; n < 100; ++n) deep += "[";
    for (int n = 0; n < 100; ++n) deep += "]";
    CHECK(w.put("2", transaction({event(1), "17", deep + "}", event(2)})).status == 200);
    REQUIRE(w.intake.messages.size() == 4);
    std::size_t unreadable = 0;
    for (const auto& message : w.intake.messages) unreadable += message.kind == MessageKind::unreadable;
    CHECK(unreadable == 2);
    CHECK(w.ask("PUT", "/_matrix/app/v1/transactions/3", std::string(MatrixService::kMaxBody + 1, ' ')).status == 413);
}

TEST_CASE("read receipts, typing and presence are marked for the capture profile, and two of the same are two") {
    World w;
    const std::string typing = R"({"type":"m.typing","room_id":"!r:amt.example","content":{"user_ids":["@a:x"]}})";
    const std::string body =
        transaction({}, R"(,"ephemeral":[)" + typing + "," + typing +
                            R"(,{"type":"m.receipt","room_id":"!r:amt.example","content":{}},)" +
                            R"({"type":"m.presence","sender":"@a:x","content":{"presence":"online"}}])");
    CHECK(w.put("1", body).status == 200);
    CHECK(w.put("1", body).status == 200);
    REQUIRE(w.intake.messages.size() == 4);
    std::multiset<std::string> notes;
    for (const auto& message : w.intake.messages) {
        CHECK(message.kind == MessageKind::status);
        CHECK(vault::left_out({}, message, [](ByteView) { return Hash{}; }));
        for (const std::string& note : message.notes)
            if (note.rfind("event:", 0) == 0) notes.insert(note);
    }
    CHECK(notes == std::multiset<std::string>{"event:typing", "event:typing", "event:read-receipt", "event:presence"});
}

TEST_CASE("files are fetched into the message; one that is gone is missing and found") {
    World w;
    w.homeserver.files["mxc://amt.example/abc"] = "%PDF";
    CHECK(w.put("1", transaction({file_event(1, "mxc://amt.example/abc"), file_event(2, "mxc://other.example/gone")}))
              .status == 200);
    REQUIRE(w.intake.messages.size() == 2);
    CHECK(to_text(w.intake.messages[0].attachments.at(0).content) == "%PDF");
    CHECK_FALSE(w.intake.messages[0].attachments[0].missing);
    CHECK(w.intake.messages[1].attachments.at(0).missing);
    CHECK(w.intake.findings["matrix:media-missing " + kRoom] == 1);
}

TEST_CASE("a file that can't be had for now holds the transaction up, but not for ever") {
    World w;
    w.homeserver.busy = true;
    const std::string body = transaction({file_event(1, "mxc://amt.example/abc")});
    CHECK(w.put("1", body).status == 503);
    CHECK(w.put("1", body).status == 503);
    CHECK(w.intake.messages.empty());
    CHECK(w.put("1", body).status == 200);
    REQUIRE(w.intake.messages.size() == 1);
    CHECK(w.intake.messages[0].attachments.at(0).missing);
    World without(false);
    CHECK(without.put("1", body).status == 200);
    CHECK(without.homeserver.asked == 0);
}

TEST_CASE("events that the homeserver lost on the way are found, sealed, counted and resolved") {
    World w;
    for (int n = 1; n <= 10; ++n) w.homeserver.rooms[kRoom].push_back(event(n));
    CHECK(w.put("1", transaction({event(1), event(2), event(3)})).status == 200);
    CHECK(w.put("2", transaction({event(6), event(10)})).status == 200);
    MatrixReconcile reconcile = w.reconcile();
    CHECK(reconcile.round().ok());
    CHECK(w.intake.messages.size() == 10);
    CHECK(w.intake.findings.empty());
    CHECK(w.intake.resolved["matrix:gap " + kRoom] == 5);
    // The next round ends where this one began.
    w.homeserver.pages = 0;
    w.homeserver.rooms[kRoom].push_back(event(11));
    CHECK(reconcile.round().ok());
    CHECK(w.homeserver.pages == 1);
    CHECK(w.intake.messages.size() == 11);
}

TEST_CASE("young events are left to the transactions, and old ones are nobody's business unless wanted") {
    World w;
    w.homeserver.rooms[kRoom] = {event(1), event(2, "", kNow - 1'000)};
    w.homeserver.joined = {kRoom};
    CHECK(w.reconcile(false).round().ok());
    CHECK(w.intake.messages.empty());
    CHECK(w.intake.findings.empty());
    w.intake.clock.advance_ms(3'600'000);
    w.homeserver.rooms[kRoom].push_back(event(3, "", kNow + 1'000));
    CHECK(w.reconcile(false).round().ok());
    REQUIRE(w.intake.messages.size() == 2);  // after the anchor
    CHECK(w.intake.messages.back().native_id == "$e3");
}

TEST_CASE("a room that can't be read is an open gap until it can") {
    World w;
    w.homeserver.rooms[kRoom] = {event(1)};
    w.homeserver.joined = {kRoom};
    w.homeserver.hidden = true;
    MatrixReconcile reconcile = w.reconcile();
    CHECK(reconcile.round().ok());
    CHECK(w.intake.findings["matrix:gap " + kRoom] == 1);
    w.homeserver.reader = "@anna:amt.example";
    CHECK(w.rooms.saw(kRoom, "@anna:amt.example").ok());
    CHECK(reconcile.round().ok());
    CHECK(w.intake.findings.empty());
    CHECK(w.intake.messages.size() == 1);
    w.homeserver.busy = true;
    CHECK(reconcile.round().error().code() == Code::environment);
    CHECK(w.intake.findings.empty());
}

TEST_CASE("a history that was cut before the last comparison is a gap that stays open") {
    World w;
    for (int n = 1; n <= 5; ++n) w.homeserver.rooms[kRoom].push_back(event(n));
    w.homeserver.joined = {kRoom};
    MatrixReconcile reconcile = w.reconcile();
    CHECK(reconcile.round().ok());
    w.homeserver.rooms[kRoom] = {event(8), event(9)};
    CHECK(reconcile.round().ok());
    CHECK(w.intake.findings["matrix:gap " + kRoom + " before $e8"] == 1);
    CHECK(reconcile.round().ok());
    CHECK(w.intake.findings.size() == 1);
}

TEST_CASE("a room with more pages than a round takes is gone through in several") {
    World w;
    w.homeserver.page_size = 1;
    for (int n = 1; n <= MatrixReconcile::kPages + 50; ++n) w.homeserver.rooms[kRoom].push_back(event(n));
    w.homeserver.joined = {kRoom};
    MatrixReconcile reconcile = w.reconcile();
    CHECK(reconcile.round().ok());
    CHECK(w.intake.messages.size() == MatrixReconcile::kPages);
    CHECK(w.intake.memory.count("anchor/" + kRoom) == 0);
    CHECK(reconcile.round().ok());
    CHECK(w.intake.messages.size() == MatrixReconcile::kPages + 50);
    CHECK(w.intake.memory["anchor/" + kRoom] == "$e" + std::to_string(MatrixReconcile::kPages + 50));
    CHECK(w.intake.resolved["matrix:gap " + kRoom] == MatrixReconcile::kPages + 50);
}

TEST_CASE("what was redacted before it is read again is no gap") {
    World w;
    CHECK(w.put("1", transaction({event(1)})).status == 200);
    std::string redacted = event(1);
    redacted.replace(redacted.find("\"content\""), std::string::npos,
                     R"("content":{},"unsigned":{"redacted_because":{"type":"m.room.redaction"}}})");
    w.homeserver.rooms[kRoom] = {redacted};
    CHECK(w.reconcile().round().ok());
    CHECK(w.intake.findings.empty());
    CHECK(w.intake.resolved.empty());
}

TEST_CASE("rooms are remembered over a restart, many of them too") {
    World w;
    for (int n = 0; n < 3'000; ++n) CHECK(w.rooms.saw("!room" + std::to_string(n) + ":amt.example", "").ok());
    CHECK(w.rooms.saw("!room17:amt.example", "@anna:amt.example").ok());
    MatrixRooms again(w.intake);
    const auto all = again.all();
    REQUIRE(all.ok());
    CHECK(all->size() == 3'000);
    CHECK(all->at("!room17:amt.example") == "@anna:amt.example");
    CHECK(w.intake.memory.count("rooms/1") == 1);
}

TEST_CASE("a page of a room is read as the specification has it, and foreign ones are refused") {
    const auto page = parse_matrix_page(R"({"start":"s","chunk":[{"a":1},{"b":2}],"end":"t\u0031-x"})");
    REQUIRE(page.ok());
    CHECK(page->events.size() == 2);
    CHECK(page->end == "t1-x");
    CHECK(parse_matrix_page(R"({"chunk":[]})")->end.empty());
    for (const char* bad : {"", "[]", "{\"chunk\":{}}", "<html>"})
        CHECK(parse_matrix_page(bad).error().code() == Code::bad_input);
}

TEST_CASE("an address that is no homeserver's is refused with the key that is wrong") {
    for (const char* url : {"", "amt.example", "ftp://amt.example", "https://a:b@amt.example", "https://"}) {
        MatrixHomeserverOptions options;
        options.url = url;
        CHECK(connect_homeserver(std::move(options)).error().code() == Code::usage);
    }
}

TEST_CASE("the registration names the address and the people, and no token") {
    const std::string text = matrix_registration("127.0.0.1:9009", true, "amt.example", "it's");
    CHECK(text.find("url: 'https://127.0.0.1:9009'\n") != std::string::npos);
    CHECK(text.find(R"(regex: "@.*:amt\\.example")") != std::string::npos);
    CHECK(text.find("sender_localpart: 'it''s'\n") != std::string::npos);
}
