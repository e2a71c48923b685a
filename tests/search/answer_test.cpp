// What an answer says besides its hits: counts by sender and kind, what could not be searched, what hangs on spelling.
#include <doctest/doctest.h>

#include <algorithm>

#include "search/exact.h"
#include "search/thread.h"
#include "tests/search/archive_of.h"

namespace kustos::search::test {
namespace {

using Entries = std::vector<std::uint64_t>;

vault::Attachment attachment(const char* name, const char* type, const char* content) {
    vault::Attachment out;
    out.name = name;
    out.media_type = type;
    out.content = to_bytes(content);
    return out;
}

vault::Message mail(const char* from, const char* to, const char* subject, const char* body) {
    vault::Message out;
    out.kind = vault::MessageKind::mail;
    out.sender.address = from;
    out.recipients = {{vault::Role::to, {"", "", to, "", false}}};
    out.subject = subject;
    out.body = body;
    out.sent_at = UtcTime{1'772'000'000'000};
    return out;
}

Node leaf(Node::Kind kind, const char* text, Field field = Field::any) {
    Node out;
    out.kind = kind;
    out.text = text;
    out.field = field;
    return out;
}

Node negated(Node node) {
    Node out;
    out.kind = Node::Kind::none_of;
    out.children = {std::move(node)};
    return out;
}

Node together(Node::Kind kind, std::vector<Node> nodes) {
    Node out;
    out.kind = kind;
    out.children = std::move(nodes);
    return out;
}

Answer run(SmallArchive& a, const Node& root, SearchOptions options = {}) {
    auto answer = a.searcher_of().run(Query{"", root}, options, a.census);
    REQUIRE(answer.ok());
    return std::move(*answer);
}

Entries sorted(const Answer& answer) {
    Entries out;
    for (const EntryIndex entry : answer.entries) out.push_back(entry.value);
    std::sort(out.begin(), out.end());
    return out;
}

}  // namespace

TEST_CASE("hits divide by sender, kind, file and pair, over several shards and without what was erased") {
    SmallArchive a;
    a.options.records_per_shard = 2;
    a.add(mail("Anna@Example.org", "bert@example.org", "Angebot", "eins"));
    a.add(mail("anna@example.org", "BERT@example.org", "Angebot", "zwei"));
    auto with_file = mail("bert@example.org", "anna@example.org", "Angebot", "drei");
    with_file.attachments.push_back(attachment("Bericht.PDF", "application/pdf", "x"));
    a.add(std::move(with_file));
    const EntryIndex gone = a.add(mail("carla@example.org", "anna@example.org", "Angebot", "vier"));
    a.add(mail("carla@example.org", "anna@example.org", "Anderes", "fünf"));
    a.add_text("Angebot ohne Absender");
    REQUIRE(a.index_all().ok());
    EntrySet erased;
    erased.add(gone);
    a.census.census.erased = std::make_shared<const EntrySet>(erased);
    a.census.census.erased_records = 1;
    SearchOptions options;
    options.facets.by = {FacetBy::sender, FacetBy::kind, FacetBy::filetype, FacetBy::source};
    options.facets.pairs = true;
    const Answer answer = run(a, leaf(Node::Kind::word, "angebot"), options);
    CHECK(answer.total == 4);
    const Facet& senders = answer.facets.by.at(FacetBy::sender);
    CHECK(senders.values == std::vector<FacetValue>{{"anna@example.org", 2}, {"bert@example.org", 1}});
    CHECK(senders.distinct == 2);
    CHECK(senders.without == 1);
    CHECK(answer.facets.by.at(FacetBy::kind).values == std::vector<FacetValue>{{"mail", 3}, {"chat", 1}});
    CHECK(answer.facets.by.at(FacetBy::filetype).values == std::vector<FacetValue>{{"pdf", 1}});
    CHECK(answer.facets.by.at(FacetBy::source).values == std::vector<FacetValue>{{"chat-server", 4}});
    CHECK(answer.facets.pairs ==
          std::vector<Pair>{{"anna@example.org", "bert@example.org", 2}, {"bert@example.org", "anna@example.org", 1}});
}

TEST_CASE("what could not be searched is counted within the question, by its kind or its reason") {
    SmallArchive a;
    auto locked = mail("anna@example.org", "bert@example.org", "Vertrag", "Anbei");
    locked.attachments.push_back(attachment("a.pdf", "application/pdf", "?"));
    a.add(std::move(locked));
    auto other = mail("carla@example.org", "bert@example.org", "Urlaub", "Anbei");
    other.attachments.push_back(attachment("b.pdf", "application/pdf", "?"));
    a.add(std::move(other));
    vault::Message voice;
    voice.kind = vault::MessageKind::voice;
    voice.sender.address = "anna@example.org";
    voice.sent_at = UtcTime{1'772'000'000'000};
    voice.attachments.push_back(attachment("v.ogg", "audio/ogg", "?"));
    a.add(std::move(voice));
    a.add_text("Nichts davon");
    REQUIRE(a.index_all().ok());
    ++a.census.census.sealed;  // one that is not in the index yet

    const Answer all = run(a, leaf(Node::Kind::word, "kündigung"));
    CHECK(all.total == 0);
    CHECK(all.unsearched.partial == 2);
    CHECK(all.unsearched.opaque == 1);
    CHECK(all.unsearched.deferred == 1);
    CHECK(all.unsearched.total() == 4);
    CHECK(all.unsearched.reasons == std::map<std::string, std::uint64_t>{{"encrypted", 2}, {"voice", 1}});

    const Answer annas = run(a, together(Node::Kind::all_of, {leaf(Node::Kind::word, "kündigung"),
                                                              leaf(Node::Kind::word, "anna", Field::from)}));
    CHECK(annas.unsearched.partial == 1);
    CHECK(annas.unsearched.opaque == 1);

    // A hit is not among what could not be searched, and what a subject answers is no question.
    CHECK(run(a, leaf(Node::Kind::word, "vertrag")).unsearched.partial == 1);
    CHECK(run(a, leaf(Node::Kind::word, "kündigung", Field::subject)).unsearched.partial == 0);
    // Whatever is in the attachment may be what must not be there.
    CHECK(run(a, negated(leaf(Node::Kind::word, "urlaub"))).total == 3);
    CHECK(run(a, negated(leaf(Node::Kind::word, "kündigung"))).unsearched.total() == 1);
}

TEST_CASE("what was edited or deleted by a later event is found, in whatever shard the event is") {
    SmallArchive a;
    a.options.records_per_shard = 1;
    vault::Message post;
    post.native_id = "p1";
    post.body = "Erster Stand";
    const auto one = a.add(post).value;
    post.native_id = "p2";
    const auto two = a.add(post).value;
    post.native_id = "p1";
    a.add(post, "another-server");  // the same id at another source is another message
    vault::Message edit;
    edit.kind = vault::MessageKind::edit;
    edit.native_id = "e1";
    edit.target = "p1";
    edit.body = "Zweiter Stand";
    a.add(edit);
    edit.kind = vault::MessageKind::deletion;
    edit.target = "p2";
    a.add(edit);
    REQUIRE(a.index_all().ok());
    CHECK(sorted(run(a, leaf(Node::Kind::edited, ""))) == Entries{one});
    CHECK(sorted(run(a, leaf(Node::Kind::deleted, ""))) == Entries{two});
}

TEST_CASE("a thread is found from any of its messages, at its own source alone") {
    SmallArchive a;
    a.options.records_per_shard = 2;
    vault::Message first = mail("anna@example.org", "bert@example.org", "Angebot", "eins");
    first.native_id = "1@example.org";
    const auto one = a.add(first, "Postfach").value;
    vault::Message answer = mail("bert@example.org", "anna@example.org", "AW: Angebot", "zwei");
    answer.native_id = "2@example.org";
    answer.headers = {"REFERENCES: <1@exam\r\n ple.org>", "Subject: <9@example.org>"};
    const auto two = a.add(answer, "Postfach").value;
    vault::Message third = mail("carla@example.org", "anna@example.org", "AW: AW: Angebot", "drei");
    third.native_id = "3@example.org";
    third.headers = {"In-Reply-To: <2@example.org>", "References: <1@example.org> <2@example.org>"};
    const auto three = a.add(third, "Postfach").value;
    a.add(mail("anna@example.org", "bert@example.org", "Angebot", "ein anderes"), "Postfach");
    a.add(first, "Zweites Postfach");
    REQUIRE(a.index_all().ok());
    for (const vault::Message* message : {&first, &answer, &third})
        CHECK(sorted(run(a, related_to(thread_ids(*message), "Postfach").root)) == Entries{one, two, three});
    CHECK(run(a, leaf(Node::Kind::thread, "1@example.org")).total == 4);
    CHECK(run(a, leaf(Node::Kind::thread, "9@example.org")).total == 0);
}

TEST_CASE("sizes, kinds of files and sets of entries are conditions") {
    SmallArchive a;
    std::vector<std::uint64_t> entries;
    for (std::uint64_t size : {0U, 1U, 500U, 1'023U, 1'024U, 5'000U, 70'000U}) {
        vault::Message message;
        message.body = "x";
        message.raw_size = size;
        if (size == 500) message.attachments.push_back(attachment("brief.docx", "application/octet-stream", "?"));
        entries.push_back(a.add(std::move(message)).value);
    }
    REQUIRE(a.index_all().ok());
    const auto sized = [&](std::optional<std::uint64_t> least, std::optional<std::uint64_t> most) {
        Node node;
        node.kind = Node::Kind::size;
        node.sizes = {least, most};
        return run(a, node).total;
    };
    CHECK(sized({}, {}) == 7);
    CHECK(sized(500, {}) == 5);
    CHECK(sized(501, 1'024) == 2);
    CHECK(sized(1'024, 1'024) == 1);
    CHECK(sized({}, 1'023) == 4);
    CHECK(sized(70'001, {}) == 0);
    CHECK(run(a, leaf(Node::Kind::filetype, "word")).total == 1);
    CHECK(run(a, leaf(Node::Kind::filetype, "pdf")).total == 0);
    EntrySet set;
    set.add(EntryIndex(entries[1]), EntryIndex(entries[3]));
    Node some;
    some.kind = Node::Kind::entries;
    some.set = std::make_shared<const EntrySet>(set);
    CHECK(sorted(run(a, some)) == Entries{entries[1], entries[2], entries[3]});
    CHECK(run(a, negated(some)).total == 4);
}

TEST_CASE("exact words are decided by opening only what hangs on the spelling") {
    SmallArchive a;
    const auto capital = a.add_text("Das Maß der Dinge").value;
    const auto small = a.add_text("maßlos und maß").value;
    const auto folded = a.add_text("MASS").value;
    a.add_text("Nichts");
    REQUIRE(a.index_all().ok());
    const auto decide = [&](const Node& root) {
        const Query query{"", root};
        const Answer open = run(a, undecided(query).root);
        std::vector<EntrySet> sets(exact_leaves(root).size());
        for (const EntryIndex entry : open.entries) {
            const auto item = std::find_if(a.feed.items.begin(), a.feed.items.end(),
                                           [entry](const FeedItem& i) { return i.index == entry; });
            for (std::size_t n = 0; n < sets.size(); ++n)
                if (stands_exactly(*exact_leaves(root)[n], *item->message, {})) sets[n].add(entry);
        }
        return std::pair(sorted(run(a, with_exact(query, std::move(sets)).root)), open.total);
    };
    const Node mass = leaf(Node::Kind::exact, "Maß");
    CHECK(decide(mass) == std::pair(Entries{capital}, std::uint64_t{3}));
    CHECK(decide(leaf(Node::Kind::exact, "maß")).first == Entries{small});
    CHECK(decide(leaf(Node::Kind::exact, "MASS")).first == Entries{folded});
    // Spelling does not say what stands in an attachment that can't be read.
    auto locked = mail("anna@example.org", "bert@example.org", "Vertrag", "Anbei");
    locked.attachments.push_back(attachment("a.pdf", "application/pdf", "?"));
    a.add(std::move(locked));
    REQUIRE(a.index_all().ok());
    const Answer known = run(a, with_exact(Query{"", mass}, {EntrySet({EntryIndex(capital)})}).root);
    CHECK(known.total == 1);
    CHECK(known.unsearched.partial == 1);
    // Nothing has to be opened that another word decides.
    const Node both = together(Node::Kind::all_of, {mass, leaf(Node::Kind::word, "dinge")});
    CHECK(decide(both) == std::pair(Entries{capital}, std::uint64_t{1}));
    const Node either = together(Node::Kind::any_of, {mass, leaf(Node::Kind::word, "maß")});
    CHECK(decide(either) == std::pair(Entries{capital, small, folded}, std::uint64_t{0}));
    const Node without = together(Node::Kind::all_of, {leaf(Node::Kind::word, "maß"), negated(mass)});
    CHECK(decide(without) == std::pair(Entries{small, folded}, std::uint64_t{3}));
}

}  // namespace kustos::search::test
