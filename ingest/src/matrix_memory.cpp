#include "ingest/src/matrix_memory.h"

#include "base/crypto.h"

namespace kustos::ingest {

namespace {

constexpr std::size_t kDigits = 32, kLine = 3 * kDigits + 2;

std::string digits(const Hash& hash) {
    return hash.hex().substr(0, kDigits);
}

bool is_plain(std::string_view text) {
    return !text.empty() && text.size() <= 1024 && text.find_first_of("\t\n") == std::string_view::npos;
}

}  // namespace

Status MatrixTransactions::load() {
    if (loaded_) return {};
    const auto known = TRY(intake_.recall("transactions"));
    for (std::size_t at = 0; known && at + kLine < known->size(); at += kLine + 1)
        lines_.push_back(known->substr(at, kLine));
    loaded_ = true;
    return {};
}

Result<MatrixTransactions::Known> MatrixTransactions::find(std::string_view id, const Hash& ids, const Hash& content) {
    const std::lock_guard lock(mutex_);
    TRY(load());
    const std::string key = digits(sha256(as_bytes(id))) + " ", events = key + digits(ids) + " ";
    Known out = Known::no;
    for (const std::string& line : lines_) {
        if (line == events + digits(content)) return Known::same;
        if (line.compare(0, events.size(), events) == 0) {
            out = Known::changed;
        } else if (out == Known::no && line.compare(0, key.size(), key) == 0) {
            out = Known::reused;
        }
    }
    return out;
}

Status MatrixTransactions::remember(std::string_view id, const Hash& ids, const Hash& content) {
    const std::lock_guard lock(mutex_);
    TRY(load());
    lines_.push_back(digits(sha256(as_bytes(id))) + " " + digits(ids) + " " + digits(content));
    while (lines_.size() > kMost) lines_.pop_front();
    std::string all;
    for (const std::string& line : lines_) all += line + "\n";
    return intake_.remember("transactions", all);
}

Status MatrixRooms::load() {
    if (loaded_) return {};
    for (std::size_t n = 0;; ++n) {
        const auto shard = TRY(intake_.recall("rooms/" + std::to_string(n)));
        if (!shard) break;
        shard_ = n;
        last_shard_ = *shard;
        for (std::size_t at = 0; at < shard->size();) {
            const std::size_t end = std::min(shard->find('\n', at), shard->size());
            const std::string line = shard->substr(at, end - at);
            const std::size_t tab = line.find('\t');
            if (tab != std::string::npos) rooms_[line.substr(0, tab)] = line.substr(tab + 1);
            at = end + 1;
        }
    }
    loaded_ = true;
    return {};
}

Status MatrixRooms::saw(std::string_view room, std::string_view local_user) {
    if (!is_plain(room)) return {};
    const std::string user(is_plain(local_user) ? local_user : std::string_view());
    const std::lock_guard lock(mutex_);
    TRY(load());
    const auto at = rooms_.find(std::string(room));
    if (at != rooms_.end() && (user.empty() || !at->second.empty())) return {};
    if (at == rooms_.end() && rooms_.size() >= kMost) return {};
    const std::string line = std::string(room) + "\t" + user + "\n";
    const bool next = last_shard_.size() + line.size() > kMaxShard;
    const std::string shard = next ? line : last_shard_ + line;
    TRY(intake_.remember("rooms/" + std::to_string(shard_ + (next ? 1 : 0)), shard));
    shard_ += next ? 1 : 0;
    last_shard_ = shard;
    rooms_[std::string(room)] = user;
    return {};
}

Result<std::map<std::string, std::string>> MatrixRooms::all() {
    const std::lock_guard lock(mutex_);
    TRY(load());
    return rooms_;
}

}  // namespace kustos::ingest
