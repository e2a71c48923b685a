#include "tests/bench/questions.h"

#include <algorithm>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <unordered_map>

#include "base/time.h"

namespace kustos::bench {
namespace {

constexpr std::size_t kSampled = 20'000, kMostExpansions = 600;
constexpr double kCommon = 0.02;

struct Sampled {
    std::vector<std::string> words;
    std::string day;
};

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_operator(const std::string& word) {  // of either language; notmuch takes them in small letters, too
    return word == "and" || word == "or" || word == "not" || word == "xor" || word == "near" || word == "adj" ||
           word == "und" || word == "oder" || word == "nicht";
}

// Words between blanks, with commas and full stops taken off; "" stands for what is not only letters, so that nothing
// is asked as a phrase that does not stand side by side. Spellings that are folded (ae) are left out, too.
std::vector<std::string> plain_words(const std::string& text) {
    std::vector<std::string> out;
    std::string word;
    for (std::size_t i = 0; i <= text.size(); ++i) {
        const char c = i < text.size() ? text[i] : ' ';
        if (c != ' ' && c != '\n' && c != '\t' && c != '\r') {
            word += c;
            continue;
        }
        if (word.empty()) continue;
        bool ends = false;
        while (!word.empty() && std::string_view(".,;:!?").find(word.back()) != std::string_view::npos) {
            word.pop_back();
            ends = true;
        }
        const bool plain = std::all_of(word.begin(), word.end(), is_letter) && word.size() <= 24 &&
                           word.find("ae") == std::string::npos && word.find("oe") == std::string::npos &&
                           word.find("ue") == std::string::npos;
        for (char& letter : word) letter = static_cast<char>(letter | (is_letter(letter) ? 0x20 : 0));
        out.push_back(plain && !is_operator(word) ? word : "");
        if (ends) out.emplace_back();
        word.clear();
    }
    return out;
}

struct Sample {
    std::vector<Sampled> messages;
    std::unordered_map<std::string, std::uint64_t> frequency;  // of documents
    std::uint64_t read = 0;

