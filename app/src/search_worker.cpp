#include "app/search_worker.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstring>
#include <set>

#include "app/walls.h"
#include "base/log.h"
#include "search/rewrite.h"
#include "search/searcher.h"
#include "search/within.h"
#include "vault/entry_set_code.h"
#include "vault/opener_protocol.h"

namespace kustos::app {

namespace {

constexpr std::size_t kMostAnswer = 256u << 20;
constexpr int kPatience = 120;  // s: of one query
// What is said between the two: a worker's message is a question for a key, or its answer (vault/opener_protocol.h).
enum class Say : std::uint8_t { find = 1, accounted = 2, need_key = 3, answer = 4, rewrite = 5, need_shard = 6 };
// The census comes from the opener, after the index was read: here everything may be sealed.
constexpr std::uint64_t kAnySealed = std::uint64_t{1} << 60;

void set_patience(int fd) {
    const timeval patience{kPatience, 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

bool send_descriptor(int socket, int fd) {
    char byte = 0;
    iovec part{&byte, 1};
    alignas(cmsghdr) char space[CMSG_SPACE(sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = space;
    message.msg_controllen = sizeof space;
    cmsghdr* head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(head), &fd, sizeof fd);
    return sendmsg(socket, &message, MSG_NOSIGNAL) == 1;
}

int receive_descriptor(int socket) {
    char byte = 0;
    iovec part{&byte, 1};
    alignas(cmsghdr) char space[CMSG_SPACE(sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = space;
    message.msg_controllen = sizeof space;
    if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) != 1) return -1;
    const cmsghdr* head = CMSG_FIRSTHDR(&message);
    if (head == nullptr || head->cmsg_type != SCM_RIGHTS) return -1;
    int fd = -1;
    std::memcpy(&fd, CMSG_DATA(head), sizeof fd);
    return fd;
}

[[noreturn]] void become_worker(int socket, std::vector<char*>& words) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (dup2(socket, STDIN_FILENO) < 0) _exit(127);
    execv(words[0], words.data());
    _exit(127);
}

// One byte is one worker (2: one that writes); the end of the socket is the end.
[[noreturn]] void nurse(int socket, std::vector<char*>& words) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGCHLD, SIG_IGN);  // nobody waits for them
    char byte = 0;
    char rewriter[] = "index-rewriter";
    char* const searcher = words[1];
    while (recv(socket, &byte, 1, 0) == 1) {
        words[1] = byte == 2 ? rewriter : searcher;
        int ends[2];
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) _exit(1);
        if (fork() == 0) {
            signal(SIGINT, SIG_DFL);
            signal(SIGTERM, SIG_DFL);
            become_worker(ends[1], words);
        }
        close(ends[1]);
        const bool sent = send_descriptor(socket, ends[0]);
        close(ends[0]);
        if (!sent) break;
    }
    _exit(0);
}

// --- the worker's side ---

class AskedKeys final : public search::ShardKeys {
public:
    explicit AskedKeys(const LocalSocket& opener) : opener_(opener) {}
    Result<search::NewShard> open_shard() override {
        const SecretBytes made = TRY(ask(Bytes{static_cast<std::uint8_t>(Say::need_shard)}));
        ByteReader in(made.view());
        const std::uint32_t id = TRY(in.u32());
        return search::NewShard{search::ShardId(id), SecretBytes(TRY(in.take(32)))};
    }
    Result<SecretBytes> key_of(search::ShardId id) override {
        Bytes question{static_cast<std::uint8_t>(Say::need_key)};
        put_u32(question, static_cast<std::uint32_t>(id.value));
        return ask(question);
    }
    void forget(search::ShardId) override {}

private:
    Result<SecretBytes> ask(const Bytes& question) {
        if (!opener_.send_message(question)) return Error(Code::closed, "the opener has ended");
        while (!opener_.readable(1'000)) {
        }
        Bytes answer = TRY(opener_.receive_message(kMostAnswer));
        auto key = vault::decode_opener_answer(answer);
        wipe(answer);
        if (!key.ok()) return std::move(key).error();
        SecretBytes out(*key);
        wipe(*key);
        return out;
    }
    const LocalSocket& opener_;
};

class GivenCensus final : public search::RecordCensus {
public:
    explicit GivenCensus(EntrySet erased) : erased_(std::make_shared<const EntrySet>(std::move(erased))) {}
    Result<search::CensusNow> now() override {
        search::CensusNow now;
        now.sealed = kAnySealed;
        now.erased = erased_;
        now.erased_records = erased_->count();
        return now;
    }

private:
    std::shared_ptr<const EntrySet> erased_;
};

Result<Bytes> find(search::Searcher& searcher, ByteReader& in) {
    search::SearchOptions options;
    options.sort = TRY(in.u8()) != 0 ? search::Sort::relevance : search::Sort::date;
    const bool german = TRY(in.u8()) != 0;
    const std::string text = to_text(TRY(in.take(TRY(in.u32()))));
    const std::string scope = to_text(TRY(in.take(TRY(in.u32()))));
    search::Query query = TRY(search::parse_query(text, german ? search::Language::de : search::Language::en));
    if (!scope.empty()) query = search::both(TRY_IN("the matter's scope", search::parse_query(scope)), query);
    if (TRY(in.u8()) != 0)
        query = search::both(
            search::these_entries(TRY(vault::decode_entry_set_code(TRY(in.take(TRY(in.u32()))), vault::kMaxResultSet))),
            query);
    GivenCensus census(TRY(vault::decode_entry_set(TRY(in.take(in.remaining())))));
    const search::Answer answer = TRY(searcher.run(query, options, census));
    Bytes out;
    const search::Coverage& c = answer.coverage;
    for (const std::uint64_t n : {c.searchable, c.partial, c.opaque, c.failed, c.erased}) put_u64(out, n);
    put_u64(out, answer.end.value);
    audit::Unsearched unsearched = answer.unsearched;
    unsearched.deferred = 0;  // known to who asks: here everything may be sealed
    const Bytes said = audit::encode(unsearched);
    put_u32(out, static_cast<std::uint32_t>(said.size()));
    put(out, said);
    for (const EntryIndex entry : answer.entries) put_u64(out, entry.value);
    return out;
}

// The server's user reads and removes them, too: the folder's group is both's (docs/operations.md).
void share_files(const Path& index_dir) {
    std::error_code failed;
    for (const auto& file : std::filesystem::directory_iterator(index_dir, failed))
        std::filesystem::permissions(file.path(),
                                     std::filesystem::perms::group_read | std::filesystem::perms::group_write,
                                     std::filesystem::perm_options::add, failed);
}

Result<Bytes> rewrite(Environment environment, const Path& index_dir, AskedKeys& keys, ByteReader& in) {
    search::RewriteOptions options;
    options.merge = TRY(in.u8()) != 0;
    options.reindex = TRY(vault::decode_entry_set(TRY(in.take(TRY(in.u32())))));
    const EntrySet erased = TRY(vault::decode_entry_set(TRY(in.take(in.remaining()))));
    const auto report =
        search::rewrite_shards(environment.fs, index_dir, keys, erased, environment.clock, environment.random, options);
    share_files(index_dir);
    const search::RewriteReport& r = TRY(report);
    vault::RewriteStep step;
    step.done = {r.looked_at, r.rewritten, r.joined, r.written, r.documents_dropped, r.words_dropped, {}};
    for (const search::ShardId gone : r.gone) step.done.gone.push_back(static_cast<std::uint32_t>(gone.value));
    return vault::encode(step);
}

Result<Bytes> answer_one(search::Searcher& searcher, Environment environment, const Path& index_dir, AskedKeys& keys,
                         ByteView request) {
    ByteReader in(request);
    switch (static_cast<Say>(TRY(in.u8()))) {
        case Say::find:
            return find(searcher, in);
        case Say::accounted:
            return vault::encode(EntrySet(TRY(search::accounted_entries(environment.fs, index_dir, keys))));
        case Say::rewrite:
            return rewrite(environment, index_dir, keys, in);
        default:
            return Error(Code::bad_input, "the search worker does not know this request");
    }
}

}  // namespace

Result<std::unique_ptr<Nursery>> Nursery::start(const std::vector<std::string>& worker) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return Error(Code::environment, "the search worker's nursery can't be made");
    std::vector<std::string> copies = worker;
    std::vector<char*> words;
    for (std::string& word : copies) words.push_back(word.data());
    words.push_back(nullptr);
    const pid_t child = fork();
    if (child < 0) return Error(Code::environment, "the search worker's nursery can't be made");
    if (child == 0) {
        close(ends[0]);
        nurse(ends[1], words);
    }
    close(ends[1]);
    set_patience(ends[0]);
    return std::unique_ptr<Nursery>(new Nursery(LocalSocket(ends[0])));
}

