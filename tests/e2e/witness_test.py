"""Witnesses: cosignatures in the archive and in bundles, receipts, and an old copy that is refused."""
import base64
import hashlib
import http.server
import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import unittest
import urllib.error
import urllib.request
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


class OtherLog:
    """A ledger of another make: RFC 6962 in Python, Ed25519 by openssl."""

    def __init__(self, folder, origin, leaves, salt=b""):
        self.origin, self.folder, self.key = origin, folder, folder / f"{hashlib.sha256(origin.encode()).hexdigest()[:8]}.pem"
        self.leaves = [hashlib.sha256(b"\0%d" % i + (salt if i > 5 else b"")).digest() for i in range(leaves)]
        if not self.key.exists():
            subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", self.key], check=True, capture_output=True)
        public = subprocess.run(["openssl", "pkey", "-in", self.key, "-pubout", "-outform", "DER"], check=True, capture_output=True)
        self.public = b"\1" + public.stdout[-32:]
        self.key_id = hashlib.sha256(origin.encode() + b"\n" + self.public).digest()[:4]
        self.vkey = f"{origin}+{self.key_id.hex()}+{base64.b64encode(self.public).decode()}"

    def root(self, leaves):
        if len(leaves) < 2:
            return leaves[0] if leaves else hashlib.sha256(b"").digest()
        k = 1 << (len(leaves) - 1).bit_length() - 1
        return hashlib.sha256(b"\1" + self.root(leaves[:k]) + self.root(leaves[k:])).digest()

    def proof(self, m, leaves, whole=True):  # RFC 6962 section 2.1.2
        if m == len(leaves):
            return [] if whole else [self.root(leaves)]
        k = 1 << (len(leaves) - 1).bit_length() - 1
        if m <= k:
            return self.proof(m, leaves[:k], whole) + [self.root(leaves[k:])]
        return self.proof(m - k, leaves[k:], False) + [self.root(leaves[:k])]

    def note(self, size, root=None):
        text = f"{self.origin}\n{size}\n{base64.b64encode(root or self.root(self.leaves[:size])).decode()}\n"
        (self.folder / "text").write_text(text)
        signed = subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", self.key, "-in", self.folder / "text"], check=True,
                                capture_output=True).stdout
        return f"{text}\n\u2014 {self.origin} {base64.b64encode(self.key_id + signed).decode()}\n"

    def request(self, old, size, root=None, proof=None):
        if proof is None:
            proof = self.proof(old, self.leaves[:size]) if 0 < old < size else []
        return f"old {old}\n" + "".join(base64.b64encode(h).decode() + "\n" for h in proof) + "\n" + self.note(size, root)


