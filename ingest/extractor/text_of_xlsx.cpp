// Spreadsheets of OOXML (ECMA-376-1 18): sheets in their order, cells as people see them, comments, text boxes,
// headers.
#include <algorithm>
#include <charconv>
#include <set>

#include "ingest/extractor/number_format.h"
#include "ingest/extractor/package.h"
#include "ingest/extractor/xml_walk.h"

namespace kustos::extractor {

namespace {

std::size_t number(std::string_view text, std::size_t otherwise) {
    std::size_t out = otherwise;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc() && end == text.data() + text.size() ? out : otherwise;
}

// sharedStrings.xml: one string per <si>, without phonetic readings.
class Strings final : public XmlReader {
public:
    void start(std::string_view name, const ingest::MarkupToken&) override {
        if (name == "si") all.emplace_back();
        if (name == "t") ++inside_;
        if (name == "rPh") ++reading_;
    }
    void end(std::string_view name) override {
        if (name == "t" && inside_ > 0) --inside_;
        if (name == "rPh" && reading_ > 0) --reading_;
    }
    void text(std::string_view utf8) override {
        if (inside_ > 0 && reading_ == 0 && !all.empty()) all.back() += utf8;
    }
    std::vector<std::string> all;

private:
    unsigned inside_ = 0, reading_ = 0;
};

// styles.xml: the format code of each cell format.
class Styles final : public XmlReader {
public:
    void start(std::string_view name, const ingest::MarkupToken& tag) override {
        if (name == "numFmt") codes_[number(xml_attribute(tag, "numFmtId"), 0)] = xml_attribute(tag, "formatCode");
        if (name == "cellXfs") inside_ = true;
        if (name == "xf" && inside_) formats_.push_back(number(xml_attribute(tag, "numFmtId"), 0));
    }
    void end(std::string_view name) override {
        if (name == "cellXfs") inside_ = false;
    }
    void text(std::string_view) override {}
    std::string_view code(std::size_t style) const {
        if (style >= formats_.size()) return "";
        const auto own = codes_.find(formats_[style]);
        if (own != codes_.end()) return own->second;
        return builtin_number_format(static_cast<unsigned>(formats_[style]));
    }

private:
    std::map<std::size_t, std::string> codes_;
    std::vector<std::size_t> formats_;
    bool inside_ = false;
};

// workbook.xml and its relations: names of the sheets, in their order.
class Workbook final : public XmlReader {
public:
    struct Sheet {
        std::string name, relation;
    };
    void start(std::string_view name, const ingest::MarkupToken& tag) override {
        if (name == "sheet") {
            // "id" without prefix is the relation; sheetId is another attribute
            sheets.push_back({xml_attribute(tag, "name"), xml_attribute(tag, "id")});
        } else if (name == "workbookPr") {
            const std::string value = xml_attribute(tag, "date1904");
            epoch_1904 = value == "1" || value == "true";
        } else if (name == "Relationship") {
            std::string target = xml_attribute(tag, "Target");
            targets[xml_attribute(tag, "Id")] = std::move(target);
        }
    }
    void end(std::string_view) override {}
    void text(std::string_view) override {}
    std::vector<Sheet> sheets;
    std::map<std::string, std::string> targets;
    bool epoch_1904 = false;
};

// "&L&"Arial"&12Seite &P": codes out, text stays.
std::string header_text(std::string_view coded) {
    std::string out;
    for (std::size_t i = 0; i < coded.size(); ++i) {
        if (coded[i] != '&' || i + 1 == coded.size()) {
            out += coded[i];
        } else if (coded[++i] == '&') {
            out += '&';
        } else if (coded[i] == '"') {
            i = std::min(coded.find('"', i + 1), coded.size());
        } else {
            while (i + 1 < coded.size() && coded[i] >= '0' && coded[i] <= '9' && coded[i + 1] >= '0' &&
                   coded[i + 1] <= '9')
                ++i;
            out += ' ';
        }
    }
    return out;
}

class SheetText final : public XmlReader {
public:
    SheetText(Reading& reading, const Strings& strings, const Styles& styles, bool epoch_1904)
        : reading_(reading), strings_(strings), styles_(styles), epoch_1904_(epoch_1904) {}

