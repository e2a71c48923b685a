// One mail as every reader hands it on: itself, or of a journal report the enclosed mail and the envelope.
#include "base/crypto.h"
#include "ingest/format.h"
#include "ingest/src/journal.h"

namespace kustos::ingest {

namespace {

constexpr int kMaxReports = 4;  // reports on reports; what is deeper stays an attachment

class Items {
public:
    Items(const Limits& limits, ItemSink& sink, const MailParser& parse)
        : limits_(limits), sink_(sink), parse_(parse) {}

    // Whether a mail could be read of it.
    Result<bool> mail(Bytes raw, int depth) {
        const Enclosed enclosed = raw.size() <= limits_.mail ? find_enclosed(raw) : Enclosed{};
        if (enclosed.state == Enclosure::found && depth < kMaxReports) return report(std::move(raw), enclosed, depth);
        ParsedItem item = parse_(std::move(raw));
        if (depth > 0) item.message.notes.emplace_back("journal:enclosed");
        const bool readable = item.message.kind == vault::MessageKind::mail;
        if (enclosed.state != Enclosure::no_report && readable)
            note_kept_whole(enclosed.state, limits_, item.message, sink_);
        TRY(sink_.item(std::move(item)));
        return readable;
    }

private:
    // The mail first: an envelope never points at what was not sealed before it.
    Result<bool> report(Bytes raw, const Enclosed& enclosed, int depth) {
        const ByteView all = raw;
        const ByteView inside = all.subspan(enclosed.offset, enclosed.length);
        const vault::ReportLayout layout{enclosed.offset, enclosed.length, sha256(all)};
        InnerMail inner{message_id_of(inside), sha256(inside), true};
        Bytes rest = to_bytes(all.first(enclosed.offset));
        put(rest, all.subspan(enclosed.offset + enclosed.length));
        Bytes mail_bytes = to_bytes(inside);
        raw = {};
        inner.readable = TRY(mail(std::move(mail_bytes), depth + 1));
        ParsedItem item = parse_(std::move(rest));
        make_envelope(layout, inner, limits_, item);
        if (!enclosed.ended) item.message.notes.emplace_back("journal:unterminated");
        if (depth > 0) item.message.notes.emplace_back("journal:enclosed");
        TRY(sink_.item(std::move(item)));
        return true;
    }

    const Limits& limits_;
    ItemSink& sink_;
    const MailParser& parse_;
};

}  // namespace

Status parse_mail_items(Bytes raw, const Limits& limits, ItemSink& sink, const MailParser& parse) {
    const MailParser plain = [&limits](Bytes bytes) { return parse_mail(std::move(bytes), limits); };
    TRY(Items(limits, sink, parse ? parse : plain).mail(std::move(raw), 0));
    return ok_status();
}

}  // namespace kustos::ingest
