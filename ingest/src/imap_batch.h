// Mails as they come over IMAP, into the intake: held or spooled, read as every mail is, sealed together.
// Errors: those of the intake and of the spool's disk. Threads: one.
#pragma once

#include <deque>
#include <map>

#include "ingest/src/imap_client.h"
#include "ingest/src/imap_place.h"
#include "ingest/src/intake_sink.h"
#include "ingest/src/large_mail.h"

namespace kustos::ingest {

class ImapBatch final : public ImapMails, private ItemSink {
public:
    ImapBatch(Intake& intake, std::string mailbox, const ImapPlace& place, std::uint64_t most);
    Status begin(std::uint64_t size) override;
    Status bytes(ByteView piece) override;
    Status end(ImapUid uid) override;
    // What came whole is sealed when it returns, and findings are told.
    Status flush();
    bool too_large() const { return too_large_; }  // the last begin() was refused for its size
    std::uint64_t sealed() const { return sink_.counts().sealed; }
    // After flush(): of each mail that came whole its entries; no entries: it is not sealed as what it is.
    const std::map<ImapUid, std::vector<EntryIndex>>& taken() const { return taken_; }

private:
    Status item(ParsedItem item) override;
    void finding(std::string_view code, std::uint64_t count) override { findings_[std::string(code)] += count; }
    Status read();
    void describe(vault::Message& message) const;
    void took(const Taken& taken);
    Intake& intake_;
    const std::string mailbox_;
    const std::uint32_t validity_;
    const std::uint64_t again_below_, most_;
    IntakeSink sink_;
    Findings findings_;
    Bytes held_;
    std::unique_ptr<MailSpool> spool_;
    bool too_large_ = false;
    ImapUid uid_ = 0;
    std::deque<ImapUid> waiting_;  // of each item that was handed on
    std::map<ImapUid, std::vector<EntryIndex>> taken_;
    std::set<ImapUid> spoilt_;  // quarantined, or left out by the profile
};

}  // namespace kustos::ingest
