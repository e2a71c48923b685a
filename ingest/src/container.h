// An export of many files, as a zip (read in the sandbox) or as a folder: formats read both through this.
//
// What a format does not use of it is sealed as it is by seal_rest(): an export's index, a file that no message names.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/extract.h"
#include "ingest/format.h"
#include "ingest/src/spooler.h"

namespace kustos::ingest {

struct Input;  // registry.h

class Container {
public:
    virtual ~Container() = default;
    // By path, '/' between parts; each passes RelPath::parse and is unique.
    const std::map<std::string, ArchiveMember, std::less<>>& members() const { return members_; }
    const ArchiveMember* find(std::string_view path) const;
    // In pieces. Code::bad_input: damaged; Code::limit: more than `most`; Code::not_found. Errors of the sink are
    // handed through.
    virtual Status read(const ArchiveMember& member, std::uint64_t most, const ByteSink& sink) = 0;
    Result<Bytes> read(const ArchiveMember& member, std::uint64_t most);
    // "zip:slip", "zip:damaged", "folder:link-skipped": so far.
    virtual std::vector<std::string> problems() const = 0;

protected:
    std::map<std::string, ArchiveMember, std::less<>> members_;
};

// Code::not_found: no sandbox is there to read it in. A broken zip has no members and problems.
Result<std::unique_ptr<Container>> open_zip(const Path& zip, const ReadContext& context);
// At most UnpackLimits::members files, 32 folders deep. Links are not followed.
Result<std::unique_ptr<Container>> open_folder(const Path& folder);

// A format's view of one: remembers what it has taken.
class ContainerReader {
public:
    ContainerReader(Container& container, const ReadContext& context, ItemSink& sink)
        : container_(container), context_(context), sink_(sink), spooler_(context) {}
    const Container& container() const { return container_; }
    // The member's bytes, sealed with the message that the caller makes of them. nullopt: not there, damaged, or larger
    // than `most`; it counts as not taken then.
    std::optional<Bytes> take(std::string_view path, std::uint64_t most);
    // Fills content or spool, size, and says missing where it is not there.
    void attach(std::string_view path, vault::Attachment& into);
    // Before each message with attachments is handed on (spooler.h).
    Status finish_message() { return spooler_.finish(); }
    bool taken(std::string_view path) const { return taken_.count(path) != 0; }
    // The member is sealed with the rest though take() gave it (an index that no message holds).
    void give_back(std::string_view path) { taken_.erase(std::string(path)); }
    // The caller has read and sealed it by other means.
    void mark_taken(std::string_view path) { taken_.insert(std::string(path)); }
    // In pieces, without taking it. As Container::read().
    Status pass(std::string_view path, const ByteSink& sink);
    // What was not taken, each as a message of kind file with the note "rest-of-export" and its path as its name.
    Status seal_rest(std::string_view format);

private:
    Container& container_;
    const ReadContext& context_;
    ItemSink& sink_;
    Spooler spooler_;
    std::set<std::string, std::less<>> taken_;
};

// For a format's read(): opens the zip or folder at input.path, calls `body`, seals the rest; a zip that can't be
// trusted (problems) is sealed whole beside what was read of it, with its problems as findings. What is neither is
// quarantined as `format`. body answers false if this is not what the format reads: it is quarantined whole then (a
// zip), or its files are (a folder).
Status read_container(const Input& input, std::string_view format,
                      const std::function<Result<bool>(ContainerReader& reader)>& body);

}  // namespace kustos::ingest
