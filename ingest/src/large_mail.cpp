#include "ingest/src/large_mail.h"

#include <algorithm>
#include <optional>

#include "base/crypto.h"
#include "base/lenient_base64.h"
#include "ingest/src/files.h"
#include "ingest/src/journal.h"
#include "ingest/src/protection.h"
#include "ingest/src/unreadable.h"

namespace kustos::ingest {

namespace {

constexpr std::size_t kShortest = 40, kLongest = 1000;  // characters of a base64 line; RFC 2045 has 76, RFC 5322 998
constexpr std::size_t kWorthIt = 192u << 10;            // bytes to leave out
constexpr std::size_t kLine = 4096;                     // longer ones are kept in pieces
constexpr std::uint64_t kCondensed = 32ull << 20;

bool is_base64_line(std::string_view whole) {
    std::string_view text = whole;
    if (text.empty() || text.back() != '\n') return false;
    text.remove_suffix(1);
    if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
    return text.size() >= kShortest && text.size() <= kLongest && text.size() % 4 == 0 &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
                      c == '/';
           });
}

std::size_t ending_size(std::string_view whole) {
    return whole.size() >= 2 && whole[whole.size() - 2] == '\r' ? 2 : 1;
}

}  // namespace

void Condenser::keep(std::string_view bytes) {
    too_large_ = too_large_ || bytes.size() > most_ - out_.size();
    if (!too_large_) put(out_, bytes);
}

void Condenser::end_run() {
    if (first_.empty()) return;
    keep(first_);
    if (between_ > held_.size()) {
        cuts_.push_back({out_.size(), between_});
    } else {
        keep(held_);
    }
    keep(last_);
    first_.clear();
    last_.clear();
    held_.clear();
    between_ = 0;
}

void Condenser::line(std::string_view whole) {
    if (!is_base64_line(whole)) {
        end_run();
        return keep(whole);
    }
    const bool goes_on = !first_.empty() && whole.size() == first_.size() && ending_size(whole) == ending_size(first_);
    if (!goes_on) {
        end_run();
        first_ = std::string(whole);
        return;
    }
    if (!last_.empty()) {
        const bool cutting = between_ > held_.size();
        between_ += last_.size();
        if (!cutting) held_ += last_;
        if (held_.size() >= kWorthIt) held_.clear();  // from here on they are counted only
    }
    last_ = std::string(whole);
}

void Condenser::write(ByteView piece) {
    std::string_view text = as_text(piece);
    while (!text.empty()) {
        const std::size_t lf = text.find('\n');
        const std::string_view part = text.substr(0, lf == std::string_view::npos ? lf : lf + 1);
        text.remove_prefix(part.size());
        pending_ += part;
        const bool ended = lf != std::string_view::npos;
        if (!ended && pending_.size() < kLine) return;
        if (inside_long_ || pending_.size() >= kLine) {
            end_run();
            keep(pending_);
        } else {
            line(pending_);
        }
        inside_long_ = !ended;
        pending_.clear();
    }
}

void Condenser::finish() {
    end_run();
    keep(pending_);
    pending_.clear();
}

namespace {

struct Spooled {
    SpoolPart raw;
    Bytes condensed;
    bool too_large = false;
    std::vector<Condenser::Cut> cuts;
};

// Gives each attachment its place in the whole and, where lines were left out of it, its content.
class Expander {
public:
    Expander(const Spooled& mail, const ReadContext& context) : mail_(mail), context_(context) {}

    // false: lines were left out of something else than an attachment in base64 or as it is.
    Result<bool> run(vault::Message& message) {
        std::size_t found = 0;
        for (vault::Attachment& attachment : message.attachments) {
            if (!attachment.in_raw) continue;
            const std::size_t inside = move(*attachment.in_raw);
            if (inside == 0) continue;
            found += inside;
            if (!TRY(fill(attachment))) return false;
        }
        if (decoded_) TRY(decoded_->finish());
        return found == mail_.cuts.size();
    }

