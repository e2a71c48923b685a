"""Labels and codes of a matter's review: given, searched for, replaced, taken off, of one matter alone, and proven."""
import random
import subprocess
import sys
import time
import unittest

from kustos import ROOT, Archive, event
from opener_test import Apart, OpenerProcess

SECRET = "Strafanzeige"  # a label that must not lie in the clear


class Tags(unittest.TestCase):
    def take(self, a, source, numbers):
        a.call("source", "add", source, "--kind", "import")
        file = a.folder / f"{source}.jsonl"
        file.write_text("\n".join(event(n, f"Vertrag {source} {n}") for n in numbers) + "\n", encoding="utf-8")
        a.run("ingest", "--source", source, "--format", "stream", file)

    def matter(self, a, *more, reference="30-Z 1"):
        return a.json("matter", "new", "--reference", reference, "--ground", "Art. 15 DSGVO", *more)["id"]

    def records(self, a, matter, query, *more):
        answer = a.json("search", "--matter", matter, "--limit", 100, *more, query)
        self.assertEqual(answer["total"], len(answer["hits"]))
        return sorted(h["record"] for h in answer["hits"])

    def check_proofs(self, a):
        code, report = a.verify()
        self.assertEqual(code, 0, report)
        python = subprocess.run([sys.executable, ROOT / "tests" / "verify" / "kustos_verify.py", a.path], capture_output=True,
                                text=True, check=False, timeout=300)
        self.assertEqual(python.returncode, 0, python.stdout + python.stderr)

    def test_labels_are_found_in_their_own_matter_and_nowhere_else(self):
        with Archive() as a:
            self.take(a, "bauamt", range(4))
            matter, other = self.matter(a), self.matter(a, reference="30-Z 2")
            all_ = self.records(a, matter, "Vertrag")
            self.assertIn("no label", a.run("search", "--matter", matter, "tag:wichtig", code=2).stderr)
            done = a.json("tag", "add", "Wichtig", "--matter", matter, "--entry", all_[0], "--entry", all_[1])
            self.assertEqual((done["records"], done["changed"], done["restricted"]), (2, 2, 0))
            a.run("tag", "add", SECRET, "--matter", matter, "--query", "body:2 OR body:3")
            frozen = a.json("search", "--matter", matter, "--freeze", "body:1 OR body:2")["frozen"]["id"]
            self.assertEqual(a.json("tag", "add", "wichtig", "--matter", matter, "--results", frozen)["changed"], 1)
            self.assertEqual(self.records(a, matter, "tag:WICHTIG"), all_[:3])
            self.assertEqual(self.records(a, matter, "* NOT tag:wichtig"), all_[3:])
            self.assertEqual(self.records(a, matter, f"schlagwort:wichtig markierung:{SECRET.lower()}"), all_[2:3])
            self.assertEqual([(t["name"], t["records"]) for t in a.json("tag", "list", "--matter", matter)], [(SECRET, 2), ("Wichtig", 3)])
            self.assertIn("3 Aufzeichnungen", a.call("tag", "list", "--matter", matter, language="de").stdout)
            self.assertEqual(a.json("tag", "list", "--matter", other), [])
            a.run("search", "--matter", other, "tag:wichtig", code=2)
            a.run("tag", "remove", "wichtig", "--matter", other, "--entry", all_[0], code=2)
            self.assertEqual(a.json("show", "--matter", matter, all_[2])["labels"], [SECRET, "Wichtig"])
            self.assertEqual(a.json("show", "--matter", other, all_[2])["labels"], [])
            self.assertIn("Label:       Wichtig\n", a.run("show", "--matter", matter, all_[2]).stdout)

            before = a.json("status")["entries"]
            a.run("tag", "remove", "wichtig", "--matter", matter, "--entry", all_[3], code=2)  # it has none
            a.run("tag", "add", "x", "--matter", matter, code=2)
            a.run("tag", "add", "x", "--matter", matter, "--entry", "0", code=2)
            a.run("tag", "add", 'x"y', "--matter", matter, "--entry", all_[3], code=2)
            a.run("tag", "add", "x", "--entry", all_[3], code=2)
            self.assertEqual(a.json("status")["entries"], before)
            self.assertEqual(a.json("tag", "remove", "WICHTIG", "--matter", matter, "--entry", all_[0])["changed"], 1)
            self.assertEqual(self.records(a, matter, "tag:wichtig"), all_[1:3])

            rows = [r for r in a.json("matter", "protocol", matter)["entries"] if r["action"].startswith("records_")]
            self.assertEqual([(r["action"], r["name"], r["total"]) for r in rows],
                             [("records_tagged", "Wichtig", 2), ("records_tagged", SECRET, 2), ("records_tagged", "wichtig", 2),
                              ("records_untagged", "WICHTIG", 1)])
            self.assertTrue(all(r["actor"] for r in rows))
            trail = a.run("audit", "list", "--action", "records_tagged").stdout
            self.assertEqual(trail.count("records_tagged"), 3)
            self.assertNotIn(SECRET, trail)
            for file in a.path.rglob("*"):
                if file.is_file():
                    self.assertNotIn(SECRET.encode(), file.read_bytes(), file)
            self.check_proofs(a)
            a.run("matter", "close", matter)
            a.run("tag", "add", "zu", "--matter", matter, "--entry", all_[0], code=3)

    def test_a_code_has_one_value_a_record_and_another_takes_its_place(self):
        with Archive() as a:
            self.take(a, "bauamt", range(4))
            matter = self.matter(a)
            all_ = self.records(a, matter, "Vertrag")
            a.run("code", "set", "Privileg=ja", "--matter", matter, "--query", "Vertrag")
            a.serve()  # what follows is asked of one process, whose memory follows each decision
            self.assertEqual(self.records(a, matter, "code:privileg=ja"), all_)
            self.assertEqual(a.json("code", "set", "privileg=zum Teil", "--matter", matter, "--entry", all_[1])["changed"], 1)
            a.run("code", "set", "Relevanz=hoch", "--matter", matter, "--entry", all_[1], "--entry", all_[2])
            self.assertEqual(self.records(a, matter, "code:privileg=ja"), [all_[0], all_[2], all_[3]])
            self.assertEqual(self.records(a, matter, 'bewertung:privileg="zum Teil"'), [all_[1]])
            self.assertEqual(self.records(a, matter, "code:privileg=ja NOT code:relevanz"), [all_[0], all_[3]])
            a.run("code", "clear", "privileg", "--matter", matter, "--entry", all_[0])
            self.assertEqual(self.records(a, matter, "code:privileg"), all_[1:])
            listed = a.json("code", "list", "--matter", matter)
            self.assertEqual([(g["group"], g["records"], [(v["name"], v["records"]) for v in g["values"]]) for g in listed],
                             [("Privileg", 3, [("ja", 2), ("zum Teil", 1)]), ("Relevanz", 2, [("hoch", 2)])])
            self.assertIn("Privileg=zum Teil\t1 records", a.run("code", "list", "--matter", matter).stdout)
            self.assertEqual(a.json("show", "--matter", matter, all_[1])["codes"], ["Privileg=zum Teil", "Relevanz=hoch"])
            for query in ("code:nirgends", "code:privileg=nein", "code:=ja", "code:privileg="):
                a.run("search", "--matter", matter, query, code=2)
            for name in ("privileg", "=ja", "privileg=", "=", 'a="b"'):
                a.run("code", "set", name, "--matter", matter, "--entry", all_[0], code=2)
            a.run("code", "clear", "privileg=ja", "--matter", matter, "--entry", all_[1], code=2)
            a.stop()
            self.assertEqual(self.records(a, matter, "code:privileg"), all_[1:])
            a.run("search", "save", "--matter", matter, "--name", "offen", "* NOT code:privileg")
            self.assertEqual(a.json("search", "run", "--matter", matter, "--name", "offen")["total"], 1)
            exported = a.json("export", "--matter", matter, "--query", "code:relevanz=hoch", "--as", "eml", "--out", a.folder / "out")
            self.assertEqual(exported["records"], 2)
            rows = [r["action"] for r in a.json("matter", "protocol", matter)["entries"]]
            self.assertEqual((rows.count("records_coded"), rows.count("code_cleared")), (3, 1))
            self.check_proofs(a)

    def test_what_is_out_of_scope_restricted_or_erased_gets_no_label(self):
        with Archive() as a:
            self.take(a, "bauamt", range(4))
            self.take(a, "kanzlei", range(10, 12))
            whole, bounded = self.matter(a), self.matter(a, "--scope", "source:kanzlei")
            inside, outside = self.records(a, whole, "source:kanzlei"), self.records(a, whole, "source:bauamt")
            before = a.json("status")["entries"]
            a.run("tag", "add", "x", "--matter", bounded, "--entry", inside[0], "--entry", outside[0], code=3)
            self.assertEqual(a.json("status")["entries"], before)
            self.assertEqual(a.json("tag", "add", "x", "--matter", bounded, "--query", "*")["records"], 2)
            self.assertEqual(self.records(a, bounded, "tag:x"), inside)
            for scope in ("tag:x", "code:x=y", "source:bauamt OR schlagwort:x"):
                a.run("matter", "scope", bounded, "--query", scope, "--reason", "r", code=2)
                a.run("matter", "new", "--reference", "R", "--ground", "G", "--scope", scope, code=2)
            a.run("hold", "add", "--query", "tag:x", "--matter", bounded, "--reason", "r", code=2)

            frozen = a.json("search", "--matter", whole, "--freeze", "Vertrag")["frozen"]["id"]
            a.run("restrict", "--record", outside[0], "--no-purpose", "--reason", "Richtigkeit bestritten")
            a.run("tag", "add", "y", "--matter", whole, "--entry", outside[0], code=3)
            a.run("erase", "--record", outside[1], "--ground", "Art. 17", "--approver", "A", "--approver", "B")
            a.run("tag", "add", "y", "--matter", whole, "--entry", outside[1], code=2)
            done = a.json("tag", "add", "y", "--matter", whole, "--results", frozen)
            self.assertEqual((done["records"], done["restricted"], done["erased"]), (4, 1, 1))
            self.assertEqual(a.json("tag", "add", "z", "--matter", whole, "--query", "source:bauamt")["restricted"], 1)
            a.run("erase", "--record", outside[2], "--ground", "Art. 17", "--approver", "A", "--approver", "B")
            self.assertEqual(self.records(a, whole, "tag:y"), sorted([outside[3], *inside]))
            listed = {t["name"]: (t["records"], t["erased"]) for t in a.json("tag", "list", "--matter", whole)}
            self.assertEqual(listed["y"], (3, 1))
            self.check_proofs(a)

    def test_with_a_closed_vault_nothing_is_labelled_or_listed(self):
        with Archive(create=False) as a:
            secret = a.folder / "secret"
            secret.write_text("vier Worte und ein Fisch")
            opened = ("--passphrase-file", secret)
            a.run("init", a.path, "--unlock", "passphrase", *opened)
            a.run("source", "add", "bauamt", "--kind", "import", *opened)
            file = a.folder / "lines"
            file.write_text("\n".join(event(n, "Vertrag") for n in range(3)) + "\n")
            a.run("ingest", "--source", "bauamt", "--format", "stream", file, *opened)
            a.serve()
            a.run("unlock", "--for", "10m", *opened)
            matter = self.matter(a)
            a.until(lambda: a.json("search", "--matter", matter, "Vertrag")["total"] == 3)
            a.run("tag", "add", "wichtig", "--matter", matter, "--query", "Vertrag")
            self.assertEqual(len(self.records(a, matter, "tag:wichtig")), 3)
            record = self.records(a, matter, "tag:wichtig")[0]
            a.run("lock")
            for command in (("search", "--matter", matter, "tag:wichtig"), ("tag", "list", "--matter", matter),
                            ("code", "list", "--matter", matter), ("tag", "add", "x", "--matter", matter, "--entry", record),
                            ("code", "set", "x=y", "--matter", matter, "--query", "Vertrag")):
                a.run(*command, code=4)
            a.run("unlock", "--for", "10m", *opened)
            self.assertEqual(len(self.records(a, matter, "tag:wichtig")), 3)
            a.stop()
            self.check_proofs(a)

    def test_with_an_opener_apart_labels_are_given_and_not_searched_for(self):
        with Apart() as a, OpenerProcess(a) as opener:
            opener.unlock()
            self.take(a, "bauamt", range(4))
            self.take(a, "kanzlei", range(10, 12))
            whole, bounded = self.matter(a), self.matter(a, "--scope", "source:kanzlei")
            inside, outside = self.records(a, whole, "source:kanzlei"), self.records(a, whole, "source:bauamt")
            self.assertEqual(a.json("tag", "add", "x", "--matter", whole, "--query", "source:bauamt")["records"], 4)
            a.run("tag", "add", "x", "--matter", bounded, "--entry", outside[0], code=3)
            a.run("code", "set", "g=v", "--matter", bounded, "--entry", inside[0])
            self.assertEqual(a.json("code", "list", "--matter", bounded)[0]["records"], 1)
            self.assertEqual(a.json("show", "--matter", bounded, inside[0])["codes"], ["g=v"])
            self.assertIn("apart", a.run("search", "--matter", whole, "tag:x", code=2).stderr)
            self.assertEqual([t["records"] for t in a.json("tag", "list", "--matter", whole)], [4])
            a.run("opener", "lock", "--socket", opener.socket)
            a.run("tag", "list", "--matter", whole, code=4)
            self.check_proofs(a)

    def test_a_decision_that_is_killed_is_whole_or_never_was(self):
        with Archive() as a:
            self.take(a, "bauamt", range(40))
            matter = self.matter(a)
            all_ = self.records(a, matter, "Vertrag")
            begun = time.monotonic()
            a.run("tag", "add", "t", "--matter", matter, "--query", "Vertrag")
            took = time.monotonic() - begun
            chance, there = random.Random(5), 1
            for n in range(12):
                process = a.begin("tag", "add", f"t{n}", "--matter", matter, "--query", "Vertrag")
                time.sleep(chance.random() * took * 1.2)
                process.kill()
                said = process.wait() == 0
                labels = {t["name"]: t["records"] for t in a.json("tag", "list", "--matter", matter)}
                self.assertIn(labels.get(f"t{n}"), (40,) if said else (None, 40))
                there += f"t{n}" in labels
                self.assertEqual(len(labels), there)
            self.assertEqual(self.records(a, matter, "tag:t"), all_)
            self.check_proofs(a)


if __name__ == "__main__":
    unittest.main()
