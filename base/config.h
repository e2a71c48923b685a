// config.yaml: a commented file that people edit. Keys are dotted ("web.port"); what is unknown or of the wrong shape
// is an error that names line and key, never ignored.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace kustos {

class Config {
public:
    // known: every key that may occur. Lists are kept as lists, everything else as text. At most 64 KiB.
    static Result<Config> parse(std::string_view yaml, const std::vector<std::string_view>& known);
    std::string text(std::string_view key, std::string_view otherwise) const;
    Result<std::int64_t> number(std::string_view key, std::int64_t otherwise, std::int64_t least,
                                std::int64_t most) const;
    std::vector<std::string> list(std::string_view key) const;  // absent: empty

private:
    std::map<std::string, std::vector<std::string>, std::less<>> values_;
};

}  // namespace kustos
