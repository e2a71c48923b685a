#!/usr/bin/env python3
"""Builds the sample of `./run demo` from the readable files in sources/.

    make_demo.py            writes messenger.zip, mail.mbox, mail/*.eml, live.ndjson, expected.json
    make_demo.py --check    builds in memory and fails if a committed file has other content

Standard library only; no clock, no randomness, so that every run gives the same bytes. The zip is compared by the
content of its members, because another zlib may pack the same bytes differently. Everything here is invented and CC0.
"""

import base64
import csv
import datetime
import hashlib
import io
import json
import pathlib
import quopri
import re
import shlex
import struct
import sys
import zipfile
import zlib

HERE = pathlib.Path(__file__).resolve().parent
SOURCES = HERE / "sources"
ZIP_DATE = (2026, 3, 28, 1, 0, 0)


# Time ---------------------------------------------------------------------------------------------------------------

SUMMER_TIME = (datetime.datetime(2026, 3, 29, 2), datetime.datetime(2026, 10, 25, 3))


def local_offset(local):
    """Hours east of UTC in Germany; enough for 2026, so that no time zone database is needed."""
    return 2 if SUMMER_TIME[0] <= local < SUMMER_TIME[1] else 1


def parse_local(day, clock):
    return datetime.datetime.strptime(f"{day} {clock}", "%Y-%m-%d %H:%M")


def to_utc(local):
    return local - datetime.timedelta(hours=local_offset(local))


def milliseconds(local):
    return int((to_utc(local) - datetime.datetime(1970, 1, 1)).total_seconds()) * 1000


def rfc3339(local):
    return to_utc(local).strftime("%Y-%m-%dT%H:%M:%SZ")


def rfc5322(local):
    days = "Mon Tue Wed Thu Fri Sat Sun".split()
    months = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
    return (f"{days[local.weekday()]}, {local.day:02} {months[local.month - 1]} {local.year} "
            f"{local:%H:%M:%S} +{local_offset(local):02}00")


# Sources ------------------------------------------------------------------------------------------------------------

class Person:
    def __init__(self, key, name, address, handle, kind, home):
        self.key, self.name, self.address, self.handle, self.kind, self.home = key, name, address, handle, kind, home


def read_people():
    people = {}
    for line in (SOURCES / "people.tsv").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            fields = (line.split("\t") + ["", ""])[:6]
            people[fields[0]] = Person(*fields)
    return people


class Event:
    """One line of messenger.txt or live.txt, with the indented text below it."""

    def __init__(self, word, when, who=None, label=None, options=None):
        self.word, self.when, self.who, self.label, self.options = word, when, who, label, options or {}
        self.lines, self.files = [], []

    @property
    def text(self):
        return "\n".join(self.lines)


class Room:
    def __init__(self, key, kind, name, title):
        self.key, self.kind, self.name, self.title = key, kind, name, title
        self.members, self.events = [], []


def read_rooms(path):
    rooms, day, event = [], None, None
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith("  "):
            text = line[2:]
            if text.startswith("@file "):
                event.files.append(text[6:])
            else:
                event.lines.append(text)
            continue
        words = shlex.split(line)
        options = dict(w.split("=", 1) for w in words if re.fullmatch(r"(re|thread)=\w+", w))
        plain = [w for w in words if not re.fullmatch(r"(re|thread)=\w+", w)]
        match plain:
            case ["channel", key, kind, name, title]:
                rooms.append(Room(key, kind, name, title))
            case ["room", key, kind, title]:
                rooms.append(Room(key, kind, key, title))
            case ["members", *keys]:
                rooms[-1].members = keys
            case ["day", day]:
                pass
            case ["post", label, clock, who]:
                event = Event("post", parse_local(day, clock), who, label, options)
                rooms[-1].events.append(event)
            case ["call", label, clock, who, to]:
                event = Event("call", parse_local(day, clock), who, label, {"to": to})
                rooms[-1].events.append(event)
            case [("edit" | "delete") as word, label, clock]:
                event = Event(word, parse_local(day, clock), None, label)
                rooms[-1].events.append(event)
            case ["react", label, clock, who, emoji]:
                rooms[-1].events.append(Event("react", parse_local(day, clock), who, label, {"emoji": emoji}))
            case [("enter" | "join" | "leave") as word, clock, who]:
                rooms[-1].events.append(Event(word, parse_local(day, clock), who))
            case _:
                raise SystemExit(f"{path.name}:{number}: not understood: {line}")
    return rooms


