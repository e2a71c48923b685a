#include "ingest/src/registry.h"

#include <algorithm>

#include "base/text.h"
#include "ingest/src/all_formats.h"
#include "ingest/src/mail_header.h"

namespace kustos::ingest {

namespace {

constexpr std::size_t kMemberLook = 16u << 10;

std::string start_of_file(const Path& path, std::size_t most, Status& status) {
    std::string out(most, '\0');
    std::size_t at = 0;
    auto source = file_source(path);
    if (!source.ok()) {
        status = source.error();
        return {};
    }
    while (at < out.size()) {
        const auto got = (*source)->read({reinterpret_cast<std::uint8_t*>(out.data()) + at, out.size() - at});
        if (!got.ok()) {
            status = got.error();
            return {};
        }
        if (*got == 0) break;
        at += *got;
    }
    out.resize(at);
    return out;
}

}  // namespace

Result<Sample> Sample::of(const Path& path, const ReadContext& context) {
    Sample out(path, context);
    out.kind_ = kind_of(path);
    if (out.kind_ == FileKind::absent) return Error(Code::not_found, "input is absent");
    if (out.kind_ != FileKind::file) return out;
    Status status;
    out.start_ = start_of_file(path, kLook, status);
    TRY(std::move(status));
    const std::string_view start = out.start_;
    out.zip_ = start.substr(0, 4) == "PK\x03\x04" || start.substr(0, 4) == "PK\x05\x06";
    out.binary_ = start.find('\0') != std::string_view::npos;
    return out;
}

std::string_view Sample::text() const {
    std::string_view out = start_;
    if (out.substr(0, 3) == "\xEF\xBB\xBF") out.remove_prefix(3);
    while (!out.empty() && (out.front() == '\n' || out.front() == '\r' || out.front() == ' ' || out.front() == '\t'))
        out.remove_prefix(1);
    return out;
}

bool Sample::has_ending(std::string_view ending) const {
    return iequals(path_.extension().string(), ending);
}

const Container* Sample::container() const {
    if (opened_) return container_.get();
    opened_ = true;
    if (zip_) {
        if (auto opened = open_zip(path_, *context_); opened.ok()) container_ = std::move(*opened);
    } else if (is_folder()) {
        if (auto opened = open_folder(path_); opened.ok()) container_ = std::move(*opened);
    }
    return container_.get();
}

bool Sample::has(std::string_view member) const {
    if (is_folder()) return kind_of(path_ / member) != FileKind::absent;
    return container() && container()->find(member);
}

// Of a folder only what is directly in it: folders are asked at every level of a walk.
bool Sample::has_member_ending(std::string_view ending) const {
    const auto ends = [&](std::string_view name) {
        return name.size() >= ending.size() && iequals(name.substr(name.size() - ending.size()), ending);
    };
    if (is_folder()) {
        RealFs fs;
        const auto names = fs.list(path_);
        return names.ok() && std::any_of(names->begin(), names->end(), ends);
    }
    if (!container()) return false;
    const auto& members = container()->members();
    return std::any_of(members.begin(), members.end(), [&](const auto& m) { return ends(m.first); });
}

std::string Sample::member_starting(std::string_view name) const {
    if (is_folder()) {
        Status ignored;
        return kind_of(path_ / name) == FileKind::file ? start_of_file(path_ / name, kMemberLook, ignored) : "";
    }
    const ArchiveMember* member = container() ? container()->find(name) : nullptr;
    std::string out;
    if (!member) return out;
    // Ending a zip member's reading early ends its worker: small ones are read whole, large ones cost one more worker.
    (void)container_->read(*member, UINT64_MAX, [&](ByteView piece) -> Status {
        out += as_text(piece.first(std::min(piece.size(), kMemberLook - out.size())));
        if (out.size() >= kMemberLook && member->size > (8u << 20)) return Error(Code::interrupted, "enough");
        return ok_status();
    });
    if (out.size() >= kMemberLook && member->size > (8u << 20)) opened_ = false;
    return out;
}

const std::vector<const Format*>& all_formats() {
    // Where two are as certain, the earlier one is taken.
    static const std::vector<const Format*> all = {
        &kMaildirFormat,
        &kMsgFormat,
        &kPstFormat,
        &kMboxFormat,
        &kEmlFormat,
        &kMattermostCsvFormat,
        &kMattermostActianceFormat,
        &kMattermostGlobalRelayFormat,
        &kMattermostBulkFormat,
        &kMattermostLegalHoldFormat,
        &kElementFormat,
        &kMatrixFormat,
        &kSynapseFormat,
        &kTeamsFormat,
        &kXmppFormat,
        &kRsmfFormat,
        &kSlackFormat,
        &kSlackdumpFormat,
        &kRocketchatFormat,
        &kTelegramFormat,
        &kSignalCliFormat,
        &kSigexportFormat,
        &kZulipFormat,
        &kWhatsappFormat,
        &kSidecarFormat,
        &kStreamFormat,
        &kEmlTreeFormat,
    };
    return all;
}

const Format* format_of(const FormatInfo* info) {
    for (const Format* format : all_formats())
        if (&format->info == info) return format;
    return nullptr;
}

const std::vector<const FormatInfo*>& formats() {
    static const std::vector<const FormatInfo*> all = [] {
        std::vector<const FormatInfo*> out;
        for (const Format* format : all_formats()) out.push_back(&format->info);
        return out;
    }();
    return all;
}

const FormatInfo* find_format(std::string_view name) {
    name = name.substr(0, name.find('/'));
    for (const FormatInfo* format : formats())
        if (format->name == name) return format;
    return nullptr;
}

Result<const FormatInfo*> parse_format_name(std::string_view name) {
    if (name == "auto") return static_cast<const FormatInfo*>(nullptr);
    for (const FormatInfo* format : formats())
        if (format->name == name) return format;
    std::string known = "formats: auto";
    for (const FormatInfo* format : formats()) known += ", " + std::string(format->name);
    return Error(Code::not_in_version, "not in this version: this format").with_hint(known);
}

Result<Detection> detect(const Path& path, const ReadContext& context) {
    const Sample sample = TRY(Sample::of(path, context));
    Detection out;
    for (const Format* format : all_formats()) {
        if (sample.is_folder() && !format->folders) continue;
        const Certainty certainty = format->looks(sample);
        if (certainty == Certainty::no) continue;
        if (certainty > out.certainty) {
            out = {&format->info, certainty, nullptr};
        } else if (certainty == out.certainty && !out.rival) {
            out.rival = &format->info;
        }
    }
    return out;
}

}  // namespace kustos::ingest
