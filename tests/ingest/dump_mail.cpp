// Prints what parse_mail() made of each file named on standard input, as one JSON line each, for manifest_table.py.
#include <iostream>
#include <nlohmann/json.hpp>

#include "base/crypto.h"
#include "base/fs.h"
#include "ingest/format.h"

namespace {

using kustos::vault::Role;

nlohmann::json person(const kustos::vault::Person& p) {
    return {{"name", p.name}, {"address", p.address}};
}

nlohmann::json describe(kustos::Bytes raw, int depth = 20) {
    const kustos::Bytes before = raw;
    const auto message = kustos::ingest::parse_mail(std::move(raw)).message;
    nlohmann::json j = {{"kind", static_cast<int>(message.kind)},
                        {"subject", message.subject},
                        {"id", message.native_id},
                        {"from", person(message.sender)},
                        {"to", nlohmann::json::array()},
                        {"cc", nlohmann::json::array()},
                        {"attachments", nlohmann::json::array()},
                        {"notes", message.notes},
                        {"body", message.body},
                        {"html", message.body_html.size()},
                        {"raw_exact", message.raw == before}};
    if (message.sent_at) j["date_ms"] = message.sent_at->ms;
    for (const auto& r : message.recipients)
        if (r.role == Role::to || r.role == Role::cc) j[r.role == Role::to ? "to" : "cc"].push_back(person(r.person));
    for (const auto& a : message.attachments) {
        nlohmann::json one = {{"name", a.name},
                              {"type", a.media_type},
                              {"size", a.content.size()},
                              {"sha256", kustos::sha256(a.content).hex()}};
        if (a.in_raw) {
            one["encoding"] = static_cast<int>(a.in_raw->encoding);
            one["span"] = {a.in_raw->offset, a.in_raw->length};
        }
        if (a.media_type == "message/rfc822" && depth > 0) one["inner"] = describe(a.content, depth - 1);
        j["attachments"].push_back(std::move(one));
    }
    return j;
}

}  // namespace

int main() {
    kustos::RealFs fs;
    std::string line;
    while (std::getline(std::cin, line)) {
        auto bytes = kustos::read_file(fs, line, 256u << 20);
        if (!bytes) return 1;
        std::cout << describe(std::move(bytes).value()).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)
                  << '\n';
    }
    return 0;
}
