"""An Outlook mailbox file, imported by the real programs: sandbox, sealing, search, proof."""
import json
import unittest

from kustos import ROOT, Archive

SAMPLES = ROOT / "tests" / "data" / "ingest" / "outlook"


class MailboxFile(unittest.TestCase):
    def test_it_is_imported_once_found_by_words_and_proven(self):
        with Archive("--tsa", "builtin") as a:
            a.run("source", "add", "alt", "--kind", "import")
            for name in ("unicode.pst", "ansi.pst"):
                first = a.json("ingest", "--source", "alt", SAMPLES / name)
                self.assertEqual((first["messages"], first["quarantined"], first["findings"]), (4, 0, []))
                again = a.json("ingest", "--source", "alt", SAMPLES / name)
                self.assertEqual((again["messages"], again["duplicates"]), (0, 4))
            self.assertEqual(a.json("status")["records"], 8)
            matter = a.matter()
            found = a.json("search", "--matter", matter, "Spielplatz")
            self.assertEqual(len(found["hits"]), 2)
            self.assertEqual(a.verify()[0], 0)

    def test_a_damaged_one_is_sealed_whole_beside_what_could_be_read(self):
        with Archive("--tsa", "builtin") as a:
            a.run("source", "add", "alt", "--kind", "import")
            content = bytearray((SAMPLES / "ansi.pst").read_bytes())
            file = a.folder / "x.pst"
            file.write_bytes(content[:len(content) // 2])
            done = a.json("ingest", "--source", "alt", file)
            self.assertGreater(done["quarantined"], 0)
            self.assertTrue(any(f["code"].startswith("pst:") for f in done["findings"]), json.dumps(done))
            self.assertEqual(a.verify()[0], 0)


if __name__ == "__main__":
    unittest.main()
