// The house: one archive with everything around it, wired. Who reads this file sees the architecture: archive (vault,
// audit), matters and accounts (access), index (search), sandbox (ingest), bundles (export), authorities (audit/net).
//
// Used by every command and by `kustos serve`. Threads: all functions are safe from any thread.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "access/accounts.h"
#include "access/directory.h"
#include "access/matters.h"
#include "app/attachments.h"
#include "app/call.h"
#include "app/completeness.h"
#include "app/erasure.h"
#include "app/forward_keeper.h"
#include "app/hit_report.h"
#include "app/matter_protocol.h"
#include "app/quarantine.h"
#include "app/review_desk.h"
#include "app/scope.h"
#include "app/source_door.h"
#include "app/vault_door.h"
#include "audit/anchors.h"
#include "audit/authority_book.h"
#include "audit/key_history.h"
#include "audit/renewal.h"
#include "audit/tsa_authority.h"
#include "base/config.h"
#include "base/environment.h"
#include "base/progress.h"
#include "ingest/clamd.h"
#include "ingest/extract.h"
#include "ingest/import.h"
#include "ingest/streams.h"
#include "search/indexer.h"
#include "search/rewrite.h"
#include "search/searcher.h"
#include "vault/archive.h"
#include "vault/backup.h"
#include "vault/forgetter.h"
#include "vault/opener.h"
#include "web/service.h"

namespace kustos::exporting {
struct ReportPages;
struct CertificatePages;
}  // namespace kustos::exporting

