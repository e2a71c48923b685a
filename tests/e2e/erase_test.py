"""Erasure end to end: who may, what each state promises, the certificate, and a thief who has every byte and every key of the disk."""
import base64
import hashlib
import json
import shutil
import subprocess
import sys
import unittest

import thief
from kustos import ROOT, Archive, event, page_example

CANARY, OTHER, FILE = "Zwetschgenkuchenprobe", "Quarzuhrmacherei", "Xylophonkonzertkarte"
PEOPLE = ("--ground", "Art. 17 Abs. 1 DSGVO", "--approver", "Petra Kern", "--approver", "Jörg Maas")


def filled(archive):
    """Messages of two people; the canary's has a text file that the sandbox reads, so that there is a derived text."""
    text = base64.b64encode((f"{FILE} " * 9000).encode()).decode()
    lines = [event("1", f"Hier ist {CANARY}.", sender={"id": "anna"},
                   attachments=[{"name": "brief.txt", "type": "text/plain", "content_base64": text}]),
             event("2", f"Und hier {OTHER}.", sender={"id": "bert"})]
    lines += [event(i, f"Füllung {i}", sender={"id": "bert"}) for i in range(3, 40)]
    archive.run("source", "add", "files", "--kind", "import")
    stream = archive.folder / "stream.ndjson"
    stream.write_text("\n".join(lines) + "\n", encoding="utf-8")
    archive.run("ingest", "--source", "files", "--format", "stream", stream)
    stream.unlink()
    return archive.matter("30-Z 1/26", "§ 1 LDSG")


def record_of(archive, matter, word):
    return archive.json("search", "--matter", matter, word)["hits"][0]["record"]


