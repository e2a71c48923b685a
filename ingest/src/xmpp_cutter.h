// A stream of XMPP (RFC 6120) cut into its header and its stanzas, before any parser sees them: what is too large, too
// deep, or not allowed in XMPP (comments, instructions, document types: section 11.1) ends it. Pure. Threads: one.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "ingest/src/xml_pieces.h"

namespace kustos::ingest {

struct XmppPiece {
    // header: <stream:stream>. An XML declaration before it, and white space, are left out.
    enum class Is { header, stanza, end } is = Is::stanza;
    std::string bytes;  // as they came
    std::string name;   // of the stanza's tag, without prefix
};

class XmppCutter {
public:
    struct Most {
        std::size_t stanza = 64u << 10;  // bytes; also of the header
        std::size_t depth = 64;          // elements in a stanza
    };
    void limit(const Most& most) { most_ = most; }
    void feed(std::string_view bytes) { buffer_ += bytes; }
    // What is whole by now; nullopt: more is needed. Code::limit, Code::bad_input: the stream is over.
    Result<std::optional<XmppPiece>> next();

private:
    Result<std::optional<XmppPiece>> take(const MarkupToken& token);
    XmppPiece cut(XmppPiece::Is is, std::size_t size);
    Most most_;
    XmlPieces pieces_;
    std::string buffer_;
    std::string name_;       // of the stanza that is open
    std::size_t depth_ = 0;  // 1: in the stream
};

}  // namespace kustos::ingest
