// A mailbox read over IMAP: what is sealed, what is found missing, what is never believed.
#include <doctest/doctest.h>

#include <algorithm>

#include "ingest/src/imap_clearing.h"
#include "ingest/src/imap_settings.h"
#include "tests/ingest/fake_imap.h"
#include "tests/ingest/matrix_fakes.h"
#include "tests/support/temp_dir.h"

using namespace kustos;
using namespace kustos::ingest;

namespace {

std::string mail(int number) {
    return "From: a@x.example\r\nTo: b@x.example\r\nMessage-ID: <" + std::to_string(number) +
           "@x.example>\r\n\r\nText " + std::to_string(number) + "\r\n";
}

// What stands in the memory's intake, and lets itself be asked for proofs.
class ProvingIntake final : public Intake {
public:
    Status room() const override { return under.room(); }
    Result<std::vector<Taken>> take(std::vector<ParsedItem> items) override {
        std::vector<bool> unreadable;
        for (const ParsedItem& item : items) unreadable.push_back(item.message.kind == vault::MessageKind::unreadable);
        auto out = TRY(under.take(std::move(items)));
        for (std::size_t i = 0; i < out.size(); ++i) {
            out[i].entry = EntryIndex(++entries);
            out[i].quarantined = unreadable[i];
        }
        return out;
    }
    Status finding(std::string_view code, std::uint64_t count, std::string_view about) override {
        return under.finding(code, count, about);
    }
    Status resolve(std::string_view code, std::string_view about) override { return under.resolve(code, about); }
    Status promise(const Promise& promise) override {
        promises.push_back(promise);
        return {};
    }
    Result<std::vector<Proof>> prove(const std::vector<EntryIndex>& asked) override {
        std::vector<Proof> out;
        for (const EntryIndex entry : asked) out.push_back(entry.value == bad_entry ? Proof::failed : proof);
        return out;
    }
    Status clearing(std::uint64_t count, std::string_view, std::string_view what) override {
        if (no_entries) return Error(Code::read_only, "the writer has ended");
        cleared += count;
        said.emplace_back(what);
        return {};
    }
    Status heard() override { return under.heard(); }
    Result<std::optional<std::string>> recall(std::string_view name) override { return under.recall(name); }
    Status remember(std::string_view name, std::string_view value) override { return under.remember(name, value); }
    Status forget(std::string_view name) override { return under.forget(name); }
    Result<std::unique_ptr<Extractor>> sandbox() override { return under.sandbox(); }
    Limits limits() const override { return under.limits(); }
    Path spool_folder() const override { return under.spool_folder(); }
    const Environment& environment() const override { return under.environment(); }
    bool stopping() const override { return false; }

    test::MemoryIntake under;
    std::vector<Promise> promises;
    Proof proof = Proof::not_yet;
    std::uint64_t bad_entry = 0, cleared = 0, entries = 0;
    bool no_entries = false;
    std::vector<std::string> said;
};

struct Door {
    Status look() {
        server.connect();
        ImapClient client(server, limits, [] { return false; });
        TRY(client.ask_capabilities());
        TRY(taking.round(client, "INBOX"));
        return clears ? clearing.round(client, "INBOX") : ok_status();
    }
    std::uint64_t found(const std::string& code) const {
        std::uint64_t out = 0;
        for (const auto& [what, count] : intake.under.findings)
            if (what.rfind(code + " ", 0) == 0) out += count;
        return out;
    }
    std::size_t sealed() const { return intake.under.messages.size(); }

    test::FakeImap server;
    ProvingIntake intake;
    ImapLimits limits{50, 4096, 1 << 20, 100};
    bool clears = false;
    ImapTaking taking{{3, 1 << 20, true}, intake};
    ImapClearing clearing{{}, intake};
};

bool has_note(const vault::Message& message, std::string_view note) {
    return std::find(message.notes.begin(), message.notes.end(), note) != message.notes.end();
}

}  // namespace

