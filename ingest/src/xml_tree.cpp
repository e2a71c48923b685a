#include "ingest/src/xml_tree.h"

#include <algorithm>

#include "base/text.h"

namespace kustos::ingest {

namespace {

using Kind = MarkupToken::Kind;

bool is_blank(std::string_view text) {
    return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

bool declares(std::string_view name) {
    return name == "xmlns" || name.substr(0, 6) == "xmlns:";
}

// The tree as it grows: the elements that are open, outermost first.
class Builder {
public:
    Builder(std::string_view text, const XmlScope& scope, const XmlLimits& limits)
        : text_(text), scope_(scope), limits_(limits) {}

    XmlTree read() {
        Markup markup(text_, Markup::Dialect::xml);
        XmlTree out;
        while (out.reason.empty()) {
            const MarkupToken token = markup.next();
            if (token.kind == Kind::done) break;
            out.reason = take(token);
        }
        if (out.reason.empty() && !root_) out.reason = open_.empty() ? "not-xml" : "truncated";
        if (out.reason.empty()) out.root = std::move(root_);
        return out;
    }

private:
    std::string_view take(const MarkupToken& token) {
        switch (token.kind) {
            case Kind::start:
            case Kind::empty: {
                const std::string_view reason = open(token);
                return reason.empty() && token.kind == Kind::empty ? close(token) : reason;
            }
            case Kind::end:
                if (open_.empty() || names_.back() != token.name) return "not-xml";
                return close(token);
            case Kind::text:
            case Kind::cdata:
                return take_text(token);
            case Kind::doctype:
                return "doctype";
            case Kind::broken:
                return text_.find('>', token.begin) == std::string_view::npos ? "truncated" : "not-xml";
            default:
                return {};
        }
    }

    std::string_view open(const MarkupToken& token) {
        if (root_) return "not-xml";
        if (open_.size() >= limits_.depth) return "too-deep";
        if (++count_ > limits_.elements) return "too-many-elements";
        declared_.push_back(scope_.size());
        if (!declare_namespaces(token, scope_)) return "too-large";
        const auto [prefix, local] = split_name(token.name);
        XmlElement element;
        element.name = repair_utf8(local);
        element.space = std::string(namespace_of(scope_, prefix));
        for (MarkupAttribute& attribute : markup_attributes(token)) {
            if (declares(attribute.name)) continue;
            if (!element.attribute(attribute.name).empty()) return "not-xml";
            element.attributes.push_back({repair_utf8(attribute.name), repair_utf8(attribute.value)});
        }
        element.begin = token.begin;
        element.inner_begin = token.past;
        open_.push_back(std::move(element));
        names_.push_back(token.name);
        return {};
    }

    std::string_view close(const MarkupToken& token) {
        XmlElement element = std::move(open_.back());
        open_.pop_back();
        names_.pop_back();
        scope_.resize(declared_.back());
        declared_.pop_back();
        element.inner_past = token.kind == Kind::empty ? token.past : token.begin;
        element.past = token.past;
        element.text = repair_utf8(element.text);
        if (open_.empty()) {
            root_ = std::move(element);
        } else {
            open_.back().children.push_back(std::move(element));
        }
        return {};
    }

    std::string_view take_text(const MarkupToken& token) {
        if (open_.empty()) return is_blank(token.inside) ? std::string_view() : "not-xml";
        const std::string text = xml_line_ends(token.inside);
        open_.back().text += token.kind == Kind::cdata ? text : markup_text(text);
        return {};
    }

    std::string_view text_;
    XmlScope scope_;
    XmlLimits limits_;
    std::vector<XmlElement> open_;
    std::vector<std::string_view> names_;  // of open_, as written
    std::vector<std::size_t> declared_;    // size of scope_ before each of open_
    std::optional<XmlElement> root_;
    std::size_t count_ = 0;
};

}  // namespace

std::string_view XmlElement::attribute(std::string_view key) const {
    for (const MarkupAttribute& attribute : attributes)
        if (attribute.name == key) return attribute.value;
    return {};
}

const XmlElement* XmlElement::child(std::string_view child_name, std::string_view child_space) const {
    for (const XmlElement& one : children)
        if (one.name == child_name && one.space == child_space) return &one;
    return nullptr;
}

const XmlElement* XmlElement::child_of(std::string_view child_space) const {
    for (const XmlElement& one : children)
        if (one.space == child_space) return &one;
    return nullptr;
}

bool declare_namespaces(const MarkupToken& tag, XmlScope& scope) {
    if (tag.inside.find("xmlns") == std::string_view::npos) return true;
    for (const MarkupAttribute& attribute : markup_attributes(tag)) {
        if (!declares(attribute.name)) continue;
        if (attribute.value.size() > XmlLimits().namespace_name) return false;
        scope.emplace_back(attribute.name.size() > 6 ? attribute.name.substr(6) : "", repair_utf8(attribute.value));
    }
    return true;
}

std::string_view namespace_of(const XmlScope& scope, std::string_view prefix) {
    for (auto at = scope.rbegin(); at != scope.rend(); ++at)
        if (at->first == prefix) return at->second;
    return {};
}

std::pair<std::string_view, std::string_view> split_name(std::string_view name) {
    const std::size_t colon = name.find(':');
    if (colon == std::string_view::npos) return {{}, name};
    return {name.substr(0, colon), name.substr(colon + 1)};
}

XmlTree read_xml(std::string_view text, const XmlScope& scope, const XmlLimits& limits) {
    return Builder(text, scope, limits).read();
}

}  // namespace kustos::ingest
