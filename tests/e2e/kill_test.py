"""kill -9 under load: whatever was acknowledged is there, proven and whole, and the archive starts again without a hand.

KUSTOS_ROUNDS (default 20; 200 by hand) rounds of: start, push from several threads, kill at a random moment."""
import os
import random
import shutil
import threading
import time
import unittest

from kustos import Archive, SignerProcess, event

ROUNDS = int(os.environ.get("KUSTOS_ROUNDS", "20"))


class Kills(unittest.TestCase):
    def test_nothing_acknowledged_is_lost_however_often_the_program_is_killed(self):
        with Archive() as archive:
            self.drill(archive, None)

    def test_nor_if_its_signer_is_killed_too(self):
        with Archive() as archive, SignerProcess(archive) as signer:
            self.drill(archive, signer)

    def drill(self, archive, signer):
        chance = random.Random(int(os.environ.get("KUSTOS_SEED", "1")))
        token = archive.json("source", "add", "live", "--kind", "http")["token"]
        acknowledged, sent = {}, [0]
        lock = threading.Lock()
        for number in range(ROUNDS):
            archive.serve()
            stop = threading.Event()

            def push():
                while not stop.is_set():
                    with lock:
                        first, sent[0] = sent[0], sent[0] + 5
                    try:
                        status, answer = archive.push("live", token, [event(i, f"Kennwort{i}") for i in range(first, first + 5)])
                    except (OSError, ValueError):
                        return  # killed in the middle: no receipt
                    if status == 200:
                        with lock:
                            for i, receipt in enumerate(answer["receipts"]):
                                acknowledged[first + i] = (receipt["entry"], receipt["leaf"])

            threads = [threading.Thread(target=push) for _ in range(4)]
            for thread in threads:
                thread.start()
            time.sleep(chance.uniform(0.02, 0.5))
            who = chance.choice(("archive", "signer", "both")) if signer else "archive"
            if who != "archive":
                signer.kill()
                time.sleep(chance.uniform(0, 0.1))  # the archive goes on alone for a moment
            archive.kill()
            stop.set()
            for thread in threads:
                thread.join()
            if who != "archive":
                signer.start()
            if number % 10 == 9 or number == ROUNDS - 1:
                archive.json("status")  # opens, recovers, settles
                code, report = archive.verify()
                self.assertEqual(code, 0, (number, report["problems"][:3]))
        self.assertGreater(len(acknowledged), ROUNDS * 5)
        self.check(archive, acknowledged)
        # And everything is sent again, as a source does: nothing twice, nothing missing.
        archive.serve()
        for first in range(0, sent[0], 200):
            status, answer = archive.push("live", token, [event(i, f"Kennwort{i}") for i in range(first, min(first + 200, sent[0]))])
            self.assertEqual(status, 200)
            for i, receipt in enumerate(answer["receipts"]):
                if first + i in acknowledged:
                    self.assertTrue(receipt["duplicate"])
                    self.assertEqual(receipt["entry"], acknowledged[first + i][0])
        archive.stop()
        self.assertEqual(archive.verify()[0], 0)
        self.assertEqual(archive.json("status")["records"], sent[0])
        print(f"{ROUNDS} kills{' of archive and signer' if signer else ''}, {len(acknowledged)} records acknowledged, {sent[0]} sent")

    def test_a_rotation_of_keys_that_is_killed_is_finished_or_never_was(self):
        chance = random.Random(int(os.environ.get("KUSTOS_SEED", "1")))
        with Archive() as archive:
            trust = archive.folder / "first.policy"
            trust.write_text(archive.trust.read_text())
            done = 0
            for number in range(ROUNDS):
                process = archive.begin("key", "rotate")
                time.sleep(chance.uniform(0, 0.12))
                process.kill()
                done += process.wait() == 0
                archive.json("status")
                if number % 5 == 4:
                    code, report = archive.verify(None, "--trust", trust)
                    self.assertEqual((code, report["origin"]), (0, "pinned"), report["problems"][:3])
            archive.run("key", "rotate")
            archive.json("source", "add", "x", "--kind", "http")
            for which in (trust, archive.trust):
                code, report = archive.verify(None, "--trust", which)
                self.assertEqual((code, report["origin"]), (0, "pinned"), report["problems"][:3])
            print(f"{ROUNDS} rotations killed, {done} were faster")

    def test_a_continuation_that_is_killed_is_finished_by_the_next_try(self):
        chance = random.Random(int(os.environ.get("KUSTOS_SEED", "1")))
        with Archive() as archive:
            origin = archive.json("status")["origin"]
            rounds = max(5, ROUNDS // 10)
            for number in range(1, rounds + 1):
                old = archive.folder / f"old{number}"
                shutil.copytree(archive.path, old)
                archive.json("source", "add", f"s{number}", "--kind", "http")
                shutil.rmtree(archive.path)
                shutil.copytree(old, archive.path)
                for _ in range(3):
                    process = archive.begin("continue", "--yes")
                    time.sleep(chance.uniform(0, 0.08))
                    process.kill()
                    process.wait()
                last = archive.call("continue", "--yes")
                if last.returncode != 0:  # one of the three was faster
                    self.assertIn("nothing to continue", last.stderr)
                self.assertEqual(archive.json("status")["origin"], f"{origin}/{number}")
                code, report = archive.verify(None, "--trust", archive.trust)
                self.assertEqual((code, report["origin"]), (0, "pinned"), report["problems"][:3])
            print(f"{rounds} continuations, each killed three times")

    def check(self, archive, acknowledged):
        """Every receipt's entry has that leaf: its proof holds."""
        import hashlib
        import subprocess
        from kustos import BIN
        some = random.Random(2).sample(sorted(acknowledged), 5)
        for i in some:
            entry, leaf = acknowledged[i]
            proof = archive.folder / "x.tlog-proof"
            archive.run("receipt", entry, "--out", proof)
            data = proof.with_suffix(".entry").read_bytes()
            self.assertEqual(hashlib.sha256(b"\0" + data).hexdigest(), leaf)
            done = subprocess.run([BIN / "kustos-verify", "--tlog-proof", proof, "--data", proof.with_suffix(".entry"), "--trust",
                                   archive.trust], capture_output=True, check=False)
            self.assertEqual(done.returncode, 0)


if __name__ == "__main__":
    unittest.main()
