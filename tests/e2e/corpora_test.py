"""Mail and messenger corpora that are not part of the repository: nothing crashes, and every original comes back."""
import hashlib
import unittest

from kustos import Archive, shared

MAIL = ["enron-freeeed", "mime4j", "authored-de", "authored-journal", "authored-crypto", "authored-mbox",
        "authored-maildir"]


@unittest.skipUnless(shared(), "the corpora are absent: set KUSTOS_SHARED, or lay them beside this repository")
class Corpora(unittest.TestCase):
    def test_every_original_comes_back_byte_by_byte(self):
        email = shared() / "corpora" / "email"
        with Archive() as a:
            a.run("source", "add", "mail", "--kind", "import")
            taken = 0
            for name in MAIL:
                result = a.json("ingest", "--source", "mail", email / name)
                self.assertFalse(result["interrupted"], name)
                taken += result["messages"]
            status = a.json("status")
            coverage = status["coverage"]
            self.assertEqual((coverage["sealed"], coverage["failed"], coverage["deferred"]), (taken, 0, 0))
            matter = a.matter()
            folder = a.folder / "originals"
            a.run("export", "--matter", matter, "--query", "source:mail", "--as", "eml", "--out", folder)
            sums = dict(reversed(line.split("  ")) for line in (folder / "SHA256SUMS").read_text().splitlines())
            have = {hashlib.sha256(f.read_bytes()).hexdigest() for f in folder.iterdir() if f.name != "SHA256SUMS"}
            self.assertEqual(have, set(sums.values()))
            files = [f for name in MAIL[:5] for f in sorted((email / name).rglob("*"))
                     if f.suffix in (".eml", ".msg") and f.stat().st_size]
            self.assertGreater(len(files), 200)
            missing = [f.name for f in files if hashlib.sha256(f.read_bytes()).hexdigest() not in have]
            self.assertEqual(missing, [])
            self.assertEqual(a.verify()[0], 0)

    def test_hostile_files_are_sealed_or_refused_and_the_archive_stays_whole(self):
        with Archive() as a:
            a.run("source", "add", "s", "--kind", "import")
            for name in ("email", "messenger"):
                a.json("ingest", "--source", "s", shared() / "corpora" / "hostile" / name)
            coverage = a.json("status")["coverage"]
            self.assertEqual((coverage["failed"], coverage["deferred"]), (0, 0))
            self.assertEqual(a.verify()[0], 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
