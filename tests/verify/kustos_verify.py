#!/usr/bin/env python3
"""A second verifier for evidence bundles, signed reports and archive directories, independent of kustos-verify.

    kustos_verify.py BUNDLE.pdf|REPORT.pdf|ARCHIVE_DIR [--trust FILE] [--json]

Written from docs/format (bundle, trust, report, ledger, segments, anchors), in another language and with other tools:
the Python standard library (3.11), and the `openssl` program for Ed25519, ECDSA and time-stamp tokens. It shares no line with the
program that it is there to contradict. agreement_test.py holds the two against each other.

Exit codes and JSON keys are those of docs/format/report.md; texts and counts may differ.
"""
import base64
import binascii
import datetime
import functools
import hashlib
import json
import os
import re
import stat
import struct
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path


class Refused(Exception):
    """Foreign bytes that do not have the form of their page, or do not hold."""


class CallError(Exception):
    """No verdict: the program ends with this code."""

    def __init__(self, code, text):
        super().__init__(text)
        self.code = code


def sha256(*parts):
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.digest()


def unbase64(text):
    """RFC 4648 section 4, canonical."""
    raw = text.encode() if isinstance(text, str) else text
    try:
        data = base64.b64decode(raw, validate=True)
    except binascii.Error as error:
        raise Refused("not base64") from error
    if base64.b64encode(data) != raw:
        raise Refused("not canonical base64")
    return data


# --- the openssl program -------------------------------------------------------------------------------------------

@functools.lru_cache(maxsize=None)
def openssl(arguments, files):
    """Runs `openssl ARGUMENTS` in a folder with FILES ((name, bytes), ...): its standard output, or None if it says no."""
    with tempfile.TemporaryDirectory(prefix="kustos-verify-") as folder:
        for name, content in files:
            Path(folder, name).write_bytes(content)
        done = subprocess.run(("openssl",) + arguments, cwd=folder, capture_output=True, check=False)
        return done.stdout if done.returncode == 0 else None


ED25519_SPKI = bytes.fromhex("302a300506032b6570032100")  # RFC 8410


def ed25519_holds(public, text, signature):
    if len(signature) != 64:
        return False
    return openssl(("pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", "key", "-rawin", "-in", "text",
                    "-sigfile", "signature"),
                   (("key", ED25519_SPKI + public), ("text", text), ("signature", signature))) is not None


def pem(certificate):
    body = base64.encodebytes(certificate).decode()
    return ("-----BEGIN CERTIFICATE-----\n" + body + "-----END CERTIFICATE-----\n").encode()


# --- DER (X.690), strictly -----------------------------------------------------------------------------------------

SEQUENCE, SET, INTEGER, OCTETS, OID, BOOLEAN, TIME = 0x30, 0x31, 0x02, 0x04, 0x06, 0x01, 0x18


class Value:
    """One value: tag, content, and all its bytes."""

    def __init__(self, tag, content, whole):
        self.tag, self.content, self.whole = tag, content, whole

    def parts(self):
        return der_values(self.content)


def der_take(data, at):
    if len(data) - at < 2:
        raise Refused("DER ends inside a value")
    tag, length, begin = data[at], data[at + 1], at + 2
    if tag & 0x1F == 0x1F or tag == 0 or length == 0x80:
        raise Refused("DER tag or length")
    if tag < 0x40 and (tag & 0x1F in (0x10, 0x11)) != bool(tag & 0x20):
        raise Refused("a sequence or set is constructed, and no other universal type")
    if length > 0x80:
        count = length & 0x7F
        digits = data[begin:begin + count]
        if count > 4 or len(digits) < count or digits[0] == 0:
            raise Refused("DER length")
        length, begin = int.from_bytes(digits, "big"), begin + count
        if length < 0x80:
            raise Refused("DER length is not minimal")
    if length > len(data) - begin:
        raise Refused("DER ends inside a value")
    return Value(tag, data[begin:begin + length], data[at:begin + length])


def der_values(data):
    values, at = [], 0
    while at < len(data):
        value = der_take(data, at)
        values.append(value)
        at += len(value.whole)
    return values


def der_check(data, depth=1):
    if depth > 32:
        raise Refused("DER is nested too deeply")
    for value in der_values(data):
        if value.tag & 0x20:
            der_check(value.content, depth + 1)


def der_one(data, tag=None):
    der_check(data)
    value = der_take(data, 0)
    if len(value.whole) != len(data) or (tag is not None and value.tag != tag):
        raise Refused("not one DER value")
    return value


class Fields:
    """The values of a constructed value, taken one by one."""

    def __init__(self, value):
        self.rest = value.parts()

    def next(self, tag):
        if not self.rest or self.rest[0].tag != tag:
            raise Refused("another DER value than expected")
        return self.rest.pop(0)

    def maybe(self, tag):
        return self.rest.pop(0) if self.rest and self.rest[0].tag == tag else None

    def end(self):
        if self.rest:
            raise Refused("more DER values than expected")


def der(tag, *parts):
    content = b"".join(parts)
    if len(content) < 0x80:
        return bytes([tag, len(content)]) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def oid(dotted):
    numbers = [int(n) for n in dotted.split(".")]
    out = bytearray()
    for number in [numbers[0] * 40 + numbers[1]] + numbers[2:]:
        group = [number & 0x7F]
        while number := number >> 7:
            group.insert(0, 0x80 | number & 0x7F)
        out += bytes(group)
    return der(OID, bytes(out))


SIGNED_DATA, DATA = oid("1.2.840.113549.1.7.2"), oid("1.2.840.113549.1.7.1")
SHA256, SHA384, SHA512 = (oid("2.16.840.1.101.3.4.2." + n) for n in "123")
ECDSA_SHA256, EC_KEY, P256 = oid("1.2.840.10045.4.3.2"), oid("1.2.840.10045.2.1"), oid("1.2.840.10045.3.1.7")
CONTENT_TYPE, MESSAGE_DIGEST = oid("1.2.840.113549.1.9.3"), oid("1.2.840.113549.1.9.4")
SIGNING_CERTIFICATE, SIGNING_CERTIFICATE_V2 = oid("1.2.840.113549.1.9.16.2.12"), oid("1.2.840.113549.1.9.16.2.47")
SIGNATURES = [oid("1.2.840.113549.1.1." + n) for n in ("1", "10", "11", "12", "13")]  # RSA, RSASSA-PSS
SIGNATURES += [oid("1.2.840.10045." + n) for n in ("2.1", "4.3.2", "4.3.3", "4.3.4")]  # ECDSA
TST_INFO = oid("1.2.840.113549.1.9.16.1.4")
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def name_key(name):
    """A Name (DER) as it is compared (RFC 5280 section 7.1): case and white space of texts do not matter."""
    def key(value):
        if value.tag & 0x20:
            return (value.tag, tuple(key(v) for v in value.parts()))
        if value.tag in (0x0C, 0x13, 0x14, 0x16, 0x1A):  # UTF8, printable, teletex, IA5, visible string
            return b" ".join(value.content.lower().split())
        return value.whole
    return key(der_one(name, SEQUENCE))


class Certificate:
    """The parts of an X.509 certificate (RFC 5280 section 4.1) that are judged here."""

    def __init__(self, whole):
        self.der = whole
        self.hash = sha256(whole)
        outer = Fields(der_one(whole, SEQUENCE))
        tbs = Fields(outer.next(SEQUENCE))
        tbs.maybe(0xA0)
        self.serial = tbs.next(INTEGER).whole
        tbs.next(SEQUENCE)
        self.issuer = tbs.next(SEQUENCE).whole
        tbs.next(SEQUENCE)
        self.subject = tbs.next(SEQUENCE).whole
        self.key = tbs.next(SEQUENCE)
        self.extensions = {}
        for value in tbs.rest:
            if value.tag != 0xA3:
                continue
            for row in value.parts()[0].parts():
                fields = Fields(row)
                name = fields.next(OID).whole
                critical = fields.maybe(BOOLEAN)
                self.extensions[name] = (critical is not None and critical.content != b"\0", fields.next(OCTETS).content)

    def is_p256(self):
        return self.key.parts()[0].content == EC_KEY + P256

    def stamps_only(self):
        """RFC 3161 section 2.3: extended key usage timeStamping, critical and alone."""
        critical, usage = self.extensions.get(oid("2.5.29.37"), (False, b""))
        if not critical or usage != der(SEQUENCE, oid("1.3.6.1.5.5.7.3.8")):
            return False
        return True

    def key_id(self):
        row = self.extensions.get(oid("2.5.29.14"))
        return der_one(row[1], OCTETS).content if row else None

    def alternative_names(self):
        row = self.extensions.get(oid("2.5.29.17"))
        return [v.whole for v in der_one(row[1], SEQUENCE).parts()] if row else []


# --- the CMS signature of a bundle (bundle.md, "CMS") ---------------------------------------------------------------

def cms_attributes(certificate, digest):
    ess = der(SEQUENCE, der(SEQUENCE, der(SEQUENCE, der(OCTETS, certificate.hash))))
    return b"".join(sorted([
        der(SEQUENCE, CONTENT_TYPE, der(SET, DATA)),
        der(SEQUENCE, MESSAGE_DIGEST, der(SET, der(OCTETS, digest))),
        der(SEQUENCE, SIGNING_CERTIFICATE_V2, der(SET, ess))]))


def check_cms(data, digest):
    """The signer's certificate (DER), if this is the one form of a signature over content with that digest."""
    if len(data) > 16 * 1024:
        raise Refused("the signature is larger than 16 KiB")
    info = Fields(der_one(data, SEQUENCE))
    info.next(OID)
    signed = Fields(der_one(info.next(0xA0).content, SEQUENCE))
    for tag in (INTEGER, SET, SEQUENCE):
        signed.next(tag)
    certificate = Certificate(Fields(signed.next(0xA0)).next(SEQUENCE).whole)
    signer = Fields(Fields(signed.next(SET)).next(SEQUENCE))
    for tag in (INTEGER, SEQUENCE, SEQUENCE, 0xA0, SEQUENCE):
        signer.next(tag)
    signature = signer.next(OCTETS).content

    attributes = cms_attributes(certificate, digest)
    one, sha = der(INTEGER, b"\1"), der(SEQUENCE, SHA256)
    wanted = der(SEQUENCE, SIGNED_DATA, der(0xA0, der(
        SEQUENCE, one, der(SET, sha), der(SEQUENCE, DATA), der(0xA0, certificate.der), der(SET, der(
            SEQUENCE, one, der(SEQUENCE, certificate.issuer, certificate.serial), sha, der(0xA0, attributes),
            der(SEQUENCE, ECDSA_SHA256), der(OCTETS, signature))))))
    if data != wanted:
        raise Refused("the signature is not over these bytes, or not in its one form")
    r, s = (v.content for v in der_one(signature, SEQUENCE).parts())
    if signature != der(SEQUENCE, der(INTEGER, r), der(INTEGER, s)) or not 0 < int.from_bytes(s, "big") <= P256_ORDER // 2:
        raise Refused("the signature's value is not the smaller one")
    for number in (r, s):
        if number[0] == 0 and (len(number) < 2 or number[1] < 0x80):
            raise Refused("the signature's value is not minimal")
    if not certificate.is_p256():
        raise Refused("the signer's key is not one of P-256")
    key = der(SEQUENCE, certificate.key.content)
    if openssl(("dgst", "-sha256", "-verify", "key", "-keyform", "DER", "-signature", "signature", "attributes"),
               (("key", key), ("signature", signature), ("attributes", der(SET, attributes)))) is None:
        raise Refused("the signature does not fit the certificate")
    if openssl(("x509", "-inform", "DER", "-in", "certificate", "-noout"), (("certificate", certificate.der),)) is None:
        raise Refused("the signer's certificate can't be read")
    return certificate.der


# --- time-stamp tokens (anchors.md, "The imprint") -------------------------------------------------------------------

