"""Evidence records: of every record of a bundle, judged by kustos-verify and by a reader of its own in Python."""
import json
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "verify"))
import evidence  # noqa: E402
from kustos import BIN, DEMO, Archive, shared  # noqa: E402


def judge(record, *arguments):
    done = subprocess.run([BIN / "kustos-verify", "--evidence-record", str(record), "--json", *map(str, arguments)],
                          capture_output=True, text=True, check=False)
    return done.returncode, json.loads(done.stdout)


class Evidence(unittest.TestCase):
    def test_a_record_proves_its_entry_and_its_ciphertext_and_nothing_else(self):
        with Archive("--tsa", "builtin") as archive:
            archive.run("source", "add", "mail", "--kind", "import")
            archive.run("ingest", "--source", "mail", DEMO / "mail.mbox")
            records = [h["entry"] if "entry" in h else int(h["record"]) for h in archive.json(
                "search", "--matter", archive.matter(), "--limit", "5", "Fundamente")["hits"]]
            self.assertTrue(records)
            out = archive.folder / "evidence"
            for made in archive.json("evidence", *records, "--out", out):
                code, report = judge(made["record"], "--data", made["object"])
                self.assertEqual((code, report["verdict"], report["imprint"], report["signature"]),
                                 (0, "valid-subset", [True], [True]))
                self.assertEqual(report["trust"], "not evaluated")
                entry = Path(made["object"]).read_bytes()
                self.assertTrue(evidence.Record(Path(made["record"]).read_bytes()).holds_for([entry]))
                # The ciphertext by its digest, which the entry's header states (bytes 84 to 116).
                ciphertext = "sha256:" + entry[84:116].hex()
                self.assertEqual(judge(made["record"], "--data", made["object"], "--digest", ciphertext)[1]["verdict"], "valid")
                self.assertEqual(judge(made["record"], "--data", DEMO / "mail.mbox")[0], 1)
            done = archive.call("evidence", "0", str(10**6), "--out", out)
            self.assertNotEqual(done.returncode, 0)
            self.assertEqual(archive.json("renew", "--check")["time_stamps_due"], 0)

    def test_a_foreign_record_gets_the_same_verdict_from_both_readers(self):
        folder = shared()
        if folder is None:
            self.skipTest("../shared is absent")
        folder = folder / "data" / "ers"
        for case in json.loads((folder / "manifest-asn1.json").read_text()):
            documents = case["documents"]
            if not all("file" in d for d in documents):
                continue
            with self.subTest(case["id"]):
                files = [folder / d["file"] for d in documents]
                code, report = judge(folder / case["file"], *(a for f in files for a in ("--data", f)))
                if case["expected"] != "unclear":
                    self.assertEqual(report["verdict"], case["expected"])
                self.assertEqual(code, 0 if report["ok"] else 1)

    def test_wrong_calls_are_refused(self):
        for arguments in (["--data", __file__], ["--evidence-record"], ["--evidence-record", __file__, "--digest", "md5:00"],
                          ["--evidence-record", __file__, "--digest", "sha256:00"]):
            done = subprocess.run([BIN / "kustos-verify", *arguments], capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 2, arguments)
        self.assertEqual(judge(__file__)[1]["verdict"], "malformed")


if __name__ == "__main__":
    unittest.main()
