"""One changed bit, anywhere in what proves something, is found and named.

KUSTOS_FLIPS: how many places in all (default 72; at least 200 in each kind with 1000). KUSTOS_SEED: where they are."""
import os
import random
import shutil
import unittest
from pathlib import Path

from kustos import DEMO, Archive

FLIPS = int(os.environ.get("KUSTOS_FLIPS", "72"))
SEED = int(os.environ.get("KUSTOS_SEED", "20261124"))


class Flips(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        print(f"{FLIPS} places, seed {SEED}", flush=True)
        cls.a = a = Archive("--tsa", "builtin")
        a.run("source", "add", "messenger", "--kind", "import")
        a.run("source", "add", "mail", "--kind", "import")
        a.run("ingest", "--source", "messenger", DEMO / "messenger.zip")
        a.run("ingest", "--source", "mail", DEMO / "mail.mbox", *sorted((DEMO / "mail").glob("*.eml")))
        cls.bundle = a.folder / "bundle.pdf"
        a.run("export", "--matter", a.matter(), "--query", "Fundamente OR Holzfeuchte", "--out", cls.bundle)
        cls.copy = a.folder / "copy"
        shutil.copytree(a.path, cls.copy)
        cls.chance = random.Random(SEED)

    @classmethod
    def tearDownClass(cls):
        cls.a.__exit__()

    def flip(self, files, kinds, times, root=None, limit=None):
        """Each time one bit of one file; the report must have a problem of one of these kinds, and exit 1."""
        for _ in range(times):
            file = self.chance.choice(files)
            good = file.read_bytes()
            at, bit = self.chance.randrange(min(len(good), limit or len(good))), self.chance.randrange(8)
            bad = bytearray(good)
            bad[at] ^= 1 << bit
            file.write_bytes(bad)
            try:
                code, report = self.a.verify(root or file)
            finally:
                file.write_bytes(good)
            where = f"{file.name}, byte {at}, bit {bit}"
            self.assertEqual(code, 1, where)
            self.assertFalse(report["ok"], where)
            if kinds:
                named = {p["code"] for p in report["problems"]}
                self.assertTrue(any(n.startswith(k) for n in named for k in kinds), f"{where}: {named}")

    def part(self, pattern):
        return sorted(f for f in self.copy.glob(pattern) if f.is_file())

    def test_an_untouched_bundle_is_intact_and_of_unknown_origin_until_a_trust_file_pins_it(self):
        code, report = self.a.verify(self.bundle)
        self.assertEqual((code, report["ok"], report["origin"], report["time"]), (0, True, "unknown", "self"))
        code, report = self.a.verify(self.bundle, "--trust", self.a.trust)
        self.assertEqual((code, report["ok"], report["origin"]), (0, True, "pinned"))
        code, report = self.a.verify()
        self.assertEqual((code, report["ok"]), (0, True))
        self.assertNotEqual(report["not_checked"], [])

    def test_a_bundle_of_another_archive_is_of_unknown_origin_and_fails_under_the_true_trust_file(self):
        with Archive("--tsa", "builtin") as forger:
            forger.run("source", "add", "messenger", "--kind", "import")
            forger.run("ingest", "--source", "messenger", DEMO / "messenger.zip")
            forged = forger.folder / "forged.pdf"
            forger.run("export", "--matter", forger.matter(), "--query", "Fundamente", "--out", forged)
            code, report = self.a.verify(forged)
            self.assertEqual((code, report["origin"]), (0, "unknown"))
            code, report = self.a.verify(forged, "--trust", self.a.trust)
            self.assertEqual((code, report["ok"]), (1, False))
            self.assertIn("origin", " ".join(p["code"] for p in report["problems"]))

    def test_a_bit_of_the_bundle(self):
        copy = self.a.folder / "flipped.pdf"
        shutil.copy(self.bundle, copy)
        self.flip([copy], None, FLIPS // 3)

    def test_a_bit_of_a_tree_tile(self):
        self.flip(self.part("ledger/tile/0/**/*"), ["tile", "entry", "tree", "root", "ledger"], FLIPS // 6, self.copy)

    def test_a_bit_of_an_entry(self):
        self.flip(self.part("ledger/tile/entries/**/*"), ["tile", "entr", "ledger"], FLIPS // 6, self.copy)

    def test_a_bit_of_a_checkpoint(self):
        self.flip(self.part("ledger/checkpoint") + self.part("ledger/published/*"), ["checkpoint", "anchor", "note"],
                  FLIPS // 6, self.copy)

    def test_a_bit_of_a_vault_segment(self):
        self.flip(self.part("vault/segments/*"), ["segment", "ciphertext", "frame", "vault"], FLIPS // 6, self.copy)

    def test_a_bit_of_a_token(self):
        self.flip(self.part("ledger/anchors/*/*.der"), ["token", "anchor"], FLIPS // 6, self.copy)

    def test_a_file_that_is_gone_cut_or_longer_is_found(self):
        for pattern in ("ledger/tile/0/**/*", "ledger/tile/entries/**/*", "ledger/checkpoint", "vault/segments/*",
                        "ledger/anchors/*/0.der", "keys/boxes/*"):
            file = self.chance.choice(self.part(pattern))
            good = file.read_bytes()
            used = good.rstrip(b"\0") if file.suffix == ".seg" else good  # a segment's room is set aside in zeros
            longer = good + (b"\1" if file.suffix == ".seg" else b"\0")
            for bad in (None, used[:-1], used[: len(used) // 2], b"", longer):
                with self.subTest(file=file.name, size=None if bad is None else len(bad)):
                    file.unlink() if bad is None else file.write_bytes(bad)
                    try:
                        code, _ = self.a.verify(self.copy)
                    finally:
                        file.write_bytes(good)
                    self.assertEqual(code, 1)

    def test_a_bundle_that_is_cut_or_longer_is_found(self):
        good = self.bundle.read_bytes()
        copy = self.a.folder / "cut.pdf"
        for bad in (b"", good[:100], good[:-1], good[: len(good) // 2], good + b"\n% more\n", good + good):
            copy.write_bytes(bad)
            self.assertEqual(self.a.verify(copy)[0], 1, len(bad))


if __name__ == "__main__":
    unittest.main(verbosity=2)
