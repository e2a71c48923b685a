#include "ingest/extractor/package.h"

#include <algorithm>
#include <set>

#include "ingest/extractor/members.h"
#include "ingest/extractor/xml_walk.h"

namespace kustos::extractor {

namespace {

bool ends(std::string_view text, std::string_view end) {
    return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}
bool has(std::string_view text, std::string_view what) {
    return text.find(what) != std::string_view::npos;
}

// [Content_Types].xml (ECMA-376-2, 10.1.2)
class ContentTypes final : public XmlReader {
public:
    void start(std::string_view name, const ingest::MarkupToken& tag) override {
        if (name == "Override") {
            std::string part = xml_attribute(tag, "PartName");
            if (!part.empty() && part.front() == '/') part.erase(0, 1);
            overrides[part] = xml_attribute(tag, "ContentType");
        } else if (name == "Default") {
            defaults[xml_attribute(tag, "Extension")] = xml_attribute(tag, "ContentType");
        }
    }
    void end(std::string_view) override {}
    void text(std::string_view) override {}
    std::map<std::string, std::string> overrides, defaults;
};

PackageKind kind_of_types(const std::map<std::string, std::string>& types) {
    for (const auto& [name, type] : types) {
        if (!has(type, "main+xml")) continue;
        if (has(type, "wordprocessingml") || has(type, "ms-word")) return PackageKind::word;
        if (has(type, "spreadsheetml") || has(type, "ms-excel")) return PackageKind::sheet;
        if (has(type, "presentationml") || has(type, "ms-powerpoint")) return PackageKind::slides;
    }
    return PackageKind::archive;
}

void set_types(const ContentTypes& listed, Package& package) {
    for (const std::string& name : package.names) {
        const auto named = listed.overrides.find(name);
        const std::size_t dot = name.rfind('.');
        const auto by_ending =
            dot == std::string::npos ? listed.defaults.end() : listed.defaults.find(name.substr(dot + 1));
        if (named != listed.overrides.end())
            package.types[name] = named->second;
        else if (by_ending != listed.defaults.end())
            package.types[name] = by_ending->second;
    }
}

}  // namespace

Package open_package(ByteView zip, Reading& reading) {
    Package out;
    ContentTypes types;
    std::string mime;
    bool typed = false, content = false;
    Members members(zip, ArchiveKind::zip, reading, false);
    while (members.next()) {
        const std::string& name = members.name();
        out.names.push_back(name);
        content |= name == "content.xml";
        Bytes bytes;
        if (name == "[Content_Types].xml" && members.read(bytes).empty()) {
            static_cast<void>(walk_xml(bytes, types, reading));
            typed = true;
        } else if (name == "mimetype" && members.read(bytes).empty()) {
            mime = to_text(bytes);
        } else if (name == "META-INF/manifest.xml" && members.read(bytes).empty()) {
            out.encrypted |= has(as_text(bytes), "encryption-data");
        }
    }
    out.refusal = members.trouble();
    if (typed) {
        set_types(types, out);
        out.kind = kind_of_types(out.types);
    }
    if (out.kind != PackageKind::archive) return out;
    if (content && (has(mime, "opendocument") || has(mime, "sun.xml") || mime.empty()))
        out.kind = PackageKind::open_document;
    else if (has(mime, "epub"))
        out.kind = PackageKind::epub;
    return out;
}

std::map<std::string, Bytes> read_parts(ByteView zip, const std::vector<std::string>& wanted, Reading& reading) {
    const std::set<std::string> names(wanted.begin(), wanted.end());
    std::map<std::string, Bytes> out;
    Members members(zip, ArchiveKind::zip, reading, false);
    while (members.next()) {
        if (names.count(members.name()) == 0) continue;
        Bytes bytes;
        const Refusal refusal = members.read(bytes);
        if (!refusal.empty()) reading.partial(refusal);
        // What was unpacked before a limit is read too; of a broken stream too.
        if (out.count(members.name()) != 0) reading.partial("damaged");
        out.emplace(members.name(), std::move(bytes));
    }
    if (!members.trouble().empty()) reading.partial(members.trouble());
    return out;
}

Refusal read_office(ByteView zip, const Package& package, Reading& reading) {
    if (package.encrypted) return "encrypted";
    // An attachment in the document: what it says was not read.
    const bool embedded = std::any_of(package.names.begin(), package.names.end(), [](const std::string& name) {
        return has(name, "/embeddings/") && !ends(name, "/") && !ends(name, ".rels");
    });
    if (package.kind == PackageKind::word) read_word(zip, package, reading);
    if (package.kind == PackageKind::sheet) read_sheets(zip, package, reading);
    if (package.kind == PackageKind::slides) read_slides(zip, package, reading);
    if (package.kind == PackageKind::open_document) {
        const Refusal refusal = read_open_document(zip, package, reading);
        if (!refusal.empty()) return refusal;
    }
    if (embedded) reading.partial("embedded-object");
    const bool pictures = std::any_of(package.names.begin(), package.names.end(), [](const std::string& name) {
        return has(name, "/media/") || name.rfind("Pictures/", 0) == 0;
    });
    return pictures && !reading.has_text() ? "no-text-layer" : "";
}

}  // namespace kustos::extractor
