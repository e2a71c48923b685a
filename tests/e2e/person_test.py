"""Address books from files and from a real directory server, and searches for persons."""
import json
import unittest

import opener_test
import slapd
from kustos import Archive, event

CSV = "Personalnummer;Name;E-Mail;E-Mail 2: Adresse;Matrix-ID\n"
ANNA = "4711;Anna Schmidt;anna.schmidt@example.org;leitung@example.org;@anna:example.org\n"
ANNA_LATER = "4711;Anna Müller;anna.mueller@example.org;;@anna:example.org\n"
BERT = "4712;Bert Beispiel;bert@example.org;;\n"
BERT_LATER = "4712;Bert Beispiel;bert@example.org;leitung@example.org;\n"


def message(number, sender, day="2026-03-02", to=None, body="Spielplatz"):
    return event(number, body, sent_at=f"{day}T10:00:00Z", sender={"id": f"u{number}", "address": sender},
                 recipients=[{"role": "to", "address": to}] if to else [])


def with_book(archive, name="personal"):
    archive.run("source", "add", name, "--kind", "directory")
    return name


def take(archive, source, text, *more):
    file = archive.folder / "book"
    file.write_text(text, encoding="utf-8")
    return archive.json("person", "import", file, "--source", source, *more)


class Persons(unittest.TestCase):
    def messages(self, a, lines):
        a.run("source", "add", "chat", "--kind", "import")
        file = a.folder / "chat.jsonl"
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        a.run("ingest", "--source", "chat", "--format", "stream", file)

    def records(self, a, matter, query):
        return sorted(h["record"] for h in a.json("search", "--matter", matter, "--limit", 100, query)["hits"])

    def test_a_person_is_found_under_every_address_and_the_answer_says_which(self):
        with Archive() as a:
            book = with_book(a)
            self.messages(a, [message(1, "anna.schmidt@example.org"), message(2, "@anna:example.org", to="x@example.org"),
                              message(3, "bert@example.org", to="anna.mueller@example.org"),
                              message(4, "somebody@example.org", body="an Anna Schmidt gedacht")])
            first = take(a, book, CSV + ANNA + BERT)
            self.assertEqual((first["persons"], first["sealed"], first["gone"]), (2, 2, 0))
            self.assertEqual(take(a, book, CSV + ANNA + BERT)["sealed"], 0)  # the same again
            matter = a.matter()
            before = a.access_entries()
            answer = a.json("search", "--matter", matter, 'person:"Schmidt, Anna"')
            self.assertEqual(answer["total"], 2)
            self.assertGreater(a.access_entries(), before + 1)  # cards that were opened, and the search
            taken = answer["persons"][0]
            self.assertEqual(taken["name"], "Anna Schmidt")
            self.assertEqual({h["text"] for h in taken["handles"]},
                             {"anna.schmidt@example.org", "leitung@example.org", "@anna:example.org"})
            later = take(a, book, CSV + ANNA_LATER + BERT)
            self.assertEqual((later["sealed"], later["unchanged"]), (1, 1))
            for who in ("Anna Müller", "anna schmidt", "anna.schmidt@example.org", "@anna:example.org", "4711"):
                self.assertEqual(a.json("search", "--matter", matter, f'person:"{who}"')["total"], 3, who)
            self.assertEqual(a.json("search", "--matter", matter, f"from:person:{taken['person']}")["total"], 2)
            self.assertEqual(a.json("search", "--matter", matter, f"to:person:{taken['person']}")["total"], 1)
#nobody, and a name that is no field of its own
            done = a.run("search", "--matter", matter, "person:Niemand", code=2)
            self.assertNotIn("Niemand", done.stderr)
#what was run in the person's place stands in the access entry
            trail = a.json("audit", "list", "--kind", "access", "--action", "search", "--limit", 100)["entries"]
            texts = [a.json("audit", "show", e["entry"], "--ground", "Prüfung")["fields"].get("query", "") for e in trail]
            self.assertTrue(any('from:"anna.mueller@example.org"' in t for t in texts))
#an export takes the same
            out = a.folder / "out.pdf"
            self.assertEqual(a.json("export", "--matter", matter, "--query", "person:4711", "--out", out)["records"], 3)