class Token:
    """RFC 3161: a token taken apart. The signature and the chain are the openssl program's to judge."""

    def __init__(self, data):
        if len(data) > 64 * 1024:
            raise Refused("the token is larger than 64 KiB")
        self.der = data
        info = Fields(der_one(data, SEQUENCE))
        if info.next(OID).whole != SIGNED_DATA:
            raise Refused("the token is not signed data")
        signed = Fields(der_one(info.next(0xA0).content, SEQUENCE))
        info.end()
        signed.next(INTEGER)
        signed.next(SET)
        content = Fields(signed.next(SEQUENCE))
        if content.next(OID).whole != TST_INFO:
            raise Refused("the token does not sign a TSTInfo")
        self.read_info(der_one(content.next(0xA0).content, OCTETS).content)
        carried = signed.maybe(0xA0)
        self.certificates = []
        for value in carried.parts() if carried else []:
            try:
                self.certificates.append(Certificate(value.whole))
            except Refused:
                pass  # not the signer's, then: nothing else is read from the others here
        if len(self.certificates) > 32:
            raise Refused("the token carries too many certificates")
        signed.maybe(0xA1)
        signers = signed.next(SET).parts()
        if len(signers) != 1:
            raise Refused("a token has exactly one signer")
        signer = Fields(signers[0])
        signer.next(INTEGER)
        self.signer_id = signer.rest.pop(0)
        if Fields(signer.next(SEQUENCE)).next(OID).whole not in (SHA256, SHA384, SHA512):
            raise Refused("the token is signed with another digest")
        self.read_attributes(signer.next(0xA0))
        if Fields(signer.next(SEQUENCE)).next(OID).whole not in SIGNATURES:
            raise Refused("the token is signed with another algorithm than RSA, RSASSA-PSS or ECDSA")

    def read_info(self, data):
        fields = Fields(der_one(data, SEQUENCE))
        if fields.next(INTEGER).content != b"\1":
            raise Refused("a token of another version")
        fields.next(OID)
        imprint = Fields(fields.next(SEQUENCE))
        algorithm = Fields(imprint.next(SEQUENCE))
        self.imprint_algorithm = algorithm.next(OID).whole
        parameters = algorithm.maybe(0x05)
        algorithm.end()
        if parameters is not None and parameters.content:
            raise Refused("digest parameters")
        self.imprint = imprint.next(OCTETS).content
        imprint.end()
        if len(fields.next(INTEGER).content) > 21:
            raise Refused("the serial number is too long")
        self.gen_time = token_time(fields.next(TIME).content)
        for tag in (SEQUENCE, BOOLEAN, INTEGER):
            fields.maybe(tag)
        name = fields.maybe(0xA0)
        self.name = name.parts()[0].whole if name else None
        extensions = fields.maybe(0xA1)
        for row in extensions.parts() if extensions else []:
            extension = Fields(row)
            known = extension.next(OID).whole == oid("1.3.6.1.5.5.7.1.3")
            critical = extension.maybe(BOOLEAN)
            if critical is not None and critical.content != b"\0" and not known:
                raise Refused("the token has an unknown critical extension")
            extension.next(OCTETS)
            extension.end()
        fields.end()

    def read_attributes(self, attributes):
        self.named = []  # (digest name, hash) of the signing certificate, under the signature
        seen = set()
        for row in attributes.parts():
            fields = Fields(row)
            name = fields.next(OID).whole
            values = fields.next(SET).parts()
            if name not in (CONTENT_TYPE, SIGNING_CERTIFICATE, SIGNING_CERTIFICATE_V2):
                continue
            if name in seen or len(values) != 1:
                raise Refused("a signed attribute stands twice")
            seen.add(name)
            if name == CONTENT_TYPE:
                if values[0].whole != TST_INFO:
                    raise Refused("the signed content type is not that of a time stamp")
                continue
            first = Fields(Fields(Fields(values[0]).next(SEQUENCE)).next(SEQUENCE))
            digest = "sha1" if name == SIGNING_CERTIFICATE else "sha256"
            if name == SIGNING_CERTIFICATE_V2 and (algorithm := first.maybe(SEQUENCE)) is not None:
                digests = {SHA256: "sha256", SHA384: "sha384", SHA512: "sha512"}
                digest = digests.get(Fields(algorithm).next(OID).whole)
                if digest is None:
                    raise Refused("the signing certificate is named by another digest")
            self.named.append((digest, first.next(OCTETS).content))
        if CONTENT_TYPE not in seen or not self.named:
            raise Refused("the token does not name its signing certificate under the signature")

    def signer(self, certificates):
        for certificate in certificates:
            if self.signer_id.tag == SEQUENCE:
                issuer, serial = (v.whole for v in self.signer_id.parts())
                if name_key(issuer) == name_key(certificate.issuer) and serial == certificate.serial:
                    return certificate
            elif self.signer_id.tag == 0x80 and self.signer_id.content == certificate.key_id():
                return certificate
        return None

    def check(self, imprint, root=None, partial=False):
        """Refuses unless the token is sound, imprints that value, and (with a root) its signer leads to it."""
        if (self.imprint_algorithm, self.imprint) != (SHA256, imprint):
            raise Refused("the token stamps something else")
        signer = self.signer(self.certificates + ([root] if partial and root is not None else []))
        if signer is None or not signer.stamps_only():
            raise Refused("the signer's certificate is missing, or not for time stamps")
        for digest, value in self.named:
            if hashlib.new(digest, signer.der).digest() != value:
                raise Refused("the token names another signing certificate than the one that fits it")
        if self.name is not None:
            same = self.name[:1] == b"\xA4" and name_key(der_one(self.name).content) == name_key(signer.subject)
            if not same and self.name not in signer.alternative_names():
                raise Refused("the token's authority name is not the certificate's")
        seconds = self.gen_time // 1000
        common = ("cms", "-verify", "-binary", "-inform", "DER", "-in", "token", "-out", "content")
        files = (("token", self.der),)
        if root is None:
            done = openssl(common + ("-noverify",), files)
        else:
            rule = ("-partial_chain", "-certfile", "root") if partial else ("-cades",)
            done = openssl(common + rule + ("-CAfile", "root", "-no-CApath", "-no-CAstore", "-purpose", "timestampsign",
                                            "-auth_level", "2", "-verify_depth", "8", "-attime", str(seconds)),
                           files + (("root", pem(root.der)),))
        if done is None:
            raise Refused("the token's signature or its chain does not hold")


def token_time(content):
    match = re.fullmatch(rb"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.(\d+))?Z", content)
    if not match or len(content) > 32:
        raise Refused("the token's time")
    try:
        moment = datetime.datetime(*(int(g) for g in match.groups()[:6]), tzinfo=datetime.timezone.utc)
    except ValueError as error:
        raise Refused("the token's time") from error
    return int(moment.timestamp()) * 1000 + int((match[7] or b"0").ljust(3, b"0")[:3])


