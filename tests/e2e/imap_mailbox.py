"""What the tests of mailboxes that are read over IMAP share: mails, and an archive with such a source."""
import base64
import random
import re
import unittest

from kustos import Archive


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
