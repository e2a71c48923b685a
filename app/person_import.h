// Reads an address book into its source: each card that is new or has changed becomes a record, who is in a whole book
// no more gets a card that says so, and what contradicts itself becomes a finding (docs/format/persons.md, "Import").
//
// What the import before has seen is remembered as MACs (vault/stream_memory.h): a closed vault can take a book in.
// Without that memory everything comes as new, and what is the same is a duplicate. Errors: of the archive and the
// disk; what was sealed before stays, and the same import again goes on. Threads: one import of a source at a time.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "app/intake.h"
#include "ingest/address_book.h"
#include "vault/catalog.h"

namespace kustos::app {

class House;

struct PersonImportResult {
    std::uint64_t sealed = 0;     // cards, new or changed
    std::uint64_t unchanged = 0;  // as they were
    std::uint64_t gone = 0;       // of sealed: who is not in the book any more
    std::uint64_t quarantined = 0, persons = 0, conflicts = 0;
    std::map<std::string, std::uint64_t> findings;
};

class PersonImport final : public ingest::BookSink {
public:
    PersonImport(House& house, const vault::SourceInfo& source);
    Status begin();
    Status item(ingest::BookItem item) override;
    void finding(std::string_view code, std::uint64_t count = 1) override {
        result_.findings[std::string(code)] += count;
    }
    // whole: the book holds everybody, so who was not in it has left.
    Result<PersonImportResult> finish(bool whole);

private:
    using Mac = FixedBytes<struct PersonMacTag, 16>;
    struct Row {     // one person of the source
        Mac digest;  // of the newest card; zero: gone
        Mac number;  // zero: none
        std::uint64_t entry = 0;
        bool seen = false;
    };
    struct Memory {
        std::map<Mac, Row> rows;                  // by key
        std::vector<std::pair<Mac, Mac>> claims;  // address, key: who has it now
    };
    struct Waiting {
        Mac key, digest;
        bool card = false;
    };
    Mac mac(std::string_view what, std::string_view text) const;  // of this source
    Mac common_mac(std::string_view text) const;                  // the same for all sources
    Mac key_of(const access::PersonCard& card);
    static Result<Memory> read(HouseIntake& intake);
    Status write();
    Status seal(ingest::ParsedItem item, Waiting waiting);
    Status flush();
    Status say_who_left();
    Status tell_conflicts();
    void find_conflicts_within(std::set<std::pair<std::string, std::string>>& out) const;
    Status find_conflicts_beside(std::set<std::pair<std::string, std::string>>& out);

    House& house_;
    vault::SourceInfo source_;
    HouseIntake intake_;
    SecretBytes key_;
    Memory memory_;
    std::map<Mac, std::uint64_t> times_;  // how often a key came in this import
    std::vector<ingest::ParsedItem> items_;
    std::vector<Waiting> waiting_;
    std::uint64_t waiting_bytes_ = 0;
    PersonImportResult result_;
};

}  // namespace kustos::app
