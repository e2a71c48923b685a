#include "app/exit_export.h"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "audit/ledger.h"
#include "base/progress.h"
#include "base/text.h"
#include "export/originals.h"
#include "vault/backup.h"
#include "vault/retention.h"
#include "vault/seal.h"

namespace kustos::app {

using nlohmann::json;

namespace {

constexpr std::size_t kChunk = 10'000;  // records of one session
constexpr std::uint64_t kSaveEvery = 200;

const char* const kReadMe =
    "A whole archive of Kustos, with its keys in the clear. Whoever has this folder reads everything: keep it as the\n"
    "archive itself was kept. docs/format/exit.md of Kustos describes it; docs/expert/open_exit_export.py opens it.\n"
    "\n"
    "index.csv       every record: number, source, what became of it, file, SHA-256\n"
    "messages.jsonl  the same as messages, one a line\n"
    "records/        originals, byte for byte, by source; attachments/ decoded\n"
    "archive/        ledger, proofs, time stamps and ciphertext: kustos-verify archive\n"
    "keys.jsonl      what survives of the key trees\n"
    "1.zdict         zstd's dictionary of compression 2\n";

std::string hex_of(ByteView bytes) {
    return hex(bytes);
}

// RFC 4180. A cell that a spreadsheet would take for a formula gets a quotation mark before it.
std::string cell(std::string text) {
    if (!text.empty() && std::string_view("=+-@\t\r").find(text[0]) != std::string_view::npos) text.insert(0, 1, '\'');
    if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
    std::string quoted = "\"";
    for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
    return quoted + "\"";
}

json person(const vault::Person& p) {
    json j = json::object();
    if (!p.id.empty()) j["id"] = p.id;
    if (!p.name.empty()) j["name"] = p.name;
    if (!p.address.empty()) j["address"] = p.address;
    return j;
}

class Exit {
public:
    Exit(House& house, const ExitRequest& request)
        : house_(house), archive_(house.archive()), fs_(house.environment().fs), request_(request), to_(request.to) {}

    Result<ExitReport> run() {
        TRY(vault::two_people(request_.approvers));
        if (request_.ground.empty()) return Error(Code::usage, "why does the archive leave? --ground \"...\"");
        if (!archive_.is_open())
            return Error(Code::closed, "the vault is closed: a key holder must open it")
                .with_hint("give --passphrase-file FILE, or - for standard input");
        erased_ = TRY(archive_.erased_records());
        TRY(make_dirs_synced(fs_, to_));
        if (fs_.exists(progress_file())) {
            TRY(take_up());
            TRY(ask_for_keys());
        } else {
            if (!TRY(fs_.list(to_)).empty() && !fs_.exists(to_ / "part"))
                return Error(Code::conflict, "the folder is not empty").with_hint("name one that does not exist yet");
            TRY(begin());
        }
        TRY(write_records());
        TRY(replace_file(fs_, to_ / "README.txt", as_bytes(kReadMe)));
        TRY(fs_.remove(progress_file()));
        TRY(fs_.sync_dir(to_));
        return report_;
    }

private:
    Path progress_file() const { return to_ / ".progress"; }

    // Ledger and ciphertext, then the entry, then the keys.
    Status begin() {
        vault::BackupOptions options;
        options.to = to_ / "part";
        options.stop = interrupt_requested;
        TRY(vault::make_backup(archive_, house_.environment(), options));
        vault::BackupManifest manifest = TRY(vault::load_backup(fs_, options.to));
        std::erase_if(manifest.files, [](const auto& file) {
            return file.first.rfind("ledger/", 0) != 0 && file.first.rfind("vault/segments/", 0) != 0 &&
                   file.first.rfind("vault/blobs/", 0) != 0 && file.first != "trust.policy";
        });
        std::error_code ignored;
        std::filesystem::remove_all(to_ / "archive", ignored);  // of a try that ended before the entry
        TRY(vault::restore_files(house_.environment(), options.to, manifest, to_ / "archive", options));
        for (const char* empty : {"staging", "keys", "index"})
            std::filesystem::remove_all(to_ / "archive" / empty, ignored);
        report_.size = manifest.size;
        if (!archive_.keys().apart()) TRY(note());
        TRY(ask_for_keys());
        TRY(write_keys());
        return save(0, 0, 0);
    }

