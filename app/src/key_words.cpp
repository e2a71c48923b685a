#include "app/src/key_words.h"

#include "app/key_commands.h"

namespace kustos::app {

using vault::SlotFacts;
using vault::SlotKind;

std::string slot_strength(const SlotFacts& slot, bool german) {
    switch (slot.kind) {
        case SlotKind::automatic:
            return german ? "wer die Platte oder eine Sicherung hat, liest alles; nur zum Ausprobieren"
                          : "whoever has the disk or a backup reads everything; for trials only";
        case SlotKind::passphrase:
            return german ? "so stark wie das Passwort: wer die Platte hat, kann in Ruhe raten (Argon2id bremst ihn)"
                          : "as strong as the passphrase: who has the disk can guess at leisure (Argon2id slows him)";
        case SlotKind::shares:
            break;
        case SlotKind::tpm:
            if (slot.with_pin)
                return german ? "nur dieser Rechner, mit PIN: Platte oder Rechner allein nützen nichts; der Chip zählt "
                                "falsche PINs"
                              : "this machine alone, with a PIN: neither the disk nor the machine is enough; the chip "
                                "counts wrong PINs";
            return german ? "nur dieser Rechner, ohne PIN: die Platte allein nützt nichts, der ganze Rechner schon"
                          : "this machine alone, without a PIN: the disk is not enough, the whole machine is";
        case SlotKind::pkcs11:
            return german ? "nur mit dem Token und seiner PIN: die Platte allein nützt nichts"
                          : "only with the token and its PIN: the disk is not enough";
    }
    const std::string k = std::to_string(slot.shares ? slot.shares->threshold : 0);
    return german ? "nur " + k + " Personen gemeinsam: weder die Platte noch weniger von ihnen genügen"
                  : "only " + k + " people together: neither the disk nor fewer of them are enough";
}

std::string medium_words(const std::string& medium, bool german) {
    if (medium == "tpm")
        return german ? "im TPM: was vernichtet wird, ist weg" : "in the TPM: what is destroyed is gone";
    if (medium == "pkcs11")
        return german ? "im Token: was vernichtet wird, ist weg" : "in the token: what is destroyed is gone";
    return german ? "in einer Datei: so gut, wie dieser Datenträger löscht (SSDs und Schnappschüsse behalten mehr)"
                  : "in a file: as well as this medium erases (SSDs and snapshots keep more)";
}

std::string vault_words(const std::string& state, const std::optional<VaultDoor::Standing>& standing, bool german) {
    std::string out = state;
    if (german) out = state == "closed" ? "zu" : state.rfind("open", 0) == 0 ? "offen" + state.substr(4) : state;
    if (!standing) return out;
    if (standing->open) return out + (german ? ", bis " : ", until ") + format_rfc3339(standing->until);
    return out + "; " + std::to_string(standing->have) + (german ? " von " : " of ") + std::to_string(standing->need) +
           (german ? " Anteilen sind da, bis " : " shares are there, until ") + format_rfc3339(standing->until);
}

std::vector<std::string> ways_to_open(const std::vector<SlotFacts>& slots, bool german) {
    std::vector<std::string> out;
    for (const SlotFacts& f : slots) {
        std::string k, n;
        if (f.shares) {
            k = std::to_string(f.shares->threshold);
            n = std::to_string(f.shares->count());
        }
        switch (f.kind) {
            case SlotKind::automatic:
                out.emplace_back(german ? "von selbst (auto): niemand muss etwas tun"
                                        : "by itself (auto): nobody has to do anything");
                break;
            case SlotKind::passphrase:
                out.emplace_back(german ? "wer das Passwort hat: kustos unlock --passphrase-file -"
                                        : "who has the passphrase: kustos unlock --passphrase-file -");
                break;
            case SlotKind::shares:
                out.push_back(german
                                  ? k + " der " + n + " Personen mit Anteilen (Satz " + vault::set_name(f.shares->set) +
                                        ") kommen zusammen: kustos unlock --share-file -"
                                  : k + " of the " + n + " holders of shares (set " + vault::set_name(f.shares->set) +
                                        ") come together: kustos unlock --share-file -");
                break;
            case SlotKind::tpm:
                out.emplace_back(
                    german ? (f.with_pin ? "an diesem Rechner, mit der PIN des TPM: kustos unlock --tpm --pin-file -"
                                         : "an diesem Rechner: kustos unlock --tpm")
                           : (f.with_pin ? "at this machine, with the TPM's PIN: kustos unlock --tpm --pin-file -"
                                         : "at this machine: kustos unlock --tpm"));
                break;
            case SlotKind::pkcs11:
                out.emplace_back(german ? "mit dem Token am Rechner: kustos unlock --token"
                                        : "with the token at the machine: kustos unlock --token");
                break;
        }
    }
    return out;
}

}  // namespace kustos::app
