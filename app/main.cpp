// kustos: one program. Here disk, clock and chance are made; everything else takes them through its constructor.
#include <cstdio>
#include <iostream>

#include "app/call.h"
#include "app/commands.h"
#include "base/progress.h"
#include "base/secret.h"

int main(int argc, char** argv) {
    using namespace kustos;
    if (const Status hardened = harden_process(); !hardened.ok()) {
        std::cerr << "kustos: " << hardened.error().message() << "\n";
        return 6;
    }
    const app::Parsed parsed = app::parse_call({argv + 1, argv + argc});
    std::cout << parsed.out;
    std::cerr << parsed.err;
    if (!parsed.call) return parsed.exit_code;
    install_interrupt_handler();
    RealFs fs;
    SystemClock clock;
    SystemRandom random;
    return app::run_command({fs, clock, random}, *parsed.call, {std::cout, std::cerr});
}
