// A request to the Matrix application service from anywhere: a first line "METHOD TARGET", then the body. Never a
// crash; nothing is taken without the token; what was answered with 200 is sealed, and the same again seals nothing
// more.
#include <cstdlib>

#include "base/text.h"
#include "ingest/src/json_value.h"
#include "ingest/src/matrix_service.h"
#include "tests/ingest/matrix_fakes.h"

using namespace kustos;
using namespace kustos::ingest;

namespace {

// A homeserver whose every page and file is the input itself.
class Mirror final : public MatrixHomeserver {
public:
    explicit Mirror(std::string_view text) : text_(text) {}
    Status media(std::string_view, const ByteSink& out) override { return out(as_bytes(text_)); }
    Result<MatrixPage> messages(std::string_view, std::string_view, std::string_view) override {
        return parse_matrix_page(text_);
    }
    Result<std::vector<std::string>> joined_rooms() override { return std::vector<std::string>(); }

private:
    std::string_view text_;
};

void check(const test::MemoryIntake& intake) {
    for (const auto& m : intake.messages)
        if (m.format != "matrix" || m.raw.empty() || !is_valid_utf8(m.body) || !is_valid_utf8(m.native_id))
            std::abort();
    for (const auto& [name, value] : intake.memory)
        if (value.size() > (64u << 10)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view all = as_text(ByteView(data, size));
    const std::size_t line = std::min(all.find('\n'), all.size()), space = std::min(all.find(' '), line);
    const std::string_view body = all.substr(std::min(line + 1, all.size()));
    MatrixRequest request{all.substr(0, space), all.substr(std::min(space + 1, line), line - std::min(space + 1, line)),
                          "", as_bytes(body)};
    test::MemoryIntake intake;
    Mirror mirror(body);
    MatrixTaker taker(intake, &mirror, "amt.example");
    MatrixRooms rooms(intake);
    constexpr std::string_view kToken = "0123456789abcdef";
    MatrixService service({SecretBytes(as_bytes(kToken)), "amt.example", "kustos", {}}, intake, taker, rooms);
    const bool shown = request.target.find(kToken) != std::string_view::npos;
    if (!shown && service.answer(request).status < 400) std::abort();
    if (!shown && (!intake.messages.empty() || !intake.memory.empty())) std::abort();
    request.authorization = "Bearer 0123456789abcdef";
    const MatrixAnswer first = service.answer(request);
    JsonParser parser;
    if (!parser.parse(as_bytes(first.body)).empty()) std::abort();
    const std::size_t sealed = intake.messages.size();
    const MatrixAnswer second = service.answer(request);
    if (second.status != first.status || intake.messages.size() != sealed) std::abort();
    check(intake);
    (void)taker.take([&] {
        std::vector<MatrixItem> items;
        if (auto page = parse_matrix_page(body); page.ok())
            for (Bytes& json : page->events) items.push_back(taker.parse(std::move(json), "!r:x"));
        return items;
    }());
    check(intake);
    return 0;
}
