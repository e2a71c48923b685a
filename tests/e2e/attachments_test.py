"""Attachments end to end: what is read of them, what is not and why, and what is had later."""
import base64
import json
import os
import shutil
import subprocess
import unittest

from kustos import BIN, Archive, event

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


if __name__ == "__main__":
    unittest.main()
