#!/usr/bin/env python3
"""Writes note.msg and winmail.tnef, and winmail.eml that carries it: small, invented, from the published layouts
([MS-CFB], [MS-OXMSG], [MS-OXTNEF]) and with no code of the readers that tests read them with. CC0-1.0."""
import base64
import struct

SUBMITTED = 1709284500  # 2024-03-01T09:15:00Z
FILETIME = (SUBMITTED + 11644473600) * 10_000_000
PLAN = bytes((i * 7 + i // 256) % 256 for i in range(5000))


def wide(text):
    return text.encode("utf-16-le")


# --- compound file, version 3 --------------------------------------------------------------------
def compound(tree):
    """tree: {name: bytes or dict}"""
    entries = [["Root Entry", 5, tree, b""]]
    links = {}

    def add(index, children):
        numbers = []
        for name, value in sorted(children.items(), key=lambda c: (len(c[0]), c[0].upper())):
            entries.append([name, 1 if isinstance(value, dict) else 2, value, b""])
            numbers.append(len(entries) - 1)
        for number in numbers:
            if entries[number][1] == 1:
                add(number, entries[number][2])
        links[index] = numbers

    add(0, tree)
    child, right = {}, {}
    for index, numbers in links.items():
        child[index] = numbers[0] if numbers else 0xFFFFFFFF
        for a, b in zip(numbers, numbers[1:]):
            right[a] = b
    mini, mini_fat, sectors, fat = b"", [], [], []

    def put(data):
        start = len(sectors)
        for at in range(0, len(data), 512):
            sectors.append(data[at:at + 512].ljust(512, b"\0"))
            fat.append(len(sectors))
        fat[-1] = 0xFFFFFFFE
        return start

    starts = {}
    for index, (name, kind, value, _) in enumerate(entries):
        if kind != 2:
            continue
        if len(value) >= 4096:
            starts[index] = put(value)
        elif value:
            starts[index] = len(mini_fat)
            units = (len(value) + 63) // 64
            mini_fat += list(range(starts[index] + 1, starts[index] + units)) + [0xFFFFFFFE]
            mini += value.ljust(units * 64, b"\0")
    root_start = put(mini)
    mini_fat_start = put(b"".join(struct.pack("<I", n) for n in mini_fat).ljust(512, b"\xff"))
    directory = b""
    for index, (name, kind, value, _) in enumerate(entries):
        raw = wide(name) + b"\0\0"
        size = len(mini) if index == 0 else len(value) if kind == 2 else 0
        start = root_start if index == 0 else starts.get(index, 0xFFFFFFFE)
        directory += raw.ljust(64, b"\0") + struct.pack("<HBBIII", len(raw), kind, 1, 0xFFFFFFFF, right.get(index, 0xFFFFFFFF),
                                                        child.get(index, 0xFFFFFFFF)) + bytes(36) + struct.pack("<IQ", start, size)
    directory_start = put(directory)
    table = len(sectors)
    fat.append(0xFFFFFFFD)
    sectors.append(b"".join(struct.pack("<I", n) for n in fat).ljust(512, b"\xff"))
    assert len(fat) <= 128
    header = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    header += struct.pack("<IIIIIIIIII", 0, 1, directory_start, 0, 4096, mini_fat_start, 1, 0xFFFFFFFE, 0, table)
    return header.ljust(512, b"\xff") + b"".join(sectors)


def fixed(header, numbers):
    return bytes(header) + b"".join(struct.pack("<HHIQ", kind, ident, 6, value) for ident, kind, value in numbers)


def streams(texts):
    return {"__substg1.0_%04X001F" % ident: wide(text) for ident, text in texts.items()}


def recipient(role, name, address):
    return {"__properties_version1.0": fixed(8, [(0x0C15, 3, role)]), **streams({0x3001: name, 0x39FE: address})}


def note():
    inner = {"__properties_version1.0": fixed(24, [(0x0039, 0x40, FILETIME)]),
             **streams({0x0037: "Anlage", 0x1000: "Innen steht: Rutsche", 0x0042: "Bauhof", 0x5D02: "bauhof@stadt.example"})}
    tree = {"__properties_version1.0": fixed(32, [(0x0039, 0x40, FILETIME), (0x3FDE, 3, 65001)]),
            **streams({0x001A: "IPM.Note", 0x0037: "Prüfbericht Spielplatz", 0x0042: "Petersen, Jürgen", 0x5D02: "petersen@stadt.example",
                       0x1000: "Der Prüfbericht liegt bei.\r\nGruß", 0x1035: "<msg-1@stadt.example>"}),
            "__substg1.0_10130102": "<p>Der Prüfbericht liegt bei.</p>".encode(),
            "__recip_version1.0_#00000000": recipient(1, "Anna Müller", "anna@stadt.example"),
            "__recip_version1.0_#00000001": recipient(2, "Søren", "soeren@stadt.example"),
            "__recip_version1.0_#00000002": recipient(3, "", "geheim@stadt.example"),
            "__attach_version1.0_#00000000": {"__properties_version1.0": fixed(8, [(0x3705, 3, 1)]), "__substg1.0_37010102": b"Text",
                                              **streams({0x3707: "Größe.txt", 0x370E: "text/plain"})},
            "__attach_version1.0_#00000001": {"__properties_version1.0": fixed(8, [(0x3705, 3, 1)]), "__substg1.0_37010102": PLAN,
                                              **streams({0x3707: "plan.bin"})},
            "__attach_version1.0_#00000002": {"__properties_version1.0": fixed(8, [(0x3705, 3, 5)]), "__substg1.0_3701000D": inner,
                                              **streams({0x3001: "Anlage"})}}
    return compound(tree)


# --- TNEF ----------------------------------------------------------------------------------------
def attribute(level, ident, data):
    return struct.pack("<BII", level, ident, len(data)) + data + struct.pack("<H", sum(data) & 0xFFFF)


def padded(data):
    return data + bytes(-len(data) % 4)


def properties(values):
    out = struct.pack("<I", len(values))
    for ident, kind, value in values:
        out += struct.pack("<HH", kind, ident)
        out += struct.pack("<I", value) if kind == 3 else struct.pack("<II", 1, len(value)) + padded(value)
    return out


RTF = b"{\\rtf1\\ansi Bericht}"


def tnef(inner=None):
    out = struct.pack("<IH", 0x223E9F78, 1)
    out += attribute(1, 0x00069007, struct.pack("<II", 1252, 0))
    out += attribute(1, 0x00018004, "Größe".encode("cp1252") + b"\0")
    rtf = struct.pack("<III", len(RTF) + 12, len(RTF), 0x414C454D) + bytes(4) + RTF
    out += attribute(1, 0x00069003, properties([(0x1000, 0x1E, "Der Text in TNEF: Straße".encode("cp1252") + b"\0"), (0x1009, 0x102, rtf)]))
    out += attribute(2, 0x00069002, bytes(14)) + attribute(2, 0x00018010, b"PLAN~1.TXT\0") + attribute(2, 0x0006800F, b"Inhalt des Plans")
    out += attribute(2, 0x00069005, properties([(0x3707, 0x1F, wide("Plan für Größe.txt") + b"\0\0")]))
    if inner:
        out += attribute(2, 0x00069002, bytes(14))
        out += attribute(2, 0x00069005, properties([(0x3701, 0x0D, bytes(16) + inner)]))
    return out


def mail(body):
    lines = base64.encodebytes(body).decode().replace("\n", "\r\n")
    return ("From: petersen@stadt.example\r\nTo: anna@stadt.example\r\nSubject: Outlook\r\nMessage-ID: <tnef-1@stadt.example>\r\n"
            "MIME-Version: 1.0\r\nContent-Type: application/ms-tnef; name=\"winmail.dat\"\r\nContent-Transfer-Encoding: base64\r\n\r\n" + lines)


open("note.msg", "wb").write(note())
packed = tnef(tnef())
open("winmail.tnef", "wb").write(packed)
open("winmail.eml", "w", newline="").write(mail(packed))
