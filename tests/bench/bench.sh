#!/usr/bin/env bash
# Speed as ratios against a limit or a peer measured in the same run; machines are shared and noisy, so no absolute figure is a
# goal, and a goal that is not reached is a line in the table, not a failure (docs/architecture/performance.md).
# Usage: ./run bench [CHATS] [--scale DIVISOR] [--only PART]
#   CHATS             of the pipeline part (default 20000); input: ../shared/bench/chat-200k.jsonl.xz where it is there (the
#                     first so many), else generated chats
#   --scale DIVISOR   the other parts with so much fewer entries and seconds: 10 for a quick look
#   --only PART       pipeline, intake, append, seal, forget, disk, large (10 million entries), verify (1 million entries with ciphertexts, twice),
#                     index (beside notmuch), search (index, and its queries), or million (search at 0.2 and 1 million; not in a run of all)
#   --million N,N,... other sizes of the last, each larger than the one before: 200000,1000000,5000000
# Needs 9 GB below $TMPDIR (default: the build folder, which is on a disk, not in memory); all of it is removed at the end.
set -euo pipefail
cd "$(dirname "$0")/../.."
bin=${KUSTOS_BIN:-$PWD/build/bin}
count=20000 scale=1 only= sizes=200000,1000000
while [ $# -gt 0 ]; do
  case "$1" in
    --scale) scale=$2; shift 2 ;;
    --only) only=$2; shift 2 ;;
    --million) sizes=$2; shift 2 ;;
    [0-9]*) count=$1; shift ;;
    *) sed -n '4,12s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
  esac
done
work=$(mktemp -d "${TMPDIR:-$bin/..}/bench.XXXXXX")
trap 'rm -rf "$work"' EXIT
export LC_ALL=C.UTF-8
data=${KUSTOS_SHARED:-../shared}/bench

wants() { [ -z "$only" ] || [ "$only" = "$1" ]; }
scaled() { echo $(($1 / scale > $2 ? $1 / scale : $2)); }  # never below $2
now() { date +%s.%N; }

bench_intake() {  # needs ../shared/bench
  if [ ! -f "$data/mail-10k.mbox.xz" ]; then echo "coming in: skipped, ../shared/bench is absent"; return; fi
  mkdir "$work/intake"
  python3 tests/bench/intake_input.py "$data" "$work/intake" "$(scaled 10000 20)" "$(scaled 100000 1200)"
  "$bin/bench_intake" "$work/intake/place" "$work/intake/mails.mbox" "$work/intake/chats.ndjson" "$(scaled 3 1)" > "$work/intake.txt" 2> /dev/null
  rm -rf "$work/intake"
  python3 tests/bench/table.py intake "$work/intake.txt"
}

bench_append() {
  "$bin/bench_append" "$work/append" "$(awk "BEGIN { s = 1.5 / $scale; print (s < 0.02 ? 0.02 : s) }")" "$(scaled 4 1)" > "$work/append.txt"
  python3 tests/bench/table.py append "$work/append.txt"
}

bench_seal() {
  "$bin/bench_seal" "$(awk "BEGIN { s = 0.3 / $scale; print (s < 0.001 ? 0.001 : s) }")" > "$work/seal.txt"
  python3 tests/bench/table.py seal "$work/seal.txt"
}

bench_forget() {
  "$bin/bench_forget" "$(scaled 200000 200)" "$(scaled 20000 20)" "$work/forget" 2> /dev/null
  rm -rf "$work/forget"
}

bench_disk() {  # needs ../shared/bench; restic and borg only where they are installed
  if [ ! -f "$data/mail-10k.mbox.xz" ]; then echo "bytes on disk: skipped, ../shared/bench is absent"; return; fi
  python3 tests/bench/disk.py "$bin" "$work/disk" "$data" "$(scaled 200000 40)" "$(scaled 10000 20)" > "$work/disk.txt"
  rm -rf "$work/disk"
  python3 tests/bench/table.py disk "$work/disk.txt"
}

bench_large() {
  local entries; entries=$(scaled 10000000 1000)
  "$bin/make_ledger" "$work/large" "$entries" 48 "$((entries / 500))"
  "$bin/bench_large" "$work/large" "$(scaled 5000 20)" > "$work/large.txt"
  rm -rf "$work/large"
  python3 tests/bench/table.py large "$work/large.txt"
}

bench_verify() {  # BYTES "TITLE"
  local entries; entries=$(scaled 1000000 200)
  "$bin/make_ledger" "$work/verify" "$entries" "$1" "$(scaled 2000 40)"
  sync "$work/verify/archive/ledger/checkpoint" -f  # so that writing it back does not run beside the measurement
  python3 tests/bench/verify.py "$bin/kustos-verify" "$work/verify/archive" "$(scaled 3 1)" > "$work/verify.txt"
  rm -rf "$work/verify"
  python3 tests/bench/table.py verify "$work/verify.txt" "$2"
}

