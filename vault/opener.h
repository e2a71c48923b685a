// The opener: the only way to content. It stores the access entry first and opens afterwards, and it opens only what
// that entry lists.
//
// It works with the keys of this process, or asks an opener apart (docs/architecture/opener.md), which decides again by
// itself. Errors: denied (the check refuses), closed (no key holder has unlocked), not_found, corrupt (says which
// entry). Threads: Opener from any; a session from one at a time.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "vault/archive.h"
#include "vault/purpose.h"

namespace kustos::vault {

// Scope and grants. Issue D's rules come in here; now: the matter exists and is not closed.
class AccessCheck {
public:
    virtual ~AccessCheck() = default;
    virtual Status allow(const Purpose& purpose, std::span<const EntryIndex> ids) = 0;
    // To read what is sealed in a control or access entry of this class: purpose.query is the ground.
    virtual Status allow_trail(const Purpose& purpose, ClassCode retention_class) = 0;
};

struct OpenedRecord {
    EntryIndex index;
    audit::Entry entry;
    Message message;  // attachments of blobs without content; raw empty
    OpenedPayload payload;
};

class OpenSession {
public:
    // grant: of an opener apart; null: the archive has the keys itself.
    OpenSession(Archive& archive, std::vector<EntryIndex> ids, Receipt access, std::unique_ptr<KeyGrant> grant = {});
    const Receipt& access_entry() const { return access_; }
    Result<OpenedRecord> open(EntryIndex id);
    // The exact source bytes, in pieces. What was checked on the way: length and SHA-256 of the raw field.
    Status write_original(EntryIndex id, const std::function<Status(ByteView)>& sink);
    // Decoded bytes of an attachment (numbered from 0), in pieces: not final before it is ok. Code::not_found: missing.
    Status write_attachment(EntryIndex id, std::size_t number, const ByteSink& sink);
    // Of a record that was opened here before.
    Result<OpenedPayload> open_blob(const BlobRef& blob);
    Result<Bytes> blob_content(const BlobRef& blob);  // checked against the reference's size and hash
    Status write_blob_content(const BlobRef& blob, const ByteSink& out) { return write_blob(blob, out); }
    Status keep_derived(EntryIndex id, std::string_view purpose, ByteView object);
    // An access entry of the same matter, for an export's protocol, or the matter's.
    Result<OpenedPayload> open_trail(EntryIndex index);
    // What was derived from a record (Archive::keep_derived). Code::not_found: nothing, or the cache is gone.
    Result<Bytes> derived(EntryIndex id, std::string_view purpose) const;

private:
    Status listed(EntryIndex id) const;
    Result<SecretBytes> blob_key(const BlobRef& blob);
    Status write_blob(const BlobRef& blob, const ByteSink& out);
    Result<OpenedPayload> open_with_key(EntryIndex id, const audit::Entry& entry);
    Archive& archive_;
    std::vector<EntryIndex> ids_;  // sorted
    Receipt access_;
    std::unique_ptr<KeyGrant> grant_;
    std::map<EntryIndex, EntryIndex> blob_of_;  // blobs of opened records
};

class Opener {
public:
    Opener(Archive& archive, AccessCheck& check) : archive_(archive), check_(check) {}
    // The access entry is durable when this returns.
    Result<std::unique_ptr<OpenSession>> begin(const Purpose& purpose, std::vector<EntryIndex> ids);
    // Records for the index, at most kIndexBatch (grant_verifier.h), from an opener apart: nobody's matter.
    Result<std::unique_ptr<OpenSession>> begin_for_index(const Purpose& purpose, std::vector<EntryIndex> ids) {
        return begin_apart(purpose, std::move(ids));
    }
    // What is sealed in a control or access entry; the access entry (audit_read) is durable before. Code::not_found:
    // no such entry, or nothing is sealed in it.
    Result<OpenedPayload> read_trail(const Purpose& purpose, EntryIndex index);
    // The protocol of a matter: a session whose open_trail() opens its access entries. The access entry (audit_read, of
    // the matter's own entry) is durable before.
    Result<std::unique_ptr<OpenSession>> begin_protocol(const Purpose& purpose);
    // A query, run by an opener apart (Archive::keys().apart()), and the session that opens the page.
    struct Searched {
        std::unique_ptr<OpenSession> session;
        SearchReply reply;
    };
    Result<Searched> search(const SearchAsk& ask);

private:
    static constexpr std::int64_t kNoteEvery = 60'000;
    Result<Receipt> append(Bytes body, Payload content);
    Result<EntryIndex> append_and_note(Bytes body, Payload content, Receipt& receipt);
    Result<std::unique_ptr<OpenSession>> begin_apart(const Purpose& purpose, std::vector<EntryIndex> ids);
    Result<std::unique_ptr<OpenSession>> begin_trail(const Purpose& purpose, EntryIndex index);
    Status note_refusal(const Error& why);
    Archive& archive_;
    AccessCheck& check_;
    std::atomic<std::int64_t> noted_ms_{-kNoteEvery};  // the last finding that too much was asked for
};

}  // namespace kustos::vault
