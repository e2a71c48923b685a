// Lists of terms from foreign hands: no crash, bounded, and each term taken is a query.
#include <cstdlib>

#include "search/term_list.h"

using namespace kustos;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto terms = search::parse_term_list(text, search::Language::de);
    if (!terms.ok()) {
        if (terms.error().message().empty()) std::abort();
        return 0;
    }
    if (terms->empty() || terms->size() > search::kMaxTerms) std::abort();
    std::size_t before = 0;
    for (const search::Term& term : *terms) {
        if (term.line <= before || term.name.size() > search::kMaxTermName) std::abort();
        before = term.line;
        if (!search::parse(term.text).query) std::abort();
    }
    return 0;
}
