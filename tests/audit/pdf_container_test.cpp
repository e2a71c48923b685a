#include "audit/pdf_container.h"

#include <doctest/doctest.h>

#include "audit/src/pdf_layout.h"
#include "tests/audit/verify_sample.h"

using namespace kustos;
using namespace kustos::audit;

namespace {

Bytes pdf_of(std::string_view container) {
    return test::small_pdf(as_bytes(container));
}
Bytes replaced(const Bytes& pdf, const std::string& what, const std::string& by) {
    std::string text = to_text(pdf);
    const std::size_t at = text.find(what);
    REQUIRE(at != text.npos);
    return to_bytes(text.replace(at, what.size(), by));
}
bool holds(const Bytes& pdf, std::string_view container) {
    const auto objects = walk_pdf(pdf);
    if (!objects.ok()) return false;
    const auto found = find_container(*objects);
    return found.ok() && as_text(*found) == container;
}
Bytes with_object(const Bytes& pdf, const std::string& object) {
    return replaced(pdf, "xref\n", object + "\nxref\n");
}
Code code_of(const Bytes& pdf) {
    const auto s = find_signature(pdf);
    return s.ok() ? Code::usage : s.error().code();
}
// A file whose only structure is a signature's dictionary. missed: by how much the range misses the file's end.
Bytes signed_file(const std::string& gap, std::size_t missed = 0) {
    const std::string head = "%PDF-1.7\n1" + std::string(kSignatureHead);
    const std::string rest = "] " + std::string(kSignatureGap);
    // Widths are fixed by hand: numbers of three, three and two digits.
    const std::size_t begin = head.size() + 4 + 4 + 3 + rest.size(), end = begin + gap.size();
    REQUIRE((begin > 99 && end < 1000));
    char numbers[40];
    std::snprintf(numbers, sizeof numbers, " %03zu %03zu %02zu", begin, end, kSignatureTail.size() - missed);
    return to_bytes(head + numbers + rest + gap + std::string(kSignatureTail));
}

}  // namespace

TEST_CASE("the container is found, whatever it holds") {
    for (const char* content : {"zip", "endstream endobj 7 0 obj << /KustosEvidence 1 >> stream\nx",
                                "%PDF xref trailer startxref", ">>", "\n\n", "(("}) {
        CHECK(holds(pdf_of(content), content));
    }
}

TEST_CASE("a container that is not stored as it must be is refused") {
    const Bytes pdf = pdf_of("zip");
    CHECK(holds(pdf, "zip"));
    CHECK(!holds(replaced(pdf, "/KustosEvidence 1", "/KustosEvidence 2"), "zip"));
    CHECK(!holds(replaced(pdf, "/KustosEvidence 1", "/KustosEvidence 10"), "zip"));
    CHECK(!holds(replaced(pdf, "/KustosEvidence 1", "/Other 1"), "zip"));
    CHECK(!holds(replaced(pdf, "/KustosEvidence 1", "/KustosEvidence 1 /Filter /FlateDecode"), "zip"));
    CHECK(!holds(replaced(pdf, "/Length 3 ", "/Length 9 0 R "), "zip"));
    CHECK(!holds(replaced(pdf, "/Length 3 ", "/Length 2 "), "zip"));
    CHECK(!holds(replaced(pdf, "/Length 3 ", "/Length 99999 "), "zip"));
    CHECK(!holds(replaced(pdf, "/F 6 0 R", "/F 7 0 R"), "zip"));
    CHECK(!holds(replaced(pdf, "/Filespec", "/Filespek"), "zip"));
    CHECK(!holds(with_object(pdf, "7 0 obj << /KustosEvidence 1 /Length 1 >> stream\nx\nendstream endobj"), "zip"));
    CHECK(!holds(with_object(pdf, "6 0 obj << /Length 1 >> stream\nx\nendstream endobj"), "zip"));
    CHECK(holds(with_object(pdf, "7 0 obj (/KustosEvidence 1) endobj"), "zip"));
}

TEST_CASE("what is no PDF, or is cut, ends in an error and nothing else") {
    CHECK(!walk_pdf({}).ok());
    CHECK(!walk_pdf(as_bytes("hello")).ok());
    for (const char* rest : {"1 0 obj", "1 0 obj <<", "1 0 obj (", "1 0 obj [", "1 0 obj <", "1 0 obj << >> stream\n",
                             "xref\n0 5", "xref\n0 99999999999\n", "trailer", "x", "1 0 obj )", "1 0 obj >"}) {
        CHECK(!walk_pdf(as_bytes(std::string("%PDF-1.7\n") + rest)).ok());
    }
    CHECK(!walk_pdf(as_bytes("%PDF-1.7\n1 0 obj " + std::string(100'000, '['))).ok());
    const Bytes pdf = pdf_of("zip");
    for (std::size_t size = 0; size < pdf.size(); ++size) {
        const auto objects = walk_pdf(ByteView(pdf).first(size));
        if (objects.ok()) (void)find_container(*objects).ok();
    }
}

TEST_CASE("the signature's gap has one form: lower-case hex, then zeros, nothing else") {
    const auto good = find_signature(signed_file("<3003020101" + std::string(10, '0') + ">"));
    REQUIRE(good.ok());
    CHECK(hex(good->der) == "3003020101");
    CHECK(code_of(signed_file("<3003020101>")) == Code::usage);
    CHECK(code_of(signed_file("<3003020101" + std::string(9, '0') + "1>")) == Code::conflict);
    CHECK(code_of(signed_file("<3003020101" + std::string(9, '0') + ">")) == Code::conflict);
    CHECK(code_of(signed_file("<30030201010A00>")) == Code::conflict);
    CHECK(code_of(signed_file("<3003020101 000>")) == Code::conflict);
    CHECK(code_of(signed_file("(3003020101000)")) == Code::conflict);
    CHECK(code_of(signed_file("<3003020101000)")) == Code::conflict);
    CHECK(code_of(signed_file("<30ff02010100>")) == Code::conflict);
    CHECK(code_of(pdf_of("zip")) == Code::not_found);
}

TEST_CASE("a signature that leaves out anything but its gap is refused") {
    const std::string gap = "<3003020101000000>";
    const Bytes file = signed_file(gap);
    CHECK(code_of(file) == Code::usage);
    Bytes longer = file;
    longer.push_back('\n');
    CHECK(code_of(longer) == Code::bad_input);
    CHECK(code_of(Bytes(file.begin(), file.end() - 1)) == Code::bad_input);
    CHECK(code_of(signed_file(gap, 1)) == Code::bad_input);
    CHECK(code_of(replaced(file, "[0 ", "[1 ")) == Code::not_found);
    CHECK(code_of(replaced(file, "] /Contents", "]  /Contents")) == Code::bad_input);  // the gap moved
    CHECK(code_of(replaced(file, "/Type /Sig ", "/Type /Sog ")) == Code::not_found);
    CHECK(code_of(replaced(file, " >>\nendobj", "/X>\nendobj")) == Code::bad_input);
    for (const char* range : {"]", " 1]", " 9 5 3]", " 99999999999 999999999999 1]", " -1 2 3]", "", " 012 200 12]",
                              " 99999999999999999999999999 1 1]"}) {
        CHECK(code_of(to_bytes("%PDF-1.7\n1" + std::string(kSignatureHead) + range)) == Code::bad_input);
    }
}
