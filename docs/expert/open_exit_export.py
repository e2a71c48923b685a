#!/usr/bin/env python3
"""Opens every record of an exit export of Kustos: python3 open_exit_export.py FOLDER [OUT]
Written from docs/format alone (exit.md, ledger.md, segments.md, keys.md, payload.md). Needs Python 3.8, libcrypto and libzstd (libsodium for suite 2), nothing
of Kustos. Compares each record with index.csv and writes its exact bytes to OUT, if given. Exit code: 0 all were as the index says."""
import base64, csv, ctypes, ctypes.util, hashlib, hmac, json, os, struct, sys
from pathlib import Path

crypto, zstd = (ctypes.CDLL(ctypes.util.find_library(name)) for name in ("crypto", "zstd"))
for name in ("EVP_CIPHER_CTX_new", "EVP_aes_256_gcm"): getattr(crypto, name).restype = ctypes.c_void_p
for name in ("ZSTD_decompress", "ZSTD_decompress_usingDict"): getattr(zstd, name).restype = ctypes.c_size_t
zstd.ZSTD_createDCtx.restype = ctypes.c_void_p

def sha(*parts): return hashlib.sha256(b"".join(parts)).digest()
def mac(key, *parts): return hmac.new(key, b"".join(parts), "sha256").digest()
def expand(prk, info): return mac(prk, info, b"\1")  # HKDF-Expand to 32 bytes, RFC 5869
def need(truth, otherwise):
    if not truth: raise ValueError(otherwise)

def gcm(key, nonce, aad, sealed):
    context, size = ctypes.c_void_p(crypto.EVP_CIPHER_CTX_new()), ctypes.c_int()
    plain = ctypes.create_string_buffer(max(1, len(sealed) - 16))
    try:
        crypto.EVP_DecryptInit_ex(context, ctypes.c_void_p(crypto.EVP_aes_256_gcm()), None, key, nonce)
        crypto.EVP_DecryptUpdate(context, None, ctypes.byref(size), aad, len(aad))
        crypto.EVP_DecryptUpdate(context, plain, ctypes.byref(size), sealed[:-16], len(sealed) - 16)
        crypto.EVP_CIPHER_CTX_ctrl(context, 0x11, 16, sealed[-16:])  # EVP_CTRL_AEAD_SET_TAG
        need(crypto.EVP_DecryptFinal_ex(context, plain, ctypes.byref(size)) == 1, "a tag does not fit")
        return plain.raw[:len(sealed) - 16]
    finally: crypto.EVP_CIPHER_CTX_free(context)

def xchacha(key, nonce, aad, sealed):
    sodium, size = ctypes.CDLL(ctypes.util.find_library("sodium")), ctypes.c_ulonglong()
    plain = ctypes.create_string_buffer(max(1, len(sealed) - 16))
    done = sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(plain, ctypes.byref(size), None, sealed, ctypes.c_ulonglong(len(sealed)), aad,
                                                             ctypes.c_ulonglong(len(aad)), bytes(12) + nonce, key)
    need(done == 0, "a tag does not fit")
    return plain.raw[:len(sealed) - 16]

def unpack(data, size, dictionary=b""):
    data, out = b"\x28\xb5\x2f\xfd" + data, ctypes.create_string_buffer(max(1, size))  # the magic is left out in the archive
    context = ctypes.c_void_p(zstd.ZSTD_createDCtx())
    done = zstd.ZSTD_decompress_usingDict(context, out, ctypes.c_size_t(size), data, ctypes.c_size_t(len(data)), dictionary, ctypes.c_size_t(len(dictionary)))
    zstd.ZSTD_freeDCtx(context)
    need(done == size, "zstd refuses it")
    return out.raw[:size]

def varint(data, at):  # payload.md: seven bits a byte, the lowest first; the number and where it ends
    n = shift = 0
    while True:
        n, shift, at = n | (data[at] & 127) << shift, shift + 7, at + 1
        if data[at - 1] < 128: return n, at