# Chats and mails as they come: real ones, or made up ones where ../shared is absent. Sealed, no index; and a mail a file for notmuch.
prepare_search() {
  local mails=()
  mkdir "$work/search"
  if [ -f "$data/mail-10k.mbox.xz" ]; then
    python3 tests/bench/intake_input.py "$data" "$work/search" "$(scaled 10000 20)" "$(scaled 200000 2000)"
    mv "$work/search/chats.ndjson" "$work/search/messages.ndjson"
    mails=("$work/search/mails.mbox")
  else
    make_messages 2000 < /dev/null
  fi
  "$bin/bench_search" seal "$work/search/place" "$work/search/messages.ndjson" "${mails[@]}" > /dev/null 2>&1
  if [ -n "$(command -v notmuch)" ]; then python3 tests/bench/as_mails.py "$work/search/mails" "$work/search/messages.ndjson" "${mails[@]}"; fi
}

make_messages() {  # COUNT < SKELETON
  local words=
  for words in /usr/share/hunspell/de_DE.dic /usr/share/dict/ngerman; do if [ -f "$words" ]; then break; fi; done
  cut -f2 "$data/../corpora/german/pud_sentences.tsv" > "$work/search/german.txt" 2> /dev/null || true
  "$bin/make_messages" "$1" 1 "$work/search/german.txt" "$words" > "$work/search/messages.ndjson" 2> "$work/search/made.txt"
}

bench_index() {  # notmuch only where it is installed
  local place=$work/search/place
  { "$bin/bench_search" index "$place"; "$bin/bench_search" apart "$place"; } > "$work/index.txt" 2> "$work/index.err"
  if [ -d "$work/search/mails" ]; then python3 tests/bench/notmuch_new.py "$work/search/mails" >> "$work/index.txt"; fi
  python3 tests/bench/table.py index "$work/index.txt"
}

bench_search() {  # behind bench_index
  local place=$work/search/place stream=$work/search/messages.ndjson questions mails=() out=$work/search.txt
  questions=$(scaled 200 5)
  if [ -d "$work/search/mails/.notmuch" ]; then mails=("$work/search/mails"); fi
  ask() { "$bin/bench_search" ask "$place" "$stream" "$questions" 200000 "$1" "${mails[@]}" >> "$out" 2>> "$work/search.err"; }
  ask whole_
  "$bin/bench_search" pages "$place" "$stream" "$((questions / 4 + 1))" 200000 whole_ >> "$out" 2>> "$work/search.err"
  rm -rf "$place/a/index"
  "$bin/bench_search" small "$place" 288 2>> "$work/search.err" | sed 's/^/small_/' >> "$out" 2>> "$work/search.err"
  ask small_
  "$bin/bench_search" merge "$place" 2>> "$work/search.err" | sed 's/^/merged_/' >> "$out" 2>> "$work/search.err"
  ask merged_
  python3 tests/bench/table.py search "$out"
}

