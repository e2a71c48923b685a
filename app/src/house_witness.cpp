// Witnesses: every published checkpoint is shown to them; what they remember is believed more than the disk.
#include <algorithm>

#include "app/house.h"
#include "audit/net/witness_client.h"
#include "audit/tlog_proof.h"
#include "base/log.h"

namespace kustos::app {

namespace {

constexpr const char* kHint = "docs/operations.md, \"Rolled back\"";

// A start must not wait long for somebody else's machine.
audit::HttpOptions quick() {
    audit::HttpOptions options;
    options.connect_timeout_ms = 3'000;
    options.read_timeout_ms = 5'000;
    options.total_timeout_ms = 8'000;
    return options;
}

// The size in an answer 409; kNoSize: it is none.
constexpr std::uint64_t kNoSize = ~std::uint64_t{0};
std::uint64_t size_in(const std::string& body) {
    std::uint64_t size = 0;
    std::size_t digits = 0;
    for (; digits < body.size() && body[digits] >= '0' && body[digits] <= '9' && digits < 19; ++digits)
        size = size * 10 + static_cast<std::uint64_t>(body[digits] - '0');
    if (digits == 0 || body.substr(digits) != "\n") return kNoSize;
    return size;
}

Error older_than(const WitnessSeat& seat, std::uint64_t theirs, std::uint64_t ours) {
    return Error(Code::rolled_back, "the archive has " + std::to_string(ours) + " entries, but the witness " +
                                        seat.key.name + " has seen " + std::to_string(theirs))
        .with_hint(kHint);
}
Error contradicted(const WitnessSeat& seat) {
    return Error(Code::rolled_back,
                 "the witness " + seat.key.name + " has seen another history of this archive than the one on this disk")
        .with_hint(kHint);
}

// A witness that answers, but not about this archive, remembers nothing: that is no better than none.
WitnessSeat::Seen judge(int status) {
    return status == 200 || status == 409 || status == 422 ? WitnessSeat::Seen::answers : WitnessSeat::Seen::refuses;
}

// The size that a witness has seen, if it is another than this one.
std::optional<std::uint64_t> seen_by(WitnessSeat& seat, TreeSize published, const std::string& note) {
    audit::AddCheckpoint request;
    request.old_size = published;
    request.note = note;
    const auto answer = audit::ask_witness(seat.url, request, quick());
    if (!answer.ok()) {
        *seat.seen = WitnessSeat::Seen::away;
        log(LogLevel::warning, "a witness can't be reached", {{"code", answer.error().code()}});
        return std::nullopt;
    }
    *seat.seen = judge(answer->status);
    const std::uint64_t size = answer->status == 409 ? size_in(answer->body) : kNoSize;
    return size == kNoSize ? std::nullopt : std::optional(size);
}

}  // namespace

Result<std::vector<WitnessSeat>> read_witnesses(const Config& config) {
    std::vector<WitnessSeat> seats;
    for (const std::string& w : config.list("witnesses")) {
        const std::size_t space = w.find(' ');
        WitnessSeat seat;
        seat.url = w.substr(0, space);
        seat.key = TRY_IN("config.yaml, witnesses",
                          audit::VerifierKey::parse(space == std::string::npos ? "" : w.substr(space + 1)));
        if (seat.key.type != audit::KeyType::cosignature)
            return Error(Code::usage,
                         "config.yaml, witnesses: the key is no witness's (kustos witness serve shows it)");
        TRY_IN("config.yaml", audit::check_http_address("witness", seat.url));
        seats.push_back(std::move(seat));
    }
    return seats;
}

// At the start: nobody may remember more than there is. One who can't be reached is no reason to stand still.
Status House::look_at_witnesses(vault::Archive& archive) {
    const auto published = archive.newest_published();
    const audit::AnchorStore anchors(environment_.fs, options_.archive / "ledger");
    const std::uint64_t size = archive.head().size.value;
    for (const audit::AnchorSpan& span : TRY(anchors.list())) {
        if (span.size.value > size)
            return Error(Code::rolled_back, "the archive has " + std::to_string(size) +
                                                " entries, but a time stamp covers " + std::to_string(span.size.value))
                .with_hint(kHint);
    }
    // Nothing published yet: the last commit's checkpoint. A witness that has never seen this ledger does not sign it.
    const TreeSize shown = published ? published->size : archive.head().size;
    if (shown.value == 0 || witnesses_.empty()) return {};
    const std::string note = published ? TRY(archive.published_note(shown)) : TRY(archive.signer().note());
    // The first publication after a continuation is still to come: what witnesses remember is the ledger before.
    if (TRY(audit::parse_checkpoint(TRY(audit::parse_note(as_bytes(note))).text)).origin != archive.origin()) return {};
    for (WitnessSeat& seat : witnesses_) {
        const auto theirs = seen_by(seat, shown, note);
        if (!theirs) continue;
        if (*theirs > size) return older_than(seat, *theirs, size);
        if (*theirs == shown.value) return contradicted(seat);
    }
    return {};
}

Result<std::uint64_t> remembered_by_others(Environment environment, const Path& archive, TreeSize size,
                                           const std::string& origin) {
    std::uint64_t most = 0;
    const Path ledger = archive / "ledger";
    for (const audit::AnchorSpan& span : TRY(audit::AnchorStore(environment.fs, ledger).list()))
        most = std::max(most, span.size.value);
    const Config config = TRY(load_config(environment.fs, archive));
    const auto published = TRY(audit::list_published(environment.fs, ledger));
    for (WitnessSeat& seat : TRY(read_witnesses(config))) {
        for (std::size_t i = published.size(); i-- > 0;) {
            if (published[i] > size) continue;
            const std::string note = TRY(audit::read_note(environment.fs, audit::published_file(ledger, published[i])));
            if (TRY(audit::parse_checkpoint(TRY(audit::parse_note(as_bytes(note))).text)).origin != origin) break;
            most = std::max(most, seen_by(seat, published[i], note).value_or(0));
            break;
        }
    }
    return most;
}

Status House::ask_witnesses(TreeSize size) {
    const Path ledger = options_.archive / "ledger";
    const Path file = audit::cosigned_file(ledger, size);
    const std::string published = TRY(archive_->published_note(size));
    std::string note = environment_.fs.exists(file) ? TRY(audit::read_note(environment_.fs, file)) : published;
    const auto sizes = TRY(audit::list_cosigned(environment_.fs, ledger));
    for (WitnessSeat& seat : witnesses_) {
        const std::span<const audit::VerifierKey> only(&seat.key, 1);
        const auto has_signed = [&](const std::string& text) {
            const auto parsed = audit::parse_note(as_bytes(text));
            const auto held = parsed.ok() ? audit::verify_cosignatures(*parsed, only)
                                          : Result<std::vector<audit::Cosignature>>(parsed.error());
            return held.ok() && !held->empty();
        };
        if (has_signed(note)) continue;
        // The last one that it has signed, as far as we know; it tells if it remembers another.
        TreeSize old(0);
        for (std::size_t i = sizes.size(); i-- > 0 && old.value == 0;) {
            const auto text = audit::read_note(environment_.fs, audit::cosigned_file(ledger, sizes[i]));
            if (sizes[i] < size && text.ok() && has_signed(*text)) old = sizes[i];
        }
        for (int attempt = 0; attempt < 2; ++attempt) {
            audit::AddCheckpoint request;
            request.old_size = old;
            request.note = published;
            if (old.value != 0 && old < size) request.proof = TRY(archive_->ledger().consistency(old, size));
            const auto answer = audit::ask_witness(seat.url, request, {});
            *seat.seen = answer.ok() ? judge(answer->status) : WitnessSeat::Seen::away;
            if (!answer.ok()) {
                log(LogLevel::warning, "a witness can't be reached", {{"code", answer.error().code()}});
                break;
            }
            if (answer->status == 200) {
                const auto line = audit::cosignature_line(published, answer->body, seat.key);
                if (!line.ok()) {
                    *seat.seen = WitnessSeat::Seen::refuses;
                    log(LogLevel::warning, "a witness answered with a signature that does not hold");
                    break;
                }
                note = audit::add_signature_line(note, *line);
                TRY(audit::store_cosigned(environment_.fs, ledger, size, note));
                break;
            }
            const std::uint64_t theirs = answer->status == 409 ? size_in(answer->body) : kNoSize;
            const std::uint64_t ours = archive_->head().size.value;
            if (theirs != kNoSize && theirs > ours) {
                archive_->end_writing(older_than(seat, theirs, ours));
                return older_than(seat, theirs, ours);
            }
            if (answer->status == 422 || theirs == old.value) {
                archive_->end_writing(contradicted(seat));
                return contradicted(seat);
            }
            if (theirs == kNoSize || theirs > size.value) {
                log(LogLevel::warning, "a witness refused", {{"status", answer->status}});
                break;
            }
            old = TreeSize(theirs);
        }
    }
    return {};
}

Result<std::string> House::receipt(EntryIndex entry) {
    if (entry.value >= archive_->head().size.value) return Error(Code::usage, "there is no such entry");
    const auto published = archive_->newest_published();
    if (!published || published->size.value <= entry.value) TRY(publish_and_anchor());
    const auto now = archive_->newest_published();
    if (!now || now->size.value <= entry.value) {
        return Error(Code::overloaded, "no published checkpoint covers this entry yet")
            .with_hint("ask again in a minute");
    }
    const Path cosigned = audit::cosigned_file(options_.archive / "ledger", now->size);
    audit::TlogProof proof;
    proof.index = entry;
    proof.proof = TRY(archive_->ledger().proof(entry, now->size));
    proof.note = environment_.fs.exists(cosigned) ? TRY(audit::read_note(environment_.fs, cosigned))
                                                  : TRY(archive_->published_note(now->size));
    return proof.format();
}

}  // namespace kustos::app