#decisions that must not change with an address book do not know persons
            a.run("erase", "--query", "person:4711", "--ground", "Art. 17", "--approver", "A", "--approver", "B", "--check",
                  code=2)
            code, report = a.verify()
            self.assertTrue(report["ok"], report)

    def test_who_had_the_address_then(self):
        with Archive() as a:
            book = with_book(a)
            take(a, book, CSV + ANNA + BERT)
            take(a, book, CSV + ANNA_LATER + BERT)
            take(a, book, CSV + ANNA_LATER + BERT_LATER)
            self.messages(a, [message(1, "leitung@example.org", "2020-01-01"), message(2, "leitung@example.org", "2099-01-01")])
            matter = a.matter()
            found = a.json("person", "find", "leitung@example.org", "--matter", matter)["persons"]
            self.assertEqual([p["names"][0] for p in found], ["Anna Müller", "Bert Beispiel"])
            then = a.json("person", "find", "leitung@example.org", "--matter", matter, "--at", "2020-01-01")["persons"]
            self.assertEqual([p["names"][0] for p in then], ["Anna Müller"])
            now = a.json("person", "find", "leitung@example.org", "--matter", matter, "--at", "2099-01-01")["persons"]
            self.assertEqual([p["names"][0] for p in now], ["Bert Beispiel"])
            old, new = self.records(a, matter, "person:4711"), self.records(a, matter, "person:4712")
            self.assertEqual((len(old), len(new)), (1, 1))
            self.assertNotEqual(old, new)
            shown = a.json("show", "--matter", matter, old[0])
            self.assertEqual([(p["handle"], p["name"]) for p in shown["persons"]], [("leitung@example.org", "Anna Müller")])
            self.assertEqual(shown["sender"]["address"], "leitung@example.org")
            self.assertIn("= P", a.run("show", "--matter", matter, new[0]).stdout)

    def test_who_leaves_is_said_and_a_part_of_a_book_sends_nobody_away(self):
        with Archive() as a:
            book = with_book(a)
            take(a, book, CSV + ANNA + BERT)
            self.assertEqual(take(a, book, CSV + ANNA, "--part")["gone"], 0)
            self.assertEqual(take(a, book, CSV)["gone"], 0)  # an empty book is a broken export
            self.assertEqual(take(a, book, CSV + ANNA)["gone"], 1)
            self.assertEqual(take(a, book, CSV + ANNA)["gone"], 0)
            matter = a.matter()
            bert = a.json("person", "show", "4712", "--matter", matter)["persons"][0]
            self.assertTrue(bert["gone"])
            self.assertIsNotNone(bert["handles"][0]["until"])
            self.assertEqual(take(a, book, CSV + ANNA + BERT)["sealed"], 1)  # back
            self.assertFalse(a.json("person", "show", "4712", "--matter", matter)["persons"][0]["gone"])

    def test_books_are_joined_by_rules_contradictions_are_findings_and_hands_decide(self):
        with Archive() as a:
            staff, phones = with_book(a, "personal"), with_book(a, "telefon")
            take(a, staff, CSV + ANNA + BERT)
            cards = ("BEGIN:VCARD\nVERSION:4.0\nUID:7\nFN:A. Schmidt\nEMAIL:ANNA.schmidt@example.org\nTEL:+49 30 1\nEND:VCARD\n"
                     "BEGIN:VCARD\nVERSION:4.0\nUID:8\nFN:Vertretung\nEMAIL:bert@example.org\nX-EMPLOYEE-NUMBER:9999\nEND:VCARD\n"
                     "BEGIN:VCARD\nVERSION:4.0\nUID:9\nFN:Zoe\nEMAIL:zoe@example.org\nEND:VCARD\n")
            done = take(a, phones, cards)
            self.assertEqual(done["conflicts"], 1)
            findings = a.json("source", "findings", phones, "--open")
            self.assertEqual([f["code"] for f in findings], ["person:number-differs"])
            matter = a.matter()

            def show(who):
                return a.json("person", "show", who, "--matter", matter)["persons"][0]
            anna = show("4711")
            self.assertEqual(len(anna["cards"]), 2)
            self.assertIn("+49 30 1", [h["text"] for h in anna["handles"]])
            self.assertEqual(show("4712")["conflicts"][0]["code"], "person:number-differs")
            bert, zoe = show("4712")["person"], show("zoe@example.org")["person"]
            a.run("person", "join", bert, zoe, "--matter", matter, "--ground", "Heirat")
            self.assertEqual(show(zoe)["person"], bert)
            self.assertEqual(a.json("search", "--matter", matter, "person:zoe@example.org")["persons"][0]["person"], bert)
            a.run("person", "split", bert, zoe, "--matter", matter, "--ground", "Irrtum")
            self.assertEqual(show(zoe)["person"], zoe)
            a.run("person", "split", anna["person"], f"P{anna['cards'][1]['record']}", "--matter", matter, "--ground", "zwei")
            self.assertEqual(len(show("4711")["cards"]), 1)
            a.run("person", "join", anna["person"], "P99999", "--matter", matter, "--ground", "x", code=2)
