#!/usr/bin/env python3
"""`notmuch new` over a folder of mails, with its own defaults, then `notmuch compact`.

Usage: notmuch_new.py MAILS      prints "name value" lines: seconds, processor seconds, MiB, bytes
"""
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

mails = Path(sys.argv[1]).resolve()
config = mails.parent / "notmuch-config"
config.write_text(f"[database]\npath={mails}\n[user]\nname=bench\nprimary_email=bench@bench.invalid\n[new]\ntags=\n[search]\nexclude_tags=\n")
environment = dict(os.environ, NOTMUCH_CONFIG=str(config), TZ="UTC")


def run(*command):
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.monotonic() - start, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def size():
    return sum(p.stat().st_size for p in (mails / ".notmuch" / "xapian").rglob("*") if p.is_file())


wall, cpu = run("notmuch", "new", "--quiet")
print(f"peer_seconds {wall:.3f}\npeer_cpu {cpu:.3f}\npeer_mib {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024:.0f}\npeer_written {size()}")
wall, cpu = run("notmuch", "compact")
print(f"peer_compact_seconds {wall:.3f}\npeer_compact_cpu {cpu:.3f}\npeer_bytes {size()}")
print("peer_records", subprocess.run(["notmuch", "count", "*"], env=environment, check=True, capture_output=True, text=True).stdout.strip())
