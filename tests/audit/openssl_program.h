// The openssl program as the other party: it makes what we read and reads what we make.
#pragma once

#include <cstdlib>
#include <string>

#include "base/fs.h"

namespace kustos::test {

// Runs `openssl ARGUMENTS` in the folder; its output goes to openssl.log there. The exit status, 0 for success.
inline int openssl(const Path& folder, const std::string& arguments) {
    const std::string command = "cd '" + folder.string() + "' && openssl " + arguments + " >>openssl.log 2>&1";
    return std::system(command.c_str());
}

inline std::string openssl_log(const Path& folder) {
    RealFs fs;
    const auto log = read_file(fs, folder / "openssl.log", 1 << 20);
    return log.ok() ? to_text(*log) : std::string();
}

}  // namespace kustos::test
