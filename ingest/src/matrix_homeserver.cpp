#include "ingest/src/matrix_homeserver.h"

#include <Poco/Exception.h>
#include <Poco/URI.h>

#include "ingest/src/http_get.h"
#include "ingest/src/json_scan.h"
#include "ingest/src/json_value.h"

namespace kustos::ingest {

namespace {

constexpr std::size_t kMaxRooms = 100'000;

Error later(const char* what) {
    return Error(Code::environment, std::string("the homeserver ") + what);
}

Status check_status(int status) {
    if (status == 200) return {};
    // 401: it does not know our token, which somebody will put right. 429 and 5xx: it says so itself.
    if (status == 401) return later("does not know the as_token");
    if (status == 429 || status >= 500) return later("is busy");
    return Error(Code::not_found, "the homeserver does not give it");
}

class PocoHomeserver final : public MatrixHomeserver {
public:
    PocoHomeserver(MatrixHomeserverOptions options, Poco::URI uri)
        : options_(std::move(options)), uri_(std::move(uri)) {}

    Status media(std::string_view mxc, const ByteSink& out) override {
        const std::string_view rest = mxc.substr(std::string_view("mxc://").size());
        const std::size_t slash = rest.find('/');
        return get("/_matrix/client/v1/media/download/" + matrix_percent_encode(rest.substr(0, slash)) + "/" +
                       matrix_percent_encode(rest.substr(slash + 1)),
                   out);
    }

    Result<MatrixPage> messages(std::string_view room, std::string_view as_user, std::string_view from) override {
        std::string target = "/_matrix/client/v3/rooms/" + matrix_percent_encode(room) + "/messages?dir=b&limit=100";
        if (!from.empty()) target += "&from=" + matrix_percent_encode(from);
        if (!as_user.empty()) target += "&user_id=" + matrix_percent_encode(as_user);
        return parse_matrix_page(TRY(get_text(target)));
    }

    Result<std::vector<std::string>> joined_rooms() override {
        const std::string text = TRY(get_text("/_matrix/client/v3/joined_rooms"));
        JsonParser parser;
        if (!parser.parse(as_bytes(text)).empty() || !parser.root()["joined_rooms"].is_array())
            return Error(Code::bad_input, "the homeserver's list of rooms can't be read");
        std::vector<std::string> out;
        for (const JsonValue& room : parser.root()["joined_rooms"].items())
            if (room.is_text() && out.size() < kMaxRooms) out.emplace_back(room.text());
        return out;
    }

private:
    Result<std::string> get_text(const std::string& target) {
        std::string out;
        TRY(get(target, [&](ByteView piece) -> Status {
            if (out.size() + piece.size() > options_.max_page)
                return Error(Code::limit, "the homeserver's answer is too large");
            out += as_text(piece);
            return {};
        }));
        return out;
    }

    Status get(const std::string& target, const ByteSink& out) {
        HttpPlace place;
        place.tls = uri_.getScheme() == "https";
        place.host = uri_.getHost();
        place.port = uri_.getPort();
        place.target = uri_.getPath();
        while (!place.target.empty() && place.target.back() == '/') place.target.pop_back();
        place.target += target;
        place.authorization = "Bearer " + to_text(options_.as_token.view());
        place.ca_file = options_.ca_file;
        place.who = "the homeserver";
        place.answer_ms = options_.answer_ms;
        place.whole_ms = options_.whole_ms;
        return check_status(TRY(http_get(place, out)));
    }

    MatrixHomeserverOptions options_;
    Poco::URI uri_;
};

}  // namespace

std::string matrix_percent_encode(std::string_view text) {
    constexpr char kDigits[] = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                           c == '.' || c == '_' || c == '~';
        if (plain) {
            out += c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            out += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
        }
    }
    return out;
}

Result<MatrixPage> parse_matrix_page(std::string_view json) {
    const std::string_view chunk = json_member(json, "chunk");
    if (chunk.empty() || chunk.front() != '[')
        return Error(Code::bad_input, "the homeserver's page of a room can't be read");
    MatrixPage out;
    for (const std::string_view event : json_elements(chunk)) out.events.push_back(to_bytes(event));
    if (const std::string_view end = json_member(json, "end"); !end.empty()) {
        JsonParser parser;
        if (parser.parse(as_bytes(end)).empty()) out.end = std::string(parser.root().text());
    }
    return out;
}

Result<std::unique_ptr<MatrixHomeserver>> connect_homeserver(MatrixHomeserverOptions options) {
    try {
        Poco::URI uri(options.url);
        const bool known = uri.getScheme() == "http" || uri.getScheme() == "https";
        if (!known || uri.getHost().empty() || !uri.getUserInfo().empty() || !uri.getQuery().empty())
            return Error(Code::usage, "homeserver is not an address as https://host[:port]");
        return std::unique_ptr<MatrixHomeserver>(std::make_unique<PocoHomeserver>(std::move(options), std::move(uri)));
    } catch (const Poco::Exception&) {
        return Error(Code::usage, "homeserver is not an address as https://host[:port]");
    }
}

}  // namespace kustos::ingest
