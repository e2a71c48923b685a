#include "tests/ingest/collect.h"

namespace kustos::test {

ingest::Extractor& extractor() {
    static std::unique_ptr<ingest::Extractor> one = [] {
        ingest::ExtractorOptions options;
        options.item_timeout_ms = 20'000;
        return ingest::Extractor::create(std::move(options)).value();
    }();
    return *one;
}

}  // namespace kustos::test
