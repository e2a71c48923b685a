"""Hit reports: figures against searches one by one, the files people get, the entry, the scope, and what is erased."""
import base64
import csv
import hashlib
import io
import json
import re
import subprocess
import sys
import unittest
import xml.etree.ElementTree as xml
import zipfile
from pathlib import Path

from kustos import BIN, ROOT, Archive, event, page_example
from opener_test import Apart, OpenerProcess

SECRET = "Zwergkaninchen"  # must not lie in the clear
VERIFIER = ROOT / "tests" / "verify" / "kustos_verify.py"
TERMS = f"""\ufeff# Az. 30-Z
Entwürfe\tEntwurf ODER Fassung
Vertrag
=Vertrag
Zwerg\t{SECRET}
nichts\tGibtesnicht
Anlage\tBaugrube
+49891234567
"""


def person(name):
    return {"id": name, "address": f"{name}@example.org"}


def attached(*texts):
    return {"attachments": [{"name": f"{n}.txt", "type": "text/plain", "content_base64": base64.b64encode(t.encode()).decode()}
                            for n, t in enumerate(texts)]}


EVENTS = [
    event(1, "Ein Entwurf liegt bei", sender=person("anna"), sent_at="2026-01-31T23:30:00Z"),  # February in Berlin
    event(2, "Anbei der Vertrag", sender=person("bert"), **attached("Baugrube", "Baugrube", "anderes")),
    event(3, "Entwurf, Fassung zwei", kind="edit", target="m1", sender=person("anna"), sent_at="2026-04-01T10:00:00Z"),
    event(4, "kein Wort davon", kind="edit", target="m1", sender=person("anna"), sent_at="2026-04-02T10:00:00Z"),
    event(5, "", kind="delete", target="m2", sender=person("bert"), sent_at="2026-04-03T10:00:00Z"),
    event(6, "VERTRAG mit Kanzlei", sender=person("carla"), reply_to="m2"),
    event(7, f"Das {SECRET} und der Vertrag", sender=person("carla"), sent_at="2026-06-01T10:00:00Z"),
    event(8, "Ruf an: 089 1234567", sender=person("dora")),
]
MORE = [event(20, "Vertrag von anderswo", sender=person("emil")), event(21, "Entwurf von anderswo", sender=person("emil"))]


def sheets(file):
    """Every sheet of a workbook as rows of texts and numbers."""
    ns = {"m": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
    with zipfile.ZipFile(file) as z:
        assert z.testzip() is None
        shared = ["".join(t.text or "" for t in s.iter("{%s}t" % ns["m"]))
                  for s in xml.fromstring(z.read("xl/sharedStrings.xml")).findall("m:si", ns)]
        names = [s.get("name") for s in xml.fromstring(z.read("xl/workbook.xml")).find("m:sheets", ns)]
        out = {}
        for number, name in enumerate(names, 1):
            tree = xml.fromstring(z.read(f"xl/worksheets/sheet{number}.xml"))
            assert not list(tree.iter("{%s}f" % ns["m"])), "a formula"
            out[name] = [[shared[int(c.find("m:v", ns).text)] if c.get("t") == "s" else float(c.find("m:v", ns).text)
                          for c in row if c.find("m:v", ns) is not None] for row in tree.iter("{%s}row" % ns["m"])]
        return out


def table(file, delimiter=","):
    data = Path(file).read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    assert data.count(b"\n") == data.count(b"\r\n")
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), delimiter=delimiter))


def take(a, source, events):
    a.call("source", "add", source, "--kind", "import")
    file = a.folder / f"{source}.jsonl"
    file.write_text("\n".join(events) + "\n", encoding="utf-8")
    a.run("ingest", "--source", source, "--format", "stream", file)


def python_verifier(*arguments):
    done = subprocess.run([sys.executable, VERIFIER, *map(str, arguments), "--json"], capture_output=True, text=True, check=False)
    return done.returncode, json.loads(done.stdout)