TEST_CASE("every mail of a mailbox is sealed to the byte, once, and later rounds take what is new") {
    Door door;
    for (int n = 0; n < 10; ++n) door.server.append(mail(n));
    for (const std::size_t step : {std::size_t{1}, std::size_t{7}, std::size_t{1000}}) {
        door.server.step = step;
        REQUIRE(door.look().ok());
        CHECK(door.sealed() == 10);
    }
    CHECK(as_text(door.intake.under.messages[3].raw) == mail(3));
    CHECK(door.intake.under.messages[3].feed_position == "7:4");
    CHECK(has_note(door.intake.under.messages[3], "folder:INBOX"));
    door.server.append(mail(10));
    REQUIRE(door.look().ok());
    CHECK(door.sealed() == 11);
    CHECK(door.intake.under.findings.empty());
    CHECK(door.intake.promises.back().count == 11);
    CHECK(door.intake.promises.back().taken == 11);
}

TEST_CASE("nothing is asked that sets a flag") {
    Door door;
    door.server.append(mail(1));
    REQUIRE(door.look().ok());
    for (const std::string& command : door.server.commands) {
        CHECK(command.find("SELECT") == std::string::npos);
        CHECK(command.find("STORE") == std::string::npos);
        if (command.find("BODY") != std::string::npos) CHECK(command.find("BODY.PEEK[]") != std::string::npos);
    }
}

TEST_CASE("numbers that were given out and have no mail are a finding, and those from before the first look are not") {
    Door door;
    for (int n = 0; n < 6; ++n) door.server.append(mail(n));
    door.server.mails.erase(2);
    REQUIRE(door.look().ok());
    CHECK(door.intake.under.findings.empty());
    for (int n = 6; n < 12; ++n) door.server.append(mail(n));
    door.server.mails.erase(8);
    door.server.mails.erase(9);
    door.server.mails.erase(12);
    REQUIRE(door.look().ok());
    CHECK(door.found("imap:uid-gap") == 3);
    CHECK(door.sealed() == 8);
    REQUIRE(door.look().ok());
    CHECK(door.found("imap:uid-gap") == 3);
}

TEST_CASE("a mailbox that is numbered anew is read anew, seals nothing twice, and is no finding") {
    Door door;
    for (int n = 0; n < 5; ++n) door.server.append(mail(n));
    REQUIRE(door.look().ok());
    door.server.validity = 8;
    door.server.mails.clear();
    door.server.next = 100;
    for (int n = 0; n < 6; ++n) door.server.append(mail(n));
    REQUIRE(door.look().ok());
    CHECK(door.sealed() == 6);
    CHECK(door.intake.under.findings.empty());
    CHECK(has_note(door.intake.under.messages[5], "imap:numbered-anew"));
    door.server.append(mail(6));
    REQUIRE(door.look().ok());
    CHECK_FALSE(has_note(door.intake.under.messages[6], "imap:numbered-anew"));
}

TEST_CASE("a mailbox that counts backwards is a finding, and is read anew") {
    Door door;
    for (int n = 0; n < 5; ++n) door.server.append(mail(n));
    REQUIRE(door.look().ok());
    door.server.mails.erase(4);
    door.server.mails.erase(5);
    door.server.next = 4;
    door.server.append(mail(77));
    REQUIRE(door.look().ok());
    CHECK(door.found("imap:uidnext-back") == 1);
    CHECK(door.sealed() == 6);
}

TEST_CASE("a server that names no UIDNEXT is read all the same") {
    Door door;
    door.server.says_next = false;
    for (int n = 0; n < 4; ++n) door.server.append(mail(n));
    REQUIRE(door.look().ok());
    for (int n = 4; n < 8; ++n) door.server.append(mail(n));
    door.server.mails.erase(6);
    REQUIRE(door.look().ok());
    CHECK(door.sealed() == 7);
    CHECK(door.found("imap:uid-gap") == 1);
}

