#include "ingest/src/json_value.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace kustos::ingest {

namespace {

namespace dom = simdjson::dom;

bool has_duplicate_keys(dom::element element) {
    dom::object object;
    dom::array array;
    if (element.get(object) == simdjson::SUCCESS) {
        std::vector<std::string_view> keys;
        for (const auto field : object) {
            keys.push_back(field.key);
            if (has_duplicate_keys(field.value)) return true;
        }
        std::sort(keys.begin(), keys.end());
        return std::adjacent_find(keys.begin(), keys.end()) != keys.end();
    }
    if (element.get(array) == simdjson::SUCCESS)
        for (const dom::element one : array)
            if (has_duplicate_keys(one)) return true;
    return false;
}

void write_string(std::string_view text, std::string& out) {
    out += '"';
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    out += '"';
}

void write_scalar(dom::element element, std::string& out) {
    bool truth = false;
    std::int64_t number = 0;
    std::uint64_t large = 0;
    double real = 0;
    if (element.get(truth) == simdjson::SUCCESS) {
        out += truth ? "true" : "false";
    } else if (element.type() == dom::element_type::DOUBLE && element.get(real) == simdjson::SUCCESS) {
        std::array<char, 32> digits{};
        const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), real).ptr;
        out.append(digits.data(), end);
    } else if (element.get(number) == simdjson::SUCCESS) {
        out += std::to_string(number);
    } else if (element.get(large) == simdjson::SUCCESS) {
        out += std::to_string(large);
    } else {
        out += "null";
    }
}

void write_canonical(dom::element element, std::string& out) {
    dom::object object;
    dom::array array;
    std::string_view text;
    if (element.get(object) == simdjson::SUCCESS) {
        std::vector<std::pair<std::string_view, dom::element>> fields;
        for (const auto field : object) fields.emplace_back(field.key, field.value);
        std::sort(fields.begin(), fields.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
        out += '{';
        for (const auto& [key, value] : fields) {
            write_string(key, out);
            out += ':';
            write_canonical(value, out);
            out += ',';
        }
        out += '}';
    } else if (element.get(array) == simdjson::SUCCESS) {
        out += '[';
        for (const dom::element one : array) {
            write_canonical(one, out);
            out += ',';
        }
        out += ']';
    } else if (element.get(text) == simdjson::SUCCESS) {
        write_string(text, out);
    } else {
        write_scalar(element, out);
    }
}

}  // namespace

JsonValue JsonValue::operator[](std::string_view key) const {
    dom::object object;
    dom::element value;
    if (!there_ || element_.get(object) != simdjson::SUCCESS || object.at_key(key).get(value) != simdjson::SUCCESS)
        return {};
    return JsonValue(value);
}

std::string_view JsonValue::text() const {
    std::string_view out;
    if (!there_ || element_.get(out) != simdjson::SUCCESS) return {};
    return out;
}

std::optional<std::int64_t> JsonValue::integer() const {
    std::int64_t out = 0;
    if (!there_ || element_.type() == dom::element_type::DOUBLE || element_.get(out) != simdjson::SUCCESS)
        return std::nullopt;
    return out;
}

std::optional<double> JsonValue::real() const {
    double out = 0;
    if (!there_ || element_.is_string() || element_.get(out) != simdjson::SUCCESS) return std::nullopt;
    return out;
}

bool JsonValue::truth(std::string_view key) const {
    const JsonValue value = (*this)[key];
    bool out = false;
    return value.there_ && value.element_.get(out) == simdjson::SUCCESS && out;
}

std::vector<JsonValue> JsonValue::items() const {
    std::vector<JsonValue> out;
    dom::array array;
    if (there_ && element_.get(array) == simdjson::SUCCESS)
        for (const dom::element one : array) out.emplace_back(one);
    return out;
}

std::vector<std::pair<std::string_view, JsonValue>> JsonValue::members() const {
    std::vector<std::pair<std::string_view, JsonValue>> out;
    dom::object object;
    if (there_ && element_.get(object) == simdjson::SUCCESS)
        for (const auto field : object) out.emplace_back(field.key, JsonValue(field.value));
    return out;
}

JsonParser::JsonParser() : parser_(std::make_unique<dom::parser>()) {}
JsonParser::~JsonParser() = default;

std::string_view JsonParser::parse(ByteView bytes) {
    root_ = {};
    if (bytes.empty()) return "not-json";
    if (parser_->allocate(bytes.size(), kDepth) != simdjson::SUCCESS) return "too-large";
    dom::element root;
    const simdjson::error_code error =
        parser_->parse(reinterpret_cast<const char*>(bytes.data()), bytes.size(), true).get(root);
    if (error == simdjson::DEPTH_ERROR) return "too-deep";
    if (error != simdjson::SUCCESS) return "not-json";
    if (has_duplicate_keys(root)) return "duplicate-key";
    root_ = JsonValue(root);
    return {};
}

std::string canonical_json(const JsonValue& value) {
    std::string out;
    if (!value.there()) return "null";
    write_canonical(value.element_, out);
    return out;
}

}  // namespace kustos::ingest