# Attachments --------------------------------------------------------------------------------------------------------

def make_pdf(text):
    """A small PDF 1.4 with real text: Helvetica, WinAnsi, uncompressed. '# ' marks a heading, '---' a new page."""
    pages = [page.strip("\n").split("\n") for page in text.split("\n---\n")]
    objects = {1: b"<< /Type /Catalog /Pages 2 0 R /Lang (de) >>",
               3: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
               4: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >>"}
    kids, number = [], 5
    for page in pages:
        out, y = [], 780
        for line in page:
            heading = line.startswith("# ")
            shown = (line[2:] if heading else line).encode("cp1252")
            shown = shown.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
            font = b"/F2 14 Tf" if heading else b"/F1 11 Tf"
            y -= 24 if heading else 16
            if shown:
                out.append(b"BT %s 1 0 0 1 70 %d Tm (%s) Tj ET" % (font, y, shown))
        content = b"\n".join(out) + b"\n"
        objects[number] = (b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R "
                           b"/F2 4 0 R >> >> /Contents %d 0 R >>" % (number + 1))
        objects[number + 1] = b"<< /Length %d >>\nstream\n%sendstream" % (len(content), content)
        kids.append(b"%d 0 R" % number)
        number += 2
    objects[2] = b"<< /Type /Pages /Kids [%s] /Count %d >>" % (b" ".join(kids), len(kids))
    pdf, offsets = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"), {}
    for key in sorted(objects):
        offsets[key] = len(pdf)
        pdf += b"%d 0 obj\n%s\nendobj\n" % (key, objects[key])
    start = len(pdf)
    pdf += b"xref\n0 %d\n0000000000 65535 f \n" % number
    for key in sorted(objects):
        pdf += b"%010d 00000 n \n" % offsets[key]
    pdf += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (number, start)
    return bytes(pdf)


def make_png(depth_cm):
    """A drawn 'photograph', 160 x 120, four colours: sky, ground, post, concrete down to depth_cm."""
    width, height, ground = 160, 120, 50
    sky, soil, wood, concrete = range(4)
    palette = bytes((190, 215, 235, 140, 105, 70, 205, 160, 95, 150, 150, 150))
    foot = ground + depth_cm * 3 // 4
    rows = bytearray()
    for y in range(height):
        rows.append(0)
        for x in range(0, width, 4):
            packed = 0
            for pixel in range(x, x + 4):
                colour = sky if y < ground else soil
                if 60 <= pixel < 100 and ground <= y < foot:
                    colour = concrete
                if 74 <= pixel < 86 and 10 <= y < foot - 8:
                    colour = wood
                if 20 <= pixel < 140 and 22 <= y < 28:
                    colour = wood
                packed = packed << 2 | colour
            rows.append(packed)

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    stored, rest = b"", bytes(rows)  # zlib's stored blocks, written by hand: the same bytes with every zlib
    while rest:
        block, rest = rest[:65535], rest[65535:]
        stored += struct.pack("<BHH", 0 if rest else 1, len(block), len(block) ^ 0xFFFF) + block
    packed = b"\x78\x01" + stored + struct.pack(">I", zlib.adler32(bytes(rows)))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 2, 3, 0, 0, 0))
            + chunk(b"PLTE", palette) + chunk(b"IDAT", packed) + chunk(b"IEND", b""))


DRAWN = {"Foto_Pfosten_3.png": 52, "Foto_Baugrube_3.png": 82}


def attachment(name):
    """(media type, bytes)"""
    if name in DRAWN:
        return "image/png", make_png(DRAWN[name])
    if name.endswith(".pdf"):
        return "application/pdf", make_pdf((SOURCES / "attachments" / (name[:-4] + ".txt")).read_text("utf-8"))
    return "text/plain", (SOURCES / "attachments" / name).read_bytes()


# Messenger: Mattermost compliance CSV, layout of v10.5 and later (20 columns) ----------------------------------------

COLUMNS = ["Post Creation Time", "Post Update Time", "Post Update Type", "Team Id", "Team Name", "Team Display Name",
           "Channel Id", "Channel Name", "Channel Display Name", "Channel Type", "User Id", "User Email", "Username",
           "Post Id", "Edited By Post Id", "Replied to Post Id", "Post Message", "Post Type", "User Type",
           "Previews Post Id"]


