#include "ingest/src/csv.h"

namespace kustos::ingest {

namespace {
constexpr std::size_t kMaxFields = 256;
}

bool CsvReader::next(CsvRow& row) {
    if (at_ >= text_.size()) return false;
    row = {};
    row.begin = at_;
    std::string field;
    const auto close_field = [&] {
        if (row.fields.size() < kMaxFields) row.fields.push_back(std::move(field));
        field.clear();
    };
    bool quoted = false, at_start = true;
    while (at_ < text_.size()) {
        const char c = text_[at_++];
        if (quoted) {
            if (c != '"') {
                field += c;
            } else if (at_ < text_.size() && text_[at_] == '"') {
                field += c;
                ++at_;
            } else {
                quoted = false;
            }
            continue;
        }
        if (c == '"' && at_start) {
            quoted = true;
            at_start = false;
        } else if (c == separator_) {
            close_field();
            at_start = true;
        } else if (c == '\n') {
            if (!field.empty() && field.back() == '\r') field.pop_back();
            close_field();
            row.end = at_;
            return true;
        } else {
            field += c;
            at_start = false;
        }
    }
    row.unclosed_quote = quoted;
    close_field();
    row.end = at_;
    return true;
}

}  // namespace kustos::ingest
