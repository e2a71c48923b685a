// What is known of one item while it is read: its text so far, why it is not whole, and what it may still cost. One
// Reading serves the item and everything that is nested in it, so that nesting multiplies nothing.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "ingest/extract.h"
#include "ingest/extractor/helper.h"

namespace kustos::extractor {

// Empty: read, as far as Reading says. Else why there is nothing to read: a reason word of ExtractedText.
using Refusal = std::string_view;

class Reading {
public:
    static constexpr std::uint64_t kUnpacked = 160ull << 20;  // bytes, of all members together
    static constexpr std::uint64_t kPart = 64ull << 20;       // bytes, of one member
    static constexpr std::uint32_t kMembers = 20'000;
    static constexpr std::uint64_t kRatio = 250;  // unpacked to packed, above kRatioFrom
    static constexpr std::uint64_t kRatioFrom = 1ull << 20;
    static constexpr unsigned kDepth = 3;  // archives in archives, mails in mails
    static constexpr std::chrono::seconds kTime{15};

    explicit Reading(std::uint64_t most, Helper* helper = nullptr) : most_(most), helper_(helper) {}
    void put(std::string_view utf8);  // what lies above the limit is cut: "text-limit"
    void end_line();                  // none where a line is empty
    void partial(std::string_view reason);
    void remark(std::string word);  // ExtractedText::remarks; what is there, and what is above the limit, is left out
    // What it is by its bytes, of the item itself, and for what is nested in it: whether it says it is something else.
    void is(std::string_view kind, std::string_view name, std::string_view media_type);
    // The other side's help; without one: opaque. What it takes does not count as time of the reading, but has a limit
    // of its own there.
    ingest::ExtractedText ask(ingest::wire::Help what, std::uint32_t page, bool same, ByteView content);
    bool has_help() const { return helper_ != nullptr; }
    // What is read so far holds even if this process does not come back from what it does next.
    void save();
    // So many seconds more, for something that has a limit of its own.
    void grant(std::chrono::milliseconds more) { deadline_ += more; }
    bool over();  // the text is full or the time is up: stop
    bool take_member();
    bool take_unpacked(std::uint64_t bytes);
    std::uint64_t room() const { return most_ - text_.size(); }
    std::uint64_t most() const { return most_; }
    bool has_text() const { return !text_.empty(); }
    // What text_of() answers.
    ingest::ExtractedText finish(Refusal refusal);

    unsigned depth = 0;    // of archives and mails around what is read now
    unsigned streams = 0;  // of compressed streams around it

private:
    ingest::ExtractedText answer(std::string text, std::string reason) const;
    std::string text_;
    std::string kind_;
    std::vector<std::string> remarks_;
    std::string reason_;  // the first one
    std::uint64_t most_;
    Helper* helper_;
    bool kind_known_ = false;
    std::uint64_t unpacked_ = 0;
    std::uint32_t members_ = 0;
    std::chrono::steady_clock::time_point deadline_ = std::chrono::steady_clock::now() + kTime;
};

// The main text of a part, and beside it what stands in boxes and notes: that follows after it and tears no sentence.
class Flow {
public:
    explicit Flow(Reading& reading) : reading_(reading) {}
    Flow(const Flow&) = delete;
    Flow& operator=(const Flow&) = delete;
    ~Flow();
    void put(std::string_view text);
    void end_line();
    void enter_side() { ++aside_; }
    void leave_side();

private:
    Reading& reading_;
    std::string side_;
    unsigned aside_ = 0;
};

}  // namespace kustos::extractor
