// A witness (C2SP tlog-witness): remembers for each ledger the last checkpoint that it has seen, and cosigns a newer
// one only with a proof that it continues that one. So a ledger that shows different people different histories, or
// that was rolled back, finds no cosignature.
//
// Request (POST .../add-checkpoint): "old " size "\n", proof hashes in base64, one a line (at most 63), "\n", the
// checkpoint note. Durability: what was cosigned is stored before the answer (docs/format/witness.md).
// Threads: Witness from any thread; the rest are values.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "audit/checkpoint.h"
#include "audit/cosignature.h"
#include "base/environment.h"

namespace kustos::audit {

inline constexpr std::size_t kMaxAddCheckpoint = 64 * 1024;

struct AddCheckpoint {
    TreeSize old_size;
    std::vector<Hash> proof;
    std::string note;
    std::string format() const;
    static Result<AddCheckpoint> parse(ByteView body);  // Code::bad_input
};

// What a witness answers. 200: body is the cosignature line. 409: body is the size that it remembers.
struct WitnessAnswer {
    int status = 200;
    std::string body;
};
inline constexpr const char* kTlogSizeType = "text/x.tlog.size";

class Witness {
public:
    // Folder: key (PRIVATE+KEY+..., type 0x04, made when absent), logs (one vkey a line, '#' comments), and a file for
    // each ledger. Code::usage, Code::corrupt.
    static Result<std::unique_ptr<Witness>> open(Environment environment, const Path& dir, const std::string& name);
    ~Witness();
    VerifierKey key() const { return key_.verifier(); }
    std::size_t logs() const { return logs_.size(); }
    Status add_log(const VerifierKey& log);  // durable; a known one changes nothing
    WitnessAnswer add_checkpoint(ByteView body);

private:
    Witness(Environment environment, Path dir, SignerKey key)
        : environment_(environment), dir_(std::move(dir)), key_(std::move(key)) {}
    Path file_of(const std::string& origin) const;
    Environment environment_;
    Path dir_;
    SignerKey key_;
    std::vector<VerifierKey> logs_;
    std::optional<FileLock> lock_;
    std::mutex mutex_;
};

}  // namespace kustos::audit
