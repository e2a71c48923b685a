#include "audit/unsearched.h"

#include <algorithm>

namespace kustos::audit {

namespace {

constexpr std::size_t kMaxWord = 40;
constexpr std::uint64_t kMost = std::uint64_t{1} << 48;  // of each figure: no sum of them overflows

bool is_word(std::string_view word) {
    return !word.empty() && word.size() <= kMaxWord && std::all_of(word.begin(), word.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    });
}

}  // namespace

bool is_consistent(const Unsearched& u) {
    for (const std::uint64_t n : {u.partial, u.opaque, u.failed, u.deferred, u.restricted})
        if (n > kMost) return false;
    if (u.reasons.size() > kMaxUnsearchedReasons) return false;
    std::uint64_t sum = 0;
    for (const auto& [word, count] : u.reasons) {
        if (!is_word(word) || count == 0 || count > kMost) return false;
        sum += count;
    }
    return sum == u.partial + u.opaque + u.failed;
}

Bytes encode(const Unsearched& u) {
    Bytes out;
    for (const std::uint64_t n : {u.partial, u.opaque, u.failed, u.deferred, u.restricted}) put_u64(out, n);
    for (const auto& [word, count] : u.reasons) {
        put_u8(out, static_cast<std::uint8_t>(word.size()));
        put(out, as_bytes(word));
        put_u64(out, count);
    }
    return out;
}

Result<Unsearched> decode_unsearched(ByteView bytes) {
    const Error refused(Code::bad_input, "this says in no known form what could not be searched");
    ByteReader in(bytes);
    Unsearched u;
    for (std::uint64_t* n : {&u.partial, &u.opaque, &u.failed, &u.deferred, &u.restricted}) *n = TRY(in.u64());
    while (!in.at_end()) {
        std::string word = to_text(TRY(in.take(TRY(in.u8()))));
        const std::uint64_t count = TRY(in.u64());
        if (u.reasons.size() == kMaxUnsearchedReasons) return refused;
        if (!u.reasons.empty() && u.reasons.rbegin()->first >= word) return refused;
        u.reasons.emplace(std::move(word), count);
    }
    if (!is_consistent(u)) return refused;
    return u;
}

}  // namespace kustos::audit
