#include "vault/catalog.h"

#include <algorithm>
#include <tuple>

#include "base/crypto.h"

namespace kustos::vault {

using audit::BodyReader;
using audit::ControlAction;
using audit::Entry;
using audit::Kind;
using audit::Tag;

namespace {

// What a control entry must have; audit reads absent as nullopt.
template <class T>
Result<T> need(std::optional<T> value, EntryIndex index) {
    if (value) return std::move(*value);
    return Error(Code::corrupt, "entry " + std::to_string(index.value) + " lacks what its action must have");
}

constexpr std::size_t kKeptCheckpoints = 1000;
// Rows of erasure entries have their action plus this in the column `action`.
constexpr std::int64_t kErasureRows = 1000;
constexpr std::int64_t kVersion = 3;

constexpr const char* kSchema =
    "CREATE TABLE IF NOT EXISTS control(entry INTEGER PRIMARY KEY, action INTEGER NOT NULL, bytes BLOB NOT NULL);"
    "CREATE TABLE IF NOT EXISTS counter(name TEXT NOT NULL, id INTEGER NOT NULL, value INTEGER NOT NULL, "
    "PRIMARY KEY(name, id)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS seal(id INTEGER PRIMARY KEY CHECK(id = 0), mac BLOB NOT NULL);";

std::int64_t as_int(std::uint64_t v) {
    return static_cast<std::int64_t>(v);
}

template <class T>
void keep_newest(std::deque<T>& list) {
    while (list.size() > kKeptCheckpoints) list.pop_front();
}

// A catalog of another version holds other counters: it is made again from the ledger.
Status forget_other_version(Database& database) {
    {
        auto version = TRY(database.prepare("PRAGMA user_version"));
        if (TRY(version.step()) && version.column_int(0) == kVersion) return {};
    }
    const std::string text =
        "DELETE FROM control; DELETE FROM counter; DELETE FROM seal; PRAGMA user_version = " + std::to_string(kVersion);
    return database.execute(text.c_str());
}

}  // namespace

Result<Catalog> Catalog::open(const Path& file, const SecretBytes& key) {
    Database database = TRY(Database::open(file, DatabaseMode::create_or_open));
    TRY(database.execute(kSchema));
    TRY(forget_other_version(database));
    Catalog catalog(std::move(database));
    catalog.key_ = key.clone();
    TRY(catalog.load());
    return catalog;
}

Result<Catalog> Catalog::in_memory() {
    static const SecretBytes kNobody{ByteView(Bytes(32, 0))};
    return open(":memory:", kNobody);
}

Catalog::Counters Catalog::counters() const {
    Counters all;
    all[{"applied", 0}] = applied_.value;
    all[{"sequence", 0}] = own_sequence_;
    all[{"content", 0}] = newest_content_ ? newest_content_->value + 1 : 0;
    for (const auto& [id, s] : sources_) all[{"sequence", id.value}] = s.next_sequence;
    for (const auto& [id, s] : sources_) all[{"records", id.value}] = s.records;
    for (const auto& [id, t] : trees_) {
        all[{"leaf", id.value}] = t.next_leaf;
        all[{"tree-first", id.value}] = t.first_entry.value;
        all[{"tree-last", id.value}] = t.last_entry.value;
    }
    for (const auto& [kind, n] : counts_) all[{"kind", kind}] = n;
    return all;
}

void Catalog::count_row(EntryIndex index, ByteView bytes) {
    Bytes row;
    put(row, "kustos1/catalog-row");
    put_u64(row, index.value);
    put(row, bytes);
    const Hash mac = hmac_sha256(key_.view(), row);
    for (std::size_t i = 0; i < Hash::kSize; ++i)
        rows_.bytes[i] = static_cast<std::uint8_t>(rows_.bytes[i] ^ mac.bytes[i]);
}

Hash Catalog::seal() const {
    Bytes text;
    put(text, "kustos1/catalog");
    put(text, rows_.view());
    put_u64(text, row_count_);
    for (const auto& [key, value] : counters()) {
        put_u64(text, key.first.size());
        put(text, key.first);
        put_u64(text, key.second);
        put_u64(text, value);
    }
    return hmac_sha256(key_.view(), text);
}

std::string Catalog::medium(std::uint32_t generation) const {
    const auto next = media_.upper_bound(generation);
    return next == media_.begin() ? "file" : std::prev(next)->second;
}

// A generation that is named twice (its key was put back elsewhere) counts as the weaker of both.
void Catalog::take_medium(std::uint32_t generation, std::string_view medium) {
    const bool again = generations_.size() > 1 && (generations_.end() - 2)->generation == generation;
    if (again && this->medium(generation) == "file") return;
    if (this->medium(generation) != medium) media_[generation] = std::string(medium);
}

bool Catalog::agrees_with(const Catalog& other) const {
    const auto names = [](const Catalog& c) {
        std::vector<std::tuple<std::uint64_t, std::string, bool>> list;
        for (const auto& [id, s] : c.sources_) list.emplace_back(id.value, s.name + "/" + s.kind, s.paused);
        for (const auto& [id, m] : c.matters_) list.emplace_back(id.value, "matter", m.closed.has_value());
        for (const auto& [id, t] : c.trees_) list.emplace_back(id.value, t.box_hash.hex() + t.key_check.hex(), false);
        for (const auto& [id, s] : c.shards_) list.emplace_back(id, s.box_hash.hex(), false);
        for (const auto& g : c.generations_)
            list.emplace_back(g.generation, hex(g.intake_key) + g.keyring_hash.hex(), false);
        return list;
    };
    if (erasures_.runs().size() != other.erasures_.runs().size() || forgotten_.count() != other.forgotten_.count() ||
        !(*retention_ == *other.retention_) || !(*source_book_ == *other.source_book_) ||
        !(*matter_book_ == *other.matter_book_))
        return false;
    return counters() == other.counters() && names(*this) == names(other) && media_ == other.media_ &&
           newest_renewal_ == other.newest_renewal_;
}

Status Catalog::load() {
    const Error edited =
        Error(Code::corrupt, "catalog.db was changed by something else than Kustos")
            .with_hint("find out who could write there; then remove catalog.db: it is made again from the ledger");
    bool any = false;
    {
        auto rows = TRY(database_.prepare("SELECT entry, bytes FROM control ORDER BY entry"));
        while (TRY(rows.step())) {
            const EntryIndex index(static_cast<std::uint64_t>(rows.column_int(0)));
            const Bytes bytes = rows.column_blob(1);
            const auto entry = audit::decode_entry(bytes);
            if (!entry.ok()) return edited;
            const bool erasure = entry->header.kind == Kind::erasure;
            if (!(erasure ? apply_erasure(index, *entry) : apply_control(index, *entry)).ok()) return edited;
            count_row(index, bytes);
            ++row_count_;
            any = true;
        }
    }
    auto rows = TRY(database_.prepare("SELECT name, id, value FROM counter"));
    while (TRY(rows.step())) {
        any = true;
        const std::string name = rows.column_text(0);
        const auto id = static_cast<std::uint32_t>(rows.column_int(1));
        const auto value = static_cast<std::uint64_t>(rows.column_int(2));
        if (name == "applied") applied_ = TreeSize(value);
        if (name == "sequence" && id == 0) own_sequence_ = value;
        if (name == "sequence" && id != 0) sources_[SourceId(id)].next_sequence = value;
        if (name == "records") sources_[SourceId(id)].records = value;
        if (name == "leaf") trees_[KeyTreeId(id)].next_leaf = static_cast<std::uint32_t>(value);
        if (name == "tree-first") trees_[KeyTreeId(id)].first_entry = EntryIndex(value);
        if (name == "tree-last") trees_[KeyTreeId(id)].last_entry = EntryIndex(value);
        if (name == "kind") counts_[static_cast<std::uint8_t>(id)] = value;
        if (name == "content" && value > 0) newest_content_ = EntryIndex(value - 1);
    }
    auto mac = TRY(database_.prepare("SELECT mac FROM seal"));
    const bool sealed = TRY(mac.step());
    if (sealed != any || (sealed && !equal(mac.column_blob(0), seal().view()))) return edited;
    flushed_ = applied_;
    return {};
}

Status Catalog::apply(EntryIndex index, const Entry& entry) {
    CHECK(index.value == applied_.value);
    const bool erasure = entry.header.kind == Kind::erasure;
    if (erasure || entry.header.kind == Kind::control) {
        TRY(erasure ? apply_erasure(index, entry) : apply_control(index, entry));
        unflushed_.emplace_back(index, audit::encode(entry));
    }
    TRY(count_entry(index, entry));
    applied_ = TreeSize(index.value + 1);
    return {};
}

Status Catalog::count_entry(EntryIndex index, const Entry& entry) {
    const auto& h = entry.header;
    ++counts_[static_cast<std::uint8_t>(h.kind)];
    if (h.source.value == 0) {
        own_sequence_ = h.sequence + 1;
    } else {
        auto source = sources_.find(h.source);
        if (source == sources_.end())
            return Error(Code::corrupt,
                         "entry " + std::to_string(index.value) + " names a source that no entry introduced");
        source->second.next_sequence = h.sequence + 1;
        if (h.kind == Kind::record) ++source->second.records;
    }
    if (h.tree.value != 0) {
        auto tree = trees_.find(h.tree);
        if (tree == trees_.end())
            return Error(Code::corrupt,
                         "entry " + std::to_string(index.value) + " names a key tree that no entry opened");
        if (tree->second.next_leaf == 0) tree->second.first_entry = index;
        tree->second.last_entry = index;
        tree->second.next_leaf = std::max(tree->second.next_leaf, h.leaf.value + 1);
    }
    bool chain = false;
    if (h.kind == Kind::control) {
        const BodyReader body = TRY(BodyReader::parse(entry.body));
        const auto action = static_cast<ControlAction>(TRY(need(body.find_u16(Tag::action), index)));
        chain = action == ControlAction::checkpoint_published || action == ControlAction::anchor_stored ||
                action == ControlAction::evidence_renewed;
    }
    if (!chain) newest_content_ = index;
    return {};
}

Result<SourceInfo*> Catalog::known_source(const BodyReader& body, EntryIndex index) {
    const auto found = sources_.find(SourceId(static_cast<std::uint32_t>(TRY(need(body.find_u64(Tag::entry), index)))));
    if (found == sources_.end())
        return Error(Code::corrupt,
                     "entry " + std::to_string(index.value) + " is about a source that no entry introduced");
    return &found->second;
}

Status Catalog::apply_erasure(EntryIndex index, const Entry& entry) {
    TRY(erasures_.take(index, entry));
    const BodyReader body = TRY(BodyReader::parse(entry.body));
    for (const audit::LeafRange& r : TRY(need(body.leaf_ranges(), index))) forgotten_.add({r.tree, r.first, r.last});
    return {};
}

Status Catalog::apply_control(EntryIndex index, const Entry& entry) {
    const BodyReader body = TRY(BodyReader::parse(entry.body));
    const UtcTime time = TRY(need(body.find_time(Tag::time), index));
    const auto action = static_cast<ControlAction>(TRY(need(body.find_u16(Tag::action), index)));
    if (SourceBook::concerns(action)) {
        if (source_book_.use_count() > 1) source_book_ = std::make_shared<SourceBook>(*source_book_);
        TRY(source_book_->apply(index, entry));
    }
    if (MatterBook::concerns(action)) {
        if (matter_book_.use_count() > 1) matter_book_ = std::make_shared<MatterBook>(*matter_book_);
        TRY(matter_book_->apply(index, entry));
    }
    if (action == ControlAction::escrow_stored)
        escrowed_ = std::max(escrowed_, TRY(need(body.find_u32(Tag::generation), index)));
    switch (action) {
        case ControlAction::source_added: {
            SourceInfo s;
            s.id = SourceId(static_cast<std::uint32_t>(index.value));
            s.name = TRY(need(body.find_text(Tag::name), index));
            s.kind = TRY(need(body.find_text(Tag::source_kind), index));
            s.retention_class = ClassCode(TRY(need(body.find_u16(Tag::retention_class), index)));
            s.added = time;
            sources_[s.id] = std::move(s);
            break;
        }
        case ControlAction::source_changed: {
            SourceInfo* const source = TRY(known_source(body, index));
            const std::string change = TRY(need(body.find_text(Tag::code), index));
            if (change == "paused" || change == "resumed") source->paused = change == "paused";
            break;
        }
        case ControlAction::tree_opened: {
            TreeInfo t;
            t.id = KeyTreeId(TRY(need(body.find_u32(Tag::tree), index)));
            t.retention_class = ClassCode(TRY(need(body.find_u16(Tag::retention_class), index)));
            t.year = TRY(need(body.find_u16(Tag::year), index));
            t.generation = TRY(need(body.find_u32(Tag::generation), index));
            t.box_hash = TRY(need(body.find_hash(Tag::box_hash), index));
            t.key_check = TRY(need(body.find_hash(Tag::key_check), index));
            t.entry = index;
            trees_[t.id] = t;
            break;
        }
        case ControlAction::shard_opened: {
            ShardInfo s;
            s.shard = TRY(need(body.find_u32(Tag::shard), index));
            s.generation = TRY(need(body.find_u32(Tag::generation), index));
            s.box_hash = TRY(need(body.find_hash(Tag::box_hash), index));
            s.entry = index;
            shards_[s.shard] = s;
            break;
        }
        case ControlAction::matter_opened:
            matters_[index] = {index, time, std::nullopt};
            break;
        case ControlAction::matter_closed: {
            auto found = matters_.find(EntryIndex(TRY(need(body.find_u64(Tag::matter), index))));
            if (found == matters_.end()) return Error(Code::corrupt, "a matter is closed that no entry opened");
            found->second.closed = time;
            break;
        }
        case ControlAction::checkpoint_published:
            published_.push_back({TreeSize(TRY(need(body.find_u64(Tag::checkpoint_size), index))),
                                  TRY(need(body.find_hash(Tag::note_hash), index)), index});
            keep_newest(published_);
            break;
        case ControlAction::anchor_stored:
            anchors_.push_back({TreeSize(TRY(need(body.find_u64(Tag::checkpoint_size), index))),
                                TreeSize(TRY(need(body.find_u64(Tag::previous_size), index))),
                                TRY(need(body.find_hash(Tag::token_hash), index)),
                                TRY(need(body.find_text(Tag::authority), index)), index});
            keep_newest(anchors_);
            break;
        case ControlAction::configuration_changed:
            configuration_ = TRY(need(body.find_hash(Tag::related_hash), index));
            break;
        case ControlAction::source_heartbeat: {
            SourceInfo& s = *TRY(known_source(body, index));
            s.heard = time;
            s.claimed = TRY(need(body.find_u64(Tag::count), index));
            s.heard_records = TRY(need(body.find_u64(Tag::total), index));
            break;
        }
        case ControlAction::source_counted: {
            SourceInfo& s = *TRY(known_source(body, index));
            s.counted = time;
            s.counted_records = TRY(need(body.find_u64(Tag::total), index));
            break;
        }
        case ControlAction::record_succeeded:
            successors_[EntryIndex(TRY(need(body.find_u64(Tag::entry), index)))] =
                EntryIndex(TRY(need(body.find_u64(Tag::successor), index)));
            return apply_decision(index, entry);  // holds and classes go on with the successor
        case ControlAction::evidence_renewed:
            newest_renewal_ = TRY(need(body.find_u32(Tag::renewal), index));
            break;
        case ControlAction::generation_opened: {
            const Hash keyring = TRY(need(body.find_hash(Tag::keyring_hash), index));
            generations_.push_back({TRY(need(body.find_u32(Tag::generation), index)),
                                    TRY(need(body.find_bytes(Tag::intake_key), index)), keyring, index});
            if (generations_.size() > kKeptCheckpoints) generations_.erase(generations_.begin());
            take_medium(generations_.back().generation, body.find_text(Tag::method).value_or("file"));
            TRY(erasures_.take(index, entry));
            break;
        }
        case ControlAction::class_defined:
        case ControlAction::rules_set:
        case ControlAction::record_reclassified:
        case ControlAction::start_event:
        case ControlAction::hold_set:
        case ControlAction::hold_changed:
        case ControlAction::hold_released:
        case ControlAction::hold_decided:
        case ControlAction::restriction_set:
        case ControlAction::restriction_lifted:
        case ControlAction::disposition_listed:
        case ControlAction::disposition_reviewed:
        case ControlAction::disposition_released:
            return apply_decision(index, entry);
        default:
            break;  // what needs no row: unlocks, findings, the archive's own creation
    }
    return {};
}

Status Catalog::apply_decision(EntryIndex index, const Entry& entry) {
    if (retention_.use_count() > 1) retention_ = std::make_shared<RetentionBook>(*retention_);
    return retention_->apply(index, entry);
}

Status Catalog::flush() {
    if (flushed_ == applied_) return {};
    auto transaction = TRY(Transaction::begin(database_));
    auto insert = TRY(database_.prepare("INSERT OR REPLACE INTO control(entry, action, bytes) VALUES(?, ?, ?)"));
    for (const auto& [index, bytes] : unflushed_) {
        const Entry entry = TRY(audit::decode_entry(bytes));
        const BodyReader body = TRY(BodyReader::parse(entry.body));
        TRY(insert.bind(1, as_int(index.value))
                .bind(2, std::int64_t{TRY(need(body.find_u16(Tag::action), index))} +
                             (entry.header.kind == Kind::erasure ? kErasureRows : 0))
                .bind(3, ByteView(bytes))
                .run());
        count_row(index, bytes);
        ++row_count_;
    }
    auto counter = TRY(database_.prepare("INSERT OR REPLACE INTO counter(name, id, value) VALUES(?, ?, ?)"));
    for (const auto& [key, value] : counters())
        TRY(counter.bind(1, std::string_view(key.first)).bind(2, as_int(key.second)).bind(3, as_int(value)).run());
    // Of what comes again and again only the newest are kept: the rest stands in ledger/.
    for (const ControlAction action : {ControlAction::checkpoint_published, ControlAction::anchor_stored,
                                       ControlAction::source_heartbeat, ControlAction::source_counted}) {
        const std::int64_t code = static_cast<std::uint16_t>(action);
        auto old = TRY(
            database_.prepare("SELECT entry, bytes FROM control WHERE action = ?1 AND entry NOT IN (SELECT entry FROM "
                              "control WHERE action = ?1 ORDER BY entry DESC LIMIT 1000)"));
        old.bind(1, code);
        std::vector<std::int64_t> gone;
        while (TRY(old.step())) {
            gone.push_back(old.column_int(0));
            count_row(EntryIndex(static_cast<std::uint64_t>(gone.back())), old.column_blob(1));
            --row_count_;
        }
        auto remove = TRY(database_.prepare("DELETE FROM control WHERE entry = ?"));
        for (const std::int64_t entry : gone) TRY(remove.bind(1, entry).run());
    }
    auto mac = TRY(database_.prepare("INSERT OR REPLACE INTO seal(id, mac) VALUES(0, ?)"));
    TRY(mac.bind(1, seal().view()).run());
    TRY(transaction.commit());
    unflushed_.clear();
    flushed_ = applied_;
    return {};
}

const SourceInfo* Catalog::find_source(std::string_view name) const {
    for (const auto& [id, s] : sources_) {
        if (s.name == name) return &s;
    }
    return nullptr;
}

std::uint64_t Catalog::next_sequence(SourceId source) const {
    if (source.value == 0) return own_sequence_;
    const auto found = sources_.find(source);
    return found == sources_.end() ? 0 : found->second.next_sequence;
}

std::uint64_t Catalog::count(Kind kind) const {
    const auto found = counts_.find(static_cast<std::uint8_t>(kind));
    return found == counts_.end() ? 0 : found->second;
}

}  // namespace kustos::vault
