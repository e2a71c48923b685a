#include "ingest/src/maildir.h"

#include <algorithm>

#include "base/text.h"
#include "ingest/src/files.h"
#include "ingest/src/large_mail.h"
#include "ingest/src/mail_pool.h"

namespace kustos::ingest {

namespace {

constexpr int kMaxFolderDepth = 16;

// UTF-16BE in base64 with ',' for '/' and no padding.
std::optional<std::string> decode_shifted(std::string_view text) {
    std::string standard(text);
    std::replace(standard.begin(), standard.end(), ',', '/');
    while (standard.size() % 4 != 0) standard += '=';
    const auto bytes = parse_base64(standard);
    if (!bytes || bytes->size() % 2 != 0) return std::nullopt;
    return decode_charset(*bytes, "utf-16be").utf8;
}

// ".Gesendet.&ANw-bersicht" -> "Gesendet/Übersicht"
std::string folder_title(std::string_view name) {
    std::string title = decode_modified_utf7(name.substr(1));
    std::replace(title.begin(), title.end(), '.', '/');
    return title;
}

class MaildirReader {
public:
    MaildirReader(const ReadContext& context, ItemSink& sink) : context_(context), sink_(sink, context.limits) {}

    Status read(const Path& path) {
        TRY(folder(path, "", 0));
        return sink_.finish();
    }

private:
    Status folder(const Path& path, const std::string& title, int depth) {
        if (depth > kMaxFolderDepth) return note_too_deep();
        for (const char* part : {"cur", "new"})
            if (kind_of(path / part) == FileKind::folder) TRY(mails(path / part, title));
        if (kind_of(path / "tmp") == FileKind::folder) {
            const std::size_t waiting = TRY(children(path / "tmp", sink_)).size();
            if (waiting > 0) sink_.finding("maildir:undelivered", waiting);
        }
        for (const Path& child : TRY(children(path, sink_))) {
            const std::string name = child.filename();
            if (name == "cur" || name == "new" || name == "tmp" || kind_of(child) != FileKind::folder) continue;
            const std::string own = name.front() == '.' ? folder_title(name) : decode_modified_utf7(name);
            TRY(folder(child, title.empty() ? own : title + "/" + own, depth + 1));
        }
        return ok_status();
    }

    Status note_too_deep() {
        sink_.finding("folder:too-deep");
        return ok_status();
    }

    Status mails(const Path& path, const std::string& title) {
        for (const Path& file : TRY(children(path, sink_))) {
            if (kind_of(file) != FileKind::file) continue;
            const bool large = TRY(read_large_mail(file, "maildir", context_, sink_, [&](vault::Message& message) {
                if (message.kind == vault::MessageKind::mail) message.format = "maildir";
                describe(message, file.filename().string(), title);
            }));
            if (large) continue;
            auto raw = TRY(whole_or_quarantine(file, context_.limits.mail, "maildir", context_, sink_));
            if (!raw) continue;
            TRY(sink_.mail(std::move(*raw),
                           [&limits = context_.limits, name = file.filename().string(), title](Bytes bytes) {
                               ParsedItem item = parse_mail(std::move(bytes), limits);
                               if (item.message.kind == vault::MessageKind::mail) item.message.format = "maildir";
                               describe(item.message, name, title);
                               return item;
                           }));
        }
        return ok_status();
    }

    // "1709284502.M1P1.host:2,RS": unique part, then flags (P R S T D F)
    static void describe(vault::Message& message, std::string_view name, const std::string& title) {
        const std::size_t colon = name.find(':');
        message.feed_position = repair_utf8(name.substr(0, colon));
        if (!title.empty()) message.notes.push_back("folder:" + repair_utf8(title));
        if (colon == std::string_view::npos || name.substr(colon, 3) != ":2,") return;
        if (name.size() > colon + 3) message.notes.push_back("flags:" + repair_utf8(name.substr(colon + 3)));
    }

    const ReadContext& context_;
    MailPool sink_;
};

}  // namespace

std::string decode_modified_utf7(std::string_view name) {
    std::string out;
    for (std::size_t i = 0; i < name.size(); ++i) {
        if (name[i] != '&') {
            out += name[i];
            continue;
        }
        const std::size_t end = name.find('-', i);
        if (end == std::string_view::npos) return repair_utf8(name);
        if (end == i + 1) {
            out += '&';
        } else {
            const auto decoded = decode_shifted(name.substr(i + 1, end - i - 1));
            if (!decoded) return repair_utf8(name);
            out += *decoded;
        }
        i = end;
    }
    return repair_utf8(out);
}

bool is_maildir(const Path& path) {
    return kind_of(path / "cur") == FileKind::folder || kind_of(path / "new") == FileKind::folder;
}

Status read_maildir(const Path& path, const ReadContext& context, ItemSink& sink) {
    return MaildirReader(context, sink).read(path);
}

}  // namespace kustos::ingest
