// Who talks to the opener directly carries its entries to the archive: to the process that runs, or by opening it. The
// secret does not go that way.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "app/house.h"
#include "app/opener_commands.h"
#include "base/text.h"

namespace kustos::app {

using audit::ControlAction;
using nlohmann::json;

namespace {

// What somebody who may talk to the archive's socket can have appended like this.
constexpr ControlAction kCarried[] = {ControlAction::vault_unlocked, ControlAction::vault_locked,
                                      ControlAction::slots_changed};

Result<Bytes> given_bytes(const Call& c, const char* name) {
    const auto found = c.given.find(name);
    if (found == c.given.end() || found->second.empty()) return Bytes();
    return parse_hex(found->second.front());
}

// Carried out by the process that runs, or by opening the archive. Without a body: nothing is appended.
Result<json> note(Environment e, const Call& c, const Bytes& body, const std::optional<vault::Payload>& content) {
    Call note;
    note.command = "opener note";
    note.archive = c.archive;
    note.state = c.state;
    note.json = true;
    if (!body.empty()) note.given["body"] = {hex(body)};
    if (content) note.given["payload"] = {hex(vault::encode(*content))};
    std::ostringstream out, err;
    const int code = run_command(e, note, {out, err});
    const json said = json::parse(out.str(), nullptr, false);
    if (code != 0 || !said.is_object())
        return Error(Code::environment, "the archive did not store the entry: " + err.str().substr(0, 300))
            .with_hint("start kustos serve, or run this as a user who may open the archive");
    return said;
}

}  // namespace

// Opened once before anything is asked: what a crash left half done changes the opener, too, and it would rightly
// refuse what it was asked before that.
Result<vault::AppendControl> courier(Environment e, const Call& c) {
    TRY(note(e, c, {}, std::nullopt));
    return vault::AppendControl([e, c](Bytes body, std::optional<vault::Payload> content) -> Result<EntryIndex> {
        const json said = TRY(note(e, c, body, content));
        if (!said.contains("entry")) return Error(Code::environment, "the archive does not say which entry it stored");
        return EntryIndex(said.at("entry").get<std::uint64_t>());
    });
}

Result<int> opener_note(House& house, const Call& c, Streams s) {
    Bytes body = TRY(given_bytes(c, "body"));
    if (body.empty()) {
        s.out << json::object().dump() << "\n";
        return 0;
    }
    const Bytes payload = TRY(given_bytes(c, "payload"));
    const auto action = TRY(audit::BodyReader::parse(body)).find_u16(audit::Tag::action);
    const bool known = action && std::any_of(std::begin(kCarried), std::end(kCarried), [&](ControlAction carried) {
                           return static_cast<std::uint16_t>(carried) == *action;
                       });
    if (!known) return Error(Code::denied, "this is no entry of an opener");
    std::optional<vault::Payload> content;
    if (!payload.empty()) content = TRY(vault::decode_payload(payload));
    const EntryIndex entry = TRY(house.archive().append_control(std::move(body), std::move(content)));
    s.out << json{{"entry", entry.value}}.dump() << "\n";
    return 0;
}

}  // namespace kustos::app
