// Archives of an XMPP server, pulled page by page into an intake: from the last archive id on (XEP-0313, XEP-0059), as
// one account may see them. docs/architecture/streams.md.
//
// An archive's place moves on only when its page is on the disk, so a crash asks for a page again and seals nothing
// twice. What has been trimmed at the server behind our place is the finding "xmpp:gap". A server that repeats itself,
// contradicts itself, or gives more than it counts ends that archive's round with Code::bad_input or Code::limit and
// the finding "xmpp:bad-archive".
//
// Threads: one, but where it says otherwise. Pure but for the intake and the server.
#pragma once

#include <atomic>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ingest/intake.h"
#include "ingest/src/xmpp_files.h"
#include "ingest/src/xmpp_message.h"
#include "ingest/src/xmpp_server.h"

namespace kustos::ingest {

// Where in an archive we are; kept in the stream's memory.
struct XmppPlace {
    std::string id;             // of the last stanza that was taken; empty: ask by time
    std::int64_t stamp_ms = 0;  // its time, or the time to begin at
    std::int64_t from_ms = 0;   // what is counted began here: at the beginning, or behind the last gap
    std::uint64_t taken = 0;    // stanzas since from_ms, each counted once
    static std::optional<XmppPlace> parse(std::string_view text);
    std::string write() const;
};

struct XmppPullSettings {
    unsigned page_size = 100;
    bool history = false;    // what was there before the source is taken, too
    std::string own_domain;  // persons of it have no home
};

class XmppPull {
public:
    static constexpr int kPages = 1'000;  // of an archive in one round; the next goes on from there
    XmppPull(XmppPullSettings settings, Intake& intake, XmppFiles* files)
        : settings_(std::move(settings)), intake_(intake), files_(files) {}
    // Before anything else: when the source began, which is remembered. What the server has of before is left alone,
    // unless the settings want history.
    Status begin();
    // One archive, up to its end. own: of the account that the server knows us by. Errors: of the server and the
    // intake; after Code::bad_input and Code::limit, and where the archive is refused (which is a finding and no
    // error), others may be tried.
    Status archive(XmppServer& server, const std::string& archive, bool own);
    // Since it was made; safe from any thread.
    std::uint64_t sealed() const { return sealed_; }
    std::optional<UtcTime> last() const { return sealed_ == 0 ? std::nullopt : std::optional(UtcTime{last_ms_}); }

private:
    struct Pass;
    Result<std::int64_t> since();
    Result<XmppPlace> recall(const std::string& archive);
    Status pull(XmppServer& server, Pass& pass);
    Status gap(Pass& pass);
    Status take_page(Pass& pass, XmppPage page);
    Status check(Pass& pass, const XmppPage& page, const std::vector<ParsedItem>& items) const;
    Status fetch_files(const std::string& archive, ParsedItem& item, const std::vector<XmppFile>& files);
    Status reconcile(XmppServer& server, Pass& pass);

    XmppPullSettings settings_;
    Intake& intake_;
    XmppFiles* files_;                                 // nullptr: none is fetched
    std::map<std::string, XmppIds> ids_;               // by archive
    std::map<std::string, std::uint64_t> reconciled_;  // taken, when the count was last compared; by archive
    std::atomic<std::uint64_t> sealed_ = 0;
    std::atomic<std::int64_t> last_ms_ = 0;
};

}  // namespace kustos::ingest
