// What decisions about retention need of the house: the index without opening anything, and who destroys keys.
#include "app/house.h"
#include "app/src/house_ports.h"

namespace kustos::app {

namespace {

class HouseSearch final : public RecordSearch {
public:
    HouseSearch(House& house, std::function<Result<EntrySet>(const std::string&)> run,
                std::function<Result<search::Uncertain>()> uncertain)
        : house_(house), run_(std::move(run)), uncertain_(std::move(uncertain)) {}
    Result<EntrySet> hits(const std::string& query) override { return run_(query); }
    Result<search::Uncertain> uncertain() override { return uncertain_(); }
    Result<EntrySet> records() override {
        EntrySet out;
        const vault::Archive& archive = house_.archive();
        const auto erased = TRY(house_.forgetter().erased());
        TRY(archive.ledger().for_each(
            EntryIndex(0), EntryIndex(archive.head().size.value), [&](EntryIndex i, ByteView bytes) -> Status {
                const bool record = bytes.size() > 2 && bytes[2] == static_cast<std::uint8_t>(audit::Kind::record);
                if (record && !erased->contains(i)) out.add(i);
                return {};
            }));
        return out;
    }

private:
    House& house_;
    std::function<Result<EntrySet>(const std::string&)> run_;
    std::function<Result<search::Uncertain>()> uncertain_;
};

}  // namespace

vault::Forgetter& House::forgetter() {
    const std::lock_guard lock(bundle_mutex_);
    if (!forgetter_) forgetter_ = std::make_unique<vault::ArchiveForgetter>(*archive_);
    return *forgetter_;
}

std::unique_ptr<RecordSearch> House::record_search() {
    const auto closed = [this]() -> Status {
        if (archive_->is_open()) return {};
        return Error(Code::closed, "the vault is closed: a key holder must open it")
            .with_hint("give --passphrase-file FILE, or - for standard input");
    };
    return std::make_unique<HouseSearch>(
        *this,
        [this, closed](const std::string& query) -> Result<EntrySet> {
            TRY(closed());
            const search::Query parsed = TRY(search::parse_query(query));
            auto found = TRY(searcher_->run(parsed, {}, *census_)).entries;
            std::sort(found.begin(), found.end());
            return EntrySet(found);
        },
        [this, closed]() -> Result<search::Uncertain> {
            TRY(closed());
            return search::uncertain_entries(environment_.fs, options_.archive / "index", *keys_);
        });
}

}  // namespace kustos::app