    // An opener apart counts the records itself, has the entry made, and gives the keys behind it.
    Status ask_for_keys() {
        if (!archive_.keys().apart()) return {};
        if (request_.secret.empty())
            return Error(Code::usage, "the keys of an opener apart are given to who can open the vault")
                .with_hint("--passphrase-file or --share-file");
        vault::LeaveOrder order;
        order.secret = request_.secret.clone();
        order.actor = request_.actor;
        order.ground = request_.ground;
        order.approvers = request_.approvers;
        order.size = report_.size.value;
        const auto entry = archive_.give_away(order);
        if (report_.entry.value == 0) report_.entry = TRY(entry);
        return entry.ok() ? ok_status() : Status(entry.error());
    }

    Status note() {
        std::vector<EntryIndex> records;
        std::uint64_t gone = 0;
        for (std::uint64_t i = 0; i < report_.size.value; ++i) {
            if (TRY(archive_.ledger().header(EntryIndex(i))).kind != audit::Kind::record) continue;
            if (erased_->contains(EntryIndex(i))) {
                ++gone;
            } else {
                records.push_back(EntryIndex(i));
            }
        }
        const std::uint64_t count = records.size();
        const Hash root = vault::list_root(std::move(records));
        report_.entry = TRY(archive_.record_control(
                                audit::ControlAction::exit_exported,
                                [&](audit::Body& body) {
                                    body.put_u64(audit::Tag::checkpoint_size, report_.size.value)
                                        .put_u64(audit::Tag::count, count)
                                        .put_u64(audit::Tag::total, gone)
                                        .put_hash(audit::Tag::list_root, root);
                                },
                                vault::kAccessClass,
                                vault::compose_reason({request_.ground, request_.actor, request_.approvers, ""})))
                            .index;
        return {};
    }

