// What is inside a ciphertext, and the key files beside it. A damaged medium or somebody who writes there decides the
// bytes; whatever is accepted is written again as the same bytes.
#include <cstdint>

#include "base/result.h"
#include "vault/boxes.h"
#include "vault/key_tree.h"
#include "vault/payload.h"
#include "vault/unlock.h"

using namespace kustos;
using namespace kustos::vault;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView bytes(data, size);
    if (const auto box = decode_box(bytes); box.ok()) CHECK(equal(encode(*box), bytes));
    // Version 1 is read and never written.
    if (const auto slots = decode_slots(bytes); slots.ok() && bytes[4] != 1) CHECK(equal(encode(*slots), bytes));
    if (const auto cover = KeyCover::decode(bytes); cover.ok()) CHECK(equal(cover->encode().view(), bytes));
    decode_lenient(bytes);

    auto payload = decode_payload(bytes);
    if (!payload.ok()) return 0;
    CHECK(equal(bytes[0] == 2 ? encode_compact(*payload) : encode(*payload), bytes));
    OpenedPayload opened;
    opened.payload = std::move(*payload);
    static_cast<void>(decompose(opened).ok());
    const BlobFetcher none = [](const BlobRef&, const ByteSink&) -> Status {
        return Error(Code::not_found, "no blobs here");
    };
    std::uint64_t given = 0;
    static_cast<void>(reconstruct_raw(opened, none, [&](ByteView piece) -> Status {
                          given += piece.size();
                          if (given > 1u << 20) return Error(Code::limit, "enough");
                          return ok_status();
                      }).ok());
    static_cast<void>(attachment_content(opened, 0, none).ok());
    static_cast<void>(blob_content(opened).ok());
    return 0;
}
