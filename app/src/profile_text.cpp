// A capture profile as people write it, and as a staff council reads it.
#include <algorithm>
#include <array>

#include "app/source_desk.h"
#include "base/config.h"

namespace kustos::app {

namespace {

using vault::CaptureProfile;
using vault::MessageKind;
using Who = vault::AssignmentRule::Who;

struct KindWords {
    MessageKind kind;
    const char *de, *en;
};
constexpr std::array<KindWords, 13> kKinds{{
    {MessageKind::mail, "E-Mails", "mails"},
    {MessageKind::envelope, "Zustellberichte von Journalen", "journal reports"},
    {MessageKind::person, "Adressbucheinträge", "address-book entries"},
    {MessageKind::chat, "Chatnachrichten", "chat messages"},
    {MessageKind::file, "Dateien", "files"},
    {MessageKind::call, "Anrufe (wer, wann, wie lange)", "calls (who, when, how long)"},
    {MessageKind::voice, "Sprachnachrichten", "voice messages"},
    {MessageKind::status, "Statusmeldungen", "status messages"},
    {MessageKind::edit, "Bearbeitungen", "edits"},
    {MessageKind::deletion, "Löschungen", "deletions"},
    {MessageKind::reaction, "Reaktionen", "reactions"},
    {MessageKind::join, "Beitritte", "joins"},
    {MessageKind::leave, "Austritte", "leaves"},
}};

const std::vector<std::string_view>& known_keys() {
    static const std::vector<std::string_view> keys = {"kinds_out", "read_receipts", "presence",
                                                       "typing",    "location",      "rooms_in",
                                                       "rooms_out", "persons_in",    "persons_out"};
    return keys;
}

Error not_understood(const std::string& what) {
    return Error(Code::usage, "the profile is not understood: " + what).with_hint("kustos source profile --help");
}

Result<bool> flag(const Config& config, std::string_view key) {
    const std::string text = config.text(key, "no");
    if (config.list(key).size() > 1) return not_understood(std::string(key) + " takes yes or no");
    if (text == "yes" || text == "true") return true;
    if (text == "no" || text == "false") return false;
    return not_understood(std::string(key) + " takes yes or no");
}

Result<std::vector<Hash>> names(const Config& config, std::string_view key, Who who, const vault::RuleMac& mac) {
    std::vector<Hash> out;
    for (const std::string& name : config.list(key)) {
        if (name.empty()) return not_understood(std::string(key) + " has an empty name");
        out.push_back(mac(vault::rule_identity(who, name)));
    }
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    if (out.size() > vault::kMaxProfileNames)
        return not_understood(std::string(key) + " names more than " + std::to_string(vault::kMaxProfileNames));
    return out;
}

std::string joined(const std::vector<std::string>& list) {
    std::string out;
    for (const std::string& s : list) out += (out.empty() ? "" : ", ") + s;
    return out;
}

std::string scope_words(std::size_t in, std::size_t out, const char* what, bool de) {
    std::string text = what;
    text += ": ";
    if (in == 0 && out == 0) return text + (de ? "alle." : "all.");
    if (in != 0)
        text += de ? "nur " + std::to_string(in) + " benannte" : "only " + std::to_string(in) + " that are named";
    if (in != 0 && out != 0) text += de ? ", und davon nicht " : ", and of these not ";
    if (in == 0) text += de ? "alle außer " : "all except ";
    if (out != 0) text += std::to_string(out) + (de ? " benannten" : " that are named");
    return text + ".";
}

}  // namespace

Result<CaptureProfile> parse_profile(std::string_view yaml, const vault::RuleMac& mac) {
    auto parsed = Config::parse(yaml, known_keys());
    if (!parsed.ok()) {
        std::string what = parsed.error().message();
        constexpr std::string_view kFile = "config.yaml, ";
        if (what.rfind(kFile, 0) == 0) what = what.substr(kFile.size());
        return not_understood(what);
    }
    const Config& config = *parsed;
    CaptureProfile out;
    for (const std::string& name : config.list("kinds_out")) {
        const auto kind = vault::parse_kind(name);
        if (!kind || *kind == MessageKind::notice) return not_understood("kinds_out has a kind that nobody knows");
        if (*kind == MessageKind::unreadable)
            return not_understood("kinds_out: what can't be read is always captured, since nobody knows what it is");
        out.kinds_out |= 1u << static_cast<unsigned>(*kind);
    }
    out.read_receipts = TRY(flag(config, "read_receipts"));
    out.presence = TRY(flag(config, "presence"));
    out.typing = TRY(flag(config, "typing"));
    out.location = TRY(flag(config, "location"));
    out.rooms_in = TRY(names(config, "rooms_in", Who::conversation, mac));
    out.rooms_out = TRY(names(config, "rooms_out", Who::conversation, mac));
    out.persons_in = TRY(names(config, "persons_in", Who::participant, mac));
    out.persons_out = TRY(names(config, "persons_out", Who::participant, mac));
    return out;
}

std::string profile_template() {
    return "# What of this source is captured. What is left out is counted, and never stored.\n"
           "kinds_out: []        # of: mail, chat, file, call, voice, status, edit, delete, reaction, join, leave, "
           "envelope\n"
           "read_receipts: no\n"
           "presence: no\n"
           "typing: no\n"
           "location: no\n"
           "rooms_in: []         # ids or titles; not empty: only these\n"
           "rooms_out: []\n"
           "persons_in: []       # addresses or ids of senders or recipients; not empty: only theirs\n"
           "persons_out: []\n";
}

std::vector<std::string> profile_words(const CaptureProfile& p, bool de) {
    std::vector<std::string> in, out;
    for (const KindWords& k : kKinds) (p.leaves_out(k.kind) ? out : in).emplace_back(de ? k.de : k.en);
    const auto other = [&](bool captured, const char* german, const char* english) {
        (captured ? in : out).emplace_back(de ? german : english);
    };
    other(p.read_receipts, "Lesebestätigungen", "read receipts");
    other(p.presence, "Anwesenheit", "presence");
    other(p.typing, "Tippanzeigen", "typing notices");
    other(p.location, "Standorte", "locations");
    std::vector<std::string> words;
    words.push_back((de ? "Erfasst werden: " : "Captured: ") + joined(in) + ".");
    words.push_back((de ? "Nicht erfasst werden: " : "Not captured: ") +
                    (out.empty() ? (de ? "nichts" : "nothing") : joined(out)) + ".");
    words.push_back(
        scope_words(p.rooms_in.size(), p.rooms_out.size(), de ? "Räume und Gespräche" : "Rooms and conversations", de));
    words.push_back(scope_words(p.persons_in.size(), p.persons_out.size(), de ? "Personen" : "Persons", de));
    words.emplace_back(
        de ? "Was nicht erfasst wird, wird gezählt und sonst nirgends gespeichert; was nicht gelesen werden "
             "kann, wird immer erfasst, weil niemand weiß, was es ist."
           : "What is not captured is counted and stored nowhere; what can't be read is always captured, "
             "since nobody knows what it is.");
    return words;
}

std::string finding_words(std::string_view code, bool de) {
    struct Words {
        std::string_view code;
        const char *de, *en;
    };
    static constexpr std::array<Words, 14> kWords{{
        {"source:missing", "Die Quelle hat mehr gesendet, als hier angekommen ist",
         "the source has sent more than has arrived here"},
        {"format:unsure", "Das Format war nicht sicher zu erkennen", "the format could not be told for sure"},
        {"mattermost:attachment-missing", "Anhänge, die der Export nennt und nicht enthält",
         "attachments that the export names and does not contain"},
        {"stream:unknown-key", "Angaben, die diese Fassung nicht kennt", "keys that this version does not know"},
        {"imap:uid-gap", "Nummern, die das Postfach vergeben hat und zu denen keine Mail mehr da ist",
         "numbers that the mailbox has given out and for which no mail is there any more"},
        {"imap:vanished", "Mails, die entfernt wurden, bevor sie geholt waren",
         "mails that were removed before they were fetched"},
        {"imap:not-given", "Eine Mail, die der Server zeigt und nicht herausgibt",
         "a mail that the server shows and does not give"},
        {"imap:too-large", "Eine Mail über max_size_mib; sie liegt noch im Postfach",
         "a mail above max_size_mib; it is still in the mailbox"},
        {"imap:exists-differs", "Der Server zählt andere Mails, als er zeigt",
         "the server counts other mails than it shows"},
        {"imap:uidnext-back", "Das Postfach zählt rückwärts: der Server wurde wohl zurückgespielt",
         "the mailbox counts backwards: its server seems to have been restored"},
        {"imap:not-proven", "Versiegelt, aber nicht nachweisbar: im Postfach gelassen",
         "sealed, but the proof does not hold: left in the mailbox"},
        {"folder:short", "Ordner mit weniger Nachrichten, als der Export ankündigt",
         "folders with fewer messages than the export announces"},
        {"zip:duplicate-name", "Ein Archiv enthält einen Namen zweimal", "an archive has one name twice"},
        {"folder:link-skipped", "Verweisen wurde nicht gefolgt", "links that were not followed"},
    }};
    for (const Words& w : kWords)
        if (w.code == code) return de ? w.de : w.en;
    return std::string(code);
}

}  // namespace kustos::app
