#include "vault/retention_entries.h"

#include <algorithm>

#include "base/text.h"
#include "vault/retention.h"
#include "vault/retention_words.h"

namespace kustos::vault {

using audit::Body;
using audit::ControlAction;
using audit::Tag;

namespace {

Draft empty_draft(const Body& body) {
    Draft draft;
    draft.kind = audit::Kind::control;
    draft.retention_class = kControlClass;
    draft.body = body.encode();
    return draft;
}

Draft sealed_draft(const Body& body, const DecisionText& text) {
    Draft draft = empty_draft(body);
    draft.retention_class = kErasureClass;
    draft.content = compose_decision(text);
    return draft;
}

}  // namespace

Hash list_root(const EntrySet& entries) {
    Sha256 hash;
    for (const EntrySet::Interval& i : entries.intervals()) {
        for (std::uint64_t n = i.first.value;; ++n) {
            std::uint8_t number[8];
            store_u64(number, n);
            hash.update(number);
            if (n == i.last.value) break;
        }
    }
    return hash.finish();
}

std::vector<Draft> decision_draft(ControlAction action, const Fill& fill, const DecisionText& text) {
    Body body(action);
    fill(body);
    std::vector<Draft> drafts;
    drafts.push_back(sealed_draft(body, text));
    return drafts;
}

std::vector<Draft> list_drafts(ControlAction action, const EntrySet& entries, const Fill& fill,
                               const DecisionText& text) {
    const std::span<const EntrySet::Interval> all(entries.intervals());
    const std::size_t parts = std::max<std::size_t>(1, (all.size() + kRangesPerEntry - 1) / kRangesPerEntry);
    std::vector<Draft> drafts;
    for (std::size_t part = 0; part < parts; ++part) {
        const std::size_t from = part * kRangesPerEntry;
        Body body(action);
        const auto ranges = all.subspan(from, std::min(kRangesPerEntry, all.size() - from));
        if (!ranges.empty()) body.put_entry_ranges(ranges);
        if (parts > 1)
            body.put_u32(Tag::part, static_cast<std::uint32_t>(part))
                .put_u32(Tag::parts, static_cast<std::uint32_t>(parts));
        fill(body);
        if (part != 0) {
            drafts.push_back(empty_draft(body));
            continue;
        }
        body.put_u64(Tag::count, entries.count()).put_hash(Tag::list_root, list_root(entries));
        drafts.push_back(sealed_draft(body, text));
    }
    return drafts;
}

std::vector<Draft> class_draft(const ClassDefinition& d, const DecisionText& text) {
    return decision_draft(
        ControlAction::class_defined,
        [&d](Body& body) {
            body.put_u16(Tag::retention_class, d.code.value)
                .put_u32(Tag::version, d.version)
                .put_text(Tag::name, d.name)
                .put_u16(Tag::period_months, static_cast<std::uint16_t>(d.months))
                .put_text(Tag::start, start_name(d.start))
                .put_text(Tag::counted, counted_name(d.counted))
                .put_text(Tag::at_end, at_end_name(d.at_end))
                .put_text(Tag::legal_basis, d.legal_basis)
                .put_text(Tag::office, d.office);
        },
        text);
}

Status check_public_text(const char* what, const std::string& text, std::size_t most) {
    const bool plain = std::none_of(text.begin(), text.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < 0x20 || byte == 0x7F;
    });
    if (text.empty() || text.size() > most || !plain || !is_valid_utf8(text))
        return Error(Code::usage, std::string(what) + " has 1 to " + std::to_string(most) + " bytes of plain UTF-8");
    return {};
}

}  // namespace kustos::vault
