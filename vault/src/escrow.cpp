#include "vault/escrow.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "base/crypto.h"
#include "vault/epoch.h"
#include "vault/keyring.h"
#include "vault/src/key_file.h"

namespace kustos::vault {

namespace {

constexpr std::size_t kMaxFile = 64u << 20;
constexpr std::size_t kMaxAbout = 4u << 20;
constexpr const char* kBeside[] = {"slots", "auto.key", "duplicates.key"};

// tree-00000001-0123456789abcdef: the last 16 digits begin the file's SHA-256 (keys.md, "Keyring").
bool is_page_name(std::string_view name) {
    const std::size_t dash = name.rfind('-');
    return name.size() < 64 && (name.rfind("tree-", 0) == 0 || name.rfind("shards-", 0) == 0) &&
           dash != std::string_view::npos && name.size() - dash == 17 &&
           name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string_view::npos;
}
bool page_holds(std::string_view name, ByteView bytes) {
    return sha256(bytes).hex().substr(0, 16) == name.substr(name.size() - 16);
}

// Durable, and what is read back is what was written.
Status put_checked(Fs& fs, const Path& file, ByteView bytes) {
    TRY(replace_file(fs, file, bytes));
    Bytes back = TRY(read_file(fs, file, bytes.size() + 1));
    const bool same = equal(back, bytes);
    wipe(back);
    if (!same) return Error(Code::environment, "the escrow's medium did not give back what was written");
    return {};
}

class FolderEscrow final : public EscrowTarget {
public:
    FolderEscrow(Environment e, Path keys_dir, const VaultId& vault, Path medium)
        : environment_(e),
          keys_(std::move(keys_dir)),
          vault_(vault),
          medium_(std::move(medium)),
          dir_(escrow_folder(medium_, vault)) {}

    // An empty mount point must not be taken for the medium: only the very first time the folder is made.
    Status reachable(bool first) override {
        const auto there = environment_.fs.is_dir(dir_);
        if (there.ok() && *there) return {};
        const auto medium = environment_.fs.is_dir(medium_);
        if (first && medium.ok() && *medium) return make_dirs_synced(environment_.fs, dir_ / "pages");
        return Error(Code::environment, "the escrow's medium is not there: no folder kustos-escrow-" + vault_.hex() +
                                            " at " + medium_.string())
            .with_hint("connect it; for a new medium make that folder by hand");
    }

    Status store(std::uint32_t generation, ByteView epoch, UtcTime now, bool first) override {
        Fs& fs = environment_.fs;
        TRY(reachable(first));
        TRY(make_dirs_synced(fs, dir_ / "pages"));
        const Path folder = generation_dir(dir_, generation);
        TRY(make_dirs_synced(fs, folder));
        if (fs.exists(folder / "about")) {  // of a try that counts for nothing from here on
            TRY(fs.remove(folder / "about"));
            TRY(fs.sync_dir(folder));
        }
        const Bytes root =
            TRY_IN("keys: root page", read_file(fs, generation_dir(keys_, generation) / "root", kMaxFile));
        EscrowedGeneration about;
        about.generation = generation;
        about.stored = now;
        about.root = sha256(root);
        TRY(store_pages(about));
        TRY(file_epochs(environment_, dir_)->store(generation, epoch));
        TRY(put_checked(fs, folder / "root", root));
        TRY(refresh());
        return put_checked(fs, folder / "about", as_bytes(format(about, vault_)));
    }

    Status refresh() override {
        TRY(reachable(false));
        for (const char* name : kBeside) {
            auto now = read_file(environment_.fs, keys_ / name, kMaxKeyFile);
            if (!now.ok() && now.error().code() != Code::not_found) return std::move(now).error();
            if (!now.ok()) {
                TRY(forget_beside(name));
                continue;
            }
            auto there = read_file(environment_.fs, dir_ / name, kMaxKeyFile);
            const bool same = there.ok() && equal(*there, *now);
            Status kept = same ? Status() : put_checked(environment_.fs, dir_ / name, *now);
            if (there.ok()) wipe(*there);
            wipe(*now);
            TRY(std::move(kept));
        }
        return {};
    }

    Result<std::vector<EscrowedGeneration>> generations() override {
        TRY(reachable(false));
        return whole_generations(environment_.fs, dir_, vault_);
    }

