// The text of docs/format/report.md, "Going on".
#include <charconv>
#include <sstream>

#include "audit/checkpoint.h"
#include "audit/entry.h"
#include "audit/tiles.h"
#include "audit/verify_archive.h"

namespace kustos::audit {

namespace {

constexpr std::string_view kFirstLine = "kustos-verified/1";
constexpr std::size_t kMostSources = 100'000;

Result<std::uint64_t> number(std::string_view text) {
    std::uint64_t n = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (error != std::errc() || end != text.data() + text.size() || text.empty() || (text.size() > 1 && text[0] == '0'))
        return Error(Code::bad_input, "not a number");
    return n;
}

Result<TimeLevel> level(std::string_view name) {
    for (const TimeLevel l : {TimeLevel::self, TimeLevel::independent, TimeLevel::qualified}) {
        if (time_name(l) == name) return l;
    }
    return Error(Code::bad_input, "not a level of time");
}

// Takes the lines one by one: name, then what stands behind it.
class Lines {
public:
    explicit Lines(std::string_view text) : text_(text) {}
    bool at_end() const { return text_.empty(); }
    Result<std::string_view> line() {
        const std::size_t end = text_.find('\n');
        if (end == std::string_view::npos) return Error(Code::bad_input, "a line without an end");
        const std::string_view line = text_.substr(0, end);
        text_.remove_prefix(end + 1);
        return line;
    }
    bool next_is(std::string_view name) const {
        return text_.size() > name.size() && text_.substr(0, name.size()) == name && text_[name.size()] == ' ';
    }
    Result<std::string_view> value(std::string_view name) {
        if (!next_is(name)) return Error(Code::bad_input, std::string(name) + " is missing");
        return TRY(line()).substr(name.size() + 1);
    }
    Result<std::uint64_t> number_of(std::string_view name) { return number(TRY(value(name))); }

private:
    std::string_view text_;
};

std::vector<std::string_view> words(std::string_view text) {
    std::vector<std::string_view> out;
    for (std::size_t at = 0; at <= text.size();) {
        const std::size_t end = std::min(text.find(' ', at), text.size());
        out.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return out;
}

Result<VerifiedState> parse_lines(Lines in) {
    VerifiedState s;
    if (TRY(in.line()) != kFirstLine) return Error(Code::bad_input, "not of this form");
    s.vkey = std::string(TRY(in.value("vkey")));
    TRY(VerifierKey::parse(s.vkey));
    s.trust = TRY(Hash::parse(TRY(in.value("trust"))));
    s.size = TreeSize(TRY(in.number_of("size")));
    s.root = TRY(Hash::parse(TRY(in.value("root"))));
    s.resume = TRY(in.number_of("resume"));
    s.segment = TRY(in.number_of("segment"));
    s.anchored = TreeSize(TRY(in.number_of("anchored")));
    if (in.next_is("time")) {
        const auto parts = words(TRY(in.value("time")));
        if (parts.size() != 3) return Error(Code::bad_input, "time has a level, a time and a size");
        s.time = TRY(level(parts[0]));
        s.proven_since = TRY(parse_rfc3339(parts[1]));
        s.proven_size = TRY(number(parts[2]));
    }
    while (in.next_is("erasures")) {
        const auto parts = words(TRY(in.value("erasures")));
        if (parts.size() != 2) return Error(Code::bad_input, "erasures has a first and a last entry");
        const std::uint64_t first = TRY(number(parts[0])), last = TRY(number(parts[1]));
        const auto& before = s.erasures.intervals();
        if (first > last || last >= s.size.value || (!before.empty() && first <= before.back().last.value + 1))
            return Error(Code::bad_input, "erasures are not in order");
        s.erasures.add(EntryIndex(first), EntryIndex(last));
    }
    while (in.next_is("gone")) {
        const auto parts = words(TRY(in.value("gone")));
        if (parts.size() != 3) return Error(Code::bad_input, "gone has a tree and two leaves");
        const std::uint64_t tree = TRY(number(parts[0])), first = TRY(number(parts[1])), last = TRY(number(parts[2]));
        if (tree > 0xFFFFFFFF || first > last || last >= kLeavesPerKeyTree)
            return Error(Code::bad_input, "gone names leaves that there are not");
        s.gone.push_back({KeyTreeId(static_cast<std::uint32_t>(tree)), LeafNumber(static_cast<std::uint32_t>(first)),
                          LeafNumber(static_cast<std::uint32_t>(last))});
    }
    while (!in.at_end()) {
        const auto parts = words(TRY(in.value("source")));
        if (parts.size() != 2) return Error(Code::bad_input, "source has an entry and a number");
        const std::uint64_t source = TRY(number(parts[0]));
        if (source > 0xFFFFFFFF || s.sequences.size() >= kMostSources ||
            (!s.sequences.empty() && source <= s.sequences.rbegin()->first))
            return Error(Code::bad_input, "sources are not in order");
        s.sequences[static_cast<std::uint32_t>(source)] = TRY(number(parts[1]));
    }
    if (s.resume % kTileWidth != 0 || s.resume > s.size.value || s.segment > s.size.value || s.anchored > s.size)
        return Error(Code::bad_input, "its numbers do not fit together");
    return s;
}

}  // namespace

std::string VerifiedState::format() const {
    std::ostringstream out;
    out << kFirstLine << "\nvkey " << vkey << "\ntrust " << trust.hex() << "\nsize " << size.value << "\nroot "
        << root.hex() << "\nresume " << resume << "\nsegment " << segment << "\nanchored " << anchored.value << "\n";
    if (proven_since)
        out << "time " << time_name(time) << " " << format_rfc3339(*proven_since) << " " << proven_size << "\n";
    for (const EntrySet::Interval& i : erasures.intervals())
        out << "erasures " << i.first.value << " " << i.last.value << "\n";
    for (const LeafSpan& span : gone)
        out << "gone " << span.tree.value << " " << span.first.value << " " << span.last.value << "\n";
    for (const auto& [source, next] : sequences) out << "source " << source << " " << next << "\n";
    return out.str();
}

Result<VerifiedState> VerifiedState::parse(std::string_view text) {
    if (text.size() > kMaxVerifiedState)
        return Error(Code::bad_input, "what was verified before: the file is too long");
    auto parsed = parse_lines(Lines(text));
    if (!parsed.ok())
        return Error(Code::bad_input, "what was verified before can't be read: " + parsed.error().message())
            .with_hint("remove the file; everything is verified then, and it is written anew");
    return parsed;
}

}  // namespace kustos::audit
