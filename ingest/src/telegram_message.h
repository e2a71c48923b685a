// One message of Telegram's result.json; a part of telegram.cpp.
#pragma once

#include <string>
#include <string_view>

#include "ingest/src/chat_out.h"

namespace kustos::ingest {

class TelegramMessage {
public:
    // json: the message's exact bytes, of which root is the tree. Both, where and out must outlive read().
    TelegramMessage(std::string_view json, const JsonValue& root, const vault::Conversation& where, ChatOut& out)
        : json_(json), root_(root), where_(where), out_(out) {}
    Status read();

private:
    ParsedItem start(vault::MessageKind kind, std::string_view id_end = {});
    std::string scoped(const JsonValue& id) const;
    std::optional<UtcTime> time(std::string_view key, vault::Message& message) const;
    void put_files(vault::Message& message);
    Status read_message();
    Status read_reactions();
    Status read_service();
    Status read_members(std::string_view action, bool joins);

    std::string_view json_;
    const JsonValue& root_;
    const vault::Conversation& where_;
    ChatOut& out_;
    std::string version_;  // of a message without an id
};

// "text" or "text_entities": what people read; a link behind words follows them in brackets.
std::string telegram_text(const JsonValue& text);

}  // namespace kustos::ingest