class Protocol(unittest.TestCase):
    """C2SP tlog-witness on the wire, asked by another implementation."""

    def test_each_answer_has_the_status_and_the_form_of_the_specification(self):
        folder = Path(tempfile.mkdtemp(prefix="kustos-e2e-"))
        self.addCleanup(shutil.rmtree, folder)
        log, stranger = OtherLog(folder, "log.example/1", 300), OtherLog(folder, "log.example/2", 9)
        fork = OtherLog(folder, "log.example/1", 300, b"fork")
        forger = OtherLog(folder, "log.example/1", 300)
        forger.key = stranger.key
        with Server(folder / "w", log.vkey) as server:
            def ask(body, path="add-checkpoint", method="POST"):
                asked = urllib.request.Request(server.url + path, body.encode() if body is not None else None, method=method)
                try:
                    with urllib.request.urlopen(asked) as answer:
                        return answer.status, answer.headers["Content-Type"], answer.read().decode()
                except urllib.error.HTTPError as refused:
                    with refused:
                        return refused.code, refused.headers["Content-Type"], refused.read().decode()

            status, _, line = ask(log.request(0, 7))
            self.assertEqual(status, 200)
            for one in line.splitlines(keepends=True):
                self.assertRegex(one, "^\u2014 witness.example [A-Za-z0-9+/=]+\n$")
            self.assertEqual(len(base64.b64decode(line.split()[2])), 4 + 8 + 64)
            self.assertEqual(ask(log.request(7, 7))[0], 200, "the same once more")
            for old, size in ((0, 9), (6, 9), (0, 3), (3, 5), (8, 9)):  # old size 0 asks what it remembers
                self.assertEqual(ask(log.request(old, size)), (409, "text/x.tlog.size", "7\n"), (old, size))
            self.assertEqual(ask(fork.request(7, 7)), (409, "text/x.tlog.size", "7\n"), "same size, other root")
            self.assertEqual(ask(fork.request(7, 20))[0], 422)
            self.assertEqual(ask(log.request(7, 20, proof=[]))[0], 422)
            self.assertEqual(ask(log.request(7, 20, proof=log.proof(7, log.leaves[:20])[:-1]))[0], 422)
            self.assertEqual(ask(log.request(8, 7))[0], 400, "old size above the checkpoint's")
            self.assertEqual(ask(stranger.request(0, 9))[0], 404)
            self.assertEqual(ask(forger.request(7, 9))[0], 403)
            for bad in ("", "old 07\n\n" + log.note(9), "old 7\r\n\n" + log.note(9), log.request(7, 9).rstrip("\n"),
                        "old 7\n" + "A" * 44 + "\n\n" + log.note(9), log.request(7, 9, proof=[bytes(32)] * 64)):
                self.assertEqual(ask(bad)[0], 400, bad[:40])
            self.assertEqual(ask(log.request(7, 9), path="other")[0], 404)
            self.assertEqual(ask(None, method="GET")[0], 405)
            self.assertEqual(ask("x" * 70_000)[0], 413)
            # A further signature by an unknown key does no harm.
            self.assertEqual(ask(log.request(7, 256) + stranger.note(9).splitlines()[-1] + "\n")[0], 200)
            self.assertEqual(ask(log.request(256, 300))[0], 200)


