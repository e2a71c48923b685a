// Whatever is posted to a witness: it answers with a status of the specification, and never goes back.
#include <cstdint>
#include <cstdlib>
#include <filesystem>

#include "audit/witness.h"
#include "base/clock.h"
#include "base/result.h"
#include "tests/audit/sim_fs.h"
#include "tests/fuzz/wire_keys.h"

using namespace kustos;
using namespace kustos::audit;

namespace {

// Its files are in memory; only its lock needs a folder.
struct Stand {
    std::string folder = (std::filesystem::temp_directory_path() / "kustos-fuzz-XXXXXX").string();
    test::SimFs fs;
    FixedClock clock{UtcTime{1'800'000'000'000}};
    SeededRandom random{1};
    std::unique_ptr<Witness> witness;
    TreeHead seen = empty_head();
    Stand() {
        CHECK(::mkdtemp(folder.data()) != nullptr);
        CHECK(fs.make_dirs(folder).ok());
        CHECK(put_once(fs, Path(folder) / "key", test::wire_witness_key().format().view()).ok());
        witness = *Witness::open({fs, clock, random}, folder, "");
        CHECK(witness->add_log(test::wire_log_key().verifier()).ok());
    }
    ~Stand() {
        witness.reset();
        std::error_code ignored;
        std::filesystem::remove_all(folder, ignored);
    }
    Stand(const Stand&) = delete;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static Stand stand;
    const ByteView body(data, size);
    const auto request = AddCheckpoint::parse(body);
    if (request.ok()) {
        const auto again = AddCheckpoint::parse(as_bytes(request->format()));
        CHECK(again.ok() && again->format() == request->format());
    }
    const WitnessAnswer answer = stand.witness->add_checkpoint(body);
    if (answer.status == 200) {
        const Checkpoint now = *open_checkpoint(as_bytes(request->note), test::wire_log_key().verifier());
        CHECK(request->old_size == stand.seen.size && now.size >= stand.seen.size);
        CHECK(now.size > stand.seen.size || now.root == stand.seen.root);
        CHECK(cosignature_line(request->note, answer.body, stand.witness->key()).ok());
        stand.seen = now.head();
        return 0;
    }
    CHECK(answer.status == 400 || answer.status == 403 || answer.status == 404 || answer.status == 409 ||
          answer.status == 422);
    if (answer.status == 409) CHECK(answer.body == std::to_string(stand.seen.size.value) + "\n");
    return 0;
}
