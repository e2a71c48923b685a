// What kustos-extract answers, once foreign bytes have taken it over.
#include <cstdlib>

#include "base/text.h"
#include "ingest/src/extract_answer.h"
#include "ingest/src/helper.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace kustos;
    const ByteView frame(data, size);
    if (const auto answer = ingest::parse_answer('t', frame); answer.ok()) {
        if (!is_valid_utf8(answer->text) || answer->remarks.size() > 8 || answer->reason.size() > 60) std::abort();
        // What was understood is said again in the same bytes, up to the text.
        Bytes again = ingest::encode_answer_head('t', *answer);
        put(again, answer->text);
        const auto same = ingest::parse_answer('t', again);
        if (!same.ok() || same->reason != answer->reason || same->kind != answer->kind || same->text != answer->text)
            std::abort();
    }
    // Requests are judged without starting anything: no program is there.
    ingest::ExtractorOptions options;
    options.helpers.tesseract = options.helpers.catdoc = options.helpers.antiword = "/nonexistent";
    options.helpers.xls2csv = options.helpers.catppt = "/nonexistent";
    ingest::Helpers helpers(options);
    if (const auto help = helpers.serve(frame); help.ok() && !help->text.empty()) std::abort();
    return 0;
}