class Liar:
    """A witness with answers of its own."""

    def __init__(self, answer):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                status, body = answer(self.rfile.read(int(self.headers["Content-Length"])).decode())
                self.send_response(status)
                self.send_header("Content-Length", str(len(body.encode())))
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        self.thread = threading.Thread(target=self.server.serve_forever)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


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
                    for language, words, who in (("de", "ältere Kopie", "Unterzeichner"), ("en", "older copy", "signer")):
                        done = archive.call("--lang", language, "ingest", "--source", "mail", DEMO / "mail.mbox")
                        self.assertEqual(done.returncode, 6, done.stdout)
                        self.assertIn(words, done.stderr)
                        self.assertIn("witness.example" if with_state else who, done.stderr)
                    after = sorted((p, p.read_bytes()) for p in (archive.path / "ledger").rglob("*") if p.is_file())
                    self.assertEqual(before, after)
                    # The newest copy put back: nothing else is needed. (Here: it is gone; see continuation.)



    def test_a_copy_that_goes_on_while_its_witness_is_away_is_stopped_when_it_is_back(self):
        with Archive() as archive:
            vkey = archive.trust.read_text().split("log ")[1].split("\n")[0]
            with Server(archive.folder / "w", vkey) as server:
                with_witness(archive, server)
                ingest(archive, "mail", DEMO / "mail.mbox")
                shutil.copytree(archive.path, archive.folder / "old" / "archive")
                shutil.copytree(archive.state, archive.folder / "old" / "state")
                ingest(archive, "more", *sorted((DEMO / "mail").glob("*.eml"))[:2])
                port = int(server.url.rstrip("/").rsplit(":", 1)[1])
            shutil.rmtree(archive.path)
            shutil.rmtree(archive.state)
            shutil.copytree(archive.folder / "old" / "archive", archive.path)
            shutil.copytree(archive.folder / "old" / "state", archive.state)
            # Nobody can know: it warns, and goes on to be longer than what the witness has seen.
            self.assertIn("witness.example", archive.run("status").stdout)
            self.assertIn("Zeuge", archive.run("--lang", "de", "status").stdout)
            ingest(archive, "other", *sorted((DEMO / "mail").glob("*.eml")))
            self.assertEqual(archive.verify()[0], 0)
            with Server(archive.folder / "w", port=port):
                archive.run("source", "add", "last", "--kind", "import")
                done = archive.call("ingest", "--source", "last", DEMO / "mail.mbox")
                self.assertEqual(done.returncode, 6, done.stdout)
                self.assertIn("another history", done.stderr)

    def test_a_copy_from_before_the_first_publication_is_refused(self):
        with Archive() as archive:
            vkey = archive.trust.read_text().split("log ")[1].split("\n")[0]
            with Server(archive.folder / "w", vkey) as server:
                with_witness(archive, server)
                shutil.copytree(archive.path, archive.folder / "old" / "archive")
                shutil.copytree(archive.state, archive.folder / "old" / "state")
                self.assertEqual(archive.run("status").returncode, 0)
                ingest(archive, "mail", DEMO / "mail.mbox")
                shutil.rmtree(archive.path)
                shutil.rmtree(archive.state)
                shutil.copytree(archive.folder / "old" / "archive", archive.path)
                shutil.copytree(archive.folder / "old" / "state", archive.state)
                self.assertFalse((archive.path / "ledger" / "published").exists())
                done = archive.call("--lang", "de", "status")
                self.assertEqual(done.returncode, 6)
                self.assertIn("der Zeuge witness.example aber hat schon", done.stderr)

    def test_a_witness_can_not_spoil_what_others_have_signed(self):
        with Archive() as archive:
            vkey = archive.trust.read_text().split("log ")[1].split("\n")[0]
            with Server(archive.folder / "w", vkey) as server:
                name, key_id = server.key.split("+")[:2]
                spoilt = f"\u2014 {name} {base64.b64encode(bytes.fromhex(key_id) + bytes(72)).decode()}\n"
                with Liar(lambda _: (200, spoilt)) as liar:
                    # Listed first, under a key of its own that it never uses.
                    other = Server(archive.folder / "w2", vkey)
                    with other:
                        key = other.key
                    trust = with_witness(archive, server)
                    config = archive.path / "config.yaml"
                    config.write_text(config.read_text().replace("witnesses:\n", f'witnesses:\n  - "{liar.url} {key}"\n'))
                    ingest(archive, "mail", DEMO / "mail.mbox")
                    code, report = archive.verify(None, "--trust", trust)
                    self.assertEqual((code, report["origin"]), (0, "witnessed"), report["problems"])
                    for note in (archive.path / "ledger" / "cosigned").iterdir():
                        self.assertEqual(len([x for x in note.read_text().splitlines() if x.startswith("\u2014")]), 2)
            # And one that does not know the archive is told in `status`.
            with Liar(lambda _: (404, "unknown\n")) as liar:
                config.write_text(config.read_text().split("witnesses:")[0] + f'witnesses:\n  - "{liar.url} {key}"\n')
                self.assertIn("does not sign for this archive", archive.run("status").stdout)

    def test_a_signer_that_was_put_back_is_refused_and_the_archive_goes_on_under_a_new_name(self):
        with Archive() as archive:
            ingest(archive, "mail", DEMO / "mail.mbox")
            shutil.copytree(archive.state, archive.folder / "old")
            ingest(archive, "more", *sorted((DEMO / "mail").glob("*.eml"))[:2])
            before = archive.json("status")
            shutil.rmtree(archive.state)
            shutil.copytree(archive.folder / "old", archive.state)
            for language, words in (("de", "Der Unterzeichner (--state) und das Archiv"), ("en", "The signer (--state) and the archive")):
                done = archive.call("--lang", language, "status")
                self.assertEqual(done.returncode, 6)
                self.assertIn(words, done.stderr)
                self.assertIn("kustos continue", done.stderr)
            self.assertEqual(archive.json("continue", "--yes")["entries"], before["entries"])
            self.assertEqual(archive.json("status")["records"], before["records"])
            self.assertEqual(archive.verify(None, "--trust", archive.trust)[0], 0)


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
