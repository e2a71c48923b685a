#!/usr/bin/env python3
"""Makes dictionary 1 of sealed payloads (docs/format/payload.md, "Dictionaries"): python3 make_dictionary.py OUT

What went into 1.zdict, which never changes: a later dictionary gets another number. Nobody's messages are in it: text.txt (written for it; sentences of
the German constitution and of public law, which are free), envelopes.txt (made-up envelopes of the formats that are taken in), and made-up records as
payload.md lays them out, the most frequent last. The tables of frequencies come from made-up records, too: their words are from samples.txt, pieces of
this project's own pages, which are not in the dictionary. Deterministic with libzstd 1.5.4; another one may give other tables."""
import ctypes
import ctypes.util
import json
import sys
from pathlib import Path

here = Path(__file__).parent
text, envelopes, samples = ((here / name).read_text("utf-8") for name in ("text.txt", "envelopes.txt", "samples.txt"))
LEVEL, NUMBER = 3, 1
state = 1


def chance(n):  # 0 to n - 1: MMIX's generator, the same everywhere
    global state
    state = (state * 6364136223846793005 + 1442695040888963407) % 2 ** 64
    return (state >> 33) % n


def one_of(some):
    return some[chance(len(some))]


def number(n):  # payload.md: seven bits a byte, the lowest first
    out = b""
    while n > 127:
        out, n = out + bytes([n & 127 | 128]), n >> 7
    return out + bytes([n])