def rfc3339(ms):
    moment = datetime.datetime.fromtimestamp(ms // 1000, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
    return moment + (f".{ms % 1000:03}" if ms % 1000 else "") + "Z"


# --- notes and checkpoints (ledger.md, C2SP signed-note and tlog-checkpoint) ----------------------------------------

class Key:
    def __init__(self, text):
        parts = text.split("+", 2)
        if len(parts) != 3 or not is_key_name(parts[0]):
            raise Refused("malformed key")
        blob = unbase64(parts[2])
        if len(blob) != 33 or blob[0] not in (1, 4):
            raise Refused("not an Ed25519 key")
        self.type = blob[0]
        self.text, self.name, self.public = text, parts[0], blob[1:]
        self.id = sha256(self.name.encode(), b"\n", blob)[:4]
        if parts[1] != self.id.hex():
            raise Refused("the key's id is not its hash")

    def __eq__(self, other):
        return self.text == other.text

    def fingerprint(self):
        return " ".join(re.findall("....", sha256(self.text.encode()).hex()))


def is_key_name(name):
    return bool(name) and "+" not in name and not any(c.isspace() or ord(c) < 0x21 or c == "\x7f" for c in name)


class Checkpoint:
    """A note taken apart. verify() says whether its key signed it."""

    def __init__(self, note):
        if len(note) > 1 << 20:
            raise Refused("a note of more than 1 MiB")
        try:
            text = note.decode()
        except UnicodeDecodeError as error:
            raise Refused("a note that is no UTF-8") from error
        if not text.endswith("\n") or any(ord(c) < 0x20 and c != "\n" for c in text) or "\n\n" not in text:
            raise Refused("not a note")
        split = text.rindex("\n\n")
        self.text = text[:split + 1]
        lines = text[split + 2:].split("\n")[:-1]
        if not 1 <= len(lines) <= 100:
            raise Refused("a note without signatures, or with too many")
        self.signatures = []
        for line in lines:
            match = re.fullmatch(r"\u2014 ([^ ]+) (\S+)", line)
            if not match or not is_key_name(match[1]):
                raise Refused("a malformed signature line")
            blob = unbase64(match[2])
            if len(blob) < 5:
                raise Refused("a signature that is too short")
            self.signatures.append((match[1], blob[:4], blob[4:]))

    def read(self):
        lines = self.text.split("\n")[:-1]
        if len(lines) < 3 or "" in lines or not re.fullmatch(r"0|[1-9][0-9]{0,18}", lines[1]):
            raise Refused("not a checkpoint")
        self.origin, self.size, self.root = lines[0], int(lines[1]), unbase64(lines[2])
        if len(self.root) != 32:
            raise Refused("a root of another length")

    def first_published(self, key):
        """The note with the archive's signature alone."""
        for name, key_id, signature in self.signatures:
            if (name, key_id) == (key.name, key.id):
                line = base64.b64encode(key_id + signature).decode()
                return f"{self.text}\n\u2014 {name} {line}\n".encode()
        raise Refused("not signed by the key")

    def cosigned_by(self, keys):
        """The texts of those witnesses' keys whose cosignature stands here; refuses one that does not hold."""
        held = set()
        for name, key_id, blob in self.signatures:
            key = next((k for k in keys if (k.name, k.id) == (name, key_id)), None)
            if key is None or key.text in held:
                continue
            seconds = int.from_bytes(blob[:8], "big")
            text = f"cosignature/v1\ntime {seconds}\n{self.text}".encode()
            if len(blob) != 72 or seconds > 253402300799 or not ed25519_holds(key.public, text, blob[8:]):
                raise Refused("a witness's cosignature fails")
            held.add(key.text)
        return held

    def verify(self, key):
        for name, key_id, signature in self.signatures:
            if (name, key_id) == (key.name, key.id):  # a key's further lines are not looked at
                if not ed25519_holds(key.public, self.text.encode(), signature):
                    raise Refused("the key's signature fails")
                self.read()
                if self.origin != key.name:
                    raise Refused("the origin is not the key's name")
                return self
        raise Refused("not signed by the key")


class History:
    """Keys of a ledger, each announced under the one before (signer.md, "Rotation")."""

    def __init__(self, first):
        self.steps = [(first, 0, 0)]  # key, entry that names it, size of the checkpoint that proves it
        self.leaves = set()           # (index, leaf hash) of those entries
        self.era = 0                  # the step at which the ledger got the name that it has today

    def go_on(self, index, data):
        """A continuation: a new name and key that nobody announces."""
        entry, before = Entry(data), self.steps[self.era][0].name
        origin, vkey = entry.text(4), entry.text(5)
        if entry.control() != ARCHIVE_CONTINUED or None in (origin, vkey, entry.hash(38)):
            raise Refused("the entry continues no ledger")
        key, old, new = Key(vkey), parse_origin(before), parse_origin(origin)
        if key.name != origin or key.type != 1 or entry.text(36) != before or entry.number(16, 8) != index or \
                old is None or new is None or old[0] != new[0] or new[1] <= old[1] or index < self.steps[-1][2]:
            raise Refused("the continuation does not fit the ledger before")
        self.steps.append((key, index, index))
        self.leaves.add((index, leaf_hash(data)))
        self.era = len(self.steps) - 1
        self.continued = self.continued | {index}

    continued = frozenset()

    def add(self, entry, proof):
        key, (_, before, proven) = self.steps[-1][0], self.steps[-1]
        index, hashes, note = read_tlog_proof(proof)
        checkpoint = Checkpoint(note).verify(key)
        if index >= checkpoint.size or not includes(index, checkpoint.size, leaf_hash(entry), hashes, checkpoint.root):
            raise Refused("the announcement is not proven")
        named = Entry(entry)
        vkey = named.text(5)
        if named.control() != KEY_ROTATED or vkey is None:
            raise Refused("the entry announces no key")
        new = Key(vkey)
        if new.type != 1 or new.name != key.name or any(new == k for k, _, _ in self.steps):
            raise Refused("the announced key does not fit the ledger")
        if checkpoint.size <= proven or (len(self.steps) > 1 and index <= before):
            raise Refused("rotations are out of order")
        self.steps.append((new, index, checkpoint.size))
        self.leaves.add((index, leaf_hash(entry)))

    def keys(self):
        """Of the ledger as it is called today."""
        return [key for key, _, _ in self.steps[self.era:]]

    def open(self, note):
        """(checkpoint, the key that signed it): which one its size asks for; at a border the key before is good, too."""
        claimed = Checkpoint(note)
        claimed.read()
        refused = Refused("no key signs checkpoints of this size")
        for i in range(len(self.steps) - 1, -1, -1):
            key, _, proven = self.steps[i]
            if claimed.size < proven or (i + 1 < len(self.steps) and claimed.size > self.steps[i + 1][2]):
                continue
            try:
                return Checkpoint(note).verify(key), key
            except Refused as error:
                refused = error
            if i == 0 or claimed.size != proven:
                break
        raise refused


def parse_origin(origin):
    """(vault id, continuation) or None."""
    match = re.fullmatch(r"kustos\.archive/([0-9a-f]{32})(?:/([1-9][0-9]{0,2}))?", origin)
    number = int(match[2] or 0) if match else 0
    return (match[1], number) if match and number <= 255 else None


def read_tlog_proof(data):
    """(index, hashes, note) of a C2SP tlog-proof."""
    try:
        head, note = data.decode().split("\n\n", 1)
    except ValueError as error:
        raise Refused("not a proof") from error
    lines = head.split("\n")
    if lines[0] != "c2sp.org/tlog-proof@v1":
        raise Refused("not a proof")
    lines = lines[2:] if len(lines) > 1 and lines[1].startswith("extra ") else lines[1:]
    match = re.fullmatch(r"index (0|[1-9][0-9]{0,18})", lines[0]) if lines else None
    hashes = [unbase64(line) for line in lines[1:]]
    if not match or len(hashes) > 64 or any(len(h) != 32 for h in hashes):
        raise Refused("not a proof")
    return int(match[1]), hashes, note.encode()


# --- entries (ledger.md, "Entry") ---------------------------------------------------------------------------------------

RECORD, BLOB, ACCESS, ERASURE, CONTROL = 1, 2, 3, 4, 5
ARCHIVE_CREATED, EVIDENCE_KEY, GENERATION_OPENED, SOURCE_ADDED = 1, 2, 3, 4
TREE_OPENED, SHARD_OPENED, CHECKPOINT_PUBLISHED, ANCHOR_STORED, KEY_ROTATED, ARCHIVE_CONTINUED = 6, 7, 8, 9, 18, 19
VERIFICATION_REPORTED = 23
CERTIFICATE_ISSUED = 47
HITS_REPORTED = 76
FINDING, HEARTBEAT, COUNTED, FINDING_RESOLVED, PROFILE_SET, PROMISE_MADE, COMPLETENESS_CERTIFIED = 14, 20, 21, 50, 51, 52, 53
BEGUN, DONE, CIPHERTEXT_REMOVED, TERMS_REMOVED, FINAL = 1, 2, 3, 4, 5  # of kind erasure


class Entry:
    def __init__(self, data):
        if not 116 <= len(data) <= 65535:
            raise Refused("an entry has 116 to 65,535 bytes")
        (magic, version, self.kind, self.suite, _, self.source, self.sequence, self.record, self.tree, self.leaf, self.fields,
         self.content_root, self.length, self.ciphertext) = struct.unpack(">BBBBHIQ16sIIH32sQ32s", data[:116])
        if (magic, version) != (0x4B, 1) or self.kind not in range(1, 6) or self.suite not in (0, 1, 2):
            raise Refused("an entry of unknown kind")
        if self.suite == 0:
            if self.kind in (RECORD, BLOB) or any(data[34:116]):
                raise Refused("an entry without payload whose fields are not zero")
        elif self.tree == 0 or self.leaf >= 1 << 20 or not 1 <= self.fields <= 4096 or not 16 <= self.length <= 1 << 40:
            raise Refused("an entry's fields are out of bounds")
        self.rows = {}
        if self.kind in (RECORD, BLOB):
            if len(data) != 116:
                raise Refused("a record with a public body")
        else:
            self.read_body(data[116:])
        self.action = self.number(1, 2) if self.rows else None
        if self.kind not in (RECORD, BLOB) and self.action is None:
            raise Refused("a public body without exactly one action")

    def read_body(self, body):
        at, before = 0, 0
        while at < len(body):
            if len(body) - at < 4:
                raise Refused("a public body that is cut")
            tag, length = struct.unpack_from(">HH", body, at)
            if tag == 0 or tag < before or length > len(body) - at - 4:
                raise Refused("a public body's rows")
            self.rows.setdefault(tag, []).append(body[at + 4:at + 4 + length])
            before, at = tag, at + 4 + length

    def control(self):
        return self.action if self.kind == CONTROL else None

    def bytes(self, tag):
        return b"".join(self.rows[tag]) if tag in self.rows else None

    def one(self, tag, size):
        rows = self.rows.get(tag, [])
        return rows[0] if len(rows) == 1 and len(rows[0]) == size else None

    def number(self, tag, size):
        row = self.one(tag, size)
        return None if row is None else int.from_bytes(row, "big")

    def hash(self, tag):
        return self.one(tag, 32)

    def text(self, tag):
        rows = self.rows.get(tag, [])
        if len(rows) != 1:
            return None
        try:
            text = rows[0].decode()
        except UnicodeDecodeError:
            return None
        return None if any(ord(c) < 0x20 or c == "\x7f" for c in text) else text


# --- erasures (ledger.md, "Erasure") -------------------------------------------------------------------------------------

class Run:
    """One erasure: parts that began, and how it went on."""

    def __init__(self, parts, generation, method):
        self.parts, self.generation, self.method = parts, generation, method
        self.begun, self.ranges, self.done, self.broken = [], [], None, False
        self.least = self.most = 0


class Erasures:
    """Fed with every entry in order; knows by leaf what may be missing and what must be."""

    def __init__(self):
        self.runs, self.keyrings, self.headers = {}, {}, []  # headers: (kind, tree, leaf) of each entry; tree 0: no payload
        self.payloads = {}  # by tree: all leaves with a payload
        self.may, self.must = set(), set()  # (tree, leaf) that an entry uses
        self.spans = []  # (tree, first, last) of finished runs: what comes later must not use them
        self.destroyed_below = 0

    def add(self, entry):
        """False: it uses a key that is gone."""
        self.headers.append((entry.kind, entry.tree, entry.leaf))
        if entry.suite == 0:
            return True
        self.payloads.setdefault(entry.tree, set()).add(entry.leaf)
        return not any(t == entry.tree and first <= entry.leaf <= last for t, first, last in self.spans)

    def add_malformed(self):
        self.headers.append((0, 0, 0))

    def take_generation(self, number, keyring):
        self.keyrings[number] = keyring

    def take(self, index, entry):
        if entry.action == BEGUN:
            self.take_begun(index, entry)
        elif entry.action == DONE:
            self.take_done(index, entry)
        elif entry.action in (CIPHERTEXT_REMOVED, TERMS_REMOVED, FINAL):
            self.take_state(index, entry)

    def used(self, leaves, ranges):
        return {(tree, leaf) for tree, first, last in ranges for leaf in leaves.get(tree, ()) if first <= leaf <= last}

    def take_begun(self, index, entry):
        name, generation, method = entry.bytes(42), entry.number(12, 4), entry.text(26)
        part, parts = entry.number(43, 4), entry.number(44, 4)
        if name is None or len(name) != 16 or None in (generation, method, part, parts) or part >= parts:
            raise Refused("does not say what it destroys")
        run = self.runs.setdefault(name, Run(parts, generation, method))
        if run.done is not None:
            raise Refused("begins an erasure that is done")
        try:
            if (part, parts, generation, method) != (len(run.begun), run.parts, run.generation, run.method):
                raise Refused("is a part of an erasure that is missing, doubled or out of order")
            run.begun.append(index)
            if run.broken:
                return
            ranges = self.read_ranges(index, entry)
        except Refused:
            run.broken = True
            raise
        run.ranges += ranges
        for one in ranges:
            found = self.used(self.payloads, [one])
            run.most += len(found)
            run.least += len(found - self.may)

    def read_ranges(self, index, entry):
        rows, ranges = entry.rows.get(33, []), []
        if not rows:
            raise Refused("does not say what it destroys")
        for row in rows:
            if len(row) != 28:
                raise Refused("a leaf range of another length")
            tree, first, last, first_entry, last_entry = struct.unpack(">IIIQQ", row)
            if tree == 0 or first > last or last >= 1 << 20 or first_entry > last_entry or last_entry >= index:
                raise Refused("a leaf range that can't be")
            ends = [self.headers[i] for i in (first_entry, last_entry)]
            if any(t != tree or not first <= leaf <= last for _, t, leaf in ends):
                raise Refused("names leaves that its entries do not have")
            if ends[0][2] > ends[1][2] or (ends[0][2] == ends[1][2]) != (first_entry == last_entry):
                raise Refused("names leaves that its entries do not have")
            ranges.append((tree, first, last))
        return ranges

    def take_done(self, index, entry):
        run = self.runs.get(entry.bytes(42))
        if run is None:
            raise Refused("ends an erasure that never began")
        if run.broken:
            return
        if run.done is not None:
            raise Refused("ends an erasure twice")
        generation, keyring, count = entry.number(12, 4), entry.hash(29), entry.number(21, 8)
        run.broken = True
        if len(run.begun) != run.parts:
            raise Refused("ends an erasure of which a part is missing")
        if None in (generation, keyring, count):
            raise Refused("does not say what was done")
        if generation < run.generation or self.keyrings.get(generation) != keyring:
            raise Refused("names a generation of keys that was not opened")
        if not run.least <= count <= run.most:
            raise Refused("counts other records than its leaves have")
        run.broken, run.done, run.generation = False, index, generation
        self.destroyed_below = max(self.destroyed_below, generation)
        self.may |= self.used(self.payloads, run.ranges)
        self.spans += run.ranges

    def take_state(self, index, entry):
        size = entry.number(16, 8)
        if size is None or size > index:
            raise Refused("speaks of more entries than there were")
        if (entry.number(12, 4) if entry.action == FINAL else entry.number(21, 8)) is None:
            raise Refused("does not say what was done")
        if entry.action != CIPHERTEXT_REMOVED:
            return
        fresh = set()
        for run in self.runs.values():
            if run.done is not None and run.done < size:
                fresh |= self.used(self.payloads, run.ranges)
        if entry.number(21, 8) > len(fresh - self.must):
            raise Refused("counts more than was destroyed")
        self.must |= fresh


# --- trees -------------------------------------------------------------------------------------------------------------

def leaf_hash(entry):
    return sha256(b"\0", entry)


def node_hash(left, right):
    return sha256(b"\1", left, right)


def includes(index, size, leaf, proof, root):
    """RFC 9162 section 2.1.3.2."""
    if index >= size:
        return False
    at, last, value = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if at & 1 or at == last:
            value = node_hash(sibling, value)
            while at & 1 == 0 and at:
                at, last = at >> 1, last >> 1
        else:
            value = node_hash(value, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and value == root


class Frontier:
    """The roots of the perfect subtrees that the leaves so far make up, largest first."""

    def __init__(self, join):
        self.count, self.stack, self.join = 0, [], join

    def append(self, value):
        carry = self.count
        while carry & 1:
            value = self.join(self.stack.pop(), value)
            carry >>= 1
        self.stack.append(value)
        self.count += 1

    def root(self):
        value = self.stack[-1]
        for left in reversed(self.stack[:-1]):
            value = self.join(left, value)
        return value


def group_value(members):
    return members[0] if len(members) == 1 else sha256(*sorted(members))


def reduced_root(path):
    """RFC 4998 section 4.3, as anchors.md says it."""
    value = None
    for group in path:
        if not 1 <= len(group) <= 16:
            raise Refused("a group of the reduced hash tree is empty or too large")
        value = group_value(group + ([] if value is None else [value]))
    if value is None or len(path) > 65:
        raise Refused("a reduced hash tree without groups, or with too many")
    return value


# --- the report (report.md) ----------------------------------------------------------------------------------------------

LEVELS = ["none", "self", "independent", "qualified"]


def printable(text):
    """Foreign names are quoted in reports, and those go to terminals."""
    return re.sub(r"[\x00-\x1f\x7f]", "?", text)


class Report:
    def __init__(self, subject):
        self.subject, self.problems, self.remarks, self.checked = subject, [], [], {}
        self.origin, self.time, self.fingerprint, self.anchors = "unknown", "none", "", []
        self.since = self.size = self.reported = None

    def problem(self, code, where, text):
        if len(self.problems) >= 200:
            self.count("problems_left_out")
        else:
            self.problems.append({"code": code, "where": printable(where), "text": printable(text)})

    def remark(self, text):
        text = printable(text)
        if text not in self.remarks:
            self.remarks.append(text)

    def count(self, name, number=1):
        self.checked[name] = self.checked.get(name, 0) + number

    def anchor(self, size, authority, gen_time, level):
        self.count("anchors")
        order = LEVELS.index(level) - LEVELS.index(self.time)
        if order > 0 or (order == 0 and gen_time < self.since):
            self.time, self.since, self.size = level, gen_time, size
        self.anchors.append({"size": size, "authority": authority, "gen_time": rfc3339(gen_time), "level": level})

    def ok(self):
        return not self.problems

    def headline(self):
        if not self.ok():
            return "Not intact: %d findings" % (len(self.problems) + self.checked.get("problems_left_out", 0))
        intact = "Intact"
        if self.subject == "report" and (self.reported or "").startswith("completeness:"):
            intact = "The certificate of completeness is intact and says: " + {
                "complete": "complete as promised", "gaps": "gaps are known"}.get(self.reported[13:], "the source promises nothing")
        elif self.subject == "report" and (self.reported or "").startswith("erasure:"):
            intact = "The certificate of erasure is intact and says: " + {
                "begun": "ordered", "unreadable": "unreadable", "terms_gone": "words removed",
                "ciphertext_gone": "ciphertext removed"}.get(self.reported[8:], "final")
        elif self.subject == "report" and self.reported == "hits":
            intact = "The hit report is intact"
        elif self.subject == "report":
            intact = "The verification report is intact and says: " + (
                "nothing was found broken" if self.reported == "ok" else "there are findings")
        if self.origin == "unknown":
            return intact + ". Origin not established: compare fingerprint %s with the one that the authority has published" % (
                self.fingerprint)
        return intact + ". It comes from the archive that the trust file names"

    def json(self):
        anchors = self.anchors if len(self.anchors) <= 200 else self.anchors[:100] + self.anchors[-100:]
        out = {"ok": self.ok(), "origin": self.origin, "time": self.time, "checked": self.checked,
               "not_checked": self.remarks, "problems": self.problems, "subject": self.subject,
               "fingerprint": self.fingerprint, "anchors": anchors, "headline": self.headline()}
        if self.reported is not None:
            out["reported"] = self.reported
        if self.since is not None:
            out.update(proven_since=rfc3339(self.since), proven_size=self.size)
        return out

    def text(self):
        lines = [self.headline()]
        lines += ["  %(code)s  %(where)s: %(text)s" % p for p in self.problems]
        lines.append("Checked: " + ", ".join("%d %s" % (n, name) for name, n in sorted(self.checked.items())))
        lines.append("Time: " + self.time + ("" if self.since is None else ", since " + rfc3339(self.since)))
        lines += ["Not checked: " + r for r in self.remarks]
        return "\n".join(lines)


# --- the trust file (trust.md) ---------------------------------------------------------------------------------------------

class Trust:
    def __init__(self, data):
        self.logs, self.authorities, self.witnesses, self.groups, self.quorum, self.names = [], [], {}, {}, None, {}
        self.digests = set()
        if b"\n\n\xe2\x80\x94 " in data:  # a signed note: who signed it is not looked at here
            data = data[:data.rindex(b"\n\n") + 1]
        lines = data.split(b"\n")
        if lines[-1] == b"":
            lines.pop()
        if len(lines) > 1000:
            raise CallError(2, "the trust file has more than 1,000 lines")
        for number, line in enumerate(lines, 1):
            try:
                self.read(line.decode(errors="replace").split())
            except Refused as error:
                raise CallError(2, f"trust file, line {number}: {error}") from error
        if not self.logs:
            raise CallError(2, "the trust file names no ledger")

    def read(self, words):
        if not words or words[0].startswith("#"):
            return
        if words[0] == "log" and len(words) in (2, 3):
            self.logs.append(Key(words[1]))
            if self.logs[-1].type != 1:
                raise Refused("a witness's key")
        elif words[0] == "witness" and len(words) in (3, 4):
            self.new_name(words[1])
            self.witnesses[words[1]] = Key(words[2])
            if self.witnesses[words[1]].type != 4:
                raise Refused("no witness's key")
        elif words[0] == "group" and len(words) >= 4:
            for member in words[3:]:
                if self.names.get(member) is not False:
                    raise Refused("a member that is not known, or is in two groups")
                self.names[member] = True
            self.new_name(words[1])
            needed = {"any": 1, "all": len(words) - 3}.get(words[2])
            if needed is None:
                needed = int(words[2]) if re.fullmatch("[0-9]{1,4}", words[2]) else 0
            if not 1 <= needed <= len(words) - 3:
                raise Refused("a threshold")
            self.groups[words[1]] = (needed, words[3:])
        elif words[0] == "digest" and len(words) == 3 and words[1] in ("sha224", "sha256", "sha384", "sha512") \
                and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", words[2]) and words[1] not in self.digests:
            self.digests.add(words[1])
        elif words[0] == "quorum" and len(words) == 2 and self.quorum in (None, words[1]):
            if words[1] != "none" and words[1] not in self.names:
                raise Refused("a quorum that is not known")
            self.quorum = words[1]
        elif words[0] == "tsa" and len(words) == 4 and words[2] in ("independent", "qualified"):
            data = unbase64(words[3])
            if len(data) > 16 * 1024:
                raise Refused("the certificate is too large")
            self.authorities.append((words[1], words[2], Certificate(data)))
        else:
            raise Refused("not understood")

    def new_name(self, name):
        if name == "none" or name in self.names:
            raise Refused("a name that is taken")
        self.names[name] = False

    def asks_for_witnesses(self):
        return self.quorum not in (None, "none")

    def witnessed(self, held):
        met = {name: key.text in held for name, key in self.witnesses.items()}
        for name, (needed, members) in self.groups.items():
            met[name] = sum(met[m] for m in members) >= needed
        return self.asks_for_witnesses() and met[self.quorum]


def judge_token(report, token, imprint, builtin_root, trust):
    """(gen time, level, the trust file's name for the authority or None). Refuses a token that is not sound."""
    token.check(imprint)
    level, name = "self", None
    for authority, its_level, certificate in trust.authorities if trust else []:
        try:
            token.check(imprint, certificate, partial=True)
        except Refused:
            continue
        if LEVELS.index(its_level) > LEVELS.index(level):
            level, name = its_level, authority
    if level == "self" and not is_builtin(token, imprint, builtin_root):
        report.remark("whether the time-stamping authority is independent: no `tsa` line of a trust file names it")
    return token.gen_time, level, name


def is_builtin(token, imprint, builtin_root):
    for certificate in token.certificates:
        if certificate.hash == builtin_root and certificate.issuer == certificate.subject:
            try:
                token.check(imprint, certificate)
                return True
            except Refused:
                pass
    return False


# --- PDF (bundle.md, "PDF") --------------------------------------------------------------------------------------------------

SPACE = re.compile(rb"(?:[ \n\r\t\f\0]|%[^\n\r]*)*")
NUMBER = re.compile(rb"[0-9]{1,12}(?![0-9])")
WORD = re.compile(rb"(?:/|[^ \n\r\t\f\0/<>\[\](){}%])[^ \n\r\t\f\0/<>\[\](){}%]*")
REFERENCE_END = re.compile(rb"(?:[ \n\r\t\f\0]|%[^\n\r]*)*[0-9]{1,6}[ \n\r\t\f\0](?:[ \n\r\t\f\0]|%[^\n\r]*)*"
                           rb"R(?=[ \n\r\t\f\0/<>\[\](){}%]|\Z)")
STRING_STEP = re.compile(rb"[^()\\]*")


def pdf_space(data, at):
    return SPACE.match(data, at).end()


def pdf_number(data, at):
    match = NUMBER.match(data, at)
    if not match:
        raise Refused(f"a number is missing, at byte {at}")
    return int(match[0]), match.end()


def pdf_value(data, at, depth=0):
    """Where the value that begins behind white space ends, and where it begins."""
    if depth > 100:
        raise Refused("nested too deeply")
    begin = at = pdf_space(data, at)
    opening = data[at:at + 2] if data[at:at + 2] == b"<<" else data[at:at + 1]
    if opening in (b"<<", b"["):
        closing = b">>" if opening == b"<<" else b"]"
        at += len(closing)
        while not data.startswith(closing, at := pdf_space(data, at)):
            at = pdf_value(data, at, depth + 1)[1]
        return begin, at + len(closing)
    if opening == b"(":
        return begin, pdf_string(data, at)
    if opening == b"<":
        end = data.find(b">", at)
        if end < 0:
            raise Refused("a string has no end")
        return begin, end + 1
    match = WORD.match(data, at)
    if not match:
        raise Refused(f"a value is missing, at byte {at}")
    if match[0].isdigit() and (reference := REFERENCE_END.match(data, match.end())):
        return begin, reference.end()
    return begin, match.end()


def pdf_string(data, at):
    depth = 0
    while True:
        at = STRING_STEP.match(data, at).end()
        byte = data[at:at + 1]
        if byte == b"":
            raise Refused("a string has no end")
        at += 2 if byte == b"\\" else 1
        depth += {b"(": 1, b")": -1}.get(byte, 0)
        if depth == 0 and byte == b")":
            return at


def pdf_name(raw):
    def byte(match):
        if not match[1]:
            raise Refused("a name with a broken escape")
        return bytes([int(match[1], 16)])
    return re.sub(rb"#([0-9a-fA-F]{2})?", byte, raw[1:])


def pdf_dictionary(text):
    at = pdf_space(text, 0)
    if not text.startswith(b"<<", at):
        raise Refused("a dictionary is missing")
    at, entries = at + 2, {}
    while not text.startswith(b">>", at := pdf_space(text, at)):
        if not text.startswith(b"/", at):
            raise Refused("a name is missing")
        begin, at = pdf_value(text, at, 1)
        name = pdf_name(text[begin:at])
        if name in entries or len(entries) >= 256:
            raise Refused("a name stands twice in a dictionary, or there are too many")
        begin, at = pdf_value(text, at, 1)
        entries[name] = text[begin:at]
    return entries


def pdf_array(text):
    if not text.startswith(b"["):
        raise Refused("an array is missing")
    at, values = 1, []
    while not text.startswith(b"]", at := pdf_space(text, at)):
        begin, at = pdf_value(text, at, 1)
        values.append(text[begin:at])
    return values


def pdf_reference(value):
    match = NUMBER.match(value)
    return int(match[0]) if match and REFERENCE_END.fullmatch(value, match.end()) else None


class Pdf:
    """The objects of a file, walked from front to back."""

    def __init__(self, data):
        self.data, self.objects, self.streams, self.trailer = data, {}, [], None
        self.counts = {}  # how often a number is used
        if not data.startswith(b"%PDF-"):
            raise Refused("not a PDF file")
        at, number = 0, 0
        while (at := pdf_space(data, at)) < len(data):
            if data[at:at + 1].isdigit():
                number += 1
                at = self.read_object(at)
            elif data.startswith(b"xref", at):
                at = self.read_table(at + 4)
            elif data.startswith(b"startxref", at):
                at = pdf_number(data, pdf_space(data, at + 9))[1]
            else:
                raise Refused(f"neither object nor cross-reference table, at byte {at}")
            if number > 5_000_000:
                raise Refused("too many objects")
        if self.trailer is None:
            raise Refused("the file has no trailer")
        if b"Encrypt" in pdf_dictionary(self.trailer):
            raise Refused("the file is encrypted")

    def read_object(self, at):
        data = self.data
        number, at = pdf_number(data, at)
        if number > 0x7FFFFFFF:
            raise Refused("an object's number is too large")
        at = pdf_number(data, pdf_space(data, at))[1]
        at = pdf_space(data, at)
        if not data.startswith(b"obj", at):
            raise Refused(f"obj is missing, at byte {at}")
        begin, end = pdf_value(data, at + 3)
        body = data[begin:end]
        at = pdf_space(data, end)
        if data.startswith(b"stream", at):
            at = pdf_space(data, self.read_stream(number, body, at + 6))
        if not data.startswith(b"endobj", at):
            raise Refused(f"endobj is missing, at byte {at}")
        self.objects[number] = body
        self.counts[number] = self.counts.get(number, 0) + 1
        return at + 6

    def read_stream(self, number, body, at):
        data = self.data
        line_end = b"\r\n" if data.startswith(b"\r\n", at) else b"\n"
        if not data.startswith(line_end, at):
            raise Refused("a line end after stream is missing")
        at += len(line_end)
        dictionary = pdf_dictionary(body)
        if dictionary.get(b"Type") == b"/ObjStm":
            raise Refused("objects in a compressed stream")
        if not re.fullmatch(rb"[0-9]{1,12}", dictionary.get(b"Length", b"")):
            raise Refused("a stream without a direct length")
        end = at + int(dictionary[b"Length"])
        if end > len(data):
            raise Refused("a stream is cut")
        self.streams.append((number, dictionary, at, end))
        if dictionary.get(b"Type") == b"/XRef":
            self.trailer = body
        at = pdf_space(data, end)
        if not data.startswith(b"endstream", at):
            raise Refused("endstream is missing")
        return at + 9

    def read_table(self, at):
        data = self.data
        while not data.startswith(b"trailer", at := pdf_space(data, at)):
            at = pdf_number(data, at)[1]
            count, at = pdf_number(data, pdf_space(data, at))
            at = pdf_space(data, at)
            for _ in range(count):
                if len(data) - at < 18:
                    raise Refused("a cross-reference table is cut")
                at = pdf_space(data, at + 18)
        begin, end = pdf_value(data, at + 7)
        self.trailer = data[begin:end]
        return end

    def resolve(self, value):
        number = pdf_reference(value)
        return value if number is None else self.objects.get(number, b"")

    def entry(self, dictionary, name, limit=1 << 20):
        """The value as it stands, of a dictionary or of the object that is referred to; empty if there is none."""
        text = self.resolve(dictionary)
        if len(text) > limit:
            return b""
        try:
            return pdf_dictionary(text).get(name, b"")
        except Refused:
            return b""

    def container(self):
        marked = [s for s in self.streams if b"KustosEvidence" in s[1]]
        if len(marked) != 1:
            raise Refused("there is no evidence container, or more than one")
        number, dictionary, begin, end = marked[0]
        if dictionary[b"KustosEvidence"] != b"1" or b"Filter" in dictionary or self.counts[number] != 1:
            raise Refused("the evidence container is of another version, compressed or replaced")
        names = self.entry(self.entry(self.trailer, b"Root"), b"Names")
        self.seen, self.filespecs = set(), 0
        if not names or not self.lists(self.entry(names, b"EmbeddedFiles"), number, 0):
            raise Refused("the evidence container is not listed as an attached file")
        return self.data[begin:end]

    def report(self):
        """(JSON, proof) of a verification report, or None: not such a file."""
        marked = [s for s in self.streams if b"KustosReport" in s[1]]
        parts = {s[1][b"KustosReport"]: self.data[s[2]:s[3]] for s in marked}
        if len(marked) != 2 or set(parts) != {b"1", b"2"} or any(b"KustosEvidence" in s[1] for s in self.streams) or \
                any(b"Filter" in s[1] or self.counts[s[0]] != 1 for s in marked):
            return None
        return parts[b"1"], parts[b"2"]

    def lists(self, node, wanted, depth):
        if not node or depth > 16:
            return False
        number = pdf_reference(node)
        if number is not None:
            if number in self.seen:
                return False
            self.seen.add(number)
        for filespec in self.array(node, b"Names")[1::2]:
            self.filespecs += 1
            if self.filespecs > 4096:
                return False
            if self.entry(filespec, b"Type", 16384) == b"/Filespec":
                embedded = self.entry(filespec, b"EF", 16384)
                if embedded and pdf_reference(self.entry(embedded, b"F", 16384)) == wanted:
                    return True
        return any(pdf_reference(kid) is not None and self.lists(kid, wanted, depth + 1)
                   for kid in self.array(node, b"Kids"))

    def array(self, node, name):
        try:
            return pdf_array(self.entry(node, name))
        except Refused:
            return []


SIGNATURE_HEAD = b" 0 obj\n<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached /ByteRange [0"
SIGNATURE_REST = re.compile(rb" (0|[1-9][0-9]{0,11}) (0|[1-9][0-9]{0,11}) (0|[1-9][0-9]{0,11})\] */Contents ")


class GapRefused(Refused):
    pass


def check_signature(data):
    """The certificate (DER) of a sound signature over everything but its own gap."""
    begin = data.rfind(SIGNATURE_HEAD)
    match = SIGNATURE_REST.match(data, begin + len(SIGNATURE_HEAD)) if begin >= 0 else None
    if not match:
        raise Refused("the file is not signed as bundles are")
    gap_begin, gap_end, rest = (int(n) for n in match.groups())
    if gap_begin != match.end() or not gap_begin < gap_end <= len(data) or rest != len(data) - gap_end:
        raise Refused("the signature does not cover the whole file")
    if not data.startswith(b" >>\nendobj\n", gap_end):
        raise Refused("the signature's dictionary has another form")
    gap = data[gap_begin:gap_end]
    if len(gap) > 131072 or not re.fullmatch(rb"<(?:[0-9a-f]{2})*>", gap):
        raise GapRefused("the place of the signature holds something else")
    content = bytes.fromhex(gap[1:-1].decode())
    try:
        signature = der_take(content, 0).whole
    except Refused as error:
        raise GapRefused("the place of the signature does not hold a signature") from error
    if content[len(signature):].strip(b"\0"):
        raise GapRefused("bytes follow the signature")
    return check_cms(signature, sha256(data[:gap_begin], data[gap_end:]))


# --- zip (bundle.md, "Zip") -----------------------------------------------------------------------------------------------------

def is_safe_path(name):
    if not 1 <= len(name) <= 4096 or b"\0" in name or b"\\" in name or name[1:2] == b":":
        return False
    return all(1 <= len(part) <= 255 and part not in (b".", b"..") for part in name.split(b"/"))


def read_zip(data):
    """{name: content}. Headers are written again and compared."""
    members, central, at = {}, b"", 0
    while data.startswith(b"PK\3\4", at) and len(data) - at >= 30:
        crc, size = struct.unpack_from("<II", data, at + 14)
        length = struct.unpack_from("<H", data, at + 26)[0]
        name = data[at + 30:at + 30 + length]
        begin = at + 30 + length
        content = data[begin:begin + size]
        common = struct.pack("<HHHHHIIIHH", 20, 0x0800, 0, 0, 0x0021, crc, size, size, length, 0)
        if (data[at:begin] != b"PK\3\4" + common + name or len(content) != size or zlib.crc32(content) != crc
                or not is_safe_path(name) or name in members or len(members) >= 65534):
            raise Refused("not a zip file as bundles have it")
        members[name] = content
        central += b"PK\1\2\x14\0" + common + struct.pack("<HHHII", 0, 0, 0, 0, at) + name
        at = begin + size
    end = b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, len(members), len(members), len(central), at, 0)
    if data[at:] != central + end:
        raise Refused("not a zip file as bundles have it")
    return members


# --- JSON members (bundle.md, "JSON") ---------------------------------------------------------------------------------------------

def read_json(data):
    if len(data) > 256 << 20 or not data.startswith(b"{") or not data.endswith(b"}\n") or len(data) < 3:
        raise Refused("is not one JSON object and a line end, or too large")
    check_shape(data)

    def pairs(rows):
        if len({key for key, _ in rows}) != len(rows):
            raise Refused("a key stands twice")
        return dict(rows)

    def number(text):
        value = float(text)
        if value in (float("inf"), float("-inf")):
            raise ValueError("a number without end")
        return value

    def integer(text):
        return int(text) if text != "-0" else -0.0  # no integer from 0 up

    def constant(text):
        raise ValueError(text)

    try:
        text = data.decode()
        tree = json.loads(text, object_pairs_hook=pairs, parse_float=number, parse_int=integer,
                          parse_constant=constant)
        json.dumps(tree, ensure_ascii=False).encode()  # refuses half a surrogate pair
        return tree
    except (ValueError, RecursionError) as error:
        raise Refused("is not JSON") from error


def check_shape(data):
    bare = re.sub(rb'"(?:[^"\\]|\\.)*"?', b'', data, flags=re.DOTALL)
    depth = values = 0
    for byte in re.findall(rb"[][{},]", bare):
        if byte in b"[{":
            depth += 1
        elif byte in b"]}":
            depth -= 1
        if byte in b"[{,":
            values += 1
        if depth > 12 or values > 2_000_000:
            raise Refused("is nested too deeply, or has too many values")


def at_key(tree, key):
    if not isinstance(tree, dict) or key not in tree:
        raise Refused(f"{key} is missing")
    return tree[key]


def text_at(tree, key):
    value = at_key(tree, key)
    if not isinstance(value, str):
        raise Refused(f"{key} is not text")
    return value


def number_at(tree, key, most=(1 << 64) - 1):
    value = at_key(tree, key)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise Refused(f"{key} is not a number, or too large")
    return value


def list_at(tree, key, most=2_000_000):
    return as_list(at_key(tree, key), key, most)


def as_list(value, key, most):
    if not isinstance(value, list) or len(value) > most:
        raise Refused(f"{key} is not a list, or too long")
    return value


def texts_at(tree, key):
    values = list_at(tree, key)
    if not all(isinstance(v, str) for v in values):
        raise Refused(f"{key} holds something else than text")
    return values


def unhex(value, key, length=None):
    if not isinstance(value, str) or not re.fullmatch("(?:[0-9a-f]{2})*", value):
        raise Refused(f"{key} is not lower-case hex")
    if length is not None and len(value) != 2 * length:
        raise Refused(f"{key} does not have {length} bytes")
    return bytes.fromhex(value)


def hashes(value, key, most):
    return [unhex(v, key, 32) for v in as_list(value, key, most)]


RFC3339 = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.\d{1,20})?(?:[Zz]|[+-](\d\d):(\d\d))", re.ASCII)


