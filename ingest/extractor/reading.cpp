#include "ingest/extractor/reading.h"

#include "base/text.h"
#include "ingest/src/mail_header.h"

namespace kustos::extractor {

using ingest::Completeness;

void Reading::put(std::string_view utf8) {
    if (utf8.size() > room()) {
        partial("text-limit");
        bool was_cut = false;
        text_ += ingest::cut_utf8(std::string(utf8.substr(0, room())), room(), was_cut);
        most_ = text_.size();
        return;
    }
    text_ += utf8;
}

void Reading::end_line() {
    while (!text_.empty() && (text_.back() == ' ' || text_.back() == '\t')) text_.pop_back();
    if (!text_.empty() && text_.back() != '\n') put("\n");
}

void Reading::partial(std::string_view reason) {
    if (reason_.empty()) reason_ = reason;
}

bool Reading::over() {
    if (room() == 0) return true;
    if (std::chrono::steady_clock::now() < deadline_) return false;
    partial("time-limit");
    return true;
}

bool Reading::take_member() {
    if (++members_ <= kMembers) return true;
    partial("member-limit");
    return false;
}

bool Reading::take_unpacked(std::uint64_t bytes) {
    unpacked_ += bytes;
    if (unpacked_ <= kUnpacked) return true;
    partial("unpack-limit");
    return false;
}

ingest::ExtractedText Reading::finish(Refusal refusal) {
    if (!refusal.empty()) partial(refusal);
    while (!text_.empty() && (text_.back() == '\n' || text_.back() == ' ' || text_.back() == '\t')) text_.pop_back();
    if (text_.empty() && !reason_.empty()) return {"", Completeness::opaque, std::move(reason_)};
    const Completeness value = reason_.empty() ? Completeness::full : Completeness::partial;
    return {repair_utf8(text_), value, std::move(reason_)};
}

Flow::~Flow() {
    reading_.end_line();
    reading_.put(side_);
    reading_.end_line();
}

void Flow::put(std::string_view text) {
    if (aside_ == 0) return reading_.put(text);
    if (side_.size() + text.size() <= reading_.most())
        side_ += text;
    else
        reading_.partial("text-limit");
}

void Flow::end_line() {
    if (aside_ == 0) return reading_.end_line();
    if (!side_.empty() && side_.back() != '\n') side_ += '\n';
}

void Flow::leave_side() {
    if (aside_ == 0) return;
    end_line();
    --aside_;
}

}  // namespace kustos::extractor
