"""Evidence records of RFC 4998 and renewals (docs/format/evidence-record.md, renewals.md), independent of audit/."""
import hashlib
import re
import struct

import kustos_verify as kv

ALGORITHMS = {kv.oid("2.16.840.1.101.3.4.2." + n): name
              for n, name in (("1", "sha256"), ("2", "sha384"), ("3", "sha512"), ("4", "sha224"))}


def digest(name, *parts):
    made = hashlib.new(name)
    for part in parts:
        made.update(part)
    return made.digest()


def group_value(name, members):
    return members[0] if len(members) == 1 else digest(name, *sorted(members))


def groups_root(name, groups):
    value = None
    for group in groups:
        value = group_value(name, group + ([] if value is None else [value]))
    return value


def algorithm_of(fields):
    name = ALGORITHMS.get(fields.next(kv.OID).whole)
    parameters = fields.maybe(0x05)
    fields.end()
    if name is None or (parameters is not None and parameters.content):
        raise kv.Refused("a digest algorithm that is not known")
    return name


def stamped(token):
    """(algorithm, imprint, time) of a token, whatever its signature is."""
    info = kv.Fields(kv.der_one(token, kv.SEQUENCE))
    if info.next(kv.OID).whole != kv.SIGNED_DATA:
        raise kv.Refused("not signed data")
    signed = kv.Fields(kv.Fields(info.next(0xA0)).next(kv.SEQUENCE))
    signed.next(kv.INTEGER)
    signed.next(kv.SET)
    content = kv.Fields(signed.next(kv.SEQUENCE))
    if content.next(kv.OID).whole != kv.TST_INFO:
        raise kv.Refused("not a time stamp")
    fields = kv.Fields(kv.der_one(kv.der_one(content.next(0xA0).content, kv.OCTETS).content, kv.SEQUENCE))
    fields.next(kv.INTEGER)
    fields.next(kv.OID)
    imprint = kv.Fields(fields.next(kv.SEQUENCE))
    name = algorithm_of(kv.Fields(imprint.next(kv.SEQUENCE)))
    value = imprint.next(kv.OCTETS).content
    fields.next(kv.INTEGER)
    return name, value, kv.token_time(fields.next(kv.TIME).content)


class Stamp:
    def __init__(self, value):
        fields = kv.Fields(value)
        stated = fields.maybe(0xA0)
        fields.maybe(0xA1)
        tree = fields.maybe(0xA2)
        self.token = fields.next(kv.SEQUENCE).whole
        fields.end()
        self.name, self.imprint, self.time = stamped(self.token)
        self.algorithm = algorithm_of(kv.Fields(stated)) if stated is not None else self.name
        self.groups = [[m.content for m in g.parts()] for g in tree.parts()] if tree is not None else []


class Record:
    def __init__(self, data):
        fields = kv.Fields(kv.der_one(data, kv.SEQUENCE))
        if fields.next(kv.INTEGER).content != b"\1":
            raise kv.Refused("another version")
        for stated in fields.next(kv.SEQUENCE).parts():
            if stated.tag != kv.SEQUENCE:
                raise kv.Refused("no algorithm")
            algorithm_of(kv.Fields(stated))
        fields.maybe(0xA0)
        fields.maybe(0xA1)
        self.chains = [(c.whole, [Stamp(s) for s in c.parts()]) for c in fields.next(kv.SEQUENCE).parts()]
        fields.end()
        if not self.chains or not all(stamps for _, stamps in self.chains):
            raise kv.Refused("no time stamp")

    def sequence(self, count):
        return kv.der(kv.SEQUENCE, *(whole for whole, _ in self.chains[:count]))

    def holds_for(self, objects):
        """Every object (bytes) is covered by every chain, every renewal covers its predecessor, and times ascend."""
        last = None
        for number, (_, stamps) in enumerate(self.chains):
            for position, stamp in enumerate(stamps):
                name = stamp.algorithm
                if position:
                    wanted = [digest(name, stamps[position - 1].token)]
                else:
                    wanted = [digest(name, o) for o in objects]
                    if number:
                        before = digest(name, self.sequence(number))
                        wanted = [digest(name, w, before) for w in wanted]
                groups = stamp.groups or [wanted]
                if (name != stamp.name or name != stamps[0].algorithm or not wanted
                        or not all(w in groups[0] for w in wanted) or groups_root(name, groups) != stamp.imprint):
                    return False
                if last is not None and stamp.time < last:
                    return False
                last = stamp.time
                if kv.openssl(("cms", "-verify", "-binary", "-inform", "DER", "-in", "token", "-out", "content", "-noverify"),
                              (("token", stamp.token),)) is None:
                    return False
        return True
