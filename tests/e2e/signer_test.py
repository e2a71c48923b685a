"""The signer in a process of its own, keys in a token, and rotation of the checkpoint key."""
import base64
import os
import re
import shutil
import signal
import socket
import subprocess
import unittest
from pathlib import Path

from kustos import BIN, DEMO, ROOT, Archive, SignerProcess

SOFTHSM = Path("/usr/lib/softhsm/libsofthsm2.so")


def ingest(archive, name, *paths, code=0):
    archive.run("source", "add", name, "--kind", "import")
    return archive.run("ingest", "--source", name, *paths, code=code)


def mails():
    return sorted((DEMO / "mail").glob("*.eml"))


class Signer(unittest.TestCase):
    def test_an_archive_works_with_a_signer_of_its_own_and_stops_without_it(self):
        with Archive() as archive, SignerProcess(archive) as process:
            ingest(archive, "mail", DEMO / "mail.mbox")
            self.assertEqual(archive.verify()[0], 0)
            bundle = archive.folder / "b.pdf"
            archive.run("export", "--matter", archive.matter(), "--query", "Fundamente", "--out", bundle)
            self.assertEqual(archive.verify(bundle, "--trust", archive.trust)[1]["origin"], "pinned")
            process.kill()
            self.assertIn("kustos signer serve", archive.run("status", code=6).stderr)
            process.start()
            ingest(archive, "more", *mails())
            code, report = archive.verify()
            self.assertEqual(code, 0, report["problems"])

    def test_the_signer_answers_as_the_format_page_says(self):
        page = (ROOT / "docs" / "format" / "signer.md").read_text()

        def example(name):
            text = re.search(rf"^```hex example {name}\n(.*?)^```", page, re.M | re.S)[1]
            return bytes.fromhex("".join(line.split("#")[0] for line in text.splitlines()))

        def message(stream):
            size = stream.read(4)
            return size + stream.read(int.from_bytes(size, "big"))
        with Archive() as archive, SignerProcess(archive) as process, socket.socket(socket.AF_UNIX) as door:
            door.connect(str(process.socket))
            stream = door.makefile("rb")
            self.assertEqual(message(stream), bytes.fromhex("0000000100"))  # the greeting: an empty answer
            door.sendall(example("request"))
            answer, shown = message(stream), example("answer")
            self.assertEqual(answer[:5], shown[:5])
            self.assertEqual(len(answer), len(shown))
            checkpoint = (archive.path / "ledger" / "checkpoint").read_text().splitlines()
            self.assertEqual(int.from_bytes(answer[5:13], "big"), int(checkpoint[1]))
            self.assertEqual(answer[13:], base64.b64decode(checkpoint[2]))

    def test_a_second_program_is_told_that_the_signer_is_taken(self):
        with Archive() as archive, SignerProcess(archive) as process:
            archive.serve()
            copy = archive.folder / "copy"
            archive.copy_to(copy)
            done = subprocess.run([BIN / "kustos", "--archive", copy, "--state", archive.state, "status"], capture_output=True,
                                  text=True, check=False)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("another program is connected to the signer", done.stderr)
            archive.stop()
            archive.server = None
            self.assertIsNone(process.process.poll())

    def test_the_signer_remembers_when_the_archive_is_put_back(self):
        with Archive() as archive, SignerProcess(archive):
            ingest(archive, "mail", DEMO / "mail.mbox")
            old = archive.folder / "old"
            shutil.copytree(archive.path, old)
            ingest(archive, "more", *mails())
            shutil.rmtree(archive.path)
            shutil.copytree(old, archive.path)
            self.assertNotEqual(archive.call("status").returncode, 0)
            self.assertIn("older", archive.call("source", "add", "x", "--kind", "import").stderr)