namespace kustos::app {

inline constexpr const char* kDefaultSuite = "aes-256-gcm";

struct HouseOptions {
    Path archive;
    Path state;  // the signer's own store and what else must not lie in the archive
    std::optional<vault::UnlockSecret> secret;
    std::string actor;       // who uses the command line
    Path escrow;             // the medium; empty: config.yaml's
    bool no_escrow = false;  // a drill: the real one must not be written
};

struct ImportSettings {
    std::string time_zone;  // ingest::ReadContext
    Bytes origin_secret;
};

struct ExportRequest {
    std::string matter;
    std::string query;                 // or
    std::vector<EntryIndex> records;   // named one by one; or
    std::optional<EntryIndex> result;  // a frozen result set
    std::string as = "pdf";
    Path out;
    Language language = Language::english;
    std::string actor;
};
struct ExportReport {
    std::uint64_t records = 0, pages = 0, bytes = 0, left_out = 0;
    std::uint64_t restricted = 0;  // found, and not opened (GDPR Art. 18)
    EntrySet erased;               // of a result set, since it was frozen
    // What the query, or that of the result set, may match and could not be searched; absent: records were named, or an
    // older set did not say it.
    std::optional<web::Unsearched> unsearched;
    std::string file;
};

// A signed report of a verification: FILE.pdf, or FILE.json with its signature beside it as FILE.json.p7s (detached
// CMS, DER).
struct VerifyRequest {
    std::optional<Path> trust;  // else the one that config.yaml names
    bool deep = false;          // also open everything
    bool since_last = false;    // only what came since the last whole verification here that found nothing
    std::uint64_t sample = 0;   // so many drawn entries instead of all
    std::string nonce;          // hex
};

struct ReportRequest {
    std::vector<Path> files;
    Language language = Language::english;
    std::string actor;
};
struct SignedReport {
    EntryIndex entry;  // that names the report's hash
    std::vector<std::string> files;
};
Status check_report_files(const std::vector<Path>& files);  // Code::usage: of another kind

struct RenewalReport {
    struct Done {
        std::uint32_t number = 0;
        bool hash_tree = false;
        std::string algorithm;
        std::uint64_t leaves = 0;
    };
    std::vector<Done> done;
    std::uint64_t time_stamps_due = 0, hash_trees_due = 0;  // tokens, anchors
    std::optional<UtcTime> next;  // when something is due next; unknown: never, as far as is known
};
struct EvidenceFile {
    EntryIndex entry;
    Bytes record;  // RFC 4998, DER
    Bytes object;  // header || body: what the record's first object is
};

struct AnchorPreview {
    std::size_t authorities = 0;     // that may cost something: not builtin
    std::uint64_t most_per_day = 0;  // tokens
    std::uint64_t last_30_days = 0;  // tokens that were stored
    std::int64_t interval_s = 0;     // existence is proven for the time after at most this
};

// A witness that config.yaml names: "URL KEY".
struct WitnessSeat {
    std::string url;
    audit::VerifierKey key;
    enum class Seen { not_asked, answers, away, refuses };
    // At the last try; read by status() while others ask.
    std::shared_ptr<std::atomic<Seen>> seen = std::make_shared<std::atomic<Seen>>(Seen::not_asked);
};

Result<std::vector<WitnessSeat>> read_witnesses(const Config& config);

struct ContinuationReport {
    std::string previous_origin, origin, fingerprint;
    std::uint64_t entries = 0;     // that survived: the new ledger goes on behind them
    std::uint64_t remembered = 0;  // entries that somebody remembers; 0: nobody
    bool signer_lost = false;      // its memory could not be read
    std::uint64_t shards_removed = 0;
    std::optional<vault::Archive::Adopted> adopted;  // newer keys, after a restore
};
// For an archive whose newer state is lost, while no program has it open. keys: as audit/signer.h. Code::conflict:
// there is nothing to continue.
Result<ContinuationReport> continue_archive(Environment environment, HouseOptions options, const std::string& keys);
// The largest size that a time stamp on this disk or a witness of config.yaml knows of; `size`: what is here, of the
// ledger with this name.
Result<std::uint64_t> remembered_by_others(Environment environment, const Path& archive, TreeSize size,
                                           const std::string& origin);

struct IndexReport {
    std::uint64_t shards = 0, records = 0;  // looked at; that they account for
    std::uint64_t damaged = 0,
                  doubtful = 0;  // shards: can't be read; hold what is no record, or what another one holds
    std::uint64_t missing = 0;   // records that no good shard accounts for; after a repair, still
    bool repaired = false;
};

struct SearchOrder {
    std::string actor, matter, query;
    std::string sort = "date";
    std::uint64_t offset = 0, limit = 20;
    std::optional<EntryIndex> within;  // a frozen result set of this matter
    bool freeze = false;
    bool facets = false;  // count the hits by source, sender and so on, too
    bool whole = false;   // all that is found is wanted, not the page alone
    std::string name;     // of what is frozen; may be empty
    Language language = Language::english;
};
struct SearchOutcome {
    web::SearchReport report;
    std::optional<EntryIndex> frozen;  // the result set
    EntrySet all;                      // if the whole was wanted
};

class House final : public web::Service {
public:
    static Result<std::unique_ptr<House>> open(Environment environment, HouseOptions options);
    ~House() override;

    // --- Service ---
    Result<web::StatusReport> status(web::Language language) override;
    Status may_push(const std::string& source, const std::string& token) override;
    Result<web::PushAnswer> push(web::PushRequest request) override;
    Result<web::HeartbeatAnswer> heartbeat(const std::string& source, std::uint64_t sent) override;
    Result<std::vector<web::MatterReport>> matters() override;
    Result<web::SearchReport> search(const std::string& actor, const std::string& matter, const std::string& query,
                                     const std::string& sort, std::uint64_t offset, std::uint64_t limit,
                                     bool figures = false) override;
    Result<web::RecordReport> record(const std::string& actor, const std::string& matter, EntryIndex entry,
                                     web::Language language) override;
    Result<web::ContextReport> context(const std::string& actor, const std::string& matter, EntryIndex entry,
                                       const web::ContextAsk& ask) override;
    // Held in memory: at most 256 MiB (Code::limit).
    Result<Bytes> original(const std::string& actor, const std::string& matter, EntryIndex entry) override;
    // In pieces, which are final only when it is ok. number: of the attachment, from 0.
    Status write_original(const std::string& actor, const std::string& matter, EntryIndex entry, const ByteSink& sink);
    Status write_attachment(const std::string& actor, const std::string& matter, EntryIndex entry, std::size_t number,
                            const ByteSink& sink);
    Result<audit::Report> verify() override;
    Result<bool> log_in(const std::string& name, const std::string& password) override;

