"""kill -9 while an erasure runs through the opener apart: whoever is killed, and when, a restart finishes it."""
import time
import unittest

from kustos import DEMO
from opener_test import Apart, OpenerProcess

STEPS = 8  # moments, spread over the time that an erasure takes


class Drill(unittest.TestCase):
    def erase(self, archive, entry):
        return archive.begin("erase", "--record", entry, "--ground", "Art. 17 DSGVO", "--approver", "A", "--approver", "B")

    def waiting(self, archive):
        return [run for run in archive.json("erase", "list") if run["state"] == "begun"]

    def drill(self, whom):
        with Apart() as archive, OpenerProcess(archive) as opener:
            archive.ingest("mail", DEMO / "mail.mbox")
            opener.unlock()
            matter = archive.matter()
            entries = [hit["record"] for hit in archive.json("search", "--matter", matter, "--limit", "50", "der OR die OR und")["hits"]]
            self.assertGreater(len(entries), STEPS // 2)
            began = time.monotonic()
            self.assertEqual(self.erase(archive, entries[0]).wait(60), 0)
            whole = time.monotonic() - began
            killed = 0
            for step, entry in zip(range(STEPS), entries[1:]):
                command = self.erase(archive, entry)
                time.sleep(whole * (step + 1) / (STEPS + 1))
                if whom != "opener" and command.poll() is None:
                    command.kill()
                    killed += 1
                if whom != "command":
                    opener.kill()
                    killed += 1
                command.wait(60)
                if whom != "command":
                    opener.start()
                    opener.unlock()  # this opening of the archive goes on where it ended
                archive.run("status")
                self.assertEqual(self.waiting(archive), [], f"step {step}")
                # Begun or not: it is erased now, or can be.
                if "erased" not in archive.call("show", "--matter", matter, entry).stderr:
                    self.assertEqual(self.erase(archive, entry).wait(60), 0)
                self.assertIn("erased", archive.call("show", "--matter", matter, entry).stderr)
                generations = [p.name for p in (archive.path / "keys").glob("generation-*")]
                self.assertEqual(len(generations), 1, f"step {step}: {generations}")
            self.assertGreater(killed, 0)
            for entry in entries[STEPS + 1:STEPS + 3]:
                self.assertEqual(archive.call("show", "--matter", matter, entry).returncode, 0)
            self.assertEqual(archive.verify()[0], 0)

    def test_the_opener_is_killed(self):
        self.drill("opener")

    def test_the_command_is_killed(self):
        self.drill("command")

    def test_both_are_killed(self):
        self.drill("both")


if __name__ == "__main__":
    unittest.main()
