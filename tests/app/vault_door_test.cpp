// The vault's door with a clock that is moved by hand, and the ceremony with a pipe for a keyboard.
#include "app/vault_door.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <sstream>

#include "app/bring_secret.h"
#include "audit/entry_names.h"
#include "tests/support/temp_dir.h"

using namespace kustos;
using namespace kustos::app;

namespace {

struct World {
    RealFs fs;
    FixedClock clock{UtcTime{1'772'445'600'000}};
    SystemRandom random;
    test::TempDir dir;
    std::vector<Bytes> sheets;
    std::unique_ptr<vault::Archive> archive;
    int opened = 0, closing = 0;
    std::unique_ptr<VaultDoor> door;

    World() {
        vault::CreateOptions create;
        create.unlock = "shares:2/3";
        create.hand_out = [this](const vault::HandedOut& out) -> Status {
            for (const vault::Share& s : out.shares) sheets.push_back(to_bytes(share_text(s).view()));
            return {};
        };
        const Environment e{fs, clock, random};
        CHECK(vault::Archive::create(e, dir / "archive", dir / "state", std::move(create)).ok());
        vault::OpenOptions open;
        open.state = dir / "state";
        archive = vault::Archive::open(e, dir / "archive", std::move(open)).value();
        door = std::make_unique<VaultDoor>(e, *archive, VaultDoor::Watch{[this] { ++opened; }, [this] { ++closing; }});
    }
    vault::UnlockSecret with(std::initializer_list<std::size_t> numbers) const {
        vault::ShareSecrets secret;
        for (const std::size_t n : numbers) secret.texts.emplace_back(ByteView(sheets[n - 1]));
        return vault::UnlockSecret(std::move(secret));
    }
    std::string story() const {
        std::string out;
        for (std::uint64_t i = 3; i < archive->head().size.value; ++i) {
            const audit::Entry entry = archive->entry(EntryIndex(i)).value();
            const auto body = audit::BodyReader::parse(entry.body).value();
            out += audit::action_name(entry) + " " + body.find_text(audit::Tag::method).value_or("") + "\n";
        }
        return out;
    }
};

struct Pipe {
    int ends[2] = {-1, -1};
    Pipe() { CHECK(::pipe(ends) == 0); }
    ~Pipe() {
        ::close(ends[0]);
        ::close(ends[1]);
    }
    void type(ByteView text) const {
        CHECK(::write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()));
    }
};

}  // namespace

