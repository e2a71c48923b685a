#include "audit/anchors.h"

#include <doctest/doctest.h>

#include "audit/timestamp.h"
#include "tests/support/temp_dir.h"

using namespace kustos;
using namespace kustos::audit;

namespace {

AnchorSpan span(std::uint64_t previous, std::uint64_t size) {
    return {TreeSize(previous), TreeSize(size)};
}

struct Stored {
    test::TempDir dir;
    RealFs fs;
    AnchorStore anchors{fs, dir / "ledger"};
    Bytes note = to_bytes("note\n"), token = to_bytes("token");

    Stored() { REQUIRE(fs.make_dirs(dir / "ledger").ok()); }
    Path folder(const AnchorSpan& s) { return dir / "ledger/anchors" / s.folder(); }
};

// Cuts the power at the k-th change of the disk: that call and all later ones fail.
class FailingFs final : public Fs {
public:
    explicit FailingFs(int calls) : left_(calls) {}
    Result<std::unique_ptr<File>> open(const Path& path, OpenMode mode) override {
        if (mode != OpenMode::read) TRY(step());
        return real_.open(path, mode);
    }
    Status make_dirs(const Path& path) override {
        return change([&] { return real_.make_dirs(path); });
    }
    Status rename(const Path& from, const Path& to) override {
        return change([&] { return real_.rename(from, to); });
    }
    Status remove(const Path& path) override {
        return change([&] { return real_.remove(path); });
    }
    Status sync_dir(const Path& path) override {
        return change([&] { return real_.sync_dir(path); });
    }
    bool exists(const Path& path) override { return real_.exists(path); }
    Result<std::vector<std::string>> list(const Path& path) override { return real_.list(path); }
    Result<bool> is_dir(const Path& path) override { return real_.is_dir(path); }

private:
    Status step() {
        if (left_-- <= 0) return Error(Code::environment, "power failed");
        return {};
    }
    template <class Change>
    Status change(Change change_now) {
        TRY(step());
        return change_now();
    }
    RealFs real_;
    int left_;
};

}  // namespace

TEST_CASE("anchors are stored, listed by size and read back") {
    Stored s;
    CHECK(s.anchors.list().value().empty());
    CHECK(s.anchors.store(span(100, 250), s.note, s.token, "builtin").value() == 0);
    CHECK(s.anchors.store(span(0, 100), to_bytes("first\n"), to_bytes("t0"), "builtin").value() == 0);
    CHECK(s.anchors.store(span(100, 250), s.note, to_bytes("second"), "tsa.example").value() == 1);
    CHECK(s.anchors.list().value() == std::vector{span(0, 100), span(100, 250)});
    const Anchor anchor = s.anchors.read(span(100, 250)).value();
    CHECK(anchor.note == s.note);
    REQUIRE(anchor.tokens.size() == 2);
    CHECK(anchor.tokens[0].authority == "builtin");
    CHECK(anchor.tokens[0].token == s.token);
    CHECK(anchor.tokens[1].number == 1);
    CHECK(anchor.tokens[1].authority == "tsa.example");
    CHECK(span(100, 250).folder() == "000000000100-000000000250");
    CHECK(s.fs.list(s.folder(span(0, 100))).value() == std::vector<std::string>{"0.authority", "0.der", "note"});
}

TEST_CASE("the same store again changes nothing, another note is a conflict") {
    Stored s;
    CHECK(s.anchors.store(span(0, 5), s.note, s.token, "builtin").value() == 0);
    CHECK(s.anchors.store(span(0, 5), s.note, s.token, "builtin").value() == 0);
    CHECK(s.anchors.read(span(0, 5))->tokens.size() == 1);
    const auto other = s.anchors.store(span(0, 5), to_bytes("nota\n"), s.token, "builtin");
    REQUIRE_FALSE(other.ok());
    CHECK(other.error().code() == Code::conflict);
    CHECK(s.anchors.read(span(0, 6)).error().code() == Code::not_found);
}

