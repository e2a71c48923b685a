// The last used values of an expensive map, within a budget of costs. Threads: the owner locks.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <utility>

namespace kustos::audit {

template <class Key, class Value>
class Lru {
public:
    explicit Lru(std::uint64_t budget) : budget_(budget) {}

    // Stays valid until the next put().
    Value* find(const Key& key) {
        const auto found = where_.find(key);
        if (found == where_.end()) return nullptr;
        order_.splice(order_.begin(), order_, found->second);
        return &found->second->value;
    }

    // The newest value is kept even where it alone exceeds the budget.
    Value& put(const Key& key, Value value, std::uint64_t cost) {
        erase(key);
        order_.push_front({key, std::move(value), cost});
        where_[key] = order_.begin();
        spent_ += cost;
        while (spent_ > budget_ && order_.size() > 1) erase(Key(order_.back().key));
        return order_.front().value;
    }

    void erase(const Key& key) {
        const auto found = where_.find(key);
        if (found == where_.end()) return;
        spent_ -= found->second->cost;
        order_.erase(found->second);
        where_.erase(found);
    }

private:
    struct Item {
        Key key;
        Value value;
        std::uint64_t cost;
    };
    std::uint64_t budget_, spent_ = 0;
    std::list<Item> order_;
    std::map<Key, typename std::list<Item>::iterator> where_;
};

}  // namespace kustos::audit
