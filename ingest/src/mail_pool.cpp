#include "ingest/src/mail_pool.h"

#include <algorithm>
#include <utility>

#include "base/stack.h"

namespace kustos::ingest {

namespace {

constexpr std::size_t kGroupMails = 64;
constexpr std::uint64_t kGroupBytes = 256u << 10;
constexpr std::uint64_t kLargeMail = 8ull << 20;

class Collected final : public ItemSink {
public:
    Collected(std::vector<ParsedItem>& items, Findings& findings) : items_(items), findings_(findings) {}
    Status item(ParsedItem item) override {
        items_.push_back(std::move(item));
        return ok_status();
    }
    void finding(std::string_view code, std::uint64_t count) override { findings_[std::string(code)] += count; }

private:
    std::vector<ParsedItem>& items_;
    Findings& findings_;
};

}  // namespace

MailPool::MailPool(ItemSink& sink, const Limits& limits, unsigned threads)
    : sink_(sink),
      limits_(limits),
      wanted_(threads > 0 ? threads : std::clamp(std::thread::hardware_concurrency() - 1, 1u, 8u)),
      open_(std::make_unique<Group>()) {}

MailPool::~MailPool() {
    {
        const std::lock_guard lock(mutex_);
        stop_ = true;
    }
    comes_.notify_all();
    for (std::thread& thread : threads_) thread.join();
}

Status MailPool::mail(Bytes raw, MailParser parse) {
    if (raw.size() > kLargeMail) {
        TRY(finish());
        return parse_mail_items(std::move(raw), limits_, sink_, parse);
    }
    open_->bytes += raw.size();
    open_->mails.emplace_back(std::move(raw), std::move(parse));
    if (open_->mails.size() < kGroupMails && open_->bytes < kGroupBytes) return ok_status();
    publish();
    while (waiting_ > kMostWaiting) TRY(hand_on_first());
    while (first_is_done()) TRY(hand_on_first());
    return ok_status();
}

Status MailPool::item(ParsedItem item) {
    TRY(finish());
    return sink_.item(std::move(item));
}

Status MailPool::finish() {
    if (!open_->mails.empty()) publish();
    while (waiting_ > 0) TRY(hand_on_first());
    return ok_status();
}

void MailPool::publish() {
    while (threads_.size() < wanted_) threads_.emplace_back([this] { run(); });
    waiting_ += ++open_->bytes;  // an empty mail waits, too
    {
        const std::lock_guard lock(mutex_);
        to_parse_.push_back(open_.get());
        groups_.push_back(std::move(open_));
    }
    comes_.notify_one();
    open_ = std::make_unique<Group>();
}

bool MailPool::first_is_done() {
    const std::lock_guard lock(mutex_);
    return !groups_.empty() && groups_.front()->done;
}

Status MailPool::hand_on_first() {
    std::unique_ptr<Group> group;
    {
        std::unique_lock lock(mutex_);
        done_.wait(lock, [this] { return groups_.front()->done; });
        group = std::move(groups_.front());
        groups_.pop_front();
    }
    waiting_ -= group->bytes;
    for (const auto& [code, count] : group->findings) sink_.finding(code, count);
    for (ParsedItem& item : group->items) TRY(sink_.item(std::move(item)));
    return ok_status();
}

void MailPool::parse(Group& group) const {
    const StackWiper wiper;
    Collected sink(group.items, group.findings);
    group.items.reserve(group.mails.size());
    for (auto& [raw, parse] : group.mails)
        (void)parse_mail_items(std::move(raw), limits_, sink, parse);  // it can't fail
    group.mails.clear();
}

void MailPool::run() {
    for (;;) {
        Group* group = nullptr;
        {
            std::unique_lock lock(mutex_);
            comes_.wait(lock, [this] { return stop_ || !to_parse_.empty(); });
            if (stop_) return;
            group = to_parse_.front();
            to_parse_.pop_front();
        }
        parse(*group);
        {
            const std::lock_guard lock(mutex_);
            group->done = true;
        }
        done_.notify_one();
    }
}

}  // namespace kustos::ingest
