// The lines of WhatsApp's "export chat" and the words in them, as Android and iOS write them in German and English; a
// part of whatsapp.cpp. All pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace kustos::ingest {

// How a phone writes the beginning of a message. One export has one style: a line in another one is text.
struct LineStyle {
    bool bracket = false;  // "[01.03.24, 10:00:00] Name: text" (iOS), else "01.03.24, 10:00 - Name: text" (Android)
    bool comma = false, seconds = false, half_days = false, long_year = false, year_first = false;
    char separator = '.';
    bool operator==(const LineStyle&) const = default;
};

enum class DateOrder { day_first, month_first };

struct ChatLine {
    LineStyle style;
    std::string_view when;                     // as it is written
    std::string_view sender;                   // without marks; empty: a system line
    std::string_view text;                     // what follows, marks included
    unsigned first = 0, second = 0, year = 0;  // of the date; with year_first they are month and day
    unsigned seconds_of_day = 0;
};

// line: without its end. Nothing where it does not begin a message, or where its date is none in any order.
std::optional<ChatLine> parse_chat_line(std::string_view line);
// The clock's reading, as if it were UTC. Nothing where the calendar has no such day.
std::optional<UtcTime> clock_reading(const ChatLine& line, DateOrder order);

// Without direction marks (U+200E and its kin, BOM) and blanks at both ends.
std::string_view without_marks(std::string_view text);
bool begins_with_mark(std::string_view text);

struct ChatContent {
    enum class Is { text, deleted, omitted, attached, call, system } is = Is::text;
    std::string body;  // what people read, without the app's own words; of calls and system lines these
    std::string file;  // of attached, and of omitted where it is named
    bool voice = false, edited = false;
};
// text: of one message, all its lines. marked_system: lines that begin with a mark and say nothing else known are the
// app's own (iOS).
ChatContent read_chat_content(std::string_view text, bool has_sender, bool marked_system);

// "Anna hat Bert hinzugefügt", "Bert left". Empty member: none of these. several: more persons than one are meant.
struct ChatMembership {
    bool joins = false, several = false;
    std::string_view member, by;
};
ChatMembership read_chat_membership(std::string_view text);

}  // namespace kustos::ingest
