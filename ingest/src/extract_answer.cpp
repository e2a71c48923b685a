#include "ingest/src/extract_answer.h"

#include "base/text.h"

namespace kustos::ingest {

namespace {

constexpr std::size_t kMostRemarks = 8, kMostWord = 60;

bool is_word(std::string_view text, std::string_view others) {
    if (text.size() > kMostWord) return false;
    for (const char c : text)
        if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && others.find(c) == std::string_view::npos)
            return false;
    return true;
}

void put_word(Bytes& out, std::string_view word) {
    if (word.size() > kMostWord) word = "";
    put_u8(out, static_cast<std::uint8_t>(word.size()));
    put(out, word);
}

Result<std::string> take_word(ByteReader& reader, std::string_view others) {
    std::string word = to_text(TRY(reader.take(TRY(reader.u8()))));
    if (!is_word(word, others)) return Error(Code::corrupt, "no word");
    return word;
}

}  // namespace

Bytes encode_answer_head(char type, const ExtractedText& answer) {
    Bytes out;
    put_u8(out, static_cast<std::uint8_t>(type));
    put_u8(out, static_cast<std::uint8_t>(answer.completeness));
    put_word(out, answer.reason);
    put_word(out, answer.kind);
    const std::size_t remarks = std::min(answer.remarks.size(), kMostRemarks);
    put_u8(out, static_cast<std::uint8_t>(remarks));
    for (std::size_t i = 0; i < remarks; ++i) put_word(out, answer.remarks[i]);
    return out;
}

Result<ExtractedText> parse_answer(char type, ByteView frame) {
    ByteReader reader(frame);
    if (TRY(reader.u8()) != static_cast<std::uint8_t>(type)) return Error(Code::corrupt, "no answer");
    const std::uint8_t completeness = TRY(reader.u8());
    if (completeness > 2) return Error(Code::corrupt, "no such completeness");
    ExtractedText out;
    out.completeness = static_cast<Completeness>(completeness);
    out.reason = TRY(take_word(reader, ""));
    out.kind = TRY(take_word(reader, ""));
    const std::uint8_t remarks = TRY(reader.u8());
    if (remarks > kMostRemarks) return Error(Code::corrupt, "too many remarks");
    for (int i = 0; i < remarks; ++i) {
        std::string word = TRY(take_word(reader, ":"));
        if (!word.empty()) out.remarks.push_back(std::move(word));
    }
    out.text = repair_utf8(as_text(TRY(reader.take(reader.remaining()))));
    return out;
}

}  // namespace kustos::ingest
