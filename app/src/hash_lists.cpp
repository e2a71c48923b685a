#include "app/hash_lists.h"

#include <algorithm>

#include "app/result_desk.h"
#include "base/text.h"
#include "vault/retention.h"

namespace kustos::app {

using audit::Body;
using audit::ControlAction;
using audit::Tag;

namespace {

constexpr std::size_t kDigits = 64;

Error wrong_line(std::size_t number, const std::string& what) {
    return Error(Code::bad_input, "line " + std::to_string(number) + ": " + what)
        .with_hint("one SHA-256 a line, 64 hex digits, as `sha256sum FILE` prints it; nothing was taken");
}

Result<std::string> sum_of(std::string_view line, std::size_t number) {
    if (line.front() == '\\') line.remove_prefix(1);  // so sha256sum marks a name with a line break
    std::size_t digits = 0;
    std::string sum;
    for (; digits < line.size(); ++digits) {
        const char c = line[digits];
        const char low = c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
        if (!((low >= '0' && low <= '9') || (low >= 'a' && low <= 'f'))) break;
        sum.push_back(low);
    }
    const bool ends = digits == line.size() || line[digits] == ' ' || line[digits] == '\t';
    if (ends && digits == 32) return wrong_line(number, "this is as long as an MD5 sum, which proves nothing any more");
    if (ends && digits == 40)
        return wrong_line(number, "this is as long as a SHA-1 sum, which proves nothing any more");
    if (!ends || digits != kDigits) return wrong_line(number, "this is not a SHA-256");
    return sum;
}

}  // namespace

Result<std::vector<std::string>> parse_sums(std::string_view text) {
    if (text.substr(0, 3) == "\xEF\xBB\xBF") text.remove_prefix(3);
    std::vector<std::string> sums;
    for (std::size_t number = 1; !text.empty(); ++number) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = trimmed(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.empty() || line.front() == '#') continue;
        sums.push_back(TRY(sum_of(line, number)));
        if (sums.size() > kMaxSums)
            return Error(Code::limit, "more than 1,000,000 sums in one list").with_hint("several lists, joined by OR");
    }
    if (sums.empty()) return Error(Code::bad_input, "there is no SHA-256 in this file");
    std::sort(sums.begin(), sums.end());
    sums.erase(std::unique(sums.begin(), sums.end()), sums.end());
    return sums;
}

Result<HashList> HashLists::add(EntryIndex matter, const std::string& name, const std::vector<std::string>& sums,
                                const std::string& actor) {
    TRY(check_label(name, true));
    vault::MatterText text;
    text.actor = actor;
    text.label = name;
    text.checksums.reserve(sums.size() * 32);
    for (const std::string& sum : sums) put(text.checksums, TRY(parse_hex(sum)));
    const vault::Receipt receipt = TRY(archive_.record_control(
        ControlAction::hashes_added,
        [&](Body& body) { body.put_u64(Tag::matter, matter.value).put_u64(Tag::count, sums.size()); },
        vault::kAccessClass, vault::compose_matter_text(text)));
    if (archive_.keys().apart()) TRY(archive_.settle());
    const auto book = archive_.matter_book();
    return HashList{book->hash_lists().at(receipt.index), name, actor};
}

// The newest of each name, where names are known.
Result<std::vector<HashList>> HashLists::list(EntryIndex matter) const {
    std::vector<HashList> out;
    for (HashList& one : TRY(all(matter))) {
        if (!one.name.empty()) std::erase_if(out, [&](const HashList& old) { return old.name == one.name; });
        out.push_back(std::move(one));
    }
    return out;
}

Result<std::vector<HashList>> HashLists::all(EntryIndex matter) const {
    const auto book = archive_.matter_book();
    std::vector<HashList> out;
    for (const auto& [entry, note] : book->hash_lists()) {
        if (note.matter != matter || note.gone) continue;
        HashList list{note, "", ""};
        auto payload = archive_.open_payload(entry, TRY(archive_.entry(entry)));
        if (payload.ok()) {
            list.name = vault::field_text(*payload, vault::PathCode::label);
            list.actor = vault::field_text(*payload, vault::PathCode::actor);
        } else if (payload.error().code() != Code::closed) {
            return std::move(payload).error();
        }
        out.push_back(std::move(list));
    }
    return out;
}

Result<HashList> HashLists::find(EntryIndex matter, const std::string& name) const {
    for (HashList& list : TRY(this->list(matter)))
        if (!name.empty() && list.name == name) return std::move(list);
    return Error(Code::usage, "this matter has no list of sums of that name")
        .with_hint("kustos hashes list --matter ID; kustos hashes add --matter ID --name NAME FILE");
}

Result<std::vector<std::string>> HashLists::sums(EntryIndex matter, const std::string& name) const {
    const HashList found = TRY(find(matter, name));
    const auto opened = TRY(archive_.open_payload(found.note.entry, TRY(archive_.entry(found.note.entry))));
    const Bytes sums = vault::field_bytes(opened, vault::PathCode::checksums);
    std::vector<std::string> out;
    for (std::size_t at = 0; at + 32 <= sums.size(); at += 32) out.push_back(hex(ByteView(sums).subspan(at, 32)));
    return out;
}

Status HashLists::remove(EntryIndex matter, const std::string& name) {
    const HashList found = TRY(find(matter, name));
    // Older ones of this name must not come back.
    for (const HashList& one : TRY(all(matter))) {
        if (one.name != found.name) continue;
        TRY(archive_.record_control(ControlAction::hashes_removed,
                                    [&](Body& body) { body.put_u64(Tag::entry, one.note.entry.value); }));
    }
    return {};
}

}  // namespace kustos::app
