// One batch of Mattermost's CSV export, as a zip.
#include "ingest/src/mattermost.h"
#include "ingest/src/registry.h"

namespace kustos::ingest {

namespace {

constexpr std::uint64_t kMaxSideFile = 16u << 20;  // metadata.json, warning.txt

std::uint64_t unnamed(const ContainerReader& reader) {
    std::uint64_t out = 0;
    for (const auto& [path, member] : reader.container().members()) out += !reader.taken(path);
    return out;
}

}  // namespace

Status read_mattermost_zip(const Input& input) {
    return read_container(input, "mattermost-csv", [&](ContainerReader& reader) -> Result<bool> {
        MattermostBatch batch;
        auto posts = reader.take("posts.csv", input.context.limits.csv);
        if (!posts) return false;
        batch.posts = std::move(*posts);
        batch.metadata = reader.take("metadata.json", kMaxSideFile);
        batch.warnings = reader.take("warning.txt", kMaxSideFile);
        batch.file = [&reader](const std::string& path, vault::Attachment& into) {
            reader.attach(path, into);
            return !into.missing;
        };
        batch.ready = [&reader] { return reader.finish_message(); };
        TRY(read_mattermost_batch(std::move(batch), input.context, input.sink));
        if (const std::uint64_t count = unnamed(reader); count > 0)
            input.sink.finding("mattermost:unnamed-file", count);
        // What the exporter says of its own completeness is evidence, too.
        reader.give_back("metadata.json");
        reader.give_back("warning.txt");
        return true;
    });
}

}  // namespace kustos::ingest
