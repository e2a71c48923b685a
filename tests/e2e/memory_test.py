"""What was searched, shown, exported and closed is gone from the server's memory within seconds, in every encoding."""
import base64
import http.client
import os
import subprocess
import sys
import time
import unittest

import erase_test
import memory
from canary_test import forms
from kustos import Archive, Browser, event

WORDS = {"body": "Zwetschgenkuchenprobe", "subject": "Quarzuhrmacherei", "sender": "Xylophonkonzertkarte",
         "title": "Jakobsmuschelsuppe", "attachment": "Eierschalenbruchstelle", "file": "Pfefferminzteebeutel",
         "mail": "Dachdeckerlehrling", "query": "Schneckenhauskurve", "matter": "Vogelbeermarmelade",
         "short": "Kahnqx"}
# Buffers are wiped twice a second; a connection that is kept open and idle is closed after 5 s.
SECONDS = 20
IDLE = 5


@unittest.skipUnless(os.geteuid() == 0, "reading a hardened process's memory needs root")
class Memory(unittest.TestCase):
    def leftovers(self, pid, words=None):
        needles = {form: name for name, word in (words or WORDS).items() for form in set(forms(word)) if len(form) >= 6}
        left = {}
        for needle, places in memory.find(pid, needles).items():
            left.setdefault(needles[needle], []).append((needle, places[:4]))
        return left

    def gone_within(self, pid, seconds, words=None):
        """What a look finds that began when the time was over; nothing, if an earlier one found nothing. A look takes
        a while and is no moment: one that began before says nothing about what stands there at its end."""
        until = time.monotonic() + seconds
        while True:
            began = time.monotonic()
            left = self.leftovers(pid, words)
            if not left or began > until:
                return left
            time.sleep(0.5)

    def test_a_process_that_holds_a_word_is_found(self):
        child = subprocess.Popen([sys.executable, "-c", "import sys; w = sys.stdin.readline(); print('there', flush=True); sys.stdin.read()"],
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            child.stdin.write("xx" + WORDS["body"] + "\n")
            child.stdin.flush()
            child.stdout.readline()
            self.assertIn("body", self.leftovers(child.pid))
        finally:
            child.communicate("")

    def test_what_was_looked_at_and_erased_is_gone_from_memory(self):
        with Archive("--tsa", "builtin") as a:
            matter = erase_test.filled(a)
            a.serve()
            record = erase_test.record_of(a, matter, "from:anna")
            a.run("show", "--matter", matter, record)
            a.run("export", "--matter", matter, "--query", "from:anna", "--as", "eml", "--out", a.folder / "out")
            a.run("erase", "--record", record, *erase_test.PEOPLE)
            a.run("compact")
            left = self.gone_within(a.server.pid, SECONDS, {"body": erase_test.CANARY, "file": erase_test.FILE})
            self.assertFalse(left, f"{len(left)} words are in memory after {SECONDS} s")

    def test_a_connection_that_is_kept_open_holds_what_it_carried_only_until_it_is_closed_for_being_idle(self):
        with Archive("--tsa", "builtin") as a:
            a.serve()
            connection = http.client.HTTPSConnection("127.0.0.1", a.port, context=a.tls, timeout=60)
            try:
                connection.request("GET", "/login?x=" + WORDS["query"])
                connection.getresponse().read()
                held = False
                until = time.monotonic() + IDLE
                while not held and time.monotonic() < until:
                    held = "query" in self.leftovers(a.server.pid, {"query": WORDS["query"]})
                self.assertTrue(held, "the word was never seen: this test would see nothing")
                left = self.gone_within(a.server.pid, SECONDS, {"query": WORDS["query"]})
                self.assertFalse(left, f"a word is in memory after {SECONDS} s")
            finally:
                connection.close()

    def test_what_was_looked_at_is_gone_from_memory(self):
        with Archive("--tsa", "builtin") as a:
            token = a.json("source", "add", "live", "--kind", "http")["token"]
            a.run("source", "add", "files", "--kind", "import")
            a.serve()
            content = base64.b64encode((WORDS["attachment"] + " ").encode() * 3000).decode()
            self.assertEqual(a.push("live", token, [
                event("1", WORDS["body"] + " und " + WORDS["short"], subject=WORDS["subject"],
                      sender={"id": "u1", "name": WORDS["sender"]}, conversation={"id": "c1", "title": WORDS["title"]},
                      attachments=[{"name": WORDS["file"] + ".txt", "type": "text/plain", "content_base64": content}])])[0], 200)
            mail = a.folder / "mail.eml"
            mail.write_text(f"From: a@x.example\r\nTo: b@x.example\r\nSubject: eins\r\n\r\n{WORDS['mail']}\r\n")
            a.run("ingest", "--source", "files", mail)
            a.until(lambda: a.json("status")["coverage"]["deferred"] == 0)
            matter = a.matter(WORDS["matter"])
            hits = [a.json("search", "--matter", matter, WORDS[w])["hits"][0]["record"] for w in ("body", "attachment", "mail")]
            self.assertEqual(a.json("search", "--matter", matter, WORDS["query"])["total"], 0)
            for hit in hits:
                a.run("show", "--matter", matter, hit)
            a.run("export", "--matter", matter, "--query", WORDS["body"], "--out", a.folder / "bundle.pdf")
            browser = Browser(a)
            browser.get("/login")
            browser.log_in("admin", a.password)
            browser.get("/search")
            _, _, page = browser.post("/search", matter=matter, query=WORDS["body"], sort="date")
            self.assertIn(WORDS["subject"], page)
            pid = a.server.pid
            left = self.gone_within(pid, SECONDS)
            self.assertFalse(left, f"{len(left)} words are in memory after {SECONDS} s")


if __name__ == "__main__":
    unittest.main(verbosity=2)
