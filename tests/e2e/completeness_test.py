"""What a source says it has sent, what is here, and what the archive says of the difference: profiles, findings, certificates, quarantine."""
import json
import subprocess
import sys
import unittest
from datetime import datetime, timedelta, timezone

from kustos import ROOT, Archive, event, page_example
from opener_test import Apart, OpenerProcess

sys.path.insert(0, str(ROOT / "tests" / "verify"))
import completeness  # noqa: E402
import kustos_verify as kv  # noqa: E402

CANARY = "Zimtschnecke"
PEOPLE = ("--approver", "Petra Kern", "--approver", "Jörg Maas")


def days():
    """A period that holds now, in German legal time as well."""
    today = datetime.now(timezone.utc)
    return "--from", (today - timedelta(days=1)).strftime("%Y-%m-%d"), "--to", (today + timedelta(days=1)).strftime("%Y-%m-%d")


def second_verifier(path):
    return subprocess.run([sys.executable, ROOT / "tests" / "verify" / "kustos_verify.py", path], capture_output=True, text=True,
                          check=False, timeout=300)


class Named:
    """The entry that names a certificate, as somebody with the archive's keys could have made it."""

    def __init__(self, content, data):
        self.numbers = {59: int(content["from"].replace("-", "")), 27: kv.milliseconds(content["end"]), 25: content["source_entry"]}
        self.digest = kv.sha256(data)

    def number(self, tag, _):
        return self.numbers[tag]

    def hash(self, _):
        return self.digest


def judged(content):
    """What the second verifier says of this JSON, if the ledger named it."""
    data = json.dumps(content).encode()
    check = kv.ReportCheck(b"", (data, b""), None)
    first = kv.read_tlog_proof(content["entries"][0]["proof"].encode())[2]
    history = kv.History(HISTORY_KEY[0])
    assert first
    check.check_completeness(history, Named(content, data))
    return check.report.reported, [p["text"] for p in check.report.problems]


HISTORY_KEY = []


