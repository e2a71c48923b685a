// JSON of foreign sources: simdjson's tree behind getters that never fail, because every key of a foreign file may be
// absent or of another type.
#pragma once

#include <simdjson.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"

namespace kustos::ingest {

// A place in a tree, or nothing. Valid until its parser parses again.
class JsonValue {
public:
    JsonValue() = default;
    explicit JsonValue(simdjson::dom::element element) : element_(element), there_(!element.is_null()) {}
    bool there() const { return there_; }  // neither absent nor null
    bool is_object() const { return there_ && element_.is_object(); }
    bool is_array() const { return there_ && element_.is_array(); }
    bool is_text() const { return there_ && element_.is_string(); }
    JsonValue operator[](std::string_view key) const;  // nothing where this is no object or has no such key
    std::string_view text() const;                     // empty where it is none
    std::string_view text(std::string_view key) const { return (*this)[key].text(); }
    std::optional<std::int64_t> integer() const;  // of an integer that fits; never of text or a fraction
    std::optional<double> real() const;           // of any number
    std::optional<std::int64_t> integer(std::string_view key) const { return (*this)[key].integer(); }
    bool truth(std::string_view key) const;  // true only where it is `true`
    std::vector<JsonValue> items() const;    // of an array, else none
    std::vector<std::pair<std::string_view, JsonValue>> members() const;

private:
    friend std::string canonical_json(const JsonValue& value);
    simdjson::dom::element element_;
    bool there_ = false;
};

// The same for equal values, however they are written: keys in order, no white space.
std::string canonical_json(const JsonValue& value);

class JsonParser {
public:
    JsonParser();
    ~JsonParser();
    static constexpr std::size_t kDepth = 64;
    // Empty: fine. Else why not: "not-json" (ill-formed UTF-8 and lone surrogates, too), "too-deep", "too-large",
    // "duplicate-key" (readers disagree on which of two counts; anywhere in the tree).
    std::string_view parse(ByteView bytes);
    JsonValue root() const { return root_; }

private:
    std::unique_ptr<simdjson::dom::parser> parser_;  // its layout depends on compiler flags: never inline
    JsonValue root_;
};

}  // namespace kustos::ingest
