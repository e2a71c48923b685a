// What readers of chat exports do with each event: the same for all of them.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "ingest/src/json_value.h"
#include "ingest/src/single_formats.h"

namespace kustos::ingest {

// One for each export, one thread. All that is given must outlive it.
class ChatOut {
public:
    ChatOut(std::string_view format, const ExportFiles& files, const ReadContext& context, ItemSink& sink)
        : format_(format), files_(files), context_(context), sink_(sink) {}
    const Limits& limits() const { return context_.limits; }
    const ReadContext& context() const { return context_; }
    std::string clipped(std::string_view text) const;

    ParsedItem start(vault::MessageKind kind, std::string_view native_id, const vault::Conversation& where) const;
    // A file that the message names, to be found under the first of `paths` that is there; else it is missing, finding
    // "<format>:attachment-missing". type empty: by its name. size: as declared, if any.
    struct Named {
        std::string_view name, type;
        std::optional<std::int64_t> size;
    };
    void file(const Named& named, std::initializer_list<std::string> paths, vault::Message& message);
    // A time that the source has, or note "sent-time-missing" and finding "<format>:bad-time".
    void time(std::optional<UtcTime> time, vault::Message& message);
    // Hands on. Errors: of the sink and the disk.
    Status give(ParsedItem item, Bytes raw);
    Status refuse(std::string_view raw, std::string_view reason);  // quarantines
    void finding(std::string_view what, std::uint64_t count = 1);  // "<format>:<what>"

private:
    std::string_view format_;
    const ExportFiles& files_;
    const ReadContext& context_;
    ItemSink& sink_;
};

// Tells versions of a text apart: 16 hex digits of its SHA-256.
std::string version_of(std::string_view text);

}  // namespace kustos::ingest
