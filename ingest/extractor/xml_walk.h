// XML parts of documents, read tag by tag: no tree, no recursion, no entity is defined or fetched
// (ingest/src/markup.h).
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "ingest/extractor/reading.h"
#include "ingest/src/markup.h"

namespace kustos::extractor {

class XmlReader {
public:
    virtual ~XmlReader() = default;
    // Names without prefix. An empty element starts and ends.
    virtual void start(std::string_view name, const ingest::MarkupToken& tag) = 0;
    virtual void end(std::string_view name) = 0;
    virtual void text(std::string_view utf8) = 0;
};

// What stands before the fault was read. Refusals: "damaged", "document-type" (a DOCTYPE with
// definitions ends the part),
// "depth-limit" (above 1,000 elements).
Refusal walk_xml(ByteView xml, XmlReader& reader, Reading& reading);
// An attribute by its name without prefix; empty where there is none.
std::string xml_attribute(const ingest::MarkupToken& tag, std::string_view name);

}  // namespace kustos::extractor
