#include "tests/support/doc_example.h"

#include <cctype>
#include <sstream>

#include "base/fs.h"
#include "tests/support/shared.h"

namespace kustos::test {

std::string doc_page(std::string_view page) {
    RealFs fs;
    auto file = read_file(fs, source_dir() / "docs" / "format" / page, 10'000'000);
    CHECK(file.ok());
    return to_text(*file);
}

std::string doc_text(std::string_view page, std::string_view name) {
    std::istringstream lines(doc_page(page));
    const std::string wanted = " example " + std::string(name);
    std::string line, out;
    bool inside = false;
    while (std::getline(lines, line)) {
        if (inside) {
            if (line.rfind("```", 0) == 0) return out;
            out += line + "\n";
        } else if (line.rfind("```", 0) == 0 && line.size() > wanted.size() &&
                   line.compare(line.size() - wanted.size(), wanted.size(), wanted) == 0) {
            inside = true;
        }
    }
    CHECK(!"the worked example is on the page");
    return out;
}

Bytes doc_example(std::string_view page, std::string_view name) {
    std::istringstream lines(doc_text(page, name));
    std::string line, digits;
    while (std::getline(lines, line)) {
        for (char c : line.substr(0, line.find('#'))) {
            if (!std::isspace(static_cast<unsigned char>(c))) digits += c;
        }
    }
    auto bytes = parse_hex(digits);
    CHECK(bytes.ok());
    return *bytes;
}

}  // namespace kustos::test
