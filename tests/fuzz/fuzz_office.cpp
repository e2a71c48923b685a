// Office documents from a stranger. The input is the zip itself where it starts as one. Else it is parts, so that the
// fuzzer need not learn to compress: "name|content type\\n" and the part up to a NUL, again and again.
#include <cstdlib>

#include "base/text.h"
#include "ingest/extractor/number_format.h"
#include "ingest/extractor/package.h"
#include "tests/ingest/zip_builder.h"

namespace {

kustos::Bytes zip_of(std::string_view parts) {
    kustos::test::ZipBuilder zip;
    std::string types = "<Types>";
    while (!parts.empty()) {
        const std::size_t end = std::min(parts.find('\0'), parts.size());
        const std::string_view part = parts.substr(0, end);
        parts.remove_prefix(std::min(end + 1, parts.size()));
        const std::size_t line = std::min(part.find('\n'), part.size());
        const std::size_t bar = std::min(part.substr(0, line).find('|'), line);
        const std::string name(part.substr(0, bar)),
            type(part.substr(std::min(bar + 1, line), line - std::min(bar + 1, line)));
        if (!type.empty()) types += "<Override PartName='/" + name + "' ContentType='" + type + "'/>";
        zip.add(name, std::string(part.substr(std::min(line + 1, part.size()))));
    }
    zip.add("[Content_Types].xml", types + "</Types>");
    return zip.bytes();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace kustos;
    constexpr std::uint64_t kMost = 4096;
    const std::string_view input = as_text(ByteView(data, size));
    const Bytes zip = input.substr(0, 2) == "PK" ? to_bytes(input) : zip_of(input);
    extractor::Reading reading(kMost);
    const auto package = extractor::open_package(zip, reading);
    const auto text =
        reading.finish(package.refusal.empty() ? extractor::read_office(zip, package, reading) : package.refusal);
    if (text.text.size() > kMost * 3 || !is_valid_utf8(text.text)) std::abort();
    const std::size_t half = input.size() / 2;
    static_cast<void>(extractor::shown_number(input.substr(0, half), input.substr(half), false));
    static_cast<void>(extractor::shown_number("45351.7512", input, true));
    return 0;
}
