#include "audit/entry_names.h"

#include <array>

namespace kustos::audit {

namespace {

constexpr std::array<std::string_view, 82> kControl = {
    "",
    "archive_created",
    "evidence_key",
    "generation_opened",
    "source_added",
    "source_changed",
    "tree_opened",
    "shard_opened",
    "checkpoint_published",
    "anchor_stored",
    "matter_opened",
    "matter_closed",
    "vault_unlocked",
    "vault_locked",
    "finding",
    "account_added",
    "class_defined",
    "evidence_renewed",
    "key_rotated",
    "archive_continued",
    "source_heartbeat",
    "source_counted",
    "configuration_changed",
    "verification_reported",
    "sample_drawn",
    "sample_judged",
    "record_succeeded",
    "rules_set",
    "record_reclassified",
    "start_event",
    "hold_set",
    "hold_changed",
    "hold_released",
    "hold_decided",
    "restriction_set",
    "restriction_lifted",
    "disposition_listed",
    "disposition_reviewed",
    "disposition_released",
    "",  // 39
    "slots_changed",
    "",
    "",
    "escrow_stored",
    "",
    "archive_restored",
    "exit_exported",
    "certificate_issued",
    "",
    "",
    "finding_resolved",
    "profile_set",
    "promise_made",
    "completeness_certified",
    "quarantine_reparsed",
    "source_cleared",
    "",
    "",
    "",
    "",
    "persons_imported",
    "persons_joined",
    "persons_split",
    "",  // 63 to 69: persons
    "",
    "",
    "",
    "",
    "",
    "",
    "matter_scoped",
    "results_frozen",
    "search_saved",
    "search_forgotten",
    "hashes_added",
    "hashes_removed",
    "hits_reported",
    "records_tagged",
    "records_untagged",
    "records_coded",
    "code_cleared",
    "index_checked",
};
constexpr std::array<std::string_view, 6> kAccess = {"", "search", "open", "export", "audit_read", "index"};
constexpr std::array<std::string_view, 6> kErasure = {"",     "begun", "done", "ciphertext_removed", "terms_removed",
                                                      "final"};

enum class Form { u16, u32, u64, time, hash, text, bytes, range, entries };
struct TagRow {
    std::string_view name;
    Form form;
};
constexpr std::array<TagRow, 80> kTags = {{
    {"", Form::bytes},
    {"action", Form::u16},
    {"time", Form::time},
    {"vault_id", Form::bytes},
    {"origin", Form::text},
    {"vkey", Form::text},
    {"certificate", Form::bytes},
    {"name", Form::text},
    {"source_kind", Form::text},
    {"retention_class", Form::u16},
    {"tree", Form::u32},
    {"year", Form::u16},
    {"generation", Form::u32},
    {"box_hash", Form::hash},
    {"key_check", Form::bytes},
    {"intake_key", Form::bytes},
    {"checkpoint_size", Form::u64},
    {"note_hash", Form::hash},
    {"token_hash", Form::hash},
    {"authority", Form::text},
    {"previous_size", Form::u64},
    {"count", Form::u64},
    {"list_root", Form::hash},
    {"matter", Form::u64},
    {"code", Form::text},
    {"entry", Form::u64},
    {"method", Form::text},
    {"until", Form::time},
    {"related_hash", Form::hash},
    {"keyring_hash", Form::hash},
    {"tsa_root_hash", Form::hash},
    {"total", Form::u64},
    {"shard", Form::u32},
    {"leaf_range", Form::range},
    {"renewal", Form::u32},
    {"manifest_hash", Form::hash},
    {"previous_origin", Form::text},
    {"previous_vkey", Form::text},
    {"root", Form::hash},
    {"remembered_size", Form::u64},
    {"remembered_root", Form::hash},
    {"nonce", Form::bytes},
    {"erasure", Form::bytes},
    {"part", Form::u32},
    {"parts", Form::u32},
    {"successor", Form::u64},
    {"", Form::bytes},  // 46 to 49: erasure
    {"", Form::bytes},
    {"", Form::bytes},
    {"", Form::bytes},
    {"version", Form::u32},
    {"period_months", Form::u16},
    {"start", Form::text},
    {"counted", Form::text},
    {"legal_basis", Form::text},
    {"office", Form::text},
    {"at_end", Form::text},
    {"entry_range", Form::entries},
    {"rule", Form::bytes},
    {"day", Form::u32},
    {"slots_hash", Form::hash},
    {"", Form::bytes},  // 61 to 64: unlocking
    {"", Form::bytes},
    {"", Form::bytes},
    {"", Form::bytes},
    {"", Form::bytes},  // 65 to 69: backups
    {"", Form::bytes},
    {"", Form::bytes},
    {"", Form::bytes},
    {"", Form::bytes},
    {"profile", Form::bytes},
    {"tally", Form::bytes},
    {"finding", Form::u64},
}};

std::optional<std::string> text_of(const BodyReader& body, Tag tag, Form form) {
    switch (form) {
        case Form::u16:
            if (const auto v = body.find_u16(tag)) return std::to_string(*v);
            break;
        case Form::u32:
            if (const auto v = body.find_u32(tag)) return std::to_string(*v);
            break;
        case Form::u64:
            if (const auto v = body.find_u64(tag)) return std::to_string(*v);
            break;
        case Form::time:
            if (const auto v = body.find_time(tag)) return format_rfc3339(*v);
            break;
        case Form::hash:
            if (const auto v = body.find_hash(tag)) return v->hex();
            break;
        case Form::text:
            return body.find_text(tag);
        case Form::bytes:
            if (const auto v = body.find_bytes(tag)) return hex(*v);
            break;
        case Form::entries: {
            const auto set = body.entry_set();
            if (!set || set->empty()) return std::nullopt;
            std::string out;
            for (const EntrySet::Interval& i : set->intervals())
                out += (out.empty() ? "" : " ") + std::to_string(i.first.value) +
                       (i.first == i.last ? "" : "-" + std::to_string(i.last.value));
            return out;
        }
        case Form::range: {
            const auto ranges = body.leaf_ranges();
            if (!ranges || ranges->empty()) return std::nullopt;
            std::string out;
            for (const LeafRange& r : *ranges)
                out += (out.empty() ? "" : " ") + std::to_string(r.tree.value) + ":" + std::to_string(r.first.value) +
                       "-" + std::to_string(r.last.value) + " (entries " + std::to_string(r.first_entry.value) + "-" +
                       std::to_string(r.last_entry.value) + ")";
            return out;
        }
    }
    return std::nullopt;
}

template <class Action, std::size_t N>
std::string named(const std::optional<Action>& action, const std::array<std::string_view, N>& names) {
    if (!action) return "";
    const auto number = static_cast<std::size_t>(*action);
    return number > 0 && number < N && !names[number].empty() ? std::string(names[number])
                                                              : "action " + std::to_string(number);
}

}  // namespace

std::string_view kind_name(Kind kind) {
    switch (kind) {
        case Kind::record:
            return "record";
        case Kind::blob:
            return "blob";
        case Kind::access:
            return "access";
        case Kind::erasure:
            return "erasure";
        case Kind::control:
            return "control";
    }
    return "unknown";
}

std::string action_name(const Entry& entry) {
    if (entry.header.kind == Kind::control) return named(control_action(entry), kControl);
    if (entry.header.kind == Kind::access) return named(access_action(entry), kAccess);
    if (entry.header.kind == Kind::erasure) return named(erasure_action(entry), kErasure);
    return "";
}

std::vector<std::pair<std::string, std::string>> describe_body(const Entry& entry) {
    std::vector<std::pair<std::string, std::string>> rows;
    const auto body = BodyReader::parse(entry.body);
    if (!body.ok()) return rows;
    for (std::size_t number = 2; number < kTags.size(); ++number) {
        if (kTags[number].name.empty()) continue;  // of no meaning yet
        const Tag tag = static_cast<Tag>(number);
        if (auto text = text_of(*body, tag, kTags[number].form))
            rows.emplace_back(std::string(kTags[number].name), std::move(*text));
    }
    return rows;
}

}  // namespace kustos::audit
