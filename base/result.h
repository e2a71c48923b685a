// Failures are values that can't be dropped; bugs abort.
//
// Result<T> holds a T or an Error. An Error is one code of a closed list (what the caller does next),
// an operator's message (English, lower case, no content, no addresses, no keys) and a chain of context.
// CHECK is for invariants of our own code, always on, and never for input: input errors are Results.
// g++ 12 has no std::expected, and tl::expected is not [[nodiscard]].
//
// Threads: values, no shared state.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace kustos {

// What the caller should do. app/ maps these to exit codes (docs: ../README.md, "Exit codes").
enum class Code {
    usage,           // the call is wrong: correct it
    not_in_version,  // understood, but this version can't: never parsed and ignored
    denied,          // no right: ask for a grant
    closed,          // the vault is closed: a key holder must unlock it
    bad_input,       // foreign bytes don't follow their format: they are sealed as they came
    not_found,       // absent
    erased,          // it was there; its key is destroyed by an erasure or a disposition
    conflict,        // somebody else was first, or states disagree: stop and look
    corrupt,         // our own bytes on disk are wrong: stop writing, run verify
    limit,           // a stated limit was hit
    overloaded,      // queue full: try again later
    rolled_back,     // others remember a newer state: put the newest copy back, or continue under a new origin
    read_only,       // the writer ended (failed sync, rollback): repair first
    environment,     // disk, network, missing program
    interrupted,     // asked to stop; can be resumed
    internal,        // a library failed where it can't: a bug
};

std::string_view code_name(Code code);

class [[nodiscard]] Error {
public:
    Error(Code code, std::string message) : code_(code), message_(std::move(message)) {}
    Code code() const { return code_; }
    // "outer: inner: message"
    const std::string& message() const { return message_; }
    // The next step for whoever reads it, shown on a line of its own. May be empty.
    const std::string& hint() const { return hint_; }
    Error&& within(std::string_view context) &&;
    Error&& with_hint(std::string hint) && {
        hint_ = std::move(hint);
        return std::move(*this);
    }

private:
    Code code_;
    std::string message_;
    std::string hint_;
};

[[noreturn]] void check_failed(const char* expression, const char* file, int line);

template <class T>
class [[nodiscard]] Result {
public:
    using value_type = T;
    Result(T value) : v_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: implicit on purpose
    Result(Error error) : v_(std::in_place_index<1>, std::move(error)) {}
    bool ok() const { return v_.index() == 0; }
    explicit operator bool() const { return ok(); }
    T& value() & { return get(); }
    const T& value() const& { return const_cast<Result*>(this)->get(); }
    T&& value() && { return std::move(get()); }
    T& operator*() & { return get(); }
    const T& operator*() const& { return const_cast<Result*>(this)->get(); }
    T&& operator*() && { return std::move(get()); }
    T* operator->() { return &get(); }
    const T* operator->() const { return &const_cast<Result*>(this)->get(); }
    const Error& error() const& { return const_cast<Result*>(this)->err(); }
    Error&& error() && { return std::move(err()); }

private:
    T& get() {
        if (v_.index() != 0) check_failed("Result has a value", __FILE__, __LINE__);
        return *std::get_if<0>(&v_);
    }
    Error& err() {
        if (v_.index() != 1) check_failed("Result has an error", __FILE__, __LINE__);
        return *std::get_if<1>(&v_);
    }
    std::variant<T, Error> v_;
};

template <>
class [[nodiscard]] Result<void> {
public:
    using value_type = void;
    Result() = default;
    Result(Error error) : error_(std::move(error)) {}  // NOLINT: implicit on purpose
    bool ok() const { return !error_; }
    explicit operator bool() const { return ok(); }
    void value() const {
        if (error_) check_failed("Result has a value", __FILE__, __LINE__);
    }
    const Error& error() const& { return const_cast<Result*>(this)->err(); }
    Error&& error() && { return std::move(err()); }

private:
    Error& err() {
        if (!error_) check_failed("Result has an error", __FILE__, __LINE__);
        return *error_;
    }
    std::optional<Error> error_;
};

using Status = Result<void>;
inline Status ok_status() {
    return {};
}

}  // namespace kustos

// TRY(expression): the value, or return the error from the enclosing function. May be nested (each has its own name).
// Not between an aggregate's braces behind a member that owns memory: returning from there never destroys that member.
#define TRY(expression) KUSTOS_TRY_NAMED(KUSTOS_JOIN(try_result_, __COUNTER__), expression)
#define KUSTOS_TRY_NAMED(name, expression)                               \
    __extension__({                                                      \
        auto name = (expression);                                        \
        if (!name.ok()) return ::kustos::Error(std::move(name).error()); \
        std::move(name).value();                                         \
    })

// TRY_IN(context, expression): the same, with a few words of context put before the message.
#define TRY_IN(context, expression) KUSTOS_TRY_IN_NAMED(KUSTOS_JOIN(try_result_, __COUNTER__), context, expression)
#define KUSTOS_TRY_IN_NAMED(name, context, expression)                                   \
    __extension__({                                                                      \
        auto name = (expression);                                                        \
        if (!name.ok()) return ::kustos::Error(std::move(name).error().within(context)); \
        std::move(name).value();                                                         \
    })

#define KUSTOS_JOIN(a, b) KUSTOS_JOIN_NOW(a, b)
#define KUSTOS_JOIN_NOW(a, b) a##b

// In tests doctest's CHECK wins, so headers call check_failed() themselves.
#ifndef CHECK
#define CHECK(condition)                                                          \
    do {                                                                          \
        if (!(condition)) ::kustos::check_failed(#condition, __FILE__, __LINE__); \
    } while (false)
#endif
