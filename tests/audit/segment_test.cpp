#include "audit/segment.h"

#include <doctest/doctest.h>

#include <deque>
#include <filesystem>
#include <map>

#include "tests/audit/failing_fs.h"
#include "tests/audit/sample_entries.h"
#include "tests/support/doc_example.h"
#include "tests/support/temp_dir.h"

using namespace kustos;
using namespace kustos::audit;
using namespace kustos::test;

namespace {

constexpr SegmentLimits kSmall{4'000, 20, 1'024};

// Entries with and without payload, and what their frames must say.
class Samples {
public:
    const SampleSealed& at(std::uint64_t index) {
        while (all_.size() <= index) add(all_.size());
        return all_[index];
    }
    HeaderSource headers() {
        return [this](EntryIndex i) -> Result<EntryHeader> { return at(i.value).entry.header; };
    }

private:
    void add(std::uint64_t index) {
        if (index % 7 == 3) {
            all_.push_back({sample_control(index), {}});
        } else if (index % 11 == 5) {
            all_.push_back(sample_sealed(random_, index, kOwnFileFrom + index, Kind::blob));
        } else {
            all_.push_back(sample_sealed(random_, index, 16 + random_.next() % 700));
        }
    }
    SeededRandom random_{11};
    std::deque<SampleSealed> all_;  // references stay
};

Status append(SegmentWriter& writer, Samples& samples, std::uint64_t from, std::uint64_t end) {
    for (std::uint64_t i = from; i < end; ++i) {
        TRY(writer.append(EntryIndex{i}, samples.at(i).entry.header, samples.at(i).ciphertext));
    }
    return {};
}

std::map<std::string, Bytes> contents(const Path& dir) {
    RealFs fs;
    std::map<std::string, Bytes> out;
    for (const auto& file : std::filesystem::recursive_directory_iterator(dir)) {
        if (file.is_regular_file()) out[file.path().filename().string()] = read_file(fs, file.path(), 1 << 28).value();
    }
    return out;
}

// The files as the format page says, written down once more: frames, closing rule, zero tail.
std::map<std::string, Bytes> expected(Samples& samples, std::uint64_t count, const SegmentLimits& limits) {
    std::map<std::string, Bytes> out;
    std::string current;
    std::uint64_t first = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
        const SampleSealed& s = samples.at(i);
        Bytes frame;
        put_u64(frame, s.ciphertext.size());
        put(frame, s.ciphertext);
        char name[32];
        if (has_own_file(s.entry.header)) {
            std::snprintf(name, sizeof name, "%012d.blob", static_cast<int>(i));
            out[name] = frame;
            continue;
        }
        if (current.empty() || out[current].size() >= limits.bytes || i - first >= limits.entries) {
            std::snprintf(name, sizeof name, "%012d.seg", static_cast<int>(i));
            current = name;
            first = i;
        }
        put(out[current], frame);
    }
    if (!current.empty()) out[current].resize((out[current].size() + limits.step - 1) / limits.step * limits.step);
    return out;
}

void check_readable(Fs& fs, const Path& dir, Samples& samples, std::uint64_t count) {
    const SegmentReader reader(fs, dir, samples.headers());
    for (std::uint64_t n = 0; n < count; ++n) {
        const std::uint64_t i = (n * 37) % count;  // not in order
        const SampleSealed& s = samples.at(i);
        const auto frame = reader.ciphertext(EntryIndex{i}, 1 << 24);
        if (s.ciphertext.empty()) {
            CHECK(frame.error().code() == Code::not_found);
        } else if (!frame.ok() || *frame != s.ciphertext) {
            FAIL("frame " << i);
        }
    }
}

}  // namespace

TEST_CASE("frames lie where the format page says, whatever the batches") {
    RealFs disk;
    FailingFs fs(disk);
    for (const std::uint64_t batch : {1ULL, 3ULL, 50ULL}) {
        TempDir dir;
        Samples samples;
        const auto writer = SegmentWriter::open(fs, dir.path(), TreeSize{0}, samples.headers(), kSmall).value();
        for (std::uint64_t i = 0; i < 100; i += batch) {
            const std::uint64_t end = std::min<std::uint64_t>(i + batch, 100);
            REQUIRE(append(*writer, samples, i, end).ok());
            if (batch > 3) CHECK_FALSE(writer->changes().empty());
            REQUIRE(writer->sync().ok());
            writer->committed();
            CHECK(writer->changes().empty());
        }
        CHECK(contents(dir.path()) == expected(samples, 100, kSmall));
        check_readable(fs, dir.path(), samples, 100);
    }
}

