#include "search/src/matcher.h"

#include <algorithm>

namespace kustos::search {
namespace {

bool looks_in(Field field, Field where) {
    switch (field) {
        case Field::any:
            return true;
        case Field::to:
            return where == Field::to || where == Field::cc || where == Field::bcc;
        case Field::participant:
            return where == Field::from || looks_in(Field::to, where) || where == Field::participant;
        default:
            return field == where;
    }
}

// Whether one of these positions, ascending, lies in [from, to].
bool any_between(const std::vector<std::int64_t>& positions, std::int64_t from, std::int64_t to) {
    const auto next = std::lower_bound(positions.begin(), positions.end(), from);
    return next != positions.end() && *next <= to;
}

}  // namespace

Matcher::Matcher(const Query& query) {
    collect(query.root);
}

void Matcher::collect(const Node& node) {
    switch (node.kind) {
        case Node::Kind::none_of:
            return;  // what must not be there is not shown
        case Node::Kind::word:
        case Node::Kind::phrase:
        case Node::Kind::prefix:
        case Node::Kind::pattern:
        case Node::Kind::fuzzy:
        case Node::Kind::exact:
            add_leaf(node, false);
            return;
        case Node::Kind::near: {
            Row row;
            row.number = node.number;
            row.ordered = node.ordered;
            for (const Node& child : node.children) {
                const auto begin = static_cast<std::uint32_t>(leaves_.size());
                if (child.kind == Node::Kind::any_of) {
                    for (const Node& alternative : child.children) add_leaf(alternative, true);
                } else {
                    add_leaf(child, true);
                }
                std::vector<std::uint32_t>& member = row.members.emplace_back();
                for (auto n = begin; n < leaves_.size(); ++n) member.push_back(n);
            }
            rows_.push_back(std::move(row));
            return;
        }
        default:
            for (const Node& child : node.children) collect(child);
    }
}

void Matcher::add_leaf(const Node& node, bool in_row) {
    Leaf leaf;
    leaf.field = node.field;
    leaf.in_row = in_row;
    if (node.kind == Node::Kind::prefix) {
        leaf.pattern = WordPattern::glob(node.text + "*");
    } else if (node.kind == Node::Kind::pattern) {
        leaf.pattern = WordPattern::glob(node.text);
    } else if (node.kind == Node::Kind::fuzzy) {
        leaf.pattern = WordPattern::fuzzy(node.text, node.number);
    } else if (node.kind == Node::Kind::exact) {
        leaf.exact = ExactWords(node.text);
    } else {
        const QueryWord word = query_word(node.text);
        leaf.forms_only = node.kind == Node::Kind::phrase;
        if (word.parts.size() > 1) leaf.sequence = word.parts;
        const auto add = [&](const std::string& form, const std::string& plain) {
            leaf.words.insert(form);
            if (leaf.forms_only) return;
            for (std::string& stem : stemmer_.stems(form, plain)) leaf.words.insert(std::move(stem));
        };
        if (word.parts.size() == 1) add(word.parts[0], word.plain[0]);
        for (const std::string& whole : leaf.forms_only ? word.same : word.whole) add(whole, whole);
    }
    leaves_.push_back(std::move(leaf));
}

bool Matcher::matches(const Leaf& leaf, const WordForms& forms) {
    if (leaf.pattern) return leaf.pattern->matches(forms.plain, forms.form);
    if (leaf.words.count(forms.form) != 0) return true;
    if (leaf.forms_only) return false;
    const auto wanted = [&leaf](const std::string& stem) { return leaf.words.count(stem) != 0; };
    return std::any_of(forms.stems.begin(), forms.stems.end(), wanted) ||
           std::any_of(forms.components.begin(), forms.components.end(), wanted);
}

// Occurrences come by position; a sequence may begin at any and use variants on its way.
void Matcher::find_words(const Leaf& leaf, const std::vector<Occurrence>& all, std::vector<Place>& out) {
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (!leaf.sequence.empty() && all[i].forms->form == leaf.sequence[0]) {
            std::size_t step = 1;
            std::uint32_t position = all[i].position, end = all[i].end;
            for (std::size_t k = i + 1; k < all.size() && step < leaf.sequence.size(); ++k) {
                if (all[k].position > position + 1) break;
                if (all[k].position != position + 1 || all[k].forms->form != leaf.sequence[step]) continue;
                ++step;
                position = all[k].position;
                end = all[k].end;
            }
            if (step == leaf.sequence.size()) out.push_back({all[i].begin, end, all[i].position, position, 0});
        }
        if (matches(leaf, *all[i].forms))
            out.push_back({all[i].begin, all[i].end, all[i].position, all[i].position, 0});
    }
}

// What has a neighbour of each other member within the distance, by way of those between: forward what is reached from
// the first, then backward what reaches the last.
void Matcher::keep_near(const Row& row, std::vector<std::vector<Place>>& members) {
    const auto filter = [&row](std::vector<Place>& places, const std::vector<Place>& beside, bool forward) {
        std::vector<std::int64_t> firsts, lasts;
        for (const Place& place : beside) {
            firsts.push_back(place.first);
            lasts.push_back(place.last);
        }
        std::sort(firsts.begin(), firsts.end());
        std::sort(lasts.begin(), lasts.end());
        const auto far = [&](const Place& place) {
            const std::int64_t first = place.first, last = place.last, number = row.number;
            const bool behind = any_between(lasts, first - number, first - 1);
            const bool before = any_between(firsts, last + 1, last + number);
            return row.ordered ? !(forward ? behind : before) : !behind && !before;
        };
        places.erase(std::remove_if(places.begin(), places.end(), far), places.end());
    };
    for (std::size_t i = 1; i < members.size(); ++i) filter(members[i], members[i - 1], true);
    for (std::size_t i = members.size() - 1; i > 0; --i) filter(members[i - 1], members[i], false);
}

std::vector<Match> Matcher::find(std::string_view utf8, Field where) {
    std::vector<Occurrence> all;
    analyser_.each(utf8, [&all](const Occurrence& occurrence) { all.push_back(occurrence); });
    const auto places_of = [&](std::uint32_t n, std::vector<Place>& out) {
        const std::size_t before = out.size();
        if (!looks_in(leaves_[n].field, where)) return;
        if (leaves_[n].exact) {
            for (const ExactWords::Place& place : leaves_[n].exact->places(utf8))
                out.push_back({place.begin, place.end, 0, 0, n});
        } else {
            find_words(leaves_[n], all, out);
        }
        for (std::size_t i = before; i < out.size(); ++i) out[i].leaf = n;
    };
    std::vector<Place> found;
    for (std::uint32_t n = 0; n < leaves_.size(); ++n) {
        if (!leaves_[n].in_row) places_of(n, found);
    }
    for (const Row& row : rows_) {
        std::vector<std::vector<Place>> members(row.members.size());
        for (std::size_t i = 0; i < row.members.size(); ++i) {
            for (const std::uint32_t n : row.members[i]) places_of(n, members[i]);
        }
        keep_near(row, members);
        for (const std::vector<Place>& member : members) found.insert(found.end(), member.begin(), member.end());
    }
    std::vector<Match> out;
    out.reserve(found.size());
    for (const Place& place : found) out.push_back({place.begin, place.end, place.leaf});
    std::sort(out.begin(), out.end(),
              [](const Match& a, const Match& b) { return a.begin != b.begin ? a.begin < b.begin : a.end > b.end; });
    return out;
}

}  // namespace kustos::search
