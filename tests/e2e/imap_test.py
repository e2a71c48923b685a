"""A journal mailbox, live: a real Dovecot, and mail servers that lie."""
import base64
import os
import random
import re
import socket
import threading
import time
import unittest

import dovecot
from kustos import Archive, free_port

ROUNDS = int(os.environ.get("KUSTOS_KILL_ROUNDS", "6"))


def mail(number, body="guten Tag"):
    return (f"From: a@example.test\r\nTo: b@example.test\r\nSubject: {number}\r\nMessage-ID: <{number}@example.test>\r\n"
            f"Date: Mon, 2 Mar 2026 10:00:00 +0100\r\n\r\n{body}\r\n").encode()


def large_mail(number, mib):
    content = base64.encodebytes(random.Random(number).randbytes(mib << 20)).replace(b"\n", b"\r\n")
    head = mail(number, "").replace(b"\r\n\r\n", b"\r\nMIME-Version: 1.0\r\nContent-Type: application/octet-stream\r\n"
                                    b"Content-Transfer-Encoding: base64\r\n\r\n", 1)
    return head + content


def report(number):
    """An Exchange journal report: the mail in it and who really got it are two records."""
    return (f"From: postmaster@example.test\r\nTo: journal@example.test\r\nSubject: report\r\n"
            f"Message-ID: <r{number}@example.test>\r\nX-MS-Journal-Report:\r\nMIME-Version: 1.0\r\n"
            f'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n'
            f"Sender: a@example.test\r\nSubject: {number}\r\nMessage-Id: <{number}@example.test>\r\n"
            f"To: b@example.test\r\nBcc: hidden@example.test\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n"
            ).encode() + mail(number) + b"\r\n--b--\r\n"


class Mailbox(unittest.TestCase):
    def begin(self, server, port, **settings):
        self.a = Archive("--tsa", "builtin")
        self.addCleanup(self.a.__exit__)
        secret = self.a.folder / "secret"
        secret.write_text("from a machine\n")
        secret.chmod(0o600)
        self.settings = {"server": server, "port": port, "user": "journal", "password_file": secret,
                         "interval_seconds": 1, **settings}
        self.file = self.a.json("source", "add", "journal", "--kind", "imap")["settings"]
        self.write()

    def write(self):
        with open(self.file, "w", encoding="utf-8") as out:
            out.write("".join(f"{k}: {v}\n" for k, v in self.settings.items()))

    def config(self, **values):
        file = self.a.path / "config.yaml"
        text = file.read_text()
        for key, value in values.items():
            text = re.sub(rf"^(\s*{key}:).*$", rf"\1 {value}", text, flags=re.M)
        file.write_text(text)

    def records(self):
        return self.a.json("status")["records"]

    def source(self):
        return self.a.json("status")["sources"][0]

    def problem(self):
        return self.source().get("stream", {}).get("problem", "")

    def findings(self):
        out = {}
        for f in self.a.json("source", "findings", "journal"):
            out[f["code"]] = out.get(f["code"], 0) + f["count"]
        return out

    def entries(self, action):
        return self.a.json("audit", "list", "--action", action)["entries"]


