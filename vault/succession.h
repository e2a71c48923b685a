// A record that is sealed again without one of its attachments: how a small attachment, which is part of its record, is
// erased (the original is destroyed afterwards). Threads: pure.
#pragma once

#include <vector>

#include "vault/payload.h"

namespace kustos::vault {

inline constexpr const char* kAttachmentErased = "attachment-erased";  // a note of the new record

// The message as it was sealed, less the content of these attachments: name, type and size stay, the content is marked
// as missing. The source's bytes lose what stood for the content; where it is not known which bytes that is, the new
// record has none. fetch: content of the attachments that stay and are blobs. Code::not_found: no such attachment.
Result<Message> without_attachments(const OpenedPayload& opened, const std::vector<std::size_t>& numbers,
                                    const BlobFetcher& fetch);

}  // namespace kustos::vault
