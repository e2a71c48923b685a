"""A watched folder, live: what is put into it is sealed once, put away, and told of where it was not clean."""
import json
import os
import random
import time
import unittest

from kustos import Archive, event

ROUNDS = int(os.environ.get("KUSTOS_KILL_ROUNDS", "4"))  # of kill -9; 50 by hand


def eventually(ask, seconds=30):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if answer := ask():
            return answer
        time.sleep(0.05)
    raise AssertionError("it did not come about")


class WatchedFolder(unittest.TestCase):
    def setUp(self):
        self.a = Archive("--tsa", "builtin")
        self.addCleanup(self.a.__exit__)
        settings = self.a.json("source", "add", "export", "--kind", "folder")["settings"]
        self.trays = self.a.folder / "trays"
        with open(settings, encoding="utf-8") as file:
            text = file.read()
        with open(settings, "w", encoding="utf-8") as file:
            file.write(text.replace('folder: ""', f'folder: "{self.trays}"').replace("look_seconds: 10", "look_seconds: 1")
                       .replace("settle_seconds: 30", "settle_seconds: 0"))

    def serve(self):
        self.a.serve()
        eventually((self.trays / "incoming").is_dir)

    def put(self, name, text):
        (self.a.folder / "elsewhere").write_text(text, encoding="utf-8")
        (self.a.folder / "elsewhere").rename(self.trays / "incoming" / name)

    def test_what_is_put_in_is_sealed_and_put_away(self):
        self.serve()
        self.put("day.ndjson", "".join(event(n) + "\n" for n in range(700)))
        self.put("growing.ndjson.part", event(9000) + "\n")
        eventually((self.trays / "done" / "day.ndjson").exists)
        self.assertTrue((self.trays / "incoming" / "growing.ndjson.part").exists(), "what is still written is left alone")
        source = self.a.json("status")["sources"][0]
        self.assertEqual((source["stream"]["state"], source["counts"]["kind:chat"]), ("running", 700))
        self.assertIn("last", source["stream"])
        self.a.stop()
        self.assertEqual(self.a.json("status")["records"], 700)

    def test_what_is_not_clean_is_sealed_too_and_told_of(self):
        self.serve()
        self.put("broken.ndjson", event(1) + "\n{nothing of this can be read\n")
        eventually((self.trays / "failed" / "broken.ndjson").exists)
        report = json.loads((self.trays / "failed" / "broken.ndjson.report.json").read_text())
        self.assertEqual((report["messages"], report["quarantined"]), (2, 1))
        self.a.stop()
        self.assertEqual(self.a.json("status")["quarantined"], 1)

    def test_a_file_and_its_sidecar_are_one_thing(self):
        self.serve()
        self.put("fax.tif.json", '{"kustos_sidecar":1,"id":"F-1","start":"2024-03-01T09:00:00Z","from":"+49 221 1"}')
        eventually((self.trays / "failed" / "fax.tif.json").exists)  # its file has not come
        self.put("fax-2.tif.json.part", "")
        self.put("fax-2.tif.part", "II*")
        (self.trays / "incoming" / "fax-2.tif.json.part").write_text(
            '{"kustos_sidecar":1,"id":"F-2","start":"2024-03-01T09:00:00Z","from":"+49 221 1"}')
        (self.trays / "incoming" / "fax-2.tif.json.part").rename(self.trays / "incoming" / "fax-2.tif.json")
        (self.trays / "incoming" / "fax-2.tif.part").rename(self.trays / "incoming" / "fax-2.tif")
        eventually((self.trays / "done" / "fax-2.tif").exists)
        self.assertTrue((self.trays / "done" / "fax-2.tif.json").exists())
        self.a.stop()
        status = self.a.json("status")
        self.assertEqual((status["records"], status["quarantined"]), (2, 0))

    def test_kills_in_the_middle_lose_nothing_and_seal_nothing_twice(self):
        self.serve()
        records = during = 0
        for n in range(ROUNDS):
            # there is always something to take: a new file where the one before is nearly through
            if not any((self.trays / "incoming").iterdir()):
                self.put(f"large-{n}.ndjson", "".join(event(records + i) + "\n" for i in range(10_000)))
                records += 10_000
            time.sleep(random.uniform(0.05, 0.6))
            during += any((self.trays / "incoming").iterdir())
            self.a.kill()
            self.a.serve()
        eventually(lambda: not any((self.trays / "incoming").iterdir()), 120)
        self.a.stop()
        print(f"{ROUNDS} kills, {during} of them with a file on its way, {records} messages")
        self.assertGreater(during, 0)
        self.assertEqual(self.a.json("status")["records"], records)
        self.assertEqual(self.a.verify()[0], 0)


if __name__ == "__main__":
    unittest.main()