@unittest.skipIf(dovecot.why_not(), dovecot.why_not())
class WithDovecot(Mailbox):
    def setUp(self):
        self.dovecot = dovecot.Dovecot()
        self.addCleanup(self.dovecot.stop)
        self.begin("127.0.0.1", self.dovecot.tls_port, ca_file=self.dovecot.certificate)

    def test_mails_are_sealed_once_and_the_mailbox_stays_as_it_is(self):
        self.dovecot.append(map(mail, range(30)))
        self.dovecot.append([mail(30), report(31)], flags="\\Seen \\Flagged")
        self.dovecot.append([large_mail(40, 9), b"\0\1\2"])
        before = self.dovecot.mails()
        self.a.serve()
        self.a.until(lambda: self.records() == 35)  # the report is two
        self.dovecot.append([mail(1), mail(50)])  # one that is known
        self.a.until(lambda: self.records() == 36)
        counts = self.source()["counts"]
        self.assertEqual((counts["kind:mail"], counts["kind:envelope"], counts["kind:unreadable"]), (34, 1, 1))
        self.assertEqual(counts["duplicate"], 1)
        after = self.dovecot.mails()
        self.assertEqual(after[:len(before)], before)
        self.assertEqual([m for m in after if b"\\Seen" in m[0]][2:], [])
        self.assertEqual(self.findings(), {})
        self.a.stop()
        self.assertEqual(self.a.verify()[0], 0)

    def test_starttls_is_a_must_and_only_a_trusted_certificate_will_do(self):
        self.dovecot.append([mail(1)])
        self.settings.update(port=self.dovecot.port, tls="starttls")
        self.write()
        self.a.serve()
        self.a.until(lambda: self.records() == 1)
        self.a.stop()
        other = dovecot.Dovecot()
        self.addCleanup(other.stop)
        for problem, change in (("shows a certificate that is not trusted", {"ca_file": other.certificate}),
                                ("refuses the login", {"ca_file": self.dovecot.certificate, "user": "stranger"})):
            self.settings.update(change)
            self.write()
            self.a.serve()
            self.a.until(lambda: self.problem() == "the mail server " + problem)  # pylint: disable=cell-var-from-loop
            self.a.stop()

    def test_kills_in_the_middle_lose_nothing_and_seal_nothing_twice(self):
        self.settings["batch"] = 7
        self.write()
        self.a.serve()
        sent, middle = 0, 0
        for _ in range(ROUNDS):
            sender = threading.Thread(target=self.dovecot.append, args=([mail(n) for n in range(sent, sent + 40)],))
            sender.start()
            sent += 40
            time.sleep(random.uniform(0, 0.5))
            middle += self.sealed_so_far() < sent
            self.a.kill()
            sender.join()
            self.a.serve()
        self.a.until(lambda: self.records() == sent, 60)
        self.a.stop()
        print(f"{ROUNDS} kills, {middle} of them with mails on their way, {sent} mails")
        self.assertGreater(middle, 0)
        self.assertEqual((self.records(), self.findings()), (sent, {}))
        self.assertEqual(len(self.dovecot.mails()), sent)
        self.assertEqual(self.a.verify()[0], 0)

    def sealed_so_far(self):
        done = self.a.call("--json", "status")
        return int(re.search(r'"records":(\d+)', done.stdout).group(1)) if done.returncode == 0 else 0

    def test_a_mailbox_that_is_numbered_anew_is_read_anew_and_nothing_is_sealed_twice(self):
        self.dovecot.append(map(mail, range(25)))
        self.a.serve()
        self.a.until(lambda: self.records() == 25)
        self.a.stop()
        time.sleep(1.1)  # Dovecot's UIDVALIDITY is the second
        self.dovecot.number_anew()
        self.dovecot.append([mail(100)])
        self.a.serve()
        self.a.until(lambda: self.records() == 26)
        self.a.until(lambda: self.source()["counts"].get("duplicate") == 25)
        self.assertEqual(self.findings(), {})
        self.a.stop()
        self.assertEqual(self.a.verify()[0], 0)

    def test_mails_that_somebody_removed_before_they_were_fetched_are_found(self):
        self.dovecot.append(map(mail, range(5)))
        self.dovecot.remove([2])
        self.a.serve()
        self.a.until(lambda: self.records() == 4)
        self.assertEqual(self.findings(), {})  # what was before the first look proves nothing
        self.a.stop()
        self.dovecot.append(map(mail, range(10, 16)))
        self.dovecot.remove([6, 7, 10])
        self.a.serve()
        self.a.until(lambda: self.records() == 7)
        self.a.until(lambda: self.findings() == {"imap:uid-gap": 3})
        self.a.stop()
        self.assertEqual(self.a.verify()[0], 0)

    def test_mails_are_deleted_only_when_proven_sealed_and_nobody_elses_deletions_are_carried_out(self):
        self.config(interval_seconds=3600)  # a checkpoint is published a second behind a start, and not again
        self.settings.update(after_proof="delete", keep_days=0)
        self.write()
        self.a.serve()
        time.sleep(2)
        self.dovecot.append([mail(1), large_mail(2, 1), b"\0\1\2"])
        self.dovecot.append([mail(3)], flags="\\Deleted")  # somebody else's mark
        self.a.until(lambda: self.records() == 4)
        time.sleep(2.5)  # rounds go by
        self.assertEqual(self.dovecot.count(), 4)
        self.assertEqual(self.entries("source_cleared"), [])
        self.a.kill()
        self.a.serve()
        self.a.until(lambda: self.dovecot.count() == 1)
        self.a.until(lambda: self.source()["stream"]["state"] == "running")
        self.assertIn(b"\1\2", self.dovecot.mails()[0][1])  # what could not be read stays
        cleared = self.entries("source_cleared")
        self.assertEqual([e["rows"]["count"] for e in cleared], [3])
        self.dovecot.append([mail(4)], flags="\\Deleted")
        self.a.until(lambda: self.records() == 5)
        self.assertEqual(self.findings(), {})
        self.a.stop()
        self.assertEqual(self.a.verify()[0], 0)

    def test_what_is_no_longer_on_our_disk_as_it_was_sealed_stays_in_the_mailbox(self):
        self.config(interval_seconds=3600)
        self.settings.update(after_proof="delete", keep_days=0)
        self.write()
        self.a.serve()
        time.sleep(2)
        self.dovecot.append(map(mail, range(3)))
        self.a.until(lambda: self.records() == 3)
        self.a.kill()
        for file in (self.a.path / "vault" / "segments").iterdir():
            content, at = bytearray(file.read_bytes()), 0
            while at + 8 <= len(content):
                size = int.from_bytes(content[at:at + 8], "big")
                if size > 0:
                    content[at + 8] ^= 1
                at += 8 + size
            file.write_bytes(content)
        self.a.serve()
        self.a.until(self.findings)
        self.assertEqual(self.findings(), {"imap:not-proven": 3})
        self.assertEqual(self.dovecot.count(), 3)
        self.assertEqual(self.entries("source_cleared"), [])

    def test_mails_are_moved_where_the_settings_say_so(self):
        with self.dovecot.client() as client:
            client.create("Archiviert")
        self.config(interval_seconds=1)
        self.settings.update(after_proof="move", move_to="Archiviert", keep_days=0)
        self.write()
        self.dovecot.append(map(mail, range(12)), flags="\\Flagged")
        self.a.serve()
        self.a.until(lambda: self.dovecot.count("Archiviert") == 12)
        self.assertEqual(self.dovecot.count(), 0)
        self.assertTrue(all(b"\\Flagged" in m[0] and b"\\Seen" not in m[0] for m in self.dovecot.mails("Archiviert")))
        self.assertEqual(self.records(), 12)


