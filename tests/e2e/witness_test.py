"""Witnesses: cosignatures in the archive and in bundles, receipts, and an old copy that is refused."""
import base64
import hashlib
import json
import os
import shutil
import signal
import subprocess
import unittest
from pathlib import Path

from kustos import BIN, DEMO, Archive


class Server:
    """kustos witness serve, on a free port or on a given one."""

    def __init__(self, folder, *logs, port=0):
        arguments = [BIN / "kustos", "--json", "witness", "serve", "--dir", folder, "--name", "witness.example", "--port", str(port)]
        for log in logs:
            arguments += ["--log", log]
        self.process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
        facts = json.loads(self.process.stdout.readline())
        self.url, self.key = facts["url"], facts["key"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=20)
        self.process.stdout.close()


def with_witness(archive, server):
    config = archive.path / "config.yaml"
    config.write_text(config.read_text().replace("witnesses: []", f'witnesses:\n  - "{server.url} {server.key}"'))
    trust = archive.folder / "witnessed.policy"
    trust.write_text(archive.trust.read_text().replace("quorum none", f"witness w {server.key}\nquorum w"))
    return trust


def ingest(archive, name, *paths):
    archive.run("source", "add", name, "--kind", "import")
    archive.run("ingest", "--source", name, *paths)


class Witnesses(unittest.TestCase):
    def test_a_checkpoint_is_cosigned_and_verifiers_can_ask_for_that(self):
        with Archive() as archive:
            vkey = archive.trust.read_text().split("log ")[1].split("\n")[0]
            with Server(archive.folder / "w", vkey) as server:
                trust = with_witness(archive, server)
                self.assertEqual(archive.verify(None, "--trust", trust)[1]["problems"][0]["code"], "witness.quorum")
                ingest(archive, "mail", DEMO / "mail.mbox")
                code, report = archive.verify(None, "--trust", trust)
                self.assertEqual((code, report["origin"]), (0, "witnessed"), report["problems"])
                self.assertEqual(archive.verify(None, "--trust", archive.trust)[1]["origin"], "pinned")
                bundle = archive.folder / "b.pdf"
                archive.run("export", "--matter", archive.matter(), "--query", "Fundamente", "--out", bundle)
                self.assertEqual(archive.verify(bundle, "--trust", trust)[1]["origin"], "witnessed")
                proof = archive.folder / "5.tlog-proof"
                archive.run("receipt", 5, "--out", proof)
                done = subprocess.run([BIN / "kustos-verify", "--tlog-proof", proof, "--data", proof.with_suffix(".entry"),
                                       "--trust", trust, "--json"], capture_output=True, text=True, check=False)
                self.assertEqual((done.returncode, json.loads(done.stdout)["origin"]), (0, "witnessed"), done.stderr)
            # The witness is away: the archive works on.
            ingest(archive, "more", *sorted((DEMO / "mail").glob("*.eml")))
            self.assertEqual(archive.verify(None, "--trust", trust)[0], 0)

    def test_yesterdays_copy_is_refused_even_with_yesterdays_signer(self):
        for with_state in (False, True):
            with self.subTest(with_state=with_state), Archive() as archive:
                vkey = archive.trust.read_text().split("log ")[1].split("\n")[0]
                with Server(archive.folder / "w", vkey) as server:
                    with_witness(archive, server)
                    ingest(archive, "mail", DEMO / "mail.mbox")
                    copy = archive.folder / "yesterday"
                    shutil.copytree(archive.path, copy / "archive")
                    shutil.copytree(archive.state, copy / "state")
                    ingest(archive, "more", *sorted((DEMO / "mail").glob("*.eml")))
                    shutil.rmtree(archive.path)
                    shutil.copytree(copy / "archive", archive.path)
                    if with_state:
                        shutil.rmtree(archive.state)
                        shutil.copytree(copy / "state", archive.state)
                    before = sorted((p, p.read_bytes()) for p in (archive.path / "ledger").rglob("*") if p.is_file())
                    for language, words in (("de", "ältere Kopie"), ("en", "older copy")):
                        done = archive.call("--lang", language, "ingest", "--source", "mail", DEMO / "mail.mbox")
                        self.assertEqual(done.returncode, 6, done.stdout)
                        self.assertIn(words, done.stderr)
                        self.assertIn("witness.example" if with_state else "signer", done.stderr)
                    after = sorted((p, p.read_bytes()) for p in (archive.path / "ledger").rglob("*") if p.is_file())
                    self.assertEqual(before, after)
                    # The newest copy put back: nothing else is needed. (Here: it is gone; see continuation.)



