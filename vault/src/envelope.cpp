#include "vault/envelope.h"

#include <charconv>

#include "base/crypto.h"

namespace kustos::vault {

namespace {

bool starts(std::string_view text, std::string_view with) {
    return text.substr(0, with.size()) == with;
}

// Decimal digits and nothing else.
std::optional<std::uint64_t> number(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

}  // namespace

std::optional<ReportLayout> report_layout(const Message& envelope) {
    if (envelope.kind != MessageKind::envelope) return std::nullopt;
    ReportLayout out;
    bool inner = false, whole = false;
    for (const std::string_view note : envelope.notes) {
        if (starts(note, kInnerNote) && !inner) {
            const std::string_view rest = note.substr(kInnerNote.size());
            const std::size_t colon = rest.find(':');
            if (colon == std::string_view::npos) return std::nullopt;
            const auto offset = number(rest.substr(0, colon)), length = number(rest.substr(colon + 1));
            if (!offset || !length) return std::nullopt;
            out.inner_offset = *offset;
            out.inner_length = *length;
            inner = true;
        } else if (starts(note, kWholeNote) && !whole) {
            const auto hash = Hash::parse(note.substr(kWholeNote.size()));
            if (!hash.ok()) return std::nullopt;
            out.whole_sha256 = *hash;
            whole = true;
        }
    }
    return inner && whole ? std::optional<ReportLayout>(out) : std::nullopt;
}

Result<Bytes> join_report(const ReportLayout& layout, ByteView envelope_raw, ByteView inner) {
    if (inner.size() != layout.inner_length || layout.inner_offset > envelope_raw.size())
        return Error(Code::bad_input, "this mail is not the one that the report encloses");
    Bytes out;
    out.reserve(envelope_raw.size() + inner.size());
    put(out, envelope_raw.first(static_cast<std::size_t>(layout.inner_offset)));
    put(out, inner);
    put(out, envelope_raw.subspan(static_cast<std::size_t>(layout.inner_offset)));
    if (sha256(out) != layout.whole_sha256)
        return Error(Code::bad_input, "report and mail do not give the report that arrived");
    return out;
}

}  // namespace kustos::vault
