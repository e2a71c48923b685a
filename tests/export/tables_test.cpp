// CSV and XLSX for people's own programs: nothing in them becomes a formula, and nothing is written on the way.
#include "export/tables.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/crypto.h"
#include "tests/support/temp_dir.h"

using namespace kustos;
using namespace kustos::exporting;

namespace {

const std::string kMark = "\xEF\xBB\xBF";

Table table(std::vector<std::vector<Cell>> rows) {
    Table t;
    t.name = "Begriffe";
    t.head = {"Begriff", "Treffer"};
    t.rows = std::move(rows);
    t.widths = {40, 10};
    return t;
}

// A part of the packed file, by a program that is not ours.
std::string part_of(const Bytes& xlsx, const std::string& name) {
    const kustos::test::TempDir dir;
    const std::string file = (dir / "x.xlsx").string(), out = (dir / "out").string();
    std::ofstream(file, std::ios::binary)
        .write(reinterpret_cast<const char*>(xlsx.data()), static_cast<std::streamsize>(xlsx.size()));
    const std::string command =
        "python3 -c 'import sys,zipfile; z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; "
        "sys.stdout.buffer.write(z.read(sys.argv[2]))' '" +
        file + "' '" + name + "' > '" + out + "'";
    REQUIRE(std::system(command.c_str()) == 0);
    std::ifstream in(out, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
}

}  // namespace

TEST_CASE("CSV quotes every text, doubles quotation marks, keeps line ends inside and ends lines with CRLF") {
    const Table t =
        table({{std::string("a \"b\", c; d\ne"), std::uint64_t{12'345}}, {std::string(), std::uint64_t{0}}});
    CHECK(csv_text(t, ',') == kMark + "\"Begriff\",\"Treffer\"\r\n\"a \"\"b\"\", c; d\ne\",12345\r\n\"\",0\r\n");
    CHECK(csv_text(t, ';') == kMark + "\"Begriff\";\"Treffer\"\r\n\"a \"\"b\"\", c; d\ne\";12345\r\n\"\";0\r\n");
    CHECK(csv_text(Table{}, ',') == kMark);
}

TEST_CASE("a text that a spreadsheet would take for a formula gets an apostrophe in CSV, any other stays") {
    for (const char* evil : {"=MASS", "+49 89", "-von:anna", "@SUM(A1)", "\tx", "\rx", "\nx", "=cmd|' /C calc'!A0"}) {
        const std::string text = csv_text(table({{std::string(evil)}}), ',');
        CHECK(text.find("\r\n\"'" + std::string(evil)) != std::string::npos);
    }
    for (const char* fine : {"MASS = 1", "a+b", " =x", "ä"})
        CHECK(csv_text(table({{std::string(fine)}}), ',').find("\"" + std::string(fine) + "\"") != std::string::npos);
}

TEST_CASE("XLSX has a sheet for each table, texts as texts, numbers as numbers, and its bytes are the same each time") {
    const std::vector<Table> tables = {table({{std::string("=1+1"), std::uint64_t{42}},
                                              {std::string("https://x.example/<&>\"ü\x01"), std::uint64_t{7}}}),
                                       [] {
                                           Table second = table({});
                                           second.name = "Übersicht";
                                           second.head.clear();
                                           return second;
                                       }()};
    const auto made = xlsx_file(tables, "Liste & <Co>", UtcTime{1'772'445'600'000});
    REQUIRE(made.ok());
    CHECK(xlsx_file(tables, "Liste & <Co>", UtcTime{1'772'445'600'000}).value() == *made);
    const std::string sheet = part_of(*made, "xl/worksheets/sheet1.xml");
    CHECK(sheet.find("<f>") == std::string::npos);
    CHECK(sheet.find("hyperlink") == std::string::npos);
    CHECK(sheet.find("<v>42</v>") != std::string::npos);
    const std::string strings = part_of(*made, "xl/sharedStrings.xml");
    CHECK(strings.find("<t>=1+1</t>") != std::string::npos);
    CHECK(strings.find("https://x.example/&lt;&amp;&gt;") != std::string::npos);
    CHECK(strings.find('\x01') == std::string::npos);
    CHECK(part_of(*made, "xl/workbook.xml").find("name=\"Übersicht\"") != std::string::npos);
}

TEST_CASE("XLSX makes no temporary file: it is written even where none can be made") {
    const kustos::test::TempDir dir;
    REQUIRE(setenv("TMPDIR", (dir / "nowhere").c_str(), 1) == 0);
    const auto made = xlsx_file({table({{std::string("geheim"), std::uint64_t{1}}})}, "x", UtcTime{});
    unsetenv("TMPDIR");
    REQUIRE(made.ok());
    CHECK(part_of(*made, "xl/sharedStrings.xml").find("geheim") != std::string::npos);
}

TEST_CASE("what a sheet can't take is refused and never cut") {
    CHECK(xlsx_file({table({{std::string(32'768, 'x')}})}, "x", UtcTime{}).error().code() == Code::limit);
    CHECK(xlsx_file({table({std::vector<Cell>(16'385, std::uint64_t{1})})}, "x", UtcTime{}).error().code() ==
          Code::limit);
    Table bad = table({});
    bad.name = "a/b";
    CHECK(xlsx_file({bad}, "x", UtcTime{}).error().code() == Code::environment);
}
