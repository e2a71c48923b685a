// What the parts of RemoteKeys share. Threads: pure.
#pragma once

#include "vault/opener_protocol.h"

namespace kustos::vault {

inline Error opener_away() {
    return Error(Code::closed, "the opener does not answer: the vault counts as closed")
        .with_hint("kustos opener serve --archive DIR --socket SOCKET, then kustos opener unlock");
}
inline OpenerRequest plain(OpenerAsk ask) {
    OpenerRequest request;
    request.ask = ask;
    return request;
}
inline OpenerRequest about(OpenerAsk ask, EntryIndex entry) {
    OpenerRequest request = plain(ask);
    request.entry = entry;
    return request;
}
inline OpenerRequest ordered(OpenerAsk ask, SecretBytes order) {
    OpenerRequest request = plain(ask);
    request.order = std::move(order);
    return request;
}
inline SecretBytes secret_of(Bytes&& bytes) {
    SecretBytes out(bytes);
    wipe(bytes);
    return out;
}

}  // namespace kustos::vault
