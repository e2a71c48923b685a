// What an archived stanza says: text, correction, retraction, reaction, file; a part of xmpp_message.cpp.
#pragma once

#include "ingest/src/xmpp_message.h"

namespace kustos::ingest {

class XmppContent {
public:
    // All must outlive read(). message has its ids, its time, its people and its conversation already. bytes: in which
    // the stanza's offsets count.
    XmppContent(const XmlElement& stanza, std::string_view bytes, const XmppContext& context, const Limits& limits,
                vault::Message& message, std::vector<XmppFile>* files)
        : stanza_(stanza), bytes_(bytes), context_(context), limits_(limits), message_(message), files_(files) {}
    void read();

private:
    bool in_room() const { return message_.conversation.type == vault::ConversationType::group; }
    void read_presence();
    void read_text();
    void read_encryption();
    void read_relations();
    bool read_deletion();
    bool read_correction();
    bool read_reactions();
    void read_files();
    void read_sharing(const XmlElement& sharing);
    void add_file(vault::Attachment file, std::string_view url);
    void read_rest();

    const XmlElement& stanza_;
    std::string_view bytes_;
    const XmppContext& context_;
    const Limits& limits_;
    vault::Message& message_;
    std::vector<XmppFile>* files_;
    bool encrypted_ = false;
};

}  // namespace kustos::ingest
