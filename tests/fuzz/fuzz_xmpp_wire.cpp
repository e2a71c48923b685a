// What an XMPP server says, from anywhere: never a crash, no stanza above the limits, no byte invented; and what looks
// like a page of an archive is no larger than what was asked for.
#include <cstdlib>

#include "ingest/src/xmpp_cutter.h"
#include "ingest/src/xmpp_files.h"
#include "ingest/src/xmpp_query.h"

namespace {

using namespace kustos;
using namespace kustos::ingest;

// Everything that was cut out of `text` when it came in pieces of `step`, one after the other.
std::string cut(std::string_view text, std::size_t step, std::vector<std::string>* stanzas) {
    XmppCutter cutter;
    XmppCutter::Most most;
    most.stanza = 4'096;
    most.depth = 8;
    cutter.limit(most);
    std::string all;
    for (std::size_t at = 0; at < text.size(); at += step) {
        cutter.feed(text.substr(at, step));
        for (;;) {
            const auto piece = cutter.next();
            if (!piece.ok()) return all + "!";
            if (!*piece) break;
            if ((*piece)->bytes.size() > most.stanza + step) std::abort();
            if (text.find((*piece)->bytes) == std::string_view::npos) std::abort();
            all += (*piece)->bytes;
            if (stanzas && (*piece)->is == XmppPiece::Is::stanza) stanzas->push_back((*piece)->bytes);
        }
    }
    return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = as_text(ByteView(data, size));
    std::vector<std::string> stanzas;
    const std::string once = cut(text, size + 1, &stanzas);
    // However it comes, it is the same; but for how much of what is too large was seen.
    if (size <= 4'096 && once != cut(text, 1, nullptr)) std::abort();
    for (const bool own : {true, false}) {
        XmppQuery query;
        query.archive = own ? "anna@amt.example" : "bau@konferenz.amt.example";
        query.own = own;
        query.max = 3;
        XmppAnswer answer(query, "k1", "anna@amt.example");
        for (const std::string& stanza : stanzas) {
            const auto done = answer.take(stanza);
            if (answer.page().results.size() > query.max) std::abort();
            if (!done.ok() || *done) break;
        }
    }
    if (const auto link = HttpsLink::parse(text); link && (link->host.empty() || link->target.front() != '/'))
        std::abort();
    return 0;
}
