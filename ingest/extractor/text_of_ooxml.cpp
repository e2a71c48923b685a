// Word processing documents and slides of OOXML (ECMA-376, ISO/IEC 29500; strict and transitional).
#include <algorithm>
#include <charconv>

#include "ingest/extractor/package.h"
#include "ingest/extractor/xml_walk.h"

namespace kustos::extractor {

namespace {

bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

class DrawingText final : public XmlReader {
public:
    explicit DrawingText(Reading& reading) : reading_(reading), flow_(reading) {}

    void start(std::string_view name, const ingest::MarkupToken& tag) override {
        if (skipped_ > 0) {
            ++skipped_;
            return;
        }
        // Properties say nothing; Fallback says again what stands in Choice; the rest are field codes and readings.
        if (is_one_of(name, {"pPr", "rPr", "tblPr", "trPr", "tcPr", "sdtPr", "Fallback", "instrText", "delInstrText",
                             "rPh"})) {
            skipped_ = 1;
        } else if (is_one_of(name, {"t", "delText", "v", "text"})) {
            ++inside_;
        } else if (name == "tab") {
            flow_.put("\t");
        } else if (is_one_of(name, {"br", "cr"})) {
            flow_.put("\n");
        } else if (name == "noBreakHyphen") {
            flow_.put("-");
        } else if (is_one_of(name, {"del", "moveFrom"})) {
            flow_.put("[-");
        } else if (name == "txbxContent") {
            flow_.enter_side();
        } else if (name == "comment") {
            const std::string author = xml_attribute(tag, "author");
            if (!author.empty()) flow_.put(author + ": ");
        } else if (name == "altChunk") {
            reading_.partial("embedded-object");
        } else if (name == "subDoc") {
            reading_.partial("external-part");
        }
    }

    void end(std::string_view name) override {
        if (skipped_ > 0) {
            --skipped_;
            return;
        }
        if (is_one_of(name, {"t", "delText", "v", "text"})) {
            if (inside_ > 0) --inside_;
            if (is_one_of(name, {"v", "text"})) flow_.end_line();
        } else if (is_one_of(name, {"del", "moveFrom"})) {
            flow_.put("-]");
        } else if (name == "txbxContent") {
            flow_.leave_side();
        } else if (is_one_of(name, {"p", "comment"})) {
            flow_.end_line();
        }
    }

    void text(std::string_view utf8) override {
        if (inside_ > 0 && skipped_ == 0) flow_.put(utf8);
    }

private:
    Reading& reading_;
    Flow flow_;
    unsigned skipped_ = 0, inside_ = 0;
};

// slide2 before slide10
bool in_reading_order(const std::string& a, const std::string& b) {
    return a.size() != b.size() ? a.size() < b.size() : a < b;
}

std::vector<std::string> parts_of(const Package& package, std::initializer_list<std::string_view> types) {
    std::vector<std::string> out;
    for (const auto& [name, type] : package.types)
        for (const std::string_view wanted : types)
            if (type.find(wanted) != std::string::npos) {
                out.push_back(name);
                break;
            }
    std::sort(out.begin(), out.end(), in_reading_order);
    return out;
}

// In the order of the kinds: the document first, then what stands around it.
void read_kinds(ByteView zip, const Package& package, std::initializer_list<std::string_view> kinds, Reading& reading) {
    const auto parts = read_parts(zip, parts_of(package, kinds), reading);
    for (const std::string_view kind : kinds)
        for (const std::string& name : parts_of(package, {kind})) {
            const auto part = parts.find(name);
            if (part != parts.end()) read_drawing(part->second, reading);
        }
}

}  // namespace

void read_drawing(ByteView part, Reading& reading) {
    DrawingText text(reading);
    const Refusal refusal = walk_xml(part, text, reading);
    if (!refusal.empty()) reading.partial(refusal);
}

void read_word(ByteView zip, const Package& package, Reading& reading) {
    read_kinds(zip, package,
               {"main+xml", ".header+xml", ".footnotes+xml", ".endnotes+xml", ".comments+xml", ".footer+xml",
                "drawingml.chart+xml", "diagramData+xml"},
               reading);
}

void read_slides(ByteView zip, const Package& package, Reading& reading) {
    read_kinds(zip, package,
               {"presentationml.slide+xml", "notesSlide+xml", "comments+xml", "drawingml.chart+xml", "diagramData+xml"},
               reading);
}

}  // namespace kustos::extractor
