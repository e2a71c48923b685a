"""Backup, escrow and restore with the real programs: while a server takes messages, through kill -9, and after erasures."""
import base64
import json
import os
import shutil
import subprocess
import time
import unittest

import thief
from canary_test import WORDS, forms
from kustos import BIN, Archive, Browser, event


def everything_in(*folders):
    for folder in folders:
        for file in folder.rglob("*"):
            if file.is_file():
                yield file, file.read_bytes()


class House(Archive):
    """An archive with an escrow on another medium, a place for backups, and a passphrase if one is wanted."""

    def __init__(self, *init):
        super().__init__(create=False)
        self.medium, self.backup = self.folder / "medium", self.folder / "backup"
        self.medium.mkdir()
        self.run("init", self.path, "--tsa", "builtin", "--escrow", self.medium, *init)

    def ingest(self, *lines, source="files"):
        if source not in [s["name"] for s in self.json("source", "list")]:
            self.run("source", "add", source, "--kind", "import")
        stream = self.folder / "in.jsonl"
        stream.write_text("\n".join(lines) + "\n")
        self.run("ingest", "--source", source, "--format", "stream", stream)
        stream.unlink()

    def record_of(self, word):
        if not hasattr(self, "_matter"):
            self._matter = self.matter()
        hits = self.json("search", "--matter", self._matter, word)["hits"]
        return hits[0]["record"] if hits else None

    def erase(self, record, *more, code=0):
        return self.run("--json", "erase", "--record", record, "--ground", "Art. 17 DSGVO", "--approver", "Anna Alt", "--approver", "Bert Bau", *more, code=code)

    def back_up(self):
        return self.json("backup", "--to", self.backup)

    def lose(self):
        """The machine is gone: archive and state."""
        self.stop()
        shutil.rmtree(self.path)
        shutil.rmtree(self.state)
        self.__dict__.pop("_matter", None)

    def restore(self, *more, code=0):
        done = self.call("--json", "restore", "--from", self.backup, "--escrow", self.medium, *more)
        if done.returncode != code:
            raise AssertionError(f"restore ended with {done.returncode}: {done.stdout} {done.stderr}")
        return json.loads(done.stdout) if done.stdout else done.stderr


