"""Writes unicode.pst (encoded) and ansi.pst (plain): small, invented, from the published layout [MS-PST]; no code is shared with the reader
or with libpff. Authored for this project (CC0)."""
import struct
import zlib

# [MS-PST] section 5.1: what a byte of an encoded file means
DECODE = bytes.fromhex(
    "47f1b4e60b6a7248854e9eebe2f89453e0bba002e85a09abdbe3bac67cc310dd39059630f53760828cc9134a6b1df3fb8f2697ca911701c4322d6e3195ffd923"
    "d1005e79dc443b1a28c5615720903d83b943be67d2464276c06d5b7eb20f16293ca903540dda5ddff6b7c762cd8d06d3695c86d614f7a56675acb1e94521700c"
    "879f74a4224c6fbf1f56aa2eb3783350b0a392bccf191ca763cb1e4d3e4b1b9b4fe7f0eead3ab55904ea40552551e57a893868527bfc27aed7bdfa07f4cc8e5f"
    "ef359c842b15d5773449b6120a7f7188fd9d18417d93d8582ccefe24afdeb836c8a180a69998a82f0e816573e4c2a28ad4e111d0088b2af2ed9a643fc16cf9ec")
ENCODE = bytes(DECODE.index(i) for i in range(256))

UNICODE, STRING8, LONG, BOOLEAN, TIME, BINARY, OBJECT = 0x1F, 0x1E, 3, 0xB, 0x40, 0x102, 0xD
FIXED = {LONG: 4, BOOLEAN: 1, TIME: 8, 0x14: 8, 2: 2}


def crc(data):
    return zlib.crc32(data, 0xFFFFFFFF) ^ 0xFFFFFFFF


def signature(at, bid):
    both = (at ^ bid) & 0xFFFFFFFF
    return (both >> 16 ^ both) & 0xFFFF


class Heap:
    """A heap on one block; items are numbered from 1."""

    def __init__(self, client):
        self.client, self.items = client, []

    def add(self, data):
        self.items.append(data)
        return len(self.items) << 5

    def block(self, root):
        out, places = struct.pack("<HBBI4x", 0, 0xEC, self.client, root), []
        for item in self.items:
            places.append(len(out))
            out += item
        places.append(len(out))
        if len(out) % 2:
            out += b"\0"
        page_map = len(out)
        out += struct.pack("<HH", len(self.items), 0) + b"".join(struct.pack("<H", p) for p in places)
        return struct.pack("<H", page_map) + out[2:]


def tree(heap, key_size, value_size, records):
    rows = heap.add(b"".join(records)) if records else 0
    return heap.add(struct.pack("<BBBBI", 0xB5, key_size, value_size, 0, rows))


def properties(pst, values):
    """(block, subnodes) of a property context; values: {id: (type, bytes)}."""
    heap, records, subnodes = Heap(0xBC), [], []
    root = heap.add(b"\0" * 8)
    for id_, (type_, value) in sorted(values.items()):
        if type_ in FIXED and FIXED[type_] <= 4:
            short = value.ljust(4, b"\0")
        elif not value:
            short = b"\0" * 4
        elif len(value) <= 3000:
            short = struct.pack("<I", heap.add(value))
        else:
            nid = pst.next_nid(0x1F)
            subnodes.append((nid, pst.data(value), 0))
            short = struct.pack("<I", nid)
        records.append(struct.pack("<HH", id_, type_) + short)
    rows = heap.add(b"".join(records))
    heap.items[0] = struct.pack("<BBBBI", 0xB5, 2, 6, 0, rows)
    return heap.block(root), subnodes


