// kustos-verify: the outsider's verifier. Static, offline, links only base and audit.
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <map>
#include <string>

#include "audit/evidence_record.h"
#include "audit/report_html.h"
#include "audit/tlog_proof.h"
#include "audit/verify_archive.h"
#include "audit/verify_bundle.h"
#include "audit/verify_draw.h"
#include "audit/verify_report.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/fs.h"
#include "base/progress.h"

namespace {

using namespace kustos;

constexpr const char* kUsage =
    "usage: kustos-verify BUNDLE.pdf|REPORT.pdf|ARCHIVE_DIR [--trust FILE [--trust-key KEY]] [--json] [--html FILE]\n"
    "                     [--lang de|en]\n"
    "       kustos-verify ARCHIVE_DIR --since FILE | --sample N --nonce HEX   ... and the options above\n"
    "       kustos-verify --evidence-record FILE.ers [--data FILE]... [--digest ALG:HEX]... [--trust FILE] [--json]\n"
    "       kustos-verify --tlog-proof FILE --data ENTRY --trust FILE [--json]\n"
    "Checks an evidence bundle, a signed verification report, a whole archive, or an RFC 4998 evidence record, "
    "offline\n"
    "and without keys. --html writes what was found as one page for people. --since remembers in FILE what was "
    "verified:\n"
    "the next call proves that it is still there and looks only at what is new. --sample checks entries that the nonce "
    "draws.\n"
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

// What the command line says.
struct Call {
    std::string subject, record_file, proof_file;
    std::vector<audit::EvidenceObject> objects;
    std::string trust_file, trust_key, language, html_file, since_file, nonce;
    std::uint64_t sample = 0;
    bool json = false;
};

// An exit code: help, version, or what is wrong with the call.
std::optional<int> read_call(Fs& fs, int argc, char** argv, Call& c) {
    if (const char* lang = std::getenv("LANG"); lang != nullptr) c.language = std::string(lang).substr(0, 2);
    const std::map<std::string, std::string*> texts = {{"--trust", &c.trust_file},
                                                       {"--trust-key", &c.trust_key},
                                                       {"--lang", &c.language},
                                                       {"--html", &c.html_file},
                                                       {"--evidence-record", &c.record_file},
                                                       {"--tlog-proof", &c.proof_file},
                                                       {"--since", &c.since_file},
                                                       {"--nonce", &c.nonce}};
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
            c.json = true;
        } else if (const auto text = texts.find(a); text != texts.end() && more) {
            *text->second = argv[++i];
        } else if (a == "--sample" && more) {
            const std::string n = argv[++i];
            const auto [end, error] = std::from_chars(n.data(), n.data() + n.size(), c.sample);
            if (error != std::errc() || end != n.data() + n.size() || c.sample == 0)
                return complain(Error(Code::usage, "--sample takes a number"), 2);
        } else if ((a == "--data" || a == "--digest") && more) {
            auto object = object_of(fs, a, argv[++i]);
            if (!object.ok()) return complain(object.error(), a == "--data" ? 6 : 2);
            c.objects.push_back(std::move(*object));
        } else if (a.empty() || a[0] == '-' || !c.subject.empty()) {
            std::cerr << kUsage;
            return 2;
        } else {
            c.subject = a;
        }
    }
    const int subjects = !c.subject.empty() + !c.record_file.empty() + !c.proof_file.empty();
    const bool proof_call = c.objects.size() == 1 && c.objects[0].content && !c.trust_file.empty();
    const bool of_archive = !c.since_file.empty() || c.sample != 0 || !c.html_file.empty();
    if (subjects != 1 || (c.trust_file.empty() && !c.trust_key.empty()) || (c.subject.empty() && of_archive) ||
        (!c.subject.empty() && !c.objects.empty()) || (!c.proof_file.empty() && !proof_call) ||
        (c.sample != 0) == c.nonce.empty() || (c.sample != 0 && !c.since_file.empty())) {
        std::cerr << kUsage;
        return 2;
    }
    return std::nullopt;
}

struct TrustFile {
    std::optional<audit::Trust> trust;
    Hash digest{};
};

// Absent: it was complained about, and `code` says how to end.
std::optional<TrustFile> read_trust(Fs& fs, const Call& c, int& code) {
    TrustFile file;
    if (c.trust_file.empty()) return file;
    const auto bytes = read_file(fs, c.trust_file, audit::kMaxTrustFile);
    if (!bytes.ok()) {
        code = complain(Error(Code::environment, "the trust file can't be read"), 6);
        return std::nullopt;
    }
    std::optional<audit::VerifierKey> signer;
    if (!c.trust_key.empty()) {
        auto key = audit::VerifierKey::parse(c.trust_key);
        if (!key.ok()) {
            code = complain(key.error(), 2);
            return std::nullopt;
        }
        signer = std::move(*key);
    }
    auto parsed = audit::parse_trust(as_text(*bytes), c.record_file.empty(), signer);
    if (!parsed.ok()) {
        code = complain(parsed.error(), 2);
        return std::nullopt;
    }
    file.trust = std::move(*parsed);
    file.digest = sha256(*bytes);
    return file;
}

