#!/usr/bin/env bash
# The main job on the shipped sample, into demo/: import, live push, time stamps, search, evidence bundle, verification,
# and two try-outs (a flipped byte, an auditor's look). Ends with a short account. Called by ./run demo.
set -euo pipefail
cd "$(dirname "$0")/../.."
sample=tests/data/demo
bin=${KUSTOS_BIN:-$PWD/build/bin}
out=$PWD/demo
export KUSTOS_ARCHIVE=$out/archive KUSTOS_STATE=$out/state
export LC_ALL=${LC_ALL:-C.UTF-8}
case "${LANG:-}" in de*) lang=de ;; *) lang=en ;; esac
kustos() { "$bin/kustos" --lang "$lang" "$@"; }
say() { if [ "$lang" = de ]; then printf '%s\n' "$1"; else printf '%s\n' "$2"; fi; }
title() { printf '\n'; say "== $1" "== $2"; }
field() { python3 -c 'import json,sys
v = json.load(sys.stdin)
for k in sys.argv[1].split("."): v = v[int(k)] if isinstance(v, list) else v[k]
print(v)' "$1"; }
now() { date +%s%N; }
seconds() { python3 -c 'import sys; print("%.1f s" % ((int(sys.argv[2]) - int(sys.argv[1])) / 1e9))' "$1" "$2"; }

server=
end_server() { [ -z "$server" ] || { kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; server=; }; }
trap end_server EXIT

rm -rf "$out"
mkdir -p "$out"

title "Ein neues Archiv" "a new archive"
kustos init "$out/archive" --tsa builtin
sed -i 's/^authority: .*/authority: Stadt Auenbrück/' "$out/archive/config.yaml"  # shown on the bundle's cover
kustos source add messenger --kind import > /dev/null
kustos source add mail --kind import > /dev/null
token=$(kustos --json source add live --kind http | field token)

title "Die eine Hälfte wird eingelesen" "one half is imported"
t0=$(now)
kustos ingest --source messenger --format mattermost-csv "$sample/messenger.zip"
kustos ingest --source mail "$sample/mail.mbox" "$sample"/mail/*.eml
t1=$(now)

cp -r "$out/archive" "$out/yesterday"  # for later

title "Die andere Hälfte kommt live herein" "the other half comes in live"
# A port that is free now; the server listens on loopback only.
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$bin/kustos" --lang "$lang" serve --port "$port" > "$out/serve.log" 2> "$out/serve.err" &
server=$!
for _ in $(seq 100); do grep -q '^https://' "$out/serve.log" && break; kill -0 "$server" 2>/dev/null || { cat "$out/serve.err" >&2; exit 1; }; sleep 0.1; done
push() {
  curl -sS --fail-with-body --cacert "$(echo "$out"/state/*/tls/server.crt)" -H "Authorization: Bearer $token" \
    -H "Content-Type: application/x-ndjson" -H "Idempotency-Key: $1" --data-binary @- "https://localhost:$port/api/v1/ingest/live"
}
t2=$(now)
part=0; receipts=0
while mapfile -n 8 -t lines && [ ${#lines[@]} -gt 0 ]; do
  part=$((part + 1))
  answer=$(printf '%s\n' "${lines[@]}" | push "demo-$part")
  receipts=$((receipts + $(printf '%s' "$answer" | python3 -c 'import json,sys; print(len(json.load(sys.stdin)["receipts"]))')))
done < "$sample/live.ndjson"
t3=$(now)
say "$receipts Ereignisse in $part Sendungen, jede erst quittiert, als sie sicher lag" "$receipts events in $part pushes, each acknowledged only when it was durable"
again=$(head -8 "$sample/live.ndjson" | push demo-1 | field replayed)
say "Dieselbe Sendung noch einmal: erkannt ($again)" "the same push again: recognised ($again)"
# What the source says of itself: three more than have arrived.
curl -sS --fail-with-body --cacert "$(echo "$out"/state/*/tls/server.crt)" -H "Authorization: Bearer $token" -H "Content-Type: application/json" \
  -d "{\"sent\": $((receipts + 3))}" "https://localhost:$port/api/v1/heartbeat/live" > "$out/heartbeat.json"
# Until the indexer has caught up: the answer itself says how much is missing.
for _ in $(seq 100); do [ "$(kustos --json status | field coverage.deferred)" = 0 ] && break; sleep 0.2; done
kill -9 "$server"; wait "$server" 2>/dev/null || true; server=
say "Dem Dienst wurde der Strom genommen (kill -9). Quittiert waren $receipts; da sind nach dem Neustart:" "The server lost its power (kill -9). Acknowledged: $receipts; there after the restart:"
kustos status | sed -n '1,2p'

title "Eine Lücke wird gefunden und bescheinigt" "a gap is found and certified"
say "Die Quelle sagt, sie habe $((receipts + 3)) Ereignisse gesendet; $(field missing < "$out/heartbeat.json") fehlen:" "The source says that it has sent $((receipts + 3)) events; $(field missing < "$out/heartbeat.json") are missing:"
kustos source findings live
"$bin/kustos" --lang de source completeness live --from "$(date -d yesterday +%F)" --to "$(date -d tomorrow +%F)" --out "$out/completeness.pdf" > "$out/completeness.txt"
if [ "$lang" = de ]; then cat "$out/completeness.txt"; fi
"$bin/kustos-verify" "$out/completeness.pdf" --lang "$lang" | head -1
kustos source profile live | head -3

title "Suchen: nur in einem Fall" "searching: only within a matter"
kustos search "Spielplatz" || true
matter=$(kustos --json matter new --reference "30-Z 114/26" --ground "Durchsetzung von Mängelansprüchen, § 13 VOB/B" | field id)
t4=$(now)
kustos search --matter "$matter" '"nicht weitergeben"'
kustos search --matter "$matter" --limit 3 'Kernbohrung'
kustos search --matter "$matter" --limit 3 'from:vogt Fundamente'
say "So fragt ein Anwalt: zwei Wörter nah beieinander, ein Wort mit Platzhalter, nur in Anhängen; und woher die Treffer kommen" "how a lawyer asks: two words near each other, a wildcard, only in attachments; and where the hits come from"
kustos search --matter "$matter" --limit 1 'Fundament* NEAR/15 Tiefe'
kustos search --matter "$matter" --limit 1 --facets 'attachment:*gutacht* OR betreff:gutacht*'
say "Kein Treffer ist erst mit dem etwas wert, was nicht durchsucht werden konnte:" "no hits means something only beside what could not be searched:"
kustos search --matter "$matter" 'Schwarzgeld ODER "unter der Hand"'
kustos search --matter "$matter" --freeze --name "Fundamente" --limit 1 'Fundament*' > /dev/null
kustos result list --matter "$matter"
t5=$(now)
say "Was um einen Treffer herum geschrieben wurde, und wer dabei war" "what was written around a hit, and who was there"
kustos context --matter "$matter" --before 1 --after 1 "$(kustos --json search --matter "$matter" --limit 1 'from:vogt Grundwassers' | field hits.0.record)"
say "Ein Trefferbericht über eine Liste von Begriffen, unterschrieben" "a hit report for a list of terms, signed"
printf 'Fundament*\nKernbohrung\nHolzfeuchte UND Prüfbericht\nSchwarzgeld\n' > "$out/terms.txt"
kustos hits report --matter "$matter" --terms "$out/terms.txt" --out "$out/hits.pdf" --out "$out/hits.xlsx"
"$bin/kustos-verify" "$out/hits.pdf" --lang "$lang" | head -1
kustos tag add "wichtig" --matter "$matter" --query 'Kernbohrung'
kustos search --matter "$matter" --limit 1 'tag:wichtig -from:vogt'

title "Ein Beweispaket" "an evidence bundle"
t6=$(now)
"$bin/kustos" --lang de export --matter "$matter" --query 'Fundamente OR Fangstelle OR Holzfeuchte OR Prüfbericht' --out "$out/bundle.pdf"
t7=$(now)
"$bin/kustos-verify" "$out/bundle.pdf" --lang "$lang"
"$bin/kustos-verify" "$out/bundle.pdf" --json --trust "$out/archive/trust.policy" > "$out/verified.json"
say "mit der Vertrauensdatei des Archivs: Herkunft $(field origin < "$out/verified.json")" "with the archive's trust file: origin $(field origin < "$out/verified.json")"

title "Das ganze Archiv prüfen, ohne Schlüssel" "verifying the whole archive, without keys"
t8=$(now)
kustos verify
t9=$(now)

title "Ein unterschriebener Bericht, und eine Stichprobe mit dem Zufallswort des Prüfers" "a signed report, and a sample with the auditor's nonce"
"$bin/kustos" --lang de verify --report "$out/report.pdf" > /dev/null
kustos audit sample --count 20 --nonce "$(openssl rand -hex 16)" | head -3
"$bin/kustos-verify" "$out/archive" --since "$out/auditor.state" --html "$out/verified.html" --lang "$lang" > /dev/null
kustos audit list --limit 4

title "Eine Nachricht vergessen, nachweislich" "forgetting one message, provably"
record=$(kustos --json search --matter "$matter" --limit 1 'Spielplatz' | field hits.0.record)
kustos erase --record "$record" --ground "Art. 17 Abs. 1 DSGVO" --approver "Petra Kern" || true  # one person is not enough
t10=$(now)
kustos erase --record "$record" --ground "Art. 17 Abs. 1 DSGVO" --approver "Petra Kern" --approver "Jörg Maas"
t11=$(now)
kustos compact
kustos show --matter "$matter" "$record" || true
erasure=$(kustos --json erase list | field 0.erasure)
"$bin/kustos" --lang de erase status "$erasure" --certificate "$out/certificate.pdf"
"$bin/kustos-verify" "$out/certificate.pdf" --lang "$lang" | head -1
"$bin/kustos-verify" "$out/archive" --lang "$lang" | head -1

title "Ausprobiert: die Kopie von gestern zurückspielen" "tried out: put yesterday's copy back"
if "$bin/kustos" --lang "$lang" --archive "$out/yesterday" status; then echo "demo: the old copy was not refused" >&2; exit 1; fi
if "$bin/kustos-verify" "$out/yesterday" --since "$out/auditor.state" --lang "$lang" | head -2; then :; fi
rm -rf "$out/yesterday"

title "Ausprobiert: ein Byte umdrehen" "tried out: flip a byte"
rm -rf "$out/tampered"; cp -r "$out/archive" "$out/tampered"
python3 - "$out/tampered" <<'PY'
import glob, sys
name = sorted(glob.glob(sys.argv[1] + "/vault/segments/*.seg"))[0]
with open(name, "r+b") as f:
    f.seek(2000); b = f.read(1); f.seek(2000); f.write(bytes([b[0] ^ 1]))
PY
if "$bin/kustos-verify" "$out/tampered" --lang "$lang"; then echo "demo: the flipped byte was not found" >&2; exit 1; fi
cp "$out/bundle.pdf" "$out/forged.pdf"
python3 - "$out/forged.pdf" <<'PY'
import sys
with open(sys.argv[1], "r+b") as f:
    f.seek(5000); b = f.read(1); f.seek(5000); f.write(bytes([b[0] ^ 1]))
PY
if "$bin/kustos-verify" "$out/forged.pdf" --lang "$lang"; then echo "demo: the flipped byte was not found" >&2; exit 1; fi
rm -rf "$out/tampered" "$out/forged.pdf"

title "Ausprobiert: der Blick des Prüfers" "tried out: an auditor's look"
python3 - "$out/archive" "$lang" <<'PY'
import base64, pathlib, sys
words = ["weitergeben", "Fundamente", "Kernbohrung", "Holzfeuchte", "Spielplatz", "114/26"]
hits = 0
files = [p for p in pathlib.Path(sys.argv[1]).rglob("*") if p.is_file()]
for p in files:
    data = p.read_bytes()
    for w in words:
        forms = [w.encode(), w.encode("utf-16-le"), w.encode().hex().encode(), base64.b64encode(w.encode())[:-4]]
        hits += sum(f in data for f in forms)
total = sum(p.stat().st_size for p in files)
print(("%d Dateien, %d Byte durchsucht nach %d Worten aus dem Inhalt: %d Funde" if sys.argv[2] == "de" else
       "%d files, %d bytes searched for %d words of the content: %d found") % (len(files), total, len(words), hits))
sys.exit(1 if hits else 0)
PY

status=$(kustos --json status)
title "Was jetzt da ist" "what is there now"
records=$(printf '%s' "$status" | field records); entries=$(printf '%s' "$status" | field entries)
pages=$(pdfinfo "$out/bundle.pdf" 2>/dev/null | awk '/^Pages/ {print $2}' || true)
if [ "$lang" = de ]; then cat <<TEXT
$records Nachrichten aus Messenger, Post und Livestrom sind versiegelt, als $entries Einträge einer Kette, die niemand
unbemerkt ändern kann: Einlesen $(seconds "$t0" "$t1"), live $(seconds "$t2" "$t3"), drei Suchen $(seconds "$t4" "$t5"),
Beweispaket $(seconds "$t6" "$t7"), Prüfung des ganzen Archivs $(seconds "$t8" "$t9"). Eine ist vergessen ($(seconds "$t10" "$t11")), und die Kette hält.

Ansehen:        demo/bundle.pdf${pages:+ ($pages Seiten)}, demo/hits.pdf, demo/hits.xlsx, demo/report.pdf, demo/certificate.pdf, demo/completeness.pdf
Nachprüfen:     build/bin/kustos-verify demo/bundle.pdf
Selbst suchen:  build/bin/kustos search --archive demo/archive --state demo/state --matter $matter 'Prüfbericht'
Im Browser:     ./run serve   (das Passwort steht in demo/serve.log)
Eigene Daten:   build/bin/kustos try MEINE.eml
TEXT
else cat <<TEXT
$records messages from messenger, mail and a live stream are sealed, as $entries entries of a ledger that nobody can change
unnoticed: import $(seconds "$t0" "$t1"), live $(seconds "$t2" "$t3"), three searches $(seconds "$t4" "$t5"),
evidence bundle $(seconds "$t6" "$t7"), verification of the whole archive $(seconds "$t8" "$t9"). One is forgotten ($(seconds "$t10" "$t11")), and the ledger holds.

Look at:          demo/bundle.pdf${pages:+ ($pages pages)}, demo/hits.pdf, demo/hits.xlsx, demo/report.pdf, demo/certificate.pdf, demo/completeness.pdf
Check it again:   build/bin/kustos-verify demo/bundle.pdf
Search yourself:  build/bin/kustos search --archive demo/archive --state demo/state --matter $matter 'Prüfbericht'
In a browser:     ./run serve   (the password is in demo/serve.log)
Your own files:   build/bin/kustos try MY.eml
TEXT
fi
