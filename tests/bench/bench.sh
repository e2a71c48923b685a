#!/usr/bin/env bash
# Speed as ratios against a limit or a peer measured in the same run; machines are shared and noisy, so no absolute figure is a
# goal, and a goal that is not reached is a line in the table, not a failure (docs/architecture/performance.md).
# Usage: ./run bench [CHATS] [--scale DIVISOR] [--only PART]
#   CHATS             of the pipeline part (default 20000); input: ../shared/bench/chat-200k.jsonl.xz where it is there (the
#                     first so many), else generated chats
#   --scale DIVISOR   the other parts with so much fewer entries and seconds: 10 for a quick look
#   --only PART       pipeline, intake, append, seal, forget, disk, large (10 million entries) or verify (1 million entries with ciphertexts, twice)
# Needs 9 GB below $TMPDIR (default: the build folder, which is on a disk, not in memory); all of it is removed at the end.
set -euo pipefail
cd "$(dirname "$0")/../.."
bin=${KUSTOS_BIN:-$PWD/build/bin}
count=20000 scale=1 only=
while [ $# -gt 0 ]; do
  case "$1" in
    --scale) scale=$2; shift 2 ;;
    --only) only=$2; shift 2 ;;
    [0-9]*) count=$1; shift ;;
    *) sed -n '4,10s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
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
if wants verify; then
  bench_verify 700 "ciphertexts of 700 bytes (chats)"
  bench_verify 5000 "ciphertexts of 5 KB (mails)"
fi
echo "load $(cut -d' ' -f1 /proc/loadavg) after"