class Liar(threading.Thread):
    """A mail server that lets itself be logged in to, and then does as it is told. One thread serves all."""

    def __init__(self, answers):
        super().__init__(daemon=True)
        self.answers, self.port, self.said = answers, free_port(), []
        self.socket = socket.create_server(("127.0.0.1", self.port))
        self.ended = False

    def run(self):
        while not self.ended:
            try:
                connection = self.socket.accept()[0]
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        try:
            with connection, connection.makefile("rb") as lines:
                connection.sendall(b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2] here\r\n")
                for line in lines:
                    self.said.append(line)
                    tag, verb = line.split()[0], line.split()[1].upper()
                    verb = verb + b" " + line.split()[2].upper() if verb == b"UID" else verb
                    if verb == b"AUTHENTICATE":
                        if len(line.split()) < 4:
                            connection.sendall(b"+ \r\n")
                            self.said.append(next(lines))
                        connection.sendall(tag + b" OK in\r\n")
                    elif verb == b"CAPABILITY":
                        connection.sendall(b"* CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2\r\n" + tag + b" OK\r\n")
                    elif callable(self.answers.get(verb)):
                        self.answers[verb](connection)
                    else:
                        answer = self.answers.get(verb, b"")
                        if answer is None:
                            continue
                        connection.sendall(answer + tag + b" OK\r\n")
        except (OSError, StopIteration, IndexError):
            pass

    def end(self):
        self.ended = True
        self.socket.close()


