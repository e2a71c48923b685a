// The dictionaries that are compiled in (docs/format/payload.md, "Dictionaries"). None is ever removed or changed: what
// was packed with one opens only with the same bytes. Threads: any.
#pragma once

#include "base/compress.h"

namespace kustos::vault {

const ZstdDictionary& dictionary_1();  // compression 2; its bytes: dictionary_1_file() of vault/seal.h

}  // namespace kustos::vault
