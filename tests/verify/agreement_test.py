#!/usr/bin/env python3
"""kustos-verify and kustos_verify.py must give the same verdict on everything: ok, origin, time, exit code, and the code of the first
problem. A disagreement is a bug in one of the two, or in the page that both are written from.

Fixtures are made by the programs in KUSTOS_BIN (default build/bin), then damaged in many small ways, some with the archive's own keys,
so that the checks behind the signatures are reached. Chance is seeded.
"""
import json
import os
import random
import re
import shutil
import struct
import base64
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
import fixtures  # noqa: E402
import forge  # noqa: E402
import kustos_verify as kv  # noqa: E402

# Damage that neither verifier has to find, and why.
HARMLESS = {
    "archive: a temporary file is left in ledger": "an interrupted write, named in not_checked",
    "archive: a temporary file is left beside the segments": "an interrupted write, named in not_checked",
    "archive: keys is not there": "an auditor gets ledger and vault only",
    "archive: an empty folder stands among the tiles": "ledger.md: may stay behind",
    "archive: a folder of an anchor has no token": "an interrupted store, named in not_checked",
    "archive: the newest published checkpoint is named by no entry": "a crash between file and entry",
    "bundle: an unknown key stands in the manifest": "bundle.md: passed over",
    "bundle: a proven entry more stands in the context": "bundle.md: proven, and means nothing",
    "bundle: a field is redacted with its reasons": "what redaction is for",
    "bundle: no time stamp": "time is none then",
}
# name: (code of kustos-verify, code of kustos_verify.py, reason). Empty: they agree everywhere.
EXCEPTIONS = {}


def kustos_verify(path, trust):
    arguments = [fixtures.BIN / "kustos-verify", path, "--json"] + (["--trust", trust] if trust else [])
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    return done.returncode, json.loads(done.stdout) if done.returncode in (0, 1) else None


def second_verify(path, trust):
    try:
        report = kv.verify(path, trust)
    except kv.CallError as error:
        return error.code, None
    return (0 if report.ok() else 1), json.loads(json.dumps(report.json()))


def first_code(report):
    return report["problems"][0]["code"] if report["problems"] else None


class Case(unittest.TestCase):
    def agree(self, path, trust=None, name=None):
        """Both verdicts, compared; returns that of kustos-verify."""
        (code, theirs), (second_code, ours) = kustos_verify(path, trust), second_verify(path, trust)
        self.assertEqual(code, second_code, f"exit codes; second verifier: {ours and ours['problems'][:3]}; "
                                            f"kustos-verify: {theirs and theirs['problems'][:3]}")
        if theirs is None:
            return code, None
        for key in ("ok", "origin", "time", "subject", "fingerprint"):
            self.assertEqual(theirs[key], ours[key], key)
        codes = (first_code(theirs), first_code(ours))
        self.assertEqual(EXCEPTIONS.get(name, (codes[0], codes[0]))[:2], codes,
                         f"first problems: {theirs['problems'][:3]} and {ours['problems'][:3]}")
        return code, theirs


def setUpModule():
    global FOLDER, DEMO, LARGE, STAMPED, WITNESSED, ROTATED, CONTINUED
    keep = os.environ.get("KUSTOS_VERIFY_FIXTURES")  # a folder to make them in and to leave them
    FOLDER = Path(keep or tempfile.mkdtemp(prefix="kustos-agreement-"))
    if not keep:
        unittest.addModuleCleanup(shutil.rmtree, FOLDER, ignore_errors=True)
    DEMO, LARGE, STAMPED = fixtures.make_demo(FOLDER), fixtures.make_large(FOLDER), fixtures.make_stamped(FOLDER)
    WITNESSED, ROTATED = fixtures.make_witnessed(FOLDER), fixtures.make_rotated(FOLDER)
    CONTINUED = fixtures.make_continued(FOLDER)


def trust_file(name, *lines):
    path = FOLDER / name
    path.write_text("".join(lines))
    return path


class SoundFixtures(Case):
    """Nothing is damaged: more than the verdict must be equal."""

    def test_both_see_the_same_in_every_fixture(self):
        for archive in (DEMO, LARGE, STAMPED, WITNESSED, ROTATED, CONTINUED):
            pdf = FOLDER / (archive.path.name + "-sound.pdf")
            pdf.write_bytes(archive.bundle)
            for path in (archive.path, pdf):
                for trust in (None, archive.trust):
                    with self.subTest(path=path.name, trust=bool(trust)):
                        code, theirs = self.agree(path, trust)
                        self.assertEqual((code, theirs["origin"]), (0, "pinned" if trust else "unknown"))
                        ours = second_verify(path, trust)[1]
                        for key in ("checked", "anchors", "proven_since", "proven_size", "headline"):
                            self.assertEqual(theirs.get(key), ours.get(key), key)

    def test_damaged_rotations_of_an_archive(self):
        folder = ROTATED.path / "ledger" / "rotations"
        kept = {f.name: f.read_bytes() for f in folder.iterdir()}
        entry, proof = kept["000001.entry"], kept["000001.tlog-proof"]
        second = {"000001" + n[6:]: data for n, data in kept.items() if n.startswith("000002")}
        for name, files in (
                ("another entry", {**kept, "000001.entry": entry[:-1] + bytes([entry[-1] ^ 1])}),
                ("a shorter entry", {**kept, "000001.entry": entry[:-1]}),
                ("another index", {**kept, "000001.tlog-proof": proof.replace(b"index ", b"index 1")}),
                ("no proof", {**kept, "000001.tlog-proof": b""}),
                ("no entry", {n: d for n, d in kept.items() if n != "000001.entry"}),
                ("the second first", {**kept, **second}),
                ("the first twice", {**kept, "000002.entry": entry, "000002.tlog-proof": proof}),
                ("the last is missing", {n: d for n, d in kept.items() if n.startswith("000001")}),
                ("one too many", {**kept, "000003.tlog-proof": proof}),
                ("two too many", {**kept, "000004.entry": entry}),
                ("none", {})):
            with self.subTest(name=name):
                for f in folder.iterdir():
                    f.unlink()
                for n, data in files.items():
                    (folder / n).write_bytes(data)
                self.assertEqual(self.agree(ROTATED.path, ROTATED.trust)[0], 1)
        # What an interrupted rotation leaves counts for nothing.
        for files in ({**kept, "000003.entry": entry}, kept):
            for f in folder.iterdir():
                f.unlink()
            for n, data in files.items():
                (folder / n).write_bytes(data)
            self.assertEqual(self.agree(ROTATED.path, ROTATED.trust)[0], 0)

    def test_damaged_continuations_of_an_archive(self):
        folder = CONTINUED.path / "ledger" / "continuations"
        file, = folder.iterdir()
        entry = file.read_bytes()
        for name, files in (("another entry", {file.name: entry[:-1] + bytes([entry[-1] ^ 1])}),
                            ("another place", {f"{int(file.name[:12]) + 1:012}.entry": entry}),
                            ("earlier", {f"{int(file.name[:12]) - 1:012}.entry": entry}),
                            ("cut", {file.name: entry[:200]}), ("twice", {file.name: entry, "000000000900.entry": entry}),
                            ("none", {})):
            with self.subTest(name=name):
                for f in folder.iterdir():
                    f.unlink()
                for n, data in files.items():
                    (folder / n).write_bytes(data)
                self.assertEqual(self.agree(CONTINUED.path, CONTINUED.trust)[0], 1)
        for f in folder.iterdir():
            f.unlink()
        file.write_bytes(entry)
        self.assertEqual(self.agree(CONTINUED.path, CONTINUED.trust)[0], 0)

    def test_what_witnesses_have_signed(self):
        pdf = FOLDER / "witnessed-sound.pdf"
        pdf.write_bytes(WITNESSED.bundle)
        stranger = "witness three.example " + self.stranger() + "\n"
        for expected, code, lines in (
                ("witnessed", 0, "group both all one.example two.example\nquorum both\n"),
                ("witnessed", 0, "quorum two.example\n"),
                ("witnessed", 0, stranger + "group some any one.example three.example\nquorum some\n"),
                ("pinned", 1, stranger + "group all 3 one.example two.example three.example\nquorum all\n"),
                ("pinned", 1, stranger + "quorum three.example\n"),
                ("pinned", 0, stranger + "quorum none\n"), ("pinned", 0, "")):
            trust = trust_file("witness.trust", WITNESSED.log, WITNESSED.witness_lines, lines)
            for path in (WITNESSED.path, pdf):
                with self.subTest(path=path.name, lines=lines[-40:]):
                    ended, theirs = self.agree(path, trust)
                    self.assertEqual((ended, theirs["origin"]), (code, expected), theirs["problems"])
        trust = trust_file("witness.trust", WITNESSED.log, WITNESSED.witness_lines, "quorum one.example\n")
        cosigned = max((WITNESSED.path / "ledger" / "cosigned").iterdir())
        good = cosigned.read_bytes()
        lines = good.split(b"\n")
        another = b"1" if good[40:41] == b"0" else b"0"
        for bad, expected in ((good[:-20] + b"AAAA" + good[-16:], "witness.cosignature"), (good[:40] + another + good[41:], "witness.note"),
                              (b"\n".join(lines[:4] + lines[5:]), "witness.note"), (b"", "witness.note")):
            cosigned.write_bytes(bad)
            ended, theirs = self.agree(WITNESSED.path, trust)
            self.assertEqual((ended, first_code(theirs)), (1, expected))
        cosigned.write_bytes(good)

    @staticmethod
    def stranger():
        blob = b"\x04" + bytes(range(32))
        return "three.example+" + kv.sha256(b"three.example\n", blob)[:4].hex() + "+" + base64.b64encode(blob).decode()

    def test_the_levels_of_time(self):
        log, root = STAMPED.trust.read_text(), STAMPED.tsa_root
        signer = fixtures.token_signer(STAMPED)
        foreign = fixtures.token_signer(DEMO)
        pdf = FOLDER / "stamped-levels.pdf"
        pdf.write_bytes(STAMPED.bundle)
        for expected, lines in (
                ("self", [log]),
                ("independent", [log, fixtures.trust_line("ours", "independent", root)]),
                ("qualified", [log, fixtures.trust_line("ours", "qualified", root)]),
                ("qualified", [log, fixtures.trust_line("a", "independent", root), fixtures.trust_line("b", "qualified", root)]),
                ("independent", [log, fixtures.trust_line("signer", "independent", signer)]),
                ("self", [log, fixtures.trust_line("foreign", "qualified", foreign)])):
            trust = trust_file("levels.trust", *lines)
            for path in (STAMPED.path, pdf):
                with self.subTest(path=path.name, expected=expected):
                    code, theirs = self.agree(path, trust)
                    self.assertEqual((code, theirs["time"]), (0, expected))
                    self.assertEqual(theirs["anchors"], second_verify(path, trust)[1]["anchors"])

    def test_a_builtin_time_stamp_that_a_trust_file_vouches_for(self):
        builtin = fixtures.trust_line("b", "independent", fixtures.token_signer(DEMO))
        self.assertEqual(self.agree(DEMO.path, trust_file("builtin.trust", DEMO.trust.read_text(), builtin))[1]["time"],
                         "independent")

    def test_another_ledger_than_the_trust_file_names(self):
        pdf = FOLDER / "demo-foreign.pdf"
        pdf.write_bytes(DEMO.bundle)
        for path in (DEMO.path, pdf):
            code, theirs = self.agree(path, LARGE.trust)
            self.assertEqual((code, theirs["origin"], first_code(theirs)), (1, "unknown", "origin.mismatch"))
        both = trust_file("both.trust", LARGE.trust.read_text(), DEMO.trust.read_text())
        self.assertEqual(self.agree(pdf, both)[1]["origin"], "pinned")


