#include "tests/bench/notmuch_peer.h"

#include <cstdio>
#include <cstdlib>

#ifdef KUSTOS_BENCH_NOTMUCH
#include <notmuch.h>

#include "tests/bench/place.h"
#endif

namespace kustos::bench {

#ifdef KUSTOS_BENCH_NOTMUCH
namespace {

void need_peer(notmuch_status_t status, const notmuch_database_t* database = nullptr) {
    if (status == NOTMUCH_STATUS_SUCCESS) return;
    std::fprintf(stderr, "notmuch: %s %s\n", notmuch_status_to_string(status),
                 database == nullptr ? "" : notmuch_database_status_string(database));
    std::exit(1);
}

class Library final : public NotmuchPeer {
public:
    explicit Library(notmuch_database_t* database) : database_(database) {}
    ~Library() override { notmuch_database_destroy(database_); }
    PeerAnswer ask(const std::string& text) override {
        PeerAnswer answer;
        const double cpu = cpu_seconds();
        notmuch_query_t* query = notmuch_query_create(database_, text.c_str());
        notmuch_query_set_sort(query, NOTMUCH_SORT_NEWEST_FIRST);
        unsigned total = 0;
        answer.count_ms = 1e3 * seconds_of([&] { need_peer(notmuch_query_count_messages(query, &total), database_); });
        answer.page_ms = 1e3 * seconds_of([&] {
                             notmuch_messages_t* messages = nullptr;
                             need_peer(notmuch_query_search_messages(query, &messages), database_);
                             for (int i = 0; i < 20 && notmuch_messages_valid(messages) != 0; ++i) {
                                 notmuch_message_t* message = notmuch_messages_get(messages);
                                 if (notmuch_message_get_message_id(message) == nullptr) std::abort();
                                 notmuch_messages_move_to_next(messages);
                             }
                             notmuch_messages_destroy(messages);
                         });
        answer.cpu_ms = 1e3 * (cpu_seconds() - cpu);
        answer.total = total;
        notmuch_query_destroy(query);
        return answer;
    }

private:
    notmuch_database_t* database_;
};

}  // namespace
#endif

std::unique_ptr<NotmuchPeer> NotmuchPeer::open([[maybe_unused]] const std::string& mails) {
#ifdef KUSTOS_BENCH_NOTMUCH
    setenv("TZ", "UTC", 1);  // notmuch's days are the reader's, ours are asked in UTC
    notmuch_database_t* database = nullptr;
    char* message = nullptr;
    const auto status = notmuch_database_open_with_config(
        std::filesystem::absolute(mails).c_str(), NOTMUCH_DATABASE_MODE_READ_ONLY, "", nullptr, &database, &message);
    std::free(message);
    need_peer(status);
    return std::make_unique<Library>(database);
#else
    std::fprintf(stderr, "notmuch: its library (libnotmuch-dev) was not there when this was built\n");
    return nullptr;
#endif
}

}  // namespace kustos::bench
