// Compound files ([MS-CFB], "OLE"): the container of Outlook's .msg. Our own reader: bounded, pure; loops and broken
// chains end what they are part of and nothing else.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace kustos::ingest {

bool is_compound_file(ByteView file);  // by its signature

class CompoundFile {
public:
    struct Entry {
        std::string name;  // UTF-8
        bool storage = false;
        std::uint64_t size = 0;  // of a stream
        std::uint32_t start = 0;
        std::vector<std::uint32_t> children;  // of a storage, as indices
    };
    // nullopt: no compound file, or its tables are broken. The bytes must outlive it.
    static std::optional<CompoundFile> open(ByteView file);
    const Entry& root() const { return entries_[0]; }
    const Entry& entry(std::uint32_t index) const { return entries_[index]; }
    const Entry* find(const Entry& storage, std::string_view name) const;  // a child, by exact name
    // nullopt: damaged. where, if given, says where it stands in the file if that is one piece.
    std::optional<Bytes> read(const Entry& stream, std::optional<std::uint64_t>* where = nullptr) const;

private:
    explicit CompoundFile(ByteView file) : file_(file) {}
    bool read_header();
    bool read_allocation();
    bool read_directory();
    void read_children(std::uint32_t of, std::uint32_t first, std::vector<bool>& seen);
    std::optional<ByteView> sector(std::uint32_t number) const;
    std::optional<std::vector<std::uint32_t>> chain(const std::vector<std::uint32_t>& table, std::uint32_t first,
                                                    std::uint64_t most) const;
    std::optional<Bytes> read_sectors(std::uint32_t first) const;

    struct Links {
        std::uint32_t left, right, child;
    };
    ByteView file_;
    std::size_t sector_size_ = 512;
    std::uint32_t directory_start_ = 0, mini_start_ = 0, difat_start_ = 0;
    std::vector<std::uint32_t> allocation_, mini_allocation_;
    std::vector<Entry> entries_;
    std::vector<Links> links_;
    Bytes mini_stream_;
};

}  // namespace kustos::ingest