TEST_CASE("the compacted frames on the format page are read") {
    RealFs fs;
    TempDir dir;
    REQUIRE(fs.make_dirs(dir / "segments").ok());
    REQUIRE(replace_file(fs, segment_file(dir.path(), EntryIndex{0}), doc_example("segments.md", "compacted segment"))
                .ok());
    SeededRandom random(1);
    const SampleSealed sealed = sample_sealed(random, 1, 20);
    const SegmentReader reader(fs, dir.path(), [&](EntryIndex i) -> Result<EntryHeader> {
        return i.value == 1 ? sealed.entry.header : sample_control(i.value).header;
    });
    for (const std::uint64_t i : {0, 1, 2}) CHECK(reader.frame(EntryIndex{i}).error().code() == Code::not_found);
}

TEST_CASE("the frames on the format page are read") {
    RealFs fs;
    TempDir dir;
    const Bytes bytes = doc_example("segments.md", "segment");
    REQUIRE(fs.make_dirs(dir / "segments").ok());
    REQUIRE(replace_file(fs, segment_file(dir.path(), EntryIndex{0}), bytes).ok());
    SeededRandom random(1);
    SampleSealed sealed = sample_sealed(random, 1, 20);
    const HeaderSource headers = [&](EntryIndex i) -> Result<EntryHeader> {
        return i.value == 1 ? sealed.entry.header : sample_control(i.value).header;
    };
    const SegmentReader reader(fs, dir.path(), headers);
    CHECK(reader.ciphertext(EntryIndex{0}, 100).error().code() == Code::not_found);
    CHECK(reader.ciphertext(EntryIndex{1}, 100).value() == Bytes(bytes.begin() + 16, bytes.begin() + 36));
    CHECK(reader.ciphertext(EntryIndex{1}, 19).error().code() == Code::limit);
    CHECK(reader.ciphertext(EntryIndex{2}, 100).error().code() == Code::not_found);
}

TEST_CASE("what a batch did to the segments is told, and rolled back") {
    RealFs fs;
    TempDir dir;
    Samples samples;
    const auto writer = SegmentWriter::open(fs, dir.path(), TreeSize{0}, samples.headers(), kSmall).value();
    REQUIRE(append(*writer, samples, 0, 10).ok());
    REQUIRE(writer->sync().ok());
    CHECK(writer->changes().size() == 1);
    CHECK(writer->changes()[0].before == 0);
    writer->committed();
    REQUIRE(append(*writer, samples, 10, 70).ok());  // several segments and blobs further
    REQUIRE(writer->flush().ok());
    const auto changes = writer->changes();
    CHECK(changes.size() > 2);
    CHECK(changes[0].first.value == 0);
    CHECK(changes[0].before > 0);
    REQUIRE(writer->rollback().ok());
    CHECK(writer->changes().empty());
    CHECK(contents(dir.path()) == expected(samples, 10, kSmall));
    REQUIRE(append(*writer, samples, 10, 40).ok());
    REQUIRE(writer->sync().ok());
    writer->committed();
    CHECK(contents(dir.path()) == expected(samples, 40, kSmall));
}

TEST_CASE("a restart cuts back what was not committed") {
    RealFs disk;
    FailingFs fs(disk);
    Samples samples;
    for (std::uint64_t committed = 0; committed <= 60; committed += committed < 25 ? 1 : 5) {
        CAPTURE(committed);
        TempDir dir;
        {
            const auto writer = SegmentWriter::open(fs, dir.path(), TreeSize{0}, samples.headers(), kSmall).value();
            REQUIRE(append(*writer, samples, 0, 60).ok());
            REQUIRE(writer->sync().ok());
        }
        const auto writer = SegmentWriter::open(fs, dir.path(), TreeSize{committed}, samples.headers(), kSmall).value();
        CHECK(contents(dir.path()) == expected(samples, committed, kSmall));
        REQUIRE(append(*writer, samples, committed, 61).ok());
        REQUIRE(writer->sync().ok());
        CHECK(contents(dir.path()) == expected(samples, 61, kSmall));
    }
}

