#include "audit/checkpoint.h"

#include <algorithm>
#include <optional>

namespace kustos::audit {

namespace {

constexpr std::string_view kPrefix = "kustos.archive/";

Error refuse(const char* why) {
    return Error(Code::bad_input, std::string("checkpoint: ") + why);
}

// Takes a line off the front, without its newline; nullopt where none is left.
std::optional<std::string_view> next_line(std::string_view& text) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    return line;
}

Result<TreeSize> parse_size(std::string_view digits) {
    const bool plain = !digits.empty() && digits.size() <= 19 &&
                       std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (!plain || (digits.size() > 1 && digits.front() == '0')) return refuse("size");
    std::uint64_t size = 0;
    for (const char c : digits) size = size * 10 + static_cast<std::uint64_t>(c - '0');
    return TreeSize{size};
}

}  // namespace

std::string origin_of(const VaultId& vault, std::uint32_t continuation) {
    return std::string(kPrefix) + vault.hex() + (continuation == 0 ? "" : "/" + std::to_string(continuation));
}

Result<OriginParts> parse_origin(std::string_view origin) {
    const Error bad = refuse("this is no archive's origin");
    if (origin.substr(0, kPrefix.size()) != kPrefix) return bad;
    const std::string_view rest = origin.substr(kPrefix.size());
    const auto vault = VaultId::parse(rest.substr(0, 2 * VaultId::kSize));
    if (!vault.ok()) return bad;
    OriginParts parts{*vault, 0};
    if (rest.size() > 2 * VaultId::kSize) {
        const auto number = parse_size(rest.substr(2 * VaultId::kSize + 1));
        if (!number.ok() || number->value == 0 || number->value > kMaxContinuation) return bad;
        parts.continuation = static_cast<std::uint32_t>(number->value);
    }
    if (origin_of(parts.vault, parts.continuation) != origin) return bad;
    return parts;
}

std::string format_checkpoint(const Checkpoint& checkpoint) {
    std::string text =
        checkpoint.origin + "\n" + std::to_string(checkpoint.size.value) + "\n" + base64(checkpoint.root.view()) + "\n";
    for (const std::string& line : checkpoint.extensions) text += line + "\n";
    return text;
}

Result<Checkpoint> parse_checkpoint(std::string_view text) {
    const auto origin = next_line(text), size = next_line(text), root = next_line(text);
    if (!origin || !size || !root) return refuse("fewer than three lines");
    if (origin->empty()) return refuse("no origin");
    Checkpoint checkpoint;
    checkpoint.origin = std::string(*origin);
    checkpoint.size = TRY(parse_size(*size));
    checkpoint.root = TRY_IN("checkpoint root", Hash::from(TRY_IN("checkpoint root", parse_base64(*root))));
    while (const auto line = next_line(text)) {
        if (line->empty()) return refuse("empty extension line");
        checkpoint.extensions.emplace_back(*line);
    }
    if (!text.empty()) return refuse("does not end with a newline");
    return checkpoint;
}

Result<Checkpoint> open_checkpoint(ByteView note_bytes, const VerifierKey& key) {
    const Note note = TRY(parse_note(note_bytes));
    TRY(verify_note(note, std::span<const VerifierKey>(&key, 1)));
    Checkpoint checkpoint = TRY(parse_checkpoint(note.text));
    if (checkpoint.origin != key.name) return refuse("origin is not the key's name");
    return checkpoint;
}

}  // namespace kustos::audit
