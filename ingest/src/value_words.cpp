#include "ingest/value_words.h"

#include <array>

namespace kustos::ingest {

namespace {

struct Part {
    Carries EvidentialValue::*carries;
    const char *de, *en;
};
constexpr std::array<Part, 6> kParts{{
    {&EvidentialValue::ids, "Kennungen", "ids"},
    {&EvidentialValue::edits, "Bearbeitungen", "edits"},
    {&EvidentialValue::deletions, "Löschungen", "deletions"},
    {&EvidentialValue::time_zone, "Zeiten mit Zeitzone", "times with a zone"},
    {&EvidentialValue::membership, "wer dabei war", "who was present"},
    {&EvidentialValue::attachments, "Anhänge", "attachments"},
}};

std::string listed(const EvidentialValue& value, Carries wanted, bool de) {
    std::string out;
    for (const Part& p : kParts)
        if (value.*p.carries == wanted) out += (out.empty() ? "" : ", ") + std::string(de ? p.de : p.en);
    return out;
}

}  // namespace

std::string level_words(EvidentialLevel level, bool de) {
    switch (level) {
        case EvidentialLevel::high:
            return de ? "hoch" : "high";
        case EvidentialLevel::medium:
            return de ? "mittel" : "medium";
        case EvidentialLevel::low:
            return de ? "gering" : "low";
    }
    return "";
}

std::string value_words(const EvidentialValue& value, bool de) {
    std::string out = level_words(value.level, de);
    const auto add = [&](Carries wanted, const char* german, const char* english) {
        if (const std::string list = listed(value, wanted, de); !list.empty())
            out += "; " + std::string(de ? german : english) + list;
    };
    add(Carries::yes, "enthält ", "carries ");
    add(Carries::partly, "teilweise ", "partly ");
    add(Carries::no, "nicht enthalten: ", "lacks ");
    return out;
}

std::string value_words(std::string_view format, bool de) {
    const FormatInfo* info = find_format(format);
    if (info == nullptr) return de ? "nicht bekannt" : "not known";
    return value_words(info->value, de);
}

}  // namespace kustos::ingest
