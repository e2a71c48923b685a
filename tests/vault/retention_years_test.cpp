// Twelve years in an archive, month by month, beside a model that knows nothing of the planner: after each January's
// disposition what is left must be the same.
#include <doctest/doctest.h>

#include <filesystem>
#include <map>
#include <random>
#include <set>

#include "tests/support/temp_dir.h"
#include "vault/disposition.h"
#include "vault/retention.h"

using namespace kustos;
using namespace kustos::vault;

namespace {

constexpr std::int64_t kDay = 86'400'000;

// The archive's own, and what it was told.
class CountingForgetter final : public Forgetter {
public:
    explicit CountingForgetter(std::unique_ptr<Archive>& archive) : archive_(archive) {}
    Status ready() const override { return ArchiveForgetter(*archive_).ready(); }
    Result<Forgotten> forget(ForgetOrder order) override {
        trees += order.trees.size();
        entries += order.entries.size();
        return archive_->forget(std::move(order));
    }
    Result<std::shared_ptr<const EntrySet>> erased() const override { return archive_->erased(); }
    std::size_t trees = 0, entries = 0;

private:
    std::unique_ptr<Archive>& archive_;
};

// What a clerk with a calendar would keep of each record.
struct Paper {
    std::uint16_t code = 0;
    CivilDate sealed;
    std::optional<CivilDate> closed;  // its process, the latest
    bool gone = false;
};

struct Model {
    std::map<std::uint64_t, Paper> papers;
    std::map<std::uint64_t, std::set<std::uint64_t>> holds, restrictions;  // open ones

    bool stopped(std::uint64_t id) const {
        for (const auto* all : {&holds, &restrictions}) {
            for (const auto& [number, list] : *all) {
                if (list.count(id) != 0) return true;
            }
        }
        return false;
    }
    // 200: two years after the year of sealing. 201: six months. 202: a year after the year in which the process
    // closed. 203: one year, to be offered first. 100: ten years.
    bool over(const Paper& p, CivilDate today) const {
        switch (p.code) {
            case 100:
                return today.year > p.sealed.year + 10;
            case 200:
                return today.year > p.sealed.year + 2;
            case 201: {
                CivilDate end = p.sealed;
                end.month += 6;
                if (end.month > 12) end.month -= 12, ++end.year;
                while (!date_of_number(date_number(end))) --end.day;
                return today > end;
            }
            case 202:
                return p.closed && today.year > p.closed->year + 1;
            default:
                return today.year > p.sealed.year + 1;
        }
    }
    std::set<std::uint64_t> due(CivilDate today) const {
        std::set<std::uint64_t> out;
        for (const auto& [id, p] : papers) {
            if (!p.gone && !stopped(id) && over(p, today)) out.insert(id);
        }
        return out;
    }
};

class Years {
public:
    explicit Years(unsigned seed) : chance_(seed) {}

    void run() {
        begin();
        for (int month = 0; month < 12 * 12; ++month) {
            month_passes();
            if (german_date(clock_.now()).month == 1) january();
            if (month % 29 == 28) restart(month % 2 == 0);
        }
        CHECK(forgetter_.trees > 0);
        CHECK(forgetter_.entries > 0);
        CHECK(released_ > 100);
        CHECK(stopped_ > 10);
        // What is held or restricted for ever is still there, and everything that is left is planned.
        compare();
    }

private:
    std::uint32_t pick(std::uint32_t n) { return static_cast<std::uint32_t>(chance_() % n); }
    CivilDate today() const { return german_date(clock_.now()); }
    RetentionDesk desk() { return {*archive_, "clerk"}; }
    Dispositions dispositions() { return {*archive_, check_, forgetter_, "clerk"}; }

    Environment environment() { return {fs_, clock_, random_}; }
    void open() {
        OpenOptions options;
        options.state = dir_ / "state";
        auto opened = Archive::open(environment(), dir_ / "a", std::move(options));
        if (!opened.ok()) FAIL(opened.error().message());
        archive_ = std::move(*opened);
    }

