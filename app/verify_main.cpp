// kustos-verify: the outsider's verifier. Static, offline, links only base and audit.
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>

#include "audit/evidence_record.h"
#include "audit/tlog_proof.h"
#include "audit/verify_archive.h"
#include "audit/verify_bundle.h"
#include "base/clock.h"
#include "base/fs.h"

namespace {

using namespace kustos;

constexpr const char* kUsage =
    "usage: kustos-verify BUNDLE.pdf|ARCHIVE_DIR [--trust FILE [--trust-key KEY]] [--json] [--lang de|en]\n"
    "       kustos-verify --evidence-record FILE.ers [--data FILE]... [--digest ALG:HEX]... [--trust FILE] [--json]\n"
    "       kustos-verify --tlog-proof FILE --data ENTRY --trust FILE [--json]\n"
    "Checks an evidence bundle, a whole archive, or an RFC 4998 evidence record, offline and without keys.\n"
    "Ends with 0 if nothing was found broken, 1 if something was, 2 if the call is wrong, 6 if a file can't be read.\n";
constexpr std::uint64_t kMaxBundle = 5ull << 30;

int complain(const kustos::Error& error, int code) {
    std::cerr << "kustos-verify: " << error.message() << "\n";
    if (!error.hint().empty()) std::cerr << "  " << error.hint() << "\n";
    return code;
}

// --data FILE: an object; its --digest ALG:HEX, one for each object that is not given itself.
Result<audit::EvidenceObject> object_of(Fs& fs, const std::string& option, const std::string& value) {
    audit::EvidenceObject object;
    object.name = value;
    if (option == "--data") {
        object.content = TRY(read_file(fs, value, kMaxBundle));
        return object;
    }
    const std::size_t colon = value.find(':');
    if (colon == std::string::npos) return Error(Code::usage, "--digest takes ALG:HEX, as in sha256:ab12...");
    const auto algorithm = TRY_IN("--digest", audit::parse_digest_name(value.substr(0, colon)));
    Bytes digest = TRY_IN("--digest", parse_hex(value.substr(colon + 1)));
    if (digest.size() != audit::digest_size(algorithm)) return Error(Code::usage, "--digest: its length does not fit");
    object.digests[algorithm] = std::move(digest);
    return object;
}

// A receipt: exit 0 only if the entry stands in the checkpoint of a ledger that the trust file names, cosigned as it
// asks.
int check_proof(Fs& fs, const std::string& file, ByteView entry, const audit::Trust& trust, bool json) {
    const auto bytes = read_file(fs, file, audit::kMaxNote);
    if (!bytes.ok()) return complain(bytes.error(), 6);
    const auto proof = audit::TlogProof::parse(*bytes);
    std::string problem = proof.ok() ? "no ledger of the trust file signed this checkpoint" : proof.error().message();
    std::optional<audit::Checkpoint> held;
    for (const audit::VerifierKey& log : trust.logs) {
        if (!proof.ok()) break;
        auto checked = audit::verify_tlog_proof(*proof, entry, log);
        if (checked.ok()) {
            held = std::move(*checked);
            break;
        }
        problem = checked.error().message();
    }
    bool witnessed = false;
    if (held) {
        const auto cosignatures =
            audit::verify_cosignatures(*audit::parse_note(as_bytes(proof->note)), trust.witness_keys());
        if (!cosignatures.ok()) {
            problem = cosignatures.error().message();
            held.reset();
        } else {
            witnessed = trust.witnessed(*cosignatures);
            if (!trust.quorum.empty() && !witnessed) {
                problem = "the checkpoint lacks the cosignatures that the trust file asks for";
                held.reset();
            }
        }
    }
    if (json) {
        std::cout << "{\"ok\":" << (held ? "true" : "false") << ",\"origin\":\""
                  << (held ? witnessed ? "witnessed" : "pinned" : "unknown") << "\"";
        if (held) std::cout << ",\"index\":" << proof->index.value << ",\"size\":" << held->size.value;
        std::cout << "}\n";
    } else if (held) {
        std::cout << "Proven: entry " << proof->index.value << " of " << held->origin << ", in its first "
                  << held->size.value << " entries" << (witnessed ? ", as witnesses have seen it" : "") << "\n";
    } else {
        std::cout << "Not proven: " << problem << "\n";
    }
    return held ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    RealFs fs;
    std::string record_file, proof_file;
    std::vector<audit::EvidenceObject> objects;
    std::string subject, trust_file, trust_key, language;
    bool json = false;
    if (const char* lang = std::getenv("LANG"); lang != nullptr) language = std::string(lang).substr(0, 2);
    for (int i = 1; i < argc; ++i) {
        const std::string a = argv[i];
        const bool more = i + 1 < argc;
        if (a == "--help" || a == "-h") {
            std::cout << kUsage;
            return 0;
        }
        if (a == "--version") {
            std::cout << "kustos-verify " KUSTOS_VERSION "\n";
            return 0;
        }
        if (a == "--json") {
            json = true;
        } else if (a == "--trust" && more) {
            trust_file = argv[++i];
        } else if (a == "--trust-key" && more) {
            trust_key = argv[++i];
        } else if (a == "--lang" && more) {
            language = argv[++i];
        } else if (a == "--evidence-record" && more) {
            record_file = argv[++i];
        } else if (a == "--tlog-proof" && more) {
            proof_file = argv[++i];
        } else if ((a == "--data" || a == "--digest") && more) {
            auto object = object_of(fs, a, argv[++i]);
            if (!object.ok()) return complain(object.error(), a == "--data" ? 6 : 2);
            objects.push_back(std::move(*object));
        } else if (a.empty() || a[0] == '-' || !subject.empty()) {
            std::cerr << kUsage;
            return 2;
        } else {
            subject = a;
        }
    }
    const int subjects = !subject.empty() + !record_file.empty() + !proof_file.empty();
    const bool proof_call = objects.size() == 1 && objects[0].content && !trust_file.empty();
    if (subjects != 1 || (trust_file.empty() && !trust_key.empty()) || (!subject.empty() && !objects.empty()) ||
        (!proof_file.empty() && !proof_call)) {
        std::cerr << kUsage;
        return 2;
    }
    std::optional<audit::Trust> trust;
    if (!trust_file.empty()) {
        const auto bytes = read_file(fs, trust_file, audit::kMaxTrustFile);
        if (!bytes.ok()) return complain(Error(Code::environment, "the trust file can't be read"), 6);
        std::optional<audit::VerifierKey> signer;
        if (!trust_key.empty()) {
            auto key = audit::VerifierKey::parse(trust_key);
            if (!key.ok()) return complain(key.error(), 2);
            signer = std::move(*key);
        }
        auto parsed = audit::parse_trust(as_text(*bytes), record_file.empty(), signer);
        if (!parsed.ok()) return complain(parsed.error(), 2);
        trust = std::move(*parsed);
    }
    if (!record_file.empty()) {
        const auto bytes = read_file(fs, record_file, audit::kMaxEvidenceRecord);
        if (!bytes.ok()) return complain(bytes.error(), 6);
        const auto report = audit::verify_evidence_record(*bytes, objects, trust, SystemClock().now());
        std::cout << (json ? report.to_json() + "\n" : report.to_text(language));
        return report.ok ? 0 : 1;
    }
    if (!proof_file.empty()) return check_proof(fs, proof_file, *objects[0].content, *trust, json);
    const auto is_dir = fs.is_dir(subject);
    if (!is_dir.ok()) return complain(Error(Code::environment, "there is no such file or folder"), 6);
    audit::Report report;
    if (*is_dir) {
        audit::VerifyOptions options;
        options.trust = trust;
        report = audit::verify_archive(fs, subject, options).report;
    } else {
        const auto bytes = read_file(fs, subject, kMaxBundle);
        if (!bytes.ok()) return complain(bytes.error(), 6);
        report = audit::verify_bundle(*bytes, trust);
    }
    if (trust && trust->signature_ignored) report.remark("who signed the trust file: no --trust-key was given");
    std::cout << (json ? report.to_json() + "\n" : report.to_text(language));
    return report.ok ? 0 : 1;
}
