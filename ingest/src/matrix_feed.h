// Many Matrix events after each other, from one source.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "ingest/format.h"
#include "ingest/src/matrix_event.h"

namespace kustos::ingest {

// One thread. Remembers names, and ids to see one used for two events (finding "matrix:id-conflict"; both are kept).
class MatrixFeed {
public:
    MatrixFeed(const ReadContext& context, ItemSink& sink, std::string_view format) : context_(context), sink_(sink) {
        matrix_.format = format;
        matrix_.names = &names_;
    }
    void set_room(std::string room) {
        room_ = std::move(room);
        matrix_.room_id = room_;
    }
    // Fills in a linked file where it can; then, before each message is handed on, ready.
    void set_files(std::function<void(vault::Attachment&)> attach, std::function<Status()> ready) {
        attach_ = std::move(attach);
        ready_ = std::move(ready);
    }
    // Events, lists and lines of events, transactions. Errors: of the source and the sink.
    Status read(ByteSource& source);

private:
    Status give(Bytes json);
    void note_conflict(const ParsedItem& item);
    const ReadContext& context_;
    ItemSink& sink_;
    MatrixContext matrix_;
    MatrixNames names_;
    std::string room_;
    std::map<std::string, std::string> seen_;
    std::function<void(vault::Attachment&)> attach_;
    std::function<Status()> ready_;
    int depth_ = 0;
};

}  // namespace kustos::ingest