    void begin() {
        CreateOptions options;
        REQUIRE(Archive::create(environment(), dir_ / "a", dir_ / "state", std::move(options)).ok());
        open();
        source_ = archive_->add_source("chat", "import", kDefaultClass).value();
        define(200, "24m", Start::created, Counted::year_end, AtEnd::erase);
        define(201, "6m", Start::created, Counted::day, AtEnd::erase);
        define(202, "12m", Start::process_end, Counted::year_end, AtEnd::erase);
        define(203, "12m", Start::created, Counted::year_end, AtEnd::offer_then_erase);
    }
    void define(std::uint16_t code, const char* months, Start start, Counted counted, AtEnd at_end) {
        ClassDefinition d;
        d.code = ClassCode(code);
        d.name = "c" + std::to_string(code);
        d.months = static_cast<std::uint32_t>(std::stoul(months));
        d.start = start;
        d.counted = counted;
        d.at_end = at_end;
        d.legal_basis = "§ 1";
        d.office = "30";
        REQUIRE(desk().define(d, {"Anna"}).ok());
    }

    void seal() {
        static constexpr std::uint16_t kCodes[] = {100, 200, 201, 202, 203};
        std::vector<Draft> drafts;
        for (std::uint32_t n = 1 + pick(5); n > 0; --n) {
            Message m;
            m.body = "text";
            m.raw = to_bytes("raw " + std::to_string(++number_));
            if (pick(12) == 0) {  // an attachment that is an entry of its own
                Attachment a;
                a.name = "a.bin";
                a.content = Bytes(70'000, static_cast<std::uint8_t>(number_));
                m.attachments.push_back(std::move(a));
            }
            Draft d;
            d.source = source_.id;
            d.retention_class = ClassCode(kCodes[pick(5)]);
            d.content = compose(std::move(m)).value();
            drafts.push_back(std::move(d));
        }
        std::vector<std::uint16_t> codes;
        for (const Draft& d : drafts) codes.push_back(d.retention_class.value);
        const auto receipts = archive_->seal(std::move(drafts));
        REQUIRE(receipts.ok());
        for (std::size_t i = 0; i < codes.size(); ++i)
            model_.papers[(*receipts)[i].index.value] = {codes[i], today(), std::nullopt, false};
        // The server publishes within a minute.
        REQUIRE(archive_->record_control(audit::ControlAction::finding, [](audit::Body&) {}).ok());
    }

    std::set<std::uint64_t> some(std::uint32_t most) {
        std::vector<std::uint64_t> left;
        for (const auto& [id, p] : model_.papers) {
            if (!p.gone) left.push_back(id);
        }
        std::set<std::uint64_t> out;
        for (std::uint32_t n = 1 + pick(most); n > 0; --n)
            out.insert(left[pick(static_cast<std::uint32_t>(left.size()))]);
        return out;
    }
    static EntrySet as_set(const std::set<std::uint64_t>& ids) {
        EntrySet set;
        for (const std::uint64_t id : ids) set.add(EntryIndex(id));
        return set;
    }
    std::optional<std::uint64_t> any(const std::map<std::uint64_t, std::set<std::uint64_t>>& all) {
        if (all.empty()) return std::nullopt;
        auto at = all.begin();
        std::advance(at, pick(static_cast<std::uint32_t>(all.size())));
        return at->first;
    }

    EntryIndex seal_list(audit::ControlAction action, const std::set<std::uint64_t>& ids, const Fill& fill) {
        auto drafts = list_drafts(action, as_set(ids), fill, DecisionText{});
        return archive_->seal(std::move(drafts)).value().front().index;
    }
    void set_hold() {
        const auto ids = some(6);
        const EntryIndex id = seal_list(audit::ControlAction::hold_set, ids, [](audit::Body& body) {
            body.put_text(audit::Tag::method, "records").put_text(audit::Tag::code, "frozen");
        });
        model_.holds[id.value] = ids;
    }
    void move_hold() {
        const auto id = any(model_.holds);
        if (!id) return;
        const auto ids = some(6);
        seal_list(audit::ControlAction::hold_changed, ids, [&](audit::Body& body) {
            body.put_u64(audit::Tag::entry, *id)
                .put_text(audit::Tag::method, "records")
                .put_text(audit::Tag::code, "frozen");
        });
        model_.holds[*id] = ids;
    }
    void lift_hold() {
        const auto id = any(model_.holds);
        if (!id) return;
        REQUIRE(archive_
                    ->seal(decision_draft(
                        audit::ControlAction::hold_released,
                        [&](audit::Body& body) { body.put_u64(audit::Tag::entry, *id); }, DecisionText{}))
                    .ok());
        model_.holds.erase(*id);
    }
    void restrict() {
        const auto ids = some(3);
        model_.restrictions[desk().restrict(as_set(ids), std::nullopt, "Art. 18", "").value().value] = ids;
    }
    void lift_restriction() {
        const auto id = any(model_.restrictions);
        if (!id) return;
        REQUIRE(desk().lift(EntryIndex(*id), "settled").ok());
        model_.restrictions.erase(*id);
    }
    void reclassify() {
        static constexpr std::uint16_t kCodes[] = {100, 200, 201, 202, 203};
        const auto ids = some(3);
        const std::uint16_t to = kCodes[pick(5)];
        if (pick(2) == 0) {
            REQUIRE(desk().reclassify(as_set(ids), ClassCode(to), "why", "").ok());
        } else {
            REQUIRE(desk().mark(as_set(ids), {ClassCode(to), "30-Z 1/26", "1.2", {1, 4}}).ok());
        }
        for (const std::uint64_t id : ids) model_.papers[id].code = to;
    }
    void close_process() {
        std::set<std::uint64_t> ids;
        for (const auto& [id, p] : model_.papers) {
            if (!p.gone && p.code == 202 && pick(3) == 0) ids.insert(id);
        }
        if (ids.empty()) return;
        const CivilDate day = pick(2) == 0 ? today() : CivilDate{today().year - 1, 12, 31};
        REQUIRE(desk().enter_event(as_set(ids), Start::process_end, day, "closed", "").ok());
        for (const std::uint64_t id : ids) {
            Paper& p = model_.papers[id];
            if (!p.closed || *p.closed < day) p.closed = day;
        }
    }

    void month_passes() {
        clock_.advance_ms((28 + pick(4)) * kDay + pick(86'400'000));
        seal();
        if (pick(3) == 0) set_hold();
        if (pick(5) == 0) move_hold();
        if (pick(4) == 0) lift_hold();
        if (pick(6) == 0) restrict();
        if (pick(6) == 0) lift_restriction();
        if (pick(3) == 0) reclassify();
        if (pick(4) == 0) close_process();
    }

    void january() {
        std::set<std::uint64_t> listed;
        const auto list = dispositions().make_list({}, [&](const Planned& p) -> Status {
            listed.insert(p.facts.record.value);
            return {};
        });
        REQUIRE(list.ok());
        // Lists of earlier years that were not released whole are still open.
        std::set<std::uint64_t> expected = model_.due(today());
        for (const std::uint64_t id : waiting_) expected.erase(id);
        CHECK(listed == expected);
        if (!*list) return;
        if (pick(2) == 0) set_hold();  // between the list and its release
        if (pick(2) == 0) reclassify();
        if (pick(3) == 0) restrict();
        std::set<std::uint64_t> out;
        if (pick(2) == 0 && listed.size() > 2) {
            out = {*listed.begin()};
            REQUIRE(dispositions().take_out(**list, as_set(out), "is still needed").ok());
        }
        // What must be offered is not released before the archive has answered.
        release(**list, listed, out, false);
        REQUIRE(dispositions().answer(**list, Listed::Answer::offered, today(), "").ok());
        release(**list, listed, out, false);
        REQUIRE(dispositions().answer(**list, Listed::Answer::declined, today(), "").ok());
        release(**list, listed, out, true);
        for (const std::uint64_t id : listed) {
            if (out.count(id) == 0 && !model_.papers[id].gone) waiting_.insert(id);
        }
        compare();
    }

    void release(EntryIndex list, const std::set<std::uint64_t>& listed, const std::set<std::uint64_t>& out,
                 bool answered) {
        CHECK(dispositions().release(list, {"Anna", " anna "}).error().code() == Code::denied);
        CHECK(dispositions().release(list, {"Anna"}).error().code() == Code::denied);
        const auto released = dispositions().release(list, {"Anna", "Bert"});
        if (!released.ok()) FAIL(released.error().message());
        const std::set<std::uint64_t> due = model_.due(today());
        for (const std::uint64_t id : listed) {
            Paper& p = model_.papers[id];
            if (p.gone || out.count(id) != 0) continue;
            const bool goes = due.count(id) != 0 && (answered || p.code != 203);
            CHECK(released->records.contains(EntryIndex(id)) == goes);
            if (goes) {
                CHECK_FALSE(model_.stopped(id));
                p.gone = true;
                ++released_;
            } else {
                ++stopped_;
            }
        }
    }

    void compare() {
        const auto erased = archive_->erased().value();
        std::set<std::uint64_t> left, expected;
        for (std::uint64_t i = 0; i < archive_->head().size.value; ++i) {
            const audit::EntryHeader h = archive_->entry(EntryIndex(i))->header;
            if (h.kind == audit::Kind::record) {
                const bool opens = archive_->open_payload(EntryIndex(i), archive_->entry(EntryIndex(i)).value()).ok();
                CHECK(opens == !erased->contains(EntryIndex(i)));
                if (opens) left.insert(i);
            }
            // Nothing but records and their attachments goes.
            if (h.kind != audit::Kind::record && h.kind != audit::Kind::blob)
                CHECK_FALSE(erased->contains(EntryIndex(i)));
            if (h.kind == audit::Kind::blob) {
                std::uint64_t owner = i + 1;
                while (archive_->entry(EntryIndex(owner))->header.kind != audit::Kind::record) ++owner;
                CHECK(erased->contains(EntryIndex(i)) == erased->contains(EntryIndex(owner)));
            }
        }
        for (const auto& [id, p] : model_.papers) {
            if (!p.gone) expected.insert(id);
        }
        CHECK(left == expected);
    }

    // The catalog is read again, or made again from the ledger: the book is the same.
    void restart(bool lose_catalog) {
        const auto before = archive_->retention();
        archive_.reset();
        if (lose_catalog) std::filesystem::remove(dir_ / "a" / "catalog.db");
        open();
        CHECK(*archive_->retention() == *before);
        CHECK(archive_->catalog_agrees().value());
    }

    RealFs fs_;
    FixedClock clock_{parse_rfc3339("2026-01-05T12:00:00Z").value()};
    SystemRandom random_;
    test::TempDir dir_;
    std::mt19937 chance_;
    std::unique_ptr<Archive> archive_;
    CountingForgetter forgetter_{archive_};
    class Check final : public HoldCheck {
    public:
        explicit Check(std::unique_ptr<Archive>& archive) : archive_(archive) {}
        Result<HoldAnswer> check(const EntrySet& records) override { return ListedHolds(*archive_).check(records); }

    private:
        std::unique_ptr<Archive>& archive_;
    } check_{archive_};
    SourceInfo source_;
    Model model_;
    std::set<std::uint64_t> waiting_;  // on open lists
    std::uint64_t number_ = 0, released_ = 0, stopped_ = 0;
};

}  // namespace

TEST_CASE("twelve years of holds, reclassifications, late events and dispositions leave what a clerk would leave") {
    Years(1).run();
}

TEST_CASE("twelve other years") {
    Years(20'261).run();
}
