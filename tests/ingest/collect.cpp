#include "tests/ingest/collect.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>

namespace kustos::test {

ingest::Extractor& extractor() {
    static std::unique_ptr<ingest::Extractor> one = [] {
        ingest::ExtractorOptions options;
        options.item_timeout_ms = 20'000;
        return ingest::Extractor::create(std::move(options)).value();
    }();
    return *one;
}

bool sandbox_works() {
    static const bool works = extractor().layers().ok();
    return works;
}

std::uint64_t largest_descendant_kib() {
    std::map<int, int> parent;
    std::map<int, std::uint64_t> peak;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        const std::string name = entry.path().filename();
        if (name.find_first_not_of("0123456789") != std::string::npos) continue;
        std::ifstream status(entry.path() / "status");
        for (std::string line; std::getline(status, line);) {
            if (line.rfind("PPid:", 0) == 0) parent[std::stoi(name)] = std::stoi(line.substr(5));
            if (line.rfind("VmHWM:", 0) == 0) peak[std::stoi(name)] = std::stoull(line.substr(6));
        }
    }
    std::uint64_t largest = 0;
    for (const auto& [pid, kib] : peak) {
        int up = pid;
        for (int steps = 0; steps < 64 && up != getpid() && parent.count(up) != 0; ++steps) up = parent[up];
        if (up == getpid() && pid != getpid()) largest = std::max(largest, kib);
    }
    return largest;
}

}  // namespace kustos::test
