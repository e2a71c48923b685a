// kustos: one program. Here disk, clock and chance are made; everything else takes them through its constructor.
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string_view>

#include "app/call.h"
#include "app/commands.h"
#include "app/forward_keeper.h"
#include "base/progress.h"
#include "base/secret.h"

int main(int argc, char** argv) {
    using namespace kustos;
    if (const Status hardened = harden_process(); !hardened.ok()) {
        std::cerr << "kustos: " << hardened.error().message() << "\n";
        return 6;
    }
    // Before a library asks: GLib keeps small released blocks in caches of its own, which app/wiping_free.cpp would not
    // see.
    setenv("G_SLICE", "always-malloc", 1);
    // Started by `serve` alone (app/forward_keeper.h), and small: it parses nothing and opens nothing.
    if (argc == 4 && std::string_view(argv[1]) == "keep") return app::run_keeper(argv[2], std::atoll(argv[3]));
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