class Record:
    """A record's original, version 2, whose source is all literal."""

    def __init__(self, raw):
        self.raw, self.rows, self.value, self.ends = raw.encode(), [], b"", [0, 0]

    def row(self, path, ordinal, kind, area, offset, length):
        step = offset - self.ends[area]
        self.ends[area] = offset + length
        zigzag = 2 * step if step >= 0 else -2 * step - 1
        self.rows.append(number(path) + number(ordinal) + bytes([kind | area << 4]) + number(zigzag) + number(length))

    def bytes(self, path, kind, value, ordinal=0):
        self.row(path, ordinal, kind, 1, len(self.value), len(value))
        self.value += value

    def text(self, path, value, ordinal=0):
        value = value.encode()
        at = self.raw.find(value) if len(value) >= 8 else -1
        if at >= 0:
            self.row(path, ordinal, 1, 0, at, len(value))
        elif value:
            self.bytes(path, 1, value, ordinal)

    def number(self, path, kind, value):
        self.bytes(path, kind, value.to_bytes(8, "big"))

    def persons(self, path, *persons, ordinal=0):
        self.bytes(path, 5, b"".join(bytes([role]) + b"".join(map(string, (id_, name, address, ""))) + b"\0" for role, id_, name, address in persons), ordinal)

    def spans(self, body, path=9):
        for i in range(0, len(body), 300):
            self.text(path, body[i:i + 300], i // 300)

    def encoded(self):
        rows = self.rows + [number(14) + number(0) + bytes([7 | 2 << 4])]
        while len(rows) % 8:
            rows.append(b"\0")
        steps = number(1) + b"\1\0" + number(len(self.raw)) + b"\0\1" if self.raw else number(0)
        return b"\2" + number(len(rows)) + b"".join(rows) + steps + b"\0" + number(len(self.raw)) + number(len(self.value)) + self.raw + self.value


def string(t):
    return len(t.encode()).to_bytes(4, "big") + t.encode()


syllables = "an be da el fa ge hei in jo ka li ma ne ol pe ri sa to ul wen mer berg stein hof mann feld bach er son ter ger".split()
streams = "vertrieb einkauf allgemein general personal technik planung help support random news it-service".split()
pieces = [p.strip() for p in samples.replace("\n\n", "\n").split("\n") if p.strip()]


def name():
    return " ".join("".join(one_of(syllables) for _ in range(2 + chance(2))).capitalize() for _ in range(2))


def words(length):
    """Text of some length out of samples.txt, from a word on."""
    piece = one_of(pieces)
    while len(piece) < length:
        piece += one_of(["\n", " ", "\n\n"]) + one_of(pieces)
    at = piece.find(" ", chance(max(1, len(piece) - length + 1))) + 1
    return piece[at:at + length]


def length():
    return one_of((12, 25, 40, 60, 80, 110, 150, 200, 280, 380, 520, 800))


def clock():
    return 1_400_000_000_000 + chance(2 ** 31 - 1) * 200


def iso(ms):
    s = ms // 1000
    days, rest = divmod(s, 86400)
    z = days + 719468  # civil_from_days
    era, doe = divmod(z, 146097)
    yoe = (doe - doe // 1460 + doe // 36524 - doe // 146096) // 365
    doy = doe - (365 * yoe + yoe // 4 - yoe // 100)
    mp = (5 * doy + 2) // 153
    day, month = doy - (153 * mp + 2) // 5 + 1, mp + 3 if mp < 10 else mp - 9
    year = yoe + era * 400 + (1 if month <= 2 else 0)
    return f"{year:04}-{month:02}-{day:02}T{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}.{one_of(['000', f'{ms % 1000:03}'])}Z"


def head(r, kind, native, sent, received):
    r.number(1, 4, kind)
    r.text(2, native)
    r.number(3, 3, sent)
    r.number(4, 3, received)


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def stream_record(body, who=None, channel="", topic="", address=False):
    sent, native = clock(), str(100_000_000 + chance(900_000_000))
    who = name() if who is None else who
    person = {"id": who, "name": who}
    if address:
        person["address"] = who.lower().replace(" ", ".") + "@" + "beispiel.example"
    event = {"id": native, "kind": "chat", "sent_at": iso(sent), "conversation": {"id": channel, "title": channel, "type": "channel"}, "sender": person,
             "subject": topic, "thread": channel + "/" + topic if topic else "", "body": body}
    r = Record(compact(event))
    head(r, 2, native, sent, 1_790_000_000_000 + chance(2 ** 31 - 1))
    r.persons(5, (0, who, who, person.get("address", "")))
    r.text(7, topic)
    r.bytes(15, 8, b"\3" + string(channel) + string(channel))
    r.text(16, event["thread"], 2)
    r.spans(body)
    r.text(26, "stream")
    return r.encoded()


def id26():
    return "".join(one_of("ybndrfg8ejkmcpqxot1uwisza345h769") for _ in range(26))


def mattermost_record(body):
    sent, who, channel, post = clock(), name(), one_of(streams), id26()
    user = who.lower().replace(" ", ".")
    room, person = id26(), id26()
    title = channel.capitalize()
    r = Record(f"{sent},0,,{id26()},beispiel,Beispiel AG,{room},{channel},{title},public,{person},{user}@beispiel.example,{user},{post},,,\"{body}\",message,user,\r\n")
    head(r, 2, post, sent, 1_790_000_000_000 + chance(2 ** 31 - 1))
    r.persons(5, (0, person, user, user + "@beispiel.example"))
    r.bytes(15, 8, b"\3" + string(room) + string(title))
    r.spans(body)
    r.text(26, "mattermost-csv/20")
    return r.encoded()


def matrix_record(body):
    sent, who = clock(), one_of(syllables) + one_of(syllables)
    event = {"type": "m.room.message", "room_id": f"!{id26()[:18]}:beispiel.example", "sender": f"@{who}:beispiel.example", "origin_server_ts": sent,
             "event_id": "$" + id26() + id26()[:17], "content": {"msgtype": "m.text", "body": body}, "unsigned": {"age": chance(9999)}}
    r = Record(compact(event))
    head(r, 2, event["event_id"], sent, 1_790_000_000_000 + chance(2 ** 31 - 1))
    r.persons(5, (0, event["sender"], who.capitalize(), ""))
    r.bytes(15, 8, b"\2" + string(event["room_id"]) + string(""))
    r.spans(body)
    r.text(26, "matrix")
    return r.encoded()


def mail_record(body):
    sent, who, to = clock(), name(), name()
    day = f"{one_of('Mon Tue Wed Thu Fri Sat Sun'.split())}, {1 + chance(28)} {one_of('Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split())} {2010 + chance(16)} " \
          f"{chance(24):02}:{chance(60):02}:{chance(60):02} {one_of(['+0100', '+0200', '-0500', '-0700', '+0000'])}"
    a, b = (p.lower().replace(" ", ".") + "@" + one_of(syllables) + one_of(syllables) + one_of([".de", ".com", ".example", ".bund.de", ".org"]) for p in (who, to))
    host, native = "mail." + a.split("@")[1], id26() + "@" + a.split("@")[1]
    lines = [f"Return-Path: <{a}>",
             f"Received: from {host} ({host} [{chance(256)}.{chance(256)}.{chance(256)}.{chance(256)}])\n\tby mx.{b.split('@')[1]} (Postfix) with ESMTP id {id26()[:12].upper()}\n\tfor <{b}>; {day}",
             f"Message-ID: <{native}>", f"Date: {day}", f"From: {who} <{a}>", f"To: {to} <{b}>", f"Subject: {one_of(['', 'Re: ', 'AW: '])}{words(12 + chance(40)).split(chr(10))[0]}",
             "MIME-Version: 1.0", f"Content-Type: text/plain; charset={one_of(['us-ascii', 'utf-8', 'iso-8859-1'])}", "Content-Transfer-Encoding: 8bit"]
    body = "\n".join(body[i:i + 72] for i in range(0, len(body), 72)) + "\n"
    r = Record("\n".join(lines) + "\n\n" + body)
    head(r, 1, native, sent, 1_790_000_000_000 + chance(2 ** 31 - 1))
    r.persons(5, (0, "", who, a))
    r.persons(6, (1, "", to, b))
    r.text(7, lines[6][9:])
    for i, line in enumerate(lines):
        r.text(8, line, i)
    r.spans(body)
    r.text(26, "eml")
    return r.encoded()


# --- the content, the most frequent last -----------------------------------------------------------------
content = envelopes.encode() + text.encode()
content += compact({"id": "m1", "kind": "file", "sent_at": "2024-03-02T11:00:00+01:00", "conversation": {"id": "", "title": "", "type": "group"},
                    "sender": {"id": "", "name": "", "address": "", "home": "", "guest": False}, "recipients": [{"id": "", "name": "", "address": "", "role": "cc"}],
                    "body_html": "", "previous_body": "", "reply_to": "", "target": "",
                    "attachments": [{"name": "Entwurf.pdf", "type": "application/pdf", "size": 0, "sha256": "", "content_base64": "", "path": ""}],
                    "feed": {"position": "", "sequence": 0}, "source_original": ""}).encode()
for made in (matrix_record, mail_record, mattermost_record): content += made("")
content += stream_record("Der Entwurf liegt bei.", "Erika Muster", "vertrieb", "Angebot", True)
content += stream_record("Thanks, I think this is fine.", "Max Muster", "general", "", False)
content += stream_record("", "Erika Muster", "general", "The ", False)

# --- made-up records, for the tables of frequencies -------------------------------------------------------
records = []
for _ in range(600):
    kind = chance(10)
    if kind < 6: records.append(stream_record(words(length()), channel=str(chance(999)) + one_of(["", "-"]) + one_of(streams), topic=words(8 + chance(30)).replace("\n", " "), address=chance(3) == 0))
    elif kind < 7: records.append(mattermost_record(words(length())))
    elif kind < 8: records.append(matrix_record(words(length())))
    else: records.append(mail_record(words(2 * length())))

zstd = ctypes.CDLL(ctypes.util.find_library("zstd"))
zstd.ZDICT_finalizeDictionary.restype = ctypes.c_size_t


class Parameters(ctypes.Structure):
    _fields_ = [("level", ctypes.c_int), ("notes", ctypes.c_uint), ("number", ctypes.c_uint)]


def finalize():
    out = ctypes.create_string_buffer(len(content) + 1024)
    sizes = (ctypes.c_size_t * len(records))(*map(len, records))
    size = zstd.ZDICT_finalizeDictionary(out, ctypes.c_size_t(len(out)), content, ctypes.c_size_t(len(content)), b"".join(records), sizes,
                                         ctypes.c_uint(len(records)), Parameters(LEVEL, 0, NUMBER))
    if size > len(out): sys.exit("libzstd makes no dictionary of it")
    return out.raw[:size]


if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(finalize())
