// HMAC-SHA-512 (RFC 2104, FIPS 180-4), for exports whose source has authenticated them.
#pragma once

#include <memory>

#include "base/bytes.h"

namespace kustos::ingest {

// One thread at a time.
class HmacSha512 {
public:
    explicit HmacSha512(ByteView key);
    ~HmacSha512();
    HmacSha512(const HmacSha512&) = delete;
    HmacSha512& operator=(const HmacSha512&) = delete;
    void update(ByteView bytes);
    Bytes finish();  // 64 bytes; once

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace kustos::ingest
