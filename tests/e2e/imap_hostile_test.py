"""Mail servers that lie, drip, flood, or say nothing."""
import base64
import os
import re
import socket
import threading
import time
import unittest

from kustos import free_port
from imap_mailbox import Mailbox, mail


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

    empty = {b"EXAMINE": b"* 0 EXISTS\r\n* OK [UIDVALIDITY 7] v\r\n* OK [UIDNEXT 1] n\r\n"}

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
        server.answers[b"EXAMINE"] = None  # a good round before the first lie would have taken the mail
        self.a.serve()
        for problem, verb, answer in (
                ("the mail server did not answer in time", b"EXAMINE", None),
                ("the mail server's answer has a line without an end", b"EXAMINE", flood),
                ("the mail server is too slow", b"EXAMINE", drip),
                ("the mail server's answer names mails that nobody asked for", b"UID SEARCH", b"* SEARCH 1 99\r\n"),
                ("the mail server's answer brings a mail that nobody asked for", b"UID FETCH",
                 b"* 1 FETCH (UID 9 BODY[] {1}\r\nx)\r\n"),
                ("the mail server did not answer in time", b"UID FETCH", b"* 1 FETCH (UID 1 BODY[] {9999}\r\nx)\r\n")):
            server.answers.update({**self.box, verb: answer})
            self.a.until(lambda: self.problem() == problem)  # pylint: disable=cell-var-from-loop
            server.answers.update(self.empty)  # a good round: the next try comes soon
            self.a.until(lambda: self.problem() == "")
        server.answers.update({**self.box, b"UID FETCH": b"* 1 FETCH (UID 1 BODY[] {99999999999}\r\n"})
        self.a.until(lambda: self.findings() == {"imap:too-large": 1})
        server.answers.update({b"EXAMINE": self.box[b"EXAMINE"].replace(b"UIDNEXT 2", b"UIDNEXT 3"),
                               b"UID SEARCH": b"* SEARCH 2\r\n",
                               b"UID FETCH": self.box[b"UID FETCH"].replace(b"UID 1", b"UID 2")})
        self.a.until(lambda: self.records() == 1)
        with open(f"/proc/{self.a.server.pid}/status", encoding="utf-8") as status:
            peak = int(re.search(r"VmHWM:\s+(\d+) kB", status.read()).group(1)) // 1024
        print(f"peak memory {peak} MiB")
        self.assertLess(peak, int(os.environ.get("KUSTOS_PEAK_MIB", "512")))

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
