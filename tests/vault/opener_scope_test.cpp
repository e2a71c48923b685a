// The opener keeps a matter to its scope by itself, whatever the sealer asks for.
#include "tests/vault/opener_world.h"

using namespace kustos;
using namespace kustos::vault;
using namespace kustos::test::opener_world;
using audit::ControlAction;

namespace {

// Finds what the test says, and tells what it was asked.
struct Said {
    std::vector<EntryIndex> found;
    Finder::Ask asked;
    int times = 0;
};

class SayingFinder final : public Finder {
public:
    explicit SayingFinder(Said& said) : said_(said) {}
    Result<Found> find(const Ask& ask, const ShardKey&) override {
        said_.asked = ask;
        ++said_.times;
        Found out;
        for (const EntryIndex e : said_.found)
            if (!ask.within || ask.within->contains(e)) out.entries.push_back(e);
        return out;
    }
    Result<EntrySet> accounted(const ShardKey&) override { return EntrySet(); }
    Result<std::unique_ptr<Rewriting>> rewrite(const RewriteOrder&, const EntrySet&) override {
        return Error(Code::not_in_version, "not here");
    }
    void forget() override {}

private:
    Said& said_;
};

EntryIndex scoped(Archive& archive, EntryIndex matter, const std::string& scope) {
    MatterText text;
    text.actor = "clerk";
    text.scope = scope;
    const EntryIndex entry =
        archive
            .record_control(
                ControlAction::matter_scoped, [&](Body& body) { body.put_u64(Tag::matter, matter.value); },
                kAccessClass, compose_matter_text(text))
            .value()
            .index;
    REQUIRE(archive.settle().ok());
    return entry;
}

Result<AccessDraft> search(Hostile& h, const Purpose& purpose) {
    OpenerRequest request;
    request.ask = OpenerAsk::search;
    request.search.purpose = purpose;
    request.search.limit = 10;
    return decode_access_draft(TRY(h.ask(request)));
}

std::string field_of(const AccessDraft& draft, PathCode path) {
    OpenedPayload opened;
    opened.payload = decode_payload(draft.payload).value();
    return field_text(opened, path);
}

}  // namespace

TEST_CASE("the opener puts the scope that the ledger names beside a query, and opens nothing outside it") {
    World w;
    Said said;
    auto serving = w.serve(w.opener({}, std::make_unique<SayingFinder>(said)));
    auto archive = w.open();
    REQUIRE(archive->unlock(passphrase()).ok());
    const auto entries = fill(*archive, 3);
    const EntryIndex matter = matter_of(*archive);
    const EntryIndex scope = scoped(*archive, matter, "source:rot");
    said.found = {entries[0], entries[1]};
    Hostile h(*serving->service);

    Purpose asks = purpose_of(matter, AccessAction::search);
    asks.query = "*";
    asks.scope = "*";  // what the caller says of it does not count
    const auto found = search(h, asks);
    REQUIRE(found.ok());
    CHECK(said.asked.query == "*");
    CHECK(said.asked.scope == "source:rot");
    CHECK(field_of(*found, PathCode::scope) == "source:rot");

    const auto inside = h.begin(purpose_of(matter), {entries[0], entries[1]});
    REQUIRE(inside.ok());
    CHECK(said.asked.query == "source:rot");
    CHECK(said.asked.within->count() == 2);
    CHECK(field_of(*inside, PathCode::scope) == "source:rot");
    CHECK(h.begin(purpose_of(matter), {entries[0], entries[2]}).error().code() == Code::denied);
    CHECK(h.begin(purpose_of(matter, AccessAction::export_), {entries[2]}).error().code() == Code::denied);
    const EntryIndex entry = append(*archive, inside->body, inside->payload);
    CHECK(code_of(h.ask(OpenerAsk::stored, entry)) == Code::denied);  // the refusal ended what was begun

    // As who looks up an address book: cards alone.
    Purpose cards = purpose_of(matter);
    cards.cards = true;
    CHECK(h.begin(cards, {entries[2]}).error().code() == Code::denied);
    asks.cards = true;
    REQUIRE(search(h, asks).ok());
    CHECK(said.asked.scope == "kind:person");

    // Whoever seals can read what a matter's own entries say, and no other control entry.
    CHECK(h.ask(OpenerAsk::matter, scope).ok());
    CHECK(h.ask(OpenerAsk::matter, matter).ok());
    CHECK(code_of(h.ask(OpenerAsk::matter, EntryIndex(2))) == Code::denied);
    CHECK(code_of(h.ask(OpenerAsk::matter, entries[0])) == Code::denied);

    // The newest counts; without one, nothing is asked before an opening.
    scoped(*archive, matter, "");
    const int before = said.times;
    CHECK(h.begin(purpose_of(matter), {entries[2]}).ok());
    CHECK(said.times == before);
}

TEST_CASE("who reads the trail of a matter reads its protocol, and no other matter's") {
    World w;
    auto serving = w.serve(w.opener());
    auto archive = w.open();
    REQUIRE(archive->unlock(passphrase()).ok());
    const auto entries = fill(*archive, 1);
    const EntryIndex matter = matter_of(*archive), other = matter_of(*archive);
    Opener opener(*archive, w.check);
    const EntryIndex of_it = opener.begin(purpose_of(matter), {entries[0]}).value()->access_entry().index;
    const EntryIndex of_other = opener.begin(purpose_of(other), {entries[0]}).value()->access_entry().index;
    Purpose reads = purpose_of(matter, AccessAction::audit_read);
    reads.query = "why";
    const auto session = opener.begin_protocol(reads).value();
    CHECK(field_text(session->open_trail(of_it).value(), PathCode::actor) == "clerk");
    CHECK(session->open_trail(of_other).error().code() == Code::denied);
    CHECK(session->open_trail(entries[0]).error().code() == Code::denied);
    reads.matter = entries[0];
    CHECK(opener.begin_protocol(reads).error().code() == Code::denied);
}