Result<LocalSocket> Nursery::spawn(bool writes) const {
    const std::uint8_t one = writes ? 2 : 1;
    if (!socket_.send(ByteView(&one, 1))) return Error(Code::environment, "the search worker can't be started");
    const int fd = receive_descriptor(socket_.fd());
    if (fd < 0) return Error(Code::environment, "the search worker can't be started");
    set_patience(fd);
    return LocalSocket(fd);
}

// A worker that ended is replaced by the next question; this one is refused.
Result<Bytes> WorkerFinder::talk(const Bytes& request, const ShardKey& keys) {
    const Error ended = Error(Code::environment, "the search worker ended").with_hint("ask again");
    if (!worker_.open() || worker_.ended()) worker_ = TRY(nursery_->spawn());
    LocalSocket worker = std::move(worker_);  // given back when all went well
    if (!worker.send_message(request)) return ended;
    while (true) {
        auto said = worker.receive_message(kMostAnswer);
        if (!said.ok()) return ended;
        ByteReader in(*said);
        const auto what = static_cast<Say>(TRY(in.u8()));
        if (what == Say::answer) {
            worker_ = std::move(worker);
            return vault::decode_opener_answer(ByteView(*said).subspan(1));
        }
        if (what != Say::need_key) return ended;
        const auto key = keys(TRY(in.u32()));
        Bytes reply =
            vault::opener_answer(key.ok() ? Result<Bytes>(to_bytes(key->view())) : Result<Bytes>(key.error()));
        const bool sent = worker.send_message(reply);
        wipe(reply);
        if (!sent) return ended;
    }
}

