// How fast things come in, with the index off, each beside its peer in the same process: mails beside a bare GMime loop
// over the same file, chats over HTTPS in batches of 512 beside the archive's sealing of the same messages.
//
// Usage: bench_intake FOLDER MBOX NDJSON ROUNDS     prints "name value" lines: seconds, ratios of each round's pair
// (best and median), milliseconds of a batch at half of the load that was reached, MiB of memory at the most.
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/HTTPSClientSession.h>
#include <Poco/StreamCopier.h>
#include <gmime/gmime.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <sstream>
#include <thread>

#include "tests/bench/place.h"
#include "vault/retention.h"
#include "web/server.h"

using namespace kustos;
using namespace kustos::bench;

namespace {

constexpr std::size_t kBatch = 512;

// --- mails ---

std::uint64_t gmime_loop(const Path& file) {
    GMimeStream* stream = g_mime_stream_file_open(file.c_str(), "r", nullptr);
    CHECK(stream != nullptr);
    GMimeParser* parser = g_mime_parser_new_with_stream(stream);
    g_object_unref(stream);
    g_mime_parser_set_format(parser, GMIME_FORMAT_MBOX);
    std::uint64_t count = 0;
    while (g_mime_parser_eos(parser) == 0) {
        GMimeMessage* message = g_mime_parser_construct_message(parser, nullptr);
        if (message == nullptr) break;
        ++count;
        g_object_unref(message);
    }
    g_object_unref(parser);
    return count;
}

void print_ratios(const char* name, std::vector<double> ratios) {
    std::sort(ratios.begin(), ratios.end());
    std::printf("%s_ratio %.3f\n%s_median %.3f\n", name, ratios.front(), name, ratios[ratios.size() / 2]);
}

void mails(const Path& folder, const Path& mbox, int rounds) {
    std::vector<double> ratios;
    double ours = 1e9, bare = 1e9, cpu = 1e9;
    std::uint64_t count = 0;
    for (int round = 0; round < rounds; ++round) {
        Place place(folder);
        need(place.house->archive().add_source("mails", "import", vault::kDefaultClass));
        const double before = seconds_of([&] { gmime_loop(mbox); });
        const double cpu_before = cpu_seconds();
        const double took =
            seconds_of([&] { count = need(place.house->import_paths("mails", "mbox", {mbox})).messages; });
        cpu = std::min(cpu, cpu_seconds() - cpu_before);
        const double after = seconds_of([&] { gmime_loop(mbox); });
        ratios.push_back(took / ((before + after) / 2));
        ours = std::min(ours, took);
        bare = std::min({bare, before, after});
    }
    std::printf("mails %llu\nmails_seconds %.3f\nmails_bare %.3f\nmails_cpu %.3f\n",
                static_cast<unsigned long long>(count), ours, bare, cpu);
    print_ratios("mails", ratios);
}

// --- chats ---

struct Batches {
    std::vector<std::string> bodies;
    std::size_t lines = 0;
};

Batches batches_of(const Path& ndjson) {
    Batches out;
    std::ifstream in(ndjson);
    for (std::string line; std::getline(in, line); ++out.lines) {
        if (out.lines % kBatch == 0) out.bodies.emplace_back();
        out.bodies.back() += line + "\n";
    }
    return out;
}

std::vector<ingest::PortItem> items_of(const std::string& body) {
    std::vector<ingest::PortItem> items;
    std::istringstream lines(body);
    for (std::string line; std::getline(lines, line);) {
        ingest::ParsedItem parsed = ingest::parse_stream_line(as_bytes(line));
        ingest::PortItem item;
        item.dedupe_identity = ingest::dedupe_identity(parsed.message, parsed.update_type);
        item.message = std::move(parsed.message);
        items.push_back(std::move(item));
    }
    return items;
}

// The archive's sealing, of messages that are in memory.
double sealing(const Path& folder, const Batches& batches) {
    Place place(folder);
    const auto source = need(place.house->archive().add_source("chats", "import", vault::kDefaultClass));
    app::SourceDoor door = place.house->door_of(source.id);
    std::vector<std::vector<ingest::PortItem>> items;
    for (const std::string& body : batches.bodies) items.push_back(items_of(body));
    return seconds_of([&] {
        for (auto& batch : items) need(door.seal(std::move(batch)));
    });
}

class Client {
public:
    Client(const web::Server& server, const Path& certificate, std::string token) : token_(std::move(token)) {
        Poco::Net::Context::Params tls;
        tls.caLocation = certificate.string();
        tls.verificationMode = Poco::Net::Context::VERIFY_RELAXED;
        tls.loadDefaultCAs = false;
        session_ = std::make_unique<Poco::Net::HTTPSClientSession>(
            "127.0.0.1", server.port(),
            Poco::Net::Context::Ptr(new Poco::Net::Context(Poco::Net::Context::TLS_CLIENT_USE, tls)));
        session_->setKeepAlive(true);
    }
    void push(const std::string& body, const std::string& key) {
        Poco::Net::HTTPRequest request("POST", "/api/v1/ingest/live", Poco::Net::HTTPMessage::HTTP_1_1);
        request.setContentType("application/x-ndjson");
        request.set("Authorization", "Bearer " + token_);
        request.set("Idempotency-Key", key);
        request.setContentLength64(static_cast<Poco::Int64>(body.size()));
        request.setKeepAlive(true);
        session_->sendRequest(request) << body;
        Poco::Net::HTTPResponse response;
        std::string answer;
        Poco::StreamCopier::copyToString(session_->receiveResponse(response), answer);
        if (response.getStatus() != 200) {
            std::fprintf(stderr, "a push was answered %d\n", static_cast<int>(response.getStatus()));
            std::exit(1);
        }
    }

private:
    std::string token_;
    std::unique_ptr<Poco::Net::HTTPSClientSession> session_;
};

struct Live {
    Place place;
    std::string token;
    std::unique_ptr<web::Server> server;
    explicit Live(const Path& folder) : place(folder) {
        const auto source = need(place.house->archive().add_source("live", "http", vault::kDefaultClass));
        token = need(place.house->issue_token(source.id, "bench"));
        web::ServerOptions options;
        options.port = 0;
        options.tls_dir = place.folder / "tls";
        server = need(web::Server::start({place.fs, place.clock, place.random}, *place.house, options));
    }
    ~Live() { server->stop(); }
    Path certificate() const { return place.folder / "tls" / "server.crt"; }
};

// Two senders, as fast as there are answers.
double pushing(const Path& folder, const Batches& batches) {
    Live live(folder);
    std::atomic<std::size_t> next = 0;
    return seconds_of([&] {
        std::vector<std::thread> senders;
        for (int n = 0; n < 2; ++n)
            senders.emplace_back([&] {
                Client client(*live.server, live.certificate(), live.token);
                for (std::size_t i = next++; i < batches.bodies.size(); i = next++)
                    client.push(batches.bodies[i], std::to_string(i));
            });
        for (std::thread& sender : senders) sender.join();
    });
}

// Batches begin at a fixed pace, half of what was reached, whether or not the one before is answered.
void half_load(const Path& folder, const Batches& batches, double per_second) {
    Live live(folder);
    std::vector<double> waits(batches.bodies.size());
    std::atomic<std::size_t> next = 0;
    const double start = now() + 0.1;
    std::vector<std::thread> senders;
    for (int n = 0; n < 6; ++n)
        senders.emplace_back([&] {
            Client client(*live.server, live.certificate(), live.token);
            for (std::size_t i = next++; i < waits.size(); i = next++) {
                const double due = start + static_cast<double>(i) / per_second;
                std::this_thread::sleep_for(std::chrono::duration<double>(std::max(0.0, due - now())));
                client.push(batches.bodies[i], std::to_string(i));
                waits[i] = (now() - due) * 1000;
            }
        });
    for (std::thread& sender : senders) sender.join();
    std::sort(waits.begin(), waits.end());
    const double p50 = waits[waits.size() / 2], p95 = waits[waits.size() * 95 / 100];
    std::printf("push_p50 %.2f\npush_p95 %.2f\npush_wait_ratio %.2f\n", p50, p95, p95 / p50);
}

void chats(const Path& folder, const Batches& batches, int rounds) {
    std::vector<double> ratios;
    double ours = 1e9, bare = 1e9;
    for (int round = 0; round < rounds; ++round) {
        const double before = sealing(folder, batches);
        const double took = pushing(folder, batches);
        const double after = sealing(folder, batches);
        ratios.push_back(took / ((before + after) / 2));
        ours = std::min(ours, took);
        bare = std::min({bare, before, after});
    }
    std::printf("chats %zu\npush_seconds %.3f\npush_bare %.3f\n", batches.lines, ours, bare);
    print_ratios("push", ratios);
    half_load(folder, batches, static_cast<double>(batches.bodies.size()) / ours / 2);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 5) {
        std::fprintf(stderr, "usage: bench_intake FOLDER MBOX NDJSON ROUNDS\n");
        return 2;
    }
    g_mime_init();
    Poco::Net::initializeSSL();
    const int rounds = std::max(1, std::atoi(argv[4]));
    mails(argv[1], argv[2], rounds);
    std::printf("mails_mib %.0f\n", peak_mib());
    chats(argv[1], batches_of(argv[3]), rounds);
    std::printf("push_mib %.0f\n", peak_mib());
    return 0;
}
