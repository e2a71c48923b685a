"""Mails by LMTP and SMTP, live: a real Postfix that delivers, and clients that speak to the listener themselves."""
import base64
import hashlib
import random
import shutil
import smtplib
import socket
import ssl
import subprocess
import threading
import time
import unittest

import postfix
from kustos import Archive, free_port


def mail(number, body="guten Tag"):
    return (f"From: a@example.test\r\nTo: b@example.test\r\nSubject: {number}\r\nMessage-ID: <{number}@example.test>\r\n"
            f"Date: Mon, 2 Mar 2026 10:00:00 +0100\r\n\r\n{body}\r\n")


class Listener(unittest.TestCase):
    def begin(self, **settings):
        self.a = Archive("--tsa", "builtin")
        self.addCleanup(self.a.__exit__)
        self.lmtp = free_port()
        file = self.a.json("source", "add", "journal", "--kind", "lmtp")["settings"]
        with open(file, "w", encoding="utf-8") as out:
            out.write(f'listen: "127.0.0.1:{self.lmtp}"\n' + "".join(f"{k}: {v}\n" for k, v in settings.items()))

    def serve(self):
        self.a.serve()
        self.a.until(self.listening)

    def listening(self):
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.lmtp)) == 0

    def records(self):
        return self.a.json("status")["records"]

    def certificate(self, name):
        crt, key = self.a.folder / f"{name}.crt", self.a.folder / f"{name}.key"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                        "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-out", crt,
                        "-keyout", key], check=True, capture_output=True)
        key.chmod(0o600)
        return crt, key

    def context(self, server, client=None):
        context = ssl.create_default_context(cafile=server[0])
        context.check_hostname = False
        if client:
            context.load_cert_chain(*client)
        return context


@unittest.skipIf(postfix.why_not(), postfix.why_not())
class WithPostfix(Listener):
    def setUp(self):
        self.begin(recipients='["archive@archive.test"]')
        self.postfix = postfix.Postfix(self.lmtp)
        self.addCleanup(self.postfix.stop)

    def send(self, numbers):
        with smtplib.SMTP("127.0.0.1", self.postfix.port, timeout=60) as client:
            for number in numbers:
                client.sendmail("a@example.test", ["b@example.test", "hidden@example.test"], mail(number))

    def test_each_mail_arrives_once_and_waits_while_the_source_is_paused(self):
        self.serve()
        self.send(range(60))
        self.a.until(lambda: self.records() == 60)
        self.a.run("source", "pause", "journal")
        self.send(range(100, 110))
        self.a.until(lambda: len(set(self.postfix.deliveries("deferred"))) == 10)
        self.assertIn("451 4.3.1", self.postfix.log.read_text())
        self.assertEqual(self.records(), 60)
        self.a.run("source", "resume", "journal")
        self.postfix.retry_now()
        self.a.until(lambda: self.records() == 70 and self.postfix.waiting() == 0)
        self.assertEqual(len(set(self.postfix.deliveries("sent"))), 70)
        self.assertEqual(self.postfix.deliveries("bounced"), [])
        self.a.stop()
        self.assertEqual(self.a.verify()[0], 0)

    def test_it_delivers_under_tls_and_is_known_by_its_certificate(self):
        server, client = self.certificate("server"), self.certificate("client")
        der = ssl.PEM_cert_to_DER_cert(client[0].read_text())
        with open(self.a.path / "sources" / "journal.yaml", "a", encoding="utf-8") as out:
            out.write(f"require_tls: true\ntls_certificate: {server[0]}\ntls_key: {server[1]}\n"
                      f'client_certificates: ["{hashlib.sha256(der).hexdigest()}"]\n')
        self.serve()
        self.send([1])
        self.a.until(lambda: self.postfix.deliveries("deferred"))
        self.assertEqual(self.records(), 0)
        self.postfix.configure(f"lmtp_tls_security_level = encrypt\nlmtp_tls_cert_file = {client[0]}\n"
                               f"lmtp_tls_key_file = {client[1]}\n")
        self.send([2])
        self.a.until(lambda: len(self.postfix.deliveries("sent")) == 2, 120)  # the one that waited, too: Postfix decides when
        self.assertEqual((self.records(), self.postfix.deliveries("bounced")), (2, []))

    def test_kills_in_the_middle_of_deliveries_lose_nothing_and_seal_nothing_twice(self):
        self.serve()
        sent, rounds, middle, until = 0, 0, 0, time.monotonic() + 60
        while rounds < 50 and time.monotonic() < until:
            sender = threading.Thread(target=self.send, args=(range(sent, sent + 12),))
            sender.start()
            sent += 12
            time.sleep(random.uniform(0, 0.15))
            middle += sender.is_alive() or self.postfix.waiting() > 0
            self.a.kill()
            self.a.serve()
            sender.join()
            self.postfix.retry_now()
            rounds += 1
        self.postfix.retry_now()
        self.a.until(lambda: self.postfix.waiting() == 0, 90)
        self.assertEqual(len(set(self.postfix.deliveries("sent"))), sent)
        self.a.stop()
        status = self.a.json("status")
        print(f"{rounds} kills, {middle} of them with mails on their way, {sent} mails, "
              f"{len(self.postfix.deliveries('deferred'))} deliveries put off")
        self.assertGreater(middle, 3)
        self.assertEqual((status["records"], status["quarantined"]), (sent, 0))
        self.assertEqual(self.a.verify()[0], 0)


