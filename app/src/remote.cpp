#include "app/remote.h"

#include "app/opener_commands.h"

#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>
#include <ostream>
#include <streambuf>

#include "app/bring_secret.h"
#include "app/src/refusal_words.h"
#include "base/log.h"
#include "base/progress.h"
#include "base/stack.h"

namespace kustos::app {

using nlohmann::json;

namespace {

constexpr std::uint32_t kMaxRequest = 4u << 20;
constexpr std::uint32_t kMaxSecret = 16 * 1024;
constexpr std::size_t kMostWorkers = 16;
constexpr const char* kName = "serve.sock";

bool send_frame(const LocalSocket& to, std::uint8_t channel, ByteView bytes) {
    Bytes head;
    put_u8(head, channel);
    put_u32(head, static_cast<std::uint32_t>(bytes.size()));
    return to.send(head) && to.send(bytes);
}

// Output on its way to the caller: in frames of 64 KiB, never all of it at once.
class FrameBuffer final : public std::streambuf {
public:
    FrameBuffer(const LocalSocket& to, std::uint8_t channel) : to_(to), channel_(channel), held_(64u << 10) { reset(); }
    int sync() override {
        const auto size = static_cast<std::size_t>(pptr() - pbase());
        if (size != 0) good_ = good_ && send_frame(to_, channel_, as_bytes({pbase(), size}));
        reset();
        return good_ ? 0 : -1;
    }

private:
    int overflow(int c) override {
        if (sync() != 0) return traits_type::eof();
        if (c != traits_type::eof()) sputc(static_cast<char>(c));
        return 0;
    }
    void reset() { setp(held_.data(), held_.data() + held_.size()); }
    const LocalSocket& to_;
    std::uint8_t channel_;
    std::vector<char> held_;
    bool good_ = true;
};

std::string absolute(const std::string& path) {
    std::error_code ignored;
    return path.empty() ? path : std::filesystem::absolute(path, ignored).string();
}

json to_json(const Call& c) {
    std::vector<std::string> paths;
    for (const std::string& p : c.paths) paths.push_back(absolute(p));
    std::vector<std::string> reports;
    for (const std::string& r : c.reports) reports.push_back(absolute(r));
    return {{"command", c.command},
            {"archive", absolute(c.archive.string())},
            {"json", c.json},
            {"german", c.language == Language::german},
            {"paths", paths},
            {"name", c.name},
            {"source", c.source},
            {"format", c.format},
            {"kind", c.kind},
            {"class", c.retention_class},
            {"matter", c.matter},
            {"reference", c.reference},
            {"ground", c.ground},
            {"query", c.query},
            {"records_file", absolute(c.records_file)},
            {"record", c.record},
            {"out", absolute(c.out)},
            {"as", c.as},
            {"sort", c.sort},
            {"redact", c.redact},
            {"trust", absolute(c.trust)},
            {"reports", reports},
            {"password_file", absolute(c.password_file)},
            {"limit", c.limit},
            {"approvers", c.approvers},
            {"attachment", c.attachment},
            {"original", c.original},
            {"attachment_number", c.attachment_number},
            {"deep", c.deep},
            {"since_last", c.since_last},
            {"sample", c.sample},
            {"nonce", c.nonce},
            {"check", c.check},
            {"without_escrow", c.without_escrow},
            {"signer_keys", c.signer_keys},
            {"interval", c.interval_s},
            {"price", c.price},
            {"for", c.for_time},
            {"unlock", c.unlock},
            {"add", c.add},
            {"remove", c.remove},
            {"holders", c.holders},
            {"shares_out", absolute(c.shares_out)},
            {"given", c.given},
            {"watched", isatty(STDERR_FILENO) != 0}};
}

Call from_json(const json& j) {
    Call c;
    c.command = j.at("command");
    c.archive = j.at("archive").get<std::string>();
    c.json = j.at("json");
    c.language = j.at("german") ? Language::german : Language::english;
    c.paths = j.at("paths").get<std::vector<std::string>>();
    c.name = j.at("name");
    c.source = j.at("source");
    c.format = j.at("format");
    c.kind = j.at("kind");
    c.retention_class = j.at("class");
    c.matter = j.at("matter");
    c.reference = j.at("reference");
    c.ground = j.at("ground");
    c.query = j.at("query");
    c.records_file = j.at("records_file");
    c.record = j.at("record");
    c.out = j.at("out");
    c.as = j.at("as");
    c.sort = j.at("sort");
    c.redact = j.at("redact");
    c.trust = j.at("trust");
    c.reports = j.at("reports").get<std::vector<std::string>>();
    c.password_file = j.at("password_file");
    c.limit = j.at("limit");
    c.approvers = j.at("approvers").get<std::vector<std::string>>();
    c.attachment = j.at("attachment");
    c.original = j.at("original");
    c.attachment_number = j.at("attachment_number");
    c.deep = j.at("deep");
    c.since_last = j.at("since_last");
    c.sample = j.at("sample");
    c.nonce = j.at("nonce");
    c.check = j.at("check");
    c.without_escrow = j.at("without_escrow");
    c.signer_keys = j.at("signer_keys");
    c.interval_s = j.at("interval");
    c.price = j.at("price");
    c.for_time = j.at("for");
    c.unlock = j.at("unlock");
    c.add = j.at("add").get<std::vector<std::string>>();
    c.remove = j.at("remove").get<std::vector<std::string>>();
    c.holders = j.at("holders").get<std::vector<std::string>>();
    c.shares_out = j.at("shares_out");
    c.given = j.at("given").get<std::map<std::string, std::vector<std::string>>>();
    return c;
}

}  // namespace

Result<std::unique_ptr<RemoteServer>> RemoteServer::start(House& house) {
    LocalSocket socket = TRY_IN("command socket", LocalSocket::listen(house.archive().dir() / kName));
    auto server = std::unique_ptr<RemoteServer>(new RemoteServer(house, std::move(socket)));
    server->thread_ = std::thread([raw = server.get()] { raw->accept_loop(); });
    return server;
}

RemoteServer::~RemoteServer() {
    stop();
}

void RemoteServer::stop() {
    if (stopping_.exchange(true)) return;
    if (thread_.joinable()) thread_.join();
    socket_ = LocalSocket();
    ::unlink((house_.archive().dir() / kName).c_str());
}

void RemoteServer::accept_loop() {
    while (!stopping_) {
        for (auto worker = workers_.begin(); worker != workers_.end();) {
            if (!worker->done) {
                ++worker;
                continue;
            }
            worker->thread.join();
            worker = workers_.erase(worker);
        }
        if (workers_.size() >= kMostWorkers) {  // those who wait stay in the queue of the socket
            usleep(50'000);
            continue;
        }
        auto connection = socket_.accept(200);
        if (!connection.ok()) continue;
        Worker& worker = workers_.emplace_back();
        worker.thread = std::thread([this, caller = std::move(*connection), &worker] {
            handle(caller);
            wipe_stack();  // the next thread may get this stack
            worker.done = true;
        });
    }
    for (Worker& worker : workers_) worker.thread.join();
    workers_.clear();
}

void RemoteServer::handle(const LocalSocket& connection) {
    const uid_t peer = connection.peer();
    if (peer != geteuid() && peer != 0) return;
    const auto request = connection.receive_message(kMaxRequest);
    std::uint8_t head[4];
    if (!request.ok() || !connection.receive(head) || load_u32(head) > kMaxSecret) return;
    SecretBytes brought(load_u32(head));
    if (!connection.receive(brought.writable())) return;
    const auto secrets = decode_call_secrets(brought.view());
    if (!secrets.ok()) return;

    Work work;
    work.gone = [&connection] { return connection.ended(); };
    FrameBuffer to_out(connection, 1), to_err(connection, 2);
    std::ostream out(&to_out), err(&to_err);
    int code = 70;
    try {
        const json parsed = json::parse(as_text(*request));
        Call call = from_json(parsed);
        call.actor = user_name(peer);
        if (parsed.at("watched").get<bool>()) {
            work.show = [&connection](std::string_view line) { send_frame(connection, 4, as_bytes(line)); };
        }
        const ScopedWork scope(work);
        code = run_command_in(house_, call, *secrets, {out, err});
    } catch (const json::exception&) {
        err << "kustos: the request is not understood\n";
    }
    Bytes exit;
    put_u32(exit, static_cast<std::uint32_t>(code));
    out.flush();
    err.flush();
    if (out.good() && err.good()) send_frame(connection, 3, exit);
}

std::optional<int> run_remotely(Environment environment, const Call& call, Streams streams) {
    // These need no archive, or are the server.
    static constexpr std::string_view kOwn[] = {
        "init",           "try",           "serve",         "tsa serve",   "witness serve",    "signer serve",
        "opener serve",   "opener status", "opener unlock", "opener lock", "opener self-test", "search-worker",
        "index-rewriter", "trust key",     "trust sign",    "continue",    "audit list",       "audit export",
        "restore",        "backup verify"};
    if (call.archive.empty() || std::find(std::begin(kOwn), std::end(kOwn), call.command) != std::end(kOwn))
        return std::nullopt;
    // What opens the vault, and new shares, go straight to an opener apart.
    if ((call.command == "key rekey" || call.command == "key shares") && keys_are_apart(environment, call))
        return std::nullopt;
    const auto connected = LocalSocket::connect(call.archive / kName);
    if (!connected.ok()) return std::nullopt;
    const LocalSocket& server = *connected;
    const auto secrets = bring_secrets(environment, call, streams);
    if (!secrets.ok()) {
        streams.err << refusal_text(secrets.error(), call.language);
        return exit_code(secrets.error().code());
    }
    const SecretBytes brought = encode(*secrets);
    const std::string request = to_json(call).dump();
    Bytes secret_head;
    put_u32(secret_head, static_cast<std::uint32_t>(brought.size()));
    std::optional<int> code;
    if (server.send_message(as_bytes(request)) && server.send(secret_head) && server.send(brought.view())) {
        // A long command is silent for long.
        const auto more = [&server](std::span<std::uint8_t> bytes) {
            while (!server.readable(1000)) {
            }
            return server.receive(bytes);
        };
        std::uint8_t frame[5];
        while (more(frame)) {
            Bytes bytes(load_u32(frame + 1));
            if (!server.receive(bytes)) break;
            if (frame[0] == 1)
                streams.out.write(reinterpret_cast<const char*>(bytes.data()),
                                  static_cast<std::streamsize>(bytes.size()));
            if (frame[0] == 2)
                streams.err.write(reinterpret_cast<const char*>(bytes.data()),
                                  static_cast<std::streamsize>(bytes.size()));
            if (frame[0] == 4) streams.err << "\r\033[K" << as_text(bytes) << std::flush;
            if (frame[0] == 3 && bytes.size() == 4) {
                code = static_cast<int>(load_u32(bytes.data()));
                break;
            }
        }
    }
    streams.out.flush();
    if (!code) {
        streams.err << "kustos: the running server ended before it answered\n";
        return 6;
    }
    return code;
}

}  // namespace kustos::app
