#include "vault/key_nodes.h"

namespace kustos::vault {

namespace {
constexpr std::size_t kAtLeast = 16;
}

void KeyNodes::set_capacity(std::size_t nodes) {
    SecretBytes moved(nodes * kKey);
    const ByteView now = keys_.view().first(size() * kKey);
    std::copy(now.begin(), now.end(), moved.writable().begin());
    keys_ = std::move(moved);
    std::vector<NodePlace> places;
    places.reserve(nodes);
    places.assign(places_.begin(), places_.end());
    places_.swap(places);
}

void KeyNodes::make_room(std::size_t nodes) {
    if (nodes * kKey <= keys_.size()) return;
    set_capacity(std::max({kAtLeast, nodes, size() + size() / 8}));
}

void KeyNodes::replace(std::size_t i, const KeyNodes& by) {
    const std::size_t before = size(), behind = before - i - 1;
    make_room(before - 1 + by.size());
    const std::span<std::uint8_t> keys = keys_.writable();
    const auto at = [&](std::size_t node) { return keys.begin() + static_cast<std::ptrdiff_t>(node * kKey); };
    if (by.size() > 1) {
        std::copy_backward(at(i + 1), at(before), at(before - 1 + by.size()));
    } else if (by.empty()) {
        std::copy(at(i + 1), at(before), at(i));
        wipe(keys.subspan((i + behind) * kKey, kKey));
    }
    for (std::size_t n = 0; n < by.size(); ++n) std::copy(by.key(n).begin(), by.key(n).end(), at(i + n));
    const auto place = places_.erase(places_.begin() + static_cast<std::ptrdiff_t>(i));
    places_.insert(place, by.places_.begin(), by.places_.end());
}

void KeyNodes::pop_back() {
    places_.pop_back();
    wipe(keys_.writable().subspan(size() * kKey, kKey));
}

void KeyNodes::clear() {
    if (!empty()) wipe(keys_.writable().first(size() * kKey));
    places_.clear();
}

KeyNodes KeyNodes::clone() const {
    KeyNodes copy;
    copy.places_ = places_;
    copy.keys_ = SecretBytes(keys_.view().first(size() * kKey));
    return copy;
}

void KeyNodes::fit() {
    if (keys_.size() != size() * kKey) set_capacity(size());
}

}  // namespace kustos::vault