class WithLiars(Mailbox):
    box = {b"EXAMINE": b"* 1 EXISTS\r\n* OK [UIDVALIDITY 7] v\r\n* OK [UIDNEXT 2] n\r\n", b"UID SEARCH": b"* SEARCH 1\r\n",
           b"UID FETCH": b"* 1 FETCH (UID 1 BODY[] {%d}\r\n%s)\r\n" % (len(mail(1)), mail(1))}

    def liar(self, **settings):
        server = Liar({**self.box})
        self.addCleanup(server.end)
        server.start()
        self.begin("127.0.0.1", server.port, tls="none", timeout_seconds=1, **settings)
        return server

    def test_hostile_servers_are_told_of_and_take_neither_time_nor_memory(self):
        def flood(connection):
            while True:
                connection.sendall(b"x" * 65536)

        def drip(connection):
            while True:
                connection.sendall(b"x")
                time.sleep(0.2)
        server = self.liar(max_size_mib=1)
        server.answers[b"EXAMINE"] = None
        self.a.serve()
        cases = (
            ("the mail server did not answer in time", b"EXAMINE", None),
            ("the mail server's answer has a line without an end", b"EXAMINE", flood),
            ("the mail server is too slow", b"EXAMINE", drip),
            ("the mail server's answer names mails that nobody asked for", b"UID SEARCH", b"* SEARCH 1 99\r\n"),
            ("the mail server's answer brings a mail that nobody asked for", b"UID FETCH", b"* 1 FETCH (UID 9 BODY[] {1}\r\nx)\r\n"),
            ("the mail server did not answer in time", b"UID FETCH", b"* 1 FETCH (UID 1 BODY[] {9999}\r\nx)\r\n"),
        )
        for problem, verb, answer in cases:
            server.answers.update(self.box)
            server.answers[verb] = answer
            self.a.until(lambda: self.poke() and self.problem() == problem, 40)  # pylint: disable=cell-var-from-loop
        server.answers.update(self.box)
        server.answers[b"UID FETCH"] = b"* 1 FETCH (UID 1 BODY[] {99999999999}\r\n"
        self.a.until(lambda: self.poke() and self.findings() == {"imap:too-large": 1}, 40)
        server.answers.update({**self.box, b"EXAMINE": self.box[b"EXAMINE"].replace(b"UIDNEXT 2", b"UIDNEXT 3"),
                               b"UID SEARCH": b"* SEARCH 2\r\n",
                               b"UID FETCH": self.box[b"UID FETCH"].replace(b"UID 1", b"UID 2")})
        self.a.until(lambda: self.poke() and self.records() == 1, 40)
        with open(f"/proc/{self.a.server.pid}/status", encoding="utf-8") as status:
            peak = int(re.search(r"VmHWM:\s+(\d+) kB", status.read()).group(1)) // 1024
        print(f"peak memory {peak} MiB")
        self.assertLess(peak, 512)

    def poke(self):
        """The stream waits longer each time: a new start looks at once."""
        if time.monotonic() - getattr(self, "poked", 0) > 4:
            self.a.kill()
            self.a.serve()
            self.poked = time.monotonic()
        return True

    def test_a_token_is_shown_instead_of_a_password(self):
        server = self.liar()
        token = self.a.folder / "token"
        token.write_text("ya29.token\n")
        token.chmod(0o600)
        self.settings.pop("password_file")
        self.settings["token_file"] = token
        self.write()
        self.a.serve()
        self.a.until(lambda: self.records() == 1)
        shown = b"".join(server.said)
        self.assertIn(base64.b64encode(b"user=journal\x01auth=Bearer ya29.token\x01\x01"), shown)
        self.assertNotIn(b"from a machine", shown)


if __name__ == "__main__":
    unittest.main()
