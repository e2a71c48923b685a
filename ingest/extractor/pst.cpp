#include "ingest/extractor/pst.h"

#include <libbfio.h>
#include <libpff.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>

#include "ingest/extractor/frames.h"
#include "ingest/src/extract_wire.h"

namespace kustos::extractor {

namespace {

namespace wire = ingest::wire;

constexpr int kMaxFolderDepth = 64, kMaxEmbedded = 8;
constexpr std::uint16_t kAttachData = 0x3701, kBinary = 0x0102;

// The file's bytes by pread alone: no other call is allowed behind the walls.
struct Input {
    off64_t at = 0;
    off64_t size = 0;
};
Input& input_of(intptr_t* handle) {
    return *reinterpret_cast<Input*>(handle);
}
int no_free(intptr_t** handle, libbfio_error_t**) {
    *handle = nullptr;
    return 1;
}
int no_clone(intptr_t** to, intptr_t* from, libbfio_error_t**) {
    *to = from;
    return 1;
}
int opened(intptr_t*, int, libbfio_error_t**) {
    return 1;
}
int closed(intptr_t*, libbfio_error_t**) {
    return 0;
}
ssize_t read_some(intptr_t* handle, std::uint8_t* buffer, std::size_t size, libbfio_error_t**) {
    Input& in = input_of(handle);
    std::size_t got = 0;
    while (got < size) {
        const ssize_t n = ::pread(wire::kArchiveDescriptor, buffer + got, size - got, in.at);
        if (n <= 0) break;
        in.at += n;
        got += static_cast<std::size_t>(n);
    }
    return static_cast<ssize_t>(got);
}
ssize_t no_write(intptr_t*, const std::uint8_t*, std::size_t, libbfio_error_t**) {
    return -1;
}
off64_t seek(intptr_t* handle, off64_t offset, int whence, libbfio_error_t**) {
    Input& in = input_of(handle);
    const off64_t to = whence == SEEK_SET ? offset : whence == SEEK_CUR ? in.at + offset : in.size + offset;
    if (to < 0) return -1;
    in.at = to;
    return to;
}
int there(intptr_t*, libbfio_error_t**) {
    return 1;
}
int size_of(intptr_t* handle, size64_t* size, libbfio_error_t**) {
    *size = static_cast<size64_t>(input_of(handle).size);
    return 1;
}

struct FreeItem {
    void operator()(libpff_item_t* item) const { libpff_item_free(&item, nullptr); }
};
using Item = std::unique_ptr<libpff_item_t, FreeItem>;
struct FreeSet {
    void operator()(libpff_record_set_t* set) const { libpff_record_set_free(&set, nullptr); }
};
using Set = std::unique_ptr<libpff_record_set_t, FreeSet>;
struct FreeEntry {
    void operator()(libpff_record_entry_t* entry) const { libpff_record_entry_free(&entry, nullptr); }
};
using Entry = std::unique_ptr<libpff_record_entry_t, FreeEntry>;

// One item's dump on its way; what would make it larger than `most` is named and left out.
class Dump {
public:
    explicit Dump(std::uint64_t most) : left_(most) {}
    bool fits(std::uint64_t size) const { return size + 64 <= left_; }
    void put(ByteView bytes) {
        left_ -= std::min<std::uint64_t>(left_, bytes.size());
        while (!bytes.empty()) {
            const std::size_t size = std::min(bytes.size(), wire::kDataFrame - buffer_.size());
            kustos::put(buffer_, bytes.first(size));
            bytes = bytes.subspan(size);
            if (buffer_.size() == wire::kDataFrame) flush();
        }
    }
    void mark(char tag) { put(as_bytes(std::string_view(&tag, 1))); }
    void head(char tag, std::uint16_t id, std::uint16_t type, std::uint64_t size) {
        Bytes out;
        put_u8(out, static_cast<std::uint8_t>(tag));
        put_u16(out, id);
        put_u16(out, type);
        put_u64(out, size);
        put(out);
    }
    void flush() {
        if (!buffer_.empty()) write_frame({as_bytes("D"), buffer_});
        buffer_.clear();
    }

private:
    std::uint64_t left_;
    Bytes buffer_;
};

// Of a property from 8000 on, whose id is this file's own: what it is called everywhere ([MS-OXPROPS] section 1.3.2).
void write_name(libpff_record_entry_t* entry, std::uint16_t id, Dump& out) {
    libpff_name_to_id_map_entry_t* name = nullptr;
    std::array<std::uint8_t, 16> guid{};
    std::uint8_t type = 0;
    if (libpff_record_entry_get_name_to_id_map_entry(entry, &name, nullptr) != 1 || name == nullptr) return;
    if (libpff_name_to_id_map_entry_get_guid(name, guid.data(), guid.size(), nullptr) != 1) guid = {};
    if (libpff_name_to_id_map_entry_get_type(name, &type, nullptr) != 1) return;
    std::string text;
    std::uint32_t number = 0;
    if (type == LIBPFF_NAME_TO_ID_MAP_ENTRY_TYPE_NUMERIC) {
        if (libpff_name_to_id_map_entry_get_number(name, &number, nullptr) != 1) return;
    } else {
        std::size_t size = 0;
        if (libpff_name_to_id_map_entry_get_utf8_string_size(name, &size, nullptr) != 1 || size > 1024) return;
        text.resize(size);
        if (libpff_name_to_id_map_entry_get_utf8_string(name, reinterpret_cast<std::uint8_t*>(text.data()), size,
                                                        nullptr) != 1)
            return;
        text.resize(std::min(text.find('\0'), text.size()));
    }
    Bytes row;
    put_u8(row, 'N');
    put_u16(row, id);
    put(row, guid);
    put_u32(row, number);
    put_u16(row, static_cast<std::uint16_t>(text.size()));
    put(row, text);
    if (out.fits(row.size())) out.put(row);
}

bool write_entry(libpff_record_entry_t* entry, bool of_attachment, Dump& out) {
    std::uint32_t id = 0, type = 0;
    std::size_t size = 0;
    if (libpff_record_entry_get_entry_type(entry, &id, nullptr) != 1 ||
        libpff_record_entry_get_value_type(entry, &type, nullptr) != 1 ||
        libpff_record_entry_get_data_size(entry, &size, nullptr) != 1)
        return false;
    if (id > 0xFFFF || type > 0xFFFF || (of_attachment && id == kAttachData)) return true;
    const auto id16 = static_cast<std::uint16_t>(id), type16 = static_cast<std::uint16_t>(type);
    if (id16 >= 0x8000) write_name(entry, id16, out);
    if (!out.fits(size)) {
        out.head('L', id16, type16, size);
        return true;
    }
    Bytes value(size);
    if (size > 0 && libpff_record_entry_get_data(entry, value.data(), size, nullptr) != 1) return false;
    out.head('P', id16, type16, size);
    out.put(value);
    return true;
}

bool write_set(libpff_item_t* item, int number, bool of_attachment, Dump& out) {
    libpff_record_set_t* found = nullptr;
    int entries = 0;
    if (libpff_item_get_record_set_by_index(item, number, &found, nullptr) != 1) return false;
    const Set set(found);
    if (libpff_record_set_get_number_of_entries(set.get(), &entries, nullptr) != 1) return false;
    bool whole = true;
    for (int i = 0; i < entries; ++i) {
        libpff_record_entry_t* one = nullptr;
        if (libpff_record_set_get_entry_by_index(set.get(), i, &one, nullptr) != 1) {
            whole = false;
            continue;
        }
        const Entry entry(one);
        whole = write_entry(entry.get(), of_attachment, out) && whole;
    }
    return whole;
}

int sets_of(libpff_item_t* item) {
    int sets = 0;
    return libpff_item_get_number_of_record_sets(item, &sets, nullptr) == 1 ? sets : 0;
}

bool write_data(libpff_item_t* attachment, Dump& out) {
    size64_t size = 0;
    const int known = libpff_attachment_get_data_size(attachment, &size, nullptr);
    if (known == 0) return true;
    if (known != 1) return false;
    if (!out.fits(size)) {
        out.head('L', kAttachData, kBinary, size);
        return true;
    }
    // Read before its head is written: a head says what really follows.
    Bytes data(static_cast<std::size_t>(size));
    std::size_t got = 0;
    while (got < data.size()) {
        const ssize_t n = libpff_attachment_data_read_buffer(attachment, data.data() + got, data.size() - got, nullptr);
        if (n <= 0) break;
        got += static_cast<std::size_t>(n);
    }
    data.resize(got);
    out.head('P', kAttachData, kBinary, got);
    out.put(data);
    return got == size;
}

bool write_message(libpff_item_t* message, int depth, Dump& out);

bool write_attachment(libpff_item_t* attachment, int depth, Dump& out) {
    bool whole = sets_of(attachment) == 0 || write_set(attachment, 0, true, out);
    int type = 0;
    if (libpff_attachment_get_type(attachment, &type, nullptr) != 1) return whole;
    if (type == LIBPFF_ATTACHMENT_TYPE_DATA) return write_data(attachment, out) && whole;
    if (type != LIBPFF_ATTACHMENT_TYPE_ITEM) return whole;
    libpff_item_t* inner = nullptr;
    if (depth >= kMaxEmbedded || libpff_attachment_get_item(attachment, &inner, nullptr) != 1) return false;
    const Item item(inner);
    out.mark('M');
    whole = write_message(item.get(), depth + 1, out) && whole;
    out.mark('e');
    return whole;
}

bool write_message(libpff_item_t* message, int depth, Dump& out) {
    bool whole = sets_of(message) > 0 && write_set(message, 0, false, out);
    libpff_item_t* found = nullptr;
    const int has_recipients = libpff_message_get_recipients(message, &found, nullptr);
    if (has_recipients == 1) {
        const Item recipients(found);
        for (int i = 0; i < sets_of(recipients.get()); ++i) {
            out.mark('R');
            whole = write_set(recipients.get(), i, false, out) && whole;
            out.mark('e');
        }
    }
    int attachments = 0;
    if (libpff_message_get_number_of_attachments(message, &attachments, nullptr) != 1) attachments = 0;
    for (int i = 0; i < attachments; ++i) {
        libpff_item_t* one = nullptr;
        if (libpff_message_get_attachment(message, i, &one, nullptr) != 1) {
            whole = false;
            continue;
        }
        const Item attachment(one);
        out.mark('A');
        whole = write_attachment(attachment.get(), depth, out) && whole;
        out.mark('e');
    }
    return whole && has_recipients >= 0;
}

class Mailbox {
public:
    Mailbox(libpff_file_t* file, std::uint64_t first, std::uint64_t most) : file_(file), first_(first), most_(most) {}

