#include "audit/pdf_sign.h"

#include <algorithm>
#include <cstdio>
#include <map>

#include "audit/pdf_container.h"
#include "audit/src/pdf_layout.h"
#include "audit/src/pdf_syntax.h"
#include "base/crypto.h"

namespace kustos::audit {

namespace {

using pdf::Dictionary;

Error unusable(const char* what) {
    return Error(Code::bad_input, std::string("this PDF can't be signed: ") + what);
}

std::string reference(std::uint32_t number) {
    return std::to_string(number) + " 0 R";
}

// The dictionary with some entries left out and text put at its end.
std::string rewritten(const Dictionary& dictionary, std::initializer_list<std::string_view> without,
                      const std::string& more) {
    std::string out = "<<";
    for (const auto& [name, value] : dictionary) {
        if (std::find(without.begin(), without.end(), name) == without.end())
            out += " " + pdf::encode_name(name) + " " + std::string(value);
    }
    return out + " " + more + " >>";
}

// Down the page tree.
Result<std::uint32_t> first_page(const PdfFile& file, const Dictionary& catalog) {
    auto node = pdf::find(catalog, "Pages");
    std::string_view current = node ? *node : std::string_view();
    for (int depth = 0; depth < 50; ++depth) {
        const auto number = pdf::as_reference(current);
        if (!number) break;
        const Dictionary dictionary = TRY(pdf::parse_dictionary(file.resolve(current)));
        const auto kids = pdf::find(dictionary, "Kids");
        if (!kids) return *number;
        const auto list = TRY(pdf::parse_array(file.resolve(*kids)));
        if (list.empty()) break;
        current = list.front();
    }
    return unusable("it has no first page");
}

// What the update appends, and where its objects begin.
class Update {
public:
    explicit Update(const Bytes& pdf) : base_(pdf.size()) {
        if (pdf.empty() || pdf.back() != '\n') text_ += "\n";
    }
    void object(std::uint32_t number, const std::string& body) {
        begin(number);
        text_ += std::to_string(number) + " 0 obj\n" + body + "\nendobj\n";
    }
    void begin(std::uint32_t number) { offsets_[number] = end(); }
    std::size_t end() const { return base_ + text_.size(); }