    static Result<Hash> hash_of(const SpoolPart& part) {
        Sha256 hash;
        TRY(part.read_all([&hash](ByteView piece) {
            hash.update(piece);
            return ok_status();
        }));
        return hash.finish();
    }

private:
    // The number of cuts inside.
    std::size_t move(vault::RawSpan& span) const {
        const std::uint64_t begin = span.offset, end = span.offset + span.length;
        std::size_t inside = 0;
        for (const Condenser::Cut& cut : mail_.cuts) {
            if (cut.at <= begin) span.offset += cut.length;
            if (cut.at <= begin || cut.at >= end) continue;
            span.length += cut.length;
            ++inside;
        }
        return inside;
    }

    Result<bool> fill(vault::Attachment& attachment) {
        const vault::RawSpan span = *attachment.in_raw;
        if (span.offset > mail_.raw.size || span.length > mail_.raw.size - span.offset) return false;
        SpoolPart part = mail_.raw;
        part.offset += span.offset;
        part.size = span.length;
        if (span.encoding == vault::RawEncoding::base64) {
            attachment.spool = TRY(decode(part));
        } else if (span.encoding == vault::RawEncoding::identity) {
            part.sha256 = TRY(hash_of(part));
            attachment.spool = part;
        } else {
            return false;
        }
        attachment.content = {};
        attachment.size = attachment.spool.size;
        return true;
    }

    // By the rule that the format page names, so that it can be done again when the mail is opened.
    Result<SpoolPart> decode(const SpoolPart& text) {
        if (!decoded_) {
            SystemRandom random;
            decoded_ = TRY(Spool::create(context_.spool_folder, random));
        }
        LenientBase64Decoder decoder;
        Bytes plain;
        TRY(text.read_all([&](ByteView piece) {
            plain.clear();
            decoder.write(piece, plain);
            return decoded_->write(plain);
        }));
        plain.clear();
        decoder.finish(plain);
        TRY(decoded_->write(plain));
        return end_part(decoded_);
    }

    const Spooled& mail_;
    const ReadContext& context_;
    std::shared_ptr<Spool> decoded_;
};

// The last ways: held after all where the limits allow it, else sealed in pieces, as it came.
Status without_condensing(const SpoolPart& raw, std::string_view format, const ReadContext& context, ItemSink& sink,
                          const std::function<void(vault::Message&)>& finish) {
    if (raw.size <= context.limits.mail) {
        Bytes all(static_cast<std::size_t>(raw.size));
        TRY(raw.read(0, all));
        return parse_mail_items(std::move(all), context.limits, sink, [&](Bytes bytes) {
            ParsedItem item = parse_mail(std::move(bytes), context.limits);
            finish(item.message);
            return item;
        });
    }
    sink.finding("file:too-large");
    std::uint64_t at = 0;
    for (std::size_t number = 1; at < raw.size; ++number) {
        Bytes piece(static_cast<std::size_t>(std::min(raw.size - at, context.limits.quarantine_piece)));
        TRY(raw.read(at, piece));
        at += piece.size();
        ParsedItem item = unreadable(std::move(piece), format, "too-large");
        item.message.notes.push_back("piece:" + std::to_string(number));
        TRY(sink.item(std::move(item)));
    }
    return ok_status();
}

// nullopt: this way does not do.
Result<std::optional<ParsedItem>> expanded(const Spooled& mail, const ReadContext& context) {
    ParsedItem item = parse_mail(to_bytes(mail.condensed), context.limits);
    if (item.message.kind != vault::MessageKind::mail) return std::optional<ParsedItem>();
    if (!TRY(Expander(mail, context).run(item.message))) return std::optional<ParsedItem>();
    if (!mail.cuts.empty()) withdraw_verdict(item.message.notes);
    item.message.raw = {};
    item.message.raw_spool = mail.raw;
    item.source_bytes = mail.raw.size;
    return std::optional<ParsedItem>(std::move(item));
}

// The enclosed mail of a report; nullopt where lines were left out elsewhere, too.
Result<std::optional<Spooled>> enclosed_mail(const Spooled& report, const Enclosed& at) {
    Spooled out;
    out.raw = report.raw;
    out.raw.offset += at.offset;
    out.raw.size = at.length;
    for (Condenser::Cut cut : report.cuts) {
        if (cut.at <= at.offset || cut.at >= at.offset + at.length) return std::optional<Spooled>();
        cut.at -= at.offset;
        out.raw.size += cut.length;
        out.cuts.push_back(cut);
    }
    out.raw.sha256 = TRY(Expander::hash_of(out.raw));
    out.condensed = to_bytes(ByteView(report.condensed).subspan(at.offset, at.length));
    return std::optional<Spooled>(std::move(out));
}

// false: nothing was handed on.
Result<bool> read_large_report(const Spooled& report, const Enclosed& at, const ReadContext& context, ItemSink& sink,
                               const std::function<void(vault::Message&)>& finish) {
    const auto inside = TRY(enclosed_mail(report, at));
    if (!inside) return false;
    auto mail = TRY(expanded(*inside, context));
    if (!mail) return false;
    finish(mail->message);
    mail->message.notes.emplace_back("journal:enclosed");
    TRY(sink.item(std::move(*mail)));
    const ByteView all = report.condensed;
    Bytes rest = to_bytes(all.first(at.offset));
    put(rest, all.subspan(at.offset + at.length));
    ParsedItem item = parse_mail(std::move(rest), context.limits);
    finish(item.message);
    make_envelope({at.offset, inside->raw.size, report.raw.sha256},
                  {message_id_of(inside->condensed), inside->raw.sha256, true}, context.limits, item);
    TRY(sink.item(std::move(item)));
    return true;
}

}  // namespace

