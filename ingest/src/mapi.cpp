#include "ingest/src/mapi.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"
#include "ingest/src/mail_header.h"

namespace kustos::ingest::mapi {

namespace {

using vault::Message;
using vault::Person;
using vault::Role;

std::uint64_t little_endian(const Bytes& bytes) {
    std::uint64_t value = 0;
    for (std::size_t i = std::min<std::size_t>(bytes.size(), 8); i-- > 0;) value = (value << 8) | bytes[i];
    return value;
}

std::string charset_of(std::uint32_t codepage) {
    switch (codepage) {
        case 20127:
        case 0:
            return "";
        case 65001:
            return "utf-8";
        case 932:
            return "shift_jis";
        case 936:
            return "gb18030";
        case 949:
            return "euc-kr";
        case 950:
            return "big5";
        case 20866:
            return "koi8-r";
        default:
            break;
    }
    if (codepage >= 28591 && codepage <= 28605) return "iso-8859-" + std::to_string(codepage - 28590);
    if (codepage >= 1250 && codepage <= 1258) return "windows-" + std::to_string(codepage);
    return codepage < 1000 ? "cp" + std::to_string(codepage) : "";
}

void note(Message& message, std::string_view text) {
    if (std::find(message.notes.begin(), message.notes.end(), text) == message.notes.end())
        message.notes.emplace_back(text);
}

std::string one_line(std::string text, const Limits& limits) {
    bool found = false, cut = false;
    return cut_utf8(without_controls(std::move(text), found), limits.text_value, cut);
}

std::string without_cr(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i)
        if (text[i] != '\r' || text.substr(i + 1, 1) != "\n") out += text[i];
    return out;
}

// An SMTP address where one is given; Exchange's own ("/O=...") else.
std::string best_address(const Properties& of, const std::string& charset, std::initializer_list<std::uint16_t> ids) {
    std::string otherwise;
    for (const std::uint16_t id : ids) {
        std::string address(trim(of.text(id, charset)));
        if (address.find('@') != std::string::npos) return address;
        if (otherwise.empty()) otherwise = std::move(address);
    }
    return otherwise;
}

Person sender_of(const Properties& of, const std::string& charset, const Limits& limits) {
    Person out;
    out.name = of.text(kRepresentingName, charset);
    out.address = best_address(of, charset, {kRepresentingSmtp, kRepresentingAddress});
    if (out.empty() || out.address.find('@') == std::string::npos) {
        const std::string sender = best_address(of, charset, {kSenderSmtp, kSenderAddress});
        if (out.name.empty()) out.name = of.text(kSenderName, charset);
        if (out.address.empty() || sender.find('@') != std::string::npos) out.address = sender;
    }
    out.name = one_line(std::move(out.name), limits);
    out.address = one_line(std::move(out.address), limits);
    return out;
}

void add_recipient(const Properties& of, const std::string& charset, const Limits& limits, Message& to) {
    vault::Recipient out;
    const std::uint32_t type = of.number(kRecipientType).value_or(1) & 0xF;
    out.role = type == 2 ? Role::cc : type == 3 ? Role::bcc : Role::to;
    out.person.name = one_line(of.text(kDisplayName, charset), limits);
    out.person.address = one_line(best_address(of, charset, {kSmtpAddress, kAddress}), limits);
    if (!out.person.empty()) to.recipients.push_back(std::move(out));
}

// The Internet header that the message came with says what properties leave out.
void use_transport_headers(const std::string& headers, const Limits& limits, Message& to) {
    Message said = parse_mail(to_bytes(headers + "\r\n\r\n"), limits).message;
    if (said.kind != vault::MessageKind::mail) return;
    to.headers = std::move(said.headers);
    if (to.native_id.empty()) to.native_id = std::move(said.native_id);
    if (!to.sent_at) to.sent_at = said.sent_at;
    if (to.reply_to.empty()) to.reply_to = std::move(said.reply_to);
    if (to.thread.empty()) to.thread = std::move(said.thread);
    if (to.sender.address.find('@') == std::string::npos && !said.sender.empty()) to.sender = std::move(said.sender);
    if (to.recipients.empty()) to.recipients = std::move(said.recipients);
}

std::string name_of(const Properties& attachment, const std::string& charset, const Limits& limits, Message& to) {
    std::string name;
    for (const std::uint16_t id : {kAttachLongName, kAttachName, kDisplayName})
        if (name.empty()) name = one_line(attachment.text(id, charset), limits);
    const std::size_t slash = name.find_last_of("/\\");
    if (slash == std::string::npos) return name;
    note(to, "suspicious:path-name");
    return name.substr(slash + 1);
}

class Adder {
public:
    Adder(const Limits& limits, Message& to) : limits_(limits), to_(to) {}

