"""Archives of a real Prosody, pulled live: everything is sealed exactly once, over kills, expiry and restarts; files come
from the hosts that are named, and a certificate that is not trusted gets no password."""
import os
import random
import subprocess
import threading
import time
import unittest
from pathlib import Path

import prosody
from hostile_xmpp import HostileServer, end, result
from kustos import Archive

ROUNDS = int(os.environ.get("KUSTOS_XMPP_ROUNDS", "6"))  # of kill -9
PER_ROUND = 60  # messages


@unittest.skipIf(prosody.why_not(), prosody.why_not())
class XmppStream(unittest.TestCase):
    def begin(self, archive_limit=100_000, **settings):
        self.prosody = prosody.Prosody(("archive", "anna", "bert"), archive_limit)
        self.addCleanup(self.prosody.stop)
        self.a = Archive("--tsa", "builtin")
        self.addCleanup(self.a.__exit__)
        self.settings = self.a.json("source", "add", "chat", "--kind", "xmpp")["settings"]
        password, accounts = self.a.folder / "password", self.a.folder / "accounts"
        password.write_text(self.prosody.passwords["archive"] + "\n")
        accounts.write_text(f"# others\nanna@{prosody.DOMAIN} {self.prosody.passwords['anna']}\n")
        for file in (password, accounts):
            file.chmod(0o600)
        known = {"server": "127.0.0.1", "port": self.prosody.port, "ca_file": self.prosody.ca, "jid": f"archive@{prosody.DOMAIN}",
                 "password_file": password, "accounts_file": accounts, "rooms": f'["bauamt@{prosody.ROOMS}"]', "history": "yes",
                 "interval_seconds": 1, "page_size": 20, **settings}
        with open(self.settings, "w", encoding="utf-8") as file:
            file.write("".join(f"{key}: {value}\n" for key, value in known.items()))

    def records(self):
        return self.a.json("status")["records"]

    def entries(self, action):
        return self.a.json("audit", "list", "--action", action, "--source", "chat")["entries"]

    def findings(self):
        return {e["rows"]["code"]: e["rows"]["count"] for e in self.entries("finding")}

    def stream(self):
        return next(s for s in self.a.json("status")["sources"] if s["name"] == "chat")

    def whole(self, records):
        self.a.until(lambda: self.records() >= records, 60 + records // 20)  # Prosody reads a whole archive for each page
        self.a.stop()
        status = self.a.json("status")
        self.assertEqual((status["records"], status["quarantined"]), (records, 0))
        self.assertEqual(self.a.verify()[0], 0)

    def test_what_people_say_is_sealed_once_with_corrections_retractions_and_files(self):
        self.begin()
        with open(self.settings, "a", encoding="utf-8") as file:
            file.write(f'media_hosts: ["localhost:{self.prosody.https_port}"]\nmedia_ca_file: {self.prosody.ca}\n')
        anna, bert = self.prosody.client("anna"), self.prosody.client("bert")
        room = anna.join("bauamt")
        bert.join("bauamt")
        self.a.serve()
        bert.text(f"anna@{prosody.DOMAIN}", "Guten Tag, Anna <&>")
        first = bert.text(room, "Der Plan hängt aus.", "groupchat")
        bert.message(room, f"<body>Der Plan hängt im Foyer aus.</body><replace xmlns='urn:xmpp:message-correct:0' id='{first}'/>", "groupchat")
        mine = anna.text(f"bert@{prosody.DOMAIN}", "falsch")
        anna.message(f"bert@{prosody.DOMAIN}", f"<retract xmlns='urn:xmpp:message-retract:1' id='{mine}'/><store xmlns='urn:xmpp:hints'/>")
        bert.message(f"anna@{prosody.DOMAIN}", f"<reactions xmlns='urn:xmpp:reactions:0' id='{mine}'><reaction>👍</reaction></reactions>"
                     "<store xmlns='urn:xmpp:hints'/>")
        link = anna.upload("Plan.pdf", b"%PDF-1.7 Plan" * 1000)
        anna.message(f"bert@{prosody.DOMAIN}", f"<body>{link}</body><x xmlns='jabber:x:oob'><url>{link}</url></x>")
        anna.message(f"bert@{prosody.DOMAIN}", "<body>https://fern.example/x.pdf</body><x xmlns='jabber:x:oob'><url>https://fern.example/x.pdf</url></x>")
        anna.message(f"bert@{prosody.DOMAIN}", "<encrypted xmlns='eu.siacs.conversations.axolotl'><payload>AAAA</payload></encrypted>"
                     "<encryption xmlns='urn:xmpp:eme:0' namespace='eu.siacs.conversations.axolotl'/><store xmlns='urn:xmpp:hints'/>")
        for client in (anna, bert):
            client.sync()
        self.a.until(lambda: self.records() >= 9, 60)
        self.a.until(lambda: self.findings() == {"xmpp:file-missing": "1"})
        counts = self.stream()["counts"]
        self.whole(9)
        self.assertEqual({k: v for k, v in counts.items() if k.startswith(("kind:", "attachment"))},
                         {"kind:chat": 4, "kind:file": 2, "kind:edit": 1, "kind:delete": 1, "kind:reaction": 1, "attachment": 2, "attachment-missing": 1})
        self.assertNotIn("Plan", self.a.err.read_text())
        self.assertNotIn(self.prosody.passwords["archive"], self.a.err.read_text())

    def test_kills_at_any_moment_seal_everything_exactly_once(self):
        self.begin(page_size=15)
        anna, bert = self.prosody.client("anna"), self.prosody.client("bert")
        room = anna.join("bauamt")
        bert.join("bauamt")
        self.a.serve()
        sent, ahead, middle = 0, 0, 0

        def talk():
            for n in range(PER_ROUND):
                if n % 3:
                    bert.text(room, f"Raum {sent} {n}", "groupchat")
                else:
                    bert.text(f"anna@{prosody.DOMAIN}", f"Anna {sent} {n}")
            bert.sync()

        for _ in range(ROUNDS):
            talker = threading.Thread(target=talk)
            talker.start()
            time.sleep(random.uniform(0, 1.2))
            self.a.kill()
            talker.join()
            sent += PER_ROUND
            known = self.records()
            ahead += known < sent
            middle += known % PER_ROUND != 0
            self.a.serve()
        self.whole(sent)
        print(f"{ROUNDS} kills, {ahead} of them with messages still at the server, {middle} in the middle of a pull, {sent} messages")
        self.assertEqual(self.entries("finding"), [])  # no gap, and nothing less than Prosody counts
        self.assertGreater(len(self.entries("promise_made")), 1)

    def test_what_the_server_has_trimmed_is_a_gap_and_the_rest_is_sealed(self):
        self.begin(archive_limit=50, rooms="[]")
        bert = self.prosody.client("bert")
        anna = f"anna@{prosody.DOMAIN}"
        self.a.serve()
        for n in range(10):
            bert.text(anna, f"vorher {n}")
        bert.sync()
        self.a.until(lambda: self.records() == 10, 60)
        self.a.stop()
        for n in range(120):  # more than the archive holds: the server throws the oldest away
            bert.text(anna, f"nachher {n}")
        bert.sync()
        self.a.serve()
        self.a.until(lambda: self.findings().get("xmpp:gap") == "1", 60)
        for n in range(5):
            bert.text(anna, f"danach {n}")
        bert.sync()
        self.a.until(lambda: self.records() >= 60, 60)
        self.whole(self.records())
        self.assertLess(self.records(), 135)
        self.assertEqual([e["rows"]["code"] for e in self.entries("finding")], ["xmpp:gap"])

    def test_it_goes_on_when_the_server_was_away_and_says_what_is_wrong_until_then(self):
        self.begin(history="no")
        bert = self.prosody.client("bert")
        bert.text(f"anna@{prosody.DOMAIN}", "vor der Quelle")
        bert.sync()
        time.sleep(2)  # servers keep whole seconds
        self.prosody.end()
        self.a.serve()
        self.a.until(lambda: "can't be reached" in str(self.stream()), 60)
        self.prosody.start()
        bert = self.prosody.client("bert")
        bert.text(f"anna@{prosody.DOMAIN}", "wieder da")
        bert.sync()
        self.whole(1)

    def test_nobody_gets_the_password_without_a_certificate_that_is_trusted(self):
        self.begin()
        other = self.a.folder / "other"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                        f"/CN={prosody.DOMAIN}", "-out", other, "-keyout", self.a.folder / "other.key"], check=True, capture_output=True)
        text = Path(self.settings).read_text(encoding="utf-8")
        with open(self.settings, "w", encoding="utf-8") as file:
            file.write(text.replace(f"ca_file: {self.prosody.ca}", f"ca_file: {other}"))
        self.a.serve()
        self.a.until(lambda: "certificate" in str(self.stream()), 60)
        self.assertNotIn("Authenticated", (self.prosody.folder / "data" / "prosody.log").read_text())

    def test_a_wrong_password_and_a_room_that_is_refused_are_said_and_the_rest_goes_on(self):
        self.begin(tls="direct")
        text = Path(self.settings).read_text(encoding="utf-8")
        text = text.replace(f"port: {self.prosody.port}", f"port: {self.prosody.direct_port}")
        text = text.replace(f'"bauamt@{prosody.ROOMS}"', f'"bauamt@{prosody.ROOMS}", "keiner@{prosody.ROOMS}"')
        with open(self.settings, "w", encoding="utf-8") as file:
            file.write(text)
        accounts = self.a.folder / "accounts"
        accounts.write_text(f"bert@{prosody.DOMAIN} falsch\n{accounts.read_text()}")
        bert = self.prosody.client("bert")
        room = bert.join("bauamt")
        bert.text(room, "Raum", "groupchat")
        bert.text(f"anna@{prosody.DOMAIN}", "Anna")
        bert.sync()
        self.a.serve()
        self.a.until(lambda: "refuses the login" in str(self.stream()), 60)
        self.a.until(lambda: self.findings() == {"xmpp:no-access": "1"})
        self.whole(2)


