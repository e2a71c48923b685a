// Archives of an XMPP server, pulled again and again (docs/architecture/streams.md). What a pull is, is xmpp_pull.h's;
// here are the round over all accounts and its times.
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/log.h"
#include "ingest/src/all_streams.h"
#include "ingest/src/xmpp_settings.h"

namespace kustos::ingest {

namespace {

constexpr std::string_view kSettings =
    "# Archives of an XMPP server (XEP-0313): of rooms, and of accounts whose passwords we have.\n"
    "# server: xmpp.amt.example     # without: the domain of jid\n"
    "# port: 5222\n"
    "# tls: starttls                # or direct (port 5223); there is no way without TLS\n"
    "# ca_file: ca.pem              # trusted certificates, PEM; without: the system's\n"
    "jid: \"\"                       # archive@amt.example: sees the rooms; must be a member of those that are not "
    "open\n"
    "password_file: \"\"             # absolute, outside the archive, for its owner alone (chmod 600)\n"
    "# accounts_file: \"\"           # likewise: more accounts, a line each: JID, blank, password\n"
    "# own_archives: yes            # each account's own archive; no: rooms only\n"
    "rooms: []                     # [\"bauamt@conference.amt.example\"]\n"
    "# history: no                  # yes: what was there before this source is sealed, too\n"
    "# interval_seconds: 60\n"
    "# page_size: 100               # servers may give fewer at a time\n"
    "# timeout_seconds: 120         # for one page\n"
    "# own_domain: amt.example      # people of it are ours; without: the domain of jid\n"
    "# media_hosts: []              # [\"upload.amt.example\"]: files are fetched from these and no others\n"
    "# media_ca_file: ca.pem\n";

constexpr std::int64_t kFirstWait_ms = 1'000, kLastWait_ms = 300'000;

class XmppStream final : public Stream {
public:
    XmppStream(XmppSettings settings, Intake& intake)
        : settings_(std::move(settings)),
          intake_(intake),
          files_(settings_.media_hosts, settings_.media_ca_file),
          pull_(settings_.pull, intake, settings_.media_hosts.empty() ? nullptr : &files_) {}
    ~XmppStream() override { stop(); }

    Status start() override {
        say(StreamStatus::State::running, "");
        thread_ = std::thread([this] { run(); });
        return {};
    }

    void stop() override {
        stop_ = true;
        woken_.notify_all();
        if (thread_.joinable()) thread_.join();
    }

    StreamStatus status() const override {
        const std::lock_guard lock(mutex_);
        StreamStatus out = status_;
        out.taken = pull_.sealed();
        out.last = pull_.last();
        return out;
    }

    Status poke() override {
        poked_ = true;
        woken_.notify_all();
        return {};
    }

private:
    bool ends() const { return stop_ || intake_.stopping(); }

    using Moment = std::chrono::steady_clock::time_point;
    // When an account is pulled next; each waits for itself, so that one wrong password keeps nobody else.
    struct Turn {
        Moment next;
        std::int64_t failed_wait_ms = kFirstWait_ms;
        std::string problem;
    };

    // Each account at once, then each interval; after a failure 1 s to 5 minutes later, never at the same moment as
    // others that wait for the same server.
    void run() {
        std::vector<Turn> turns(settings_.logins.size());
        bool begun = false;
        while (!ends()) {
            // When the source began is remembered before anybody has to answer.
            if (!begun) begun = pull_.begin().ok();
            Status kept;
            for (std::size_t i = 0; begun && kept.ok() && i < turns.size() && !ends(); ++i)
                if (poked_now_ || turns[i].next <= std::chrono::steady_clock::now()) kept = turn(turns[i], i);
            poked_now_ = false;
            tell(turns, kept);
            wait(turns, kept);
        }
        say(StreamStatus::State::stopped, "");
    }

