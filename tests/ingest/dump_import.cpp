// Imports into nothing and prints the counts: how fast parsing alone is, and what a corpus holds.
#include <iostream>

#include "tests/ingest/collect.h"

namespace {
class Nowhere final : public kustos::ingest::SealPort {
public:
    kustos::Result<std::vector<kustos::ingest::Outcome>> seal(std::vector<kustos::ingest::PortItem> items) override {
        std::vector<kustos::ingest::Outcome> out;
        for (const auto& item : items)
            out.push_back(seen_.insert(item.dedupe_identity).second ? kustos::ingest::Outcome::sealed
                                                                    : kustos::ingest::Outcome::duplicate);
        return out;
    }

private:
    std::set<kustos::Bytes> seen_;
};
}  // namespace

int main(int argc, char** argv) {
    kustos::ingest::ImportOptions options;
    const auto extractor = kustos::ingest::Extractor::create({});
    if (extractor) options.context.extractor = extractor->get();
    std::vector<kustos::Path> paths(argv + 1, argv + argc);
    Nowhere port;
    const kustos::SystemClock clock;
    const auto result = kustos::ingest::run_import(port, clock, paths, options);
    if (!result) {
        std::cerr << result.error().message() << '\n';
        return 1;
    }
    std::cout << kustos::ingest::to_json(*result) << '\n';
    return 0;
}
