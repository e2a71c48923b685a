#include "vault/src/dictionary.h"

#include "vault/seal.h"
#include "vault/src/payload_keys.h"

namespace kustos::vault {

extern const unsigned char kDictionary1[];  // vault/CMakeLists.txt makes it from vault/dictionary/1.zdict
extern const std::size_t kDictionary1Size;

ByteView dictionary_1_file() {
    return {kDictionary1, kDictionary1Size};
}

const ZstdDictionary& dictionary_1() {
    static const ZstdDictionary dictionary(dictionary_1_file(), kCompressionLevel);
    return dictionary;
}

}  // namespace kustos::vault
