#include "app/scope.h"

#include <algorithm>

#include "vault/retention_dates.h"

namespace kustos::app {

using audit::Kind;
using audit::Tag;

namespace {

Result<std::string> quoted(const std::string& text, const char* what) {
    const bool bad =
        std::any_of(text.begin(), text.end(), [](char c) { return c == '"' || static_cast<unsigned char>(c) < 0x20; });
    if (bad) return Error(Code::usage, std::string(what) + " has no quotation marks and no control characters");
    return "\"" + text + "\"";
}

void join(std::string& query, const std::string& more) {
    query += (query.empty() ? "" : " AND ") + more;
}

Result<Scope> compile(const ScopeOrder& order) {
    Scope scope;
    if (!order.from.empty() || !order.to.empty()) {
        for (const std::string* day : {&order.from, &order.to}) {
            if (!day->empty()) TRY(vault::parse_date(*day));
        }
        scope.method = "period";
        scope.asked = order.from + ".." + order.to;
        join(scope.query, "date:" + order.from + ".." + order.to);
    }
    if (!order.conversation.empty()) {
        scope.method = "conversation";
        scope.asked = order.conversation + (scope.asked.empty() ? "" : " " + scope.asked);
        join(scope.query, "conversation:" + TRY(quoted(order.conversation, "a conversation")));
    }
    if (!order.person.empty()) {
        scope.method = "person";
        const std::string name = TRY(quoted(order.person, "a person"));
        scope.asked = order.person + (scope.asked.empty() ? "" : " " + scope.asked);
        join(scope.query, "(from:" + name + " OR to:" + name + ")");
    }
    return scope;
}

}  // namespace

Result<EntrySet> records_of_matter(const vault::Archive& archive, EntryIndex matter) {
    EntrySet out;
    const auto take = [&](EntryIndex index, ByteView bytes) -> Status {
        if (bytes.size() < 3 || bytes[2] != static_cast<std::uint8_t>(Kind::access)) return {};
        const audit::Entry entry = TRY(audit::decode_entry(bytes));
        const auto body = TRY(audit::BodyReader::parse(entry.body));
        if (body.find_u64(Tag::matter) != matter.value || entry.header.suite == audit::Suite::none) return {};
        const vault::OpenedPayload opened = TRY(archive.open_payload(index, entry));
        for (const vault::FieldRow& row : opened.payload.rows) {
            if (row.path != vault::PathCode::entry_list) continue;
            const ByteView list = opened.payload.field(row);
            for (std::size_t at = 0; at + 8 <= list.size(); at += 8) out.add(EntryIndex(load_u64(list.data() + at)));
        }
        return {};
    };
    TRY(archive.ledger().for_each(EntryIndex(0), EntryIndex(archive.head().size.value), take));
    return out;
}

Result<Scope> resolve(const vault::Archive& archive, RecordSearch& search, const ScopeOrder& order) {
    Scope scope = TRY(compile(order));
    const int ways = (order.records.empty() ? 0 : 1) + (order.query.empty() ? 0 : 1) + (scope.query.empty() ? 0 : 1) +
                     (order.of_matter ? 1 : 0);
    if (ways != 1)
        return Error(Code::usage, "which records? Name them in one way")
            .with_hint("--record N..., or --query Q, or --person P, --conversation C, --from DAY --to DAY");
    if (!order.records.empty()) {
        scope.method = "records";
        scope.records = order.records;
        return scope;
    }
    if (!order.matter) return Error(Code::usage, "for which matter is this?").with_hint("--matter ID");
    if (order.of_matter) {
        scope.method = "matter";
        scope.records = TRY(records_of_matter(archive, *order.matter));
        return scope;
    }
    if (!order.query.empty()) scope.method = "query", scope.query = order.query;
    scope.records = TRY(search.hits(scope.query));
    return scope;
}

}  // namespace kustos::app
