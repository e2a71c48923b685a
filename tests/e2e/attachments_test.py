"""Attachments end to end: what is read of them, what is not and why, and what is had later."""
import base64
import hashlib
import json
import os
import shutil
import subprocess
import time
import unittest

from kustos import BIN, ROOT, Archive, event

SAMPLES = ROOT / "tests" / "data" / "ingest" / "attachments"

SANDBOX = ["bwrap", "--unshare-user", "--unshare-pid", "--bind", "/", "/", "--dev-bind", "/dev", "/dev", "--proc", "/proc"]


def bubblewrap_works():
    """As the program needs it, and once more around it: that is how a machine without it is made here."""
    inner = ["bwrap", "--unshare-all", "--ro-bind", "/usr", "/usr", "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64"]
    return shutil.which("bwrap") and subprocess.run([*inner, "--", "/usr/bin/true"], check=False, capture_output=True).returncode == 0


def stream(archive, *lines):
    file = archive.folder / "stream.ndjson"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def attached(number, name, media_type, content):
    return event(number, "siehe Anhang", attachments=[
        {"name": name, "type": media_type, "content_base64": base64.b64encode(content).decode()}])


def without_bubblewrap(archive, *arguments):
    """The same program on a machine where nobody has installed bubblewrap: /dev/null lies over it."""
    environment = dict(os.environ, KUSTOS_ARCHIVE=str(archive.path), KUSTOS_STATE=str(archive.state), LC_ALL="en")
    done = subprocess.run([*SANDBOX, "--ro-bind", "/dev/null", "/usr/bin/bwrap", "--", BIN / "kustos", *map(str, arguments)],
                          env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=300)
    if done.returncode != 0:
        raise AssertionError(f"kustos {arguments[0]} ended with {done.returncode}: {done.stderr}")
    return done.stdout


