#include "search/src/hunspell_marks.h"

#include <algorithm>
#include <sstream>

namespace kustos::search {

CompoundMarks compound_marks(std::string_view aff) {
    CompoundMarks marks;
    std::istringstream once{std::string(aff)};
    for (std::string line, name, flag; std::getline(once, line);) {
        std::istringstream words(line);
        if (!(words >> name >> flag)) continue;
        if (name == "FLAG") return {};  // numbers or two letters a flag: not ours
        if (flag.size() != 1) continue;
        if (name == "COMPOUNDBEGIN" || name == "COMPOUNDMIDDLE") marks.head += flag;
        if (name == "COMPOUNDEND") marks.end += flag;
    }
    // A flag whose suffix rule changes nothing but gives such a mark is one too: "SFX j 0 0/xoc ."
    const std::string plain_head = marks.head;
    std::istringstream again{std::string(aff)};
    for (std::string line, kind, flag, strip, affix; std::getline(again, line);) {
        std::istringstream words(line);
        if (!(words >> kind >> flag >> strip >> affix) || kind != "SFX" || flag.size() != 1 || strip != "0") continue;
        if (affix.compare(0, 2, "0/") != 0) continue;
        if (affix.find_first_of(plain_head, 2) != std::string::npos && marks.head.find(flag) == std::string::npos)
            marks.head += flag;
    }
    return marks;
}

}  // namespace kustos::search
