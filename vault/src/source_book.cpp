#include "vault/source_book.h"

#include <algorithm>

#include "vault/src/book_rows.h"

namespace kustos::vault {

using audit::BodyReader;
using audit::ControlAction;
using audit::Tag;

namespace {

constexpr std::size_t kMostFindings = 10'000, kMostTallies = 3'660, kMostHeard = 100'000;
constexpr std::int64_t kDay = 24 * 3600 * 1000;  // ms
constexpr std::size_t kMostCounts = 200;

template <class T>
void keep_last(std::vector<T>& list, std::size_t most) {
    if (list.size() > most) list.erase(list.begin());
}

void add_finding(SourceRecord& source, FindingInfo finding) {
    source.findings.push_back(std::move(finding));
    keep_last(source.findings, kMostFindings);
}

// The oldest open one of that code and subject, else (a person resolves one) the one whose entry is named.
void resolve(SourceRecord& source, std::string_view code, const Hash& about, std::optional<EntryIndex> which,
             UtcTime time) {
    for (FindingInfo& f : source.findings) {
        const bool meant = which ? f.entry == *which : f.code == code && f.about == about;
        if (meant && !f.resolved) f.resolved = time;
    }
}

void add_tally(SourceRecord& source, Tally tally) {
    if (!source.tallies.empty() && source.tallies.back().time.ms / kDay == tally.time.ms / kDay)
        source.tallies.pop_back();
    source.tallies.push_back(std::move(tally));
    keep_last(source.tallies, kMostTallies);
}

}  // namespace

Bytes encode_tally(const std::map<std::string, std::uint64_t>& counts) {
    Bytes out;
    for (const auto& [code, count] : counts) {
        CHECK(code.size() < 256);
        put_u8(out, static_cast<std::uint8_t>(code.size()));
        put(out, as_bytes(code));
        put_u64(out, count);
    }
    return out;
}

Result<std::map<std::string, std::uint64_t>> decode_tally(ByteView bytes) {
    std::map<std::string, std::uint64_t> out;
    for (ByteReader in(bytes); !in.at_end();) {
        const std::size_t length = TRY(in.u8());
        std::string code = to_text(TRY(in.take(length)));
        out[std::move(code)] = TRY(in.u64());
        if (out.size() > kMostCounts) return Error(Code::bad_input, "a tally has too many rows");
    }
    return out;
}

bool SourceBook::concerns(ControlAction action) {
    return PersonBook::concerns(action) || action == ControlAction::finding ||
           action == ControlAction::finding_resolved || action == ControlAction::profile_set ||
           action == ControlAction::promise_made || action == ControlAction::source_counted ||
           action == ControlAction::source_heartbeat;
}

Status SourceBook::apply(EntryIndex index, const audit::Entry& entry) {
    const auto action = audit::control_action(entry);
    if (!action || !concerns(*action)) return {};
    if (PersonBook::concerns(*action)) return persons_.apply(index, entry);
    const BodyReader body = TRY(BodyReader::parse(entry.body));
    const UtcTime time = TRY(needed(body.find_time(Tag::time), index));
    // A finding about the archive itself (a deep verification, a time stamp) names no source.
    const SourceId id(static_cast<std::uint32_t>(body.find_u64(Tag::entry).value_or(0)));
    SourceRecord& source = sources_[id];
    const Hash about = body.find_hash(Tag::related_hash).value_or(Hash{});
    switch (*action) {
        case ControlAction::finding:
            // One without a word says nothing that could be open.
            if (auto code = body.find_text(Tag::code))
                add_finding(source, {index, id, std::move(*code), body.find_u64(Tag::count).value_or(1), about, time,
                                     std::nullopt});
            return {};
        case ControlAction::finding_resolved: {
            const auto which = body.find_u64(Tag::finding);
            resolve(source, TRY(needed(body.find_text(Tag::code), index)), about,
                    which ? std::optional(EntryIndex(*which)) : std::nullopt, time);
            return {};
        }
        case ControlAction::profile_set: {
            const Bytes encoded = TRY(needed(body.find_bytes(Tag::profile), index));
            auto profile = decode_profile(encoded);
            if (!profile.ok()) return lacking(index);
            source.profile = std::move(*profile);
            source.profile.version = TRY(needed(body.find_u32(Tag::version), index));
            source.profile_entry = index;
            return {};
        }
        case ControlAction::promise_made:
            source.promises[about] = {index, time, TRY(needed(body.find_u64(Tag::count), index)),
                                      TRY(needed(body.find_u64(Tag::total), index))};
            return {};
        case ControlAction::source_counted: {
            Tally tally{index, time, TRY(needed(body.find_u64(Tag::total), index)), {}};
            if (const auto rows = body.find_bytes(Tag::tally)) {
                auto counts = decode_tally(*rows);
                if (!counts.ok()) return lacking(index);
                tally.counts = std::move(*counts);
            }
            add_tally(source, std::move(tally));
            return {};
        }
        default:
            source.heard.push_back(time);
            keep_last(source.heard, kMostHeard);
            return {};
    }
}

const SourceRecord& SourceBook::of(SourceId source) const {
    static const SourceRecord none;
    const auto found = sources_.find(source);
    return found == sources_.end() ? none : found->second;
}

}  // namespace kustos::vault