    // --- commands ---
    Result<ingest::ImportResult> import_paths(const std::string& source, const std::string& format,
                                              const std::vector<Path>& paths, const ImportSettings& settings = {});
    Result<audit::Report> verify_with(const VerifyRequest& request);
    // Opens `count` records that the nonce draws and recomputes their commitments. Before it an entry says what was
    // drawn, behind it one what came out. Code::closed; Code::read_only: nothing was opened.
    Result<audit::Report> sample_content(ByteView nonce, std::uint64_t count);
    // Its entry is stored first; if that fails (Code::read_only, ...) nothing is signed and nothing written.
    Result<SignedReport> sign_report(const audit::Report& report, const ReportRequest& request);
    // Code::limit: to be frozen, and more than a result set takes; nothing is opened then.
    Result<SearchOutcome> search(const SearchOrder& order);
    // An access entry names what all terms find together, hits_reported the report's hash; only then files are written.
    // Code::overloaded: the index changed while it was asked; Code::not_in_version: with an opener apart.
    Result<HitReport> report_hits(const HitOrder& order);
    // The sealed parts of a matter's access entries; an access entry with the ground comes first.
    Result<std::vector<ProtocolRow>> protocol(const std::string& actor, EntryIndex matter, const std::string& ground);
    Result<ExportReport> export_records(const ExportRequest& request);
    // Carries out what the calendar of renewals asks for; only_look: says what it would.
    Result<RenewalReport> renew(bool only_look);
    // Code::not_found: no time stamp covers one of them yet.
    Result<std::vector<EvidenceFile>> evidence_of(const std::vector<EntryIndex>& entries);
    // A tlog-proof of an entry that a published checkpoint covers; one is published if need be.
    Result<std::string> receipt(EntryIndex entry);
    // --- push tokens (house_push.cpp) ---
    // A new one, shown once; those there are end `keep_ms` from now. An entry says it first. Code::limit: too many.
    Result<std::string> issue_token(SourceId source, const std::string& actor, std::int64_t keep_ms = 0);
    Status end_token(SourceId source, std::uint32_t number, const std::string& actor);  // Code::usage: no such one
    Result<std::vector<access::PushTokens::Token>> push_tokens(SourceId source);
    SourceDoor door_of(SourceId source);
    Tallies& tallies() { return *tallies_; }
    vault::StreamMemory& stream_memory() { return *stream_memory_; }
    // Takes everything sealed so far into the index; what can't be opened now stays deferred. Number of records taken.
    Result<std::uint64_t> index_all(bool show_progress);
    // One step for the server's loop: true if there was something to do. `stop` is asked between records.
    Result<bool> index_step(const std::function<bool()>& stop = interrupt_requested);
    // Index and derived data forget what was erased: rows of derived.db go, closed shards are written anew, the term
    // keys of the old ones are dropped with a new keyring generation. `reindex`: records that stay but whose terms must
    // go, because an attachment of theirs was erased; the next index steps take them in again. merge: small shards are
    // joined on the way. Code::closed.
    Result<search::RewriteReport> forget_terms(const EntrySet& reindex = {}, bool merge = true);
    // The server's loop of the index, now and then: joins small shards once there are many, if the vault is open.
    Status join_small_shards();
    // Reads the whole index and compares it with the ledger. repair: what can't be trusted is removed, and what is
    // missing is indexed again. Code::closed; Code::interrupted.
    Result<IndexReport> check_index(bool repair, bool show_progress);
    // Removes the whole index and makes it again from the vault; what was interrupted `kustos index` goes on with.
    // Code::closed, not_in_version: as check_index(). Returns the records that are in it.
    Result<std::uint64_t> rebuild_index(bool show_progress);
    // Code::environment: no sandbox, so nothing could be read; Code::closed. index_step() takes them in again.
    Result<RetryReport> retry_texts(const RetryRequest& request);
    Status commit_index();
    Status close_index();  // and compacts the open shard into one file
    // Publishes, and asks the authorities for what has no time stamp yet. False: an authority did not answer (it is
    // tried again; ingest goes on). publish false: only the latter, for the newest checkpoint.
    Result<bool> publish_and_anchor(bool publish = true);
    // What an interval costs in tokens, at most and as it was in the last 30 days (kustos anchor preview).
    Result<AnchorPreview> preview_anchors(std::int64_t interval_s) const;

