#!/usr/bin/env python3
"""A message stream, and an mbox, as a mail a file: the same texts for programs that read mail.

Usage: as_mails.py FOLDER STREAM [MBOX]      a thousand files a folder
"""
import email.header
import email.utils
import hashlib
import json
import sys
from datetime import datetime
from pathlib import Path

root, count = Path(sys.argv[1]), 0


def put(data):
    global count
    folder = root / f"{count // 1000:04}"
    if count % 1000 == 0:
        folder.mkdir(parents=True)
    (folder / f"{count:07}.eml").write_bytes(data)
    count += 1


def person(name):
    # An address whose words no question asks for.
    return f"{email.header.Header(name, 'utf-8').encode()} <{int(hashlib.sha256(name.encode()).hexdigest()[:12], 16)}@x.y>"


def mail_of(event):
    when = email.utils.format_datetime(datetime.fromisoformat(event["sent_at"].replace("Z", "+00:00")))
    head = {
        "From": person(event["sender"]["name"]),
        "To": person(event["conversation"]["title"]),
        "Subject": email.header.Header(event.get("subject", ""), "utf-8").encode(),
        "Date": when,
        "Message-ID": f"<{event['id']}@x.y>",
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Transfer-Encoding": "8bit",
    }
    return ("".join(f"{name}: {value}\n" for name, value in head.items()) + "\n" + event["body"] + "\n").encode()


with open(sys.argv[2], encoding="utf-8") as lines:
    for line in lines:
        put(mail_of(json.loads(line)))
if len(sys.argv) > 3:
    mail = None
    blank = True
    with open(sys.argv[3], "rb") as box:
        for line in box:
            if blank and line.startswith(b"From "):
                if mail is not None:
                    put(b"".join(mail))
                mail = []
            else:
                mail.append(line)
            blank = line in (b"\n", b"\r\n")
    if mail:
        put(b"".join(mail))