    void start(std::string_view name, const ingest::MarkupToken& tag) override {
        if (name == "c") {
            type_ = xml_attribute(tag, "t");
            style_ = number(xml_attribute(tag, "s"), 0);
            value_.clear();
        } else if (name == "v" || name == "t") {
            ++inside_;
        } else if (name == "rPh") {
            ++phonetic_;
        } else if (is_header(name)) {
            header_ = true;
            value_.clear();
        }
    }
    void end(std::string_view name) override {
        if (name == "c") {
            put_cell();
        } else if (name == "v" || name == "t") {
            if (inside_ > 0) --inside_;
        } else if (name == "rPh") {
            if (phonetic_ > 0) --phonetic_;
        } else if (name == "row") {
            reading_.end_line();
        } else if (is_header(name)) {
            header_ = false;
            reading_.put(header_text(value_));
            reading_.end_line();
        }
    }
    void text(std::string_view utf8) override {
        if ((inside_ > 0 && phonetic_ == 0) || header_) value_ += utf8;
    }

private:
    static bool is_header(std::string_view name) {
        return name == "oddHeader" || name == "evenHeader" || name == "firstHeader" || name == "oddFooter" ||
               name == "evenFooter" || name == "firstFooter";
    }
    void put_cell() {
        if (type_ == "s") {
            const std::size_t index = number(value_, strings_.all.size());
            if (index < strings_.all.size())
                reading_.put(strings_.all[index]);
            else if (!value_.empty())
                reading_.partial("damaged");
        } else if (type_ == "b") {
            reading_.put(value_ == "1" ? "WAHR" : "FALSCH");
        } else if (type_.empty() || type_ == "n") {
            reading_.put(shown_number(value_, styles_.code(style_), epoch_1904_));
        } else {  // inlineStr, str (of a formula), e (an error), d (an ISO date)
            reading_.put(value_);
        }
        reading_.put("\t");
    }

    Reading& reading_;
    const Strings& strings_;
    const Styles& styles_;
    bool epoch_1904_;
    std::string type_, value_;
    std::size_t style_ = 0;
    unsigned inside_ = 0, phonetic_ = 0;
    bool header_ = false;
};

bool has(std::string_view text, std::string_view what) {
    return text.find(what) != std::string_view::npos;
}

void walk(ByteView part, XmlReader& reader, Reading& reading) {
    const Refusal refusal = walk_xml(part, reader, reading);
    if (!refusal.empty()) reading.partial(refusal);
}

std::string file_of(std::string_view path) {
    return std::string(path.substr(path.rfind('/') + 1));
}

// The sheets' parts: first those the workbook names, in its order, then what it does not name.
std::vector<std::pair<std::string, std::string>> sheet_order(const Workbook& book,
                                                             const std::vector<std::string>& parts) {
    std::map<std::string, std::string> by_file;
    for (const std::string& part : parts) by_file.emplace(file_of(part), part);
    std::set<std::string> named;
    std::vector<std::pair<std::string, std::string>> out;
    for (const auto& sheet : book.sheets) {
        const auto target = book.targets.find(sheet.relation);
        const auto part = target == book.targets.end() ? by_file.end() : by_file.find(file_of(target->second));
        const bool fresh = part != by_file.end() && named.insert(part->second).second;
        out.emplace_back(sheet.name, fresh ? part->second : std::string());
    }
    for (const std::string& part : parts)
        if (named.count(part) == 0) out.emplace_back("", part);
    return out;
}

}  // namespace

void read_sheets(ByteView zip, const Package& package, Reading& reading) {
    std::vector<std::string> wanted, sheets;
    for (const auto& [name, type] : package.types) {
        const bool sheet = has(type, "worksheet+xml") || has(type, "chartsheet+xml") || has(type, "macrosheet+xml");
        if (sheet) sheets.push_back(name);
        if (sheet || has(type, "main+xml") || has(type, "sharedStrings+xml") || has(type, "spreadsheetml.styles+xml") ||
            has(type, "comments+xml") || has(type, "drawing+xml") || has(type, "chart+xml") ||
            has(type, "threadedcomments+xml") || has(type, "diagramData+xml") || has(name, "workbook.xml.rels"))
            wanted.push_back(name);
    }
    std::sort(sheets.begin(), sheets.end(), [](const std::string& a, const std::string& b) {
        return a.size() != b.size() ? a.size() < b.size() : a < b;
    });
    const auto parts = read_parts(zip, wanted, reading);
    Strings strings;
    Styles styles;
    Workbook book;
    for (const auto& [name, bytes] : parts) {
        const std::string& type = package.types.at(name);
        if (has(type, "sharedStrings+xml")) walk(bytes, strings, reading);
        if (has(type, "spreadsheetml.styles+xml")) walk(bytes, styles, reading);
        if (has(type, "main+xml") || has(name, "workbook.xml.rels")) walk(bytes, book, reading);
    }
    for (const auto& [title, name] : sheet_order(book, sheets)) {
        if (reading.over()) return;
        reading.end_line();
        reading.put(title);
        reading.end_line();
        const auto part = parts.find(name);
        if (part == parts.end()) continue;
        SheetText text(reading, strings, styles, book.epoch_1904);
        walk(part->second, text, reading);
    }
    for (const auto& [name, bytes] : parts) {
        const std::string& type = package.types.at(name);
        // Not xl/sharedStrings or sheets: what stands over and beside the cells.
        if (has(type, "comments+xml") || has(type, "drawing+xml") || has(type, "chart+xml") ||
            has(type, "threadedcomments+xml") || has(type, "diagramData+xml"))
            read_drawing(bytes, reading);
    }
}

}  // namespace kustos::extractor
