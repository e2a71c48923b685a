#!/usr/bin/env python3
"""Makes the ciphertexts of two_keys_test.cpp: one chunk whose tag is right under two keys. Needs python3-cryptography.

Neither AES-GCM nor ChaCha20-Poly1305 binds a ciphertext to its key: for two keys and one associated data, one free block of 16 bytes
can be solved for so that both tags agree (Grubbs, Lu and Ristenpart 2017; Dodis, Grubbs, Ristenpart and Woodage 2018). The plaintext
under the first key is a payload that decodes; the free block stands in its literal area.
"""
import hashlib
import hmac
import os
import struct

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

VAULT = bytes(range(16))
DEKS = (b"\x11" * 32, b"\x22" * 32)
RECORD = bytes(range(0xA0, 0xB0))
NONCE = b"\0" * 11 + b"\1"  # the first chunk is the last


def part_a(suite):
    return bytes([0x4B, 1, 1, suite]) + struct.pack(">HIQ", 100, 3, 41) + RECORD + struct.pack(">IIH", 1, 40, 8) + b"\x5c" * 32


def enc(dek, suite):
    prk = hmac.new(VAULT, dek, hashlib.sha256).digest()
    return hmac.new(prk, b"kustos1/enc" + bytes([suite]) + RECORD + b"\1", hashlib.sha256).digest()


def plaintext(filler):
    """Envelope and original; the block after the one in which the literal area begins is free."""
    rows = struct.pack(">HHBBQQ", 18, 0, 2, 0, 0, 48) + struct.pack(">HHBBQQ", 0, 0, 0, 0, 0, 0) * 7
    head = bytes([1]) + struct.pack(">H", 8) + rows + struct.pack(">I", 1) + struct.pack(">BQQHBB", 1, 0, 48, 0, 1, 0) + struct.pack(">HQQ", 0, 48, 0)
    original = head + filler
    out = bytes([1, 0]) + struct.pack(">QQ", len(original), len(original)) + original
    return out + b"\0" * (-len(out) % 64), len(out) - 48


def multiply(x, y):  # GF(2^128) of GCM, most significant bit first
    z = 0
    for i in range(127, -1, -1):
        if y >> i & 1:
            z ^= x
        x = x >> 1 ^ (0xE1 << 120 if x & 1 else 0)
    return z


def power(x, n):
    out = 1 << 127
    while n:
        if n & 1:
            out = multiply(out, x)
        x, n = multiply(x, x), n >> 1
    return out


def blocks(data):
    data += b"\0" * (-len(data) % 16)
    return [data[i:i + 16] for i in range(0, len(data), 16)]


def gcm(keys, aad, stream, filler_at, plain):
    """The chunk, with block `free` solved."""
    free = filler_at // 16 + 1
    c = [bytearray(b) for b in blocks(bytes(a ^ b for a, b in zip(plain, stream)))]
    c[free] = bytearray(16)
    sums, factors = [], []
    for key in keys:
        ecb = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
        h = int.from_bytes(ecb.update(b"\0" * 16), "big")
        s = int.from_bytes(ecb.update(NONCE + b"\0\0\0\1"), "big")
        y = 0
        for block in blocks(aad) + [bytes(b) for b in c] + [struct.pack(">QQ", len(aad) * 8, len(plain) * 8)]:
            y = multiply(y ^ int.from_bytes(block, "big"), h)
        sums.append(y ^ s)
        factors.append(power(h, len(c) - free + 1))
    x = multiply(sums[0] ^ sums[1], power(factors[0] ^ factors[1], (1 << 128) - 2))
    c[free] = bytearray(x.to_bytes(16, "big"))
    tag = sums[0] ^ multiply(x, factors[0])
    return b"".join(bytes(b) for b in c) + tag.to_bytes(16, "big")


def hchacha(key, nonce16):
    s = [0x61707865, 0x3320646E, 0x79622D32, 0x6B206574] + list(struct.unpack("<8I", key)) + list(struct.unpack("<4I", nonce16))
    rotate = lambda v, n: (v << n | v >> 32 - n) & 0xFFFFFFFF

    def quarter(a, b, c, d):
        for x, y, z, n in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            s[x] = (s[x] + s[y]) & 0xFFFFFFFF
            s[z] = rotate(s[z] ^ s[x], n)
    for _ in range(10):
        for q in ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15), (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)):
            quarter(*q)
    return struct.pack("<8I", *(s[0:4] + s[12:16]))


def poly(keys, aad, stream, filler_at, plain):
    p = (1 << 130) - 5
    free = filler_at // 16 + 1
    base = blocks(bytes(a ^ b for a, b in zip(plain, stream)))
    base[free] = b"\0" * 16
    sums, factors = [], []
    for key in keys:
        block = Cipher(algorithms.ChaCha20(key, b"\0" * 8 + NONCE[4:]), None).encryptor().update(b"\0" * 64)
        r = int.from_bytes(block[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
        a = 0
        for b in blocks(aad) + base + [struct.pack("<QQ", len(aad), len(plain))]:
            a = (a + int.from_bytes(b + b"\1", "little")) * r % p
        sums.append((a, int.from_bytes(block[16:32], "little")))
        factors.append(pow(r, len(base) - free + 1, p))
    (a1, s1), (a2, s2) = sums
    for k in range(-4, 5):  # tags are taken modulo 2^128
        x = (a2 + s2 - a1 - s1 + (k << 128)) * pow(factors[0] - factors[1], -1, p) % p
        if x >> 128 == 0:
            tags = {((a + x * f) % p + s) & (1 << 128) - 1 for (a, s), f in zip(sums, factors)}
            if len(tags) == 1:
                out = list(base)
                out[free] = x.to_bytes(16, "little")
                return b"".join(out) + tags.pop().to_bytes(16, "little")
    return None  # another filler


def main():
    for suite in (1, 2):
        aad = hashlib.sha256(VAULT + part_a(suite) + hashlib.sha256(b"").digest()).digest()
        keys = [enc(d, suite) for d in DEKS]
        if suite == 2:
            keys = [hchacha(k, b"\0" * 12 + NONCE[:4]) for k in keys]
        while True:
            filler = os.urandom(48)
            plain, at = plaintext(filler)
            if suite == 1:
                stream = Cipher(algorithms.AES(keys[0]), modes.CTR(NONCE + b"\0\0\0\2")).encryptor().update(b"\0" * len(plain))
                sealed = gcm(keys, aad, stream, at, plain)
                ciphers = [AESGCM(k) for k in keys]
                nonce = NONCE
            else:
                nonce = b"\0" * 4 + NONCE[4:]
                stream = Cipher(algorithms.ChaCha20(keys[0], b"\1\0\0\0" + nonce), None).encryptor().update(b"\0" * len(plain))
                sealed = poly(keys, aad, stream, at, plain)
                ciphers = [ChaCha20Poly1305(k) for k in keys]
            if sealed:
                break
        for c in ciphers:
            c.decrypt(nonce, sealed, aad)  # raises if the tag is wrong
        print("suite", suite)
        print(sealed.hex())


if __name__ == "__main__":
    main()
