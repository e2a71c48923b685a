// A mail in a mail: who wrote to whom about what, its text, its attachments.
#include "ingest/extractor/read_item.h"
#include "ingest/format.h"
#include "ingest/src/markup.h"
#include "ingest/src/outlook_msg.h"

namespace kustos::extractor {

namespace {

void put_person(const vault::Person& person, Reading& reading) {
    if (person.empty()) return;
    reading.put(person.name);
    reading.put(person.name.empty() ? "" : " ");
    reading.put(person.address);
    reading.end_line();
}

}  // namespace

Refusal read_mail(ByteView content, bool outlook, Reading& reading) {
    if (reading.depth >= Reading::kDepth) return "depth-limit";
    const auto item = outlook ? ingest::parse_outlook_msg(to_bytes(content)) : ingest::parse_mail(to_bytes(content));
    const vault::Message& message = item.message;
    if (message.kind != vault::MessageKind::mail) return outlook ? "unsupported-type" : "damaged";
    reading.put(message.subject);
    reading.end_line();
    put_person(message.sender, reading);
    for (const auto& recipient : message.recipients) put_person(recipient.person, reading);
    reading.put(message.body.empty() ? ingest::html_to_text(message.body_html) : message.body);
    reading.end_line();
    ++reading.depth;
    for (const auto& attachment : message.attachments) {
        if (reading.over() || !reading.take_member() || !reading.take_unpacked(attachment.content.size())) break;
        reading.put(attachment.name);
        reading.end_line();
        const Refusal refusal = read_item(attachment.content, attachment.name, attachment.media_type, reading);
        if (!refusal.empty()) reading.partial(refusal);
        reading.end_line();
    }
    --reading.depth;
    return "";
}

}  // namespace kustos::extractor
