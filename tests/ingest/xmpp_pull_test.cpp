// Pulling XMPP archives: pages, gaps, a server that misbehaves; and what is said to a server and read of it.
#include <doctest/doctest.h>

#include <algorithm>

#include "ingest/src/xmpp_cutter.h"
#include "ingest/src/xmpp_pull.h"
#include "ingest/src/xmpp_query.h"
#include "ingest/src/xmpp_settings.h"
#include "tests/ingest/matrix_fakes.h"
#include "tests/support/temp_dir.h"

using namespace kustos;
using namespace kustos::ingest;
using vault::MessageKind;

namespace {

constexpr const char* kAnna = "anna@amt.example";

std::string stanza(const std::string& id, const std::string& body, int second = 0) {
    return "<message from='anna@amt.example' to='anna@amt.example/x'><result xmlns='urn:xmpp:mam:2' queryid='kustos' "
           "id='" +
           id + "'><forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='" +
           format_rfc3339(UtcTime{1'772'445'600'000 + second * 1'000}) +
           "'/><message xmlns='jabber:client' type='chat' from='b@x.example' to='anna@amt.example'><body>" + body +
           "</body></message></forwarded></result></message>";
}

// An archive as RFCs want it, unless a test says otherwise.
class FakeServer final : public XmppServer {
public:
    Result<XmppPage> page(const XmppQuery& query) override {
        queries.push_back(query);
        if (fails) return Error(*fails, "fails");
        if (answer) return answer(query);
        XmppPage out;
        std::size_t at = 0;
        if (!query.after.empty()) {
            while (at < ids.size() && ids[at] != query.after) ++at;
            if (at++ == ids.size()) return Error(Code::not_found, "no such id");
        }
        out.count = ids.size() - std::min(ids.size(), uncounted);
        for (; at < ids.size() && out.results.size() < query.max; ++at) {
            out.results.push_back(to_bytes(stanza(ids[at], "Text " + ids[at], static_cast<int>(at))));
            out.last = ids[at];
        }
        out.complete = query.max > 0 && at == ids.size();
        return out;
    }
    std::vector<std::string> ids;
    std::vector<XmppQuery> queries;
    std::optional<Code> fails;
    std::function<Result<XmppPage>(const XmppQuery&)> answer;
    std::size_t uncounted = 0;
};

struct Pulling {
    test::MemoryIntake intake;
    FakeServer server;
    XmppPullSettings settings;
    Status pull() {
        settings.page_size = 10;
        settings.history = true;
        XmppPull pull(settings, intake, nullptr);  // as after a restart
        return pull.archive(server, kAnna, true);
    }
    void grow(int count) {
        for (int i = 0; i < count; ++i) server.ids.push_back("id" + std::to_string(server.ids.size()));
    }
    bool found(const std::string& code) const {
        return std::any_of(intake.findings.begin(), intake.findings.end(),
                           [&](const auto& f) { return f.first.rfind(code + " ", 0) == 0; });
    }
};

Code code_of(const Status& status) {
    REQUIRE_FALSE(status.ok());
    return status.error().code();
}

}  // namespace

TEST_CASE("an archive is pulled page by page, and from where it stopped the next time") {
    Pulling p;
    p.grow(25);
    REQUIRE(p.pull().ok());
    CHECK(p.intake.messages.size() == 25);
    CHECK(p.intake.findings.empty());
    CHECK(p.intake.messages.back().format == "xmpp/mam");
    p.server.queries.clear();
    p.grow(3);
    REQUIRE(p.pull().ok());
    CHECK(p.intake.messages.size() == 28);
    CHECK(p.server.queries.front().after == "id24");
    const auto place = XmppPlace::parse(p.intake.memory.at(std::string("place/") + kAnna));
    REQUIRE(place);
    CHECK(place->id == "id27");
    CHECK(place->taken == 28);
    CHECK(place->write() == p.intake.memory.at(std::string("place/") + kAnna));
}

TEST_CASE("the place moves on only when the page is sealed") {
    Pulling p;
    p.grow(5);
    p.intake.fails = true;
    CHECK(code_of(p.pull()) == Code::read_only);
    CHECK(p.intake.memory.empty());
    p.intake.fails = false;
    p.intake.full = true;
    CHECK(code_of(p.pull()) == Code::overloaded);
    CHECK(p.server.queries.size() == 1);  // what can't be taken is not asked for
    p.intake.full = false;
    REQUIRE(p.pull().ok());
    CHECK(p.intake.messages.size() == 5);
    // A place that is lost: everything is asked for again, nothing sealed again.
    p.intake.memory.clear();
    REQUIRE(p.pull().ok());
    CHECK(p.intake.messages.size() == 5);
}

TEST_CASE("an id that the server has no more is a gap, and what is left is taken by its time") {
    Pulling p;
    p.grow(12);
    REQUIRE(p.pull().ok());
    p.grow(20);
    p.server.ids.erase(p.server.ids.begin(), p.server.ids.begin() + 15);
    REQUIRE(p.pull().ok());
    CHECK(p.intake.findings ==
          std::map<std::string, std::uint64_t>{{std::string("xmpp:gap ") + kAnna + " after id11", 1}});
    CHECK(p.intake.messages.size() == 12 + 17);
    const auto restart = std::find_if(p.server.queries.begin(), p.server.queries.end(),
                                      [](const XmppQuery& q) { return q.start.has_value(); });
    REQUIRE(restart != p.server.queries.end());
    CHECK(restart->start->ms == 1'772'445'600'000 + 11'000);
    CHECK(restart->after.empty());
}

TEST_CASE("what the server counts is promised against what was taken, each stanza once") {
    Pulling p;
    p.grow(12);
    REQUIRE(p.pull().ok());
    REQUIRE(p.intake.promises.size() == 1);
    CHECK(p.intake.promises[0].part == kAnna);
    CHECK(p.intake.promises[0].count == 12);
    CHECK(p.intake.promises[0].taken == 12);
    CHECK(p.intake.promises[0].position == "id11");
    CHECK(p.server.queries.back().max == 0);
    CHECK(p.server.queries.back().end->ms == 1'772'445'600'000 + 11'000);
    // A crash before the place was remembered: the page is taken again, and counted once.
    p.grow(3);
    const auto before = p.intake.memory;
    REQUIRE(p.pull().ok());
    p.intake.memory = before;
    REQUIRE(p.pull().ok());
    CHECK(p.intake.promises.back().taken == 15);
    CHECK(p.intake.promises.back().count == 15);
    // A server that skipped what it has.
    p.server.ids.insert(p.server.ids.begin(), {"late1", "late2"});
    p.grow(1);
    REQUIRE(p.pull().ok());
    CHECK(p.intake.promises.back().count == 18);
    CHECK(p.intake.promises.back().taken == 16);
}

TEST_CASE("without history it begins when the source began") {
    Pulling p;
    p.settings.history = false;
    XmppPull pull(p.settings, p.intake, nullptr);
    REQUIRE(pull.archive(p.server, kAnna, true).ok());
    CHECK(p.server.queries.front().start->ms == p.intake.clock.now().ms / 1000 * 1000);
    CHECK(p.intake.memory.count("since") == 1);
}

TEST_CASE("an archive that is refused is a finding until it is given, and no error") {
    Pulling p;
    for (const Code code : {Code::denied, Code::not_found}) {
        p.server.fails = code;
        REQUIRE(p.pull().ok());
        CHECK(p.found("xmpp:no-access"));
        p.server.fails.reset();
        REQUIRE(p.pull().ok());
        CHECK_FALSE(p.found("xmpp:no-access"));
    }
    p.server.fails = Code::environment;
    CHECK(code_of(p.pull()) == Code::environment);
}

TEST_CASE("a hostile archive ends in an error and a finding: circles, repeats, contradictions, more than it counts") {
    const auto page = [](const std::vector<std::string>& ids, bool complete = false) {
        XmppPage out;
        for (const std::string& id : ids) out.results.push_back(to_bytes(stanza(id, "x" + id)));
        if (!ids.empty()) out.last = ids.back();
        out.complete = complete;
        return out;
    };
    int asked = 0;
    const std::vector<std::function<Result<XmppPage>(const XmppQuery&)>> hostile = {
        [&](const XmppQuery&) { return page({"same"}); },
        [&](const XmppQuery&) {
            return page({"a", "a"});
        },
        [&](const XmppQuery&) { return page({}); },
        [&](const XmppQuery&) {
            XmppPage out = page({"a"});
            out.last = "b";
            return out;
        },
        [&](const XmppQuery&) { return page({"circle" + std::to_string(++asked % 7)}); },
        [&](const XmppQuery&) {  // endless, though it says that it has three
            XmppPage out = page({"endless" + std::to_string(++asked)});
            out.count = 3;
            return out;
        }};
    for (const auto& answer : hostile) {
        Pulling p;
        p.server.answer = answer;
        CHECK(code_of(p.pull()) == Code::bad_input);
        CHECK(p.found("xmpp:bad-archive"));
        CHECK(p.server.queries.size() < 100);
        p.server.answer = nullptr;
        p.intake.memory.clear();
        p.grow(1);
        REQUIRE(p.pull().ok());
        CHECK_FALSE(p.found("xmpp:bad-archive"));
    }
    // Without a count it is pulled a bounded way each round; nothing of it is held.
    Pulling p;
    p.server.answer = [&](const XmppQuery&) { return page({"more" + std::to_string(++asked)}); };
    REQUIRE(p.pull().ok());
    CHECK(p.server.queries.size() == XmppPull::kPages);
}

TEST_CASE("a stanza that can't be read is sealed as it came, and the rest of its page is read") {
    Pulling p;
    bool given = false;
    p.server.answer = [&](const XmppQuery&) {
        XmppPage out;
        out.complete = true;
        if (std::exchange(given, true)) return out;
        out.results = {to_bytes("<message><result xmlns='urn:xmpp:mam:2' id='a'/></message>"),
                       to_bytes(stanza("b", "x"))};
        out.last = "b";
        out.foreign = 2;
        return out;
    };
    REQUIRE(p.pull().ok());
    REQUIRE(p.intake.messages.size() == 2);
    CHECK(p.intake.messages[0].kind == MessageKind::unreadable);
    CHECK(p.found("xmpp:foreign-result"));
}

TEST_CASE("a question to an archive says what is meant, and escapes what is foreign") {
    XmppQuery query;
    query.archive = "bau@konferenz.amt.example";
    query.after = "a'<&";
    query.start = UtcTime{1'772'445'600'000};
    query.max = 7;
    const std::string text = write_xmpp_query(query, "k1");
    const XmlTree tree = read_xml(text);
    REQUIRE(tree.root);
    CHECK(tree.root->attribute("to") == "bau@konferenz.amt.example");
    const XmlElement* asked = tree.root->child("query", "urn:xmpp:mam:2");
    REQUIRE(asked);
    const XmlElement* set = asked->child("set", "http://jabber.org/protocol/rsm");
    REQUIRE(set);
    CHECK(set->child("after", set->space)->text == "a'<&");
    CHECK(set->child("max", set->space)->text == "7");
    CHECK(text.find("2026-03-02T10:00:00Z") != std::string::npos);
    query.own = true;
    CHECK(write_xmpp_query(query, "k1").find(" to=") == std::string::npos);
}

TEST_CASE("an answer is taken from the archive that was asked, and from nobody else") {
    XmppQuery query;
    query.archive = kAnna;
    query.own = true;
    query.max = 2;
    XmppAnswer answer(query, "k1", kAnna);
    const std::string fin =
        "<iq type='result' id='k1'><fin xmlns='urn:xmpp:mam:2' complete='true'><set "
        "xmlns='http://jabber.org/protocol/rsm'>"
        "<first>a</first><last>b</last><count>9</count></set></fin></iq>";
    CHECK_FALSE(answer.take(stanza("a", "x")).value());
    std::string forged = stanza("f", "forged");
    forged.replace(forged.find("from='anna@"), 11, "from='evil@");
    CHECK_FALSE(answer.take(forged).value());
    std::string other = fin;
    other.replace(other.find("id='k1'"), 7, "id='k1' from='evil@x.example'");
    CHECK_FALSE(answer.take(other).value());
    CHECK_FALSE(answer.take("<message from='anna@amt.example'><body>no result</body></message>").value());
    CHECK_FALSE(answer.take(stanza("b", "x")).value());
    CHECK(answer.take(fin).value());
    CHECK(answer.page().results.size() == 2);
    CHECK(answer.page().foreign == 1);
    CHECK(answer.page().complete);
    CHECK(answer.page().last == "b");
    CHECK(answer.page().count == 9);
    CHECK(answer.take(stanza("c", "one more than was asked for")).error().code() == Code::limit);
}

TEST_CASE("errors of a server mean: not there, not for us, later") {
    const auto code = [](const std::string& condition) {
        XmppQuery query;
        query.archive = "bau@konferenz.amt.example";
        XmppAnswer answer(query, "k1", kAnna);
        return answer
            .take("<iq type='error' id='k1' from='bau@konferenz.amt.example'><error type='cancel'><" + condition +
                  " xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>")
            .error()
            .code();
    };
    CHECK(code("item-not-found") == Code::not_found);
    CHECK(code("forbidden") == Code::denied);
    CHECK(code("service-unavailable") == Code::denied);
    CHECK(code("resource-constraint") == Code::environment);
}

TEST_CASE("a stream of XMPP is cut into its stanzas byte for byte, however it comes") {
    const std::string header = "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>";
    const std::string first = "<stream:features><a/></stream:features>",
                      second = "<message a='>'><body>x &lt; y</body></message>";
    const std::string declaration = "<?xml version='1.0'?>";
    const std::string text =
        declaration + "\n" + header + first + " \n" + declaration + header + second + "<iq/>" + "</stream:stream>";
    for (const std::size_t step : {std::size_t{1}, std::size_t{7}, text.size()}) {
        XmppCutter cutter;
        std::vector<std::string> got, names;
        for (std::size_t at = 0; at < text.size(); at += step) {
            cutter.feed(std::string_view(text).substr(at, step));
            for (auto piece = cutter.next(); piece.ok() && *piece; piece = cutter.next()) {
                got.push_back((*piece)->bytes);
                names.push_back((*piece)->name);
            }
        }
        REQUIRE(got.size() == 6);
        CHECK(got[0] == header);
        CHECK(got[1] == first);
        CHECK(names[1] == "features");
        CHECK(got[2] == header);
        CHECK(got[3] == second);
        CHECK(names[4] == "iq");
        CHECK(got[5] == "</stream:stream>");
    }
}

TEST_CASE("what XMPP does not allow, and what is too much, ends a stream before any parser sees it") {
    const std::string header = "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>";
    const auto code = [&](const std::string& text) {
        XmppCutter cutter;
        cutter.feed(text);
        for (;;) {
            const auto piece = cutter.next();
            if (!piece.ok()) return piece.error().code();
            REQUIRE(*piece);
        }
    };
    CHECK(code("<!DOCTYPE x [<!ENTITY a 'b'>]>" + header) == Code::bad_input);
    CHECK(code(header + "<message><!ENTITY a 'b'></message>") == Code::bad_input);
    CHECK(code(header + "<message><!-- x --></message>") == Code::bad_input);
    CHECK(code(header + "<message><?php x?></message>") == Code::bad_input);
    CHECK(code(header + "text") == Code::bad_input);
    CHECK(code("<message/>") == Code::bad_input);
    CHECK(code("</a>") == Code::bad_input);
    CHECK(code(header + "<<") == Code::bad_input);
    CHECK(code(header + "<message><body>" + std::string(70'000, 'x')) == Code::limit);
    CHECK(code(header + "<message a='" + std::string(70'000, 'x')) == Code::limit);
    std::string deep;
    for (int i = 0; i < 1'000; ++i) deep += "<a>";
    CHECK(code(header + deep) == Code::limit);
}

TEST_CASE("the settings of an XMPP stream are checked, and passwords never lie in the archive") {
    test::TempDir folder;
    RealFs fs;
    const Path archive = folder.path() / "archive", secrets = folder.path() / "secrets";
    for (const Path& path : {archive / "sources", secrets}) REQUIRE(fs.make_dirs(path).ok());
    const auto put = [&](const Path& path, std::string_view text) {
        REQUIRE(replace_file(fs, path, as_bytes(text)).ok());
        std::filesystem::permissions(path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    };
    put(secrets / "password", "geheim\n");
    put(secrets / "accounts", "# others\n\nbert@amt.example mit leer zeichen\n");
    put(archive / "sources" / "password", "geheim\n");
    const auto read = [&](const std::string& yaml) {
        StreamSettings settings;
        settings.folder = archive / "sources";
        settings.config = Config::parse(yaml, find_stream_kind("xmpp")->keys).value();
        return read_xmpp_settings(settings, fs);
    };
    const std::string jid = "jid: archiv@amt.example\n",
                      password = "password_file: " + (secrets / "password").string() + "\n";
    const auto good =
        read(jid + password + "accounts_file: " + (secrets / "accounts").string() + "\nrooms: [bau@k.amt.example]\n");
    REQUIRE(good.ok());
    CHECK(good->server.host == "amt.example");
    CHECK(good->server.port == 5222);
    REQUIRE(good->logins.size() == 2);
    CHECK(good->logins[1].jid == "bert@amt.example");
    CHECK(to_text(good->logins[1].password.view()) == "mit leer zeichen");
    CHECK(good->pull.own_domain == "amt.example");
    for (const std::string& bad : {std::string(""), jid, "jid: archiv\n" + password, jid + "password_file: password\n",
                                   jid + "password_file: " + (archive / "sources" / "password").string() + "\n",
                                   jid + password + "tls: none\n", jid + password + "own_archives: no\n",
                                   jid + password + "rooms: [bau]\n", jid + password + "page_size: 0\n"}) {
        CAPTURE(bad);
        const auto refused = read(bad);
        REQUIRE_FALSE(refused.ok());
        CHECK(refused.error().code() == Code::usage);
        CHECK(refused.error().message().find("geheim") == std::string::npos);
    }
    CHECK_FALSE(parse_xmpp_accounts("bert@amt.example\n").ok());
    CHECK(Config::parse(find_stream_kind("xmpp")->settings, find_stream_kind("xmpp")->keys).ok());
}

TEST_CASE("links of files lead to the hosts that are named, or nowhere") {
    const auto link = HttpsLink::parse("https://Upload.Amt.example:5281/a/b%20c?x=1#frag");
    REQUIRE(link);
    CHECK(link->host == "upload.amt.example");
    CHECK(link->port == 5281);
    CHECK(link->target == "/a/b%20c?x=1");
    CHECK(HttpsLink::parse("https://a.example")->target == "/");
    for (const char* bad : {"http://a.example/", "https://", "https://a.example:0/", "https://a.example:70000/",
                            "https://user@a.example/", "https://[::1]/", "https://a_b/", "file:///etc/passwd"})
        CHECK_FALSE(HttpsLink::parse(bad));
    test::MemoryIntake intake;
    XmppFiles files({"upload.amt.example"}, "");
    vault::Attachment into;
    for (const char* elsewhere :
         {"https://upload.amt.example.evil.example/x", "https://127.0.0.1/x", "https://upload.amt.example:444/x"}) {
        const auto fetched = files.fetch({0, elsewhere, false}, into, intake);
        REQUIRE(fetched.ok());
        CHECK_FALSE(*fetched);
    }
}
