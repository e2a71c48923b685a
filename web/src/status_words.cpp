#include "web/service.h"

namespace kustos::web {

std::string existence_words(const StatusReport& s, Language language) {
    const bool de = language == Language::german;
    const auto left = [&] { return s.entries > s.anchored_size.value ? s.entries - s.anchored_size.value : 0; };
    if (!s.anchored_time)
        return de ? "bisher nur durch die Uhr des Archivs, noch kein Zeitstempel"
                  : "only by the archive's own clock so far, no time stamp yet";
    const std::string when = format_rfc3339(*s.anchored_time);
    const std::string size = std::to_string(s.anchored_size.value);
    std::string text;
    if (s.anchored_by_others) {
        text = de ? "bewiesen am " + when + ", durch " + s.anchored_by + ": die ersten " + size + " Einträge"
                  : "proven at " + when + ", by " + s.anchored_by + ": the first " + size + " entries";
    } else {
        text = de ? "bisher nur nach eigenem Wort des Archivs, " + when + ", " + s.anchored_by + ": die ersten " +
                        size + " Einträge"
                  : "only on the archive's own word so far, " + when + ", " + s.anchored_by + ": the first " + size +
                        " entries";
    }
    if (left() != 0)
        text += de ? "; die letzten " + std::to_string(left()) + " bisher nur durch die Kette"
                   : "; the last " + std::to_string(left()) + " only by the chain so far";
    return text;
}

}  // namespace kustos::web
