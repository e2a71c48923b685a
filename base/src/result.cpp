#include "base/result.h"

#include <cstdio>
#include <cstdlib>

namespace kustos {

std::string_view code_name(Code code) {
    switch (code) {
        case Code::usage:
            return "usage";
        case Code::not_in_version:
            return "not_in_version";
        case Code::denied:
            return "denied";
        case Code::closed:
            return "closed";
        case Code::bad_input:
            return "bad_input";
        case Code::not_found:
            return "not_found";
        case Code::erased:
            return "erased";
        case Code::conflict:
            return "conflict";
        case Code::corrupt:
            return "corrupt";
        case Code::limit:
            return "limit";
        case Code::overloaded:
            return "overloaded";
        case Code::rolled_back:
            return "rolled_back";
        case Code::read_only:
            return "read_only";
        case Code::environment:
            return "environment";
        case Code::interrupted:
            return "interrupted";
        case Code::internal:
            return "internal";
    }
    return "unknown";
}

Error&& Error::within(std::string_view context) && {
    message_ = std::string(context) + ": " + message_;
    return std::move(*this);
}

void check_failed(const char* expression, const char* file, int line) {
    std::fprintf(stderr, "kustos: bug: %s does not hold (%s:%d)\n", expression, file, line);
    std::abort();
}

}  // namespace kustos
