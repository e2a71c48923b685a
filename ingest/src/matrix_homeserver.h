// What is asked of a homeserver (Matrix specification 1.13, client-server API): media, a room's history, one's rooms.
//
// Errors: Code::not_found: it has no such thing, or will not give it (404, 403, a redirect), ever; Code::limit: larger
// than allowed; Code::bad_input: its answer is not what the specification says; Code::environment: later (it can't be
// reached, it is busy, it does not know us). Threads: safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"
#include "base/spool.h"

namespace kustos::ingest {

struct MatrixPage {
    std::vector<Bytes> events;  // newest first, each as its exact bytes
    std::string end;            // where the next page begins; empty: the room's beginning is reached
};

class MatrixHomeserver {
public:
    virtual ~MatrixHomeserver() = default;
    // mxc: "mxc://server/id", as parse_matrix_event() has checked it. Fetched from the homeserver whatever the server.
    virtual Status media(std::string_view mxc, const ByteSink& out) = 0;
    // Backwards from `from` (empty: from now), at most 100. as_user: a local user whose eyes it is seen with; empty:
    // the application service's own.
    virtual Result<MatrixPage> messages(std::string_view room, std::string_view as_user, std::string_view from) = 0;
    virtual Result<std::vector<std::string>> joined_rooms() = 0;
};

struct MatrixHomeserverOptions {
    std::string url;      // "https://matrix.amt.example"; http only where it is meant
    std::string ca_file;  // https: trusted certificates, PEM; empty: the system's
    SecretBytes as_token;
    std::int64_t answer_ms = 20'000;     // until an answer begins, and for each piece of it
    std::int64_t whole_ms = 120'000;     // for all of it
    std::uint64_t max_page = 32u << 20;  // bytes of an answer that is no media
};
// No redirect is followed, no proxy asked, and never another host than the URL's. Code::usage: the URL.
Result<std::unique_ptr<MatrixHomeserver>> connect_homeserver(MatrixHomeserverOptions options);

// Of /messages. Code::bad_input.
Result<MatrixPage> parse_matrix_page(std::string_view json);
std::string matrix_percent_encode(std::string_view text);

}  // namespace kustos::ingest