# Generated messages: 0.2 and 1 million, then three days of a closed vault more, then these merged.
bench_million() {
  local place=$work/search/place stream=$work/search/messages.ndjson questions at=0 size out=$work/million.txt label
  questions=$(scaled 200 5)
  ask() {
    "$bin/bench_search" ask "$place" "$stream" "$questions" "$(scaled 200000 1000)" "$1" >> "$out" 2>> "$work/search.err"
    "$bin/bench_search" pages "$place" "$stream" "$((questions / 4 + 1))" "$(scaled 200000 1000)" "$1" >> "$out" 2>> "$work/search.err"
  }
  grow() {  # to so many
    sed -n "$((at + 1)),$1p;$1q" "$stream" > "$work/search/part.ndjson"
    "$bin/bench_search" seal "$place" "$work/search/part.ndjson" >> "$work/search.err" 2>&1
    at=$1
  }
  mkdir "$work/search"
  local days least=0 all=(); days=$(scaled 220000 1024)
  for size in ${sizes//,/ }; do least=$((least + 1000)); all+=("$(scaled "$size" "$least")"); done
  local last=${all[-1]}
  if [ -f "$data/chat-200k.jsonl.xz" ]; then xzcat "$data/chat-200k.jsonl.xz"; fi | make_messages "$((last + days))"
  sed 's/^/generated messages: /' "$work/search/made.txt"
  for size in "${all[@]}"; do
    grow "$size"
    label=at${size}_
    "$bin/bench_search" index "$place" 2>> "$work/search.err" | sed "s/^/$label/" >> "$out"
    ask "$label"
  done
  grow "$((last + days))"
  "$bin/bench_search" small "$place" 288 2>> "$work/search.err" | sed 's/^/days_/' >> "$out"
  ask days_
  "$bin/bench_search" merge "$place" 2>> "$work/search.err" | sed 's/^/merged_/' >> "$out"
  ask merged_
  python3 tests/bench/table.py million "$out"
}

bench_pipeline() {
export KUSTOS_ARCHIVE=$work/archive KUSTOS_STATE=$work/state
shared=${KUSTOS_SHARED:-../shared}/bench/chat-200k.jsonl.xz
if [ -f "$shared" ]; then
  python3 tests/support/chat_to_stream.py --limit "$count" "$shared" > "$work/chat.ndjson"
  input="$count real chats"
else
  python3 - "$count" > "$work/chat.ndjson" <<'PY'
import json, random, sys
random.seed(1)
words = [("".join(random.choice("aeiourstnlmkbdg") for _ in range(random.randint(3, 11)))) for _ in range(20000)]
for i in range(int(sys.argv[1])):
    text = " ".join(words[min(int(random.paretovariate(0.7)), 19999)] for _ in range(random.randint(5, 60)))
    print(json.dumps({"id": "m%d" % i, "kind": "chat", "sent_at": "2026-03-02T10:%02d:%02dZ" % (i // 60 % 60, i % 60), "conversation": {"id": "c%d" % (i % 40)},
                      "sender": {"id": "u%d" % (i % 200)}, "body": text}))
PY
  input="$count generated chats"
fi

value() { python3 -c 'import json,sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }
"$bin/kustos" init "$KUSTOS_ARCHIVE" > /dev/null
"$bin/kustos" source add bench --kind import > /dev/null
start=$(now)
"$bin/kustos" --json ingest --source bench --format stream "$work/chat.ndjson" > "$work/ingest.json"
end=$(now)
matter=$("$bin/kustos" --json matter new --reference bench --ground bench | value id)
bytes_of() { du -sb "$KUSTOS_ARCHIVE/$1" | cut -f1; }
verify_start=$(now); "$bin/kustos-verify" "$KUSTOS_ARCHIVE" > /dev/null; verify_end=$(now)
# The limit of a public verification: hashing the same bytes.
hash_start=$(now); find "$KUSTOS_ARCHIVE/ledger" "$KUSTOS_ARCHIVE/vault/segments" -type f -exec cat {} + | openssl dgst -sha256 > /dev/null; hash_end=$(now)
search_start=$(now); for _ in 1 2 3 4 5; do "$bin/kustos" --json search --matter "$matter" '"the" OR server' > /dev/null; done; search_end=$(now)
# The limit of sealing: compressing and encrypting the same bytes in one stream.
zstd_start=$(now); python3 - "$work/chat.ndjson" <<'PY'
import sys, zlib, hashlib
for line in open(sys.argv[1], "rb"): hashlib.sha256(zlib.compress(line, 1)).digest()
PY
zstd_end=$(now)
python3 - "$input" "$count" "$(value seconds < "$work/ingest.json")" "$start" "$end" "$verify_start" "$verify_end" "$hash_start" "$hash_end" "$search_start" "$search_end" \
  "$zstd_start" "$zstd_end" "$(stat -c %s "$work/chat.ndjson")" "$(bytes_of ledger)" "$(bytes_of vault)" "$(bytes_of index)" <<'PY'
import sys
name, n = sys.argv[1], int(sys.argv[2])
seal, start, end, vs, ve, hs, he, ss, se, zs, ze = map(float, sys.argv[3:14])
raw, ledger, vault, index = map(int, sys.argv[14:18])
rows = [
    ("sealing", "%.0f messages/s" % (n / seal), "%.2f of deflate and SHA-256 a line in Python" % ((ze - zs) / seal)),
    ("indexing", "%.0f messages/s" % (n / max(end - start - seal, 0.001)), ""),
    ("verification, whole, no keys", "%.0f entries/s" % (n / (ve - vs)), "%.2f of hashing the same bytes once" % ((he - hs) / (ve - vs))),
    ("search, program start included", "%.0f ms" % ((se - ss) / 5 * 1000), ""),
    ("ledger", "%.0f bytes a message" % (ledger / n), "%.2f of the input" % (ledger / raw)),
    ("vault", "%.0f bytes a message" % (vault / n), "%.2f of the input" % (vault / raw)),
    ("index", "%.0f bytes a message" % (index / n), "%.2f of the input" % (index / raw)),
]
print("%s, %.0f bytes each" % (name, raw / n))
for a, b, c in rows: print("%-32s %-24s %s" % (a, b, c))
PY
}

echo "$(nproc) cores, $(awk -F: '/model name/ {print $2; exit}' /proc/cpuinfo | sed 's/^ *//'), load $(cut -d' ' -f1 /proc/loadavg) before"
if wants pipeline; then bench_pipeline; fi
if wants intake; then bench_intake; fi
if wants append; then bench_append; fi
if wants seal; then bench_seal; fi
if wants forget; then bench_forget; fi
if wants disk; then bench_disk; fi
if wants large; then bench_large; fi
if wants index || wants search; then
  prepare_search
  bench_index
  if wants search; then bench_search; fi
  rm -rf "$work/search"
fi
if [ "$only" = million ]; then bench_million; rm -rf "$work/search"; fi
if wants verify; then
  bench_verify 700 "ciphertexts of 700 bytes (chats)"
  bench_verify 5000 "ciphertexts of 5 KB (mails)"
fi
echo "load $(cut -d' ' -f1 /proc/loadavg) after"
