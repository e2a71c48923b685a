"""The query language through the real program: what the index answers, what the archive knows, what has to be opened."""
import datetime
import json
import subprocess
import unittest

from kustos import Archive, member

MAIL = """From: {sender}
To: {to}
{headers}Subject: {subject}
Date: Mon, 02 Mar 2026 10:00:0{n} +0000
Message-ID: <m{n}@example.org>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8

{body}
"""
MAILS = [
    ("anna@example.org", "bert@example.org", "Cc: carla@example.org\n", "Angebot", "Der Rahmenvertrag liegt beim Amt."),
    ("bert@example.org", "anna@example.org", "References: <m0@example.org>\n", "AW: Angebot", "Das MASS ist voll, Anna."),
    ("carla@example.org", "bert@example.org", "", "Maß", "Hier geht es um das Maß der Dinge."),
    ("carla@example.org", "anna@example.org", "", "Anlage", "-----BEGIN PGP MESSAGE-----\nVersion: GnuPG\n\nabc\n-----END PGP MESSAGE-----"),
]


class Query(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.a = Archive("--tsa", "builtin")
        cls.addClassCleanup(cls.a.__exit__)
        cls.a.run("source", "add", "mail", "--kind", "import")
        folder = cls.a.folder / "mails"
        folder.mkdir()
        for n, (sender, to, headers, subject, body) in enumerate(MAILS):
            text = MAIL.format(n=n, sender=sender, to=to, headers=headers, subject=subject, body=body)
            (folder / f"{n}.eml").write_text(text, encoding="utf-8")
        cls.a.run("ingest", "--source", "mail", *sorted(folder.iterdir()))
        cls.matter = cls.a.matter()

    def search(self, query, *more):
        return self.a.json("search", "--matter", self.matter, *more, query)

    def subjects(self, query):
        return sorted(hit["subject"] for hit in self.search(query)["hits"])

    def test_fields_distances_and_wildcards_say_where_words_stand(self):
        for query, wanted in (("cc:carla", ["Angebot"]), ("beteiligt:carla", ["Angebot", "Anlage", "Maß"]),
                              ("Vertrag NAHE/4 Amt", ["Angebot"]), ("Vertrag NAHE/2 Amt", []), ("Amt FOLGT/9 Vertrag", []),
                              ("*vertr*", ["Angebot"]), ("Rahmenvertrog~", ["Angebot"]), ("text:Angebot", []),
                              ("betreff:Angebot", ["AW: Angebot", "Angebot"]), ("größe:>1M", []),
                              ("sprache:de -von:bert art:mail -betreff:Anlage", ["Angebot", "Maß"])):
            self.assertEqual(self.subjects(query), wanted, query)

    def test_when_something_was_sealed_its_class_and_its_thread_are_known_to_the_archive(self):
        today = datetime.datetime.now(datetime.timezone.utc).date()
        self.assertEqual(self.search(f"sealed:>={today - datetime.timedelta(days=1)}")["total"], 4)
        self.assertEqual(self.search(f"versiegelt:<{today - datetime.timedelta(days=1)}")["total"], 0)
        self.assertIn("class", self.a.call("search", "--matter", self.matter, "class:gibtesnicht").stderr)
        first = self.search("betreff:=Angebot")["hits"][0]["record"]
        self.assertEqual(self.subjects(f"thread:{first}"), ["AW: Angebot", "Angebot"])
        self.assertEqual(self.subjects('verlauf:"<m0@example.org>"'), ["AW: Angebot", "Angebot"])

    def test_exact_words_are_decided_by_opening_and_each_opening_is_an_entry(self):
        before = self.opened()
        self.assertEqual(self.subjects("=MASS"), ["AW: Angebot"])
        self.assertEqual(self.subjects("=Maß"), ["Maß"])
        self.assertEqual(self.subjects("Maß"), ["AW: Angebot", "Maß"])
        # 2 opened to decide and 1 shown, twice; 2 shown
        self.assertEqual(self.opened() - before, 8)

    def opened(self):
        return sum(row["opened"] for row in self.a.json("matter", "protocol", self.matter)["entries"] if row["action"] == "search")

    def test_no_hits_come_with_what_could_not_be_searched(self):
        answer = self.search("Schwarzgeld")
        self.assertEqual((answer["total"], answer["unsearched"]["total"]), (0, 1))
        self.assertEqual(answer["unsearched"]["reasons"], {"encrypted": 1})
        self.assertEqual(self.search("Schwarzgeld von:anna")["unsearched"]["total"], 0)
        self.assertEqual(self.search("betreff:Schwarzgeld")["unsearched"]["total"], 0)
        text = self.a.run("search", "--matter", self.matter, "Schwarzgeld").stdout
        self.assertIn("1 item that may match could not be searched wholly: 1 encrypted.", text)

    def test_an_export_says_what_its_own_query_could_not_search(self):
        bundle = self.a.folder / "b.pdf"
        for query, left in (("Maß", 1), ("betreff:Angebot", 0), ("=Maß von:carla", 1)):
            made = self.a.json("export", "--matter", self.matter, "--query", query, "--out", bundle)
            self.assertEqual(made["unsearched"]["total"], left, query)
            manifest = member(bundle, "manifest.json")
            self.assertEqual(manifest["unsearched"]["opaque"] + manifest["unsearched"]["partial"], left, query)
            self.assertEqual(self.a.verify(bundle)[0], 0)
            text = subprocess.run(["pdftotext", bundle, "-"], check=True, capture_output=True, text=True).stdout
            said = " ".join(text.split())
            self.assertIn("For this query: " + ("1 item that may match could not be searched wholly: 1 encrypted." if left
                                                else "Everything that may match was searched."), said)
            self.assertEqual(left, said.count("although the query may match: 1 record"))
        self.assertEqual(made["records"], 1)
        self.assertIn("1 encrypted", self.a.run("export", "--matter", self.matter, "--query", "Maß", "--as", "mbox", "--out",
                                                self.a.folder / "m.mbox").stdout)
        # What was found later does not change what a frozen set said of its own search.
        frozen = self.a.json("search", "--matter", self.matter, "--freeze", "Maß")["frozen"]
        self.assertEqual(frozen["unsearched"]["reasons"], {"encrypted": 1})
        self.assertEqual(self.a.json("result", "show", frozen["id"])["unsearched"], frozen["unsearched"])
        self.assertIn("1 encrypted", self.a.run("result", "show", frozen["id"]).stdout)
        self.a.run("export", "--result", frozen["id"], "--out", bundle)
        self.assertEqual(member(bundle, "manifest.json")["unsearched"]["reasons"], {"encrypted": 1})
        # Records that were named are no answer to a query.
        records = self.a.folder / "records"
        records.write_text(str(self.search("betreff:Anlage")["hits"][0]["record"]) + "\n")
        made = self.a.json("export", "--matter", self.matter, "--records", records, "--out", bundle)
        self.assertNotIn("unsearched", made)
        self.assertNotIn("unsearched", member(bundle, "manifest.json"))
        rows = self.a.json("matter", "protocol", self.matter)["entries"]
        self.assertEqual([r.get("unsearched", {}).get("total") for r in rows if r["action"] == "export"], [1, 0, 1, 1, None, None])

    def test_hits_are_counted_by_sender_month_and_pair(self):
        answer = self.search("art:mail", "--facets", "--limit", "1")
        senders = {value["value"]: value["count"] for value in answer["facets"]["sender"]["values"]}
        self.assertEqual(senders, {"anna@example.org": 1, "bert@example.org": 1, "carla@example.org": 2})
        self.assertEqual(answer["facets"]["month"]["values"], [{"value": "2026-03", "count": 4}])
        self.assertIn({"sender": "anna@example.org", "recipient": "carla@example.org", "count": 1}, answer["pairs"])

    def test_a_part_of_the_index_that_is_lost_or_damaged_is_found_and_made_again(self):
        self.assertTrue(self.a.json("index", "check")["whole"])
        shards = sorted((self.a.path / "index").glob("*.glass"))
        self.assertTrue(shards)
        shards[0].write_bytes(shards[0].read_bytes()[:-4096])
        report = json.loads(self.a.run("--json", "index", "check", code=1).stdout)
        self.assertEqual((report["damaged"], report["missing"], report["whole"]), (1, 4, False))
        report = self.a.json("index", "check", "--repair")
        self.assertEqual((report["repaired"], report["missing"], report["whole"]), (True, 0, True))
        self.assertTrue(self.a.json("index", "check")["whole"])
        self.assertEqual(self.search("*")["total"], 4)
        self.assertIn("looked_at", self.a.json("index", "merge"))
        self.assertEqual(self.a.json("index", "rebuild"), {"records": 4})
        self.assertTrue(self.a.json("index", "check")["whole"])
        self.assertEqual(self.search("*")["total"], 4)

    def test_a_slip_is_answered_with_its_place_and_what_was_probably_meant(self):
        done = self.a.run("search", "--matter", self.matter, "Vertrag betref:x", code=2)
        self.assertIn("character 9", done.stderr)
        self.assertIn("betreff:", done.stderr)
        self.assertNotIn("Vertrag", done.stderr)


if __name__ == "__main__":
    unittest.main()
