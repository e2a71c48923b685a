// A small sRGB display profile of our own (ICC.1:2001-04, version 2.1; IEC 61966-2-1), so that the output intent needs
// no file of somebody else's.
#pragma once

#include "base/bytes.h"

namespace kustos::exporting {

Bytes srgb_profile();

}  // namespace kustos::exporting