    // --- forgetting (app/erasure.h) ---
    // Code::denied: a hold, or not two approvers. Code::closed.
    Result<EraseAnswer> erase(const EraseRequest& request);
    std::vector<ErasureStatus> erasures() const;
    // The signed certificate of a run, as it stands now: an entry names it before it is signed. File names.
    Result<std::vector<std::string>> certify_erasure(const audit::ErasureId& id, const ReportRequest& request);
    // Index shards that hold words of what is erased are written anew under new keys; the old ones are destroyed.
    Result<TermsReport> remove_terms();
    Result<CompactionReport> compact(bool show_progress);
    Status maintain();

    // --- backup and escrow (house_backup.cpp) ---
    // Code::usage: into the archive or onto the escrow's medium. Code::interrupted: the one before still counts.
    Result<vault::BackupReport> back_up(const Path& to);
    Path escrow_medium() const;  // empty: none
    // Once a day, and behind each backup: what the escrow lacks, what is too old in it, and `final` entries. Its error:
    // the medium is away.
    Status maintain_escrow();

    // --- sources (house_sources.cpp, house_completeness.cpp, house_quarantine.cpp) ---
    // Of each: counts, open findings, what is missing, and its stream where a server runs it.
    Result<std::vector<web::SourceReport>> source_reports();
    // How complete a source is, in one sentence for people.
    Result<std::string> completeness_words(SourceId source, Language language);
    // Of a server: asks for the streams that run. Empty: none do any more.
    void tell_of_streams(std::function<std::map<SourceId, ingest::StreamStatus>()> ask);
    // The signed certificate of a source and period: an entry names it before it is signed. Code::usage: no such
    // source, no such period, one that has not begun; Code::limit: one that rests on too many entries.
    Result<CompletenessReport> certify_completeness(const CompletenessRequest& what, const ReportRequest& request);
    // Records that were sealed as they came; the access entry comes first. `most`: the newest so many.
    Result<std::vector<QuarantineRow>> quarantined(const std::string& actor, const std::string& matter,
                                                   std::size_t most);
    // Reads what is quarantined with the formats of this version; what can be read now is sealed beside it.
    Result<ReparseReport> reparse(const ReparseRequest& request);

    // --- persons (house_persons.cpp; app/person_desk.h) ---
    bool has_persons() const;  // there is a source that is an address book
    // Cards of address books that a query finds, or that are named; an access entry comes first. Code::limit: more than
    // `most` are found, and none is opened; cut: the newest so many are instead.
    Result<std::vector<access::DatedCard>> cards_found(const std::string& actor, EntryIndex matter,
                                                       const std::string& query, std::size_t most, bool cut = false);
    Result<std::vector<access::DatedCard>> cards_named(const std::string& actor, EntryIndex matter,
                                                       const std::vector<EntryIndex>& records);
    // An address book was read: the entry, and the source's counts.
    Status note_book_read(SourceId source, std::uint64_t sealed, std::uint64_t total, bool whole);

    // --- review (house_review.cpp) ---
    ReviewDesk& reviews();
    // What may be labelled of what was chosen; a query is a search, with its entry. Code::denied: a record that was
    // named is restricted, or one is outside the matter's scope; Code::erased.
    Result<ChosenRecords> choose_records(const ReviewChoice& choice);

    // How many records each source has, as an entry: once a day (the server), and behind each import.
    Status count_sources();
    // What is sealed in a control or access entry (who searched for what, which settings were changed): an access entry
    // with the ground comes first. Name and text of each field. Code::denied: no ground. Code::closed.
    Result<std::vector<std::pair<std::string, std::string>>> read_trail(const std::string& actor,
                                                                        const std::string& ground, EntryIndex entry);

