#include "web/server.h"

#include <Poco/Net/HTTPBasicStreamBuf.h>
#include <Poco/Net/HTTPMessage.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/HTTPSClientSession.h>
#include <Poco/Net/SecureStreamSocket.h>
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <iterator>
#include <thread>

#include "base/clock.h"
#include "tests/support/temp_dir.h"

using namespace kustos;
using namespace kustos::web;

namespace {

const std::string kSecretText = "Zwetschgenkuchen";

// A house with one account, one source and one record; each call can be made to fail.
class FakeHouse final : public Service {
public:
    Result<StatusReport> status(Language) override { return fails ? Result<StatusReport>(*fails) : StatusReport{}; }
    Status may_push(const std::string& source, const std::string& token) override {
        if ((source != "live" && source != "second") || token != "good")
            return Error(Code::denied, "unknown source or wrong token");
        return fails ? Status(*fails) : ok_status();
    }
    Result<PushAnswer> push(PushRequest request) override {
        pushed = request.body.size();
        position = request.feed_position;
        parts = request.parts.size();
        ++pushes;
        while (holds) std::this_thread::yield();
        return PushAnswer{};
    }
    Result<HeartbeatAnswer> heartbeat(const std::string&, std::uint64_t sent) override {
        return HeartbeatAnswer{1, sent - 1};
    }
    Result<std::vector<MatterReport>> matters() override { return std::vector<MatterReport>{}; }
    Result<SearchReport> search(const std::string& actor, const std::string&, const std::string& query,
                                const std::string&, std::uint64_t, std::uint64_t, bool figures) override {
        asked = actor + ":" + query + (figures ? " in figures" : "");
        return fails ? Result<SearchReport>(*fails) : SearchReport{};
    }
    Result<RecordReport> record(const std::string&, const std::string& matter, EntryIndex, Language) override {
        if (matter.empty()) return Error(Code::usage, "for which case is this?");
        return RecordReport{};
    }
    Result<ContextReport> context(const std::string&, const std::string&, EntryIndex entry,
                                  const ContextAsk&) override {
        if (fails) return *fails;
        ContextReport report;
        report.entry = entry;
        report.conversation = "<b>Raum</b>";
        report.messages.emplace_back();
        report.messages.back().text = kSecretText;
        report.outside_scope = 3;
        return report;
    }
    Result<Bytes> original(const std::string&, const std::string&, EntryIndex) override {
        return to_bytes(std::string_view("<html>raw"));
    }
    Result<audit::Report> verify() override { return audit::Report{}; }
    Result<bool> log_in(const std::string& name, const std::string& password) override {
        return name == "admin" && password == "right password";
    }

    std::optional<Error> fails;
    std::atomic<std::size_t> pushed = 0, pushes = 0, parts = 0;
    std::atomic<bool> holds = false;  // pushes wait
    std::string asked, position;
};

struct Answer {
    int status = 0;
    Poco::Net::HTTPResponse head;
    std::string body;
};

struct World {
    test::TempDir dir;
    RealFs fs;
    SystemClock clock;
    SystemRandom random;
    FakeHouse house;
    std::unique_ptr<Server> server;
    Poco::Net::Context::Ptr tls;
    std::string cookie, form_token;

