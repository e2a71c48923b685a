// A message becomes fields, a recipe and areas. What must hold: every byte of raw comes back, every field of the
// message is committed, and at most 4,096 fields whatever the sender sent.
#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "vault/erasure.h"
#include "vault/payload.h"
#include "vault/src/spooled_raw.h"

namespace kustos::vault {

namespace {

constexpr std::size_t kSpanLeast = 256, kSpanMost = 1024;
// Together below 4,096 whatever was sent: 1,600 spans, 1,500 of attachments, 400, 300, 100 and a few.
constexpr std::size_t kMaxBodySpans = 800, kMaxHtmlSpans = 500, kMaxPreviousSpans = 300;
constexpr std::size_t kMaxHeaderFields = 300, kMaxRecipientFields = 400, kMaxAttachments = 300, kMaxNotes = 100;
constexpr std::uint64_t kMaxLiteral = 1ull << 30;

class Composer {
public:
    explicit Composer(Message message) : m_(std::move(message)) {}

    Result<Composed> run() {
        if (m_.attachments.size() > 65'000) return Error(Code::limit, "more than 65,000 attachments");
        TRY(lay_out_raw());
        number(PathCode::type, 0, static_cast<std::uint64_t>(m_.kind));
        text(PathCode::message_id, 0, m_.native_id);
        if (m_.sent_at) time(PathCode::sent_time, *m_.sent_at);
        time(PathCode::received_time, m_.received_at);
        if (!m_.sender.empty() || m_.sender.guest || !m_.sender.home.empty())
            value(PathCode::sender, 0, ValueType::persons, person(0, m_.sender));
        recipients();
        text(PathCode::subject, 0, m_.subject);
        headers();
        conversation();
        text(PathCode::relation, 1, m_.reply_to);
        text(PathCode::relation, 2, m_.thread);
        text(PathCode::relation, 3, m_.target);
        spans(PathCode::body_span, m_.body, kMaxBodySpans);
        spans(PathCode::html_span, m_.body_html, kMaxHtmlSpans);
        spans(PathCode::previous_span, m_.previous_body, kMaxPreviousSpans);
        text(PathCode::format, 0, m_.format);
        notes();
        text(PathCode::feed_position, 0, m_.feed_position);
        if (m_.duration_ms) number(PathCode::duration, 0, *m_.duration_ms);
        attachments();
        Bytes raw;
        put_u64(raw, raw_size());
        put(raw, (m_.raw_spool ? m_.raw_spool.sha256 : sha256(m_.raw)).view());
        value(PathCode::raw, 0, ValueType::raw, raw);
        p().raw_computed = p().blobs.empty();  // each step was checked against the source
        while (out_.payload.rows.size() % 8 != 0) out_.payload.rows.push_back({});
        CHECK(out_.payload.rows.size() <= kMaxFieldCount);
        return std::move(out_);
    }

private:
    Payload& p() { return out_.payload; }

    void row(PathCode path, std::size_t ordinal, ValueType type, Area area, std::uint64_t offset,
             std::uint64_t length) {
        p().rows.push_back({path, static_cast<std::uint16_t>(ordinal), type, area, offset, length});
    }
    void value(PathCode path, std::size_t ordinal, ValueType type, ByteView bytes) {
        row(path, ordinal, type, Area::value, p().value.size(), bytes.size());
        put(p().value, bytes);
    }
    void number(PathCode path, std::size_t ordinal, std::uint64_t n) {
        Bytes b;
        put_u64(b, n);
        value(path, ordinal, ValueType::number, b);
    }
    void time(PathCode path, UtcTime t) {
        Bytes b;
        put_u64(b, static_cast<std::uint64_t>(t.ms));
        value(path, 0, ValueType::time, b);
    }
    // Points into the literal area where the text stands there verbatim, looked for from the last find onwards and, in
    // small sources, from the beginning.
    void text(PathCode path, std::size_t ordinal, std::string_view t, bool even_if_empty = false) {
        if (t.empty() && !even_if_empty) return;
        if (t.size() >= 8) {
            const std::string_view literal = as_text(p().literal);
            constexpr std::size_t kWindow = 64 * 1024;
            std::size_t at = literal.substr(0, std::min(literal.size(), cursor_ + t.size() + kWindow)).find(t, cursor_);
            if (at == std::string_view::npos && cursor_ != 0 && literal.size() <= 4 * kWindow) at = literal.find(t);
            if (at != std::string_view::npos) {
                row(path, ordinal, ValueType::text, Area::literal, at, t.size());
                cursor_ = at + t.size();
                return;
            }
        }
        value(path, ordinal, ValueType::text, as_bytes(t));
    }

    static void put_string(Bytes& out, std::string_view t) {
        put_u32(out, static_cast<std::uint32_t>(t.size()));
        put(out, t);
    }
    static Bytes person(std::uint8_t role, const Person& person) {
        Bytes b;
        put_u8(b, role);
        put_string(b, person.id);
        put_string(b, person.name);
        put_string(b, person.address);
        put_string(b, person.home);
        put_u8(b, person.guest ? 1 : 0);
        return b;
    }

    void recipients() {
        const std::size_t each = m_.recipients.size() / kMaxRecipientFields + 1;
        std::size_t ordinal = 0;
        for (std::size_t i = 0; i < m_.recipients.size(); i += each) {
            Bytes group;
            for (std::size_t j = i; j < std::min(i + each, m_.recipients.size()); ++j) {
                put(group, person(static_cast<std::uint8_t>(m_.recipients[j].role), m_.recipients[j].person));
            }
            value(PathCode::recipient, ordinal++, ValueType::persons, group);
        }
    }

    // Several header lines in one field are joined by NUL, which no header holds.
    void headers() {
        const std::size_t each = m_.headers.size() / kMaxHeaderFields + 1;
        std::size_t ordinal = 0;
        for (std::size_t i = 0; i < m_.headers.size(); i += each) {
            std::string joined = m_.headers[i];
            for (std::size_t j = i + 1; j < std::min(i + each, m_.headers.size()); ++j)
                joined += std::string(1, '\0') + m_.headers[j];
            text(PathCode::header, ordinal++, joined, true);
        }
    }

    void conversation() {
        if (m_.conversation.empty() && m_.conversation.type == ConversationType::unknown) return;
        Bytes b;
        put_u8(b, static_cast<std::uint8_t>(m_.conversation.type));
        put_string(b, m_.conversation.id);
        put_string(b, m_.conversation.title);
        value(PathCode::conversation, 0, ValueType::conversation, b);
    }

    void notes() {
        const std::size_t each = m_.notes.size() / kMaxNotes + 1;
        std::size_t ordinal = 0;
        for (std::size_t i = 0; i < m_.notes.size(); i += each) {
            std::string joined = m_.notes[i];
            for (std::size_t j = i + 1; j < std::min(i + each, m_.notes.size()); ++j)
                joined += std::string(1, '\0') + m_.notes[j];
            text(PathCode::note, ordinal++, joined, true);
        }
    }

    // Whole lines, merged to 256..1,024 bytes (more where the body is so long that there would be too many); a longer
    // line is cut at a grapheme boundary.
    void spans(PathCode path, std::string_view body, std::size_t at_most) {
        const std::size_t factor = body.size() / (kSpanLeast * at_most) + 1;
        const std::size_t least = kSpanLeast * factor, most = kSpanMost * factor;
        std::size_t begin = 0, ordinal = 0;
        while (begin < body.size()) {
            std::size_t end = begin;
            while (end < body.size() && end - begin < least) {
                const std::size_t newline = body.find('\n', end);
                const std::size_t line_end = newline == std::string_view::npos ? body.size() : newline + 1;
                if (line_end - begin > most) break;
                end = line_end;
            }
            if (end == begin) {
                end = begin + most;
                if (end < body.size()) {
                    const std::size_t cut = begin + grapheme_boundary_before(body.substr(begin, most + 64), most);
                    if (cut > begin + most / 2) end = cut;
                    while (end > begin && end < body.size() && (static_cast<unsigned char>(body[end]) & 0xC0) == 0x80)
                        --end;
                    if (end == begin) end = begin + most;
                } else {
                    end = body.size();
                }
            }
            text(path, ordinal++, body.substr(begin, end - begin));
            begin = end;
        }
    }

    void attachments() {
        // Beyond the limit the rest shares one field each: packed names, types, sizes, hashes (docs/format/fields.md).
        const std::size_t single = std::min(m_.attachments.size(), kMaxAttachments);
        for (std::size_t i = 0; i < m_.attachments.size(); ++i) {
            Attachment& a = m_.attachments[i];
            if (i >= single) {
                Bytes packed;
                put_string(packed, a.name);
                put_string(packed, a.media_type);
                put_u8(packed, a.missing ? 1 : 0);
                put(overflow_, packed);
                put_u64(overflow_, a.content_size());
                put(overflow_, (a.missing ? a.declared_sha256.value_or(Hash{}) : content_hash(a)).view());
                store_content(i);
                continue;
            }
            text(PathCode::attachment_name, i, a.name, true);
            text(PathCode::media_type, i, a.media_type);
            if (a.missing) {
                number(PathCode::attachment_missing, i, 1);
                if (a.declared_size) number(PathCode::size, i, *a.declared_size);
                if (a.declared_sha256) value(PathCode::content_hash, i, ValueType::hash, a.declared_sha256->view());
                continue;
            }
            number(PathCode::size, i, a.content_size());
            value(PathCode::content_hash, i, ValueType::hash, content_hash(a).view());
            store_content(i);
        }
        if (!overflow_.empty()) value(PathCode::attachment_name, 0xFFFF, ValueType::bytes, overflow_);
    }

    // Content that the recipe has already placed has its row; the rest is stored here.
    void store_content(std::size_t i) {
        Attachment& a = m_.attachments[i];
        if (a.missing) return;
        const Placed& placed = placed_[i];
        if (placed.in_blob) return;
        if (placed.in_value) {
            row(PathCode::attachment_content, i, ValueType::bytes, Area::value, placed.offset, a.content.size());
        } else if (a.spool) {
            add_blob(a.spool, false, static_cast<std::uint16_t>(i));
        } else if (a.content.size() >= kBlobFrom || i >= kMaxAttachments) {
            add_blob(std::move(a.content), false, static_cast<std::uint16_t>(i));
        } else {
            value(PathCode::attachment_content, i, ValueType::bytes, a.content);
        }
    }

    std::size_t add_blob(Bytes content, bool encoded, std::uint16_t attachment) {
        const std::uint64_t size = content.size();
        const Hash hash = sha256(content);
        return add_blob({std::move(content), 0, {}}, size, hash, encoded, attachment);
    }
    std::size_t add_blob(const SpoolPart& content, bool encoded, std::uint16_t attachment) {
        return add_blob({{}, 0, content}, content.size, content.sha256, encoded, attachment);
    }
    std::size_t add_blob(BlobDraft draft, std::uint64_t size, const Hash& hash, bool encoded,
                         std::uint16_t attachment) {
        BlobRef ref;
        ref.size = size;
        ref.sha256 = hash;
        ref.encoded = encoded;
        ref.attachment = attachment;
        draft.number = p().blobs.size();
        p().blobs.push_back(ref);
        out_.blobs.push_back(std::move(draft));
        return p().blobs.size() - 1;
    }

    static Hash content_hash(const Attachment& a) { return a.spool ? a.spool.sha256 : sha256(a.content); }
    std::uint64_t raw_size() const { return m_.raw_spool ? m_.raw_spool.size : m_.raw.size(); }
    // A part of the source; of a spooled one it is held in `scratch`.
    Result<ByteView> raw_part(std::uint64_t offset, std::uint64_t length, Bytes& scratch) const {
        if (!m_.raw_spool)
            return ByteView(m_.raw).subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(length));
        scratch.resize(static_cast<std::size_t>(length));
        TRY(m_.raw_spool.read(offset, scratch));
        return ByteView(scratch);
    }