    Sample(const std::string& file, std::uint64_t most, std::mt19937_64& random) {
        std::ifstream in(file);
        for (std::string line; read < most && std::getline(in, line);) {
            const auto json = nlohmann::json::parse(line, nullptr, false);
            if (json.is_discarded()) continue;
            ++read;
            Sampled message{plain_words(json.value("body", "")), json.value("sent_at", "").substr(0, 10)};
            std::vector<std::string> once = message.words;
            std::sort(once.begin(), once.end());
            once.erase(std::unique(once.begin(), once.end()), once.end());
            for (const std::string& word : once)
                if (word.size() > 2) ++frequency[word];
            if (messages.size() < kSampled) {
                messages.push_back(std::move(message));
            } else if (const std::uint64_t at = random() % read; at < kSampled) {
                messages[at] = std::move(message);
            }
        }
    }
    std::uint64_t of(const std::string& word) const {
        const auto found = frequency.find(word);
        return found == frequency.end() ? 0 : found->second;
    }
    std::vector<std::string> between(std::uint64_t least, std::uint64_t most) const {
        std::vector<std::string> out;
        for (const auto& [word, count] : frequency)
            if (count >= least && count <= most) out.push_back(word);
        std::sort(out.begin(), out.end());
        return out;
    }
};

std::string in_quotes(const std::string& word) {
    return "\"" + word + "\"";
}

// 30 days from this one, as both languages write it.
std::string month_from(const std::string& day) {
    constexpr std::int64_t kMore = 29 * 86'400'000ll;
    const auto first = parse_rfc3339(day + "T00:00:00Z");
    if (!first.ok()) return "";
    return "date:" + day + ".." + format_rfc3339(UtcTime{first->ms + kMore}).substr(0, 10);
}

}  // namespace

std::vector<QuestionClass> draw_questions(const std::string& stream_file, std::uint64_t most, std::size_t of_each) {
    std::mt19937_64 random(1);
    const Sample sample(stream_file, most, random);
    std::vector<QuestionClass> out;
    if (sample.messages.empty()) return out;
    const auto add = [&](const char* name, const std::function<Question()>& draw) {
        QuestionClass made{name, {}};
        for (std::size_t tries = 0; tries < of_each * 200 && made.questions.size() < of_each; ++tries)
            if (Question one = draw(); !one.ours.empty()) made.questions.push_back(std::move(one));
        if (!made.questions.empty()) out.push_back(std::move(made));
    };
    const auto same = [](std::string text) { return Question{text, text}; };
    const auto one_of = [&](const std::vector<std::string>& words) {
        return words.empty() ? std::string() : words[random() % words.size()];
    };
    const auto message = [&]() -> const Sampled& { return sample.messages[random() % sample.messages.size()]; };
    // So many words of a message that are next to each other, or none.
    const auto row = [&](std::size_t length) {
        const std::vector<std::string>& words = message().words;
        if (words.size() < length) return std::vector<std::string>();
        const std::size_t at = random() % (words.size() - length + 1);
        return std::vector<std::string>(words.begin() + static_cast<std::ptrdiff_t>(at),
                                        words.begin() + static_cast<std::ptrdiff_t>(at + length));
    };
    const auto known = [&](const std::string& word) { return sample.of(word) > 0; };

    const auto rare = sample.between(2, 10);
    const auto common = sample.between(
        std::max<std::uint64_t>(2, static_cast<std::uint64_t>(kCommon * static_cast<double>(sample.read))),
        sample.read);
    const auto single = [&](const std::vector<std::string>& words, bool stems) {
        const std::string word = one_of(words);
        return word.empty() ? Question() : same(stems ? word : in_quotes(word));
    };
    const auto three = [&](bool stems) {
        std::vector<std::string> words = message().words;
        std::sort(words.begin(), words.end());
        words.erase(std::unique(words.begin(), words.end()), words.end());
        std::shuffle(words.begin(), words.end(), random);
        std::string text;
        if (words.size() < 3) return Question();
        for (std::size_t i = 0; i < 3; ++i) {
            if (sample.of(words[i]) < 10) return Question();
            text += (i == 0 ? "" : " ") + (stems ? words[i] : in_quotes(words[i]));
        }
        return same(text);
    };
    add("rare", [&] { return single(rare, false); });
    add("common", [&] { return single(common, false); });
    add("and3", [&] { return three(false); });
    add("phrase", [&] {
        const auto words = row(3);
        if (words.empty() || !std::all_of(words.begin(), words.end(), known)) return Question();
        return same(in_quotes(words[0] + " " + words[1] + " " + words[2]));
    });
    std::map<std::string, std::size_t> ordered;
    for (const auto& [word, count] : sample.frequency) ordered[word] = 1;
    const auto known_well = sample.between(10, sample.read);
    add("wildcard", [&] {
        const std::string word = one_of(known_well), letters = word.substr(0, 4 + random() % 2);
        std::size_t stands_for = 0;
        for (auto at = ordered.lower_bound(letters); at != ordered.end() && at->first.starts_with(letters); ++at)
            ++stands_for;
        return letters.size() < 4 || stands_for > kMostExpansions ? Question() : same(letters + "*");
    });
    add("date", [&] {
        const std::string word = one_of(common), month = month_from(message().day);
        return word.empty() || month.empty() ? Question() : same(in_quotes(word) + " " + month);
    });
    add("near", [&] {
        const auto words = row(5);
        if (words.empty() || !known(words[0]) || !known(words[4])) return Question();
        return Question{in_quotes(words[0]) + " NEAR/10 " + in_quotes(words[4]), words[0] + " NEAR/10 " + words[4]};
    });
    add("rare_stems", [&] { return single(rare, true); });
    add("common_stems", [&] { return single(common, true); });
    add("and3_stems", [&] { return three(true); });
    return out;
}

}  // namespace kustos::bench
