// The evidence key: P-256, with a certificate that the archive signs for itself.
#pragma once

#include "audit/cms_signature.h"
#include "base/clock.h"
#include "base/ids.h"
#include "base/random.h"
#include "base/secret.h"

namespace kustos::audit {

inline constexpr int kEvidenceYears = 30;

struct EvidenceKey {
    SecretBytes private_key_der;  // PKCS#8
    Bytes certificate_der;        // X.509 v3, CN "Kustos evidence <first 8 hex digits of the vault id>"
};

Result<EvidenceKey> make_evidence_key(Random& random, UtcTime now, const VaultId& vault);
// As they lie on disk: PEM. Code::corrupt: not what was written, or the key is not the certificate's.
Result<SecretBytes> private_key_pem(const EvidenceKey& key);
Result<Bytes> certificate_pem(const EvidenceKey& key);
Result<EvidenceKey> parse_evidence_key(ByteView private_key_pem, ByteView certificate_pem);

// For a key that can't be seen: point is 0x04 || x || y. DER.
Result<Bytes> make_evidence_certificate(ByteView point, const EcdsaSign& sign, Random& random, UtcTime now,
                                        const VaultId& vault);
Result<Bytes> parse_evidence_certificate(ByteView certificate_pem, ByteView point);  // Code::corrupt: another key's
Result<Bytes> certificate_pem(ByteView certificate_der);

}  // namespace kustos::audit