    struct Placed {
        bool in_value = false, in_blob = false;
        bool encoded = false;  // the blob holds the encoded bytes
        std::uint64_t offset = 0;
    };

    void literal_step(ByteView bytes) {
        if (bytes.empty()) return;
        put(p().literal, bytes);
        if (!p().recipe.empty() && p().recipe.back().kind == RecipeStep::Kind::literal) {
            p().recipe.back().length += bytes.size();
        } else {
            p().recipe.push_back({RecipeStep::Kind::literal, 0, bytes.size(), 0, 1, false});
        }
    }

    // Raw is literal bytes and references to attachments, each reference checked byte for byte.
    Status lay_out_raw() {
        placed_.resize(m_.attachments.size());
        std::vector<std::size_t> order;
        for (std::size_t i = 0; i < m_.attachments.size(); ++i) {
            if (m_.attachments[i].in_raw && !m_.attachments[i].missing) order.push_back(i);
        }
        std::sort(order.begin(), order.end(), [this](std::size_t a, std::size_t b) {
            return m_.attachments[a].in_raw->offset < m_.attachments[b].in_raw->offset;
        });
        std::uint64_t at = 0;
        for (const std::size_t i : order) {
            const Attachment& a = m_.attachments[i];
            const RawSpan span = *a.in_raw;
            if (span.offset < at || span.offset > raw_size() || span.length > raw_size() - span.offset ||
                p().blobs.size() >= 4000)
                continue;
            std::optional<RecipeStep> step = TRY(a.spool ? place_spooled(i) : place(i));
            if (!step) continue;
            TRY(literal_from(at, span.offset));
            if (const bool large = placed_[i].in_blob; large) {
                step->offset = placed_[i].encoded ? TRY(add_encoded_blob(i)) : add_decoded_blob(i);
            } else {
                step->offset = placed_[i].offset = p().value.size();
                step->length = a.content.size();
                put(p().value, a.content);
            }
            p().recipe.push_back(*step);
            at = span.offset + span.length;
        }
        return literal_from(at, raw_size());
    }

