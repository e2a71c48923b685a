#include "audit/note.h"

#include <doctest/doctest.h>

#include "audit/checkpoint.h"
#include "tests/support/doc_example.h"

using namespace kustos;
using namespace kustos::audit;

namespace {

SignerKey key_named(const std::string& name, std::uint8_t seed) {
    return SignerKey::make(name, Bytes(32, seed)).value();
}

bool refused(const std::string& note) {
    return !parse_note(as_bytes(note)).ok();
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
    const std::size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
}

Result<std::vector<VerifierKey>> verify(const std::string& note, const std::vector<VerifierKey>& keys) {
    return verify_note(parse_note(as_bytes(note)).value(), keys);
}

}  // namespace

TEST_CASE("golang.org/x/mod/sumdb/note's own key and note verify") {
    // From the package's documentation: PeterNeumann, "If you think cryptography is the answer ...".
    const auto key = VerifierKey::parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW");
    REQUIRE(key.ok());
    const std::string note =
        "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
        "\xE2\x80\x94 PeterNeumann "
        "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
    const auto verified = verify(note, {*key});
    REQUIRE(verified.ok());
    CHECK(verified->front() == *key);
    // One letter of the text.
    CHECK_FALSE(verify(replaced(note, "think", "thing"), {*key}).ok());
    // The private key of the same documentation signs the same bytes.
    const auto signer =
        SignerKey::parse(as_bytes("PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz\n"));
    REQUIRE(signer.ok());
    CHECK(sign_note(parse_note(as_bytes(note)).value().text, *signer) == note);
    const SecretBytes formatted = signer->format();
    CHECK(as_text(formatted.view()) ==
          "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz\n");
}

TEST_CASE("what is signed verifies, and a changed byte does not") {
    const SignerKey key = key_named("kustos.archive/test", 1);
    const std::string note = sign_note("kustos.archive/test\n5\n\ntext may have empty lines\n", key);
    REQUIRE(verify(note, {key.verifier()}).ok());
    for (std::size_t i = 0; i < note.size(); ++i) {
        std::string other = note;
        other[i] = static_cast<char>(other[i] ^ 1);
        const auto parsed = parse_note(as_bytes(other));
        if (!parsed.ok()) continue;
        if (verify_note(*parsed, std::vector<VerifierKey>{key.verifier()}).ok()) FAIL("byte " << i);
    }
}

TEST_CASE("signatures of unknown keys are ignored, a failing one of a known key is not") {
    const SignerKey ours = key_named("ours", 1), witness = key_named("witness", 2), stranger = key_named("stranger", 3);
    std::vector<SignerKey> keys;
    keys.push_back(key_named("ours", 1));
    keys.push_back(key_named("stranger", 3));
    const std::string note = sign_note("text\n", keys);
    CHECK(verify(note, {ours.verifier()}).value().size() == 1);
    CHECK(verify(note, {ours.verifier(), stranger.verifier()}).value().size() == 2);
    CHECK_FALSE(verify(note, {witness.verifier()}).ok());  // nobody known
    CHECK_FALSE(verify(note, {}).ok());
    // ours is good, the known stranger's signature is over another text
    const std::string other = sign_note("other\n", stranger);
    const std::string line = other.substr(other.find("\n\n") + 2);
    const std::string mixed = sign_note("text\n", ours) + line;
    CHECK(verify(mixed, {ours.verifier()}).ok());
    CHECK_FALSE(verify(mixed, {ours.verifier(), stranger.verifier()}).ok());
    // The same name and id with another key: refused rather than guessed.
    VerifierKey twin = stranger.verifier();
    twin.name = ours.name;
    twin.key_id = ours.verifier().key_id;
    CHECK_FALSE(verify(note, {ours.verifier(), twin}).ok());
    // A name that matches with another id is somebody else.
    twin.key_id ^= 1;
    CHECK_FALSE(verify(note, {twin}).ok());
}

TEST_CASE("at least sixteen signatures are accepted, and a hundred is the end") {
    std::vector<SignerKey> keys;
    std::vector<VerifierKey> known;
    for (std::uint8_t i = 0; i < 100; ++i) {
        keys.push_back(key_named("key" + std::to_string(i), i));
        known.push_back(keys.back().verifier());
    }
    CHECK(verify(sign_note("text\n", std::span<const SignerKey>(keys).first(16)), known).value().size() == 16);
    const std::string full = sign_note("text\n", keys);
    CHECK(verify(full, known).value().size() == 100);
    CHECK(refused(full + full.substr(full.rfind("\xE2\x80\x94"))));
}