class Hits(unittest.TestCase):
    def setUp(self):
        self.a = Archive("--tsa", "builtin")
        self.addCleanup(self.a.__exit__)
        take(self.a, "bauamt", EVENTS)
        take(self.a, "kanzlei", MORE)
        self.list = self.a.folder / "begriffe.txt"
        self.list.write_text(TERMS, encoding="utf-8")

    def matter(self, *more):
        return self.a.json("matter", "new", "--reference", "30-Z 1", "--ground", "Art. 15 DSGVO", *more)["id"]

    def report(self, matter, *more):
        return self.a.json("hits", "report", "--matter", matter, "--terms", self.list, *more)

    def found(self, matter, query, *more):
        answer = self.a.json("search", "--matter", matter, "--limit", 100, *more, query)
        return {h["record"] for h in answer["hits"]}, answer

    def test_the_figures_are_those_of_searches_one_by_one(self):
        matter = self.matter()
        report = self.report(matter)
        self.assertEqual([t.get("name") for t in report["terms"]], ["Entwürfe", None, None, "Zwerg", "nichts", "Anlage", None])
        sets = []
        for term in report["terms"]:
            hits, answer = self.found(matter, term["query"])
            self.assertEqual(term["hits"], len(hits), term)
            self.assertEqual(term["unsearched"]["partial"], answer["unsearched"]["partial"])
            self.assertEqual(sum(term["months"].values()), len(hits))
            self.assertEqual(sum(term["persons"].values()) + term["no_person"] + term["other_persons"], len(hits))
            for who, count in term["persons"].items():
                self.assertEqual(count, len(self.found(matter, f"({term['query']}) from:{who}")[0]), (term, who))
            sets.append(hits)
        for n, term in enumerate(report["terms"]):
            self.assertEqual(term["unique"], len(sets[n] - set().union(*sets[:n], *sets[n + 1:])), term)
        union = set().union(*sets)
        self.assertEqual(report["total"]["hits"], len(union))
        numbers = b"".join(n.to_bytes(8, "big") for n in sorted(union))
        self.assertEqual(report["result_set"], hashlib.sha256(numbers).hexdigest())
        self.assertEqual(report["records"], 10)
        drafts, contract, exact, rabbit, nothing, pit, phone = report["terms"]
        # 1, 3 and 21 by their words; 4 is the same message's; no file
        self.assertEqual([drafts[k] for k in ("hits", "family", "files", "unique")], [3, 4, 0, 3])
        # 2, 6, 7, 20; the deletion of 2; of 2 two different files
        self.assertEqual([contract[k] for k in ("hits", "family", "files", "unique")], [4, 5, 2, 1])
        self.assertEqual([exact[k] for k in ("hits", "family", "files", "unique")], [3, 4, 2, 0])
        self.assertEqual([rabbit["hits"], nothing["hits"], pit["hits"], pit["family"], phone["hits"]], [1, 0, 1, 2, 1])
        self.assertEqual(report["total"]["family"], len(union) + 2)
        self.assertEqual(drafts["months"], {"2026-02": 1, "2026-03": 1, "2026-04": 1})  # in Berlin, not in UTC
        self.assertEqual(report["time_zone"], "Europe/Berlin")

        within = self.a.json("search", "--matter", matter, "--freeze", "source:kanzlei")["frozen"]["id"]
        narrow = self.report(matter, "--within", within)
        self.assertEqual((narrow["within"], narrow["records"], narrow["total"]["hits"]), (within, 2, 2))

    def test_the_files_say_the_same_and_are_made_for_people(self):
        matter, out = self.matter(), self.a.folder / "out"
        out.mkdir()
        report = self.report(matter, "--out", out / "hits.csv", "--out", out / "hits.xlsx", "--out", out / "hits.pdf")
        self.assertEqual(sorted(Path(f).name for f in report["files"]), sorted(f.name for f in out.iterdir()))
        rows = table(out / "hits.csv")
        self.assertEqual([int(r[3]) for r in rows[1:]], [t["hits"] for t in report["terms"]] + [report["total"]["hits"]])
        self.assertEqual([r[2] for r in rows[1:4]], ["Entwurf ODER Fassung", "Vertrag", "'=Vertrag"])
        self.assertEqual(rows[7][2], "'+49891234567")
        months = table(out / "hits-months.csv")
        self.assertEqual([r[0] for r in months[1:]], ["2026-02", "2026-03", "2026-04", "2026-05", "2026-06"])
        self.assertEqual([int(r[2]) for r in months[1:]], [1, 1, 1, 0, 0])
        self.assertEqual(sum(int(r[1]) for r in months[1:]), report["total"]["hits"])
        persons = table(out / "hits-persons.csv")
        self.assertEqual([r[0] for r in persons[1:]], report["persons"])
        self.assertEqual(table(out / "hits-overview.csv")[1], ["Matter", matter])

        book = sheets(out / "hits.xlsx")
        self.assertEqual(list(book), ["Overview", "Terms", "Months", "Persons"])
        self.assertEqual(book["Terms"][3][1], "=Vertrag")  # no name: an empty cell is left out
        self.assertEqual([r[-1] for r in book["Months"][1:]], [float(r[-1]) for r in months[1:]])

        text = subprocess.run(["pdftotext", "-layout", out / "hits.pdf", "-"], capture_output=True, text=True, check=True).stdout
        flat = " ".join(text.split())
        for words in ("Hit report", "7 terms, 8 hits", "Entwurf ODER Fassung", "=Vertrag", "2026-05", "anna@example.org",
                      "With family: the hits and what belongs to them", "What this report does not prove"):
            self.assertIn(words, flat)
        self.assertIn("Signature is Valid", subprocess.run(["pdfsig", out / "hits.pdf"], capture_output=True, text=True, check=True).stdout)
        for code, checked in (self.a.verify(out / "hits.pdf", "--trust", self.a.trust), python_verifier(out / "hits.pdf", "--trust", self.a.trust)):
            self.assertEqual((code, checked["ok"], checked["reported"], checked["origin"]), (0, True, "hits", "pinned"), checked)
        folder = self.a.folder / "attached"
        folder.mkdir()
        subprocess.run(["pdfdetach", "-saveall", out / "hits.pdf", "-o", folder], check=True, capture_output=True)
        sealed = (folder / "report.json").read_bytes()
        self.assertEqual(hashlib.sha256(sealed).hexdigest(), report["sha256"])
        said = json.loads(sealed)
        self.assertEqual(said, {k: v for k, v in report.items() if k not in ("entry", "files", "sha256")})
        example = json.loads(page_example("hit-report.md", "report"))
        self.assertEqual(set(example), set(said))
        self.assertEqual(set(example["terms"][0]), set(said["terms"][0]))
        self.assertEqual(set(example["total"]), set(said["total"]))
        data = bytearray((out / "hits.pdf").read_bytes())
        data[data.index(b'"hits":') + 7] ^= 1
        (out / "changed.pdf").write_bytes(data)
        for code, checked in (self.a.verify(out / "changed.pdf"), python_verifier(out / "changed.pdf")):
            self.assertEqual(code, 1)
            self.assertEqual([p["code"] for p in checked["problems"]], ["report.signature", "report.proof"])

        german = self.a.folder / "de"
        german.mkdir()
        self.a.run("--lang", "de", "hits", "report", "--matter", matter, "--terms", self.list, "--out", german / "t.csv",
                   "--out", german / "t.xlsx", "--out", german / "t.pdf")
        self.assertEqual(table(german / "t.csv", ";")[0][3:7], ["Treffer", "mit Familie", "Dateien", "nur hier"])
        self.assertTrue((german / "t-monate.csv").exists())
        self.assertEqual(list(sheets(german / "t.xlsx")), ["Übersicht", "Begriffe", "Monate", "Personen"])
        text = subprocess.run(["pdftotext", german / "t.pdf", "-"], capture_output=True, text=True, check=True).stdout
        self.assertIn("Trefferbericht", text)

    def test_entries_come_first_and_say_who_asked_for_what(self):
        matter = self.matter()
        report = self.report(matter, "--name", "Liste 1")
        rows = self.a.json("matter", "protocol", matter)["entries"]
        made = [r for r in rows if r["action"] == "hits_reported"]
        self.assertEqual([(r["entry"], r["name"], r["total"]) for r in made], [(report["entry"], "Liste 1", 8)])
        self.assertEqual(made[0]["query"].splitlines()[0], "Entwürfe\tEntwurf ODER Fassung")
        self.assertEqual(made[0]["coverage"], report["coverage"])
        whole = [r for r in rows if r["entry"] == report["access_entry"]]
        self.assertEqual([(r["action"], r["total"], r["opened"]) for r in whole], [("search", 8, 0)])
        self.assertIn(SECRET, whole[0]["query"])
        self.assertEqual(sum(r["opened"] for r in rows if r["action"] == "search"), 4)  # to decide =Vertrag
        listed = [r for r in self.a.json("audit", "list", "--limit", 1000)["entries"] if r["entry"] == report["entry"]]
        self.assertEqual(listed[0]["action"], "hits_reported")
        self.assertNotIn(SECRET, json.dumps(listed))
        lines = self.a.run("matter", "protocol", matter).stdout.splitlines()
        self.assertEqual(len(lines), len(rows) + 1)  # and the reading before; a list of terms is one row
        self.assertTrue(any("hits_reported" in line and SECRET in line and "Liste 1" in line for line in lines))
        for code, checked in (self.a.verify(), python_verifier(self.a.path)):
            self.assertEqual(code, 0, checked)
        for file in self.a.path.rglob("*"):
            if file.is_file():
                self.assertNotIn(SECRET.encode(), file.read_bytes(), file)

        before = self.a.json("status")["entries"]
        self.list.write_text("gut\nschlecht (offen\n", encoding="utf-8")
        for arguments in (("--out", self.a.folder / "x.doc"), ("--out", self.a.folder / "nirgends" / "x.csv"), ("--name", "x" * 201)):
            self.a.run("hits", "report", "--matter", matter, "--terms", self.list, *arguments, code=2)
        done = self.a.run("hits", "report", "--matter", matter, "--terms", self.list, "--out", self.a.folder / "x.csv", code=5)
        self.assertIn("line 2: query, character 10", done.stderr)
        self.assertNotIn("offen", done.stderr)
        self.a.run("hits", "report", "--terms", self.list, code=2)
        self.assertEqual(self.a.json("status")["entries"], before)
        self.assertFalse((self.a.folder / "x.csv").exists())

    def test_no_term_leads_out_of_the_scope_and_what_is_erased_is_in_no_figure(self):
        self.list.write_text("Vertrag\nVertrag ODER *\nsource:kanzlei\nNICHT nirgends\n", encoding="utf-8")
        bounded = self.matter("--scope", "source:bauamt -von:anna")
        report = self.report(bounded)
        self.assertEqual((report["records"], report["scope"]), (5, "source:bauamt -von:anna"))
        self.assertEqual([t["hits"] for t in report["terms"]], [3, 5, 0, 5])
        self.assertEqual(report["persons"], ["bert@example.org", "carla@example.org", "dora@example.org"])
        self.assertNotIn("emil", json.dumps(report["terms"]))
        # An edit's message out of the scope is no family of it.
        edits = self.matter("--scope", "art:edit")
        self.list.write_text("Fassung\n", encoding="utf-8")
        self.assertEqual([self.report(edits)["terms"][0][k] for k in ("hits", "family")], [1, 2])

        whole = self.matter()
        self.list.write_text(f"{SECRET}\nVertrag\n", encoding="utf-8")
        before = self.report(whole)
        record = self.found(whole, SECRET)[0].pop()
        self.a.run("erase", "--record", record, "--ground", "Art. 17 DSGVO", "--approver", "Eins", "--approver", "Zwei")
        after = self.report(whole)
        self.assertEqual([t["hits"] for t in before["terms"]], [1, 4])
        self.assertEqual([t["hits"] for t in after["terms"]], [0, 3])
        self.assertEqual((after["records"], after["coverage"]["erased"]), (before["records"] - 1, 1))
        restricted = self.found(whole, "Kanzlei")[0].pop()
        self.a.run("restrict", "--record", restricted, "--no-purpose", "--reason", "Art. 18")
        self.assertEqual([(t["hits"], t["restricted"]) for t in self.report(whole)["terms"]], [(0, 0), (3, 1)])

    def test_nothing_of_it_reaches_a_temporary_file(self):
        if subprocess.run(["strace", "-o", "/dev/null", "true"], check=False, capture_output=True).returncode != 0:
            self.skipTest("nobody may trace processes on this machine")
        matter = self.matter()
        log = self.a.folder / "strace"
        environment = {"KUSTOS_ARCHIVE": str(self.a.path), "KUSTOS_STATE": str(self.a.state), "PATH": "/usr/bin:/bin",
                       "ASAN_OPTIONS": "detect_leaks=0"}  # a leak check can't run beside strace
        subprocess.run(["strace", "-f", "-e", "trace=open,openat,creat,memfd_create", "-o", log, BIN / "kustos", "hits", "report",
                        "--matter", matter, "--terms", self.list, "--out", self.a.folder / "x.xlsx"], env=environment, check=True,
                       capture_output=True)
        written = re.findall(r'open(?:at)?\([^"]*"([^"]+)", [^)]*(?:O_WRONLY|O_RDWR)', log.read_text())
        allowed = (str(self.a.path), str(self.a.state), str(self.a.folder / "x.xlsx"), "/proc/self/fd/", "/dev/")
        self.assertEqual([f for f in written if not f.startswith(allowed)], [])
        self.assertTrue(any(f.startswith("/proc/self/fd/") for f in written))

    def test_a_running_server_makes_the_same_report(self):
        matter = self.matter()
        alone = self.report(matter)
        self.a.serve()
        served = self.report(matter, "--out", self.a.folder / "served.xlsx")
        for key in ("records", "result_set", "persons"):
            self.assertEqual(alone[key], served[key])
        self.assertEqual([t["family"] for t in alone["terms"]], [t["family"] for t in served["terms"]])
        self.assertTrue(zipfile.is_zipfile(self.a.folder / "served.xlsx"))
        self.a.stop()


class WithAnOpenerApart(unittest.TestCase):
    def test_it_is_refused_and_nothing_is_run(self):
        with Apart() as a, OpenerProcess(a) as opener:
            opener.unlock()
            matter = a.matter()
            (a.folder / "l").write_text("Vertrag\n")
            before = a.json("status")["entries"]
            done = a.run("hits", "report", "--matter", matter, "--terms", a.folder / "l", code=2)
            self.assertIn("opener apart", done.stderr)
            self.assertEqual(a.json("status")["entries"], before)


if __name__ == "__main__":
    unittest.main()