@unittest.skipUnless(bubblewrap_works(), "skipped: bubblewrap does not work on this machine, so no attachment is read")
class Attachments(unittest.TestCase):
    def test_without_bubblewrap_nothing_is_read_and_later_it_is(self):
        with Archive("--tsa", "builtin") as a:
            a.run("source", "add", "files", "--kind", "import")
            lines = stream(a, attached(1, "brief.txt", "text/plain", "Zwetschgenkuchen".encode()), event(2, "nur Text"))
            without_bubblewrap(a, "ingest", "--source", "files", "--format", "stream", lines)
            matter = a.matter()
            self.assertEqual(a.json("search", "--matter", matter, "Zwetschgenkuchen")["total"], 0)
            coverage = a.json("search", "--matter", matter, "coverage:no-sandbox")
            self.assertEqual((coverage["total"], coverage["coverage"]["partial"], coverage["coverage"]["searchable"]), (1, 1, 1))
            status = json.loads(without_bubblewrap(a, "--json", "status"))
            self.assertEqual((status["sandbox"], status["reasons"]), ("none", {"no-sandbox": 1}))
            self.assertTrue(any("bubblewrap" in step and "kustos index retry" in step for step in status["next_steps"]))
            said = without_bubblewrap(a, "status")
            self.assertIn("none: attachments are not read", said)

            # With it, status says what waits, and the text comes in.
            status = a.json("status")
            self.assertIn("bubblewrap", status["sandbox"])
            self.assertTrue(any("kustos index retry" in step for step in status["next_steps"]))
            self.assertEqual(a.json("index", "retry")["records"], 1)
            self.assertEqual(a.json("search", "--matter", matter, "Zwetschgenkuchen")["total"], 1)
            status = a.json("status")
            self.assertEqual((status["reasons"], status["coverage"]["searchable"]), ({}, 2))
            self.assertFalse(any("index retry" in step for step in status["next_steps"]))
            self.assertEqual(a.json("index", "retry")["records"], 0)
            a.run("index", "retry", "--reason", "kein Wort", code=2)
            code, report = a.verify()
            self.assertEqual((code, report["ok"]), (0, True))

    def test_without_bubblewrap_no_archive_is_opened_and_nothing_is_lost(self):
        with Archive("--tsa", "builtin") as a:
            a.run("source", "add", "files", "--kind", "import")
            zipped = a.folder / "post.zip"
            shutil.make_archive(str(zipped.with_suffix("")), "zip", a.folder, "archive/config.yaml")
            with self.assertRaisesRegex(AssertionError, "(?s)ended with 6.*no sandbox"):
                without_bubblewrap(a, "ingest", "--source", "files", zipped)
            self.assertTrue(zipped.exists())
            self.assertEqual(json.loads(without_bubblewrap(a, "--json", "status"))["records"], 0)

    def test_what_a_picture_shows_is_found_and_marked_and_what_contradicts_its_name_is_shown(self):
        if not shutil.which("tesseract"):
            self.skipTest("skipped: tesseract is not installed (./run test installs it)")
        picture = (SAMPLES / "brief.png").read_bytes()
        with Archive("--tsa", "builtin") as a:
            a.run("source", "add", "files", "--kind", "import")
            a.run("ingest", "--source", "files", "--format", "stream",
                  stream(a, attached(1, "scan.png", "image/png", picture), attached(2, "rechnung.pdf", "application/pdf", b"MZ\x90\0 kein PDF")))
            matter = a.matter()
            hits = a.json("search", "--matter", matter, "Straßenverkehrsamt")
            self.assertEqual((hits["total"], hits["hits"][0]["found_in"]), (1, "scan.png"))
            self.assertEqual(a.json("search", "--matter", matter, "coverage:ocr")["total"], 1)
            self.assertEqual(a.json("search", "--matter", matter, "abdeckung:type-mismatch")["total"], 1)
            # By its sum, whatever it is called.
            self.assertEqual(a.json("search", "--matter", matter, "sha256:" + hashlib.sha256(picture).hexdigest())["total"], 1)
            shown = a.json("show", "--matter", matter, hits["hits"][0]["record"])["attachments"][0]
            self.assertEqual((shown["facts"]["kind"], shown["facts"]["text"], shown["facts"]["reason"], shown["facts"]["remarks"]),
                             ("png", "partial", "ocr", ["ocr"]))
            self.assertNotIn("virus", shown["facts"])
            other = a.json("search", "--matter", matter, "coverage:type-mismatch")["hits"][0]["record"]
            text = a.run("show", "--matter", matter, other).stdout
            self.assertIn("content is exe, presented as pdf (type-mismatch:exe-as-pdf)", text)
            reasons = a.json("status")["reasons"]
            self.assertEqual((reasons["ocr"], reasons["type-mismatch"]), (1, 1))

            # Switched off it stays out of the index, and comes in when it is on again.
            settings = (a.path / "config.yaml").read_text()
            (a.path / "config.yaml").write_text(settings + "\nattachments:\n  ocr: false\n")
            a.run("ingest", "--source", "files", "--format", "stream", stream(a, attached(3, "b.jpg", "image/jpeg", (SAMPLES / "brief.jpg").read_bytes())))
            self.assertEqual(a.json("search", "--matter", matter, "Straßenverkehrsamt")["total"], 1)
            self.assertEqual(a.json("status")["reasons"]["ocr-off"], 1)
            (a.path / "config.yaml").write_text(settings)
            self.assertEqual(a.json("index", "retry")["records"], 1)
            self.assertEqual(a.json("search", "--matter", matter, "Straßenverkehrsamt")["total"], 2)
            (a.path / "config.yaml").write_text(settings + "\nattachments:\n  ocr: vielleicht\n")
            self.assertIn("attachments.ocr", a.run("status", code=2).stderr)

    def test_a_scanners_verdict_is_shown_and_deletes_nothing(self):
        if not os.access("/usr/sbin/clamd", os.X_OK):
            self.skipTest("skipped: clamd is not installed (./run test installs it)")
        eicar = ("X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + "EICAR-STANDARD-" + "ANTIVIRUS-TEST-FILE!$H+H*").encode()
        with Archive("--tsa", "builtin") as a:
            a.run("source", "add", "files", "--kind", "import")
            socket = a.folder / "clamd.ctl"
            with open(a.path / "config.yaml", "a", encoding="utf-8") as config:
                config.write(f"\nattachments:\n  clamav: {socket}\n")
            lines = stream(a, attached(1, "test.txt", "text/plain", eicar), attached(2, "gut.txt", "text/plain", b"Zwetschgenkuchen"))
            # Nobody answers: everything is taken in all the same.
            a.run("ingest", "--source", "files", "--format", "stream", lines)
            matter = a.matter()
            self.assertEqual(a.json("search", "--matter", matter, "coverage:virus-unchecked")["total"], 2)
            self.assertTrue(any("virus-unchecked" in step for step in a.json("status")["next_steps"]))
            (a.folder / "db").mkdir()
            (a.folder / "db" / "test.ndb").write_text("Eicar-Signature:0:0:58354f2150254041505b345c505a58353428505e2937434329377d\n")
            (a.folder / "clamd.conf").write_text(f"DatabaseDirectory {a.folder / 'db'}\nLocalSocket {socket}\nForeground yes\n")
            daemon = subprocess.Popen(["/usr/sbin/clamd", f"--config-file={a.folder / 'clamd.conf'}"],
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                for _ in range(600):
                    if socket.exists() or daemon.poll() is not None:
                        break
                    time.sleep(0.05)
                self.assertEqual(a.json("index", "retry", "--reason", "virus-unchecked")["records"], 2)
            finally:
                daemon.kill()
                daemon.wait()
            found = a.json("search", "--matter", matter, "coverage:virus-found")
            self.assertEqual((found["total"], a.json("search", "--matter", matter, "Zwetschgenkuchen")["total"]), (1, 1))
            record = found["hits"][0]["record"]
            virus = a.json("show", "--matter", matter, record)["attachments"][0]["facts"]["virus"]
            self.assertEqual((virus["verdict"], virus["signature"][:15]), ("found", "Eicar-Signature"))
            self.assertRegex(virus["scanner"], r"^ClamAV \d")
            self.assertTrue(any("virus-found" in step for step in a.json("status")["next_steps"]))
            self.assertIn(eicar, a.run("show", "--matter", matter, record, "--original", text=False).stdout + base64.b64decode(
                json.loads(a.run("show", "--matter", matter, record, "--original").stdout)["attachments"][0]["content_base64"]))
            self.assertEqual(a.verify()[0], 0)


if __name__ == "__main__":
    unittest.main()
