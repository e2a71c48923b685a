// Comparing parts of a source with the attachments they hold, where neither fits memory.
#pragma once

#include <functional>

#include "base/spool.h"
#include "vault/recipe_step.h"

namespace kustos::vault {

// The shape of a base64 text: the first line's length, the first line's ending, whether the end has one.
RecipeStep shape_of(ByteView encoded);
Result<RecipeStep> shape_of_spooled(const SpoolPart& encoded);
// Whether `give` gives exactly the bytes of `part`.
Result<bool> same_content(const SpoolPart& part, const std::function<Status(const ByteSink&)>& give);
// Whether the text, decoded by decode_lenient()'s rule, is that content.
Result<bool> decodes_to(const SpoolPart& base64_text, const SpoolPart& content);
Result<Hash> hash_of(const SpoolPart& part);

}  // namespace kustos::vault