    // Errors: of the archive, which concern all accounts.
    Status turn(Turn& turn, std::size_t i) {
        std::string bad;
        const Status done = account(settings_.logins[i], i == 0, bad);
        const Code code = done.ok() ? Code::internal : done.error().code();
        if (code == Code::interrupted || code == Code::overloaded || code == Code::read_only) return done;
        turn.problem = done.ok() ? bad : done.error().message();
        if (done.ok()) turn.failed_wait_ms = kFirstWait_ms;
        const std::int64_t ms = done.ok() ? settings_.interval_ms : jitter(turn.failed_wait_ms);
        if (!done.ok()) {
            log(LogLevel::warning, "archives could not be pulled", {{"code", code}});
            turn.failed_wait_ms = std::min(turn.failed_wait_ms * 2, kLastWait_ms);
        }
        turn.next = std::chrono::steady_clock::now() + std::chrono::milliseconds(ms);
        return {};
    }

    // bad: what is wrong with an archive whose fault it is alone.
    Status account(const XmppLogin& login, bool sees_rooms, std::string& bad) {
        std::vector<std::pair<std::string, bool>> archives;
        if (settings_.own) archives.emplace_back(login.jid, true);
        if (sees_rooms)
            for (const std::string& room : settings_.rooms) archives.emplace_back(room, false);
        std::unique_ptr<XmppServer> server;
        for (const auto& [archive, own] : archives) {
            if (!server) server = TRY(connect(login));
            const Status done = pull_.archive(*server, archive, own);
            if (done.ok()) continue;
            const Code code = done.error().code();
            if (code != Code::bad_input && code != Code::limit) return done;
            server.reset();  // its session is over
            if (bad.empty()) bad = done.error().message();
        }
        return {};
    }

    void tell(const std::vector<Turn>& turns, const Status& kept) {
        if (!kept.ok()) return say(StreamStatus::State::waiting, kept.error().message());
        for (const Turn& turn : turns)
            if (!turn.problem.empty()) return say(StreamStatus::State::failing, turn.problem);
        say(StreamStatus::State::running, "");
    }

    Result<std::unique_ptr<XmppServer>> connect(const XmppLogin& login) {
        XmppAccount account = settings_.server;
        account.jid = login.jid;
        return connect_xmpp(account, login.password, [this] { return ends(); });
    }

    std::int64_t jitter(std::int64_t ms) {
        std::array<std::uint8_t, 2> random{};
        intake_.environment().random.fill(random);
        return ms / 2 + ms * (random[0] * 256 + random[1]) / 65'536;  // half to one and a half
    }

    // Until somebody's turn comes; at least a second where the archive takes nothing.
    void wait(const std::vector<Turn>& turns, const Status& kept) {
        const Moment now = std::chrono::steady_clock::now();
        Moment until = now + std::chrono::milliseconds(kFirstWait_ms);
        if (kept.ok()) {
            until = now + std::chrono::milliseconds(kLastWait_ms);
            for (const Turn& turn : turns) until = std::min(until, turn.next);
        }
        std::unique_lock lock(mutex_);
        while (!ends() && !poked_ && std::chrono::steady_clock::now() < until)
            woken_.wait_for(lock, std::chrono::milliseconds(100));
        poked_now_ = poked_.exchange(false);
    }

    void say(StreamStatus::State state, std::string problem) {
        const std::lock_guard lock(mutex_);
        status_.state = state;
        status_.problem = std::move(problem);
    }

    XmppSettings settings_;
    Intake& intake_;
    XmppFiles files_;
    XmppPull pull_;           // of thread_
    bool poked_now_ = false;  // likewise
    std::thread thread_;
    std::atomic<bool> stop_ = false, poked_ = false;
    mutable std::mutex mutex_;  // for status_
    std::condition_variable woken_;
    StreamStatus status_;
};

Result<std::unique_ptr<Stream>> make_xmpp(const StreamSettings& settings, Intake& intake) {
    XmppSettings read = TRY(read_xmpp_settings(settings, intake.environment().fs));
    return std::unique_ptr<Stream>(std::make_unique<XmppStream>(std::move(read), intake));
}

}  // namespace

const StreamKind kXmppStream = {
    "xmpp",
    {"server", "port", "tls", "ca_file", "jid", "password_file", "accounts_file", "own_archives", "rooms", "history",
     "interval_seconds", "page_size", "timeout_seconds", "own_domain", "media_hosts", "media_ca_file"},
    kSettings,
    make_xmpp};

}  // namespace kustos::ingest
