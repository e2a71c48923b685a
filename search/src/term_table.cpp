#include "search/src/term_table.h"

#include <algorithm>
#include <cstring>
#include <unordered_set>

#include "search/analysis.h"
#include "search/src/date_terms.h"

namespace kustos::search {
namespace {

constexpr Space kWordSpaces[] = {Space::text, Space::from,    Space::to,   Space::cc,
                                 Space::bcc,  Space::subject, Space::file, Space::conversation};
constexpr Space kStemSpaces[] = {Space::stem, Space::subject_stem};
constexpr std::size_t kNoRow = static_cast<std::size_t>(-1);

TermBytes bytes_of(const std::string& term) {
    CHECK(term.size() == kTermSize);
    TermBytes out;
    std::memcpy(out.data(), term.data(), kTermSize);
    return out;
}

bool before(const TermBytes& a, const TermBytes& b) {
    return std::memcmp(a.data(), b.data(), kTermSize) < 0;
}

std::size_t place_of(const std::vector<TermTable::Row>& rows, const TermBytes& term) {
    const auto at = std::lower_bound(rows.begin(), rows.end(), term,
                                     [](const TermTable::Row& row, const TermBytes& b) { return before(row.old, b); });
    if (at == rows.end() || at->old != term) return kNoRow;
    return static_cast<std::size_t>(at - rows.begin());
}

}  // namespace

TermTable::TermTable(const Xapian::Database& database, const TermKey& old) : old_(old) {
    for (Xapian::TermIterator term = database.allterms_begin(); term != database.allterms_end(); ++term) {
        const std::string bytes = *term;
        if (bytes.size() != kTermSize) throw Xapian::DatabaseCorruptError("a term of impossible length");
        Row row;
        row.old = bytes_of(bytes);
        rows_.push_back(row);
    }
    std::sort(rows_.begin(), rows_.end(), [](const Row& a, const Row& b) { return before(a.old, b.old); });
}

TermTable::Row* TermTable::find(Space space, std::string_view text) {
    const std::size_t at = place_of(rows_, bytes_of(old_.term(space, text)));
    return at == kNoRow ? nullptr : &rows_[at];
}
const TermTable::Row* TermTable::find(Space space, std::string_view text) const {
    const std::size_t at = place_of(rows_, bytes_of(old_.term(space, text)));
    return at == kNoRow ? nullptr : &rows_[at];
}

void TermTable::know(Space space, const std::string& text) {
    Row* row = find(space, text);
    if (row == nullptr || row->known) return;
    row->known = true;
    row->space = space;
    row->text = static_cast<std::uint32_t>(texts_.size());
    texts_.push_back(text);
}

void TermTable::add(const WordsRead& log, const Stemmer& stemmer) {
    for (const std::string& plain : log.words) {
        const std::string form = form_of_plain(plain);
        for (const Space space : kWordSpaces) know(space, form);
        for (const std::string& stem : stemmer.stems(form, plain)) {
            for (const Space space : kStemSpaces) know(space, stem);
        }
    }
    for (const auto& [word, stem] : log.parts) {
        for (const Space space : kStemSpaces) know(space, stem);
    }
    for (const LoggedText& logged : log.texts) know(logged.space, logged.text);
}

void TermTable::add_reasons(const std::map<std::string, std::uint64_t>& reasons) {
    for (const auto& [reason, count] : reasons) know(Space::reason, reason);
}

void TermTable::add_conditions(const std::vector<DocData>& rows) {
    know(Space::has, "attachment");
    know(Space::has, "subject");
    std::unordered_set<std::int64_t> days;
    for (unsigned bits = 0; bits < 64; ++bits) know(Space::size_class, std::to_string(bits));
    for (const DocData& data : rows) {
        if (!days.insert(day_number(data.time)).second) continue;
        const DateNames names = date_names(data.time);
        know(Space::day, names.day);
        know(Space::month, names.month);
        know(Space::year, names.year);
    }
}

std::uint64_t TermTable::unknown() const {
    return static_cast<std::uint64_t>(
        std::count_if(rows_.begin(), rows_.end(), [](const Row& row) { return !row.known; }));
}

void TermTable::rekey(const TermKey& fresh) {
    for (Row& row : rows_) row.fresh = bytes_of(fresh.term(row.space, texts_.at(row.text)));
    texts_ = {};
}

bool TermTable::uses(const LoggedText& logged) const {
    const auto used = [this](Space space, const std::string& text) {
        const Row* row = find(space, text);
        return row != nullptr && row->used;
    };
    if (logged.space == Space::stem) {
        return std::any_of(std::begin(kStemSpaces), std::end(kStemSpaces),
                           [&](Space space) { return used(space, logged.text); });
    }
    if (logged.space != Space::text) return used(logged.space, logged.text);
    const std::string form = form_of_plain(logged.text);
    return std::any_of(std::begin(kWordSpaces), std::end(kWordSpaces), [&](Space space) { return used(space, form); });
}

}  // namespace kustos::search
