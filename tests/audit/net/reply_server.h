// Runs tests/support/ts_reply_server.py for the length of a test.
#pragma once

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sstream>
#include <string>

#include "base/fs.h"
#include "tests/support/shared.h"

namespace kustos::test {

class ReplyServer {
public:
    ReplyServer() {
        int in[2], out[2];
        if (::pipe(in) != 0 || ::pipe(out) != 0) return;
        child_ = ::fork();
        if (child_ == 0) {
            ::dup2(in[0], 0);
            ::dup2(out[1], 1);
            for (const int fd : {in[0], in[1], out[0], out[1]}) ::close(fd);
            const std::string script = (source_dir() / "tests/support/ts_reply_server.py").string();
            ::execlp("python3", "python3", script.c_str(), nullptr);
            ::_exit(127);
        }
        ::close(in[0]);
        ::close(out[1]);
        stdin_ = in[1];
        std::string text;
        char byte = 0;
        for (int lines = 0; lines < 4 && ::read(out[0], &byte, 1) == 1;) {
            text += byte;
            lines += byte == '\n';
        }
        ::close(out[0]);
        std::istringstream words(text);
        std::string word, folder_text;
        words >> word >> port_ >> word >> tls_port_ >> word >> client_port_ >> word >> folder_text;
        folder_ = folder_text;
    }
    ~ReplyServer() {
        ::close(stdin_);  // it ends by itself
        ::waitpid(child_, nullptr, 0);
    }
    ReplyServer(const ReplyServer&) = delete;
    ReplyServer& operator=(const ReplyServer&) = delete;

    bool runs() const { return !folder_.empty(); }
    const Path& folder() const { return folder_; }
    std::string url(const std::string& path = "/") const { return "http://127.0.0.1:" + std::to_string(port_) + path; }
    std::string tls_url(const std::string& host = "127.0.0.1") const {
        return "https://" + host + ":" + std::to_string(tls_port_) + "/";
    }
    // Asks for a client's certificate.
    std::string client_url() const { return "https://127.0.0.1:" + std::to_string(client_port_) + "/"; }

private:
    pid_t child_ = -1;
    int stdin_ = -1, port_ = 0, tls_port_ = 0, client_port_ = 0;
    Path folder_;
};

}  // namespace kustos::test
