"""The exit export: everything leaves with its keys, two people decide, and a program of somebody else opens it."""
import base64
import csv
import json
import os
import subprocess
import sys
import time
import unittest

from backup_test import House
from kustos import BIN, ROOT, event, page_example

OPENER = ROOT / "docs" / "expert" / "open_exit_export.py"
TWO = ("--ground", "Wechsel des Produkts", "--approver", "Anna Alt", "--approver", "Bert Bau")


def filled(h):
    h.run("source", "add", "mails", "--kind", "import")
    mail = h.folder / "mail.eml"
    attachment = base64.b64encode("Text der Anlage".encode()).decode()
    mail.write_bytes(("From: a@x.example\r\nTo: b@x.example\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nDate: Mon, 2 Mar 2026 10:00:00 +0100\r\nMIME-Version: 1.0\r\n"
                      "Message-ID: <m1@x.example>\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nHallo Mail\r\n--b\r\n"
                      f"Content-Type: text/plain; name=a.txt\r\nContent-Transfer-Encoding: base64\r\n\r\n{attachment}\r\n--b--\r\n").encode())
    h.run("ingest", "--source", "mails", mail)
    small = base64.b64encode(os.urandom(90_000)).decode()
    large = base64.b64encode(os.urandom(1_500_000)).decode()
    h.ingest(*[event(i, f"wort{i} gemeinsam") for i in range(300)],
             event(800, "klein", attachments=[{"name": "=k.bin", "type": "application/octet-stream", "content_base64": small}]),
             event(900, "anlage", attachments=[{"name": "a.bin", "type": "application/octet-stream", "content_base64": large}]))
    return mail.read_bytes(), base64.b64decode(large)


class Exit(unittest.TestCase):
    def test_the_page_shows_the_keys_of_a_tree_that_lost_nothing(self):
        vault, tree = (json.loads(line) for line in page_example("exit.md", "keys").splitlines())
        self.assertEqual(bytes.fromhex(vault["vault"]), bytes(range(16)))
        sys.path.insert(0, str(OPENER.parent))
        import open_exit_export as reader
        self.assertEqual(reader.Export.cover(bytes.fromhex(tree["cover"])), [(0, 0, b"\x55" * 32)])
        export = reader.Export.__new__(reader.Export)
        export.covers = {1: reader.Export.cover(bytes.fromhex(tree["cover"]))}
        leaf = page_example("keys.md", "leaf 40").split("#")[0].strip()
        self.assertEqual(export.leaf_key(tree["tree"], 40).hex(), leaf)

    def test_everything_leaves_and_somebody_else_opens_it(self):
        with House() as h:
            mail, large = filled(h)
            gone = h.record_of("wort7")
            h.erase(gone)
            out = h.folder / "exit"
            report = h.json("exit-export", "--to", out, *TWO)
            self.assertEqual((report["records"], report["erased"], report["unreadable"]), (302, 1, 0))
            with open(out / "index.csv", encoding="utf-8", newline="") as table:
                rows = list(csv.DictReader(table))
            self.assertEqual(len(rows), 303)
            self.assertEqual([int(r["entry"]) for r in rows if r["state"] == "erased"], [int(gone)])
            lines = [json.loads(line) for line in (out / "messages.jsonl").read_text().splitlines()]
            self.assertEqual(len(lines), 302)
            self.assertEqual((out / next(r["file"] for r in rows if r["source"] == "mails")).read_bytes(), mail)
            attached = next(a for line in lines for a in line.get("attachments", []) if a["name"] == "a.bin")
            self.assertEqual((out / attached["file"]).read_bytes(), large)
            self.assertEqual(h.verify(out / "archive")[0], 0)
            # Without Kustos.
            opened = subprocess.run([sys.executable, OPENER, out, h.folder / "opened"], capture_output=True, text=True, check=False)
            self.assertEqual(opened.returncode, 0, opened.stdout + opened.stderr)
            self.assertIn("302 records opened, 0 wrong", opened.stdout)
            for row in rows:
                if row["state"] == "exported":
                    self.assertEqual((h.folder / "opened" / row["file"]).read_bytes(), (out / row["file"]).read_bytes())
            # Nothing of the erased one, and the program notices an index that lies.
            text = (out / "index.csv").read_text()
            (out / "index.csv").write_text(text.replace(",exported,", ",erased,", 1))
            self.assertEqual(subprocess.run([sys.executable, OPENER, out], capture_output=True, check=False).returncode, 1)
            entries = h.json("audit", "list", "--action", "exit_exported")["entries"]
            self.assertEqual(entries[0]["rows"]["count"], "302")
            shown = h.run("audit", "show", str(entries[0]["entry"]), "--ground", "Prüfung").stdout
            self.assertIn("Anna Alt", shown)
            self.assertIn("Bert Bau", shown)

    def test_one_person_is_not_enough_and_a_closed_vault_gives_nothing(self):
        with House() as h:
            h.ingest(event(1, "wort"))
            out = h.folder / "exit"
            for names in (("Anna Alt",), ("Anna Alt", "anna  ALT"), ("Anna Alt", " ")):
                arguments = [a for n in names for a in ("--approver", n)]
                done = h.call("exit-export", "--to", out, "--ground", "x", *arguments)
                self.assertEqual(done.returncode, 3, done.stderr)
                self.assertFalse(out.exists())
            self.assertEqual(h.call("exit-export", "--to", h.path, *TWO).returncode, 6)

    def test_an_interrupted_export_goes_on_and_a_killed_one_too(self):
        with House() as h:
            filled(h)
            out = h.folder / "exit"
            interrupted = 0
            for wait in [n / 100 for n in range(2, 60, 2)]:
                child = h.begin("exit-export", "--to", out, *TWO)
                time.sleep(wait)
                child.kill()
                child.wait()
                if (out / "README.txt").exists():  # it was through
                    break
                interrupted += out.exists()
            self.assertGreater(interrupted, 0)
            if (out / "README.txt").exists() and not (out / ".progress").exists():
                self.assertEqual(h.call("exit-export", "--to", out, *TWO).returncode, 6)  # it is there already
                (out / ".progress").write_text("{}")
                self.assertEqual(h.call("exit-export", "--to", out, *TWO).returncode, 6)  # nobody decided on that one
                (out / ".progress").unlink()
                self.check_whole(out)
                return
            report = h.json("exit-export", "--to", out, *TWO)
            self.assertEqual(report["records"], 303)
            self.check_whole(out)

    def check_whole(self, out):
        self.assertFalse((out / ".progress").exists())
        self.assertFalse((out / "part").exists())
        self.assertEqual(len((out / "index.csv").read_text().splitlines()), 304)
        self.assertEqual(len((out / "messages.jsonl").read_text().splitlines()), 303)
        opened = subprocess.run([sys.executable, OPENER, out], capture_output=True, text=True, check=False)
        self.assertEqual(opened.returncode, 0, opened.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
