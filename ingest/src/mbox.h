#pragma once

#include <string_view>

namespace kustos::ingest {

// Whether so many From_ lines with a header behind them stand at starts of lines in the first bytes of a file.
bool looks_like_mbox(std::string_view start, std::size_t mails = 1);

}  // namespace kustos::ingest
