// What a Matrix event's type and content mean; a part of matrix_event.cpp.
#pragma once

#include "ingest/src/json_value.h"
#include "ingest/src/matrix_event.h"

namespace kustos::ingest {

// What of a capture profile an event is that nobody wrote (vault/capture_profile.h): "event:typing"; else empty. Such
// events have no id.
std::string_view matrix_event_note(std::string_view type);

class MatrixContent {
public:
    // All must outlive read(). message has its ids, its time and its conversation already.
    MatrixContent(const JsonValue& event, const MatrixContext& context, const Limits& limits, vault::Message& message,
                  std::vector<MatrixMedia>* media)
        : event_(event),
          content_(event["content"]),
          context_(context),
          limits_(limits),
          message_(message),
          media_(media) {}
    void read();

private:
    vault::Person person(std::string_view user_id) const;
    void read_type(std::string_view type);
    void read_message();
    void read_media(std::string_view msgtype);
    void add_media(const JsonValue& content, std::string_view name);
    void read_encrypted();
    void read_relation();
    void read_redaction();
    void read_member();
    void read_state(std::string_view type);
    void read_call(std::string_view type);
    void put_text(const JsonValue& content);

    const JsonValue& event_;
    JsonValue content_;
    const MatrixContext& context_;
    const Limits& limits_;
    vault::Message& message_;
    std::vector<MatrixMedia>* media_;
};

}  // namespace kustos::ingest