class Direct(Listener):
    @staticmethod
    def deliver(client, recipients, content):
        """The answer for each recipient (smtplib reads only one)."""
        client.docmd("MAIL", "FROM:<a@example.test>")
        for recipient in recipients:
            client.docmd("RCPT", f"TO:<{recipient}>")
        client.docmd("DATA")
        client.send(content.encode() + b".\r\n")
        return [client.getreply()[0] for _ in recipients]

    def test_what_is_answered_with_250_is_sealed_with_its_envelope(self):
        self.begin()
        self.serve()
        with smtplib.LMTP("127.0.0.1", self.lmtp, timeout=60) as client:
            client.ehlo()
            for _ in range(2):  # the second time it is known, and so is its envelope
                self.assertEqual(self.deliver(client, ["b@example.test", "hidden@example.test"], mail(1)), [250, 250])
            self.assertEqual(self.records(), 2)  # the mail, and who got it
            self.assertEqual(self.deliver(client, ["late@example.test"], mail(1)), [250])
            self.assertEqual(self.records(), 3)  # another envelope of the same mail
        self.a.stop()
        self.assertEqual(self.a.verify()[0], 0)

    def test_sizes_chunks_and_wrong_recipients(self):
        self.begin(protocol="smtp", max_size_mib=12, recipients='["archive@archive.test"]')
        self.serve()
        with smtplib.SMTP("127.0.0.1", self.lmtp, timeout=60) as client:
            client.ehlo()
            self.assertEqual(int(client.esmtp_features["size"]), 12 << 20)
            self.assertEqual(client.docmd("MAIL", f"FROM:<a@example.test> SIZE={13 << 20}")[0], 552)
            with self.assertRaises(smtplib.SMTPRecipientsRefused):
                client.sendmail("a@example.test", ["other@example.test"], mail(1))
            client.rset()
            content = mail(2).encode()
            client.docmd("MAIL", "FROM:<a@example.test>")
            client.docmd("RCPT", "TO:<archive@archive.test>")
            client.send(b"BDAT 10\r\n" + content[:10])
            self.assertEqual(client.getreply()[0], 250)
            self.assertEqual(self.records(), 0)
            client.send(b"BDAT %d LAST\r\n" % (len(content) - 10) + content[10:])
            self.assertEqual(client.getreply()[0], 250)
            self.assertEqual(self.records(), 1)
            # Larger than is held: it is spooled, and read all the same.
            large = base64.encodebytes(random.Random(1).randbytes(8 << 20)).decode().replace("\n", "\r\n")
            head = mail(3, "").replace("\r\n\r\n", "\r\nMIME-Version: 1.0\r\nContent-Type: application/octet-stream\r\n"
                                       "Content-Transfer-Encoding: base64\r\n\r\n", 1)
            client.sendmail("a@example.test", ["archive@archive.test"], head + large)
            with self.assertRaises(smtplib.SMTPDataError) as refused:
                client.esmtp_features.pop("size")
                client.sendmail("a@example.test", ["archive@archive.test"], head + large + large)
            self.assertEqual(refused.exception.smtp_code, 552)
        self.assertEqual(self.records(), 2)
        self.a.stop()
        status = self.a.json("status")
        self.assertEqual(status["quarantined"], 0)
        self.assertEqual(self.a.verify()[0], 0)

    def test_who_may_deliver_says_so_under_tls(self):

        self.begin()
        server, client_pair, stranger = self.certificate("server"), self.certificate("client"), self.certificate("stranger")
        users = self.a.folder / "users"
        users.write_text("journal:" + hashlib.sha256(b"from a machine").hexdigest() + "\n")
        users.chmod(0o600)
        der = ssl.PEM_cert_to_DER_cert(client_pair[0].read_text())
        (self.a.path / "sources" / "journal.yaml").write_text(
            f'listen: "127.0.0.1:{self.lmtp}"\nprotocol: smtp\nrequire_tls: true\ntls_certificate: {server[0]}\n'
            f'tls_key: {server[1]}\nusers: {users}\nclient_certificates: ["{hashlib.sha256(der).hexdigest()}"]\n'
            'recipients: ["archive@archive.test"]\n')
        self.serve()

        def open_(certificate=None, tls=True):
            client = smtplib.SMTP("127.0.0.1", self.lmtp, timeout=60)
            self.addCleanup(client.close)
            client.ehlo()
            if tls:
                self.assertEqual(client.starttls(context=self.context(server, certificate))[0], 220)
                client.ehlo()
            return client

        plain = open_(tls=False)
        self.assertEqual(plain.docmd("MAIL", "FROM:<a@example.test>")[0], 451)
        self.assertEqual(plain.docmd("AUTH", "PLAIN AGpvdXJuYWwAZnJvbSBhIG1hY2hpbmU=")[0], 538)
        for certificate in (None, stranger):
            unknown = open_(certificate)
            self.assertEqual(unknown.docmd("MAIL", "FROM:<a@example.test>")[0], 451)
            with self.assertRaises(smtplib.SMTPAuthenticationError):
                unknown.login("journal", "guessed")
        user = open_()
        user.login("journal", "from a machine")
        self.assertEqual(user.sendmail("a@example.test", ["archive@archive.test"], mail(1)), {})
        known = open_(client_pair)
        self.assertEqual(known.sendmail("a@example.test", ["archive@archive.test"], mail(2)), {})
        self.assertEqual(self.records(), 2)

    def test_an_old_client_that_smuggles_gets_nothing_through(self):
        self.begin(protocol="smtp", recipients='["archive@archive.test"]')
        self.serve()
        with smtplib.SMTP("127.0.0.1", self.lmtp, timeout=60) as client:
            client.ehlo()
            client.docmd("MAIL", "FROM:<a@example.test>")
            client.docmd("RCPT", "TO:<archive@archive.test>")
            client.docmd("DATA")
            client.send(mail(1).encode() + b"\n.\nMAIL FROM:<evil@example.test>\r\nRCPT TO:<archive@archive.test>\r\n"
                        b"DATA\r\n" + mail(2).encode() + b"\r\n.\r\n")
            self.assertEqual(client.getreply()[0], 250)
            self.assertEqual(client.noop()[0], 250)
        self.assertEqual(self.records(), 1)

    def test_one_client_that_opens_all_it_can_leaves_room_for_others(self):
        self.begin(max_connections=8, max_per_client=5)
        self.serve()
        flood, refused = [], 0
        for _ in range(200):  # and keeps each
            client = socket.create_connection(("127.0.0.1", self.lmtp), timeout=30)
            self.addCleanup(client.close)
            greeting = client.recv(1000)
            flood.append(client) if greeting.startswith(b"220") else client.close()
            refused += greeting.startswith(b"421 4.7.0")
        self.assertEqual((len(flood), refused), (5, 195))
        with smtplib.LMTP("127.0.0.1", self.lmtp, timeout=30, source_address=("127.0.0.2", 0)) as other:
            self.assertEqual(other.noop()[0], 250)
        flood.pop().close()
        self.connect_when_there_is_room().close()

    def connect_when_there_is_room(self):
        """A connection that was cut off keeps its place until its thread has ended."""
        until = time.monotonic() + 20
        while True:
            try:
                return smtplib.LMTP("127.0.0.1", self.lmtp, timeout=30)
            except smtplib.SMTPConnectError as turned_away:
                if turned_away.smtp_code != 421 or time.monotonic() > until:
                    raise
                time.sleep(0.05)

    def test_who_says_nothing_or_drips_is_cut_off_and_others_go_on(self):
        self.begin(timeout_seconds=2, max_connections=2)
        self.serve()
        slow = socket.create_connection(("127.0.0.1", self.lmtp), timeout=30)
        self.addCleanup(slow.close)
        began, received = time.monotonic(), b""
        try:
            while time.monotonic() - began < 20:
                slow.sendall(b"N")
                slow.settimeout(0.3)
                try:
                    piece = slow.recv(1000)
                    if not piece:
                        break
                    received += piece
                except TimeoutError:
                    pass
        except OSError:
            pass
        self.assertLess(time.monotonic() - began, 10)
        self.assertIn(b"421 4.4.2", received)
        slow.close()
        first, second = (self.connect_when_there_is_room() for _ in range(2))
        with self.assertRaises(smtplib.SMTPConnectError) as third:
            smtplib.LMTP("127.0.0.1", self.lmtp, timeout=30)
        self.assertEqual(third.exception.smtp_code, 421)
        began = time.monotonic()
        self.a.stop()  # with both connected
        self.assertLess(time.monotonic() - began, 10)
        for client in (first, second):
            self.assertIn(b"421", client.file.readline() if client.file else client.sock.recv(1000))
            client.close()


if __name__ == "__main__":
    unittest.main()
