// German chat messages as a message stream, as many as asked: the skeleton of real chats (times, senders, topics,
// number of words) with every word replaced by a German one of the same rank; the tail by compounds. The same seed
// gives the same bytes. Beyond the skeleton's end it begins again, later in time: words that occurred once become new
// ones (so the vocabulary grows as it does in real text), all others but the most common change places with neighbours
// in rank.
//
// Usage: make_messages COUNT SEED TEXT WORDS < SKELETON
//   SKELETON  chat lines (id, ts, sender, stream, topic, text); empty: one is made up
//   TEXT      German running text, for the most common words in their order; absent: words in the order of the list
//   WORDS     a Hunspell .dic or one word a line; absent: the product's own short list
// On stderr: mean length of a word, share of long ones, share with umlaut or eszett, different words.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/time.h"
#include "search/src/compound.h"

using namespace kustos;

namespace {

std::uint64_t mixed(std::uint64_t x) {  // splitmix64
    x += 0x9e3779b97f4a7c15;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
}

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_capital(std::string_view word) {
    return !word.empty() &&
           ((word[0] >= 'A' && word[0] <= 'Z') || (word.size() > 1 && word[0] == '\xC3' && word[1] <= '\x9E'));
}
std::string with_capital(std::string word) {
    if (!word.empty() && word[0] >= 'a' && word[0] <= 'z') word[0] = static_cast<char>(word[0] - 32);
    return word;
}
std::string without_capital(std::string word) {
    if (is_capital(word)) {
        char& c = word[0] == '\xC3' ? word[1] : word[0];
        c = static_cast<char>(c + 32);
    }
    return word;
}
std::size_t letters(std::string_view word) {
    return static_cast<std::size_t>(
        std::count_if(word.begin(), word.end(), [](char c) { return (c & '\xC0') != '\x80'; }));
}

// Calls with each run of letters as a word, and with what stands between.
template <class Word, class Between>
void each_piece(std::string_view text, const Word& word, const Between& between) {
    for (std::size_t at = 0; at < text.size();) {
        const bool in_word = is_letter(text[at]);
        std::size_t end = at;
        while (end < text.size() && is_letter(text[end]) == in_word) ++end;
        in_word ? word(text.substr(at, end - at)) : between(text.substr(at, end - at));
        at = end;
    }
}

std::string lower(std::string_view word) {
    std::string out(word);
    for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    return out;
}

struct Line {
    std::int64_t seconds = 0;
    std::string id, sender, stream, topic, text;
};

std::vector<Line> made_up_skeleton(std::uint64_t seed) {
    const auto draw = [&seed](std::uint64_t below) { return (seed = mixed(seed)) % below; };
    std::vector<Line> out;
    for (int i = 0; i < 2'000; ++i) {
        Line line;
        line.seconds = 1'767'225'600 + i * 300;
        line.id = std::to_string(i);
        line.sender = "u" + std::to_string(draw(1 + draw(40)));
        line.stream = "c" + std::to_string(draw(12));
        line.topic = "t" + std::string(1, static_cast<char>('a' + draw(26)));
        for (std::uint64_t n = 4 + draw(60); n > 0; --n) {
            std::string word;
            for (std::uint64_t rank = draw(1 + draw(1 + draw(4'000)));; rank /= 26) {
                word += static_cast<char>('a' + rank % 26);
                if (rank < 26) break;
            }
            line.text += word + (n == 1 ? "." : " ");
        }
        out.push_back(std::move(line));
    }
    return out;
}

std::vector<Line> read_skeleton(std::istream& in) {
    std::vector<Line> out;
    for (std::string text; std::getline(in, text);) {
        const auto json = nlohmann::json::parse(text, nullptr, false);
        if (json.is_discarded()) continue;
        out.push_back({json.value("ts", std::int64_t{0}), std::to_string(json.value("id", std::int64_t{0})),
                       json.value("sender", ""), json.value("stream", ""), json.value("topic", ""),
                       json.value("text", "")});
    }
    return out;
}

// German words by rank; nouns with their capital.
struct German {
    std::vector<std::string> words, nouns;
    std::uint64_t seed;

    German(const char* text_file, const char* word_file, std::uint64_t seed_) : seed(seed_) {
        std::unordered_map<std::string, std::uint64_t> seen;
        std::ifstream text(text_file);
        const auto clean = [](std::string word) {
            const auto foreign = [](char c) { return !is_letter(c) && (c & '\x80') == 0; };
            while (!word.empty() && foreign(word.back())) word.pop_back();
            std::size_t begin = 0;
            while (begin < word.size() && foreign(word[begin])) ++begin;
            word.erase(0, begin);
            const bool bad = std::any_of(word.begin(), word.end(), [&](char c) {
                return foreign(c) || static_cast<unsigned char>(c) > 0xC3;  // beyond Latin-1
            });
            return bad ? std::string() : word;
        };
        for (std::string word; text >> word;)
            if (std::string good = clean(word); !good.empty()) ++seen[good];
        std::vector<std::string> listed;
        std::ifstream list(word_file);
        for (std::string line; std::getline(list, line);) {
            if (line.empty() || line[0] == '\t' || line[0] == '#') continue;
            if (std::string word = clean(line.substr(0, line.find('/'))); letters(word) > 1) listed.push_back(word);
        }
        if (listed.empty()) {
            std::istringstream own(search::kCompoundWords);
            for (std::string word; own >> word;) listed.push_back(with_capital(word));
        }
        for (const auto& [word, count] : seen) words.push_back(word);
        std::sort(words.begin(), words.end(), [&](const std::string& a, const std::string& b) {
            return seen[a] != seen[b] ? seen[a] > seen[b] : order(a) != order(b) ? order(a) < order(b) : a < b;
        });
        std::sort(listed.begin(), listed.end(), [&](const std::string& a, const std::string& b) {
            return order(a) != order(b) ? order(a) < order(b) : a < b;
        });
        for (const std::string& word : listed) {
            if (seen.try_emplace(word, 0).second) words.push_back(word);
            if (is_capital(word) && letters(word) > 3 && letters(word) < 11) nouns.push_back(word);
        }
    }
    std::uint64_t order(const std::string& word) const {
        std::uint64_t out = seed;
        for (const char c : word) out = mixed(out ^ static_cast<unsigned char>(c));
        return out;
    }
    std::string compound(std::uint64_t which) const {
        std::uint64_t random = mixed(seed ^ mixed(which));
        std::string out = nouns[random % nouns.size()];
        for (int parts = (random >> 60) == 0 ? 2 : 1; parts > 0; --parts) {
            random = mixed(random);
            out += (random & 3) == 0 ? "s" : "";
            out += without_capital(nouns[(random >> 3) % nouns.size()]);
        }
        return out;
    }
    // Beyond the commonest, one in five is a compound: that gives about as many long words as German has.
    std::string at(std::uint64_t rank) const {
        const bool listed = rank < words.size() && (rank < 500 || mixed(rank) % 5 != 0);
        return listed ? words[rank] : compound(rank);
    }
};

constexpr std::uint64_t kFixedRanks = 100, kNeighbours = 64;

class Maker {
public:
    Maker(std::vector<Line> skeleton, const German& german) : lines_(std::move(skeleton)), german_(german) {
        std::unordered_map<std::string, std::uint64_t> counts;
        for (const Line& line : lines_)
            for (const std::string* text : {&line.text, &line.topic})
                each_piece(
                    *text, [&](std::string_view word) { ++counts[lower(word)]; }, [](std::string_view) {});
        std::vector<std::pair<std::uint64_t, std::string>> ordered;
        for (const auto& [word, count] : counts) ordered.emplace_back(count, word);
        std::sort(ordered.begin(), ordered.end(), [](const auto& a, const auto& b) {
            return a.first != b.first ? a.first > b.first : a.second < b.second;
        });
        for (std::uint64_t rank = 0; rank < ordered.size(); ++rank)
            ranks_[ordered[rank].second] = {rank, ordered[rank].first == 1};
        for (const Line& line : lines_) {
            last_ = std::max(last_, line.seconds);
            first_ = std::min(first_, line.seconds);
        }
    }

    std::string message(std::uint64_t number) {
        const std::uint64_t round = number / lines_.size();
        const Line& line = lines_[number % lines_.size()];
        const std::int64_t seconds = line.seconds + static_cast<std::int64_t>(round) * (last_ - first_ + 60);
        const std::string sender = name_of(line.sender), channel = german_.at(german_.order(line.stream) % 2'000);
        nlohmann::ordered_json json;
        json["id"] = std::to_string(round) + "-" + line.id;
        json["kind"] = "chat";
        json["sent_at"] = format_rfc3339(UtcTime{seconds * 1000});
        json["conversation"] = {{"id", line.stream}, {"title", channel}, {"type", "channel"}};
        json["sender"] = {{"id", sender}, {"name", sender}};
        json["subject"] = german_text(line.topic, 0);
        json["body"] = german_text(line.text, round);
        return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    }

    void print_statistics() const {
        std::fprintf(stderr, "%.2f letters a word, %.1f %% of 12 or more, %.1f %% with umlaut or eszett, %zu words\n",
                     share(letters_), 100 * share(long_), 100 * share(umlauts_), different_.size());
    }

private:
    struct Rank {
        std::uint64_t rank = 0;
        bool once = false;
    };
    double share(std::uint64_t what) const { return static_cast<double>(what) / static_cast<double>(words_); }

    std::string word(const Rank& rank, std::uint64_t round) const {
        if (round == 0 || rank.rank < kFixedRanks) return german_.at(rank.rank);
        if (rank.once) return german_.compound(mixed(rank.rank) ^ (round << 40));
        const std::uint64_t block = rank.rank / kNeighbours, turn = mixed(mixed(block) ^ round);
        const std::uint64_t within = ((turn | 1) * (rank.rank % kNeighbours) + (turn >> 32)) % kNeighbours;
        return german_.at(block * kNeighbours + within);
    }

    std::string german_text(const std::string& text, std::uint64_t round) {
        std::string out;
        each_piece(
            text,
            [&](std::string_view piece) {
                std::string german = word(ranks_.at(lower(piece)), round);
                ++words_;
                const std::size_t length = letters(german);
                letters_ += length;
                long_ += length >= 12 ? 1 : 0;
                umlauts_ += length < german.size() ? 1 : 0;
                different_.insert(german_.order(german));
                out += is_capital(piece) ? with_capital(std::move(german)) : german;
            },
            [&](std::string_view piece) { out += piece; });
        return out;
    }

    std::string name_of(const std::string& sender) const {
        static const char* const kNames[] = {"Anna", "Bert", "Clara", "David", "Eva",  "Felix", "Greta", "Hans",
                                             "Ida",  "Jan",  "Karin", "Lars",  "Mara", "Nils",  "Olga",  "Paul"};
        const std::uint64_t which = german_.order(sender);
        return std::string(kNames[which % 16]) + " " + german_.nouns[(which >> 8) % german_.nouns.size()];
    }

    std::vector<Line> lines_;
    const German& german_;
    std::unordered_map<std::string, Rank> ranks_;
    std::int64_t first_ = INT64_MAX, last_ = INT64_MIN;
    std::uint64_t words_ = 0, letters_ = 0, long_ = 0, umlauts_ = 0;
    std::unordered_set<std::uint64_t> different_;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 5) {
        std::fprintf(stderr, "usage: make_messages COUNT SEED TEXT WORDS < SKELETON\n");
        return 2;
    }
    const std::uint64_t count = std::stoull(argv[1]), seed = std::stoull(argv[2]);
    const German german(argv[3], argv[4], seed);
    std::vector<Line> skeleton = read_skeleton(std::cin);
    if (skeleton.empty()) skeleton = made_up_skeleton(seed);
    Maker maker(std::move(skeleton), german);
    for (std::uint64_t i = 0; i < count; ++i) {
        const std::string line = maker.message(i) + "\n";
        if (std::fwrite(line.data(), 1, line.size(), stdout) != line.size()) return 1;
    }
    maker.print_statistics();
    return std::fflush(stdout) == 0 ? 0 : 1;
}
