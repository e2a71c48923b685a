#include <algorithm>
#include <array>
#include <filesystem>

#include "base/tpm.h"

namespace kustos {

namespace {
bool digits(std::string_view text) {
    return !text.empty() && text.size() <= 5 &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool device(std::string_view path) {
    for (const std::string_view begin : {"/dev/tpmrm", "/dev/tpm"}) {
        if (path.substr(0, begin.size()) == begin && digits(path.substr(begin.size()))) return true;
    }
    return false;
}

bool emulator(std::string_view settings) {
    while (!settings.empty()) {
        const std::string_view one = settings.substr(0, settings.find(','));
        settings.remove_prefix(std::min(settings.size(), one.size() + 1));
        const std::size_t equals = one.find('=');
        if (equals == std::string_view::npos) return false;
        const std::string_view key = one.substr(0, equals), value = one.substr(equals + 1);
        const bool here = value == "127.0.0.1" || value == "localhost" || value == "::1";
        if (!(key == "host" && here) && !(key == "port" && digits(value)) &&
            !(key == "path" && value.substr(0, 1) == "/"))
            return false;
    }
    return true;
}
}  // namespace

Result<std::string> tpm_address(std::string_view text) {
    if (text == "tpm") {
        std::error_code ignored;
        for (const char* path : {"/dev/tpmrm0", "/dev/tpm0"}) {
            if (std::filesystem::exists(path, ignored)) return std::string("device:") + path;
        }
        return Error(Code::environment, "TPM: this machine shows none")
            .with_hint("is it switched on in the firmware? may this user open /dev/tpmrm0 (group tss)?");
    }
    const std::size_t colon = text.find(':');
    const std::string_view kind = text.substr(0, colon);
    const std::string_view rest = colon == std::string_view::npos ? "" : text.substr(colon + 1);
    if ((kind == "device" && device(rest)) || (kind == "swtpm" && emulator(rest))) return std::string(text);
    return Error(Code::usage, "TPM: this address is not taken")
        .with_hint("device:/dev/tpmrm0, device:/dev/tpm0, or swtpm:host=127.0.0.1,port=NUMBER");
}

}  // namespace kustos