def check_time(text):
    match = RFC3339.fullmatch(text)
    if not match:
        raise Refused("created_at is not a time")
    year, month, day, hour, minute, second, zone_hour, zone_minute = (int(g or 0) for g in match.groups())
    try:
        datetime.date(year, month, day)
    except ValueError as error:
        raise Refused("created_at is not a day") from error
    if hour > 23 or minute > 59 or second > 60 or zone_hour > 23 or zone_minute > 59:
        raise Refused("created_at is not a time")


class Manifest:
    COVERAGE = ("searchable", "partial", "opaque", "deferred", "failed", "erased")

    def __init__(self, data):
        tree = read_json(data)
        if text_at(tree, "format") != "kustos-evidence/1":
            raise Refused("is of another version of the format")
        self.vault = unhex(at_key(tree, "vault_id"), "vault_id", 16)
        for key in ("origin", "vkey", "language", "tool", "checkpoint", "query"):
            setattr(self, key, text_at(tree, key))
        check_time(text_at(tree, "created_at"))
        self.total = number_at(tree, "total")
        matter = at_key(tree, "matter")
        text_at(matter, "reference"), text_at(matter, "ground"), number_at(matter, "entry")
        coverage = at_key(tree, "coverage")
        self.sealed = number_at(coverage, "sealed", 1 << 48)
        self.rest = sum(number_at(coverage, key, 1 << 48) for key in self.COVERAGE)
        self.fits = "unsearched" not in tree or self.within(tree["unsearched"], coverage)
        self.anchors = [(text_at(a, "token"), text_at(a, "authority"), number_at(a, "previous_size"),
                         [hashes(g, "path", 16) for g in list_at(a, "path", 65)]) for a in list_at(tree, "anchors", 64)]
        self.context, self.records = texts_at(tree, "context"), texts_at(tree, "records")
        self.files = [(text_at(f, "name"), number_at(f, "size"), unhex(at_key(f, "sha256"), "sha256", 32))
                      for f in list_at(tree, "files")]

    @staticmethod
    def within(tree, coverage):
        """What the query may find and could not be searched: whether there is as much of it in the archive."""
        counts = {key: number_at(tree, key, 1 << 48) for key in ("partial", "opaque", "failed", "deferred", "restricted")}
        reasons = at_key(tree, "reasons")
        if not isinstance(reasons, dict) or len(reasons) > 1000:
            raise Refused("reasons is no object, or too large")
        words = {word: number_at(reasons, word, 1 << 48) for word in reasons}
        if (not all(re.fullmatch("[a-z0-9-]{1,40}", word) and n > 0 for word, n in words.items())
                or sum(words.values()) != counts["partial"] + counts["opaque"] + counts["failed"]):
            raise Refused("the reasons of what could not be searched do not add up")
        return all(counts[key] <= coverage[key] for key in ("partial", "opaque", "failed", "deferred"))