TEST_CASE("a mail that vanishes between search and fetch is found; one that is held back is asked for again") {
    Door door;
    for (int n = 0; n < 4; ++n) door.server.append(mail(n));
    door.server.lie = [&](const std::string& verb, std::string answer) {
        if (verb == "UID SEARCH" && door.server.mails.count(2) != 0) door.server.mails.erase(2);
        return answer;
    };
    REQUIRE(door.look().ok());
    CHECK(door.found("imap:vanished") == 1);
    CHECK(door.sealed() == 3);
    door.server.append(mail(4));
    door.server.lie = [](const std::string& verb, std::string answer) { return verb == "UID FETCH" ? "" : answer; };
    REQUIRE(door.look().ok());
    CHECK(door.found("imap:not-given") == 1);
    CHECK(door.intake.promises.back().count == 4);
    CHECK(door.intake.promises.back().taken == 3);
    door.server.lie = {};
    REQUIRE(door.look().ok());
    CHECK(door.found("imap:not-given") == 0);
    CHECK(door.sealed() == 4);
    CHECK(door.intake.promises.back().taken == 4);
}

TEST_CASE("a mail above the limit stays where it is, is found, and holds nothing up") {
    Door door;
    door.server.append(mail(0));
    door.server.append(mail(1) + std::string(2 << 20, 'x'));
    door.server.append(mail(2));
    int looks = 0;
    while (!door.look().ok() && looks < 10) ++looks;
    CHECK(looks == 2);
    CHECK(door.sealed() == 2);
    CHECK(door.found("imap:too-large") == 1);
}

TEST_CASE("the place moves only behind what is sealed") {
    Door door;
    for (int n = 0; n < 9; ++n) door.server.append(mail(n));
    door.intake.under.fails = true;
    CHECK_FALSE(door.look().ok());
    door.intake.under.fails = false;
    REQUIRE(door.look().ok());
    CHECK(door.sealed() == 9);
    Door broken;
    for (int n = 0; n < 9; ++n) broken.server.append(mail(n));
    int fetches = 0;
    broken.server.lie_whole = [&](const std::string& verb, std::string answer) {
        return verb == "UID FETCH" && ++fetches == 2 ? answer.substr(0, answer.size() * 2 / 3) : answer;
    };
    CHECK_FALSE(broken.look().ok());
    CHECK(broken.sealed() > 3);
    REQUIRE(broken.look().ok());
    CHECK(broken.sealed() == 9);
    CHECK(broken.intake.under.findings.empty());
}

TEST_CASE("a mail may come as a quoted string, and an empty one holds nothing up") {
    Door door;
    door.server.append("a");
    door.server.append("");
    door.server.append(mail(1));
    door.server.lie = [](const std::string& verb, std::string answer) {
        const std::size_t at = answer.find("BODY[] {1}\r\na");
        return verb == "UID FETCH" && at != std::string::npos ? answer.replace(at, 13, "BODY[] \"a\\\"\"") : answer;
    };
    REQUIRE(door.look().ok());
    REQUIRE(door.sealed() == 3);
    CHECK(as_text(door.intake.under.messages[0].raw) == "a\"");
    CHECK(door.intake.under.findings.empty());
}

