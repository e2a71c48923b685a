"""A forger's workshop: bundles and ledgers that are consistent in themselves because the forger has the archive's own keys.

Without it every damaged bundle would fail at its signature, and no test would reach the checks behind it.
"""
import base64
import json
import shutil
import struct
import subprocess
import tempfile
import zlib
from pathlib import Path

import kustos_verify as kv


def compact(tree):
    return (json.dumps(tree, separators=(",", ":"), sort_keys=True, ensure_ascii=False) + "\n").encode()


def openssl(*arguments, **files):
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            Path(folder, name).write_bytes(content)
        return subprocess.run(("openssl",) + arguments, cwd=folder, check=True, capture_output=True).stdout


# --- bundles ---------------------------------------------------------------------------------------------------------------

class Container:
    """The members of a bundle's evidence container, to be changed and packed again."""

    def __init__(self, pdf):
        self.members = {name.decode(): content for name, content in kv.read_zip(kv.Pdf(pdf).container()).items()}

    def json(self, name):
        return json.loads(self.members[name])

    def put(self, name, tree):
        self.members[name] = compact(tree)

    def edit(self, name, change):
        tree = self.json(name)
        change(tree)
        self.put(name, tree)

    def list_files(self):
        """The manifest's list, as it must be now."""
        manifest = self.json("manifest.json")
        manifest["files"] = [{"name": name, "size": len(content), "sha256": kv.sha256(content).hex()}
                             for name, content in self.members.items() if name != "manifest.json"]
        self.put("manifest.json", manifest)

    def zip(self):
        out, central = b"", b""
        for name, content in self.members.items():
            raw = name.encode()
            common = struct.pack("<HHHHHIIIHH", 20, 0x0800, 0, 0, 0x0021, zlib.crc32(content), len(content), len(content),
                                 len(raw), 0)
            central += b"PK\1\2\x14\0" + common + struct.pack("<HHHII", 0, 0, 0, 0, len(out)) + raw
            out += b"PK\3\4" + common + raw + content
        count = len(self.members)
        return out + central + b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, count, count, len(central), len(out), 0)


NAMES = b"/Names << /EmbeddedFiles << /Names [ (evidence.zip) 4 0 R ] >> >>"


def pdf_objects(container, names=NAMES, mark=b"/KustosEvidence 1", more=b""):
    """The unsigned beginning of a bundle without pages."""
    return (b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R " + names + b" >>\nendobj\n"
            b"2 0 obj\n<< /Type /Pages /Kids [ ] /Count 0 >>\nendobj\n"
            b"3 0 obj\n<< /Type /EmbeddedFile " + mark + b" /Length %d >>\nstream\n" % len(container) + container +
            b"\nendstream\nendobj\n4 0 obj\n<< /Type /Filespec /F (evidence.zip) /EF << /F 3 0 R >> >>\nendobj\n" + more)


def report_objects(*parts):
    """The unsigned beginning of a verification report without pages: (mark, content) of each stream."""
    out = (b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n"
           b"2 0 obj\n<< /Type /Pages /Kids [ ] /Count 0 >>\nendobj\n")
    for number, (mark, content) in enumerate(parts, 10):
        out += b"%d 0 obj\n<< /Type /EmbeddedFile %s /Length %d >>\nstream\n" % (number, mark, len(content))
        out += content + b"\nendstream\nendobj\n"
    return out


