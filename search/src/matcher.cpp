#include "search/src/matcher.h"

#include <algorithm>

namespace kustos::search {
namespace {

bool begins_with(const std::string& word, const std::string& letters) {
    return word.compare(0, letters.size(), letters) == 0;
}

}  // namespace

Matcher::Matcher(const Query& query) {
    collect(query.root);
}

void Matcher::collect(const Node& node) {
    if (node.kind == Node::Kind::none_of) return;  // what must not be there is not shown
    for (const Node& child : node.children) collect(child);
    Leaf leaf;
    leaf.field = node.field;
    if (node.kind == Node::Kind::prefix) {
        leaf.plain_prefix = plain_form(node.text);
        leaf.form_prefix = form_of_prefix(node.text);
        leaves_.push_back(std::move(leaf));
    } else if (node.kind == Node::Kind::word || node.kind == Node::Kind::phrase) {
        const QueryWord word = query_word(node.text);
        leaf.exact = node.kind == Node::Kind::phrase;
        if (word.parts.size() > 1) leaf.sequence = word.parts;
        const auto add = [&](const std::string& form, const std::string& plain) {
            leaf.words.insert(form);
            if (leaf.exact) return;
            for (std::string& stem : stemmer_.stems(form, plain)) leaf.words.insert(std::move(stem));
        };
        if (word.parts.size() == 1) add(word.parts[0], word.plain[0]);
        if (!leaf.exact) {
            for (const std::string& whole : word.whole) add(whole, whole);
        }
        leaves_.push_back(std::move(leaf));
    }
}

bool Matcher::matches(const Leaf& leaf, const WordForms& forms) {
    if (!leaf.plain_prefix.empty())
        return begins_with(forms.plain, leaf.plain_prefix) || begins_with(forms.form, leaf.form_prefix);
    if (leaf.words.count(forms.form) != 0) return true;
    if (leaf.exact) return false;
    const auto wanted = [&leaf](const std::string& stem) { return leaf.words.count(stem) != 0; };
    return std::any_of(forms.stems.begin(), forms.stems.end(), wanted) ||
           std::any_of(forms.components.begin(), forms.components.end(), wanted);
}

std::vector<Match> Matcher::find(std::string_view utf8, Field field) {
    std::vector<Match> out;
    std::vector<Occurrence> all;
    analyser_.each(utf8, [&all](const Occurrence& occurrence) { all.push_back(occurrence); });
    for (std::uint32_t n = 0; n < leaves_.size(); ++n) {
        const Leaf& leaf = leaves_[n];
        if (leaf.field != Field::any && leaf.field != field) continue;
        // occurrences come by position; a sequence may begin at any and use variants on its way
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
                if (step == leaf.sequence.size()) out.push_back({all[i].begin, end, n});
            }
            if (matches(leaf, *all[i].forms)) out.push_back({all[i].begin, all[i].end, n});
        }
    }
    std::sort(out.begin(), out.end(),
              [](const Match& a, const Match& b) { return a.begin != b.begin ? a.begin < b.begin : a.end > b.end; });
    return out;
}

}  // namespace kustos::search
