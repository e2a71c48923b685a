#include "audit/authority_book.h"

#include <algorithm>
#include <sstream>

#include "audit/tsa_authority.h"

namespace kustos::audit {

namespace {
constexpr std::int64_t kFirst_ms = 30'000, kMost_ms = 3'600'000;
constexpr std::uint64_t kMaxFile = 64 * 1024;
}  // namespace

Result<AuthorityBook> AuthorityBook::open(Fs& fs, const Path& file) {
    AuthorityBook book(fs, file);
    const auto bytes = read_file(fs, file, kMaxFile);
    if (!bytes.ok()) return book;
    std::istringstream lines{to_text(*bytes)};
    std::string name;
    Row row;
    while (lines >> name >> row.failures >> row.next_ms >> row.newest_ms) {
        if (is_authority_name(name)) book.rows_[name] = row;
    }
    return book;
}

bool AuthorityBook::due(const std::string& authority, UtcTime now) const {
    const auto row = rows_.find(authority);
    if (row == rows_.end() || row->second.failures == 0) return true;
    // A clock that was set back must not silence an authority for longer than the longest back-off.
    return now.ms >= row->second.next_ms || row->second.next_ms - now.ms > 2 * kMost_ms;
}

void AuthorityBook::failed(const std::string& authority, UtcTime now, Random& random) {
    Row& row = rows_[authority];
    const unsigned doublings = std::min(row.failures, 20u);
    const std::int64_t wait = std::min(kFirst_ms << doublings, kMost_ms);
    std::uint8_t bytes[4];
    random.fill(bytes);
    const std::int64_t spread = wait / 2;
    row.next_ms = now.ms + wait - spread / 2 +
                  static_cast<std::int64_t>(load_u32(bytes) % static_cast<std::uint32_t>(spread + 1));
    ++row.failures;
}

Status AuthorityBook::answered(const std::string& authority, UtcTime gen_time) {
    Row& row = rows_[authority];
    if (gen_time.ms < row.newest_ms)
        return Error(Code::conflict, "the authority's time went back against its own earlier token")
            .with_hint("ask the authority; its tokens are not used while this lasts");
    row.newest_ms = gen_time.ms;
    row.failures = 0;
    row.next_ms = 0;
    return {};
}

unsigned AuthorityBook::failures(const std::string& authority) const {
    const auto row = rows_.find(authority);
    return row == rows_.end() ? 0 : row->second.failures;
}

std::optional<UtcTime> AuthorityBook::next_try(const std::string& authority) const {
    const auto row = rows_.find(authority);
    if (row == rows_.end() || row->second.failures == 0) return std::nullopt;
    return UtcTime{row->second.next_ms};
}

Status AuthorityBook::save() {
    std::string text;
    for (const auto& [name, row] : rows_)
        text += name + " " + std::to_string(row.failures) + " " + std::to_string(row.next_ms) + " " +
                std::to_string(row.newest_ms) + "\n";
    return replace_file(*fs_, file_, as_bytes(text));
}

}  // namespace kustos::audit
