// Mails that may belong to a thread though no message id ties them: somebody typed the answer anew, or a program left
// References and In-Reply-To out. A guess, never part of an exact answer: `thread:` does not know it, and who shows it
// says so.
//
// Pure. Threads: free functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "search/query.h"
#include "vault/message.h"

namespace kustos::search {

inline constexpr std::int64_t kGuessDays = 30;         // between two mails of a guess
inline constexpr std::size_t kLongestSubject = 1'000;  // bytes that are looked at

// A subject without what programs put before and behind it (RFC 5256, 2.1, and what the world's programs write for Re
// and Fwd: AW, WG, SV, TR, Odp ...): folded, white space runs are one space. May be empty.
struct BaseSubject {
    std::string text;      // with tags of lists before it: "[liste] angebot"
    std::string words;     // without them
    bool answers = false;  // something said: answer, or forwarded
};
BaseSubject base_subject(std::string_view subject);

// What the guess is made of.
struct MailFacts {
    BaseSubject subject;
    UtcTime time;  // sent; received, where the source gave none
    std::string sender;
    std::vector<std::string> people;  // the sender and all recipients, each as one folded text; ascending
    bool names_others = false;        // it has ids of other messages
};
MailFacts mail_facts(const vault::Message& message);

struct ThreadGuess {
    std::uint64_t days_apart = 0, shared_people = 0;
};
// The rule: the same base subject, which is not empty; at most kGuessDays apart; one of the two at least names no other
// message; whoever sent the later one took part in the earlier one; and two people took part in both, or one, where the
// later one says that it answers or forwards (a newsletter has one sender and one subject for many).
std::optional<ThreadGuess> guess_thread(const MailFacts& a, const MailFacts& b);

// Mails whose subject has these words in this order, sent within kGuessDays: where candidates are looked for. Absent:
// there is no word in it.
std::optional<Query> same_words(const BaseSubject& subject, UtcTime around);

}  // namespace kustos::search
