"""A large attachment comes in and goes out in far less memory than it has bytes: 192 MiB in 128, measured from outside."""
import base64
import hashlib
import json
import os
import subprocess
import sys
import unittest

from kustos import BIN, Archive, event

SIZE = int(os.environ.get("KUSTOS_LARGE_MIB", "192")) << 20  # by hand: 4096
MOST = 128 << 10  # KiB of resident memory, the program itself included
PIECE = 57 << 14  # whole base64 lines

# A child of its own for each measurement: ru_maxrss of all children is the largest there ever was.
MEASURE = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[2:], stdout=open(sys.argv[1], "wb"), stdin=subprocess.DEVNULL)
print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def sha256_of(file):
    with open(file, "rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


class Large(unittest.TestCase):
    def setUp(self):
        self.a = Archive("--suite", "xchacha20") if "xchacha" in self.id() else Archive()
        self.addCleanup(self.a.__exit__)
        self.a.run("source", "add", "files", "--kind", "import")
        self.big = self.a.folder / "big.bin"
        with open(self.big, "wb") as f:
            for _ in range(0, SIZE, 1 << 20):
                f.write(os.urandom(1 << 20))  # nothing to compress
        self.sum = sha256_of(self.big)
        self.out = self.a.folder / "out"

    def measured(self, *arguments):
        """Runs kustos into self.out; fails if it held what it moved."""
        environment = dict(os.environ, KUSTOS_ARCHIVE=str(self.a.path), KUSTOS_STATE=str(self.a.state), LC_ALL="en")
        done = subprocess.run([sys.executable, "-c", MEASURE, self.out, BIN / "kustos", *map(str, arguments)],
                              env=environment, capture_output=True, text=True, check=True, timeout=3600)
        code, memory = map(int, done.stdout.split())
        self.assertEqual(code, 0, done.stderr)
        self.assertLess(memory, MOST, f"kustos {arguments[0]} took {memory} KiB")

    def ingest(self, file, count=1):
        self.measured("--json", "ingest", "--source", "files", file)
        answer = json.loads(self.out.read_bytes())
        self.assertEqual((answer["messages"], answer["attachments"], answer["quarantined"]), (count, count, 0))
        self.assertEqual(answer["findings"], [])
        self.assertEqual([p.name for p in (self.a.path / "staging").iterdir() if not p.name.startswith("batch")], [])
        matter = self.a.matter()
        record = self.a.json("search", "--matter", matter, "Prüfbericht")["hits"][0]["record"]
        return matter, record

    def attachment_comes_back(self, matter, record):
        self.measured("show", "--matter", matter, record, "--attachment", 1)
        self.assertEqual(sha256_of(self.out), self.sum)

    def verifies(self):
        code, report = self.a.verify()
        self.assertEqual(code, 0, report)

    def stream(self):
        stream = self.a.folder / "in.ndjson"
        file = {"name": "big.bin", "type": "application/octet-stream", "path": "big.bin", "sha256": self.sum}
        stream.write_text(event(1, "Prüfbericht", attachments=[file]) + "\n")
        self.attachment_comes_back(*self.ingest(stream))
        self.verifies()

    def test_by_message_stream(self):
        self.stream()

    def test_by_message_stream_with_xchacha(self):
        self.stream()

    def test_by_mail(self):
        mail = self.a.folder / "mail.eml"
        with open(mail, "wb") as out, open(self.big, "rb") as content:
            out.write(b"From: a@x.example\r\nTo: b@x.example\r\nSubject: =?utf-8?q?Pr=C3=BCfbericht?=\r\n"
                      b"Date: Mon, 2 Mar 2026 10:00:00 +0100\r\nMessage-ID: <m@x.example>\r\nMIME-Version: 1.0\r\n"
                      b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nText\r\n"
                      b"--b\r\nContent-Type: application/octet-stream; name=big.bin\r\n"
                      b"Content-Transfer-Encoding: base64\r\n\r\n")
            while piece := content.read(PIECE):
                out.write(base64.encodebytes(piece).replace(b"\n", b"\r\n"))
            out.write(b"--b--\r\n")
        matter, record = self.ingest(mail)
        self.attachment_comes_back(matter, record)
        whole = sha256_of(mail)
        self.measured("show", "--matter", matter, record, "--original")
        self.assertEqual(sha256_of(self.out), whole)
        self.measured("export", "--matter", matter, "--query", "Prüfbericht", "--as", "eml", "--out", self.a.folder / "emls")
        self.assertIn(whole, (self.a.folder / "emls" / "SHA256SUMS").read_text())
        (name,) = (self.a.folder / "emls").glob("*.eml")
        self.assertEqual(sha256_of(name), whole)
        name.unlink()
        mbox = self.a.folder / "all.mbox"
        self.measured("export", "--matter", matter, "--query", "Prüfbericht", "--as", "mbox", "--out", mbox)
        self.assertGreater(mbox.stat().st_size, mail.stat().st_size)
        self.assertFalse((self.a.folder / "all.mbox.part").exists())
        self.verifies()


if __name__ == "__main__":
    unittest.main()
