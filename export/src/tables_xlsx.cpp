// XLSX by libxlsxwriter, in memory. The library writes every part of the workbook to a temporary file before it packs
// them (lxw_tmpfile, utility.c), and no option of 1.1.4 keeps it from that: words of people's mails would lie on a disk
// for a moment, and for longer after a power cut. The function is one of its own exported names, bound at load time, so
// the one below takes its place: a stream over a buffer of this process. Whether it really does is seen with an empty
// workbook before anything of a real one is handed over; if not, nothing is written (Code::environment). The finished
// file goes to an anonymous file in memory (memfd_create), since the library wants a name to write to.
#include <sys/mman.h>
#include <unistd.h>
#include <xlsxwriter.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstring>
#include <memory>

#include "export/tables.h"

namespace {

using kustos::Bytes;

std::atomic<std::uint64_t> streams_made = 0;

struct Stream {
    Bytes bytes;
    std::size_t at = 0;
};

ssize_t read_stream(void* cookie, char* out, size_t size) {
    auto& s = *static_cast<Stream*>(cookie);
    const std::size_t n = std::min(size, s.bytes.size() - std::min(s.at, s.bytes.size()));
    if (n != 0) std::memcpy(out, s.bytes.data() + s.at, n);
    s.at += n;
    return static_cast<ssize_t>(n);
}

ssize_t write_stream(void* cookie, const char* in, size_t size) {
    auto& s = *static_cast<Stream*>(cookie);
    try {
        if (s.bytes.size() < s.at + size) s.bytes.resize(s.at + size);
    } catch (const std::bad_alloc&) {
        return 0;  // an error, to stdio
    }
    if (size != 0) std::memcpy(s.bytes.data() + s.at, in, size);
    s.at += size;
    return static_cast<ssize_t>(size);
}

int seek_stream(void* cookie, off64_t* offset, int whence) {
    auto& s = *static_cast<Stream*>(cookie);
    const auto from = static_cast<off64_t>(whence == SEEK_SET ? 0 : whence == SEEK_CUR ? s.at : s.bytes.size());
    if (from + *offset < 0) return -1;
    *offset += from;
    s.at = static_cast<std::size_t>(*offset);
    return 0;
}

int close_stream(void* cookie) {
    delete static_cast<Stream*>(cookie);
    return 0;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) FILE* lxw_tmpfile(char*) {
    auto stream = std::make_unique<Stream>();
    FILE* file = fopencookie(stream.get(), "w+b", {read_stream, write_stream, seek_stream, close_stream});
    if (file == nullptr) return nullptr;
    stream.release();  // close_stream() has it
    ++streams_made;
    return file;
}

namespace kustos::exporting {

namespace {

constexpr std::size_t kMostRows = 1'048'576, kMostColumns = 16'384, kMostText = 32'767;  // of a sheet, of a cell

Error failed(const char* what) {
    return Error(Code::environment, std::string("the XLSX file could not be made: ") + what)
        .with_hint("CSV and PDF take no such library");
}

class MemoryFile {
public:
    MemoryFile() : fd_(memfd_create("kustos-xlsx", MFD_CLOEXEC)) {}
    ~MemoryFile() {
        if (fd_ >= 0) close(fd_);
    }
    MemoryFile(const MemoryFile&) = delete;
    MemoryFile& operator=(const MemoryFile&) = delete;
    bool good() const { return fd_ >= 0; }
    std::string name() const { return "/proc/self/fd/" + std::to_string(fd_); }
    Result<Bytes> read() const {
        Bytes out(static_cast<std::size_t>(std::max<off_t>(lseek(fd_, 0, SEEK_END), 0)));
        for (std::size_t at = 0; at < out.size();) {
            const ssize_t n = pread(fd_, out.data() + at, out.size() - at, static_cast<off_t>(at));
            if (n <= 0) return failed("it can't be read back");
            at += static_cast<std::size_t>(n);
        }
        return out;
    }

private:
    int fd_;
};

class Book {
public:
    explicit Book(const MemoryFile& file) {
        const std::string name = file.name();
        lxw_workbook_options options = {};
        book_ = workbook_new_opt(name.c_str(), &options);
    }
    ~Book() {
        if (book_ != nullptr) workbook_close(book_);
    }
    Book(const Book&) = delete;
    Book& operator=(const Book&) = delete;
    lxw_workbook* get() { return book_; }
    Status finish() {
        const lxw_error done = workbook_close(std::exchange(book_, nullptr));
        return done == LXW_NO_ERROR ? Status() : failed(lxw_strerror(done));
    }

private:
    lxw_workbook* book_ = nullptr;
};

Status expect_no_temporary_files() {
    const std::uint64_t before = streams_made;
    const MemoryFile file;
    if (!file.good()) return failed("no memory for it");
    Book book(file);
    if (book.get() == nullptr || workbook_add_worksheet(book.get(), "x") == nullptr) return failed("no memory for it");
    TRY(book.finish());
    if (streams_made == before) return failed("on this machine it would write a temporary file");
    return {};
}

struct Formats {
    lxw_format *head, *text, *number;
};

Formats formats(lxw_workbook* book) {
    Formats f = {workbook_add_format(book), workbook_add_format(book), workbook_add_format(book)};
    format_set_bold(f.head);
    format_set_bottom(f.head, LXW_BORDER_THIN);
    for (lxw_format* wrapped : {f.head, f.text}) {
        format_set_text_wrap(wrapped);
        format_set_align(wrapped, LXW_ALIGN_VERTICAL_TOP);
    }
    format_set_align(f.number, LXW_ALIGN_VERTICAL_TOP);
    format_set_num_format(f.number, "#,##0");
    return f;
}

Status write_table(lxw_workbook* book, const Table& table, const Formats& format) {
    if (table.rows.size() + 1 > kMostRows || table.head.size() > kMostColumns)
        return Error(Code::limit, "a sheet takes no more than 1,048,576 rows and 16,384 columns")
            .with_hint("fewer terms, or CSV");
    lxw_worksheet* sheet = workbook_add_worksheet(book, table.name.c_str());
    if (sheet == nullptr) return failed("a sheet can't be named so");
    for (std::size_t i = 0; i < table.widths.size(); ++i) {
        const bool last = i + 1 == table.widths.size();
        worksheet_set_column(sheet, static_cast<lxw_col_t>(i), static_cast<lxw_col_t>(last ? kMostColumns - 1 : i),
                             table.widths[i], nullptr);
    }
    lxw_row_t at = 0;
    const auto text = [&](std::size_t column, const std::string& words, lxw_format* how) -> Status {
        if (words.empty()) return {};
        if (words.size() > kMostText) return Error(Code::limit, "a cell takes no more than 32,767 characters");
        const lxw_error done = worksheet_write_string(sheet, at, static_cast<lxw_col_t>(column), words.c_str(), how);
        return done == LXW_NO_ERROR ? Status() : failed(lxw_strerror(done));
    };
    for (std::size_t i = 0; i < table.head.size(); ++i) TRY(text(i, table.head[i], format.head));
    if (!table.head.empty()) {
        worksheet_freeze_panes(sheet, 1, 0);
        ++at;
    }
    for (const std::vector<Cell>& row : table.rows) {
        if (row.size() > kMostColumns) return Error(Code::limit, "a sheet takes no more than 16,384 columns");
        for (std::size_t i = 0; i < row.size(); ++i) {
            if (const auto* number = std::get_if<std::uint64_t>(&row[i]))
                worksheet_write_number(sheet, at, static_cast<lxw_col_t>(i), static_cast<double>(*number),
                                       format.number);
            else
                TRY(text(i, std::get<std::string>(row[i]), format.text));
        }
        ++at;
    }
    return {};
}

}  // namespace

Result<Bytes> xlsx_file(const std::vector<Table>& tables, const std::string& title, UtcTime made_at) {
    TRY(expect_no_temporary_files());
    const MemoryFile file;
    if (!file.good()) return failed("no memory for it");
    Book book(file);
    if (book.get() == nullptr) return failed("no memory for it");
    std::string name = title;  // the library copies it
    lxw_doc_properties properties = {};
    properties.title = name.data();
    properties.created = static_cast<time_t>(made_at.ms / 1000);
    workbook_set_properties(book.get(), &properties);
    const Formats format = formats(book.get());
    for (const Table& table : tables) TRY(write_table(book.get(), table, format));
    TRY(book.finish());
    return file.read();
}

}  // namespace kustos::exporting
