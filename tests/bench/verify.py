#!/usr/bin/env python3
"""kustos-verify on an archive, beside two parallel `openssl dgst -sha256` over the same files.

Usage: verify.py KUSTOS_VERIFY ARCHIVE [ROUNDS]      prints "name value" lines

Each openssl process gets half of the bytes; the files are read once before, so that both find them in the page cache. The
rounds are interleaved (verify, openssl, verify, ...) and the best of each counts. Memory: the highest resident size that any
of the runs of kustos-verify had, mapped files included.
"""
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def files_of(archive):
    """What the verifier reads: ledger, frames, sealed keys."""
    found = [p for part in ("ledger", "vault/segments", "vault/blobs", "keys") for p in (archive / part).rglob("*") if p.is_file()]
    return sorted(((p.stat().st_size, str(p)) for p in found), reverse=True)


def halves(files):
    parts = [[0, []], [0, []]]
    for size, path in files:
        part = min(parts, key=lambda p: p[0])
        part[0] += size
        part[1].append(path)
    return [p[1] for p in parts]


def verify(program, archive):
    """Seconds and peak KiB."""
    with tempfile.TemporaryFile() as out:
        start = time.perf_counter()
        child = subprocess.Popen([program, "--json", str(archive)], stdout=out)
        _, status, usage = os.wait4(child.pid, 0)
        took = time.perf_counter() - start
        out.seek(0)
        report = json.load(out)
    if os.waitstatus_to_exitcode(status) != 0 or not report["ok"]:
        sys.exit("verify.py: the archive was refused: " + json.dumps(report["problems"][:3]))
    return took, usage.ru_maxrss, report["checked"]


def openssl(lists):
    start = time.perf_counter()
    children = [subprocess.Popen(["xargs", "-0", "-a", name, "openssl", "dgst", "-sha256"], stdout=subprocess.DEVNULL) for name in lists]
    if any(c.wait() != 0 for c in children):
        sys.exit("verify.py: openssl failed")
    return time.perf_counter() - start


def main():
    program, archive, rounds = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 3
    files = files_of(archive)
    for _, path in files:
        with open(path, "rb", buffering=0) as f:
            while f.read(1 << 20):
                pass
    with tempfile.TemporaryDirectory() as scratch:
        lists = [Path(scratch, str(i)) for i in (0, 1)]
        for name, paths in zip(lists, halves(files)):
            name.write_text("\0".join(paths))
        ours, theirs, memory, ratios = [], [], 0, []
        for _ in range(rounds):
            took, peak, checked = verify(program, archive)
            ours.append(took)
            theirs.append(openssl(lists))
            ratios.append(ours[-1] / theirs[-1])
            memory = max(memory, peak)
    print("entries %d" % checked["entries"])
    print("stamps %d" % checked.get("anchors", 0))
    print("files %d" % len(files))
    print("megabytes %.0f" % (sum(size for size, _ in files) / 1e6))
    print("seconds %.3f" % min(ours))
    print("openssl_seconds %.3f" % min(theirs))
    print("ratio %.2f" % (min(ours) / min(theirs)))
    print("ratio_median %.2f" % sorted(ratios)[len(ratios) // 2])
    print("memory_mib %.0f" % (memory / 1024))


if __name__ == "__main__":
    main()