TEST_CASE("limits hold") {
    Stored s;
    CHECK(s.anchors.store(span(0, 5), s.note, Bytes(kMaxToken + 1), "builtin").error().code() == Code::limit);
    CHECK(s.anchors.store(span(0, 5), Bytes(kMaxAnchorNote + 1), s.token, "builtin").error().code() == Code::limit);
    for (unsigned n = 0; n < kMaxAnchorTokens; ++n)
        CHECK(s.anchors.store(span(0, 5), s.note, {{7, std::uint8_t(n)}}, "a").value() == n);
    CHECK(s.anchors.store(span(0, 5), s.note, s.token, "a").error().code() == Code::limit);
}

TEST_CASE("a foreign name and damaged files are told") {
    Stored s;
    REQUIRE(s.anchors.store(span(0, 5), s.note, s.token, "builtin").ok());
    for (const char* content : {"", "builtin", "../x\n", "two\nlines\n"}) {
        REQUIRE(replace_file(s.fs, s.folder(span(0, 5)) / "0.authority", as_bytes(content)).ok());
        CHECK(s.anchors.read(span(0, 5)).error().code() == Code::corrupt);
    }
    for (const char* name : {"x", "000000000005-000000000005", "000000000006-000000000005", "0-5",
                             "000000000000-00000000000a", "00000000000-0000000000005"}) {
        CAPTURE(std::string(name));
        CHECK_FALSE(AnchorSpan::parse(name).ok());
    }
    CHECK(AnchorSpan::parse("000000000000-999999999999").ok());
    REQUIRE(s.fs.make_dirs(s.dir / "ledger/anchors/old").ok());
    CHECK(s.anchors.list().error().code() == Code::corrupt);
}

TEST_CASE("wherever the power fails, an anchor is whole or absent, and the next store completes it") {
    bool finished = false;
    for (int calls = 0; !finished && calls < 100; ++calls) {
        CAPTURE(calls);
        Stored s;
        FailingFs failing(calls);
        const auto result = AnchorStore(failing, s.dir / "ledger").store(span(0, 5), s.note, s.token, "builtin");
        finished = result.ok();
        const auto listed = s.anchors.list();
        REQUIRE(listed.ok());
        if (!listed->empty()) {
            const auto anchor = s.anchors.read(span(0, 5));
            REQUIRE(anchor.ok());
            CHECK(anchor->note == s.note);
            CHECK(anchor->tokens.size() == 1);
        }
        // even another authority's token
        REQUIRE(s.anchors.store(span(0, 5), s.note, to_bytes("again"), "other").ok());
        REQUIRE(s.anchors.store(span(0, 5), s.note, s.token, "builtin").ok());
        const auto anchor = s.anchors.read(span(0, 5));
        REQUIRE(anchor.ok());
        CHECK(anchor->tokens.size() == 2);
        for (const AnchorToken& token : anchor->tokens) {
            CHECK(token.authority == (token.token == s.token ? "builtin" : "other"));
        }
        const auto names = s.fs.list(s.folder(span(0, 5)));
        for (const std::string& name : *names) {
            CHECK_MESSAGE(name.find(".tmp") == std::string::npos, "left over: " << name);
        }
    }
    CHECK(finished);
}

TEST_CASE("which anchor proves what") {
    const std::vector<AnchorSpan> anchors{span(0, 100), span(100, 250), span(250, 260)};
    CHECK(newest_anchor(anchors) == span(250, 260));
    CHECK(newest_covering(anchors, TreeSize(100)) == span(250, 260));
    CHECK(newest_covering(anchors, TreeSize(260)) == span(250, 260));
    CHECK_FALSE(newest_covering(anchors, TreeSize(261)));
    CHECK(first_covering(anchors, TreeSize(100)) == span(0, 100));
    CHECK(first_covering(anchors, TreeSize(101)) == span(100, 250));
    CHECK_FALSE(first_covering(anchors, TreeSize(261)));
    CHECK(anchor_of(anchors, EntryIndex(0)) == span(0, 100));
    CHECK(anchor_of(anchors, EntryIndex(99)) == span(0, 100));
    CHECK(anchor_of(anchors, EntryIndex(100)) == span(100, 250));
    CHECK_FALSE(anchor_of(anchors, EntryIndex(260)));
    CHECK_FALSE(newest_anchor({}));
    CHECK_FALSE(newest_covering({}, TreeSize(0)));
}
