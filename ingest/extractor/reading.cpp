#include "ingest/extractor/reading.h"

#include <algorithm>

#include "base/text.h"
#include "ingest/extractor/claim.h"
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

void Reading::remark(std::string word) {
    constexpr std::size_t kMost = 8;
    if (remarks_.size() >= kMost || std::find(remarks_.begin(), remarks_.end(), word) != remarks_.end()) return;
    remarks_.push_back(std::move(word));
}

void Reading::is(std::string_view kind, std::string_view name, std::string_view media_type) {
    if (!kind_known_) kind_ = kind;
    kind_known_ = true;
    if (const std::string_view claimed = contradicted_claim(kind, name, media_type); !claimed.empty())
        remark("type-mismatch:" + std::string(kind.empty() ? "unknown" : kind) + "-as-" + std::string(claimed));
}

ingest::ExtractedText Reading::ask(ingest::wire::Help what, std::uint32_t page, bool same, ByteView content) {
    if (helper_ == nullptr) {
        ingest::ExtractedText none;
        none.reason = what == ingest::wire::Help::picture ? "no-ocr" : "no-reader";
        return none;
    }
    const auto before = std::chrono::steady_clock::now();
    ingest::ExtractedText got = helper_->ask(what, page, same, content);
    deadline_ += std::chrono::steady_clock::now() - before;
    return got;
}

void Reading::save() {
    if (helper_ != nullptr) helper_->so_far(answer(text_, reason_.empty() ? "time-out" : reason_));
}

ingest::ExtractedText Reading::answer(std::string text, std::string reason) const {
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ' || text.back() == '\t')) text.pop_back();
    ingest::ExtractedText out;
    out.completeness = reason.empty() ? Completeness::full
                       : text.empty() ? Completeness::opaque
                                      : Completeness::partial;
    out.text = repair_utf8(text);
    out.reason = std::move(reason);
    out.kind = kind_;
    out.remarks = remarks_;
    return out;
}

ingest::ExtractedText Reading::finish(Refusal refusal) {
    if (!refusal.empty()) partial(refusal);
    return answer(std::move(text_), std::move(reason_));
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
