// OpenDocument (ISO/IEC 26300): text, tables, slides, annotations, tracked deletions, headers and footers.
#include <algorithm>
#include <charconv>
#include <utility>

#include "ingest/extractor/package.h"
#include "ingest/extractor/xml_walk.h"

namespace kustos::extractor {

namespace {

class OpenText final : public XmlReader {
public:
    // styles: of styles.xml, where only what master pages show is text
    OpenText(Reading& reading, bool styles) : flow_(reading), shown_(!styles) {}

    void start(std::string_view name, const ingest::MarkupToken& tag) override {
        if (name == "p" || name == "h") {
            ++inside_;
        } else if (name == "master-styles") {
            shown_ = true;
        } else if (name == "annotation" || name == "note") {
            flow_.enter_side();
            around_.push_back(std::exchange(inside_, 0));  // its date and number are not text
        } else if (name == "creator") {
            ++inside_;
        } else if (name == "s") {
            spaces(xml_attribute(tag, "c"));
        } else if (name == "tab") {
            put("\t");
        } else if (name == "line-break") {
            put("\n");
        } else if (name == "deletion") {
            put("[-");
        } else if (name == "table") {
            flow_.end_line();
            put(xml_attribute(tag, "name"));
            flow_.end_line();
        } else if (name == "table-row") {
            row_ = true;
        }
    }

    void end(std::string_view name) override {
        if (name == "p" || name == "h") {
            if (inside_ > 0) --inside_;
            // A cell's paragraphs stand side by side, so that a row stays a line.
            row_ ? put(" ") : flow_.end_line();
        } else if (name == "creator") {
            if (inside_ > 0) --inside_;
            put(": ");
        } else if (name == "annotation" || name == "note") {
            flow_.leave_side();
            if (around_.empty()) return;
            inside_ = around_.back();
            around_.pop_back();
        } else if (name == "deletion") {
            put("-]");
            flow_.end_line();
        } else if (name == "table-cell") {
            put("\t");
        } else if (name == "table-row") {
            row_ = false;
            flow_.end_line();
        }
    }

    void text(std::string_view utf8) override {
        if (inside_ > 0) put(utf8);
    }

private:
    void put(std::string_view text) {
        if (shown_) flow_.put(text);
    }
    void spaces(std::string_view count) {
        std::size_t n = 1;
        std::from_chars(count.data(), count.data() + count.size(), n);
        put(std::string(std::min<std::size_t>(n, 256), ' '));
    }
    Flow flow_;
    bool shown_;
    bool row_ = false;
    unsigned inside_ = 0;
    std::vector<unsigned> around_;
};

bool ends(std::string_view text, std::string_view end) {
    return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

}  // namespace

Refusal read_open_document(ByteView zip, const Package& package, Reading& reading) {
    std::vector<std::string> wanted = {"content.xml", "styles.xml"};
    for (const std::string& name : package.names) {
        // Formulas and charts in the document are folders with a content of their own; OLE objects are files.
        if (ends(name, "/content.xml")) wanted.push_back(name);
        if (name.rfind("Object ", 0) == 0 && name.find('/') == std::string::npos) reading.partial("embedded-object");
    }
    const auto parts = read_parts(zip, wanted, reading);
    for (const std::string& name : wanted) {
        const auto part = parts.find(name);
        if (part == parts.end()) continue;
        OpenText text(reading, name == "styles.xml");
        const Refusal refusal = walk_xml(part->second, text, reading);
        if (!refusal.empty()) reading.partial(refusal);
    }
    return "";
}

}  // namespace kustos::extractor
