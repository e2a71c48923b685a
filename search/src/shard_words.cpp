// What a shard's words log serves: wildcards, fuzzy words, inflected forms, values that can be counted.
#include <algorithm>

#include "search/analysis.h"
#include "search/src/shard_reader.h"
#include "search/src/stemmer.h"
#include "search/src/words_log.h"

namespace kustos::search {
namespace {

bool begins_with(std::string_view word, std::string_view letters) {
    return word.substr(0, letters.size()) == letters;
}

bool is_counted(Space space) {
    switch (space) {
        case Space::content:
        case Space::source:
        case Space::kind:
        case Space::sender:
        case Space::recipient:
        case Space::filetype:
        case Space::language:
        case Space::edits:
        case Space::deletes:
            return true;
        default:
            return false;
    }
}

void make_unique(std::vector<std::string>& list) {
    std::sort(list.begin(), list.end());
    list.erase(std::unique(list.begin(), list.end()), list.end());
}

}  // namespace

Status ShardReader::load_words() {
    if (words_ && words_read_ == state_.words_bytes) return ok_status();
    const Bytes log = TRY(read_file(fs_, files_.words, kMaxWordsLog));
    WordsRead read = TRY(read_words(log, key_.view(), id_, state_.words_bytes));
    ShardWords words;
    for (const auto& [word, stem] : read.parts) words.parts.emplace_back(stem, form_of_plain(read.words.at(word)));
    std::sort(words.parts.begin(), words.parts.end());
    words.parts.erase(std::unique(words.parts.begin(), words.parts.end()), words.parts.end());
    for (LoggedText& logged : read.texts) {
        if (is_counted(logged.space)) words.texts[logged.space].push_back(std::move(logged.text));
    }
    for (auto& [space, texts] : words.texts) std::sort(texts.begin(), texts.end());
    for (std::string& plain : read.words) {
        std::string form = form_of_plain(plain);
        if (form != plain) words.forms.emplace_back(std::move(form), plain);
        words.plain.push_back(std::move(plain));
    }
    std::sort(words.plain.begin(), words.plain.end());
    std::sort(words.forms.begin(), words.forms.end());
    words_ = std::move(words);
    stems_.reset();
    words_read_ = state_.words_bytes;
    return ok_status();
}

Result<std::vector<std::string>> ShardReader::expand(const std::string& plain_letters, const std::string& form_letters,
                                                     std::size_t most) {
    TRY(load_words());
    std::vector<std::string> out;
    // several plain words may share a form, so the lists are read a little further than the limit
    const auto& plain = words_->plain;
    for (const std::string& letters : {plain_letters, form_letters}) {
        const std::size_t enough = out.size() + 8 * most;
        for (auto at = std::lower_bound(plain.begin(), plain.end(), letters);
             at != plain.end() && begins_with(*at, letters) && out.size() <= enough; ++at) {
            out.push_back(form_of_plain(*at));
        }
    }
    const std::size_t enough = out.size() + 8 * most;
    const auto& forms = words_->forms;
    for (auto at = std::lower_bound(forms.begin(), forms.end(), std::pair(form_letters, std::string()));
         at != forms.end() && begins_with(at->first, form_letters) && out.size() <= enough; ++at) {
        out.push_back(at->first);
    }
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
}

Result<std::vector<std::string>> ShardReader::matching(const WordPattern& pattern, std::size_t most) {
    TRY(load_words());
    std::vector<std::string> out;
    const std::string letters = pattern.literal_prefix();
    // Two spellings of one word may both match: a little further than the limit.
    const std::size_t enough = 8 * most;
    const auto& plain = words_->plain;
    for (auto at = std::lower_bound(plain.begin(), plain.end(), letters);
         at != plain.end() && begins_with(*at, letters) && out.size() <= enough; ++at) {
        std::string form = form_of_plain(*at);
        if (pattern.matches(*at, form)) out.push_back(std::move(form));
    }
    make_unique(out);
    return out;
}

Result<std::vector<std::string>> ShardReader::inflected(const std::vector<std::string>& stems) {
    TRY(load_words());
    if (!stems_) {
        const Stemmer stemmer;  // of its own: Snowball keeps the last word, and other shards may be asked beside
        ShardStems made;
        for (const std::string& plain : words_->plain) {
            const std::string form = form_of_plain(plain);
            for (std::string& stem : stemmer.stems(form, plain)) made.forms.emplace_back(std::move(stem), form);
        }
        std::sort(made.forms.begin(), made.forms.end());
        stems_ = std::move(made);
    }
    std::vector<std::string> out;
    for (const std::string& stem : stems) {
        out.push_back(stem);
        for (const auto* list : {&stems_->forms, &words_->parts}) {
            for (auto at = std::lower_bound(list->begin(), list->end(), std::pair(stem, std::string()));
                 at != list->end() && at->first == stem; ++at)
                out.push_back(at->second);
        }
    }
    make_unique(out);
    return out;
}

Result<const std::vector<std::string>*> ShardReader::texts(Space space) {
    static const std::vector<std::string> kNone;
    TRY(load_words());
    const auto found = words_->texts.find(space);
    return found == words_->texts.end() ? &kNone : &found->second;
}

}  // namespace kustos::search
