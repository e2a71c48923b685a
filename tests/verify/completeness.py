"""What the entries of one source say of a period, computed anew from docs/format/certificate.md ("Completeness"): for kustos_verify.py."""
import struct

import kustos_verify as kv


def counts_of(rows):
    out, at = {}, 0
    while at < len(rows):
        length = rows[at]
        if len(rows) - at < 9 + length:
            raise kv.Refused("a tally that is cut")
        out[rows[at + 1:at + 1 + length].decode(errors="replace")] = struct.unpack_from(">Q", rows, at + 1 + length)[0]
        at += 9 + length
    return out


class Source:
    """The entries of a certificate, sorted by what they say."""

    def __init__(self, entries, source, begin, end):
        self.begin, self.end, self.looked_at, before = begin, end, len(entries), -1
        self.added, self.counts, self.promises, self.heard, self.findings, self.profiles = None, [], {}, [], [], []
        for index, entry in entries:
            if index <= before:
                raise kv.Refused("the entries are not in order")
            before = index
            self.take(index, entry, source)
        if self.added is None or not any(time > begin for _, time, _, _ in self.counts):
            raise kv.Refused("the source, or a count of it, is missing")

    def take(self, index, entry, source):
        action, time = entry.control(), entry.number(2, 8)
        named = index if action == kv.SOURCE_ADDED else entry.number(25, 8)
        if named != source or time is None:
            raise kv.Refused("an entry of another source")
        count, total, about = entry.number(21, 8), entry.number(31, 8), entry.hash(28)
        if total is None and action in (kv.COUNTED, kv.PROMISE_MADE, kv.HEARTBEAT):
            raise kv.Refused("an entry without its count")
        if action == kv.COUNTED:
            return self.counts.append((index, time, total, counts_of(entry.bytes(71) or b"")))
        if action == kv.SOURCE_ADDED:
            self.added = (index, time, entry.text(7), entry.text(8))
            return None
        if self.added is None:
            raise kv.Refused("the entry that introduces the source is missing")
        if time >= self.end:
            raise kv.Refused("an entry from behind the period")
        if action == kv.FINDING:
            self.findings.append({"entry": index, "code": entry.text(24), "count": 1 if count is None else count, "found": time,
                                  "resolved": None, "about": about, "by": None})
        elif action == kv.FINDING_RESOLVED:
            self.resolve(index, time, entry.number(72, 8), entry.text(24), about)
        elif action == kv.PROFILE_SET:
            if entry.number(50, 4) is None:
                raise kv.Refused("a profile without its version")
            self.profiles.append((index, time, entry.number(50, 4)))
        elif action in (kv.PROMISE_MADE, kv.HEARTBEAT):
            if count is None:
                raise kv.Refused("a promise without its count")
            if action == kv.HEARTBEAT and time >= self.begin:
                self.heard.append((index, time))
            if action == kv.PROMISE_MADE or self.added[3] == "http":
                self.promises[about] = (index, time, count, total)
        else:
            raise kv.Refused("an entry that says nothing of a source")
        return None

    def resolve(self, index, time, which, code, about):
        for f in self.findings:
            if f["resolved"] is None and (f["entry"] == which if which is not None else (f["code"], f["about"]) == (code, about)):
                f["resolved"], f["by"] = time, index

    def window(self):
        """The counts before the period and at its end."""
        before = [c for c in self.counts if c[1] <= self.begin]
        after = [c for c in self.counts if c[1] > self.begin]
        behind = [c for c in after if c[1] >= self.end]
        return before[-1] if before else None, behind[0] if behind else after[-1]


def when(ms):
    return None if ms is None else kv.rfc3339(ms)


def starting(counts, prefix):
    return {code[len(prefix):]: n for code, n in counts.items() if code.startswith(prefix) and code != "kind:unreadable"}


def silence(heard, begin, end):
    last, longest, since = begin, 0, begin
    for time in [*heard, end]:
        if time - last > longest:
            longest, since = time - last, last
        last = max(last, time)
    return longest, since


def numbers(entries, source, begin, end):
    """Those keys of a certificate's JSON that its entries determine."""
    s = Source(entries, source, begin, end)
    before, last = s.window()
    zero = {} if before is None else before[3]
    counts = {code: n - zero.get(code, 0) for code, n in last[3].items() if n > zero.get(code, 0)}
    promises = [p for p in s.promises.values() if p[1] >= begin or p[2] > p[3]]
    short = [p for p in promises if p[2] > p[3]]
    findings = [f for f in s.findings if f["resolved"] is None or f["resolved"] >= begin]
    open_now = [f for f in findings if f["resolved"] is None]
    heard = [time for _, time in s.heard]
    longest, since = silence(heard, max(begin, s.added[1]), min(end, last[1]))
    missing = sum(p[2] - p[3] for p in short)
    used = {s.added[0], last[0]} | ({before[0]} if before else set()) | {p[0] for p in promises} | {h[0] for h in s.heard}
    used |= {f["entry"] for f in findings} | {f["by"] for f in findings if f["by"] is not None}
    earlier = [p for p in s.profiles if p[1] < begin]
    used |= {p[0] for p in s.profiles if p[1] >= begin} | ({earlier[-1][0]} if earlier else set())
    if len(used) != s.looked_at:
        raise kv.Refused("entries that no number rests on")
    gaps = open_now or missing or counts.get("attachment-missing", 0)
    promised = any(p[1] >= begin for p in promises)
    return {
        "source": s.added[2], "source_kind": s.added[3], "begin": when(begin), "end": when(end),
        "counted": {"from": when(before[1] if before else s.added[1]), "until": when(last[1])},
        "verdict": "gaps" if gaps else "complete" if promised else "no_promise",
        "records": max(0, last[2] - (before[2] if before else 0)),
        "sealed": starting(counts, "kind:"), "quarantined": counts.get("kind:unreadable", 0),
        "duplicates": counts.get("duplicate", 0), "left_out": starting(counts, "dropped:"),
        "attachments": {"named": counts.get("attachment", 0), "missing": counts.get("attachment-missing", 0)},
        "promises": {"parts": len(promises), "parts_short": len(short), "promised": sum(p[2] for p in promises),
                     "sealed": sum(p[3] for p in promises), "missing": missing,
                     "last": when(max((p[1] for p in promises), default=None))},
        "heartbeats": {"count": len(heard), "first": when(heard[0] if heard else None), "last": when(heard[-1] if heard else None),
                       "longest_silence_seconds": longest // 1000, "silent_from": when(since)},
        "findings": {"opened": sum(f["found"] >= begin for f in findings), "resolved": len(findings) - len(open_now),
                     "open": len(open_now),
                     "list": [{"entry": f["entry"], "code": f["code"], "count": f["count"], "found": when(f["found"]),
                               "resolved": when(f["resolved"])} for f in findings]},
        "profile": {"version": s.profiles[-1][2] if s.profiles else 0, "changes": sum(p[1] >= begin for p in s.profiles)},
    }