    void message(MapiMessage& from, bool rtf_body, int depth) {
        const std::string charset = from.charset();
        for (MapiAttachment& attachment : from.attachments) {
            if (attachment.embedded) {
                embedded(*attachment.embedded, depth);
                continue;
            }
            vault::Attachment out;
            out.name = name_of(attachment.properties, charset, limits_, to_);
            out.media_type = lower_ascii(one_line(attachment.properties.text(kAttachMime, charset), limits_));
            out.content = attachment.properties.take(kAttachData);
            out.in_raw = attachment.in_raw;
            add(std::move(out));
        }
        if (rtf_body) rtf(from);
    }

private:
    void add(vault::Attachment out) {
        if (to_.attachments.size() >= limits_.attachments) return note(to_, "limit:attachments");
        if (out.media_type.size() < 3 || out.media_type.size() > 255 || out.media_type.find('/') == std::string::npos)
            out.media_type = "application/octet-stream";
        out.size = out.content.size();
        to_.attachments.push_back(std::move(out));
    }

    void text(std::string name, const char* type, std::string text) {
        vault::Attachment out;
        out.name = std::move(name);
        out.media_type = type;
        out.content = to_bytes(text);
        add(std::move(out));
    }

    void rtf(MapiMessage& from) {
        const Bytes compressed = from.properties.take(kRtfCompressed);
        if (compressed.empty()) return;
        auto plain = decompress_rtf(compressed, 64u << 20);
        if (!plain) return note(to_, "defect:rtf");
        vault::Attachment out;
        out.name = "body.rtf";
        out.media_type = "application/rtf";
        out.content = std::move(*plain);
        add(std::move(out));
    }

    void embedded(MapiMessage& from, int depth) {
        constexpr int kMaxDepth = 8;
        if (depth >= kMaxDepth) return note(to_, "limit:depth");
        Message inner;
        describe(from, limits_, inner);
        std::string words = inner.subject + "\n" + inner.sender.name + " " + inner.sender.address + "\n";
        for (const auto& r : inner.recipients) words += r.person.name + " " + r.person.address + "\n";
        std::string name = inner.subject.empty() ? "message" : inner.subject;
        std::replace_if(
            name.begin(), name.end(), [](char c) { return c == '/' || c == '\\'; }, '_');
        text(name + ".txt", "text/plain", words + "\n" + inner.body);
        if (inner.body.empty() && !inner.body_html.empty()) text(name + ".html", "text/html", inner.body_html);
        message(from, inner.body.empty() && inner.body_html.empty(), depth + 1);
    }

    const Limits& limits_;
    Message& to_;
};

}  // namespace

void Properties::set(std::uint16_t id, std::uint16_t type, Bytes value) {
    values_.try_emplace(id, Value{type, std::move(value)});
}

std::string Properties::text(std::uint16_t id, std::string_view charset) const {
    const auto found = values_.find(id);
    if (found == values_.end()) return {};
    const Value& value = found->second;
    if (value.type == kUnicode) {
        std::size_t end = 0;
        while (end + 1 < value.bytes.size() && (value.bytes[end] != 0 || value.bytes[end + 1] != 0)) end += 2;
        return decode_charset(ByteView(value.bytes).first(end), "utf-16le").utf8;
    }
    if (value.type != kString8 && value.type != kBinary) return {};
    const auto end = std::find(value.bytes.begin(), value.bytes.end(), std::uint8_t{0});
    const auto size = static_cast<std::size_t>(end - value.bytes.begin());
    return decode_charset(ByteView(value.bytes).first(size), charset.empty() ? "windows-1252" : charset).utf8;
}

Bytes Properties::take(std::uint16_t id) {
    const auto found = values_.find(id);
    return found == values_.end() ? Bytes() : std::exchange(found->second.bytes, {});
}

std::optional<std::uint32_t> Properties::number(std::uint16_t id) const {
    const auto found = values_.find(id);
    if (found == values_.end() || found->second.type != kLong || found->second.bytes.size() < 4) return std::nullopt;
    return static_cast<std::uint32_t>(little_endian(found->second.bytes));
}

