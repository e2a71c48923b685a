// kustos-verify: the outsider's verifier. Static, offline, links only base and audit.
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>

#include "audit/evidence_record.h"
#include "audit/verify_archive.h"
#include "audit/verify_bundle.h"
#include "base/clock.h"
#include "base/fs.h"

namespace {

using namespace kustos;

constexpr const char* kUsage =
    "usage: kustos-verify BUNDLE.pdf|ARCHIVE_DIR [--trust FILE] [--json] [--lang de|en]\n"
    "       kustos-verify --evidence-record FILE.ers [--data FILE]... [--digest ALG:HEX]... [--trust FILE] [--json]\n"
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

}  // namespace

int main(int argc, char** argv) {
    RealFs fs;
    std::string record_file;
    std::vector<audit::EvidenceObject> objects;
    std::string subject, trust_file, language;
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
        } else if (a == "--lang" && more) {
            language = argv[++i];
        } else if (a == "--evidence-record" && more) {
            record_file = argv[++i];
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
    if (subject.empty() == record_file.empty() || (record_file.empty() && !objects.empty())) {
        std::cerr << kUsage;
        return 2;
    }
    std::optional<audit::Trust> trust;
    if (!trust_file.empty()) {
        const auto bytes = read_file(fs, trust_file, audit::kMaxTrustFile);
        if (!bytes.ok()) return complain(Error(Code::environment, "the trust file can't be read"), 6);
        auto parsed = audit::parse_trust(as_text(*bytes));
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
    const auto is_dir = fs.is_dir(subject);
    if (!is_dir.ok()) return complain(Error(Code::environment, "there is no such file or folder"), 6);
    audit::Report report;
    if (*is_dir) {
        audit::VerifyOptions options;
        options.trust = trust;
        report = audit::verify_archive(fs, subject, options);
    } else {
        const auto bytes = read_file(fs, subject, kMaxBundle);
        if (!bytes.ok()) return complain(bytes.error(), 6);
        report = audit::verify_bundle(*bytes, trust);
    }
    std::cout << (json ? report.to_json() + "\n" : report.to_text(language));
    return report.ok ? 0 : 1;
}