class Erasure(unittest.TestCase):
    def test_each_state_keeps_its_promise_to_a_thief_with_all_keys(self):
        with Archive("--tsa", "builtin") as a:
            matter = filled(a)
            record = record_of(a, matter, "from:anna")  # what is searched for stands, sealed, in the access entry: that is kept
            before = thief.Thief(a.path)
            self.assertEqual(before.find(CANARY), {"payload", "words"})
            self.assertEqual(before.find(FILE), {"payload", "words", "derived"})
            sealed = [before.ciphertext(i) for i in (record, record - 1)]  # the record and its blob
            backup = a.folder / "backup" / "archive"
            shutil.copytree(a.path, backup, ignore=shutil.ignore_patterns("index", "staging", "derived.db*", "generation-*"))

            done = a.json("erase", "--record", record, *PEOPLE)
            self.assertEqual((done["state"], done["records"], done["count"]), ("unreadable", [record], 2))
            after = thief.Thief(a.path)
            self.assertEqual(after.find(CANARY), {"words"})  # nobody has promised more yet
            self.assertEqual(after.find(FILE), {"words"})
            self.assertEqual(after.find(OTHER), {"payload", "words"})
            self.assertTrue(thief.everywhere(a.path, sealed[0][:64]))
            # An ordinary backup of before, with today's keys, and with its own boxes.
            restored = thief.Thief(backup, keys=a.path)
            self.assertEqual(restored.find(CANARY), set())
            self.assertEqual(restored.find(OTHER), {"payload"})
            self.assertEqual(thief.Thief(backup).find(OTHER), set(), "boxes of a generation that is no more")

            a.run("compact")
            self.assertEqual(a.json("erase", "status", done["erasure"])["state"], "ciphertext_gone")
            last = thief.Thief(a.path)
            self.assertEqual(last.find(CANARY) | last.find(FILE), set())
            self.assertEqual(last.find(OTHER), {"payload", "words"})
            for ciphertext in sealed:
                for at in range(0, len(ciphertext) - 64, 4096):
                    self.assertFalse(thief.everywhere(a.path, ciphertext[at:at + 64]))
            self.assertEqual(a.verify()[0], 0)
            self.assertEqual(second_verifier(a.path), 0)
            found = a.json("search", "--matter", matter, "from:anna")
            self.assertEqual((found["total"], found["coverage"]["erased"]), (0, 1))
            self.assertEqual(sum(v for k, v in found["coverage"].items() if k != "sealed"), found["coverage"]["sealed"])
            shown = a.call("show", "--matter", matter, record)
            self.assertEqual(shown.returncode, 2)
            self.assertIn("was erased on", shown.stderr)

    def test_who_may_not_erases_nothing(self):
        with Archive("--tsa", "builtin") as a:
            matter = filled(a)
            record = record_of(a, matter, CANARY)
            for people, code in ((PEOPLE[:4], 3), ((*PEOPLE[:4], "--approver", " petra  KERN"), 3), (PEOPLE[2:], 2)):
                self.assertEqual(a.call("erase", "--record", record, *people).returncode, code, people)
            self.assertEqual(a.call("erase", *PEOPLE).returncode, 2)
            self.assertEqual(a.call("erase", "--record", record, "--query", "x", *PEOPLE).returncode, 2)
            self.assertEqual(a.call("erase", "--record", 0, *PEOPLE).returncode, 2)
            self.assertEqual(a.call("erase", "--record", 10**9, *PEOPLE).returncode, 2)
            self.assertEqual(a.json("erase", "list"), [])
            self.assertEqual(a.json("search", "--matter", matter, CANARY)["total"], 1)

    def test_a_persons_records_go_by_a_query_that_says_what_it_could_not_see(self):
        with Archive("--tsa", "builtin") as a:
            matter = filled(a)
            looked = a.json("erase", "--query", "from:bert", "--check", *PEOPLE)
            self.assertEqual(len(looked["records"]), 38)
            self.assertEqual(a.json("search", "--matter", matter, "from:bert")["total"], 38)
            done = a.json("erase", "--query", "from:bert", *PEOPLE)
            self.assertEqual((done["records"], done["coverage"]["sealed"]), (looked["records"], 39))
            self.assertEqual(a.json("search", "--matter", matter, "from:bert")["total"], 0)
            again = a.json("erase", "--query", "from:bert", *PEOPLE)
            self.assertEqual(again["records"], [])
            self.assertEqual(a.verify()[0], 0)

    def test_what_was_erased_does_not_come_back_with_the_next_import(self):
        with Archive("--tsa", "builtin") as a:
            a.run("source", "add", "files", "--kind", "import")
            stream = a.folder / "stream.ndjson"
            stream.write_text(event("1", CANARY) + "\n", encoding="utf-8")
            a.run("ingest", "--source", "files", "--format", "stream", stream)
            matter = a.matter("R", "G")
            a.run("erase", "--record", record_of(a, matter, CANARY), *PEOPLE)
            again = a.json("ingest", "--source", "files", "--format", "stream", stream)
            self.assertEqual((again["messages"], again["duplicates"]), (0, 1))
            self.assertEqual(a.json("search", "--matter", matter, CANARY)["total"], 0)

    def test_a_running_server_erases_and_forgets(self):
        with Archive("--tsa", "builtin") as a:
            matter = filled(a)
            a.serve()
            record = record_of(a, matter, "from:anna")
            a.run("show", "--matter", matter, record)
            a.run("export", "--matter", matter, "--query", "from:anna", "--as", "eml", "--out", a.folder / "out")
            done = a.json("erase", "--record", record, *PEOPLE)
            self.assertEqual(done["state"], "unreadable")
            self.assertEqual(a.call("show", "--matter", matter, record).returncode, 2)
            a.run("compact")
            self.assertEqual(a.json("search", "--matter", matter, CANARY)["total"], 0)
            a.stop()
            self.assertEqual(a.verify()[0], 0)

    def test_an_attachment_goes_everywhere_and_its_records_stay(self):
        small, large = b"kleiner Anhang Quittenmus\n" * 20, "grosser Anhang Holunderblüte\n".encode() * 9000
        with Archive("--tsa", "builtin") as a:
            a.run("source", "add", "files", "--kind", "import")
            stream = a.folder / "stream.ndjson"
            lines = [event(i, f"Nachricht {i}", attachments=[
                {"name": "s.txt", "type": "text/plain", "content_base64": base64.b64encode(small).decode()},
                {"name": "l.txt", "type": "text/plain", "content_base64": base64.b64encode(large).decode()},
                {"name": "andere.txt", "type": "text/plain", "content_base64": base64.b64encode(b"Mispelgelee %d" % i).decode()}])
                for i in range(3)]
            stream.write_text("\n".join(lines) + "\n", encoding="utf-8")
            a.run("ingest", "--source", "files", "--format", "stream", stream)
            matter = a.matter("R", "G")
            total = lambda query: a.json("search", "--matter", matter, query)["total"]
            for word in ("Quittenmus", "Holunderblüte", "Mispelgelee", "sha256:" + hashlib.sha256(large).hexdigest()):
                self.assertEqual(total(word), 3, word)
            gone = a.json("erase", "--attachment", hashlib.sha256(large).hexdigest(), *PEOPLE)  # a blob of each record
            self.assertEqual((len(gone["records"]), gone["count"], gone.get("successors")), (3, 3, None))
            self.assertEqual([total(w) for w in ("Quittenmus", "Holunderblüte", "Mispelgelee", "Nachricht")], [3, 0, 3, 3])
            seen = a.json("search", "--matter", matter, "Nachricht")["hits"][0]["record"]
            self.assertEqual(a.run("show", "--matter", matter, seen).returncode, 0)
            self.assertNotEqual(a.call("show", "--matter", matter, seen, "--original").returncode, 0)
            gone = a.json("erase", "--attachment", hashlib.sha256(small).hexdigest(), *PEOPLE)  # inside each record
            self.assertEqual((len(gone["records"]), len(gone["successors"])), (3, 3))
            self.assertEqual([total(w) for w in ("Quittenmus", "Holunderblüte", "Mispelgelee", "Nachricht")], [0, 0, 3, 3])
            self.assertEqual(a.json("erase", "--attachment", hashlib.sha256(small).hexdigest(), *PEOPLE)["records"], [])
            a.run("compact")
            found = thief.Thief(a.path)
            self.assertEqual([found.find(w) for w in ("Quittenmus", "Holunderblüte")], [{"queries"}, {"queries"}])
            self.assertEqual(found.find("Mispelgelee"), {"payload", "words", "derived", "queries"})
            self.assertEqual(a.verify()[0], 0)
            self.assertEqual(second_verifier(a.path), 0)
            again = a.json("ingest", "--source", "files", "--format", "stream", stream)
            self.assertEqual((again["messages"], again["duplicates"]), (0, 3))
            a.run("export", "--matter", matter, "--query", "Nachricht", "--out", a.folder / "b.pdf")
            self.assertEqual(a.verify(a.folder / "b.pdf")[0], 0)

    def test_the_certificate_is_judged_by_both_verifiers_and_a_forged_one_is_found(self):
        with Archive("--tsa", "builtin") as a:
            matter = filled(a)
            pdf, text = a.folder / "certificate.pdf", a.folder / "certificate.json"
            done = a.json("erase", "--record", record_of(a, matter, CANARY), *PEOPLE, "--certificate", pdf, "--certificate", text)
            self.assertEqual(done["certificate"], [str(pdf), str(text), str(text) + ".p7s"])
            said = json.loads(text.read_text(encoding="utf-8"))
            self.assertEqual((said["state"], said["count"], said["approvers"]), ("unreadable", 2, ["Petra Kern", "Jörg Maas"]))
            self.assertEqual(set(said), set(json.loads(page_example("certificate.md", "certificate"))))
            self.assertNotIn(CANARY, text.read_text(encoding="utf-8"))
            subprocess.run(["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", str(text) + ".p7s", "-content", text,
                            "-noverify", "-out", "/dev/null"], check=True, capture_output=True)
            code, report = a.verify(pdf, "--trust", a.trust)
            self.assertEqual((code, report["reported"], report["origin"]), (0, "erasure:unreadable", "pinned"))
            self.assertEqual(second_verifier(pdf), 0)
            a.run("compact")
            later = a.folder / "later.pdf"
            a.run("erase", "status", done["erasure"], "--certificate", later)
            self.assertEqual(a.verify(later)[1]["reported"], "erasure:ciphertext_gone")
            self.assertEqual(second_verifier(later), 0)
            forged = pdf.read_bytes().replace(b'"count":2', b'"count":3')
            pdf.write_bytes(forged)
            self.assertEqual(a.verify(pdf)[0], 1)
            self.assertEqual(second_verifier(pdf), 1)


def second_verifier(path):
    return subprocess.run([sys.executable, ROOT / "tests" / "verify" / "kustos_verify.py", path], capture_output=True,
                          check=False, timeout=300).returncode


if __name__ == "__main__":
    unittest.main(verbosity=2)
