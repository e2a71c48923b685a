// Mails of one reader, parsed by several threads and handed on in the order in which they came. The reader finds where
// a mail begins and ends; what it costs is the parsing.
//
// Threads: the sink behind it is called by the reader's thread alone, in item(), mail() and finish(). Memory: what
// waits to be parsed or handed on is at most kMostWaiting; a larger mail is parsed by the reader's thread, alone.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "ingest/format.h"

namespace kustos::ingest {

class MailPool final : public ItemSink {
public:
    static constexpr std::uint64_t kMostWaiting = 32ull << 20;  // bytes of raw mails
    // threads 0: one for each core, 8 at most. They begin with the first mail.
    MailPool(ItemSink& sink, const Limits& limits, unsigned threads = 0);
    ~MailPool() override;  // what was not handed on is dropped: the reading failed, and begins again
    MailPool(const MailPool&) = delete;

    // As parse_mail_items(); parse is called in another thread, and must hold what it needs. Errors are the sink's, of
    // this mail or of one before.
    Status mail(Bytes raw, MailParser parse);
    // Behind every mail that came before it.
    Status item(ParsedItem item) override;
    void finding(std::string_view code, std::uint64_t count = 1) override { sink_.finding(code, count); }
    void promised(std::string_view folder, std::uint64_t count) override { sink_.promised(folder, count); }
    // Waits for all mails and hands them on. A reader calls it last.
    Status finish();

private:
    // Mails that are parsed one after the other, so that a thread is not woken for each.
    struct Group {
        std::vector<std::pair<Bytes, MailParser>> mails;
        std::uint64_t bytes = 0;
        std::vector<ParsedItem> items;
        Findings findings;
        bool done = false;
    };
    void run();
    void publish();
    void parse(Group& group) const;
    Status hand_on_first();
    bool first_is_done();

    ItemSink& sink_;
    const Limits limits_;
    const unsigned wanted_;
    std::unique_ptr<Group> open_;  // of the reader's thread
    std::uint64_t waiting_ = 0;    // likewise; bytes in groups_
    std::mutex mutex_;             // guards what follows
    std::condition_variable comes_, done_;
    std::deque<std::unique_ptr<Group>> groups_;  // in the order of their coming; the reader's thread takes from it
    std::deque<Group*> to_parse_;
    bool stop_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace kustos::ingest