class Rotation(unittest.TestCase):
    def rotated(self, archive):
        before = archive.trust.read_text()
        old = archive.folder / "published-before.policy"
        old.write_text(before)
        fingerprint = archive.json("status")["fingerprint"]
        key = archive.json("key", "rotate")["key"]
        self.assertNotIn(key, before)
        self.assertEqual(archive.json("status")["fingerprint"], fingerprint, "what was published stays valid")
        return old, key

    def test_a_new_key_signs_and_whoever_trusted_the_old_one_still_sees_the_origin(self):
        with Archive() as archive:
            ingest(archive, "mail", DEMO / "mail.mbox")
            early = archive.folder / "early.pdf"
            archive.run("export", "--matter", archive.matter(), "--query", "Fundamente", "--out", early)
            old, key = self.rotated(archive)
            ingest(archive, "more", *mails())
            self.assertIn(key.split("+")[1], self.key_ids(archive))
            late = archive.folder / "late.pdf"
            archive.run("export", "--matter", archive.matter(), "--query", "Fundamente", "--out", late)
            self.rotated(archive)
            latest = archive.folder / "latest.pdf"
            archive.run("export", "--matter", archive.matter(), "--query", "Fundamente", "--out", latest)
            new_only = archive.folder / "new.policy"
            new_only.write_text(f"log {key}\nquorum none\n")
            for subject in (None, early, late, latest):
                code, report = archive.verify(subject, "--trust", old)
                self.assertEqual((code, report["origin"]), (0, "pinned"), (subject, report["problems"]))
            for subject in (None, late, latest):
                code, report = archive.verify(subject, "--trust", new_only)
                self.assertEqual((code, report["origin"]), (0, "pinned"), (subject, report["problems"]))
            self.assertEqual(archive.verify(early, "--trust", new_only)[1]["problems"][0]["code"], "origin.mismatch")
            proof = archive.folder / "r.tlog-proof"
            archive.run("receipt", 7, "--out", proof)
            done = subprocess.run([BIN / "kustos-verify", "--tlog-proof", proof, "--data", proof.with_suffix(".entry"), "--trust",
                                   archive.trust], capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stdout)

    def key_ids(self, archive):
        """Of the signatures on published checkpoints."""
        import base64
        lines = [line for f in (archive.path / "ledger" / "published").iterdir() for line in f.read_text().splitlines()
                 if line.startswith("\u2014 ")]
        return {base64.b64decode(line.split()[2])[:4].hex() for line in lines}

    def test_a_changed_or_missing_announcement_is_found(self):
        with Archive() as archive:
            ingest(archive, "mail", DEMO / "mail.mbox")
            old, _ = self.rotated(archive)
            ingest(archive, "more", *mails())
            folder = archive.path / "ledger" / "rotations"
            for name in ("000001.entry", "000001.tlog-proof"):
                kept = (folder / name).read_bytes()
                (folder / name).write_bytes(kept[:-9] + bytes([kept[-9] ^ 1]) + kept[-8:])
                code, report = archive.verify(None, "--trust", old)
                self.assertEqual(code, 1)
                self.assertIn("key.rotation", [p["code"] for p in report["problems"]])
                (folder / name).write_bytes(kept)
            shutil.rmtree(folder)
            code, report = archive.verify(None, "--trust", old)
            self.assertEqual((code, report["origin"]), (1, "unknown"))

    def test_an_announcement_without_its_proof_is_no_finding_and_the_next_rotation_replaces_it(self):
        with Archive() as archive:
            ingest(archive, "mail", DEMO / "mail.mbox")
            old, _ = self.rotated(archive)
            folder = archive.path / "ledger" / "rotations"
            shutil.copy(folder / "000001.entry", folder / "000002.entry")  # the power failed before the proof was there
            self.assertEqual(archive.verify(None, "--trust", old)[0], 0)
            shutil.copy(folder / "000001.entry", folder / "000003.entry")
            self.assertEqual(archive.verify(None, "--trust", old)[1]["problems"][0]["code"], "file.unreferenced")
            (folder / "000003.entry").unlink()
            self.rotated(archive)
            self.assertNotEqual((folder / "000001.entry").read_bytes(), (folder / "000002.entry").read_bytes())
            self.assertEqual(archive.verify(None, "--trust", old)[0], 0)

    def test_a_crash_between_announcement_and_use_is_finished_by_the_next_start(self):
        with Archive() as archive:
            ingest(archive, "mail", DEMO / "mail.mbox")
            store = next(archive.state.glob("*/signer"))
            before = (store / "checkpoint.key").read_bytes()
            self.rotated(archive)
            after = (store / "checkpoint.key").read_bytes()
            self.assertNotEqual(before, after)
            # As if the power had gone before the signer took the key.
            (store / "next.key").write_bytes(after)
            (store / "checkpoint.key").write_bytes(before)
            ingest(archive, "more", *mails())
            self.assertEqual((store / "checkpoint.key").read_bytes(), after)
            self.assertFalse((store / "next.key").exists())
            code, report = archive.verify()
            self.assertEqual(code, 0, report["problems"])

    def test_where_a_signer_of_its_own_makes_keys_is_its_own_to_say(self):
        with Archive() as archive, SignerProcess(archive) as process:
            ingest(archive, "mail", DEMO / "mail.mbox")
            for where in ("file", f"pkcs11:token=x?module-path={archive.folder}/evil.so&pin-source=file:/x"):
                done = archive.call("key", "rotate", "--to", where)
                self.assertNotEqual(done.returncode, 0)
                self.assertIn("--new-keys", done.stderr)
            process.kill(signal.SIGTERM)
            process.start("--new-keys", "file")
            archive.run("key", "rotate", "--to", "file")
            archive.run("key", "rotate")
            self.assertEqual(archive.verify()[0], 0)

    def test_rotation_with_a_signer_of_its_own(self):
        with Archive() as archive, SignerProcess(archive) as process:
            ingest(archive, "mail", DEMO / "mail.mbox")
            old, key = self.rotated(archive)
            ingest(archive, "more", *mails())
            process.kill(signal.SIGTERM)
            process.start()
            self.assertEqual(process.key, key)
            self.assertEqual(archive.verify(None, "--trust", old)[1]["origin"], "pinned")


