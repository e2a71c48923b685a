#!/usr/bin/env python3
"""Turns the "name value" lines of the benches into a table with goals.

Usage: table.py PART FILE [TITLE]      PART: append, intake, seal, disk, large, verify, index, search, million. Always exits 0: a goal is no test (docs/architecture/performance.md).
"""
import sys
from pathlib import Path


def read(path):
    return {name: float(value) for name, value in (line.split() for line in Path(path).read_text().splitlines())}


def row(what, result, goal="", reached=None):
    state = "" if reached is None else "ok" if reached else "not reached"
    print("  %-34s %-44s %-18s %s" % (what, result, goal, state))


def append(v):
    names = (("writers_1", "1 writer", None), ("writers_8", "8 writers", None), ("writers_64", "64 writers", 8), ("batches_512", "batches of 512", 60))
    for prefix, title in (("", "durable appends of 1 KiB"), ("slow_", "the same, each sync 2 ms longer (emulated)")):
        print("%s: best of the rounds, beside write and fdatasync in a loop, which takes %.2f ms" % (title, v[prefix + "sync_ms"]))
        for name, what, goal in names:
            key = prefix + name
            row(what, "%.0f/s, %.3g of the loop (median %.3g)" % (v[key + "_rate"], v[key + "_ratio"], v[key + "_median"]),
                "at least %d" % goal if goal else "", v[key + "_ratio"] >= goal if goal else None)
        key = prefix + "wait_"
        row("half of 64 writers' load", "p50 %.2f ms, p99 %.2f ms: %.1f (median %.1f)" % (v[key + "p50"], v[key + "p99"], v[key + "ratio"], v[key + "median"]),
            "at most 4", v[key + "ratio"] <= 4)


def intake(v):
    print("coming in, index off: %.0f mails, %.0f chats" % (v["mails"], v["chats"]))
    row("mails parsed and sealed", "%.2f s, %.2f of a bare GMime loop (%.2f s; median %.2f)" % (v["mails_seconds"], v["mails_ratio"], v["mails_bare"], v["mails_median"]),
        "at most 2", v["mails_ratio"] <= 2)
    row("pushes of 512 over HTTPS, 2 senders", "%.2f s, %.2f of sealing them (%.2f s; median %.2f)" % (v["push_seconds"], v["push_ratio"], v["push_bare"], v["push_median"]),
        "at most 3", v["push_ratio"] <= 3)
    row("  half of that load", "p50 %.1f ms, p95 %.1f ms: %.2f" % (v["push_p50"], v["push_p95"], v["push_wait_ratio"]), "at most 4", v["push_wait_ratio"] <= 4)
    row("memory, both sides and the input", "%.0f MiB with the mails, %.0f MiB at the end" % (v["mails_mib"], v["push_mib"]), "below 512 MiB", v["push_mib"] < 512)


def seal(v):
    print("sealing without disk, one core: beside zstd 3, AES-256-GCM and 2 x SHA-256 of the same text by their own libraries")
    for size, goal in ((500, 2.5), (5000, 1.6), (100000, 1.6)):
        for fields in (16, 24):
            key = "%d_%d_" % (size, fields)
            row("%d bytes, %d fields" % (size, fields), "%.1f us, %.2f of %.1f us (median %.2f); suite 2: %.1f us" % (
                v[key + "seal"], v[key + "ratio"], v[key + "bare"], v[key + "median"], v[key + "xchacha"]), "at most %.1f" % goal, v[key + "ratio"] <= goal)


def disk(v):
    for name, goal in (("chats", 0.9), ("mails", 0.75)):
        n, raw = v[name + "_count"], v[name + "_raw"]
        ours = v[name + "_ledger"] + v[name + "_ciphertext"] + v[name + "_heads"] + v[name + "_blobs"]
        print("bytes on disk, %.0f %s of %.0f bytes" % (n, name, raw / n))

        def part(what, size, *more):
            row(what, "%.0f a record, %.2f of raw" % (size / n, size / raw), *more)
        part("ledger and vault", ours, "at most %.2f" % goal, ours / raw <= goal)
        for key, what in (("ledger", "  ledger: entries, tiles, notes, anchors"), ("ciphertext", "  vault: ciphertext in segments"), ("heads", "  vault: frame lengths"),
                          ("blobs", "  vault: blobs with files of their own")):
            part(what, v[name + "_" + key])
        part("beside it: marks of duplicates", v[name + "_duplicates"])
        part("beside it: index, can be rebuilt", v[name + "_index"])
        for key, what in (("zstd", "zstd -3 of all of it"), ("restic", "restic, a file a message"), ("borg", "borg with zstd,3, a file a message")):
            if name + "_" + key in v:
                part(what, v[name + "_" + key])
    print("  piler says of itself: 8.6 times raw (mails)")


