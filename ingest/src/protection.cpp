#include "ingest/src/protection.h"

#include <algorithm>

#include "ingest/src/mail_header.h"
#include "ingest/src/mime_entity.h"
#include "ingest/src/smime.h"

namespace kustos::ingest {

namespace {

constexpr int kMaxDepth = 8;
constexpr std::size_t kMaxEntities =
    256;                               // looked at in one mail; parts behind them are not asked whether they protect
constexpr std::size_t kMaxChecks = 4;  // signatures computed in one mail

void add(std::vector<std::string>& notes, std::string note) {
    if (std::find(notes.begin(), notes.end(), note) == notes.end()) notes.push_back(std::move(note));
}

bool starts(std::string_view text, std::string_view with) {
    return text.substr(0, with.size()) == with;
}

bool is_pkcs7_mime(const MimeEntity& entity) {
    if (entity.media_type == "application/pkcs7-mime" || entity.media_type == "application/x-pkcs7-mime") return true;
    const std::string name = lower_ascii(entity.name);
    return entity.media_type == "application/octet-stream" && name.size() > 4 && name.substr(name.size() - 4) == ".p7m";
}

// RFC 8551 section 3.1.1: signed is the text with CRLF, whatever a mailbox makes of its line ends.
Bytes with_crlf(ByteView text) {
    Bytes out;
    out.reserve(text.size() + text.size() / 32);
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r')) out.push_back('\r');
        out.push_back(text[i]);
    }
    return out;
}

class Walk {
public:
    Walk(const Limits& limits, Protection& out) : limits_(limits), out_(out) {}

    // whole: nothing but this entity is the mail, so that what hides it hides all.
    void entity(ByteView mail, const MimeEntity& at, bool whole, int depth) {
        if (depth > kMaxDepth || ++seen_ > kMaxEntities) return add(out_.notes, "limit:protection");
        const char* part = whole ? "" : "-part";
        if (at.media_type == "application/x-microsoft-rpmsg-message") return add(out_.notes, "rms:encrypted");
        if (at.media_type == "multipart/encrypted") return add(out_.notes, std::string("pgp:encrypted") + part);
        if (is_pkcs7_mime(at)) return pkcs7_mime(mail, at, part, depth);
        if (!at.is_multipart()) return;
        const auto parts = parts_directly_in(mail, at, kMaxEntities);
        if (at.media_type == "multipart/signed" && parts.size() >= 2) {
            signed_part(mail, parts[0], parts[1]);
            return entity(mail, parts[0], whole, depth + 1);
        }
        for (const MimeEntity& child : parts) entity(mail, child, whole && parts.size() == 1, depth + 1);
    }

private:
    void signed_part(ByteView mail, const MimeEntity& content, const MimeEntity& signature) {
        if (signature.media_type == "application/pgp-signature") return add(out_.notes, "pgp:signed-unchecked");
        if (signature.media_type != "application/pkcs7-signature" &&
            signature.media_type != "application/x-pkcs7-signature")
            return add(out_.notes, "signed-unchecked");
        if (checks_++ >= kMaxChecks) return add(out_.notes, "limit:smime");
        const Bytes cms = decoded_body(mail, signature);
        if (cms.size() > kMaxSignature) add(out_.notes, "limit:smime");
        const ByteView text = content.whole_of(mail);
        SignatureVerdict verdict = check_detached(cms, text);
        if (verdict.state == SignatureVerdict::State::invalid) {
            const Bytes restored = with_crlf(text);
            if (restored.size() != text.size()) {
                const SignatureVerdict again = check_detached(cms, restored);
                if (again.state == SignatureVerdict::State::valid) {
                    verdict = again;
                    add(out_.notes, "smime:line-ends-restored");
                }
            }
        }
        say(verdict);
    }

    void pkcs7_mime(ByteView mail, const MimeEntity& at, const char* part, int depth) {
        if (at.end - at.body > limits_.attachment) return add(out_.notes, "limit:smime");
        const Bytes cms = decoded_body(mail, at);
        switch (cms_kind(cms)) {
            case CmsKind::enveloped_data:
                return add(out_.notes, std::string("smime:encrypted") + part);
            case CmsKind::signed_data:
                return signed_data(cms, depth);
            case CmsKind::compressed_data:
                return add(out_.notes, "smime:compressed");
            default:
                if (at.smime_type == "enveloped-data") return add(out_.notes, std::string("smime:encrypted") + part);
                add(out_.notes, "smime:unreadable");
        }
    }

    void signed_data(ByteView cms, int depth) {
        if (at_smime_limit(cms)) return;
        auto opened = open_signed(cms);
        if (!opened) return add(out_.notes, "smime:signature-unreadable");
        say(opened->verdict);
        const MimeEntity root = entity_at(opened->content, 0, opened->content.size());
        if (is_pkcs7_mime(root)) return entity(opened->content, root, true, depth + 1);  // signed, then encrypted
        entity(opened->content, root, true, depth + 1);
        out_.inside.push_back(std::move(opened->content));
    }

    bool at_smime_limit(ByteView cms) {
        if (cms.size() <= kMaxSignedContent && checks_++ < kMaxChecks) return false;
        add(out_.notes, "limit:smime");
        return true;
    }

    void say(const SignatureVerdict& verdict) {
        using State = SignatureVerdict::State;
        const char* word = verdict.state == State::valid            ? "smime:signature-valid"
                           : verdict.state == State::invalid        ? "smime:signature-invalid"
                           : verdict.state == State::unknown_signer ? "smime:signature-unknown-signer"
                                                                    : "smime:signature-unreadable";
        add(out_.notes, word);
        for (const Hash& signer : verdict.signers) add(out_.notes, "smime:signer-sha256:" + signer.hex());
        if (verdict.weak_digest) add(out_.notes, "smime:weak-digest");
    }

    const Limits& limits_;
    Protection& out_;
    std::size_t seen_ = 0, checks_ = 0;
};

}  // namespace

Protection protection_of(ByteView mail, const Limits& limits) {
    Protection out;
    Walk(limits, out).entity(mail, entity_at(mail, 0, mail.size()), true, 0);
    return out;
}

void note_inline_pgp(std::string_view body, std::vector<std::string>& notes) {
    constexpr std::string_view kBegin = "-----BEGIN PGP MESSAGE-----", kEnd = "-----END PGP MESSAGE-----",
                               kSigned = "-----BEGIN PGP SIGNED MESSAGE-----";
    const std::string_view text = trim(body);
    const auto has_line = [&](std::string_view line) {
        return starts(text, line) || text.find("\n" + std::string(line)) != std::string_view::npos;
    };
    if (has_line(kBegin)) {
        const bool all =
            starts(text, kBegin) && text.size() > kEnd.size() && text.find(kEnd) == text.size() - kEnd.size();
        add(notes, all ? "pgp:encrypted" : "pgp:encrypted-part");
    }
    if (has_line(kSigned)) add(notes, "pgp:signed-unchecked");
}

void withdraw_verdict(std::vector<std::string>& notes) {
    const auto is_verdict = [](const std::string& note) {
        return starts(note, "smime:signature-") || starts(note, "smime:signer-") || note == "smime:weak-digest" ||
               note == "smime:line-ends-restored";
    };
    const auto end = std::remove_if(notes.begin(), notes.end(), is_verdict);
    if (end == notes.end()) return;
    notes.erase(end, notes.end());
    add(notes, "smime:signature-not-checked");
}

}  // namespace kustos::ingest