@unittest.skipUnless(SOFTHSM.exists(), "softhsm2 is not installed (./run installs it)")
class Token(unittest.TestCase):
    def test_keys_that_never_leave_a_token_sign_checkpoints_and_bundles(self):
        with Archive(create=False) as archive:
            tokens = archive.folder / "tokens"
            tokens.mkdir()
            config = archive.folder / "softhsm2.conf"
            config.write_text(f"directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\n")
            os.environ["SOFTHSM2_CONF"] = str(config)
            try:
                subprocess.run(["softhsm2-util", "--init-token", "--free", "--label", "kustos test", "--pin", "4711-0815", "--so-pin",
                                "12345678"], check=True, capture_output=True)
                pin = archive.folder / "pin"
                pin.write_text("4711-0815\n")
                uri = f"pkcs11:token=kustos%20test?module-path={SOFTHSM}&pin-source=file:{pin}"
                archive.run("init", archive.path, "--signer-keys", uri)
                store = next(archive.state.glob("*/signer"))
                for name in ("checkpoint.key", "evidence.key"):
                    self.assertTrue((store / name).read_text().startswith("PKCS11 "), name)
                ingest(archive, "mail", DEMO / "mail.mbox")
                bundle = archive.folder / "b.pdf"
                archive.run("export", "--matter", archive.matter(), "--query", "Fundamente", "--out", bundle)
                for subject in (None, bundle):
                    code, report = archive.verify(subject, "--trust", archive.trust)
                    self.assertEqual((code, report["origin"]), (0, "pinned"), report["problems"])
                # Another pair in the token, then one in a file.
                archive.run("key", "rotate")
                archive.run("key", "rotate", "--to", "file")
                self.assertTrue((store / "checkpoint.key").read_text().startswith("PRIVATE+KEY+"))
                self.assertEqual(archive.verify(None, "--trust", archive.trust)[1]["origin"], "pinned")
                pin.write_text("wrong\n")
                self.assertIn("PIN", archive.run("status", code=6).stderr)
                pin.write_text("4711-0815\n")
                archive.run("status")
            finally:
                del os.environ["SOFTHSM2_CONF"]

    def test_mistakes_in_the_name_of_a_token_are_told(self):
        with Archive(create=False) as archive:
            for uri, said in (("pkcs11:token=x", "needed"), ("pkcs11:token=x;slot-id=1?module-path=/a&pin-source=file:/b", "slot-id"),
                              ("pkcs11:token=x?module-path=/nowhere.so&pin-source=file:/b", "can't be loaded"),
                              ("pkcs11:token=%zz?module-path=/a&pin-source=/b", "hex"), ("hsm", "RFC 7512")):
                done = archive.call("init", archive.path, "--signer-keys", uri)
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(said, done.stderr)
                self.assertFalse(archive.path.exists())


if __name__ == "__main__":
    unittest.main()
