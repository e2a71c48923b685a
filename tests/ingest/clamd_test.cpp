// Verdicts of ClamAV: what a daemon may say, and a real one where it is installed.
#include "ingest/clamd.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "base/fs.h"
#include "tests/support/temp_dir.h"

extern char** environ;

using namespace kustos;
using namespace kustos::ingest;
using Verdict = ScanVerdict::Result;

namespace {

// The test file that every scanner knows (eicar.org), never whole in this source: a scanner would take it away.
std::string eicar() {
    return std::string("X5O!P%@AP[4\\PZX54(P^)7CC)7}$") + "EICAR-STANDARD-" + "ANTIVIRUS-TEST-FILE!$H+H*";
}

Result<ScanVerdict> scan(const Clamd& clamd, std::string_view content) {
    return clamd.scan([content](const ByteSink& sink) { return sink(as_bytes(content)); });
}

// clamd with a signature of its own in a folder of its own.
class Daemon {
public:
    explicit Daemon(const Path& folder) : socket_(folder / "clamd.ctl") {
        std::filesystem::create_directory(folder / "db");
        std::ofstream(folder / "db/test.ndb")
            << "Eicar-Signature:0:0:58354f2150254041505b345c505a58353428505e2937434329377d\n";
        std::ofstream(folder / "clamd.conf") << "DatabaseDirectory " << (folder / "db").string() << "\nLocalSocket "
                                             << socket_.string() << "\nForeground yes\nStreamMaxLength 1M\n";
        const std::string config = "--config-file=" + (folder / "clamd.conf").string();
        char program[] = "/usr/sbin/clamd";
        char* words[] = {program, const_cast<char*>(config.c_str()), nullptr};
        posix_spawn_file_actions_t quiet;
        posix_spawn_file_actions_init(&quiet);
        for (const int fd : {1, 2}) posix_spawn_file_actions_addopen(&quiet, fd, "/dev/null", O_WRONLY, 0);
        if (posix_spawn(&pid_, program, &quiet, nullptr, words, environ) != 0) pid_ = -1;
        posix_spawn_file_actions_destroy(&quiet);
    }
    ~Daemon() {
        if (pid_ < 0) return;
        kill(pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
    }
    bool answers() const {
        const auto clamd = Clamd::at(socket_.string());
        for (int i = 0; i < 600 && pid_ > 0; ++i) {
            const auto verdict = scan(*clamd, "x");
            if (verdict.ok() && verdict->result == Verdict::clean) return true;
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        }
        return false;
    }
    const Path& socket() const { return socket_; }

private:
    Path socket_;
    pid_t pid_ = -1;
};

}  // namespace

TEST_CASE("only what a daemon plainly says is a verdict") {
    CHECK(parse_clamd_reply("stream: OK").result == Verdict::clean);
    const auto found = parse_clamd_reply(std::string_view("stream: Win.Test.EICAR_HDB-1 FOUND\n", 36));
    CHECK(found.result == Verdict::found);
    CHECK(found.signature == "Win.Test.EICAR_HDB-1");
    for (const char* reply :
         {"", "OK", "stream: ok", "INSTREAM size limit exceeded. ERROR", "stream: FOUND", "stream:  OK"})
        CHECK(parse_clamd_reply(reply).result == Verdict::unchecked);
}

TEST_CASE("content goes to a daemon on this machine, or to none") {
    for (const char* fine : {"/run/clamav/clamd.ctl", "127.0.0.1:3310", "[::1]:3310"}) CHECK(Clamd::at(fine).ok());
    for (const char* bad : {"", "clamd", "10.0.0.1:3310", "localhost:3310", "127.0.0.1:", "127.0.0.1:0",
                            "127.0.0.1:99999", "127.0.0.1:3310x", "0.0.0.0:3310"}) {
        CAPTURE(bad);
        CHECK(Clamd::at(bad).error().code() == Code::usage);
    }
    const auto away = Clamd::at("/nonexistent/clamd.ctl");
    CHECK(scan(*away, "x")->result == Verdict::unchecked);
    CHECK(scan(*Clamd::at("127.0.0.1:1"), "x")->result == Verdict::unchecked);
}

TEST_CASE("a real daemon knows the EICAR file, says with which signatures, and refuses what is too large") {
    if (::access("/usr/sbin/clamd", X_OK) != 0) {
        MESSAGE("skipped: clamd is not installed (./run test installs it)");
        return;
    }
    test::TempDir dir;
    const Daemon daemon(dir.path());
    REQUIRE(daemon.answers());
    const auto clamd = Clamd::at(daemon.socket().string());
    const auto found = scan(*clamd, eicar());
    REQUIRE(found.ok());
    CHECK(found->result == Verdict::found);
    CHECK(found->signature.rfind("Eicar-Signature", 0) == 0);
    CHECK(found->engine.rfind("ClamAV ", 0) == 0);
    CHECK(scan(*clamd, "Sehr geehrte Damen und Herren")->result == Verdict::clean);
    CHECK(scan(*clamd, "")->result == Verdict::clean);
    CHECK(scan(*clamd, std::string(3u << 20, 'a'))->result == Verdict::unchecked);
    const auto broken = clamd->scan([](const ByteSink&) { return Status(Error(Code::corrupt, "gone")); });
    CHECK(broken.error().code() == Code::corrupt);
}
