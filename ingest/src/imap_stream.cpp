// A journal mailbox, read over IMAP (docs/architecture/streams.md): a thread that connects, looks, and rests.
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

#include "base/log.h"
#include "ingest/src/all_streams.h"
#include "ingest/src/imap_settings.h"

namespace kustos::ingest {

namespace {

constexpr std::string_view kSettings =
    "# A journal mailbox, read over IMAP. Nothing in it is changed, unless after_proof says so.\n"
    "server: \"\"               # a host's name or address\n"
    "# port: 993\n"
    "tls: implicit            # or starttls; none: for a server on this machine alone\n"
    "# ca_file: ca.pem        # trusted certificates, PEM; without: the system's\n"
    "user: \"\"\n"
    "password_file: \"\"        # chmod 600, outside of the archive\n"
    "# token_file: /run/...   # instead: an OAuth 2 token that another program renews\n"
    "mailboxes: [INBOX]\n"
    "interval_seconds: 60     # between two looks\n"
    "batch: 100               # mails that are taken together\n"
    "# max_size_mib: 1024     # of one mail; larger ones stay there, and a finding tells of each\n"
    "# timeout_seconds: 60    # until the server's next byte\n"
    "# after_proof: keep      # delete, or move: what is proven sealed is taken out of the mailbox\n"
    "# keep_days: 7           # but not before so many days\n"
    "# move_to: Archived      # with after_proof: move\n";

constexpr std::int64_t kFirstWait = 1'000, kLastWait = 300'000;

class ImapStream final : public Stream {
public:
    ImapStream(StreamSettings settings, ImapSettings read, Intake& intake)
        : settings_(std::move(settings)), read_(std::move(read)), intake_(intake), taking_(read_.taking, intake) {
        if (read_.clearing) clearing_.emplace(*read_.clearing, intake);
    }
    ~ImapStream() override { stop(); }

    Status start() override {
        thread_ = std::thread([this] { run(); });
        return {};
    }

    void stop() override {
        stop_ = true;
        if (thread_.joinable()) thread_.join();
    }

    StreamStatus status() const override {
        const std::lock_guard lock(mutex_);
        StreamStatus out = status_;
        out.taken = taking_.sealed();
        return out;
    }

    Status poke() override {
        poke_ = true;
        return {};
    }

private:
    bool ends() const { return stop_ || intake_.stopping(); }

    void run() {
        // A counterpart that is gone must not end the server.
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGPIPE);
        pthread_sigmask(SIG_BLOCK, &set, nullptr);
        std::int64_t wait = kFirstWait;
        while (!ends()) {
            poke_ = false;
            const Status done = round();
            if (!done.ok() && done.error().code() == Code::interrupted) break;
            say(done);
            if (done.ok()) {
                wait = kFirstWait;
                rest_a_while(read_.interval_ms);
            } else if (done.error().code() == Code::overloaded) {
                rest_a_while(kFirstWait);  // the archive takes nothing now: the mail server is not to blame
            } else {
                rest_a_while(wait);
                wait = std::min(wait * 2, kLastWait);
            }
        }
        if (client_) client_->log_out();
        const std::lock_guard lock(mutex_);
        status_.state = StreamStatus::State::stopped;
    }

    // One mailbox that fails leaves the others alone; a connection that failed is made anew.
    Status round() {
        Status failed;
        for (const std::string& mailbox : read_.mailboxes) {
            if (ends()) return Error(Code::interrupted, "the server ends");
            const Status room = intake_.room();
            const Status done = room.ok() ? this->mailbox(mailbox) : room;
            if (done.ok()) continue;
            if (done.error().code() == Code::interrupted) return done;
            client_.reset();
            link_.reset();
            failed = done;
        }
        if (failed.ok()) note_taken();
        return failed;
    }

    Status mailbox(const std::string& mailbox) {
        // A server may have hung up while nothing was to be done: then there is a second try.
        const bool old = client_ != nullptr;
        Status done = look(mailbox);
        if (done.ok() || !old || done.error().code() != Code::environment) return done;
        client_.reset();
        link_.reset();
        return look(mailbox);
    }

    Status look(const std::string& mailbox) {
        if (!client_) TRY(connect());
        const std::uint64_t before = taking_.sealed();
        const Status taken = taking_.round(*client_, mailbox);
        if (taking_.sealed() != before) note_taken();
        TRY(Status(taken));
        return clearing_ ? clearing_->round(*client_, mailbox) : ok_status();
    }

    Status connect() {
        const auto ending = [this] { return ends(); };
        const ImapLogin login = TRY(read_imap_login(settings_, read_.by_token, intake_.environment().fs));
        link_ = TRY(connect_imap(read_.server, login, ending));
        ImapLimits limits;
        limits.silence_ms = read_.server.timeout_ms;
        client_ = std::make_unique<ImapClient>(*link_, limits, ending);
        return client_->ask_capabilities();
    }

    void note_taken() {
        const std::lock_guard lock(mutex_);
        status_.last = intake_.environment().clock.now();
    }

    void say(const Status& done) {
        const std::lock_guard lock(mutex_);
        status_.state = done.ok() ? StreamStatus::State::running
                        : done.error().code() == Code::overloaded || done.error().code() == Code::environment
                            ? StreamStatus::State::waiting
                            : StreamStatus::State::failing;
        status_.problem = done.ok() ? "" : done.error().message();
        if (!done.ok()) log(LogLevel::warning, "a mailbox could not be read", {{"code", done.error().code()}});
    }

    // Not all archives at the same second: three quarters of it to the whole.
    void rest_a_while(std::int64_t ms) {
        std::array<std::uint8_t, 2> chance{};
        intake_.environment().random.fill(chance);
        ms -= ms / 4 * (chance[0] << 8 | chance[1]) / 65'536;
        for (; ms > 0 && !ends() && !poke_; ms -= 50) usleep(50'000);
    }

    const StreamSettings settings_;
    const ImapSettings read_;
    Intake& intake_;
    ImapTaking taking_;
    std::optional<ImapClearing> clearing_;
    std::unique_ptr<ImapLink> link_;      // of thread_
    std::unique_ptr<ImapClient> client_;  // likewise; uses link_
    std::thread thread_;
    std::atomic<bool> stop_ = false, poke_ = false;
    mutable std::mutex mutex_;
    StreamStatus status_;
};

Result<std::unique_ptr<Stream>> make_imap(const StreamSettings& settings, Intake& intake) {
    ImapSettings read = TRY(read_imap_settings(settings));
    TRY(read_imap_login(settings, read.by_token, intake.environment().fs));  // is it there
    return std::unique_ptr<Stream>(std::make_unique<ImapStream>(settings, std::move(read), intake));
}

}  // namespace

const StreamKind kImapStream = {
    "imap",
    {"server", "port", "tls", "ca_file", "user", "password_file", "token_file", "mailboxes", "interval_seconds",
     "batch", "max_size_mib", "timeout_seconds", "after_proof", "keep_days", "move_to"},
    kSettings,
    make_imap};

}  // namespace kustos::ingest
