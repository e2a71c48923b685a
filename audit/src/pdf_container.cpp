#include "audit/pdf_container.h"

#include <algorithm>
#include <numeric>
#include <set>

#include "audit/der.h"
#include "audit/src/pdf_layout.h"
#include "audit/src/pdf_syntax.h"
#include "base/crypto.h"

namespace kustos::audit {

namespace {

using pdf::as_number;
using pdf::as_reference;
using pdf::Cursor;
using pdf::Dictionary;

class Walker {
public:
    explicit Walker(ByteView bytes) : text_(as_text(bytes)), in_(text_) {}

    Result<PdfFile> run() {
        if (text_.substr(0, 5) != "%PDF-") return in_.bad("not a PDF file");
        while (true) {
            in_.skip_space();
            if (in_.at_end()) break;
            if (pdf::is_digit(in_.peek())) {
                if (file_.objects.size() >= kMaxPdfObjects) return in_.bad("too many objects");
                TRY(object());
            } else if (in_.starts("xref")) {
                TRY(cross_reference());
            } else if (in_.starts("startxref")) {
                in_.step(9);
                in_.skip_space();
                file_.startxref = TRY(in_.number());
            } else {
                return in_.bad("something that is neither object nor cross-reference table");
            }
        }
        if (file_.trailer.empty()) return in_.bad("the file has no trailer");
        const Dictionary trailer = TRY(pdf::parse_dictionary(file_.trailer));
        if (pdf::find(trailer, "Encrypt")) return in_.bad("the file is encrypted");
        file_.by_number.resize(file_.objects.size());
        std::iota(file_.by_number.begin(), file_.by_number.end(), 0u);
        std::stable_sort(file_.by_number.begin(), file_.by_number.end(), [&](std::uint32_t a, std::uint32_t b) {
            return file_.objects[a].number < file_.objects[b].number;
        });
        return std::move(file_);
    }

private:
    // Rows of fixed width (ISO 32000-1 7.5.4), then the trailer's dictionary.
    Status cross_reference() {
        in_.step(4);
        while (true) {
            in_.skip_space();
            if (in_.starts("trailer")) break;
            TRY(in_.number());
            in_.skip_space();
            const std::uint64_t count = TRY(in_.number());
            in_.skip_space();
            for (std::uint64_t i = 0; i < count; ++i) {
                if (text_.size() - in_.at() < 18) return in_.bad("a cross-reference table is cut");
                in_.step(18);
                in_.skip_space();
            }
        }
        in_.step(7);
        file_.trailer = TRY(in_.value());
        file_.xref_stream = false;
        return {};
    }

    Status object() {
        PdfObject o;
        o.offset = in_.at();
        const std::uint64_t number = TRY(in_.number());
        if (number > 0x7FFFFFFF) return in_.bad("an object's number is too large");
        o.number = static_cast<std::uint32_t>(number);
        in_.skip_space();
        TRY(in_.number());
        in_.skip_space();
        if (!in_.starts("obj")) return in_.bad("obj is missing");
        in_.step(3);
        o.body = TRY(in_.value());
        in_.skip_space();
        if (in_.starts("stream")) {
            TRY(stream(o));
            in_.skip_space();
        }
        if (!in_.starts("endobj")) return in_.bad("endobj is missing");
        in_.step(6);
        file_.objects.push_back(o);
        return {};
    }

    Status stream(PdfObject& o) {
        in_.step(6);
        if (in_.starts("\r\n")) {
            in_.step(2);
        } else if (in_.starts("\n")) {
            in_.step(1);
        } else {
            return in_.bad("a line end after stream is missing");
        }
        const Dictionary dictionary = TRY(pdf::parse_dictionary(o.body));
        const auto type = pdf::find(dictionary, "Type"), length = pdf::find(dictionary, "Length");
        if (type && *type == "/ObjStm") return in_.bad("objects in a compressed stream are not read here");
        const auto size = length ? as_number(*length) : std::nullopt;
        if (!size) return in_.bad("a stream without a direct length");
        if (*size > text_.size() - in_.at()) return in_.bad("a stream is cut");
        o.stream = as_bytes(text_.substr(in_.at(), static_cast<std::size_t>(*size)));
        in_.step(static_cast<std::size_t>(*size));
        in_.skip_space();
        if (!in_.starts("endstream")) return in_.bad("endstream is missing");
        in_.step(9);
        if (type && *type == "/XRef") {
            file_.trailer = o.body;
            file_.xref_stream = true;
        }
        return {};
    }

