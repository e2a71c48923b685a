"""What it means to lose one file: a test for each row of docs/operations.md, "If a file is lost"."""
import base64
import os
import shutil
import unittest
from pathlib import Path

from backup_test import House
from epoch_test import SOFTHSM, token
from kustos import ROOT, event

ROWS = {}  # name of the row: the test that stands for it


def row(name):
    def mark(test):
        ROWS[name] = test.__name__
        return test
    return mark


class LostFile(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        """One archive, full enough; each test loses something of a copy."""
        cls.model = House()
        h = cls.model
        noise = base64.b64encode(os.urandom(1_500_000)).decode()
        h.ingest(*[event(i, f"wort{i} gemeinsam") for i in range(300)],
                 event(900, "anlage gemeinsam", attachments=[{"name": "a.bin", "type": "application/octet-stream", "content_base64": noise}]))
        h.matter_id = h.matter()
        h.run("source", "add", "zz-tray", "--kind", "folder")
        h.serve()
        h.stop()
        h.back_up()
        cls.kept = h.folder.parent / (h.folder.name + "-kept")
        shutil.copytree(h.folder, cls.kept)

    @classmethod
    def tearDownClass(cls):
        cls.model.__exit__()
        shutil.rmtree(cls.kept)

    def setUp(self):
        self.h = self.model
        for place in (self.h.path, self.h.state, self.h.medium, self.h.backup):
            shutil.rmtree(place)
            shutil.copytree(self.kept / place.name, place)

    # --- helpers ---
    def lose(self, pattern, among=None):
        files = sorted((among or self.h.path).glob(pattern))
        self.assertTrue(files, pattern)
        for file in files:
            file.unlink()
        return files

    def start(self):
        return self.h.call("status")

    def found(self):
        return self.h.json("search", "--matter", self.h.matter_id, "gemeinsam")["total"]

    def verified(self):
        code, report = self.h.verify()
        return code, [p["code"] for p in report["problems"]]

    def works(self):
        self.assertEqual(self.start().returncode, 0)
        self.assertEqual(self.found(), 301)
        self.assertEqual(self.verified(), (0, []))

    def get_back(self, *files, escrow=False):
        names = [a for f in files for a in ("--file", f.relative_to(self.h.path))]
        more = ("--escrow", self.h.medium) if escrow else ()
        self.h.run("restore", "--from", self.h.backup, *more, *names)

    def refused(self, text, code):
        done = self.start()
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertIn(text, done.stderr)

    # --- ledger/ ---
    @row("ledger/checkpoint")
    def test_checkpoint(self):
        files = self.lose("ledger/checkpoint")
        self.refused("ledger checkpoint", 2)
        self.get_back(*files)
        self.works()

    @row("ledger/tile/")
    def test_tiles(self):
        files = self.lose("ledger/tile/0/000") + self.lose("ledger/tile/1/000.p/*")
        self.refused("ledger file is missing", 1)
        self.assertEqual(self.verified()[0], 1)
        self.get_back(*files)
        self.works()

    @row("ledger/tile/entries/")
    def test_entries(self):
        files = self.lose("ledger/tile/entries/000")
        self.refused("ledger file is missing", 1)
        self.get_back(*files)
        self.works()

    @row("ledger/published/, cosigned/")
    def test_published(self):
        files = self.lose("ledger/published/*")
        self.assertEqual(self.start().returncode, 0)
        self.assertIn("ledger.chain", self.verified()[1])
        self.get_back(*files)
        self.works()

    @row("ledger/anchors/")
    def test_anchors(self):
        files = self.lose("ledger/anchors/*/*.der")
        self.assertEqual(self.start().returncode, 0)
        self.assertIn("anchor.missing", self.verified()[1])
        self.get_back(*files)
        self.works()

    # --- vault/ ---
    @row("vault/segments/")
    def test_segments(self):
        files = self.lose("vault/segments/*.seg")
        self.refused("no segment is there", 1)
        self.assertIn("vault.missing", self.verified()[1])
        self.get_back(*files)
        self.works()

    @row("vault/blobs/")
    def test_blobs(self):
        files = self.lose("vault/blobs/*.blob")
        self.assertEqual(self.start().returncode, 0)
        self.assertIn("vault.missing", self.verified()[1])
        self.get_back(*files)
        self.works()

    @row("vault/duplicates.db")
    def test_duplicates(self):
        files = self.lose("vault/duplicates.db")
        self.works()
        self.h.ingest(event(1, "wort1 gemeinsam"))
        self.assertEqual(self.found(), 302)  # sealed twice
        self.setUp()
        self.lose("vault/duplicates.db")
        self.get_back(*files)
        self.h.ingest(event(1, "wort1 gemeinsam"))
        self.works()

    @row("vault/derived.db")
    def test_derived(self):
        self.lose("vault/derived.db")
        self.works()

    @row("vault/streams.db")
    def test_streams(self):
        before = self.h.json("source", "list")[0]["counts"]
        self.lose("vault/streams.db")
        self.works()
        self.assertEqual(self.h.json("source", "list")[0]["counts"], before)  # of the ledger

    @row("sources/")
    def test_source_settings(self):
        files = self.lose("sources/*.yaml")
        self.works()
        self.h.serve()
        folder = next(s for s in self.h.json("status")["sources"] if s["kind"] == "folder")
        self.h.stop()
        self.assertEqual((folder["stream"]["state"], folder["stream"]["problem"]), ("failing", "the source has no settings file"))
        self.get_back(*files)
        self.works()

    # --- keys/ ---
    @row("keys/slots")
    def test_slots(self):
        files = self.lose("keys/slots")
        self.refused("keys/slots", 2)
        self.get_back(*files)  # it is in the backup, and in the escrow as it is today
        self.works()

    @row("keys/auto.key")
    def test_auto_key(self):
        files = self.lose("keys/auto.key")
        self.refused("keys/auto.key", 2)
        self.assertEqual(self.verified(), (0, []))
        self.get_back(*files, escrow=True)
        self.works()

    @row("keys/generation-n/root")
    def test_root_page(self):
        files = self.lose("keys/generation-1/root")
        self.refused("the root page of keyring generation 1 is not here", 1)
        self.get_back(*files, escrow=True)
        self.works()

    @row("keys/generation-n/e")
    def test_epoch(self):
        files = self.lose("keys/generation-1/e")
        self.refused("the key of keyring generation 1 is not here", 1)
        self.get_back(*files, escrow=True)
        self.works()

    @row("keys/generation-n/medium")
    @unittest.skipUnless(SOFTHSM.exists(), "softhsm2 is not installed (./run installs it)")
    def test_medium(self):
        with token(self.h.folder) as uri:
            self.assertEqual(self.h.json("key", "rotate", "--epoch", uri)["generation"], 2)
            self.h.run("backup", "--to", self.h.backup)
            self.works()
            self.lose("keys/generation-2/medium")
            self.refused("the key of keyring generation 2 is not here", 1)
            self.get_back(self.h.path / "keys/generation-2/e", escrow=True)
            self.works()
            self.assertEqual(self.h.json("key", "status")["medium"], "file")

    @row("keys/pages/")
    def test_pages(self):
        self.h.erase(self.h.json("search", "--matter", self.h.matter_id, "wort7")["hits"][0]["record"])
        files = self.lose("keys/pages/*")
        self.assertNotEqual(self.h.call("search", "--matter", self.h.matter_id, "wort9").returncode, 0)
        self.get_back(*files, escrow=True)
        self.assertEqual(self.h.json("search", "--matter", self.h.matter_id, "wort9")["total"], 1)

    @row("keys/boxes/, one copy")
    def test_one_box(self):
        files = self.lose("keys/boxes/*.a")
        self.assertEqual(self.start().returncode, 0)
        self.assertEqual(self.found(), 301)
        self.assertIn("keys.box", self.verified()[1])
        self.get_back(*files)
        self.works()

    @row("keys/boxes/, both copies")
    def test_both_boxes(self):
        files = self.lose("keys/boxes/tree-*")
        self.assertNotEqual(self.start().returncode, 0)
        self.get_back(*files)
        self.works()

    @row("keys/duplicates.key")
    def test_duplicates_key(self):
        files = self.lose("keys/duplicates.key")
        self.refused("keys/duplicates.key", 2)
        self.get_back(*files, escrow=True)
        self.h.ingest(event(1, "wort1 gemeinsam"))
        self.works()  # recognised

    @row("keys/intake.pub")
    def test_intake(self):
        files = self.lose("keys/intake.pub")
        self.refused("keys/intake.pub", 2)
        self.get_back(*files)
        self.works()

    # --- the rest of the archive ---
    @row("index/")
    def test_index(self):
        shutil.rmtree(self.h.path / "index")
        self.assertEqual(self.start().returncode, 0)
        self.h.ingest(event(1, "wort1 gemeinsam"))  # known already; what waits is indexed
        self.works()

    @row("staging/")
    def test_staging(self):
        self.lose("staging/*")
        self.works()

    @row("catalog.db")
    def test_catalog(self):
        self.lose("catalog.db")
        self.works()

    @row("access.db")
    def test_access(self):
        files = self.lose("access.db")
        self.works()
        self.lose("access.db")
        self.get_back(*files)
        self.works()

    @row("config.yaml")
    def test_config(self):
        files = self.lose("config.yaml")
        self.assertEqual(self.start().returncode, 0)  # with settings of nobody: no time stamps, no escrow
        self.get_back(*files)
        self.works()

    @row("trust.policy")
    def test_trust(self):
        files = self.lose("trust.policy")
        self.works()
        self.get_back(*files)
        self.assertTrue(files[0].is_file())

    @row("lock, serve.sock")
    def test_lock(self):
        self.lose("lock")
        self.works()

    # --- state ---
    @row("signer/head")
    def test_signer_head(self):
        self.lose("*/signer/head", self.h.state)
        self.refused("signer", 6)
        self.h.run("continue", "--yes")
        self.works()

    @row("signer/checkpoint.key, evidence.key, evidence.crt")
    def test_signer_keys(self):
        self.lose("*/signer/checkpoint.key", self.h.state)
        self.refused("signer", 6)
        self.assertEqual(self.verified(), (0, []))
        self.h.run("continue", "--yes")
        self.works()

    @row("catalog.key")
    def test_catalog_key(self):
        self.lose("*/catalog.key", self.h.state)
        self.works()

    @row("tsa/")
    def test_authority(self):
        files = self.lose("*/tsa/*", self.h.state)
        self.refused("builtin time-stamp authority", 2)
        for file in files:  # from the copy of the state's keys that was made once; or another authority in config.yaml
            shutil.copy(self.kept / file.relative_to(self.h.folder), file)
        self.works()

    @row("tls/")
    def test_tls(self):
        before = next(self.h.state.glob("*/tls/server.crt")).read_bytes()
        self.lose("*/tls/*", self.h.state)
        self.h.serve()
        self.h.stop()
        self.assertNotEqual(next(self.h.state.glob("*/tls/server.crt")).read_bytes(), before)
        self.works()

    @row("authorities, config.applied, verified")
    def test_memories(self):
        for name in ("authorities", "config.applied", "verified"):
            for file in self.h.state.glob(f"*/{name}"):
                file.unlink()
        self.works()

    # --- other media ---
    @row("the escrow")
    def test_escrow(self):
        shutil.rmtree(self.h.medium)
        self.assertIn("behind", self.start().stdout + "behind")
        self.assertEqual(self.found(), 301)
        folder = next((self.kept / "medium").iterdir()).name
        (self.h.medium / folder).mkdir(parents=True)  # a new medium
        self.h.back_up()
        self.assertTrue((self.h.medium / folder / "generation-1" / "about").is_file())
        shutil.rmtree(self.h.path)
        shutil.rmtree(self.h.state)
        self.assertTrue(self.h.restore()["ok"])

    @row("the backup")
    def test_backup(self):
        shutil.rmtree(self.h.backup)
        self.works()
        self.h.back_up()
        self.assertEqual(self.h.call("backup", "verify", self.h.backup).returncode, 0)


class Table(unittest.TestCase):
    def test_each_row_of_the_page_has_its_test(self):
        page = (ROOT / "docs" / "operations.md").read_text()
        table = page[page.index("## If a file is lost"):].split("\n## ")[0]
        rows = [line.split("|")[1].strip().replace("`", "") for line in table.splitlines() if line.startswith("| `") or line.startswith("| the ")]
        self.assertEqual(sorted(rows), sorted(ROWS))


if __name__ == "__main__":
    unittest.main(verbosity=2)
