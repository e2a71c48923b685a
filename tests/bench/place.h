// What the benches that need a whole archive share: the archive itself, clocks, memory.
#pragma once

#include <time.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>

#include "app/house.h"
#include "base/clock.h"
#include "base/random.h"

namespace kustos::bench {

inline double now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

inline double seconds_of(const std::function<void()>& work) {
    const double before = now();
    work();
    return now() - before;
}

inline double cpu_seconds() {  // of all threads
    timespec used{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return static_cast<double>(used.tv_sec) + 1e-9 * static_cast<double>(used.tv_nsec);
}

inline double peak_mib() {
    std::ifstream in("/proc/self/status");
    std::string word;
    while (in >> word)
        if (word == "VmHWM:") {
            double kib = 0;
            in >> kib;
            return kib / 1024;
        }
    return 0;
}

template <class T>
T need(Result<T> result) {
    if (!result.ok()) {
        std::fprintf(stderr, "%s\n", result.error().message().c_str());
        std::exit(1);
    }
    return std::move(result).value();
}

inline void need(const Status& status) {
    if (!status.ok()) {
        std::fprintf(stderr, "%s\n", status.error().message().c_str());
        std::exit(1);
    }
}

// An archive whose vault opens by itself, without an indexer at first.
struct Place {
    enum class Keep { no, yes };  // yes: one that is there is taken up, and stays
    RealFs fs;
    SystemClock clock;
    SystemRandom random;
    Path folder;
    Keep keep;
    std::unique_ptr<app::House> house;

    explicit Place(Path where, Keep keep_ = Keep::no) : folder(std::move(where)), keep(keep_) {
        if (keep == Keep::no) std::filesystem::remove_all(folder);
        if (!std::filesystem::exists(folder / "a")) found();
        app::HouseOptions options;
        options.archive = folder / "a";
        options.state = folder / "s";
        options.actor = "bench";
        house = need(app::House::open({fs, clock, random}, std::move(options)));
    }
    ~Place() {
        house.reset();
        if (keep == Keep::no) std::filesystem::remove_all(folder);
    }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    Path index() const { return folder / "a" / "index"; }

private:
    void found() {
        std::filesystem::create_directories(folder);
        vault::CreateOptions create;
        create.with_builtin_authority = true;
        need(vault::Archive::create({fs, clock, random}, folder / "a", folder / "s", std::move(create)));
        need(replace_file(fs, folder / "a" / "config.yaml", as_bytes(app::config_template({"builtin"}))));
    }
};

}  // namespace kustos::bench
