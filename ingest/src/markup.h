// A pull lexer of XML and HTML, for exports whose elements are sealed one by one: it says where each tag stands.
//
// XML (XML 1.0, UTF-8) without a document type: a DOCTYPE is told and never read, so no entity can be defined, nothing
// is expanded and nothing is fetched. HTML is read as leniently as browsers do. Bounded: no recursion, no tree. Views
// are into the given text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kustos::ingest {

struct MarkupToken {
    enum class Kind { start, end, empty, text, cdata, comment, instruction, doctype, broken, done } kind = Kind::done;
    std::string_view name;            // of a tag, as written
    std::string_view inside;          // of a tag: what follows its name; of text, CDATA and comments: it, raw
    std::size_t begin = 0, past = 0;  // in the text
};

class Markup {
public:
    enum class Dialect { xml, html };
    Markup(std::string_view text, Dialect dialect) : text_(text), html_(dialect == Dialect::html) {}
    // broken and done come again and again. A tag or comment that never closes is broken (HTML: text).
    MarkupToken next();

private:
    MarkupToken tag();
    MarkupToken make(MarkupToken::Kind kind, std::size_t past) const;
    std::string_view text_;
    bool html_;
    std::size_t at_ = 0;
    // What is never closed is looked for once, not again from each place where it could begin.
    bool no_comment_ = false, no_cdata_ = false, no_angle_ = false;
    std::size_t wasted_ = 0;  // bytes looked at for tags that were none
};

struct MarkupAttribute {
    std::string name, value;  // as written; references resolved
};
// In the order in which they stand; one that is there twice comes twice.
std::vector<MarkupAttribute> markup_attributes(const MarkupToken& tag);
// The value of an attribute, its references resolved; empty where there is none.
std::string markup_attribute(const MarkupToken& tag, std::string_view name);
// Character data with its references resolved: the five of XML, numbers, and the common ones of HTML. What is none
// stays as it is. bad is set for a reference that XML does not have, or to a character that it forbids.
std::string markup_text(std::string_view raw, bool* bad = nullptr);
// XML 1.0 section 2.11: line ends are line feeds. Before references are resolved: one to CR stays CR.
std::string xml_line_ends(std::string_view raw);

// What people read of an HTML message: blocks and <br> become line ends, tags go, references are resolved, pictures and
// emojis give their alt text, script and style give nothing.
std::string html_to_text(std::string_view html);

}  // namespace kustos::ingest