TEST_CASE("after a failed write the writer ends, and a restart goes on from what was committed") {
    RealFs disk;
    FailingFs real(disk);
    Samples samples;
    for (int k = 0; k < 60; ++k) {
        CAPTURE(k);
        TempDir dir;
        FailingFs fs(disk);
        const auto writer = SegmentWriter::open(fs, dir.path(), TreeSize{0}, samples.headers(), kSmall).value();
        REQUIRE(append(*writer, samples, 0, 15).ok());
        REQUIRE(writer->sync().ok());
        writer->committed();
        fs.fail_from(k);
        const Status failed = append(*writer, samples, 15, 50);
        const Status synced = failed.ok() ? writer->sync() : failed;
        if (synced.ok()) break;
        fs.heal();
        if (failed.ok()) {
            CHECK(writer->sync().error().code() == Code::read_only);
            CHECK(
                writer->append(EntryIndex{50}, samples.at(50).entry.header, samples.at(50).ciphertext).error().code() ==
                Code::read_only);
            CHECK(writer->rollback().error().code() == Code::read_only);
        }
        const auto again = SegmentWriter::open(real, dir.path(), TreeSize{15}, samples.headers(), kSmall).value();
        CHECK(contents(dir.path()) == expected(samples, 15, kSmall));
        REQUIRE(append(*again, samples, 15, 50).ok());
        REQUIRE(again->sync().ok());
        CHECK(contents(dir.path()) == expected(samples, 50, kSmall));
    }
}

TEST_CASE("missing committed frames are corrupt, not forgotten") {
    RealFs fs;
    TempDir dir;
    Samples samples;
    {
        const auto writer = SegmentWriter::open(fs, dir.path(), TreeSize{0}, samples.headers(), kSmall).value();
        REQUIRE(append(*writer, samples, 0, 30).ok());
        REQUIRE(writer->sync().ok());
    }
    const EntryIndex last = list_segments(fs, dir.path()).value().back();
    const auto file = fs.open(segment_file(dir.path(), last), OpenMode::read_write).value();
    REQUIRE(file->truncate(9).ok());
    CHECK(SegmentWriter::open(fs, dir.path(), TreeSize{30}, samples.headers(), kSmall).error().code() == Code::corrupt);
    const SegmentReader reader(fs, dir.path(), samples.headers());
    CHECK(reader.ciphertext(last, 1 << 24).error().code() == Code::corrupt);
    std::uint8_t wrong[8] = {0, 0, 0, 0, 0, 0, 0, 1};
    REQUIRE(file->write_at(0, wrong).ok());
    CHECK(reader.ciphertext(last, 1 << 24).error().code() == Code::corrupt);
    REQUIRE(fs.remove(blob_file(dir.path(), EntryIndex{5})).ok());
    CHECK(reader.ciphertext(EntryIndex{5}, 1 << 24).error().code() == Code::corrupt);
    const auto segments = list_segments(fs, dir.path()).value();
    for (const EntryIndex first : segments) {
        REQUIRE(fs.remove(segment_file(dir.path(), first)).ok());
    }
    CHECK(reader.ciphertext(EntryIndex{1}, 1 << 24).error().code() == Code::corrupt);
    CHECK(SegmentWriter::open(fs, dir.path(), TreeSize{30}, samples.headers(), kSmall).error().code() == Code::corrupt);
}

TEST_CASE("a removed ciphertext is not found, and the frames behind it still are") {
    RealFs fs;
    TempDir dir;
    Samples samples;
    Bytes file;
    for (std::uint64_t i = 0; i < 3; ++i) {
        const Bytes& ciphertext = samples.at(i).ciphertext;
        put_u64(file, i == 1 ? 0 : ciphertext.size());
        if (i != 1) put(file, ciphertext);
    }
    REQUIRE(fs.make_dirs(dir / "segments").ok());
    REQUIRE(replace_file(fs, segment_file(dir.path(), EntryIndex{0}), file).ok());
    const SegmentReader reader(fs, dir.path(), samples.headers());
    CHECK(reader.ciphertext(EntryIndex{1}, 1 << 20).error().code() == Code::not_found);
    CHECK(reader.ciphertext(EntryIndex{2}, 1 << 20).value() == samples.at(2).ciphertext);
}

