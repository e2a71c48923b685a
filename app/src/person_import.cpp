#include "app/person_import.h"

#include <algorithm>

#include "app/house.h"
#include "base/crypto.h"
#include "base/progress.h"

namespace kustos::app {

namespace {

constexpr std::size_t kBatch = 500;
constexpr std::uint64_t kBatchBytes = 8u << 20;
constexpr std::size_t kMostConflicts = 100;  // findings of their own; the rest is counted in one
constexpr std::size_t kRow = 56, kClaim = 32;

std::string page_name(const char* what, std::size_t page) {
    return std::string("persons/") + what + "/" + std::to_string(page);
}

// Values of a memory have 64 KiB at most: a list lies in pages, the first of which that is absent ends it.
Result<Bytes> read_pages(HouseIntake& intake, const char* what) {
    Bytes all;
    for (std::size_t page = 0;; ++page) {
        const auto value = TRY(intake.recall(page_name(what, page)));
        if (!value) return all;
        put(all, as_bytes(*value));
    }
}

Status write_pages(HouseIntake& intake, const char* what, ByteView all, std::size_t row) {
    const std::size_t most = vault::StreamMemory::kMaxValue / row * row;
    std::size_t page = 0;
    for (; !all.empty(); ++page) {
        const ByteView part = all.first(std::min(most, all.size()));
        TRY(intake.remember(page_name(what, page), as_text(part)));
        all = all.subspan(part.size());
    }
    while (TRY(intake.recall(page_name(what, page)))) TRY(intake.forget(page_name(what, page++)));
    return {};
}

}  // namespace

PersonImport::PersonImport(House& house, const vault::SourceInfo& source)
    : house_(house),
      source_(source),
      intake_(house, source.id, [] { return interrupt_requested(); }),
      key_(house.archive().stream_key(source.id)) {}

PersonImport::Mac PersonImport::mac(std::string_view what, std::string_view text) const {
    const std::string all = "kustos1/person/" + std::string(what) + "/" + std::string(text);
    return Mac::from(hmac_sha256(key_.view(), as_bytes(all)).view().first(Mac::kSize)).value();
}

PersonImport::Mac PersonImport::common_mac(std::string_view text) const {
    const std::string all = "kustos1/person-handle/" + std::string(text);
    const Hash whole = house_.archive().duplicate_mac(SourceId(0), as_bytes(all));
    return Mac::from(whole.view().first(Mac::kSize)).value();
}

// uid, else number, else address, else login, else name; one that comes again in the same book is somebody else.
PersonImport::Mac PersonImport::key_of(const access::PersonCard& card) {
    std::string who = "uid:" + access::folded(card.uid);
    if (card.uid.empty()) who = "number:" + access::folded(card.number);
    if (card.uid.empty() && card.number.empty()) {
        who = "name:" + access::folded(card.names.empty() ? card.family + " " + card.given : card.names.front());
        if (!card.logins.empty()) who = "login:" + access::folded(card.logins.front());
        if (!card.emails.empty()) who = "email:" + access::folded(card.emails.front());
    }
    const Mac first = mac("key", who);
    const std::uint64_t time = ++times_[first];
    if (time == 1) return first;
    finding("person:uid-twice");
    return mac("key", who + "#" + std::to_string(time));
}

Result<PersonImport::Memory> PersonImport::read(HouseIntake& intake) {
    Memory memory;
    const Bytes rows = TRY(read_pages(intake, "rows"));
    for (ByteReader in(rows); in.remaining() >= kRow;) {
        const Mac key = TRY(Mac::from(TRY(in.take(Mac::kSize))));
        Row row;
        row.digest = TRY(Mac::from(TRY(in.take(Mac::kSize))));
        row.number = TRY(Mac::from(TRY(in.take(Mac::kSize))));
        row.entry = TRY(in.u64());
        memory.rows[key] = row;
    }
    const Bytes claims = TRY(read_pages(intake, "claims"));
    for (ByteReader in(claims); in.remaining() >= kClaim;) {
        const Mac address = TRY(Mac::from(TRY(in.take(Mac::kSize))));
        memory.claims.emplace_back(address, TRY(Mac::from(TRY(in.take(Mac::kSize)))));
    }
    return memory;
}

Status PersonImport::write() {
    Bytes rows, claims;
    for (const auto& [key, row] : memory_.rows) {
        put(rows, key.view());
        put(rows, row.digest.view());
        put(rows, row.number.view());
        put_u64(rows, row.entry);
    }
    for (const auto& [address, key] : memory_.claims) {
        put(claims, address.view());
        put(claims, key.view());
    }
    TRY(write_pages(intake_, "rows", rows, kRow));
    return write_pages(intake_, "claims", claims, kClaim);
}

Status PersonImport::begin() {
    memory_ = TRY(read(intake_));
    memory_.claims.clear();  // this import says who has what now
    return {};
}

Status PersonImport::item(ingest::BookItem item) {
    if (interrupt_requested()) return Error(Code::interrupted, "interrupted");
    ingest::ParsedItem parsed;
    vault::Message& m = parsed.message;
    m.format = std::string(item.format);
    m.raw = std::move(item.raw);
    parsed.source_bytes = m.raw.size();
    if (!item.quarantine.empty() || item.nobody) {
        m.kind = item.nobody ? vault::MessageKind::file : vault::MessageKind::unreadable;
        m.notes.push_back(item.nobody ? "address-book:nobody" : "quarantine:" + item.quarantine);
        if (!item.nobody) ++result_.quarantined;
        return seal(std::move(parsed), {});
    }
    access::PersonCard& card = item.card;
    Waiting waiting;
    waiting.card = true;
    waiting.key = key_of(card);
    card.key = "k" + waiting.key.hex();
    m.kind = vault::MessageKind::person;
    if (!card.names.empty()) m.subject = card.names.front();
    m.body = access::encode_card(card);
    waiting.digest = mac("card", m.body);
    m.native_id = card.key;
    ++result_.persons;
    for (const auto* list : {&card.emails, &card.ids})
        for (const std::string& text : *list)
            memory_.claims.emplace_back(common_mac(access::folded(text)), waiting.key);
    Row& row = memory_.rows[waiting.key];
    row.seen = true;
    row.number = card.number.empty() ? Mac() : common_mac("number/" + access::folded(card.number));
    if (row.digest == waiting.digest) {
        ++result_.unchanged;
        return {};
    }
    // The card before belongs to the identity: who becomes again what he was is a card of its own.
    parsed.update_type = waiting.digest.hex() + "@" + std::to_string(row.entry);
    return seal(std::move(parsed), waiting);
}

Status PersonImport::seal(ingest::ParsedItem item, Waiting waiting) {
    waiting_bytes_ += item.source_bytes + 1'000;
    items_.push_back(std::move(item));
    waiting_.push_back(waiting);
    return items_.size() >= kBatch || waiting_bytes_ >= kBatchBytes ? flush() : ok_status();
}

Status PersonImport::flush() {
    if (items_.empty()) return {};
    const auto taken = TRY(intake_.take(std::move(items_)));
    for (std::size_t i = 0; i < taken.size(); ++i) {
        if (!waiting_[i].card || taken[i].dropped) continue;
        Row& row = memory_.rows[waiting_[i].key];
        row.digest = waiting_[i].digest;
        row.entry = taken[i].entry.value;
        ++(taken[i].duplicate ? result_.unchanged : result_.sealed);
    }
    items_.clear();
    waiting_.clear();
    waiting_bytes_ = 0;
    return {};
}

Status PersonImport::say_who_left() {
    for (auto& [key, row] : memory_.rows) {
        if (row.seen || row.digest == Mac()) continue;
        access::PersonCard card;
        card.key = "k" + key.hex();
        card.gone = true;
        ingest::ParsedItem item;
        item.message.kind = vault::MessageKind::person;
        item.message.native_id = card.key;
        item.message.format = "address-book";
        item.message.body = access::encode_card(card);
        item.message.raw = to_bytes(as_bytes(item.message.body));
        item.update_type = "gone@" + std::to_string(row.entry);
        ++result_.gone;
        TRY(seal(std::move(item), {key, Mac(), true}));
    }
    return flush();
}

void PersonImport::find_conflicts_within(std::set<std::pair<std::string, std::string>>& out) const {
    const auto name = [](const Mac& key) { return "k" + key.hex(); };
    std::map<Mac, Mac> holder, numbered;
    for (const auto& [address, key] : memory_.claims) {
        const auto [known, added] = holder.try_emplace(address, key);
        if (!added && known->second != key)
            out.insert({"person:address-shared", name(known->second) + " " + name(key)});
    }
    for (const auto& [key, row] : memory_.rows) {
        if (!row.seen || row.number == Mac()) continue;
        const auto [known, added] = numbered.try_emplace(row.number, key);
        if (!added) out.insert({"person:number-shared", name(known->second) + " " + name(key)});
    }
}

// The same address, and another employee number, in another source.
Status PersonImport::find_conflicts_beside(std::set<std::pair<std::string, std::string>>& out) {
    for (const vault::SourceInfo& other : house_.archive().sources()) {
        if (other.kind != "directory" || other.id == source_.id) continue;
        HouseIntake beside(house_, other.id, [] { return false; });
        const Memory theirs = TRY(read(beside));
        std::multimap<Mac, Mac> holders;
        for (const auto& [address, key] : theirs.claims) holders.emplace(address, key);
        for (const auto& [address, key] : memory_.claims) {
            const Mac& number = memory_.rows[key].number;
            const auto [from, to] = holders.equal_range(address);
            for (auto h = from; h != to && number != Mac(); ++h) {
                const auto row = theirs.rows.find(h->second);
                if (row == theirs.rows.end() || row->second.number == Mac() || row->second.number == number) continue;
                out.insert({"person:number-differs", "k" + key.hex() + " k" + h->second.hex()});
                if (out.size() > 10 * kMostConflicts) return {};
            }
        }
    }
    return {};
}

// Told once; what is no more is resolved. What a person has settled comes back only after it was gone.
Status PersonImport::tell_conflicts() {
    std::set<std::pair<std::string, std::string>> found;
    find_conflicts_within(found);
    TRY(find_conflicts_beside(found));
    result_.conflicts = found.size();
    std::set<std::pair<std::string, std::string>> told, now;
    const Bytes before = TRY(read_pages(intake_, "conflicts"));
    std::string_view text = as_text(before);
    for (std::size_t end = 0; (end = text.find('\n')) != std::string_view::npos; text.remove_prefix(end + 1)) {
        const std::string line(text.substr(0, end));
        const std::size_t space = line.find(' ');
        if (space != std::string::npos) told.insert({line.substr(0, space), line.substr(space + 1)});
    }
    std::string list;
    for (const auto& [code, about] : found) {
        result_.findings[code] += 1;
        if (now.size() >= kMostConflicts) continue;
        now.insert({code, about});
        list += code + " " + about + "\n";
        if (told.count({code, about}) == 0) TRY(intake_.finding(code, 1, about));
    }
    for (const auto& [code, about] : told)
        if (now.count({code, about}) == 0) TRY(intake_.resolve(code, about));
    if (found.size() > kMostConflicts) TRY(intake_.finding("person:more-conflicts", found.size() - kMostConflicts, ""));
    return write_pages(intake_, "conflicts", as_bytes(list), 1);
}

Result<PersonImportResult> PersonImport::finish(bool whole) {
    TRY(flush());
    // A book with nobody in it is no book: a broken export must not send everybody away.
    if (whole && result_.persons != 0) TRY(say_who_left());
    TRY(tell_conflicts());
    TRY(write());
    TRY(house_.note_book_read(source_.id, result_.sealed, result_.persons, whole && result_.persons != 0));
    return result_;
}

}  // namespace kustos::app