class Gap(unittest.TestCase):
    def setUp(self):
        self.a = Archive("--tsa", "builtin")
        self.addCleanup(self.a.__exit__)
        self.token = self.a.json("source", "add", "live", "--kind", "http")["token"]
        self.a.run("source", "add", "files", "--kind", "import")

    def beat(self, sent):
        status, _, answer = self.a.http("POST", "/api/v1/heartbeat/live", json.dumps({"sent": sent}),
                                        Authorization=f"Bearer {self.token}", Content_Type="application/json")
        self.assertEqual(status, 200, answer)

    def certify(self, name, *more):
        return self.a.json("source", "completeness", name, *days(), *more)

    def test_a_gap_is_found_certified_and_judged_by_both_verifiers(self):
        a = self.a
        a.serve()
        a.push("live", self.token, [event(1, CANARY), event(2), event(2)])
        self.beat(5)
        said = a.run("source", "list").stdout
        self.assertIn("missing: 3", said)
        self.assertIn("open findings: 1", said)
        self.assertIn("source findings live", a.run("status").stdout)
        pdf, text = a.folder / "certificate.pdf", a.folder / "certificate.json"
        found = self.certify("live", "--out", pdf, "--out", text)
        a.stop()
        self.assertEqual((found["verdict"], found["records"], found["duplicates"]), ("gaps", 2, 1))
        self.assertEqual((found["promises"]["promised"], found["promises"]["missing"]), (5, 3))
        self.assertEqual((found["heartbeats"]["count"], found["findings"]["open"]), (1, 1))
        content = json.loads(text.read_text(encoding="utf-8"))
        self.assertEqual(set(content), set(json.loads(page_example("certificate.md", "completeness"))))
        self.assertNotIn(CANARY, text.read_text(encoding="utf-8"))
        subprocess.run(["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", f"{text}.p7s", "-content", text, "-noverify",
                        "-out", "/dev/null"], check=True, capture_output=True)
        code, report = a.verify(pdf, "--trust", a.trust)
        self.assertEqual((code, report["reported"], report["origin"]), (0, "completeness:gaps", "pinned"), report)
        self.assertTrue(report["headline"].startswith("The certificate of completeness is intact and says: gaps are known"))
        second = second_verifier(pdf)
        self.assertEqual(second.returncode, 0, second.stdout)
        self.assertIn("gaps are known", second.stdout)
        words = " ".join(subprocess.run(["pdftotext", pdf, "-"], capture_output=True, text=True, check=True).stdout.split())
        for expected in ("Certificate of completeness", "Gaps known", "source:missing", "What it does not prove", "longest silence"):
            self.assertIn(expected, words)
        pdf.write_bytes(pdf.read_bytes().replace(b'"missing":3', b'"missing":0'))
        self.assertEqual(a.verify(pdf)[0], 1)
        self.assertEqual(second_verifier(pdf).returncode, 1)
        self.assertEqual(a.verify()[0], 0)

    def test_numbers_that_the_entries_do_not_give_are_found_even_if_the_archive_itself_forges_them(self):
        a = self.a
        a.serve()
        a.push("live", self.token, [event(n) for n in range(4)])
        self.beat(7)
        text = a.folder / "c.json"
        self.certify("live", "--out", text)
        key = next(line.split()[1] for line in a.trust.read_text().splitlines() if line.startswith("log "))
        HISTORY_KEY[:] = [kv.Key(key)]
        content = json.loads(text.read_text(encoding="utf-8"))
        self.assertEqual(judged(content), ("completeness:gaps", []))
        for change in ({"verdict": "complete"}, {"records": 5}, {"quarantined": 1}, {"duplicates": 9}, {"sealed": {}},
                       {"promises": {**content["promises"], "missing": 0}}, {"findings": {**content["findings"], "open": 0}},
                       {"heartbeats": {**content["heartbeats"], "longest_silence_seconds": 7777}}, {"source": "other"},
                       {"entries": content["entries"][:-1]}, {"entries": content["entries"][1:]}):
            reported, problems = judged({**content, **change})
            self.assertIsNone(reported, change)
            self.assertEqual(len(problems), 1, change)
        other = dict(content, begin="2026-01-01T00:00:00Z")
        self.assertEqual(judged(other)[1], ["the entry does not name this report"])

    def test_when_all_has_come_the_period_is_complete_and_without_a_promise_nobody_can_say(self):
        a = self.a
        a.serve()
        a.push("live", self.token, [event(n) for n in range(3)])
        self.beat(4)
        self.assertEqual(self.certify("live")["verdict"], "gaps")
        a.push("live", self.token, [event(3)])
        self.beat(4)
        found = self.certify("live")
        self.assertEqual((found["verdict"], found["findings"]["resolved"], found["findings"]["open"]), ("complete", 1, 0))
        self.assertEqual(self.certify("files")["verdict"], "no_promise")
        text = a.run("--lang", "de", "source", "completeness", "files", *days()).stdout
        self.assertIn("Die Quelle verspricht nichts: Vollständigkeit lässt sich nicht zeigen", text)
        self.assertEqual(a.call("source", "completeness", "live", "--from", "2099-01-01", "--to", "2099-01-02").returncode, 2)
        self.assertEqual(a.call("source", "completeness", "live", "--from", "2001-01-01", "--to", "2001-01-02").returncode, 2)

    def test_a_profile_needs_two_people_and_says_what_is_left_out_and_how_often(self):
        a, file = self.a, self.a.folder / "profile.yaml"
        file.write_text(page_example("sources.md", "profile-file"), encoding="utf-8")
        order = ("source", "profile", "live", "--set", file, "--ground", "Dienstvereinbarung 7")
        self.assertEqual(a.call(*order, "--approver", "Petra Kern").returncode, 3)
        self.assertEqual(a.call(*order, "--approver", "Petra Kern", "--approver", "petra kern").returncode, 3)
        bad = a.folder / "bad.yaml"
        bad.write_text("presence: yes\nroom: [x]\n", encoding="utf-8")
        refused = a.call("source", "profile", "live", "--set", bad, "--ground", "g", *PEOPLE)
        self.assertEqual(refused.returncode, 2)
        self.assertIn("line 2: unknown key room", refused.stderr)
        self.assertIn("nobody has decided otherwise", a.run("source", "profile", "live").stdout)
        entry = a.json(*order, *PEOPLE)["entry"]
        said = a.json("source", "profile", "live")
        self.assertEqual((said["version"], said["kinds_out"], said["presence"], said["rooms_out"], said["entry"]), (1, ["reaction"], True, 1, entry))
        self.assertIn("Nicht erfasst werden: Reaktionen", a.run("--lang", "de", "source", "profile", "live").stdout)
        sealed = a.json("source", "profile", "live", "--ground", "Nachfrage des Personalrats")["sealed"]
        self.assertEqual((sealed["ground"], sealed["approver"], sealed["second_approver"]), ("Dienstvereinbarung 7", "Petra Kern", "Jörg Maas"))
        self.assertIn("!kantine:example.org", sealed["scope"])
        a.serve()
        answer = a.push("live", self.token, [event(1), event(2, kind="reaction", target="m1"),
                                             event(3, conversation={"id": "!kantine:example.org"})])[1]
        self.assertEqual([r.get("left_out", False) for r in answer["receipts"]], [False, True, True])
        found = self.certify("live")
        self.assertEqual((found["records"], found["left_out"], found["profile"]["version"]), (1, {"kind": 1, "room": 1}, 1))
        self.assertIn("of rooms that are left out", a.run("source", "list").stdout)

    def test_findings_are_listed_and_settled_with_a_reason(self):
        a = self.a
        a.serve()
        a.push("live", self.token, [event(1)])
        self.beat(3)
        (finding,) = a.json("source", "findings", "live")
        self.assertEqual((finding["code"], finding["count"], finding["resolved"]), ("source:missing", 2, None))
        number = finding["finding"]
        self.assertEqual(a.call("source", "resolve", "live", "--finding", number).returncode, 2)
        self.assertEqual(a.call("source", "resolve", "files", "--finding", number, "--ground", "g").returncode, 2)
        entry = a.json("source", "resolve", "live", "--finding", number, "--ground", "Die Quelle hat sich verzählt")["entry"]
        self.assertEqual(a.call("source", "resolve", "live", "--finding", number, "--ground", "noch einmal").returncode, 6)
        self.assertEqual(a.json("source", "findings", "--open"), [])
        self.assertIsNotNone(a.json("source", "findings")[0]["resolved"])
        self.assertEqual(a.json("audit", "show", entry, "--ground", "Prüfung")["fields"]["ground"], "Die Quelle hat sich verzählt")
        found = self.certify("live")
        self.assertEqual((found["verdict"], found["findings"]["open"], found["promises"]["missing"]), ("gaps", 0, 2))

    def test_a_source_is_paused_and_resumed_and_twice_is_once(self):
        a = self.a
        self.assertEqual([a.json("source", verb, "live")["changed"] for verb in ("pause", "pause", "resume", "resume")],
                         [True, False, True, False])
        self.assertEqual([s["paused"] for s in a.json("source", "list")], [False, False])

    def test_formats_and_what_their_messages_can_prove_are_told(self):
        a = self.a
        formats = {f["name"]: f for f in a.json("formats")}
        self.assertEqual(formats["stream"]["level"], "high")
        self.assertIn("Beweiswert hoch", a.run("--lang", "de", "formats").stdout)
        stream = a.folder / "s.ndjson"
        stream.write_text(event(1, CANARY) + "\n", encoding="utf-8")
        a.run("ingest", "--source", "files", stream)
        matter = a.matter()
        record = a.json("search", "--matter", matter, CANARY)["hits"][0]["record"]
        shown = a.json("show", "--matter", matter, record)
        self.assertTrue(shown["evidential_value"].startswith("high; carries ids"))
        self.assertIn("the source promises nothing", shown["completeness"])
        bundle = a.folder / "b.pdf"
        a.run("export", "--matter", matter, "--query", CANARY, "--out", bundle)
        words = " ".join(subprocess.run(["pdftotext", bundle, "-"], capture_output=True, text=True, check=True).stdout.split())
        for expected in ("Sources, and how complete they are", "1 sealed; no finding open", "evidential value high", "what their messages can prove"):
            self.assertIn(expected, words)
        self.assertEqual(a.verify(bundle)[0], 0)


