// Tables of Zulip from anywhere, realm.json and messages parted by a NUL: never a crash.
#include "tests/fuzz/chat_check.h"

namespace {

class InMemory final : public kustos::ingest::Container {
public:
    void add(const std::string& path, kustos::ByteView bytes) {
        const auto index = static_cast<std::uint32_t>(contents_.size());
        members_.emplace(path, kustos::ingest::ArchiveMember{index, path, bytes.size()});
        contents_.push_back(bytes);
    }
    using Container::read;
    kustos::Status read(const kustos::ingest::ArchiveMember& member, std::uint64_t,
                        const kustos::ByteSink& sink) override {
        return sink(contents_.at(member.index));
    }
    std::vector<std::string> problems() const override { return {}; }

private:
    std::vector<kustos::ByteView> contents_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const kustos::ByteView input(data, size);
    const std::size_t cut = std::min(kustos::as_text(input).find('\0'), size);
    for (const kustos::ingest::ReadContext& context : {kustos::ingest::ReadContext(), kustos::fuzz::small_limits()}) {
        InMemory files;
        files.add("realm.json", input.first(cut));
        files.add("attachment.json", input.first(cut));
        files.add("messages-000001.json", input.subspan(std::min(cut + 1, size)));
        kustos::fuzz::ChatCheck out;
        kustos::ingest::ContainerReader reader(files, context, out);
        if (!kustos::ingest::read_zulip(reader, {{}, context, out}).ok()) std::abort();
    }
    return 0;
}
