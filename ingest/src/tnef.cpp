#include "ingest/src/tnef.h"

#include <algorithm>

namespace kustos::ingest {

namespace {

using mapi::MapiAttachment;
using mapi::MapiMessage;
using mapi::Properties;

constexpr std::uint32_t kSignature = 0x223E9F78;
constexpr int kMaxDepth = 8;
constexpr std::size_t kMaxAttachments = 4'096, kMaxRecipients = 20'000;
constexpr std::uint32_t kMaxProperties = 100'000;

// Attributes by their low half ([MS-OXTNEF] section 2.1.3.2)
constexpr std::uint16_t kAttSubject = 0x8004, kAttBody = 0x800C, kAttData = 0x800F, kAttTitle = 0x8010,
                        kAttRenddata = 0x9002, kAttProperties = 0x9003, kAttRecipients = 0x9004,
                        kAttAttachment = 0x9005, kAttCodepage = 0x9007;

// Little-endian; after a failure everything fails.
class Cursor {
public:
    explicit Cursor(ByteView bytes) : bytes_(bytes) {}
    bool ok() const { return ok_; }
    bool at_end() const { return at_ >= bytes_.size(); }
    std::uint64_t number(std::size_t size) {
        const ByteView field = take(size);
        std::uint64_t value = 0;
        for (std::size_t i = field.size(); i-- > 0;) value = value << 8 | field[i];
        return value;
    }
    std::uint16_t u16() { return static_cast<std::uint16_t>(number(2)); }
    std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }
    ByteView take(std::size_t size) {
        if (!ok_ || size > bytes_.size() - at_) {
            ok_ = false;
            return {};
        }
        at_ += size;
        return bytes_.subspan(at_ - size, size);
    }
    ByteView take_padded(std::size_t size) {
        const ByteView out = take(size);
        const std::size_t padding = (4 - size % 4) % 4;
        at_ += std::min(padding, bytes_.size() - at_);
        return out;
    }

private:
    ByteView bytes_;
    std::size_t at_ = 0;
    bool ok_ = true;
};

// 0: of variable length
std::optional<std::size_t> fixed_size(std::uint16_t type) {
    switch (type & 0x0FFF) {
        case 0x0001:  // null
        case 0x0002:
        case 0x0003:
        case 0x0004:
        case 0x000A:
        case 0x000B:
            return 4;  // shorter ones are padded
        case 0x0005:
        case 0x0006:
        case 0x0007:
        case 0x0014:
        case 0x0040:
            return 8;
        case 0x0048:
            return 16;
        case mapi::kObject:
        case mapi::kString8:
        case mapi::kUnicode:
        case mapi::kBinary:
            return 0;
        default:
            return std::nullopt;
    }
}

// A named property has its name behind its tag.
void skip_name(Cursor& in) {
    in.take(16);
    if (in.u32() == 0) {
        in.u32();
    } else {
        in.take_padded(in.u32());
    }
}

bool read_properties(Cursor& in, Properties& out) {
    const std::uint32_t count = in.u32();
    for (std::uint32_t i = 0; i < count && i < kMaxProperties && in.ok(); ++i) {
        const std::uint16_t type = in.u16(), id = in.u16();
        if (id >= 0x8000) skip_name(in);
        const auto size = fixed_size(type);
        if (!size) return false;
        const bool many = (type & mapi::kMultiValued) != 0;
        const std::uint32_t values = many || *size == 0 ? in.u32() : 1;
        for (std::uint32_t v = 0; v < values && in.ok(); ++v) {
            const ByteView value = *size == 0 ? in.take_padded(in.u32()) : in.take(*size);
            if (in.ok() && v == 0 && !many && id < 0x8000) out.set(id, type, to_bytes(value));
        }
    }
    return in.ok();
}

std::optional<MapiMessage> parse(ByteView content, int depth);

class Reader {
public:
    explicit Reader(int depth) : depth_(depth) {}

