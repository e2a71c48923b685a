// What the files about tokens share: the session and how objects are found in it.
#pragma once

#include <p11-kit/pkcs11.h>

#include <string>

#include "base/pkcs11.h"

namespace kustos {

namespace token_detail {
Error failed(const char* what, CK_RV code);

template <class T>
CK_ATTRIBUTE attribute(CK_ATTRIBUTE_TYPE type, T& value) {
    return {type, &value, sizeof value};
}
// The interface takes plain pointers and does not write through those of a template.
inline CK_ATTRIBUTE attribute(CK_ATTRIBUTE_TYPE type, ByteView bytes) {
    return {type, const_cast<std::uint8_t*>(bytes.data()), bytes.size()};
}
}  // namespace token_detail

struct HardwareToken::State {
    void* library = nullptr;
    CK_FUNCTION_LIST* call = nullptr;
    CK_SESSION_HANDLE session = 0;
    bool in_session = false;
    std::string serial;

    ~State();
    Result<CK_OBJECT_HANDLE> find(const std::string& object, CK_OBJECT_CLASS kind, bool& found);
    Result<CK_OBJECT_HANDLE> need(const std::string& object, CK_OBJECT_CLASS kind);
    Status destroy(const std::string& object, CK_OBJECT_CLASS kind);  // what is not there is fine
    Result<Bytes> point(const std::string& object, std::size_t size);
    Status make(const std::string& object, CK_MECHANISM_TYPE type, ByteView params, ByteView other_params);
    Result<Bytes> sign(const std::string& object, CK_MECHANISM_TYPE type, ByteView message);
};

}  // namespace kustos
