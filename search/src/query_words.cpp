#include "search/src/query_words.h"

#include <algorithm>

#include "search/analysis.h"
#include "search/src/parts.h"
#include "search/src/utf8.h"

namespace kustos::search {
namespace {

using What = QueryProblem::What;

bool is_alnum(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           static_cast<unsigned char>(c) >= 0x80;
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

std::size_t letters_in(std::string_view text) {
    const std::string plain = plain_form(text);
    return static_cast<std::size_t>(
        std::count_if(plain.begin(), plain.end(), [](char c) { return !is_continuation(c); }));
}

bool is_one_part(std::string_view text) {
    const std::vector<Part> parts = split_parts(text);
    return parts.size() == 1 && parts[0].begin == 0 && parts[0].end == text.size() && !plain_form(text).empty();
}

class Reader {
public:
    Reader(std::string_view word, bool in_field) : word_(word), in_field_(in_field) {}

    TypedWord read() {
        if (word_ == "*") {
            if (in_field_) return problem(What::prefix_too_short, 0, 1);
            out_.node.kind = Node::Kind::everything;
            return out_;
        }
        const QueryWord whole = query_word(word_);
        if (whole.parts.empty()) return signs();
        if (word_[0] == '=') return exact();
        trim();
        if (is_fuzzy()) return fuzzy();
        if (has_wildcard(whole)) return pattern();
        out_.node.kind = Node::Kind::word;
        out_.node.text = std::string(word_);
        out_.parts = whole.parts.size();
        return out_;
    }

private:
    TypedWord problem(What what, std::size_t begin, std::size_t end) {
        out_.problem = what;
        out_.begin = begin;
        out_.end = end;
        return out_;
    }

    // Left out between words, a problem where they are all there is; emoji always.
    TypedWord signs() {
        const bool ascii =
            std::all_of(word_.begin(), word_.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
        if (word_.find('*') != std::string_view::npos) return problem(What::prefix_too_short, 0, word_.size());
        if (!ascii) return problem(What::nothing_to_find, 0, word_.size());
        out_.nothing = true;
        return out_;
    }

    // Without signs around: "(vertr*)," means vertr*.
    void trim() {
        const auto stays = [](char c) { return is_alnum(c) || c == '*' || c == '?'; };
        while (begin_ < word_.size() && !stays(word_[begin_])) ++begin_;
        end_ = word_.size();
        while (end_ > begin_ && !stays(word_[end_ - 1]) && word_[end_ - 1] != '~') --end_;
    }
    std::string_view trimmed() const { return word_.substr(begin_, end_ - begin_); }

    TypedWord exact() {
        const std::size_t wild = word_.find_first_of("*?");
        if (wild != std::string_view::npos) return problem(What::star_inside, wild, wild + 1);
        out_ = read_phrase(word_.substr(1), Node::Kind::exact);
        return out_;
    }

    bool is_fuzzy() const {
        const std::size_t tilde = trimmed().rfind('~');
        if (tilde == std::string_view::npos || tilde == 0) return false;
        const std::string_view behind = trimmed().substr(tilde + 1);
        return std::all_of(behind.begin(), behind.end(), [](char c) { return is_digit(c) || c == '.'; });
    }
    TypedWord fuzzy() {
        const std::size_t tilde = trimmed().rfind('~');
        const std::string_view letters = trimmed().substr(0, tilde), behind = trimmed().substr(tilde + 1);
        const std::uint32_t number = behind.empty() ? 1 : static_cast<std::uint32_t>(behind[0] - '0');
        const bool good = behind.size() <= 1 && number >= 1 && number <= kMaxFuzzy;
        if (!good || !is_one_part(letters) || letters_in(letters) < kMinPrefixLetters)
            return problem(What::bad_fuzzy, begin_ + tilde, end_);
        out_.node.kind = Node::Kind::fuzzy;
        out_.node.text = std::string(letters);
        out_.node.number = number;
        return out_;
    }

    // A question mark ends a question where it could be no wildcard, and belongs to addresses of the web.
    bool has_wildcard(const QueryWord& whole) const {
        const std::string_view text = trimmed();
        const std::size_t wild = text.find_first_of("*?");
        if (wild == std::string_view::npos) return false;
        if (text.find('*') == std::string_view::npos && text.find("://") != std::string_view::npos) return false;
        if (wild + 1 < text.size() || text[wild] == '*') return true;
        const std::string_view before = text.substr(0, wild);
        if (whole.parts.size() > 1) {
            const std::string& last = whole.plain.back();
            return std::any_of(last.begin(), last.end(), is_digit);
        }
        return letters_in(before) >= kMinPrefixLetters;
    }

    TypedWord pattern() {
        std::string text;
        std::size_t letters = 0, wildcards = 0;
        const std::size_t first = begin_ + trimmed().find_first_of("*?");
        for (std::string_view rest = trimmed(); !rest.empty();) {
            const std::size_t wild = rest.find_first_of("*?");
            const std::string_view piece = rest.substr(0, wild);
            if (!piece.empty() && !is_one_part(piece)) return problem(What::star_inside, first, first + 1);
            letters += letters_in(piece);
            text += piece;
            if (wild == std::string_view::npos) break;
            const bool again = rest[wild] == '*' && !text.empty() && text.back() == '*';
            if (!again) text += rest[wild], ++wildcards;
            rest.remove_prefix(wild + 1);
        }
        if (letters < kMinPrefixLetters) return problem(What::prefix_too_short, begin_, end_);
        if (wildcards > kMaxPattern) return problem(What::star_inside, first, end_);
        const bool prefix = wildcards == 1 && text.back() == '*';
        if (prefix) text.pop_back();
        out_.node.kind = prefix ? Node::Kind::prefix : Node::Kind::pattern;
        out_.node.text = std::move(text);
        return out_;
    }

    std::string_view word_;
    bool in_field_;
    std::size_t begin_ = 0, end_ = 0;  // of what is between signs
    TypedWord out_;
};

}  // namespace

TypedWord read_word(std::string_view word, bool in_field) {
    return Reader(word, in_field).read();
}

TypedWord read_phrase(std::string_view inside, Node::Kind kind) {
    TypedWord out;
    out.node.kind = kind;
    out.node.text = std::string(inside);
    out.parts = query_word(inside).parts.size();
    if (out.parts == 0) {
        out.problem = QueryProblem::What::nothing_to_find;
        out.end = inside.size();
    }
    return out;
}

}  // namespace kustos::search
