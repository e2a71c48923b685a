#include "audit/tlog_proof.h"

#include <algorithm>

namespace kustos::audit {

namespace {
constexpr std::string_view kMagic = "c2sp.org/tlog-proof@v1";
Error bad(const char* what) {
    return Error(Code::bad_input, std::string("tlog-proof: ") + what);
}
}  // namespace

std::string TlogProof::format() const {
    std::string text = std::string(kMagic) + "\nindex " + std::to_string(index.value) + "\n";
    for (const Hash& h : proof) text += base64(h.view()) + "\n";
    return text + "\n" + note;
}

Result<TlogProof> TlogProof::parse(ByteView bytes) {
    if (bytes.size() > kMaxNote) return Error(Code::limit, "tlog-proof: larger than 1 MiB");
    std::string_view text = as_text(bytes);
    const auto line = [&text]() -> Result<std::string_view> {
        const std::size_t end = text.find('\n');
        if (end == std::string_view::npos) return bad("ends early");
        const std::string_view found = text.substr(0, end);
        text.remove_prefix(end + 1);
        return found;
    };
    if (TRY(line()) != kMagic) return bad("another format");
    std::string_view index = TRY(line());
    if (index.starts_with("extra ")) {
        if (!parse_base64(index.substr(6)).ok()) return bad("extra data");
        index = TRY(line());
    }
    if (!index.starts_with("index ")) return bad("no index");
    index.remove_prefix(6);
    const bool digits = !index.empty() && index.size() <= 19 && (index.size() == 1 || index[0] != '0') &&
                        std::all_of(index.begin(), index.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (!digits) return bad("index");
    TlogProof proof;
    for (const char c : index) proof.index.value = proof.index.value * 10 + static_cast<std::uint64_t>(c - '0');
    while (true) {
        const std::string_view hash = TRY(line());
        if (hash.empty()) break;
        if (proof.proof.size() == 64) return bad("more than 64 hashes");
        proof.proof.push_back(TRY_IN("tlog-proof", Hash::from(TRY_IN("tlog-proof", parse_base64(hash)))));
    }
    proof.note = std::string(text);
    TRY(parse_note(as_bytes(proof.note)));
    return proof;
}

Result<Checkpoint> verify_tlog_proof(const TlogProof& proof, ByteView entry, const VerifierKey& log) {
    const Checkpoint checkpoint = TRY(open_checkpoint(as_bytes(proof.note), log));
    TRY(verify_inclusion(proof.index, checkpoint.size, leaf_hash(entry), proof.proof, checkpoint.root));
    return checkpoint;
}

}  // namespace kustos::audit
