#include "base/config.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>

namespace kustos {

namespace {

Error at(const YAML::Node& node, const std::string& what) {
    return Error(Code::usage, "config.yaml, line " + std::to_string(node.Mark().line + 1) + ": " + what);
}

Status collect(const YAML::Node& node, const std::string& prefix, const std::vector<std::string_view>& known,
               std::map<std::string, std::vector<std::string>, std::less<>>& out, int depth) {
    if (depth > 4) return at(node, "nested too deeply");
    for (const auto& item : node) {
        const std::string key = prefix + item.first.as<std::string>();
        if (item.second.IsMap()) {
            TRY(collect(item.second, key + ".", known, out, depth + 1));
            continue;
        }
        if (std::find(known.begin(), known.end(), key) == known.end()) {
            return at(item.first, "unknown key " + key);
        }
        std::vector<std::string> values;
        if (item.second.IsSequence()) {
            for (const auto& v : item.second) {
                if (!v.IsScalar()) return at(v, "a list of plain values is expected");
                values.push_back(v.as<std::string>());
            }
        } else if (item.second.IsScalar()) {
            values.push_back(item.second.as<std::string>());
        }
        out[key] = std::move(values);
    }
    return {};
}

}  // namespace

Result<Config> Config::parse(std::string_view yaml, const std::vector<std::string_view>& known) {
    if (yaml.size() > 64 * 1024) return Error(Code::limit, "config.yaml has more than 64 KiB");
    Config config;
    try {
        const YAML::Node root = YAML::Load(std::string(yaml));
        if (root.IsNull()) return config;
        if (!root.IsMap()) return at(root, "keys and values are expected");
        TRY(collect(root, "", known, config.values_, 0));
    } catch (const YAML::Exception& e) {
        return Error(Code::usage, "config.yaml, line " + std::to_string(e.mark.line + 1) + ": not YAML");
    }
    return config;
}

std::string Config::text(std::string_view key, std::string_view otherwise) const {
    const auto found = values_.find(key);
    return found == values_.end() || found->second.empty() ? std::string(otherwise) : found->second.front();
}

Result<std::int64_t> Config::number(std::string_view key, std::int64_t otherwise, std::int64_t least,
                                    std::int64_t most) const {
    const auto found = values_.find(key);
    if (found == values_.end() || found->second.empty()) return otherwise;
    const std::string& t = found->second.front();
    std::int64_t n = 0;
    const auto [end, error] = std::from_chars(t.data(), t.data() + t.size(), n);
    if (error != std::errc() || end != t.data() + t.size() || n < least || n > most) {
        return Error(Code::usage, "config.yaml: " + std::string(key) + " must be a whole number from " +
                                      std::to_string(least) + " to " + std::to_string(most));
    }
    return n;
}

std::vector<std::string> Config::list(std::string_view key) const {
    const auto found = values_.find(key);
    return found == values_.end() ? std::vector<std::string>{} : found->second;
}

}  // namespace kustos
