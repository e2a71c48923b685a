// Programs that read pictures and old documents (tesseract, catdoc, ...), started one at a time for a worker that asks:
// each in bubblewrap, behind resource limits, no_new_privs and a seccomp list without sockets, processes and writable
// files. The content is in memory (a sealed memfd, which is /item
// there), the text comes back through a pipe; nothing
// touches a disk. Threads: one at a time.
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/clock.h"
#include "ingest/extract.h"
#include "ingest/src/extract_wire.h"

namespace kustos::ingest {

class Helpers {
public:
    explicit Helpers(const ExtractorOptions& options) : options_(options) {}
    ~Helpers() { forget(); }
    Helpers(const Helpers&) = delete;
    Helpers& operator=(const Helpers&) = delete;

    void begin_item();  // budgets of pictures and time start anew
    void postpone_ocr(bool later) { later_ = later; }
    // frame: 'Q' of extract_wire.h. The answer is always one: text, or opaque with a reason. Code::corrupt: no request,
    // or more requests than any item has.
    Result<ExtractedText> serve(ByteView frame);

private:
    struct Job {
        wire::Help helper = wire::Help::picture;
        std::uint32_t page = 0;
        std::vector<std::string> words;  // program and arguments
    };
    ExtractedText run(const Job& job);
    ExtractedText run_word(Job job);
    std::string ocr_refusal();
    std::string languages() const;
    bool keep(ByteView content);
    void forget();

    const ExtractorOptions& options_;
    SystemClock clock_;
    bool later_ = false;
    int content_ = -1;  // memfd: of the last request
    std::uint32_t pictures_ = 0, requests_ = 0;
    std::int64_t spent_ms_ = 0;
};

}  // namespace kustos::ingest