def large(v):
    print("%.0f entries" % v["entries"])
    row("opening the archive", "%.0f ms (ledger alone %.2f ms)" % (v["open_archive"], v["open_ledger"]), "below 1000 ms", v["open_archive"] < 1000)
    row("  once, catalog.db made anew", "%.1f s" % (v["catalog_catch_up"] / 1000))
    row("inclusion proof, nothing read yet", "mean %.3f ms, p99 %.3f ms" % (v["proof_mean"], v["proof_p99"]), "below 1 ms", max(v["proof_mean"], v["proof_p99"]) < 1)
    row("  its processor time", "mean %.3f ms, p99 %.3f ms" % (v["proof_cpu_mean"], v["proof_cpu_p99"]))
    row("inclusion proof, one reader", "mean %.3f ms, p99 %.3f ms" % (v["warm_mean"], v["warm_p99"]), "below 1 ms", max(v["warm_mean"], v["warm_p99"]) < 1)


def verify(v, title):
    print("verification of %.0f entries, %s: %.0f MB in %.0f files, %.0f time stamps" % (v["entries"], title, v["megabytes"], v["files"], v["stamps"]))
    row("kustos-verify", "%.2f s, %.2f of openssl dgst x 2 (%.2f s; median %.2f)" % (v["seconds"], v["ratio"], v["openssl_seconds"], v["ratio_median"]), "at most 1.5", v["ratio"] <= 1.5)
    row("its memory", "%.0f MiB" % v["memory_mib"], "below 256 MiB", v["memory_mib"] < 256)


def index(v):
    n = v["index_records"]
    print("indexing %.0f chats and mails from sealed records, both cores" % n)
    peer = "peer_seconds" in v

    def beside(what, ours, name, unit, goal, reached):
        if peer:
            row(what, ("%.3g %s, %.2f of notmuch new (%.3g)" % (ours, unit, ours / v[name], v[name])), goal, reached(ours / v[name]))
        else:
            row(what, "%.3g %s; notmuch is not installed" % (ours, unit), goal)
    if peer:
        row("wall time", "%.1f s, notmuch new %.1f s: %.2f times as fast" % (v["index_seconds"], v["peer_seconds"], v["peer_seconds"] / v["index_seconds"]),
            "at least 4", v["peer_seconds"] / v["index_seconds"] >= 4)
    else:
        row("wall time", "%.1f s; notmuch is not installed" % v["index_seconds"], "at least 4")
    beside("processor time", v["index_cpu"], "peer_cpu", "s", "at most 0.7", lambda r: r <= 0.7)
    beside("bytes, %.0f closed shards" % v["index_shards"], v["index_bytes"], "peer_bytes", "bytes", "at most 1.1", lambda r: r <= 1.1)
    row("memory", "%.0f MiB" % v["index_mib"], "below 1024 MiB", v["index_mib"] < 1024)
    row("  of it, one thread: opening", "%.0f us a record" % (v["apart_opening"] / v["apart_records"] * 1e6))
    row("  taking words apart", "%.0f us a record" % (v["apart_words"] / v["apart_records"] * 1e6))
    row("  all", "%.0f us a record" % (v["index_cpu"] / n * 1e6))
    if peer and v["peer_records"] != n:
        print("  notmuch has %.0f messages: it takes mails of one Message-ID as one" % v["peer_records"])


CLASSES = (("rare", "rare word"), ("common", "common word"), ("and3", "three words"), ("phrase", "phrase of three"), ("wildcard", "wildcard"),
           ("date", "common word, a month"), ("near", "NEAR"), ("rare_stems", "rare word, stems"), ("common_stems", "common word, stems"), ("and3_stems", "three words, stems"))


