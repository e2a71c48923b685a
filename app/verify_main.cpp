// kustos-verify: the outsider's verifier. Static, offline, links only base and audit.
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>

#include "audit/verify_archive.h"
#include "audit/verify_bundle.h"
#include "base/fs.h"

namespace {

constexpr const char* kUsage =
    "usage: kustos-verify BUNDLE.pdf|ARCHIVE_DIR [--trust FILE] [--json] [--lang de|en]\n"
    "Checks an evidence bundle or a whole archive, offline and without keys.\n"
    "Ends with 0 if nothing was found broken, 1 if something was, 2 if the call is wrong, 6 if a file can't be read.\n";
constexpr std::uint64_t kMaxBundle = 5ull << 30;

int complain(const kustos::Error& error, int code) {
    std::cerr << "kustos-verify: " << error.message() << "\n";
    if (!error.hint().empty()) std::cerr << "  " << error.hint() << "\n";
    return code;
}

}  // namespace

int main(int argc, char** argv) {
    using namespace kustos;
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
        } else if (a == "--evidence-record" || a == "--data" || a == "--digest") {
            std::cerr << "kustos-verify: " << a << " is not in this version\n";
            return 2;
        } else if (a.empty() || a[0] == '-' || !subject.empty()) {
            std::cerr << kUsage;
            return 2;
        } else {
            subject = a;
        }
    }
    if (subject.empty()) {
        std::cerr << kUsage;
        return 2;
    }
    RealFs fs;
    std::optional<audit::Trust> trust;
    if (!trust_file.empty()) {
        const auto bytes = read_file(fs, trust_file, audit::kMaxTrustFile);
        if (!bytes.ok()) return complain(Error(Code::environment, "the trust file can't be read"), 6);
        auto parsed = audit::parse_trust(as_text(*bytes));
        if (!parsed.ok()) return complain(parsed.error(), 2);
        trust = std::move(*parsed);
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