Result<vault::Finder::Found> WorkerFinder::find(const Ask& ask, const ShardKey& keys) {
    Bytes request{static_cast<std::uint8_t>(Say::find)};
    put_u8(request, ask.by_relevance ? 1 : 0);
    put_u8(request, ask.german ? 1 : 0);
    put_u32(request, static_cast<std::uint32_t>(ask.query.size()));
    put(request, as_bytes(ask.query));
    put_u32(request, static_cast<std::uint32_t>(ask.scope.size()));
    put(request, as_bytes(ask.scope));
    put_u8(request, ask.within ? 1 : 0);
    if (ask.within) {
        const Bytes within = vault::encode_entry_set(*ask.within);
        put_u32(request, static_cast<std::uint32_t>(within.size()));
        put(request, within);
    }
    put(request, vault::encode(ask.erased));
    const Bytes answer = TRY(talk(request, keys));
    ByteReader in(answer);
    Found found;
    const std::uint64_t searchable = TRY(in.u64()), partial = TRY(in.u64()), opaque = TRY(in.u64());
    const std::uint64_t failed = TRY(in.u64()), erased = TRY(in.u64());
    // The index may know records that the ledger's files did not show yet when the question came.
    const std::uint64_t known = searchable + partial + opaque + failed + erased;
    const std::uint64_t sealed = std::max(ask.sealed, known);
    found.coverage = {sealed, searchable, partial, opaque, sealed - known, failed, erased};
    found.end = EntryIndex(TRY(in.u64()));
    found.unsearched = TRY(audit::decode_unsearched(TRY(in.take(TRY(in.u32())))));
    found.unsearched.deferred = sealed - known;
    found.entries.reserve(in.remaining() / 8);
    while (!in.at_end()) found.entries.push_back(EntryIndex(TRY(in.u64())));
    return found;
}

