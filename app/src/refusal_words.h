// How a command that ended with an error says so: the error and its hint; where an archive refuses to write because
// somebody remembers something else, also what has probably happened and what to do, in the reader's language.
#pragma once

#include <string>

#include "app/call.h"
#include "base/result.h"

namespace kustos::app {

std::string refusal_text(const Error& error, Language language);

}  // namespace kustos::app