struct MailSpool::State {
    std::shared_ptr<Spool> spool;
    Condenser condenser{kCondensed};
};

MailSpool::MailSpool(std::unique_ptr<State> state) : state_(std::move(state)) {}
MailSpool::~MailSpool() = default;

Result<std::unique_ptr<MailSpool>> MailSpool::create(const Path& folder) {
    SystemRandom random;
    auto state = std::make_unique<State>();
    state->spool = TRY(Spool::create(folder, random));
    return std::unique_ptr<MailSpool>(new MailSpool(std::move(state)));
}

Status MailSpool::write(ByteView piece) {
    TRY(state_->spool->write(piece));
    state_->condenser.write(piece);
    return {};
}

Status MailSpool::read(std::string_view format, const ReadContext& context, ItemSink& sink,
                       const std::function<void(vault::Message&)>& finish) {
    state_->condenser.finish();
    Spooled mail;
    mail.raw = end_part(state_->spool);
    TRY(state_->spool->finish());
    mail.too_large = state_->condenser.too_large();
    mail.condensed = state_->condenser.take();
    mail.cuts = state_->condenser.cuts();
    sha256_ = mail.raw.sha256;
    if (!mail.too_large) {
        message_id_ = message_id_of(mail.condensed);
        const Enclosed enclosed = find_enclosed(mail.condensed);
        if (enclosed.state == Enclosure::found && TRY(read_large_report(mail, enclosed, context, sink, finish)))
            return {};
        if (auto item = TRY(expanded(mail, context))) {
            finish(item->message);
            if (enclosed.state != Enclosure::no_report)
                note_kept_whole(enclosed.state, context.limits, item->message, sink);
            return sink.item(std::move(*item));
        }
    }
    mail.condensed = {};
    return without_condensing(mail.raw, format, context, sink, finish);
}

Result<bool> read_large_mail(const Path& path, std::string_view format, const ReadContext& context, ItemSink& sink,
                             const std::function<void(vault::Message&)>& finish) {
    std::error_code unknown;
    const std::uint64_t size = std::filesystem::file_size(path, unknown);
    if (unknown || context.spool_folder.empty() || size <= context.limits.in_memory || size > context.limits.spooled)
        return false;
    const auto source = TRY(file_source(path));
    const auto spool = TRY(MailSpool::create(context.spool_folder));
    Bytes piece(256u << 10);
    while (true) {
        const std::size_t got = TRY(source->read(piece));
        if (got == 0) break;
        TRY(spool->write(ByteView(piece).first(got)));
    }
    TRY(spool->read(format, context, sink, finish));
    return true;
}

}  // namespace kustos::ingest
