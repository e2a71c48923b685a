// Hand-made messages for the pages' tests: a German authority's conversation in messenger and mail, and hostile ones.
#pragma once

#include <vector>

#include "export/bundle.h"

namespace kustos::exporting::test {

BundleInput sample_input(Language language = Language::de);
std::vector<BundleRecord>
sample_records();  // umlauts, emoji, Arabic, Hebrew, CJK, edits, deletion, reactions, mails, files
std::vector<BundleRecord> hostile_records();  // very long words, overrides, control characters, 500 lines, marks, empty
std::vector<BundleRecord> many_records(std::size_t count);
EvidenceContainer stub_container();

struct Made {
    PdfFacts facts;
    Bytes pdf;
};
Made make(const BundleInput& input, std::vector<BundleRecord> records, const EvidenceContainer& container);

}  // namespace kustos::exporting::test