def asked(v, prefix, limit):
    """limit: of p95 and of a wildcard's, in ms; None: beside notmuch."""
    for key, what in CLASSES:
        name = prefix + key + "_"
        if name + "asked" not in v:
            continue
        n, refused = v[name + "asked"], v[name + "refused"]
        if n == 0:
            print("  %s: not in this build" % what if key == "near" else "  %s: all %.0f refused" % (what, refused))
            continue
        text = "p50 %.3g, p95 %.3g, max %.3g ms; processor %.3g, %.3g" % tuple(v[name + key] for key in ("p50", "p95", "max", "cpu_p50", "cpu_p95"))
        more = ", %.0f refused" % refused if refused else ""
        goal = "" if limit is None else "p95 below %d ms" % limit[key == "wildcard"]
        row(what, text, goal, v[name + "p95"] < limit[key == "wildcard"] if limit else None)
        if name + "peer_hits" not in v:
            print("      %.0f asked, %.1f hits each%s" % (n, v[name + "hits"], more))
            continue
        p50, p95 = v[name + "p50"] / v[name + "page_p50"], v[name + "p95"] / v[name + "page_p95"]
        row("  of notmuch's", "p50 %.2f, p95 %.2f (%.3g, %.3g ms; count alone %.3g, %.3g); processor %.2f, %.2f" % (
            p50, p95, v[name + "page_p50"], v[name + "page_p95"], v[name + "count_p50"], v[name + "count_p95"],
            v[name + "cpu_p50"] / v[name + "page_cpu_p50"], v[name + "cpu_p95"] / v[name + "page_cpu_p95"]), "" if key == "near" else "at most 1, 1.5",
            None if key == "near" else p50 <= 1 and p95 <= 1.5)
        print("      %.0f asked, %.1f hits each, notmuch %.1f; the same %.0f times, more %.0f, fewer %.0f%s" % (
            n, v[name + "hits"], v[name + "peer_hits"], v[name + "equal"], v[name + "more"], v[name + "fewer"], more))


def first_pages(v, prefix):
    if prefix + "page_p95" in v:
        row("first page, 20 opened, snippets", "p50 %.3g ms, p95 %.3g ms" % (v[prefix + "page_p50"], v[prefix + "page_p95"]), "p95 below 300 ms", v[prefix + "page_p95"] < 300)
        row("  the same over HTTPS", "p50 %.3g ms, p95 %.3g ms: %.3g ms more" % (
            v[prefix + "https_p50"], v[prefix + "https_p95"], v[prefix + "https_p50"] - v[prefix + "page_p50"]))


def search(v):
    for prefix, title in (("whole_", "as indexed"), ("small_", "small shards (a vault closed for days)"), ("merged_", "merged")):
        shards = v.get(prefix + "index_shards")
        print("queries, exact counts, %s%s; asking the first time %.3g ms" % (title, ", %.0f shards" % shards if shards else "", v[prefix + "first_ms"]))
        asked(v, prefix, None)
        first_pages(v, prefix)


def million(v):
    sizes = sorted(int(name[2:-len("_index_records")]) for name in v if name.startswith("at") and name.endswith("_index_records"))
    states = [("at%d_" % n, "%.2g million messages" % (n / 1e6)) for n in sizes] + [("days_", "with three days of a closed vault"), ("merged_", "these merged")]
    for prefix, title in states:
        print("%s: %.0f shards, %.0f bytes of index a record; asking the first time %.3g ms; %.0f MiB" % (
            title, v[prefix + "index_shards"], v[prefix + "index_bytes"] / v[prefix + "index_records"], v[prefix + "first_ms"], v[prefix + "mib"]))
        asked(v, prefix, (100, 1000))
        first_pages(v, prefix)
    print("growth: the same questions; hits, and p50 of processor time in ms (us a hit)")
    for key, what in CLASSES:
        cells = []
        for n in sizes:
            name = "at%d_%s_" % (n, key)
            if v.get(name + "asked"):
                cells.append("%.2gM: %.0f hits, %.3g (%.2g)" % (n / 1e6, v[name + "hits"], v[name + "cpu_p50"], v[name + "cpu_p50"] * 1e3 / max(v[name + "hits"], 1)))
        if cells:
            print("  %-34s %s" % (what, "; ".join(cells)))


if __name__ == "__main__":
    values = read(sys.argv[2])
    {"append": append, "intake": intake, "seal": seal, "disk": disk, "large": large, "index": index, "search": search, "million": million, "verify": lambda v: verify(v, sys.argv[3])}[sys.argv[1]](values)
