"""The command line: what each command does, what it says when it can't, and with which exit code."""
import json
import os
import shutil
import subprocess
import tempfile
import unittest
import urllib.request
from pathlib import Path

from kustos import BIN, DEMO, Archive, event, free_port


class Commands(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.a = a = Archive("--tsa", "builtin")
        a.run("source", "add", "mail", "--kind", "import")
        a.run("ingest", "--source", "mail", DEMO / "mail.mbox", *sorted((DEMO / "mail").glob("*.eml")))
        cls.matter = a.matter()

    @classmethod
    def tearDownClass(cls):
        cls.a.__exit__()

    def refused(self, *arguments, code=2, says=""):
        done = self.a.call(*arguments)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertIn(says, done.stderr)
        self.assertEqual(done.stdout, "")
        return done.stderr

    def test_without_a_command_or_with_a_wrong_one_the_usage_is_said(self):
        self.refused()
        self.refused("serach", says="did you mean: kustos search")
        self.refused("nonsense", says="nonsense")
        self.refused("status", "--nonsense", says="--nonsense")
        self.refused("search", "--limit", "0", "--matter", self.matter, "x", says="--limit")
        self.assertIn("kustos", self.a.run("--version").stdout)
        self.assertIn("search", self.a.run("--help").stdout)

    def test_what_comes_later_is_refused_as_not_in_this_version(self):
        self.refused("export", "--matter", self.matter, "--query", "x", "--as", "rsmf", "--out", "x",
                     says="not in this version")
        self.refused("export", "--matter", self.matter, "--query", "x", "--redact", "x", "--out", "x",
                     says="not in this version")
        self.refused("init", self.a.folder / "other", "--unlock", "shares:2/3", says="--shares-out")

    def test_init_refuses_a_folder_that_is_not_empty_and_leaves_it_alone(self):
        folder = self.a.folder / "full"
        folder.mkdir()
        (folder / "letter").write_text("x")
        self.assertNotEqual(self.a.call("init", folder).returncode, 0)
        self.assertEqual([f.name for f in folder.iterdir()], ["letter"])

    def test_a_search_without_a_matter_prints_the_command_that_makes_one(self):
        said = self.refused("search", "Holzfeuchte", says="kustos matter new")
        line = next(line for line in said.splitlines() if "kustos matter new" in line)
        command = line[line.index("kustos"):].replace("kustos ", f"{BIN}/kustos --state {self.a.state} ", 1)
        made = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
        self.assertEqual(made.returncode, 0, made.stderr)
        matter = made.stdout.split()[0]
        self.assertEqual(self.a.json("search", "--matter", matter, "Holzfeuchte")["coverage"]["failed"], 0)

    def test_a_wrong_query_is_refused_with_its_place_and_a_closed_or_unknown_matter_denied(self):
        self.refused("search", "--matter", self.matter, "a AND (b OR", says="character 12")
        self.assertNotIn("Geheimwort", self.refused("search", "--matter", self.matter, "Geheimwort AND ("))
        self.refused("search", "--matter", "M999999", "x", code=3)
        self.refused("search", "--matter", "12x", "x", code=2)
        closing = self.a.matter()
        self.a.run("matter", "close", closing)
        self.refused("search", "--matter", closing, "x", code=3)

    def test_zero_hits_are_an_answer_with_coverage(self):
        done = self.a.run("search", "--matter", self.matter, "Zwetschgendatschi")
        self.assertIn("0 hits", done.stdout)
        self.assertIn("coverage", done.stdout)

    def test_searches_in_german_speak_german(self):
        done = self.a.call("search", "--matter", self.matter, "Holzfeuchte", language="de_DE.UTF-8")
        self.assertIn("Treffer", done.stdout)
        self.assertIn("Abdeckung", done.stdout)

    def test_operators_fields_and_dates_give_exact_totals(self):
        def total(query):
            return self.a.json("search", "--matter", self.matter, query)["total"]

        everything = self.a.json("status")["records"]
        self.assertEqual(total("source:mail"), everything)
        self.assertEqual(total("NOT source:mail"), 0)
        self.assertEqual(total("has:attachment") + total("NOT has:attachment"), everything)
        self.assertEqual(total("date:2026-03") + total("NOT date:2026-03"), everything)
        word = total("Holzfeuchte")
        self.assertGreater(word, 0)
        self.assertEqual(total("Holzfeuchte AND from:petersen") + total("Holzfeuchte NOT from:petersen"), word)
        self.assertEqual(total("Holzfeuchte UND von:petersen"), total("Holzfeuchte AND from:petersen"))
        self.assertGreaterEqual(total("Holzfeuchte OR Fangstelle"), max(word, total("Fangstelle")))

    def test_importing_twice_seals_nothing_twice(self):
        before = self.a.json("status")["records"]
        result = self.a.json("ingest", "--source", "mail", DEMO / "mail.mbox")
        self.assertEqual((result["messages"], self.a.json("status")["records"]), (0, before))
        self.assertGreater(result["duplicates"], 0)

    def test_bad_input_is_said_plainly(self):
        self.refused("ingest", "--source", "mail", self.a.folder / "absent", says="absent")
        self.refused("ingest", "--source", "nobody", DEMO / "mail.mbox", says="kustos source add")
        self.refused("ingest", "--source", "mail", "--format", "telepathy", DEMO / "mail.mbox", says="mattermost-csv")
        self.refused("status", "--archive", self.a.folder / "nothing", says="kustos init")

    def test_show_and_its_original(self):
        hit = self.a.json("search", "--matter", self.matter, "Holzfeuchte")["hits"][0]
        shown = self.a.run("show", "--matter", self.matter, hit["record"]).stdout
        self.assertIn(hit["subject"], shown)
        raw = self.a.run("show", "--matter", self.matter, hit["record"], "--original", text=False).stdout
        mails = [f.read_bytes() for f in (DEMO / "mail").glob("*.eml")] + [(DEMO / "mail.mbox").read_bytes()]
        self.assertTrue(any(raw in mail for mail in mails))
        self.refused("show", hit["record"], says="matter")
        self.refused("show", "--matter", self.matter, "0", code=2)

    def test_originals_come_out_as_eml_and_mbox_and_go_in_again_as_the_same(self):
        folder, box = self.a.folder / "out", self.a.folder / "out.mbox"
        self.a.run("export", "--matter", self.matter, "--query", "Holzfeuchte", "--as", "eml", "--out", folder)
        self.a.run("export", "--matter", self.matter, "--query", "Holzfeuchte", "--as", "mbox", "--out", box)
        total = self.a.json("search", "--matter", self.matter, "Holzfeuchte")["total"]
        self.assertEqual(len(list(folder.glob("*.eml"))), total)
        with Archive() as other:
            other.run("source", "add", "s", "--kind", "import")
            self.assertEqual(other.json("ingest", "--source", "s", *folder.glob("*.eml"))["messages"], total)
            # In an mbox a line "From " is quoted and a last line ended: such a mail's bytes are others.
            again = other.json("ingest", "--source", "s", box)
            self.assertEqual(again["messages"] + again["duplicates"], total)
            self.assertGreater(again["duplicates"], 0)

    def test_a_bundle_in_the_current_folder_needs_no_path(self):
        done = self.a.call("export", "--matter", self.matter, "--query", "Holzfeuchte", "--out", "here.pdf",
                           cwd=self.a.folder)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.a.verify(self.a.folder / "here.pdf")[0], 0)

    def test_verify_needs_no_key_and_a_trust_file_decides_the_origin(self):
        report = self.a.json("verify")
        self.assertEqual((report["ok"], report["origin"], report["time"]), (True, "unknown", "self"))
        self.assertEqual(self.a.json("verify", "--trust", self.a.trust)["origin"], "pinned")
        self.assertTrue(self.a.json("verify", "--deep")["ok"])
        with Archive() as other:
            self.assertEqual(self.a.call("verify", "--trust", other.trust).returncode, 1)

    def test_each_search_showing_and_export_is_an_entry(self):
        before = self.a.access_entries()
        hit = self.a.json("search", "--matter", self.matter, "Holzfeuchte")["hits"][0]
        self.assertEqual(self.a.access_entries(), before + 1)
        self.a.run("show", "--matter", self.matter, hit["record"])
        self.assertEqual(self.a.access_entries(), before + 2)
        self.a.run("export", "--matter", self.matter, "--query", "Holzfeuchte", "--out", self.a.folder / "e.pdf")
        self.assertEqual(self.a.access_entries(), before + 3)

    def test_the_settings_file_refuses_a_key_it_does_not_know(self):
        config = self.a.path / "config.yaml"
        good = config.read_text()
        config.write_text(good + "\ncolour: red\n")
        try:
            self.assertIn("colour", self.refused("status", code=2))
        finally:
            config.write_text(good)

    def test_a_trial_takes_one_command(self):
        folder = Path(tempfile.mkdtemp(prefix="kustos-e2e-try-"))
        try:
            done = subprocess.run([BIN / "kustos", "try", DEMO / "mail.mbox"], cwd=folder, capture_output=True, text=True,
                                  env=dict(os.environ, HOME=str(folder), TMPDIR=str(folder), LC_ALL="en"), check=False,
                                  input="Gutachten\n\n")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("coverage", done.stdout)
            self.assertTrue([f for f in folder.iterdir() if f.name.startswith("kustos-try-")], "where it says it stays")
        finally:
            shutil.rmtree(folder)

    def test_with_a_passphrase_sealing_goes_on_while_the_vault_is_closed_and_reading_does_not(self):
        word = self.a.folder / "word"
        word.write_text("zwölf Boxkämpfer jagen\n")
        with Archive("--unlock", "passphrase", "--passphrase-file", word) as p:
            p.run("source", "add", "s", "--kind", "import")
            stream = p.folder / "s.ndjson"
            stream.write_text("\n".join(event(i, "Holzfeuchte") for i in range(5)))
            p.run("ingest", "--source", "s", stream)
            self.assertEqual(p.json("status")["coverage"]["searchable"], 5)
            self.assertEqual(p.call("matter", "new", "--reference", "R", "--ground", "G").returncode, 0)
            matter = p.json("matter", "new", "--reference", "R", "--ground", "G", "--passphrase-file", word)["id"]
            self.assertEqual(p.call("search", "--matter", matter, "Holzfeuchte").returncode, 4)
            self.assertEqual(p.json("search", "--matter", matter, "Holzfeuchte", "--passphrase-file", word)["total"], 5)
            wrong = p.folder / "wrong"
            wrong.write_text("falsch")
            self.assertEqual(p.call("search", "--matter", matter, "x", "--passphrase-file", wrong).returncode, 3)
            shutil.rmtree(p.path / "index")  # what is not indexed comes in when somebody opens the vault
            p.run("ingest", "--source", "s", stream)
            self.assertEqual(p.json("status")["coverage"]["deferred"], 5)
            p.run("ingest", "--source", "s", stream, "--passphrase-file", word)
            self.assertEqual(p.json("status")["coverage"]["searchable"], 5)

    def test_another_authority_stamps_over_http(self):
        port = free_port()
        with Archive("--tsa", "builtin") as authority:
            served = subprocess.Popen([BIN / "kustos", "tsa", "serve", "--port", str(port)],
                                      env=dict(os.environ, KUSTOS_ARCHIVE=str(authority.path),
                                               KUSTOS_STATE=str(authority.state)), stdout=subprocess.PIPE)
            try:
                served.stdout.readline()
                with Archive("--tsa", f"http://127.0.0.1:{port}/") as a:
                    a.run("source", "add", "mail", "--kind", "import")
                    a.run("ingest", "--source", "mail", DEMO / "mail.mbox")
                    report = a.verify()[1]
                    self.assertTrue(report["ok"])
                    self.assertGreater(len(report["anchors"]), 0)
                    self.assertEqual(report["time"], "self", "nobody vouches for it")
            finally:
                served.terminate()
                served.wait()
                served.stdout.close()

    def test_without_its_authority_sealing_goes_on_and_says_so(self):
        with Archive("--tsa", f"http://127.0.0.1:{free_port()}/") as a:
            a.run("source", "add", "mail", "--kind", "import")
            self.assertGreater(a.json("ingest", "--source", "mail", DEMO / "mail.mbox")["messages"], 0)
            report = a.verify()[1]
            self.assertEqual((report["ok"], report["time"]), (True, "none"))
            self.assertIn("time stamp", a.run("status").stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