def native_id(*parts):
    """26 letters and digits, as Mattermost's ids are."""
    digest = hashlib.sha256("\0".join(parts).encode()).digest()
    return base64.b32encode(digest).decode().lower()[:26]


def make_messenger(people, rooms):
    team = (native_id("team"), "auenbrueck", "Stadt Auenbrück")
    rows, files, channels = [], [], {}
    counts = dict(posts=0, edits=0, deletions=0, attachments=0, enter=0, leave=0, previously_joined=0, in_thread=0)

    for room in rooms:
        room_id = native_id("channel", room.key)
        posts = {e.label: e for e in room.events if e.word == "post"}
        roots = {}
        for event in posts.values():  # a reply to a reply belongs to the same thread
            parent = event.options.get("re")
            if parent:
                roots[event.label] = roots.get(parent, parent)
        edits = {e.label: e for e in room.events if e.word == "edit"}
        deletions = {e.label: e for e in room.events if e.word == "delete"}

        def row(when, updated, update_type, who, post, original, root, text, post_type):
            person = people[who]
            rows.append((when, len(rows), [
                milliseconds(when), updated, update_type, *team, room_id, room.name, room.title, room.kind,
                native_id("user", who), person.address, person.handle, post, original, root, text, post_type,
                "bot" if person.kind == "bot" else "user", ""]))

        first = min(e.when for e in posts.values())
        last = max(e.when for e in posts.values())
        for who in room.members:
            row(first, 0, "", who, "", "", "",
                f"User {people[who].handle} ({people[who].address}) was already in the channel", "previously-joined")
            counts["previously_joined"] += 1
        attached = 0
        for event in room.events:
            if event.word in ("enter", "leave"):
                verb = "joined" if event.word == "enter" else "left"
                person = people[event.who]
                row(event.when, 0, "", event.who, "", "", "",
                    f"User {person.handle} ({person.address}) {verb} the channel", event.word)
                counts[event.word] += 1
            if event.word != "post":
                continue
            post = native_id("post", event.label)
            root = native_id("post", roots[event.label]) if event.label in roots else ""
            counts["posts"] += 1
            counts["in_thread"] += 1 if root else 0
            created = milliseconds(event.when)
            if event.label in edits:
                updated = milliseconds(edits[event.label].when)
                old = native_id("old", event.label)
                row(event.when, updated, "EditedOriginalMsg", event.who, old, post, root, event.text, "message")
                row(event.when, updated, "EditedNewMsg", event.who, post, "", root, edits[event.label].text, "message")
                counts["edits"] += 1
            else:
                row(event.when, created, "", event.who, post, "", root, event.text, "message")
            if event.label in deletions:
                row(event.when, milliseconds(deletions[event.label].when), "Deleted", event.who, post, "", root,
                    "delete " + event.text, "message")
                counts["deletions"] += 1
            for name in event.files:
                inside = f"files/{post}/{native_id('file', event.label, name)}-{name}"
                files.append((inside, attachment(name)[1]))
                row(event.when, created, "", event.who, post, "", root, f"{name} ({inside})", "attachment")
                counts["attachments"] += 1
                attached += 1
        channels[room_id] = {
            "TeamId": team[0], "TeamName": team[1], "TeamDisplayName": team[2], "ChannelId": room_id,
            "ChannelName": room.name, "ChannelDisplayName": room.title,
            "ChannelType": {"public": "O", "private": "P", "direct": "D"}[room.kind],
            "RoomId": f"{room.kind} - {room.name} - {room_id}", "StartTime": milliseconds(first),
            "EndTime": milliseconds(last), "MessagesCount": len(posts), "AttachmentsCount": attached}

    rows.sort(key=lambda r: r[:2])
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(r[2] for r in rows)
    metadata = {"Channels": channels, "MessagesCount": counts["posts"], "AttachmentsCount": counts["attachments"],
                "StartTime": min(c["StartTime"] for c in channels.values()),
                "EndTime": max(c["EndTime"] for c in channels.values())}

    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        members = [("posts.csv", table.getvalue().encode()), *files,
                   ("metadata.json", json.dumps(metadata, indent=2, ensure_ascii=False).encode())]
        for name, data in members:
            info = zipfile.ZipInfo(name, ZIP_DATE)
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(info, data)
    counts["rows"] = len(rows)
    return packed.getvalue(), counts


# Mail ---------------------------------------------------------------------------------------------------------------

