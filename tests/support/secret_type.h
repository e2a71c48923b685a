// Questions that a type of secrets must answer with no, asked of the compiler.
#pragma once

#include <ostream>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/bytes.h"
#include "base/log.h"

namespace kustos::test {

template <class T>
concept Printable = requires(std::ostream& out, const T& value) {
    out << value;
};
template <class T>
concept Comparable = requires(const T& a, const T& b) {
    a == b;
}
|| requires(const T& a, const T& b) {
    a < b;
};
template <class T>
concept TextLike = std::is_convertible_v<const T&, std::string> || std::is_convertible_v<const T&, std::string_view> ||
    std::is_constructible_v<std::string, const T&>;
template <class T>
concept BytesLike = std::is_convertible_v<const T&, Bytes> || std::is_convertible_v<const T&, ByteView> ||
    std::is_constructible_v<Bytes, const T&>;
template <class T>
concept Formatted = requires(const T& value) {
    std::to_string(value);
}
|| requires(const T& value) {
    value.hex();
};
template <class T>
concept Loggable = std::is_constructible_v<LogValue, const T&>;
template <class T>
concept Copyable = std::is_copy_constructible_v<T> || std::is_copy_assignable_v<T>;

template <class T>
constexpr bool keeps_itself() {
    return !Printable<T> && !Comparable<T> && !TextLike<T> && !BytesLike<T> && !Formatted<T> && !Loggable<T> &&
           !Copyable<T> && !std::is_convertible_v<const T&, bool>;
}

}  // namespace kustos::test