class HostileXmpp(unittest.TestCase):
    def begin(self, say):
        self.a = Archive("--tsa", "builtin")
        self.addCleanup(self.a.__exit__)
        self.server = HostileServer(self.a.folder, say)
        self.addCleanup(self.server.close)
        password = self.a.folder / "password"
        password.write_text("geheim")
        password.chmod(0o600)
        settings = self.a.json("source", "add", "chat", "--kind", "xmpp")["settings"]
        Path(settings).write_text(f"server: 127.0.0.1\nport: {self.server.port}\ntls: direct\nca_file: {self.server.crt}\njid: archive@amt.example\n"
                                  f"password_file: {password}\nhistory: yes\ninterval_seconds: 1\npage_size: 5\ntimeout_seconds: 5\n", encoding="utf-8")
        self.a.serve()

    def says(self, *words):
        self.a.until(lambda: any(w in self.a.json("status")["sources"][0]["stream"]["problem"] for w in words), 60)

    def test_what_a_hostile_server_says_ends_the_session_with_words_and_nothing_else(self):
        pieces, words = [], {
            "too large": lambda q: iter(["<message>"] + ["x" * 65536] * 100),
            "too deep": lambda q: iter(["<a>" * 1000]),
            "document type": lambda q: iter(["<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;'>]>"]),
            "comment": lambda q: iter(["<message><!-- x --></message>"]),
            "more than was asked": lambda q: (result(n) for n in range(10)),
            "one id twice": lambda q: iter([result(1), result(1), end(q, 1)]),
            "empty page": lambda q: iter([end(q, "")]),
            "another stanza": lambda q: iter([result(1), end(q, 2)]),
            "did not answer": lambda q: (result(1, "drip" + str(n)) if n < 2 else time.sleep(1) or " " for n in range(100)),
            "ended the session": lambda q: iter(["</stream:stream>"]),
            "is no XML": lambda q: iter(["<message <<<"]),
        }
        self.begin(lambda query: pieces[0](query))
        for word, say in words.items():
            with self.subTest(word):
                pieces[:] = [say]
                # At once, not after minutes of waiting for another try.
                self.a.stop()
                self.a.serve()
                self.says(word)
        self.assertLess(self.a.json("status")["records"], 5)
        pieces[:] = [lambda q: iter([result("good"), end(q, "good", " complete='true'")])]
        self.a.stop()
        self.a.serve()
        self.a.until(lambda: self.a.json("status")["sources"][0]["stream"]["state"] == "running" and self.server.logins > 10, 60)
        self.a.until(lambda: self.a.json("status")["sources"][0]["records"] >= 1, 60)
        self.a.stop()
        self.assertEqual(self.a.verify()[0], 0)


if __name__ == "__main__":
    unittest.main()