    // A new checkpoint key; `source` as in audit/signer.h. Answers its verifier key.
    Result<std::string> rotate_key(const std::string& source);

    // For an authority that no network leads to: a request over what has no time stamp yet (else over the newest
    // anchor), to be carried there, and its answer, to be carried back. Code::bad_input: no request of ours.
    Result<Bytes> stamp_request();
    Result<audit::AnchorSpan> take_stamp(ByteView tsr, const std::string& authority);

    VaultDoor& door() { return *door_; }  // who has the vault open, and until when
    // --- house_hygiene.cpp ---
    // Code::environment: keys may reach a disk, and config.yaml says harden: strict.
    Status check_key_memory() const;
    // Of a server whose vault does not open by itself: what it can go on with after a crash is kept.
    Status keep_forward_state();
    // The server indexes by itself: an import waits for it before too much is waiting.
    void index_lives(bool yes) { index_lives_ = yes; }

    // What status says of an opener that this process has started.
    void tell_of_opener(std::function<std::string(bool german)> words) { opener_words_ = std::move(words); }
    // Of an opener apart: what was brought to open it.
    const std::optional<vault::UnlockSecret>& brought_secret() const { return options_.secret; }
    vault::Archive& archive() { return *archive_; }
    // For decisions about retention, holds and erasure: one at a time, so that no hold comes between a check and what
    // it was made for.
    std::mutex& decisions() { return decision_mutex_; }
    std::unique_ptr<RecordSearch> record_search();
    vault::Forgetter& forgetter();