def table(columns, rows, ansi=False):
    """A table context; columns: [(id, type)], rows: [(row id, {id: bytes})]."""
    columns = [(0x67F2, LONG), (0x67F3, LONG)] + columns
    size_of = {c: (FIXED[c[1]] if c[1] in FIXED and c[1] != BOOLEAN else 1 if c[1] == BOOLEAN else 4) for c in columns}
    order = sorted(columns, key=lambda c: (0 if c[0] in (0x67F2, 0x67F3) else 1, -size_of[c]))
    places, at, ends = {}, 0, {}
    for wide in (8, 4, 2, 1):
        for c in order:
            if size_of[c] == wide:
                places[c] = at
                at += wide
        ends[wide] = at
    # 8- and 4-byte cells come first, the row's id at 0: tables here have no 8-byte cells before it
    bitmap = at
    at += (len(columns) + 7) // 8
    heap = Heap(0x7C)
    root = heap.add(b"\0" * (22 + 8 * len(columns)))
    matrix, index = b"", []
    for number, (row, values) in enumerate(rows):
        cells, bits = bytearray(at), bytearray((len(columns) + 7) // 8)
        values = {**values, 0x67F2: struct.pack("<I", row), 0x67F3: struct.pack("<I", 1)}
        for bit, c in enumerate(order):
            if c[0] not in values:
                continue
            value = values[c[0]]
            if c[1] not in FIXED:
                value = struct.pack("<I", heap.add(value) if value else 0)
            cells[places[c]:places[c] + size_of[c]] = value.ljust(size_of[c], b"\0")
            bits[bit // 8] |= 0x80 >> bit % 8
        cells[bitmap:] = bits
        matrix += bytes(cells)
        index.append(struct.pack("<IH" if ansi else "<II", row, number))
    row_index = tree(heap, 4, 2 if ansi else 4, index)
    rows_at = heap.add(matrix) if matrix else 0
    descriptions = b"".join(struct.pack("<IHBB", c[0] << 16 | c[1], places[c], size_of[c], bit)
                            for c, bit in sorted(((c, b) for b, c in enumerate(order)), key=lambda x: x[0][0] << 16 | x[0][1]))
    heap.items[0] = struct.pack("<BBHHHHIII", 0x7C, len(columns), ends[4], ends[2], ends[1], at, row_index, rows_at, 0) + descriptions
    return heap.block(root)


class Pst:
    def __init__(self, encode=None, ansi=False):
        self.encode, self.body, self.at, self.ansi = encode, bytearray(), 0x400, ansi
        self.word = "I" if ansi else "Q"  # of block ids and places
        self.blocks, self.nodes, self.bid, self.index = [], [], 4, 0x400

    def next_nid(self, type_):
        self.index += 1
        return self.index << 5 | type_

    def put(self, data, bid):
        at = self.at + len(self.body)
        self.body += data
        return at

    def block(self, data, internal=False):
        bid = self.bid | (2 if internal else 0)
        self.bid += 4
        stored = data.translate(self.encode) if self.encode and not internal else data
        padding = -(len(stored) + (12 if self.ansi else 16)) % 64
        at = self.at + len(self.body)
        trailer = (struct.pack("<HHII", len(stored), signature(at, bid), bid, crc(stored)) if self.ansi else
                   struct.pack("<HHIQ", len(stored), signature(at, bid), crc(stored), bid))
        self.body += stored + b"\0" * padding + trailer
        self.blocks.append((bid, at, len(stored)))
        return bid

    def data(self, value):
        if len(value) <= 8176:
            return self.block(value)
        parts = [self.block(value[i:i + 8176]) for i in range(0, len(value), 8176)]
        return self.block(struct.pack("<BBHI", 1, 1, len(parts), len(value)) + b"".join(struct.pack("<" + self.word, p) for p in parts), True)

    def subnodes(self, entries):
        if not entries:
            return 0
        return self.block(struct.pack("<BBH", 2, 0, len(entries)) + (b"" if self.ansi else b"\0" * 4) +
                          b"".join(struct.pack("<" + 3 * self.word, *entry) for entry in sorted(entries)), True)

    def node(self, nid, block, subnodes=(), parent=0):
        self.nodes.append((nid, self.data(block) if block else 0, self.subnodes(list(subnodes)), parent))

    def text(self, text):
        return (STRING8, text.encode("cp1252")) if self.ansi else (UNICODE, text.encode("utf-16-le"))

    def table(self, columns, rows):
        """columns: [(id, type)], where UNICODE stands for the file's own text."""
        columns = [(i, STRING8 if self.ansi and t == UNICODE else t) for i, t in columns]
        return table(columns, rows, self.ansi)

    def folder(self, nid, name, parent, children=(), messages=()):
        block, sub = properties(self, {0x3001: self.text(name), 0x3602: (LONG, struct.pack("<I", len(messages))),
                                       0x3603: (LONG, b"\0" * 4), 0x360A: (BOOLEAN, b"\1" if children else b"\0")})
        self.node(nid, block, sub, parent)
        base = nid & ~0x1F
        self.node(base | 0x0D, self.table([(0x3001, UNICODE), (0x3602, LONG), (0x3603, LONG), (0x360A, BOOLEAN)],
                                          [(n, {0x3001: self.text(t)[1], 0x3602: b"\0" * 4, 0x3603: b"\0" * 4, 0x360A: b"\0"})
                                           for n, t in children]))
        self.node(base | 0x0E, self.table([(0x37, UNICODE), (0x1A, UNICODE)],
                                          [(n, {0x37: self.text(t)[1], 0x1A: self.text("IPM.Note")[1]}) for n, t in messages]))
        self.node(base | 0x0F, self.table([(0x3001, UNICODE)], []))

    def message(self, values, recipients=(), attachments=()):
        """(block, subnodes). An attachment's values may have `inner`: such a pair."""
        block, sub = properties(self, values)
        if recipients:
            rows = [(i + 1, {0xC15: struct.pack("<I", kind), 0x3001: self.text(name)[1], 0x39FE: self.text(address)[1]})
                    for i, (kind, name, address) in enumerate(recipients)]
            sub.append((0x692, self.data(self.table([(0xC15, LONG), (0x3001, UNICODE), (0x39FE, UNICODE)], rows)), 0))
        rows = []
        for number, own in enumerate(attachments):
            nid, own, deeper = 0x8025 + 0x20 * number, dict(own), []
            inner = own.pop("inner", None)
            if inner:
                deeper.append((0x200004, self.data(inner[0]), self.subnodes(inner[1])))
                own[0x3701] = (OBJECT, struct.pack("<II", 0x200004, 100))
            attached, more = properties(self, own)
            sub.append((nid, self.data(attached), self.subnodes(more + deeper)))
            rows.append((nid, {0xE20: struct.pack("<I", 100), 0x3705: own[0x3705][1]}))
        if rows:
            sub.append((0x671, self.data(self.table([(0xE20, LONG), (0x3705, LONG)], rows)), 0))
        return block, sub

    def page(self, kind, bid, entries, size, level, most):
        counts = struct.pack("<BBBB", len(entries), most, size, level)
        data = b"".join(entries).ljust(496, b"\0") + counts if self.ansi else b"".join(entries).ljust(488, b"\0") + counts + b"\0" * 4
        at = self.at + len(self.body)
        at += -at % 512
        self.body += b"\0" * (at - self.at - len(self.body))
        self.body += data + (struct.pack("<BBHII", kind, kind, signature(at, bid), bid, crc(data)) if self.ansi else
                             struct.pack("<BBHIQ", kind, kind, signature(at, bid), crc(data), bid))
        return at

    def btree(self, kind, entries, size):
        """entries: [(key, bytes)], ascending. The reference of the root: bid, place."""
        room, above_size = (496, 12) if self.ansi else (488, 24)
        most = room // size
        level = [(key, e) for key, e in entries]
        depth = 0
        while True:
            above = []
            for i in range(0, len(level), most):
                bid = self.bid
                self.bid += 4
                at = self.page(kind, bid, [e for _, e in level[i:i + most]], size if depth == 0 else above_size, depth, most)
                above.append((level[i][0], struct.pack("<" + 3 * self.word, level[i][0], bid, at), bid, at))
            if len(above) == 1:
                return above[0][2], above[0][3]
            level, most, depth = [(k, e) for k, e, _, _ in above], room // above_size, depth + 1

    def bytes(self):
        w = self.word
        nodes = [(n, struct.pack("<" + 3 * w + ("I" if self.ansi else "II"), n, d, s, p, *([] if self.ansi else [0])))
                 for n, d, s, p in sorted(self.nodes)]
        nbt = self.btree(0x81, nodes, 16 if self.ansi else 32)
        blocks = [(b, struct.pack("<" + 2 * w + ("HH" if self.ansi else "HHI"), b, at, size, 2, *([] if self.ansi else [0])))
                  for b, at, size in sorted(self.blocks)]
        bbt = self.btree(0x80, blocks, 12 if self.ansi else 24)
        end = self.at + len(self.body)
        root = struct.pack("<I" + 8 * w + "BBH", 0, end, 0x4400, 0, 0, *nbt, *bbt, 2, 0, 0)
        crypt, maps = 1 if self.encode else 0, b"\xff" * 256
        head = struct.pack("<2sHHBBII", b"SM", 14 if self.ansi else 23, 19, 1, 1, 0, 0)
        if self.ansi:
            head += struct.pack("<III", self.bid, self.bid, 1) + b"\0" * 128 + root + maps + struct.pack("<BB14x", 0x80, crypt)
            head = b"!BDN" + struct.pack("<I", crc(head[:471].ljust(471, b"\0"))) + head
        else:
            head += (struct.pack("<QQI", 0, self.bid, 1) + b"\0" * 136 + root + b"\0" * 4 + maps +
                     struct.pack("<BBHQ", 0x80, crypt, 0, self.bid))
            head = b"!BDN" + struct.pack("<I", crc(head[:471])) + head + struct.pack("<I", crc(head))
        return head.ljust(self.at, b"\0") + bytes(self.body)


def long(number):
    return LONG, struct.pack("<I", number)


def mailbox(encode, ansi):
    pst = Pst(encode, ansi)
    text = pst.text
    pst.node(0x21, *properties(pst, {0xFF9: (BINARY, b"\1" * 16), 0x3001: text("Muster"), 0x35DF: long(0x89),
                                     0x35E0: (BINARY, b"\0" * 4 + b"\1" * 16 + struct.pack("<I", 0x8022))}))
    pst.node(0x61, *properties(pst, {1: long(251), 2: (BINARY, bytes(range(16))), 3: (BINARY, struct.pack("<IHH", 0x8554, 6, 0)),
                                     4: (BINARY, struct.pack("<I", 4) + "ab".encode("utf-16-le"))}))
    top, inbox, first, second = 0x8022, 0x8042, 0x200024, 0x200044
    pst.folder(0x122, "", 0x122, [(top, "Postfach")])
    pst.folder(top, "Postfach", 0x122, [(inbox, "Eingang")])
    pst.folder(inbox, "Eingang", top, [], [(first, "Pr\u00fcfbericht"), (second, "Kontakt")])
    head = ("From: Petersen <petersen@stadt.example>\r\nTo: b@x.example\r\nMessage-ID: <pst-1@stadt.example>\r\n"
            "Date: Fri, 1 Mar 2024 10:15:00 +0100\r\n")
    inner = pst.message({0x1A: text("IPM.Note"), 0x37: text("Innen"), 0x1000: text("Text darin"), 0xE07: long(1)})
    mail = pst.message(
        {0x1A: text("IPM.Note"), 0x37: text("\1\1Pr\u00fcfbericht Spielplatz"), 0x39: (TIME, struct.pack("<Q", 133537581000000000)),
         0xE07: long(1), 0x7D: text(head), 0x1000: text("Guten Tag\r\n" + "Zeile\r\n" * 600), 0x3FFD: long(1252)},
        [(1, "B", "b@x.example"), (3, "Verdeckt", "hidden@x.example")],
        [{0x3707: text("Plan.bin"), 0x3705: long(1), 0x3701: (BINARY, bytes(range(256)) * 40), 0xE20: long(10240)},
         {0x3707: text("Innen"), 0x3705: long(5), 0xE20: long(100), "inner": inner}])
    pst.node(first, *mail, inbox)
    pst.node(second, *pst.message({0x1A: text("IPM.Contact"), 0x37: text("Kontakt"), 0xE07: long(1), 0x8000: text("Amt")}), inbox)
    # In no folder: its parent is gone.
    pst.node(0x200064, *pst.message({0x1A: text("IPM.Note"), 0x37: text("Verwaist"), 0xE07: long(1)}), 0x8882)
    return pst.bytes()


if __name__ == "__main__":
    with open("unicode.pst", "wb") as out:
        out.write(mailbox(ENCODE, False))
    with open("ansi.pst", "wb") as out:
        out.write(mailbox(None, True))
