"""What stands around a hit: the page of a PDF, the conversation before and after, who was in the room, guessed threads."""
import base64
import shutil
import subprocess
import sys
import unittest

from kustos import Archive, Browser, ROOT, event
from opener_test import Apart, OpenerProcess

PEOPLE = ("--ground", "Art. 17 DSGVO", "--approver", "Anna Alt", "--approver", "Bert Bau")
ROOM = {"id": "r1", "title": "Bauhof", "type": "channel"}
MAIL = """From: {sender}
To: {to}
{more}Subject: {subject}
Date: {day:02} Mar 2026 10:00:00 +0000
Message-ID: <m{n}@example.org>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8

{body}
"""


def pdf(pages):
    """A PDF with one line of text a page."""
    objects = ["<</Type/Catalog/Pages 2 0 R>>",
               "<</Type/Pages/Kids[" + " ".join(f"{3 + 2 * i} 0 R" for i in range(len(pages))) + f"]/Count {len(pages)}>>"]
    for i, text in enumerate(pages):
        content = f"BT /F 12 Tf 60 700 Td ({text}) Tj ET"
        objects.append(f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents {4 + 2 * i} 0 R"
                       "/Resources<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>")
        objects.append(f"<</Length {len(content)}>>stream\n{content}\nendstream")
    out, places = "%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj{body}endobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    return (out + f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}"
            f"trailer<</Root 1 0 R/Size {len(objects) + 1}>>\nstartxref\n{len(out)}\n%%EOF\n").encode()


def said(minute, who, body="", kind="chat", **more):
    return event(minute, body, kind=kind, sent_at=f"2026-03-02T10:{minute:02}:00Z", sender={"id": who}, conversation=ROOM, **more)