    void run() {
        libpff_item_t* root = nullptr;
        if (libpff_file_get_root_folder(file_, &root, nullptr) == 1) {
            const Item folder(root);
            this->folder(folder.get(), "", 0);
        } else {
            write_frame({as_bytes("Pdamaged")});
        }
        loose(&libpff_file_get_number_of_orphan_items, &libpff_file_get_orphan_item_by_index, wire::kOrphan);
        // What was deleted and still stands in the file.
        if (libpff_file_recover_items(file_, 0, nullptr) == 1)
            loose(&libpff_file_get_number_of_recovered_items, &libpff_file_get_recovered_item_by_index,
                  wire::kRecovered);
        write_frame({as_bytes("Z")});
    }

private:
    static std::string name_of(libpff_item_t* folder) {
        std::size_t size = 0;
        if (libpff_folder_get_utf8_name_size(folder, &size, nullptr) != 1 || size == 0 || size > 4096) return {};
        std::string name(size, '\0');
        if (libpff_folder_get_utf8_name(folder, reinterpret_cast<std::uint8_t*>(name.data()), size, nullptr) != 1)
            return {};
        return name.substr(0, name.find('\0'));
    }

    void folder(libpff_item_t* folder, const std::string& above, int depth) {
        const std::string name = name_of(folder);
        const std::string path = above.empty() ? name : above + "/" + name;
        if (depth > kMaxFolderDepth || path.size() > 0xF000) return write_frame({as_bytes("Pdepth")});
        int messages = 0, hidden = 0, folders = 0;
        // A search folder has other folders' items ([MS-PST] section 2.2.2.1, NID_TYPE_SEARCH_FOLDER).
        std::uint32_t identifier = 0;
        const bool search = libpff_item_get_identifier(folder, &identifier, nullptr) == 1 && (identifier & 0x1F) == 3;
        const bool counted = search || libpff_folder_get_number_of_sub_messages(folder, &messages, nullptr) == 1;
        Bytes head;
        put_u8(head, 'F');
        put_u32(head, static_cast<std::uint32_t>(std::max(counted ? messages : 0, 0)));
        put(head, path);
        write_frame({head});
        if (!counted) write_frame({as_bytes("Pfolder")});
        for (int i = 0; counted && i < messages; ++i) {
            libpff_item_t* one = nullptr;
            const bool read = libpff_folder_get_sub_message(folder, i, &one, nullptr) == 1;
            item(Item(read ? one : nullptr), 0);
        }
        if (!search && libpff_folder_get_number_of_sub_associated_contents(folder, &hidden, nullptr) == 1)
            for (int i = 0; i < hidden; ++i) {
                libpff_item_t* one = nullptr;
                const bool read = libpff_folder_get_sub_associated_content(folder, i, &one, nullptr) == 1;
                item(Item(read ? one : nullptr), wire::kAssociated);
            }
        if (libpff_folder_get_number_of_sub_folders(folder, &folders, nullptr) != 1)
            return write_frame({as_bytes("Pfolder")});
        for (int i = 0; i < folders; ++i) {
            libpff_item_t* one = nullptr;
            if (libpff_folder_get_sub_folder(folder, i, &one, nullptr) != 1) {
                write_frame({as_bytes("Pfolder")});
                continue;
            }
            const Item child(one);
            this->folder(child.get(), path, depth + 1);
        }
    }

