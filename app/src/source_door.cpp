#include "app/source_door.h"

#include "vault/capture_profile.h"
#include "vault/payload.h"
#include "vault/retention_rules.h"

namespace kustos::app {

namespace {

struct Seen {
    vault::MessageKind kind;
    std::uint64_t attachments, missing;
};

}  // namespace

Result<std::vector<DoorAnswer>> SourceDoor::seal(std::vector<ingest::PortItem> items) {
    const auto source = archive_.find_source(source_);
    if (!source) return Error(Code::not_found, "the source is gone");
    const auto book = archive_.retention();
    const auto sources = archive_.source_book();
    const vault::CaptureProfile& profile = sources->of(source_).profile;
    const vault::RuleMac mac = [this](ByteView identity) { return archive_.duplicate_mac(SourceId(0), identity); };

    std::vector<DoorAnswer> answers(items.size());
    std::vector<vault::Draft> drafts;
    std::vector<Seen> seen;
    std::vector<std::size_t> places;
    Tallies::Counts counts;
    for (std::size_t i = 0; i < items.size(); ++i) {
        vault::Message& message = items[i].message;
        if ((answers[i].left_out = vault::left_out(profile, message, mac))) {
            ++counts["dropped:" + std::string(*answers[i].left_out)];
            continue;
        }
        Seen s{message.kind, message.attachments.size(), 0};
        for (const vault::Attachment& a : message.attachments) s.missing += a.missing ? 1 : 0;
        vault::Draft draft;
        draft.kind = audit::Kind::record;
        draft.source = source_;
        draft.retention_class =
            vault::assign_class(book->rules(), source_, message, mac).value_or(source->retention_class);
        draft.duplicate = archive_.duplicate_mac(source_, items[i].dedupe_identity);
        message.received_at = archive_.clock().now();
        draft.content = TRY(vault::compose(std::move(message)));
        drafts.push_back(std::move(draft));
        seen.push_back(s);
        places.push_back(i);
    }
    const bool left_out = !counts.empty();
    const auto receipts = drafts.empty() ? std::vector<vault::Receipt>() : TRY(archive_.seal(std::move(drafts)));
    for (std::size_t i = 0; i < receipts.size(); ++i) {
        answers[places[i]].receipt = receipts[i];
        if (receipts[i].duplicate) {
            ++counts["duplicate"];
            continue;
        }
        ++counts["kind:" + std::string(vault::kind_name(seen[i].kind))];
        if (seen[i].attachments > 0) counts["attachment"] += seen[i].attachments;
        if (seen[i].missing > 0) counts["attachment-missing"] += seen[i].missing;
    }
    TRY(tallies_.add(source_, counts, left_out));
    return answers;
}

}  // namespace kustos::app
