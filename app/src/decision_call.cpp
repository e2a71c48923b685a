#include "app/src/decision_call.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>

#include "vault/retention.h"

namespace kustos::app {

using nlohmann::json;

namespace {

constexpr std::uint64_t kMostList = 64u << 20;

Result<EntryIndex> entry_number(const std::string& text, const char* what) {
    std::uint64_t n = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (text.empty() || error != std::errc() || end != text.data() + text.size())
        return Error(Code::usage, std::string(what) + " is an entry's number, as the lists print it");
    return EntryIndex(n);
}

}  // namespace

const std::string& DecisionCall::one(const std::string& name) const {
    static const std::string kNothing;
    const auto found = call.given.find(name);
    return found == call.given.end() || found->second.empty() ? kNothing : found->second.front();
}

std::vector<std::string> DecisionCall::many(const std::string& name) const {
    const auto found = call.given.find(name);
    return found == call.given.end() ? std::vector<std::string>() : found->second;
}

Result<EntryIndex> DecisionCall::number(const std::string& name, const char* what) const {
    return entry_number(one(name), what);
}

Result<EntrySet> DecisionCall::records() const {
    EntrySet set;
    for (const std::string& text : many("record")) set.add(TRY(entry_number(text, "a record")));
    if (call.records_file.empty()) return set;
    const Bytes list = TRY_IN("the list of records", read_file(house.environment().fs, call.records_file, kMostList));
    std::istringstream lines(to_text(list));
    std::string line;
    while (std::getline(lines, line)) {
        if (!line.empty()) set.add(TRY(entry_number(line, "a record")));
    }
    return set;
}

Result<CivilDate> DecisionCall::day(const std::string& name) const {
    if (one(name).empty()) return vault::german_date(archive().clock().now());
    return vault::parse_date(one(name));
}

Result<ClassCode> DecisionCall::class_named(const std::string& text) const {
    const auto book = archive().retention();
    if (const vault::ClassDefinition* found = book->classes().find(text)) return found->code;
    std::uint16_t code = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), code);
    if (text.empty() || error != std::errc() || end != text.data() + text.size() ||
        book->classes().newest(ClassCode(code)) == nullptr)
        return Error(Code::usage, "there is no such retention class").with_hint("kustos retention class shows all");
    return ClassCode(code);
}

Result<ScopeOrder> DecisionCall::scope() const {
    ScopeOrder order;
    order.records = TRY(records());
    order.query = call.query;
    order.person = one("person");
    order.conversation = one("conversation");
    order.from = one("from");
    order.to = one("to");
    order.of_matter = flag("all-of-matter");
    if (call.matter.empty()) return order;
    order.matter = TRY(access::parse_matter_id(call.matter));
    vault::Purpose purpose;
    purpose.matter = *order.matter;
    purpose.actor = actor;
    TRY(house.matter_desk().allow(purpose, {}));
    return order;
}

json decision_json(const DecisionCall& call, const vault::Planned& p, const vault::ClassBook& classes) {
    json j = {{"record", p.facts.record.value},
              {"class", p.decision.retention_class.value},
              {"outcome", vault::outcome_name(p.decision.outcome)},
              {"end", nullptr},
              {"reasons", vault::explain(p.decision, classes, call.words())}};
    if (p.decision.end) j["end"] = vault::format_date(*p.decision.end);
    if (p.listed) j["list"] = p.listed->value;
    return j;
}

namespace {

// RFC 4180. A cell that a spreadsheet would take for a formula gets a quotation mark before it.
std::string cell(std::string text) {
    if (!text.empty() && std::string_view("=+-@\t\r").find(text[0]) != std::string_view::npos) text.insert(0, 1, '\'');
    std::string quoted = "\"";
    for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
    return quoted + "\"";
}

class FileInParts final : public DecisionFile {
public:
    FileInParts(const DecisionCall& call, std::string file, bool csv)
        : call_(call), file_(std::move(file)), csv_(csv), out_(file_ + ".tmp", std::ios::binary | std::ios::trunc) {
        if (csv_)
            out_ << call.say("Aufzeichnung,Klasse,Ergebnis,letzter Tag,Begründung\r\n",
                             "record,class,outcome,last day,reasons\r\n");
    }
    ~FileInParts() override {
        std::error_code ignored;
        std::filesystem::remove(file_ + ".tmp", ignored);
    }
    Status add(const vault::Planned& p, const vault::ClassBook& classes) override {
        if (!csv_) {
            out_ << decision_json(call_, p, classes).dump() << "\n";
            return written();
        }
        std::string reasons;
        for (const std::string& r : vault::explain(p.decision, classes, call_.words()))
            reasons += (reasons.empty() ? "" : "; ") + r;
        out_ << p.facts.record.value << "," << p.decision.retention_class.value << ","
             << cell(vault::outcome_text(p.decision.outcome, call_.words())) << ","
             << (p.decision.end ? vault::format_date(*p.decision.end) : "") << "," << cell(reasons) << "\r\n";
        return written();
    }
    Status close() override {
        out_.close();
        TRY(written());
        return call_.house.environment().fs.rename(file_ + ".tmp", file_);
    }

private:
    Status written() { return out_ ? Status() : Status(Error(Code::environment, "the file can't be written")); }
    const DecisionCall& call_;
    std::string file_;
    bool csv_;
    std::ofstream out_;
};

}  // namespace

Result<std::unique_ptr<DecisionFile>> DecisionFile::create(const DecisionCall& call, const std::string& file) {
    const bool csv = file.ends_with(".csv");
    if (!csv && !file.ends_with(".jsonl")) return Error(Code::usage, "--out takes a file that ends in .csv or .jsonl");
    return std::unique_ptr<DecisionFile>(std::make_unique<FileInParts>(call, file, csv));
}

bool is_decision_command(const std::string& name) {
    for (const std::string_view group : {"retention ", "hold ", "disposition "}) {
        if (name.starts_with(group)) return true;
    }
    return name == "restrict";
}

Result<int> decide(House& house, const Call& call, const std::string& actor, Streams streams) {
    static constexpr std::string_view kLooks[] = {"retention plan", "hold list", "hold check", "disposition show"};
    std::unique_lock one_at_a_time(house.decisions(), std::defer_lock);
    if (std::find(std::begin(kLooks), std::end(kLooks), call.command) == std::end(kLooks)) one_at_a_time.lock();
    DecisionCall c(house, call, actor, streams);
    if (call.command.starts_with("retention ")) return retention_command(c);
    if (call.command.starts_with("hold ")) return hold_command(c);
    if (call.command == "restrict") return restrict_command(c);
    return disposition_command(c);
}

}  // namespace kustos::app
