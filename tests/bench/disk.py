#!/usr/bin/env python3
"""Bytes on disk for each record: ledger and vault beside the raw input, zstd of all of it, restic and borg with a file a message.

Usage: disk.py BIN WORK INPUT CHATS MAILS      prints "name value" lines for table.py disk
"""
import json
import lzma
import mailbox
import os
import shutil
import subprocess
import sys
from pathlib import Path

bin_dir, work, shared, chats, mails = Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5])
work.mkdir(parents=True)


def chat_lines():
    source = shared / "chat-200k.jsonl.xz"
    tool = Path(__file__).parents[1] / "support" / "chat_to_stream.py"
    return subprocess.run([sys.executable, tool, "--limit", str(chats), source], capture_output=True, check=True).stdout.splitlines()


def mail_texts():
    file = work / "all.mbox"
    with lzma.open(shared / "mail-10k.mbox.xz") as packed, open(file, "wb") as out:
        shutil.copyfileobj(packed, out)
    box = mailbox.mbox(file)
    texts = [box.get_bytes(key) for key in list(box.keys())[:mails]]
    box.close()
    file.unlink()
    return texts


def size_of(folder):
    return sum(p.stat().st_size for p in Path(folder).rglob("*") if p.is_file())


def quiet(*command, **more):
    environment = dict(os.environ, RESTIC_PASSWORD="bench", BORG_PASSPHRASE="bench", BORG_BASE_DIR=str(work / "borg-base"),
                       RESTIC_CACHE_DIR=str(work / "restic-cache"), **more)
    subprocess.run(list(map(str, command)), env=environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def peers(name, folder):
    """restic and borg with their own defaults (zstd, AES): repositories, without caches."""
    if shutil.which("restic"):
        quiet("restic", "-r", work / "restic", "init")
        quiet("restic", "-r", work / "restic", "backup", "--no-cache", folder)
        print(f"{name}_restic {size_of(work / 'restic')}")
        shutil.rmtree(work / "restic")
    if shutil.which("borg"):
        quiet("borg", "init", "-e", "repokey", work / "borg")
        quiet("borg", "create", "--compression", "zstd,3", f"{work / 'borg'}::one", folder)
        print(f"{name}_borg {size_of(work / 'borg')}")
        shutil.rmtree(work / "borg")


def measure(name, format_name, file, texts, suffix):
    raw = file.stat().st_size
    print(f"{name}_count {len(texts)}\n{name}_raw {raw}")
    packed = subprocess.run(["zstd", "-3", "-q", "-c", file], capture_output=True, check=True).stdout
    print(f"{name}_zstd {len(packed)}")
    files = work / "files"
    for i, text in enumerate(texts):
        folder = files / f"{i // 1000:04}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{i:07}{suffix}").write_bytes(text)
    peers(name, files)
    shutil.rmtree(files)
    archive = work / "archive"
    more = {"KUSTOS_ARCHIVE": str(archive), "KUSTOS_STATE": str(work / "state")}
    quiet(bin_dir / "kustos", "init", archive, **more)
    quiet(bin_dir / "kustos", "source", "add", "bench", "--kind", "import", **more)
    before = size_of(archive / "ledger")
    quiet(bin_dir / "kustos", "ingest", "--source", "bench", "--format", format_name, file, **more)
    # The open segment is filled up with zeros to 4 MiB: not counted, it does not grow with the archive.
    frames = entries = 0
    for segment in sorted((archive / "vault" / "segments").glob("*.seg")):
        data, at = segment.read_bytes(), 0
        while at + 8 <= len(data) and any(data[at:at + 4096]):
            length = int.from_bytes(data[at:at + 8], "big")
            frames += length
            entries += 1
            at += 8 + length
    blobs = size_of(archive / "vault" / "blobs")
    print(f"{name}_ledger {size_of(archive / 'ledger') - before}\n{name}_ciphertext {frames}\n{name}_heads {entries * 8}\n{name}_blobs {blobs}")
    print(f"{name}_duplicates {(archive / 'vault' / 'duplicates.db').stat().st_size}\n{name}_index {size_of(archive / 'index')}")
    shutil.rmtree(archive)
    shutil.rmtree(work / "state")


lines = chat_lines()
stream = work / "chats.ndjson"
stream.write_bytes(b"\n".join(lines) + b"\n")
measure("chats", "stream", stream, lines, ".json")
stream.unlink()
texts = mail_texts()
box = work / "mails.mbox"
box.write_bytes(b"".join(b"From a@x Mon Mar  2 10:00:00 2026\n" + t.rstrip(b"\n") + b"\n\n" for t in texts))
measure("mails", "mbox", box, texts, ".eml")
