// Words, dates, numbers and sizes in German and English, as they stand on the pages.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.h"
#include "export/bundle_input.h"

namespace kustos::exporting {

// Picks the text of the bundle's language; both stand side by side where they are used, so that neither is forgotten.
class Wording {
public:
    explicit Wording(Language language) : german_(language == Language::de) {}
    const char* operator()(const char* de, const char* en) const { return german_ ? de : en; }
    bool german() const { return german_; }
    std::string number(std::uint64_t value) const;  // 12.345 or 12,345
    std::string bytes(std::uint64_t count) const;   // 812 Bytes, 2,3 kB (powers of ten)
    // One or many: count with its noun.
    std::string count(std::uint64_t n, const char* de_one, const char* de_many, const char* en_one,
                      const char* en_many) const;
    std::string kind(vault::MessageKind kind) const;
    std::string note(std::string_view machine_word) const;    // "defect:charset" in people's words, or as it is
    std::string action(std::string_view machine_word) const;  // custody events likewise

private:
    bool german_;
};

struct LocalTime {
    std::string date;       // 02.03.2026 or 2 March 2026
    std::string long_date;  // Montag, 2. März 2026
    std::string time;       // 11:00:00
    std::string offset;     // +01:00
    std::string stamp() const { return date + " " + time + " " + offset; }
};

class Zone {
public:
    // A name that the machine does not know becomes UTC; known() tells.
    Zone(const std::string& name, Language language);
    ~Zone();
    Zone(const Zone&) = delete;
    Zone& operator=(const Zone&) = delete;
    LocalTime local(UtcTime time) const;
    const std::string& name() const { return name_; }
    bool known() const { return known_; }

private:
    void* zone_;  // GTimeZone
    std::string name_;
    bool known_, german_;
};

// "ab12 cd34 ..." in groups of n characters; lines of `per_line` groups (0: one line).
std::string grouped(std::string_view text, std::size_t n, std::size_t per_line = 0);
// A fingerprint for reading: hexadecimal digits in groups of eight, anything else as it is.
std::string fingerprint_text(std::string_view fingerprint, std::size_t per_line = 0);

}  // namespace kustos::exporting
