// The rules of PDF/A-3U (ISO 19005-3) that a mistake of ours could break, as a list of what is wrong. Not a validator:
// the clauses are those that veraPDF found fault with on the way here (docs/architecture/export.md), plus the obvious
// ones.
#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"

namespace kustos::exporting::test {

std::vector<std::string> broken_pdfa_rules(const Bytes& pdf);

// Runs a program on the PDF (through a memory file) and returns its standard output; "" and a failed CHECK if it fails.
std::string run_on(const Bytes& pdf, const std::string& command_with_FILE);
std::string extracted_text(const Bytes& pdf);  // by pdftotext

}  // namespace kustos::exporting::test