class Context(unittest.TestCase):
    def archive(self, **options):
        a = Archive(**options)
        self.addCleanup(a.__exit__)
        return a

    def take(self, a, *lines, source="chat"):
        a.call("source", "add", source, "--kind", "import")
        file = a.folder / f"{source}.jsonl"
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        a.run("ingest", "--source", source, "--format", "stream", file)

    def context(self, a, matter, record, *more):
        return a.json("context", record, "--matter", matter, *more)

    def record(self, a, matter, query):
        hits = a.json("search", "--matter", matter, query)["hits"]
        self.assertEqual(len(hits), 1, query)
        return hits[0]["record"]

    def opened_last(self, a, matter):
        """What the newest access entry of a matter names."""
        rows = [r for r in a.json("matter", "protocol", matter)["entries"] if r["action"] == "open"]
        fields = a.json("audit", "show", rows[-1]["entry"], "--ground", "Prüfung")["fields"]
        numbers = [int(n) for n in fields["entries"].split()]
        self.assertEqual(rows[-1]["opened"], len(numbers))
        return numbers

    def check_whole(self, a):
        code, report = a.verify()
        self.assertEqual(code, 0, report)
        done = subprocess.run([sys.executable, ROOT / "tests" / "verify" / "kustos_verify.py", a.path], capture_output=True,
                              text=True, check=False, timeout=300)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    # --- pages ---
    def test_a_hit_in_a_pdf_says_its_page(self):
        a = self.archive()
        content = pdf(["Deckblatt des Vertrags", "Die Zahlung geschieht", "binnen Monatsfrist an Zwetschge"])
        if shutil.which("pdftotext"):  # somebody else sees three pages, too
            text = subprocess.run(["pdftotext", "-", "-"], input=content, capture_output=True, check=True, timeout=60).stdout
            self.assertEqual([page.split()[0] for page in text.decode().split("\f")[:3]], ["Deckblatt", "Die", "binnen"])
        attached = [{"name": "Vertrag.pdf", "type": "application/pdf", "content_base64": base64.b64encode(content).decode()},
                    {"name": "notiz.txt", "type": "text/plain", "content_base64": base64.b64encode(b"eins\fRosine").decode()}]
        self.take(a, event(1, "anbei", attachments=attached))
        matter = a.matter()
        for query, page in (("Deckblatt", 1), ("Zahlung", 2), ("Zwetschge", 3), ('"geschieht binnen Monatsfrist"', 2),
                            ("Zahlung NEAR/3 Monatsfrist", 2)):
            hit = a.json("search", "--matter", matter, query)["hits"][0]
            self.assertEqual((hit["found_in"], hit["page"]), ("Vertrag.pdf", page), query)
            self.assertNotIn("\f", hit["snippet"])
        hit = a.json("search", "--matter", matter, "Rosine")["hits"][0]
        self.assertEqual((hit["found_in"], hit["page"]), ("notiz.txt", None))  # what its form feed means nobody knows
        self.assertIsNone(a.json("search", "--matter", matter, "file:Vertrag")["hits"][0]["page"])
        self.assertIsNone(a.json("search", "--matter", matter, "anbei")["hits"][0]["page"])
        self.assertIn("hit in: Vertrag.pdf, page 3", a.run("search", "--matter", matter, "Zwetschge").stdout)
        german = a.call("search", "--matter", matter, "Zwetschge", language="de").stdout
        self.assertIn("Treffer in: Vertrag.pdf, Seite 3", german)
        a.serve()
        browser = Browser(a)
        self.assertEqual(browser.log_in("admin", a.password), 303)
        browser.get("/search")
        page = browser.post("/search", matter=matter, query="Zwetschge", sort="date")[2]
        self.assertIn("hit in: Vertrag.pdf, page 3", page)
        self.assertNotIn("Hits by month", page)
        page = browser.post("/search", matter=matter, query="Zwetschge", sort="date", figures="yes")[2]
        self.assertIn("<title>2026-03: 1</title>", page)

    # --- conversations ---
    def test_messages_before_and_after_are_opened_under_one_entry_that_names_them_all(self):
        a = self.archive()
        self.take(a, said(1, "anna", kind="join"), said(2, "bert", kind="join"), *[said(n, "anna", f"Wort{n}") for n in range(10, 20)],
                  said(20, "bert", kind="leave"), said(21, "carla", kind="join"), said(30, "anna", "Wort30"),
                  event(31, "Wort31", sender={"id": "x"}, conversation={"id": "r2", "title": "Bauhof zwei"}))
        matter = a.matter()
        there = self.record(a, matter, "Wort14")
        found = self.context(a, matter, there)
        self.assertEqual([m["text"] for m in found["messages"]], [f"Wort{n}" for n in range(10, 20)])
        self.assertEqual((found["more_before"], found["more_after"], found["conversation"]), (0, 1, "Bauhof"))
        named = self.opened_last(a, matter)
        self.assertEqual(len(named), 14)  # ten messages, and four joins and leaves
        self.assertLessEqual({m["record"] for m in found["messages"]}, set(named))
        found = self.context(a, matter, there, "--before", 1, "--after", 2)
        self.assertEqual([m["text"] for m in found["messages"]], ["Wort13", "Wort14", "Wort15", "Wort16"])
        self.assertEqual((found["more_before"], found["more_after"]), (3, 4))
        a.run("context", there, "--matter", matter, "--before", 51, code=2)
        a.run("context", "x", "--matter", matter, code=2)
        a.run("context", there, code=2)
        a.run("context", there, "--matter", "M1", code=3)

        # Who was there: joins and leaves up to then; who came later is named, and what they could see is not known.
        room = found["messages"][0]["room"]
        self.assertEqual((room["basis"], room["people"], room["joined_later"], room["later_could_see"]),
                         ("events", ["anna", "bert"], ["carla"], "unknown"))
        last = self.context(a, matter, self.record(a, matter, "Wort30"))["messages"][-1]["room"]
        self.assertEqual((last["people"], last["joined_later"]), (["anna", "carla"], []))
        text = a.run("context", there, "--matter", matter).stdout
        self.assertIn("in the room then: anna, bert (from joins and leaves sealed so far)", text)
        self.assertIn("joined later: carla; whether they could see this: not known", text)
        entered = self.context(a, matter, self.record(a, matter, "kind:join from:carla"), "--before", 1, "--after", 1)
        self.assertEqual([m["text"] for m in entered["messages"]], ["Wort19", "", "Wort30"])
        self.assertEqual(len(self.opened_last(a, matter)), 6)
        alone = self.context(a, matter, self.record(a, matter, "Wort31"))
        self.assertEqual([(m["text"], m["room"]["basis"]) for m in alone["messages"]], [("Wort31", "unknown")])

        # The page offers it, and opens nothing before it is asked.
        a.serve()
        browser = Browser(a)
        browser.log_in("admin", a.password)
        self.assertNotIn("Wort13", browser.get(f"/record/{there}?matter={matter}")[2])
        page = browser.get(f"/record/{there}?matter={matter}&context=5")[2]
        self.assertIn("Wort13", page)
        self.assertIn("in the room then: anna, bert", page)
        a.stop()
        self.check_whole(a)

    def test_whom_the_message_itself_names_counts_first(self):
        a = self.archive()
        self.take(a, said(1, "anna", kind="join"), said(5, "anna", "Geheimwort", recipients=[{"id": "dora", "role": "member"}]))
        matter = a.matter()
        room = self.context(a, matter, self.record(a, matter, "Geheimwort"))["messages"][0]["room"]
        self.assertEqual((room["basis"], room["people"]), ("message", ["anna", "dora"]))

    def test_outside_the_scope_restricted_and_erased_are_counted_and_not_shown(self):
        a = self.archive()
        self.take(a, said(1, "bert", kind="join"), *[said(n, "anna", f"Wort{n}") for n in range(10, 16)],
                  *[said(n, "bert", f"Fremdes{n}") for n in range(16, 19)])
        whole = a.matter()
        one, gone, bound = (self.record(a, whole, word) for word in ("Wort12", "Wort13", "Wort14"))
        outside = self.record(a, whole, "Fremdes16")
        bounded = a.json("matter", "new", "--reference", "30-Z 2", "--ground", "Art. 15 DSGVO", "--scope", "from:anna")["id"]
        found = self.context(a, bounded, one)
        self.assertEqual([m["text"] for m in found["messages"]], [f"Wort{n}" for n in range(10, 16)])
        self.assertEqual((found["outside_scope"], found["events"], found["events_left_out"]), (3, 0, 1))
        self.assertIn("3 further messages lie outside this matter's scope", a.run("context", one, "--matter", bounded).stdout)
        self.assertNotIn("Fremdes", str(found))
        self.assertFalse(set(self.opened_last(a, bounded)) & {outside})
        before = a.json("status")["entries"]
        a.run("context", outside, "--matter", bounded, code=3)
        self.assertEqual(a.json("status")["entries"], before)  # refused before anything was opened

        a.json("restrict", "--record", bound, "--matter", whole, "--reason", "Richtigkeit bestritten")
        a.json("erase", "--record", gone, *PEOPLE)
        found = self.context(a, bounded, one)
        self.assertEqual([m["text"] for m in found["messages"]], ["Wort10", "Wort11", "Wort12", "Wort15"])
        self.assertEqual((found["restricted"], found["erased_of_source"], found["outside_scope"]), (1, 1, 3))
        self.assertFalse(set(self.opened_last(a, bounded)) & {gone, bound, outside})
        a.run("context", gone, "--matter", bounded, code=2)
        a.run("context", bound, "--matter", bounded, code=3)
        german = a.call("context", one, "--matter", bounded, language="de").stdout
        for words in ("3 weitere Nachrichten liegen außerhalb des Umfangs dieses Falls", "1 ist eingeschränkt (Art. 18 DSGVO)",
                      "1 Aufzeichnung dieser Quelle ist gelöscht; ob sie hierher gehörte, weiß niemand mehr"):
            self.assertIn(words, german)
        self.check_whole(a)

    # --- mails ---
    def mails(self, a, mails):
        a.run("source", "add", "mail", "--kind", "import")
        folder = a.folder / "mails"
        folder.mkdir()
        for n, (day, sender, to, more, subject) in enumerate(mails):
            text = MAIL.format(n=n, day=day, sender=sender, to=to, more=more, subject=subject, body=f"Text{n}")
            (folder / f"{n:02}.eml").write_text(text, encoding="utf-8")
        a.run("ingest", "--source", "mail", *sorted(folder.iterdir()))

    def test_a_mails_thread_is_exact_and_what_is_guessed_stands_apart(self):
        a = self.archive()
        anna, bert, carla = "anna@example.org", "bert@example.org", "carla@example.org"
        self.mails(a, [(2, anna, bert, "", "Neue Schaukel"),
                       (3, bert, anna, "In-Reply-To: <m0@example.org>\n", "AW: Neue Schaukel"),
                       (4, bert, anna, "", "Re: Neue Schaukel"),                 # typed anew
                       (5, bert, carla, "", "WG: Neue Schaukel"),                # and forwarded
                       (6, carla, "dora@example.org", "", "Neue Schaukel"),      # somebody else's
                       (7, anna, bert, "", "Neue Schaukel am Markt")])           # another subject
        matter = a.matter()
        first = self.record(a, matter, "Text0")
        found = self.context(a, matter, first)
        self.assertEqual((found["by"], [m["text"] for m in found["messages"]]), ("thread", ["Text0", "Text1"]))
        self.assertEqual([(m["text"], m["guess"]) for m in found["guessed"]],
                         [("Text2", {"reason": "same-subject", "shared_people": 2, "days_apart": 2}),
                          ("Text3", {"reason": "same-subject", "shared_people": 1, "days_apart": 3})])
        self.assertEqual(len(self.opened_last(a, matter)), 6)  # what was compared was opened
        self.assertEqual(found["messages"][1]["room"]["basis"], "message")
        self.assertEqual(a.json("search", "--matter", matter, f"thread:{first}")["total"], 2)  # stays exact
        german = a.call("context", first, "--matter", matter, language="de").stdout
        self.assertIn("vermutet: gleicher Betreff, 2 Personen an beiden beteiligt, 2 Tage Abstand", german)
        self.check_whole(a)

    def test_no_more_than_fifty_mails_are_compared_and_the_others_are_counted(self):
        a = self.archive()
        self.mails(a, [(1 + n % 20, "anna@example.org", "bert@example.org", "", "Tagesbericht") for n in range(54)])
        matter = a.matter()
        found = self.context(a, matter, self.record(a, matter, "Text3"))
        self.assertEqual((len(found["guessed"]), found["not_looked_at"]), (50, 3))
        self.assertEqual(len(self.opened_last(a, matter)), 51)

    def test_an_opener_apart_says_that_it_can_not(self):
        with Apart() as a, OpenerProcess(a) as opener:
            opener.unlock()
            self.take(a, said(1, "anna", "Wort"), said(2, "anna", "Antwort"))
            matter = a.matter()
            record = self.record(a, matter, "Wort")
            before = a.json("status")["entries"]
            self.assertIn("opener apart", a.run("context", record, "--matter", matter, code=2).stderr)
            self.assertEqual(a.json("status")["entries"], before)


if __name__ == "__main__":
    unittest.main()