    access::Matters& matter_desk() { return *matters_; }
    access::Accounts& accounts() { return *accounts_; }
    const Config& config() const { return config_; }
    const std::string& actor() const { return options_.actor; }
    Environment environment() const { return environment_; }
    const Path& state_dir() const { return options_.state; }

private:
    class Feed;
    class Keys;
    class Census;
    class SandboxText;
    class Port;
    House(Environment environment, HouseOptions options);
    Status wire();
    Status read_trust();
    Status note_configuration(const Bytes& now);  // the bytes that are in effect, read once
    Result<audit::SigningGround> signing_ground(EntryIndex entry);
    Status count_source(const vault::SourceInfo& source);
    Result<audit::KeyHistory> key_history() const;
    Result<std::string> report_proof(EntryIndex entry);
    Result<std::vector<std::string>> sign_pages(const std::vector<Path>& files, EntryIndex entry,
                                                const std::string& content, const std::function<Result<Bytes>()>& draw);
    Result<std::string> erasure_entries(const audit::ErasureRun& run);
    // What signed pages and their JSON have in common (house_report.cpp).
    Result<std::pair<std::unique_ptr<vault::OpenSession>, std::vector<EntryIndex>>> open_quarantined(
        const std::string& actor, EntryIndex matter, const std::function<bool(EntryIndex)>& wanted, std::size_t most);
    // linked: an entry ties records to it already.
    Status reparse_one(vault::OpenSession& session, EntryIndex id, SourceId source, bool linked,
                       const ingest::FormatInfo* format, const ingest::ReadContext& context, ReparseReport& report);
    exporting::ReportPages report_frame(const ReportRequest& request);
    // A JSON array: bytes and proof of each, under one published checkpoint that covers them all. `wanted` ascends.
    Result<std::string> proven_entries(const std::vector<EntryIndex>& wanted);
    // Stores the entry that names the JSON (`fill`: what else it says), then signs.
    Result<SignedReport> sign_certificate(exporting::CertificatePages& pages, const ReportRequest& request,
                                          audit::ControlAction action, const std::function<void(audit::Body&)>& fill);
    Result<std::string> finish_rotation(const audit::VerifierKey& next);
    Status add_authority(const std::string& line);
    Result<Hash> imprint_of(const audit::AnchorSpan& span, ByteView note);
    Result<std::size_t> stamp_span(const audit::AnchorSpan& span, ByteView note, const std::vector<std::string>& have);
    Status add_validation(const std::string& name, Bytes& token);
    Status name_anchor(const audit::AnchorSpan& span, ByteView note, ByteView token, const std::string& authority);
    Status name_forgotten_anchor(const audit::AnchorStore& store, const audit::AnchorSpan& newest);
    Status look_at_witnesses(vault::Archive& archive);
    Status ask_witnesses(TreeSize size);
    Status name_renewals();
    Status check_holds(const EntrySet& records, const std::string& actor);
    struct AttachmentPlan;
    Result<AttachmentPlan> plan_attachment(const Hash& sha256, const std::vector<EntryIndex>& records);
    Status seal_successors(AttachmentPlan& plan);
    Result<EraseAnswer> erase_attachment(const EraseRequest& request);
    Result<EntryIndex> need_matter(const std::string& matter);
    Result<ingest::Extractor*> extractor();                      // under index_mutex_
    Result<ingest::ExtractorOptions> extractor_options() const;  // what config.yaml says
    Result<EntryIndex> first_to_index();                         // likewise
    // --- house_search.cpp, house_sets.cpp ---
    // Code::limit: it took too long.
    Result<search::Answer> ask(const search::Query& query, search::SearchOptions options = {});
    struct MatterQuery {
        search::Query typed;    // with persons and sets; what snippets mark
        search::Query run;      // beside the matter's scope; not with an opener apart, which does that itself
        std::string text;       // for the access entry, and for an opener apart
        std::string canonical;  // of what was typed, with persons
        std::string scope;
    };
    Result<MatterQuery> matter_query(const std::string& actor, EntryIndex matter, const std::string& text,
                                     search::Language language, std::vector<web::PersonTaken>* persons);
    Result<EntrySet> search_here(vault::Purpose purpose, const MatterQuery& query, const SearchOrder& order,
                                 SearchOutcome& out);
    Result<EntrySet> search_apart(const vault::Purpose& purpose, const MatterQuery& query,
                                  std::optional<EntrySet> within, const SearchOrder& order, SearchOutcome& out);
    // --- house_hits.cpp ---
    struct HitGround;  // the records in the scope, and what is known of them
    Result<HitGround> hit_ground(const HitOrder& order, EntryIndex matter);
    Result<HitReport> count_hits(const HitOrder& order, vault::Purpose& purpose);
    Result<HitTerm> run_term(const HitOrder& order, vault::Purpose purpose, const search::Term& term,
                             const EntrySet* within, std::string& asked, std::vector<EntryIndex>& hits);
    Status write_hits(HitReport& report, const HitOrder& order);
    Status expect_in_scope(const std::string& scope, std::span<const EntryIndex> ids);
    Status expect_records(const std::vector<EntryIndex>& ids) const;
    Status expect_in_scope_apart(const ReviewChoice& choice, const EntrySet& wanted);
    Result<EntrySet> set_of(const search::Node& condition, EntryIndex matter);
    // Exact words of a query, decided by opening what hangs on them under an entry of its own. undecided: restricted
    // ones, for SearchOptions.
    Result<search::Query> decide_exact(vault::Purpose purpose, const search::Query& query, EntrySet& undecided);
    Result<search::Query> resolved(const search::Query& query, EntryIndex matter, const std::string& actor);
    // What belongs to a record's thread, itself included; it is opened for that, under an access entry.
    Result<EntrySet> thread_of(EntryIndex record, EntryIndex matter, const std::string& actor);
    // --- house_context.cpp ---
    struct Neighbours;
    // Those of a query that may be opened for a matter, oldest first; the others are counted.
    Result<Neighbours> neighbours(const search::Query& query, EntryIndex matter);
    Result<std::uint64_t> erased_of(SourceId source) const;
    Result<search::Query> with_named_sums(const search::Query& query, EntryIndex matter);
    Result<search::RewriteReport> rewrite_apart(const EntrySet& reindex, bool merge);
    Result<std::size_t> index_lanes() const;
    Status or_begin_anew(Status done);
    Status expect_index_keys() const;  // house_index.cpp
    int small_shards_left_ = 0;        // that could not be joined; the server's loop alone
    Status look_at_opener();           // likewise: what was deferred comes in when it is open again
    Status need_indexer();             // likewise
    Result<std::set<std::uint32_t>> stale_shards() const;
    Status expect_not_erased(const std::vector<EntryIndex>& entries) const;
    Result<std::string> when_erased(EntryIndex entry, const audit::EntryHeader& header) const;