class Proven:
    """An entry with its proof: members of context/, and the beginning of records/ and blobs/."""

    def __init__(self, data):
        tree = read_json(data)
        self.index = number_at(tree, "index")
        self.entry = unhex(at_key(tree, "entry"), "entry")
        self.proof = hashes(at_key(tree, "proof"), "proof", 64)
        self.tree = tree


class Field:
    KEYS = {"redacted": {"i", "state", "category", "legal_basis", "approver"}, "decoy": {"i", "state", "salt"},
            "disclosed": {"i", "state", "path", "ordinal", "type", "salt", "value", "value_from"}}

    def __init__(self, tree, i):
        if number_at(tree, "i") != i:
            raise Refused("fields are not in order")
        self.state = text_at(tree, "state")
        if not set(tree) <= self.KEYS.get(self.state, set()):
            raise Refused("a field is in an unknown state, or has a key that its state does not allow")
        self.path = self.ordinal = self.type = 0
        self.value, self.file = b"", None
        if self.state == "redacted":
            if not all(text_at(tree, key) for key in ("category", "legal_basis", "approver")):
                raise Refused("a redaction without its reasons")
            return
        self.salt = unhex(at_key(tree, "salt"), "salt", 32)
        if self.state == "disclosed":
            self.path, self.ordinal = number_at(tree, "path", 0xFFFF), number_at(tree, "ordinal", 0xFFFF)
            self.type = number_at(tree, "type", 0xFF)
            if self.path == 0 or ("value" in tree) == ("value_from" in tree):
                raise Refused("a disclosed field without a path, or without one value")
            if "value" in tree:
                self.value = unbase64(text_at(tree, "value"))
            else:
                source = tree["value_from"]
                self.file = text_at(source, "file")
                self.offset, self.length = number_at(source, "offset"), number_at(source, "length")


class Disclosure(Proven):
    def __init__(self, data):
        super().__init__(data)
        self.key_commitment = unhex(at_key(self.tree, "key_commitment"), "key_commitment", 32)
        self.commitments = hashes(at_key(self.tree, "commitments"), "commitments", 4096)
        self.fields = [Field(row, i) for i, row in enumerate(list_at(self.tree, "fields", 4096))]
        self.original = text_at(self.tree, "original") if "original" in self.tree else None
        self.blobs = texts_at(self.tree, "blobs") if "blobs" in self.tree else []


# --- bundles (bundle.md, "Checks") ---------------------------------------------------------------------------------------------------

TYPE, RECEIVED, CONTENT_HASH, RAW, CONTENT = 1, 4, 13, 14, 18


class Ended(Exception):
    """A step that ends what it belongs to; its problem is reported already."""


class BundleCheck:
    def __init__(self, data, trust):
        self.data, self.trust, self.report = data, trust, Report("bundle")
        self.members, self.used, self.covered, self.proven = {}, set(), {}, {}
        self.key = self.signer = self.checkpoint = self.builtin_root = self.history = None
        self.rotations = set()
        self.introduced, self.named, self.certificates, self.witnessed = False, False, set(), False

    def run(self):
        try:
            self.check_signature()
            self.open_container()
            self.check_manifest()
        except Ended:
            pass
        self.judge_origin()
        self.report.remark("that the pages show what the records say")
        self.report.remark("that these are all records the query finds")
        return self.report

    def end(self, code, where, text):
        self.report.problem(code, where, str(text))
        raise Ended

    def check_signature(self):
        try:
            self.signer = check_signature(self.data)
            self.report.count("signatures")
        except GapRefused as error:
            self.report.problem("bundle.gap", "file", str(error))
        except Refused as error:
            self.report.problem("bundle.signature", "file", str(error))

    def open_container(self):
        try:
            container = Pdf(self.data).container()
        except (Refused, RecursionError) as error:
            self.end("bundle.container", "file", error)
        try:
            self.members = {name.decode(errors="surrogateescape"): c for name, c in read_zip(container).items()}
        except Refused as error:
            self.end("bundle.container", "evidence.zip", error)

    def by_name(self):
        return sorted(self.members, key=lambda name: name.encode(errors="surrogateescape"))

    def member(self, name):
        if name not in self.members:
            self.end("bundle.manifest", name, "is missing")
        return self.members[name]

    def parsed(self, name, kind):
        try:
            return kind(self.member(name))
        except Refused as error:
            self.end("bundle.manifest", name, error)

    def check_manifest(self):
        manifest = self.parsed("manifest.json", Manifest)
        self.check_files(manifest)
        self.check_checkpoint(manifest)
        for name in manifest.context:
            self.guarded(self.check_context, name, manifest)
        if not (self.introduced and self.named):
            self.report.problem("bundle.entry", "context", "entry 0 is missing, or introduces another archive")
        if self.signer is not None and self.signer not in self.certificates:
            self.report.problem("bundle.signature", "file", "the signer's certificate is not one that the ledger names")
        for anchor in manifest.anchors:
            self.guarded(self.check_anchor, *anchor)
        seen = set()
        for name in manifest.records:
            if name in seen:
                self.report.problem("bundle.manifest", name, "is listed twice")
            else:
                seen.add(name)
                self.guarded(self.check_record, name)
        self.check_leftovers(manifest)
        self.check_evidence_records()

    def guarded(self, step, *arguments):
        try:
            step(*arguments)
        except Ended:
            pass

    def check_files(self, manifest):
        listed = set()
        for name, size, digest in manifest.files:
            self.report.count("files")
            content = self.members.get(name)
            if (content is None or name == "manifest.json" or name in listed or len(content) != size
                    or sha256(content) != digest):
                self.report.problem("bundle.manifest", name, "is not the file that the manifest lists")
            if content is not None and name != "manifest.json":
                listed.add(name)
        for name in self.by_name():
            if name != "manifest.json" and name not in listed:
                self.report.problem("bundle.manifest", name, "is not in the manifest")

    def check_checkpoint(self, manifest):
        try:
            key = Key(manifest.vkey)
            named = parse_origin(manifest.origin)
            if named is None or named[0] != manifest.vault.hex() or key.name != manifest.origin:
                raise Refused("vault id, origin and key do not belong together")
        except Refused as error:
            self.end("bundle.manifest", "manifest.json", error)
        self.key, self.report.fingerprint = key, key.fingerprint()
        if manifest.rest != manifest.sealed or len(manifest.records) > manifest.total or not manifest.fits:
            self.report.problem("bundle.manifest", "manifest.json", "the counts do not add up")
        note = self.member(manifest.checkpoint)
        self.learn_rotations()
        try:
            self.checkpoint, signer = self.history.open(note)
        except Refused as error:
            self.end("checkpoint", manifest.checkpoint, error)
        self.note = sha256(self.checkpoint.first_published(signer))
        self.report.count("checkpoints")
        if self.trust is not None and self.trust.witnesses:
            try:
                held = self.checkpoint.cosigned_by(self.trust.witnesses.values())
                self.report.count("cosignatures", len(held))
                self.witnessed = self.trust.witnessed(held)
            except Refused as error:
                self.report.problem("witness.cosignature", manifest.checkpoint, str(error))

    def learn_rotations(self):
        self.history, number = History(self.key), 1
        while any(f"rotations/{number:06}.{ending}" in self.members for ending in ("entry", "tlog-proof")):
            names = [f"rotations/{number:06}.{ending}" for ending in ("entry", "tlog-proof")]
            entry, proof = (self.member(name) for name in names)
            try:
                self.history.add(entry, proof)
            except Refused as error:
                self.end("key.rotation", names[1], error)
            self.report.count("rotations")
            self.rotations.update(names)
            number += 1

    def proven_entry(self, proven, name, folder):
        if proven.index >= 10 ** 12 or name != f"{folder}/{proven.index:012}.json":
            self.end("bundle.manifest", name, "has another name than its index asks for")
        try:
            entry = Entry(proven.entry)
        except Refused as error:
            self.end("bundle.entry", name, error)
        if not includes(proven.index, self.checkpoint.size, leaf_hash(proven.entry), proven.proof, self.checkpoint.root):
            self.end("bundle.proof", name, "is not proven to stand in the ledger")
        self.report.count("proofs")
        self.proven[f"evidence/{proven.index:012}.ers"] = (entry, proven.entry)
        return entry

    def check_context(self, name, manifest):
        proven = self.parsed(name, Proven)
        entry = self.proven_entry(proven, name, "context")
        if entry.control() == ARCHIVE_CREATED and proven.index == 0:
            self.introduced = entry.bytes(3) == manifest.vault
            self.named = self.named or (entry.text(4), entry.text(5)) == (manifest.origin, manifest.vkey)
            self.builtin_root = entry.hash(30)
        elif entry.control() == ARCHIVE_CONTINUED:
            self.named = self.named or (entry.text(4), entry.text(5)) == (manifest.origin, manifest.vkey)
        elif entry.control() == EVIDENCE_KEY and entry.bytes(6) is not None:
            self.certificates.add(entry.bytes(6))

    def check_anchor(self, name, authority, previous, path):
        data = self.member(name)
        try:
            imprint = reduced_root(path)
            if previous >= self.checkpoint.size or path[0] != [self.note]:
                raise Refused("the checkpoint does not lead to what the time stamp imprints")
        except Refused as error:
            self.end("anchor.imprint", name, error)
        try:
            gen_time, level, trusted = judge_token(self.report, Token(data), imprint, self.builtin_root, self.trust)
        except Refused as error:
            self.end("anchor.token", name, error)
        self.report.anchor(self.checkpoint.size, trusted or authority, gen_time, level)

    def check_fields(self, disclosure, entry, name):
        """{path: [values]} of what is opened, and how many are redacted."""
        if not len(disclosure.commitments) == len(disclosure.fields) == entry.fields:
            self.end("bundle.field", name, f"accounts for {len(disclosure.fields)} of {entry.fields} fields")
        root = sha256(b"\4", *disclosure.commitments)
        if sha256(b"\2", disclosure.key_commitment, root) != entry.content_root:
            self.end("bundle.field", name, "the commitments are not the ones that were sealed")
        opened, redacted = {}, 0
        for i, field in enumerate(disclosure.fields):
            if field.state == "redacted":
                redacted += 1
                self.report.count("redacted")
                continue
            value = self.value_of(field, name)
            row = b"\1" + entry.record + field.salt + struct.pack(">HHHBQ", i, field.path, field.ordinal, field.type,
                                                                  len(value)) + value
            if sha256(b"\3", row) != disclosure.commitments[i]:
                code, where = ("bundle.blob", field.file) if field.file is not None else ("bundle.field", name)
                self.report.problem(code, where, f"field {i} is not what was sealed")
            opened.setdefault(field.path, []).append(value)
            self.report.count("fields")
        return opened, redacted

    def value_of(self, field, name):
        if field.file is None:
            return field.value
        content, begin = self.members.get(field.file), self.covered.get(field.file, 0)
        if (not field.file.startswith("attachments/") or content is None or field.offset != begin
                or field.length > len(content) - begin):
            self.end("bundle.blob", name, "a value points to bytes that are not there, or not in order")
        self.covered[field.file] = begin + field.length
        return content[begin:begin + field.length]

    def check_record(self, name):
        disclosure = self.parsed(name, Disclosure)
        self.report.count("records")
        entry = self.proven_entry(disclosure, name, "records")
        if entry.kind != RECORD:
            self.report.problem("bundle.entry", name, "is no record")
        opened, redacted = self.check_fields(disclosure, entry, name)
        if TYPE not in opened or RECEIVED not in opened:
            self.report.problem("bundle.field", name, "type and time of receipt must be disclosed")
        if disclosure.original is not None:
            self.guarded(self.check_original, disclosure.original, opened, redacted, name)
        elif RAW in opened and not redacted:
            self.report.problem("bundle.original", name, "the source is withheld though nothing is redacted")
        for blob in disclosure.blobs:
            self.guarded(self.check_blob, blob, opened)

    def check_original(self, name, opened, redacted, record):
        if redacted:
            self.report.problem("bundle.original", record, "has redacted fields, but the original shows everything")
        if not name.startswith("originals/") or name not in self.members or name in self.used:
            self.end("bundle.original", record, "the original is missing, or another record's")
        self.used.add(name)
        content = self.members[name]
        if opened.get(RAW, [None])[-1] != struct.pack(">Q", len(content)) + sha256(content):
            self.report.problem("bundle.original", name, "is not the source that was sealed")
        self.report.count("originals")

    def check_blob(self, name, record):
        if name in self.used:
            self.end("bundle.blob", name, "is listed twice")
        self.used.add(name)
        disclosure = self.parsed(name, Disclosure)
        entry = self.proven_entry(disclosure, name, "blobs")
        if entry.kind != BLOB:
            self.report.problem("bundle.entry", name, "is no blob")
        self.report.count("blobs")
        opened, redacted = self.check_fields(disclosure, entry, name)
        if not redacted and sha256(*opened.get(CONTENT, [])) not in record.get(CONTENT_HASH, []):
            self.report.remark("whether an attachment belongs to its record: no disclosed field names its hash")

    def check_evidence_records(self):
        import evidence  # it needs this file's readers
        for name in self.by_name():
            if not name.startswith("evidence/"):
                continue
            if name not in self.proven:
                self.report.problem("bundle.evidence", name, "belongs to no record")
                continue
            entry, data = self.proven[name]
            try:
                record = evidence.Record(self.members[name])
                held = record.holds_for([data])
                groups = record.chains[0][1][0].groups
                members = [sha256(data)] + ([entry.ciphertext] if entry.suite else [])
                held = held and sorted(groups[0] if groups else []) == sorted(members)
                self.report.count("evidence_records")
            except Refused as error:
                self.report.problem("bundle.evidence", name, str(error))
                continue
            if not held:
                self.report.problem("bundle.evidence", name, "does not prove the entry")

    def check_leftovers(self, manifest):
        named = {"manifest.json", "trust-hint.txt", manifest.checkpoint} | {a[0] for a in manifest.anchors}
        named |= set(manifest.context) | set(manifest.records) | self.rotations
        for name in self.by_name():
            folder = name.split("/")[0] if "/" in name else ""
            if name in ("manifest.json", "trust-hint.txt", manifest.checkpoint):
                continue
            if folder == "originals" and name not in self.used:
                self.report.problem("bundle.original", name, "belongs to no record")
            elif folder == "blobs" and name not in self.used:
                self.report.problem("bundle.blob", name, "belongs to no record")
            elif folder == "attachments" and self.covered.get(name) != len(self.members[name]):
                self.report.problem("bundle.blob", name, "holds bytes that no field proves")
            elif folder not in ("originals", "blobs", "attachments", "evidence") and name not in named:
                self.report.problem("bundle.manifest", name, "has no place in this format")

    def judge_origin(self):
        if self.trust is None or self.key is None:
            return
        if not any(key in self.trust.logs for key in (self.history.keys() if self.history else [self.key])):
            self.report.problem("origin.mismatch", "checkpoint.note", "the trust file names another ledger")
        elif self.checkpoint is not None:
            self.report.origin = "pinned"
            if self.trust.asks_for_witnesses() and self.witnessed:
                self.report.origin = "witnessed"
            elif self.trust.asks_for_witnesses():
                self.report.problem("witness.quorum", "checkpoint.note", "lacks the cosignatures that are asked for")