def cms(digest, key, certificate):
    """The signature that bundle.md describes; key: PEM, certificate: DER."""
    parts = kv.Certificate(certificate)
    attributes = kv.cms_attributes(parts, digest)
    r, s = (int.from_bytes(v.content, "big") for v in kv.der_one(
        openssl("dgst", "-sha256", "-sign", "key", "content", key=key, content=kv.der(kv.SET, attributes))).parts())
    s = min(s, kv.P256_ORDER - s)
    numbers = [kv.der(kv.INTEGER, n.to_bytes(n.bit_length() // 8 + 1, "big")) for n in (r, s)]
    return cms_with(parts, attributes, kv.der(kv.SEQUENCE, *numbers))


def cms_with(certificate, attributes, signature, unsigned=b""):
    one, sha = kv.der(kv.INTEGER, b"\1"), kv.der(kv.SEQUENCE, kv.SHA256)
    signer = kv.der(kv.SEQUENCE, one, kv.der(kv.SEQUENCE, certificate.issuer, certificate.serial), sha,
                    kv.der(0xA0, attributes), kv.der(kv.SEQUENCE, kv.ECDSA_SHA256), kv.der(kv.OCTETS, signature), unsigned)
    return kv.der(kv.SEQUENCE, kv.SIGNED_DATA, kv.der(0xA0, kv.der(
        kv.SEQUENCE, one, kv.der(kv.SET, sha), kv.der(kv.SEQUENCE, kv.DATA), kv.der(0xA0, certificate.der),
        kv.der(kv.SET, signer))))


def sign_pdf(beginning, key, certificate, trailer=b"<< /Root 1 0 R >>", make=cms):
    head = beginning + b"5" + kv.SIGNATURE_HEAD
    gap_begin = len(head) + 41 + len(b" /Contents ")
    gap_end = gap_begin + 2 + 2 * 8192
    tail = b" >>\nendobj\nxref\n0 0\ntrailer\n" + trailer + b"\nstartxref\n0\n%%EOF\n"
    head += (b" %d %d %d]" % (gap_begin, gap_end, len(tail))).ljust(41) + b" /Contents "
    signature = make(kv.sha256(head, tail), key, certificate)
    return head + b"<" + signature.hex().encode().ljust(2 * 8192, b"0") + b">" + tail


# --- archives --------------------------------------------------------------------------------------------------------------

def sign_note(text, key_line):
    """key_line: PRIVATE+KEY+name+id+base64, as the signer's store has it."""
    name, key_id, key = key_line.removeprefix("PRIVATE+KEY+").strip().split("+", 2)
    seed = bytes.fromhex("302e020100300506032b657004220420") + base64.b64decode(key)[1:]
    signature = openssl("pkeyutl", "-sign", "-rawin", "-keyform", "DER", "-inkey", "key", "-in", "text", key=seed,
                        text=text.encode())
    return f"{text}\n\u2014 {name} {base64.b64encode(bytes.fromhex(key_id) + signature).decode()}\n".encode()


class History:
    """The ledger of an archive directory, to be rewritten from its entries."""

    def __init__(self, folder, key_line):
        self.ledger, self.key = Path(folder, "ledger"), key_line
        self.entries = []
        checkpoint = kv.Checkpoint((self.ledger / "checkpoint").read_bytes())
        checkpoint.read()
        self.origin = checkpoint.origin
        for first in range(0, checkpoint.size, kv.TILE):
            width = min(kv.TILE, checkpoint.size - first)
            data = (self.ledger / kv.tile_name("entries", first // kv.TILE, width)).read_bytes()
            while data:
                length = int.from_bytes(data[:2], "big")
                self.entries.append(data[2:2 + length])
                data = data[2 + length:]

    def next_sequence(self, source=0):
        return max((kv.Entry(e).sequence + 1 for e in self.entries if kv.Entry(e).source == source), default=0)

    def control(self, action, rows, source=0, sequence=None):
        """A control entry of the archive itself. rows: (tag, bytes), ascending."""
        header = struct.pack(">BBBBHIQ16s", 0x4B, 1, kv.CONTROL, 0, 1, source,
                             self.next_sequence(source) if sequence is None else sequence, b"forged by tests.")
        body = b"".join(struct.pack(">HH", tag, len(value)) + value for tag, value in [(1, struct.pack(">H", action))] + rows)
        return header + bytes(82) + body

    def erasure(self, action, rows):
        """Likewise, of kind erasure."""
        entry = self.control(action, rows)
        return entry[:2] + bytes([kv.ERASURE]) + entry[3:]

    def root(self):
        tree = kv.Frontier(kv.node_hash)
        for entry in self.entries:
            tree.append(kv.leaf_hash(entry))
        return tree.root()

    def note(self, size=None, root=None):
        return sign_note("%s\n%d\n%s\n" % (self.origin, len(self.entries) if size is None else size, base64.b64encode(
            self.root() if root is None else root).decode()), self.key)

    def save(self):
        shutil.rmtree(self.ledger / "tile")
        for first in range(0, len(self.entries), kv.TILE):
            group = self.entries[first:first + kv.TILE]
            self.write("entries", first // kv.TILE, len(group), b"".join(struct.pack(">H", len(e)) + e for e in group))
        level, values = 0, [kv.leaf_hash(e) for e in self.entries]
        while values:
            above = []
            for first in range(0, len(values), kv.TILE):
                group = values[first:first + kv.TILE]
                self.write(level, first // kv.TILE, len(group), b"".join(group))
                if len(group) == kv.TILE:
                    tree = kv.Frontier(kv.node_hash)
                    for value in group:
                        tree.append(value)
                    above.append(tree.root())
            level, values = level + 1, above
        (self.ledger / "checkpoint").write_bytes(self.note())

    def write(self, level, index, width, data):
        path = self.ledger / kv.tile_name(level, index, width)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


class Eraser:
    """Erases entries of a history as an archive would: its entries, keys and ciphertext; each step can be left out or bent."""

    def __init__(self, history, folder):
        self.history, self.folder, self.generation, self.number = history, folder, 1, 0

    def entry(self, index):
        return kv.Entry(self.history.entries[index])

    def contents(self, kind=None):
        """Records and blobs in segments, ascending."""
        return [i for i, e in enumerate(map(kv.Entry, self.history.entries))
                if e.kind in ((kind,) if kind else (kv.RECORD, kv.BLOB))]

    def range(self, begin, end=None, **bent):
        end = begin if end is None else end
        row = dict(tree=self.entry(begin).tree, first=self.entry(begin).leaf, last=self.entry(end).leaf, first_entry=begin,
                   last_entry=end)
        row.update(bent)
        return 33, struct.pack(">IIIQQ", *row.values())

    def add(self, action, rows):
        self.history.entries.append(self.history.erasure(action, sorted(rows, key=lambda row: row[0])))

    def begin(self, *ranges, part=0, parts=1, new=True, **bent):
        self.number += new
        rows = {12: struct.pack(">I", self.generation + 1), 26: b"erasure", 42: bytes([self.number]) * 16,
                43: struct.pack(">I", part), 44: struct.pack(">I", parts)}
        rows.update({int(tag[1:]): value for tag, value in bent.items()})
        self.add(kv.BEGUN, [(t, v) for t, v in rows.items() if v is not None] + list(ranges))

    def open_generation(self, erase=True):
        before, self.generation = self.generation, self.generation + 1
        keys = self.folder / "keys" / f"generation-{self.generation}"
        keys.mkdir()
        (keys / "root").write_bytes(b"page %d" % self.generation)
        (keys / "e").write_bytes(bytes([self.generation]) * 32 + bytes(4064))
        self.history.entries.append(self.history.control(kv.GENERATION_OPENED, [
            (12, struct.pack(">I", self.generation)), (15, bytes(32)), (29, self.page())]))
        if erase:
            self.forget(before)

    def forget(self, generation):
        path = self.folder / "keys" / f"generation-{generation}" / "e"
        path.unlink()
        path.write_bytes(bytes(4096))

    def page(self):
        return kv.sha256(b"page %d" % self.generation)

    def end(self, count, **bent):
        rows = {12: struct.pack(">I", self.generation), 21: struct.pack(">Q", count), 29: self.page(), 42: bytes([self.number]) * 16}
        rows.update({int(tag[1:]): value for tag, value in bent.items()})
        self.add(kv.DONE, [(t, v) for t, v in rows.items() if v is not None])

    def erase(self, *entries):
        self.begin(*[self.range(i) for i in entries])
        self.open_generation()
        self.end(len(entries))

    def say_removed(self, count, size=None):
        self.add(kv.CIPHERTEXT_REMOVED, [(16, struct.pack(">Q", len(self.history.entries) if size is None else size)),
                                         (21, struct.pack(">Q", count))])

    def remove(self, *entries):
        """The ciphertext."""
        firsts = sorted(int(p.name[:12]) for p in (self.folder / "vault/segments").glob("*.seg"))
        for first, end in zip(firsts, firsts[1:] + [len(self.history.entries)]):
            path, out, at = self.folder / "vault/segments" / f"{first:012}.seg", [], 0
            data = path.read_bytes()
            for index in range(first, end):
                entry = self.entry(index)
                if (entry.kind == kv.BLOB and entry.length >= 1 << 20) or at >= len(data):
                    continue
                length = int.from_bytes(data[at:at + 8], "big")
                frame = data[at:at + 8 + length]
                at += len(frame)
                out.append(bytes(8) if index in entries else frame)
            path.unlink()
            path.write_bytes(b"".join(out) + data[at:])
        for index in entries:
            blob = self.folder / "vault/blobs" / f"{index:012}.blob"
            if blob.exists():
                blob.unlink()