class Reports(Case):
    """Signed verification reports: sound ones, damaged ones, and ones that are forged with the archive's own key."""

    def setUp(self):
        self.path = FOLDER / "judged-report.pdf"
        file = kv.Pdf(DEMO.report)
        self.json, self.proof = file.report()

    def judged(self, name, data, expected, trust=None):
        self.path.write_bytes(data)
        with self.subTest(name):
            code, report = self.agree(self.path, trust or DEMO.trust)
            self.assertEqual((code, first_code(report)), (1 if expected else 0, expected), report["problems"][:2])
            return report

    def forged(self, name, expected, parts=None, proof=None):
        """Signed again with the archive's own evidence key."""
        proof = self.proof if proof is None else json.dumps(proof).encode()
        parts = parts or [(b"/KustosReport 1", self.json), (b"/KustosReport 2", proof)]
        return self.judged(name, forge.sign_pdf(forge.report_objects(*parts), *DEMO.evidence()), expected)

    def test_sound_reports_and_whose_they_are(self):
        for archive in (DEMO, WITNESSED, ROTATED, CONTINUED):
            for trust, origin in ((None, "unknown"), (archive.trust, "pinned")):
                self.path.write_bytes(archive.report)
                with self.subTest(archive.path.name, origin=origin):
                    code, theirs = self.agree(self.path, trust)
                    self.assertEqual((code, theirs["origin"], theirs["subject"]), (0, origin, "report"), theirs["problems"])
                    ours = second_verify(self.path, trust)[1]
                    for key in ("checked", "headline", "reported"):
                        self.assertEqual(theirs[key], ours[key], key)
        self.judged("another ledger's trust file", DEMO.report, "origin.mismatch", LARGE.trust)
        witnesses = WITNESSED.log + WITNESSED.witness_lines
        quorum = trust_file("report.trust", witnesses, "group both all one.example two.example\nquorum both\n")
        self.assertEqual(self.judged("seen by witnesses", WITNESSED.report, None, quorum)["origin"], "witnessed")
        stranger = trust_file("report.trust", witnesses, f"witness three.example {SoundFixtures.stranger()}\nquorum three.example\n")
        self.judged("not seen by a witness", WITNESSED.report, "witness.quorum", stranger)

    def test_a_changed_byte_anywhere(self):
        chance, broken = random.Random(11), set()
        for i in range(80):
            data = bytearray(DEMO.report)
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
            self.path.write_bytes(bytes(data))
            with self.subTest(i):
                code, report = self.agree(self.path, DEMO.trust)
                self.assertEqual(code, 1)
                broken.add(first_code(report))
        self.assertIn("report.signature", broken)

    def test_a_report_that_is_cut_or_goes_on(self):
        self.judged("goes on", DEMO.report + b"\n", "report.signature")
        for length in (0, 100, len(DEMO.report) // 2, len(DEMO.report) - 1):
            self.path.write_bytes(DEMO.report[:length])
            self.assertEqual(self.agree(self.path, DEMO.trust)[0], 1)

    def test_forgeries_by_the_archive_itself(self):
        tree = json.loads(self.proof)
        self.assertEqual(self.forged("unchanged, without pages", None)["origin"], "pinned")
        worse = self.json.replace(b'"ok":true', b'"ok":false')
        self.assertNotEqual(worse, self.json)
        self.forged("another verdict", "report.proof", [(b"/KustosReport 1", worse), (b"/KustosReport 2", self.proof)])
        self.forged("no JSON", "report.proof", [(b"/KustosReport 1", b"{"), (b"/KustosReport 2", self.proof)])
        self.forged("the entry of the certificate as that of the report", "report.proof", proof={**tree, "report": tree["certificate"]})
        self.forged("the entry of the report as that of the certificate", "report.signature", proof={**tree, "certificate": tree["report"]})
        entry = kv.unbase64(tree["report"]["entry"])
        changed = base64.b64encode(entry[:-1] + bytes([entry[-1] ^ 1])).decode()
        self.forged("a changed entry", "report.proof", proof={**tree, "report": {**tree["report"], "entry": changed}})
        text = tree["report"]["proof"]
        lines = text.split("\n")
        for name, bad in (("another index", text.replace("index ", "index 1")), ("none", ""), ("a hash less", "\n".join(lines[:2] + lines[3:])),
                          ("no proof", "x\n\n" + text.split("\n\n", 1)[1])):
            self.forged("proof: " + name, "report.proof", proof={**tree, "report": {**tree["report"], "proof": bad}})
        self.forged("proof: another checkpoint", "checkpoint",
                    proof={**tree, "report": {**tree["report"], "proof": text[:-12] + "AAAA" + text[-8:]}})
        for key in ("format", "vkey", "rotations", "certificate", "report"):
            self.forged("without " + key, "report.proof", proof={k: v for k, v in tree.items() if k != key})
            self.forged(key + " is a number", "report.proof", proof={**tree, key: 7})
        self.forged("another format", "report.proof", proof={**tree, "format": "kustos-report-proof-2"})
        self.forged("another key", "checkpoint", proof={**tree, "vkey": json.loads(kv.Pdf(ROTATED.report).report()[1])["vkey"]})
        self.forged("a rotation that none is", "key.rotation", proof={**tree, "rotations": [tree["report"]]})
        foreign = forge.sign_pdf(forge.report_objects((b"/KustosReport 1", self.json), (b"/KustosReport 2", self.proof)), *LARGE.evidence())
        self.judged("signed by another archive", foreign, "report.signature")

    def test_hit_reports(self):
        self.path.write_bytes(DEMO.hits)
        code, theirs = self.agree(self.path, DEMO.trust)
        self.assertEqual((code, theirs["origin"], theirs["reported"]), (0, "pinned", "hits"), theirs["problems"])
        ours = second_verify(self.path, DEMO.trust)[1]
        for key in ("checked", "headline", "reported"):
            self.assertEqual(theirs[key], ours[key], key)
        chance = random.Random(12)
        for i in range(20):
            data = bytearray(DEMO.hits)
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
            self.path.write_bytes(bytes(data))
            with self.subTest(i):
                self.assertEqual(self.agree(self.path, DEMO.trust)[0], 1)
        sealed, proof = kv.Pdf(DEMO.hits).report()
        self.judged("unchanged, without pages", self.hits(sealed, proof), None)
        tree = json.loads(sealed)
        for name, changed in (("fewer terms", {**tree, "terms": tree["terms"][1:]}), ("no terms", {**tree, "terms": None}),
                              ("another total", {**tree, "total": {**tree["total"], "hits": 99}}), ("no total", {**tree, "total": []}),
                              ("true for a number", {**tree, "total": {"hits": True}}), ("another format", {**tree, "format": "x"})):
            self.judged(name, self.hits(json.dumps(changed).encode(), proof), "report.proof")
        self.judged("a verification's JSON", self.hits(self.json, proof), "report.proof")
        self.judged("a hit report's JSON behind a verification's entry", self.hits(sealed, self.proof), "report.proof")

    @staticmethod
    def hits(sealed, proof):
        return forge.sign_pdf(forge.report_objects((b"/KustosReport 1", sealed), (b"/KustosReport 2", proof)), *DEMO.evidence())

    def test_what_is_no_report_is_judged_as_a_bundle(self):
        one, two = (b"/KustosReport 1", self.json), (b"/KustosReport 2", self.proof)
        for name, parts in (("the JSON alone", [one]), ("the proof alone", [two]), ("twice", [one, one, two]), ("a third", [one, two, (b"/KustosReport 3", b"x")]),
                            ("compressed", [one, (b"/KustosReport 2 /Filter /FlateDecode", self.proof)])):
            self.assertEqual(self.forged(name, "bundle.container", parts)["subject"], "bundle")
        both = self.forged("a container as well", "bundle.container", [one, two, (b"/KustosEvidence 1", b"zip")])
        self.assertEqual(both["subject"], "bundle")


class Calls(Case):
    def test_trust_files_that_are_refused(self):
        log = next(line for line in DEMO.trust.read_text().splitlines(True) if line.startswith("log "))
        certificate = fixtures.trust_line("a", "independent", STAMPED.tsa_root)
        key = log.split()[1]
        for text in ("", "# only a comment\n", log + "logs x\n", "log\n", log.replace("\n", " url more\n"), log + "quorum some\n", log + "quorum none\nquorum x\n",
                     log + "witness w " + key + "\n", log + "group g any w\n", log + "tsa a independent\n",
                     log + "tsa a trusted AAAA\n", log + "tsa a qualified AAAA\n", log + "tsa a qualified !!\n",
                     log + certificate.replace("independent", "Independent"), log.replace("+", "-", 1),
                     log.replace(key.split("+")[1], "00000000"), log[:-5] + "\n", log * 1001, log + certificate[:-8] + "\n",
                     log + "quorum none # no\n", log + "quorum\n"):
            with self.subTest(text=text[-60:]):
                self.assertEqual(self.agree(DEMO.path, trust_file("bad.trust", text)), (2, None))

    def test_trust_files_that_are_read(self):
        log = next(line for line in DEMO.trust.read_text().splitlines(True) if line.startswith("log "))
        for text in (log, log[:-1], "\r\n\r\n# x\r\n " + log[:-1] + "\t\r\n", log + "quorum none\n", log * 3):
            with self.subTest(text=text[:20]):
                self.assertEqual(self.agree(DEMO.path, trust_file("good.trust", text))[1]["origin"], "pinned")

    def test_what_is_not_there(self):
        self.assertEqual(self.agree(FOLDER / "nothing"), (6, None))
        self.assertEqual(self.agree(DEMO.path, FOLDER / "nothing.trust"), (6, None))
        self.assertEqual(self.agree(DEMO.path, trust_file("huge.trust", "#" * ((1 << 20) + 1))), (6, None))

    def test_files_that_are_no_bundles(self):
        for content in (b"", b"x", b"%PDF-1.7\n", b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n", b"PK\3\4" + bytes(100),
                        b"%PDF-1.7\n" + b"[" * 1000, b"%PDF-1.7\nxref\n0 999999999\n", bytes(1000)):
            path = FOLDER / "no-bundle.pdf"
            path.write_bytes(content)
            with self.subTest(content=content[:20]):
                self.assertEqual(self.agree(path)[0], 1)
        (FOLDER / "empty").mkdir(exist_ok=True)
        self.assertEqual(first_code(self.agree(FOLDER / "empty")[1]), "archive.unreadable")

    def test_the_command_line_of_the_second_verifier(self):
        script = Path(kv.__file__)
        for arguments, code in ((["--json", DEMO.path], 0), ([DEMO.path, "--trust", LARGE.trust], 1), ([], 2), (["--what"], 2),
                                ([DEMO.path, DEMO.path], 2), ([FOLDER / "nothing"], 6)):
            done = subprocess.run([sys.executable, "-B", script, *arguments], capture_output=True, text=True, check=False)
            theirs = subprocess.run([fixtures.BIN / "kustos-verify", *arguments], capture_output=True, text=True, check=False)
            with self.subTest(arguments=list(map(str, arguments))):
                self.assertEqual((done.returncode, theirs.returncode), (code, code))
                self.assertEqual(code in (0, 1), bool(done.stdout))


# --- damaged archives --------------------------------------------------------------------------------------------------------------

def flip(path, at, mask=1):
    data = bytearray(path.read_bytes())
    data[at % len(data)] ^= mask
    rewrite(path, bytes(data))


def rewrite(path, data):
    path.unlink()  # fixtures share files with their copies
    path.write_bytes(data)


def swap(first, second):
    one, two = first.read_bytes(), second.read_bytes()
    rewrite(first, two)
    rewrite(second, one)


def link_copy(source, target):
    shutil.copytree(source, target, copy_function=os.link,
                    ignore=shutil.ignore_patterns("index", "staging", "*.db", "*.db-*", "lock"))


def kinds(folder):
    """One list of files per kind that an archive has."""
    patterns = {"checkpoint": "ledger/checkpoint", "published": "ledger/published/*", "entries": "ledger/tile/entries/**/*",
                "tile": "ledger/tile/[0-9]/**/*", "anchor note": "ledger/anchors/*/note", "token": "ledger/anchors/*/*.der",
                "authority": "ledger/anchors/*/*.authority", "segment": "vault/segments/*", "blob": "vault/blobs/*",
                "box": "keys/boxes/*", "keyring": "keys/generation-*/root"}
    return {kind: sorted(p for p in folder.glob(pattern) if p.is_file()) for kind, pattern in patterns.items()}


class DamagedArchives(Case):
    def setUp(self):
        self.count = 0

    def damaged(self, name, damage, archive=None, expected=None):
        archive = archive or DEMO
        name = "archive: " + name
        folder = Path(tempfile.mkdtemp(dir=FOLDER)) / "archive"
        link_copy(archive.path, folder)
        with self.subTest(name):
            damage(folder)
            code, report = self.agree(folder, archive.trust, name)
            self.assertEqual(code, 0 if name in HARMLESS else 1, report["problems"][:2])
            if expected:
                self.assertEqual(first_code(report), expected)
            self.count += 1
        shutil.rmtree(folder.parent)

    def test_one_bit_flipped_in_every_kind_of_file(self):
        chance = random.Random(7)
        for archive, some in ((DEMO, 3), (LARGE, 1)):
            for kind, files in kinds(archive.path).items():
                for _ in range(some if files else 0):
                    file = chance.choice(files)
                    size = file.stat().st_size
                    if kind == "segment":
                        size = len(file.read_bytes().rstrip(b"\0"))
                    at, mask = chance.randrange(size), 1 << chance.randrange(8)
                    relative = file.relative_to(archive.path)
                    self.damaged(f"{kind}: bit {mask} of byte {at} of {relative} of {archive.path.name}",
                                 lambda folder: flip(folder / relative, at, mask), archive)
        self.assertGreater(self.count, 35)

    def test_every_kind_of_file_cut_or_lengthened(self):
        chance = random.Random(8)
        for kind, files in kinds(LARGE.path).items():
            file = chance.choice(files)
            relative, size = file.relative_to(LARGE.path), file.stat().st_size
            for length in (0, chance.randrange(1, size), size - 1):
                if kind == "segment" and length == size - 1:
                    continue  # of zeros, below
                self.damaged(f"{kind}: {relative} cut to {length} of {size} bytes",
                             lambda folder: rewrite(folder / relative, file.read_bytes()[:length]), LARGE)
            self.damaged(f"{kind}: {relative} has a byte more",
                         lambda folder: rewrite(folder / relative, file.read_bytes() + b"x"), LARGE)

    def test_every_kind_of_file_removed(self):
        for archive in (DEMO, LARGE):
            for kind, files in kinds(archive.path).items():
                for file in files[:1] + files[-1:]:
                    relative = file.relative_to(archive.path)
                    if (kind, archive) == ("blob", DEMO):
                        continue
                    self.damaged(f"{kind}: {relative} of {archive.path.name} is not there",
                                 lambda folder: (folder / relative).unlink(), archive,
                                 expected=None if kind not in ("token", "anchor note") else "anchor.missing")

    def test_pipes_devices_and_links_in_the_place_of_files(self):
        def put(folder, relative, make):
            (folder / relative).unlink()
            make(folder / relative)
        for kind, files in kinds(DEMO.path).items():
            if not files:
                continue
            relative = files[0].relative_to(DEMO.path)
            for what, make in (("a pipe", os.mkfifo), ("a device", lambda path: path.symlink_to("/dev/zero")),
                               ("a link to its folder", lambda path: path.symlink_to("."))):
                self.damaged(f"{kind}: {relative} is {what}", lambda folder: put(folder, relative, make))

    def test_links_among_the_tiles_are_not_followed(self):
        def make(folder):
            for name in "abc":
                (folder / "ledger" / "tile" / name).symlink_to(".")
        self.damaged("links lead back up among the tiles", make, expected="file.unreferenced")

    def test_folders_removed(self):
        for part in ("ledger", "ledger/tile", "ledger/tile/0", "ledger/tile/entries", "ledger/published", "ledger/anchors", "vault",
                     "vault/segments", "keys/boxes"):
            self.damaged(f"{part} is not there", lambda folder: shutil.rmtree(folder / part))
        self.damaged("keys is not there", lambda folder: shutil.rmtree(folder / "keys"))
        self.damaged("large attachments are not there", lambda folder: shutil.rmtree(folder / "vault/blobs"), LARGE)

    def test_files_added(self):
        def add(relative, data=b"x"):
            def damage(folder):
                (folder / relative).parent.mkdir(parents=True, exist_ok=True)
                (folder / relative).write_bytes(data)
            return damage
        for relative in ("ledger/notes", "ledger/published/readme", "ledger/published/999999999999", "ledger/anchors/readme",
                         "ledger/anchors/000000000000-999999999999/note", "ledger/anchors/000000000009-000000000009/note",
                         "ledger/tile/0/001", "ledger/tile/0/000.p/1", "ledger/tile/entries/001.p/3", "ledger/tile/7/000",
                         "ledger/tile/readme", "vault/segments/readme", "vault/segments/000000999999.seg",
                         "vault/segments/000000000003.seg", "vault/blobs/000000000003.blob", "vault/blobs/readme"):
            self.damaged("added: " + relative, add(relative))
        self.damaged("a file more in an anchor", lambda folder: add(
            str(sorted((folder / "ledger/anchors").iterdir())[0].relative_to(folder)) + "/1.der")(folder))
        self.damaged("a temporary file is left in ledger", add("ledger/checkpoint.tmp"))
        self.damaged("a temporary file is left beside the segments", add("vault/segments/000000000000.seg.tmp"))
        self.damaged("an empty folder stands among the tiles", lambda folder: (folder / "ledger/tile/0/009.p").mkdir())

        def half_anchor(folder):
            (folder / "ledger/anchors/000000000000-000000000001").mkdir()
            (folder / "ledger/anchors/000000000000-000000000001/note").write_bytes(b"x")
        self.damaged("a folder of an anchor has no token", half_anchor)

    def test_files_swapped(self):
        for archive in (DEMO, LARGE):
            for kind, files in kinds(archive.path).items():
                if len(files) < 2 or files[0].read_bytes() == files[-1].read_bytes():
                    continue
                one, two = files[0].relative_to(archive.path), files[-1].relative_to(archive.path)
                self.damaged(f"{kind}: {one} and {two} of {archive.path.name} swapped",
                             lambda folder: swap(folder / one, folder / two), archive)

    def test_parts_of_another_archive(self):
        for part in ("ledger/checkpoint", "ledger/anchors", "ledger/published", "ledger/tile", "vault/segments", "keys/boxes", "ledger"):
            def damage(folder):
                target = folder / part
                shutil.rmtree(target) if target.is_dir() else target.unlink()
                source = STAMPED.path / part
                shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
            self.damaged("another archive's " + part, damage)

    def test_segments_and_frames(self):
        first = "vault/segments/000000000000.seg"

        def frames(data):
            """Where frames begin, up to the zeros."""
            at, out = 0, []
            while at < len(data.rstrip(b"\0")):
                out.append(at)
                at += 8 + int.from_bytes(data[at:at + 8], "big")
            return out

        def set_length(length, remove):
            def damage(folder):
                data = (folder / first).read_bytes()
                at = [f for f in frames(data) if data[f:f + 8] != bytes(8)][4]
                old = int.from_bytes(data[at:at + 8], "big")
                rest = data[at + 8 + (old if remove else 0):]
                rewrite(folder / first, data[:at] + struct.pack(">Q", old + length if length else 0) + rest)
            return damage
        self.damaged("a ciphertext is taken out", set_length(0, True), expected="vault.missing")
        self.damaged("a frame's length is 0", set_length(0, False))
        self.damaged("a frame is a byte longer", set_length(1, False), expected="vault.segment")
        self.damaged("a frame is longer than the file", set_length(1 << 40, False), expected="vault.segment")
        self.damaged("the tail is not zero", lambda folder: flip(folder / first, -1), expected="vault.segment")
        self.damaged("a closed segment has a byte more",
                     lambda folder: rewrite(folder / first, (folder / first).read_bytes() + b"\0"), LARGE, "vault.segment")

        def cut_tail(folder):
            rewrite(folder / first, (folder / first).read_bytes().rstrip(b"\0"))
        HARMLESS.setdefault("archive: the open segment lacks its zeros", "they hold nothing")
        self.damaged("the open segment lacks zeros that hold no frame", cut_tail)


# --- ledgers rewritten with the archive's own key ---------------------------------------------------------------------------------------

class Rewriting(Case):
    def rewritten(self, name, change, expected, archive=None, origin="pinned"):
        archive = archive or DEMO
        folder = Path(tempfile.mkdtemp(dir=FOLDER)) / "archive"
        link_copy(archive.path, folder)
        (folder / "ledger/checkpoint").unlink()
        shutil.copy(archive.path / "ledger/checkpoint", folder / "ledger/checkpoint")
        with self.subTest(name):
            history = forge.History(folder, archive.signer("checkpoint.key").decode())
            change(history, folder)
            code, report = self.agree(folder, archive.trust, name)
            self.assertEqual((code, report["origin"]), (1 if expected else 0, origin), report["problems"][:2])
            self.assertEqual(first_code(report), expected)
        shutil.rmtree(folder.parent)


class RewrittenHistories(Rewriting):
    def appended(self, name, expected, *entries, archive=None):
        def change(history, folder):
            history.entries += [e(history) if callable(e) else e for e in entries]
            history.save()
        self.rewritten(name, change, expected, archive)

    def test_the_same_history_written_again_is_sound(self):
        for archive in (DEMO, LARGE):
            self.rewritten("nothing changed", lambda history, folder: history.save(), None, archive)
        self.appended("a control entry more", None, lambda h: h.control(13, []))

    def test_entries_changed_and_everything_signed_again(self):
        def replace(index, entry):
            def change(history, folder):
                history.entries[index] = entry(history.entries[index])
                history.save()
            return change
        record = next(i for i, e in enumerate(forge.History(DEMO.path, "").entries) if e[2] == kv.RECORD)
        self.rewritten("a record's salted root", replace(record, lambda e: e[:50] + bytes([e[50] ^ 1]) + e[51:]),
                       "checkpoint.published")
        self.rewritten("a record's ciphertext hash", replace(record, lambda e: e[:-1] + bytes([e[-1] ^ 1])), "vault.segment")
        self.rewritten("a record's ciphertext length", replace(record, lambda e: e[:76] + struct.pack(">Q", 100) + e[84:]),
                       "vault.segment")
        self.rewritten("a record's source", replace(record, lambda e: e[:6] + struct.pack(">I", 999) + e[10:]), "ledger.sequence")
        self.rewritten("a record's magic", replace(record, lambda e: b"X" + e[1:]), "ledger.entries")
        self.rewritten("a time in a control entry", replace(2, lambda e: e[:-1] + bytes([e[-1] ^ 1])), "checkpoint.published")
        # What came after the newest published checkpoint is in nobody else's hands: the holder of the key can take it back.
        self.rewritten("the last entry taken out", lambda history, folder: (history.entries.pop(), history.save()), None)

        def take_out(history, folder):
            del history.entries[record]
            history.save()
        self.rewritten("a record is taken out", take_out, "ledger.sequence")

        def another_key(history, folder):
            history.key = LARGE.signer("checkpoint.key").decode()
            history.save()
        # The trusted key stands in entry 0, but has signed nothing: that is no origin.
        self.rewritten("a checkpoint by another key", another_key, "checkpoint", origin="unknown")

    def test_entries_added_under_the_key(self):
        number = lambda n, size=8: n.to_bytes(size, "big")  # noqa: E731
        some_hash = bytes(range(32))
        self.appended("an entry of an unknown kind", "ledger.entries", lambda h: h.control(13, [])[:2] + b"\x09" +
                      h.control(13, [])[3:])
        self.appended("a control entry without an action", "ledger.entries", lambda h: h.control(13, [])[:116])
        self.appended("rows that do not ascend", "ledger.entries", lambda h: h.control(13, [(9, b"\0\1"), (2, number(1))]))
        self.appended("two actions", "ledger.entries", lambda h: h.control(13, [(1, b"\0\1")]))
        self.appended("suite 0 and a tree", "ledger.entries", lambda h: h.control(13, [])[:37] + b"\1" + h.control(13, [])[38:])
        self.appended("an entry that is cut", "ledger.entries", lambda h: h.control(13, [])[:100])
        self.appended("a number left out", "ledger.sequence", lambda h: h.control(13, [], sequence=h.next_sequence() + 1))
        self.appended("a number again", "ledger.sequence", lambda h: h.control(13, [], sequence=0))
        self.appended("a source that nothing introduced", "ledger.sequence", lambda h: h.control(13, [], source=1))
        self.appended("a checkpoint that was never published", "ledger.chain",
                      lambda h: h.control(kv.CHECKPOINT_PUBLISHED, [(16, number(5)), (17, some_hash)]))
        self.appended("a published checkpoint without a hash", "ledger.chain",
                      lambda h: h.control(kv.CHECKPOINT_PUBLISHED, [(16, number(5))]))
        self.appended("a token without its hash", "ledger.chain", lambda h: h.control(kv.ANCHOR_STORED, [(16, number(5))]))
        self.appended("a token that is not there", "anchor.missing",
                      lambda h: h.control(kv.ANCHOR_STORED, [(16, number(5)), (18, some_hash)]))
        self.appended("an anchor of another note", "ledger.chain", lambda h: h.control(
            kv.ANCHOR_STORED, [(16, number(5)), (17, some_hash), (18, some_hash)]))
        self.appended("a tree without a box", "ledger.chain", lambda h: h.control(kv.TREE_OPENED, [(10, number(9, 4))]))
        self.appended("a tree whose box is not there", "keys.box",
                      lambda h: h.control(kv.TREE_OPENED, [(10, number(9, 4)), (13, some_hash)]))
        self.appended("a shard with another box", "keys.box",
                      lambda h: h.control(kv.SHARD_OPENED, [(13, some_hash), (32, number(1, 4))]))
        self.appended("a generation with another keyring", "keys.box",
                      lambda h: h.control(kv.GENERATION_OPENED, [(12, number(1, 4)), (29, some_hash)]))

    def test_checkpoints_signed_again(self):
        def publish(size, root=None, note=None):
            def change(history, folder):
                history.save()
                (folder / f"ledger/published/{size:012}").write_bytes(
                    note(history) if note else history.note(size, root or history.root()))
            return change
        self.rewritten("a published checkpoint that no entry names", publish(7), "checkpoint.published")
        self.rewritten("a published checkpoint under another name", publish(8, note=lambda h: h.note(9)), "checkpoint.published")
        self.rewritten("a published note that is none", publish(8, note=lambda h: b"no note\n"), "checkpoint.published")

        def newest(history, folder):
            history.save()
            (folder / f"ledger/published/{len(history.entries):012}").write_bytes(history.note())
        self.rewritten("the newest published checkpoint waits for its entry", newest, None)

        def other_root(history, folder):
            history.save()
            (folder / "ledger/checkpoint").write_bytes(history.note(root=bytes(32)))
        self.rewritten("another root", other_root, "checkpoint")

        def smaller(history, folder):
            history.save()
            (folder / "ledger/checkpoint").write_bytes(history.note(size=len(history.entries) - 1))
        self.rewritten("a smaller size with the root of all", smaller, "ledger.entries")


class ErasedArchives(Rewriting):
    """What was erased, compacted or not, and what only pretends to be."""

    def erased(self, name, expected, change, archive=None):
        def forged(history, folder):
            frames = forge.Eraser(history, folder)
            count = len(history.entries)
            change(frames, frames.contents())
            # Entries that are added have no payload: their frames are zeros, which the open segment has behind its last one.
            self.assertLess(len(history.entries) - count, 100)
            history.save()
        self.rewritten("erasure: " + name, forged, expected, archive)

    def test_genuine_ones(self):
        for archive in (DEMO, LARGE):
            def whole(e, c, removed=True, said=True):
                big = [i for i in c if e.entry(i).length >= 1 << 20]
                some = sorted(set(c[3:9:2] + c[-4:-1] + big[:1]))
                e.erase(*some)
                e.remove(*(some if removed is True else some[:removed]))
                if said:
                    e.say_removed(len(some))
            self.erased("erased", None, lambda e, c: whole(e, c, 0, False), archive)
            self.erased("half compacted", None, lambda e, c: whole(e, c, 2, False), archive)
            self.erased("compacted, not said", None, lambda e, c: whole(e, c, True, False), archive)
            self.erased("compacted", None, whole, archive)
            self.erased("said and there", "erasure.ciphertext", lambda e, c: whole(e, c, 0), archive)
            self.erased("said and half there", "erasure.ciphertext", lambda e, c: whole(e, c, 2), archive)

        def twice(e, c):
            e.erase(*c[:3])
            e.remove(*c[:3])
            e.say_removed(3)
            e.erase(*c[5:8])
        self.erased("erased again", None, twice)
        self.erased("begun", None, lambda e, c: e.begin(e.range(c[0])))

        def parts(e, c):
            e.begin(e.range(c[0]), parts=2)
            e.begin(e.range(c[1]), part=1, parts=2, new=False)
            e.open_generation()
            e.end(2)
            e.remove(c[0], c[1])
        self.erased("two parts", None, parts)

        def tree(e, c):
            mine = [i for i in c if e.entry(i).tree == e.entry(c[0]).tree]
            e.begin(e.range(mine[0], mine[-1], first=0, last=(1 << 20) - 1))
            e.open_generation()
            e.end(len(mine))
            e.remove(*mine)
            e.say_removed(len(mine))
        self.erased("a whole tree", None, tree)

    def test_the_counts_are_the_same(self):
        folder = Path(tempfile.mkdtemp(dir=FOLDER)) / "archive"
        link_copy(LARGE.path, folder)
        (folder / "ledger/checkpoint").unlink()
        shutil.copy(LARGE.path / "ledger/checkpoint", folder / "ledger/checkpoint")
        history = forge.History(folder, LARGE.signer("checkpoint.key").decode())
        eraser = forge.Eraser(history, folder)
        some = eraser.contents()[4:60:3]
        eraser.erase(*some)
        eraser.remove(*some)
        eraser.say_removed(len(some))
        history.save()
        code, theirs = self.agree(folder)
        self.assertEqual(code, 0, theirs["problems"][:2])
        self.assertEqual(theirs["checked"], second_verify(folder, None)[1]["checked"])
        self.assertEqual(theirs["erasures"], {"runs": 1, "contents": len(some), "unreadable": 1, "terms_gone": 0,
                                              "ciphertext_gone": 0, "final": 0})
        shutil.rmtree(folder.parent)

    def test_ciphertext_that_is_missing_without_permission(self):
        self.erased("no entry", "vault.missing", lambda e, c: e.remove(c[2]))
        big = next(i for i, e in enumerate(map(kv.Entry, forge.History(LARGE.path, "").entries))
                   if e.kind == kv.BLOB and e.length >= 1 << 20)
        self.erased("no entry, a blob", "vault.missing", lambda e, c: e.remove(big), LARGE)
        self.erased("begun only", "vault.missing", lambda e, c: (e.begin(e.range(c[2])), e.remove(c[2])))
        self.erased("a neighbour", "vault.missing", lambda e, c: (e.erase(c[2]), e.remove(c[3])))
        self.erased("said, and never erased", "erasure.entry", lambda e, c: (e.say_removed(1), e.remove(c[2])))

        def part_missing(e, c):
            e.begin(e.range(c[2]), parts=2)
            e.open_generation()
            e.end(1)
            e.remove(c[2])
        self.erased("a part is missing", "erasure.entry", part_missing)

        def another_tree(e, c):
            other = next(i for i in c if e.entry(i).tree != e.entry(c[0]).tree)
            e.begin(e.range(other, first=e.entry(c[0]).leaf, last=max(e.entry(c[0]).leaf, e.entry(other).leaf)))
            e.open_generation()
            e.end(1)
            e.remove(c[0])
        trees = {kv.Entry(e).tree for e in forge.History(DEMO.path, "").entries if kv.Entry(e).kind == kv.RECORD}
        if len(trees) > 1:
            self.erased("ranges of another tree", "vault.missing", another_tree)

    def test_malformed_entries(self):
        def one(name, **bent):
            def change(e, c):
                e.begin(e.range(c[2], **bent))
                e.open_generation()
                e.end(1)
                e.remove(c[2])
            self.erased("a range with " + name, "erasure.entry", change)
        one("another tree", tree=77)
        one("no tree", tree=0)
        one("another leaf", first=900_000, last=900_000)
        one("leaves the wrong way round", first=5, last=4)
        one("a leaf beyond the tree", last=1 << 20)
        one("another entry", first_entry=1)
        one("a last entry beyond the ledger", last_entry=1 << 40)
        one("entries the wrong way round", first_entry=1 << 40)

        def begun(name, *ranges, **bent):
            self.erased("begun with " + name, "erasure.entry",
                        lambda e, c: e.begin(*(ranges or (e.range(c[2]),)), **bent))
        begun("a short id", t42=b"x")
        begun("no id", t42=None)
        begun("no method", t26=None)
        begun("no generation", t12=None)
        begun("a part beyond the parts", t43=struct.pack(">I", 1))
        begun("no parts", t44=struct.pack(">I", 0))
        begun("a short range", (33, bytes(27)))
        self.erased("begun with no range", "erasure.entry", lambda e, c: e.begin())

        def done(name, expected="erasure.entry", generation=True, **bent):
            def change(e, c):
                e.begin(e.range(c[2]))
                if generation:
                    e.open_generation()
                e.end(1, **bent)
            self.erased("done with " + name, expected, change)
        done("no generation before", generation=False)
        done("another id", t42=bytes(16))
        done("no id", t42=None)
        done("another keyring", t29=bytes(32))
        done("no keyring", t29=None)
        done("the generation before", t12=struct.pack(">I", 1))
        done("a generation to come", t12=struct.pack(">I", 3))
        done("more records", t21=struct.pack(">Q", 2))
        done("no records", t21=struct.pack(">Q", 0))
        done("no count", t21=None)
        self.erased("done twice", "erasure.entry", lambda e, c: (e.erase(c[2]), e.end(1)))
        self.erased("begun again after done", "erasure.entry", lambda e, c: (e.erase(c[2]), e.begin(e.range(c[3]), new=False)))
        self.erased("the same part again", "erasure.entry", lambda e, c: (
            e.begin(e.range(c[2]), parts=2), e.begin(e.range(c[3]), parts=2, new=False)))
        self.erased("removal of more than there is", "erasure.entry", lambda e, c: (e.erase(c[2]), e.say_removed(2)))
        self.erased("removal beyond the ledger", "erasure.entry",
                    lambda e, c: (e.erase(c[2]), e.say_removed(1, len(e.history.entries) + 1)))
        self.erased("removal without a count", "erasure.entry",
                    lambda e, c: (e.erase(c[2]), e.add(kv.CIPHERTEXT_REMOVED, [(16, bytes(8))])))
        self.erased("terms without a count", "erasure.entry", lambda e, c: e.add(kv.TERMS_REMOVED, [(16, bytes(8))]))
        self.erased("final without a generation", "erasure.entry", lambda e, c: e.add(kv.FINAL, [(16, bytes(8)), (21, bytes(8))]))
        self.erased("final", None, lambda e, c: e.add(kv.FINAL, [(12, bytes(4)), (16, bytes(8))]))
        self.erased("an action to come", None, lambda e, c: e.add(77, []))

    def test_keys_that_must_be_gone_and_boxes_that_may_be(self):
        def run(e, c, erase):
            e.begin(e.range(c[2]))
            e.open_generation(erase)
            e.end(1)
        self.erased("the old key is still here", "erasure.key", lambda e, c: run(e, c, False))

        def not_done(e, c):
            e.begin(e.range(c[2]))
            e.open_generation(False)
        self.erased("the old key, before it is done", None, not_done)

        def box(e, c, change, generations=True):
            if generations:
                run(e, c, True)
            path = sorted((e.folder / "keys/boxes").iterdir())[0]
            data = path.read_bytes()
            path.unlink()
            if change:
                path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        self.erased("an adopted box is not here", None, lambda e, c: box(e, c, False))
        self.erased("an adopted box is another", "keys.box", lambda e, c: box(e, c, True))
        self.erased("a box is not here", "keys.box", lambda e, c: box(e, c, False, False))
        self.erased("the old folder is not here", None,
                    lambda e, c: (run(e, c, True), shutil.rmtree(e.folder / "keys/generation-1")))


# --- bundles -----------------------------------------------------------------------------------------------------------------------------

class Bundles(Case):
    def judged(self, name, pdf, expected=None, archive=None, trust=True):
        archive = archive or DEMO
        name = "bundle: " + name
        path = FOLDER / "judged.pdf"
        path.write_bytes(pdf)
        with self.subTest(name):
            code, report = self.agree(path, archive.trust if trust else None, name)
            self.assertEqual(code, 0 if name in HARMLESS else 1, report["problems"][:2])
            if expected:
                self.assertEqual(first_code(report), expected, report["problems"][:2])
            return report

    def forged(self, name, change, expected=None, archive=None, files=True, **more):
        """The container changed, the manifest's list made to fit, the whole signed with the archive's key."""
        archive = archive or DEMO
        container = forge.Container(archive.bundle)
        change(container)
        if files:
            container.list_files()
        beginning = forge.pdf_objects(container.zip(), **more)
        return self.judged(name, forge.sign_pdf(beginning, *archive.evidence()), expected, archive)


class DamagedBundles(Bundles):
    def test_bits_flipped_all_over_the_file(self):
        chance, pdf = random.Random(9), DEMO.bundle
        places = [chance.randrange(len(pdf)) for _ in range(25)] + [0, 9, len(pdf) - 1]
        for word in (b"/KustosEvidence", b"/EmbeddedFiles", b"PK\3\4", b"PK\5\6", b"manifest.json", b"\"files\"", b"startxref",
                     b"/Type /Sig", b"/ByteRange", b"/Contents <"):
            places.append(pdf.rfind(word) + 1)
        for at in places:
            mask = 1 << chance.randrange(8)
            self.judged(f"bit {mask} of byte {at}", pdf[:at] + bytes([pdf[at] ^ mask]) + pdf[at + 1:])

    def test_cut_and_lengthened(self):
        pdf = DEMO.bundle
        for length in (0, 1, 1000, len(pdf) // 2, len(pdf) - 20000, len(pdf) - 1):
            self.judged(f"cut to {length}", pdf[:length])
        for more in (b"\n", b"% comment\n", b"1 0 obj\n<< >>\nendobj\n", pdf[-1000:]):
            self.judged(f"{len(more)} bytes behind the end", pdf + more, "bundle.signature")
        self.judged("the unsigned beginning", pdf[:pdf.rfind(b"endobj\n", 0, pdf.rfind(b"/Type /Sig"))], "bundle.signature")

    def test_the_place_of_the_signature(self):
        pdf = DEMO.bundle
        begin = pdf.rfind(b"/Contents <") + len(b"/Contents ")
        end = pdf.index(b">", begin) + 1
        gap = pdf[begin:end]
        digits = re.match(rb"<([0-9a-f]+?)0*>", gap)[1]

        def with_gap(new):
            return pdf[:begin] + new + pdf[end:]
        self.judged("upper-case digits", with_gap(gap.upper()), "bundle.gap")
        self.judged("a digit in the padding", with_gap(gap[:-3] + b"01>"), "bundle.gap")
        self.judged("white space in the padding", with_gap(gap[:-3] + b"  >"), "bundle.gap")
        self.judged("no signature", with_gap(b"<" + b"0" * (len(gap) - 2) + b">"), "bundle.gap")
        self.judged("round brackets", with_gap(b"(" + gap[1:-1] + b")"), "bundle.gap")
        self.judged("a digit of the signature", with_gap(gap.replace(digits[-8:], b"%08x" % (int(digits[-8:], 16) ^ 16))),
                    "bundle.signature")
        self.judged("another range", pdf.replace(b"/ByteRange [0 ", b"/ByteRange [1 "), "bundle.signature")
        self.judged("a range with a leading zero", re.sub(rb"(/ByteRange \[0) ([0-9]+ [0-9]+ [0-9]+\]) ", rb"\1 0\2", pdf),
                    "bundle.signature")

    def test_the_signature_of_somebody_else(self):
        container = forge.Container(DEMO.bundle)
        beginning = forge.pdf_objects(container.zip())
        own, foreign = DEMO.evidence(), LARGE.evidence()
        self.judged("the certificate of another archive", forge.sign_pdf(beginning, *foreign), "bundle.signature")
        self.judged("the certificate of this, the key of another", forge.sign_pdf(beginning, foreign[0], own[1]), "bundle.signature")

        def large_s(digest, key, certificate):
            parts = kv.Certificate(certificate)
            attributes = kv.cms_attributes(parts, digest)
            raw = forge.openssl("dgst", "-sha256", "-sign", "key", "content", key=key, content=kv.der(kv.SET, attributes))
            r, s = (int.from_bytes(v.content, "big") for v in kv.der_one(raw).parts())
            s = max(s, kv.P256_ORDER - s)
            numbers = [kv.der(kv.INTEGER, n.to_bytes(n.bit_length() // 8 + 1, "big")) for n in (r, s)]
            return forge.cms_with(parts, attributes, kv.der(kv.SEQUENCE, *numbers))

        def unsigned_attribute(digest, key, certificate):
            parts = kv.Certificate(certificate)
            attributes = kv.cms_attributes(parts, digest)
            raw = forge.openssl("dgst", "-sha256", "-sign", "key", "content", key=key, content=kv.der(kv.SET, attributes))
            more = kv.der(0xA1, kv.der(kv.SEQUENCE, kv.DATA, kv.der(kv.SET, kv.der(kv.OCTETS, b"x"))))
            return forge.cms_with(parts, attributes, raw, more)
        for name, make in (("the larger s", large_s), ("an unsigned attribute", unsigned_attribute)):
            self.judged(name, forge.sign_pdf(beginning, *own, make=make), "bundle.signature")

    def test_a_bundle_of_another_archive_is_not_pinned(self):
        path = FOLDER / "large-foreign.pdf"
        path.write_bytes(LARGE.bundle)
        self.assertEqual(first_code(self.agree(path, DEMO.trust)[1]), "origin.mismatch")
        self.assertEqual(self.agree(path)[1]["origin"], "unknown")


class ForgedContainers(Bundles):
    def test_nothing_changed_is_sound_again(self):
        HARMLESS["bundle: nothing changed"] = "the forger's workshop works"
        for archive in (DEMO, LARGE, STAMPED):
            self.forged("nothing changed", lambda c: None, archive=archive)

    def test_the_pdf_around_the_container(self):
        container = forge.Container(DEMO.bundle).zip()
        own = DEMO.evidence()

        def around(name, expected="bundle.container", trailer=b"<< /Root 1 0 R >>", **more):
            self.judged(name, forge.sign_pdf(forge.pdf_objects(container, **more), *own, trailer=trailer), expected)
        second = b"9 0 obj\n<< /KustosEvidence 1 /Length 1 >>\nstream\nx\nendstream\nendobj\n"
        around("two containers", more=second)
        around("another object with its number", more=b"3 0 obj\n<< >>\nendobj\n")
        around("not listed", names=b"")
        around("listed under another key", names=forge.NAMES.replace(b"/EmbeddedFiles", b"/Dests"))
        around("a reference without its generation", names=forge.NAMES.replace(b"4 0 R", b"4R"))
        around("a word that begins with a number and ends with R", names=forge.NAMES.replace(b"4 0 R", b"4xR"))
        around("a generation of seven digits", names=forge.NAMES.replace(b"4 0 R", b"4 0000000 R"))
        around("a name tree that refers to itself", names=b"/Names << /EmbeddedFiles 6 0 R >>",
               more=b"6 0 obj\n<< /Kids [ 6 0 R ] >>\nendobj\n")
        around("a mark of another version", mark=b"/KustosEvidence 2")
        around("no mark", mark=b"/Other 1")
        around("a filter", mark=b"/KustosEvidence 1 /Filter /FlateDecode")
        around("encrypted", trailer=b"<< /Root 1 0 R /Encrypt 1 0 R >>")
        around("no root", trailer=b"<< >>")
        around("an object stream", more=b"9 0 obj\n<< /Type /ObjStm /Length 1 >>\nstream\nx\nendstream\nendobj\n")
        around("an indirect length", more=b"9 0 obj\n<< /Length 1 0 R >>\nstream\nx\nendstream\nendobj\n")
        around("a word between objects", more=b"what\n")
        around("a name twice in a stream's dictionary", more=b"9 0 obj\n<< /A 1 /#41 2 /Length 1 >>\nstream\nx\nendstream\nendobj\n")
        around("a string without end", more=b"9 0 obj\n(\\)\nendobj\n")
        HARMLESS.update({"bundle: " + name: "another way to write the same" for name in (
            "a name tree with kids", "a container in a string", "an object replaced by a later one", "a name with an escape")})
        around("a name tree with kids", None, names=b"/Names << /EmbeddedFiles 6 0 R >>",
               more=b"6 0 obj\n<< /Kids [ 7 0 R 8 0 R ] >>\nendobj\n7 0 obj\n<< /Names [ ] >>\nendobj\n"
                    b"8 0 obj\n<< /Names [ (a) 4 0 R ] >>\nendobj\n")
        around("a container in a string", None, more=b"9 0 obj\n(\\(<< /KustosEvidence 1 () >> stream)\nendobj\n")
        around("an object replaced by a later one", None, more=b"4 0 obj\n<< /Type /Filespec /EF << /F 3 0 R >> >>\nendobj\n")
        around("a name with an escape", None, mark=b"/Kustos#45vidence 1")
        around("the file specification replaced by another", more=b"4 0 obj\n<< /Type /Filespec >>\nendobj\n")

    def test_the_zip(self):
        container = forge.Container(DEMO.bundle)
        data, own = container.zip(), DEMO.evidence()
        names = list(container.members)
        first = 30 + len(names[0])
        for name, changed in (
                ("a byte before", b"x" + data), ("a byte behind", data + b"x"), ("a comment", data[:-2] + b"\1\0x"),
                ("another date", data[:12] + b"\x22" + data[13:]), ("deflated", data[:8] + b"\x08" + data[9:]),
                ("a content without its CRC", data[:first] + bytes([data[first] ^ 1]) + data[first + 1:]),
                ("no central directory", data[:data.index(b"PK\1\2")]), ("nothing", b""),
                ("an end alone", b"PK\5\6" + bytes(18))):
            expected = "bundle.manifest" if name == "an end alone" else "bundle.container"
            self.judged("zip: " + name, forge.sign_pdf(forge.pdf_objects(changed), *own), expected)
        for name in ("../x", "/x", "a//b", "a/./b", "c:x", "a\\b", ""):
            def unsafe(c):
                c.members[name] = b"x"
            self.forged(f"zip: a member {name!r}", unsafe, "bundle.container")

    def test_the_manifest(self):
        def edit(change):
            return lambda c: c.edit("manifest.json", change)

        def put(key, value):
            return edit(lambda m: m.__setitem__(key, value))
        HARMLESS["bundle: manifest: a larger total"] = "it is the archive's statement"
        HARMLESS["bundle: manifest: nothing of what could not be searched"] = "older bundles do not say it"

        def unsearched(partial=0, opaque=0, failed=0, deferred=0, **reasons):
            return {"partial": partial, "opaque": opaque, "failed": failed, "deferred": deferred, "restricted": 0,
                    "reasons": reasons}
        for name, change, expected in (
                ("another format", put("format", "kustos-evidence/2"), "bundle.manifest"),
                ("another vault", put("vault_id", "00" * 16), "bundle.manifest"),
                ("upper-case hex", edit(lambda m: m.update(vault_id=m["vault_id"].upper())), "bundle.manifest"),
                ("another key", put("vkey", LARGE.trust.read_text().split("log ")[1].split()[0]), "bundle.manifest"),
                ("a number as text", put("total", "3"), "bundle.manifest"),
                ("a fraction", put("total", 99.0), "bundle.manifest"),
                ("true", put("total", True), "bundle.manifest"),
                ("a negative number", put("total", -1), "bundle.manifest"),
                ("a number of more than 64 bits", put("total", 1 << 64), "bundle.manifest"),
                ("too small a total", put("total", 0), "bundle.manifest"),
                ("a larger total", edit(lambda m: m.update(total=m["total"] + 5)), None),
                ("a coverage that does not add up", edit(lambda m: m["coverage"].update(sealed=0)), "bundle.manifest"),
                ("a coverage that is too large", edit(lambda m: m["coverage"].update(sealed=(1 << 48) + 1)), "bundle.manifest"),
                ("no coverage", edit(lambda m: m.pop("coverage")), "bundle.manifest"),
                ("nothing of what could not be searched", edit(lambda m: m.pop("unsearched", None)), None),
                ("more that could not be searched than there is", put("unsearched", unsearched(partial=1 << 47, voice=1 << 47)), "bundle.manifest"),
                ("more that is deferred than there is", put("unsearched", unsearched(deferred=1 << 47)), "bundle.manifest"),
                ("reasons that do not add up", put("unsearched", unsearched(opaque=1, voice=2)), "bundle.manifest"),
                ("a reason that is no word", put("unsearched", unsearched(opaque=1, **{"<b>": 1})), "bundle.manifest"),
                ("a reason of nothing", put("unsearched", unsearched(voice=0)), "bundle.manifest"),
                ("reasons as a list", edit(lambda m: m.update(unsearched=dict(unsearched(), reasons=[]))), "bundle.manifest"),
                ("what could not be searched is null", put("unsearched", None), "bundle.manifest"),
                ("no matter", put("matter", None), "bundle.manifest"),
                ("not a time", put("created_at", "yesterday"), "bundle.manifest"),
                ("not a day", put("created_at", "2026-02-30T10:00:00Z"), "bundle.manifest"),
                ("another checkpoint", put("checkpoint", "context/000000000000.json"), "checkpoint"),
                ("a checkpoint that is not there", put("checkpoint", "nothing"), "bundle.manifest"),
                ("a record twice", edit(lambda m: m["records"].append(m["records"][0])), "bundle.manifest"),
                ("a record that is not there", edit(lambda m: m["records"].append("records/000000999999.json")), "bundle.manifest"),
                ("a record left out", edit(lambda m: m["records"].pop()), "bundle.original"),
                ("no context", put("context", []), "bundle.entry"),
                ("only entry 0", edit(lambda m: m["context"].pop()), "bundle.signature"),
                ("only the evidence key", edit(lambda m: m["context"].pop(0)), "bundle.entry"),
                ("no records", put("records", []), "bundle.original")):
            self.forged("manifest: " + name, change, expected)
        self.forged("an unknown key stands in the manifest", put("unknown", {"a": [1.5, None]}))

    def test_the_form_of_json(self):
        def text(change):
            def edit(c):
                c.list_files()
                c.members["manifest.json"] = change(c.members["manifest.json"])
            return edit
        deep = b'"x":' + b"[" * 12 + b"]" * 12 + b","
        HARMLESS.update({"bundle: json: white space": "JSON", "bundle: json: an escape": "JSON", "bundle: json: 11 levels more": "JSON"})
        for name, change, expected in (
                ("no line end", lambda t: t[:-1], "bundle.manifest"), ("two line ends", lambda t: t + b"\n", "bundle.manifest"),
                ("a byte order mark", lambda t: b"\xef\xbb\xbf" + t, "bundle.manifest"),
                ("a space before", lambda t: b" " + t, "bundle.manifest"), ("not closed", lambda t: t[:-2] + b"\n", "bundle.manifest"),
                ("a key twice", lambda t: t.replace(b'"query":', b'"query":"x","query":'), "bundle.manifest"),
                ("a key twice, escaped", lambda t: t.replace(b'"query":', b'"\\u0071uery":"x","query":'), "bundle.manifest"),
                ("too deep", lambda t: t.replace(b'{', b'{' + deep, 1), "bundle.manifest"),
                ("11 levels more", lambda t: t.replace(b'{', b'{"x":' + b"[" * 11 + b"]" * 11 + b",", 1), None),
                ("not UTF-8", lambda t: t.replace(b'"query":"', b'"query":"\xff'), "bundle.manifest"),
                ("half a surrogate pair", lambda t: t.replace(b'"query":"', b'"query":"\\ud800'), "bundle.manifest"),
                ("a control character", lambda t: t.replace(b'"query":"', b'"query":"\t'), "bundle.manifest"),
                ("NaN", lambda t: t.replace(b'{', b'{"x":NaN,', 1), "bundle.manifest"),
                ("a number without end", lambda t: t.replace(b'{', b'{"x":1e999,', 1), "bundle.manifest"),
                ("minus zero", lambda t: re.sub(rb'"total":[0-9]+', b'"total":-0', t), "bundle.manifest"),
                ("a leading zero", lambda t: re.sub(rb'"total":([0-9]+)', rb'"total":0\1', t), "bundle.manifest"),
                ("an exponent", lambda t: re.sub(rb'"total":([0-9]+)', rb'"total":\1e0', t), "bundle.manifest"),
                ("a comma too many", lambda t: t.replace(b"}\n", b",}\n"), "bundle.manifest"),
                ("a comment", lambda t: t.replace(b"{", b"{/**/", 1), "bundle.manifest"),
                ("white space", lambda t: t.replace(b'"query":', b'"query" \r\n\t:'), None),
                ("an escape", lambda t: t.replace(b'"query":', b'"\\u0071uery":'), None)):
            self.forged("json: " + name, text(change), expected, files=False)

    def test_the_list_of_files(self):
        def edit(change):
            return lambda c: (c.list_files(), c.edit("manifest.json", lambda m: change(m["files"])))
        for name, change in (
                ("one left out", lambda f: f.pop(3)), ("one twice", lambda f: f.append(f[3])),
                ("another size", lambda f: f[3].update(size=1)), ("another hash", lambda f: f[3].update(sha256="00" * 32)),
                ("another name", lambda f: f[3].update(name="x")), ("the manifest", lambda f: f.append(dict(f[0], name="manifest.json"))),
                ("none", lambda f: f.clear()), ("a short hash", lambda f: f[3].update(sha256="00"))):
            self.forged("files: " + name, edit(change), "bundle.manifest", files=False)

    def test_members_taken_out_added_and_swapped(self):
        container = forge.Container(DEMO.bundle)
        for name in [n for n in container.members if not n.startswith(("records/", "originals/", "evidence/"))] + [
                next(n for n in container.members if n.startswith(folder)) for folder in ("records/", "originals/", "evidence/")]:
            expected = {"originals": "bundle.original"}.get(name.split("/")[0], "bundle.manifest")
            if name == "trust-hint.txt":
                HARMLESS["bundle: without " + name] = "it is for people"
                expected = None
            if name.startswith("evidence/"):
                HARMLESS["bundle: without " + name] = "not every entry has a time stamp yet"
                expected = None
            self.forged("without " + name, lambda c: c.members.pop(name), expected, files=name != "manifest.json")
        for name, expected in (("notes.txt", "bundle.manifest"), ("originals/x", "bundle.original"), ("blobs/x", "bundle.blob"),
                               ("attachments/x", "bundle.blob"), ("evidence/x", "bundle.evidence"),
                               ("evidence/000000000003.ers", "bundle.evidence"), ("records/000000000003.json", "bundle.manifest"),
                               ("context/000000000003.json", "bundle.manifest"), ("anchors/7.der", "bundle.manifest")):
            self.forged("added: " + name, lambda c: c.members.__setitem__(name, b"x"), expected)
        originals = [n for n in container.members if n.startswith("originals/")]
        records = [n for n in container.members if n.startswith("records/")]

        def swapped(one, two):
            return lambda c: c.members.update({one: c.members[two], two: c.members[one]})
        self.forged("two originals swapped", swapped(*originals[:2]), "bundle.original")
        evidence = [n for n in container.members if n.startswith("evidence/")]
        self.forged("two evidence records swapped", swapped(*evidence[:2]), "bundle.evidence")
        # version, digest algorithm, first group, a sibling, the token's imprint, its signature, its end
        length = len(container.members[evidence[0]])
        for at in (6, 15, 60, 110, 160, 200, 600, length // 2, length - 60, length - 1):
            def flip(c, at=at):
                data = bytearray(c.members[evidence[0]])
                data[at] ^= 1
                c.members[evidence[0]] = bytes(data)
            self.forged(f"evidence record with byte {at} changed", flip, None)
        self.forged("two records swapped", swapped(*records[:2]), "bundle.manifest")
        self.forged("two context entries swapped", swapped("context/000000000000.json", "context/000000000001.json"), "bundle.manifest")

    def test_checkpoint_proofs_and_entries(self):
        record = next(n for n in forge.Container(DEMO.bundle).members if n.startswith("records/"))
        zero = "context/000000000000.json"

        def edit(name, change):
            return lambda c: c.edit(name, change)

        def note(change):
            return lambda c: c.members.update({"checkpoint.note": change(c.members["checkpoint.note"])})

        def flipped(text):
            return text[:-1] + ("0" if text[-1] != "0" else "1")

        def signed(text, archive=DEMO):
            return forge.sign_note(text, archive.signer("checkpoint.key").decode())
        old = forge.Container(DEMO.bundle).members["checkpoint.note"]
        text = kv.Checkpoint(old).text
        size = text.split("\n")[1]
        HARMLESS["bundle: note: a further signature of an unknown key"] = "C2SP signed-note: ignored; but the anchor is of the first"
        for name, change, expected in (
                ("another size", lambda n: n.replace(size.encode(), b"9", 1), "checkpoint"),
                ("no signature", lambda n: n[:n.index("\u2014".encode())], "checkpoint"),
                ("nothing", lambda n: b"", "checkpoint"),
                ("the line end is missing", lambda n: n[:-1], "checkpoint"),
                ("a carriage return", lambda n: n.replace(b"\n", b"\r\n"), "checkpoint"),
                ("signed by another archive", lambda n: signed(text, LARGE), "checkpoint"),
                ("another origin, signed", lambda n: signed("x" + text), "checkpoint"),
                ("another root, signed", lambda n: signed("\n".join(text.split("\n")[:2]) + "\n" + "A" * 43 + "=\n"), "bundle.proof"),
                ("size 0, signed", lambda n: signed(text.replace("\n" + size, "\n0")), "bundle.proof"),
                ("a size with a leading zero, signed", lambda n: signed(text.replace("\n" + size, "\n0" + size)), "checkpoint"),
                ("an extension line, signed", lambda n: signed(text + "more\n"), "anchor.imprint"),
                ("an empty line, signed", lambda n: signed(text + "\n"), "checkpoint")):
            self.forged("note: " + name, note(change), expected)
        for name, target, change, expected in (
                ("an entry's bit", record, lambda r: r.update(entry=flipped(r["entry"])), "bundle.proof"),
                ("an entry's magic", record, lambda r: r.update(entry="00" + r["entry"][2:]), "bundle.entry"),
                ("an entry that is cut", record, lambda r: r.update(entry=r["entry"][:-2]), "bundle.entry"),
                ("an entry with a body", record, lambda r: r.update(entry=r["entry"] + "00"), "bundle.entry"),
                ("a proof's hash", record, lambda r: r["proof"].__setitem__(0, flipped(r["proof"][0])), "bundle.proof"),
                ("a proof that is too short", record, lambda r: r["proof"].pop(), "bundle.proof"),
                ("a proof that is too long", record, lambda r: r["proof"].append("00" * 32), "bundle.proof"),
                ("a proof of 65 hashes", record, lambda r: r.update(proof=["00" * 32] * 65), "bundle.manifest"),
                ("another index", record, lambda r: r.update(index=r["index"] + 1), "bundle.manifest"),
                ("an index beyond twelve digits", record, lambda r: r.update(index=10 ** 12), "bundle.manifest"),
                ("entry 0 without its key", zero, lambda r: r.update(entry=flipped(r["entry"])), "bundle.proof"),
                ("entry 0 without a proof", zero, lambda r: r.pop("proof"), "bundle.manifest")):
            self.forged("proofs: " + name, edit(target, change), expected)

        def control_as_record(c):
            name = "records/000000000000.json"
            c.members[name] = forge.compact(dict(c.json(zero), key_commitment="00" * 32, commitments=[], fields=[]))
            c.edit("manifest.json", lambda m: (m["records"].append(name), m.update(total=m["total"] + 1)))
        self.forged("a control entry as a record", control_as_record, "bundle.entry")

        def record_as_context(c):
            entry = c.json(record)
            name = "context/%012d.json" % entry["index"]
            c.put(name, {key: entry[key] for key in ("index", "entry", "proof")})
            c.edit("manifest.json", lambda m: m["context"].append(name))
        self.forged("a proven entry more stands in the context", record_as_context)

    def test_fields(self):
        container = forge.Container(DEMO.bundle)
        name = next(n for n in container.members if n.startswith("records/")
                    and any(f["state"] == "decoy" for f in container.json(n)["fields"]))
        rows = container.json(name)["fields"]
        subject = next(f["i"] for f in rows if f.get("path") == 5)
        decoy = next(f["i"] for f in rows if f["state"] == "decoy")
        kind = next(f["i"] for f in rows if f.get("path") == 1)
        raw = next(f["i"] for f in rows if f.get("path") == 14)
        reasons = {"state": "redacted", "category": "x", "legal_basis": "y", "approver": "z"}

        def row(i, **values):
            return lambda r: r["fields"][i].update(values)

        def redact(*indexes, original=False, **more):
            def change(r):
                for i in indexes:
                    r["fields"][i] = dict(reasons, i=i, **more)
                if not original:
                    r.pop("original")
            return change
        for label, change, expected in (
                ("a value", row(subject, value="AAAA"), "bundle.field"), ("a salt", row(subject, salt="00" * 32), "bundle.field"),
                ("a path", row(subject, path=6), "bundle.field"), ("a type", row(subject, type=2), "bundle.field"),
                ("an ordinal", row(subject, ordinal=1), "bundle.field"), ("path 0", row(subject, path=0), "bundle.manifest"),
                ("path 65536", row(subject, path=65536), "bundle.manifest"), ("type 256", row(subject, type=256), "bundle.manifest"),
                ("a short salt", row(subject, salt="00"), "bundle.manifest"),
                ("base64 without padding", row(subject, value="AA"), "bundle.manifest"),
                ("base64 that is not canonical", row(subject, value="AB=="), "bundle.manifest"),
                ("base64 with a line end", row(subject, value="AAAA\n"), "bundle.manifest"),
                ("both value and value_from", row(subject, value_from={"file": "x", "offset": 0, "length": 0}), "bundle.manifest"),
                ("an unknown state", row(subject, state="hidden"), "bundle.manifest"),
                ("an unknown key in a row", row(subject, note="x"), "bundle.manifest"),
                ("a decoy with a value", row(decoy, value="AAAA"), "bundle.manifest"),
                ("a decoy as disclosed", lambda r: r["fields"][decoy].update(state="disclosed", path=5, ordinal=0, type=1, value=""),
                 "bundle.field"),
                ("a disclosed field as a decoy", lambda r: r["fields"].__setitem__(
                    subject, {"i": subject, "state": "decoy", "salt": r["fields"][subject]["salt"]}), "bundle.field"),
                ("a row left out", lambda r: r["fields"].pop(), "bundle.field"),
                ("a row and a commitment left out", lambda r: (r["fields"].pop(), r["commitments"].pop()), "bundle.field"),
                ("rows out of order", lambda r: r["fields"].reverse(), "bundle.manifest"),
                ("a commitment", lambda r: r["commitments"].__setitem__(0, "00" * 32), "bundle.field"),
                ("the key commitment", lambda r: r.update(key_commitment="00" * 32), "bundle.field"),
                ("a redacted type", redact(kind), "bundle.field"),
                ("a redaction without a reason", redact(subject, category=""), "bundle.manifest"),
                ("a redaction that still shows the value", redact(subject, value="AAAA"), "bundle.manifest"),
                ("a redaction beside the original", redact(subject, original=True), "bundle.original"),
                ("no original", lambda r: r.pop("original"), "bundle.original"),
                ("another record's original", lambda r: r.update(original="originals/nothing"), "bundle.original"),
                ("an original in another folder", lambda r: r.update(original="checkpoint.note"), "bundle.original"),
                ("a missing key", lambda r: r.pop("key_commitment"), "bundle.manifest"),
                ("a blob that is not there", lambda r: r.update(blobs=["blobs/000000000003.json"]), "bundle.manifest")):
            self.forged("fields: " + label, lambda c: c.edit(name, change), expected)

        def properly(c):
            c.members.pop(c.json(name)["original"])
            c.edit(name, redact(subject, raw))
        self.assertEqual(self.forged("a field is redacted with its reasons", properly)["checked"]["redacted"], 2)

    def test_attachments(self):
        container = forge.Container(LARGE.bundle)
        blobs = sorted(n for n in container.members if n.startswith("blobs/"))
        files = sorted(n for n in container.members if n.startswith("attachments/"))
        self.assertGreaterEqual(min(len(blobs), len(files)), 2)
        record = next(n for n in container.members if n.startswith("records/") and container.json(n).get("blobs") == blobs[:1])
        first = next(f["i"] for f in container.json(blobs[0])["fields"] if "value_from" in f)

        def source(**values):
            return lambda c: c.edit(blobs[0], lambda b: b["fields"][first]["value_from"].update(values))
        for name, change, expected in (
                ("a bit", lambda c: c.members.update({files[0]: c.members[files[0]][:-1] + bytes([c.members[files[0]][-1] ^ 1])}),
                 "bundle.blob"),
                ("a byte more", lambda c: c.members.update({files[0]: c.members[files[0]] + b"x"}), "bundle.blob"),
                ("a byte less", lambda c: c.members.update({files[0]: c.members[files[0]][:-1]}), "bundle.blob"),
                ("the content is not there", lambda c: c.members.pop(files[0]), "bundle.blob"),
                ("contents swapped", lambda c: c.members.update({files[0]: c.members[files[1]], files[1]: c.members[files[0]]}),
                 "bundle.blob"),
                ("another offset", source(offset=1), "bundle.blob"), ("another length", source(length=5), "bundle.blob"),
                ("a length without end", source(length=(1 << 64) - 1), "bundle.blob"),
                ("another file", source(file=files[1]), "bundle.blob"), ("an original", source(file="originals/x"), "bundle.blob"),
                ("the disclosure is not there", lambda c: c.members.pop(blobs[0]), "bundle.manifest"),
                ("not named by its record", lambda c: c.edit(record, lambda r: r.pop("blobs")), "bundle.blob"),
                ("named twice", lambda c: c.edit(record, lambda r: r.update(blobs=r["blobs"] * 2)), "bundle.blob"),
                ("a record as a blob", lambda c: c.edit(record, lambda r: r.update(blobs=[record])), "bundle.manifest")):
            self.forged("attachments: " + name, change, expected, LARGE)

    def test_time_stamps(self):
        def anchor(**values):
            return lambda c: c.edit("manifest.json", lambda m: m["anchors"][0].update(values))

        def path(change):
            return lambda c: c.edit("manifest.json", lambda m: change(m["anchors"][0]["path"]))
        foreign = forge.Container(LARGE.bundle).members["anchors/0.der"]
        own = forge.Container(DEMO.bundle).members["anchors/0.der"]
        time = own.rindex(kv.oid("1.2.840.113549.1.9.5")) + 11  # of the signed attribute signingTime, tag of its SET
        for name, change, expected in (
                ("a set that is not constructed", lambda c: c.members.update({"anchors/0.der": own[:time] + b"\x11" + own[time + 1:]}),
                 "anchor.token"),
                ("another token", lambda c: c.members.update({"anchors/0.der": foreign}), "anchor.token"),
                ("a token that is none", lambda c: c.members.update({"anchors/0.der": b"x"}), "anchor.token"),
                ("a token that is cut", lambda c: c.members.update({"anchors/0.der": c.members["anchors/0.der"][:-1]}), "anchor.token"),
                ("a span that is empty", anchor(previous_size=1 << 40), "anchor.imprint"),
                ("no path", anchor(path=[]), "anchor.imprint"), ("an empty group", path(lambda p: p.insert(1, [])), "anchor.imprint"),
                ("a path that is too short", path(lambda p: p.pop()), "anchor.token"),
                ("another hash", path(lambda p: p[-1].__setitem__(0, "00" * 32)), "anchor.token"),
                ("another note", path(lambda p: p[0].__setitem__(0, "00" * 32)), "anchor.imprint"),
                ("a hash beside the note", path(lambda p: p[0].append("00" * 32)), "anchor.imprint"),
                ("66 groups", path(lambda p: p.extend([["00" * 32]] * 66)), "bundle.manifest"),
                ("17 hashes", path(lambda p: p[1].extend(["00" * 32] * 16)), "bundle.manifest"),
                ("no token", anchor(token="anchors/9.der"), "bundle.manifest")):
            self.forged("time: " + name, change, expected)

        def none(c):
            c.members.pop("anchors/0.der")
            c.edit("manifest.json", lambda m: m.update(anchors=[]))
        self.assertEqual(self.forged("no time stamp", none)["time"], "none")

    def test_bits_of_a_token(self):
        chance = random.Random(10)
        token = forge.Container(STAMPED.bundle).members["anchors/0.der"]
        trust = trust_file("token.trust", STAMPED.trust.read_text(), fixtures.trust_line("t", "qualified", STAMPED.tsa_root))
        refused = 0
        for _ in range(40):
            at, mask = chance.randrange(len(token)), 1 << chance.randrange(8)
            if mask == 0x20 and token[at] >> 6 == 2:
                mask = 1  # OpenSSL does not look whether a context tag is constructed; no signature covers these two
            container = forge.Container(STAMPED.bundle)
            container.members["anchors/0.der"] = token[:at] + bytes([token[at] ^ mask]) + token[at + 1:]
            container.list_files()
            path = FOLDER / "token.pdf"
            path.write_bytes(forge.sign_pdf(forge.pdf_objects(container.zip()), *STAMPED.evidence()))
            with self.subTest(at=at, mask=mask):  # some bytes of a token are covered by no signature (anchors.md)
                refused += self.agree(path, trust)[0]
        self.assertGreater(refused, 25)


# --- the pages ---------------------------------------------------------------------------------------------------------------------------

def page_example(page, name):
    text = (fixtures.ROOT / "docs" / "format" / page).read_text()
    return re.search(r"^```\w+ example " + name + r"\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)[1]


def page_bytes(page, name):
    return bytes.fromhex("".join(line.split("#")[0] for line in page_example(page, name).splitlines()))


class WorkedExamples(unittest.TestCase):
    """What stands on the pages as an example is true."""

    def setUp(self):
        self.manifest = json.loads(page_example("bundle.md", "manifest"))
        self.note = page_example("bundle.md", "checkpoint").encode()
        self.checkpoint = kv.Checkpoint(self.note).verify(kv.Key(self.manifest["vkey"]))

    def test_the_entries_of_bundle_md_are_proven(self):
        for name in ("context", "record"):
            row = json.loads(page_example("bundle.md", name))
            entry = bytes.fromhex(row["entry"])
            kv.Entry(entry)
            self.assertTrue(kv.includes(row["index"], self.checkpoint.size, kv.leaf_hash(entry),
                                        [bytes.fromhex(h) for h in row["proof"]], self.checkpoint.root))

    def test_the_record_of_bundle_md_opens(self):
        text = page_example("bundle.md", "record").replace("\n", "") + "\n"
        record = kv.Disclosure(text.encode())
        check = kv.BundleCheck(b"", None)
        opened, redacted = check.check_fields(record, kv.Entry(record.entry), "record")
        original = page_example("bundle.md", "original").encode()
        self.assertEqual((check.report.problems, redacted), ([], 0))
        self.assertEqual(opened[kv.RAW], [struct.pack(">Q", len(original)) + kv.sha256(original)])
        self.assertEqual(kv.sha256(b"\3", page_bytes("bundle.md", "field-0")), record.commitments[0])

    def test_the_manifest_of_bundle_md_fits(self):
        files = {row["name"]: row for row in self.manifest["files"]}
        self.assertEqual(files["checkpoint.note"]["sha256"], kv.sha256(self.note).hex())
        self.assertEqual(self.manifest["anchors"][0]["path"][0], [kv.sha256(self.note).hex()])
        original = page_example("bundle.md", "original").encode()
        self.assertEqual(files["originals/000000000019.csv"], {
            "name": "originals/000000000019.csv", "size": len(original), "sha256": kv.sha256(original).hex()})
        kv.Manifest((page_example("bundle.md", "manifest").replace("\n", "") + "\n").encode())

    def test_the_pdf_objects_of_bundle_md(self):
        head = page_example("bundle.md", "container-object").encode()
        length = int(head.split(b"/Length ")[1].split()[0])
        pdf = forge.pdf_objects(b"x")
        start, end = pdf.index(b"3 0 obj"), pdf.index(b"4 0 obj")
        pdf = pdf[:start] + head + b"\7" * length + b"\nendstream\nendobj\n" + pdf[end:].replace(b"3 0 R", b"9 0 R")
        self.assertEqual(kv.Pdf(pdf + b"xref\n0 0\ntrailer\n<< /Root 1 0 R >>\n").container(), b"\7" * length)

        shown = page_example("bundle.md", "signature-object").encode()
        begin, end, rest = map(int, re.search(rb"\[0 (\d+) (\d+) (\d+)\]", shown).groups())
        self.assertEqual(end - begin, 2 + 2 * 8192)
        self.assertEqual(shown, b"97" + kv.SIGNATURE_HEAD + (b" %d %d %d]" % (begin, end, rest)).ljust(41) + b"/Contents <308202eb...00> >>\nendobj\n")
        signed = DEMO.bundle[DEMO.bundle.rindex(kv.SIGNATURE_HEAD):]
        self.assertRegex(signed, rb"(?s)^" + re.escape(kv.SIGNATURE_HEAD) + rb"(?=.{41}/Contents <)(?: \d+){3}\] */Contents <[0-9a-f]+> >>\nendobj\n")

    def test_the_zip_headers_of_bundle_md(self):
        local, row = page_bytes("bundle.md", "zip-local-header"), page_bytes("bundle.md", "zip-directory-row")
        end = page_bytes("bundle.md", "zip-end")
        self.assertEqual(struct.unpack_from("<I", local, 22)[0], len(self.note))
        one = end[:8] + b"\1\0\1\0" + struct.pack("<II", len(row), len(local) + len(self.note)) + b"\0\0"
        self.assertEqual(kv.read_zip(local + self.note + row + one), {b"checkpoint.note": self.note})

    def test_the_trust_file_and_the_report(self):
        trust = kv.Trust(page_example("trust.md", "policy").encode())
        self.assertEqual(trust.logs[0].fingerprint(), page_example("trust.md", "fingerprint").strip())
        self.assertEqual([a[:2] for a in trust.authorities], [("example-tsa", "qualified")])
        report = json.loads(page_example("report.md", "report"))
        more = {"proven_since", "proven_size", "mode", "remarks", "root", "size"}  # the last four: kustos-verify's alone
        self.assertEqual(set(kv.Report("bundle").json()) | more, set(report))
        self.assertEqual(report["fingerprint"], kv.Key(self.manifest["vkey"]).fingerprint())

    def test_the_first_imprint_of_anchors_md(self):
        hashes = [[bytes.fromhex(line.split("#")[0])] for line in page_example("anchors.md", "reduced-note").splitlines()]
        self.assertEqual(kv.reduced_root(hashes), page_bytes("anchors.md", "imprint"))


if __name__ == "__main__":
    unittest.main()
