#include "audit/completeness.h"

#include <algorithm>

namespace kustos::audit {

namespace {

constexpr std::size_t kMostCounts = 200;
constexpr std::string_view kPushes = "http";  // whose heartbeats say what it has sent

Result<std::map<std::string, std::uint64_t>> decode_counts(ByteView bytes) {
    std::map<std::string, std::uint64_t> out;
    for (ByteReader in(bytes); !in.at_end();) {
        const std::size_t length = TRY(in.u8());
        std::string code = to_text(TRY(in.take(length)));
        out[std::move(code)] = TRY(in.u64());
        if (out.size() > kMostCounts) return Error(Code::bad_input, "a tally has too many rows");
    }
    return out;
}

Error malformed() {
    return Error(Code::bad_input, "an entry of the source is malformed");
}

std::uint64_t less(std::uint64_t from, std::uint64_t taken) {
    return from > taken ? from - taken : 0;
}

}  // namespace

std::uint64_t Completeness::count(const std::string& code) const {
    const auto found = counts.find(code);
    return found == counts.end() ? 0 : found->second;
}

bool CompletenessBook::concerns(const Entry& entry) const {
    const auto action = control_action(entry);
    return action == ControlAction::source_added || action == ControlAction::finding ||
           action == ControlAction::finding_resolved || action == ControlAction::profile_set ||
           action == ControlAction::promise_made || action == ControlAction::source_counted ||
           action == ControlAction::source_heartbeat;
}

Status CompletenessBook::take(EntryIndex index, const Entry& entry) {
    if (!concerns(entry)) return {};
    const ControlAction action = *control_action(entry);
    const BodyReader body = TRY(BodyReader::parse(entry.body));
    const bool introduces = action == ControlAction::source_added;
    if (introduces ? index.value != source_.value : body.find_u64(Tag::entry) != source_.value) return {};
    const auto time = body.find_time(Tag::time);
    if (!time) return malformed();
    if (action == ControlAction::source_counted) return take_count(index, *time, body);
    if (*time >= end_ && !introduces) return {};
    const Hash about = body.find_hash(Tag::related_hash).value_or(Hash{});
    switch (action) {
        case ControlAction::source_added: {
            const auto name = body.find_text(Tag::name), kind = body.find_text(Tag::source_kind);
            if (!name || !kind) return malformed();
            added_ = {index, *name, *kind, *time};
            return {};
        }
        case ControlAction::finding: {
            const auto code = body.find_text(Tag::code);
            if (!code) return {};  // names nothing
            findings_.push_back({{index, *code, body.find_u64(Tag::count).value_or(1), *time, {}, {}}, about});
            return {};
        }
        case ControlAction::finding_resolved:
            resolve(index, *time, body);
            return {};
        case ControlAction::profile_set: {
            const auto version = body.find_u32(Tag::version);
            if (!version) return malformed();
            if (*time < begin_) profiles_.clear();
            profiles_.push_back({index, *time});
            profile_version_ = *version;
            return {};
        }
        default: {
            const auto promised = body.find_u64(Tag::count), sealed = body.find_u64(Tag::total);
            if (!promised || !sealed) return malformed();
            const bool heartbeat = action == ControlAction::source_heartbeat;
            if (heartbeat && *time >= begin_) heard_.push_back({index, *time});
            if (!heartbeat || (added_ && added_->kind == kPushes))
                promises_[about] = {index, *time, *promised, *sealed};
            return {};
        }
    }
}

Status CompletenessBook::take_count(EntryIndex index, UtcTime time, const BodyReader& body) {
    const bool before = time <= begin_;
    if (!before && last_ && last_->time >= end_) return {};
    Count count{index, time, 0, {}};
    const auto total = body.find_u64(Tag::total);
    if (!total) return malformed();
    count.records = *total;
    if (const auto rows = body.find_bytes(Tag::tally)) count.counts = TRY(decode_counts(*rows));
    if (before) before_ = count;
    if (!before) last_ = std::move(count);
    return {};
}

// As vault::SourceBook does.
void CompletenessBook::resolve(EntryIndex index, UtcTime time, const BodyReader& body) {
    const auto which = body.find_u64(Tag::finding);
    const auto code = body.find_text(Tag::code);
    const Hash about = body.find_hash(Tag::related_hash).value_or(Hash{});
    for (Finding& f : findings_) {
        const bool meant = which ? f.what.entry.value == *which : code == f.what.code && f.about == about;
        if (!meant || f.what.resolved) continue;
        f.what.resolved = time;
        f.what.resolved_by = index;
    }
}

Result<Completeness> CompletenessBook::judge() const {
    if (!added_) return Error(Code::not_found, "the source was not introduced");
    if (!last_) return Error(Code::not_found, "nothing was counted since the period began");
    Completeness out;
    out.name = added_->name;
    out.kind = added_->kind;
    out.added = added_->time;
    out.begin = begin_;
    out.end = end_;
    out.entries.push_back(added_->entry);
    judge_counts(out);
    judge_promises(out);
    judge_heartbeats(out);
    judge_findings(out);
    out.profile_version = profile_version_;
    for (const Heard& p : profiles_) {
        out.entries.push_back(p.entry);
        out.profile_changes += p.time >= begin_ ? 1 : 0;
    }
    const bool gaps = out.open != 0 || out.missing != 0 || out.count("attachment-missing") != 0;
    out.verdict = gaps ? "gaps" : out.parts_in_period != 0 ? "complete" : "no_promise";
    std::sort(out.entries.begin(), out.entries.end());
    out.entries.erase(std::unique(out.entries.begin(), out.entries.end()), out.entries.end());
    return out;
}

void CompletenessBook::judge_counts(Completeness& out) const {
    out.counted_from = before_ ? before_->time : out.added;
    out.counted_until = last_->time;
    out.records = less(last_->records, before_ ? before_->records : 0);
    for (const auto& [code, n] : last_->counts) {
        std::uint64_t earlier = 0;
        if (before_)
            if (const auto found = before_->counts.find(code); found != before_->counts.end()) earlier = found->second;
        if (n > earlier) out.counts[code] = n - earlier;
    }
    if (before_) out.entries.push_back(before_->entry);
    out.entries.push_back(last_->entry);
}

// An old promise that was met says nothing of this period; one that was not is still a gap.
void CompletenessBook::judge_promises(Completeness& out) const {
    for (const auto& [part, p] : promises_) {
        const std::uint64_t missing = less(p.promised, p.sealed);
        const bool in_period = p.time >= begin_;
        if (!in_period && missing == 0) continue;
        ++out.parts;
        out.parts_in_period += in_period ? 1 : 0;
        out.promised += p.promised;
        out.promise_sealed += p.sealed;
        out.missing += missing;
        out.parts_short += missing != 0 ? 1 : 0;
        if (!out.last_promise || p.time > *out.last_promise) out.last_promise = p.time;
        out.entries.push_back(p.entry);
    }
}

void CompletenessBook::judge_heartbeats(Completeness& out) const {
    const UtcTime from = std::max(begin_, out.added), until = std::min(end_, out.counted_until);
    out.silent_from = from;
    UtcTime last = from;
    const auto gap = [&](UtcTime next) {
        if (next.ms - last.ms > out.silence_ms) {
            out.silence_ms = next.ms - last.ms;
            out.silent_from = last;
        }
        last = std::max(last, next);
    };
    for (const Heard& h : heard_) {
        ++out.heartbeats;
        if (!out.first_heartbeat) out.first_heartbeat = h.time;
        out.last_heartbeat = h.time;
        gap(h.time);
        out.entries.push_back(h.entry);
    }
    gap(until);
}

void CompletenessBook::judge_findings(Completeness& out) const {
    for (const Finding& f : findings_) {
        if (f.what.resolved && *f.what.resolved < begin_) continue;
        out.findings.push_back(f.what);
        out.opened += f.what.found >= begin_ ? 1 : 0;
        out.resolved += f.what.resolved ? 1 : 0;
        out.open += f.what.resolved ? 0 : 1;
        out.entries.push_back(f.what.entry);
        if (f.what.resolved_by) out.entries.push_back(*f.what.resolved_by);
    }
}

}  // namespace kustos::audit
