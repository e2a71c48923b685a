#include "ingest/src/matrix_reconcile.h"

#include <algorithm>
#include <charconv>

namespace kustos::ingest {

namespace {

constexpr const char* kGap = "matrix:gap";

std::uint64_t number_of(const std::optional<std::string>& text) {
    std::uint64_t out = 0;
    if (text) std::from_chars(text->data(), text->data() + text->size(), out);
    return out;
}

}  // namespace

// One room, from now (or from where the last round had to stop) back to `anchor`.
struct MatrixReconcile::Pass {
    std::string room, user;
    std::string anchor;  // event id with which the last comparison began; empty: there was none
    std::string newest;  // with which this one begins
    std::string from, oldest;
    std::uint64_t lost = 0;
    std::int64_t since_ms = 0;
    bool reached = false, ended = false;
};

// When the source began: what is older was never its business, unless the settings say so.
Result<std::int64_t> MatrixReconcile::since() {
    if (settings_.history) return 0;
    const auto known = TRY(intake_.recall("since"));
    if (known) return static_cast<std::int64_t>(number_of(known));
    const std::int64_t now = intake_.environment().clock.now().ms;
    TRY(intake_.remember("since", std::to_string(now)));
    return now;
}

Status MatrixReconcile::round() {
    TRY(since());
    auto rooms = TRY(rooms_.all());
    const auto joined = homeserver_.joined_rooms();
    if (joined.ok()) {
        for (const std::string& room : *joined) rooms.emplace(room, "");
    } else if (joined.error().code() == Code::environment) {
        return joined.error();
    }
    Status later;
    for (const auto& [room, user] : rooms) {
        if (intake_.stopping()) return Error(Code::interrupted, "the server ends");
        // A file that can't be had for now holds up its room, not the others.
        if (const Status done = this->room(room, user); !done.ok()) {
            if (done.error().code() != Code::environment) return done;
            later = done;
        }
    }
    return later;
}

// With the application service's own eyes first, then with those of a local member.
Result<MatrixPage> MatrixReconcile::page(Pass& pass) {
    auto page = homeserver_.messages(pass.room, "", pass.from);
    if (page.ok() || page.error().code() != Code::not_found || pass.user.empty()) return page;
    return homeserver_.messages(pass.room, pass.user, pass.from);
}

Status MatrixReconcile::room(const std::string& room, const std::string& user) {
    Pass pass;
    pass.room = room;
    pass.user = user;
    pass.since_ms = TRY(since());
    pass.anchor = TRY(intake_.recall("anchor/" + room)).value_or("");
    pass.lost = number_of(TRY(intake_.recall("lost/" + room)));
    if (const auto stopped = TRY(intake_.recall("resume/" + room))) {
        const std::size_t line = std::min(stopped->find('\n'), stopped->size());
        pass.newest = stopped->substr(0, line);
        pass.from = stopped->substr(std::min(line + 1, stopped->size()));
    }
    for (int n = 0; n < kPages && !pass.reached && !pass.ended; ++n) {
        auto page = this->page(pass);
        if (!page.ok() && page.error().code() == Code::environment) return page.error();
        // How many events can't be had nobody knows: one stretch.
        if (!page.ok()) return intake_.finding(kGap, 1, room);
        TRY(take_page(pass, std::move(*page)));
    }
    if (!pass.reached && !pass.ended) return intake_.remember("resume/" + room, pass.newest + "\n" + pass.from);
    return finish(pass);
}

Status MatrixReconcile::take_page(Pass& pass, MatrixPage page) {
    const std::int64_t young = intake_.environment().clock.now().ms - settings_.settle_ms;
    std::vector<MatrixItem> items;
    bool all_before = !page.events.empty();
    for (Bytes& json : page.events) {
        MatrixItem item = taker_.parse(std::move(json), pass.room);
        const vault::Message& message = item.item.message;
        if (!pass.anchor.empty() && message.native_id == pass.anchor) {
            pass.reached = true;
            break;
        }
        if (pass.newest.empty()) {
            if (message.sent_at && message.sent_at->ms > young) {
                all_before = false;
                continue;
            }
            pass.newest = message.native_id;
        }
        if (!message.native_id.empty()) pass.oldest = message.native_id;
        // The time is the sender's word: one old event ends nothing, a page of them does.
        if (pass.anchor.empty() && message.sent_at && message.sent_at->ms < pass.since_ms) continue;
        all_before = false;
        items.push_back(std::move(item));
    }
    std::reverse(items.begin(), items.end());
    const MatrixTaker::Counts counts = TRY(taker_.take(std::move(items)));
    sealed_ += counts.sealed;
    if (counts.unseen > 0) {
        pass.lost += counts.unseen;
        TRY(intake_.remember("lost/" + pass.room, std::to_string(pass.lost)));
    }
    if (pass.anchor.empty() && all_before) pass.reached = true;
    pass.ended = page.end.empty() || page.end == pass.from;
    if (!pass.ended) pass.from = page.end;
    return {};
}

Status MatrixReconcile::finish(Pass& pass) {
    if (pass.anchor.empty()) pass.reached = true;  // the whole room
    if (pass.lost > 0) TRY(intake_.finding(kGap, pass.lost, pass.room));
    // A history that ends too early is proven to lack something, not how much.
    if (!pass.reached) TRY(intake_.finding(kGap, 1, pass.room + " before " + pass.oldest));
    TRY(intake_.resolve(kGap, pass.room));
    if (pass.lost > 0) TRY(intake_.forget("lost/" + pass.room));
    if (!pass.newest.empty() && pass.newest != pass.anchor) TRY(intake_.remember("anchor/" + pass.room, pass.newest));
    return intake_.forget("resume/" + pass.room);
}

}  // namespace kustos::ingest
