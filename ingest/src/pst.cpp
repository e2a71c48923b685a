// Outlook's mailbox files (PST, OST): read by libpff in the sandbox, item by item; what an item is made of, says its
// dump (pst_item.h, docs/format/pst.md).
#include <algorithm>

#include "base/crypto.h"
#include "base/text.h"
#include "ingest/src/all_formats.h"
#include "ingest/src/mail_header.h"
#include "ingest/src/pst_item.h"
#include "ingest/src/unreadable.h"

namespace kustos::ingest {

namespace {

constexpr std::string_view kMagic = "!BDN";  // [MS-PST] section 2.2.2.6
constexpr std::uint64_t kMostDump = 96u << 20;
constexpr std::size_t kEmptyDump = 5;  // wire::kPstMagic and nothing else

class Mailbox final : public PstSink {
public:
    explicit Mailbox(const Input& input) : input_(input) {}

    Status folder(const std::string& path, std::uint64_t messages) override {
        if (messages > 0) input_.sink.promised(path, messages);
        return {};
    }

    Status item(const PstItem& item, Bytes dump) override {
        if (dump.size() <= kEmptyDump && !item.whole) return {};  // nothing of it
        if (!item.whole && item.recovered) input_.sink.finding("pst:deleted-incomplete");
        ParsedItem parsed = parse_pst_item(std::move(dump), input_.context.limits);
        vault::Message& message = parsed.message;
        if (message.kind != vault::MessageKind::unreadable) {
            message.feed_position = std::to_string(item.identifier);
            if (!item.folder.empty())
                message.notes.push_back((item.associated ? "hidden-in:" : "folder:") + item.folder);
            if (item.orphan) message.notes.emplace_back("pst:orphan");
            if (item.recovered) message.notes.emplace_back("pst:deleted");
            if (!item.whole) message.notes.emplace_back("defect:pst");
        }
        const auto& notes = message.notes;
        left_out_ = left_out_ || std::find(notes.begin(), notes.end(), "limit:left-out") != notes.end() ||
                    message.kind == vault::MessageKind::unreadable;
        return input_.sink.item(std::move(parsed));
    }
    bool left_out() const { return left_out_; }

private:
    const Input& input_;
    bool left_out_ = false;
};

// All of a file in pieces.
Status each_piece(const Path& path, std::size_t size, const std::function<Status(Bytes)>& take) {
    const auto source = TRY(file_source(path));
    for (bool more = true; more;) {
        Bytes piece(size);
        std::size_t got = 0;
        while (got < size) {
            const std::size_t n = TRY(source->read(std::span(piece).subspan(got)));
            if (n == 0) break;
            got += n;
        }
        more = got == size;
        piece.resize(got);
        if (got > 0) TRY(take(std::move(piece)));
    }
    return {};
}

struct Measured {
    Hash sha256;
    std::uint64_t bytes = 0;
};
Result<Measured> measure(const Path& path) {
    Measured out;
    Sha256 hash;
    TRY(each_piece(path, 256u << 10, [&](Bytes piece) -> Status {
        hash.update(piece);
        out.bytes += piece.size();
        return {};
    }));
    out.sha256 = hash.finish();
    return out;
}

Status seal_whole(const Input& input, std::string_view reason) {
    std::uint64_t number = 0;
    return each_piece(input.path, input.context.limits.quarantine_piece, [&](Bytes piece) {
        ParsedItem item = unreadable(std::move(piece), "pst", reason);
        item.message.notes.push_back("piece:" + std::to_string(++number));
        return input.sink.item(std::move(item));
    });
}

const char* encryption_word(int encryption) {
    return encryption == 0 ? "none" : encryption == 1 ? "compressible" : encryption == 2 ? "high" : "unknown";
}

// What file the items are from: whoever has it can show that it is the one.
ParsedItem statement(const Input& input, const PstFacts& facts, const Measured& file, bool whole) {
    ParsedItem item;
    vault::Message& message = item.message;
    message.kind = vault::MessageKind::file;
    message.format = "pst";
    message.native_id = file.sha256.hex();
    bool controls = false, cut = false;
    message.subject = cut_utf8(without_controls(repair_utf8(input.path.filename().string()), controls), 1000, cut);
    message.body = "kustos-pst 1\nsha256 " + file.sha256.hex() + "\nbytes " + std::to_string(file.bytes) + "\nbits " +
                   std::to_string(facts.bits) + "\nencryption " + encryption_word(facts.encryption) + "\nkind " +
                   (facts.offline ? "ost" : "pst") + "\nitems " + std::to_string(facts.items) + "\n";
    message.notes.emplace_back(whole ? "pst:sealed-whole" : "pst:sealed-by-digest");
    message.raw = to_bytes(message.body);
    item.update_type = whole ? "whole" : "digest";
    item.source_bytes = 0;
    return item;
}

Certainty looks(const Sample& sample) {
    const std::string_view start = sample.start();
    const bool mine =
        start.size() > 10 && start.substr(0, 4) == kMagic && (start.substr(8, 2) == "SM" || start.substr(8, 2) == "SO");
    return mine ? Certainty::sure : Certainty::no;
}

Status read_pst(const Input& input) {
    if (!input.context.extractor) return seal_whole(input, "no-extractor");
    Mailbox mailbox(input);
    const PstFacts facts = TRY(input.context.extractor->read_pst(input.path, kMostDump, mailbox));
    for (const std::string& problem : facts.problems) input.sink.finding(problem);
    if (mailbox.left_out()) input.sink.finding("pst:left-out");
    const bool whole = !facts.problems.empty() || mailbox.left_out();
    if (whole) TRY(seal_whole(input, facts.problems.empty() ? "pst:left-out" : facts.problems.front()));
    if (facts.bits == 0) return {};  // it could not be opened: there is nothing to say of it
    return input.sink.item(statement(input, facts, TRY(measure(input.path)), whole));
}

}  // namespace

// Made anew from a mailbox program's database: not the mail that went over the wire.
const Format kPstFormat = {{"pst",
                            "Outlook mailbox file (PST, OST)",
                            {.level = EvidentialLevel::medium,
                             .ids = Carries::partly,
                             .edits = Carries::no,
                             .deletions = Carries::partly,
                             .time_zone = Carries::yes,
                             .membership = Carries::no,
                             .attachments = Carries::yes}},
                           looks,
                           read_pst};

}  // namespace kustos::ingest
