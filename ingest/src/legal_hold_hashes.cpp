#include "ingest/src/legal_hold_hashes.h"

#include "base/text.h"
#include "ingest/src/hmac_sha512.h"
#include "ingest/src/json_value.h"

namespace kustos::ingest {

namespace {

constexpr std::uint64_t kMaxHashes = 64u << 20;

// hashes.json names files as the plugin's store does ("legal_hold/x_y/channel/..."); a zip may start deeper or less
// deep. The longest common ending decides, and only whole parts of a path count.
std::string find_named(const Container& container, const std::string& base, std::string_view named) {
    if (container.find(named)) return std::string(named);
    for (std::string_view rest = named;;) {
        const std::string below = base + std::string(rest);
        if (container.find(below)) return below;
        const std::size_t slash = rest.find('/');
        if (slash == std::string_view::npos) return {};
        rest.remove_prefix(slash + 1);
    }
}

bool is_right(ContainerReader& reader, const std::string& path, ByteView secret, std::string_view hex_sum) {
    HmacSha512 mac(secret);
    const Status read = reader.pass(path, [&mac](ByteView piece) {
        mac.update(piece);
        return ok_status();
    });
    const auto wanted = parse_hex(hex_sum);
    const Bytes sum = mac.finish();
    return read.ok() && wanted.ok() && equal(*wanted, sum);
}

}  // namespace

std::map<std::string, Origin, std::less<>> check_legal_hold(ContainerReader& reader, const std::string& base,
                                                            ByteView secret, ItemSink& sink) {
    std::map<std::string, Origin, std::less<>> out;
    const std::string name = base + "hashes.json";
    const auto text = reader.take(name, kMaxHashes);
    if (text) reader.give_back(name);  // evidence of its own
    if (!text || secret.empty()) {
        sink.finding(text ? "legal-hold:origin-unchecked" : "legal-hold:no-hashes");
        return out;
    }
    JsonParser parser;
    if (!parser.parse(*text).empty() || !parser.root().is_object()) {
        sink.finding("legal-hold:hashes-unreadable");
        return out;
    }
    for (const auto& [path, member] : reader.container().members())
        if (path != name) out[path] = Origin::unnamed;
    for (const auto& [named, sum] : parser.root().members()) {
        const std::string path = find_named(reader.container(), base, named);
        if (path.empty() || path == name) {
            sink.finding("legal-hold:named-file-missing");
            continue;
        }
        out[path] = is_right(reader, path, secret, sum.text()) ? Origin::proven : Origin::wrong;
    }
    for (const auto& [path, origin] : out) {
        if (origin == Origin::wrong) sink.finding("legal-hold:hmac-wrong");
        if (origin == Origin::unnamed) sink.finding("legal-hold:hmac-unnamed");
    }
    return out;
}

}  // namespace kustos::ingest
