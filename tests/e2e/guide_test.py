"""docs/expert-guide.md and .de.md do what they promise, and docs/expert/check_bundle.py finds what was changed.

KUSTOS_FLIPS: about how many flipped bits (default 60); KUSTOS_SEED: where they are. To print the guides' outputs anew from a bundle:
python3 tests/e2e/guide_test.py --rewrite demo/bundle.pdf"""
import importlib.util
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "verify"))
import fixtures  # noqa: E402
import forge  # noqa: E402
import guide_commands  # noqa: E402
from kustos import DEMO, ROOT, Archive  # noqa: E402

FLIPS = int(os.environ.get("KUSTOS_FLIPS", "60"))
SEED = int(os.environ.get("KUSTOS_SEED", "20261129"))
GUIDES = [ROOT / "docs" / name for name in ("expert-guide.md", "expert-guide.de.md")]
PROGRAM = ROOT / "docs" / "expert" / "check_bundle.py"
QUERY = "Fundamente OR Fangstelle OR Holzfeuchte OR Prüfbericht"


def fill(archive):
    """As ./run demo does, without its live part."""
    for name in ("messenger", "mail", "live"):
        archive.run("source", "add", name, "--kind", "import")
    archive.run("ingest", "--source", "messenger", "--format", "mattermost-csv", DEMO / "messenger.zip")
    archive.run("ingest", "--source", "mail", DEMO / "mail.mbox", *sorted((DEMO / "mail").glob("*.eml")))


def export(archive, name, query=QUERY):
    out = archive.folder / name
    archive.run("--lang", "de", "export", "--matter", archive.matter(), "--query", query, "--out", out)
    return out.read_bytes()


def check(pdf, *fingerprint):
    """(exit code, lines) of check_bundle.py."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "bundle.pdf")
        file.write_bytes(pdf)
        done = subprocess.run([sys.executable, PROGRAM, file, *fingerprint], capture_output=True, text=True, check=False, timeout=300)
    return done.returncode, done.stdout.splitlines() + done.stderr.splitlines()


def in_folder(bundle, page):
    """The page's commands, run beside the bundle and the program."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "bundle.pdf").write_bytes(bundle)
        shutil.copy(PROGRAM, folder)
        found = guide_commands.commands(page.read_text())
        return found, guide_commands.run(found, folder)