    Status literal_from(std::uint64_t begin, std::uint64_t end) {
        if (end - begin > kMaxLiteral)
            return Error(Code::limit, "more than 1 GiB of a source is in no attachment");  // compose's caller knows
        Bytes scratch;
        literal_step(TRY(raw_part(begin, end - begin, scratch)));
        return {};
    }

    // Whether attachment i can stand for its part of the source, and how; sets placed_.
    Result<std::optional<RecipeStep>> place(std::size_t i) {
        const Attachment& a = m_.attachments[i];
        const RawSpan span = *a.in_raw;
        Bytes scratch;
        const ByteView encoded = TRY(raw_part(span.offset, span.length, scratch));
        const bool large = a.content.size() >= kBlobFrom || i >= kMaxAttachments;
        RecipeStep step;
        bool exact = false;
        if (span.encoding == RawEncoding::identity) {
            exact = equal(encoded, a.content);
            step.kind = large ? RecipeStep::Kind::blob : RecipeStep::Kind::value;
        } else if (span.encoding == RawEncoding::base64) {
            step = shape_of(encoded);
            step.kind = large ? RecipeStep::Kind::blob_base64 : RecipeStep::Kind::value_base64;
            exact = equal(encode_base64_lines(a.content, step), encoded);
        }
        Placed& placed = placed_[i];
        if (!exact && span.encoding == RawEncoding::base64 && large && equal(decode_lenient(encoded), a.content)) {
            placed.in_blob = placed.encoded = true;
            return std::optional(RecipeStep{RecipeStep::Kind::blob, 0, 0, 0, 1, false});
        }
        if (!exact || a.content.empty()) return std::optional<RecipeStep>();
        (large ? placed.in_blob : placed.in_value) = true;
        return std::optional(step);
    }

