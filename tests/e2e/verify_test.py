"""Verification as people use it: whole, from where the last one ended, by sample, and content that a nonce draws."""
import hashlib
import json
import os
import subprocess
import unittest

from kustos import BIN, Archive, event

NONCE = "00112233445566778899aabbccddeeff"


def fill(a, first, count):
    stream = a.folder / "s.ndjson"
    stream.write_text("".join(event(i, f"Fangstelle {i}") + "\n" for i in range(first, first + count)))
    a.run("ingest", "--source", "files", "--format", "stream", stream)


def verify(path, *arguments):
    done = subprocess.run([BIN / "kustos-verify", path, "--json", *map(str, arguments)], capture_output=True, text=True, check=False)
    return done.returncode, json.loads(done.stdout) if done.stdout else done.stderr


class Since(unittest.TestCase):
    def test_an_auditor_looks_only_at_what_is_new_and_notices_what_was_rewritten(self):
        with Archive() as a:
            a.run("source", "add", "files", "--kind", "import")
            fill(a, 0, 700)
            memory = a.folder / "auditor.state"
            code, first = verify(a.path, "--since", memory)
            self.assertEqual((code, first["mode"]), (0, "whole"))
            yesterday = a.folder / "yesterday"
            a.copy_to(yesterday)
            fill(a, 700, 40)
            code, second = verify(a.path, "--since", memory)
            self.assertEqual((code, second["mode"]), (0, "since"))
            self.assertEqual(second["since"], first["size"])
            self.assertGreater(second["size"], first["size"])
            self.assertIn("verified_before", [r["code"] for r in second["remarks"]])
            # Yesterday's copy in its place is whole by itself, and still not what was seen.
            self.assertEqual(verify(yesterday)[0], 0)
            code, third = verify(yesterday, "--since", memory)
            self.assertEqual((code, [p["code"] for p in third["problems"]]), (1, ["ledger.rewritten"]))
            # So is another archive; what it was is remembered for the right one only.
            memory.write_text(memory.read_text().replace("size", "sise"))
            done = subprocess.run([BIN / "kustos-verify", a.path, "--since", memory], capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 2)
            self.assertIn("remove the file", done.stderr)

    def test_inside_the_house_it_goes_on_from_the_last_time_that_nothing_was_found(self):
        with Archive() as a:
            a.run("source", "add", "files", "--kind", "import")
            fill(a, 0, 600)
            self.assertEqual(a.json("verify")["mode"], "whole")
            fill(a, 600, 300)
            report = a.json("verify", "--since-last")
            self.assertEqual((report["ok"], report["mode"]), (True, "since"))
            self.assertEqual(a.json("verify")["mode"], "whole")
            text = a.run("verify", "--since-last").stdout
            self.assertIn("verified earlier", text)
            self.assertIn("früher geprüft", a.call("--lang", "de", "verify", "--since-last").stdout)

    def test_what_changed_before_is_found_by_the_whole_check_that_the_short_one_does_not_replace(self):
        with Archive() as a:
            a.run("source", "add", "files", "--kind", "import")
            fill(a, 0, 600)
            memory = a.folder / "auditor.state"
            verify(a.path, "--since", memory)
            fill(a, 600, 10)
            segment = sorted((a.path / "vault" / "segments").glob("*.seg"))[0]
            data = bytearray(segment.read_bytes())
            data[200] ^= 1
            os.chmod(segment, 0o600)
            segment.write_bytes(data)
            self.assertEqual(verify(a.path)[0], 1)


