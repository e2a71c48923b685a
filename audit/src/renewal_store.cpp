// Manifests of renewals, and the folders they lie in.
#include <algorithm>

#include "audit/renewal.h"
#include "audit/src/token_folder.h"
#include "base/crypto.h"

namespace kustos::audit {

namespace {

constexpr std::string_view kMagic = "kustos.renewal/1";
constexpr std::uint64_t kMaxManifest = 256u << 20;

Error bad(const char* what) {
    return Error(Code::bad_input, std::string("renewal manifest: ") + what);
}

Result<std::uint32_t> number_of(std::string_view text, std::uint32_t most) {
    if (text.empty() || text.size() > 9 || (text.size() > 1 && text[0] == '0')) return bad("a number");
    std::uint32_t v = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') return bad("a number");
        v = v * 10 + static_cast<std::uint32_t>(c - '0');
    }
    if (v > most) return bad("a number is too large");
    return v;
}

std::vector<std::string_view> words(std::string_view line) {
    std::vector<std::string_view> out;
    while (true) {
        const std::size_t space = line.find(' ');
        out.push_back(line.substr(0, space));
        if (space == std::string_view::npos) return out;
        line = line.substr(space + 1);
    }
}

std::string six_digits(std::uint32_t number) {
    const std::string text = std::to_string(number);
    return std::string(text.size() < 6 ? 6 - text.size() : 0, '0') + text;
}

}  // namespace

std::string RenewalManifest::format() const {
    std::string text(kMagic);
    text += "\nkind ";
    text += kind == RenewalKind::time_stamp ? "time-stamp" : "hash-tree";
    text += "\nalgorithm ";
    text += digest_name(algorithm);
    text += "\n";
    for (const TokenName& t : covers) {
        text += t.renewal == 0 ? "anchor " + t.span.folder() : "renewal " + std::to_string(t.renewal);
        text += " " + std::to_string(t.number) + " " + t.hash.hex() + "\n";
    }
    return text;
}

Result<RenewalManifest> RenewalManifest::parse(std::string_view text) {
    RenewalManifest manifest;
    std::size_t number = 0;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        if (end == std::string_view::npos) return bad("ends inside a line");
        const std::string_view line = text.substr(0, end);
        text = text.substr(end + 1);
        switch (number++) {
            case 0:
                if (line != kMagic) return bad("is of another format");
                continue;
            case 1:
                if (line != "kind time-stamp" && line != "kind hash-tree") return bad("names no kind");
                manifest.kind = line == "kind time-stamp" ? RenewalKind::time_stamp : RenewalKind::hash_tree;
                continue;
            case 2:
                if (!line.starts_with("algorithm ")) return bad("names no algorithm");
                manifest.algorithm = TRY(parse_digest_name(line.substr(10)));
                if (digest_name(manifest.algorithm) != line.substr(10)) return bad("names no algorithm");
                continue;
            default:
                break;
        }
        const auto parts = words(line);
        if (parts.size() != 4) return bad("a line that is no token's");
        TokenName token;
        if (parts[0] == "anchor") {
            token.span = TRY(AnchorSpan::parse(parts[1]));
        } else if (parts[0] == "renewal" && manifest.kind == RenewalKind::time_stamp) {
            token.renewal = TRY(number_of(parts[1], 999'999));
            if (token.renewal == 0) return bad("names renewal 0");
        } else {
            return bad("a line that is no token's");
        }
        token.number = TRY(number_of(parts[2], kMaxAnchorTokens - 1));
        token.hash = TRY(Hash::parse(parts[3]));
        if (token.hash.hex() != parts[3]) return bad("a hash is not lower case");
        manifest.covers.push_back(token);
    }
    if (manifest.covers.empty()) return bad("covers nothing");
    return manifest;
}

std::uint64_t RenewalManifest::leaves() const {
    if (kind == RenewalKind::time_stamp) return covers.size();
    std::uint64_t sum = 0;
    for (const TokenName& t : covers) sum += 1 + t.span.size.value - t.span.previous.value;
    return sum;
}

Path RenewalStore::folder(std::uint32_t number) const {
    return dir_ / six_digits(number);
}

Result<std::vector<Renewal>> RenewalStore::list() const {
    std::vector<Renewal> renewals;
    if (!fs_->exists(dir_)) return renewals;
    for (const std::string& name : TRY_IN("renewals", fs_->list(dir_))) {
        if (name == "pending") continue;
        const std::string where = "ledger/renewals/" + name;
        if (name.size() != 6 || !std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; }))
            return Error(Code::corrupt, where + " is no renewal's folder");
        Renewal renewal;
        renewal.number = static_cast<std::uint32_t>(std::stoul(name));
        if (renewal.number != renewals.size() + 1)
            return Error(Code::corrupt, where + ": the one before it is missing");
        const Bytes manifest = TRY_IN(where, read_file(*fs_, dir_ / name / "manifest", kMaxManifest));
        renewal.manifest_hash = sha256(manifest);
        auto parsed = RenewalManifest::parse(as_text(manifest));
        if (!parsed.ok()) return Error(Code::corrupt, where + ": " + parsed.error().message());
        renewal.manifest = std::move(*parsed);
        renewal.tokens = TRY_IN(where, read_tokens(*fs_, dir_ / name));
        if (renewal.tokens.empty()) return Error(Code::corrupt, where + " has no token");
        renewals.push_back(std::move(renewal));
    }
    return renewals;
}

}  // namespace kustos::audit