    World() {
        Poco::Net::initializeSSL();
        ServerOptions options;
        options.port = 0;
        options.tls_dir = dir / "tls";
        options.max_push_bytes = 1000;
        options.max_bodies = 2000;
        server = Server::start({fs, clock, random}, house, options).value();
        Poco::Net::Context::Params params;
        params.caLocation = (dir / "tls" / "server.crt").string();
        params.verificationMode = Poco::Net::Context::VERIFY_RELAXED;
        params.loadDefaultCAs = false;
        tls = new Poco::Net::Context(Poco::Net::Context::TLS_CLIENT_USE, params);
    }
    Answer ask(const std::string& method, const std::string& path, const std::string& body = "",
               const std::map<std::string, std::string>& headers = {}) {
        Poco::Net::HTTPSClientSession session("127.0.0.1", server->port(), tls);
        Poco::Net::HTTPRequest request(method, path, Poco::Net::HTTPMessage::HTTP_1_1);
        if (!cookie.empty()) request.set("Cookie", cookie);
        for (const auto& [name, value] : headers) request.set(name, value);
        if (method == "POST") request.setContentLength64(static_cast<Poco::Int64>(body.size()));
        session.sendRequest(request) << body;
        Answer answer;
        std::istream& in = session.receiveResponse(answer.head);
        answer.body.assign(std::istreambuf_iterator<char>(in), {});
        answer.status = answer.head.getStatus();
        return answer;
    }
    Answer push(const std::string& body, const std::string& token = "good", const std::string& source = "live",
                const std::string& type = "application/x-ndjson") {
        return ask("POST", "/api/v1/ingest/" + source, body,
                   {{"Authorization", "Bearer " + token}, {"Content-Type", type}, {"Feed-Position", "p7"}});
    }
    Answer form(const std::string& path, const std::string& fields) {
        return ask("POST", path, "form_token=" + form_token + "&" + fields,
                   {{"Content-Type", "application/x-www-form-urlencoded"}});
    }
    void log_in() {
        const Answer answer = form("/login", "name=admin&password=right+password");
        REQUIRE(answer.status == 303);
        cookie = answer.head.get("Set-Cookie");
        cookie = cookie.substr(0, cookie.find(';'));
        const std::string page = ask("GET", "/search").body;
        const std::string mark = "name=\"form_token\" value=\"";
        const std::size_t at = page.find(mark);
        REQUIRE(at != std::string::npos);
        form_token = page.substr(at + mark.size(), 43);
    }
};

}  // namespace

TEST_CASE("a push is taken with token, type and size in order, and refused otherwise with a reason and no echo") {
    World w;
    CHECK(w.push("{}\n").status == 200);
    CHECK(w.house.pushed == 3);
    CHECK(w.house.position == "p7");
    struct {
        std::string body, token, source, type;
        int status;
    } const refused[] = {{"{}", "bad", "live", "application/x-ndjson", 403},
                         {"{}", "good", "other", "application/x-ndjson", 403},
                         {"{}", "good", "live", "text/plain", 415},
                         {kSecretText + std::string(1000, 'x'), "good", "live", "application/x-ndjson", 413}};
    for (const auto& r : refused) {
        const Answer answer = w.push(r.body, r.token, r.source, r.type);
        CHECK(answer.status == r.status);
        CHECK(answer.body.find("\"error\"") != std::string::npos);
        CHECK(answer.body.find(kSecretText) == std::string::npos);
    }
    CHECK(w.ask("POST", "/api/v1/ingest/live", "{}").status == 401);
    CHECK(w.ask("GET", "/api/v1/ingest/live").status == 405);
    CHECK(w.ask("POST", "/api/v1/ingest/").status == 404);
    CHECK(w.house.pushes == 1);
}

TEST_CASE("a push may bring parts, and one that is cut off is refused") {
    World w;
    const std::string body =
        "--edge\r\nContent-Disposition: form-data; name=\"messages\"\r\n\r\n{}\n\r\n"
        "--edge\r\nContent-Disposition: form-data; name=\"plan\"\r\n\r\ncontent\r\n--edge--\r\n";
    const std::string type = "multipart/form-data; boundary=edge";
    CHECK(w.push(body, "good", "live", type).status == 200);
    CHECK(w.house.pushed == 3);
    CHECK(w.house.parts == 1);
    CHECK(w.push(body.substr(0, body.size() - 6), "good", "live", type).status == 400);
    CHECK(w.house.pushes == 1);
}

