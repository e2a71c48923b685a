// kustos-extract MODE MEMORY_BYTES CPU_SECONDS: reads foreign files behind walls, for ingest/extract.h. Not for people.
//   text    serves requests until standard input closes
//   unpack  serves one archive, descriptor 3
//   pst     serves one mailbox file, descriptor 3
// kustos-extract run MEMORY_BYTES CPU_SECONDS PROGRAM ARGUMENT...: puts walls around another program, which reads one
// picture or one old document.
//   probe-open, probe-socket, probe-exec, probe-fork, probe-memory  tries what the walls forbid: 0 = it was refused, 1
//   = it was
//           possible; or the kernel ends it
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <clocale>
#include <cstdlib>
#include <exception>
#include <new>
#include <string_view>

#include "ingest/extractor/frames.h"
#include "ingest/extractor/helper.h"
#include "ingest/extractor/pst.h"
#include "ingest/extractor/run_program.h"
#include "ingest/extractor/sandbox.h"
#include "ingest/extractor/text_of.h"
#include "ingest/extractor/unpack.h"
#include "ingest/src/extract_answer.h"
#include "ingest/src/extract_wire.h"

namespace {

using kustos::ByteReader;
using kustos::Bytes;
using namespace kustos::extractor;

void say(char type, const kustos::ingest::ExtractedText& text) {
    write_frame({kustos::ingest::encode_answer_head(type, text), kustos::as_bytes(text.text)});
}

// The other side starts the programs.
class OtherSide final : public Helper {
public:
    kustos::ingest::ExtractedText ask(kustos::ingest::wire::Help what, std::uint32_t page, bool same,
                                      kustos::ByteView content) override {
        Bytes head;
        kustos::put_u8(head, 'Q');
        kustos::put_u8(head, static_cast<std::uint8_t>(what));
        kustos::put_u8(head, same ? 1 : 0);
        kustos::put_u32(head, page);
        write_frame({head, same ? kustos::ByteView() : content});
        const auto frame = read_frame();
        if (!frame) ::_exit(0);
        auto got = kustos::ingest::parse_answer('A', *frame);
        if (!got) ::_exit(1);
        return std::move(*got);
    }
    void so_far(const kustos::ingest::ExtractedText& text) override { say('s', text); }
};

kustos::ingest::ExtractedText unread(const char* reason) {
    kustos::ingest::ExtractedText out;
    out.reason = reason;
    return out;
}

// The last net: no exception of a parser may end the worker without an answer.
kustos::ingest::ExtractedText guarded(kustos::ByteView content, std::string_view name, std::string_view type,
                                      std::uint64_t most) {
    try {
        OtherSide helper;
        return text_of(content, name, type, most, &helper);
    } catch (const std::bad_alloc&) {
        return unread("memory-limit");
    } catch (const std::exception&) {
        return unread("damaged");
    }
}

bool serve_one(kustos::ByteView frame) {
    ByteReader reader(frame);
    const auto type = reader.u8();
    const auto most = reader.u64();
    const auto name_length = reader.u16();
    if (!type || *type != 'T' || !most || !name_length) return false;
    const auto name = reader.take(*name_length);
    const auto media_length = reader.u16();
    if (!name || !media_length) return false;
    const auto media_type = reader.take(*media_length);
    if (!media_type) return false;
    const auto content = reader.take(reader.remaining());
    say('t', guarded(*content, kustos::as_text(*name), kustos::as_text(*media_type), *most));
    return true;
}

void say_hello(std::uint8_t layers) {
    const std::uint8_t hello[] = {'H', kustos::ingest::wire::kVersion, layers};
    write_frame({hello});
}

// For tests: does what no parser may do, behind the same walls.
int probe(std::string_view what) {
    if (what == "probe-open") return ::open("/etc/passwd", O_RDONLY) < 0 ? 0 : 1;
    if (what == "probe-socket") return ::socket(AF_INET, SOCK_STREAM, 0) < 0 ? 0 : 1;
    if (what == "probe-fork") return ::fork() < 0 ? 0 : 1;
    if (what == "probe-memory") return std::malloc(std::size_t{1} << 40) == nullptr ? 0 : 1;
    if (what == "probe-exec") ::execl("/usr/bin/true", "true", nullptr);
    return what == "probe-exec" ? 0 : 2;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc > 4 && std::string_view(argv[1]) == "run") run_program(argv + 2, argc - 2);
    if (argc != 4) return 2;
    const bool unpack = std::string_view(argv[1]) == "unpack", pst = std::string_view(argv[1]) == "pst";
    std::setlocale(LC_ALL, "C.UTF-8");
    std::uint8_t layers = look_around();
    layers |= limit_resources(std::strtoull(argv[2], nullptr, 10),
                              static_cast<std::uint32_t>(std::strtoul(argv[3], nullptr, 10)));
    std::uint64_t archive_bytes = 0;
    if (unpack || pst) {
        struct stat info {};
        if (::fstat(kustos::ingest::wire::kArchiveDescriptor, &info) != 0) return 2;
        archive_bytes = static_cast<std::uint64_t>(info.st_size);
        unpack ? warm_up_unpack() : warm_up_pst();
    } else {
        warm_up();
    }
    layers |= raise_walls();
    if (std::string_view(argv[1]).substr(0, 6) == "probe-") ::_exit(probe(argv[1]));
    say_hello(layers);
    // Said, so that the other side can name what is missing; and nothing foreign is read.
    if (layers != (kustos::ingest::wire::kApart | kustos::ingest::wire::kLimits | kustos::ingest::wire::kNoNewPrivs |
                   kustos::ingest::wire::kSeccomp))
        ::_exit(3);
    if (unpack) {
        serve_archive(archive_bytes);
    } else if (pst) {
        serve_pst(archive_bytes);
    } else {
        while (const auto frame = read_frame())
            if (!serve_one(*frame)) break;
    }
    ::_exit(0);  // nothing to tidy up, and exit handlers need calls that are not allowed
}
