#include "export/src/digest.h"

#include <algorithm>
#include <set>
#include <unordered_map>

#include "export/src/text_safety.h"

namespace kustos::exporting {
namespace {

using vault::Message;
using vault::MessageKind;

struct Pending {  // relations by native id, resolved when all are known
    std::string reply_to, thread, target, source;
};

std::string short_name(const vault::Person& person) {
    const std::string& best = !person.name.empty() ? person.name : !person.address.empty() ? person.address : person.id;
    return frame_text(best, 60);
}

std::string key_of(const std::string& source, const std::string& id) {
    return source + '\0' + id;
}

class Reader {
public:
    explicit Reader(RecordSource& records) : records_(records) {}

    Result<Transcript> run() {
        const std::size_t count = records_.count();
        out_.records.reserve(count);
        for (std::size_t i = 0; i < count; ++i) read(TRY(records_.at(i)), i);
        for (std::size_t i = 0; i < pending_.size(); ++i) relate(i);
        for (Group& group : out_.groups) sort(group.records);
        for (Digest& digest : out_.records) {
            for (auto* list : {&digest.edits, &digest.deletions, &digest.reactions, &digest.replies}) sort(*list);
        }
        std::stable_sort(out_.groups.begin(), out_.groups.end(), [&](const Group& a, const Group& b) {
            if (a.mail != b.mail) return b.mail;
            return earlier(a.records.front(), b.records.front());
        });
        return std::move(out_);
    }

private:
    void read(const BundleRecord& record, std::size_t position) {
        const Message& m = record.message;
        Digest digest;
        digest.position = position;
        digest.entry = record.entry;
        digest.kind = m.kind;
        digest.when = m.sent_at.value_or(m.received_at);
        digest.who = short_name(m.sender);
        if (m.kind == MessageKind::reaction) digest.reaction = frame_text(m.body, 64);
        const std::size_t index = out_.records.size();
        if (!m.native_id.empty()) by_id_.emplace(key_of(record.source, m.native_id), index);
        pending_.push_back({m.reply_to, m.thread, m.target, record.source});
        out_.attachments += m.attachments.size();
        if (record.original_path.empty()) ++out_.without_original;
        if (!out_.first || digest.when < *out_.first) out_.first = digest.when;
        if (!out_.last || digest.when > *out_.last) out_.last = digest.when;
        if (index == 0 || record.entry < out_.first_entry) out_.first_entry = record.entry;
        if (index == 0 || record.entry > out_.last_entry) out_.last_entry = record.entry;
        out_.records.push_back(std::move(digest));
        join_group(record, index);
    }

    void join_group(const BundleRecord& record, std::size_t index) {
        const Message& m = record.message;
        const bool mail = m.kind == MessageKind::mail;
        std::string key = "mail";  // mails stand in one chapter by time; threads are referenced
        if (!mail)
            key = m.conversation.empty() ? "none"
                                         : "c" + key_of(record.source, m.conversation.id.empty() ? m.conversation.title
                                                                                                 : m.conversation.id);
        const auto [found, is_new] = by_group_.emplace(key, out_.groups.size());
        if (is_new) {
            out_.groups.emplace_back();
            people_.emplace_back();
        }
        Group& group = out_.groups[found->second];
        group.mail = mail;
        if (!mail && group.title.empty()) group.title = frame_text(m.conversation.title, 160);
        if (group.type == vault::ConversationType::unknown) group.type = m.conversation.type;
        const std::string source = frame_text(record.source, 60);
        if (std::find(group.sources.begin(), group.sources.end(), source) == group.sources.end() &&
            group.sources.size() < 8)
            group.sources.push_back(source);
        std::set<std::string>& people = people_[found->second];
        const std::string& who = out_.records[index].who;
        if (!who.empty() && people.size() < 10'000 && people.insert(who).second) {
            if (group.people.size() < kMaxPeople)
                group.people.push_back(who);
            else
                ++group.more_people;
        }
        if (is_new || m.received_at < group.received_first) group.received_first = m.received_at;
        if (is_new || m.received_at > group.received_last) group.received_last = m.received_at;
        group.records.push_back(index);
    }

    void relate(std::size_t index) {
        const Pending& p = pending_[index];
        Digest& digest = out_.records[index];
        digest.target = find(p, p.target, index);
        digest.reply_to = find(p, p.reply_to.empty() ? p.thread : p.reply_to, index);
        if (digest.target != kNone) {
            Digest& target = out_.records[digest.target];
            if (digest.kind == MessageKind::edit) target.edits.push_back(index);
            if (digest.kind == MessageKind::deletion) target.deletions.push_back(index);
            if (digest.kind == MessageKind::reaction) target.reactions.push_back(index);
        }
        if (digest.reply_to != kNone) out_.records[digest.reply_to].replies.push_back(index);
    }

    std::size_t find(const Pending& p, const std::string& id, std::size_t self) const {
        if (id.empty()) return kNone;
        const auto found = by_id_.find(key_of(p.source, id));
        return found == by_id_.end() || found->second == self ? kNone : found->second;
    }

    bool earlier(std::size_t a, std::size_t b) const {
        const Digest &x = out_.records[a], &y = out_.records[b];
        if (x.when != y.when) return x.when < y.when;
        if (x.entry != y.entry) return x.entry < y.entry;
        return a < b;
    }
    void sort(std::vector<std::size_t>& indices) const {
        std::sort(indices.begin(), indices.end(), [&](std::size_t a, std::size_t b) { return earlier(a, b); });
    }

    RecordSource& records_;
    Transcript out_;
    std::vector<Pending> pending_;
    std::vector<std::set<std::string>> people_;
    std::unordered_map<std::string, std::size_t> by_id_, by_group_;
};

}  // namespace

Result<Transcript> read_transcript(RecordSource& records) {
    return Reader(records).run();
}

}  // namespace kustos::exporting
