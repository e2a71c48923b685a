#include "vault/capture_profile.h"

#include <algorithm>

namespace kustos::vault {

namespace {

using Who = AssignmentRule::Who;

constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kReadReceipts = 1, kPresence = 2, kTyping = 4, kLocation = 8;

bool has(const std::vector<Hash>& sorted, const Hash& hash) {
    return std::binary_search(sorted.begin(), sorted.end(), hash);
}

bool names_room(const std::vector<Hash>& rooms, const Message& message, const RuleMac& mac) {
    if (rooms.empty()) return false;
    for (const std::string* name : {&message.conversation.id, &message.conversation.title})
        if (!name->empty() && has(rooms, mac(rule_identity(Who::conversation, *name)))) return true;
    return false;
}

bool names_person(const std::vector<Hash>& persons, const Message& message, const RuleMac& mac) {
    if (persons.empty()) return false;
    const auto one = [&](const Person& person) {
        for (const std::string* name : {&person.address, &person.id})
            if (!name->empty() && has(persons, mac(rule_identity(Who::participant, *name)))) return true;
        return false;
    };
    if (one(message.sender)) return true;
    return std::any_of(message.recipients.begin(), message.recipients.end(),
                       [&](const Recipient& r) { return one(r.person); });
}

bool has_note(const Message& message, std::string_view event) {
    return std::any_of(message.notes.begin(), message.notes.end(), [&](std::string_view note) {
        return note.substr(0, kEventNote.size()) == kEventNote && note.substr(kEventNote.size()) == event;
    });
}

void put_list(Bytes& out, const std::vector<Hash>& list) {
    put_u16(out, static_cast<std::uint16_t>(list.size()));
    for (const Hash& hash : list) put(out, hash.view());
}

Result<std::vector<Hash>> take_list(ByteReader& in) {
    const std::size_t count = TRY(in.u16());
    if (count > kMaxProfileNames) return Error(Code::bad_input, "a capture profile names too many");
    std::vector<Hash> out;
    for (std::size_t i = 0; i < count; ++i) out.push_back(TRY(Hash::from(TRY(in.take(Hash::kSize)))));
    if (!std::is_sorted(out.begin(), out.end())) return Error(Code::bad_input, "a capture profile is not in order");
    return out;
}

}  // namespace

Bytes encode(const CaptureProfile& profile) {
    Bytes out;
    put_u8(out, kVersion);
    put_u32(out, profile.kinds_out);
    put_u8(out,
           static_cast<std::uint8_t>((profile.read_receipts ? kReadReceipts : 0) | (profile.presence ? kPresence : 0) |
                                     (profile.typing ? kTyping : 0) | (profile.location ? kLocation : 0)));
    for (const auto* list : {&profile.rooms_in, &profile.rooms_out, &profile.persons_in, &profile.persons_out})
        put_list(out, *list);
    return out;
}

Result<CaptureProfile> decode_profile(ByteView bytes) {
    ByteReader in(bytes);
    if (TRY(in.u8()) != kVersion) return Error(Code::bad_input, "a capture profile of a later version");
    CaptureProfile out;
    out.kinds_out = TRY(in.u32());
    const std::uint8_t flags = TRY(in.u8());
    if (flags > 15) return Error(Code::bad_input, "a capture profile has flags that nobody knows");
    out.read_receipts = (flags & kReadReceipts) != 0;
    out.presence = (flags & kPresence) != 0;
    out.typing = (flags & kTyping) != 0;
    out.location = (flags & kLocation) != 0;
    for (auto* list : {&out.rooms_in, &out.rooms_out, &out.persons_in, &out.persons_out}) *list = TRY(take_list(in));
    if (!in.at_end()) return Error(Code::bad_input, "a capture profile is too long");
    return out;
}

std::optional<std::string_view> left_out(const CaptureProfile& profile, const Message& message, const RuleMac& mac) {
    if (message.kind == MessageKind::unreadable) return std::nullopt;
    if (!profile.read_receipts && has_note(message, "read-receipt")) return "read-receipt";
    if (!profile.presence && has_note(message, "presence")) return "presence";
    if (!profile.typing && has_note(message, "typing")) return "typing";
    if (!profile.location && has_note(message, "location")) return "location";
    if (profile.leaves_out(message.kind)) return "kind";
    if (names_room(profile.rooms_out, message, mac)) return "room";
    if (!profile.rooms_in.empty() && !names_room(profile.rooms_in, message, mac)) return "room";
    if (names_person(profile.persons_out, message, mac)) return "person";
    if (!profile.persons_in.empty() && !names_person(profile.persons_in, message, mac)) return "person";
    return std::nullopt;
}

}  // namespace kustos::vault