TEST_CASE("a malformed note is refused") {
    const SignerKey key = key_named("name", 1);
    const std::string note = sign_note("text\n", key);
    REQUIRE_FALSE(refused(note));
    CHECK(refused(""));
    CHECK(refused("text\n"));
    CHECK(refused("text\n\n"));
    CHECK(refused(note.substr(0, note.size() - 1)));        // no final newline
    CHECK(refused(replaced(note, "text\n\n", "text\n")));   // no empty line
    CHECK(refused(note + "\n"));                            // empty line at the end
    CHECK(refused(replaced(note, "\xE2\x80\x94 ", "- ")));  // another dash
    CHECK(refused(replaced(note, "\xE2\x80\x94 ", "\xE2\x80\x94")));
    CHECK(refused(replaced(note, " name ", "  ")));  // no name
    CHECK(refused(replaced(note, "name", "na+me")));
    CHECK(refused(replaced(note, "name ", "name\t")));
    CHECK(refused(replaced(note, "text", "te\rt")));
    CHECK(refused(replaced(note, "text", "te\xFFt")));  // not UTF-8
    CHECK(refused(replaced(note, "=\n", "\n")));
    CHECK(refused("text\n\n\xE2\x80\x94 name AAAA\n"));    // shorter than key id and one byte
    CHECK(refused("text\n\n\xE2\x80\x94 name AAAAAA\n"));  // not padded
    CHECK(refused("text\n\n\xE2\x80\x94 name AAAAAA==x\n"));
    CHECK(refused("text\n\n\xE2\x80\x94 name AAAAAB==\n"));  // unused bits
    CHECK(refused("text\n\n\xE2\x80\x94 name AAAA AAA=\n"));
    CHECK(refused(std::string(kMaxNote, 'a') + "\n" + note));
}

TEST_CASE("a verifier key is refused unless its id is its hash") {
    const std::string good = key_named("name", 1).verifier().format();
    REQUIRE(VerifierKey::parse(good).ok());
    for (const std::string& bad :
         {std::string(), std::string("name"), std::string("name+00000000"), replaced(good, "name", "nam"),
          replaced(good, "name", ""), replaced(good, "name", "na me"), good + "=", good.substr(0, good.size() - 4),
          replaced(good, "+A", "+B"), std::string("na\xC2\xA0me") + good.substr(4),
          std::string("na\xE2\x80\x83me") + good.substr(4)}) {
        CAPTURE(bad);
        CHECK_FALSE(VerifierKey::parse(bad).ok());
    }
    CHECK_FALSE(SignerKey::make("a b", Bytes(32)).ok());
    CHECK_FALSE(SignerKey::make("a", Bytes(31)).ok());
}

TEST_CASE("a checkpoint has an origin, a plain number and a root") {
    const Checkpoint checkpoint{"kustos.archive/00", TreeSize{12}, empty_root(), {}};
    const std::string text = format_checkpoint(checkpoint);
    CHECK(parse_checkpoint(text).value() == checkpoint);
    CHECK(parse_checkpoint(text + "extension\n").value().extensions.size() == 1);
    for (const std::string& bad :
         {std::string(), std::string("a\n1\n"), "\n" + text, text.substr(0, text.size() - 1), text + "x", text + "\n",
          replaced(text, "12", "012"), replaced(text, "12", "-1"), replaced(text, "12", "+1"), replaced(text, "12", ""),
          replaced(text, "12", "1 2"), replaced(text, "12", "99999999999999999999"), replaced(text, "=\n", "\n"),
          replaced(text, "47DE", "47D")}) {
        CAPTURE(bad);
        CHECK_FALSE(parse_checkpoint(bad).ok());
    }
    CHECK(parse_checkpoint(replaced(text, "12", "0")).value().size.value == 0);
}

TEST_CASE("a checkpoint opens only under its own origin's key") {
    const SignerKey key = key_named("kustos.archive/00", 1), other = key_named("kustos.archive/01", 1);
    const std::string text = format_checkpoint({key.name, TreeSize{1}, empty_root(), {}});
    CHECK(open_checkpoint(as_bytes(sign_note(text, key)), key.verifier()).ok());
    CHECK_FALSE(open_checkpoint(as_bytes(sign_note(text, key)), other.verifier()).ok());
    CHECK_FALSE(open_checkpoint(as_bytes(sign_note(text, other)), other.verifier()).ok());
}

TEST_CASE("the checkpoint on the format page is what the page's key signs") {
    const std::string note = test::doc_text("ledger.md", "checkpoint");
    const std::string vkey = test::doc_text("ledger.md", "vkey");
    const SignerKey key = SignerKey::make(origin_of(VaultId{}), Bytes(32, 7)).value();
    CHECK(key.verifier().format() + "\n" == vkey);
    CHECK(sign_note(format_checkpoint({key.name, TreeSize{3}, sha256(as_bytes("root")), {}}), key) == note);
    CHECK(open_checkpoint(as_bytes(note), VerifierKey::parse(vkey.substr(0, vkey.size() - 1)).value()).ok());
}

TEST_CASE("the key file on the format page is that key") {
    const std::string line = test::doc_text("signer.md", "checkpoint-key");
    const SignerKey key = SignerKey::make(origin_of(VaultId{}), Bytes(32, 7)).value();
    const auto read = SignerKey::parse(as_bytes(std::string_view(line).substr(0, line.size() - 1)));
    REQUIRE(read.ok());
    CHECK(read->verifier() == key.verifier());
    CHECK(as_text(key.format().view()) == line);
}
