// What every long-lived object takes through its constructor: disk, clock and chance.
#pragma once

#include "base/clock.h"
#include "base/fs.h"
#include "base/random.h"

namespace kustos {

struct Environment {
    Fs& fs;
    const Clock& clock;
    Random& random;
};

}  // namespace kustos
