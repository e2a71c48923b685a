// How long forgetting takes, beside how much was forgotten before: one record, a whole class and year, and opening one
// at random; then one record with the escrow written, with the key in a TPM and in a token (emulators: swtpm,
// softhsm2), beside the device's own part of the work. Usage: bench_forget RECORDS SCATTERED FOLDER. The folder is
// made, and must not be there.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include "tests/support/emulators.h"
#include "vault/archive.h"
#include "vault/epoch_place.h"
#include "vault/erasure.h"
#include "vault/retention.h"

using namespace kustos;
using namespace kustos::vault;

namespace {

double now_ms() {
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

template <class T>
T need(Result<T> result) {
    if (result.ok()) return std::move(*result);
    std::fprintf(stderr, "bench_forget: %s\n", result.error().message().c_str());
    std::exit(1);
}
void need(Status status) {
    if (status.ok()) return;
    std::fprintf(stderr, "bench_forget: %s\n", status.error().message().c_str());
    std::exit(1);
}

Draft chat(const SourceInfo& source, std::uint64_t number) {
    Message m;
    m.native_id = std::to_string(number);
    m.body = "Nachricht " + m.native_id;
    m.received_at = UtcTime{1'772'445'600'000};
    m.raw = to_bytes("{\"body\":\"" + m.body + "\"}");
    Draft d;
    d.source = source.id;
    d.retention_class = source.retention_class;
    d.content = need(compose(std::move(m)));
    return d;
}

std::vector<EntryIndex> fill(Archive& archive, const SourceInfo& source, std::uint64_t count) {
    std::vector<EntryIndex> entries;
    for (std::uint64_t at = 0; at < count;) {
        std::vector<Draft> drafts;
        for (; drafts.size() < 4'000 && at < count; ++at) drafts.push_back(chat(source, at));
        const std::vector<Receipt> receipts = need(archive.seal(std::move(drafts)));
        for (const Receipt& r : receipts) entries.push_back(r.index);
        need(archive.indexed_below(EntryIndex(entries.back().value + 1)));
    }
    return entries;
}

ForgetOrder order_of(std::vector<EntryIndex> entries) {
    ForgetOrder order;
    order.entries = std::move(entries);
    order.reason = compose_reason({"bench", "bench", {"a", "b"}, ""});
    return order;
}

struct Times {
    double median = 0, worst = 0;
};
template <class Work>
Times measure(int rounds, const Work& work) {
    std::vector<double> ms;
    for (int i = 0; i < rounds; ++i) {
        const double before = now_ms();
        work(i);
        ms.push_back(now_ms() - before);
    }
    std::sort(ms.begin(), ms.end());
    return {ms[ms.size() / 2], ms.back()};
}

void row(const char* what, const Times& t, double limit) {
    std::printf("%-58s %9.2f ms %9.2f ms", what, t.median, t.worst);
    if (limit > 0) std::printf("   %.2f of %.0f ms", t.median / limit, limit);
    std::printf("\n");
}

bool installed(const char* program) {
    const char* path = std::getenv("PATH");
    std::string folder;
    for (const char* at = path == nullptr ? "" : path;; ++at) {
        if (*at != ':' && *at != 0) {
            folder += *at;
            continue;
        }
        if (!folder.empty() && std::filesystem::exists(Path(folder) / program)) return true;
        folder.clear();
        if (*at == 0) return false;
    }
}

constexpr int kRounds = 21;

// An archive of its own: what it costs does not depend on how much is in it (the rows above).
struct Small {
    Path folder;
    Environment environment;
    std::unique_ptr<Archive> archive;
    std::vector<EntryIndex> entries;

    Small(Environment e, Path where, const EscrowMaker& escrow) : folder(std::move(where)), environment(e) {
        need(Archive::create(e, folder / "a", folder / "s", CreateOptions()));
        OpenOptions options;
        options.state = folder / "s";
        options.escrow = escrow;
        archive = need(Archive::open(e, folder / "a", std::move(options)));
        entries = fill(*archive, need(archive->add_source("bench", "import", kDefaultClass)), 1'000);
    }
    Times erase() {
        return measure(kRounds, [&](int) {
            need(archive->forget(order_of({entries.back()})));
            entries.pop_back();
        });
    }
};

// What the device has to do for one erasure, by itself: a key put and read back, one emptied and looked for.
Times device_alone(const Small& small) {
    const Path keys = small.folder / "a" / "keys";
    const std::uint32_t present = small.archive->key_generation();
    const EpochPlace now = *need(load_epoch_place(small.environment.fs, keys, present));
    const EpochPlace next = next_epoch_place(now, small.archive->vault_id(), present + 1);
    return measure(kRounds, [&](int) {
        const auto device = need(open_epoch_device(small.environment, next));
        need(device->put(Bytes(32, 1)));
        need(device->wipe());
    });
}

void device_rows(const char* name, Small& small, const std::string& where, const Times& file) {
    need(small.archive->move_epoch(need(parse_epoch_order(where))));
    const Times all = small.erase(), alone = device_alone(small);
    const double counterpart = file.median + alone.median;
    std::printf("%-58s %9.2f ms %9.2f ms   %.2f of 2.0 times file and device alone (%.2f ms)\n", name, all.median,
                all.worst, all.median / counterpart, counterpart);
}

void media_rows(Environment environment, const Path& folder) {
    std::printf("%-58s %12s %12s\n", "forgetting, where the key lies elsewhere", "median", "worst");
    Small small(environment, folder / "media", nullptr);
    const Times file = small.erase();
    row("erase one (file)", file, 50);
    if (installed("swtpm")) {
        const test::SoftTpm chip;
        device_rows("erase one (TPM)", small, "tpm:" + chip.address(), file);
        need(small.archive->move_epoch(need(parse_epoch_order("file"))));
    } else {
        std::printf("erase one (TPM): skipped, swtpm is not installed\n");
    }
    if (installed("softhsm2-util")) {
        const test::SoftToken token;
        device_rows("erase one (PKCS#11)", small, token.uri(""), file);
        need(small.archive->move_epoch(need(parse_epoch_order("file"))));
    } else {
        std::printf("erase one (PKCS#11): skipped, softhsm2 is not installed\n");
    }
    need(make_dirs_synced(environment.fs, folder / "medium"));
    Small escrowed(environment, folder / "escrowed", escrow_in_folder(folder / "medium"));
    row("erase with escrow written", escrowed.erase(), 100);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) return 2;
    const auto records = static_cast<std::uint64_t>(std::atoll(argv[1]));
    const auto scattered = static_cast<std::uint64_t>(std::atoll(argv[2]));
    const Path folder = argv[3];
    RealFs fs;
    SystemClock clock;
    SystemRandom random;
    const Environment environment{fs, clock, random};
    need(Archive::create(environment, folder / "a", folder / "s", CreateOptions()));
    OpenOptions options;
    options.state = folder / "s";
    auto archive = need(Archive::open(environment, folder / "a", std::move(options)));
    const SourceInfo source = need(archive->add_source("bench", "import", kDefaultClass));
    std::vector<EntryIndex> entries = fill(*archive, source, records);
    const KeyTreeId tree = need(archive->entry(entries.front())).header.tree;
    std::uint64_t die = 88172645463325252ULL;
    const auto pick = [&] {  // an entry that is not erased yet
        die ^= die << 13, die ^= die >> 7, die ^= die << 17;
        const std::size_t at = die % entries.size();
        const EntryIndex entry = entries[at];
        entries[at] = entries.back();
        entries.pop_back();
        return entry;
    };
    std::printf("%-58s %12s %12s\n", "forgetting (file medium, no escrow)", "median", "worst");
    row("one record", measure(kRounds, [&](int) { need(archive->forget(order_of({pick()}))); }), 50);
    if (scattered != 0) {
        std::vector<EntryIndex> many;
        for (std::uint64_t i = 0; i < scattered; ++i) many.push_back(pick());
        row("all the scattered ones in one run", measure(1, [&](int) { need(archive->forget(order_of(many))); }), 50);
        row("one record, behind them", measure(kRounds, [&](int) { need(archive->forget(order_of({pick()}))); }), 50);
    }
    // Each opened twice: what is promised is said of a segment in the page cache, and ten million records are not in
    // it.
    std::vector<EntryIndex> opened;
    for (int i = 0; i < 200; ++i) {
        die ^= die << 13, die ^= die >> 7, die ^= die << 17;
        opened.push_back(entries[die % entries.size()]);
    }
    const auto open = [&](int round) {
        const EntryIndex entry = opened[static_cast<std::size_t>(round)];
        need(archive->open_payload(entry, need(archive->entry(entry))));
    };
    row("opening one at random, its segment not walked yet", measure(200, open), 0);
    row("the same again, segments in the page cache", measure(200, open), 1);
    ForgetOrder disposition = order_of({});
    disposition.method = ForgetMethod::disposition;
    disposition.trees = {tree};
    row("a whole class and year, its first tree",
        measure(1, [&](int) { need(archive->forget(std::move(disposition))); }), 50);
    archive.reset();
    media_rows(environment, folder);
    return 0;
}
