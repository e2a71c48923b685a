// The near side of unpacking: checks every name, size and limit itself; the worker is not trusted.
#include "ingest/src/unpacked.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/text.h"
#include "ingest/src/extract_wire.h"

namespace kustos::ingest {

namespace {

class WorkerArchive final : public UnpackedArchive {
public:
    WorkerArchive(std::unique_ptr<Worker> worker, std::uint64_t archive_bytes, const UnpackLimits& limits,
                  std::int64_t timeout_ms)
        : worker_(std::move(worker)), archive_bytes_(archive_bytes), limits_(limits), timeout_ms_(timeout_ms) {}

    const std::vector<ArchiveMember>& members() const override { return members_; }
    const std::vector<std::string>& problems() const override { return problems_; }

    void take_list() {
        std::uint64_t listed = 0;
        for (;;) {
            const auto frame = worker_->receive(wire::kDataFrame, timeout_ms_);
            if (!frame) return lost(frame.error());
            const std::uint8_t type = frame->front();
            if (type == 'E') break;
            if (type == 'P') {
                problem("zip:damaged");
            } else if (type != 'L' || !take_member(*frame)) {
                return lost(Error(Code::corrupt, "no member"));
            }
            if (++listed > limits_.members) {
                problem("zip:limit");
                worker_.reset();
                members_.clear();
                return;
            }
        }
        drop_duplicates();
        check_ratio();
    }

    using UnpackedArchive::read;
    Status read(std::uint32_t index, std::uint64_t max_bytes, const ByteSink& sink) override {
        const auto member =
            std::find_if(members_.begin(), members_.end(), [&](const ArchiveMember& m) { return m.index == index; });
        if (member == members_.end()) return Error(Code::not_found, "no such member");
        if (!worker_) return Error(Code::bad_input, "archive can't be read any more");
        const std::uint64_t most = std::min({max_bytes, limits_.member_bytes, limits_.total_bytes - read_});
        if (member->size > most) {
            problem("zip:limit");
            return Error(Code::limit, "member too large");
        }
        Bytes request;
        put_u8(request, 'R');
        put_u32(request, index);
        put_u64(request, most);
        if (const Status sent = worker_->send({request}, timeout_ms_); !sent) return broken(sent.error());
        return receive_content(most, sink);
    }

private:
    Status receive_content(std::uint64_t most, const ByteSink& sink) {
        std::uint64_t size = 0;
        for (;;) {
            const auto frame = worker_->receive(wire::kDataFrame + 1, timeout_ms_);
            if (!frame) return broken(frame.error());
            switch (frame->front()) {
                case 'D':
                    size += frame->size() - 1;
                    if (size > most) return broken(Error(Code::corrupt, "more than asked for"));
                    if (const Status taken = sink(ByteView(*frame).subspan(1)); !taken.ok()) {
                        worker_.reset();
                        return taken;
                    }
                    break;
                case 'E':
                    read_ += size;
                    return ok_status();
                case 'P':
                    if (as_text(ByteView(*frame).subspan(1)) == "limit") {
                        problem("zip:bomb");  // it is longer than its own header says
                        return Error(Code::limit, "member too large");
                    }
                    problem("zip:damaged");
                    return Error(Code::bad_input, "member is damaged");
                default:
                    return broken(Error(Code::corrupt, "no content"));
            }
        }
    }

    bool take_member(ByteView frame) {
        ByteReader reader(frame.subspan(1));
        const auto index = reader.u32();
        const auto size = reader.u64();
        const auto flags = reader.u8();
        const auto length = reader.u16();
        if (!index || !size || !flags || !length) return false;
        const auto name = reader.take(*length);
        if (!name || !reader.at_end()) return false;
        if (*flags & wire::kFolder) return true;
        if (*flags & wire::kLink) return problem("zip:link"), true;
        if (*flags & wire::kEncrypted) return problem("zip:encrypted"), true;
        if (*flags & wire::kSpecial) return problem("zip:special"), true;
        auto path = RelPath::parse(as_text(*name));
        if (!path || (*flags & wire::kNoName)) return problem("zip:slip"), true;
        members_.push_back({*index, path->text(), *size});
        return true;
    }

    // Readers disagree on which of two equal names counts: none does.
    void drop_duplicates() {
        std::map<std::string, int> seen;
        for (const ArchiveMember& member : members_) ++seen[member.path];
        const auto twice = [&](const ArchiveMember& member) { return seen[member.path] > 1; };
        const auto end = std::remove_if(members_.begin(), members_.end(), twice);
        if (end != members_.end()) problem("zip:duplicate-name");
        members_.erase(end, members_.end());
    }

    void check_ratio() {
        std::uint64_t total = 0;
        for (const ArchiveMember& member : members_)
            total = member.size > UINT64_MAX - total ? UINT64_MAX : total + member.size;
        const bool bomb = total > limits_.ratio_from_bytes && total / limits_.ratio > archive_bytes_;
        if (!bomb && total <= limits_.total_bytes) return;
        problem(bomb ? "zip:bomb" : "zip:limit");
        members_.clear();
        worker_.reset();
    }

    void problem(std::string_view word) {
        if (std::find(problems_.begin(), problems_.end(), word) == problems_.end()) problems_.emplace_back(word);
    }
    void lost(const Error& error) {
        problem(error.code() == Code::interrupted ? "zip:time-out" : "zip:crashed");
        worker_.reset();
        members_.clear();
    }
    Error broken(const Error& error) {
        problem(error.code() == Code::interrupted ? "zip:time-out" : "zip:crashed");
        worker_.reset();
        return Error(Code::bad_input, "archive can't be read any more");
    }

    std::unique_ptr<Worker> worker_;
    std::uint64_t archive_bytes_;
    UnpackLimits limits_;
    std::int64_t timeout_ms_;
    std::uint64_t read_ = 0;
    std::vector<ArchiveMember> members_;
    std::vector<std::string> problems_;
};

}  // namespace

Result<std::unique_ptr<UnpackedArchive>> open_unpacked(std::unique_ptr<Worker> worker, std::uint64_t archive_bytes,
                                                       const UnpackLimits& limits, std::int64_t timeout_ms) {
    auto archive = std::make_unique<WorkerArchive>(std::move(worker), archive_bytes, limits, timeout_ms);
    archive->take_list();
    return std::unique_ptr<UnpackedArchive>(std::move(archive));
}

}  // namespace kustos::ingest
