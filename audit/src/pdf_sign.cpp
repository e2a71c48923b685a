#include "audit/pdf_sign.h"

#include <algorithm>
#include <cstdio>
#include <map>

#include "audit/cms_signature.h"
#include "audit/pdf_container.h"
#include "base/crypto.h"

namespace kustos::audit {

namespace {

constexpr std::size_t kGapBytes = 8192;  // of DER; hex takes twice as many characters

Error unusable(const char* what) {
    return Error(Code::bad_input, std::string("this PDF can't be signed: ") + what);
}

// The number in "/Key 12 0 R".
std::optional<std::uint32_t> reference(std::string_view dictionary, std::string_view key) {
    const std::size_t at = dictionary.find(key);
    if (at == dictionary.npos) return std::nullopt;
    std::uint32_t n = 0;
    std::size_t i = at + key.size();
    while (i < dictionary.size() &&
           (dictionary[i] == ' ' || dictionary[i] == '[' || dictionary[i] == '\n' || dictionary[i] == '\r'))
        ++i;
    const std::size_t begin = i;
    while (i < dictionary.size() && dictionary[i] >= '0' && dictionary[i] <= '9' && i - begin < 9)
        n = n * 10 + static_cast<std::uint32_t>(dictionary[i++] - '0');
    return i == begin ? std::nullopt : std::optional<std::uint32_t>(n);
}

std::string without_end(std::string_view dictionary) {
    const std::size_t end = dictionary.rfind(">>");
    return std::string(dictionary.substr(0, end));
}

}  // namespace

Result<Bytes> append_signature(Bytes pdf, const std::function<Result<Bytes>(const Hash&)>& sign) {
    const std::vector<PdfObject> objects = TRY(walk_pdf(pdf));
    std::map<std::uint32_t, const PdfObject*> by_number;
    std::uint32_t largest = 0;
    for (const PdfObject& o : objects) {
        by_number[o.number] = &o;
        largest = std::max(largest, o.number);
    }
    const std::string_view text = as_text(pdf);
    const std::size_t trailer_at = text.rfind("trailer");
    const std::size_t start_at = text.rfind("startxref");
    if (trailer_at == text.npos || start_at == text.npos || start_at < trailer_at)
        return unusable("it has no classic cross-reference table");
    const std::string_view trailer = text.substr(trailer_at + 7, start_at - trailer_at - 7);
    const auto previous = reference(text.substr(start_at), "startxref");
    const auto root = reference(trailer, "/Root");
    if (!previous || !root || by_number.count(*root) == 0) return unusable("its trailer names no catalog");
    const std::string_view catalog = by_number[*root]->body;
    if (catalog.find("/AcroForm") != catalog.npos) return unusable("it has a form already");
    // Down the page tree to the first page.
    auto page = reference(catalog, "/Pages");
    for (int depth = 0;
         page && by_number.count(*page) != 0 && by_number[*page]->body.find("/Kids") != std::string_view::npos;
         ++depth) {
        if (depth > 50) return unusable("its page tree is too deep");
        page = reference(by_number[*page]->body, "/Kids");
    }
    if (!page || by_number.count(*page) == 0) return unusable("it has no first page");
    const std::string_view page_body = by_number[*page]->body;
    if (page_body.find("/Annots") != page_body.npos) return unusable("its first page has annotations");

    const std::uint32_t signature = largest + 1, widget = largest + 2, appearance = largest + 3;
    const auto ref = [](std::uint32_t n) { return std::to_string(n) + " 0 R"; };
    std::string out;
    std::map<std::uint32_t, std::size_t> offsets;
    const std::size_t base = pdf.size();
    const auto object = [&](std::uint32_t number, const std::string& body) {
        offsets[number] = base + out.size();
        out += std::to_string(number) + " 0 obj\n" + body + "\nendobj\n";
    };
    if (pdf.empty() || pdf.back() != '\n') out += "\n";
    object(*root, without_end(catalog) + " /AcroForm << /Fields [ " + ref(widget) + " ] /SigFlags 3 >> >>");
    object(*page, without_end(page_body) + " /Annots [ " + ref(widget) + " ] >>");
    object(widget, "<< /Type /Annot /Subtype /Widget /FT /Sig /T (Kustos) /F 132 /Rect [ 0 0 0 0 ] /P " + ref(*page) +
                       " /V " + ref(signature) + " /AP << /N " + ref(appearance) + " >> >>");
    object(appearance,
           "<< /Type /XObject /Subtype /Form /BBox [ 0 0 0 0 ] /Resources << >> /Length 1 >>\nstream\n \nendstream");
    // The signature last: only what follows it moves with its fixed width.
    offsets[signature] = base + out.size();
    out += std::to_string(signature) +
           " 0 obj\n<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached /ByteRange ";
    const std::size_t range_at = out.size();
    const std::string blank(1 + 4 * 13 + 1, ' ');
    out += blank + " /Contents ";
    const std::size_t gap_at = out.size();
    out += "<" + std::string(kGapBytes * 2, '0') + "> >>\nendobj\n";

    const std::size_t xref_at = base + out.size();
    out += "xref\n";
    for (const auto& [number, offset] : offsets) {
        char row[64];
        std::snprintf(row, sizeof row, "%u 1\n%010zu 00000 n \n", number, offset);
        out += row;
    }
    std::string keep;  // the old trailer without /Size and /Prev
    {
        std::string old = without_end(trailer);
        for (const char* key : {"/Size", "/Prev"}) {
            const std::size_t at = old.find(key);
            if (at == old.npos) continue;
            std::size_t end = at + 5;
            while (end < old.size() && (old[end] == ' ' || (old[end] >= '0' && old[end] <= '9'))) ++end;
            old.erase(at, end - at);
        }
        keep = old;
    }
    out += "trailer" + keep + " /Size " + std::to_string(appearance + 1) + " /Prev " + std::to_string(*previous) +
           " >>\nstartxref\n" + std::to_string(xref_at) + "\n%%EOF\n";

    const std::size_t gap_begin = base + gap_at, gap_end = gap_begin + 2 + kGapBytes * 2;
    const std::size_t total = base + out.size();
    char range[80];
    const int n = std::snprintf(range, sizeof range, "[%d %zu %zu %zu]", 0, gap_begin, gap_end, total - gap_end);
    if (n <= 0 || static_cast<std::size_t>(n) > blank.size()) return unusable("it is too large");
    std::copy(range, range + n, out.begin() + static_cast<std::ptrdiff_t>(range_at));
    put(pdf, out);

    const Hash digest = sha256({ByteView(pdf).first(gap_begin), ByteView(pdf).subspan(gap_end)});
    const Bytes cms = TRY(sign(digest));
    if (cms.size() > kGapBytes) return Error(Code::internal, "the signature is larger than its place");
    const std::string digits = hex(cms);
    std::copy(digits.begin(), digits.end(), pdf.begin() + static_cast<std::ptrdiff_t>(gap_begin + 1));
    return pdf;
}

}  // namespace kustos::audit
