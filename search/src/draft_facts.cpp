// What a record is, besides its words: who as one, ids, kinds of files.
#include <algorithm>

#include "base/crypto.h"
#include "base/text.h"
#include "search/src/date_terms.h"
#include "search/src/file_types.h"
#include "search/src/record_draft.h"
#include "search/thread.h"

namespace kustos::search {
std::string identity_of(const vault::Person& person) {
    const std::string& best = !person.address.empty() ? person.address : !person.id.empty() ? person.id : person.name;
    std::string out = fold(best);
    if (out.size() > kMaxIdentity) out = sha256(as_bytes(out)).hex();
    return out;
}

std::string id_text(std::string_view source, std::string_view id) {
    if (id.empty()) return {};
    std::string whole = form_of_name(source);
    whole += '\0';
    whole += id;
    const Hash hash = sha256(as_bytes(whole));
    return to_text(hash.view().first(16));
}

void add_facts(const vault::Message& message, std::string_view source, RecordDraft& draft) {
    draft.sender = identity_of(message.sender);
    for (const vault::Recipient& recipient : message.recipients) {
        if (recipient.role == vault::Role::reply_to || recipient.role == vault::Role::member) continue;
        std::string who = identity_of(recipient.person);
        if (!who.empty()) draft.recipients.push_back(std::move(who));
    }
    draft.message_id = id_text(source, message.native_id);
    for (const std::string& id : thread_ids(message)) draft.thread.push_back(id_text(source, id));
    if (message.kind == vault::MessageKind::edit) draft.edits = id_text(source, message.target);
    if (message.kind == vault::MessageKind::deletion) draft.deletes = id_text(source, message.target);
    std::uint64_t attached = 0;
    for (const vault::Attachment& attachment : message.attachments) {
        attached += std::max<std::uint64_t>(attachment.size, attachment.content.size());
        for (std::string& type : file_types_named(attachment.name, attachment.media_type))
            draft.filetypes.push_back(std::move(type));
    }
    draft.size = message.raw_size != 0  ? message.raw_size
                 : !message.raw.empty() ? message.raw.size()
                                        : message.body.size() + message.body_html.size() + attached;
    for (auto* list : {&draft.recipients, &draft.filetypes}) {
        std::sort(list->begin(), list->end());
        list->erase(std::unique(list->begin(), list->end()), list->end());
    }
}

}  // namespace kustos::search
