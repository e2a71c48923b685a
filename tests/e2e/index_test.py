"""The index beside power cuts and long closings: killed while several lanes write it, and joined by the server.

KUSTOS_ROUNDS (default 5) rebuilds are killed at a random moment."""
import os
import random
import time
import unittest

from kustos import Archive

ROUNDS = int(os.environ.get("KUSTOS_ROUNDS", "5"))
MAIL = """From: anna@example.org
To: bert@example.org
Subject: Nachricht {n}
Date: Mon, 02 Mar 2026 10:00:00 +0000
Message-ID: <m{n}@example.org>

Der Vertrag {word} liegt in Mappe {n}, daneben {more}.
"""


def mbox(path, first, count, chance):
    """Words that differ, so that lanes have something to write."""
    with path.open("w", encoding="utf-8") as out:
        for n in range(first, first + count):
            more = " ".join(f"wort{chance.randrange(50_000)}" for _ in range(60))
            out.write("From x Mon Mar  2 10:00:00 2026\n" + MAIL.format(n=n, word=f"nr{n}", more=more) + "\n")
    return path


class Index(unittest.TestCase):
    def setUp(self):
        self.chance = random.Random(int(os.environ.get("KUSTOS_SEED", "11")))

    def test_killed_between_the_commits_of_its_lanes_it_misses_nothing_once_the_vault_is_open(self):
        count = 6000  # lanes are for more than 4,096
        with Archive() as a:
            config = a.path / "config.yaml"
            config.write_text(config.read_text() + "index:\n  lanes: 2\n")
            a.run("source", "add", "mail", "--kind", "import")
            a.run("ingest", "--source", "mail", mbox(a.folder / "m.mbox", 0, count, self.chance))
            matter = a.matter()
            began = time.monotonic()
            a.run("index", "rebuild")
            whole = time.monotonic() - began
            self.assertEqual(len(list((a.path / "index").glob("*.glass"))), 2, "both lanes wrote")
            torn = joined = 0
            for _ in range(ROUNDS):
                process = a.begin("index", "rebuild")
                while process.poll() is None and not any((a.path / "index").glob("*.making/*")):
                    time.sleep(0.01)
                time.sleep(self.chance.uniform(0, 0.4) * whole)
                process.kill()
                process.communicate()
                joined += any((a.path / "index").glob("*.making"))
                # What was not committed is counted as such, and never as searched.
                coverage = a.json("search", "--matter", matter, "--limit", "1", "art:mail")
                torn += coverage["coverage"]["deferred"] > 0
                self.assertEqual(coverage["total"] + coverage["unsearched"]["deferred"], count)
                self.assertEqual(a.json("index", "update")["deferred"], 0)
                found = a.json("search", "--matter", matter, "--limit", "1", "Vertrag")
                self.assertEqual((found["total"], found["unsearched"]["total"]), (count, 0))
                some = self.chance.randrange(count)
                self.assertEqual(a.json("search", "--matter", matter, f"nr{some}")["total"], 1)
                checked = a.json("index", "check")
                self.assertEqual((checked["whole"], checked["records"]), (True, count), checked)
            self.assertGreater(torn, 0, "no kill met an index in the making")
            self.assertGreater(joined, 0, "no kill met a lane's shard before its close")
            entries = a.json("status")["entries"]
            a.serve()
            time.sleep(3)
            a.stop()
            # An idle server opens no shards for what does not come.
            self.assertLess(a.json("status")["entries"] - entries, 8)

    def test_a_server_joins_by_itself_what_days_of_a_closed_vault_left_behind(self):
        with Archive(create=False) as a:
            secret = a.folder / "pass"
            secret.write_text("ein langes Passwort\n")
            a.run("init", a.path, "--unlock", "passphrase", "--passphrase-file", secret)
            a.run("source", "add", "mail", "--kind", "import")
            shards = lambda: len(list((a.path / "index").glob("*.glass")))
            while shards() < 40:
                n = shards()
                a.run("ingest", "--source", "mail", mbox(a.folder / "m.mbox", n, 1, self.chance))
                self.assertEqual(shards(), n + 1)
            a.run("ingest", "--source", "mail", mbox(a.folder / "m.mbox", 40, 1, self.chance))
            matter = a.matter()
            a.serve()
            time.sleep(3)
            self.assertGreaterEqual(shards(), 40)  # a closed vault's can't be joined
            a.run("unlock", "--passphrase-file", secret)
            # Not in the way of who searches meanwhile.
            self.assertEqual(a.json("search", "--matter", matter, "Vertrag")["total"], 41)
            a.until(lambda: shards() < 8, seconds=120)
            found = a.json("search", "--matter", matter, "Vertrag")
            self.assertEqual((found["total"], found["unsearched"]["total"]), (41, 0))
            for n in (0, 17, 40):
                self.assertEqual(a.json("search", "--matter", matter, f"nr{n}")["total"], 1)
            a.stop()
            self.assertTrue(a.json("index", "check", "--passphrase-file", secret)["whole"])
            self.assertEqual(a.verify()[0], 0)


if __name__ == "__main__":
    unittest.main()