    std::string_view text_;
    Cursor in_;
    PdfFile file_;
};

// Work for a hostile name tree stays bounded: each node is read once, and these.
constexpr std::size_t kMaxNode = 1u << 20, kMaxFilespec = 16 * 1024, kMaxFilespecs = 4'096;

std::string_view entry(const PdfFile& file, std::string_view dictionary, std::string_view name,
                       std::size_t limit = kMaxNode) {
    const std::string_view text = file.resolve(dictionary);
    if (text.size() > limit) return {};
    const auto parsed = pdf::parse_dictionary(text);
    if (!parsed.ok()) return {};
    const auto value = pdf::find(*parsed, name);
    return value ? *value : std::string_view();
}

bool names_container(const PdfFile& file, std::string_view filespec, std::uint32_t container) {
    if (entry(file, filespec, "Type", kMaxFilespec) != "/Filespec") return false;
    const std::string_view embedded = entry(file, filespec, "EF", kMaxFilespec);
    return !embedded.empty() && as_reference(entry(file, embedded, "F", kMaxFilespec)) == container;
}

// ISO 32000-1 7.9.6: /Names [key value key value ...] in the leaves, /Kids above them.
class NameTree {
public:
    NameTree(const PdfFile& file, std::uint32_t container) : file_(file), container_(container) {}

