#include "audit/src/bundle_json.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "audit/entry.h"

namespace kustos::audit {

namespace {

using nlohmann::json;

// Thrown and caught in this file only: JSON that does not have the form of its page.
struct Bad {
    std::string what;
    Code code = Code::bad_input;
};

// --- before anything is built: size, depth, number of values -----------------------------------------------
Status check_shape(ByteView text) {
    const auto refuse = [](const char* why) { return Error(Code::bad_input, why); };
    if (text.size() > kMaxJson) return refuse("larger than 256 MiB");
    if (text.size() < 3 || text.front() != '{' || text[text.size() - 2] != '}' || text.back() != '\n')
        return refuse("is not one JSON object and a line end");
    int depth = 0;
    std::size_t values = 0;
    bool in_string = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const std::uint8_t c = text[i];
        if (in_string) {
            if (c == '\\') ++i;
            if (c == '"') in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '[' || c == '{') {
            if (++depth > kMaxJsonDepth) return refuse("is nested too deeply");
            ++values;
        } else if (c == ']' || c == '}') {
            --depth;
        } else if (c == ',') {
            ++values;
        }
    }
    if (values > kMaxJsonValues) return refuse("has too many values");
    return {};
}

json parse(ByteView text) {
    std::vector<std::set<std::string>> keys;
    const auto watch = [&](int, json::parse_event_t event, json& value) {
        if (event == json::parse_event_t::object_start) keys.emplace_back();
        if (event == json::parse_event_t::object_end) keys.pop_back();
        if (event == json::parse_event_t::key && !keys.back().insert(value.get<std::string>()).second)
            throw Bad{"a key stands twice"};
        return true;
    };
    return json::parse(text.begin(), text.end(), watch);
}

// --- what a key must hold -------------------------------------------------------------------------------------
const json& at(const json& j, const char* key) {
    if (!j.is_object() || !j.contains(key)) throw Bad{std::string(key) + " is missing"};
    return j.at(key);
}
const std::string& text_value(const json& v, const char* key) {
    if (!v.is_string()) throw Bad{std::string(key) + " is not text"};
    return v.get_ref<const std::string&>();
}
const std::string& text(const json& j, const char* key) {
    return text_value(at(j, key), key);
}
std::uint64_t number(const json& j, const char* key, std::uint64_t most = ~std::uint64_t{0}) {
    const json& v = at(j, key);
    if (!v.is_number_unsigned() || v.get<std::uint64_t>() > most)
        throw Bad{std::string(key) + " is not a number, or too large"};
    return v.get<std::uint64_t>();
}
const json& list(const json& j, const char* key, std::size_t most = kMaxJsonValues) {
    const json& v = at(j, key);
    if (!v.is_array() || v.size() > most) throw Bad{std::string(key) + " is not a list, or too long"};
    return v;
}
Bytes digits(const json& v, const char* key) {
    const std::string& t = text_value(v, key);
    const bool lower = std::none_of(t.begin(), t.end(), [](char c) { return c >= 'A' && c <= 'F'; });
    auto bytes = parse_hex(t);
    if (!lower || !bytes.ok()) throw Bad{std::string(key) + " is not lower-case hex"};
    return std::move(*bytes);
}
Hash hash(const json& v, const char* key) {
    const auto h = Hash::from(digits(v, key));
    if (!h.ok()) throw Bad{std::string(key) + " does not have 32 bytes"};
    return *h;
}
std::vector<Hash> hashes(const json& v, const char* key, std::size_t most) {
    if (!v.is_array() || v.size() > most) throw Bad{std::string(key) + " is not a list, or too long"};
    std::vector<Hash> out;
    out.reserve(v.size());
    for (const json& h : v) out.push_back(hash(h, key));
    return out;
}
std::vector<std::string> texts(const json& j, const char* key) {
    std::vector<std::string> out;
    for (const json& v : list(j, key)) out.push_back(text_value(v, key));
    return out;
}

ManifestAnchor anchor(const json& j) {
    ManifestAnchor a;
    a.token = text(j, "token");
    a.authority = text(j, "authority");
    a.previous_size = number(j, "previous_size");
    for (const json& group : list(j, "path", kMaxReducedTree)) a.path.push_back(hashes(group, "path", 16));
    return a;
}

Unsearched unsearched(const json& j) {
    constexpr std::uint64_t kMost = std::uint64_t{1} << 48;
    Unsearched u;
    u.partial = number(j, "partial", kMost);
    u.opaque = number(j, "opaque", kMost);
    u.failed = number(j, "failed", kMost);
    u.deferred = number(j, "deferred", kMost);
    u.restricted = number(j, "restricted", kMost);
    const json& reasons = at(j, "reasons");
    if (!reasons.is_object() || reasons.size() > kMaxUnsearchedReasons) throw Bad{"reasons is no object, or too large"};
    for (const auto& [word, count] : reasons.items()) u.reasons[word] = number(reasons, word.c_str(), kMost);
    if (!is_consistent(u)) throw Bad{"the reasons of what could not be searched do not add up"};
    return u;
}

Manifest manifest(const json& j) {
    Manifest m;
    const auto vault = VaultId::from(digits(at(j, "vault_id"), "vault_id"));
    if (!vault.ok()) throw Bad{"vault_id does not have 16 bytes"};
    m.vault = *vault;
    m.origin = text(j, "origin");
    m.vkey = text(j, "vkey");
    m.language = text(j, "language");
    m.tool = text(j, "tool");
    m.checkpoint = text(j, "checkpoint");
    m.query = text(j, "query");
    m.total = number(j, "total");
    const auto created = parse_rfc3339(text(j, "created_at"));
    if (!created.ok()) throw Bad{"created_at is not a time"};
    m.created_at = *created;
    const json& matter = at(j, "matter");
    m.reference = text(matter, "reference");
    m.ground = text(matter, "ground");
    m.matter = number(matter, "entry");
    for (const char* key : {"sealed", "searchable", "partial", "opaque", "deferred", "failed", "erased"}) {
        m.coverage[key] = number(at(j, "coverage"), key, std::uint64_t{1} << 48);
    }
    if (j.contains("unsearched")) m.unsearched = unsearched(j.at("unsearched"));
    for (const json& a : list(j, "anchors", 64)) m.anchors.push_back(anchor(a));
    m.context = texts(j, "context");
    m.records = texts(j, "records");
    for (const json& f : list(j, "files"))
        m.files.push_back({text(f, "name"), number(f, "size"), hash(at(f, "sha256"), "sha256")});
    return m;
}

ProvenEntry proven(const json& j) {
    return {number(j, "index"), digits(at(j, "entry"), "entry"), hashes(at(j, "proof"), "proof", kMaxProof)};
}

// Exactly these keys: a redacted field that still carries its value would be a leak, not a redaction.
void only(const json& j, std::initializer_list<const char*> keys) {
    for (const auto& [key, value] : j.items()) {
        const std::string& k = key;
        if (std::none_of(keys.begin(), keys.end(), [&](const char* allowed) { return k == allowed; }))
            throw Bad{"a field's row has a key that its state does not allow"};
    }
}

void value(const json& j, FieldRow& row) {
    if (j.contains("value") == j.contains("value_from")) throw Bad{"a field has either value or value_from"};
    if (j.contains("value")) {
        auto bytes = parse_base64(text(j, "value"));
        if (!bytes.ok()) throw Bad{"value is not base64"};
        row.value = std::move(*bytes);
        return;
    }
    const json& from = at(j, "value_from");
    row.file = text(from, "file");
    row.offset = number(from, "offset");
    row.length = number(from, "length");
}

FieldRow field(const json& j, std::size_t i) {
    if (number(j, "i") != i) throw Bad{"fields are not in order"};
    FieldRow row;
    const std::string& state = text(j, "state");
    if (state == "redacted") {
        only(j, {"i", "state", "category", "legal_basis", "approver"});
        row.state = FieldState::redacted;
        for (const char* key : {"category", "legal_basis", "approver"}) {
            if (text(j, key).empty()) throw Bad{std::string(key) + " of a redaction is empty"};
        }
        return row;
    }
    row.salt = digits(at(j, "salt"), "salt");
    if (row.salt.size() != 32) throw Bad{"salt does not have 32 bytes"};
    if (state == "decoy") {
        only(j, {"i", "state", "salt"});
        row.state = FieldState::decoy;
        return row;
    }
    if (state != "disclosed") throw Bad{"a field is in an unknown state"};
    only(j, {"i", "state", "path", "ordinal", "type", "salt", "value", "value_from"});
    row.path = static_cast<std::uint16_t>(number(j, "path", 0xFFFF));
    row.ordinal = static_cast<std::uint16_t>(number(j, "ordinal", 0xFFFF));
    row.type = static_cast<std::uint8_t>(number(j, "type", 0xFF));
    if (row.path == 0) throw Bad{"a disclosed field is a decoy"};
    value(j, row);
    return row;
}

Disclosure disclosure(const json& j) {
    Disclosure d;
    d.proven = proven(j);
    d.key_commitment = hash(at(j, "key_commitment"), "key_commitment");
    d.commitments = hashes(at(j, "commitments"), "commitments", kMaxFields);
    const json& rows = list(j, "fields", kMaxFields);
    for (std::size_t i = 0; i < rows.size(); ++i) d.fields.push_back(field(rows[i], i));
    if (j.contains("original")) d.original = text(j, "original");
    if (j.contains("blobs")) d.blobs = texts(j, "blobs");
    return d;
}

template <class T>
Result<T> guarded(ByteView bytes, T (*read)(const json&)) {
    TRY(check_shape(bytes));
    try {
        const json j = parse(bytes);
        return read(j);
    } catch (const Bad& bad) {
        return Error(bad.code, bad.what);
    } catch (const json::exception&) {  // its text quotes the input
        return Error(Code::bad_input, "is not JSON");
    }
}

Manifest checked_manifest(const json& j) {
    if (text(j, "format") != "kustos-evidence/1")
        throw Bad{"is of another version of the format", Code::not_in_version};
    return manifest(j);
}

}  // namespace

Result<Manifest> parse_manifest(ByteView bytes) {
    return guarded(bytes, &checked_manifest);
}
Result<ProvenEntry> parse_context(ByteView bytes) {
    return guarded(bytes, &proven);
}
Result<Disclosure> parse_disclosure(ByteView bytes) {
    return guarded(bytes, &disclosure);
}

}  // namespace kustos::audit
