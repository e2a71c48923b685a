// What a slot of a chip or a token keeps beside the wrapped root key.
#pragma once

#include "base/pkcs11.h"
#include "base/tpm.h"
#include "vault/slots.h"

namespace kustos::vault {

struct TpmDetails {
    std::string address;
    Tpm::Sealed sealed;
};
Bytes encode(const TpmDetails& details);
Result<TpmDetails> decode_tpm_details(ByteView bytes);

struct TokenDetails {
    TokenUri uri;
    Bytes sealed;
};
Bytes encode(const TokenDetails& details);
Result<TokenDetails> decode_token_details(ByteView bytes);
// A slot names the program code that is loaded, and a slot may have been written by somebody else: the module and the
// folders that lead to it must be root's, and writable for nobody else. Code::denied.
Status check_module(const Path& module);

Result<NewSlot> make_tpm_slot(Environment e, const SlotOrder& order, ByteView root, const VaultId& vault);
Result<NewSlot> make_token_slot(Environment e, const SlotOrder& order, ByteView root, const VaultId& vault);
Result<SecretBytes> open_tpm_slot(const Slot& slot, const TpmSecret& secret, const VaultId& vault);
Result<SecretBytes> open_token_slot(Environment e, const Slot& slot, const TokenSecret& secret, const VaultId& vault);

}  // namespace kustos::vault
