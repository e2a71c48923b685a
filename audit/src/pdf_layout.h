// The signature dictionary of a bundle, byte for byte: what append_signature() writes and find_signature() insists on.
#pragma once

#include <cstddef>
#include <string_view>

namespace kustos::audit {

// kSignatureHead " a b c]" spaces kSignatureGap '<' hex '>' kSignatureTail
inline constexpr std::string_view kSignatureHead =
    " 0 obj\n<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached /ByteRange [0";
inline constexpr std::string_view kSignatureGap = "/Contents ";
inline constexpr std::string_view kSignatureTail = " >>\nendobj\n";
inline constexpr std::size_t kGapBytes = 8'192;  // of DER, as written; hex takes twice as many characters
inline constexpr std::size_t kMaxGap = 128 * 1024;

}  // namespace kustos::audit