class Mail:
    def __init__(self, path):
        head, _, self.body = path.read_text("utf-8").partition("\n\n")
        self.fields, self.attach = {}, []
        for line in head.splitlines():
            key, _, value = line.partition(": ")
            if key == "attach":
                self.attach.append(value)
            else:
                self.fields[key] = value
        self.path = path
        self.when = parse_local(*self.fields["date"].split(" "))

    def get(self, key, default=""):
        return self.fields.get(key, default)


def encoded_word(text, charset="utf-8"):
    """RFC 2047, base64, cut at character boundaries so that no word exceeds 75 letters."""
    if text.isascii():
        return text
    words, part = [], ""
    for letter in text:
        if len(base64.b64encode((part + letter).encode(charset))) > 52:
            words.append(part)
            part = ""
        part += letter
    words.append(part)
    return "\n ".join(f"=?{charset}?B?{base64.b64encode(w.encode(charset)).decode()}?=" for w in words)


def mailbox(person):
    if person.name.isascii():
        name = f'"{person.name}"' if re.search(r"[^\w ]", person.name) else person.name
    else:
        name = encoded_word(person.name)
    return f"{name} <{person.address}>"


def base64_lines(data):
    text = base64.b64encode(data).decode()
    return "\n".join(text[i:i + 76] for i in range(0, len(text), 76))


def text_part(text, subtype, charset, encoding):
    data = text.encode(charset)
    if encoding == "base64":
        body = base64_lines(data)
    elif encoding == "quoted-printable":
        body = quopri.encodestring(data).decode("ascii").rstrip("\n")
    else:
        body = data.decode(charset).rstrip("\n")
    return f"Content-Type: text/{subtype}; charset={charset}\nContent-Transfer-Encoding: {encoding}\n\n{body}\n"


def multipart(kind, parts, seed):
    boundary = "=_" + native_id("boundary", seed)
    joined = "".join(f"--{boundary}\n{part}" for part in parts)
    return f'Content-Type: multipart/{kind}; boundary="{boundary}"\n\n{joined}--{boundary}--\n'


def make_mail(people, mail):
    """The whole mail as text with line feeds; callers choose the line ends."""
    def people_list(key):
        return ",\n ".join(mailbox(people[k]) for k in mail.get(key).split(", "))

    sender = people[mail.get("from")]
    head = [f"Received: from mail.{sender.address.split('@')[1]} (192.0.2.25) by mx.auenbrueck.example with ESMTPS;\n"
            f"\t{rfc5322(mail.when)}",
            f"Date: {rfc5322(mail.when)}", f"From: {mailbox(sender)}", f"To: {people_list('to')}"]
    if mail.get("cc"):
        head.append(f"Cc: {people_list('cc')}")
    head += [f"Subject: {encoded_word(mail.get('subject'))}", f"Message-ID: <{mail.get('id')}>"]
    if mail.get("reply"):
        head += [f"In-Reply-To: <{mail.get('reply')}>", f"References: <{mail.get('reply')}>"]
    head.append("MIME-Version: 1.0")

    part = text_part(mail.body, "plain", mail.get("charset", "utf-8"), mail.get("encoding"))
    if mail.get("html"):
        paragraphs = "".join(f"<p>{p.strip()}</p>\n" for p in mail.body.split("\n\n"))
        html = f"<!DOCTYPE html>\n<html lang=\"de\"><body>\n{paragraphs}</body></html>\n"
        part = multipart("alternative", [part, text_part(html, "html", "utf-8", "quoted-printable")],
                         mail.get("id") + "/alternative")
    parts = [part]
    for name in mail.attach:
        media_type, data = attachment(name)
        charset = "; charset=utf-8" if media_type == "text/plain" else ""
        parts.append(f"Content-Type: {media_type}{charset}; name=\"{name}\"\nContent-Transfer-Encoding: base64\n"
                     f"Content-Disposition: attachment; filename=\"{name}\"\n\n{base64_lines(data)}\n")
    if mail.get("forward"):
        nested = Mail(SOURCES / "mail" / mail.get("forward"))
        parts.append("Content-Type: message/rfc822\nContent-Disposition: attachment; filename=\"Lieferschein.eml\"\n"
                     f"Content-Transfer-Encoding: 8bit\n\n{make_mail(people, nested)}")
    body = part if len(parts) == 1 else multipart("mixed", parts, mail.get("id"))
    return "\n".join(head) + "\n" + body