    Status remove_superseded(UtcTime time) override {
        Fs& fs = environment_.fs;
        std::vector<EscrowedGeneration> list = TRY(generations());
        std::size_t gone = 0;
        while (gone + 1 < list.size() && list[gone + 1].stored.ms < time.ms) ++gone;
        for (std::size_t i = 0; i < gone; ++i) TRY(remove(list[i].generation));
        list.erase(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(gone));
        // What an interrupted store or removal left below: without `about` it counts for nothing, but may hold an e.
        for (const std::string& name : TRY(fs.list(dir_))) {
            const auto number = generation_number(name);
            if (number && !list.empty() && *number < list.front().generation) TRY(remove(*number));
        }
        std::set<std::string> named;
        for (const EscrowedGeneration& g : list) named.insert(g.pages.begin(), g.pages.end());
        if (list.empty() || !fs.exists(dir_ / "pages")) return {};
        for (const std::string& name : TRY(fs.list(dir_ / "pages"))) {
            if (named.count(name) == 0) TRY(fs.remove(dir_ / "pages" / name));
        }
        return fs.sync_dir(dir_ / "pages");
    }

    static std::optional<std::uint32_t> generation_number(const std::string& name) {
        constexpr std::string_view kPrefix = "generation-";
        if (name.compare(0, kPrefix.size(), kPrefix) != 0) return std::nullopt;
        std::uint32_t number = 0;
        const char* end = name.data() + name.size();
        const auto [at, error] = std::from_chars(name.data() + kPrefix.size(), end, number);
        return error == std::errc() && at == end ? std::optional(number) : std::nullopt;
    }

    static Result<std::vector<EscrowedGeneration>> whole_generations(Fs& fs, const Path& dir, const VaultId& vault) {
        std::vector<EscrowedGeneration> list;
        for (const std::string& name : TRY(fs.list(dir))) {
            const auto number = generation_number(name);
            if (!number) continue;
            const auto text = read_file(fs, dir / name / "about", kMaxAbout);
            if (!text.ok()) continue;
            auto about = parse_escrow_about(as_text(*text), vault);
            if (!about.ok() || about->generation != *number) continue;
            list.push_back(std::move(*about));
        }
        std::sort(list.begin(), list.end(), [](const auto& a, const auto& b) { return a.generation < b.generation; });
        return list;
    }

private:
    // Only those that the medium does not have yet.
    Status store_pages(EscrowedGeneration& about) {
        Fs& fs = environment_.fs;
        if (!fs.exists(keys_ / "pages")) return {};
        for (const std::string& name : TRY(fs.list(keys_ / "pages"))) {
            if (!is_page_name(name)) continue;  // of an interrupted write
            about.pages.push_back(name);
            const auto there = read_file(fs, dir_ / "pages" / name, kMaxFile);
            if (there.ok() && page_holds(name, *there)) continue;
            const Bytes page = TRY_IN("keyring page", read_file(fs, keys_ / "pages" / name, kMaxFile));
            if (!page_holds(name, page))
                return Error(Code::corrupt, "a page of the keyring is damaged").with_hint("kustos verify");
            TRY(put_checked(fs, dir_ / "pages" / name, page));
        }
        return {};
    }

    // A slot that was removed must not live on here.
    Status forget_beside(const char* name) {
        Fs& fs = environment_.fs;
        if (!fs.exists(dir_ / name)) return {};
        Bytes noise(kMaxKeyFile / 16);
        environment_.random.fill(noise);
        TRY(TRY(fs.open(dir_ / name, OpenMode::read_write))->write_at(0, noise));
        TRY(fs.discard(dir_ / name));
        TRY(fs.remove(dir_ / name));
        return fs.sync_dir(dir_);
    }

    Status remove(std::uint32_t generation) {
        Fs& fs = environment_.fs;
        const Path folder = generation_dir(dir_, generation);
        // The key first: whatever comes between, the rest opens nothing.
        TRY(file_epochs(environment_, dir_)->destroy(generation));
        for (const std::string& file : TRY(fs.list(folder))) TRY(fs.remove(folder / file));
        TRY(fs.remove_dir(folder));
        return fs.sync_dir(dir_);
    }

