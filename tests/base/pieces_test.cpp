// What comes in pieces: compressed frames, base64 of mails, files that get their name at the end.
#include <doctest/doctest.h>

#include "base/compress.h"
#include "base/lenient_base64.h"
#include "base/random.h"
#include "base/staged_file.h"
#include "tests/support/temp_dir.h"

using namespace kustos;

namespace {

Bytes text_of(std::size_t size) {
    SeededRandom random(9);
    Bytes out(size);
    for (auto& b : out) b = static_cast<std::uint8_t>('a' + random.next() % 4);
    return out;
}

Status read_in_pieces(ByteView stored, std::size_t piece, Bytes& out, bool& finished) {
    ZstdReader reader;
    for (std::size_t at = 0; at < stored.size(); at += piece) {
        TRY(reader.write(stored.subspan(at, std::min(piece, stored.size() - at)), [&out](ByteView plain) {
            CHECK(plain.size() <= 128u << 10);
            put(out, plain);
            return ok_status();
        }));
    }
    finished = reader.finished();
    return {};
}

}  // namespace

TEST_CASE("a frame written in pieces is read whole and in pieces, and the other way round") {
    for (const std::size_t size : {0u, 1u, 1000u, 700'000u}) {
        const Bytes plain = text_of(size);
        ZstdWriter writer(3);
        Bytes stored;
        for (std::size_t at = 0; at < size; at += 4097)
            writer.write(ByteView(plain).subspan(at, std::min<std::size_t>(4097, size - at)), stored);
        writer.finish(stored);
        CHECK(zstd_decompress(stored, size).value() == plain);
        for (const Bytes& frame : {stored, zstd_compress(plain, 3)}) {
            for (const std::size_t piece : {1u, 1009u, 1u << 20}) {
                Bytes out;
                bool finished = false;
                CHECK(read_in_pieces(frame, piece, out, finished).ok());
                CHECK(finished);
                CHECK(out == plain);
            }
        }
    }
}

TEST_CASE("a frame that is cut has no end, one that goes on behind its end is refused") {
    const Bytes stored = zstd_compress(text_of(100'000), 3);
    Bytes out;
    bool finished = true;
    CHECK(read_in_pieces(ByteView(stored).first(stored.size() - 1), 1009, out, finished).ok());
    CHECK_FALSE(finished);
    Bytes longer = stored;
    put_u8(longer, 0);
    CHECK(read_in_pieces(longer, 1009, out, finished).error().code() == Code::corrupt);
    CHECK(read_in_pieces(longer, longer.size(), out, finished).error().code() == Code::corrupt);
}

TEST_CASE("what would not shrink is not appended") {
    SystemRandom random;
    Bytes noise(500), out = to_bytes("head");
    random.fill(noise);
    CHECK_FALSE(zstd_append(noise, 3, out));
    CHECK(as_text(out) == "head");
    const Bytes text = text_of(500);
    CHECK(zstd_append(text, 3, out));
    CHECK(zstd_decompress(ByteView(out).subspan(4), 500).value() == text);
}

TEST_CASE("base64 is decoded by one rule, however it is cut") {
    const std::string text = "SGFs\r\nbG8g\n V2!Vs\tdA==ignored";
    for (std::size_t piece = 1; piece <= text.size(); ++piece) {
        LenientBase64Decoder decoder;
        Bytes out;
        for (std::size_t at = 0; at < text.size(); at += piece) decoder.write(as_bytes(text.substr(at, piece)), out);
        decoder.finish(out);
        CHECK(as_text(out) == "Hallo Welt");
    }
    CHECK(decode_lenient(as_bytes("QUJDR")) == to_bytes("ABC"));  // a rest of one character is dropped
}

TEST_CASE("a staged file has its name when it is whole, and leaves nothing when it is not") {
    const test::TempDir dir;
    RealFs fs;
    {
        auto file = StagedFile::create(fs, dir / "a", StagedFile::Existing::refuse);
        REQUIRE(file.ok());
        REQUIRE(file->write(as_bytes("one")).ok());
        CHECK_FALSE(fs.exists(dir / "a"));
    }
    CHECK(fs.list(dir.path()).value().empty());
    for (const char* content : {"one, longer", "two"}) {
        auto file = StagedFile::create(fs, dir / "a", StagedFile::Existing::replace);
        REQUIRE(file.ok());
        REQUIRE(file->write(as_bytes(content)).ok());
        REQUIRE(file->commit().ok());
        CHECK(to_text(read_file(fs, dir / "a", 100).value()) == content);
    }
    CHECK(fs.list(dir.path()).value() == std::vector<std::string>{"a"});
    CHECK(StagedFile::create(fs, dir / "a", StagedFile::Existing::refuse).error().code() == Code::conflict);
}
