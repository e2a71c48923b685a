#include "app/erase_commands.h"

#include <charconv>
#include <nlohmann/json.hpp>
#include <sstream>

#include "app/erasure.h"
#include "app/src/present.h"

namespace kustos::app {

using nlohmann::json;

namespace {

Result<EntryIndex> record_of(const std::string& text) {
    std::uint64_t n = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (text.empty() || error != std::errc() || end != text.data() + text.size())
        return Error(Code::usage, "a record is named by its entry number, as search prints it");
    return EntryIndex(n);
}

Result<EraseRequest> request_of(House& house, const Call& c, const std::string& actor) {
    const int ways = (c.record.empty() ? 0 : 1) + (c.records_file.empty() ? 0 : 1) + (c.query.empty() ? 0 : 1) +
                     (c.attachment.empty() ? 0 : 1);
    if (ways != 1) return Error(Code::usage, "give one of --record, --records, --query and --attachment");
    EraseRequest request;
    if (!c.record.empty()) request.records.push_back(TRY(record_of(c.record)));
    if (!c.records_file.empty()) {
        const Bytes list = TRY_IN("the list of records", read_file(house.environment().fs, c.records_file, 64u << 20));
        std::istringstream lines(to_text(list));
        std::string line;
        while (std::getline(lines, line)) {
            if (!line.empty()) request.records.push_back(TRY(record_of(line)));
        }
    }
    request.query = c.query;
    request.attachment = c.attachment;
    request.ground = c.ground;
    request.approvers = c.approvers;
    request.actor = actor;
    request.only_look = c.check;
    request.without_escrow = c.without_escrow;
    return request;
}

ReportRequest report_of(const Call& c, const std::string& actor) {
    return {{c.reports.begin(), c.reports.end()}, c.language, actor};
}

json to_json(const ErasureStatus& s) {
    json j = {{"erasure", erasure_name(s.run.id)},
              {"method", s.run.method},
              {"state", s.state},
              {"records", s.run.count},
              {"begun", {{"entry", s.run.begun.front().value}, {"time", format_rfc3339(s.run.begun_at)}}},
              {"medium", s.medium}};
    if (s.run.done) j["done"] = {{"entry", s.run.done->value}, {"time", format_rfc3339(s.run.done_at)}};
    if (s.run.done) j["generation"] = s.run.generation;
    if (s.run.terms) j["terms_removed"] = s.run.terms->value;
    if (s.run.ciphertext) j["ciphertext_removed"] = s.run.ciphertext->value;
    if (s.run.final_entry) j["final"] = s.run.final_entry->value;
    return j;
}

Result<ErasureStatus> find(const House& house, const std::string& name) {
    const audit::ErasureId id = TRY(parse_erasure_name(name));
    for (ErasureStatus& s : house.erasures()) {
        if (s.run.id == id) return std::move(s);
    }
    return Error(Code::not_found, "there is no erasure of that name").with_hint("kustos erase list");
}

}  // namespace

Result<int> erase_records(House& house, const Call& c, const std::string& actor, Streams s) {
    const bool de = c.language == Language::german;
    const EraseRequest request = TRY(request_of(house, c, actor));
    const EraseAnswer answer = TRY(house.erase(request));
    std::vector<std::string> certificates;
    ErasureStatus status;
    if (answer.done) {
        status = TRY(find(house, erasure_name(answer.done->erasure)));
        if (!c.reports.empty()) certificates = TRY(house.certify_erasure(answer.done->erasure, report_of(c, actor)));
    }
    if (c.json) {
        json records = json::array();
        for (const EntryIndex r : answer.records) records.push_back(r.value);
        json j = {{"records", std::move(records)}, {"erased_before", answer.erased_before}};
        if (answer.done) {
            j["erasure"] = erasure_name(answer.done->erasure);
            j["state"] = status.state;
            j["count"] = answer.done->count;
            j["generation"] = answer.done->generation;
            j["medium"] = answer.done->medium;
            j["certificate"] = certificates;
        }
        if (!answer.successors.empty()) {
            json list = json::array();
            for (const EntryIndex r : answer.successors) list.push_back(r.value);
            j["successors"] = std::move(list);
        }
        if (answer.coverage) {
            const web::Coverage& v = *answer.coverage;
            j["coverage"] = {{"sealed", v.sealed}, {"searchable", v.searchable}, {"partial", v.partial},
                             {"opaque", v.opaque}, {"deferred", v.deferred},     {"failed", v.failed},
                             {"erased", v.erased}};
        }
        if (answer.unsearched) j["unsearched"] = json::parse(unsearched_json_text(*answer.unsearched));
        s.out << j.dump() << "\n";
        return 0;
    }
    if (answer.unsearched) s.out << unsearched_words(*answer.unsearched, de) << "\n";
    if (answer.erased_before != 0)
        s.out << answer.erased_before << (de ? " waren schon gelöscht\n" : " were erased before\n");
    if (!answer.done) {
        if (request.only_look)
            s.out << answer.records.size() << (de ? " Aufzeichnungen würden gelöscht\n" : " records would be erased\n");
        else
            s.out << (de ? "Nichts zu löschen.\n" : "nothing to erase\n");
        return 0;
    }
    s.out << (de ? "Gelöscht: " : "erased: ") << answer.done->count
          << (de ? " Aufzeichnungen und Anhänge, Löschung " : " records and attachments, erasure ")
          << erasure_name(answer.done->erasure) << "\n"
          << state_words(status.state, status.medium, c.language) << "\n";
    for (const std::string& file : certificates) s.out << (de ? "Bescheinigung: " : "certificate: ") << file << "\n";
    return 0;
}

Result<int> erase_status(House& house, const Call& c, const std::string& actor, Streams s) {
    const ErasureStatus status = TRY(find(house, c.name));
    std::vector<std::string> certificates;
    if (!c.reports.empty()) certificates = TRY(house.certify_erasure(status.run.id, report_of(c, actor)));
    if (c.json) {
        json j = to_json(status);
        j["certificate"] = certificates;
        s.out << j.dump() << "\n";
        return 0;
    }
    s.out << erasure_name(status.run.id) << "\t" << status.state << "\t" << status.run.count << "\n"
          << state_words(status.state, status.medium, c.language) << "\n";
    for (const std::string& file : certificates)
        s.out << (c.language == Language::german ? "Bescheinigung: " : "certificate: ") << file << "\n";
    return 0;
}

Result<int> erase_list(House& house, const Call& c, Streams s) {
    json list = json::array();
    for (const ErasureStatus& e : house.erasures()) {
        if (c.json) {
            list.push_back(to_json(e));
        } else {
            s.out << erasure_name(e.run.id) << "\t" << format_rfc3339(e.run.begun_at) << "\t" << e.run.method << "\t"
                  << e.state << "\t" << e.run.count << "\n";
        }
    }
    if (c.json) s.out << list.dump() << "\n";
    return 0;
}

Result<int> compact(House& house, const Call& c, Streams s) {
    const bool de = c.language == Language::german;
    const TermsReport terms = TRY(house.remove_terms());
    const CompactionReport compacted = TRY(house.compact(!c.json));
    if (c.json) {
        json j = {{"shards", terms.shards},         {"rewritten", terms.rewritten}, {"documents", terms.documents},
                  {"segments", compacted.segments}, {"frames", compacted.frames},   {"bytes", compacted.bytes}};
        if (terms.entry) j["terms_removed"] = terms.entry->value;
        s.out << j.dump() << "\n";
        return 0;
    }
    s.out << (de ? "Suchverzeichnis: " : "index: ") << terms.rewritten
          << (de ? " Teile neu geschrieben, " : " shards rewritten, ") << terms.documents
          << (de ? " Aufzeichnungen daraus entfernt\n" : " records removed from them\n")
          << (de ? "Tresor: " : "vault: ") << compacted.frames
          << (de ? " Chiffrate entfernt, " : " ciphertexts removed, ") << compacted.bytes << " bytes\n";
    return 0;
}

}  // namespace kustos::app
