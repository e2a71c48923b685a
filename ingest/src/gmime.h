// GMime behind a few helpers; the only header that includes it.
#pragma once

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wold-style-cast"
#pragma GCC diagnostic ignored "-Wcast-qual"
#include <gmime/gmime.h>
#pragma GCC diagnostic pop

#include <memory>
#include <vector>

#include "vault/message.h"

namespace kustos::ingest {

struct ObjectRelease {
    void operator()(gpointer object) const { g_object_unref(object); }
};
template <class T>
using Owned = std::unique_ptr<T, ObjectRelease>;

// g_mime_init once per process; then the parser options that all calls share (never changed afterwards).
GMimeParserOptions* gmime_options();

// nullptr: nobody. Groups are flattened.
std::vector<vault::Person> people_of(InternetAddressList* list, std::size_t most);

inline GMimePart* as_part(GMimeObject* object) {
    return GMIME_IS_PART(object) ? reinterpret_cast<GMimePart*>(object) : nullptr;
}
inline GMimeMultipart* as_multipart(GMimeObject* object) {
    return GMIME_IS_MULTIPART(object) ? reinterpret_cast<GMimeMultipart*>(object) : nullptr;
}
inline GMimeMessagePart* as_message_part(GMimeObject* object) {
    return GMIME_IS_MESSAGE_PART(object) ? reinterpret_cast<GMimeMessagePart*>(object) : nullptr;
}

}  // namespace kustos::ingest
