// What counts as a word, and which spellings are the same word. Used alike for records, queries and highlights, so that
// the three can't disagree.
//
// A *part* is a run of letters and digits (Unicode word segmentation, and cut again at . _ ' and the like), so that
// "anna.mueller@example.org", "12-345/26" and "bericht_final.pdf" are found whole (as a phrase of parts) and by part.
// Its *form* is folded (NFKC, case, eszett = ss, accents off) with ae, oe, ue written as umlauts where they can stand
// for one ("Mueller" and "Müller" are one form, "neue" and "neü" are not) and -str at the end as -strasse, at most
// kMaxFormBytes. *Stems* are
// Snowball's, German and English; *components* are the words inside a German compound.
//
// Pure apart from the optional word list. Threads: an Analyser belongs to one thread; free functions are safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/fs.h"
#include "base/result.h"

namespace kustos::search {

inline constexpr std::size_t kMaxFormBytes = 64;  // a longer word is cut, alike in records and queries
// In each shard's state file. A shard of another version answers nothing: it is removed at the indexer's start, and its
// records come again from an open vault.
inline constexpr std::uint16_t kAnalysisVersion = 3;

std::string plain_form(std::string_view word);  // folded, accents off, cut; "mueller" stays; empty if nothing is left
std::string form_of(std::string_view word);     // plain_form with ae, oe, ue as umlauts
std::string form_of_plain(std::string_view plain);     // form_of of every word that has this plain form
std::string form_of_prefix(std::string_view letters);  // the same for the beginning of a word

struct WordForms {
    std::string form;
    std::string plain;
    std::vector<std::string> stems;  // a few at most, never equal to form
    std::vector<std::string>
        components;  // stems of words inside a compound, and of a verb that could be a noun; records
};

// One occurrence. A *variant* is a second reading of the same place: "Ver-/trag" at a line end as "vertrag", "E-Mail"
// as "email", "1.234.567" as "1234567"; it shares a position with the first of its parts.
struct Occurrence {
    std::uint32_t begin = 0;  // bytes in the text
    std::uint32_t end = 0;
    std::uint32_t position = 0;        // counts parts, from 0
    const WordForms* forms = nullptr;  // valid until trim() answers true
    bool variant = false;
};

class Analyser {
public:
    // With a German word list (Hunspell .dic or one word a line) compounds are taken apart more often; without one by a
    // short list of our own. Absent or unreadable file: the short list alone.
    explicit Analyser(Fs* fs = nullptr, const Path& word_list = {});
    ~Analyser();
    Analyser(Analyser&&) noexcept;

    // Calls for each occurrence, positions ascending; returns the number of positions used.
    std::uint32_t each(std::string_view utf8, const std::function<void(const Occurrence&)>& call);
    const WordForms& forms(std::string_view word);  // of one part, cached
    void forget();                                  // all of them; as trim() that answers true
    bool trim();  // forget cached words if there are many (true: all WordForms pointers are void); call between records

private:
    struct State;
    std::unique_ptr<State> state_;
};

// A word of a query, taken apart: its parts in order (one for an ordinary word), and other readings of the whole.
struct QueryWord {
    std::vector<std::string> parts;  // forms
    std::vector<std::string> plain;  // plain forms of the same
    std::vector<std::string> whole;  // forms of other readings: "e-mail" -> "email"
    std::vector<std::string> same;   // those of them that a phrase finds too: file references, telephone numbers
};
QueryWord query_word(std::string_view text);

// Text of an HTML body, for records that have no other.
std::string text_of_html(std::string_view html);

}  // namespace kustos::search
