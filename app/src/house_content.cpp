// Content of one record in pieces: its source bytes, or one of its attachments. The access entry comes first.
#include "app/house.h"

namespace kustos::app {

namespace {
constexpr std::size_t kMaxHeld = 256u << 20;  // bytes, where a caller wants all of it at once

vault::Purpose purpose_of(const std::string& actor, EntryIndex matter) {
    vault::Purpose purpose;
    purpose.action = audit::AccessAction::open;
    purpose.matter = matter;
    purpose.actor = actor;
    purpose.total = 1;
    return purpose;
}
}  // namespace

Result<audit::Suite> suite_of(const std::string& name) {
    if (name == kDefaultSuite) return audit::Suite::aes256_gcm;
    if (name == "xchacha20") return audit::Suite::xchacha20_poly1305;
    return Error(Code::not_in_version, "this cipher suite is not in this version")
        .with_hint("aes-256-gcm or xchacha20");
}

Status House::write_original(const std::string& actor, const std::string& matter, EntryIndex entry,
                             const ByteSink& sink) {
    const vault::Purpose purpose = purpose_of(actor, TRY(need_matter(matter)));
    TRY(matters_->allow(purpose, {}));
    TRY(expect_not_erased({entry}));
    const auto session = TRY(opener_->begin(purpose, {entry}));
    return session->write_original(entry, sink);
}

Status House::write_attachment(const std::string& actor, const std::string& matter, EntryIndex entry,
                               std::size_t number, const ByteSink& sink) {
    const vault::Purpose purpose = purpose_of(actor, TRY(need_matter(matter)));
    TRY(matters_->allow(purpose, {}));
    TRY(expect_not_erased({entry}));
    const auto session = TRY(opener_->begin(purpose, {entry}));
    return session->write_attachment(entry, number, sink);
}

Result<Bytes> House::original(const std::string& actor, const std::string& matter, EntryIndex entry) {
    Bytes bytes;
    TRY(write_original(actor, matter, entry, [&bytes](ByteView piece) -> Status {
        if (piece.size() > kMaxHeld - bytes.size())
            return Error(Code::limit, "this original has more than 256 MiB")
                .with_hint("kustos show --original writes it in pieces");
        put(bytes, piece);
        return ok_status();
    }));
    return bytes;
}

}  // namespace kustos::app
