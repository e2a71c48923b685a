// What control entries say about other files.
#include <cstdio>

#include "audit/src/token_folder.h"
#include "audit/src/verify_archive_check.h"

namespace kustos::audit {

void ArchiveCheck::take_control(EntryIndex index, const Entry& entry, const std::string& where) {
    const auto body = BodyReader::parse(entry.body);
    if (!body.ok()) return;  // decode_entry has refused it already
    switch (*control_action(entry)) {
        case ControlAction::source_added:
            sources_.insert(static_cast<std::uint32_t>(index.value));
            sequence_.try_emplace(static_cast<std::uint32_t>(index.value), 0);  // a state names it, too
            break;
        case ControlAction::checkpoint_published: {
            const auto size = body->find_u64(Tag::checkpoint_size);
            const auto hash = body->find_hash(Tag::note_hash);
            const Published* note = size && *size <= index.value ? published(*size) : nullptr;
            if (!hash || note == nullptr || !(note->note == *hash)) {
                report_.problem("ledger.chain", where, "names a published checkpoint that is missing or another one");
            } else {
                unnamed_.erase(*size);
            }
            break;
        }
        case ControlAction::anchor_stored:
            take_named_token(*body, where);
            break;
        case ControlAction::evidence_renewed: {
            const auto number = body->find_u32(Tag::renewal);
            const auto manifest = body->find_hash(Tag::manifest_hash);
            const auto token = body->find_hash(Tag::token_hash);
            if (!number || !manifest || !token) {
                report_.problem("ledger.chain", where, "names no renewal");
            } else {
                renewals_[*number].push_back({*manifest, *token});
            }
            break;
        }
        case ControlAction::key_rotated: {
            // The announcement may be there while the new key is not in use yet; the reverse can't be.
            const auto vkey = body->find_text(Tag::vkey);
            if (!vkey || !VerifierKey::parse(*vkey).ok()) {
                report_.problem("key.rotation", where, "names no key");
                break;
            }
            const auto& steps = history_->steps();
            const VerifierKey key = *VerifierKey::parse(*vkey);
            bool in_use = false;
            for (std::size_t i = 1; i < steps.size(); ++i) {
                if (steps[i].entry == index && steps[i].leaf == leaf_hash(encode(entry))) ++announced_;
                in_use = in_use || steps[i].key == key;
            }
            if (!in_use) report_.remark(RemarkCode::announced_only, {std::to_string(index.value)});
            break;
        }
        case ControlAction::archive_continued: {
            const auto root = body->find_hash(Tag::root);
            bool known = false;
            for (const KeyHistory::Step& step : history_->steps()) {
                if (step.continuation && step.entry == index && step.leaf == leaf_hash(encode(entry))) known = true;
            }
            if (!known) {
                report_.problem("ledger.continuation", where, "continues the ledger under a key that is not known");
                break;
            }
            ++announced_;
            if (!root || !(*root == root_so_far_))
                report_.problem("ledger.continuation", where, "goes on from another ledger than the entries before");
            const std::uint64_t until = body->find_u64(Tag::remembered_size).value_or(0);
            report_.remark("what the ledger before held beyond entry " + std::to_string(index.value) +
                           (until > index.value ? ": " + std::to_string(until - index.value) +
                                                      " entries or more are lost, and the archive says so"
                                                : ": it was continued there under a new name"));
            break;
        }
        case ControlAction::tree_opened:
            check_box(*body, Tag::tree, "tree", where);
            break;
        case ControlAction::shard_opened:
            check_box(*body, Tag::shard, "shard", where);
            break;
        case ControlAction::generation_opened: {
            const auto generation = body->find_u32(Tag::generation);
            const auto hash = body->find_hash(Tag::keyring_hash);
            if (generation && hash) generation_ = {*generation, *hash};
            judge_.take_erasure(index, entry);
            break;
        }
        default:
            break;
    }
}

void ArchiveCheck::check_box(const BodyReader& body, Tag number, const char* purpose, const std::string& where) {
    const auto id = body.find_u32(number);
    const auto hash = body.find_hash(Tag::box_hash);
    if (!fs_.exists(dir_ / "keys")) return;  // an auditor without keys/
    if (!id || !hash) {
        report_.problem("ledger.chain", where, "names no sealed box");
        return;
    }
    for (const char copy : {'a', 'b'}) {
        char name[40];
        std::snprintf(name, sizeof name, "%s-%08x.%c", purpose, *id, copy);
        const auto bytes = read_file(fs_, dir_ / "keys" / "boxes" / name, 64 * 1024);
        if (!bytes.ok() && bytes.error().code() == Code::not_found) {
            absent_boxes_.push_back({name, where, body.find_u32(Tag::generation).value_or(~0U)});
        } else if (!bytes.ok() || !(sha256(*bytes) == *hash)) {
            report_box(name, where);
        }
    }
    report_.checked["boxes"] += 1;
}

void ArchiveCheck::report_box(const std::string& name, const std::string& where) {
    report_.problem("keys.box", "keys/boxes/" + name, "is missing or not the one that " + where + " names");
}

void ArchiveCheck::judge_absent_boxes() {
    for (const AbsentBox& box : absent_boxes_) {
        if (!generation_ || box.generation >= generation_->first) report_box(box.name, box.where);
    }
}

void ArchiveCheck::finish_chain() {
    if (!complete_) return;
    for (const auto& [key, met] : met_) {
        const std::string where = where_of(met.span) + "/" + token_file(met.number);
        if (key.first == newest_span_ && named_sizes_ < newest_span_) {
            report_.remark(where + ": the entry that names it is still to come");
        } else {
            report_.problem("anchor.token", where, "is not the token that its entry names");
        }
    }
    for (const std::uint64_t size : missing_)
        report_.problem("anchor.missing", "ledger/anchors (size " + std::to_string(size) + ")",
                        "a token that an entry names is not there");
    judge_absent_boxes();
    if (generation_) judge_.judge_keys(generation_->first);
    if (generation_ && fs_.exists(dir_ / "keys")) {
        const std::string name = "generation-" + std::to_string(generation_->first);
        const auto page = read_file(fs_, dir_ / "keys" / name / "root", 64u << 20);
        if (!page.ok() || !(sha256(*page) == generation_->second))
            report_.problem("keys.box", "keys/" + name + "/root", "is missing or not the one that its entry names");
    }
    if (!fs_.exists(dir_ / "keys")) report_.remark("sealed keys: keys/ is not here");
    for (const std::uint64_t size : unnamed_) {
        // The newest may wait for its entry: a crash between the file and the entry leaves it so.
        if (size != published_sizes_.back())
            report_.problem("checkpoint.published", published_name(size), "no entry names it");
    }
    if (since_ != nullptr) report_.remark(RemarkCode::verified_before, {std::to_string(from_)});
}

}  // namespace kustos::audit
