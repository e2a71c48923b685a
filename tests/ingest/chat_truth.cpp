#include "tests/ingest/chat_truth.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>

#include "base/crypto.h"
#include "base/text.h"
#include "tests/support/shared.h"

namespace kustos::test {

using ingest::ParsedItem;
using vault::MessageKind;

Path ingest_data(std::string_view path) {
    return source_dir() / "tests/data/ingest" / path;
}

std::string read_text(const Path& path) {
    RealFs fs;
    return to_text(read_file(fs, path, 64u << 20).value());
}

void write_text(const Path& path, std::string_view text) {
    std::ofstream file(path, std::ios::binary);
    file << text;
    REQUIRE(file.flush().good());
}

std::map<std::string, KnownMessage> replay_chat(const std::vector<ParsedItem>& items) {
    std::map<std::string, KnownMessage> known;
    for (const ParsedItem& item : items) {
        const auto& m = item.message;
        const bool counts = m.kind == MessageKind::chat || m.kind == MessageKind::edit ||
                            m.kind == MessageKind::deletion || m.kind == MessageKind::reaction ||
                            m.kind == MessageKind::file;
        const bool rest =
            std::find(m.notes.begin(), m.notes.end(), "rest-of-export") != m.notes.end() || m.native_id.empty();
        if (!counts || rest) continue;
        KnownMessage& k = known[m.target.empty() ? m.native_id : m.target];
        if (m.kind == MessageKind::reaction) {
            k.reactions.insert(m.sender.id + " " + m.body);
            continue;
        }
        if (m.kind == MessageKind::chat) {
            k.sent_ms = m.sent_at ? m.sent_at->ms : -1;
            k.text = m.body;
        } else if (m.kind == MessageKind::edit) {
            if (!m.previous_body.empty()) CHECK(m.previous_body == k.text);
            k.edited = true;
            k.edits.emplace_back(m.sent_at ? m.sent_at->ms : 0, k.text);
            k.text = m.body;
        } else if (m.kind == MessageKind::deletion) {
            k.deleted = true;
            k.deleted_ms = m.sent_at ? m.sent_at->ms : -1;
            if (k.text.empty()) k.text = m.body;
        }
        if (m.kind != MessageKind::deletion || k.user.empty()) k.user = m.sender.id;
        k.room = m.conversation.id;
        if (m.kind == MessageKind::chat || !m.thread.empty()) k.thread = m.thread;
        for (const auto& a : m.attachments) k.files[a.name] = a.missing ? "" : sha256(a.content).hex();
    }
    return known;
}

ChatTruth ChatTruth::load() {
    return {nlohmann::json::parse(read_text(ingest_data("chat/truth.json")))};
}

namespace {

std::string expected_text(const nlohmann::json& t, const ChatTruth::Cannot& cannot) {
    std::string text = t["text"], out;
    for (const char c : text) {
        if (c == '\r' && cannot.carriage_return) continue;
        out += c == '\t' && cannot.tab ? ' ' : c;
    }
    return out;
}

void compare_edits(const nlohmann::json& t, const KnownMessage& k, const ChatTruth::Cannot& cannot) {
    const auto& edits = t["edits"];
    if (cannot.edits) {
        CHECK_FALSE(k.edited);
        return;
    }
    CHECK(k.edited == !edits.empty());
    if (edits.empty()) return;
    if (!cannot.edit_time) CHECK(k.edits.back().first == edits.back()[0]);
    if (cannot.edit_text) return;
    REQUIRE(k.edits.size() == edits.size());
    for (std::size_t i = 0; i < edits.size(); ++i) {
        CHECK(k.edits[i].second == edits[i][1]);
        if (!cannot.edit_time) CHECK(k.edits[i].first == edits[i][0]);
    }
}

void compare_files(const nlohmann::json& t, const KnownMessage& k, const ChatTruth::Cannot& cannot) {
    if (cannot.files) {
        CHECK(k.files.empty());
        return;
    }
    CHECK(k.files.size() == t["files"].size());
    for (const auto& f : t["files"]) {
        REQUIRE(k.files.count(f["name"]) == 1);
        CHECK(k.files.at(f["name"]) == (cannot.file_bytes ? std::string() : f["sha256"].get<std::string>()));
    }
}

}  // namespace

void ChatTruth::compare(const std::vector<ParsedItem>& items, const Cannot& cannot,
                        const std::function<std::string(const nlohmann::json&)>& id_of,
                        const std::function<std::string(const std::string&)>& room_of,
                        const std::function<std::string(const std::string&)>& user_of) const {
    const auto known = replay_chat(items);
    std::map<std::string, const nlohmann::json*> by_id;
    for (const auto& t : json["messages"]) by_id[t["id"]] = &t;
    std::size_t expected = 0;
    for (const auto& t : json["messages"]) {
        const std::string id = id_of(t);
        CAPTURE(t["id"].get<std::string>());
        if (!t["deleted"].is_null() && cannot.deleted_messages) {
            CHECK(known.count(id) == 0);
            continue;
        }
        ++expected;
        REQUIRE(known.count(id) == 1);
        const KnownMessage& k = known.at(id);
        const bool gone = !t["deleted"].is_null() && cannot.deleted_text;
        CHECK(k.text == (gone ? std::string() : expected_text(t, cannot)));
        CHECK(k.user == (gone && cannot.deleted_user ? std::string() : user_of(t["user"])));
        CHECK(k.room == room_of(t["ch"]));
        const bool time_lost = gone || (cannot.edit_text && !t["edits"].empty());
        if (!time_lost) CHECK(k.sent_ms == t["ts"]);
        CHECK(k.deleted == !t["deleted"].is_null());
        if (k.deleted && !cannot.deletion_time) CHECK(k.deleted_ms == t["deleted"]);
        if (cannot.threads) {
            CHECK(k.thread.empty());
        } else {
            CHECK(k.thread == (t["root"].is_null() ? std::string() : id_of(*by_id.at(t["root"]))));
        }
        compare_edits(t, k, cannot);
        compare_files(t, k, cannot);
        std::multiset<std::string> reactions;
        if (!cannot.reactions)
            for (const auto& r : t["react"]) reactions.insert(user_of(r[0]) + " " + r[1].get<std::string>());
        CHECK(k.reactions == reactions);
    }
    CHECK(known.size() == expected);
}

Collect read_as(const Path& path, std::string_view format, ingest::ReadContext context) {
    context.extractor = &extractor();
    const auto detected = ingest::detect(path, context).value();
    REQUIRE(detected.format != nullptr);
    CHECK(detected.format->name == format);
    CHECK(detected.certainty == ingest::Certainty::sure);
    CHECK_FALSE(detected.unsure());
    Collect out;
    REQUIRE(ingest::read(path, nullptr, context, out).ok());
    for (const auto& item : out.items) {
        CHECK(is_valid_utf8(item.message.body));
        CHECK((!item.message.raw.empty() || !item.message.attachments.empty()));
    }
    return out;
}

std::size_t new_on_second_import(const std::vector<ParsedItem>& first, const std::vector<ParsedItem>& second) {
    std::set<Bytes> seen;
    for (const auto& item : first) seen.insert(ingest::dedupe_identity(item.message, item.update_type));
    std::size_t fresh = 0;
    for (const auto& item : second)
        fresh += seen.insert(ingest::dedupe_identity(item.message, item.update_type)).second;
    return fresh;
}

std::uint64_t raw_bytes(const std::vector<ParsedItem>& items) {
    std::uint64_t out = 0;
    for (const auto& item : items) out += item.message.raw.size();
    return out;
}

}  // namespace kustos::test
