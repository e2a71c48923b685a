// The zip of an office document: which parts it has and what they are.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "ingest/extractor/reading.h"

namespace kustos::extractor {

enum class PackageKind { archive, word, sheet, slides, open_document, epub };

struct Package {
    PackageKind kind = PackageKind::archive;
    Refusal refusal;                           // no zip at all
    bool encrypted = false;                    // its content, by its own manifest
    std::vector<std::string> names;            // all members
    std::map<std::string, std::string> types;  // OOXML: content type of each part; members without one are not in it
};

// By the members, never by name or declared type.
Package open_package(ByteView zip, Reading& reading);
// Content of the members that are wanted; what is too large is left out, with a reason.
std::map<std::string, Bytes> read_parts(ByteView zip, const std::vector<std::string>& wanted, Reading& reading);

Refusal read_office(ByteView zip, const Package& package, Reading& reading);
// The readers of the formats; called by read_office().
void read_word(ByteView zip, const Package& package, Reading& reading);
void read_sheets(ByteView zip, const Package& package, Reading& reading);
void read_slides(ByteView zip, const Package& package, Reading& reading);
Refusal read_open_document(ByteView zip, const Package& package, Reading& reading);

// Text of WordprocessingML and DrawingML (ECMA-376 parts 17 and 21): paragraphs, text boxes, tracked deletions as
// "[-...-]", comments with their author.
void read_drawing(ByteView part, Reading& reading);

}  // namespace kustos::extractor
