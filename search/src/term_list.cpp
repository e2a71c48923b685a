#include "search/term_list.h"

#include <algorithm>

#include "base/text.h"
#include "search/src/utf8.h"

namespace kustos::search {

namespace {

class Reader {
public:
    explicit Reader(Language language) : german_(language == Language::de), language_(language) {}

    Result<std::vector<Term>> read(std::string_view text) {
        if (text.size() > kMaxTermFile)
            return Error(Code::limit, say("die Liste hat mehr als 1 MiB", "the list has more than 1 MiB"))
                .with_hint(say("in mehrere Listen teilen", "divide it into several lists"));
        if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF"))
            return Error(Code::bad_input, say("die Liste ist UTF-16", "the list is UTF-16"))
                .with_hint(say("als UTF-8 speichern", "save it as UTF-8"));
        if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
        for (number_ = 1; !text.empty(); ++number_) {
            const std::size_t end = std::min(text.find('\n'), text.size());
            std::string_view line = text.substr(0, end);
            text.remove_prefix(std::min(end + 1, text.size()));
            if (line.ends_with('\r')) line.remove_suffix(1);
            TRY(take(line));
        }
        if (terms_.empty())
            return Error(Code::bad_input, say("in der Liste steht kein Begriff", "there is no term in the list"))
                .with_hint(say("eine Anfrage je Zeile", "one query a line"));
        return std::move(terms_);
    }

private:
    const char* say(const char* de, const char* en) const { return german_ ? de : en; }
    std::string at() const { return say("Zeile ", "line ") + std::to_string(number_) + ": "; }
    Error wrong(const char* de, const char* en) const {
        return Error(Code::bad_input, at() + say(de, en))
            .with_hint(say("eine Anfrage je Zeile, davor, wenn gewünscht, ein Name und ein Tabulator",
                           "one query a line, before it, if wanted, a name and a tab"));
    }
    static std::size_t characters(std::string_view text) {
        return static_cast<std::size_t>(
            std::count_if(text.begin(), text.end(), [](char c) { return !is_continuation(c); }));
    }

    Status take(std::string_view line) {
        if (line.size() > kMaxTermLine)
            return Error(Code::limit, at() + say("mehr als 8192 Bytes", "more than 8192 bytes"))
                .with_hint(say("in mehrere Zeilen teilen", "divide it into several lines"));
        if (!is_valid_utf8(line)) return wrong("das ist kein UTF-8", "this is not UTF-8");
        const std::string_view content = trimmed(line);
        if (content.empty() || content.front() == '#') return {};
        // what table and XML can't hold, and no query needs
        if (std::any_of(line.begin(), line.end(),
                        [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F; }))
            return wrong("ein Steuerzeichen", "a control character");
        Term term;
        term.line = number_;
        std::string_view query = line;
        if (const std::size_t tab = line.find('\t', line.find_first_not_of(" \t")); tab != std::string_view::npos) {
            const std::string_view name = trimmed(line.substr(0, tab));
            if (trimmed(line.substr(tab)).empty()) {
                query = line.substr(0, tab);
            } else {
                if (name.size() > kMaxTermName)
                    return wrong("der Name hat mehr als 200 Bytes", "the name has more than 200 bytes");
                term.name = name;
                query = line.substr(tab + 1);
            }
        }
        const std::size_t begin =
            static_cast<std::size_t>(query.data() - line.data()) + (query.size() - left_of(query));
        query = trimmed(query);
        ParsedQuery parsed = parse(query);
        if (parsed.problem) {
            parsed.problem->character += characters(line.substr(0, begin));
            const ProblemText text = describe(*parsed.problem, language_);
            return Error(Code::bad_input, at() + text.message).with_hint(text.hint);
        }
        if (terms_.size() == kMaxTerms)
            return Error(Code::limit, at() + say("mehr als 1000 Begriffe", "more than 1000 terms"))
                .with_hint(say("in mehrere Listen teilen", "divide it into several lists"));
        term.text = query;
        terms_.push_back(std::move(term));
        return {};
    }
    // Bytes from the first that is not blank.
    static std::size_t left_of(std::string_view text) {
        return text.size() - std::min(text.find_first_not_of(" \t"), text.size());
    }

    bool german_;
    Language language_;
    std::size_t number_ = 1;
    std::vector<Term> terms_;
};

}  // namespace

Result<std::vector<Term>> parse_term_list(std::string_view text, Language language) {
    return Reader(language).read(text);
}

}  // namespace kustos::search
