"""Retention, holds, restriction and disposition from outside, as a registry clerk and two approvers use them."""
import csv
import json
import unittest

from kustos import Archive, event


def person(name):
    return {"id": name, "name": name.title(), "address": f"{name}@example.org"}


class Retention(unittest.TestCase):
    def archive(self):
        a = Archive()
        self.addCleanup(a.__exit__)
        a.run("source", "add", "files", "--kind", "import")
        self.number = 0
        return a

    def take(self, a, *lines, source="files"):
        """Seals events; their entry numbers, in order."""
        before = {r["record"] for r in a.json("retention", "plan", "--outcome", "kept", "--limit", "1000")["rows"]}
        before |= {r["record"] for r in a.json("retention", "plan", "--outcome", "undefined_class", "--limit", "1000")["rows"]}
        before |= {r["record"] for r in a.json("retention", "plan", "--outcome", "held", "--limit", "1000")["rows"]}
        stream = a.folder / f"s{self.number}.ndjson"
        self.number += 1
        stream.write_text("\n".join(lines) + "\n")
        a.run("ingest", "--source", source, "--format", "stream", stream)
        after = set()
        for outcome in ("kept", "undefined_class", "held", "due", "to_offer", "waiting_for_event"):
            after |= {r["record"] for r in a.json("retention", "plan", "--outcome", outcome, "--limit", "1000")["rows"]}
        return sorted(after - before)

    def short(self, a, name="kurz", **more):
        options = {"period": "1y", "basis": "§ 1 KurzG", "office": "Referat 30", "approver": "Anna", **more}
        return a.json("retention", "class", "--name", name, *[x for k, v in options.items() for x in ("--" + k.replace("_", "-"), v)])

    def plan(self, a, record):
        return a.json("retention", "plan", "--record", record)["rows"][0]

    def make_due(self, a, records, day="2019-05-05"):
        a.run("retention", "event", "--event", "created", "--date", day, "--reason", "Altbestand", *[x for r in records for x in ("--record", r)])

    def test_classes_are_versions_with_a_basis_and_somebody_who_approved(self):
        a = self.archive()
        made = self.short(a)
        self.assertEqual((made["code"], made["version"], made["period_months"]), (101, 1, 12))
        self.assertEqual(self.short(a, period="18m")["version"], 2)
        self.assertEqual(a.json("retention", "class", "--code", "101", "--at-end", "offer", "--approver", "Bert")["period_months"], 18)
        listed = {c["code"]: c for c in a.json("retention", "class")["classes"]}
        self.assertEqual(listed[101]["version"], 3)
        self.assertEqual(listed[100]["name"], "default")
        for wrong in (["--name", "x", "--period", "10y"], ["--name", "x", "--basis", "b", "--office", "o", "--approver", "A"],
                      ["--name", "x", "--period", "10", "--basis", "b", "--office", "o", "--approver", "A"],
                      ["--code", "4", "--period", "1y", "--approver", "A"],
                      ["--name", "x", "--period", "1y", "--start", "birth", "--basis", "b", "--office", "o", "--approver", "A"]):
            a.run("retention", "class", *wrong, code=2)
        shown = a.json("audit", "show", made["entry"], "--ground", "Prüfung")["fields"]
        self.assertEqual(shown["approver"], "Anna")
        rows = a.json("audit", "list", "--action", "class_defined")["entries"][0]["rows"]
        self.assertEqual((rows["legal_basis"], rows["period_months"], rows["start"]), ("§ 1 KurzG", "12", "created"))

    def test_the_first_rule_that_fits_decides_and_names_of_people_stand_nowhere(self):
        a = self.archive()
        self.short(a)
        self.short(a, "lang", period="30y")
        a.run("retention", "assign", "--class", "kurz", "--kind", "chat")
        a.run("retention", "assign", "--class", "lang", "--participant", "Geheimperson@example.org", "--place", "1")
        a.run("retention", "assign", "--class", "lang", "--participant", "x", "--conversation", "y", code=2)
        a.run("retention", "assign", "--class", "nothing", code=2)
        rules = a.json("retention", "assign")["rules"]
        self.assertEqual([(r["class"], r["kind"], r["sealed"]) for r in rules], [(102, "", "participant"), (101, "chat", "")])
        one, two, three = self.take(a, event(1), event(2, sender=person("geheimperson")), event(3, kind="mail"))
        self.assertEqual([self.plan(a, r)["class"] for r in (one, two, three)], [101, 102, 100])
        a.run("retention", "assign", "--remove", "1")
        (four,) = self.take(a, event(4, sender=person("geheimperson")))
        self.assertEqual((self.plan(a, two)["class"], self.plan(a, four)["class"]), (102, 101))  # for new records only
        for file in a.path.rglob("*"):
            if file.is_file():
                self.assertNotIn(b"geheimperson", file.read_bytes().lower(), file)

    def test_marking_needs_one_of_the_four_questions_and_changes_the_class(self):
        a = self.archive()
        self.short(a, "akte", period="30y")
        (record,) = self.take(a, event(1))
        mark = ["retention", "mark", "--record", record, "--class", "akte", "--file-reference", "30-Z 7/26", "--plan", "1.2.3"]
        a.run(*mark, code=2)
        a.run(*mark, "--question", "5", code=2)
        marked = a.json(*mark, "--question", "4", "--question", "1")
        plan = self.plan(a, record)
        self.assertEqual(plan["class"], 101)
        self.assertTrue(any("record-relevant" in r for r in plan["reasons"]))
        fields = a.json("audit", "show", marked["entry"], "--ground", "Prüfung")["fields"]
        self.assertEqual((fields["file_reference"], fields["file_plan"], fields["question_4"]), ("30-Z 7/26", "1.2.3", "yes"))
        german = a.call("retention", "plan", "--record", record, language="de").stdout
        self.assertIn("aktenrelevant", german)
        self.assertIn("aufzubewahren bis einschließlich", german)
        a.run("retention", "mark", "--record", "1", "--class", "akte", "--file-reference", "x", "--question", "1", code=2)

    def test_standing_holds_take_what_comes_later_and_frozen_ones_do_not(self):
        a = self.archive()
        matter = a.matter()
        one, two = self.take(a, event(1, sender=person("anna")), event(2, sender=person("bert")))
        standing = a.json("hold", "add", "--matter", matter, "--person", "anna@example.org", "--reason", "Klage 4 O 1/26")
        frozen = a.json("hold", "add", "--matter", matter, "--person", "bert@example.org", "--frozen", "--reason", "Klage")
        self.assertEqual((standing["standing"], standing["records"], standing["not_searched"]), (True, 1, 0))
        self.assertEqual((frozen["standing"], frozen["records"]), (False, 1))
        three, four = self.take(a, event(3, sender=person("anna")), event(4, sender=person("bert")))
        self.assertEqual([self.plan(a, r)["outcome"] for r in (one, two, three, four)], ["held", "held", "held", "kept"])
        held = a.json("hold", "check", *[x for r in (one, two, three, four) for x in ("--record", r)])
        self.assertEqual(held["held"], 3)
        a.run("hold", "change", frozen["hold"], "--record", four, "--reason", "falsche Liste")
        self.assertEqual([self.plan(a, r)["outcome"] for r in (two, four)], ["kept", "held"])
        a.run("hold", "release", standing["hold"], "--reason", "erledigt")
        a.run("hold", "release", standing["hold"], "--reason", "erledigt", code=2)
        self.assertEqual(self.plan(a, three)["outcome"], "kept")
        listed = {h["hold"]: h for h in a.json("hold", "list")["holds"]}
        self.assertIsNotNone(listed[standing["hold"]]["released"])
        self.assertEqual(listed[standing["hold"]]["matter"], matter)
        public = json.dumps(a.json("audit", "list", "--limit", "1000"), ensure_ascii=False)
        for word in ("anna@", "Klage", "erledigt"):
            self.assertNotIn(word, public)
        a.run("hold", "add", "--person", "anna", "--reason", "x", code=2)  # for which matter?
        a.run("hold", "add", "--matter", matter, "--query", "a", "--record", one, "--reason", "x", code=2)
        a.run("hold", "add", "--matter", matter, "--query", "a OR (", "--reason", "x", code=2)
        seen = a.json("search", "--matter", matter, "*")
        self.assertEqual(seen["total"], 4)
        everything = a.json("hold", "add", "--matter", matter, "--all-of-matter", "--reason", "Beweis")
        self.assertEqual(everything["records"], 4)

    def test_what_could_not_be_searched_counts_as_held_until_somebody_decides(self):
        a = self.archive()
        matter = a.matter()
        picture = {"name": "a.png", "type": "image/png", "content_base64": "iVBORw0KGgo="}
        one, two = self.take(a, event(1, "Angebot"), event(2, "Bild", attachments=[picture]))
        hold = a.json("hold", "add", "--matter", matter, "--query", "Angebot", "--reason", "Klage")
        self.assertEqual((hold["records"], hold["not_searched"]), (1, 1))
        self.assertEqual(self.plan(a, two)["outcome"], "held")
        open_ones = a.json("hold", "check", "--hold", hold["hold"])
        self.assertEqual(open_ones["records"], [two])
        a.run("hold", "decide", hold["hold"], "--record", one, "--not-held", "--reason", "x", code=2)
        a.run("hold", "decide", hold["hold"], "--record", two, "--reason", "x", code=2)
        a.run("hold", "decide", hold["hold"], "--record", two, "--not-held", "--reason", "angesehen: ein Logo")
        self.assertEqual(self.plan(a, two)["outcome"], "kept")
        self.assertEqual(self.plan(a, one)["outcome"], "held")
        # A query of people and days is certain for records with such an attachment.
        days = a.json("hold", "add", "--matter", matter, "--from", "2020-01-01", "--to", "2020-12-31", "--reason", "Zeitraum")
        self.assertEqual((days["records"], days["not_searched"]), (0, 0))

    def test_restricted_records_are_counted_and_open_for_the_named_matter_only(self):
        a = self.archive()
        matter, named = a.matter(), a.matter("7 C 1/26", "Art. 18 Abs. 2 DSGVO")
        one, two = self.take(a, event(1, "Fangstelle"), event(2, "Fangstelle"))
        restriction = a.json("restrict", "--record", one, "--matter", named, "--reason", "Richtigkeit bestritten")["restriction"]
        found = a.json("search", "--matter", matter, "Fangstelle")
        self.assertEqual((found["total"], found["restricted"], [h["record"] for h in found["hits"]]), (2, 1, [two]))
        self.assertIn("1 restricted", a.run("search", "--matter", matter, "Fangstelle").stdout)
        self.assertEqual(a.json("search", "--matter", named, "Fangstelle")["restricted"], 0)
        self.assertIn("Art. 18", a.run("show", "--matter", matter, one, code=3).stderr)
        a.run("show", "--matter", named, one)
        a.run("show", "--matter", matter, two)
        exported = a.json("export", "--matter", matter, "--query", "Fangstelle", "--as", "eml", "--out", a.folder / "eml")
        self.assertEqual(exported["restricted"], 1)
        chosen = a.folder / "records"
        chosen.write_text(f"{one}\n")
        a.run("export", "--matter", matter, "--records", chosen, "--out", a.folder / "x.pdf", code=3)
        self.assertEqual(self.plan(a, one)["outcome"], "restricted")
        a.run("restrict", "--lift", restriction, "--reason", "geklärt")
        a.run("show", "--matter", matter, one)
        self.assertIsNotNone(a.json("restrict", "--list")["restrictions"][0]["lifted"])

    def test_two_people_release_what_is_still_due_and_a_hold_wins(self):
        a = self.archive()
        matter = a.matter()
        self.short(a)
        a.run("retention", "assign", "--class", "kurz")
        records = self.take(a, *[event(n, f"Text {n}") for n in range(1, 6)])
        self.assertEqual(len(records), 5)
        self.assertIsNone(a.json("disposition", "list")["list"])
        self.make_due(a, records)
        plan = self.plan(a, records[0])
        self.assertEqual((plan["outcome"], plan["end"]), ("due", "2020-12-31"))
        table = a.folder / "list.csv"
        made = a.json("disposition", "list", "--class", "kurz", "--year", "2020", "--out", table)
        self.assertEqual(made["records"], 5)
        with open(table, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual([int(r["record"]) for r in rows], records)
        self.assertTrue(all("due since 2021-01-01" in r["reasons"] for r in rows))
        self.assertIsNone(a.json("disposition", "list")["list"])  # on a list already
        number = made["list"]
        a.run("disposition", "review", "--list", number, "--record", records[0], "--reason", "wird noch gebraucht")
        hold = a.json("hold", "add", "--matter", matter, "--query", '"Text 2"', "--reason", "Klage")["hold"]
        release = ["disposition", "release", "--list", number]
        for approvers in ([], ["Anna"], ["Anna", "anna"], ["Anna", " Anna "]):
            done = a.run(*release, *[x for name in approvers for x in ("--approver", name)], code=3)
            self.assertEqual(done.stdout, "")
        two = ["--approver", "Anna", "--approver", "Bert"]
        done = a.call("--json", *release, *two)
        self.assertEqual(done.returncode, 1, done.stderr)
        answer = json.loads(done.stdout)
        self.assertEqual((answer["records"], answer["stopped_count"]), (3, 1))
        self.assertEqual(answer["stopped"][0]["record"], records[1])
        self.assertIn(f"hold {hold} stops it", answer["stopped"][0]["reasons"])
        for gone in records[2:]:
            self.assertNotEqual(a.call("show", "--matter", matter, gone).returncode, 0)
        for kept in records[:2]:
            a.run("show", "--matter", matter, kept)
        # Nothing left but what is held: refused. Releasing the hold deletes nothing by itself.
        self.assertEqual(a.call("--json", *release, *two).returncode, 3)
        a.run("hold", "release", hold, "--reason", "erledigt")
        a.run("show", "--matter", matter, records[1])
        self.assertEqual(json.loads(a.run("--json", *release, *two).stdout)["records"], 1)
        a.run("show", "--matter", matter, records[0])
        fields = a.json("audit", "show", answer["entry"], "--ground", "Prüfung")["fields"]
        self.assertEqual((fields["approver"], fields["second_approver"]), ("Anna", "Bert"))
        a.run("verify")
        listed = a.json("disposition", "show")["lists"][0]
        self.assertEqual((listed["records"], listed["taken_out"], listed["released"]), (5, 1, 4))

    def test_the_public_archive_is_asked_where_the_class_says_so(self):
        a = self.archive()
        self.short(a, at_end="offer")
        a.run("retention", "assign", "--class", "kurz")
        records = self.take(a, event(1), event(2))
        self.make_due(a, records)
        self.assertEqual(self.plan(a, records[0])["outcome"], "to_offer")
        number = a.json("disposition", "list")["list"]
        two = ["--approver", "Anna", "--approver", "Bert"]
        self.assertEqual(a.call("disposition", "release", "--list", number, *two).returncode, 3)
        a.run("disposition", "answer", "--list", number, "--answer", "taken", code=2)
        a.run("disposition", "offer", "--list", number)
        self.assertEqual(a.json("disposition", "show", "--list", number)["rows"][0]["outcome"], "offered")
        self.assertEqual(a.call("disposition", "release", "--list", number, *two).returncode, 3)
        a.run("disposition", "answer", "--list", number, "--answer", "perhaps", code=2)
        a.run("disposition", "answer", "--list", number, "--answer", "unanswered", code=2)  # by which law?
        a.run("disposition", "answer", "--list", number, "--answer", "declined")
        self.assertEqual(json.loads(a.run("--json", "disposition", "release", "--list", number, *two).stdout)["records"], 2)

    def test_a_late_event_starts_the_period_and_without_one_nothing_is_due(self):
        a = self.archive()
        matter = a.matter()
        self.short(a, start="process_end")
        (record,) = self.take(a, event(1, conversation={"id": "vorgang-7", "title": "Vorgang 7"}))
        a.run("retention", "reclassify", "--record", record, "--class", "kurz", "--reason", "Vorgang")
        self.assertEqual(self.plan(a, record)["outcome"], "waiting_for_event")
        a.run("retention", "event", "--event", "process_end", "--date", "2999-01-01", "--reason", "x", "--record", record, code=2)
        a.run("retention", "event", "--event", "process_end", "--date", "2020-02-30", "--reason", "x", "--record", record, code=2)
        done = a.json("retention", "event", "--event", "process_end", "--date", "2020-02-29", "--reason", "zdA", "--matter", matter,
                      "--conversation", "vorgang-7")
        self.assertEqual(done["records"], 1)
        self.assertEqual((self.plan(a, record)["outcome"], self.plan(a, record)["end"]), ("due", "2021-12-31"))

    def test_without_keys_the_plan_is_there_and_nothing_is_released(self):
        secret = None
        a = Archive(create=False)
        self.addCleanup(a.__exit__)
        secret = a.folder / "secret"
        secret.write_text("eine lange Passphrase\n")
        a.run("init", a.path, "--unlock", "passphrase", "--passphrase-file", secret)
        key = ["--passphrase-file", secret]
        a.run("source", "add", "files", "--kind", "import")
        stream = a.folder / "s.ndjson"
        stream.write_text(event(1, sender=person("anna")) + "\n")
        a.run(*key, "ingest", "--source", "files", "--format", "stream", stream)
        matter = a.json(*key, "matter", "new", "--reference", "1", "--ground", "g")["id"]
        plan = a.json("retention", "plan", "--outcome", "kept")
        self.assertEqual((plan["records"], plan["standing_holds"]), (1, "evaluated"))
        record = plan["rows"][0]["record"]
        self.make_due_old(a, record)
        number = a.json("disposition", "list")["list"]
        two = ["--approver", "Anna", "--approver", "Bert"]
        a.run("disposition", "release", "--list", number, *two, code=4)
        a.run("hold", "add", "--matter", matter, "--person", "anna", "--reason", "x", code=4)
        a.run(*key, "hold", "add", "--matter", matter, "--person", "anna", "--reason", "x")
        self.assertEqual(a.json("retention", "plan")["standing_holds"], "not evaluated")
        self.assertEqual(a.json(*key, "retention", "plan")["outcomes"]["held"], 1)
        a.run("disposition", "list", code=4)
        self.assertEqual(a.call(*key, "disposition", "release", "--list", number, *two).returncode, 3)

    def make_due_old(self, a, record):
        a.run("retention", "event", "--event", "created", "--date", "2001-05-05", "--reason", "Altbestand", "--record", record)


if __name__ == "__main__":
    unittest.main()
