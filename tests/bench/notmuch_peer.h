// notmuch's library, asked beside ours in the same process. Where it was not there at build time, open() says so.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace kustos::bench {

struct PeerAnswer {
    std::uint64_t total = 0;  // exact
    double count_ms = 0;      // of the total alone
    double page_ms = 0;       // of the newest 20 besides
    double cpu_ms = 0;        // of both
};

class NotmuchPeer {
public:
    static std::unique_ptr<NotmuchPeer> open(const std::string& mails);  // null: not there
    virtual ~NotmuchPeer() = default;
    virtual PeerAnswer ask(const std::string& query) = 0;
};

}  // namespace kustos::bench