Result<EntrySet> WorkerFinder::accounted(const ShardKey& keys) {
    const Bytes answer = TRY(talk(Bytes{static_cast<std::uint8_t>(Say::accounted)}, keys));
    return vault::decode_entry_set(answer);
}

namespace {

class WorkerRewriting final : public vault::Finder::Rewriting {
public:
    WorkerRewriting(LocalSocket worker, Bytes request) : worker_(std::move(worker)), request_(std::move(request)) {}
    Result<std::optional<vault::RewriteDone>> go_on(std::optional<NewShard> made,
                                                    const vault::Finder::ShardKey& keys) override {
        if (made) {
            Bytes shard;
            put_u32(shard, made->shard);
            put(shard, made->term_key.view());
            TRY(send(vault::opener_answer(Result<Bytes>(std::move(shard)))));
        } else {
            TRY(send(std::move(request_)));
        }
        while (true) {
            while (!worker_.readable(1'000)) {
            }
            const auto said = worker_.receive_message(kMostAnswer);
            if (!said.ok()) return ended();
            ByteReader in(*said);
            const auto what = static_cast<Say>(TRY(in.u8()));
            if (what == Say::need_shard) return std::optional<vault::RewriteDone>();
            if (what == Say::answer) {
                const Bytes answer = TRY(vault::decode_opener_answer(ByteView(*said).subspan(1)));
                return std::optional(TRY(vault::decode_rewrite_step(answer)).done);
            }
            if (what != Say::need_key) return ended();
            const auto key = keys(TRY(in.u32()));
            TRY(send(
                vault::opener_answer(key.ok() ? Result<Bytes>(to_bytes(key->view())) : Result<Bytes>(key.error()))));
        }
    }

private:
    static Error ended() {
        return Error(Code::environment, "the index rewriter ended").with_hint("kustos compact, again");
    }
    Status send(Bytes bytes) const {
        const bool sent = worker_.send_message(bytes);
        wipe(bytes);
        return sent ? ok_status() : Status(ended());
    }
    LocalSocket worker_;
    Bytes request_;
};

}  // namespace

Result<std::unique_ptr<vault::Finder::Rewriting>> WorkerFinder::rewrite(const vault::RewriteOrder& order,
                                                                        const EntrySet& erased) {
    Bytes request{static_cast<std::uint8_t>(Say::rewrite)};
    put_u8(request, order.merge ? 1 : 0);
    const Bytes reindex = vault::encode(order.reindex);
    put_u32(request, static_cast<std::uint32_t>(reindex.size()));
    put(request, reindex);
    put(request, vault::encode(erased));
    return std::unique_ptr<Rewriting>(
        std::make_unique<WorkerRewriting>(TRY(nursery_->spawn(true)), std::move(request)));
}

Result<int> run_search_worker(Environment environment, const Path& index_dir, bool writes) {
    const LocalSocket opener(dup(STDIN_FILENO));
    WallRules rules;
    rules.readable = {index_dir};
    if (writes) rules.writable = {index_dir};
    TRY(raise_walls(rules));
    std::set<int> told;  // of what the walls refused
    AskedKeys keys(opener);
    search::Searcher searcher(environment.fs, index_dir, keys);
    while (true) {
        const auto request = opener.receive_message(kMostAnswer);
        if (!request.ok()) return 0;
        const Bytes answer = vault::opener_answer(answer_one(searcher, environment, index_dir, keys, *request));
        Bytes out{static_cast<std::uint8_t>(Say::answer)};
        put(out, answer);
        if (!opener.send_message(out)) return 0;
        for (const RefusedCall& call : refused_calls()) {
            if (told.insert(call.number).second)
                log(LogLevel::warning, "the search worker's walls refused a system call", {{"number", call.number}});
        }
    }
}

}  // namespace kustos::app
