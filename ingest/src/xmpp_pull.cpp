#include "ingest/src/xmpp_pull.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "ingest/src/chat_fields.h"
#include "ingest/src/intake_sink.h"

namespace kustos::ingest {

namespace {

constexpr const char* kGap = "xmpp:gap";
constexpr const char* kBad = "xmpp:bad-archive";
constexpr const char* kNoAccess = "xmpp:no-access";
constexpr std::size_t kMostArchives = 10'000;  // with names in memory

Error contradiction(const char* what) {
    return Error(Code::bad_input, std::string("the XMPP server's archive ") + what);
}

template <class Number>
bool next_number(std::string_view& text, Number& into) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
    if (error != std::errc() || end == text.data() + text.size() || *end != ' ') return false;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
    return true;
}

}  // namespace

// "<stamp> <from> <taken> <id>"
std::optional<XmppPlace> XmppPlace::parse(std::string_view text) {
    XmppPlace out;
    if (!next_number(text, out.stamp_ms) || !next_number(text, out.from_ms) || !next_number(text, out.taken))
        return std::nullopt;
    out.id = std::string(text);
    return out;
}

std::string XmppPlace::write() const {
    return std::to_string(stamp_ms) + " " + std::to_string(from_ms) + " " + std::to_string(taken) + " " + id;
}

// One archive in one round.
struct XmppPull::Pass {
    std::string archive;
    bool own = false;
    XmppPlace place;
    bool complete = false, refused = false;
    std::uint64_t got = 0, counted = 0;  // results of this pass; the most that the server says it has
    // Brent's cycle detection over the pages' last ids: no memory however long the archive is.
    std::string tortoise;
    std::uint64_t steps = 0, power = 1;
    bool turns_in_circles(const std::string& last) {
        if (last == tortoise) return true;
        if (++steps == power) {
            tortoise = last;
            power *= 2;
            steps = 0;
        }
        return false;
    }
};

// What was there before the source is not its business, unless the settings say so.
Result<std::int64_t> XmppPull::since() {
    if (settings_.history) return 0;
    const auto known = TRY(intake_.recall("since"));
    std::int64_t ms = 0;
    if (known && std::from_chars(known->data(), known->data() + known->size(), ms).ec == std::errc()) return ms;
    ms = intake_.environment().clock.now().ms / 1000 * 1000;  // servers keep whole seconds
    TRY(intake_.remember("since", std::to_string(ms)));
    return ms;
}

Status XmppPull::begin() {
    TRY(since());
    return {};
}

Result<XmppPlace> XmppPull::recall(const std::string& archive) {
    const auto known = TRY(intake_.recall("place/" + archive));
    if (auto place = known ? XmppPlace::parse(*known) : std::nullopt) return *place;
    XmppPlace out;
    out.from_ms = out.stamp_ms = TRY(since());
    return out;
}

Status XmppPull::archive(XmppServer& server, const std::string& archive, bool own) {
    Pass pass;
    pass.archive = archive;
    pass.own = own;
    pass.place = TRY(recall(archive));
    const Status pulled = pull(server, pass);
    if (!pulled.ok()) {
        const Code code = pulled.error().code();
        if (code == Code::bad_input || code == Code::limit) TRY(intake_.finding(kBad, 1, archive));
        return pulled;
    }
    if (pass.refused) return {};
    TRY(intake_.resolve(kNoAccess, archive));
    if (!pass.complete) return {};
    TRY(intake_.resolve(kBad, archive));
    return reconcile(server, pass);
}

Status XmppPull::pull(XmppServer& server, Pass& pass) {
    for (int n = 0; n < kPages && !pass.complete; ++n) {
        if (intake_.stopping()) return Error(Code::interrupted, "the server ends");
        // Asked before the page is: what can't be taken is not fetched.
        TRY(intake_.room());
        XmppQuery query;
        query.archive = pass.archive;
        query.own = pass.own;
        query.after = pass.place.id;
        if (query.after.empty() && pass.place.stamp_ms > 0) query.start = UtcTime{pass.place.stamp_ms};
        query.max = settings_.page_size;
        auto page = server.page(query);
        const Code code = page.ok() ? Code::internal : page.error().code();
        if (code == Code::not_found && !pass.place.id.empty()) {
            TRY(gap(pass));
            continue;
        }
        if (code == Code::not_found || code == Code::denied) {
            pass.refused = true;
            return intake_.finding(kNoAccess, 1, pass.archive);
        }
        TRY(take_page(pass, TRY(std::move(page))));
    }
    return {};
}