// 100 ns since 1601-01-01.
std::optional<UtcTime> Properties::time(std::uint16_t id) const {
    constexpr std::int64_t kEpoch = 11'644'473'600'000, kYear10000 = 253'402'300'800'000;
    const auto found = values_.find(id);
    if (found == values_.end() || found->second.type != kTime || found->second.bytes.size() < 8) return std::nullopt;
    const auto ms = static_cast<std::int64_t>(little_endian(found->second.bytes) / 10'000) - kEpoch;
    return ms > 0 && ms < kYear10000 ? std::optional<UtcTime>(UtcTime{ms}) : std::nullopt;
}

std::string MapiMessage::charset() const {
    for (const std::uint16_t id : {kMessageCodepage, kInternetCodepage})
        if (const auto page = properties.number(id))
            if (std::string name = charset_of(*page); !name.empty()) return name;
    return "windows-1252";
}

void describe(MapiMessage& from, const Limits& limits, Message& to) {
    const std::string charset = from.charset();
    const Properties& own = from.properties;
    to.subject = one_line(own.text(kSubject, charset), limits);
    to.sent_at = own.time(kSubmitTime);
    to.sender = sender_of(own, charset, limits);
    to.native_id = one_line(first_message_id(own.text(kMessageId, charset)), limits);
    to.reply_to = one_line(first_message_id(own.text(kInReplyTo, charset)), limits);
    to.thread = one_line(first_message_id(own.text(kReferences, charset)), limits);
    for (const Properties& recipient : from.recipients) {
        if (to.recipients.size() >= limits.recipients) {
            note(to, "limit:recipients");
            break;
        }
        add_recipient(recipient, charset, limits, to);
    }
    const std::string headers = own.text(kTransportHeaders, charset);
    if (!headers.empty()) use_transport_headers(headers, limits, to);
    if (!to.sent_at) to.sent_at = own.time(kDeliveryTime);
    std::stable_sort(to.recipients.begin(), to.recipients.end(),
                     [](const auto& a, const auto& b) { return a.role < b.role; });
    bool cut = false;
    to.body = cut_utf8(without_cr(own.text(kBody, charset)), limits.body, cut);
    const auto html_page = own.number(kInternetCodepage);
    const std::string html_charset = html_page ? charset_of(*html_page) : "";
    to.body_html = cut_utf8(without_cr(own.text(kBodyHtml, html_charset.empty() ? charset : html_charset)),
                            limits.body - std::min<std::size_t>(limits.body, to.body.size()), cut);
    if (cut) note(to, "limit:body");
}

void add_attachments(MapiMessage& from, const Limits& limits, bool rtf_body, Message& to) {
    Adder(limits, to).message(from, rtf_body, 0);
}

std::optional<Bytes> decompress_rtf(ByteView in, std::size_t most) {
    // [MS-OXRTFCP] section 2.1.3.1.1
    static constexpr std::string_view kStart =
        "{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor MS "
        "Sans "
        "SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par "
        "\\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";
    static_assert(kStart.size() == 207);
    constexpr std::uint32_t kCompressed = 0x75465A4C, kPlain = 0x414C454D;
    if (in.size() < 16) return std::nullopt;
    const auto u32 = [&](std::size_t at) {
        return static_cast<std::uint32_t>(in[at]) | static_cast<std::uint32_t>(in[at + 1]) << 8 |
               static_cast<std::uint32_t>(in[at + 2]) << 16 | static_cast<std::uint32_t>(in[at + 3]) << 24;
    };
    const std::uint32_t size = u32(4), type = u32(8);
    if (size > most) return std::nullopt;
    if (type == kPlain) return to_bytes(in.subspan(16, std::min<std::size_t>(size, in.size() - 16)));
    if (type != kCompressed) return std::nullopt;
    std::array<std::uint8_t, 4096> dictionary{};
    std::copy(kStart.begin(), kStart.end(), dictionary.begin());
    std::size_t write = kStart.size(), at = 16;
    Bytes out;
    const auto emit = [&](std::uint8_t byte) {
        out.push_back(byte);
        dictionary[write] = byte;
        write = (write + 1) % dictionary.size();
    };
    while (at < in.size()) {
        const std::uint8_t control = in[at++];
        for (int bit = 0; bit < 8; ++bit) {
            if (out.size() > size) return std::nullopt;
            if ((control >> bit & 1) == 0) {
                if (at >= in.size()) return out;
                emit(in[at++]);
                continue;
            }
            if (at + 1 >= in.size()) return out;
            const unsigned token = static_cast<unsigned>(in[at]) << 8 | in[at + 1];
            at += 2;
            const std::size_t from = token >> 4, length = (token & 0xF) + 2;
            if (from == write) return out;  // the end
            for (std::size_t i = 0; i < length; ++i) emit(dictionary[(from + i) % dictionary.size()]);
        }
    }
    return out;
}

}  // namespace kustos::ingest::mapi
