// Server data as XEP-0227 writes it: archives (urn:xmpp:pie:0#mam), what waits for users who are away, and all the rest
// of an account, which is sealed as it stands. docs/format/xmpp.md. The file may be of any size: one stanza is held.
#include "ingest/src/all_formats.h"
#include "ingest/src/chat_fields.h"
#include "ingest/src/single_formats.h"
#include "ingest/src/window.h"
#include "ingest/src/xml_pieces.h"
#include "ingest/src/xmpp_message.h"

namespace kustos::ingest {

namespace {

using Kind = MarkupToken::Kind;

constexpr std::string_view kFormat = "xmpp/xep0227";
constexpr std::string_view kPie = "urn:xmpp:pie:0", kPieMam = "urn:xmpp:pie:0#mam", kMam = "urn:xmpp:mam:";
constexpr std::string_view kXInclude = "http://www.w3.org/2001/XInclude";
constexpr std::size_t kMaxDepth = 64;
constexpr std::size_t kMaxStanza = 16u << 20;  // bytes
constexpr std::size_t kFramePiece = 1u << 20;  // what stands around stanzas is sealed in pieces of about this size
constexpr std::size_t kFirstLook = 64u << 10;

class FileReader {
public:
    FileReader(ByteSource& source, const ReadContext& context, ItemSink& sink)
        : window_(source),
          context_(context),
          sink_(sink),
          most_(std::min<std::size_t>(kMaxStanza, context.limits.line)) {}

    Status read() {
        TRY(window_.want(3));
        if (window_.text().substr(0, 3) == "\xEF\xBB\xBF") put(frame_, window_.take(3));
        for (;;) {
            const MarkupToken token = pieces_.next(window_.text());
            if (token.kind == Kind::done || token.kind == Kind::broken || token.kind == Kind::doctype) {
                // A tag that is longer than a stanza may be is looked for no further.
                const std::size_t unfinished = window_.size() - pieces_.at();
                if (token.kind != Kind::done || unfinished > most_ || window_.ended()) return finish(token);
                TRY(window_.want(window_.size() + std::max(kFirstLook, unfinished)));
                continue;
            }
            TRY(take(token));
        }
    }

private:
    struct Open {
        std::string name;  // as written
        std::string local, space;
        std::size_t declared = 0;  // size of scope_ before it
    };

    // Inside a stanza only its end is looked for: read_xml() says what it is.
    Status take(const MarkupToken& token) {
        if (depth_inside_ > 0) {
            if (token.kind == Kind::start) ++depth_inside_;
            if (token.kind == Kind::end && --depth_inside_ == 0) return end_stanza(token.past);
            if (token.past > most_) return overflow(token.past);
            return {};
        }
        switch (token.kind) {
            case Kind::start:
            case Kind::empty:
                return open(token);
            case Kind::end:
                return close(token);
            default:
                return to_frame(token.past);
        }
    }

    Status open(const MarkupToken& token) {
        Open tag;
        tag.name = std::string(token.name);
        tag.declared = scope_.size();
        if (path_.size() >= kMaxDepth || !declare_namespaces(token, scope_)) return stop("too-deep");
        const auto [prefix, local] = split_name(tag.name);
        tag.local = std::string(local);
        tag.space = std::string(namespace_of(scope_, prefix));
        look_at(tag, token);
        if (is_stanza(tag)) {
            scope_.resize(tag.declared);  // its own are read with it
            TRY(flush_frame());           // so that what is sealed keeps the file's order
            window_consume(token.begin);
            if (token.kind == Kind::empty) return end_stanza(token.past - token.begin);
            depth_inside_ = 1;
            return {};
        }
        if (token.kind == Kind::empty) {
            scope_.resize(tag.declared);
        } else {
            path_.push_back(std::move(tag));
        }
        return to_frame(token.past);
    }

    // Whose data it is, and what the operator should know is in the file.
    void look_at(const Open& tag, const MarkupToken& token) {
        if (tag.space == kPie && tag.local == "host") host_ = clip(markup_attribute(token, "jid"), context_.limits);
        if (tag.space == kPie && tag.local == "user") {
            user_ = clip(markup_attribute(token, "name"), context_.limits) + "@" + host_;
            ids_ = {};
            if (!markup_attribute(token, "password").empty()) sink_.finding("xmpp:credentials");
        }
        if (tag.local == "scram-credentials") sink_.finding("xmpp:credentials");
        if (tag.space == kXInclude && tag.local == "include") sink_.finding("xmpp:include-not-followed");
    }

    bool is_stanza(const Open& tag) const {
        if (path_.empty()) return false;
        const Open& parent = path_.back();
        if (parent.local == "archive" && parent.space == kPieMam)
            return tag.local == "result" && tag.space.substr(0, kMam.size()) == kMam;
        return parent.local == "offline-messages" && tag.local == "message";
    }

