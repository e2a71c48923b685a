// The walk through folders: what each path is, and who reads it.
#include "ingest/src/container.h"
#include "ingest/src/files.h"
#include "ingest/src/registry.h"

namespace kustos::ingest {

namespace {

constexpr int kMaxFolderDepth = 32;

class Walk {
public:
    Walk(const ReadContext& context, ItemSink& sink) : context_(context), sink_(sink) {}

    Status at(const Path& path, const Format* format, int depth) {
        switch (kind_of(path)) {
            case FileKind::folder:
                return folder(path, format, depth);
            case FileKind::file:
                return file(path, format);
            case FileKind::absent:
                return Error(Code::not_found, "input is absent");
            case FileKind::link:
                if (depth == 0) return named_link(path, format);
                sink_.finding("folder:link-skipped");
                return ok_status();
            case FileKind::other:
                break;
        }
        return Error(Code::usage, "input is neither a file nor a folder");
    }

private:
    // A link that the operator has named is meant.
    Status named_link(const Path& path, const Format* format) {
        std::error_code error;
        const Path target = std::filesystem::canonical(path, error);
        if (error) return Error(Code::not_found, "input is absent");
        return at(target, format, 1);
    }

    Status folder(const Path& path, const Format* format, int depth) {
        if (depth > kMaxFolderDepth) {
            sink_.finding("folder:too-deep");
            return ok_status();
        }
        // What the operator calls one thing is one only where it looks like it: it may be a folder of such things.
        const Format* whole = format;
        if (!format) {
            whole = TRY(found(path));
        } else if (format->folders && !format->any_folder &&
                   format->looks(TRY(Sample::of(path, context_))) == Certainty::no) {
            whole = nullptr;
        }
        if (whole && whole->folders) return whole->read({path, context_, sink_});
        for (const Path& child : TRY(children(path, sink_))) TRY(at(child, format, depth + 1));
        return ok_status();
    }

    Status file(const Path& path, const Format* format) {
        if (!format) format = TRY(found(path));
        return format ? format->read({path, context_, sink_}) : unknown(path);
    }

    Result<const Format*> found(const Path& path) {
        const Detection detection = TRY(detect(path, context_));
        if (detection.unsure()) sink_.finding("format:unsure");
        return format_of(detection.format);
    }

    Status unknown(const Path& path) {
        // A zip is opened once more for what is wrong with it.
        if (TRY(Sample::of(path, context_)).is_zip())
            return read_container({path, context_, sink_}, "zip", [](ContainerReader&) { return Result<bool>(false); });
        auto raw = TRY(whole_or_quarantine(path, context_.limits.mail, "unknown", context_, sink_));
        if (!raw) return ok_status();
        if (raw->empty()) {
            sink_.finding("file:empty");
            return ok_status();
        }
        return quarantine(std::move(*raw), "unknown", "unknown-format", context_.limits, sink_);
    }

    const ReadContext& context_;
    ItemSink& sink_;
};

}  // namespace

Status read(const Path& path, const FormatInfo* format, const ReadContext& context, ItemSink& sink) {
    return Walk(context, sink).at(path, format_of(format), 0);
}

}  // namespace kustos::ingest