// An archive: whole, or from where the last call ended. Absent: an exit code.
std::optional<audit::Report> check_archive(Fs& fs, const Call& c, const TrustFile& trust, int& code) {
    if (c.sample != 0) {
        const auto nonce = parse_hex(c.nonce);
        if (!nonce.ok()) {
            code = complain(Error(Code::usage, "--nonce takes hex"), 2);
            return std::nullopt;
        }
        if (const auto fits = audit::draw_entries(Hash{}, TreeSize(0), *nonce, c.sample); !fits.ok()) {
            code = complain(fits.error(), 2);
            return std::nullopt;
        }
        return audit::verify_drawn(fs, c.subject, *nonce, c.sample, trust.trust);
    }
    audit::VerifyOptions options;
    options.trust = trust.trust;
    options.trust_digest = trust.digest;
    if (!c.since_file.empty() && fs.exists(c.since_file)) {
        const auto bytes = read_file(fs, c.since_file, audit::kMaxVerifiedState);
        auto state =
            bytes.ok() ? audit::VerifiedState::parse(as_text(*bytes)) : Result<audit::VerifiedState>(bytes.error());
        if (!state.ok()) {
            code = complain(state.error(), bytes.ok() ? 2 : 6);
            return std::nullopt;
        }
        options.since = std::move(*state);
    }
    install_interrupt_handler();
    const SystemClock clock;
    Progress progress(clock, "verify", "entries", 0);
    options.progress = [&progress](std::uint64_t done, std::uint64_t total) {
        progress.expect(total);
        progress.advance_to(done);
    };
    options.stop = interrupt_requested;
    audit::Verification found = audit::verify_archive(fs, c.subject, options);
    progress.finish();
    if (!c.since_file.empty() && found.state) {
        if (!replace_file(fs, c.since_file, as_bytes(found.state->format())).ok()) {
            code = complain(Error(Code::environment, "the file of --since can't be written"), 6);
            return std::nullopt;
        }
    }
    if (found.interrupted) {
        code = complain(
            Error(Code::interrupted, "interrupted")
                .with_hint(c.since_file.empty() ? "with --since FILE the next call goes on where this one ended"
                                                : "call it again to go on"),
            130);
        return std::nullopt;
    }
    return std::move(found.report);
}

}  // namespace

int main(int argc, char** argv) {
    RealFs fs;
    Call c;
    int code = 0;
    if (const auto ends = read_call(fs, argc, argv, c)) return *ends;
    const auto trust_file = read_trust(fs, c, code);
    if (!trust_file) return code;
    const std::optional<audit::Trust>& trust = trust_file->trust;
    if (!c.record_file.empty()) {
        const auto bytes = read_file(fs, c.record_file, audit::kMaxEvidenceRecord);
        if (!bytes.ok()) return complain(bytes.error(), 6);
        const auto report = audit::verify_evidence_record(*bytes, c.objects, trust, SystemClock().now());
        std::cout << (c.json ? report.to_json() + "\n" : report.to_text(c.language));
        return report.ok ? 0 : 1;
    }
    if (!c.proof_file.empty()) return check_proof(fs, c.proof_file, *c.objects[0].content, *trust, c.json);
    const auto is_dir = fs.is_dir(c.subject);
    if (!is_dir.ok()) return complain(Error(Code::environment, "there is no such file or folder"), 6);
    audit::Report report;
    if (*is_dir) {
        auto found = check_archive(fs, c, *trust_file, code);
        if (!found) return code;
        report = std::move(*found);
    } else if (!c.since_file.empty() || c.sample != 0) {
        return complain(Error(Code::usage, "--since and --sample are for archives, not for a file"), 2);
    } else {
        const auto bytes = read_file(fs, c.subject, kMaxBundle);
        if (!bytes.ok()) return complain(bytes.error(), 6);
        auto signed_report = audit::verify_report(*bytes, trust);
        report = signed_report ? std::move(*signed_report) : audit::verify_bundle(*bytes, trust);
    }
    if (trust && trust->signature_ignored) report.remark(audit::RemarkCode::trust_unsigned);
    std::cout << (c.json ? report.to_json() + "\n" : report.to_text(c.language));
    if (!c.html_file.empty()) {
        const Path name = Path(c.subject).filename();
        const audit::ReportPage page{name.empty() ? c.subject : name.string(), "kustos-verify " KUSTOS_VERSION,
                                     SystemClock().now()};
        const std::string html = audit::report_html(report, page, c.language);
        if (const Status written = replace_file(fs, c.html_file, as_bytes(html)); !written.ok())
            return complain(Error(Code::environment, "the HTML file can't be written"), 6);
    }
    return report.ok ? 0 : 1;
}