class Guide(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.a = Archive("--tsa", "builtin")
        fill(cls.a)
        cls.bundle = export(cls.a, "bundle.pdf")
        members = forge.Container(cls.bundle).members  # the first two records: chat messages, whose numbers depend on what else is sealed
        cls.first, cls.second = sorted(Path(name).stem for name in members if name.startswith("records/"))[:2]
        cls.fingerprint = cls.a.verify(cls.a.folder / "bundle.pdf")[1]["fingerprint"]
        key = next(cls.a.state.glob("*/signer/evidence.key")).read_bytes()
        certificate = next(cls.a.state.glob("*/signer/evidence.crt")).read_bytes()
        cls.keys = key, forge.openssl("x509", "-in", "pem", "-outform", "DER", pem=certificate)

    @classmethod
    def tearDownClass(cls):
        cls.a.__exit__()

    def found(self, pdf, *words):
        """It is wrong, and a line that says so has these words."""
        code, lines = check(pdf)
        self.assertEqual(code, 1, lines)
        for word in words:
            self.assertTrue(any(line.startswith("WRONG") and word in line for line in lines), (word, lines))

    # --- the guides ---
    def test_every_command_of_both_guides_prints_what_the_guide_promises(self):
        for page in GUIDES:
            found, whole = in_folder(self.bundle, page)
            self.assertTrue(whole, f"{page.name}: the shell ended early")
            self.assertGreater(len(found), 60)
            known = {}
            for command in found:
                with self.subTest(page=page.name, line=command.line, command=command.text):
                    self.assertEqual(len(command.printed), len(command.promised), command.printed)
                    for promised, printed in zip(command.promised, command.printed):
                        self.assertTrue(guide_commands.fits(promised, printed, known), f"promised: {promised}\nprinted:  {printed}")

    def test_both_guides_have_the_same_commands(self):
        english, german = ([c.text for c in guide_commands.commands(page.read_text())] for page in GUIDES)
        self.assertEqual(english, german)

    def test_the_commands_print_something_else_on_a_bundle_that_was_changed(self):
        container = forge.Container(self.bundle)
        container.edit(f"records/{self.first}.json", lambda r: r["proof"].__setitem__(0, "00" * 32))
        original = bytearray(self.bundle)
        original[self.bundle.index(b"Die Abnahme ist erfolgt")] ^= 1
        for bad, first in ((forge.sign_pdf(forge.pdf_objects(container.zip()), *self.keys), "climb.py"), (bytes(original), "sha256sum -c")):
            found, _ = in_folder(bad, GUIDES[0])
            known = {}
            differs = [c.text for c in found if len(c.printed) != len(c.promised) or
                       not all(guide_commands.fits(a, b, known) for a, b in zip(c.promised, c.printed))]
            self.assertTrue(any(first in text for text in differs), differs)

    def test_the_german_guide_translates_every_sentence_of_the_program(self):
        page = GUIDES[1].read_text()
        for line in check(self.bundle)[1][:-1] + check(self.bundle, self.fingerprint)[1][:-1]:
            line = re.sub(r"kustos\.archive/[0-9a-f]+|([0-9a-f]{4} ){15}[0-9a-f]{4}|(?<=\")builtin(?=\")", "X", line)
            line = re.sub(r"[A-Z][a-z]{2} +\d+ [\d:.]+ \d{4} GMT", "T", line)
            self.assertIn(f"| `{re.sub('[0-9]+', 'N', line.strip())}` |", page)

    # --- the program ---
    def test_a_sound_bundle_is_right_and_the_fingerprint_is_compared(self):
        code, lines = check(self.bundle, self.fingerprint)
        self.assertEqual((code, [line for line in lines[:-1] if not line.startswith("right")]), (0, []))
        self.assertEqual(sum("It is the fingerprint that you gave" in line for line in lines), 1)
        code, lines = check(self.bundle)
        self.assertEqual(code, 0)
        self.assertEqual(sum("Nobody has compared it" in line for line in lines), 1)

    def test_a_wrong_fingerprint_is_named(self):
        other = self.fingerprint.replace(self.fingerprint[0], "0" if self.fingerprint[0] != "0" else "1")
        code, lines = check(self.bundle, other)
        wrong = [line for line in lines if line.startswith("WRONG")]
        self.assertEqual((code, len(wrong)), (1, 1))
        self.assertIn("It is not the fingerprint that you gave", wrong[0])
        self.assertIn("the fingerprint", lines[-1])
        self.assertTrue(any(self.fingerprint in line for line in lines))

    def test_bundles_of_other_kinds_are_right_until_something_is_changed(self):
        kinds = {fixtures.make_rotated: {"rotations/000001.entry": "The checkpoint", "rotations/000002.tlog-proof": "The checkpoint"},
                 fixtures.make_continued: {"rotations/000001.entry": "The checkpoint", "context/": "The"},
                 fixtures.make_witnessed: {"originals/": "its original is not what was sealed"},
                 fixtures.make_stamped: {"anchors/0.der": "The time stamp"},
                 fixtures.make_large: {"attachments/": "is not what was sealed", "blobs/": "The", "originals/": "no record answers for"}}
        for make, parts in kinds.items():
            with tempfile.TemporaryDirectory(prefix="kustos-e2e-") as folder, self.subTest(kind=make.__name__):
                archive = make(Path(folder))
                Path(folder, "bundle.pdf").write_bytes(archive.bundle)
                fingerprint = self.a.verify(Path(folder, "bundle.pdf"))[1]["fingerprint"]
                code, lines = check(archive.bundle, fingerprint)
                self.assertEqual(code, 0, lines)
                for part, words in parts.items():
                    container = forge.Container(archive.bundle)
                    name = next(n for n in container.members if n.startswith(part))
                    content = bytearray(container.members[name])
                    content[150 if part.startswith("anchors/") else len(content) // 2] ^= 1  # of a token, what is signed
                    container.members[name] = bytes(content)
                    container.list_files()
                    self.found(forge.sign_pdf(forge.pdf_objects(container.zip()), *archive.evidence()), words)

    def test_one_flipped_bit_anywhere_is_found(self):
        pdf, chance = self.bundle, random.Random(SEED)
        start, end = pdf.index(b"PK\3\4"), pdf.rindex(b"PK\5\6") + 22
        gap = pdf.rindex(b"/Contents <") + 11
        cms = 2 * (4 + int(pdf[gap + 4:gap + 8], 16))
        parts = [(0, start), (start, end), (end, gap), (gap, gap + cms), (gap + cms, gap + 16384), (gap + 16384, len(pdf))]
        first = self.first.encode()
        # Of each member its header or first bytes too; of the signature what openssl does not look at.
        places = [pdf.index(name) + shift for name in (b"checkpoint.note", b"anchors/0.der", b"context/000000000000.json",
                  b"context/000000000001.json", b"records/%b.json" % first, b"originals/%b.csv" % first,
                  b"evidence/%b.ers" % first, b"manifest.json", b"trust-hint.txt") for shift in (-8, 3, 60)]
        certificate = pdf[gap:gap + cms].decode().index(self.keys[1].hex()) // 2
        places += [gap + 2 * at for at in (25, 48, 53, certificate + 20, certificate + 100, certificate + len(self.keys[1]) + 10)]
        places += [chance.randrange(*part) for part in parts for _ in range(max(1, (FLIPS - len(places)) // len(parts)))]
        self.assertGreaterEqual(len(places), 40)
        self.assertGreaterEqual(sum(gap <= at < gap + cms for at in places), 8)

        def flipped(at):
            bad = bytearray(pdf)
            bad[at] ^= 1 << chance.randrange(8)
            return at, check(bytes(bad))

        with ThreadPoolExecutor(2) as pool:
            for at, (code, lines) in pool.map(flipped, places):
                with self.subTest(byte=at):
                    self.assertEqual(code, 1, lines)
                    self.assertTrue(any(line.startswith("WRONG") for line in lines), lines)
        print(f"{len(places)} bits flipped, seed {SEED}", flush=True)

    def test_whoever_has_the_archives_signing_key_still_cannot_change_what_the_ledger_holds(self):
        record, original, token = f"records/{self.first}.json", f"originals/{self.first}.csv", "anchors/0.der"

        def put(container, change):
            change(container)
            container.list_files()

        def byte(name, at):
            def change(container):
                content = bytearray(container.members[name])
                content[at] ^= 1
                container.members[name] = bytes(content)
            return change

        def edit(name, change):
            return lambda container: container.edit(name, change)

        def without(name):
            return lambda container: container.members.pop(name)

        other = "00" * 32
        cases = [
            (lambda c: None, []),
            (byte(original, 20), ["its original is not what was sealed"]),
            (edit(record, lambda r: r["proof"].__setitem__(2, other)), ["does not lead to the checkpoint"]),
            (edit(record, lambda r: r["proof"].pop()), ["too short"]),
            (edit(record, lambda r: r["proof"].append(other)), ["too long"]),
            (edit(record, lambda r: r.__setitem__("index", int(self.second))), ["does not lead to the checkpoint"]),
            (edit(record, lambda r: r.__setitem__("key_commitment", other)), ["fields are not the entry's"]),
            (edit(record, lambda r: r["commitments"].__setitem__(6, other)), ["fields are not the entry's"]),
            (edit(record, lambda r: r["fields"].pop()), ["more or fewer fields"]),
            (edit(record, lambda r: r["fields"][6].__setitem__("value", "AAAA")), ["field 6 is not what was sealed"]),
            (edit(record, lambda r: r["fields"][6].__setitem__("salt", other)), ["field 6 is not what was sealed"]),
            (edit(record, lambda r: r["fields"][6].__setitem__("path", 7)), ["field 6 is not what was sealed"]),
            (edit(record, lambda r: r["fields"][6].__setitem__("type", 2)), ["field 6 is not what was sealed"]),
            (edit(record, lambda r: r["fields"][12].__setitem__("salt", other)), ["field 12 is not what was sealed"]),
            (edit(record, lambda r: r.pop("original")), ["no record answers for " + original]),
            (edit("manifest.json", lambda m: m["records"].pop()), ["no record answers for"]),
            (edit("manifest.json", lambda m: m["records"].append(record)), ["stands in the bundle twice"]),
            (edit(f"records/{self.second}.json", lambda r: r.__setitem__("original", original)), ["stands in the bundle twice"]),
            (lambda c: (c.members.__setitem__("records/000000000007.json", c.members.pop(record)), c.edit("manifest.json", lambda m: m["records"].
                       __setitem__(0, "records/000000000007.json"))), ["it has the number of another entry"]),
            (edit("manifest.json", lambda m: m["anchors"][0]["path"][1].__setitem__(0, other)), ["over something else"]),
            (edit("manifest.json", lambda m: m["anchors"][0]["path"][0].__setitem__(0, other)), ["not of this checkpoint"]),
            (edit("context/000000000000.json", lambda e: e["proof"].__setitem__(0, other)), ["The identity of the archive"]),
            (edit("context/000000000001.json", lambda e: e["proof"].__setitem__(0, other)), ["The identity of the archive", "The signature"]),
            (byte(token, 200), ["The time stamp"]),
            (byte(token, -4), ["The time stamp"]),
            (byte("checkpoint.note", 50), ["The checkpoint"]),
            (byte("checkpoint.note", -9), ["The checkpoint"]),
            (without("context/000000000001.json"), ["The identity of the archive"]),
            (without(record), ["The record"]),
        ]
        for number, (change, words) in enumerate(cases):
            container = forge.Container(self.bundle)
            put(container, change)
            pdf = forge.sign_pdf(forge.pdf_objects(container.zip()), *self.keys)
            with self.subTest(case=number, words=words):
                if words:
                    self.found(pdf, *words)
                else:
                    self.assertEqual(check(pdf)[0], 0)

    def test_inclusion_proofs_of_all_small_ledgers_hold_and_no_other_number_or_size_fits(self):
        spec = importlib.util.spec_from_file_location("check_bundle", PROGRAM)
        program = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(program)

        def root(leaves):  # RFC 6962 section 2.1
            if len(leaves) == 1:
                return leaves[0]
            half = 1 << (len(leaves) - 1).bit_length() - 1
            return program.sha(b"\1", root(leaves[:half]), root(leaves[half:]))

        def path(index, leaves):
            if len(leaves) == 1:
                return []
            half = 1 << (len(leaves) - 1).bit_length() - 1
            if index < half:
                return path(index, leaves[:half]) + [root(leaves[half:])]
            return path(index - half, leaves[half:]) + [root(leaves[:half])]

        def climbed(*given):
            try:
                return program.climb(*given)
            except ValueError:
                return None
        everything = [program.sha(bytes([i])) for i in range(24)]
        for size in range(1, 25):
            leaves = everything[:size]
            for index in range(size):
                proof, top = path(index, leaves), root(leaves)
                self.assertEqual(climbed(index, size, leaves[index], proof), top)
                self.assertNotEqual(climbed(index, size, leaves[index], proof + [top]), top)
                if proof:
                    self.assertNotEqual(climbed(index, size, leaves[index], proof[:-1]), top)
                for other in range(-1, size + 3):
                    if other != index:
                        self.assertNotEqual(climbed(other, size, leaves[index], proof), top, (index, other, size))

    def test_a_bundle_that_somebody_else_has_signed_is_named(self):
        with Archive("--tsa", "builtin") as other:
            key = next(other.state.glob("*/signer/evidence.key")).read_bytes()
            pem = next(other.state.glob("*/signer/evidence.crt")).read_bytes()
            keys = key, forge.openssl("x509", "-in", "pem", "-outform", "DER", pem=pem)
        pdf = forge.sign_pdf(forge.pdf_objects(forge.Container(self.bundle).zip()), *keys)
        self.found(pdf, "its certificate is none that the ledger names")

    def test_what_is_no_bundle_is_refused(self):
        for bad in (b"", b"%PDF-1.7\n", self.bundle[:1000], self.bundle[:-1], self.bundle + b"\n", self.bundle + self.bundle):
            self.assertEqual(check(bad)[0], 1, len(bad))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--rewrite"]:
        for guide in GUIDES:
            guide.write_text(guide_commands.rewritten(guide.read_text(), in_folder(Path(sys.argv[2]).read_bytes(), guide)[0]))
    else:
        unittest.main(verbosity=2)