class Backup(unittest.TestCase):
    def test_a_lost_machine_comes_back_from_backup_and_escrow(self):
        with House() as h:
            h.ingest(*[event(i, f"Nachricht {i} {WORDS[i]}") for i in range(12)])
            report = h.back_up()
            self.assertEqual(report["generation"], 1)
            self.assertEqual(h.run("backup", "verify", h.backup).returncode, 0)
            h.lose()
            back = h.restore()
            self.assertTrue(back["ok"] and back["continued"] and back["open"], back)
            self.assertEqual(back["records"], 12)
            self.assertGreater(back["opened"], 0)
            self.assertEqual(back["not_opened"], 0)
            self.assertEqual([s["name"] for s in back["sources"]], ["files"])
            self.assertEqual(h.verify()[0], 0)
            # It goes on: search, seal, what comes again is known.
            h.ingest(event(3, f"Nachricht 3 {WORDS[3]}"), event(99, "neu dazu"))
            self.assertEqual(h.json("status")["records"], 13)
            self.assertIsNotNone(h.record_of(WORDS[5]))
            self.assertIn("archive_restored", [e.get("action") for e in h.json("audit", "list", "--limit", "60")["entries"]])

    def test_what_was_erased_after_the_backup_stays_unreadable_in_a_restored_older_one(self):
        with House() as h:
            h.ingest(*[event(i, f"Nachricht {i} {WORDS[i]}") for i in range(10)])
            gone, stays = h.record_of(WORDS[4]), h.record_of(WORDS[5])
            h.back_up()
            h.erase(gone)
            self.assertEqual(len(list(h.medium.glob("*/generation-*"))), 2)
            h.lose()
            back = h.restore()
            self.assertTrue(back["ok"], back)
            self.assertEqual((back["ledger_generation"], back["key_generation"]), (1, 2))
            self.assertEqual(back["erased_again"], 1)
            matter = h.matter()
            refused = h.call("show", "--matter", matter, gone)
            self.assertEqual(refused.returncode, 2, refused.stderr)
            self.assertIn(WORDS[5], h.run("show", "--matter", matter, stays).stdout)
            self.assertEqual(len(h.json("erase", "list")), 1)
            h.ingest(event(50, "ein neues Wort"))  # the restored archive indexes again
            self.assertEqual(h.json("search", "--matter", matter, WORDS[4])["total"], 0)
            self.assertEqual(h.json("search", "--matter", matter, WORDS[5])["total"], 1)
            self.assertEqual(h.verify()[0], 0)
            wanted = list(forms(WORDS[4]))
            for file, content in everything_in(h.path, h.state, h.backup, h.medium):
                self.assertFalse([f for f in wanted if f in content], file)

    def test_a_backup_of_a_compacted_archive_comes_back_with_what_it_has_lost_named(self):
        with House() as h:
            h.ingest(*[event(i, f"Nachricht {i} {WORDS[i]}") for i in range(10)])
            letter = base64.b64encode("Ein Brief über Kies. ".encode() * 9000).decode()  # a blob of its own
            h.ingest(event(20, f"mit Brief {WORDS[10]}", attachments=[{"name": "brief.txt", "type": "text/plain", "content_base64": letter}]))
            h.back_up()  # of before: its objects of what goes away must leave the folder
            gone, letter_gone, stays = h.record_of(WORDS[4]), h.record_of(WORDS[10]), h.record_of(WORDS[5])
            # Their bytes: what compaction takes out, and no restoration brings back.
            ciphertexts = [thief.Thief(h.path).ciphertext(i)[:64] for i in (gone, letter_gone, letter_gone - 1)]
            for place in (h.path, h.backup):
                self.assertTrue(all(thief.everywhere(place, c) for c in ciphertexts), place)
            h.erase(gone)
            h.erase(letter_gone)
            h.run("compact")
            self.assertEqual({h.json("erase", "status", e["erasure"])["state"] for e in h.json("erase", "list")}, {"ciphertext_gone"})
            h.back_up()
            self.assertEqual(h.run("backup", "verify", h.backup).returncode, 0)
            self.assertEqual(h.json("restore", "--drill", "--from", h.backup, "--escrow", h.medium)["erased"], 2)
            h.lose()
            back = h.restore()
            self.assertTrue(back["ok"] and back["open"], back)
            self.assertEqual((back["records"], back["erased"], back["erased_again"], back["not_opened"]), (11, 2, 0, 0))
            self.assertEqual(back["opened"], 9)
            for place in (h.path, h.backup):
                self.assertFalse(any(thief.everywhere(place, c) for c in ciphertexts), place)
            self.assertEqual(h.verify()[0], 0)
            matter = h.matter()
            for record in (gone, letter_gone):
                refused = h.call("show", "--matter", matter, record)
                self.assertEqual(refused.returncode, 2)
                self.assertRegex(refused.stderr, "was erased on 20")
            self.assertIn(WORDS[5], h.run("show", "--matter", matter, stays).stdout)
            self.assertEqual({e["state"] for e in h.json("erase", "list")}, {"ciphertext_gone"})
            # Over HTTP it is 410, as before the loss.
            h.serve()
            browser = Browser(h)
            browser.get("/login")
            browser.log_in("admin", h.password)
            self.assertEqual(browser.get(f"/record/{gone}?matter={matter}")[0], 410)
            self.assertEqual(browser.get(f"/record/{stays}?matter={matter}")[0], 200)

    def test_an_older_generation_of_the_escrow_is_never_taken(self):
        with House() as h:
            h.ingest(*[event(i, WORDS[i]) for i in range(4)])
            h.erase(h.record_of(WORDS[2]))
            h.back_up()  # its ledger names generation 2
            shutil.rmtree(next(h.medium.glob("*/generation-2")))
            h.lose()
            refused = h.restore(code=6)
            self.assertIn("the escrow is older", refused)

    def test_a_backup_is_made_while_the_server_takes_messages_and_erases(self):
        with House() as h:
            token = h.json("source", "add", "live", "--kind", "http")["token"]
            h.serve()
            sent = 0
            for round_ in range(6):
                lines = [event(sent + i, f"laufend {sent + i}") for i in range(200)]
                sent += 200
                self.assertEqual(h.push("live", token, lines, Idempotency_Key=f"k{round_}")[0], 200)
                child = subprocess.Popen([BIN / "kustos", "backup", "--to", h.backup, "--archive", h.path, "--state", h.state],
                                         stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
                if round_ in (2, 4):  # a new generation of keys while it is copied
                    status = h.json("status")
                    self.assertGreater(status["records"], 0)
                    h.erase(str(self.some_record(h)))
                lines = [event(sent + i, f"laufend {sent + i}") for i in range(50)]
                sent += 50
                self.assertEqual(h.push("live", token, lines, Idempotency_Key=f"l{round_}")[0], 200)
                self.assertEqual(child.wait(120), 0, child.stderr.read())
                child.stderr.close()
                self.assertEqual(h.call("backup", "verify", h.backup).returncode, 0)
            h.stop()
            records = h.json("status")["records"]
            self.assertEqual(records, sent)
            h.lose()
            back = h.restore()
            self.assertTrue(back["ok"], back)
            self.assertEqual(back["not_opened"], 0)
            self.assertGreater(back["opened"], 20)
            self.assertGreaterEqual(back["records"], 1000)
            self.assertEqual(h.verify()[0], 0)

    taken = 0

    def some_record(self, h):
        if not hasattr(h, "_matter"):
            h._matter = h.matter()
        h.until(lambda: h.json("search", "--matter", h._matter, "laufend")["total"] > 10)
        self.taken += 1
        return h.json("search", "--matter", h._matter, "laufend")["hits"][self.taken]["record"]

    def test_a_killed_backup_leaves_the_one_before(self):
        with House() as h:
            blob = "QUJD" * 400_000
            h.ingest(event(1, "erste"), event(2, "mit Anlage", attachments=[{"name": "a.bin", "type": "application/octet-stream", "content_base64": blob}]))
            h.back_up()
            before = (h.backup / "manifest").read_bytes()
            for n in range(3, 9):
                h.ingest(event(n, f"weitere {n}", attachments=[{"name": "b.bin", "type": "application/octet-stream", "content_base64": "QUJ" + chr(64 + n) + blob}]))
            killed = 0
            for wait in (0.0, 0.02, 0.04, 0.06, 0.1, 0.15, 0.2):
                child = h.begin("backup", "--to", h.backup)
                time.sleep(wait)
                child.kill()
                child.wait()
                if (h.backup / "manifest").read_bytes() == before:
                    killed += 1
                    self.assertEqual(h.call("backup", "verify", h.backup).returncode, 0)
            self.assertGreater(killed, 0)
            h.back_up()
            self.assertNotEqual((h.backup / "manifest").read_bytes(), before)
            self.assertEqual(h.call("backup", "verify", h.backup).returncode, 0)

    def test_a_passphrase_opens_what_was_restored_and_newer_keys_need_it_at_once(self):
        with House("--unlock", "passphrase", "--passphrase-file", self.secret()) as h:
            h.run("source", "add", "files", "--kind", "import")
            stream = h.folder / "in.jsonl"
            stream.write_text("\n".join(event(i, WORDS[i]) for i in range(6)) + "\n")
            h.run("--passphrase-file", self.secret(), "ingest", "--source", "files", "--format", "stream", stream)
            matter = h.matter()
            hit = json.loads(h.run("--json", "--passphrase-file", self.secret(), "search", "--matter", matter, WORDS[2]).stdout)["hits"][0]["record"]
            h.back_up()
            h.run("--passphrase-file", self.secret(), "erase", "--record", hit, "--ground", "Art. 17", "--approver", "A. Eins", "--approver", "B. Zwei")
            h.lose()
            refused = h.restore(code=4)
            self.assertIn("newer than this ledger", refused)
            shutil.rmtree(h.path)
            shutil.rmtree(h.state)
            back = h.restore("--passphrase-file", self.secret())
            self.assertTrue(back["ok"] and back["open"], back)
            self.assertEqual(back["erased_again"], 1)
            # A wrong one opens nothing.
            wrong = h.folder / "wrong"
            wrong.write_text("ein falsches Wort 12\n")
            self.assertEqual(h.call("--passphrase-file", wrong, "search", "--matter", h.matter(), WORDS[1]).returncode, 3)

    def test_a_drill_leaves_nothing_behind(self):
        with House() as h:
            h.ingest(*[event(i, WORDS[i]) for i in range(4)])
            h.back_up()
            place = h.folder / "tmp"
            place.mkdir()
            environment = dict(os.environ, TMPDIR=str(place), LC_ALL="en")
            done = subprocess.run([BIN / "kustos", "--json", "restore", "--drill", "--from", h.backup, "--escrow", h.medium, "--report", h.folder / "drill.json"],
                                  env=environment, capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            report = json.loads(done.stdout)
            self.assertEqual((report["records"], report["not_opened"]), (4, 0))
            self.assertEqual(json.loads((h.folder / "drill.json").read_text()), report)
            self.assertEqual(list(place.iterdir()), [])
            self.assertEqual(h.json("status")["records"], 4)  # the real one was not touched

    def test_without_the_escrow_a_backup_is_proof_and_no_content(self):
        with House() as h:
            h.ingest(*[event(i, WORDS[i]) for i in range(4)])
            h.back_up()
            h.lose()
            done = h.call("--json", "restore", "--from", h.backup)
            report = json.loads(done.stdout)
            self.assertEqual((done.returncode, report["key_generation"], report["ok"]), (0, 0, True), report)
            refused = h.call("status")
            self.assertNotEqual(refused.returncode, 0)

    def test_an_erasure_waits_for_the_medium_unless_told_otherwise(self):
        with House() as h:
            h.ingest(event(1, WORDS[1]), event(2, WORDS[2]))
            record = h.record_of(WORDS[1])
            h.medium.rename(h.folder / "away")
            h.medium.mkdir()
            refused = h.erase(record, code=6)
            self.assertIn("--without-escrow", refused.stderr)
            h.erase(record, "--without-escrow")
            status = h.run("status").stdout
            self.assertIn("behind", status)
            h.medium.rmdir()
            (h.folder / "away").rename(h.medium)
            h.back_up()
            self.assertNotIn("behind", h.run("status").stdout)

    def test_the_state_of_the_keys_says_what_the_escrow_holds(self):
        with House() as h:
            h.ingest(event(1, WORDS[1]), event(2, WORDS[2]))
            escrow = h.json("key", "status")["escrow"]
            self.assertRegex(escrow.pop("stored"), r"^20\d\d-")
            self.assertEqual(escrow, {"configured": True, "generation": 1, "oldest": 1, "present": 1, "behind": False, "medium_here": True})
            self.assertRegex(h.run("key", "status").stdout, r"\nescrow +generation 1 of 1, stored 20\S+Z \(today\)\n")
            self.assertRegex(h.run("--lang", "de", "key", "status").stdout, r"\nHinterlegung +Generation 1 von 1, hinterlegt 20\S+Z \(heute\)\n")
            h.medium.rename(h.folder / "away")
            h.medium.mkdir()
            h.erase(h.record_of(WORDS[1]), "--without-escrow")
            escrow = h.json("key", "status")["escrow"]
            self.assertEqual(escrow, {"configured": True, "generation": 1, "present": 2, "behind": True, "medium_here": False})
            done = h.run("key", "status")
            self.assertRegex(done.stdout, r"\nescrow +generation 1 of 2, behind \(the medium is away\)\n")
            self.assertIn("The escrow of keys is behind", done.stderr)
            self.assertIn("im Rückstand (Medium nicht da)", h.run("--lang", "de", "key", "status").stdout)
            h.medium.rmdir()
            (h.folder / "away").rename(h.medium)
            h.run("key", "status")  # a start catches up
            escrow = h.json("key", "status")["escrow"]
            self.assertEqual((escrow["generation"], escrow["oldest"], escrow["behind"]), (2, 1, False))
        with Archive() as a:
            self.assertEqual(a.json("key", "status")["escrow"], {"configured": False})
            self.assertRegex(a.run("key", "status").stdout, r"\nescrow +none\n")

    def test_a_medium_from_which_all_is_gone_is_not_called_up_to_date(self):
        with House() as h:
            h.serve()
            escrow = next(h.medium.iterdir())
            for generation in escrow.glob("generation-*"):
                shutil.rmtree(generation)
            status = h.json("key", "status")["escrow"]
            self.assertEqual((status["generation"], status["behind"]), (0, True))
            self.assertRegex(h.run("key", "status").stdout, r"\nescrow +no generation of 1 yet, behind\n")

    def test_backup_and_escrow_do_not_lie_together(self):
        with House() as h:
            for bad in (h.medium, h.medium / "backup", h.path / "backup"):
                self.assertEqual(h.call("backup", "--to", bad).returncode, 2, bad)

    @staticmethod
    def secret():
        import tempfile
        from pathlib import Path
        file = Path(tempfile.gettempdir()) / f"kustos-backup-test-{os.getpid()}"
        file.write_text("Zwölf Boxkämpfer\n")
        return file


if __name__ == "__main__":
    unittest.main(verbosity=2)
