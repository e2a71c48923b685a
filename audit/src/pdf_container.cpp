#include "audit/pdf_container.h"

#include <algorithm>

#include "audit/der.h"
#include "base/crypto.h"

namespace kustos::audit {

namespace {

bool is_space(char c) {
    return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f' || c == '\0';
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

class Walker {
public:
    explicit Walker(ByteView pdf) : text_(as_text(pdf)) {}

    Result<std::vector<PdfObject>> run() {
        if (text_.substr(0, 5) != "%PDF-") return bad("not a PDF file");
        std::vector<PdfObject> objects;
        while (true) {
            skip_space();
            if (at_ >= text_.size()) return objects;
            const char c = text_[at_];
            if (is_digit(c)) {
                if (objects.size() >= 5'000'000) return bad("too many objects");
                objects.push_back(TRY(object()));
            } else if (starts("xref")) {
                TRY(cross_reference());
            } else if (starts("startxref")) {
                at_ += 9;
                skip_space();
                while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
            } else {
                return bad("something that is neither object nor cross-reference table");
            }
        }
    }

private:
    Error bad(const char* what) const {
        return Error(Code::bad_input, std::string(what) + ", at byte " + std::to_string(at_));
    }
    bool starts(std::string_view word) const { return text_.substr(at_, word.size()) == word; }
    void skip_space() {
        while (at_ < text_.size()) {
            if (is_space(text_[at_])) {
                ++at_;
            } else if (text_[at_] == '%') {
                while (at_ < text_.size() && text_[at_] != '\n' && text_[at_] != '\r') ++at_;
            } else {
                return;
            }
        }
    }
    Result<std::uint64_t> number() {
        std::uint64_t n = 0;
        const std::size_t begin = at_;
        while (at_ < text_.size() && is_digit(text_[at_]) && at_ - begin < 12)
            n = n * 10 + static_cast<std::uint64_t>(text_[at_++] - '0');
        if (at_ == begin) return bad("a number is missing");
        return n;
    }

    // Rows of fixed width, then the trailer's dictionary.
    Status cross_reference() {
        at_ += 4;
        while (true) {
            skip_space();
            if (starts("trailer")) break;
            TRY(number());
            skip_space();
            const std::uint64_t count = TRY(number());
            skip_space();
            if (count > (text_.size() - at_) / 18) return bad("a cross-reference table is cut");
            for (std::uint64_t i = 0; i < count; ++i) {
                if (text_.size() - at_ < 18) return bad("a cross-reference table is cut");
                at_ += 18;
                skip_space();
            }
        }
        at_ += 7;
        skip_space();
        return value(0);
    }

    Result<PdfObject> object() {
        PdfObject o;
        o.offset = at_;
        o.number = static_cast<std::uint32_t>(TRY(number()));
        skip_space();
        TRY(number());
        skip_space();
        if (!starts("obj")) return bad("obj is missing");
        at_ += 3;
        skip_space();
        const std::size_t begin = at_;
        TRY(value(0));
        o.body = text_.substr(begin, at_ - begin);
        skip_space();
        if (starts("stream")) {
            at_ += 6;
            if (starts("\r\n"))
                at_ += 2;
            else if (starts("\n"))
                at_ += 1;
            else
                return bad("a line end after stream is missing");
            const std::optional<std::uint64_t> length = length_of(o.body);
            std::size_t end = 0;
            if (length) {
                if (*length > text_.size() - at_) return bad("a stream is cut");
                end = at_ + static_cast<std::size_t>(*length);
                o.direct_length = true;
            } else {
                end = text_.find("endstream", at_);
                if (end == text_.npos) return bad("endstream is missing");
            }
            o.stream = as_bytes(text_.substr(at_, end - at_));
            at_ = end;
            skip_space();
            if (!starts("endstream")) return bad("endstream is missing");
            at_ += 9;
            skip_space();
        }
        if (!starts("endobj")) return bad("endobj is missing");
        at_ += 6;
        return o;
    }

    // "/Length 123" that is not "/Length 12 0 R", on the dictionary's own level.
    static std::optional<std::uint64_t> length_of(std::string_view dictionary) {
        int depth = 0;
        for (std::size_t i = 0; i + 8 < dictionary.size(); ++i) {
            if (dictionary.substr(i, 2) == "<<") {
                ++depth;
                ++i;
            } else if (dictionary.substr(i, 2) == ">>") {
                --depth;
                ++i;
            } else if (depth == 1 && dictionary.substr(i, 7) == "/Length" && (is_space(dictionary[i + 7]))) {
                std::size_t at = i + 7;
                while (at < dictionary.size() && is_space(dictionary[at])) ++at;
                std::uint64_t n = 0;
                const std::size_t begin = at;
                while (at < dictionary.size() && is_digit(dictionary[at]) && at - begin < 12)
                    n = n * 10 + static_cast<std::uint64_t>(dictionary[at++] - '0');
                if (at == begin) return std::nullopt;
                while (at < dictionary.size() && is_space(dictionary[at])) ++at;
                if (at < dictionary.size() && is_digit(dictionary[at])) return std::nullopt;  // a reference
                return n;
            }
        }
        return std::nullopt;
    }

    // Steps over one value: dictionary, array, string, name, number, reference, word.
    Status value(int depth) {
        if (depth > 100) return bad("nested too deeply");
        skip_space();
        if (at_ >= text_.size()) return bad("a value is missing");
        if (starts("<<")) {
            at_ += 2;
            while (true) {
                skip_space();
                if (starts(">>")) {
                    at_ += 2;
                    return {};
                }
                TRY(value(depth + 1));
            }
        }
        const char c = text_[at_];
        if (c == '[') {
            ++at_;
            while (true) {
                skip_space();
                if (at_ < text_.size() && text_[at_] == ']') {
                    ++at_;
                    return {};
                }
                TRY(value(depth + 1));
            }
        }
        if (c == '(') {
            int open = 0;
            for (; at_ < text_.size(); ++at_) {
                if (text_[at_] == '\\')
                    ++at_;
                else if (text_[at_] == '(')
                    ++open;
                else if (text_[at_] == ')' && --open == 0) {
                    ++at_;
                    return {};
                }
            }
            return bad("a string has no end");
        }
        if (c == '<') {
            const std::size_t end = text_.find('>', at_);
            if (end == text_.npos) return bad("a string has no end");
            at_ = end + 1;
            return {};
        }
        const std::size_t begin = at_++;
        while (at_ < text_.size() && !is_space(text_[at_]) &&
               std::string_view("/<>[]()%").find(text_[at_]) == std::string_view::npos)
            ++at_;
        if (at_ == begin + 1 && std::string_view(")]>").find(c) != std::string_view::npos)
            return bad("a value is missing");
        return {};
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

std::size_t count_of(std::string_view text, std::string_view word) {
    std::size_t n = 0;
    for (std::size_t at = text.find(word); at != text.npos; at = text.find(word, at + word.size())) ++n;
    return n;
}

}  // namespace

Result<std::vector<PdfObject>> walk_pdf(ByteView pdf) {
    return Walker(pdf).run();
}

Result<ByteView> find_container(const std::vector<PdfObject>& objects) {
    const PdfObject* found = nullptr;
    for (const PdfObject& o : objects) {
        if (!o.stream || count_of(o.body, "/KustosEvidence") == 0) continue;
        if (found != nullptr) return Error(Code::bad_input, "there are two evidence containers");
        found = &o;
    }
    if (found == nullptr) return Error(Code::not_found, "there is no evidence container in this file");
    if (!found->direct_length || count_of(found->body, "/Filter") != 0 ||
        count_of(found->body, "/KustosEvidence 1") != 1) {
        return Error(Code::bad_input, "the evidence container is not stored as it must be");
    }
    const std::string reference = " " + std::to_string(found->number) + " 0 R";
    bool named = false;
    for (const PdfObject& o : objects) {
        const std::size_t ef = o.body.find("/EF");
        if (ef != o.body.npos && o.body.find(reference, ef) != o.body.npos && o.body.find("/Filespec") != o.body.npos)
            named = true;
        if (&o != found && o.number == found->number)
            return Error(Code::bad_input, "the evidence container's object is replaced by another");
    }
    if (!named) return Error(Code::bad_input, "the evidence container is not listed as an attached file");
    return *found->stream;
}

Result<PdfSignature> find_signature(ByteView pdf) {
    const std::string_view text = as_text(pdf);
    const std::size_t range = text.rfind("/ByteRange");
    if (range == text.npos) return Error(Code::not_found, "the file is not signed");
    std::size_t at = range + 10;
    std::uint64_t numbers[4] = {};
    const auto skip = [&](char c) {
        while (at < text.size() && text[at] == c) ++at;
    };
    skip(' ');
    if (at >= text.size() || text[at] != '[') return Error(Code::bad_input, "the signature's range can't be read");
    ++at;
    for (std::uint64_t& n : numbers) {
        skip(' ');
        const std::size_t begin = at;
        while (at < text.size() && is_digit(text[at]) && at - begin < 12)
            n = n * 10 + static_cast<std::uint64_t>(text[at++] - '0');
        if (at == begin) return Error(Code::bad_input, "the signature's range can't be read");
    }
    if (numbers[0] != 0 || numbers[1] >= numbers[2] || numbers[2] > pdf.size() ||
        numbers[3] != pdf.size() - numbers[2]) {
        return Error(Code::bad_input, "the signature does not cover the whole file");
    }
    PdfSignature s;
    s.gap_begin = static_cast<std::size_t>(numbers[1]);
    s.gap_end = static_cast<std::size_t>(numbers[2]);
    const Error form(Code::conflict, "the place of the signature holds something else than the signature");
    if (s.gap_end - s.gap_begin < 10 || text[s.gap_begin] != '<' || text[s.gap_end - 1] != '>') return form;
    const std::string_view digits = text.substr(s.gap_begin + 1, s.gap_end - s.gap_begin - 2);
    if (std::any_of(digits.begin(), digits.end(), [](char c) { return !is_digit(c) && (c < 'a' || c > 'f'); }) ||
        digits.size() % 2 != 0)
        return form;
    Bytes all = TRY(parse_hex(digits));
    DerReader reader(all);
    const auto cms = reader.any();
    if (!cms.ok()) return form;
    const ByteView rest = reader.rest();
    if (std::any_of(rest.begin(), rest.end(), [](std::uint8_t b) { return b != 0; })) return form;
    s.der = to_bytes(cms->whole);
    return s;
}

Hash signed_digest(ByteView pdf, const PdfSignature& s) {
    return sha256({pdf.first(s.gap_begin), pdf.subspan(s.gap_end)});
}

}  // namespace kustos::audit
