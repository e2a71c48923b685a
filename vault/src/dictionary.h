// The dictionaries that are compiled in (docs/format/payload.md, "Dictionaries"). None is ever removed or changed: what
// was packed with one opens only with the same bytes. Threads: any.
#pragma once

#include "base/compress.h"

namespace kustos::vault {

ByteView dictionary_1_file();          // vault/dictionary/1.zdict
const ZstdDictionary& dictionary_1();  // compression 2

}  // namespace kustos::vault
