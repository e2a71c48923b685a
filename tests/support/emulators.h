// A TPM and a token of the test's own: swtpm on loopback, ended by its process id, and softhsm2 in a folder.
#pragma once

#include <sys/types.h>

#include <string>

#include "tests/support/temp_dir.h"

namespace kustos::test {

class SoftTpm {
public:
    SoftTpm();  // a new chip; fails the test where the program swtpm is not installed (./run installs it)
    ~SoftTpm();
    SoftTpm(const SoftTpm&) = delete;
    SoftTpm& operator=(const SoftTpm&) = delete;
    std::string address() const { return "swtpm:host=127.0.0.1,port=" + std::to_string(port_); }
    void restart();  // the same chip after a power cut
    void stop();     // away, until start()
    void start();
    bool leave_session();  // as a program leaves one that is killed; false: the chip takes no more

private:
    TempDir dir_;
    int port_ = 0;
    pid_t process_ = 0;
};

// One in a program: the module reads where its tokens are only once. shared_token() is it, where several tests need
// one.
class SoftToken {
public:
    SoftToken();
    std::string uri(const std::string& object) const;
    Path pin_file() const { return dir_ / "pin"; }

private:
    TempDir dir_;
};
const SoftToken& shared_token();

}  // namespace kustos::test
