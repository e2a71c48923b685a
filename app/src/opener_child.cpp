#include "app/opener_child.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "app/commands.h"
#include "app/house.h"
#include "base/log.h"

namespace kustos::app {

namespace {

constexpr std::int64_t kFirstPause = 1'000, kLongestPause = 60'000;  // ms
constexpr std::int64_t kLivedLong = 60'000;                          // ms: the next pause is the first again
constexpr int kStep = 50'000;                                        // us
constexpr std::int64_t kPatience = 10'000;                           // ms, at the end

// Reads files of the server's user, as docs/operations.md has it for an opener under a user of its own; nothing else.
bool keep_only_reading() {
    __user_cap_header_struct head{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[2] = {};
    data[0].permitted = data[0].effective = data[0].inheritable = 1u << CAP_DAC_READ_SEARCH;
    return syscall(SYS_capset, &head, data) == 0 &&
           prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_READ_SEARCH, 0, 0) == 0;
}

std::string how_it_ended(int status) {
    if (WIFSIGNALED(status)) return "signal " + std::to_string(WTERMSIG(status));
    return "exit code " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

Result<std::unique_ptr<OpenerChild>> OpenerChild::start_as_configured(Environment e, const Path& archive,
                                                                      const Path& state) {
    std::unique_ptr<OpenerChild> none;
    if (archive.empty() || !e.fs.exists(archive / "config.yaml")) return none;
    const Config config = TRY(load_config(e.fs, archive));
    const std::string start = config.text("opener.start", "false");
    if (start != "true" && start != "false") return Error(Code::usage, "config.yaml, opener.start: true or false");
    if (start == "false") return none;
    const std::string socket = config.text("opener.socket", "");
    if (socket.empty()) return Error(Code::usage, "config.yaml, opener.start needs opener.socket");
    std::error_code failed;
    const Path self = std::filesystem::read_symlink("/proc/self/exe", failed);
    if (failed) return Error(Code::environment, "the opener's program is not found");
    Path own = config.text("opener.state", "");
    if (own.empty()) own = std::filesystem::absolute(state, failed).parent_path() / "kustos-opener";
    std::vector<std::string> call{self.string(), "--archive",  std::filesystem::absolute(archive, failed).string(),
                                  "--state",     own.string(), "opener",
                                  "serve",       "--socket",   socket};
    const auto option = [&](const char* name, const std::string& value) {
        if (value.empty()) return;
        call.emplace_back(name);
        call.push_back(value);
    };
    option("--key", config.text("opener.key", ""));
    option("--escrow", config.text("escrow.dir", ""));
    std::optional<User> user;
    if (const std::string name = config.text("opener.user", ""); !name.empty()) {
        if (geteuid() != 0)
            return Error(Code::usage, "config.yaml, opener.user: only a server of root gives the opener another user");
        const passwd* found = getpwnam(name.c_str());
        if (found == nullptr) return Error(Code::usage, "config.yaml, opener.user: there is no user " + name);
        user = User{found->pw_uid, found->pw_gid};
        TRY(make_dirs_synced(e.fs, own));
        if (chown(own.c_str(), user->uid, user->gid) != 0)
            return Error(Code::environment, "the opener's folder can't be given to its user");
        option("--caller", user_name(geteuid()));
    }
    auto child = std::unique_ptr<OpenerChild>(new OpenerChild(e, std::move(call), user));
    OpenerChild* const raw = child.get();
    child->thread_ = std::thread([raw] { raw->watch(); });
    return child;
}

OpenerChild::~OpenerChild() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
}

std::string OpenerChild::words(bool german) const {
    const std::lock_guard lock(mutex_);
    std::string out;
    if (pid_ != 0) {
        out = (german ? "der Öffner läuft (Prozess " : "the opener runs (process ") + std::to_string(pid_) + ")";
    } else {
        const std::int64_t left = std::max<std::int64_t>(0, next_start_ms_ - environment_.clock.monotonic_ms());
        out = (german ? "der Öffner ist beendet (" : "the opener ended (") + ended_ +
              (german ? ") und wird neu gestartet in " : ") and is started again in ") +
              std::to_string((left + 999) / 1000) + " s";
    }
    if (restarts_ != 0)
        out += (german ? ", neu gestartet: " : ", started again: ") + std::to_string(restarts_) +
               (german ? " Mal" : " times");
    return out;
}

// In the child of a process with threads: nothing but system calls.
void OpenerChild::become(std::vector<char*>& words, const std::optional<User>& user, int parent) {
    const int nothing = open("/dev/null", O_RDWR);
    if (nothing < 0 || dup2(nothing, STDIN_FILENO) < 0 || dup2(nothing, STDOUT_FILENO) < 0) _exit(126);
    sigset_t all;
    sigemptyset(&all);
    sigprocmask(SIG_SETMASK, &all, nullptr);
    signal(SIGINT, SIG_IGN);  // of the terminal: the server ends it
    for (int fd = 3; fd < 1024; ++fd) close(fd);
    if (user) {
        const rlimit locked{RLIM_INFINITY, RLIM_INFINITY};
        (void)setrlimit(RLIMIT_MEMLOCK, &locked);
        if (setgroups(0, nullptr) != 0 || setresgid(user->gid, user->gid, user->gid) != 0 ||
            prctl(PR_SET_KEEPCAPS, 1) != 0 || setresuid(user->uid, user->uid, user->uid) != 0 || !keep_only_reading())
            _exit(126);
    }
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(126);
    execv(words[0], words.data());
    _exit(127);
}

bool OpenerChild::launch() {
    std::vector<char*> words;
    for (std::string& word : call_) words.push_back(word.data());
    words.push_back(nullptr);
    const int parent = getpid();
    const pid_t pid = fork();
    if (pid == 0) become(words, user_, parent);
    const std::lock_guard lock(mutex_);
    pid_ = pid > 0 ? pid : 0;
    if (pid < 0) ended_ = "it can't be started";
    return pid > 0;
}

// Until it has ended by itself, or was ended because the server does.
void OpenerChild::rest_until_ended() {
    pid_t pid = 0;
    {
        const std::lock_guard lock(mutex_);
        pid = pid_;
    }
    int status = 0;
    std::int64_t told = 0;  // when it was asked to end
    while (waitpid(pid, &status, WNOHANG) == 0) {
        const std::int64_t now = environment_.clock.monotonic_ms();
        if (stopping_ && told == 0) {
            kill(pid, SIGTERM);
            told = now;
        }
        if (told != 0 && now - told > kPatience) kill(pid, SIGKILL);
        usleep(kStep);
    }
    const std::lock_guard lock(mutex_);
    pid_ = 0;
    ended_ = how_it_ended(status);
}

void OpenerChild::watch() {
    const Clock& clock = environment_.clock;
    std::int64_t pause = kFirstPause;
    while (!stopping_) {
        const std::int64_t begun = clock.monotonic_ms();
        if (launch()) rest_until_ended();
        if (stopping_) return;
        pause = clock.monotonic_ms() - begun >= kLivedLong ? kFirstPause : pause;
        log(LogLevel::warning, "the opener ended and is started again; the vault is closed until somebody opens it",
            {{"in_ms", pause}});
        std::int64_t next = 0;
        {
            const std::lock_guard lock(mutex_);
            ++restarts_;
            next = next_start_ms_ = clock.monotonic_ms() + pause;
        }
        while (!stopping_ && clock.monotonic_ms() < next) usleep(kStep);
        pause = std::min(pause * 2, kLongestPause);
    }
}

}  // namespace kustos::app
