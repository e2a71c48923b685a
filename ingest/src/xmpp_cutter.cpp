#include "ingest/src/xmpp_cutter.h"

#include "ingest/src/xml_tree.h"

namespace kustos::ingest {

namespace {

using Kind = MarkupToken::Kind;

Error bad(const char* what) {
    return Error(Code::bad_input, std::string("the server's stream ") + what);
}

bool is_blank(std::string_view text) {
    return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

}  // namespace

Result<std::optional<XmppPiece>> XmppCutter::next() {
    for (;;) {
        const MarkupToken token = pieces_.next(buffer_);
        // Of a stanza that is not whole, too: it is held until it is.
        if (pieces_.at() > most_.stanza || (token.kind == Kind::done && buffer_.size() > most_.stanza))
            return Error(Code::limit, "the server's stream has a stanza that is too large");
        if (token.kind == Kind::done) return std::optional<XmppPiece>();
        auto piece = TRY(take(token));
        if (piece) return piece;
    }
}

Result<std::optional<XmppPiece>> XmppCutter::take(const MarkupToken& token) {
    const auto none = std::optional<XmppPiece>();
    const std::string_view local = split_name(token.name).second;
    switch (token.kind) {
        case Kind::start:
            // After a login, and after TLS has begun, the stream begins anew.
            if (depth_ <= 1 && local == "stream") {
                depth_ = 1;
                return std::optional(cut(XmppPiece::Is::header, token.past));
            }
            if (depth_ == 0) return bad("does not begin as one");
            if (depth_ == 1) name_ = std::string(local);
            if (++depth_ > most_.depth + 1)
                return Error(Code::limit, "the server's stream has a stanza that is too deep");
            return none;
        case Kind::empty:
            if (depth_ == 0) return bad("does not begin as one");
            if (depth_ > 1) return none;
            name_ = std::string(local);
            return std::optional(cut(XmppPiece::Is::stanza, token.past));
        case Kind::end:
            if (depth_ == 0) return bad("ends before it began");
            if (--depth_ > 1) return none;
            return std::optional(cut(depth_ == 1 ? XmppPiece::Is::stanza : XmppPiece::Is::end, token.past));
        case Kind::text:
        case Kind::cdata:
            if (depth_ > 1) return none;
            if (!is_blank(token.inside)) return bad("has text between stanzas");
            (void)cut(XmppPiece::Is::stanza, token.past);
            return none;
        case Kind::instruction:
            // The XML declaration, before a header only.
            if (depth_ > 1 || token.inside.substr(0, 4) != "xml ")
                return bad("has an instruction, which XMPP does not allow");
            (void)cut(XmppPiece::Is::header, token.past);
            return none;
        case Kind::comment:
            return bad("has a comment, which XMPP does not allow");
        default:
            return buffer_.compare(token.begin, 2, "<!") == 0 ? bad("has a document type, which XMPP does not allow")
                                                              : bad("is no XML");
    }
}

XmppPiece XmppCutter::cut(XmppPiece::Is is, std::size_t size) {
    XmppPiece out;
    out.is = is;
    out.bytes = buffer_.substr(0, size);
    out.name = std::exchange(name_, {});
    buffer_.erase(0, size);
    pieces_.drop(size);
    return out;
}

}  // namespace kustos::ingest