    Status close(const MarkupToken& token) {
        if (path_.empty() || path_.back().name != token.name) return stop("not-xml");
        scope_.resize(path_.back().declared);
        path_.pop_back();
        return to_frame(token.past);
    }

    Status end_stanza(std::size_t size) {
        const Bytes xml = window_.take(size);
        pieces_.drop(size);
        depth_inside_ = 0;
        if (over_) {
            over_ = false;
            return quarantine(xml, kFormat, "too-large", context_.limits, sink_);
        }
        XmppContext context;
        context.format = kFormat;
        context.archive = user_;
        context.own_domain = host_;
        context.scope = scope_;
        context.ids = &ids_;
        Findings findings;
        std::vector<XmppFile> files;
        ParsedItem item = parse_xmpp_message(xml, context, context_.limits, &findings, &files);
        for (const auto& [code, count] : findings) sink_.finding(code, count);
        if (!item.message.attachments.empty()) sink_.finding("xmpp:file-missing", item.message.attachments.size());
        if (item.message.kind == vault::MessageKind::unreadable)
            return quarantine(std::move(item.message.raw), kFormat,
                              std::string_view(item.message.notes.at(0)).substr(11), context_.limits, sink_);
        return sink_.item(std::move(item));
    }

    // A stanza without an end in sight: what is there is sealed as it is, the rest of it likewise.
    Status overflow(std::size_t size) {
        over_ = true;
        const Bytes piece = window_.take(size);
        pieces_.drop(size);
        return quarantine(piece, kFormat, "too-large", context_.limits, sink_);
    }

    void window_consume(std::size_t size) {
        if (size > 0) put(frame_, window_.take(size));
        pieces_.drop(size);
    }

    Status to_frame(std::size_t size) {
        window_consume(size);
        return frame_.size() >= kFramePiece ? flush_frame() : ok_status();
    }

    Status flush_frame() {
        // White space between stanzas is nobody's data; it is in neither.
        const bool blank = as_text(frame_).find_first_not_of(" \t\r\n") == std::string_view::npos;
        Bytes frame = std::exchange(frame_, {});
        return blank ? ok_status() : seal_frame(std::move(frame), kFormat, context_.limits, sink_);
    }

    // From here on nothing can be told: the rest of the file is sealed as it is.
    Status stop(std::string_view reason) {
        TRY(flush_frame());
        const std::size_t piece = context_.limits.quarantine_piece;
        for (;;) {
            TRY(window_.want(piece));
            if (window_.size() == 0) break;
            TRY(quarantine(window_.take(std::min(window_.size(), piece)), kFormat, reason, context_.limits, sink_));
        }
        stopped_ = true;
        return Error(Code::interrupted, "stopped");
    }

    Status finish(const MarkupToken& token) {
        if (token.kind == Kind::done && window_.ended()) {
            if (window_.size() == 0 && path_.empty()) return flush_frame();
            sink_.finding("xmpp:truncated");
            if (window_.size() == 0) return flush_frame();
            return stop("truncated");
        }
        const bool doctype = window_.text().substr(token.begin, 2) == "<!";
        return stop(token.kind == Kind::done ? "too-large" : doctype ? "doctype" : "not-xml");
    }

public:
    bool stopped() const { return stopped_; }

private:
    Window window_;
    const ReadContext& context_;
    ItemSink& sink_;
    std::size_t most_;
    XmlPieces pieces_;
    std::vector<Open> path_;
    XmlScope scope_;
    XmppIds ids_;
    std::string host_, user_;
    Bytes frame_;
    std::size_t depth_inside_ = 0;  // open elements of the stanza that is being read; 0: none is
    bool over_ = false, stopped_ = false;
};

Certainty looks(const Sample& sample) {
    const std::string_view text = sample.text();
    if (sample.binary() || text.empty() || text.front() != '<') return Certainty::no;
    const std::size_t root = text.find("server-data");
    if (root == std::string_view::npos || text.find(kPie) == std::string_view::npos) return Certainty::no;
    return text.find("<server-data") != std::string_view::npos ? Certainty::sure : Certainty::likely;
}

Status read_file(const Input& input) {
    return read_xmpp_archive(*TRY(file_source(input.path)), input.context, input.sink);
}

}  // namespace

Status read_xmpp_archive(ByteSource& source, const ReadContext& context, ItemSink& sink) {
    FileReader reader(source, context, sink);
    const Status done = reader.read();
    return reader.stopped() ? ok_status() : done;
}

const Format kXmppFormat = {{"xmpp",
                             "XMPP archives (XEP-0313; server data as XEP-0227)",
                             {.level = EvidentialLevel::medium,
                              .ids = Carries::yes,
                              .edits = Carries::yes,
                              .deletions = Carries::partly,  // a server may leave nothing but the fact
                              .time_zone = Carries::yes,
                              .membership = Carries::partly,  // where the server archives it
                              .attachments = Carries::partly}},
                            looks,
                            read_file};

}  // namespace kustos::ingest