TEST_CASE(
    "any of hundreds of frames is found, in whatever order one asks and wherever a removed one or a blob stands") {
    RealFs fs;
    TempDir dir;
    SeededRandom random(9);
    std::vector<SampleSealed> samples;
    for (std::uint64_t i = 0; i < 300; ++i)
        samples.push_back(i % 97 == 5 ? sample_sealed(random, i, kOwnFileFrom, Kind::blob)
                                      : sample_sealed(random, i, static_cast<std::size_t>(20 + i % 50)));
    const HeaderSource headers = [&](EntryIndex i) -> Result<EntryHeader> {
        if (i.value >= samples.size()) return Error(Code::not_found, "no such entry yet");
        return samples[i.value].entry.header;
    };
    const auto removed = [](std::uint64_t i) { return i % 64 == 63 || i % 64 == 0; };
    Bytes file;
    for (std::uint64_t i = 0; i < samples.size(); ++i) {
        if (has_own_file(samples[i].entry.header)) continue;
        put_u64(file, removed(i) ? 0 : samples[i].ciphertext.size());
        if (!removed(i)) put(file, samples[i].ciphertext);
    }
    REQUIRE(fs.make_dirs(dir / "segments").ok());
    REQUIRE(replace_file(fs, segment_file(dir.path(), EntryIndex{0}), file).ok());
    const SegmentReader reader(fs, dir.path(), headers);
    const auto check = [&](std::uint64_t i) {
        CAPTURE(i);
        if (has_own_file(samples[i].entry.header)) return;
        const auto got = reader.ciphertext(EntryIndex{i}, 1 << 20);
        CHECK(got.ok() != removed(i));
        if (got.ok()) CHECK(*got == samples[i].ciphertext);
    };
    for (std::uint64_t i = 0; i < samples.size(); ++i) check(i * 131 % samples.size());
    for (std::uint64_t i = 0; i < samples.size(); ++i) check(i);
    for (std::uint64_t i = samples.size(); i-- > 0;) check(i);
}

TEST_CASE("a reader follows the writer, and a big blob may come in pieces") {
    RealFs fs;
    TempDir dir;
    SeededRandom random(4);
    const SampleSealed blob = sample_sealed(random, 0, kOwnFileFrom + 5, Kind::blob);
    const SampleSealed small = sample_sealed(random, 1, 100), next = sample_sealed(random, 2, 200);
    const HeaderSource headers = [&](EntryIndex i) -> Result<EntryHeader> {
        return (i.value == 0 ? blob : i.value == 1 ? small : next).entry.header;
    };
    const auto writer = SegmentWriter::open(fs, dir.path(), TreeSize{0}, headers, {150, 100, 64}).value();
    const SegmentReader reader(fs, dir.path(), headers);
    auto pieces = writer->begin_blob(EntryIndex{0}, blob.ciphertext.size()).value();
    REQUIRE(pieces.write(ByteView(blob.ciphertext).first(1'000)).ok());
    REQUIRE(pieces.write(ByteView(blob.ciphertext).subspan(1'000)).ok());
    REQUIRE(pieces.finish().ok());
    REQUIRE(writer->append_own_file(EntryIndex{0}, blob.entry.header).ok());
    CHECK(reader.ciphertext(EntryIndex{0}, 1 << 24).value() == blob.ciphertext);
    REQUIRE(writer->append(EntryIndex{1}, small.entry.header, small.ciphertext).ok());
    REQUIRE(writer->sync().ok());
    writer->committed();
    CHECK(reader.ciphertext(EntryIndex{1}, 1 << 24).value() == small.ciphertext);
    REQUIRE(writer->append(EntryIndex{2}, next.entry.header, next.ciphertext).ok());
    REQUIRE(writer->sync().ok());
    CHECK(reader.ciphertext(EntryIndex{2}, 1 << 24).value() == next.ciphertext);
    const Frame frame = reader.frame(EntryIndex{2}).value();
    std::array<std::uint8_t, 10> part{};
    REQUIRE(frame.read(50, part).ok());
    CHECK(std::equal(part.begin(), part.end(), next.ciphertext.begin() + 50));
    CHECK(frame.read(195, part).error().code() == Code::usage);
    CHECK(list_segments(fs, dir.path()).value().size() == 1);
    CHECK(list_blobs(fs, dir.path()).value().size() == 1);
}