    void table(const std::string& trailer) {
        const std::size_t at = end();
        text_ += "xref\n";
        for (const auto& [number, offset] : offsets_) {
            char row[64];
            std::snprintf(row, sizeof row, "%u 1\n%010zu 00000 n \n", number, offset);
            text_ += row;
        }
        text_ += "trailer\n" + trailer + "\nstartxref\n" + std::to_string(at) + "\n%%EOF\n";
    }
    // ISO 32000-1 7.5.8, uncompressed: type, offset, generation in 1, 8 and 2 bytes.
    void stream(std::uint32_t number, const Dictionary& old, const std::string& entries) {
        const std::size_t at = end();
        begin(number);
        Bytes rows;
        std::string index;
        for (const auto& [n, offset] : offsets_) {
            put_u8(rows, 1);
            put_u64(rows, offset);
            put_u16(rows, 0);
            index += " " + std::to_string(n) + " 1";
        }
        const std::string dictionary = rewritten(
            old, {"Type", "Size", "Prev", "W", "Index", "Length", "Filter", "DecodeParms"},
            "/Type /XRef /W [ 1 8 2 ] /Index [" + index + " ] /Length " + std::to_string(rows.size()) + entries);
        text_ += std::to_string(number) + " 0 obj\n" + dictionary + "\nstream\n";
        text_ += as_text(rows);
        text_ += "\nendstream\nendobj\nstartxref\n" + std::to_string(at) + "\n%%EOF\n";
    }
    std::string& text() { return text_; }

private:
    std::size_t base_;
    std::string text_;
    std::map<std::uint32_t, std::size_t> offsets_;
};

// Everything but the numbers of the range and the signature itself. range_at, gap_at: positions in the finished file.
struct Places {
    std::size_t range_at = 0, gap_at = 0;
};

Result<Places> write_update(const PdfFile& file, Update& update) {
    const Dictionary trailer = TRY(pdf::parse_dictionary(file.trailer));
    const auto root_value = pdf::find(trailer, "Root");
    const auto root = root_value ? pdf::as_reference(*root_value) : std::nullopt;
    if (!root || file.find(*root) == nullptr) return unusable("its trailer names no catalog");
    const Dictionary catalog = TRY(pdf::parse_dictionary(file.find(*root)->body));
    if (pdf::find(catalog, "AcroForm")) return unusable("it has a form already");
    const std::uint32_t page = TRY(first_page(file, catalog));
    const Dictionary page_entries = TRY(pdf::parse_dictionary(file.find(page)->body));
    std::string annotations = "[";
    if (const auto old = pdf::find(page_entries, "Annots")) {
        for (const std::string_view a : TRY(pdf::parse_array(file.resolve(*old)))) annotations += " " + std::string(a);
    }

    // /Size of the trailer bounds the numbers in use; objects beyond it would be a damaged file.
    std::uint32_t largest = 0;
    for (const PdfObject& o : file.objects) largest = std::max(largest, o.number);
    const std::uint32_t widget = largest + 1, appearance = largest + 2, signature = largest + 3, xref = largest + 4;
    update.object(*root, rewritten(catalog, {}, "/AcroForm << /Fields [ " + reference(widget) + " ] /SigFlags 3 >>"));
    update.object(page, rewritten(page_entries, {"Annots"}, "/Annots " + annotations + " " + reference(widget) + " ]"));
    update.object(widget, "<< /Type /Annot /Subtype /Widget /FT /Sig /T (Kustos) /F 132 /Rect [ 0 0 0 0 ] /P " +
                              reference(page) + " /V " + reference(signature) + " /AP << /N " + reference(appearance) +
                              " >> >>");
    update.object(
        appearance,
        "<< /Type /XObject /Subtype /Form /BBox [ 0 0 0 0 ] /Resources << >> /Length 1 >>\nstream\n \nendstream");
    Places places;
    update.begin(signature);
    update.text() += std::to_string(signature) + std::string(kSignatureHead);
    places.range_at = update.end();
    update.text() += std::string(3 * 13 + 1, ' ') + " " + std::string(kSignatureGap);
    places.gap_at = update.end();
    update.text() += "<" + std::string(kGapBytes * 2, '0') + ">" + std::string(kSignatureTail);

    const std::string previous = " /Prev " + std::to_string(file.startxref);
    if (file.xref_stream) {
        update.stream(xref, trailer, " /Size " + std::to_string(xref + 1) + previous);
    } else {
        update.table(rewritten(trailer, {"Size", "Prev", "XRefStm"}, "/Size " + std::to_string(xref) + previous));
    }
    return places;
}

}  // namespace

Result<Bytes> append_signature(Bytes pdf, const std::function<Result<Bytes>(const Hash&)>& sign) {
    Update update(pdf);
    Places places;
    {
        const PdfFile file = TRY(walk_pdf(pdf));
        places = TRY(write_update(file, update));
    }
    put(pdf, update.text());
    const std::size_t gap_end = places.gap_at + 2 + kGapBytes * 2;
    char range[64];
    const int n = std::snprintf(range, sizeof range, " %zu %zu %zu]", places.gap_at, gap_end, pdf.size() - gap_end);
    if (n <= 0 || n > 3 * 13 + 1) return unusable("it is too large");
    std::copy(range, range + n, pdf.begin() + static_cast<std::ptrdiff_t>(places.range_at));

    const Hash digest = sha256({ByteView(pdf).first(places.gap_at), ByteView(pdf).subspan(gap_end)});
    const Bytes cms = TRY(sign(digest));
    if (cms.size() > kGapBytes) return Error(Code::internal, "the signature is larger than its place");
    const std::string digits = hex(cms);
    std::copy(digits.begin(), digits.end(), pdf.begin() + static_cast<std::ptrdiff_t>(places.gap_at + 1));
    return pdf;
}

}  // namespace kustos::audit
