// A small piece of XML (a stanza) as a tree, with namespaces (XML 1.0 and "Namespaces in XML"), for readers that have
// the bytes of it whole. Bounded in depth, elements and length of names; no document type, so no entity is ever
// defined, expanded or fetched.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ingest/src/markup.h"

namespace kustos::ingest {

struct XmlElement {
    std::string name;                         // without prefix
    std::string space;                        // its namespace; empty: none
    std::vector<MarkupAttribute> attributes;  // as written, without those that declare namespaces
    std::vector<XmlElement> children;
    std::string text;                                        // its own, that of all its text nodes
    std::size_t begin = 0, past = 0;                         // in the bytes, with its tags
    std::size_t inner_begin = 0, inner_past = 0;             // without
    std::string_view attribute(std::string_view key) const;  // empty: none
    const XmlElement* child(std::string_view child_name, std::string_view child_space) const;  // nullptr: none
    const XmlElement* child_of(std::string_view child_space) const;                            // any name
};

// Namespaces that are declared around the piece: prefix (empty: the default) and name; later ones win.
using XmlScope = std::vector<std::pair<std::string, std::string>>;
// What a tag declares, added to `scope`; false: a name that is too long.
bool declare_namespaces(const MarkupToken& tag, XmlScope& scope);
std::string_view namespace_of(const XmlScope& scope, std::string_view prefix);
// {prefix, local name} of a name as written.
std::pair<std::string_view, std::string_view> split_name(std::string_view name);

struct XmlLimits {
    std::size_t depth = 64;
    std::size_t elements = 4'096;
    std::size_t namespace_name = 512;  // bytes
};
struct XmlTree {
    std::optional<XmlElement> root;
    // Why there is none: "doctype", "not-xml", "truncated", "too-deep", "too-many-elements", "too-large".
    std::string_view reason;
};
// One element; white space, comments and an XML declaration may stand around it, anything else is "not-xml".
XmlTree read_xml(std::string_view text, const XmlScope& scope = {}, const XmlLimits& limits = {});

}  // namespace kustos::ingest