    // The same for content that is not held: it is always large.
    Result<std::optional<RecipeStep>> place_spooled(std::size_t i) {
        const Attachment& a = m_.attachments[i];
        const RawSpan span = *a.in_raw;
        if (!m_.raw_spool || a.spool.size == 0) return std::optional<RecipeStep>();
        SpoolPart encoded = m_.raw_spool;
        encoded.offset += span.offset;
        encoded.size = span.length;
        RecipeStep step;
        bool exact = false;
        if (span.encoding == RawEncoding::identity) {
            step.kind = RecipeStep::Kind::blob;
            exact = TRY(same_content(encoded, [&a](const ByteSink& out) { return a.spool.read_all(out); }));
        } else if (span.encoding == RawEncoding::base64) {
            step = TRY(shape_of_spooled(encoded));
            step.kind = RecipeStep::Kind::blob_base64;
            exact = TRY(same_content(encoded, [&](const ByteSink& out) -> Status {
                Base64LineEncoder encoder(step, out);
                TRY(a.spool.read_all([&encoder](ByteView piece) { return encoder.write(piece); }));
                return encoder.finish();
            }));
        }
        Placed& placed = placed_[i];
        if (!exact && span.encoding == RawEncoding::base64 && TRY(decodes_to(encoded, a.spool))) {
            placed.in_blob = placed.encoded = true;
            return std::optional(RecipeStep{RecipeStep::Kind::blob, 0, 0, 0, 1, false});
        }
        if (!exact) return std::optional<RecipeStep>();
        placed.in_blob = true;
        return std::optional(step);
    }