class Continuation(unittest.TestCase):
    def rolled_back(self, archive, with_state):
        """Yesterday's copy, put back; what came later is lost."""
        name = f"more{len(list(archive.folder.iterdir()))}"
        copy = archive.folder / f"before {name}"
        shutil.copytree(archive.path, copy / "archive")
        shutil.copytree(archive.state, copy / "state")
        ingest(archive, name, *sorted((DEMO / "mail").glob("*.eml")))
        lost = archive.json("status")["entries"]
        for now, then in ((archive.path, "archive"), (archive.state, "state"))[:2 if with_state else 1]:
            shutil.rmtree(now)
            shutil.copytree(copy / then, now)
        return lost

    def test_an_archive_whose_newer_state_is_lost_goes_on_under_a_new_name(self):
        for with_witness_too in (False, True):
            with self.subTest(with_witness_too=with_witness_too), Archive() as archive:
                vkey = archive.trust.read_text().split("log ")[1].split("\n")[0]
                with Server(archive.folder / "w", vkey) as server:
                    if with_witness_too:
                        with_witness(archive, server)
                    ingest(archive, "mail", DEMO / "mail.mbox")
                    old_trust = archive.folder / "old.policy"
                    shutil.copy(archive.trust, old_trust)
                    before = archive.json("status")
                    self.assertIn("nothing to continue", archive.run("continue", "--yes", code=archive.call("continue", "--yes")
                                                                     .returncode).stderr)
                    lost = self.rolled_back(archive, with_state=with_witness_too)
                    self.assertIn("kustos continue", archive.run("status", code=6).stderr)
                    self.assertIn("--yes", archive.run("continue", code=2).stderr)
                    report = archive.json("continue", "--yes")
                    self.assertEqual(report["origin"], before["origin"] + "/1")
                    self.assertEqual(report["entries"], before["entries"])
                    # The signer remembers all of it, a witness what was published.
                    self.assertIn(report["remembered"], (lost, lost - 1, lost - 2, lost - 3))
                    self.assertNotEqual(report["fingerprint"], before["fingerprint"])
                    # Once is enough.
                    self.assertNotEqual(archive.call("continue", "--yes").returncode, 0)
                    code, verdict = archive.verify(None, "--trust", archive.trust)
                    self.assertEqual((code, verdict["origin"]), (0, "pinned"), verdict["problems"])
                    self.assertTrue(any("are lost, and the archive says so" in line for line in verdict["not_checked"]))
                    # Sources send again: what was lost comes in, what is there stays alone.
                    archive.run("source", "add", "again", "--kind", "import")
                    archive.run("ingest", "--source", "mail", DEMO / "mail.mbox")
                    self.assertEqual(archive.json("status")["records"], before["records"])
                    archive.run("ingest", "--source", "again", *sorted((DEMO / "mail").glob("*.eml")))
                    self.assertGreater(archive.json("status")["records"], before["records"])
                    bundle = archive.folder / "b.pdf"
                    archive.run("export", "--matter", archive.matter(), "--query", "Fundamente", "--out", bundle)
                    for subject in (None, bundle):
                        code, verdict = archive.verify(subject, "--trust", archive.trust)
                        self.assertEqual((code, verdict["origin"]), (0, "pinned"), verdict["problems"])
                        code, verdict = archive.verify(subject, "--trust", old_trust)
                        self.assertEqual((code, verdict["origin"]), (1, "unknown"))
                    # It goes on like any other: rotation, and a second continuation.
                    archive.run("key", "rotate")
                    if not with_witness_too:
                        self.rolled_back(archive, False)
                        self.assertEqual(archive.json("continue", "--yes")["origin"], before["origin"] + "/2")
                    ingest(archive, "last", DEMO / "mail.mbox")
                    code, verdict = archive.verify(None, "--trust", archive.trust)
                    self.assertEqual((code, verdict["origin"]), (0, "pinned"), verdict["problems"])

    def test_a_continuation_that_is_interrupted_is_finished_by_the_next_try(self):
        with Archive() as archive:
            ingest(archive, "mail", DEMO / "mail.mbox")
            self.rolled_back(archive, False)
            state = next(archive.state.iterdir())
            keep = archive.folder / "keep"
            shutil.copytree(archive.path, keep / "archive")
            shutil.copytree(archive.state, keep / "state")
            archive.run("continue", "--yes")
            after = archive.folder / "after"
            shutil.copytree(archive.path, after / "archive")
            shutil.copytree(archive.state, after / "state")

            def put(which, part):
                target = {"archive": archive.path, "state": archive.state}[part]
                shutil.rmtree(target)
                shutil.copytree(which / part, target)
            # Before and between the two renames, before the entry, and before its file.
            for name in ("made", "moved", "no entry", "no file"):
                with self.subTest(name=name):
                    put(after if name == "no file" else keep, "archive")
                    put(after, "state")
                    if name == "made":
                        os.rename(state / "signer", state / "signer.new")
                        os.rename(state / "signer.origin-0", state / "signer")
                    elif name == "moved":
                        os.rename(state / "signer", state / "signer.new")
                    if name in ("made", "moved", "no entry"):  # a signer that has not signed anything yet
                        fresh = state / ("signer" if name == "no entry" else "signer.new")
                        size, root = (archive.path / "ledger" / "checkpoint").read_text().split("\n")[1:3]
                        slot = (b"KSH1" + bytes.fromhex(state.name) + bytes(8) + int(size).to_bytes(8, "big")
                                + base64.b64decode(root) + bytes(4))
                        slot += hashlib.sha256(slot).digest()
                        (fresh / "head").write_bytes(slot.ljust(8192, b"\0"))
                    else:
                        shutil.rmtree(archive.path / "ledger" / "continuations")
                    self.assertNotEqual(archive.call("status").returncode, 0)
                    report = archive.json("continue", "--yes")
                    self.assertEqual(report["origin"].rsplit("/")[-1], "1")
                    archive.json("status")
                    code, verdict = archive.verify(None, "--trust", archive.trust)
                    self.assertEqual((code, verdict["origin"]), (0, "pinned"), verdict["problems"])


if __name__ == "__main__":
    unittest.main()
