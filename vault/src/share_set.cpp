#include "vault/share_set.h"

#include <algorithm>

namespace kustos::vault {

namespace {
std::string date_of(UtcTime time) {
    return format_rfc3339(time).substr(0, 10);
}

std::string slip_text(const ShareSlip& slip, bool german) {
    const auto place = [&](const char* de, const char* en) {
        return german
                   ? std::string(de) + ": Zeile " + std::to_string(slip.line) + ", Gruppe " + std::to_string(slip.group)
                   : std::string(en) + ": line " + std::to_string(slip.line) + ", group " + std::to_string(slip.group);
    };
    switch (slip.kind) {
        case ShareSlip::Kind::letter:
            return place("ein Zeichen, das in keinem Anteil vorkommt", "a sign that no share has");
        case ShareSlip::Kind::group:
            return place("ein Tippfehler", "a slip of typing");
        case ShareSlip::Kind::length:
            return place("Zeichen fehlen oder sind zu viel, ab hier", "letters are missing or too many, from here on");
        case ShareSlip::Kind::version:
            return german ? "das ist kein Anteil, den diese Version kennt" : "this is no share that this version knows";
        case ShareSlip::Kind::whole:
            break;
    }
    return german ? "ein Tippfehler, dessen Stelle sich nicht finden lässt" : "a slip of typing that can't be placed";
}
}  // namespace

Bytes encode(const ShareSetInfo& info) {
    Bytes out;
    put_u32(out, info.set);
    put_u8(out, static_cast<std::uint8_t>(info.threshold));
    put_u8(out, static_cast<std::uint8_t>(info.count()));
    for (const Hash& check : info.checks) put(out, check.view());
    put_u8(out, static_cast<std::uint8_t>(info.old.size()));
    for (const ShareSetInfo::Old& old : info.old) {
        put_u32(out, old.set);
        put_u64(out, static_cast<std::uint64_t>(old.replaced.ms));
    }
    return out;
}

Result<ShareSetInfo> decode_share_set(ByteView bytes) {
    ByteReader in(bytes);
    ShareSetInfo info;
    info.set = TRY(in.u32());
    info.threshold = TRY(in.u8());
    info.checks.resize(TRY(in.u8()));
    if (info.threshold < 2 || info.threshold > info.count() || info.count() > kMostShares || info.set >> 24 != 0)
        return Error(Code::corrupt, "keys/slots: a set of shares that can't be");
    for (Hash& check : info.checks) check = TRY(Hash::from(TRY(in.take(32))));
    info.old.resize(TRY(in.u8()));
    if (info.old.size() > kMostOldSets) return Error(Code::corrupt, "keys/slots: too many old sets of shares");
    for (ShareSetInfo::Old& old : info.old) {
        old.set = TRY(in.u32());
        old.replaced.ms = static_cast<std::int64_t>(TRY(in.u64()));
    }
    TRY(in.expect_end());
    return info;
}

Hash share_check(const VaultId& vault, const Share& share) {
    Bytes place;
    put_u32(place, share.set);
    for (const unsigned n : {share.threshold, share.count, share.number}) put_u8(place, static_cast<std::uint8_t>(n));
    return sha256({as_bytes("kustos1/share"), vault.view(), place, share.value.view()});
}

std::string set_name(std::uint32_t set) {
    Bytes bytes;
    put_u32(bytes, set);
    return hex(ByteView(bytes).subspan(1));
}

std::string share_answer_text(const ShareAnswer& a, bool german) {
    const std::string which = a.number == 0 ? (german ? "der Anteil" : "the share")
                                            : (german ? "Anteil " : "share ") + std::to_string(a.number);
    switch (a.kind) {
        case ShareAnswer::Kind::good:
            return which + (german ? " ist richtig" : " is right");
        case ShareAnswer::Kind::slip:
            return which + (german ? " ist nicht lesbar: " : " can't be read: ") + slip_text(a.slip, german);
        case ShareAnswer::Kind::twice:
            return which + (german ? " wurde schon gegeben" : " was given already");
        case ShareAnswer::Kind::old_set:
            return which + (german ? " ist aus dem Satz " : " is of the set ") + set_name(a.set) +
                   (german ? ", der am " : ", which was replaced on ") + date_of(*a.replaced) +
                   (german ? " ersetzt wurde" : "");
        case ShareAnswer::Kind::other_set:
            return which + (german ? " ist aus dem Satz " : " is of the set ") + set_name(a.set) +
                   (german ? ", der nicht zu diesem Archiv gehört" : ", which is not this archive's");
        case ShareAnswer::Kind::not_genuine:
            break;
    }
    return which + (german ? " nennt den richtigen Satz, ist aber nicht der, der ausgegeben wurde"
                           : " names the right set, but is not the one that was handed out");
}

ShareAnswer ShareDesk::give(ByteView text) {
    using Kind = ShareAnswer::Kind;
    ShareReading read = read_share(text);
    ShareAnswer answer;
    answer.slip = read.slip;
    if (!read.share) return answer;
    Share& share = *read.share;
    answer.number = share.number;
    answer.set = share.set;
    const auto wrong = [&answer](Kind kind) {
        answer.kind = kind;
        return answer;
    };
    if (share.set != info_.set) {
        const auto old = std::find_if(info_.old.begin(), info_.old.end(),
                                      [&](const ShareSetInfo::Old& o) { return o.set == share.set; });
        if (old == info_.old.end()) return wrong(Kind::other_set);
        answer.replaced = old->replaced;
        return wrong(Kind::old_set);
    }
    if (share.threshold != info_.threshold || share.count != info_.count() ||
        !(share_check(vault_, share) == info_.checks[share.number - 1]))
        return wrong(Kind::not_genuine);
    if (std::any_of(shares_.begin(), shares_.end(), [&](const Share& s) { return s.number == share.number; }))
        return wrong(Kind::twice);
    shares_.push_back(std::move(share));
    return wrong(Kind::good);
}

std::vector<unsigned> ShareDesk::numbers() const {
    std::vector<unsigned> out;
    for (const Share& share : shares_) out.push_back(share.number);
    std::sort(out.begin(), out.end());
    return out;
}

std::vector<SecretBytes> ShareDesk::texts() const {
    std::vector<SecretBytes> out;
    for (const Share& share : shares_) out.push_back(share_text(share));
    return out;
}

Result<SecretBytes> ShareDesk::secret() const {
    return join_shares(shares_);
}

}  // namespace kustos::vault
