"""A disk that fails and a disk that fills up, under the real program: nothing is acknowledged that is not there, and the
words say what to do.

The full disk is a small tmpfs: needs to be root, or user namespaces."""
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

from kustos import BIN, DEMO, Archive, event

SANDBOX = "KUSTOS_TEST_UNSHARED"
if os.geteuid() != 0 and SANDBOX not in os.environ and shutil.which("unshare"):
    if subprocess.run(["unshare", "-Urm", "true"], capture_output=True, check=False).returncode == 0:
        os.environ[SANDBOX] = "1"
        os.execvp("unshare", ["unshare", "-Urm", sys.executable, *sys.argv])

HERE = Path(__file__).resolve().parent


class Small:
    """A disk of some MiB with an archive on it; the signer's store may lie on it as well."""

    def __init__(self, case, mebibytes, with_state=False):
        self.folder = Path(tempfile.mkdtemp(prefix="kustos-e2e-"))
        case.addCleanup(shutil.rmtree, self.folder)
        self.disk = self.folder / "disk"
        self.disk.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "kustos-test", self.disk], capture_output=True,
                          check=False).returncode != 0:
            case.skipTest("a small disk can't be mounted here")
        case.addCleanup(subprocess.run, ["umount", "-l", self.disk], check=True)
        self.archive = Archive(create=False)
        self.archive.path = self.disk / "archive"
        self.archive.trust = self.archive.path / "trust.policy"
        if with_state:
            self.archive.state = self.disk / "state"
        self.archive.run("init", self.archive.path)
        case.addCleanup(self.archive.__exit__)

    def free(self):
        s = os.statvfs(self.disk)
        return s.f_bavail * s.f_frsize

    def leave(self, mebibytes):
        """Something else takes the disk, but for so much."""
        take = self.free() - mebibytes * 1024 * 1024
        with open(self.disk / "other", "ab", buffering=0) as other:
            try:
                while take > 0:
                    take -= other.write(b"x" * min(take, 1 << 20))
            except OSError:  # the archive was faster
                pass

    def make_room(self):
        (self.disk / "other").unlink()


