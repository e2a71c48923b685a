// Text and members of foreign files, read by kustos-extract: a program of its own in a sandbox, so that a fault in a
// parser of PDFs or archives reaches neither keys nor network nor disk.
//
// Layers: bubblewrap around it (own namespaces, no network, empty file system but /usr read-only); inside resource
// limits, no_new_privs and, after warm-up, a seccomp allow-list without open, socket, exec, fork. All of them stand, or
// nothing foreign is read: without bubblewrap there is no extraction ("no-sandbox"), never one without walls. It is
// tried again after half a minute. The item's bytes go in and come out by pipe; no clear text touches a file.
// Errors: Code::environment when kustos-extract is missing. A missing sandbox, a crash, a time-out or a broken item is
// an answer (opaque with a reason), not an error.
// Threads: one thread at a time per Extractor; a pool has several. Which thread asks does not matter, nor whether it
// lives on: the worker is started by a thread of the Extractor's own. What unpack() returns ends with its caller's
// thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/fs.h"
#include "base/result.h"
#include "base/spool.h"

namespace kustos::ingest {

enum class Completeness : std::uint8_t { full = 0, partial = 1, opaque = 2 };
std::string_view completeness_name(Completeness value);

// In the text of a PDF the first one stands behind each page, so that a place in the text has a page's number. Scanned
// pages are read last: they come behind the second one, from where pages are counted anew. To a search both are white
// space.
inline constexpr char kPageEnd = '\f', kFirstPageAgain = '\v';

struct ExtractedText {
    std::string text;  // UTF-8, well formed; lines end in \n
    Completeness completeness = Completeness::opaque;
    // A machine word where not full, the first of several: "no-sandbox", "unsupported-type", "encrypted", "damaged",
    // "no-text-layer", "page-without-text", "charset", "markup", "embedded-object", "external-part", "document-type";
    // of limits: "text-limit", "page-limit", "too-large", "time-out", "time-limit", "memory-limit", "unpack-limit",
    // "ratio-limit", "part-limit", "member-limit", "depth-limit", "picture-limit"; of programs that read pictures and
    // old documents: "ocr" (read by machine, with its errors), "ocr-empty", "ocr-off", "ocr-later", "picture-small",
    // "no-ocr", "no-reader"; and "crashed". docs/architecture/ingest.md says what they mean.
    std::string reason;
    std::string kind = {};  // what it is by its bytes: "pdf", "docx", "png"; empty: not known
    // Besides, machine words, at most 8: "type-mismatch:pdf-as-docx" (what it is, and what it says it is),
    // "charset-corrected" (not the declared one), "ocr" (some of the text).
    std::vector<std::string> remarks = {};
};

// Programs that read what no library in kustos-extract does. Each runs in a sandbox of its own, for one picture, page
// or document. One that is not there is an answer: "no-ocr", "no-reader".
struct HelperOptions {
    bool ocr = true;
    Path tesseract = "/usr/bin/tesseract";
    Path tessdata = "/usr/share/tesseract-ocr/5/tessdata";
    std::vector<std::string> languages = {"deu", "eng"};  // of these, what is there
    Path catdoc = "/usr/bin/catdoc", antiword = "/usr/bin/antiword", xls2csv = "/usr/bin/xls2csv",
         catppt = "/usr/bin/catppt";
    std::uint32_t pictures = 100;             // pictures and pages of one item that OCR reads ("page-limit")
    std::int64_t timeout_ms = 60'000;         // wall clock for one
    std::int64_t item_ms = 240'000;           // for all of one item ("time-limit")
    std::uint64_t memory_bytes = 1ull << 30;  // address space
};

struct ExtractorOptions {
    Path program;                             // empty: kustos-extract beside the running program
    std::int64_t item_timeout_ms = 30'000;    // wall clock for one item, or one step of it
    std::uint64_t memory_bytes = 1ull << 30;  // address space of the worker
    std::uint32_t cpu_seconds = 120;          // of one worker's life
    std::uint32_t items_per_worker = 500;     // then it is started anew
    std::uint64_t item_bytes = 256ull << 20;  // larger items are not sent ("too-large")
    std::uint64_t text_bytes = 16ull << 20;   // longer text is cut ("text-limit")
    Path bubblewrap = "/usr/bin/bwrap";       // there is no way to do without; tests name one that does not work
    HelperOptions helpers;
};

// Which walls stand. Asked of the worker itself, not assumed.
struct SandboxLayers {
    bool bubblewrap = false;  // own processes, own file system, no network
    bool resource_limits = false;
    bool no_new_privs = false;
    bool seccomp = false;
    bool all() const { return bubblewrap && resource_limits && no_new_privs && seccomp; }
    std::string describe() const;  // "bubblewrap, resource limits, no_new_privs, seccomp"
};

struct UnpackLimits {
    std::uint64_t members = 200'000;
    std::uint64_t member_bytes = 512ull << 20;  // of one member, unpacked
    std::uint64_t total_bytes = 64ull << 30;    // of all that is read
    std::uint64_t ratio = 250;                  // unpacked to packed, for members above ratio_from_bytes
    std::uint64_t ratio_from_bytes = 1ull << 20;
};

struct ArchiveMember {
    std::uint32_t index = 0;
    std::string path;  // as written in the archive; always passes RelPath::parse and is unique, else it is not listed
    std::uint64_t size = 0;
};

// An archive opened in a sandbox of its own.
class UnpackedArchive {
public:
    virtual ~UnpackedArchive() = default;
    // Usable members, in the archive's order.
    virtual const std::vector<ArchiveMember>& members() const = 0;
    // What was wrong with the archive so far, machine words: "zip:slip", "zip:duplicate-name", "zip:link",
    // "zip:encrypted", "zip:damaged", "zip:bomb", "zip:limit", "zip:time-out", "zip:crashed", "zip:junk". The caller
    // seals such an archive whole.
    virtual const std::vector<std::string>& problems() const = 0;
    // Code::bad_input: damaged (also in problems()); Code::limit: too large or a bomb; Code::not_found: no such index.
    // Errors of the sink are handed through; the archive can't be read any more then.
    virtual Status read(std::uint32_t index, std::uint64_t max_bytes, const ByteSink& sink) = 0;
    Result<Bytes> read(std::uint32_t index, std::uint64_t max_bytes) {
        Bytes out;
        TRY(read(index, max_bytes, [&out](ByteView piece) {
            put(out, piece);
            return ok_status();
        }));
        return out;
    }
};

// A mailbox file of Outlook (PST, OST), item by item, as it comes from a sandbox of its own.
struct PstItem {
    std::uint64_t number = 0;      // from 0, in the file's order
    std::uint32_t identifier = 0;  // of its node in the file; 0: unknown
    std::string folder;            // its path, UTF-8; empty: none
    bool orphan = false;           // in no folder's table
    bool recovered = false;        // deleted, and still in the file
    bool associated = false;       // hidden: views, forms, rules
    bool whole = true;             // false: not all of it could be read
};
class PstSink {
public:
    virtual ~PstSink() = default;
    virtual Status folder(const std::string& path, std::uint64_t messages) = 0;  // what the folder says it has
    virtual Status item(const PstItem& item, Bytes dump) = 0;                    // docs/format/pst.md
};
struct PstFacts {
    int bits = 0;          // 32: ANSI; 64: Unicode; 0: it could not be opened
    int encryption = 0;    // 0: none; 1: compressible; 2: high
    bool offline = false;  // OST
    std::uint64_t items = 0;
    // "pst:damaged", "pst:folder", "pst:depth", "pst:item", "pst:crashed", "pst:time-out", "pst:limit": then the caller
    // seals the file whole, too.
    std::vector<std::string> problems;
};

class Extractor {
public:
    // Starts nothing yet but checks that the program is there (Code::environment).
    static Result<std::unique_ptr<Extractor>> create(ExtractorOptions options);
    ~Extractor();
    Extractor(const Extractor&) = delete;
    Extractor& operator=(const Extractor&) = delete;