class Samples(unittest.TestCase):
    def test_the_entries_that_a_nonce_draws_can_be_drawn_again_by_anybody(self):
        with Archive() as a:
            a.run("source", "add", "files", "--kind", "import")
            fill(a, 0, 300)
            code, report = verify(a.path, "--sample", 50, "--nonce", NONCE, "--trust", a.trust)
            self.assertEqual((code, report["mode"], report["origin"]), (0, "sampled", "pinned"))
            self.assertEqual(report["checked"]["entries"], 50)
            self.assertIn("only_drawn", [r["code"] for r in report["remarks"]])
            self.assertEqual(a.json("verify", "--sample", 50, "--nonce", NONCE)["checked"]["entries"], 50)
            for bad in (("--sample", 50), ("--nonce", NONCE), ("--sample", 50, "--nonce", "00"), ("--sample", 0, "--nonce", NONCE),
                        ("--sample", 50, "--nonce", "xx" * 16), ("--sample", 5, "--nonce", NONCE, "--since", "x")):
                self.assertEqual(verify(a.path, *bad)[0], 2, bad)

    def test_key_holders_open_what_the_nonce_draws_and_the_ledger_says_what_came_out(self):
        with Archive() as a:
            a.run("source", "add", "files", "--kind", "import")
            fill(a, 0, 300)
            report = a.json("audit", "sample", "--nonce", NONCE, "--count", 40)
            self.assertEqual((report["ok"], report["mode"], report["checked"]["opened"]), (True, "sampled", 40))
            drawn = a.json("audit", "list", "--action", "sample_drawn")["entries"][0]["rows"]
            judged = a.json("audit", "list", "--action", "sample_judged")["entries"][0]["rows"]
            self.assertEqual((drawn["count"], drawn["nonce"], judged["count"], judged["code"]), ("40", NONCE, "40", "ok"))
            # Drawn again, without any program of ours (docs/format/report.md, "Samples").
            size, root = int(drawn["checkpoint_size"]), bytes.fromhex(drawn["root"])
            kinds = {r["entry"]: r["kind"] for kind in ("record", "control", "access")
                     for r in a.json("audit", "list", "--kind", kind, "--limit", 10000)["entries"]}
            entries, passed, seen, k = [], 0, set(), 0
            while len(entries) < 40:
                digest = hashlib.sha256(root + bytes.fromhex(NONCE) + k.to_bytes(8, "big")).digest()
                entry, k = int.from_bytes(digest[:16], "big") % size, k + 1
                if entry in seen:
                    continue
                seen.add(entry)
                if kinds[entry] == "record":
                    entries.append(entry)
                else:
                    passed += 1
            listed = hashlib.sha256(b"".join(e.to_bytes(8, "big") for e in sorted(entries))).hexdigest()
            self.assertEqual((drawn["list_root"], drawn["total"]), (listed, str(passed)))
            a.run("audit", "sample", "--nonce", "00", "--count", 3, code=2)
            self.assertEqual(a.verify()[0], 0)
            # Content that was taken away is no way to choose what is drawn: it is named.
            segment = a.path / "vault" / "segments" / "000000000000.seg"
            data, at, entry = segment.read_bytes(), 0, 0
            while kinds[entry] != "record":
                at, entry = at + 8 + int.from_bytes(data[at:at + 8], "big"), entry + 1
            length = int.from_bytes(data[at:at + 8], "big")
            segment.write_bytes(data[:at] + bytes(8) + data[at + 8 + length:] + bytes(length))
            report = json.loads(a.run("--json", "audit", "sample", "--nonce", NONCE, "--count", 300, code=1).stdout)
            self.assertEqual([(p["code"], p["where"]) for p in report["problems"]], [("vault.missing", f"entry {entry}")])

    def test_a_closed_vault_opens_nothing_for_an_auditor(self):
        secret = "a passphrase of some length"
        with Archive(create=False) as a:
            file = a.folder / "passphrase"
            file.write_text(secret)
            a.run("--passphrase-file", file, "init", a.path, "--unlock", "passphrase")
            a.run("source", "add", "files", "--kind", "import")
            fill(a, 0, 30)
            done = a.call("audit", "sample", "--nonce", NONCE, "--count", 3)
            self.assertEqual(done.returncode, 4)
            self.assertEqual(a.json("audit", "list", "--action", "sample_drawn")["entries"], [])
            self.assertEqual(a.json("--passphrase-file", file, "audit", "sample", "--nonce", NONCE, "--count", 3)["checked"]["opened"], 3)


if __name__ == "__main__":
    unittest.main()
