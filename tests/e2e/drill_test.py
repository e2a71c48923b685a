"""A restore drill keeps keys in memory: one that is killed with -9 leaves nothing that opens anything, and that not for long."""
import os
import subprocess
import time
import unittest

from backup_test import House, everything_in
from canary_test import WORDS
from kustos import BIN, event


class Drill(unittest.TestCase):
    def begin(self, h, place):
        environment = dict(os.environ, TMPDIR=str(place), LC_ALL="en")
        return subprocess.Popen([BIN / "kustos", "--json", "restore", "--drill", "--from", h.backup, "--escrow", h.medium],
                                env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def killed_at(self, h, place, marker):
        """The folder of a drill that was killed as soon as `marker` was there."""
        for _ in range(8):
            before = set(place.iterdir())
            child = self.begin(h, place)
            until = time.monotonic() + 60
            while child.poll() is None and time.monotonic() < until:
                if next(place.glob("kustos-drill-*/" + marker), None):
                    break
            child.kill()
            if child.wait() == -9:
                left = set(place.iterdir()) - before
                if left and next(left.copy().pop().glob(marker), None):
                    return left.pop()
        raise AssertionError(f"no drill could be killed at {marker}")

    @staticmethod
    def secrets(h):
        """Whatever of the escrow opens something: e_n, the key of the slot, that of the duplicate store, root pages."""
        found = {}
        for file in h.medium.rglob("*"):
            if file.name == "e":
                found[str(file)] = file.read_bytes()[:32]
            elif file.name in ("auto.key", "duplicates.key", "root"):
                found[str(file)] = file.read_bytes()
        return found

    def test_a_drill_that_is_killed_leaves_no_key_on_the_disk(self):
        with House() as h:
            h.ingest(*[event(i, f"{WORDS[i % len(WORDS)]} {i} " + "x" * 5000) for i in range(200)])
            h.back_up()
            h.erase(h.record_of(WORDS[3]))  # newer keys than the backup: the drill makes entries of its own
            secrets = self.secrets(h)
            self.assertEqual(sorted({os.path.basename(name) for name in secrets}), ["auto.key", "duplicates.key", "e", "root"])
            found = {name for file, content in everything_in(h.medium) for name, secret in secrets.items() if secret in content}
            self.assertEqual(found, set(secrets))  # the search finds what there is
            place = h.folder / "tmp"
            place.mkdir()
            # While files are copied; when the archive is first opened; when it goes on under a new name.
            for marker in ("archive/vault/segments/*", "archive/catalog.db", "archive/ledger/continuations/*"):
                left = self.killed_at(h, place, marker)
                self.assertEqual(left.stat().st_mode & 0o77, 0)
                files = list(everything_in(left))
                self.assertGreater(len(files), 3)
                for file, content in files:
                    self.assertNotIn("keys", file.parts, file)
                    self.assertNotIn("state", file.relative_to(left).parts, file)
                    self.assertNotIn(b"PRIVATE", content, file)
                    for name, secret in secrets.items():
                        self.assertNotIn(secret, content, f"{name} in {file}")
                if marker == "archive/catalog.db":
                    refused = h.call("--archive", left / "archive", "--state", h.folder / "nowhere", "status")
                    self.assertNotEqual(refused.returncode, 0)
            # The next drill takes that away, and itself.
            self.assertEqual(self.begin(h, place).wait(120), 0)
            self.assertEqual(list(place.iterdir()), [])

    def test_two_drills_at_once_do_not_take_each_other_away(self):
        with House() as h:
            h.ingest(*[event(i, WORDS[i]) for i in range(4)])
            h.back_up()
            place = h.folder / "tmp"
            place.mkdir()
            drills = [self.begin(h, place) for _ in range(3)]
            self.assertEqual([d.wait(120) for d in drills], [0, 0, 0])
            self.assertEqual(list(place.iterdir()), [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
