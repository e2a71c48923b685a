#!/usr/bin/env python3
"""Turns chat lines (id, ts, sender, stream, topic, text; .jsonl or .jsonl.xz) into a message stream.

    chat_to_stream.py chat-200k.jsonl.xz > chat.ndjson
    chat_to_stream.py --limit 1000 chat.jsonl
"""
import argparse
import datetime
import json
import lzma
import sys


def when(ts):
    """Seconds or milliseconds since 1970, or a text that is a time already."""
    if isinstance(ts, str) and not ts.replace(".", "", 1).isdigit():
        return ts
    seconds = float(ts)
    if seconds > 1e11:
        seconds /= 1000.0
    at = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + "%03dZ" % (at.microsecond // 1000)


def event(row):
    sender = str(row["sender"])
    channel = str(row.get("stream") or "")
    topic = str(row.get("topic") or "")
    return {
        "id": str(row["id"]),
        "kind": "chat",
        "sent_at": when(row["ts"]),
        "conversation": {"id": channel, "title": channel, "type": "channel"},
        "sender": {"id": sender, "name": sender},
        "subject": topic,
        "thread": (channel + "/" + topic) if topic else "",
        "body": row.get("text") or "",
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("input", help="- for standard input")
    parser.add_argument("--limit", type=int, default=0, help="only the first N messages")
    args = parser.parse_args()
    if args.input == "-":
        lines = sys.stdin
    elif args.input.endswith(".xz"):
        lines = lzma.open(args.input, "rt", encoding="utf-8")
    else:
        lines = open(args.input, encoding="utf-8")
    out = sys.stdout
    for number, line in enumerate(lines):
        if args.limit and number >= args.limit:
            break
        json.dump(event(json.loads(line)), out, ensure_ascii=False, separators=(",", ":"))
        out.write("\n")


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")
    main()
