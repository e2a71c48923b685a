"""What a matter may find, and what it keeps: scope, frozen result sets, saved searches, lists of sums, protocol."""
import base64
import hashlib
import json
import unittest

from kustos import Archive, event
from opener_test import Apart, OpenerProcess

SECRET_SCOPE = "quelle:kanzlei"  # and other words that must not lie in the clear


def message(number, body="Vertrag", **more):
    return event(number, body, **more)


class MatterScope(unittest.TestCase):
    def take(self, a, source, lines):
        a.call("source", "add", source, "--kind", "import")
        file = a.folder / f"{source}.jsonl"
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        a.run("ingest", "--source", source, "--format", "stream", file)

    def two_sources(self, a):
        self.take(a, "bauamt", [message(n, f"Vertrag Bauamt {n}") for n in range(4)])
        self.take(a, "kanzlei", [message(n, f"Vertrag Kanzlei {n}") for n in range(10, 13)])

    def matter(self, a, *more, reference="30-Z 1"):
        return a.json("matter", "new", "--reference", reference, "--ground", "Art. 15 DSGVO", *more)["id"]

    def records(self, a, matter, query, *more):
        answer = a.json("search", "--matter", matter, "--limit", 100, *more, query)
        self.assertEqual(answer["total"], len(answer["hits"]))
        return sorted(h["record"] for h in answer["hits"])

    def check_scope(self, a):
        self.two_sources(a)
        whole = self.matter(a)
        inside = self.records(a, whole, "source:kanzlei")
        outside = self.records(a, whole, "source:bauamt")
        self.assertEqual((len(inside), len(outside)), (3, 4))
        bounded = self.matter(a, "--scope", SECRET_SCOPE)
        for query in ("Vertrag", "*", "Vertrag OR *", "NOT nirgends", "source:bauamt OR source:kanzlei", "NOT source:bauamt",
                      "(Vertrag) OR (*)"):
            self.assertEqual(self.records(a, bounded, query), inside, query)
        self.assertEqual(self.records(a, bounded, "source:bauamt"), [])
        for trick in ("x) OR (*", '"Vertrag', "*) OR (*"):
            done = a.run("search", "--matter", bounded, trick, code=2)
            self.assertNotIn("OR", done.stderr)
        before = a.json("status")["entries"]
        for arguments in ((outside[0],), (outside[0], "--original")):
            done = a.run("show", "--matter", bounded, *arguments, code=3)
            self.assertNotIn("kanzlei", done.stderr)
        numbers = a.folder / "numbers"
        numbers.write_text(f"{inside[0]}\n{outside[0]}\n")
        out = a.folder / "out"
        a.run("export", "--matter", bounded, "--records", numbers, "--as", "eml", "--out", out, code=3)
        self.assertFalse(out.exists())
        self.assertEqual(a.json("status")["entries"], before)  # refused before anything was opened
        a.run("show", "--matter", bounded, inside[0])
        numbers.write_text(f"{inside[0]}\n")
        self.assertEqual(a.json("export", "--matter", bounded, "--records", numbers, "--as", "eml", "--out", out)["records"], 1)
        found = a.json("export", "--matter", bounded, "--query", "Vertrag", "--as", "eml", "--out", a.folder / "found")
        self.assertEqual(found["records"], 3)

        listed = {m["id"]: m for m in a.json("matter", "list")}
        self.assertEqual((listed[bounded]["scope"], listed[whole]["scope"]), (SECRET_SCOPE, ""))
        self.assertIn(SECRET_SCOPE, a.run("matter", "list").stdout)
        a.run("matter", "scope", bounded, "--query", "source:bauamt", code=2)  # why?
        a.run("matter", "scope", bounded, "--query", "person:Anna", "--reason", "x", code=2)
        a.run("matter", "scope", bounded, "--query", "(offen", "--reason", "x", code=2)
        a.run("matter", "scope", bounded, "--query", "source:bauamt", "--reason", "falsche Quelle")
        self.assertEqual(self.records(a, bounded, "Vertrag"), outside)
        a.run("show", "--matter", bounded, inside[0], code=3)
        history = a.json("matter", "scope", bounded)
        self.assertEqual([h["scope"] for h in history["history"]], [SECRET_SCOPE, "source:bauamt"])
        self.assertEqual(history["history"][1]["reason"], "falsche Quelle")
        a.run("matter", "scope", bounded, "--query", "*", "--reason", "alles")
        self.assertEqual(len(self.records(a, bounded, "Vertrag")), 7)
        return bounded, inside, outside

    def test_nothing_outside_the_scope_is_found_shown_or_exported(self):
        with Archive() as a:
            self.check_scope(a)
            code, report = a.verify()
            self.assertEqual(code, 0, report)
            for file in a.path.rglob("*"):
                if file.is_file():
                    self.assertNotIn(SECRET_SCOPE.encode(), file.read_bytes(), file)

    def test_an_opener_apart_bounds_searches_and_openings_by_itself(self):
        with Apart() as a, OpenerProcess(a) as opener:
            opener.unlock()
            bounded, inside, outside = self.check_scope(a)
            a.run("matter", "scope", bounded, "--query", "source:kanzlei", "--reason", "zurück")
            frozen = a.json("search", "--matter", bounded, "--limit", 1, "--freeze", "--name", "drei", "Vertrag")
            self.assertEqual((frozen["total"], len(frozen["hits"]), frozen["frozen"]["count"]), (3, 1, 3))
            shown = a.json("result", "show", frozen["frozen"]["id"])
            self.assertEqual(shown["there"]["records"], inside)
            self.assertEqual(self.records(a, bounded, "12", "--within", frozen["frozen"]["id"]), inside[-1:])
            rows = a.json("matter", "protocol", bounded)["entries"]
            searches = [r for r in rows if r["action"] == "search"]
            self.assertEqual(searches[0]["scope"], SECRET_SCOPE)
            self.assertEqual(searches[-1]["within"], frozen["frozen"]["id"])
            self.assertTrue(all("coverage" in r and r["actor"] for r in searches))
            self.assertEqual(a.verify()[0], 0)
            a.run("opener", "lock", "--socket", opener.socket)
            a.run("search", "--matter", bounded, "Vertrag", code=4)
            a.run("matter", "protocol", bounded, code=4)

    def check_persons(self, a):
        a.run("source", "add", "personal", "--kind", "directory")
        book = a.folder / "book"
        book.write_text("Personalnummer;Name;E-Mail\n4711;Anna Schmidt;anna@example.org\n", encoding="utf-8")
        a.run("person", "import", book, "--source", "personal")
        anna = {"id": "a", "address": "anna@example.org"}
        self.take(a, "bauamt", [message(1, sender=anna), message(2)])
        self.take(a, "kanzlei", [message(3, sender=anna)])
        matter = self.matter(a, "--scope", "source:bauamt")
        self.assertEqual(len(self.records(a, matter, 'person:"Anna Schmidt"')), 1)
        self.assertEqual(self.records(a, matter, "kind:person"), [])
        whole = self.matter(a)
        card = self.records(a, whole, "kind:person")[0]
        a.run("show", "--matter", matter, card, code=3)
        self.assertEqual(a.json("person", "show", "4711", "--matter", matter)["persons"][0]["person"], f"P{card}")
        shown = a.json("show", "--matter", matter, self.records(a, matter, "from:person:4711")[0])
        self.assertEqual(shown["persons"][0]["name"], "Anna Schmidt")

    def test_a_scope_knows_who_is_meant_and_shows_no_cards(self):
        with Archive() as a:
            self.check_persons(a)
        with Apart() as a, OpenerProcess(a) as opener:
            opener.unlock()
            self.check_persons(a)

    def test_frozen_result_sets_stay_what_they_were(self):
        with Archive() as a:
            self.two_sources(a)
            matter = self.matter(a, "--scope", "Vertrag")
            first = a.json("search", "--matter", matter, "--freeze", "--name", "März", "--limit", 2, "source:bauamt")
            frozen = first["frozen"]
            name = frozen["id"]
            self.assertEqual(name, f"R{frozen['entry']}")
            self.assertEqual((frozen["count"], frozen["name"], frozen["scope"], len(first["hits"])), (4, "März", "Vertrag", 2))
            listed = a.json("result", "list", "--matter", matter)
            self.assertEqual([(r["id"], r["erased"]) for r in listed], [(name, 0)])
            records = a.json("result", "show", name)["there"]["records"]
            numbers = b"".join(r.to_bytes(8, "big") for r in records)
            self.assertEqual(hashlib.sha256(numbers).hexdigest(), frozen["result_set"])

            self.take(a, "bauamt", [message(n, f"Vertrag Bauamt {n}") for n in range(20, 22)])
            a.run("erase", "--record", records[1], "--ground", "Art. 17", "--approver", "A", "--approver", "B")
            second = a.json("search", "--matter", matter, "--freeze", "source:bauamt")["frozen"]["id"]
            compared = a.json("result", "compare", name, second)
            self.assertEqual((compared["added"]["count"], compared["removed"]["count"], compared["both"]), (2, 0, 3))
            self.assertEqual(compared["erased"]["records"], [records[1]])
            shown = a.json("result", "show", name)
            self.assertEqual((shown["count"], shown["erased"]["records"]), (4, [records[1]]))
            self.assertEqual(self.records(a, matter, "*", "--within", name), [records[0], *records[2:]])
            self.assertEqual(self.records(a, matter, "source:kanzlei", "--within", name), [])
            out = a.folder / "bundle.pdf"
            exported = a.json("export", "--result", name, "--out", out)
            self.assertEqual((exported["records"], exported["erased"]), (3, [records[1]]))
            self.assertEqual(a.verify(out)[0], 0)
            other = self.matter(a, reference="30-Z 2")
            a.run("export", "--matter", other, "--result", name, "--out", out, code=3)
            a.run("search", "--matter", other, "--within", name, "Vertrag", code=3)
            a.run("result", "show", "R1", code=2)
            self.assertIn("gelöscht", a.call("result", "show", name, language="de").stdout)
            # as words a tester types, through a server, too
            a.serve()
            self.assertEqual(a.json("result", "compare", name, second), compared)
            self.assertEqual(self.records(a, matter, "*", "--within", name), [records[0], *records[2:]])

    def test_saved_searches_and_the_protocol(self):
        with Archive() as a:
            self.two_sources(a)
            matter = self.matter(a)
            a.run("search", "save", "--matter", matter, "--name", "kanzlei", "source:kanzlei")
            a.run("search", "save", "--matter", matter, "--name", "schlecht", "(offen", code=2)
            self.assertEqual([s["query"] for s in a.json("search", "saved", "--matter", matter)], ["source:kanzlei"])
            self.assertEqual(a.json("search", "run", "--matter", matter, "--name", "kanzlei")["total"], 3)
            self.assertEqual(self.records(a, matter, "saved"), [])  # behind the options it is a word
            a.run("search", "forget", "--matter", matter, "--name", "kanzlei")
            self.assertEqual(a.json("search", "saved", "--matter", matter), [])
            a.run("search", "run", "--matter", matter, "--name", "kanzlei", code=2)
            before = a.access_entries()
            rows = a.json("matter", "protocol", matter, "--ground", "Nachschau")["entries"]
            self.assertEqual(a.access_entries(), before + 1)
            self.assertEqual([r["action"] for r in rows], ["matter_opened", "search_saved", "search", "search", "search_forgotten"])
            run = rows[2]
            self.assertEqual((run["query"], run["total"], run["opened"]), ("source:kanzlei", 3, 3))
            self.assertEqual(run["coverage"]["sealed"], 7)
            self.assertTrue(run["actor"])
            again = a.json("matter", "protocol", matter)["entries"]
            self.assertEqual(again[-1]["action"], "audit_read")
            self.assertIn("Nachschau", json.dumps(again[-1], ensure_ascii=False))
            german = a.call("matter", "protocol", matter, language="de").stdout
            self.assertIn("Treffer, 3 geöffnet", german)
            a.run("matter", "protocol", "M1", code=3)

    def test_lists_of_sums(self):
        with Archive() as a:
            plan, other = b"ein Plan", b"etwas anderes"
            attached = [{"name": "plan.txt", "type": "text/plain", "size": len(plan),
                         "content_base64": base64.b64encode(plan).decode()}]
            self.take(a, "bauamt", [message(1, attachments=attached), message(2)])
            matter = self.matter(a)
            good = a.folder / "sums"
            good.write_text(f"# Pläne\n\n{hashlib.sha256(plan).hexdigest().upper()}  plan.txt\n{hashlib.sha256(other).hexdigest()} *x\n")
            added = a.json("hashes", "add", "--matter", matter, "--name", "pläne", good)
            self.assertEqual(added["sums"], 2)
            self.assertEqual([(h["name"], h["sums"]) for h in a.json("hashes", "list", "--matter", matter)], [("pläne", 2)])
            for line, kind in ((hashlib.md5(plan).hexdigest(), "MD5"), (hashlib.sha1(plan).hexdigest(), "SHA-1"), ("nichts", "SHA-256")):
                bad = a.folder / "bad"
                bad.write_text(f"{hashlib.sha256(plan).hexdigest()}\n{line}  plan.txt\n")
                done = a.run("hashes", "add", "--matter", matter, "--name", "schlecht", bad, code=5)
                self.assertIn("line 2", done.stderr)
                self.assertIn(kind, done.stderr)
                self.assertNotIn(line, done.stderr)
            self.assertEqual(len(self.records(a, matter, "hash:@pläne")), 1)
            self.assertEqual(len(self.records(a, matter, "Vertrag NOT hash:@pläne")), 1)
            a.run("search", "--matter", matter, "hash:@nirgends", code=2)
            a.run("matter", "scope", matter, "--query", "hash:@pläne", "--reason", "x", code=2)
            a.run("hashes", "remove", "--matter", matter, "--name", "pläne")
            self.assertEqual(a.json("hashes", "list", "--matter", matter), [])
            a.run("matter", "close", matter)
            a.run("hashes", "add", "--matter", matter, "--name", "pläne", good, code=3)
            a.run("search", "save", "--matter", matter, "--name", "x", "x", code=3)


if __name__ == "__main__":
    unittest.main()
