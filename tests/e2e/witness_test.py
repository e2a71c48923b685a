"""Witnesses: cosignatures in the archive and in bundles, receipts, and an old copy that is refused."""
import json
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


if __name__ == "__main__":
    unittest.main()
