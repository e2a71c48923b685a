// CMS from a stranger's mail: never a crash, and nothing counts as signed but what OpenSSL finds a signer for. Input:
// u8 length of the content, content, CMS.
#include <algorithm>
#include <cstdlib>

#include "ingest/src/smime.h"

using namespace kustos::ingest;

namespace {

void consider(const SignatureVerdict& verdict) {
    if (verdict.signers.size() > static_cast<std::size_t>(kMaxSigners)) std::abort();
    if (verdict.state == SignatureVerdict::State::valid && verdict.signers.empty()) std::abort();
    if (verdict.state == SignatureVerdict::State::unreadable && !verdict.signers.empty()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::size_t length = std::min<std::size_t>(data[0], size - 1);
    const kustos::ByteView content(data + 1, length), cms(data + 1 + length, size - 1 - length);
    const CmsKind kind = cms_kind(cms);
    consider(check_detached(cms, content));
    if (const auto opened = open_signed(cms)) {
        consider(opened->verdict);
        // What is opened is signed-data, and the first bytes say so: else such a mail would not be opened at all.
        if (opened->content.size() > cms.size()) std::abort();
        if (opened->verdict.state == SignatureVerdict::State::valid && kind == CmsKind::enveloped_data) std::abort();
    }
    return 0;
}