#two of the name Schmidt now : refused, not mixed
            a.run("search", "--matter", matter, "person:Schmidt", code=2)
#settled in the book : resolved
            take(a, phones, cards.replace("9999", "4712"))
            self.assertEqual(a.json("source", "findings", phones, "--open"), [])
            self.assertEqual(len(show("4712")["cards"]), 3)
            self.assertEqual(a.verify()[1]["ok"], True)

    def test_an_erased_card_is_gone_and_nothing_of_it_lies_in_the_clear(self):
        with Archive() as a:
            book = with_book(a)
            take(a, book, CSV + ANNA + "4713;Kanarienvogel Xylophon;kanarie@example.org;;\n")
            for file in a.path.rglob("*"):
                if file.is_file():
                    bytes_ = file.read_bytes().lower()
                    for word in (b"kanarie", b"xylophon", b"4713"):
                        self.assertNotIn(word, bytes_, file)
            matter = a.matter()
            card = a.json("person", "show", "4713", "--matter", matter)["persons"][0]["cards"][0]["record"]
            a.run("erase", "--record", card, "--ground", "Art. 17 DSGVO", "--approver", "A", "--approver", "B")
            self.assertEqual(a.json("person", "find", "Xylophon", "--matter", matter)["persons"], [])
            self.assertEqual(a.json("person", "find", f"P{card}", "--matter", matter)["persons"], [])
#it does not come back by itself
            self.assertEqual(take(a, book, CSV + ANNA + "4713;Kanarienvogel Xylophon;kanarie@example.org;;\n")["sealed"], 0)

    def test_it_works_through_an_opener_apart_and_a_closed_vault_takes_a_book_in(self):
        with opener_test.Apart() as a, opener_test.OpenerProcess(a) as opener:
            book = with_book(a)
            self.assertEqual(take(a, book, CSV + ANNA + BERT)["sealed"], 2)
            self.messages(a, [message(1, "anna.schmidt@example.org")])
            matter = a.matter()
            a.run("person", "find", "4711", "--matter", matter, code=4)
            opener.unlock()
            answer = a.json("search", "--matter", matter, "person:4711")
            self.assertEqual((answer["total"], answer["persons"][0]["name"]), (1, "Anna Schmidt"))
            self.assertIn("= P", a.run("show", "--matter", matter, answer["hits"][0]["record"]).stdout)
            anna, bert = (a.json("person", "find", w, "--matter", matter)["persons"][0]["person"] for w in ("4711", "4712"))
            a.run("person", "join", anna, bert, "--matter", matter, "--ground", "dieselbe")
            self.assertEqual(a.json("person", "show", bert, "--matter", matter)["persons"][0]["person"], anna)

    def test_what_is_wrong_is_refused_in_words(self):
        with Archive() as a:
            book = with_book(a)
            a.run("source", "add", "other", "--kind", "import")
            a.run("person", "import", "/dev/null", "--source", "other", code=2)
            a.run("person", "import", "--source", book, code=2)
            a.run("person", "list", code=2)
            self.assertEqual(take(a, book, "nothing,of,this\n1,2,3\n")["quarantined"], 1)
            matter = a.matter()
            a.run("person", "show", "niemand", "--matter", matter, code=2)
            a.run("person", "find", "x@example.org", "--matter", matter, "--at", "gestern", code=2)
            german = a.call("person", "find", "x@example.org", "--matter", matter, language="de")
            self.assertEqual(german.stdout, "niemand\n")