    std::size_t add_decoded_blob(std::size_t i) {
        Attachment& a = m_.attachments[i];
        const auto number = static_cast<std::uint16_t>(i);
        return a.spool ? add_blob(a.spool, false, number) : add_blob(a.content, false, number);
    }
    Result<std::size_t> add_encoded_blob(std::size_t i) {
        const RawSpan span = *m_.attachments[i].in_raw;
        const auto number = static_cast<std::uint16_t>(i);
        if (!m_.raw_spool || !m_.attachments[i].spool) {
            Bytes scratch;
            return add_blob(to_bytes(TRY(raw_part(span.offset, span.length, scratch))), true, number);
        }
        SpoolPart encoded = m_.raw_spool;
        encoded.offset += span.offset;
        encoded.size = span.length;
        encoded.sha256 = TRY(hash_of(encoded));
        return add_blob(encoded, true, number);
    }

    Message m_;
    Composed out_;
    std::vector<Placed> placed_;
    Bytes overflow_;
    std::size_t cursor_ = 0;
};

}  // namespace

Result<Composed> compose(Message message) {
    return Composer(std::move(message)).run();
}

namespace {
void add(Payload& p, PathCode path, ValueType type, ByteView bytes, std::uint16_t ordinal = 0) {
    p.rows.push_back({path, ordinal, type, Area::value, p.value.size(), bytes.size()});
    put(p.value, bytes);
}
void add_kind(Payload& p) {
    Bytes kind;
    put_u64(kind, static_cast<std::uint64_t>(MessageKind::notice));
    add(p, PathCode::type, ValueType::number, kind);
}
void pad(Payload& p) {
    while (p.rows.size() % 8 != 0) p.rows.push_back({});
}
}  // namespace

Composed compose_matter(const std::string& reference, const std::string& ground, const std::string& scope) {
    Composed c;
    add_kind(c.payload);
    add(c.payload, PathCode::reference, ValueType::text, as_bytes(reference));
    add(c.payload, PathCode::legal_ground, ValueType::text, as_bytes(ground));
    if (!scope.empty()) add(c.payload, PathCode::scope, ValueType::text, as_bytes(scope));
    pad(c.payload);
    return c;
}

Composed compose_matter_text(const MatterText& text) {
    Composed c;
    add_kind(c.payload);
    const auto put = [&c](PathCode path, ValueType type, ByteView value) {
        if (!value.empty()) add(c.payload, path, type, value);
    };
    put(PathCode::actor, ValueType::text, as_bytes(text.actor));
    put(PathCode::legal_ground, ValueType::text, as_bytes(text.ground));
    put(PathCode::label, ValueType::text, as_bytes(text.label));
    put(PathCode::query, ValueType::text, as_bytes(text.query));
    put(PathCode::scope, ValueType::text, as_bytes(text.scope));
    put(PathCode::entry_set, ValueType::bytes, text.entry_set);
    put(PathCode::checksums, ValueType::bytes, text.checksums);
    put(PathCode::coverage, ValueType::bytes, text.coverage);
    put(PathCode::unsearched, ValueType::bytes, text.unsearched);
    pad(c.payload);
    return c;
}

Composed compose_configuration(const std::string& actor, ByteView before, ByteView after) {
    Composed c;
    add_kind(c.payload);
    add(c.payload, PathCode::actor, ValueType::text, as_bytes(actor));
    add(c.payload, PathCode::configuration, ValueType::bytes, before, 0);
    add(c.payload, PathCode::configuration, ValueType::bytes, after, 1);
    pad(c.payload);
    return c;
}

Composed compose_decision(const DecisionText& text) {
    Composed c;
    add_kind(c.payload);
    const auto put = [&c](PathCode path, const std::string& value, std::uint16_t ordinal = 0) {
        if (!value.empty()) add(c.payload, path, ValueType::text, as_bytes(value), ordinal);
    };
    put(PathCode::actor, text.actor);
    for (std::size_t i = 0; i < text.approvers.size(); ++i)
        put(PathCode::actor, text.approvers[i], static_cast<std::uint16_t>(i + 1));
    put(PathCode::legal_ground, text.ground);
    put(PathCode::query, text.query);
    put(PathCode::scope, text.scope);
    put(PathCode::file_reference, text.reference);
    put(PathCode::file_plan, text.plan);
    for (const std::uint16_t question : text.questions) put(PathCode::question, "yes", question);
    pad(c.payload);
    return c;
}

namespace {
Composed access_of(const std::string& actor, const std::string& query, const std::vector<EntryIndex>& ids) {
    Composed c;
    add_kind(c.payload);
    add(c.payload, PathCode::actor, ValueType::text, as_bytes(actor));
    add(c.payload, PathCode::query, ValueType::text, as_bytes(query));
    Bytes list;
    for (const EntryIndex id : ids) put_u64(list, id.value);
    add(c.payload, PathCode::entry_list, ValueType::bytes, list);
    return c;
}
}  // namespace

Composed compose_access(const std::string& actor, const std::string& query, const std::vector<EntryIndex>& ids) {
    Composed c = access_of(actor, query, ids);
    pad(c.payload);
    return c;
}

Composed compose_access(const Purpose& purpose, const std::vector<EntryIndex>& ids) {
    Composed c = access_of(purpose.actor, purpose.query, ids);
    if (!purpose.scope.empty()) add(c.payload, PathCode::scope, ValueType::text, as_bytes(purpose.scope));
    if (!purpose.within.empty()) add(c.payload, PathCode::label, ValueType::text, as_bytes(purpose.within));
    if (purpose.coverage) {
        Bytes counts;
        for (const std::uint64_t n : *purpose.coverage) put_u64(counts, n);
        add(c.payload, PathCode::coverage, ValueType::bytes, counts);
    }
    if (purpose.unsearched) add(c.payload, PathCode::unsearched, ValueType::bytes, audit::encode(*purpose.unsearched));
    pad(c.payload);
    return c;
}

Composed compose_reason(const Reason& reason) {
    Composed c;
    add_kind(c.payload);
    add(c.payload, PathCode::legal_ground, ValueType::text, as_bytes(reason.ground));
    add(c.payload, PathCode::actor, ValueType::text, as_bytes(reason.actor));
    for (std::size_t i = 0; i < reason.approvers.size(); ++i)
        add(c.payload, PathCode::actor, ValueType::text, as_bytes(reason.approvers[i]),
            static_cast<std::uint16_t>(i + 1));
    add(c.payload, PathCode::query, ValueType::text, as_bytes(reason.query));
    pad(c.payload);
    return c;
}

}  // namespace kustos::vault