    void add_hygiene(web::StatusReport& status, bool de) const;
    Status read_attachment_settings();
    Status retry_what_is_cured();
    void add_sandbox(web::StatusReport& status, const std::map<std::string, std::uint64_t>& reasons, bool de);

    Environment environment_;
    HouseOptions options_;
    Config config_;
    ForwardKeeper keeper_;
    std::atomic<bool> index_lives_ = false;
    std::unique_ptr<vault::Archive> archive_;
    std::unique_ptr<access::Matters> matters_;
    std::unique_ptr<vault::Opener> opener_;
    std::unique_ptr<access::Accounts> accounts_;
    std::unique_ptr<access::PushTokens> tokens_;
    std::unique_ptr<vault::StreamMemory> stream_memory_;
    std::unique_ptr<Tallies> tallies_;
    std::unique_ptr<Keys> keys_;
    std::unique_ptr<Census> census_;
    std::unique_ptr<Feed> feed_;
    std::unique_ptr<SandboxText> text_;
    std::unique_ptr<ingest::Extractor> extractor_;  // the indexer's
    std::optional<ingest::Clamd> clamd_;            // set before the first step of the indexer
    enum class Sandbox { unknown, works, missing };
    std::atomic<Sandbox> sandbox_seen_ = Sandbox::unknown;  // when it was last looked at
    std::unique_ptr<search::Indexer> indexer_;
    std::unique_ptr<search::Searcher> searcher_;
    std::unique_ptr<ReviewDesk> reviews_;
    std::unique_ptr<VaultDoor> door_;                  // uses searcher_ and reviews_
    std::unique_ptr<VaultDoor::Opening> own_opening_;  // of a command with a secret, and an opener apart
    mutable std::mutex streams_mutex_;
    std::function<std::map<SourceId, ingest::StreamStatus>()> ask_streams_;  // under streams_mutex_
    std::function<std::string(bool)> opener_words_;                          // set once, before the server answers
    bool opener_was_open_ = false;                                           // under index_mutex_
    std::int64_t looked_at_opener_ms_ = 0;                                   // likewise
    std::vector<std::unique_ptr<audit::TimeAuthority>> authorities_;
    std::vector<audit::AuthorityChoice> choices_;
    std::vector<WitnessSeat> witnesses_;  // under anchor_mutex_
    std::optional<audit::Trust> trust_;   // what config.yaml names
    Hash trust_digest_{};                 // of that file
    audit::AlgorithmEnds algorithm_ends_ = audit::default_algorithm_ends();
    EntryIndex next_to_index_;
    // When the feed had no more: from where it was asked next, and the ledger's size before. Under index_mutex_.
    std::pair<EntryIndex, TreeSize> drained_;
    bool is_drained_ = false;
    Status note_token(SourceId source, std::string_view change, const std::string& actor);
    std::mutex& push_lane(SourceId source);
    std::mutex push_mutex_;
    std::map<SourceId, std::mutex> push_lanes_;  // guarded by push_mutex_: held while a push of this source is taken
    std::mutex index_mutex_;                     // indexer_, extractor_, next_to_index_
    std::mutex anchor_mutex_;
    std::mutex bundle_mutex_;
    std::mutex decision_mutex_;
    std::unique_ptr<vault::Forgetter> forgetter_;  // guarded by bundle_mutex_
};

// The state directory of an archive: --state, else $XDG_STATE_HOME/kustos, else ~/.local/state/kustos (root:
// /var/lib/kustos), and in it a folder per archive.
Path default_state_dir();

// The text that `init` writes as config.yaml.
std::string config_template(const std::vector<std::string>& authorities, const std::string& suite = kDefaultSuite,
                            const std::string& escrow = "");
Result<audit::Suite> suite_of(const std::string& name);  // "aes-256-gcm", "xchacha20"; else Code::not_in_version
Result<Config> load_config(Fs& fs, const Path& archive);

}  // namespace kustos::app