    Environment environment_;
    Path keys_;
    VaultId vault_;
    Path medium_, dir_;
};

Error bad_about() {
    return Error(Code::bad_input, "the escrow's description of a generation is damaged");
}

}  // namespace

std::string format(const EscrowedGeneration& about, const VaultId& vault) {
    std::string text = "kustos-escrow 1\nvault " + vault.hex() + "\ngeneration " + std::to_string(about.generation) +
                       "\nstored " + format_rfc3339(about.stored) + "\nroot " + about.root.hex() + "\n";
    for (const std::string& page : about.pages) text += "page " + page + "\n";
    return text;
}

Result<EscrowedGeneration> parse_escrow_about(std::string_view text, const VaultId& vault) {
    const auto line = [&text](std::string_view label) -> std::optional<std::string_view> {
        if (text.substr(0, label.size()) != label) return std::nullopt;
        const std::size_t end = text.find('\n');
        if (end == std::string_view::npos) return std::nullopt;
        const std::string_view value = text.substr(label.size(), end - label.size());
        text.remove_prefix(end + 1);
        return value;
    };
    EscrowedGeneration about;
    if (line("kustos-escrow ") != "1" || line("vault ") != vault.hex()) return bad_about();
    const auto number = line("generation ");
    if (!number) return bad_about();
    const auto [end, error] = std::from_chars(number->data(), number->data() + number->size(), about.generation);
    if (error != std::errc() || end != number->data() + number->size() || about.generation == 0) return bad_about();
    const auto stored = line("stored "), root = line("root ");
    if (!stored || !root) return bad_about();
    about.stored = TRY(parse_rfc3339(*stored));
    about.root = TRY(Hash::from(TRY(parse_hex(*root))));
    while (!text.empty()) {
        const auto page = line("page ");
        if (!page || !is_page_name(*page)) return bad_about();
        about.pages.emplace_back(*page);
    }
    return about;
}

Path escrow_folder(const Path& medium, const VaultId& vault) {
    return medium / ("kustos-escrow-" + vault.hex());
}

EscrowMaker escrow_in_folder(const Path& medium) {
    return [medium](Environment e, const Path& keys_dir, const VaultId& vault) {
        return std::unique_ptr<EscrowTarget>(std::make_unique<FolderEscrow>(e, keys_dir, vault, medium));
    };
}

Result<EscrowedGeneration> restore_escrow(Environment e, const Path& medium, const VaultId& vault,
                                          const Path& keys_dir) {
    const Path dir = escrow_folder(medium, vault);
    if (!e.fs.exists(dir))
        return Error(Code::not_found, "there is no escrow of this archive at " + medium.string())
            .with_hint("it is a folder kustos-escrow-" + vault.hex());
    auto list = TRY(FolderEscrow::whole_generations(e.fs, dir, vault));
    if (list.empty()) return Error(Code::not_found, "the escrow holds no whole generation of keys");
    const EscrowedGeneration newest = std::move(list.back());
    const Bytes root = TRY(read_file(e.fs, generation_dir(dir, newest.generation) / "root", kMaxFile));
    if (!(sha256(root) == newest.root)) return Error(Code::corrupt, "the escrow's root page is damaged");
    TRY(make_dirs_synced(e.fs, generation_dir(keys_dir, newest.generation)));
    TRY(make_dirs_synced(e.fs, keys_dir / "pages"));
    for (const std::string& name : newest.pages) {
        const Bytes page = TRY_IN("escrow: page", read_file(e.fs, dir / "pages" / name, kMaxFile));
        if (!page_holds(name, page)) return Error(Code::corrupt, "a page in the escrow is damaged");
        TRY(replace_file(e.fs, keys_dir / "pages" / name, page));
    }
    for (const char* name : kBeside) {
        auto bytes = read_file(e.fs, dir / name, kMaxKeyFile);
        if (!bytes.ok() && bytes.error().code() == Code::not_found) continue;
        if (!bytes.ok()) return std::move(bytes).error();
        const Status put = replace_file(e.fs, keys_dir / name, *bytes);
        wipe(*bytes);
        TRY(Status(put));
    }
    TRY(replace_file(e.fs, generation_dir(keys_dir, newest.generation) / "root", root));
    const SecretBytes epoch = TRY_IN("escrow", file_epochs(e, dir)->load(newest.generation));
    TRY(put_back_epoch(e, keys_dir, newest.generation, epoch.view()));
    return newest;
}

Status restore_escrow_file(Environment e, const Path& medium, const VaultId& vault, const Path& keys_dir,
                           const std::string& name) {
    const Path dir = escrow_folder(medium, vault);
    const auto list = TRY(FolderEscrow::whole_generations(e.fs, dir, vault));
    if (list.empty()) return Error(Code::not_found, "the escrow holds no whole generation of keys");
    const std::string newest = "generation-" + std::to_string(list.back().generation) + "/";
    const bool beside = std::any_of(std::begin(kBeside), std::end(kBeside), [&](const char* b) { return name == b; });
    const bool page = name.rfind("pages/", 0) == 0 && is_page_name(name.substr(6));
    if (!beside && !page && name != newest + "root" && name != newest + "e")
        return Error(Code::not_found, "the escrow does not hold keys/" + name)
            .with_hint("of generations only the newest is restored, " + std::to_string(list.back().generation));
    const Path to = keys_dir / name;
    TRY(make_dirs_synced(e.fs, to.parent_path()));
    if (name == newest + "e") {
        const SecretBytes epoch = TRY_IN("escrow", file_epochs(e, dir)->load(list.back().generation));
        TRY(put_back_epoch(e, keys_dir, list.back().generation, epoch.view()));
        return {};
    }
    Bytes bytes = TRY_IN("escrow", read_file(e.fs, dir / name, kMaxFile));
    if (page && !page_holds(name, bytes)) return Error(Code::corrupt, "a page in the escrow is damaged");
    const Status put = replace_file(e.fs, to, bytes);
    wipe(bytes);
    return put;
}

}  // namespace kustos::vault