def make_mails(people):
    box, singles, counts = [], {}, dict(mbox=0, eml=0, attachments=0, nested_mails=0)
    for path in sorted((SOURCES / "mail").glob("*.txt")):
        mail = Mail(path)
        if mail.get("into") == "nested":
            continue
        text = make_mail(people, mail)
        counts["attachments"] += len(mail.attach)
        counts["nested_mails"] += 1 if mail.get("forward") else 0
        if mail.get("into") == "mbox":
            counts["mbox"] += 1
            stamp = to_utc(mail.when)
            day = rfc5322(mail.when)
            line = f"From {people[mail.get('from')].address} {day[:3]} {day[8:11]} {stamp.day:2} {stamp:%H:%M:%S %Y}\n"
            box.append(line + re.sub(r"(?m)^(>*From )", r">\1", text) + "\n")  # mboxrd
        else:
            counts["eml"] += 1
            singles["mail/" + path.stem + ".eml"] = text.replace("\n", "\r\n").encode()
    return "".join(box).encode(), singles, counts


# Live: Kustos's message stream ---------------------------------------------------------------------------------------

HOME = "chat.auenbrueck.example"


def make_live(people, rooms):
    lines, counts, sequence = [], {}, 0
    for room in rooms:
        texts = {}

        def person(key):
            p = people[key]
            home = p.home or HOME
            out = {"id": f"@{p.handle}:{home}", "name": p.name, "address": p.address}
            if p.kind == "guest":
                out["guest"] = True
            if p.home:
                out["home"] = p.home
            return out

        def event_id(label):
            return f"${label}:{HOME}"

        for event in room.events:
            sequence += 1
            target = event_id(event.label) if event.label else ""
            kind = {"post": "file" if event.files else "chat", "react": "reaction"}.get(event.word, event.word)
            own = target if event.word in ("post", "call") else f"${event.word}{sequence:03}:{HOME}"
            if event.word in ("post", "call"):
                texts[event.label] = (event.who, event.text)
            who = event.who or texts[event.label][0]
            out = {"id": own, "kind": kind, "sent_at": rfc3339(event.when),
                   "conversation": {"id": f"!{room.key}:{HOME}", "title": room.title, "type": room.kind},
                   "sender": person(who)}
            if event.word == "call":
                out["recipients"] = [person(event.options["to"])]
            if event.word in ("post", "call", "edit"):
                out["body"] = event.text
            if event.word == "react":
                out["body"] = event.options["emoji"]
            if event.word in ("edit", "delete", "react"):
                out["target"] = target
            if "re" in event.options:
                out["reply_to"] = event_id(event.options["re"])
            if "thread" in event.options:
                out["thread"] = event_id(event.options["thread"])
            if event.files:
                out["attachments"] = []
                for name in event.files:
                    media_type, data = attachment(name)
                    out["attachments"].append({"name": name, "type": media_type, "size": len(data),
                                               "sha256": hashlib.sha256(data).hexdigest(),
                                               "content_base64": base64.b64encode(data).decode()})
            out["feed"] = {"position": f"s{sequence:04}", "sequence": sequence}
            counts[kind] = counts.get(kind, 0) + 1
            counts["attachments"] = counts.get("attachments", 0) + len(event.files)
            lines.append(json.dumps(out, ensure_ascii=False, separators=(",", ":")))
    counts["events"] = sequence
    return ("\n".join(lines) + "\n").encode(), counts


# Expectations --------------------------------------------------------------------------------------------------------