class Full(unittest.TestCase):
    def push(self, archive, token, first, count=1, body="guten Tag"):
        """{number: (entry, leaf)} of what was acknowledged, and the status."""
        status, answer = archive.push("live", token, [event(i, body) for i in range(first, first + count)])
        if status != 200:
            return {}, status
        return {first + i: (r["entry"], r["leaf"]) for i, r in enumerate(answer["receipts"])}, status

    def test_a_nearly_full_disk_takes_no_records_but_control_entries_and_goes_on_by_itself(self):
        small = Small(self, 420)
        archive = small.archive
        token = archive.json("source", "add", "live", "--kind", "http")["token"]
        archive.serve()
        acknowledged, status = self.push(archive, token, 0, 20)
        self.assertEqual(status, 200)
        small.leave(200)
        for first in range(100, 110):
            self.assertEqual(self.push(archive, token, first)[1], 503)
        matter = archive.matter()  # an entry about control
        archive.until(lambda: archive.json("search", "--matter", matter, "guten")["total"] == 20)  # and one about access
        small.leave(16)
        self.assertNotEqual(archive.call("matter", "new", "--reference", "Z", "--ground", "x").returncode, 0)
        self.assertEqual(archive.json("status")["records"], 20)
        small.make_room()
        more, status = self.push(archive, token, 100, 10)
        self.assertEqual(status, 200)
        acknowledged.update(more)
        archive.stop()
        self.whole(archive, acknowledged)

    def test_a_disk_that_fills_up_under_load_ends_the_writer_and_loses_nothing_acknowledged(self):
        for with_state in (False, True):
            with self.subTest(with_state=with_state):
                small = Small(self, 420, with_state)
                archive = small.archive
                token = archive.json("source", "add", "live", "--kind", "http")["token"]
                archive.serve()
                acknowledged, lock, stop = {}, threading.Lock(), threading.Event()

                def pushes(first):
                    while not stop.is_set():
                        try:
                            got, status = self.push(archive, token, first, 5, "guten Tag " * 2000)
                        except (OSError, ValueError):
                            return
                        with lock:
                            acknowledged.update(got)
                        first += 5
                        if status != 200:
                            time.sleep(0.05)

                threads = [threading.Thread(target=pushes, args=(n * 1_000_000,)) for n in range(3)]
                for thread in threads:
                    thread.start()
                time.sleep(1)
                small.leave(0)  # at once, past every reserve
                time.sleep(1)
                # Whoever now needs the disk finds none; the program may end, and may not lie.
                stop.set()
                for thread in threads:
                    thread.join()
                self.assertGreater(len(acknowledged), 20)
                archive.call("matter", "new", "--reference", "Z", "--ground", "x")
                if archive.server.poll() is None:
                    archive.kill()
                # A start on a full disk says so, or goes well; it harms nothing.
                done = archive.call("status")
                self.assertIn(done.returncode, (0, 6), done.stderr)
                small.make_room()
                archive.run("status")
                self.whole(archive, acknowledged)
                archive.serve()
                self.assertEqual(self.push(archive, token, 9_000_000)[1], 200)
                archive.stop()
                self.assertEqual(archive.verify()[0], 0)

    def whole(self, archive, acknowledged):
        code, report = archive.verify()
        self.assertEqual(code, 0, report["problems"][:3])
        self.assertGreaterEqual(archive.json("status")["records"], len(acknowledged))
        import hashlib
        for i in sorted(acknowledged)[:: max(1, len(acknowledged) // 8)]:
            entry, leaf = acknowledged[i]
            proof = archive.folder / "x.tlog-proof"
            archive.run("receipt", entry, "--out", proof)
            self.assertEqual(hashlib.sha256(b"\0" + proof.with_suffix(".entry").read_bytes()).hexdigest(), leaf)


@unittest.skipUnless(shutil.which("cc"), "no C compiler")
class FailedSync(unittest.TestCase):
    """One sync fails and all others go well, as a disk with a bad moment; or a quota that no free space announces."""

    @classmethod
    def setUpClass(cls):
        cls.made = Path(tempfile.mkdtemp(prefix="kustos-e2e-"))
        cls.addClassCleanup(shutil.rmtree, cls.made)
        cls.library = cls.made / "failing_sync.so"
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", cls.library, HERE / "failing_sync.c", "-ldl"], check=True)

    def test_a_failed_sync_or_write_ends_the_writer_with_words_and_the_next_start_recovers(self):
        for where in ("/staging/batch", "/vault/segments/", "/signer/head", "/ledger/", "full:/staging/", "full:/vault/", "full:/ledger/"):
            with self.subTest(where=where), Archive() as archive:
                token = archive.json("source", "add", "live", "--kind", "http")["token"]
                order = archive.folder / "order"
                os.environ.update(LD_PRELOAD=str(self.library), FAILING_SYNC=str(order))
                try:
                    archive.serve()
                finally:
                    del os.environ["LD_PRELOAD"], os.environ["FAILING_SYNC"]
                status, answer = archive.push("live", token, [event(i) for i in range(10)])
                self.assertEqual(status, 200)
                acknowledged = len(answer["receipts"])
                time.sleep(0.8)  # settled
                (archive.folder / "prepared").write_text(where + "\n")
                os.rename(archive.folder / "prepared", order)
                refused, last = False, None
                for i in range(10, 60):
                    try:
                        status, last = archive.push("live", token, [event(i)])
                    except (OSError, ValueError):
                        refused = True  # it has ended
                        break
                    if status != 200:
                        refused = True
                        self.assertEqual(status, 503, last)
                        break
                    self.assertFalse(refused, "acknowledged after a failed sync")
                    acknowledged += 1
                    time.sleep(0.05)
                self.assertTrue(refused)
                self.assertEqual(order.exists(), where.startswith("full:"))
                order.unlink(missing_ok=True)
                archive.server.wait(30)
                words = archive.err.read_text()
                self.assertEqual(archive.server.returncode, 6, words)
                self.assertIn("the writer ended: a write or sync failed", words)
                self.assertIn("check the disk, then start again", words)
                archive.server = None
                code, report = archive.verify()
                self.assertIn(code, (0, 1), report)
                archive.serve()  # without a hand
                self.assertEqual(archive.push("live", token, [event(999)])[0], 200)
                archive.stop()
                code, report = archive.verify()
                self.assertEqual(code, 0, report["problems"][:3])
                self.assertGreaterEqual(archive.json("status")["records"], acknowledged + 1)


if __name__ == "__main__":
    unittest.main()