    Status write_keys() {
        const Path part = to_ / "keys.jsonl.tmp";
        auto file = TRY(fs_.open(part, OpenMode::create_or_open));
        TRY(file->truncate(0));
        std::uint64_t at = 0;
        const auto line = [&](std::string text) -> Status {
            text += "\n";
            TRY(file->write_at(at, as_bytes(text)));
            at += text.size();
            wipe({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
            return {};
        };
        TRY(line("{\"vault\":\"" + archive_.vault_id().hex() + "\"}"));
        TRY(archive_.export_covers([&](KeyTreeId tree, ByteView cover) -> Status {
            ++report_.trees;
            return line("{\"tree\":" + std::to_string(tree.value) + ",\"cover\":\"" + hex_of(cover) + "\"}");
        }));
        TRY(file->sync());
        TRY(fs_.rename(part, to_ / "keys.jsonl"));
        return replace_file(fs_, to_ / "1.zdict", vault::dictionary_1_file());
    }

    Status save(std::uint64_t next, std::uint64_t csv, std::uint64_t lines) {
        const std::string text = json{
            {"size", report_.size.value},
            {"entry", report_.entry.value},
            {"next", next},
            {"csv", csv},
            {"lines", lines},
            {"records", report_.records},
            {"erased", report_.erased},
            {"unreadable", report_.unreadable},
            {"attachments", report_.attachments},
            {"trees", report_.trees},
            {"bytes", report_.bytes}}.dump();
        return replace_file(fs_, progress_file(), as_bytes(text));
    }

    Status take_up() {
        const Error foreign(Code::conflict, "the folder holds an export of something else");
        const Bytes bytes = TRY(read_file(fs_, progress_file(), 4096));
        const json j = json::parse(as_text(bytes), nullptr, false);
        if (j.is_discarded() || !j.is_object()) return foreign;
        const auto number = [&j](const char* name) {
            const auto found = j.find(name);
            return found != j.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
        };
        report_.size = TreeSize(number("size"));
        report_.entry = EntryIndex(number("entry"));
        next_ = number("next");
        csv_size_ = number("csv");
        lines_size_ = number("lines");
        report_.records = number("records");
        report_.erased = number("erased");
        report_.unreadable = number("unreadable");
        report_.attachments = number("attachments");
        report_.trees = number("trees");
        report_.bytes = number("bytes");
        // Two people decided on this one: the ledger says so.
        if (report_.entry.value >= archive_.head().size.value) return foreign;
        const audit::Entry entry = TRY(archive_.entry(report_.entry));
        const auto body = TRY(audit::BodyReader::parse(entry.body));
        if (control_action(entry) != audit::ControlAction::exit_exported ||
            body.find_u64(audit::Tag::checkpoint_size) != report_.size.value)
            return foreign;
        return {};
    }

    // A table that is written on; what an interrupted run wrote behind the saved size is cut off.
    Result<std::unique_ptr<File>> table(const char* name, std::uint64_t size) {
        auto file = TRY(fs_.open(to_ / name, OpenMode::create_or_open));
        TRY(file->truncate(size));
        return file;
    }
    Status append(File& file, std::uint64_t& size, const std::string& text) {
        TRY(file.write_at(size, as_bytes(text)));
        size += text.size();
        return {};
    }

    Status write_records() {
        std::error_code ignored;
        std::filesystem::remove_all(to_ / "part", ignored);  // what it was for is saved
        csv_ = TRY(table("index.csv", csv_size_));
        lines_ = TRY(table("messages.jsonl", lines_size_));
        if (csv_size_ == 0)
            TRY(append(*csv_, csv_size_, "entry,source,sequence,class,state,restricted,kind,sent,file,sha256\r\n"));
        TRY(fs_.make_dirs(to_ / "attachments"));
        Progress progress(house_.environment().clock, "exit-export", "entries", report_.size.value);
        std::uint64_t since_saved = 0;
        for (std::uint64_t i = next_; i < report_.size.value; ++i) {
            if (interrupt_requested()) {
                TRY(save_all(i));
                return Error(Code::interrupted, "interrupted").with_hint("the same command goes on from here");
            }
            const audit::EntryHeader header = TRY(archive_.ledger().header(EntryIndex(i)));
            if (header.kind != audit::Kind::record) continue;
            TRY(write_record(EntryIndex(i), header));
            progress.advance_to(i);
            if (++since_saved >= kSaveEvery) {
                TRY(save_all(i + 1));
                since_saved = 0;
            }
        }
        TRY(csv_->sync());
        return lines_->sync();
    }
    Status save_all(std::uint64_t next) {
        TRY(csv_->sync());
        TRY(lines_->sync());
        return save(next, csv_size_, lines_size_);
    }

    std::string source_of(const audit::EntryHeader& header) const {
        const auto source = archive_.find_source(header.source);
        return source ? source->name : std::to_string(header.source.value);
    }

    Status row(EntryIndex index, const audit::EntryHeader& h, const std::string& state, const std::string& kind,
               const std::string& sent, const std::string& file, const std::string& sha256) {
        const bool restricted = request_.restricted && request_.restricted(index);
        return append(*csv_, csv_size_,
                      std::to_string(index.value) + "," + cell(source_of(h)) + "," + std::to_string(h.sequence) + "," +
                          std::to_string(h.retention_class.value) + "," + state + "," + (restricted ? "yes" : "no") +
                          "," + kind + "," + sent + "," + cell(file) + "," + sha256 + "\r\n");
    }

    Status write_record(EntryIndex index, const audit::EntryHeader& header) {
        if (erased_->contains(index)) {
            ++report_.erased;
            return row(index, header, "erased", "", "", "", "");
        }
        if (!session_ || ids_.empty() || index > ids_.back()) TRY(new_session(index));
        auto opened = session_->open(index);
        if (!opened.ok()) {  // damage must not keep the rest here
            ++report_.unreadable;
            return row(index, header, "unreadable", "", "", "", "");
        }
        const vault::Message& m = opened->message;
        const std::string folder = "records/" + source_of(header);
        TRY(fs_.make_dirs(to_ / folder));
        const std::string name =
            folder + "/" + audit::twelve_digits(index.value) + exporting::original_extension(m.kind, m.format);
        TRY(write_original(index, name));
        json line = {{"entry", index.value},
                     {"source", source_of(header)},
                     {"id", m.native_id},
                     {"kind", vault::kind_name(m.kind)},
                     {"received_at", format_rfc3339(m.received_at)},
                     {"sender", person(m.sender)},
                     {"subject", m.subject},
                     {"body", m.body},
                     {"original", name},
                     {"original_sha256", m.raw_sha256.hex()}};
        if (m.sent_at) line["sent_at"] = format_rfc3339(*m.sent_at);
        if (!m.target.empty()) line["target"] = m.target;
        if (!m.previous_body.empty()) line["previous_body"] = m.previous_body;
        if (!m.conversation.empty())
            line["conversation"] = {{"id", m.conversation.id}, {"title", m.conversation.title}};
        for (const vault::Recipient& r : m.recipients) line["recipients"].push_back(person(r.person));
        for (std::size_t n = 0; n < m.attachments.size(); ++n)
            line["attachments"].push_back(TRY(write_attachment(index, *opened, n)));
        TRY(append(*lines_, lines_size_, line.dump(-1, ' ', false, json::error_handler_t::replace) + "\n"));
        ++report_.records;
        return row(index, header, "exported", std::string(vault::kind_name(m.kind)),
                   m.sent_at ? format_rfc3339(*m.sent_at) : "", name, m.raw_sha256.hex());
    }

    Status new_session(EntryIndex from) {
        ids_.clear();
        for (std::uint64_t i = from.value; i < report_.size.value && ids_.size() < kChunk; ++i) {
            if (TRY(archive_.ledger().header(EntryIndex(i))).kind == audit::Kind::record) ids_.push_back(EntryIndex(i));
        }
        vault::Receipt receipt;
        receipt.index = report_.entry;
        session_.emplace(archive_, ids_, receipt);
        return {};
    }

    Status write_original(EntryIndex index, const std::string& name) {
        auto file = TRY(fs_.open(to_ / name, OpenMode::create_or_open));
        TRY(file->truncate(0));
        std::uint64_t at = 0;
        TRY(session_->write_original(index, [&](ByteView piece) -> Status {
            TRY(file->write_at(at, piece));
            at += piece.size();
            return {};
        }));
        report_.bytes += at;
        return {};
    }

    Result<json> write_attachment(EntryIndex index, const vault::OpenedRecord& record, std::size_t n) {
        const vault::Attachment& a = record.message.attachments[n];
        json j = {{"name", a.name}, {"type", a.media_type}};
        if (a.missing) {
            j["missing"] = true;
            return j;
        }
        const auto content = archive_.attachment_content(record.payload, n);
        if (!content.ok() && content.error().code() == Code::erased) {
            j["erased"] = true;
            return j;
        }
        const std::string name = "attachments/" + audit::twelve_digits(index.value) + "-" + std::to_string(n) + ".bin";
        auto file = TRY(fs_.open(to_ / name, OpenMode::create_or_open));
        TRY(file->truncate(0));
        TRY(file->write_at(0, TRY(content)));
        ++report_.attachments;
        j["file"] = name;
        j["size"] = a.size;
        j["sha256"] = a.sha256.hex();
        return j;
    }

    House& house_;
    vault::Archive& archive_;
    Fs& fs_;
    const ExitRequest& request_;
    Path to_;
    ExitReport report_;
    std::shared_ptr<const EntrySet> erased_;
    std::uint64_t next_ = 0, csv_size_ = 0, lines_size_ = 0;
    std::unique_ptr<File> csv_, lines_;
    std::vector<EntryIndex> ids_;
    std::optional<vault::OpenSession> session_;
};

}  // namespace

Result<ExitReport> exit_export(House& house, const ExitRequest& request) {
    return Exit(house, request).run();
}

Result<int> exit_export(House& house, const Call& c, const std::string& actor, const vault::UnlockSecret* secret,
                        Streams s) {
    ExitRequest request;
    request.to = c.out;
    request.ground = c.ground;
    request.approvers = c.approvers;
    request.actor = actor;
    if (secret != nullptr) request.secret = vault::encode_secret(*secret);
    const ExitReport r = TRY(exit_export(house, request));
    if (c.json) {
        s.out << json{{"entry", r.entry.value},     {"size", r.size.value},
                      {"records", r.records},       {"erased", r.erased},
                      {"unreadable", r.unreadable}, {"attachments", r.attachments},
                      {"trees", r.trees},           {"bytes", r.bytes}}
                     .dump()
              << "\n";
    } else {
        const bool de = c.language == Language::german;
        s.out << r.records << (de ? " Aufzeichnungen, " : " records, ") << r.attachments
              << (de ? " Anlagen, " : " attachments, ") << r.erased
              << (de ? " gelöschte sind genannt, " : " erased ones are named, ") << r.unreadable
              << (de ? " nicht zu öffnen\n" : " could not be opened\n")
              << (de ? "Die Schlüssel liegen offen dabei: keys.jsonl. Wer diesen Ordner hat, liest alles.\n"
                     : "The keys are there in the clear: keys.jsonl. Whoever has this folder reads everything.\n");
    }
    return r.unreadable == 0 ? 0 : 1;
}

}  // namespace kustos::app
