#include "ingest/src/chat_fields.h"

#include <algorithm>
#include <charconv>

#include "base/crypto.h"
#include "base/text.h"
#include "ingest/src/local_time.h"
#include "ingest/src/mail_header.h"
#include "ingest/src/media_type.h"

namespace kustos::ingest {

std::optional<UtcTime> epoch_ms(std::int64_t ms) {
    constexpr std::int64_t kYear10000 = 253'402'300'800'000;
    if (ms <= 0 || ms >= kYear10000) return std::nullopt;
    return UtcTime{ms};
}

std::optional<UtcTime> epoch_ms(std::string_view digits) {
    std::int64_t ms = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), ms);
    if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    return epoch_ms(ms);
}

std::optional<UtcTime> epoch_any(std::int64_t number) {
    constexpr std::int64_t kSeconds = 100'000'000'000;
    return number > 0 && number < kSeconds ? epoch_ms(number * 1000) : epoch_ms(number);
}

UtcTime time_in_zone(UtcTime reading, const ReadContext& context, vault::Message& message) {
    const auto known = context.time_zone.empty() ? std::nullopt : local_to_utc(reading, context.time_zone);
    if (!known) add_note(message, "time-zone-unknown");
    return known.value_or(reading);
}

std::optional<UtcTime> clock_time(std::string_view text) {
    std::string iso(trim(text));
    if (iso.size() > 10 && iso[2] == '.' && iso[5] == '.')  // 01.03.2024
        iso = iso.substr(6, 4) + "-" + iso.substr(3, 2) + "-" + iso.substr(0, 2) + iso.substr(10);
    if (iso.size() > 11 && iso[10] == ',') iso.erase(10, 1);
    if (iso.size() < 16 || (iso[10] != ' ' && iso[10] != 'T')) return std::nullopt;
    iso[10] = 'T';
    if (iso.size() == 16) iso += ":00";
    const auto parsed = parse_rfc3339(iso + "Z");
    return parsed.ok() ? std::optional<UtcTime>(*parsed) : std::nullopt;
}

std::optional<std::uint64_t> iso_duration_ms(std::string_view text) {
    if (text.empty() || text.front() != 'P') return std::nullopt;
    text.remove_prefix(1);
    bool in_time = false, any = false;
    double ms = 0;
    while (!text.empty()) {
        if (text.front() == 'T' && !in_time) {
            in_time = true;
            text.remove_prefix(1);
            continue;
        }
        std::size_t size = 0;
        while (size < text.size() && ((text[size] >= '0' && text[size] <= '9') || text[size] == '.')) ++size;
        double number = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + size, number);
        if (size == 0 || size >= text.size() || error != std::errc() || end != text.data() + size) return std::nullopt;
        const char unit = text[size];
        const double factor = !in_time && unit == 'D'  ? 86'400'000.0
                              : in_time && unit == 'H' ? 3'600'000.0
                              : in_time && unit == 'M' ? 60'000.0
                              : in_time && unit == 'S' ? 1000.0
                                                       : 0.0;
        if (factor == 0.0) return std::nullopt;
        ms += number * factor;
        any = true;
        text.remove_prefix(size + 1);
    }
    constexpr double kMost = 1e14;  // some thousand years
    if (!any || ms > kMost) return std::nullopt;
    return static_cast<std::uint64_t>(ms + 0.5);
}

std::string made_id(std::initializer_list<std::string_view> parts) {
    constexpr std::size_t kDigits = 32;
    Bytes all;
    for (const std::string_view part : parts) {
        put_u64(all, part.size());
        put(all, part);
    }
    return sha256(all).hex().substr(0, kDigits);
}

std::string NthEqual::id(std::initializer_list<std::string_view> parts) {
    constexpr std::size_t kKey = 12;  // short enough to stay in the map's own strings
    const std::string content = made_id(parts);
    return made_id({content, std::to_string(++seen_[content.substr(0, kKey)])});
}

std::string clip(std::string_view text, const Limits& limits) {
    bool cut = false;
    return cut_utf8(repair_utf8(text), limits.text_value, cut);
}

std::string word_of(std::string_view text) {
    const auto fits = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
               c == '-';
    };
    constexpr std::size_t kLongest = 64;
    if (text.empty() || text.size() > kLongest || !std::all_of(text.begin(), text.end(), fits)) return "other";
    return std::string(text);
}

void add_note(vault::Message& message, std::string_view note) {
    if (std::find(message.notes.begin(), message.notes.end(), note) == message.notes.end())
        message.notes.emplace_back(note);
}

void put_body(std::string_view text, const Limits& limits, vault::Message& message) {
    std::string body = repair_utf8(text);
    if (body.size() <= limits.body) {
        message.body = std::move(body);
        return;
    }
    add_note(message, "limit:body");
    vault::Attachment rest;
    rest.media_type = "text/plain";
    rest.content = to_bytes(body);
    rest.size = rest.content.size();
    message.attachments.push_back(std::move(rest));
}

vault::Attachment named_file(std::string_view name, const Limits& limits) {
    vault::Attachment out;
    out.name = clip(name, limits);
    const std::size_t slash = out.name.find_last_of("/\\");
    if (slash != std::string::npos) out.name.erase(0, slash + 1);
    out.media_type = media_type_of_name(out.name);
    out.missing = true;
    return out;
}

std::string_view home_of(std::string_view user_id) {
    const std::size_t colon = user_id.find(':');
    return colon == std::string_view::npos ? std::string_view() : user_id.substr(colon + 1);
}

vault::ConversationType mattermost_channel_type(std::string_view word) {
    if (word == "direct" || word == "D") return vault::ConversationType::direct;
    if (word == "group" || word == "G") return vault::ConversationType::group;
    if (word == "public" || word == "private" || word == "O" || word == "P") return vault::ConversationType::channel;
    return vault::ConversationType::unknown;
}

Status seal_frame(Bytes frame, std::string_view format, const Limits& limits, ItemSink& sink) {
    const std::size_t piece = limits.quarantine_piece;
    for (std::size_t at = 0; at < frame.size(); at += piece) {
        ParsedItem item;
        item.message.kind = vault::MessageKind::file;
        item.message.format = std::string(format);
        item.message.notes = {"rest-of-export"};
        item.message.raw = to_bytes(ByteView(frame).subspan(at, std::min(piece, frame.size() - at)));
        item.source_bytes = item.message.raw.size();
        TRY(sink.item(std::move(item)));
    }
    return ok_status();
}

}  // namespace kustos::ingest