DAY = 86_400_000  # ms


def milliseconds(text):
    """Of an RFC 3339 time in UTC."""
    match = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{3}))?Z", text)
    if not match:
        raise Refused("not a time")
    at = datetime.datetime.fromisoformat(match[1]).replace(tzinfo=datetime.timezone.utc)
    return int(at.timestamp()) * 1000 + int(match[2] or 0)


# --- signed reports (report.md, "A signed report") -----------------------------------------------------------------------------------

class ReportCheck:
    """Whether the archive has signed this report and its ledger names it; not whether what it says is right."""

    def __init__(self, data, parts, trust):
        self.data, (self.json, self.proof), self.trust = data, parts, trust
        self.report, self.signer, self.notes, self.witnessed = Report("report"), None, set(), False

    def run(self):
        try:
            self.signer = check_signature(self.data)
            self.report.count("signatures")
        except Refused as error:
            self.report.problem("report.signature", "file", str(error))
        try:
            self.check_proof()
        except Ended:
            pass
        self.report.remark("that what the report says is right: whoever needs to know verifies the archive itself")
        return self.report

    def end(self, code, where, text):
        self.report.problem(code, where, str(text))
        raise Ended

    def check_proof(self):
        try:
            tree = json.loads(self.proof)
            if tree["format"] != "kustos-report-proof-1":
                raise Refused("is of another format")
            key = Key(tree["vkey"])
            parts = [(unbase64(p["entry"]), p["proof"].encode())
                     for p in (*tree["rotations"], tree["certificate"], tree["report"])]
        except (ValueError, LookupError, TypeError, AttributeError, Refused) as error:
            self.end("report.proof", "proof.json", error)
        self.report.fingerprint = key.fingerprint()
        history = History(key)
        for entry, proof in parts[:-2]:
            try:
                history.add(entry, proof)
            except Refused as error:
                self.end("key.rotation", "proof.json", error)
            self.report.count("rotations")
        certificate, named = (self.proven(history, *part) for part in parts[-2:])
        if certificate and self.signer and (certificate.control() != EVIDENCE_KEY or certificate.bytes(6) != self.signer):
            self.report.problem("report.signature", "file", "the signer's certificate is not one that the ledger names")
        if named and named.control() == CERTIFICATE_ISSUED:
            self.check_certificate(history, named)
        elif named and named.control() == COMPLETENESS_CERTIFIED:
            self.check_completeness(history, named)
        elif named and named.control() == HITS_REPORTED:
            self.check_hits(named)
        elif named:
            self.check_entry(named)
        self.judge_origin(history)

    def proven(self, history, data, proof):
        try:
            index, hashes, note = read_tlog_proof(proof)
        except Refused as error:
            self.report.problem("report.proof", "proof.json", str(error))
            return None
        try:
            checkpoint, _ = history.open(note)
        except Refused as error:
            self.report.problem("checkpoint", "proof.json", str(error))
            return None
        if index >= checkpoint.size or not includes(index, checkpoint.size, leaf_hash(data), hashes, checkpoint.root):
            self.report.problem("report.proof", "proof.json", "the entry is not proven to stand in the ledger")
            return None
        try:
            entry = Entry(data)
        except Refused as error:
            self.report.problem("report.proof", "proof.json", str(error))
            return None
        self.report.count("proofs")
        self.notes.add(note)
        self.report.checked["checkpoints"] = len(self.notes)
        if self.trust is not None and self.trust.witnesses:
            try:
                held = checkpoint.cosigned_by(self.trust.witnesses.values())
                self.report.count("cosignatures", len(held))
                self.witnessed = self.trust.witnessed(held)
            except Refused as error:
                self.report.problem("witness.cosignature", "proof.json", str(error))
        return entry

    def check_certificate(self, history, entry):
        try:
            content = json.loads(self.json)
            state, erasure = content["state"], bytes.fromhex(content["erasure"])
            named = content["format"] == "kustos-certificate-1" and len(erasure) == 16
            parts = [(unbase64(e["entry"]), e["proof"].encode()) for e in content["entries"]]
            count = content["count"]
        except (ValueError, LookupError, TypeError, AttributeError, Refused):
            named = False
        if not named or entry.bytes(42) != erasure or entry.hash(28) != sha256(self.json) or entry.text(24) != state:
            return self.report.problem("report.proof", "report", "the entry does not name this report")
        if self.erasure_state(history, parts, erasure, count) != state:
            return self.report.problem("report.proof", "report", "the entries do not say what this certificate says")
        self.report.reported = "erasure:" + state

    def check_completeness(self, history, entry):
        try:
            content = json.loads(self.json)
            begin, end = milliseconds(content["begin"]), milliseconds(content["end"])
            first, last = (milliseconds(content[key] + "T00:00:00Z") for key in ("from", "to"))
            parts = [(unbase64(e["entry"]), e["proof"].encode()) for e in content["entries"]]
            named = (content["format"], content["kind"]) == ("kustos-certificate-1", "completeness")
            named = named and abs(begin - first) < DAY and abs(end - last - DAY) < DAY
            named = named and str(entry.number(59, 4)) == content["from"].replace("-", "")
            named = named and entry.number(27, 8) == end and entry.number(25, 8) == content["source_entry"]
        except (ValueError, LookupError, TypeError, AttributeError, Refused):
            named = False
        if not named or entry.hash(28) != sha256(self.json):
            return self.report.problem("report.proof", "report", "the entry does not name this report")
        import completeness  # it needs this file's readers
        proofs, found = self.report.checked.get("proofs", 0), []
        for data, proof in parts:
            proven = self.proven(history, data, proof)
            if proven is None:
                return None
            found.append((read_tlog_proof(proof)[0], proven))
        self.report.checked["proofs"] = proofs
        try:
            numbers = completeness.numbers(found, content["source_entry"], begin, end)
        except Refused as error:
            return self.report.problem("report.proof", "report", str(error))
        if any(content.get(key) != value for key, value in numbers.items()):
            return self.report.problem("report.proof", "report", "the entries do not say what this certificate says")
        self.report.reported = "completeness:" + numbers["verdict"]
        return None

    def check_hits(self, entry):
        try:
            content = json.loads(self.json)
            terms, total = content["terms"], content["total"]["hits"]
            named = content["format"] == "kustos-hits-1" and isinstance(terms, list) and type(total) is int
            named = named and (entry.number(21, 8), entry.number(31, 8)) == (len(terms), total)
        except (ValueError, LookupError, TypeError):
            named = False
        if not named or entry.hash(28) != sha256(self.json):
            return self.report.problem("report.proof", "report", "the entry does not name this report")
        self.report.reported = "hits"
        return None

    def erasure_state(self, history, parts, erasure, count):
        """The state that the proven entries give to one run; None where they do not fit together."""
        proofs, before, begun, ranges, done, reached, keyrings = self.report.checked.get("proofs", 0), -1, {}, None, None, set(), {}
        for data, proof in parts:
            entry = self.proven(history, data, proof)
            if entry is None:
                return None
            index = read_tlog_proof(proof)[0]
            if index <= before:
                return None
            before = index
            if entry.control() == GENERATION_OPENED:
                keyrings[entry.number(12, 4)] = entry.hash(29)
            elif entry.kind == ERASURE and entry.action in (BEGUN, DONE) and entry.bytes(42) == erasure:
                if entry.action == BEGUN:
                    begun[entry.number(43, 4)] = entry
                    ranges = entry.number(44, 4)
                elif done is None and ranges is not None and sorted(begun) == list(range(ranges)):
                    generation = entry.number(12, 4)
                    if generation is None or keyrings.get(generation) != entry.hash(29) or entry.number(21, 8) != count:
                        return None
                    done = index
                else:
                    return None
            elif entry.kind == ERASURE and entry.action in (CIPHERTEXT_REMOVED, TERMS_REMOVED, FINAL):
                if done is not None and (entry.number(16, 8) or 0) > done:
                    reached.add(entry.action)
            else:
                return None
        self.report.checked["proofs"] = proofs
        if ranges is None or sorted(begun) != list(range(ranges)):
            return None
        if done is None:
            return "begun"
        if FINAL in reached:
            return "final"
        if {CIPHERTEXT_REMOVED, TERMS_REMOVED} <= reached:
            return "ciphertext_gone"
        return "terms_gone" if TERMS_REMOVED in reached else "unreadable"

    def check_entry(self, entry):
        try:
            fine = json.loads(self.json)["ok"] is True
        except (ValueError, LookupError, TypeError):
            fine = None
        if fine is None or entry.control() != VERIFICATION_REPORTED or entry.hash(28) != sha256(self.json) or \
                entry.text(24) != ("ok" if fine else "problems"):
            self.report.problem("report.proof", "report", "the entry does not name this report")
        else:
            self.report.reported = "ok" if fine else "problems"

    def judge_origin(self, history):
        if self.trust is None:
            return
        if not any(key in self.trust.logs for key in history.keys()):
            self.report.problem("origin.mismatch", "proof.json", "the trust file names another ledger")
        elif self.report.checked.get("proofs") == 2:
            self.report.origin = "pinned"
            if self.trust.asks_for_witnesses() and self.witnessed:
                self.report.origin = "witnessed"
            elif self.trust.asks_for_witnesses():
                self.report.problem("witness.quorum", "proof.json", "lacks the cosignatures that are asked for")


