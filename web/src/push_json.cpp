
#include <nlohmann/json.hpp>

#include "web/push_json.h"

namespace kustos::web {

using nlohmann::json;

std::string push_answer_json(const PushAnswer& answer) {
    json receipts = json::array();
    for (const PushReceipt& r : answer.receipts) {
        json item = {{"line", r.line}, {"duplicate", r.duplicate}, {"quarantined", r.quarantined}};
        if (r.left_out) {
            item["left_out"] = true;
        } else {
            item["entry"] = r.entry.value;
        }
        if (!r.duplicate && !r.left_out) {
            item["record"] = r.record.hex();
            item["leaf"] = r.leaf.hex();
        }
        receipts.push_back(std::move(item));
    }
    return json{{"receipts", std::move(receipts)},
                {"unknown_keys", answer.unknown_keys},
                {"checkpoint_size", answer.checkpoint_size.value},
                {"replayed", answer.replayed}}
        .dump();
}

Result<PushAnswer> parse_push_answer(std::string_view text) {
    const Error bad(Code::corrupt, "a remembered answer is damaged");
    const json j = json::parse(text, nullptr, false);
    if (!j.is_object() || !j.contains("receipts") || !j["receipts"].is_array()) return bad;
    PushAnswer answer;
    answer.unknown_keys = j.value("unknown_keys", std::uint64_t{0});
    answer.checkpoint_size = TreeSize(j.value("checkpoint_size", std::uint64_t{0}));
    for (const json& item : j["receipts"]) {
        if (!item.is_object()) return bad;
        PushReceipt r;
        r.line = item.value("line", std::uint64_t{0});
        r.entry = EntryIndex(item.value("entry", std::uint64_t{0}));
        r.duplicate = item.value("duplicate", false);
        r.quarantined = item.value("quarantined", false);
        r.left_out = item.value("left_out", false);
        if (!r.duplicate && !r.left_out) {
            r.record = TRY(RecordId::parse(item.value("record", "")));
            r.leaf = TRY(Hash::parse(item.value("leaf", "")));
        }
        answer.receipts.push_back(r);
    }
    return answer;
}

Result<std::uint64_t> parse_heartbeat(ByteView text) {
    const json j = json::parse(as_text(text), nullptr, false);
    if (!j.is_object() || !j.contains("sent") || !j["sent"].is_number_unsigned())
        return Error(Code::bad_input, "a heartbeat is {\"sent\": NUMBER}")
            .with_hint("NUMBER: how many different messages this source has sent since it was added");
    return j["sent"].get<std::uint64_t>();
}

std::string heartbeat_answer_json(const HeartbeatAnswer& answer) {
    return json{{"received", answer.received}, {"missing", answer.missing}}.dump();
}

std::string error_json(const Error& error) {
    json e = {{"code", std::string(code_name(error.code()))}, {"message", error.message()}};
    if (!error.hint().empty()) e["hint"] = error.hint();
    return json{{"error", std::move(e)}}.dump(-1, ' ', false, json::error_handler_t::replace);
}

int http_status(Code code) {
    switch (code) {
        case Code::usage:
        case Code::bad_input:
            return 400;
        case Code::denied:
            return 403;
        case Code::not_found:
            return 404;
        case Code::erased:
            return 410;
        case Code::conflict:
            return 409;
        case Code::limit:
            return 413;
        case Code::not_in_version:
            return 501;
        case Code::closed:
        case Code::overloaded:
        case Code::rolled_back:
        case Code::read_only:
        case Code::environment:
        case Code::interrupted:
            return 503;
        default:
            return 500;
    }
}

}  // namespace kustos::web
