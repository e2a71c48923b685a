#include "vault/succession.h"

#include <algorithm>

namespace kustos::vault {

namespace {

// Which attachment a step of the recipe gives; kNoAttachment: none, or not known.
std::uint16_t attachment_of(const Payload& payload, const RecipeStep& step) {
    if (step.kind == RecipeStep::Kind::blob || step.kind == RecipeStep::Kind::blob_base64)
        return payload.blobs.at(static_cast<std::size_t>(step.offset)).attachment;
    for (const FieldRow& row : payload.rows) {
        if (row.path == PathCode::attachment_content && row.area == Area::value && row.offset == step.offset &&
            row.length == step.length)
            return row.ordinal;
    }
    return kNoAttachment;
}

Result<Bytes> whole(const BlobRef& blob, const BlobFetcher& fetch) {
    Bytes content;
    TRY(fetch(blob, [&content](ByteView piece) {
        put(content, piece);
        return ok_status();
    }));
    return content;
}

class RawBuilder {
public:
    RawBuilder(const OpenedPayload& opened, const std::vector<std::size_t>& left_out, const BlobFetcher& fetch,
               Message& message)
        : payload_(opened.payload), left_out_(left_out), fetch_(fetch), message_(message) {}

    Status build() {
        for (const RecipeStep& step : payload_.recipe) TRY(add(step));
        // What was not placed stands somewhere in the literal bytes.
        const bool placed = std::all_of(left_out_.begin(), left_out_.end(), [this](std::size_t number) {
            return std::find(cut_.begin(), cut_.end(), number) != cut_.end();
        });
        if (!placed) {
            raw_.clear();
            for (Attachment& a : message_.attachments) a.in_raw.reset();
        }
        message_.raw = std::move(raw_);
        return {};
    }

private:
    Status add(const RecipeStep& step) {
        if (step.kind == RecipeStep::Kind::literal) {
            put(raw_, ByteView(payload_.literal)
                          .subspan(static_cast<std::size_t>(literal_), static_cast<std::size_t>(step.length)));
            literal_ += step.length;
            return {};
        }
        const std::uint16_t number = attachment_of(payload_, step);
        if (std::find(left_out_.begin(), left_out_.end(), number) != left_out_.end()) {
            cut_.push_back(number);
            return {};
        }
        const std::uint64_t begin = raw_.size();
        const bool is_blob = step.kind == RecipeStep::Kind::blob || step.kind == RecipeStep::Kind::blob_base64;
        bool encoded = step.kind == RecipeStep::Kind::value_base64 || step.kind == RecipeStep::Kind::blob_base64;
        Bytes content;
        if (is_blob) {
            const BlobRef& blob = payload_.blobs.at(static_cast<std::size_t>(step.offset));
            content = TRY(whole(blob, fetch_));
            encoded = encoded || blob.encoded;
        } else {
            content =
                to_bytes(ByteView(payload_.value)
                             .subspan(static_cast<std::size_t>(step.offset), static_cast<std::size_t>(step.length)));
        }
        const bool lines = step.kind == RecipeStep::Kind::value_base64 || step.kind == RecipeStep::Kind::blob_base64;
        put(raw_, lines ? encode_base64_lines(content, step) : content);
        if (number < message_.attachments.size())
            message_.attachments[number].in_raw =
                RawSpan{begin, raw_.size() - begin, encoded ? RawEncoding::base64 : RawEncoding::identity};
        return {};
    }

    const Payload& payload_;
    const std::vector<std::size_t>& left_out_;
    const BlobFetcher& fetch_;
    Message& message_;
    Bytes raw_;
    std::uint64_t literal_ = 0;
    std::vector<std::size_t> cut_;
};

}  // namespace

Result<Message> without_attachments(const OpenedPayload& opened, const std::vector<std::size_t>& numbers,
                                    const BlobFetcher& fetch) {
    Message message = TRY(decompose(opened));
    for (const std::size_t number : numbers) {
        if (number >= message.attachments.size()) return Error(Code::not_found, "there is no such attachment");
    }
    std::vector<std::size_t> gone = numbers;  // and those that were erased before
    for (std::size_t i = 0; i < message.attachments.size(); ++i) {
        Attachment& a = message.attachments[i];
        if (!a.missing && std::find(gone.begin(), gone.end(), i) == gone.end()) {
            auto content = attachment_content(opened, i, fetch);
            if (!content.ok() && content.error().code() != Code::erased) return std::move(content).error();
            if (content.ok()) a.content = std::move(*content);
            if (!content.ok()) gone.push_back(i);
        }
        if (std::find(gone.begin(), gone.end(), i) != gone.end()) {
            a.content.clear();
            a.declared_size = a.missing ? a.declared_size : std::optional(a.size);
            a.missing = true;
            a.sha256 = Hash{};
            a.declared_sha256.reset();
        }
        a.blob.reset();
        a.in_raw.reset();
    }
    TRY(RawBuilder(opened, gone, fetch, message).build());
    message.notes.emplace_back(kAttachmentErased);
    return message;
}

}  // namespace kustos::vault
