#include "search/uncertain.h"

#include <algorithm>

#include "search/src/index_files.h"
#include "search/src/shard_reader.h"

namespace kustos::search {

namespace {

constexpr int kTries = 20;

Result<Uncertain> look(Fs& fs, const Path& index_dir, ShardKeys& keys) {
    Uncertain out;
    for (const FoundShard& found : TRY(find_shards(fs, index_dir))) {
        if (!found.closed && !found.open_dir) continue;
        const auto reader = TRY(ShardReader::open(fs, index_dir, found, TRY(keys.key_of(found.id))));
        if (reader == nullptr) continue;
        for (const DocData& row : TRY(reader->all_rows())) {
            out.accounted.add(row.entry);
            if (row.state == RecordState::partial) out.partial.add(row.entry);
            if (row.state == RecordState::opaque || row.state == RecordState::failed) out.unread.add(row.entry);
        }
    }
    return out;
}

}  // namespace

// A shard that was closed meanwhile is asked again.
Result<Uncertain> uncertain_entries(Fs& fs, const Path& index_dir, ShardKeys& keys) {
    for (int number = 0;; ++number) {
        auto found = look(fs, index_dir, keys);
        if (found.ok() || found.error().code() != Code::conflict || number == kTries) return found;
    }
}

bool certain_for_partial(const Node& node) {
    switch (node.kind) {
        case Node::Kind::word:
        case Node::Kind::phrase:
        case Node::Kind::prefix:
        case Node::Kind::pattern:
        case Node::Kind::fuzzy:
        case Node::Kind::exact:
        case Node::Kind::near:
            // a body may be partial, too: cut where it was too long, or a part of it encrypted
            return node.field != Field::any && node.field != Field::body && node.field != Field::attachment &&
                   node.field != Field::file;
        case Node::Kind::all_of:
        case Node::Kind::any_of:
        case Node::Kind::none_of:
            return std::all_of(node.children.begin(), node.children.end(), certain_for_partial);
        case Node::Kind::language:  // of a text that is not all there
            return false;
        case Node::Kind::date:
        case Node::Kind::sealed:
        case Node::Kind::filetype:  // of its own attachments, not of what is in an archive
        case Node::Kind::size:
        case Node::Kind::source:
        case Node::Kind::message_kind:
        case Node::Kind::has_attachment:
        case Node::Kind::content:
        case Node::Kind::content_list:
        case Node::Kind::retention_class:
        case Node::Kind::tag:
        case Node::Kind::code:
        case Node::Kind::edited:
        case Node::Kind::deleted:
        case Node::Kind::thread:
        case Node::Kind::entries:
        case Node::Kind::coverage:
        case Node::Kind::everything:
        case Node::Kind::person:  // senders and recipients
            return true;
    }
    return false;
}

}  // namespace kustos::search
