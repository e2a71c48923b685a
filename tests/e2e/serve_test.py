"""While `kustos serve` runs, every other command is carried out by it: the caller sees no difference."""
import os
import subprocess
import threading
import time
import unittest

from kustos import BIN, DEMO, Archive, event


class Served(unittest.TestCase):
    def test_paths_are_the_callers(self):
        with Archive("--tsa", "builtin") as a:
            a.run("source", "add", "mail", "--kind", "import")
            a.serve()
            folder = a.folder / "desk"
            folder.mkdir()
            (folder / "m.mbox").write_bytes((DEMO / "mail.mbox").read_bytes())
            self.assertEqual(a.call("ingest", "--source", "mail", "m.mbox", cwd=folder).returncode, 0)
            matter = a.matter()
            record = a.json("search", "--matter", matter, "Holzfeuchte")["hits"][0]["record"]
            (folder / "list").write_text(f"{record}\n")
            done = a.call("export", "--matter", matter, "--records", "list", "--out", "b.pdf", cwd=folder)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual((folder / "b.pdf").stat().st_mode & 0o777, 0o600)
            trust = os.path.relpath(a.trust, folder)
            self.assertIn("trust file names", a.call("verify", "--trust", trust, cwd=folder).stdout)

    def test_a_passphrase_opens_the_servers_vault_for_one_command(self):
        with Archive(create=False) as a:
            word, wrong = a.folder / "word", a.folder / "wrong"
            word.write_text("zwölf Boxkämpfer jagen\n")
            wrong.write_text("elf Boxkämpfer jagen\n")
            a.run("init", a.path, "--unlock", "passphrase", "--passphrase-file", word)
            token = a.json("source", "add", "live", "--kind", "http")["token"]
            a.serve()
            self.assertEqual(a.push("live", token, [event(i, "Holzfeuchte") for i in range(3)])[0], 200)
            a.until(lambda: a.json("status")["coverage"]["searchable"] == 3)
            matter = a.matter()
            self.assertEqual(a.call("search", "--matter", matter, "Holzfeuchte").returncode, 4)
            self.assertEqual(a.call("search", "--matter", matter, "Holzfeuchte", "--passphrase-file", wrong).returncode,
                             3)
            found = a.json("search", "--matter", matter, "Holzfeuchte", "--passphrase-file", word)
            self.assertEqual(found["total"], 3)
            self.assertEqual(a.json("status")["vault"], "closed")
            self.assertEqual(a.call("search", "--matter", matter, "Holzfeuchte").returncode, 4)
            # Sealing and indexing go on behind the closed door.
            self.assertEqual(a.push("live", token, [event(i, "Holzfeuchte") for i in range(3, 6)])[0], 200)
            a.until(lambda: a.json("status")["coverage"]["searchable"] == 6)
            found = a.json("search", "--matter", matter, "Holzfeuchte", "--passphrase-file", word)
            self.assertEqual(found["total"], 6)

    def test_one_command_does_not_wait_for_another_and_a_caller_who_leaves_ends_his(self):
        with Archive() as a:
            a.run("source", "add", "s", "--kind", "import")
            stream = a.folder / "s.ndjson"
            total = 60_000
            stream.write_text("\n".join(event(i, f"Nachricht {i}") for i in range(total)))
            a.serve()
            caller = subprocess.Popen([BIN / "kustos", "ingest", "--source", "s", stream], stdout=subprocess.DEVNULL,
                                      stderr=subprocess.DEVNULL,
                                      env=dict(os.environ, KUSTOS_ARCHIVE=str(a.path), KUSTOS_STATE=str(a.state)))
            try:
                a.until(lambda: 0 < a.json("status")["records"])
                self.assertIsNone(caller.poll(), "the status came while the import ran")
            finally:
                caller.kill()
                caller.wait()
            sealed = [0, a.json("status")["records"]]

            def rests():
                time.sleep(0.5)
                sealed.append(a.json("status")["records"])
                return sealed[-1] == sealed[-2]

            a.until(rests)
            self.assertLess(sealed[-1], total, "the import went on for nobody")
            self.assertEqual(a.verify()[0], 0)
            result = a.json("ingest", "--source", "s", stream)
            self.assertEqual(result["messages"] + result["duplicates"], total, "and goes on where it ended")
            self.assertEqual(a.json("status")["records"], total)
            self.assertEqual(a.json("status")["coverage"]["searchable"], total)

    def test_many_callers_at_once_are_all_answered(self):
        with Archive() as a:
            a.run("source", "add", "s", "--kind", "import")
            a.serve()
            codes = []
            callers = [threading.Thread(target=lambda: codes.append(a.call("status").returncode)) for _ in range(40)]
            for caller in callers:
                caller.start()
            for caller in callers:
                caller.join()
            self.assertEqual(codes, [0] * 40)


if __name__ == "__main__":
    unittest.main(verbosity=2)
