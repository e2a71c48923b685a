#include "search/src/record_draft.h"

#include <algorithm>

#include "base/text.h"
#include "search/analysis.h"
#include "search/src/language.h"
#include "search/src/utf8.h"

namespace kustos::search {
namespace {

std::string reason_word(const std::string& word, const char* otherwise) {
    const bool fine = !word.empty() && word.size() <= kMaxReasonWord &&
                      std::all_of(word.begin(), word.end(),
                                  [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
    return fine ? word : otherwise;
}

std::string text_of(const vault::Person& person) {
    std::string out = person.name;
    for (const std::string* more : {&person.address, &person.id}) {
        if (!more->empty() && *more != person.name) out += (out.empty() ? "" : "\n") + *more;
    }
    return out;
}

void add_if(std::vector<std::string>& list, std::string text) {
    if (!text.empty()) list.push_back(std::move(text));
}

// Keeps count of what did not come through.
struct Shortfall {
    bool any = false;
    std::string reason;
    std::vector<std::string> also;
    void add(const std::string& word, const char* otherwise) {
        any = true;
        if (reason.empty())
            reason = reason_word(word, otherwise);
        else
            notice(reason_word(word, otherwise));
    }
    void notice(const std::string& word) {
        constexpr std::size_t kMost = 16;
        if (also.size() < kMost && std::find(also.begin(), also.end(), word) == also.end()) also.push_back(word);
    }
};

class Drafter {
public:
    Drafter(const FeedItem& item, IndexFeed& feed, TextExtractor& extractor, const IndexerOptions& options)
        : item_(item), feed_(feed), extractor_(extractor), options_(options), room_(options.max_text_bytes) {}

    Result<RecordDraft> run() {
        draft_.entry = item_.index;
        draft_.source = item_.source_name;
        if (!item_.message) {
            draft_.state = RecordState::failed;
            draft_.reason = reason_word(item_.reason, "not-opened");
            return std::move(draft_);
        }
        const vault::Message& message = *item_.message;
        draft_.time = message.sent_at.value_or(message.received_at);
        draft_.kind = std::string(vault::kind_name(message.kind));
        people(message);
        draft_.subject = message.subject;
        draft_.conversation = message.conversation.title;
        draft_.conversation_id = message.conversation.id;
        draft_.has_attachment = !message.attachments.empty();
        add_facts(message, item_.source_name, draft_);
        add_text(message.body.empty() && !message.body_html.empty() ? text_of_html(message.body_html) : message.body,
                 draft_.bodies);
        if (!draft_.bodies.empty()) draft_.language = language_of(draft_.bodies.front());
        add_text(message.previous_body, draft_.bodies);
        for (std::size_t i = 0; i < message.attachments.size(); ++i) TRY(attachment(message.attachments[i], i));
        decide(message);
        if (!shortfall_.reason.empty()) shortfall_.notice(shortfall_.reason);
        for (std::string& word : shortfall_.also)
            if (word != draft_.reason) draft_.also.push_back(std::move(word));
        return std::move(draft_);
    }

private:
    void people(const vault::Message& message) {
        add_if(draft_.from, text_of(message.sender));
        for (const vault::Recipient& recipient : message.recipients) {
            if (recipient.role == vault::Role::reply_to) {
                add_if(draft_.from, text_of(recipient.person));
            } else {
                std::string text = text_of(recipient.person);
                const bool hidden = recipient.role == vault::Role::bcc || recipient.role == vault::Role::envelope;
                if (recipient.role == vault::Role::cc) add_if(draft_.cc, text);
                if (hidden) add_if(draft_.bcc, text);
                add_if(draft_.to, std::move(text));
            }
        }
    }

    void add_text(std::string text, std::vector<std::string>& to) {
        if (text.empty()) return;
        if (text.size() > room_) {
            std::size_t at = room_;
            while (at > 0 && is_continuation(text[at])) --at;
            text.resize(at);
            shortfall_.add("text-too-long", "text-too-long");
        }
        room_ -= text.size();
        has_text_ = has_text_ || !text.empty();
        to.push_back(std::move(text));
    }

    Status attachment(const vault::Attachment& attachment, std::size_t number) {
        add_if(draft_.files, attachment.name);
        if (attachment.missing) {
            shortfall_.add("attachment-missing", "attachment-missing");
            return ok_status();
        }
        if (!attachment.sha256.is_zero()) draft_.contents.push_back(attachment.sha256.hex());
        const std::uint64_t size = std::max<std::uint64_t>(attachment.size, attachment.content.size());
        if (size > options_.max_attachment_bytes) {
            shortfall_.add("attachment-too-large", "attachment-too-large");
            return ok_status();
        }
        auto extracted = extract(attachment, number);
        if (!extracted.ok()) {
            const Code code = extracted.error().code();
            if (code == Code::interrupted || code == Code::closed) return std::move(extracted).error();
            shortfall_.add("extractor-failed", "extractor-failed");
            return ok_status();
        }
        if (extracted->completeness != Completeness::full) shortfall_.add(extracted->reason, "not-extracted");
        for (const std::string& word : extracted->remarks)
            if (std::string fine = reason_word(word, ""); !fine.empty()) shortfall_.notice(fine);
        if (!extracted->facts.empty()) TRY(feed_.keep_facts(item_, number, extracted->facts));
        std::string text = repair_utf8(extracted->text);
        if (!text.empty()) TRY(feed_.keep_text(item_, number, text));
        add_text(std::move(text), draft_.attachments);
        return ok_status();
    }

    Result<ExtractedText> extract(const vault::Attachment& attachment, std::size_t number) {
        if (attachment.blob && attachment.content.empty()) {
            return extractor_.text_of(
                attachment.size,
                [this, number](const ByteSink& sink) { return feed_.write_attachment(item_, number, sink); },
                attachment.name, attachment.media_type);
        }
        return extractor_.text(attachment.content, attachment.name, attachment.media_type);
    }

    void decide(const vault::Message& message) {
        const Hidden hidden = hidden_part(message);
        if (hidden == Hidden::part) {
            if (!shortfall_.reason.empty()) shortfall_.notice(shortfall_.reason);
            shortfall_.any = true;
            shortfall_.reason = "encrypted";
        }
        if (message.kind == vault::MessageKind::unreadable) {
            draft_.state = RecordState::opaque;
            draft_.reason = "unreadable";
        } else if (hidden == Hidden::all) {
            // armour, "Version: 1" and a cover text are text, but not the mail's
            draft_.state = RecordState::opaque;
            draft_.reason = "encrypted";
        } else if (shortfall_.any) {
            // a subject alone does not make an encrypted mail readable
            draft_.state = has_text_ ? RecordState::partial : RecordState::opaque;
            draft_.reason = shortfall_.reason;
        } else if (const auto note = encrypted_note(message); !note.empty() && !has_text_) {
            draft_.state = RecordState::opaque;
            draft_.reason = "encrypted";
        }
    }

    // "smime:encrypted", "pgp:encrypted", "rms:encrypted"; "...:encrypted-part" where other parts can be read.
    enum class Hidden { nothing, part, all };
    static Hidden hidden_part(const vault::Message& message) {
        Hidden out = Hidden::nothing;
        for (const std::string_view note : message.notes) {
            const std::size_t colon = note.find(':');
            if (colon == std::string_view::npos) continue;
            const std::string_view word = note.substr(colon + 1);
            if (word == "encrypted") return Hidden::all;
            if (word == "encrypted-part") out = Hidden::part;
        }
        return out;
    }

    static std::string encrypted_note(const vault::Message& message) {
        for (const std::string& note : message.notes) {
            if (note.rfind("encrypted", 0) == 0) return note;
        }
        return {};
    }

    const FeedItem& item_;
    IndexFeed& feed_;
    TextExtractor& extractor_;
    const IndexerOptions& options_;
    RecordDraft draft_;
    Shortfall shortfall_;
    std::size_t room_;
    bool has_text_ = false;
};

}  // namespace

Result<RecordDraft> draft_record(const FeedItem& item, IndexFeed& feed, TextExtractor& extractor,
                                 const IndexerOptions& options) {
    return Drafter(item, feed, extractor, options).run();
}

}  // namespace kustos::search
