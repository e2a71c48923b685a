"""One who has everything that lies on a disk, the key file of an `auto` slot included, and reads whatever can be read: payloads, words logs,
derived texts. Written from docs/format (keys.md, index.md, payload.md) alone; what an exit export's reader knows is taken from there."""
import ctypes
import ctypes.util
import hashlib
import sqlite3
import struct
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "docs" / "expert"))
from open_exit_export import Export, expand, gcm, mac, zstd  # noqa: E402

ZERO = bytes(12)
sodium = ctypes.CDLL(ctypes.util.find_library("sodium"))
sodium.sodium_init()


def box_open(public, private, sealed):
    plain = ctypes.create_string_buffer(max(1, len(sealed) - 48))
    if sodium.crypto_box_seal_open(plain, sealed, ctypes.c_ulonglong(len(sealed)), public, private) != 0:
        return None
    return plain.raw[:len(sealed) - 48]


class Thief(Export):
    """keys: where keys/ is taken from, if not from the same folder."""

    def __init__(self, archive, keys=None):
        self.folder = Path(archive).parent
        self.archive, self.keys = Path(archive), Path(keys or archive) / "keys"
        self.covers, self.shards = {}, {}
        if Path(archive).name != "archive":
            raise ValueError("the folder is called archive")
        self.entries = list(self.read_entries())
        self.vault = self.vault_id()
        self.frames = dict(self.read_frames())
        self.open_keyrings()

    def vault_id(self):
        body, at = self.entries[0][116:], 0
        while True:
            tag, size = struct.unpack(">HH", body[at:at + 4])
            if tag == 3:
                return body[at + 4:at + 4 + size]
            at += 4 + size

    def root_key(self):
        data, at = (self.keys / "slots").read_bytes(), 6
        for _ in range(data[5]):
            kind, salt = data[at], data[at + 9:at + 25]
            details = int.from_bytes(data[at + 33:at + 35], "big")
            at += 35 + details
            size = int.from_bytes(data[at:at + 2], "big")
            wrapped, at = data[at + 2:at + 2 + size], at + 2 + size
            if kind == 1:
                key = expand(mac(salt, (self.keys / "auto.key").read_bytes()), b"kustos1/slot\x01" + self.vault)
                return gcm(key, ZERO, self.vault, wrapped)
        return None

    # Every generation of which e_n is there.
    def open_keyrings(self):
        for folder in self.keys.glob("generation-*"):
            epoch = folder / "e"
            if not epoch.is_file() or not (folder / "root").is_file():
                continue
            page = (folder / "root").read_bytes()
            key = expand(mac(page[9:41], self.root_key() + epoch.read_bytes()[:32]), b"kustos1/root-page" + self.vault + page[5:9])
            try:
                plain = gcm(key, ZERO, page[:41], page[41:])
            except ValueError:
                continue
            self.open_boxes(plain[:32], plain[32:64])
            for i in range(int.from_bytes(plain[64:68], "big")):
                row = plain[68 + i * 69:137 + i * 69]
                self.open_page(row[0], int.from_bytes(row[1:5], "big"), row[5:37], row[37:69])

    def open_boxes(self, public, private):
        for file in (self.keys / "boxes").glob("*.a"):
            box = file.read_bytes()
            secret = box_open(public, private, box[17:])
            if secret and box[6] == 1:
                self.covers.setdefault(int.from_bytes(box[7:11], "big"), []).append((0, 0, secret))
            elif secret:
                self.shards[int.from_bytes(box[7:11], "big")] = secret

    def open_page(self, kind, number, key, digest):
        name = f"{'tree' if kind == 1 else 'shards'}-{number:08x}-{digest.hex()[:16]}"
        page = (self.keys / "pages" / name).read_bytes()
        plain = gcm(key, ZERO, page[:26], page[26:])
        if kind == 1:
            self.covers.setdefault(number, []).extend(self.cover(plain))
        else:
            for at in range(0, len(plain), 36):
                self.shards[int.from_bytes(plain[at:at + 4], "big")] = plain[at + 4:at + 36]

    # --- what can be read ---
    def queries(self):
        """What is sealed in access, control and erasure entries: who asked for what stays when a record goes."""
        return self.payloads((3, 4, 5))

    def dictionary(self):  # not of the archive: everybody has the program
        return (ROOT / "vault" / "dictionary" / "1.zdict").read_bytes()

    def payloads(self, kinds=(1,)):
        """(entry, its fields and literal bytes); blobs by the records that refer to them."""
        for index in range(len(self.entries)):
            entry = self.entries[index]
            if entry[3] == 0 or entry[2] not in kinds:
                continue
            opened = self.open(index)
            if opened is None:
                continue
            yield index, b"\n".join(opened.areas)
            for number in range(len(opened.blobs)):
                try:
                    yield index, opened.blob(number)
                except ValueError:
                    pass

    def words(self):
        for file in (self.archive / "index").glob("*.words"):
            log = file.read_bytes()
            secret = self.shards.get(int.from_bytes(log[4:12], "big"))
            at, number = 12, 0
            while secret and at < len(log):
                size = int.from_bytes(log[at:at + 4], "big")
                salt, sealed = log[at + 4:at + 20], log[at + 20:at + 20 + size]
                key = expand(secret, b"kustos1/index/words" + struct.pack(">Q", number) + salt)
                yield file.name, gcm(key, ZERO, log[:4] + log[4:12] + struct.pack(">Q", number), sealed)
                at, number = at + 20 + size, number + 1

    def derived(self):
        database = self.archive / "vault" / "derived.db"
        if not database.is_file():
            return
        with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as db:
            rows = db.execute("SELECT entry, purpose, object FROM derived").fetchall()
        for entry, purpose, thing in rows:
            dek = self.leaf_key(*struct.unpack(">II", self.entries[entry][34:42]))
            if dek is None:
                continue
            label = purpose.encode()
            key = expand(mac(self.vault, dek), b"kustos1/derived" + bytes([len(label)]) + label + thing[:16])
            padded = gcm(key, ZERO, b"", thing[16:])
            size, stored = struct.unpack(">QQ", padded[:16])
            out = ctypes.create_string_buffer(max(1, size))
            for frame in (padded[16:16 + stored], b"\x28\xb5\x2f\xfd" + padded[16:16 + stored]):  # with its magic number or without
                if zstd.ZSTD_decompress(out, ctypes.c_size_t(size), frame, ctypes.c_size_t(len(frame))) == size:
                    break
            yield entry, out.raw[:size]

    def find(self, word):
        """Where the word can be read: a set of "payload", "words", "derived", "queries"."""
        wanted = word.encode()
        places = set()
        for name, source, needles in (("payload", self.payloads, (wanted,)), ("words", self.words, (word.lower().encode(),)),
                                      ("derived", self.derived, (wanted,)), ("queries", self.queries, (wanted,))):
            if any(needle in content for _, content in source() for needle in needles):
                places.add(name)
        return places

    def ciphertext(self, index):
        path, at, length = self.frames[index]
        with open(path, "rb") as file:
            file.seek(at)
            return file.read(length)


def everywhere(folder, needle):
    """Files in which the bytes stand."""
    return [str(f.relative_to(folder)) for f in Path(folder).rglob("*") if f.is_file() and needle in f.read_bytes()]


