// What a format is to the reader of paths: how it is recognised and who reads it. A new format defines one Format in
// its own .cpp and gets a line in registry.cpp.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "ingest/format.h"
#include "ingest/src/container.h"
#include "ingest/src/files.h"

namespace kustos::ingest {

// What detection may look at. Of a zip the sandbox is asked for members only when a format asks for them.
class Sample {
public:
    static constexpr std::size_t kLook = 64u << 10;
    // Errors: of the disk.
    static Result<Sample> of(const Path& path, const ReadContext& context);

    const Path& path() const { return path_; }
    bool is_folder() const { return kind_ == FileKind::folder; }
    bool is_zip() const { return zip_; }
    std::string_view start() const { return start_; }          // of a file; of a zip: its packed bytes
    std::string_view text() const;                             // the same without BOM and leading white space
    bool binary() const { return binary_; }                    // a NUL in the start
    bool has_ending(std::string_view ending) const;            // ".eml", in any case
    bool has(std::string_view member) const;                   // of a zip or folder: "export.json", "rooms/x"
    bool has_member_ending(std::string_view ending) const;     // directly in it or below
    std::string member_starting(std::string_view name) const;  // the first bytes of a member; empty where there is none
    const Container* container() const;                        // nullptr: neither zip nor folder

private:
    Sample(Path path, const ReadContext& context) : path_(std::move(path)), context_(&context) {}
    Path path_;
    const ReadContext* context_;
    FileKind kind_ = FileKind::file;
    bool zip_ = false, binary_ = false;
    std::string start_;
    mutable bool opened_ = false;
    mutable std::unique_ptr<Container> container_;
};

struct Input {
    Path path;  // a file, or a folder where the format takes folders
    const ReadContext& context;
    ItemSink& sink;
};

struct Format {
    FormatInfo info;
    Certainty (*looks)(const Sample& sample);
    // Called with what looks() accepted, or with what the operator said it is: content is never trusted.
    Status (*read)(const Input& input);
    bool folders = false;     // read() takes a folder as one thing (Maildir); else it is asked for each file in it
    bool any_folder = false;  // with folders: a folder is what the operator says it is, however it looks
};

const std::vector<const Format*>& all_formats();
const Format* format_of(const FormatInfo* info);

}  // namespace kustos::ingest