    bool lists(std::string_view node, int depth = 0) {
        if (node.empty() || depth > 16) return false;
        if (const auto number = as_reference(node); number && !seen_.insert(*number).second) return false;
        const auto names = pdf::parse_array(entry(file_, node, "Names"));
        for (std::size_t i = 1; names.ok() && i < names->size(); i += 2) {
            if (++filespecs_ > kMaxFilespecs) return false;
            if (names_container(file_, (*names)[i], container_)) return true;
        }
        const auto kids = pdf::parse_array(entry(file_, node, "Kids"));
        return kids.ok() && std::any_of(kids->begin(), kids->end(), [&](std::string_view kid) {
                   return as_reference(kid) && lists(kid, depth + 1);
               });
    }

private:
    const PdfFile& file_;
    std::uint32_t container_;
    std::set<std::uint32_t> seen_;
    std::size_t filespecs_ = 0;
};

}  // namespace

const PdfObject* PdfFile::find(std::uint32_t number) const {
    const auto behind =
        std::upper_bound(by_number.begin(), by_number.end(), number,
                         [&](std::uint32_t n, std::uint32_t position) { return n < objects[position].number; });
    if (behind == by_number.begin() || objects[*(behind - 1)].number != number) return nullptr;
    return &objects[*(behind - 1)];
}

std::string_view PdfFile::resolve(std::string_view value) const {
    if (const auto number = as_reference(value)) {
        const PdfObject* object = find(*number);
        return object == nullptr ? std::string_view() : object->body;
    }
    return value;
}

Result<PdfFile> walk_pdf(ByteView pdf) {
    return Walker(pdf).run();
}

Result<ByteView> find_container(const PdfFile& file) {
    const auto refused = [](const char* why) { return Error(Code::bad_input, why); };
    const PdfObject* found = nullptr;
    for (const PdfObject& o : file.objects) {
        if (!o.stream) continue;
        const Dictionary dictionary = TRY(pdf::parse_dictionary(o.body));
        const auto mark = pdf::find(dictionary, "KustosEvidence");
        if (!mark) continue;
        if (found != nullptr) return refused("there are two evidence containers");
        if (*mark != "1") return refused("the evidence container is of another version");
        if (pdf::find(dictionary, "Filter")) return refused("the evidence container is compressed");
        found = &o;
    }
    if (found == nullptr) return Error(Code::not_found, "there is no evidence container in this file");
    for (const PdfObject& o : file.objects) {
        if (&o != found && o.number == found->number)
            return refused("the evidence container is replaced by another object");
    }
    const std::string_view names = entry(file, entry(file, file.trailer, "Root"), "Names");
    if (names.empty() || !NameTree(file, found->number).lists(entry(file, names, "EmbeddedFiles"))) {
        return refused("the evidence container is not listed as an attached file");
    }
    return *found->stream;
}

Result<ReportParts> find_report(const PdfFile& file) {
    const Error none(Code::not_found, "not a verification report");
    const PdfObject* found[2] = {};
    for (const PdfObject& o : file.objects) {
        if (!o.stream) continue;
        const Dictionary dictionary = TRY(pdf::parse_dictionary(o.body));
        if (pdf::find(dictionary, "KustosEvidence")) return none;
        const auto mark = pdf::find(dictionary, "KustosReport");
        if (!mark) continue;
        const bool known = *mark == "1" || *mark == "2";
        if (!known || found[*mark == "2"] != nullptr || pdf::find(dictionary, "Filter")) return none;
        found[*mark == "2"] = &o;
    }
    for (const PdfObject* part : found) {
        if (part == nullptr) return none;
        const auto same = [&](const PdfObject& o) { return o.number == part->number; };
        if (std::count_if(file.objects.begin(), file.objects.end(), same) != 1) return none;
    }
    return ReportParts{*found[0]->stream, *found[1]->stream};
}

Result<PdfSignature> find_signature(ByteView pdf) {
    const std::string_view text = as_text(pdf);
    const std::size_t begin = text.rfind(kSignatureHead);
    if (begin == text.npos) return Error(Code::not_found, "the file is not signed, or not as bundles are");
    const Error form(Code::bad_input, "the signature's range can't be read");
    Cursor in(text);
    in.step(begin + kSignatureHead.size());
    std::uint64_t numbers[3] = {};
    for (std::uint64_t& n : numbers) {
        if (!in.starts(" ")) return form;
        in.step(1);
        const std::size_t digits = in.at();
        n = TRY(in.number());
        if (std::to_string(n).size() != in.at() - digits) return form;
    }
    if (!in.starts("]")) return form;
    in.step(1);
    while (in.starts(" ")) in.step(1);
    if (!in.starts(kSignatureGap)) return form;
    in.step(kSignatureGap.size());
    PdfSignature s;
    s.gap_begin = in.at();
    if (numbers[0] != s.gap_begin || numbers[1] <= numbers[0] || numbers[1] > pdf.size() ||
        numbers[2] != pdf.size() - numbers[1]) {
        return Error(Code::bad_input, "the signature does not cover the whole file");
    }
    s.gap_end = static_cast<std::size_t>(numbers[1]);
    if (text.substr(s.gap_end, kSignatureTail.size()) != kSignatureTail) return form;

    const Error gap(Code::conflict, "the place of the signature holds something else than the signature");
    if (s.gap_end - s.gap_begin > kMaxGap || text[s.gap_begin] != '<' || text[s.gap_end - 1] != '>') return gap;
    const std::string_view digits = text.substr(s.gap_begin + 1, s.gap_end - s.gap_begin - 2);
    const bool lower =
        std::all_of(digits.begin(), digits.end(), [](char c) { return pdf::is_digit(c) || (c >= 'a' && c <= 'f'); });
    auto all = parse_hex(digits);
    if (!lower || !all.ok()) return gap;
    DerReader reader(*all);
    const auto cms = reader.any();
    if (!cms.ok()) return gap;
    const ByteView rest = reader.rest();
    if (std::any_of(rest.begin(), rest.end(), [](std::uint8_t b) { return b != 0; })) return gap;
    s.der = to_bytes(cms->whole);
    return s;
}

Hash signed_digest(ByteView pdf, const PdfSignature& s) {
    return sha256({pdf.first(s.gap_begin), pdf.subspan(s.gap_end)});
}

}  // namespace kustos::audit
