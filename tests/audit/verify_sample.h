// A small archive and a bundle of it, made with audit's own parts: no vault, no keys, made-up ciphertext. Everything
// that a verifier looks at is there: full and unfinished tiles, several segments, a file of its own, a sealed box, a
// published checkpoint, a time stamp by the builtin authority, and the entries that name them.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "audit/anchors.h"
#include "audit/bundle_writer.h"
#include "audit/checkpoint.h"
#include "audit/ledger.h"
#include "audit/segment.h"
#include "audit/signer.h"
#include "audit/tsa_authority.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/random.h"

namespace kustos::test {

class VerifySample {
public:
    // dir/archive, dir/signer, dir/tsa, dir/trust.policy. Ends the program if something fails: it is the test's own.
    VerifySample(const Path& dir, std::uint64_t seed);

    Path archive() const { return dir_ / "archive"; }
    std::string trust_text() const;  // the log line
    const Bytes& tsa_root() const { return tsa_->root_certificate(); }
    audit::Signer& signer() { return *signer_; }
    // Goes on: so many records, a published checkpoint, its time stamp over what came since the last, and their
    // entries.
    void extend(std::uint64_t records);
    // The same, and the last of the records is a blob with a file of its own.
    void extend_to_blob(std::uint64_t records);
    // A source is introduced, with the next extend(); and the first record of it.
    std::uint64_t add_source();
    void append_of(std::uint64_t source);
    // For erasures. They are in the ledger after commit() or extend().
    std::uint64_t append_erasure(const audit::Body& body);
    std::uint64_t append_control(const audit::Body& body);
    // keys/generation-<n>/ with a made-up root page and e, and its entry; answers the page's hash.
    Hash open_generation(std::uint32_t number);
    void commit();
    audit::EntryHeader header(std::uint64_t entry) const;
    EntryIndex close_segment();
    audit::SegmentWriter& segments() { return *segments_; }
    // The checkpoint key, as whoever has taken it.
    audit::SignerKey key() const;
    std::uint64_t size() const { return entries_.size(); }

    // What stands in the bundle, to be changed by a test before it is written.
    struct Content {
        audit::BundleFacts facts;
        std::vector<std::pair<std::string, Bytes>> files;  // originals, attachments
        std::vector<EntryIndex> context;
        std::vector<audit::RecordDisclosure> records;
        std::string note;
        Bytes token;
        audit::ReducedTree path;
    };
    const Content& content() const { return content_; }
    Bytes zip(const Content& content) const;
    // The members of a zip, changed by a test, in a signed PDF.
    Bytes bundle(const Bytes& zip);
    Bytes bundle() { return bundle(zip(content_)); }

private:
    std::uint64_t append(audit::Entry entry, const Bytes& ciphertext = {});
    void publish_next();
    void add_records();
    void publish();
    void name(const audit::AnchorSpan& span, const std::string& note, const Bytes& token);

    RealFs fs_;
    FixedClock clock_;
    SeededRandom random_;
    Path dir_;
    std::unique_ptr<audit::FileSigner> signer_;
    std::unique_ptr<audit::BuiltinAuthority> tsa_;
    std::unique_ptr<audit::SegmentWriter> segments_;
    audit::LedgerState state_;
    std::vector<Bytes> entries_;  // all
    std::size_t committed_ = 0;
    std::uint64_t anchored_ = 0;
    std::uint32_t leaves_ = 0;             // of the one tree that are used
    std::vector<std::uint64_t> sequence_;  // by source: 0 the archive, 1 the one source
    Content content_;
};

// A PDF of one page that has the container as an attached file, unsigned.
Bytes small_pdf(ByteView container);

}  // namespace kustos::test
