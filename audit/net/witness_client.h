// Asks a witness over HTTP (C2SP tlog-witness). Errors as in http_post.h. Threads: any.
#pragma once

#include "audit/net/http_post.h"
#include "audit/witness.h"

namespace kustos::audit {

// url: the witness's prefix; "add-checkpoint" is put behind it.
Result<WitnessAnswer> ask_witness(const std::string& url, const AddCheckpoint& request, const HttpOptions& options);

// `kustos witness serve`: a witness behind a small server. The witness must outlive it.
class PostServer;
Result<std::unique_ptr<PostServer>> serve_witness(const std::string& host, std::uint16_t port, Witness& witness);

}  // namespace kustos::audit
