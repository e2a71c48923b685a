// What must hold of whatever a chat format makes of bytes from anywhere.
#pragma once

#include <cstdlib>

#include "base/text.h"
#include "ingest/src/single_formats.h"

namespace kustos::fuzz {

class ChatCheck final : public ingest::ItemSink {
public:
    Status item(ingest::ParsedItem item) override {
        const auto& m = item.message;
        for (const std::string* text : {&m.body, &m.body_html, &m.previous_body, &m.subject, &m.native_id, &m.target,
                                        &m.thread, &m.sender.id, &m.sender.name, &m.conversation.title})
            if (!is_valid_utf8(*text)) std::abort();
        for (const auto& attachment : m.attachments)
            if (!is_valid_utf8(attachment.name) || attachment.name.find('/') != std::string::npos) std::abort();
        for (const auto& note : m.notes)
            if (note.empty() || note.size() > 200) std::abort();
        if (m.format.empty() || m.raw.empty()) std::abort();
        raw += m.raw.size();
        unreadable += m.kind == vault::MessageKind::unreadable ? m.raw.size() : 0;
        return ok_status();
    }
    void finding(std::string_view, std::uint64_t) override {}
    std::uint64_t raw = 0, unreadable = 0;
};

inline ingest::ReadContext small_limits() {
    ingest::ReadContext context;
    context.limits.line = 512;
    context.limits.quarantine_piece = 256;
    context.limits.body = 64;
    context.limits.text_value = 32;
    context.limits.attachments = 2;
    return context;
}

}  // namespace kustos::fuzz
