// Makes tests/fuzz/corpus/token anew, from authored data alone: requests, and the answers of a builtin authority that
// lives for the length of this program. Usage: make_token_corpus FOLDER
#include <iostream>

#include "audit/tsa_authority.h"
#include "base/crypto.h"

using namespace kustos;
using namespace kustos::audit;

namespace {

Status make(const Path& folder) {
    RealFs fs;
    const FixedClock clock(TRY(parse_rfc3339("2026-03-02T10:00:00.250Z")));
    SystemRandom random;
    const Path home = folder / "authority.tmp";
    const auto authority = TRY(BuiltinAuthority::create({fs, clock, random}, home));
    const auto write = [&](const char* name, ByteView bytes) { return replace_file(fs, folder / name, bytes); };

    const Hash imprint = sha256(as_bytes("Prüfbericht Talblick, Fassung 3"));
    TimestampRequest request = TimestampRequest::make(imprint, random);
    TRY(write("query.tsq", request.encode()));
    const Bytes granted = TRY(authority->answer(request.encode()));
    TRY(write("granted.tsr", granted));
    TRY(write("token.der", TRY(token_from_response(granted))));

    request.certificates = false;
    request.nonce.clear();
    request.policy = BuiltinAuthority::kPolicy;
    request.imprint = Imprint(DigestAlgorithm::sha512, Bytes(64, 0x5A));
    TRY(write("query-plain-sha512.tsq", request.encode()));
    TRY(write("granted-without-certificates.tsr", TRY(authority->answer(request.encode()))));

    request.policy = "1.2.3.4.1";
    TRY(write("query-policy.tsq", request.encode()));
    TRY(write("rejected.tsr", TRY(authority->answer(request.encode()))));
    std::filesystem::remove_all(home);
    return {};
}

}  // namespace

int main(int argc, char** argv) {
    const Status done = argc == 2 ? make(argv[1]) : Status(Error(Code::usage, "give the folder"));
    if (!done.ok()) std::cerr << done.error().message() << "\n";
    return done.ok() ? 0 : 1;
}
