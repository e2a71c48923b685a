// The marks of a Hunspell dictionary that say where in a compound a word may stand (hunspell(5), COMPOUNDBEGIN and the
// like). Nothing else of its affix file is read.
#pragma once

#include <string>
#include <string_view>

namespace kustos::search {

struct CompoundMarks {
    std::string head;  // flags, one letter each: words that have one of these begin a compound or stand inside
    std::string end;   // ... end one
    bool usable() const { return !head.empty() && !end.empty(); }
};
CompoundMarks compound_marks(std::string_view aff);

}  // namespace kustos::search
