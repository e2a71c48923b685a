// A stanza of an XMPP archive from anywhere, and server data: never a crash; of a stanza no byte is lost, of a file
// none but white space between stanzas.
#include <algorithm>

#include "ingest/src/xmpp_message.h"
#include "tests/fuzz/chat_check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace kustos;
    const ByteView input(data, size);
    const auto blanks = static_cast<std::size_t>(std::count_if(
        data, data + size, [](std::uint8_t c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }));
    for (const ingest::ReadContext& context : {ingest::ReadContext(), fuzz::small_limits()}) {
        fuzz::ChatCheck file;
        const auto source = ingest::memory_source(input);
        if (!ingest::read_xmpp_archive(*source, context, file)) std::abort();
        if (file.raw > size || file.raw + blanks < size) std::abort();
        if (size == 0) continue;
        ingest::XmppIds ids;
        ingest::XmppContext archive;
        archive.archive = "anna@amt.example";
        archive.ids = &ids;
        ingest::Findings findings;
        std::vector<ingest::XmppFile> files;
        const auto item = ingest::parse_xmpp_message(input, archive, context.limits, &findings, &files);
        for (const ingest::XmppFile& one : files)
            if (one.attachment >= item.message.attachments.size() || one.url.rfind("https://", 0) != 0) std::abort();
        if (item.message.raw.size() != size) std::abort();
        fuzz::ChatCheck stanza;
        if (!stanza.item(item).ok()) std::abort();
    }
    return 0;
}
