#include "app/src/attachment_facts.h"

namespace kustos::app {

namespace {

constexpr std::string_view kFirst = "kustos-attachment 1\n";
constexpr std::size_t kMostRemarks = 8;

std::string line(std::string_view key, std::string_view value) {
    if (value.empty()) return "";
    std::string out(key);
    out += ' ';
    for (const char c : value) out += c >= 0x20 && c < 0x7F ? c : '?';
    return out + "\n";
}

}  // namespace

std::string encode_facts(const web::AttachmentFacts& f) {
    std::string out(kFirst);
    out += line("kind", f.kind);
    out += line("text", f.reason.empty() ? f.text : f.text + " " + f.reason);
    for (std::size_t i = 0; i < std::min(f.remarks.size(), kMostRemarks); ++i) out += line("remark", f.remarks[i]);
    out += line("virus", f.signature.empty() ? f.virus : f.virus + " " + f.signature);
    out += line("scanner", f.scanner);
    if (f.scanned) out += line("scanned", format_rfc3339(*f.scanned));
    return out;
}

Result<web::AttachmentFacts> parse_facts(std::string_view text) {
    if (text.size() > kMostFacts || text.substr(0, kFirst.size()) != kFirst || text.back() != '\n')
        return Error(Code::corrupt, "no facts of an attachment");
    web::AttachmentFacts f;
    text.remove_prefix(kFirst.size());
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        const std::string_view whole = text.substr(0, end);
        text.remove_prefix(end + 1);
        const std::size_t space = whole.find(' ');
        if (space == std::string_view::npos) return Error(Code::corrupt, "a fact without a value");
        const std::string_view key = whole.substr(0, space), value = whole.substr(space + 1);
        const std::string first(value.substr(0, value.find(' ')));
        const std::string rest(first.size() < value.size() ? value.substr(first.size() + 1) : std::string_view());
        if (key == "kind") f.kind = value;
        if (key == "remark" && f.remarks.size() < kMostRemarks) f.remarks.emplace_back(value);
        if (key == "scanner") f.scanner = value;
        if (key == "text") f.text = first, f.reason = rest;
        if (key == "virus") f.virus = first, f.signature = rest;
        if (key == "scanned") f.scanned = TRY(parse_rfc3339(value));
    }
    return f;
}

std::vector<std::string> facts_words(const web::AttachmentFacts& f, bool de) {
    std::vector<std::string> out;
    const auto say = [&](std::string german, std::string english) {
        out.push_back(de ? std::move(german) : std::move(english));
    };
    bool ocr = false;
    for (const std::string& remark : f.remarks) {
        constexpr std::string_view kMismatch = "type-mismatch:", kAs = "-as-";
        ocr |= remark == "ocr";
        if (remark == "charset-corrected") say("Zeichensatz anders als angegeben", "another charset than declared");
        if (remark.rfind(kMismatch, 0) != 0) continue;
        const std::string pair = remark.substr(kMismatch.size());
        const std::size_t at = pair.find(kAs);
        if (at == std::string::npos) continue;
        const std::string is = pair.substr(0, at), called = pair.substr(at + kAs.size());
        say("Inhalt ist " + is + ", ausgegeben als " + called + " (" + remark + ")",
            "content is " + is + ", presented as " + called + " (" + remark + ")");
    }
    if (ocr)
        say("Text maschinell gelesen (OCR), Lesefehler möglich", "text read by machine (OCR), it may have misread");
    if (f.reason != "ocr" && !f.reason.empty())
        say((f.text == "opaque" ? "nicht lesbar: " : "nur teilweise gelesen: ") + f.reason,
            (f.text == "opaque" ? "not read: " : "read in part only: ") + f.reason);
    if (f.virus == "found")
        say("ClamAV hat darin erkannt: " + f.signature + " (" + f.scanner + ")",
            "ClamAV found in it: " + f.signature + " (" + f.scanner + ")");
    if (f.virus == "clean")
        say("ClamAV: nichts erkannt (" + f.scanner + ")", "ClamAV: nothing known (" + f.scanner + ")");
    if (f.virus == "unchecked") say("ClamAV hat nicht geprüft", "not checked by ClamAV");
    return out;
}

}  // namespace kustos::app
