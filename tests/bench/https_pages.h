// The web server over an archive, and one client that is logged in: a search page as a browser asks for it.
#pragma once

#include <memory>
#include <string>

#include "tests/bench/place.h"

namespace kustos::bench {

class HttpsPages {
public:
    HttpsPages(Place& place, std::string matter);
    ~HttpsPages();
    void search(const std::string& query);  // over a connection that stays

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace kustos::bench