    MapiMessage run(ByteView content) {
        Cursor in(content);
        in.take(6);  // signature and key
        while (in.ok() && !in.at_end()) {
            const std::uint8_t level = static_cast<std::uint8_t>(in.number(1));
            if (level != 1 && level != 2) {  // garbage behind the last attribute
                out_.damaged = true;
                break;
            }
            const std::uint32_t id = in.u32(), length = in.u32();
            const ByteView data = in.take(length);
            in.u16();  // checksum: senders get it wrong, and what is here is sealed as it came anyway
            attribute(static_cast<std::uint16_t>(id), data);
        }
        out_.damaged = out_.damaged || !in.ok();
        // What was said in attributes of TNEF's first version, where no property says it.
        if (codepage_) out_.properties.set(mapi::kMessageCodepage, mapi::kLong, std::move(*codepage_));
        if (subject_) out_.properties.set(mapi::kSubject, mapi::kString8, std::move(*subject_));
        if (body_) out_.properties.set(mapi::kBody, mapi::kString8, std::move(*body_));
        return std::move(out_);
    }

private:
    void attribute(std::uint16_t id, ByteView data) {
        switch (id) {
            case kAttProperties: {
                Cursor in(data);
                if (!read_properties(in, out_.properties)) out_.damaged = true;
                return;
            }
            case kAttRecipients:
                return recipients(data);
            case kAttCodepage:
                if (data.size() >= 4) codepage_ = to_bytes(data.first(4));
                return;
            case kAttSubject:
                subject_ = to_bytes(data);
                return;
            case kAttBody:
                body_ = to_bytes(data);
                return;
            default:
                return attachment(id, data);
        }
    }

    void recipients(ByteView data) {
        Cursor in(data);
        const std::uint32_t count = in.u32();
        for (std::uint32_t i = 0; i < count && out_.recipients.size() < kMaxRecipients && in.ok(); ++i) {
            Properties one;
            if (!read_properties(in, one)) {
                out_.damaged = true;
                return;
            }
            out_.recipients.push_back(std::move(one));
        }
    }

    void attachment(std::uint16_t id, ByteView data) {
        if (id == kAttRenddata) {
            if (out_.attachments.size() >= kMaxAttachments) {
                out_.damaged = true;
                full_ = true;
                return;
            }
            out_.attachments.emplace_back();
            return;
        }
        if (out_.attachments.empty() || full_) return;
        MapiAttachment& last = out_.attachments.back();
        if (id == kAttTitle) last.properties.set(mapi::kAttachName, mapi::kString8, to_bytes(data));
        if (id == kAttData) last.properties.set(mapi::kAttachData, mapi::kBinary, to_bytes(data));
        if (id != kAttAttachment) return;
        Properties more;
        Cursor in(data);
        if (!read_properties(in, more)) out_.damaged = true;
        embedded(more, last);
        for (const std::uint16_t wanted : {mapi::kAttachLongName, mapi::kAttachMime, mapi::kDisplayName})
            if (more.has(wanted)) last.properties.set(wanted, more.type(wanted), more.take(wanted));
    }

    // Its data may stand in the properties only: a message (its interface's id, then TNEF), or bytes.
    void embedded(Properties& more, MapiAttachment& into) {
        if (!more.has(mapi::kAttachData)) return;
        Bytes data = more.take(mapi::kAttachData);
        const ByteView object = ByteView(data).subspan(std::min<std::size_t>(16, data.size()));
        if (is_tnef(object)) {
            if (auto message = parse(object, depth_ + 1)) {
                into.embedded = std::make_unique<MapiMessage>(std::move(*message));
                return;
            }
            out_.damaged = true;
        }
        into.properties.set(mapi::kAttachData, mapi::kBinary, std::move(data));
    }

    int depth_;
    bool full_ = false;
    MapiMessage out_;
    std::optional<Bytes> codepage_, subject_, body_;
};

std::optional<MapiMessage> parse(ByteView content, int depth) {
    if (!is_tnef(content) || depth > kMaxDepth) return std::nullopt;
    return Reader(depth).run(content);
}

}  // namespace

bool is_tnef(ByteView content) {
    return content.size() >= 6 && Cursor(content).u32() == kSignature;
}

std::optional<MapiMessage> parse_tnef(ByteView content) {
    return parse(content, 0);
}

}  // namespace kustos::ingest
