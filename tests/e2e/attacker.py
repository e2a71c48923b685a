"""One who took the disk and the memory of a running archive whose vault is closed. Written from docs/format alone; no
library, none of the archive's code. Nothing here is fast."""
import ctypes
import hashlib
import hmac
import mmap
import os
import struct
import sys
from pathlib import Path

import memory

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "docs" / "expert"))
from open_exit_export import gcm  # noqa: E402

HEIGHT = 20
COPY = 256 * 1024  # docs/format/forward-state.md
SYS_PIDFD_OPEN, SYS_PIDFD_GETFD = 434, 438


def mac(key, message):
    return hmac.digest(key, message, "sha256")


def expand(prk, info, length=32):
    out, block = b"", b""
    for counter in range(1, (length + 31) // 32 + 1):
        block = mac(prk, block + info + bytes([counter]))
        out += block
    return out[:length]


# --- AES-256, one block (FIPS 197), for looking at the first block of a ciphertext -----------------------------------

def _sbox():
    box, p, q = [0] * 256, 1, 1
    while True:
        p = p ^ (p << 1) & 0xff ^ (0x1b if p & 0x80 else 0)
        for shift in (1, 2, 4):
            q ^= q << shift & 0xff
        q ^= 0x09 if q & 0x80 else 0
        x = q
        for shift in (1, 2, 3, 4):
            x ^= (q << shift | q >> 8 - shift) & 0xff
        box[p] = x ^ 0x63
        if p == 1:
            box[0] = 0x63
            return box


SBOX = _sbox()
DOUBLE = [b << 1 & 0xff ^ (0x1b if b & 0x80 else 0) for b in range(256)]


def aes256_block(key, block):
    words, rcon = [list(key[i:i + 4]) for i in range(0, 32, 4)], 1
    for i in range(8, 60):
        word = words[-1]
        if i % 8 == 0:
            word = [SBOX[b] for b in word[1:] + word[:1]]
            word[0] ^= rcon
            rcon = DOUBLE[rcon]
        elif i % 8 == 4:
            word = [SBOX[b] for b in word]
        words.append([a ^ b for a, b in zip(words[i - 8], word)])
    schedule = [sum(words[i:i + 4], []) for i in range(0, 60, 4)]
    state = [a ^ b for a, b in zip(block, schedule[0])]
    for step in range(1, 15):
        state = [SBOX[state[(i + 4 * (i % 4)) % 16]] for i in range(16)]
        if step < 14:
            mixed = []
            for c in range(0, 16, 4):
                a = state[c:c + 4]
                mixed += [DOUBLE[a[i]] ^ DOUBLE[a[(i + 1) % 4]] ^ a[(i + 1) % 4] ^ a[(i + 2) % 4] ^ a[(i + 3) % 4]
                          for i in range(4)]
            state = mixed
        state = [a ^ b for a, b in zip(state, schedule[step])]
    return bytes(state)


def siphash128(key, message):
    mask = (1 << 64) - 1
    k0, k1 = struct.unpack("<QQ", key)
    v0, v1, v2, v3 = (k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d ^ 0xee, k0 ^ 0x6c7967656e657261,
                      k1 ^ 0x7465646279746573)

    def rounds(n, v0, v1, v2, v3):
        for _ in range(n):
            v0 = v0 + v1 & mask
            v1 = (v1 << 13 | v1 >> 51) & mask ^ v0
            v0 = (v0 << 32 | v0 >> 32) & mask
            v2 = v2 + v3 & mask
            v3 = (v3 << 16 | v3 >> 48) & mask ^ v2
            v0 = v0 + v3 & mask
            v3 = (v3 << 21 | v3 >> 43) & mask ^ v0
            v2 = v2 + v1 & mask
            v1 = (v1 << 17 | v1 >> 47) & mask ^ v2
            v2 = (v2 << 32 | v2 >> 32) & mask
        return v0, v1, v2, v3

    padded = message + b"\0" * (7 - len(message) % 8) + bytes([len(message) & 0xff])
    for (m,) in struct.iter_unpack("<Q", padded):
        v0, v1, v2, v3 = rounds(2, v0, v1, v2, v3 ^ m)
        v0 ^= m
    v0, v1, v2, v3 = rounds(4, v0, v1, v2 ^ 0xee, v3)
    first = v0 ^ v1 ^ v2 ^ v3
    v0, v1, v2, v3 = rounds(4, v0, v1 ^ 0xdd, v2, v3)
    return struct.pack("<QQ", first, v0 ^ v1 ^ v2 ^ v3)


# --- what lies on the disk -------------------------------------------------------------------------------------------

class Disk:
    """Entries and ciphertexts of an archive directory (ledger.md, segments.md)."""

    def __init__(self, archive):
        self.archive = archive
        self.entries = self._entries()
        vault_id = self._rows(self.entries[0])[3]
        self.vault_id = vault_id
        self.frames = self._frames()

    def _entries(self):
        widest = {}
        for file in (self.archive / "ledger" / "tile" / "entries").rglob("*"):
            if not file.is_file():
                continue
            number, width = (file.parent, int(file.name)) if file.parent.suffix == ".p" else (file, 256)
            number = str(number).removesuffix(".p")
            if width >= widest.get(number, (0, None))[0]:
                widest[number] = (width, file)
        entries = []
        for number in sorted(widest):
            bundle, at = widest[number][1].read_bytes(), 0
            while at < len(bundle):
                size = int.from_bytes(bundle[at:at + 2], "big")
                entries.append(bundle[at + 2:at + 2 + size])
                at += 2 + size
        return entries

    @staticmethod
    def _rows(entry):
        rows, at = {}, 116
        while at < len(entry):
            tag, size = struct.unpack_from(">HH", entry, at)
            rows[tag] = entry[at + 4:at + 4 + size]
            at += 4 + size
        return rows

    def _frames(self):
        frames = {}
        for file in sorted((self.archive / "vault" / "segments").glob("*.seg")):
            data, at, index = file.read_bytes(), 0, int(file.stem)
            while index < len(self.entries) and at + 8 <= len(data):
                size = int.from_bytes(data[at:at + 8], "big")
                frames[index] = data[at + 8:at + 8 + size]
                at += 8 + size
                index += 1
        return frames

    def records(self):
        return [i for i, e in enumerate(self.entries) if e[2] == 1]

    def leaf(self, index):
        return struct.unpack_from(">II", self.entries[index], 34)

    def trees(self):
        """Ids of the trees that entries have opened (control, action tree_opened has a row `key check`)."""
        return {struct.unpack(">I", rows[10])[0] for e in self.entries if e[2] == 5
                for rows in [self._rows(e)] if 10 in rows and 13 in rows}

    def opens_with_dek(self, index, dek):
        header = self.entries[index]
        record = header[18:34]
        return self.opens_with_enc(index, expand(mac(self.vault_id, dek), b"kustos1/enc" + bytes([1]) + record))

    def opens_with_enc(self, index, enc):
        """The first block of the plaintext makes sense (payload.md), and of a record the tag of its first chunk."""
        ciphertext = self.frames[index]
        last = len(ciphertext) <= (64 << 10) + 16
        counter = bytes(11) + bytes([1 if last else 0]) + struct.pack(">I", 2)
        plain = bytes(a ^ b for a, b in zip(aes256_block(enc, counter), ciphertext))
        version, compression, stored = struct.unpack(">BBQ", plain[:10])
        if version == 1:  # blobs
            return compression in (0, 1) and stored <= len(ciphertext)
        # What a record's first bytes say is too little to be sure of: the first chunk's tag decides.
        if version != 2 or compression > 2:
            return False
        entry = self.entries[index]
        aad = hashlib.sha256(self.vault_id + entry[:76] + hashlib.sha256(entry[116:]).digest()).digest()
        try:
            gcm(enc, bytes(11) + bytes([1 if last else 0]), aad, ciphertext[:(64 << 10) + 16])
        except ValueError:
            return False
        return True


# --- what stands in memory -------------------------------------------------------------------------------------------

def take_descriptor(pid, number):
    """A copy of another process's descriptor: what root may do, memfd_secret or not."""
    libc = ctypes.CDLL(None, use_errno=True)
    pidfd = libc.syscall(SYS_PIDFD_OPEN, pid, 0)
    taken = libc.syscall(SYS_PIDFD_GETFD, pidfd, number, 0)
    os.close(pidfd)
    if taken < 0:
        raise OSError(ctypes.get_errno(), "pidfd_getfd")
    return taken


def forward_memory(pid):
    """The bytes of the forward state's memory, from whoever holds it."""
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            name = os.readlink(entry)
        except OSError:
            continue
        if "secretmem" in name or "memfd:kustos-forward" in name:
            taken = take_descriptor(pid, int(entry.name))
            with mmap.mmap(taken, 2 * COPY, mmap.MAP_SHARED, mmap.PROT_READ) as area:
                os.close(taken)
                return bytes(area)
    return None


def keeper_of(state):
    """The process `kustos keep` of the archive whose state folder this is, or None."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if len(words) > 2 and words[1] == b"keep" and words[2].startswith(str(state).encode()):
            return int(process.name)
    return None


class ForwardState:
    """One copy, read by its page, without its authentication code: an attacker takes what he gets."""

    def __init__(self, copy):
        self.nodes, self.shards = {}, {}
        self.whole = copy[:4] == b"KFWD"
        if not self.whole:
            return
        at = 17 + 32 + 16 + 8
        (marks,) = struct.unpack_from(">I", copy, at)
        at += 4 + 16 * marks
        (trees,) = struct.unpack_from(">I", copy, at)
        at += 4
        for _ in range(trees):
            tree, _, size = struct.unpack_from(">III", copy, at)
            at += 12
            for node in range(at + 4, at + size, 37):
                depth, index = struct.unpack_from(">BI", copy, node)
                self.nodes.setdefault(tree, []).append((depth, index, copy[node + 5:node + 37]))
            at += size
        (shards,) = struct.unpack_from(">I", copy, at)
        at += 4
        for i in range(shards):
            (shard,) = struct.unpack_from(">I", copy, at + 36 * i)
            self.shards[shard] = copy[at + 36 * i + 4:at + 36 * i + 36]

    def dek(self, tree, leaf):
        for depth, index, key in self.nodes.get(tree, []):
            if leaf >> (HEIGHT - depth) == index:
                for level in range(depth, HEIGHT):
                    key = mac(key, bytes([leaf >> (HEIGHT - 1 - level) & 1]))
                return mac(key, b"kustos1/leaf" + struct.pack(">II", tree, leaf))
        return None


def locked_secrets(pid):
    """Every 32 bytes at a multiple of 16 in the locked pages of a process that could be a key."""
    locked, span = [], None
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        first = line.split()[0]
        if "-" in first and not first.endswith(":"):
            span = [int(part, 16) for part in first.split("-")]
        elif line.startswith("VmFlags:") and " lo" in line:
            locked.append(span)
    found = set()
    for address, _, content in memory.regions(pid):
        if any(start <= address < end for start, end in locked):
            for at in range(0, len(content) - 31, 16):
                window = content[at:at + 32]
                if len(set(window)) > 16:
                    found.add(window)
    return found


# --- the index -------------------------------------------------------------------------------------------------------

class Shard:
    """The terms of a shard, open or closed, as 10-byte windows of its files (index.md)."""

    def __init__(self, index_dir, number):
        self.windows = set()
        name = f"{number:016x}"
        closed = index_dir / (name + ".glass")
        files = [closed] if closed.exists() else [f for f in (index_dir / (name + ".open")).iterdir() if f.is_file()]
        self.closed = closed.exists()
        for file in files:
            data = file.read_bytes()
            self.windows.update(data[i:i + 10] for i in range(len(data) - 9) if data[i:i + 10] != bytes(10))

    def has(self, terms_key, space, text):
        return siphash128(terms_key, bytes([space]) + text.encode())[:10] in self.windows

    def is_key(self, term_key):
        """Each shard of chats holds the terms `chat` (space 14) and the year (12)."""
        terms_key = expand(term_key, b"kustos1/index/term", 16)
        return self.has(terms_key, 14, "chat") or self.has(terms_key, 12, "2026")

    def attack(self, terms):
        """The words of a dictionary that stand in it; terms: keyed_terms() of that dictionary."""
        return {terms[window] for window in self.windows & terms.keys()}


def keyed_terms(term_key, words):
    terms_key = expand(term_key, b"kustos1/index/term", 16)
    return {siphash128(terms_key, b"\1" + word.encode())[:10]: word for word in words}