// The stanza that we stopped at is gone, so others behind it may be, too. How many nobody knows: one stretch. Asked
// again is by its time; what is known of that second is a duplicate.
Status XmppPull::gap(Pass& pass) {
    TRY(intake_.finding(kGap, 1, pass.archive + " after " + pass.place.id));
    XmppPlace& place = pass.place;
    place.id.clear();
    place.from_ms = place.stamp_ms;
    place.taken = 0;
    pass.got = pass.counted = 0;
    return intake_.remember("place/" + pass.archive, place.write());
}

Status XmppPull::check(Pass& pass, const XmppPage& page, const std::vector<ParsedItem>& items) const {
    std::set<std::string_view> seen;
    std::string_view last;
    for (const ParsedItem& item : items) {
        const std::string& id = item.message.feed_position;
        if (id.empty()) continue;
        if (!seen.insert(id).second || id == pass.place.id) return contradiction("gives one id twice");
        last = id;
    }
    if (items.empty()) return page.complete ? ok_status() : contradiction("gives an empty page and says there is more");
    if (page.last.empty() || (!last.empty() && last != page.last))
        return contradiction("says that another stanza was the last than the one it gave last");
    if (pass.turns_in_circles(page.last)) return contradiction("gives the same stanzas again and again");
    pass.got += items.size();
    pass.counted = std::max(pass.counted, page.count.value_or(0));
    if (page.count && pass.got > pass.counted) return contradiction("gives more stanzas than it says it has");
    return {};
}

Status XmppPull::fetch_files(const std::string& archive, ParsedItem& item, const std::vector<XmppFile>& files) {
    std::uint64_t missing = 0;
    for (const XmppFile& file : files) {
        vault::Attachment& into = item.message.attachments[file.attachment];
        if (!files_ || !TRY(files_->fetch(file, into, intake_))) ++missing;
        item.source_bytes += into.content_size();
    }
    if (missing == 0) return {};
    add_note(item.message, "media-missing");
    return files_ ? intake_.finding("xmpp:file-missing", missing, archive) : ok_status();
}

Status XmppPull::take_page(Pass& pass, XmppPage page) {
    if (ids_.size() >= kMostArchives) ids_.clear();
    XmppContext context;
    context.format = "xmpp/mam";
    context.archive = pass.archive;
    context.own_domain = settings_.own_domain;
    context.ids = &ids_[pass.archive];
    std::vector<ParsedItem> items;
    std::vector<std::vector<XmppFile>> files(page.results.size());
    Findings findings;
    for (std::size_t i = 0; i < page.results.size(); ++i)
        items.push_back(parse_xmpp_message(page.results[i], context, intake_.limits(), &findings, &files[i]));
    page.results.clear();
    if (page.foreign > 0) findings["xmpp:foreign-result"] += page.foreign;
    for (const auto& [code, count] : findings) TRY(intake_.finding(code, count, pass.archive));
    TRY(check(pass, page, items));
    for (std::size_t i = 0; i < items.size(); ++i) TRY(fetch_files(pass.archive, items[i], files[i]));

    XmppPlace place = pass.place;
    for (const ParsedItem& item : items)
        if (item.message.sent_at) place.stamp_ms = item.message.sent_at->ms;
    place.taken += items.size();
    if (!items.empty()) place.id = page.last;
    IntakeSink sink(intake_);
    for (ParsedItem& item : items) TRY(sink.item(std::move(item)));
    TRY(sink.flush());
    if (sink.counts().sealed > 0) last_ms_ = intake_.environment().clock.now().ms;
    sealed_ += sink.counts().sealed;
    // Only now: everything before it is on the disk.
    if (place.id != pass.place.id) TRY(intake_.remember("place/" + pass.archive, place.write()));
    pass.place = std::move(place);
    pass.complete = page.complete;
    return intake_.heard();
}

// How many the server has of the time that we have covered, against how many we took: more there than here is a
// loss. Fewer is its retention.
Status XmppPull::reconcile(XmppServer& server, Pass& pass) {
    const XmppPlace& place = pass.place;
    const auto before = reconciled_.find(pass.archive);
    if (place.id.empty() || (before != reconciled_.end() && before->second == place.taken)) return {};
    XmppQuery query;
    query.archive = pass.archive;
    query.own = pass.own;
    query.max = 0;
    if (place.from_ms > 0) query.start = UtcTime{place.from_ms};
    query.end = UtcTime{place.stamp_ms};
    const auto page = server.page(query);
    if (!page.ok() && page.error().code() != Code::not_found && page.error().code() != Code::denied)
        return page.error();
    if (page.ok() && page->count) TRY(intake_.promise({pass.archive, *page->count, place.taken, place.id}));
    reconciled_[pass.archive] = place.taken;
    return {};
}

}  // namespace kustos::ingest