TEST_CASE("a standing opening ends at its time, and commands that are under way end it later") {
    World w;
    const auto opened = w.door->open_for(w.with({1, 3}), 60'000);
    REQUIRE(opened.ok());
    CHECK(opened->open);
    CHECK(opened->until.ms == w.clock.now().ms + 60'000);
    CHECK(w.opened == 1);
    w.clock.advance_ms(59'999);
    w.door->tick();
    CHECK(w.archive->is_open());
    {
        const auto work = w.door->open(w.with({1, 2}));
        REQUIRE(work.ok());
        w.clock.advance_ms(1);
        w.door->tick();
        CHECK(w.archive->is_open());  // for the work
        CHECK_FALSE(w.door->standing().has_value());
    }
    CHECK_FALSE(w.archive->is_open());
    CHECK(w.closing == 1);
    // A new one can be made longer, and is closed by hand.
    REQUIRE(w.door->open_for(w.with({2, 3}), 1'000).ok());
    REQUIRE(w.door->open_for(w.with({2, 3}), 100'000).ok());
    w.clock.advance_ms(50'000);
    w.door->tick();
    CHECK(w.archive->is_open());
    { const auto work = w.door->open(w.with({1, 2})); }  // a work's end does not close what stands
    CHECK(w.archive->is_open());
    CHECK(w.door->open_for(w.with({1}), 0).error().code() == Code::usage);
    CHECK(w.door->open_for(w.with({1}), kLongestOpening + 1).error().code() == Code::usage);
    CHECK(w.door->close().ok());
    CHECK(w.door->close().ok());
    CHECK_FALSE(w.archive->is_open());
    REQUIRE(w.door->open_for(w.with({2, 3}), 1'000).ok());
    w.clock.advance_ms(1'000);
    w.door->tick();
    CHECK_FALSE(w.archive->is_open());
    REQUIRE(w.door->open_for(w.with({2, 3}), 1'000).ok());
    w.door.reset();
    CHECK_FALSE(w.archive->is_open());
    CHECK(w.story() ==
          "vault_unlocked shares 2/3: 1 3\nvault_unlocked shares 2/3: 1 2\nvault_locked work\n"
          "vault_unlocked shares 2/3: 2 3\nvault_unlocked shares 2/3: 2 3\nvault_unlocked shares 2/3: 1 2\n"
          "vault_locked key holder\nvault_unlocked shares 2/3: 2 3\nvault_locked time\n"
          "vault_unlocked shares 2/3: 2 3\nvault_locked end\n");
}

TEST_CASE("shares that wait for others are kept for half an hour, and a wrong one is no share") {
    World w;
    auto answer = w.door->open_for(w.with({3}), 60'000);
    REQUIRE(answer.ok());
    CHECK_FALSE(answer->open);
    CHECK(answer->have == 1);
    CHECK(answer->need == 2);
    CHECK(w.door->standing()->have == 1);
    CHECK(w.door->open_for(w.with({3}), 60'000).error().code() == Code::denied);
    w.clock.advance_ms(kSharesWait - 1);
    w.door->tick();
    CHECK(w.door->standing().has_value());
    w.clock.advance_ms(1);
    w.door->tick();
    CHECK_FALSE(w.door->standing().has_value());
    answer = w.door->open_for(w.with({1}), 60'000);
    REQUIRE(answer.ok());
    CHECK_FALSE(answer->open);  // share 3 was forgotten
    CHECK(w.door->close().ok());
    CHECK_FALSE(w.door->standing().has_value());
    REQUIRE_FALSE(w.door->open_for(w.with({2}), 60'000)->open);
    CHECK(w.door->open_for(w.with({1}), 60'000)->open);
    CHECK(w.archive->unlock_state() == "open (shares 2/3: 1 2)");
}

TEST_CASE("the ceremony names slips, takes the next holder, and ends by itself when nobody types") {
    World w;
    const auto info = *w.archive->slots()->front().shares;
    {
        vault::ShareDesk desk(w.archive->vault_id(), info);
        const Pipe keyboard;
        Bytes slip = w.sheets[1];
        slip[25] = slip[25] == '7' ? '8' : '7';
        for (const Bytes& lines : {slip, w.sheets[1], w.sheets[1], w.sheets[0]}) keyboard.type(lines);
        std::ostringstream out;
        const auto shares = hold_ceremony(desk, keyboard.ends[0], 5'000, false, out);
        REQUIRE(shares.has_value());
        CHECK(shares->texts.size() == 2);
        CHECK(out.str().find("a slip of typing: line 2, group 1") != std::string::npos);
        CHECK(out.str().find("share 2 was given already") != std::string::npos);
        CHECK(out.str().find("2 of 2") != std::string::npos);
        CHECK(out.str().find(to_text(ByteView(w.sheets[0]).first(5))) == std::string::npos);
    }
    vault::ShareDesk desk(w.archive->vault_id(), info);
    const Pipe keyboard;
    keyboard.type(w.sheets[2]);
    std::ostringstream out;
    CHECK_FALSE(hold_ceremony(desk, keyboard.ends[0], 300, true, out).has_value());
    CHECK(out.str().find("Abgebrochen") != std::string::npos);
}

TEST_CASE("what a caller brings comes out of the socket as it went in") {
    CallSecrets secrets;
    secrets.unlock = vault::PassphraseSecret{SecretBytes(as_bytes("zwölf Boxkämpfer"))};
    secrets.new_pin = SecretBytes(as_bytes("4711"));
    const SecretBytes bytes = encode(secrets);
    const auto back = decode_call_secrets(bytes.view());
    REQUIRE(back.ok());
    CHECK(equal(std::get<vault::PassphraseSecret>(*back->unlock).passphrase.view(), as_bytes("zwölf Boxkämpfer")));
    CHECK(back->new_passphrase.empty());
    CHECK(equal(back->new_pin.view(), as_bytes("4711")));
    for (std::size_t i = 0; i < bytes.size(); ++i) CHECK_FALSE(decode_call_secrets(bytes.view().first(i)).ok());
    CHECK_FALSE(decode_call_secrets(encode(CallSecrets{}).view())->unlock.has_value());
}

TEST_CASE("how long is read from the command line") {
    CHECK(parse_duration("30s").value() == 30'000);
    CHECK(parse_duration("90m").value() == 5'400'000);
    CHECK(parse_duration("8h").value() == kDefaultOpening);
    CHECK(parse_duration("7d").value() == kLongestOpening);
    for (const char* bad :
         {"", "8", "h", "0h", "-1h", "8d", "169h", "1.5h", "99999999999999999999h", "8 h", "8hh", "8y"})
        CHECK(parse_duration(bad).error().code() == Code::usage);
}