def searches():
    """Queries and the messages that must be among their hits, by native id. See README.md."""
    def mm(*labels):
        return [native_id("post", label) for label in labels]

    def live(*labels):
        return [f"${label}:{HOME}" for label in labels]

    return [
        {"query": '"nicht weitergeben"', "why": "a phrase that stands only in a deleted post", "must_hit": mm("m17")},
        {"query": "Kernbohrung", "why": "a word that stands only in a PDF", "must_hit":
            ["20260320-1@sv-petersen.example"]},
        {"query": "Holzfeuchte Lieferschein", "why": "both words meet in a letter, and in an invoice mail if the text "
            "of the delivery note nested in it is read", "must_hit": ["20260330-1@auenbrueck.example"],
         "with_nested_mail": ["20260324-9@holzwerk-talblick.example"]},
        {"query": "Prüfbericht", "why": "umlaut; mail, messenger and live room together", "must_hit":
            mm("m08", "m09", "m26") + live("l02", "l15") +
            ["20260304-7@auenbrueck.example", "20260306-2@holzwerk-talblick.example",
             "20260320-5@auenbrueck.example", "20260414-1@sv-petersen.example"]},
        {"query": "Pruefbericht", "why": "the same without an umlaut key", "must_hit": mm("m08", "m09", "m26")},
        {"query": "from:vogt Fundamente", "why": "one sender, all three sources", "must_hit":
            mm("m15") + live("l07") + ["20260306-2@holzwerk-talblick.example"]},
        {"query": '"60 cm"', "why": "the text before the edit: that version has an id of its own",
         "must_hit": [native_id("old", "m15")]},
        {"query": "Fangstelle date:2026-03", "why": "a month; in chat, mail text and attachments", "must_hit":
            mm("m12") + ["20260309-3@auenbrueck.example", "20260320-1@sv-petersen.example"]},
        {"query": "has:attachment from:petersen", "why": "operators only", "must_hit":
            ["20260320-1@sv-petersen.example", "20260414-1@sv-petersen.example"]},
        {"query": "الملعب", "why": "Arabic", "must_hit": live("l04")},
        {"query": "游乐场", "why": "Chinese", "must_hit": live("l05")},
        {"query": "Fundament NOT Beton", "why": "stem and exclusion", "must_hit": mm("m14"),
         "must_not_hit": live("l07")},
        {"query": "Seilbahn", "why": "a word that nobody used", "must_hit": [], "total": 0},
    ]


def build():
    people = read_people()
    messenger_rooms = read_rooms(SOURCES / "messenger.txt")
    messenger, messenger_counts = make_messenger(people, messenger_rooms)
    mbox, singles, mail_counts = make_mails(people)
    live, live_counts = make_live(people, read_rooms(SOURCES / "live.txt"))
    expected = {
        "about": "What is in the sample, counted by make_demo.py from the sources. README.md explains the words.",
        "messenger": messenger_counts, "mail": mail_counts, "live": live_counts,
        "total": {
            "posts_mails_events": messenger_counts["posts"] + mail_counts["mbox"] + mail_counts["eml"]
            + live_counts["events"],
            "edits": messenger_counts["edits"] + live_counts["edit"],
            "deletions": messenger_counts["deletions"] + live_counts["delete"],
            "attachments": messenger_counts["attachments"] + mail_counts["attachments"]
            + mail_counts["nested_mails"] + live_counts["attachments"]},
        "records": {
            "about": "kinds after import: a version before an edit is a chat record, the edit and the deletion are records "
                     "of their own; attachment rows belong to their post; a nested mail is an attachment",
            "messenger": {"chat": messenger_counts["posts"], "edit": messenger_counts["edits"],
                          "delete": messenger_counts["deletions"],
                          "join": messenger_counts["enter"] + messenger_counts["previously_joined"],
                          "leave": messenger_counts["leave"]},
            "mail": {"mail": mail_counts["mbox"] + mail_counts["eml"]},
            "live": {k: live_counts[k] for k in sorted(live_counts) if k not in ("events", "attachments")}},
        "key_messages": {
            "before the edit: 60 cm": native_id("old", "m15"),
            "after the edit: 80 cm": native_id("post", "m15"),
            "deleted: knew that the posts were wet": native_id("post", "m17"),
            "delivery note inside an invoice mail": "20260324-9@holzwerk-talblick.example",
            "expert's report": "20260320-1@sv-petersen.example"},
        "searches": searches(),
    }
    files = {"messenger.zip": messenger, "mail.mbox": mbox, **singles, "live.ndjson": live}
    files["expected.json"] = (json.dumps(expected, indent=1, ensure_ascii=False) + "\n").encode()
    return files


def same(name, old, new):
    if not name.endswith(".zip"):
        return old == new
    with zipfile.ZipFile(io.BytesIO(old)) as a, zipfile.ZipFile(io.BytesIO(new)) as b:
        return a.namelist() == b.namelist() and all(a.read(n) == b.read(n) for n in a.namelist())


def main():
    files = build()
    if sys.argv[1:] == ["--check"]:
        wrong = [n for n, data in files.items()
                 if not (HERE / n).exists() or not same(n, (HERE / n).read_bytes(), data)]
        if wrong:
            print("differs from its source: " + ", ".join(wrong) + "\n  run tests/data/demo/make_demo.py",
                  file=sys.stderr)
            return 1
        return 0
    for name, data in files.items():
        path = HERE / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        print(f"{len(data):7} {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
