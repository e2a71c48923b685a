// Publish and anchor: how what is sealed becomes provable. Ingest never waits for an authority: what has no time stamp
// yet is the queue, and it lies in ledger/ itself.
#include <algorithm>
#include <sstream>

#include "app/house.h"
#include "audit/anchors.h"
#include "audit/imprint.h"
#include "audit/net/tsa_client.h"
#include "base/log.h"

namespace kustos::app {

// "ADDRESS [name=N] [policy=OID] [proxy=URL] [ca=FILE] [certificate=FILE key=FILE] [user=U password_file=FILE]"
Status House::add_authority(const std::string& line) {
    std::istringstream words(line);
    std::string url, word;
    words >> url;
    std::string name = "tsa-" + std::to_string(authorities_.size() + 1);
    audit::HttpOptions http;
    audit::TokenTrust trust;
    // Whose word counts is the verifier's decision (trust file); here: that it answers what was asked.
    trust.rule = audit::ChainRule::none;
    while (words >> word) {
        const std::size_t equals = word.find('=');
        const std::string key = word.substr(0, equals);
        const std::string value = equals == std::string::npos ? "" : word.substr(equals + 1);
        if (value.empty()) return Error(Code::usage, "time_stamps.authorities: " + key + " needs a value (key=value)");
        if (key == "name") {
            name = value;
        } else if (key == "policy") {
            trust.policy = value;
        } else if (key == "proxy") {
            http.proxy = value;
        } else if (key == "ca") {
            http.ca_file = value;
        } else if (key == "certificate") {
            http.client_certificate = value;
        } else if (key == "key") {
            http.client_key = value;
        } else if (key == "user") {
            http.user = value;
        } else if (key == "password_file") {
            const Bytes secret =
                TRY_IN("time_stamps.authorities, password_file", read_file(environment_.fs, value, 4096));
            http.password = to_text(secret).substr(0, to_text(secret).find('\n'));
        } else {
            return Error(Code::usage, "time_stamps.authorities: " + key + " is not known")
                .with_hint("name, policy, proxy, ca, certificate, key, user, password_file");
        }
    }
    for (const auto& other : authorities_) {
        if (other->name() == name) return Error(Code::usage, "time_stamps.authorities: two have the name " + name);
    }
    auto authority = TRY_IN("config.yaml", audit::HttpAuthority::make(name, url, std::move(http)));
    choices_.push_back({authority.get(), std::move(trust)});
    authorities_.push_back(std::move(authority));
    return {};
}

Status House::name_anchor(const audit::AnchorSpan& span, ByteView note, ByteView token, const std::string& authority) {
    TRY(archive_->record_control(audit::ControlAction::anchor_stored, [&](audit::Body& body) {
        body.put_u64(audit::Tag::checkpoint_size, span.size.value);
        body.put_u64(audit::Tag::previous_size, span.previous.value);
        body.put_hash(audit::Tag::note_hash, sha256(note));
        body.put_hash(audit::Tag::token_hash, sha256(token));
        body.put_text(audit::Tag::authority, authority);
    }));
    return ok_status();
}

// A crash between a token's file and its entry leaves a token that the ledger does not name: it is named now. Only the
// newest anchor can be such a one.
Status House::name_forgotten_anchor(const audit::AnchorStore& store, const audit::AnchorSpan& newest) {
    const audit::Anchor anchor = TRY(store.read(newest));
    const std::vector<vault::AnchorInfo> named = archive_->anchors();
    for (const audit::AnchorToken& token : anchor.tokens) {
        const Hash hash = sha256(token.token);
        const bool known =
            std::any_of(named.begin(), named.end(), [&](const vault::AnchorInfo& a) { return a.token_hash == hash; });
        if (!known) TRY(name_anchor(newest, anchor.note, token.token, token.authority));
    }
    return ok_status();
}

Result<Hash> House::imprint_of(const audit::AnchorSpan& span, ByteView note) {
    audit::ImprintBuilder imprint(sha256(note));
    TRY(archive_->ledger().for_each(EntryIndex(span.previous.value), EntryIndex(span.size.value),
                                    [&imprint](EntryIndex, ByteView bytes) -> Status {
                                        const audit::EntryHeader header = TRY(audit::decode_header(bytes));
                                        audit::ImprintGroup group;
                                        group.object = sha256(bytes);
                                        if (header.suite != audit::Suite::none)
                                            group.ciphertext = header.ciphertext_hash;
                                        imprint.add(group);
                                        return {};
                                    }));
    return imprint.root();
}

// Whatever shows that the authority's certificates are good now goes into the token. Code::denied: one is revoked.
Status House::add_validation(const std::string& name, Bytes& token) {
    const auto authority =
        std::find_if(authorities_.begin(), authorities_.end(), [&](const auto& one) { return one->name() == name; });
    const audit::Fetcher fetcher = authority == authorities_.end() ? audit::Fetcher() : (*authority)->fetcher();
    if (!fetcher) return {};
    audit::Validation with = TRY(audit::collect_validation(token, fetcher));
    if (!with.complete)
        log(LogLevel::info, "a time stamp's certificates could not all be checked for revocation",
            {{"ocsp", with.ocsp}, {"crls", with.crls}});
    token = std::move(with.token);
    return {};
}

// Asks those authorities that are due and have not stamped this yet. How many stamped it now.
Result<std::size_t> House::stamp_span(const audit::AnchorSpan& span, ByteView note,
                                      const std::vector<std::string>& have) {
    audit::AnchorStore store(environment_.fs, options_.archive / "ledger");
    audit::AuthorityBook book = TRY(audit::AuthorityBook::open(environment_.fs, options_.state / "authorities"));
    std::vector<audit::AuthorityChoice> due;
    for (const audit::AuthorityChoice& choice : choices_) {
        const std::string& name = choice.authority->name();
        if (std::find(have.begin(), have.end(), name) == have.end() && book.due(name, environment_.clock.now()))
            due.push_back(choice);
    }
    if (due.empty()) return std::size_t{0};
    const Hash imprint = TRY(imprint_of(span, note));
    std::size_t stamped = 0;
    for (audit::StampOutcome& outcome : audit::stamp(imprint, due, environment_.clock, environment_.random)) {
        Status good;
        Bytes token;
        if (!outcome.result.ok()) {
            good = outcome.result.error();
        } else {
            good = book.answered(outcome.authority, outcome.result->facts.gen_time);
            token = outcome.result->token;
        }
        if (good.ok()) good = add_validation(outcome.authority, token);
        if (!good.ok()) {
            log(LogLevel::warning, "time-stamp authority did not answer well", {{"code", good.error().code()}});
            book.failed(outcome.authority, environment_.clock.now(), environment_.random);
            continue;
        }
        if (outcome.clock_suspicious) {
            // One of the two clocks is wrong: the token is valid all the same, and the doubt stands in the ledger.
            log(LogLevel::warning, "clock differs from the time-stamp authority's", {{"ms", outcome.clock_offset_ms}});
            TRY(archive_->record_control(audit::ControlAction::finding, [&](audit::Body& body) {
                body.put_text(audit::Tag::code, "clock:" + outcome.authority);
                body.put_u64(audit::Tag::count, static_cast<std::uint64_t>(std::llabs(outcome.clock_offset_ms)));
            }));
        }
        TRY(store.store(span, note, token, outcome.authority));
        TRY(name_anchor(span, note, token, outcome.authority));
        ++stamped;
    }
    TRY(book.save());
    return stamped;
}

Result<bool> House::publish_and_anchor(bool publish) {
    const std::lock_guard lock(anchor_mutex_);
    const audit::AnchorStore store(environment_.fs, options_.archive / "ledger");
    const auto newest = audit::newest_anchor(TRY(store.list()));
    std::vector<std::string> have;
    if (newest) {
        TRY(name_forgotten_anchor(store, *newest));
        for (const audit::AnchorToken& token : TRY(store.read(*newest)).tokens) have.push_back(token.authority);
    }
    TreeSize size;
    if (publish) {
        size = TRY(archive_->publish());
        if (!witnesses_.empty()) TRY(ask_witnesses(size));
    } else if (const auto published = archive_->newest_published()) {
        size = published->size;
    }
    if (choices_.empty()) return true;
    // A new anchor covers everything since the last one. Without one, authorities that were away when the newest was
    // made add their token to that.
    if (size.value > (newest ? newest->size.value : 0)) {
        const audit::AnchorSpan span{newest ? newest->size : TreeSize(0), size};
        const std::string note = TRY(archive_->published_note(size));
        return TRY(stamp_span(span, as_bytes(note), {})) == choices_.size();
    }
    if (!newest || have.size() >= choices_.size()) return true;
    const audit::Anchor anchor = TRY(store.read(*newest));
    return TRY(stamp_span(*newest, anchor.note, have)) + have.size() >= choices_.size();
}

Result<AnchorPreview> House::preview_anchors(std::int64_t interval_s) const {
    AnchorPreview preview;
    preview.interval_s = interval_s;
    preview.authorities =
        static_cast<std::size_t>(std::count_if(authorities_.begin(), authorities_.end(), [](const auto& one) {
            return one->name() != audit::BuiltinAuthority::kName;
        }));
    preview.most_per_day = preview.authorities * static_cast<std::uint64_t>((86'400 + interval_s - 1) / interval_s);
    const UtcTime since{environment_.clock.now().ms - std::int64_t{30} * 86'400'000};
    const audit::AnchorStore store(environment_.fs, options_.archive / "ledger");
    auto spans = TRY(store.list());
    std::sort(spans.begin(), spans.end(), [](const auto& a, const auto& b) { return a.size > b.size; });
    for (const audit::AnchorSpan& span : spans) {
        const audit::Anchor anchor = TRY(store.read(span));
        bool recent = false;
        for (const audit::AnchorToken& token : anchor.tokens) {
            const auto content = TRY(audit::read_token_content(token.token));
            if (content.gen_time < since) continue;
            recent = true;
            if (token.authority != audit::BuiltinAuthority::kName) ++preview.last_30_days;
        }
        if (!recent) break;
    }
    return preview;
}

// --- by hand: for authorities that no network leads to -------------------------------------------------------------

Result<Bytes> House::stamp_request() {
    TRY(publish_and_anchor());
    const std::lock_guard lock(anchor_mutex_);
    const audit::AnchorStore store(environment_.fs, options_.archive / "ledger");
    const auto newest = audit::newest_anchor(TRY(store.list()));
    const auto published = archive_->newest_published();
    if (!published) return Error(Code::usage, "there is nothing to be stamped yet");
    const audit::AnchorSpan span = newest && newest->size >= published->size
                                       ? *newest
                                       : audit::AnchorSpan{newest ? newest->size : TreeSize(0), published->size};
    const std::string note = TRY(archive_->published_note(span.size));
    const Hash imprint = TRY(imprint_of(span, as_bytes(note)));
    const Bytes request = audit::TimestampRequest::make(imprint, environment_.random).encode();
    const Path dir = options_.state / "requests";
    TRY(environment_.fs.make_dirs(dir));
    TRY(replace_file(environment_.fs, dir / (span.folder() + ".tsq"), request));
    return request;
}

Result<audit::AnchorSpan> House::take_stamp(ByteView tsr, const std::string& authority) {
    if (!audit::is_authority_name(authority) || authority == audit::BuiltinAuthority::kName)
        return Error(Code::usage, "--authority takes lower-case letters, digits, dots and hyphens");
    const std::lock_guard lock(anchor_mutex_);
    const Path dir = options_.state / "requests";
    const auto names = environment_.fs.list(dir);
    audit::TokenTrust trust;
    trust.rule = audit::ChainRule::none;
    for (const std::string& name : names.ok() ? *names : std::vector<std::string>{}) {
        if (!name.ends_with(".tsq")) continue;
        const auto span = audit::AnchorSpan::parse(name.substr(0, name.size() - 4));
        const auto bytes = read_file(environment_.fs, dir / name, audit::kMaxToken);
        const auto request =
            bytes.ok() ? audit::TimestampRequest::parse(*bytes) : Result<audit::TimestampRequest>(bytes.error());
        if (!span.ok() || !request.ok()) continue;
        const auto stamped = audit::verify_response(tsr, *request, trust);
        if (!stamped.ok()) continue;
        audit::AuthorityBook book = TRY(audit::AuthorityBook::open(environment_.fs, options_.state / "authorities"));
        TRY(book.answered(authority, stamped->facts.gen_time));
        const std::string note = TRY(archive_->published_note(span->size));
        audit::AnchorStore store(environment_.fs, options_.archive / "ledger");
        TRY(store.store(*span, as_bytes(note), stamped->token, authority));
        TRY(name_anchor(*span, as_bytes(note), stamped->token, authority));
        TRY(book.save());
        TRY(environment_.fs.remove(dir / name));
        return *span;
    }
    return Error(Code::bad_input, "this answers no request that `kustos anchor request` has made here")
        .with_hint("nothing was taken; ask the authority again with the newest .tsq file");
}

}  // namespace kustos::app