    // media_type: what the sender said, with its charset if there is one; content decides where it can.
    Result<ExtractedText> text(ByteView content, std::string_view name, std::string_view media_type);
    // For content that is not held here: give() gives all of its `size` bytes, in pieces. Its errors are handed
    // through.
    Result<ExtractedText> text(std::uint64_t size, const std::function<Status(const ByteSink&)>& give,
                               std::string_view name, std::string_view media_type);
    // Code::environment, with a hint: no sandbox; the archive is as it was.
    Result<std::unique_ptr<UnpackedArchive>> unpack(const Path& zip, const UnpackLimits& limits = {});
    // All of a file; a worker that ends on an item is started anew behind it, 20 times. most: bytes of one item's dump;
    // what would make it larger is named in it and left out. Errors: of the sink, handed through; Code::environment.
    Result<PstFacts> read_pst(const Path& file, std::uint64_t most, PstSink& sink);
    // Starts a worker if none runs. Code::environment, with a hint: not all walls can stand here.
    Result<SandboxLayers> layers();
    // true: pictures and scanned pages are not read now ("ocr-later"), because somebody waits for what comes behind.
    void postpone_ocr(bool later);
    std::uint64_t restarts() const;  // after crashes and time-outs, not after items_per_worker

private:
    struct State;
    explicit Extractor(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

Path default_extractor_program();  // kustos-extract beside /proc/self/exe

}  // namespace kustos::ingest