class Quarantine(unittest.TestCase):
    def test_what_is_quarantined_is_listed_fetched_and_read_again_once(self):
        with Archive("--tsa", "builtin") as a:
            a.run("source", "add", "files", "--kind", "import")
            matter = a.matter()
            good, bad = a.folder / "good.bin", a.folder / "bad.bin"
            good.write_text(event(1, CANARY) + "\n" + event(2) + "\n", encoding="utf-8")
            bad.write_bytes(b"\x00\x01 nothing of this can be read")
            # As an older version did that did not know the format: the whole file as it came.
            done = a.json("ingest", "--source", "files", "--format", "mattermost-csv", good)
            self.assertEqual(done["quarantined"], 1)
            self.assertEqual(a.json("ingest", "--source", "files", bad)["quarantined"], 1)
            self.assertEqual(a.call("quarantine", "list").returncode, 2)  # no matter
            rows = a.json("quarantine", "list", "--matter", matter)
            self.assertEqual([(r["source"], r["reason"], r["size"], r["read_again"]) for r in rows],
                             [("files", "no-header-row", good.stat().st_size, 0), ("files", "unknown-format", bad.stat().st_size, 0)])
            entry = rows[0]["entry"]
            before = a.access_entries()
            out = a.folder / "fetched"
            a.run("quarantine", "fetch", entry, "--matter", matter, "--out", out)
            self.assertEqual(out.read_bytes(), good.read_bytes())
            self.assertEqual(a.access_entries(), before + 1)
            self.assertNotEqual(a.call("quarantine", "fetch", entry, "--matter", matter, "--out", out).returncode, 0)  # it is there
            again = a.json("quarantine", "reparse", "--matter", matter)
            self.assertEqual((again["looked_at"], again["readable"], again["messages"], len(again["entries"])), (2, 1, 2, 1))
            hit = a.json("search", "--matter", matter, CANARY)["hits"][0]["record"]
            self.assertIn(f"from-quarantine:{entry}", a.json("show", "--matter", matter, hit)["notes"])
            once = a.json("quarantine", "reparse", "--matter", matter, "--source", "files")
            self.assertEqual((once["messages"], once["duplicates"], once["entries"]), (0, 2, []))
            self.assertEqual(a.json("quarantine", "reparse", entry, "--matter", matter, "--format", "stream")["duplicates"], 2)
            rows = a.json("quarantine", "list", "--matter", matter)
            self.assertEqual([r["read_again"] for r in rows], [2, 0])
            out.unlink()
            a.run("quarantine", "fetch", entry, "--matter", matter, "--out", out)
            self.assertEqual(out.read_bytes(), good.read_bytes())  # the original stays
            linked = a.json("audit", "list", "--action", "quarantine_reparsed")["entries"]
            self.assertEqual(len(linked), 1)
            self.assertEqual(a.verify()[0], 0)
            self.assertEqual(a.call("quarantine", "reparse", hit, "--matter", matter).returncode, 2)  # not in quarantine

    def test_all_of_it_works_with_the_opener_in_a_process_of_its_own(self):
        with Apart() as a, OpenerProcess(a) as opener:
            opener.unlock()
            bad, file = a.folder / "bad.bin", a.folder / "profile.yaml"
            bad.write_text(event(1, CANARY) + "\n", encoding="utf-8")
            file.write_text("presence: yes\n", encoding="utf-8")
            a.run("source", "add", "files", "--kind", "import")
            a.run("source", "profile", "files", "--set", file, "--ground", "Dienstvereinbarung", *PEOPLE)
            self.assertEqual(a.json("source", "profile", "files", "--ground", "Nachfrage")["sealed"]["ground"], "Dienstvereinbarung")
            a.run("ingest", "--source", "files", "--format", "mattermost-csv", bad)
            matter = a.matter()
            self.assertEqual([r["reason"] for r in a.json("quarantine", "list", "--matter", matter)], ["no-header-row"])
            self.assertEqual(a.json("quarantine", "reparse", "--matter", matter)["messages"], 1)
            self.assertEqual(a.json("search", "--matter", matter, CANARY)["total"], 1)
            self.assertEqual(a.json("source", "completeness", "files", *days())["verdict"], "no_promise")


if __name__ == "__main__":
    unittest.main(verbosity=2)
