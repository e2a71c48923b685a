#!/usr/bin/env python3
"""The first mails of mail-10k as one mbox, the first chats of chat-200k as a message stream.

Usage: intake_input.py SHARED_BENCH FOLDER MAILS CHATS
"""
import lzma
import subprocess
import sys
from pathlib import Path

shared, folder, mails, chats = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
with lzma.open(shared / "mail-10k.mbox.xz") as packed, open(folder / "mails.mbox", "wb") as out:
    count, blank = 0, True
    for line in packed:
        if blank and line.startswith(b"From "):
            if count == mails:
                break
            count += 1
        blank = line in (b"\n", b"\r\n")
        out.write(line)
tool = Path(__file__).parents[1] / "support" / "chat_to_stream.py"
with open(folder / "chats.ndjson", "wb") as out:
    subprocess.run([sys.executable, tool, "--limit", str(chats), shared / "chat-200k.jsonl.xz"], stdout=out, check=True)
