// Makes tests/fuzz/corpus/{note,witness,signer} anew, from authored data alone. Usage: make_wire_corpus CORPUS-FOLDER
#include <iostream>

#include "audit/checkpoint.h"
#include "audit/cosignature.h"
#include "audit/entry.h"
#include "audit/signer.h"
#include "audit/tlog_proof.h"
#include "audit/trust.h"
#include "audit/witness.h"
#include "base/clock.h"
#include "tests/fuzz/wire_keys.h"

using namespace kustos;
using namespace kustos::audit;

namespace {

const UtcTime kNow{1'800'000'000'000};

struct Tree {
    std::vector<Hash> leaves;
    explicit Tree(std::size_t count, std::uint8_t salt = 0) {
        for (std::size_t i = 0; i < count; ++i)
            leaves.push_back(leaf_hash(Bytes{static_cast<std::uint8_t>(i), i > 4 ? salt : std::uint8_t{0}}));
    }
    NodeSource nodes() const {
        return [this](unsigned level, std::uint64_t index) -> Result<Hash> {
            const std::size_t width = std::size_t{1} << level;
            return root_of(std::span(leaves).subspan(index * width, width));
        };
    }
    TreeHead head(std::uint64_t size) const { return {TreeSize(size), root_of(std::span(leaves).first(size))}; }
    std::string note(std::uint64_t size) const {
        return sign_note(format_checkpoint({test::kWireOrigin, TreeSize(size), head(size).root, {}}),
                         test::wire_log_key());
    }
    std::string request(std::uint64_t old_size, std::uint64_t size) const {
        AddCheckpoint r{TreeSize(old_size), {}, note(size)};
        if (old_size != 0 && old_size < size) r.proof = *consistency_proof(TreeSize(old_size), TreeSize(size), nodes());
        return r.format();
    }
};

Status write(const Path& folder, const char* name, ByteView bytes) {
    RealFs fs;
    TRY(fs.make_dirs(folder));
    return replace_file(fs, folder / name, bytes);
}
Status write(const Path& folder, const char* name, const std::string& text) {
    return write(folder, name, as_bytes(text));
}

Status make_notes(const Path& folder) {
    const Tree tree(9);
    const std::string note = tree.note(9), text = note.substr(0, note.find("\n\n") + 1);
    const std::string line = cosign(text, test::wire_witness_key(), kNow);
    TRY(write(folder, "checkpoint", text + "an extension\n"));
    TRY(write(folder, "note", note));
    TRY(write(folder, "cosigned", add_signature_line(note, line)));
    const std::string empty = format_checkpoint({test::kWireOrigin, TreeSize(0), empty_root(), {}});
    TRY(write(folder, "witness-answer", cosign(empty, test::wire_witness_key(), kNow)));
    TRY(write(folder, "log.vkey", test::wire_log_key().verifier().format()));
    TRY(write(folder, "witness.key", test::wire_witness_key().format().view()));
    TlogProof proof;
    proof.index = EntryIndex(5);
    proof.proof = TRY(inclusion_proof(EntryIndex(5), TreeSize(9), tree.nodes()));
    proof.note = add_signature_line(note, line);
    TRY(write(folder, "tlog-proof", proof.format()));
    const std::string trust = "# who is believed\nlog " + test::wire_log_key().verifier().format() + "\nwitness w " +
                              test::wire_witness_key().verifier().format() +
                              " https://w.example/\ngroup g 1 w\nquorum g\ndigest sha256 2040-01-01\n";
    TRY(write(folder, "trust", trust));
    return write(folder, "trust-signed", sign_note(trust, test::wire_log_key()));
}

Status make_requests(const Path& folder) {
    const Tree tree(40), fork(40, 1);
    TRY(write(folder, "0-first", tree.request(0, 3)));
    TRY(write(folder, "1-grows", tree.request(3, 20)));
    TRY(write(folder, "2-same", tree.request(20, 20)));
    TRY(write(folder, "3-old", tree.request(3, 20)));
    TRY(write(folder, "4-fork", fork.request(20, 31)));
    TRY(write(folder, "5-other-root", fork.request(20, 20)));
    TRY(write(folder, "6-above", tree.request(21, 20)));
    std::string unknown = tree.request(20, 31);
    TRY(write(folder, "7-more-signatures", unknown + cosign(tree.note(31), test::wire_witness_key(), kNow)));
    unknown.replace(unknown.find("0000"), 4, "1111");
    TRY(write(folder, "8-unknown", unknown));
    return write(folder, "9-empty", tree.request(0, 0));
}

void put_head(Bytes& out, const TreeHead& head) {
    put_u64(out, head.size.value);
    put(out, head.root.view());
}
void put_hashes(Bytes& out, std::span<const Hash> hashes) {
    put_u32(out, static_cast<std::uint32_t>(hashes.size()));
    for (const Hash& h : hashes) put(out, h.view());
}
void put_block(Bytes& out, ByteView bytes) {
    put_u32(out, static_cast<std::uint32_t>(bytes.size()));
    put(out, bytes);
}

Status make_messages(const Path& folder) {
    const Tree tree(9);
    const auto advance = [&](std::uint64_t from, std::uint64_t to) {
        Bytes m{4};
        put_head(m, from == 0 ? empty_head() : tree.head(from));
        put_head(m, tree.head(to));
        CompactRange range;
        for (std::uint64_t i = 0; i < from; ++i) range.append(tree.leaves[i]);
        put_hashes(m, range.hashes());
        put_hashes(m, std::span(tree.leaves).subspan(from, to - from));
        return m;
    };
    TRY(write(folder, "advance-1", advance(0, 2)));
    TRY(write(folder, "advance-2", advance(2, 3)));
    Bytes sign{5};
    put(sign, tree.leaves[0].view());
    TRY(write(folder, "sign", sign));
    Bytes next{6}, elsewhere{6};
    put_block(next, {});
    put_block(elsewhere, as_bytes("pkcs11:token=x?module-path=/x.so&pin-source=file:/x"));
    TRY(write(folder, "next-elsewhere", elsewhere));
    Bytes take{8};
    Entry entry;
    entry.header.kind = Kind::control;
    entry.body = Body(ControlAction::key_rotated)
                     .put_time(Tag::time, kNow)
                     .put_text(Tag::vkey, test::wire_log_key().verifier().format())
                     .encode();
    TlogProof proof{EntryIndex(0), {}, tree.note(1)};
    put_block(take, encode(entry));
    put_block(take, as_bytes(proof.format()));
    TRY(write(folder, "take", take));
    Bytes several{0};
    for (const Bytes& one : {Bytes{1}, Bytes{2}, Bytes{3}, Bytes{7}, next, Bytes{7}, sign}) {
        put_u8(several, static_cast<std::uint8_t>(one.size()));
        put(several, one);
    }
    return write(folder, "several", several);
}

Status make(const Path& folder) {
    TRY(make_notes(folder / "note"));
    TRY(make_requests(folder / "witness"));
    return make_messages(folder / "signer");
}

}  // namespace

int main(int argc, char** argv) {
    const Status done = argc == 2 ? make(argv[1]) : Status(Error(Code::usage, "give the folder"));
    if (!done.ok()) std::cerr << done.error().message() << "\n";
    return done.ok() ? 0 : 1;
}