    void loose(int (*count)(libpff_file_t*, int*, libpff_error_t**),
               int (*get)(libpff_file_t*, int, libpff_item_t**, libpff_error_t**), std::uint8_t flag) {
        int items = 0;
        if (count(file_, &items, nullptr) != 1 || items <= 0) return;
        Bytes head;
        put_u8(head, 'F');
        put_u32(head, 0);
        write_frame({head});
        for (int i = 0; i < items; ++i) {
            libpff_item_t* one = nullptr;
            const bool read = get(file_, i, &one, nullptr) == 1;
            item(Item(read ? one : nullptr), flag);
        }
    }

    void item(const Item& item, std::uint8_t flags) {
        const std::uint64_t number = next_++;
        if (number < first_) return;
        std::uint32_t identifier = 0;
        if (item) (void)libpff_item_get_identifier(item.get(), &identifier, nullptr);
        Bytes head;
        put_u8(head, 'I');
        put_u64(head, number);
        put_u32(head, identifier);
        put_u8(head, flags);
        write_frame({head});
        Dump dump(most_);
        dump.put(as_bytes(wire::kPstMagic));
        const bool whole = item && write_message(item.get(), 0, dump);
        dump.flush();
        write_frame({as_bytes(whole ? "E" : "X")});
    }

    libpff_file_t* file_;
    std::uint64_t first_, most_, next_ = 0;
};

void say_what_it_is(libpff_file_t* file) {
    std::uint8_t type = 0, encryption = 0, content = 0;
    (void)libpff_file_get_type(file, &type, nullptr);
    (void)libpff_file_get_encryption_type(file, &encryption, nullptr);
    (void)libpff_file_get_content_type(file, &content, nullptr);
    Bytes head;
    put_u8(head, 'G');
    put_u8(head, type);
    put_u8(head, encryption);
    put_u8(head, content);
    write_frame({head});
}

}  // namespace

void warm_up_pst() {
    libpff_file_t* file = nullptr;
    if (libpff_file_initialize(&file, nullptr) == 1) libpff_file_free(&file, nullptr);
}

void serve_pst(std::uint64_t file_bytes) {
    static Input input;
    input.size = static_cast<off64_t>(file_bytes);
    const auto frame = read_frame();
    if (!frame) return;
    ByteReader reader(*frame);
    const auto type = reader.u8();
    const auto first = reader.u64();
    const auto most = reader.u64();
    if (!type || *type != 'S' || !first || !most) return;
    libbfio_handle_t* handle = nullptr;
    libpff_file_t* file = nullptr;
    const bool open =
        libbfio_handle_initialize(&handle, reinterpret_cast<intptr_t*>(&input), no_free, no_clone, opened, closed,
                                  read_some, no_write, seek, there, there, size_of,
                                  LIBBFIO_FLAG_IO_HANDLE_NON_MANAGED | LIBBFIO_FLAG_IO_HANDLE_CLONE_BY_FUNCTION,
                                  nullptr) == 1 &&
        libpff_file_initialize(&file, nullptr) == 1 &&
        libpff_file_open_file_io_handle(file, handle, LIBPFF_OPEN_READ, nullptr) == 1;
    if (!open) {
        write_frame({as_bytes("Pdamaged")});
        write_frame({as_bytes("Z")});
        return;
    }
    say_what_it_is(file);
    Mailbox(file, *first, *most).run();
}

}  // namespace kustos::extractor
