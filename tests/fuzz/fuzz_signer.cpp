// Whatever a caller sends to the signer's process: an answer or a refusal, and its memory only ever grows by what it
// has added up itself. A first byte 0: the rest are several messages, each behind a byte with its length.
#include <cstdint>

#include "audit/net/signer_service.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "tests/audit/sim_fs.h"

using namespace kustos;
using namespace kustos::audit;

namespace {

struct Stand {
    test::SimFs fs;
    FixedClock clock{UtcTime{1'800'000'000'000}};
    SeededRandom random{1};
    std::unique_ptr<FileSigner> signer;
    Stand() {
        set_log_level(LogLevel::error);
        CHECK(FileSigner::create({fs, clock, random}, "/fuzz/signer", VaultId{}).ok());
        signer = *FileSigner::open({fs, clock, random}, "/fuzz/signer");
    }
};

void ask(Stand& stand, ByteView request) {
    const TreeHead before = *stand.signer->last();
    const Bytes reply = answer_signer_request(*stand.signer, {}, request);
    CHECK(!reply.empty() && reply[0] <= 1);
    const TreeHead after = *stand.signer->last();
    if (after == before) return;
    CHECK(reply[0] == 0 && after.size > before.size);
    CHECK(open_checkpoint(as_bytes(*stand.signer->note()), stand.signer->verifier())->head() == after);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static Stand stand;
    ByteView bytes(data, size);
    if (bytes.empty() || bytes[0] != 0) {
        ask(stand, bytes);
        return 0;
    }
    for (bytes = bytes.subspan(1); !bytes.empty();) {
        const std::size_t length = std::min<std::size_t>(bytes[0], bytes.size() - 1);
        ask(stand, bytes.subspan(1, length));
        bytes = bytes.subspan(1 + length);
    }
    return 0;
}
