// NEAR, W and words of one field, against a reference that knows nothing of positions or bands.
#include <doctest/doctest.h>

#include <algorithm>

#include "search/src/positions.h"
#include "tests/search/archive_of.h"

namespace kustos::search::test {
namespace {

using Tokens = std::vector<std::string>;
using Entries = std::vector<std::uint64_t>;

// A record as its texts, each apart from the others.
struct Texts {
    Tokens body, subject;
    std::vector<Tokens> attachments;
};

// Words with digits have no stems: what is typed is what is found.
std::string token(SeededRandom& random) {
    return "w" + std::to_string(random.next() % 12) + "x";
}
Tokens tokens(SeededRandom& random, std::size_t most) {
    Tokens out;
    for (std::size_t n = random.next() % (most + 1); n > 0; --n) out.push_back(token(random));
    return out;
}
std::string joined(const Tokens& words) {
    std::string out;
    for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
    return out;
}

Node leaf(Node::Kind kind, const std::string& text, Field field) {
    Node out;
    out.kind = kind;
    out.text = text;
    out.field = field;
    return out;
}

Node random_operand(SeededRandom& random, Field field) {
    if (random.next() % 4 == 0) return leaf(Node::Kind::phrase, token(random) + " " + token(random), field);
    if (random.next() % 4 != 0) return leaf(Node::Kind::word, token(random), field);
    Node any;
    any.kind = Node::Kind::any_of;
    any.children = {leaf(Node::Kind::word, token(random), field), leaf(Node::Kind::word, token(random), field)};
    return any;
}

struct Spot {
    std::size_t first, last;
};

std::vector<Spot> spots(const Node& node, const Tokens& text) {
    std::vector<Spot> out;
    if (node.kind == Node::Kind::any_of) {
        for (const Node& child : node.children)
            for (const Spot& spot : spots(child, text)) out.push_back(spot);
        return out;
    }
    Tokens wanted;
    for (std::size_t at = 0; at < node.text.size();) {
        const std::size_t end = std::min(node.text.find(' ', at), node.text.size());
        wanted.push_back(node.text.substr(at, end - at));
        at = end + 1;
    }
    for (std::size_t i = 0; i + wanted.size() <= text.size(); ++i) {
        if (std::equal(wanted.begin(), wanted.end(), text.begin() + static_cast<std::ptrdiff_t>(i)))
            out.push_back({i, i + wanted.size() - 1});
    }
    return out;
}

// Every choice of one spot for each operand.
bool near_from(const Node& node, const Tokens& text, std::size_t number, const Spot* before) {
    if (number == node.children.size()) return true;
    for (const Spot& spot : spots(node.children[number], text)) {
        const bool behind = before != nullptr && spot.first > before->last && spot.first - before->last <= node.number;
        const bool ahead = before != nullptr && before->first > spot.last && before->first - spot.last <= node.number;
        if (before != nullptr && !behind && !(ahead && !node.ordered)) continue;
        if (near_from(node, text, number + 1, &spot)) return true;
    }
    return false;
}

bool holds(const Node& node, const Tokens& text) {
    return node.kind == Node::Kind::near ? near_from(node, text, 0, nullptr) : !spots(node, text).empty();
}

bool holds(const Node& node, Field field, const Texts& record) {
    if (field != Field::subject && field != Field::attachment && holds(node, record.body)) return true;
    if (field != Field::body && field != Field::attachment && holds(node, record.subject)) return true;
    if (field != Field::any && field != Field::attachment) return false;
    return std::any_of(record.attachments.begin(), record.attachments.end(),
                       [&](const Tokens& text) { return holds(node, text); });
}

std::vector<Texts> fill(SmallArchive& a, SeededRandom& random, std::size_t count) {
    std::vector<Texts> out;
    for (std::size_t n = 0; n < count; ++n) {
        Texts texts{tokens(random, 14), random.next() % 2 == 0 ? tokens(random, 5) : Tokens(), {}};
        vault::Message message;
        message.body = joined(texts.body);
        message.subject = joined(texts.subject);
        for (std::size_t i = random.next() % 3; i > 1; --i) {
            texts.attachments.push_back(tokens(random, 8));
            vault::Attachment attachment;
            attachment.name = "a.txt";
            attachment.media_type = "text/plain";
            attachment.content = to_bytes(joined(texts.attachments.back()));
            message.attachments.push_back(std::move(attachment));
        }
        a.add(std::move(message));
        out.push_back(std::move(texts));
    }
    return out;
}

}  // namespace

TEST_CASE("NEAR, W, words and phrases of a field find what a plain reading of the texts finds") {
    SmallArchive a;
    SeededRandom random{91};
    a.options.records_per_shard = 120;  // several shards
    const std::vector<Texts> records = fill(a, random, 400);
    REQUIRE(a.index_all().ok());
    std::uint64_t hits = 0;
    for (int round = 0; round < 600; ++round) {
        constexpr Field kFields[] = {Field::any, Field::body, Field::subject, Field::attachment};
        const Field field = kFields[random.next() % 4];
        Node node;
        if (random.next() % 4 == 0) {
            node = leaf(Node::Kind::word, token(random), field);
        } else if (random.next() % 6 == 0) {
            node = leaf(Node::Kind::phrase, token(random) + " " + token(random), field);
        } else {
            node.kind = Node::Kind::near;
            node.field = field;
            node.number = 1 + static_cast<std::uint32_t>(random.next() % 4);
            node.ordered = random.next() % 2 == 0;
            for (std::size_t n = 2 + random.next() % 2; n > 0; --n)
                node.children.push_back(random_operand(random, field));
        }
        const auto answer = a.searcher_of().run(Query{"", node}, {}, a.census);
        REQUIRE(answer.ok());
        Entries found, wanted;
        for (const EntryIndex entry : answer->entries) found.push_back(entry.value);
        std::sort(found.begin(), found.end());
        for (std::size_t i = 0; i < records.size(); ++i)
            if (holds(node, field, records[i])) wanted.push_back(a.feed.items[i].index.value);
        CHECK_MESSAGE(found == wanted, query_text(node));
        hits += found.size();
    }
    CHECK(hits > 5'000);
}

TEST_CASE("words stand near by the words between them, whichever way the chain goes") {
    const std::vector<Place> a{{5, 5}, {40, 41}}, b{{9, 9}}, c{{2, 2}, {43, 43}};
    CHECK(stand_near({a, b}, 4, true));
    CHECK(!stand_near({a, b}, 3, true));
    CHECK(!stand_near({b, a}, 4, true));
    CHECK(stand_near({b, a}, 4, false));
    CHECK(stand_near({a, c}, 2, true));  // 41 and 43
    CHECK(!stand_near({b, a, c}, 4, true));
    CHECK(stand_near({b, a, c}, 4, false));  // 9, 5, 2
    CHECK(!stand_near({a, a}, 30, true));    // one place is not near itself
    CHECK(stand_near({a, a}, 35, true));
    CHECK(!stand_near({}, 5, false));
    CHECK(!stand_near({a, {}}, 500, false));
}

TEST_CASE("inflected words and parts of compounds stand near and in the body, too") {
    SmallArchive a;
    vault::Message mail;
    mail.subject = "Aktenzeichen";
    mail.body = "Die Rahmenverträge wurden von den Häusern gekündigt.";
    const auto one = a.add(std::move(mail)).value;
    const auto two = a.add_text("Ein Vertrag, der ein Haus betrifft.").value;
    REQUIRE(a.index_all().ok());
    const auto near = [&](const char* left, const char* right, std::uint32_t distance, Field field) {
        Node node;
        node.kind = Node::Kind::near;
        node.number = distance;
        node.children = {leaf(Node::Kind::word, left, field), leaf(Node::Kind::word, right, field)};
        node.field = field;
        const auto answer = a.searcher_of().run(Query{"", node}, {}, a.census);
        REQUIRE(answer.ok());
        Entries out;
        for (const EntryIndex entry : answer->entries) out.push_back(entry.value);
        std::sort(out.begin(), out.end());
        return out;
    };
    CHECK(near("vertrag", "haus", 4, Field::any) == Entries{one, two});
    CHECK(near("vertrag", "haus", 3, Field::any) == Entries{two});
    CHECK(near("vertrag", "haus", 2, Field::any).empty());
    CHECK(near("vertrag", "haus", 4, Field::body) == Entries{one, two});
    CHECK(near("aktenzeichen", "vertrag", 50, Field::any).empty());  // one is in the subject
    const auto answer = a.searcher_of().run(Query{"", leaf(Node::Kind::word, "vertrag", Field::body)}, {}, a.census);
    REQUIRE(answer.ok());
    CHECK(answer->total == 2);
}

}  // namespace kustos::search::test