class Export:
    def __init__(self, folder):
        self.folder, self.covers = Path(folder), {}
        with open(self.folder / "keys.jsonl", encoding="ascii") as lines:
            self.vault = bytes.fromhex(json.loads(next(lines))["vault"])
            for line in map(json.loads, lines): self.covers[line["tree"]] = self.cover(bytes.fromhex(line["cover"]))
        self.entries = list(self.read_entries())
        self.frames = dict(self.read_frames())

    def dictionary(self): return (self.folder / "1.zdict").read_bytes()

    @staticmethod
    def cover(data):  # keys.md: u32 count, then u8 depth, u32 index, 32 bytes
        return [(data[at], int.from_bytes(data[at + 1:at + 5], "big"), data[at + 5:at + 37]) for at in range(4, len(data), 37)]

    def read_entries(self):  # ledger.md, "Tree": tile/entries/N, an unfinished one with its width in the name
        tiles, number = self.folder / "archive" / "ledger" / "tile" / "entries", 0
        while True:
            groups, n = [f"{number % 1000:03}"], number // 1000
            while n: groups, n = [f"x{n % 1000:03}"] + groups, n // 1000
            path = tiles.joinpath(*groups)
            if not path.is_file():
                parts = sorted(Path(f"{path}.p").glob("*"), key=lambda p: int(p.name))
                if not parts: return
                path = parts[-1]
            bundle, at = path.read_bytes(), 0
            while at < len(bundle):
                size = int.from_bytes(bundle[at:at + 2], "big")
                yield bundle[at + 2:at + 2 + size]
                at += 2 + size
            number += 1

    def read_frames(self):  # segments.md: where each entry's ciphertext stands
        vault = self.folder / "archive" / "vault"
        firsts = {int(p.stem): p for p in (vault / "segments").glob("*.seg")}
        file = at = None
        for index, entry in enumerate(self.entries):
            length = int.from_bytes(entry[76:84], "big")
            if index in firsts: file, at = firsts[index], 0
            if entry[2] == 2 and length >= 1 << 20:
                own = vault / "blobs" / f"{index:012}.blob"
                if own.is_file(): yield index, (own, 8, length)
                continue
            with open(file, "rb") as segment:
                segment.seek(at)
                stored = int.from_bytes(segment.read(8), "big")
            if stored: yield index, (file, at + 8, stored)
            at += 8 + stored

    def leaf_key(self, tree, leaf):  # keys.md, "Key trees"; None: it was erased
        for depth, index, key in self.covers.get(tree, []):
            if leaf >> (20 - depth) != index: continue
            for bit in range(19 - depth, -1, -1): key = mac(key, bytes([leaf >> bit & 1]))
            return mac(key, b"kustos1/leaf", struct.pack(">II", tree, leaf))
        return None

    def open(self, index, b=None):  # payload.md; b: of a blob
        entry = self.entries[index]
        tree, leaf = struct.unpack(">II", entry[34:42])
        key = self.leaf_key(tree, leaf)
        if key is None or index not in self.frames: return None
        if b is not None: key = mac(key, b)
        path, at, length = self.frames[index]
        with open(path, "rb") as file:
            file.seek(at)
            sealed = file.read(length)
        need(sha(sealed) == entry[84:116], "the ciphertext is not the one of its entry")
        key = expand(mac(self.vault, key), b"kustos1/enc" + entry[3:4] + entry[18:34])
        aad, plain, chunk = sha(self.vault, entry[:76], sha(entry[116:])), b"", (1 << 16) + 16
        for number in range((len(sealed) + chunk - 1) // chunk):
            piece = sealed[number * chunk:(number + 1) * chunk]
            last = (number + 1) * chunk >= len(sealed)
            plain += (gcm if entry[3] == 1 else xchacha)(key, number.to_bytes(11, "big") + bytes([last]), aad, piece)
        if plain[0] == 1: stored, original, at = *struct.unpack(">QQ", plain[2:18]), 18
        else: (stored, at), (original, at) = (first := varint(plain, 2)), varint(plain, first[1])
        data = plain[at:at + stored]
        if plain[1] == 1: data = unpack(data, original)
        if plain[1] == 2: data = unpack(data, original, self.dictionary())
        return Original(self, data)

class Original:
    def __init__(self, export, data):
        self.export = export
        self.read_fixed(data) if data[0] == 1 else self.read_compact(data)

    def read_fixed(self, data):  # version 1
        at, rows = 3, int.from_bytes(data[1:3], "big")
        self.rows = [struct.unpack(">HHBBQQ", data[at + i * 22:at + i * 22 + 22]) for i in range(rows)]
        at += rows * 22
        steps, at = int.from_bytes(data[at:at + 4], "big"), at + 4
        self.steps = [struct.unpack(">BQQHBB", data[at + i * 21:at + i * 21 + 21]) for i in range(steps)]
        at += steps * 21
        blobs, at = int.from_bytes(data[at:at + 2], "big"), at + 2
        at = self.read_blobs(data, at, blobs)
        literal, value = struct.unpack(">QQ", data[at:at + 16])
        self.areas = data[at + 16:at + 16 + literal], data[at + 16 + literal:at + 16 + literal + value]

    def read_compact(self, data):  # version 2
        at = 1
        def take():
            nonlocal at
            n, at = varint(data, at)
            return n
        def byte():
            nonlocal at
            at += 1
            return data[at - 1]
        self.rows, self.steps, ends, computed = [], [], [0, 0], None
        for _ in range(take()):
            if not (path := take()): continue  # a decoy
            ordinal, kind = take(), byte()
            if kind >> 4 == 2: computed = ordinal; continue
            step = take()
            offset, length = ends[kind >> 4] + (-(step >> 1) - 1 if step & 1 else step >> 1), take()
            ends[kind >> 4] = offset + length
            self.rows.append((path, ordinal, kind & 15, kind >> 4, offset, length))
        for _ in range(take()):
            kind, offset, length, line, end = byte(), take(), take(), take(), byte()
            self.steps.append((kind, offset, length, line, end & 15, end >> 4))
        blobs = take()
        at = self.read_blobs(data, at, blobs)
        literal, value = take(), take()
        self.areas = data[at:at + literal], data[at + literal:at + literal + value]
        if computed is not None:  # the raw field is what the recipe gives
            out = self.recipe()
            self.rows.append((14, computed, 7, 1, value, 40))
            self.areas = self.areas[0], self.areas[1] + len(out).to_bytes(8, "big") + sha(out)

    def read_blobs(self, data, at, count):
        self.blobs = [(int.from_bytes(data[at + i * 99:at + i * 99 + 8], "big"), data[at + i * 99 + 24:at + i * 99 + 56]) for i in range(count)]
        return at + count * 99

    def fields(self, path): return [self.areas[area][offset:offset + length] for code, _, _, area, offset, length in self.rows if code == path]
    def blob(self, number):
        opened = self.export.open(*self.blobs[number])
        need(opened is not None, "an attachment is erased")
        return b"".join(opened.fields(18))

    def recipe(self):  # payload.md, "The recipe": the source's exact bytes
        out, literal = b"", 0
        for kind, offset, length, line, ending, terminated in self.steps:
            if kind == 1: piece, literal = self.areas[0][literal:literal + length], literal + length
            elif kind in (2, 3): piece = self.areas[1][offset:offset + length]
            else: piece = self.blob(offset)
            if kind in (3, 5):
                text, end = base64.b64encode(piece), b"\r\n" if ending == 2 else b"\n"
                lines = [text[i:i + line] for i in range(0, len(text), line)] if line else [text]
                piece = end.join(lines) + (end if terminated else b"")
            out += piece
        return out

    def raw(self):
        out = self.recipe()
        stated = self.fields(14)[0]
        need(len(out) == int.from_bytes(stated[:8], "big") and sha(out) == stated[8:], "the bytes are not those that were sealed")
        return out

def main():
    export, wrong, opened = Export(sys.argv[1]), 0, 0
    out = Path(sys.argv[2]) if len(sys.argv) > 2 else None
    with open(Path(sys.argv[1]) / "index.csv", encoding="utf-8", newline="") as table:
        for row in csv.DictReader(table):
            try:
                record = export.open(int(row["entry"]))
                if row["state"] == "erased":
                    need(record is None, "is erased, and opens")
                    continue
                need(record is not None, "can't be opened")
                raw = record.raw()
                need(hashlib.sha256(raw).hexdigest() == row["sha256"], "is another one than the index says")
                opened += 1
                if out:
                    (out / row["file"]).parent.mkdir(parents=True, exist_ok=True)
                    (out / row["file"]).write_bytes(raw)
            except ValueError as e:
                wrong += 1
                print(f"entry {row['entry']}: {e}")
    print(f"{opened} records opened, {wrong} wrong")
    return 1 if wrong else 0

if __name__ == "__main__": sys.exit(main())