# --- archives (report.md, "Checks of an archive") ------------------------------------------------------------------------------------

TILE = 256
TWELVE = re.compile(r"[0-9]{12}")


def grouped(index):
    groups = [f"{index % 1000:03}"]
    while index := index // 1000:
        groups.insert(0, f"x{index % 1000:03}")
    return "/".join(groups)


def tile_name(level, index, width):
    return f"tile/{level}/{grouped(index)}" + ("" if width == TILE else f".p/{width}")


def open_file(path):
    """A file of the archive. A pipe would hold us up for ever; of a device, which never ends, no more is read than it says it has."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError("not a file")
    return os.fdopen(descriptor, "rb")


class ArchiveCheck:
    PIECE = 1 << 20

    def __init__(self, folder, trust):
        self.folder, self.ledger, self.vault = folder, folder / "ledger", folder / "vault"
        self.trust, self.report = trust, Report("archive")
        self.published, self.stamps, self.tokens, self.named = {}, [], {}, set()
        self.sources, self.sequence, self.expected, self.announced = set(), {}, set(), set()
        self.roots_before = {}
        self.levels = []  # of each level: [hashes of the unfinished tile], its index
        self.tree = Frontier(node_hash)
        self.generation = self.builtin_root = None
        self.segment = None  # the open one: file, name, length, position
        self.segments, self.blobs, self.silent, self.complete, self.signed = [], set(), False, False, False
        self.erasures, self.gone, self.there = Erasures(), [], []  # gone, there: (where, tree, leaf) of frames
        self.absent_boxes = []
        self.witnessed = 0

    def run(self):
        try:
            self.check()
        except Ended:
            pass
        finally:
            self.close_segment()
        return self.report

    def end(self, code, where, text):
        self.report.problem(code, where, str(text))
        raise Ended

    def check(self):
        try:
            note = self.read(self.ledger / "checkpoint", 1 << 20)
        except (OSError, Refused) as error:
            self.end("archive.unreadable", "archive", error)
        self.learn_identity()
        self.open_checkpoint(note)
        self.list_published()
        self.list_cosigned()
        self.list_anchors()
        self.list_frames()
        try:
            self.walk_entries()
            self.complete = True
        except Ended:
            pass
        self.judge_missing()
        if self.complete:
            self.finish_tiles()
            self.finish_frames()
            self.finish_chain()
            if not self.history.leaves <= self.announced:
                self.report.problem("key.rotation", "ledger/rotations", "the ledger does not announce these keys")
        self.judge_origin()
        if self.complete:
            self.find_unreferenced()
        self.report.remark("that plaintext matches the commitments: nothing was decrypted")

    def read(self, path, limit):
        with open_file(path) as file:
            size = os.fstat(file.fileno()).st_size
            if size > limit:
                raise Refused("the file is too large")
            return file.read(size)

    def names(self, folder, code, where):
        try:
            return sorted(os.listdir(folder))
        except FileNotFoundError:
            return []
        except OSError as error:
            self.report.problem(code, where, str(error))
            return []

    # --- who it is ---
    def learn_identity(self):
        data = None
        for width in range(1, TILE + 1):
            try:
                data = self.read(self.ledger / tile_name("entries", 0, width), TILE * 65537)
                break
            except FileNotFoundError:
                continue
            except (OSError, Refused) as error:
                self.end("archive.unreadable", "archive", error)
        if data is None:
            self.end("archive.unreadable", "archive", "there are no entries")
        try:
            length = int.from_bytes(data[:2], "big")
            if len(data) < 2 + length or len(data) < 2:
                raise Refused("ends in the middle of an entry")
            entry = Entry(data[2:2 + length])
            vault, origin, vkey = entry.bytes(3), entry.text(4), entry.text(5)
            if entry.control() != ARCHIVE_CREATED or vault is None or len(vault) != 16 or None in (origin, vkey):
                raise Refused("does not introduce an archive")
            self.key = Key(vkey)
        except Refused as error:
            self.end("ledger.entries", "entry 0", error)
        if self.key.name != origin or origin != "kustos.archive/" + vault.hex():
            self.report.problem("ledger.entries", "entry 0", "origin, key and vault id do not belong together")
        self.builtin_root = entry.hash(30)
        self.report.fingerprint = self.key.fingerprint()

    def learn_rotations(self):
        self.history, number = History(self.key), 1
        folder, waiting, happened = self.ledger / "rotations", [], []
        try:
            for name in self.names(self.ledger / "continuations", "ledger.continuation", "ledger/continuations"):
                if re.fullmatch(r"[0-9]{12}\.entry", name):
                    waiting.append((int(name[:12]), self.read(self.ledger / "continuations" / name, 65535)))
            while (folder / f"{number:06}.tlog-proof").exists():
                proof = self.read(folder / f"{number:06}.tlog-proof", 1 << 20)
                happened.append((self.read(folder / f"{number:06}.entry", 65535), proof))
                number += 1
            for entry, proof in happened:
                while waiting and waiting[0][0] <= read_tlog_proof(proof)[0]:
                    self.history.go_on(*waiting.pop(0))
                    self.report.count("continuations")
                self.history.add(entry, proof)
                self.report.count("rotations")
            while waiting:
                self.history.go_on(*waiting.pop(0))
                self.report.count("continuations")
        except (OSError, Refused) as error:
            self.report.problem("key.rotation", "ledger/rotations", str(error))
        self.report.fingerprint = self.history.keys()[0].fingerprint()

    def open_checkpoint(self, note):
        self.learn_rotations()
        try:
            self.checkpoint, _ = self.history.open(note)
            self.signed = True
            self.report.count("checkpoints")
        except Refused as error:
            self.report.problem("checkpoint", "ledger/checkpoint", str(error))
            try:
                self.checkpoint = Checkpoint(note)  # unsigned or not, it says how far to look
                self.checkpoint.read()
            except Refused:
                raise Ended from error
        self.size = self.checkpoint.size

    # --- what lies beside the entries ---
    def list_published(self):
        for name in self.names(self.ledger / "published", "checkpoint.published", "ledger/published"):
            if not TWELVE.fullmatch(name):
                continue
            where, size = "ledger/published/" + name, int(name)
            if size > self.size:
                self.report.problem("checkpoint.published", where, "claims more entries than the ledger has")
                continue
            try:
                note = self.read(self.ledger / "published" / name, 1 << 20)
                checkpoint, _ = self.history.open(note)
            except (OSError, Refused) as error:
                self.report.problem("checkpoint.published", where, str(error))
                continue
            if checkpoint.size != size:
                self.report.problem("checkpoint.published", where, "states another size than its name")
            self.published[size] = (sha256(note), checkpoint.root)

    def list_cosigned(self):
        for name in self.names(self.ledger / "cosigned", "witness.note", "ledger/cosigned"):
            if not TWELVE.fullmatch(name):
                continue
            where = "ledger/cosigned/" + name
            try:
                note, signer = self.history.open(self.read(self.ledger / "cosigned" / name, 1 << 20))
                if self.published.get(int(name), (None,))[0] != sha256(note.first_published(signer)):
                    raise Refused("is not the published checkpoint")
            except (OSError, Refused) as error:
                self.report.problem("witness.note", where, str(error))
                continue
            if self.trust is None or not self.trust.witnesses:
                continue
            try:
                held = note.cosigned_by(self.trust.witnesses.values())
            except Refused as error:
                self.report.problem("witness.cosignature", where, str(error))
                continue
            self.report.count("cosignatures", len(held))
            if self.trust.witnessed(held):
                self.witnessed = max(self.witnessed, int(name))

    def list_anchors(self):
        for name in self.names(self.ledger / "anchors", "anchor.token", "ledger/anchors"):
            where, match = "ledger/anchors/" + name, re.fullmatch("([0-9]{12})-([0-9]{12})", name)
            if not match or int(match[1]) >= int(match[2]):
                self.unreferenced(where, "is no anchor's folder")
                continue
            previous, size = int(match[1]), int(match[2])
            if size > self.size:
                self.report.problem("anchor.imprint", where, "stamps more entries than the ledger has")
                continue
            self.read_anchor(self.ledger / "anchors" / name, where, previous, size)

    def read_anchor(self, folder, where, previous, size):
        numbers = [n for n in range(64) if (folder / f"{n}.der").exists() and (folder / f"{n}.authority").exists()]
        if not (folder / "note").exists() or not numbers:
            self.report.remark(where + ": an interrupted store, without note or token")
            return
        try:
            note, tokens = self.read(folder / "note", 65536), []
            for n in numbers:
                authority = self.read(folder / f"{n}.authority", 65)
                if not re.fullmatch(rb"[a-z0-9.-]{1,64}\n", authority):
                    raise Refused("an authority file has no valid name")
                tokens.append((n, authority[:-1].decode(), self.read(folder / f"{n}.der", 65536)))
        except (OSError, Refused) as error:
            self.report.problem("anchor.token", where, str(error))
            return
        expected = {"note"} | {f"{n}.{end}" for n in numbers for end in ("der", "authority")}
        self.only(folder, where, expected.__contains__)
        if size not in self.published or self.published[size][0] != sha256(note):
            self.report.problem("anchor.imprint", where + "/note", "is not the published checkpoint")
        imprint = Frontier(lambda a, b: group_value([a, b]))
        imprint.append(sha256(note))
        self.stamps.append((where, previous, size, tokens, imprint))

    def list_frames(self):
        for name in self.names(self.vault / "segments", "vault.segment", "vault/segments"):
            if re.fullmatch(r"[0-9]{12}\.seg", name):
                self.segments.append(int(name[:12]))
        for name in self.names(self.vault / "blobs", "vault.blob", "vault/blobs"):
            if re.fullmatch(r"[0-9]{12}\.blob", name):
                self.blobs.add(int(name[:12]))

    # --- entries ---
    def walk_entries(self):
        for first in range(0, self.size, TILE):
            width = min(TILE, self.size - first)
            where = "ledger/" + tile_name("entries", first // TILE, width)
            try:
                data = self.read_tile("entries", first // TILE, width, TILE * 65537)
            except (OSError, Refused) as error:
                self.end("ledger.entries", where, error)
            at = 0
            for index in range(first, first + width):
                length = int.from_bytes(data[at:at + 2], "big")
                if len(data) < at + 2 + length or len(data) < at + 2:
                    self.end("ledger.entries", where, "ends in the middle of an entry")
                self.take_entry(index, data[at + 2:at + 2 + length], where)
                at += 2 + length
            if at != len(data):
                self.report.problem("ledger.entries", where, "has bytes after its last entry")

    def read_tile(self, level, index, width, limit):
        try:
            return self.read(self.ledger / tile_name(level, index, width), limit)
        except FileNotFoundError:
            return self.read(self.ledger / tile_name(level, index, TILE), limit)

    def take_entry(self, index, data, where):
        self.report.count("entries")
        self.check_published_root(index)
        if index in self.history.continued:
            self.roots_before[index] = self.tree.root()
        self.tree.append(leaf_hash(data))
        self.add_to_level(0, leaf_hash(data))
        name = f"entry {index}"
        try:
            entry = Entry(data)
        except Refused as error:
            self.report.problem("ledger.entries", f"{where} ({name})", str(error))
            self.erasures.add_malformed()
            return
        for _, previous, size, _, imprint in self.stamps:
            if previous <= index < size:
                imprint.append(group_value([sha256(data)] + ([entry.ciphertext] if entry.suite else [])))
        if entry.source and entry.source not in self.sources:
            self.report.problem("ledger.sequence", name, "names a source that no earlier entry introduced")
        due = self.sequence.get(entry.source, 0)
        if entry.sequence != due:
            self.report.problem("ledger.sequence", name, f"has number {entry.sequence} of its source, {due} is due")
        self.sequence[entry.source] = entry.sequence + 1
        if not self.erasures.add(entry):
            self.report.problem("erasure.entry", name, "uses a key that an earlier entry says was destroyed")
        if entry.kind == BLOB and entry.length >= 1 << 20:
            self.check_blob(index, entry, name)
        else:
            self.check_frame(index, entry, name)
        if entry.kind == CONTROL:
            self.take_control(index, entry, data, name)
        if entry.kind == ERASURE:
            try:
                self.erasures.take(index, entry)
            except Refused as error:
                self.report.problem("erasure.entry", name, str(error))

    def judge_missing(self):
        """Behind the entries: what is missing, and what they say about that."""
        removed = set()
        for where, tree, leaf in self.gone:
            if (tree, leaf) in self.erasures.may:
                removed.add((tree, leaf))
            else:
                self.report.problem("vault.missing", where, "the ciphertext is gone and no entry allows it")
        for where, tree, leaf in self.there:
            if (tree, leaf) in self.erasures.must:
                self.report.problem("erasure.ciphertext", where, "an entry says that this ciphertext was removed, but it is there")
        finished = [run for run in self.erasures.runs.values() if run.done is not None]
        if removed:
            self.report.count("ciphertexts_removed", len(removed))
        if finished:
            self.report.count("erasures", len(finished))
        for run in self.erasures.runs.values():
            if run.done is None and run.begun:
                self.report.remark(f"whether what the erasure that begins at entry {run.begun[0]} destroys is gone: it is not "
                                   "finished, and will be at the archive's next start")

    def check_published_root(self, size):
        if size in self.published:
            self.report.count("checkpoints")
            root = self.tree.root() if size else sha256()
            if self.published[size][1] != root:
                self.report.problem("checkpoint.published", f"ledger/published/{size:012}",
                                    "states a root that the entries do not lead to")

    def add_to_level(self, level, value):
        if level == len(self.levels):
            self.levels.append([[], 0])
        tile = self.levels[level]
        tile[0].append(value)
        if len(tile[0]) == TILE:
            self.compare_tile(level, tile[1], tile[0])
            top = Frontier(node_hash)
            for h in tile[0]:
                top.append(h)
            self.levels[level] = [[], tile[1] + 1]
            self.add_to_level(level + 1, top.root())

    def compare_tile(self, level, index, values):
        name = tile_name(level, index, len(values))
        self.expected.add(name)
        self.report.count("tiles")
        try:
            if self.read_tile(level, index, len(values), TILE * 32) != b"".join(values):
                raise Refused("does not hold the hashes of its entries")
        except (OSError, Refused) as error:
            self.report.problem("ledger.tile", "ledger/" + name, str(error))

    def finish_tiles(self):
        for level, (values, index) in enumerate(self.levels):
            if values:
                self.compare_tile(level, index, values)
        self.check_published_root(self.size)
        if (self.tree.root() if self.size else sha256()) != self.checkpoint.root:
            self.report.problem("checkpoint", "ledger/checkpoint", "states a root that the entries do not lead to")

    # --- ciphertext ---
    def check_blob(self, index, entry, name):
        path = self.vault / "blobs" / f"{index:012}.blob"
        where = f"vault/blobs/{path.name} ({name})"
        self.blobs.discard(index)
        try:
            with open_file(path) as file:
                self.there.append((where, entry.tree, entry.leaf))
                length = os.fstat(file.fileno()).st_size
                head = file.read(8)
                self.report.count("frames")
                self.report.count("blobs")
                if length != 8 + entry.length or head != struct.pack(">Q", entry.length) or not self.hash_matches(file, entry):
                    self.report.problem("vault.blob", where, "the ciphertext is not the one that was sealed")
        except OSError:
            self.gone.append((where, entry.tree, entry.leaf))

    def hash_matches(self, file, entry):
        digest, left = hashlib.sha256(), entry.length
        while left and (piece := file.read(min(left, self.PIECE))):
            digest.update(piece)
            self.report.count("bytes", len(piece))
            left -= len(piece)
        return left == 0 and digest.digest() == entry.ciphertext

    def next_segment(self, index):
        if not self.segments or index < self.segments[0]:
            return
        if self.segment is not None:
            file, name, length = self.segment
            if file.tell() != length:
                self.report.problem("vault.segment", name, "has bytes after its last frame")
        self.close_segment()
        path = self.vault / "segments" / f"{self.segments.pop(0):012}.seg"
        self.silent = False
        try:
            file = open_file(path)  # closed by close_segment()
            self.segment = (file, "vault/segments/" + path.name, os.fstat(file.fileno()).st_size)
        except OSError:
            pass

    def close_segment(self):
        if self.segment is not None:
            self.segment[0].close()
        self.segment = None

    def check_frame(self, index, entry, name):
        self.next_segment(index)
        if self.segment is None:
            if not self.silent:
                self.report.problem("vault.missing", name, "there is no segment that holds its frame")
            self.silent = True
            return
        file, segment, end = self.segment
        where = f"{segment} ({name})"

        def give_up(text):
            self.report.problem("vault.segment", where, text)
            self.close_segment()
            self.silent = True

        head = file.read(max(0, min(8, end - file.tell())))
        length = int.from_bytes(head, "big")
        if len(head) < 8:
            give_up("ends before the frame")
        elif length != entry.length and length == 0:
            self.gone.append((where, entry.tree, entry.leaf))
        elif length != entry.length:
            give_up("the frame has another length than its entry says")
        elif length > end - file.tell():
            give_up("ends in the middle of the ciphertext")
        elif length:
            self.there.append((where, entry.tree, entry.leaf))
            begin = file.tell()
            if not self.hash_matches(file, entry):
                self.report.problem("vault.segment", where, "the ciphertext is not the one that was sealed")
            file.seek(begin + length)
            self.report.count("frames")

    def finish_frames(self):
        if self.segment is not None:
            file, name, end = self.segment
            while piece := file.read(max(0, min(self.PIECE, end - file.tell()))):
                if piece.strip(b"\0"):
                    self.report.problem("vault.segment", name, "has bytes after its last frame")
                    break
            self.close_segment()
            for first in self.segments:
                self.report.problem("file.unreferenced", f"vault/segments/{first:012}.seg", "no entry has its frame there")
            for index in sorted(self.blobs):
                self.report.problem("file.unreferenced", f"vault/blobs/{index:012}.blob", "no entry has its frame there")

    # --- what entries say about other files ---
    def take_control(self, index, entry, data, name):
        if entry.action == SOURCE_ADDED:
            self.sources.add(index)
        elif entry.action == CHECKPOINT_PUBLISHED:
            size, note = entry.number(16, 8), entry.hash(17)
            if size is None or note is None or size > index or size not in self.published or self.published[size][0] != note:
                self.report.problem("ledger.chain", name, "names a published checkpoint that is missing or another one")
            else:
                self.named.add(size)
        elif entry.action == ANCHOR_STORED:
            self.take_anchor(entry, name)
        elif entry.action == KEY_ROTATED:
            try:
                Key(entry.text(5) or "")
                self.announced.add((index, leaf_hash(data)))
            except Refused:
                self.report.problem("key.rotation", name, "names no key")
        elif entry.action == ARCHIVE_CONTINUED:
            self.announced.add((index, leaf_hash(data)))
            if index not in self.history.continued or (index, leaf_hash(data)) not in self.history.leaves:
                self.report.problem("ledger.continuation", name, "continues the ledger under a key that is not known")
            elif entry.hash(38) != self.roots_before[index]:
                self.report.problem("ledger.continuation", name, "goes on from another ledger than the entries before")
        elif entry.action == TREE_OPENED:
            self.check_box(entry, entry.number(10, 4), "tree", entry.hash(13), name)
        elif entry.action == SHARD_OPENED:
            self.check_box(entry, entry.number(32, 4), "shard", entry.hash(13), name)
        elif entry.action == GENERATION_OPENED:
            number, keyring = entry.number(12, 4), entry.hash(29)
            if number is not None and keyring is not None:
                self.generation = (number, keyring)
                self.erasures.take_generation(number, keyring)

    def take_anchor(self, entry, name):
        size, token, note = entry.number(16, 8), entry.hash(18), entry.hash(17)
        if size is None or token is None:
            self.report.problem("ledger.chain", name, "names no token")
            return
        if note is not None and (size not in self.published or self.published[size][0] != note):
            self.report.problem("ledger.chain", name, "names the anchor of a checkpoint that is missing or another one")
        previous = entry.number(20, 8)
        self.tokens[(size, token)] = (size if previous is None else previous, entry.text(19) or "")

    def has_keys(self):
        return (self.folder / "keys").exists()

    def check_box(self, entry, number, kind, digest, name):
        if not self.has_keys():
            return
        if number is None or digest is None:
            self.report.problem("ledger.chain", name, "names no sealed box")
            return
        for copy in "ab":
            relative = f"boxes/{kind}-{number:08x}.{copy}"
            if os.path.exists(self.folder / "keys" / relative):
                self.check_key(relative, digest, 65536)
            else:
                self.absent_boxes.append((relative, entry.number(12, 4)))
        self.report.count("boxes")

    def judge_keys(self):
        """Older boxes may be gone, older keys must be where they were destroyed."""
        newest = self.generation[0] if self.generation else 0
        for relative, generation in self.absent_boxes:
            if generation is None or generation >= newest:
                self.report.problem("keys.box", "keys/" + relative, "is missing")
        below = min(newest, self.erasures.destroyed_below)
        for name in self.names(self.folder / "keys", "archive.unreadable", "keys") if below else []:
            match = re.fullmatch(r"generation-([1-9][0-9]{0,9})", name)
            if match is None or int(match[1]) >= below:
                continue
            try:
                with open_file(self.folder / "keys" / name / "e") as file:
                    if file.read(4096).strip(b"\0"):
                        self.report.problem("erasure.key", f"keys/{name}/e", "the key of an older generation is still here")
            except OSError:
                pass

    def check_key(self, relative, digest, limit):
        try:
            if sha256(self.read(self.folder / "keys" / relative, limit)) != digest:
                raise Refused("is not the one that its entry names")
        except (OSError, Refused) as error:
            self.report.problem("keys.box", "keys/" + relative, str(error))

    def finish_chain(self):
        newest = max((size for _, _, size, _, _ in self.stamps), default=0)
        for stamp in self.stamps:
            for token in stamp[3]:
                self.check_stamp(*stamp, *token, newest)
        for size, _ in sorted(self.tokens):
            self.report.problem("anchor.missing", f"ledger/anchors (size {size})", "a token that an entry names is not there")
        self.judge_keys()
        if self.generation and self.has_keys():
            self.check_key(f"generation-{self.generation[0]}/root", self.generation[1], 64 << 20)
        if not self.has_keys():
            self.report.remark("sealed keys: keys/ is not here")
        for size in sorted(self.published)[:-1]:
            if size not in self.named:
                self.report.problem("checkpoint.published", f"ledger/published/{size:012}", "no entry names it")

    def check_stamp(self, folder, previous, size, _, imprint, number, authority, data, newest):
        where = f"{folder}/{number}.der"
        named = self.tokens.pop((size, sha256(data)), None)
        if named is not None and named != (previous, authority):
            self.report.problem("anchor.token", f"{folder}/{number}.authority", "is not the authority, or span, of its entry")
        if named is None:
            if size == newest and not any(s == newest for s, _ in self.tokens):
                self.report.remark(where + ": the entry that names it is still to come")
            else:
                self.report.problem("anchor.token", where, "is not the token that its entry names")
        try:
            verdict = judge_token(self.report, Token(data), imprint.root(), self.builtin_root, self.trust)
        except Refused as error:
            self.report.problem("anchor.token", where, str(error))
            return
        gen_time, level, trusted = verdict
        self.report.anchor(size, trusted or authority, gen_time, level)

    def judge_origin(self):
        if self.trust is None:
            return
        if any(key in self.trust.logs for key in self.history.keys()):
            if self.signed:  # anybody can name a key: its signature counts
                self.report.origin = "pinned"
            if self.trust.asks_for_witnesses() and not self.witnessed:
                self.report.problem("witness.quorum", "ledger/cosigned", "no checkpoint has the cosignatures asked for")
            elif self.trust.asks_for_witnesses() and self.signed:
                self.report.origin = "witnessed"
                if self.witnessed < self.size:
                    self.report.remark(f"whether witnesses have seen the last {self.size - self.witnessed} entries")
        else:
            self.report.problem("origin.mismatch", "ledger", "the trust file names another ledger")

    # --- files that nothing refers to ---
    def unreferenced(self, where, text):
        if re.search(r"\.tmp[0-9-]*$", where):
            self.report.remark(where + ": left behind by an interrupted write")
        else:
            self.report.problem("file.unreferenced", where, text)

    def only(self, folder, where, expected):
        for name in self.names(folder, "archive.unreadable", where):
            if not expected(name):
                self.unreferenced(f"{where}/{name}", "nothing refers to it")

    def find_unreferenced(self):
        for first in range(0, self.size, TILE):
            self.expected.add(tile_name("entries", first // TILE, min(TILE, self.size - first)))
        self.walk_folder(self.ledger / "tile", "tile")
        self.only(self.ledger, "ledger", {"checkpoint", "published", "tile", "anchors", "cosigned", "renewals",
                                          "rotations", "continuations"}.__contains__)
        rotations = len(self.history.steps) - len(self.history.continued)
        expected = {f"{n:06}.{ending}" for n in range(1, rotations) for ending in ("entry", "tlog-proof")}
        expected.add(f"{rotations:06}.entry")  # an announcement without its proof, left by an interrupted rotation
        self.only(self.ledger / "continuations", "ledger/continuations",
                  {f"{index:012}.entry" for index in self.history.continued}.__contains__)
        self.only(self.ledger / "rotations", "ledger/rotations", expected.__contains__)
        self.only(self.ledger / "published", "ledger/published", TWELVE.fullmatch)
        self.only(self.ledger / "cosigned", "ledger/cosigned", TWELVE.fullmatch)
        self.only(self.vault / "segments", "vault/segments", re.compile(r"[0-9]{12}\.seg").fullmatch)
        self.only(self.vault / "blobs", "vault/blobs", re.compile(r"[0-9]{12}\.blob").fullmatch)

    def walk_folder(self, folder, relative):
        for name in self.names(folder, "archive.unreadable", "ledger/" + relative):
            if (folder / name).is_dir() and not (folder / name).is_symlink():
                self.walk_folder(folder / name, f"{relative}/{name}")
            elif f"{relative}/{name}" not in self.expected:
                self.unreferenced(f"ledger/{relative}/{name}", "belongs to no ledger of this size")


# --- the program -------------------------------------------------------------------------------------------------------------------------

def verify(path, trust_file=None):
    """The report on a bundle or an archive directory. CallError: no verdict."""
    trust = None
    if trust_file is not None:
        try:
            data = Path(trust_file).read_bytes()
        except OSError as error:
            raise CallError(6, "the trust file can't be read") from error
        if len(data) > 1 << 20:
            raise CallError(6, "the trust file is larger than 1 MiB")
        trust = Trust(data)
    path = Path(path)
    try:
        if path.is_dir():
            return ArchiveCheck(path, trust).run()
        data = path.read_bytes()
        try:
            parts = Pdf(data).report()
        except (Refused, RecursionError):
            parts = None
        if parts is not None:
            return ReportCheck(data, parts, trust).run()
        return BundleCheck(data, trust).run()
    except OSError as error:
        raise CallError(6, "the file or folder can't be read") from error


def main(arguments):
    subject, trust, as_json, rest = None, None, False, list(arguments)
    while rest:
        word = rest.pop(0)
        if word == "--json":
            as_json = True
        elif word == "--trust" and rest:
            trust = rest.pop(0)
        elif word.startswith("-") or subject is not None or not word:
            subject = None
            break
        else:
            subject = word
    if subject is None:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        report = verify(subject, trust)
    except CallError as error:
        print(f"kustos_verify: {error}", file=sys.stderr)
        return error.code
    print(json.dumps(report.json(), sort_keys=True) if as_json else report.text())
    return 0 if report.ok() else 1


if __name__ == "__main__":
    sys.modules["kustos_verify"] = sys.modules["__main__"]  # for evidence.py
    sys.exit(main(sys.argv[1:]))
