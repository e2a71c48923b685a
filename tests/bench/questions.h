// Queries drawn from the messages themselves, each in the language of Kustos and in that of notmuch, so that both are
// asked the same.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace kustos::bench {

struct Question {
    std::string ours, theirs;
};
struct QuestionClass {
    std::string name;  // "rare"
    std::vector<Question> questions;
};

// From the first `most` messages of a stream file. Single words stand in quotation marks, which mean the same to both:
// this form and no other; the classes that end in "_stems" have the same words without, and each has its own idea of
// what belongs together. Draws the same from the same file. Empty classes are left out.
std::vector<QuestionClass> draw_questions(const std::string& stream_file, std::uint64_t most, std::size_t of_each);

}  // namespace kustos::bench