@unittest.skipUnless(slapd.available(), "slapd is not installed")
class DirectoryServer(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.entries = [slapd.person(f"u{n}", f"Person Nummer{n}", f"p{n}@example.org", employeeNumber=str(n))
                       for n in range(1, 1201)]
        cls.entries.append(slapd.person("anna", "Anna Müller", "anna@example.org", employeeNumber="4711",
                                        jpegPhoto=b"\xff\xd8\xff\x00binary", telephoneNumber="+49 30 1",
                                        description=["x" * 100_000]))
        cls.referral = (f"dn: cn=elsewhere,ou=people,{slapd.BASE}\nobjectClass: referral\nobjectClass: extensibleObject\n"
                        f"cn: elsewhere\nref: ldap://127.0.0.1:9/dc=elsewhere\n")

    def run_import(self, a, server, code=0, **settings):
        file = server.settings(**settings)
        done = a.run("--json", "person", "import", "--ldap", file, "--source", "ad", code=code)
        return done if code else json.loads(done.stdout)

    def test_a_directory_is_read_in_pages_over_tls_and_who_leaves_it_is_told(self):
        with Archive() as a, slapd.Slapd(self.entries) as server:
            with_book(a, "ad")
            first = self.run_import(a, server, uri=f"ldaps://127.0.0.1:{server.tls_port}", tls="ldaps")
            self.assertEqual((first["persons"], first["sealed"], first["complete"]), (1201, 1201, True))
            again = self.run_import(a, server)  # StartTLS
            self.assertEqual((again["persons"], again["sealed"], again["unchanged"]), (1201, 0, 1201))
#without pages the server gives 500 and says so : nobody has left
            cut = self.run_import(a, server, page_size=0)
            self.assertEqual((cut["persons"], cut["complete"], cut["gone"]), (500, False, 0))
            self.assertIn("ldap:incomplete", [f["code"] for f in cut["findings"]])
            self.assertFalse(self.run_import(a, server, max_entries=300)["complete"])
            matter = a.matter()
            anna = a.json("person", "show", "4711", "--matter", matter)["persons"][0]
            self.assertIn("+49 30 1", [h["text"] for h in anna["handles"]])
            ldif = a.run("show", "--matter", matter, anna["cards"][0]["record"], "--original").stdout
            self.assertIn("uid=anna,ou=people", ldif)
            server.stop()
            server.load(self.entries[1:])
            server.start()
            later = self.run_import(a, server)
#slapadd has made new entryUUIDs : new keys for everybody, and the same persons
            self.assertEqual((later["persons"], later["sealed"], later["gone"]), (1200, 2401, 1201))
            again = a.json("person", "show", "4711", "--matter", matter)["persons"][0]
            self.assertEqual(again["person"], anna["person"])
            self.assertEqual((again["gone"], again["conflicts"], len(again["cards"])), (False, [], 3))
            self.assertTrue(a.json("person", "show", "p1@example.org", "--matter", matter)["persons"][0]["gone"])
            self.assertEqual(a.verify()[1]["ok"], True)

    def test_referrals_are_counted_and_not_followed(self):
        with Archive() as a, slapd.Slapd(self.entries[:3] + [self.referral]) as server:
            with_book(a, "ad")
            done = self.run_import(a, server)
            self.assertEqual((done["persons"], done["complete"]), (3, False))
            self.assertIn({"code": "ldap:referral-not-followed", "count": 1}, done["findings"])

    def test_what_is_not_safe_or_not_right_is_refused_and_no_password_is_told(self):
        with Archive() as a, slapd.Slapd(self.entries[:3]) as server:
            with_book(a, "ad")
            wrong = server.folder / "wrong"
            wrong.write_text("falsch\n")
            self.assertNotIn("falsch", self.run_import(a, server, code=3, password_file=wrong).stderr)
            inside = a.path / "password"
            inside.write_text(slapd.PASSWORD)
            self.run_import(a, server, code=2, password_file=inside)
            inside.unlink()
#a certificate that nobody vouches for; a name that it does not have
            self.run_import(a, server, code=6, ca_file="/etc/ssl/certs/ca-certificates.crt")
            self.run_import(a, server, code=2, uri="ldap://ldap.example.org", tls="none")
            self.run_import(a, server, code=2, base="ou=nowhere,dc=example,dc=org")
            self.run_import(a, server, code=2, filter="(objectClass=person")
            server.stop()
            self.run_import(a, server, code=6, timeout=2)
            self.assertEqual(a.json("status")["records"], 0)


if __name__ == "__main__":
    unittest.main()