TEST_CASE("one source's pushes can't take the places of all, nor all pushes those of people") {
    World w;
    w.house.holds = true;
    std::atomic<int> taken = 0, refused = 0;
    std::vector<std::thread> senders;
    const auto send = [&](const std::string& source, int number) {
        for (int i = 0; i < number; ++i)
            senders.emplace_back([&w, &taken, &refused, source] {
                const Answer answer = w.push("{}\n", "good", source);
                ++(answer.status == 200 ? taken : refused);
                if (answer.status != 200) CHECK(std::stoi(answer.head.get("Retry-After")) >= 1);
            });
    };
    const auto wait = [](const auto& condition) {
        for (int i = 0; i < 6000 && !condition(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
        REQUIRE(condition());
    };
    send("live", 10);  // of sixteen threads a source has eight
    wait([&] { return w.house.pushes == 8 && refused == 2; });
    send("second", 6);  // and all pushes twelve
    wait([&] { return w.house.pushes == 12 && refused == 4; });
    CHECK(w.ask("GET", "/login").status == 200);
    w.house.holds = false;
    for (std::thread& sender : senders) sender.join();
    CHECK(taken == 12);
    CHECK(w.push("{}\n").status == 200);  // the places are given back
}

TEST_CASE("a house that can't take anything now is asked again later") {
    World w;
    for (const Code code : {Code::overloaded, Code::read_only, Code::environment}) {
        w.house.fails = Error(code, "not now");
        const Answer answer = w.push("{}");
        CHECK(answer.status == 503);
        CHECK(std::stoi(answer.head.get("Retry-After")) > 0);
    }
}

TEST_CASE("what is not a page, or not a method, is refused") {
    World w;
    w.log_in();
    CHECK(w.ask("GET", "/nothing").status == 404);
    CHECK(w.ask("GET", "/record/x?matter=M1").status == 404);
    CHECK(w.ask("GET", "/record/18446744073709551616?matter=M1").status == 404);
    CHECK(w.ask("GET", "/../../etc/passwd").status == 404);
    CHECK(w.ask("DELETE", "/status").status == 405);
    CHECK(w.ask("PUT", "/api/v1/ingest/live").status == 405);
    CHECK(w.ask("GET", "/record/7").status == 400);
    // What stood around it is opened for who asks for it, and for nobody else.
    CHECK(w.ask("GET", "/record/7?matter=M1").body.find(kSecretText) == std::string::npos);
    const std::string around = w.ask("GET", "/record/7?matter=M1&context=5").body;
    CHECK(around.find(kSecretText) != std::string::npos);
    CHECK(around.find("&lt;b&gt;Raum") != std::string::npos);
    CHECK(around.find("3 ") != std::string::npos);
}

TEST_CASE("every page needs a login, says so without telling more, and is not kept by the browser") {
    World w;
    for (const char* path : {"/", "/status", "/search", "/verify", "/record/1", "/record/1/original", "/nothing"}) {
        const Answer answer = w.ask("GET", path);
        CHECK(answer.status == 303);
        CHECK(answer.head.get("Location") == "/login");
    }
    CHECK(w.form("/search", "query=x").status == 303);
    w.log_in();
    for (const char* path : {"/", "/status", "/search", "/verify", "/record/1?matter=M1"}) {
        const Answer answer = w.ask("GET", path);
        CHECK(answer.status == 200);
        CHECK(answer.head.get("Cache-Control") == "no-store");
        CHECK(answer.head.get("X-Content-Type-Options") == "nosniff");
        CHECK(answer.head.get("Content-Security-Policy").find("frame-ancestors 'none'") != std::string::npos);
        CHECK(answer.head.get("Content-Security-Policy").find("script") == std::string::npos);
    }
    CHECK(w.ask("GET", "/record/1/original?matter=M1").head.get("Content-Type") == "application/octet-stream");
}

TEST_CASE("the cookie is for this host, for https, and for no script") {
    World w;
    const Answer answer = w.form("/login", "name=admin&password=right+password");
    const std::string set = answer.head.get("Set-Cookie");
    CHECK(set.rfind("__Host-", 0) == 0);
    for (const char* part : {"; Path=/", "; Secure", "; HttpOnly", "; SameSite=Strict"})
        CHECK(set.find(part) != std::string::npos);
}

TEST_CASE("a form of another page does nothing") {
    World w;
    w.log_in();
    CHECK(w.form("/search", "query=a+b%26c&matter=M1").status == 200);
    CHECK(w.house.asked == "admin:a b&c");
    const std::string good = w.form_token;
    for (const std::string& bad : std::vector<std::string>{"", "forged", good.substr(1)}) {
        w.form_token = bad;
        CHECK(w.form("/search", "query=evil&matter=M1").status == 403);
        CHECK(w.form("/verify", "").status == 403);
        CHECK(w.form("/logout", "").status == 403);
    }
    CHECK(w.house.asked == "admin:a b&c");
    w.form_token = good;
    CHECK(w.form("/logout", "").status == 303);
    CHECK(w.ask("GET", "/status").status == 303);
}

TEST_CASE("after five wrong passwords the right one waits too") {
    World w;
    for (int i = 0; i < 5; ++i) CHECK(w.form("/login", "name=admin&password=wrong").status == 401);
    const Answer answer = w.form("/login", "name=admin&password=right+password");
    CHECK(answer.status == 429);
    CHECK(answer.head.get("Retry-After") == "60");
}

TEST_CASE("an error of the house is a page with its status, not a crash") {
    World w;
    w.log_in();
    w.house.fails = Error(Code::closed, "the vault is closed");
    CHECK(w.ask("GET", "/status").status == 503);
    CHECK(w.form("/search", "query=x&matter=M1").status == 503);
    w.house.fails = Error(Code::internal, "a bug");
    CHECK(w.ask("GET", "/status").status == 500);
}

TEST_CASE("a second start keeps the certificate") {
    World w;
    const std::string before = w.server->certificate_fingerprint();
    CHECK(before.size() == 64);
    w.server.reset();
    ServerOptions options;
    options.port = 0;
    options.tls_dir = w.dir / "tls";
    w.server = Server::start({w.fs, w.clock, w.random}, w.house, options).value();
    CHECK(w.server->certificate_fingerprint() == before);
    auto second =
        Server::start({w.fs, w.clock, w.random}, w.house, {.port = w.server->port(), .tls_dir = options.tls_dir});
    REQUIRE_FALSE(second.ok());
    CHECK(second.error().code() == Code::environment);
}

TEST_CASE("what any number of connections left in the buffers that they share is gone after one call") {
    using Poco::Net::HTTPBufferAllocator;
    const std::size_t all = ServerOptions{}.threads * 6;  // as many as are in use when every thread serves somebody
    std::vector<char*> taken;
    const auto take_all = [&] {
        while (taken.size() < all) taken.push_back(HTTPBufferAllocator::allocate(HTTPBufferAllocator::BUFFER_SIZE));
    };
    const auto give_back = [&] {
        for (char* const b : taken) HTTPBufferAllocator::deallocate(b, HTTPBufferAllocator::BUFFER_SIZE);
        taken.clear();
    };
    const auto with_words = [&] {
        return std::count_if(taken.begin(), taken.end(), [](const char* b) {
            return std::string_view(b, HTTPBufferAllocator::BUFFER_SIZE).find(kSecretText) != std::string_view::npos;
        });
    };
    take_all();
    for (char* const b : taken) std::copy(kSecretText.begin(), kSecretText.end(), b);
    give_back();
    take_all();
    CHECK(with_words() == static_cast<std::ptrdiff_t>(all));  // they are kept as they are
    give_back();
    Server::wipe_buffers();
    take_all();
    CHECK(with_words() == 0);
    give_back();
}
