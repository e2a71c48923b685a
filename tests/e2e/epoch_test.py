"""The key that must be forgotten in a TPM (swtpm) and in a token (softhsm2): moved there by a command, with the TPM killed
in the middle of erasures; away, lost, and brought back from the escrow.

KUSTOS_ROUNDS (default 8) erasures are killed at a random moment."""
import contextlib
import os
import random
import shutil
import subprocess
import time
import unittest

from kustos import DEMO, Archive
from unlock_test import SOFTHSM, SoftTpm

ROUNDS = int(os.environ.get("KUSTOS_ROUNDS", "8"))
BY = ("--ground", "Art. 17 DSGVO", "--approver", "eins", "--approver", "zwei")


@contextlib.contextmanager
def token(folder):
    """The URI of a software token in a folder; its PIN is in folder/pin."""
    (folder / "tokens").mkdir()
    config, pin = folder / "softhsm2.conf", folder / "pin"
    config.write_text(f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\nlog.level = ERROR\n")
    os.environ["SOFTHSM2_CONF"] = str(config)
    try:
        subprocess.run(["softhsm2-util", "--init-token", "--free", "--label", "haus", "--pin", "4711-0815", "--so-pin",
                        "12345678"], check=True, capture_output=True)
        pin.write_text("4711-0815\n")
        yield f"pkcs11:token=haus?module-path={SOFTHSM}&pin-source=file:{pin}"
    finally:
        del os.environ["SOFTHSM2_CONF"]
        shutil.rmtree(folder / "tokens")


def filled(archive):
    archive.run("source", "add", "mail", "--kind", "import")
    archive.run("ingest", "--source", "mail", DEMO / "mail.mbox")
    archive.id = archive.matter()


class Media(unittest.TestCase):
    def records(self, archive):
        return [h["record"] for h in archive.json("search", "--matter", archive.id, "--limit", "100", "*")["hits"]]

    def kill_in_the_middle(self, archive, medium):
        chance = random.Random(int(os.environ.get("KUSTOS_SEED", "7")))
        left = self.records(archive)
        self.assertGreater(len(left), ROUNDS)
        for _ in range(ROUNDS):
            victim, *others = left
            before = len(archive.json("erase", "list"))
            process = archive.begin("erase", "--record", victim, *BY)
            time.sleep(chance.uniform(0.05, 0.8))
            process.kill()
            process.communicate()
            erasures = archive.json("erase", "list")  # this start finishes what was begun
            begun = len(erasures) > before
            if begun:
                self.assertNotEqual(erasures[-1]["state"], "begun")
                self.assertEqual(erasures[-1]["medium"], medium)
            self.assertEqual(archive.call("show", "--matter", archive.id, victim).returncode == 0, not begun)
            for record in others:
                self.assertEqual(archive.call("show", "--matter", archive.id, record).returncode, 0)
            left = others if begun else left
            generations = [p.name for p in (archive.path / "keys").glob("generation-*")]
            self.assertEqual(len(generations), 1, generations)
            self.assertFalse((archive.path / "keys" / generations[0] / "e").exists())
        archive.run("erase", "--record", left[0], *BY)
        self.assertEqual(archive.verify()[0], 0)

    @unittest.skipUnless(shutil.which("swtpm"), "swtpm is not installed (./run installs it)")
    def test_with_the_key_in_a_tpm_what_is_killed_is_finished_and_what_is_lost_comes_from_the_escrow(self):
        with Archive(create=False) as a, SoftTpm() as chip:
            medium, backup = a.folder / "medium", a.folder / "backup"
            medium.mkdir()
            a.run("init", a.path, "--escrow", medium)
            self.assertIn("in a file", a.run("key", "status").stdout)
            self.assertIn("none answers", a.run("key", "rotate", "--epoch", "tpm:swtpm:host=127.0.0.1,port=9", code=6).stderr)
            a.run("key", "rotate", "--epoch", "floppy", code=2)
            a.run("key", "rotate", "--epoch", "file", "--to", "file", code=2)
            moved = a.json("key", "rotate", "--epoch", "tpm:" + chip.address)
            self.assertEqual(moved, {"generation": 2, "medium": "tpm"})
            self.assertEqual(a.json("key", "status")["medium"], "tpm")
            self.assertIn("im TPM", a.call("--lang", "de", "key", "status").stdout)
            filled(a)
            self.kill_in_the_middle(a, "tpm")
            erasure = a.json("erase", "list")[-1]["erasure"]
            self.assertIn("the key was in a TPM", a.run("erase", "status", erasure).stdout)
            a.run("backup", "--to", backup)
            left = self.records(a)
            chip.stop()
            said = a.run("status", code=6).stderr
            self.assertIn("is in the TPM at " + chip.address, said)
            self.assertIn("kustos restore --from BACKUP --escrow MEDIUM --file keys/generation-", said)
            chip.start()
            self.assertEqual(self.records(a), left)
            # The chip is gone for good: the escrow has the key, which is in a file from now on, and nothing says more.
            chip.stop()
            generation = next((a.path / "keys").glob("generation-*")).name
            a.run("restore", "--from", backup, "--escrow", medium, "--file", f"keys/{generation}/e")
            self.assertEqual(self.records(a), left)
            self.assertEqual(a.json("key", "status")["medium"], "file")
            a.run("erase", "--record", left[0], *BY)
            self.assertEqual([e["medium"] for e in a.json("erase", "list")][-2:], ["tpm", "file"])
            self.assertEqual(a.verify()[0], 0)

    @unittest.skipUnless(SOFTHSM.exists(), "softhsm2 is not installed (./run installs it)")
    def test_with_the_key_in_a_token_the_token_keeps_one_key_and_a_pin_that_is_away_is_named(self):
        with Archive() as a, token(a.folder) as uri:
            pin = a.folder / "pin"
            self.assertEqual(a.json("key", "rotate", "--epoch", uri), {"generation": 2, "medium": "pkcs11"})
            filled(a)
            objects = lambda: sorted(p.name for p in (a.folder / "tokens").rglob("*.object") if p.name != "token.object")
            self.assertEqual(len(objects()), 1)
            first = objects()
            # Not killed here: softhsm2 rewrites its token's own file at each login, and a kill in the middle of that loses
            # the token. What is cut at each step of ours is in tests/vault/epoch_test.cpp.
            records = self.records(a)
            for record in records[:3]:
                a.run("erase", "--record", record, *BY)
                self.assertEqual(a.json("erase", "list")[-1]["medium"], "pkcs11")
                self.assertNotEqual(a.call("show", "--matter", a.id, record).returncode, 0)
            for record in records[3:]:
                a.run("show", "--matter", a.id, record)
            self.assertEqual(len(objects()), 1)
            self.assertNotEqual(objects(), first)
            # Nothing on the disk says the PIN; without its file nothing starts, and the message says where the key is.
            for file in a.path.rglob("*"):
                if file.is_file():
                    self.assertNotIn(b"4711-0815", file.read_bytes())
            pin.rename(a.folder / "away")
            self.assertIn("is in a token, which can't be used", a.call("status").stderr)
            (a.folder / "away").rename(pin)
            said = a.run("opener", "serve", "--socket", a.folder / "socket", code=2).stderr
            self.assertIn("kustos key rotate --epoch file", said)
            self.assertEqual(a.json("key", "rotate", "--epoch", "file")["medium"], "file")
            self.assertEqual(objects(), [])
            self.assertEqual(a.verify()[0], 0)


if __name__ == "__main__":
    unittest.main()
