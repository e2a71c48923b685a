// What stands beside a file: a kustos-sidecar (JSON) or a row of a manifest (CSV); a part of sidecar.cpp. All pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/format.h"
#include "ingest/src/json_value.h"
#include "ingest/src/single_formats.h"

namespace kustos::ingest {

inline constexpr std::string_view kSidecarName = "kustos-sidecar";

// As it is written; empty where it is not.
struct SidecarRecord {
    std::string kind, id, start, duration, direction, subject, text, sha256, size, media_type;
    vault::Person from;
    std::vector<vault::Person> to;
    std::vector<std::string> files;  // relative to where the record stands
    bool from_manifest = false;
};

// Empty: `out` is filled. Else why not, a machine word. unknown gets the number of keys that a sidecar does not have.
std::string_view read_sidecar(const JsonValue& root, const Limits& limits, SidecarRecord& out, std::uint64_t& unknown);

// Which column is which, by the first row; nothing where it is no manifest's: it needs from, to and start.
class SidecarColumns {
public:
    static std::optional<SidecarColumns> of(const std::vector<std::string>& titles);
    SidecarRecord record(const std::vector<std::string>& fields, const Limits& limits) const;
    // The values in the order of the columns' own names, so that another order of columns is the same row.
    std::string canonical(const std::vector<std::string>& fields) const;

private:
    std::string_view value(const std::vector<std::string>& fields, std::size_t column) const;
    std::vector<std::size_t> at_;  // by column, npos: not there
};
// ';' or ',' or tab, by the first line.
char separator_of(std::string_view csv);

// "90", "90.5", "1:02:03", "2:03", "PT1M30S": in milliseconds.
std::optional<std::uint64_t> written_duration_ms(std::string_view text);

// The message of a record. raw: its exact bytes. identity: what two readings of it have in common. Files are attached;
// what does not fit is noted and a finding.
ParsedItem sidecar_item(const SidecarRecord& record, Bytes raw, std::string_view identity, const ExportFiles& files,
                        const ReadContext& context, ItemSink& sink);

}  // namespace kustos::ingest
