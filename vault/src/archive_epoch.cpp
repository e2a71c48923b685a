// On which medium the generations' keys lie (vault/epoch.h), and what that means for what is erased.
#include <algorithm>

#include "base/log.h"
#include "vault/retention.h"
#include "vault/src/archive_impl.h"
#include "vault/src/key_file.h"
#include "vault/src/keyholder.h"

namespace kustos::vault {

using audit::Body;
using audit::ControlAction;
using audit::Kind;
using audit::LeafRange;
using audit::Tag;

// Names a medium that is not a file.
Body generation_body(std::uint32_t generation, ByteView intake, const Hash& keyring, const std::string& medium) {
    Body body(ControlAction::generation_opened);
    body.put_u32(Tag::generation, generation).put_bytes(Tag::intake_key, intake).put_hash(Tag::keyring_hash, keyring);
    if (medium != "file" && !medium.empty()) body.put_text(Tag::method, medium);
    return body;
}

// A key that was put back into a file, because its chip or token was lost, lies no more where its entry says.
Status ArchiveImpl::note_medium() {
    if (holder->apart()) return {};
    GenerationInfo present;
    std::string named;
    {
        const std::lock_guard guard(catalog_mutex);
        if (catalog->generations().empty()) return {};
        present = catalog->generations().back();
        named = catalog->medium(present.generation);
    }
    const std::string actual = holder->medium();
    if (named == "file" || actual == named || present.generation != holder->generation()) return {};
    kustos::log(LogLevel::warning, "the key of a generation lies on another medium than before",
                {{"generation", std::uint64_t{present.generation}}});
    return in_turn([&]() -> Status {
        std::vector<Draft> drafts(1);
        drafts.front().kind = Kind::control;
        drafts.front().retention_class = kControlClass;
        drafts.front().body =
            generation_body(present.generation, present.intake_key, present.keyring_hash, actual).encode();
        TRY(commit_now(std::move(drafts)));
        return {};
    });
}

// The weakest since the first of the run's trees was opened: who could bring one of these generations' keys back would
// have the tree's seed, and with it every leaf.
Result<std::string> ArchiveImpl::medium_of(const audit::ErasureRun& begun) const {
    const std::vector<LeafRange> ranges = TRY(ranges_of_run(begun));
    const std::lock_guard guard(catalog_mutex);
    std::uint32_t first = begun.generation;
    for (const LeafRange& r : ranges) {
        const auto tree = catalog->trees().find(r.tree);
        if (tree != catalog->trees().end()) first = std::min(first, tree->second.generation);
    }
    std::string medium;
    for (std::uint32_t g = first; g < std::max(begun.generation, first + 1); ++g) {
        medium = catalog->medium(g);
        if (medium == "file") break;
    }
    return medium;
}

std::string Archive::medium_of(const audit::ErasureRun& run) const {
    auto medium = impl_->medium_of(run);
    return medium.ok() ? std::move(*medium) : "file";  // never more than is known
}

Result<std::uint32_t> Archive::move_epoch(const EpochOrder& order) {
    if (impl_->failed)
        return Error(Code::read_only, "the writer has ended").with_hint("start again; recovery runs by itself");
    if (impl_->holder->local() == nullptr)
        return Error(Code::usage, "the key's medium is changed where the keys are, and the opener lives apart")
            .with_hint(
                "stop server and opener, take opener.socket out of config.yaml for this command, and run it as the "
                "user who owns keys/");
    if (!impl_->holder->is_open()) return vault_closed();
    if (impl_->has_escrow()) TRY(impl_->escrow_ready());
    TRY(impl_->holder->ready());
    const std::unique_lock no_boxes(impl_->generation_mutex);
    Status refused;
    TRY(impl_->in_turn([&]() -> Status {
        TRY(impl_->advance_generation(nullptr, {}, &order, &refused));
        if (!refused.ok()) return {};
        // What is sealed from now on grows in trees whose seeds were never anywhere else.
        impl_->open_trees.clear();
        TRY(impl_->holder->destroy_before(impl_->holder->generation()));
        return impl_->holder->remove_noise();
    }));
    TRY(std::move(refused));
    return impl_->holder->generation();
}

}  // namespace kustos::vault
