#include "ingest/streams.h"

#include <sys/stat.h>

#include "ingest/src/all_streams.h"

namespace kustos::ingest {

const std::vector<const StreamKind*>& stream_kinds() {
    static const std::vector<const StreamKind*> all = {&kFolderStream, &kImapStream, &kLmtpStream, &kMatrixStream,
                                                       &kXmppStream};
    return all;
}

const StreamKind* find_stream_kind(std::string_view name) {
    for (const StreamKind* kind : stream_kinds())
        if (kind->name == name) return kind;
    return nullptr;
}

Result<StreamSettings> read_stream_settings(const StreamKind& kind, const Path& file, Fs& fs) {
    constexpr std::uint64_t kMaxSettings = 64u << 10;
    auto yaml = read_file(fs, file, kMaxSettings);
    if (!yaml.ok() && yaml.error().code() == Code::not_found)
        return Error(Code::usage, "the source has no settings file").with_hint("kustos source add writes one");
    StreamSettings settings;
    settings.folder = file.parent_path();
    settings.config = TRY(Config::parse(as_text(TRY(std::move(yaml))), kind.keys));
    return settings;
}

Result<SecretBytes> read_secret(const StreamSettings& settings, std::string_view key, Fs& fs) {
    constexpr std::uint64_t kMaxSecret = 4096;
    const std::string name = settings.config.text(key, "");
    if (name.empty()) return Error(Code::usage, "the settings lack " + std::string(key));
    const Path file = Path(name).is_absolute() ? Path(name) : settings.folder / name;
    struct stat info {};
    if (::stat(file.c_str(), &info) != 0)
        return Error(Code::usage, "the file that " + std::string(key) + " names is absent");
    if ((info.st_mode & 077) != 0)
        return Error(Code::usage, "the file that " + std::string(key) + " names can be read by others")
            .with_hint("chmod 600");
    Bytes content = TRY(read_file(fs, file, kMaxSecret));
    while (!content.empty() && (content.back() == '\n' || content.back() == '\r')) content.pop_back();
    SecretBytes out(content);
    wipe(content);
    return out;
}

}  // namespace kustos::ingest