TEST_CASE("hostile servers end with an error, in bounds") {
    const auto first_error = [](const std::function<void(test::FakeImap&)>& make) {
        Door door;
        for (int n = 0; n < 3; ++n) door.server.append(mail(n));
        make(door.server);
        const Status done = door.look();
        return done.ok() ? std::string("none") : done.error().message();
    };
    const auto on = [](const char* when, std::string what) {
        return [=](const std::string& verb, std::string answer) { return verb == when ? what : answer; };
    };
    CHECK(first_error([&](auto& s) { s.lie = on("UID FETCH", "* 1 FETCH (UID 9 BODY[] {1}\r\nx)\r\n"); }) ==
          "the mail server's answer brings a mail that nobody asked for");
    CHECK(first_error([&](auto& s) { s.lie = on("UID FETCH", "* 1 FETCH (BODY[] {1}\r\nx)\r\n"); }) ==
          "the mail server's answer brings a mail that nobody asked for");
    const std::string one = "* 1 FETCH (UID 1 BODY[] {1}\r\nx)\r\n";
    CHECK(first_error([&](auto& s) { s.lie = on("UID FETCH", one + one); }) ==
          "the mail server's answer brings a mail twice");
    CHECK(first_error([&](auto& s) { s.lie = on("UID SEARCH", "* SEARCH 1 2 4000000000\r\n"); }) ==
          "the mail server's answer names mails that nobody asked for");
    CHECK(first_error([&](auto& s) { s.lie = on("UID SEARCH", "* SEARCH 99999999999999\r\n"); }) ==
          "the mail server's answer can't be read");
    CHECK(first_error([&](auto& s) { s.lie = on("EXAMINE", "* 3 EXISTS\r\n"); }) ==
          "the mail server keeps no UIDVALIDITY for a mailbox");
    // A literal that says more than comes swallows the answer's end, and then there is silence.
    CHECK(first_error([&](auto& s) {
              s.hangs_up = false;
              s.lie = on("UID FETCH", "* 1 FETCH (UID 1 BODY[] {9000}\r\nx)\r\n");
          }) == "the mail server did not answer in time");
    CHECK(first_error([&](auto& s) {
              s.lie_whole = [](const std::string& verb, std::string a) { return verb == "EXAMINE" ? "" : a; };
              s.endless = [] { return std::string(100'000, 'x'); };
          }) == "the mail server's answer has a line without an end");
    CHECK(first_error([&](auto& s) {
              s.lie_whole = [](const std::string& verb, std::string a) { return verb == "EXAMINE" ? "" : a; };
              s.endless = [] { return std::string("* OK still here\r\n"); };
          }) == "the mail server answers without end");
    CHECK(first_error([&](auto& s) {
              s.lie = on("UID FETCH", "* 1 FETCH (UID 1 ENVELOPE {5000}\r\n" + std::string(5000, 'x') + ")\r\n");
          }) == "the mail server's answer is too large");
    CHECK(first_error([&](auto& s) { s.capabilities = "POP3"; }) == "the mail server speaks no IMAP4rev1");
    CHECK(first_error([&](auto& s) { s.lie = on("UID SEARCH", "* BYE good night\r\n"); }) ==
          "the mail server ended the connection");
}

TEST_CASE("a server that counts other mails than it shows is found") {
    Door door;
    for (int n = 0; n < 3; ++n) door.server.append(mail(n));
    door.server.lie = [](const std::string& verb, std::string answer) {
        return verb == "EXAMINE" ? "* 5 EXISTS\r\n* OK [UIDVALIDITY 7] v\r\n* OK [UIDNEXT 4] n\r\n" : answer;
    };
    REQUIRE(door.look().ok());
    CHECK(door.found("imap:exists-differs") == 2);
}

TEST_CASE("mails are taken out only when they are proven sealed, behind an entry, and these alone") {
    Door door;
    door.clears = true;
    for (int n = 0; n < 5; ++n) door.server.append(mail(n));
    REQUIRE(door.look().ok());
    CHECK(door.server.mails.size() == 5);  // no checkpoint covers them yet
    door.intake.proof = Proof::proven;
    door.intake.bad_entry = 2;
    door.intake.no_entries = true;
    CHECK_FALSE(door.look().ok());
    CHECK(door.server.mails.size() == 5);
    door.intake.no_entries = false;
    REQUIRE(door.look().ok());
    REQUIRE(door.server.mails.size() == 1);
    CHECK(door.server.mails.begin()->first == 2);
    CHECK(door.found("imap:not-proven") == 1);
    CHECK(door.intake.cleared == 4);
    CHECK(door.intake.said.front() == "UIDVALIDITY 7 UID 1,3");
    REQUIRE(door.look().ok());
    CHECK(door.intake.cleared == 4);
    CHECK(door.found("imap:uid-gap") == 0);
}

TEST_CASE("a server that can't delete single mails keeps them all, and so does another numbering") {
    Door door;
    door.clears = true;
    door.intake.proof = Proof::proven;
    door.server.capabilities = "IMAP4rev1";
    door.server.append(mail(1));
    CHECK(door.look().error().message() == "the mail server can't delete single mails (no UIDPLUS)");
    CHECK(door.server.mails.size() == 1);
    CHECK(door.intake.cleared == 0);
    Door other;
    other.server.append(mail(1));
    REQUIRE(other.look().ok());
    other.intake.proof = Proof::proven;
    other.clears = true;
    other.server.validity = 9;
    other.server.mails[1] = mail(2);  // another mail under the number of one that is proven
    REQUIRE(other.look().ok());
    CHECK(other.sealed() == 2);
    CHECK(other.intake.said == std::vector<std::string>{"UIDVALIDITY 9 UID 1"});
}

TEST_CASE("what could not be read stays in the mailbox") {
    Door door;
    door.clears = true;
    door.intake.proof = Proof::proven;
    door.server.append(std::string("\0\1\2", 3));
    door.server.append(mail(1));
    REQUIRE(door.look().ok());
    CHECK(door.sealed() == 2);
    CHECK(door.server.mails.size() == 1);
    CHECK(door.server.mails.count(1) == 1);
}

TEST_CASE("names of mailboxes go over the wire in modified UTF-7, and sets of numbers short") {
    CHECK(imap_mailbox("INBOX") == "\"INBOX\"");
    CHECK(imap_mailbox("Entw\xC3\xBCrfe & \"alt\"") == "\"Entw&APw-rfe &- \\\"alt\\\"\"");
    CHECK(imap_mailbox("\xE5\x8F\xB0\xE5\x8C\x97") == "\"&U,BTFw-\"");
    CHECK(imap_mailbox("\xF0\x9F\x98\x80") == "\"&2D3eAA-\"");
    CHECK(imap_set({1, 2, 3, 7, 9, 10}) == "1:3,7,9:10");
}

TEST_CASE("settings of a mailbox are checked, and its password lies neither open nor in the archive") {
    const test::TempDir dir;
    RealFs fs;
    const Path sources = dir.path() / "archive" / "sources";
    REQUIRE(fs.make_dirs(sources).ok());
    const auto read = [&](const std::string& yaml) {
        StreamSettings settings;
        settings.folder = sources;
        settings.config = *Config::parse(yaml, find_stream_kind("imap")->keys);
        return std::pair(read_imap_settings(settings), settings);
    };
    const auto why = [&](const std::string& yaml) {
        const auto [got, settings] = read(yaml);
        return got.ok() ? std::string() : got.error().message();
    };
    const std::string good = "server: mail.amt.example\nuser: journal\npassword_file: ../../secret\n";
    CHECK(why(good) == "");
    CHECK(read(good).first->server.port == 993);
    CHECK(read(good).first->mailboxes == std::vector<std::string>{"INBOX"});
    CHECK_FALSE(read(good).first->clearing.has_value());
    CHECK(why(good + "tls: none\n") == "tls is implicit or starttls; none for a server on this machine alone");
    CHECK(why(good + "token_file: x\n") == "password_file or token_file is needed, one of the two");
    CHECK(why("server: \"mail.example/..\"\n") == "server is a host's name or address");
    CHECK(why(good + "after_proof: purge\n") == "after_proof is keep, delete or move");
    CHECK(why(good + "after_proof: move\n") == "move_to belongs to after_proof: move");
    CHECK(why(good + "after_proof: move\nmove_to: INBOX\n") == "move_to is a mailbox that is not read");
    CHECK(read(good + "after_proof: move\nmove_to: Archiv\n").first->clearing->keep_ms == 7 * 24 * 3600 * 1000);
    CHECK(why(good + "mailboxes: [\"A\\r\\nK9 DELETE A\"]\n") == "mailboxes has one without a name");

    const auto login = [&](const Path& file, mode_t mode) {
        CHECK(replace_file(fs, file, as_bytes("hunter2\n")).ok());
        std::filesystem::permissions(file, static_cast<std::filesystem::perms>(mode));
        const auto [got, settings] = read("server: a\nuser: b\npassword_file: " + file.string() + "\n");
        const auto secret = read_imap_login(settings, false, fs);
        return secret.ok() ? to_text(secret->password.view()) : secret.error().message();
    };
    CHECK(login(dir.path() / "secret", 0600) == "hunter2");
    CHECK(login(dir.path() / "secret", 0640) == "the file that password_file names can be read by others");
    CHECK(login(sources / "secret", 0600) == "password_file must not lie in the archive's folder");
}
