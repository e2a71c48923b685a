"""A Matrix application service, live, against a player of a homeserver: everything is sealed exactly once, and what the
homeserver lost is found."""
import os
import random
import socket
import time
import unittest

from kustos import Archive, free_port
from matrix_player import AS_TOKEN, HS_TOKEN, Homeserver, SERVER

SECONDS = 60  # of rounds of kill -9


class MatrixStream(unittest.TestCase):
    def setUp(self):
        self.a = Archive("--tsa", "builtin")
        self.addCleanup(self.a.__exit__)
        self.hs = Homeserver()
        self.addCleanup(self.hs.close)
        self.settings = self.a.json("source", "add", "chat", "--kind", "matrix")["settings"]
        for name, token in (("hs", HS_TOKEN), ("as", AS_TOKEN)):
            path = self.a.folder / f"{name}.token"
            path.write_text(token + "\n")
            os.chmod(path, 0o600)
        self.port = free_port()
        with open(self.settings, encoding="utf-8") as file:
            text = file.read()
        for old, new in (("listen: 127.0.0.1:9009", f"listen: 127.0.0.1:{self.port}"),
                         ('hs_token_file: ""', f'hs_token_file: "{self.a.folder}/hs.token"'),
                         ('as_token_file: ""', f'as_token_file: "{self.a.folder}/as.token"'),
                         ('homeserver: "" ', f'homeserver: "{self.hs.url}" '),
                         ('own_server: "" ', f'own_server: "{SERVER}" '),
                         ("# settle_seconds: 120", "settle_seconds: 0")):
            self.assertIn(old, text)
            text = text.replace(old, new)
        with open(self.settings, "w", encoding="utf-8") as file:
            file.write(text)

    def listens(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 5).close()
            return True
        except OSError:
            return False

    def serve(self):
        self.a.serve()
        self.a.until(self.listens)
        self.hs.target = ("127.0.0.1", self.port)

    def settled(self, seconds=120):
        self.a.until(self.hs.idle, seconds)

    def entries(self, action):
        return self.a.json("audit", "list", "--action", action, "--source", "chat")["entries"]

    def whole(self, records):
        self.a.stop()
        self.assertEqual(self.a.json("status")["records"], records)
        self.assertEqual(self.a.verify()[0], 0)

    def test_messages_and_files_are_sealed_and_nobody_else_is_let_in(self):
        self.serve()
        self.hs.event("!a:amt.example")
        self.hs.file("!a:amt.example", b"%PDF-1.7 Plan" * 1000)
        self.hs.file("!a:amt.example", b"x" * (9 << 20), server="fern.example")  # spooled
        self.hs.file("!a:amt.example", b"gone", there=False)
        self.settled()
        self.assertEqual(self.hs.request("POST", "/_matrix/app/v1/ping", {"transaction_id": "x"}), (200, {}))
        self.assertEqual(self.hs.request("GET", f"/_matrix/app/v1/users/%40kustos%3A{SERVER}")[0], 200)
        for path in (f"/_matrix/app/v1/users/%40anna%3A{SERVER}", f"/_matrix/app/v1/rooms/%23x%3A{SERVER}"):
            status, answer = self.hs.request("GET", path)
            self.assertEqual((status, answer["errcode"]), (404, "M_NOT_FOUND"))
        for token, status in ((None, 401), ("wrong", 403), (AS_TOKEN, 403)):
            self.assertEqual(self.hs.request("PUT", "/_matrix/app/v1/transactions/99", {"events": []}, token=token)[0], status)
        self.assertEqual(self.hs.request("PUT", "/_matrix/app/v1/transactions/99", raw=b"{nothing")[0], 400)
        self.assertEqual(self.hs.request("PUT", "/_matrix/app/v1/transactions/100", raw=b" " * (33 << 20))[0], 413)
        registration = (self.a.path / "sources" / "matrix-registration.yaml").read_text(encoding="utf-8")
        self.assertNotIn(HS_TOKEN, registration)
        self.whole(4)
        codes = [entry["rows"]["code"] for entry in self.entries("finding")]
        self.assertIn("matrix:media-missing", codes)
        self.assertNotIn(HS_TOKEN, self.a.err.read_text())

    def test_a_redirect_to_another_host_is_not_followed(self):
        elsewhere = Homeserver()
        self.addCleanup(elsewhere.close)
        self.hs.redirect_media = elsewhere.url + "/_matrix/client/v1/media/download/x/y"
        self.serve()
        self.hs.file("!a:amt.example", b"secret")
        self.settled()
        self.assertEqual(elsewhere.asked, [])
        self.whole(1)

    def test_transactions_that_are_repeated_reordered_or_reused_seal_nothing_twice(self):
        self.serve()
        first = [self.hs.event("!a:amt.example", lost=True) for _ in range(5)]
        second = [self.hs.event("!a:amt.example", lost=True) for _ in range(5)]
        for number, events in ((2, second), (1, first), (2, second), (1, first), (1, second)):
            path = f"/_matrix/app/v1/transactions/{number}"
            self.assertEqual(self.hs.request("PUT", path, {"events": events}), (200, {}))
        self.whole(10)
        self.assertIn("matrix:txn-reused", [entry["rows"]["code"] for entry in self.entries("finding")])

    def test_kills_in_the_middle_lose_nothing_and_seal_nothing_twice(self):
        self.serve()
        self.hs.misbehave = 0.1
        until, rounds = time.monotonic() + SECONDS, 0
        while time.monotonic() < until:
            for _ in range(300):
                self.hs.event(f"!room{random.randrange(5)}:amt.example")
            time.sleep(random.uniform(0.05, 0.8))
            self.a.kill()
            rounds += 1
            self.a.serve()
        self.hs.misbehave = 0
        self.settled(200)
        self.assertEqual(self.hs.answered, self.hs.all_ids())
        print(f"{rounds} kills, {len(self.hs.answered)} events, {self.hs.repeated} exchanges broken off")
        self.whole(len(self.hs.answered))

    def test_what_the_homeserver_lost_is_found_and_the_finding_resolved(self):
        self.serve()
        room = "!a:amt.example"
        for _ in range(20):
            self.hs.event(room)
        self.settled()
        for _ in range(130):
            self.hs.event(room, lost=True)
        with self.hs.lock:  # in its memory, when it is started anew
            for _ in range(7):
                self.hs.event(room)
            self.assertEqual(self.hs.restart(), 7)
        for _ in range(3):
            self.hs.event(room)
        self.settled()
        self.hs.request("POST", "/_matrix/app/v1/ping", {"transaction_id": "started"})
        self.a.until(lambda: self.entries("finding_resolved"), 60)
        self.whole(160)
        found = [e["rows"] for e in self.entries("finding") if e["rows"]["code"] == "matrix:gap"]
        resolved = [e["rows"] for e in self.entries("finding_resolved") if e["rows"]["code"] == "matrix:gap"]
        self.assertEqual([row["count"] for row in found], ["137"])
        self.assertEqual([row["count"] for row in resolved], ["137"])

    def test_a_room_that_cannot_be_read_is_an_open_gap_until_it_can(self):
        room = "!a:amt.example"
        self.hs.hidden.add(room)
        self.serve()
        self.hs.event(room)
        self.settled()
        self.hs.event(room, lost=True)
        self.hs.request("POST", "/_matrix/app/v1/ping", {"transaction_id": "1"})
        self.a.until(lambda: [e for e in self.entries("finding") if e["rows"]["code"] == "matrix:gap"], 60)
        self.assertEqual(self.entries("finding_resolved"), [])
        self.hs.hidden.clear()
        self.hs.request("POST", "/_matrix/app/v1/ping", {"transaction_id": "2"})
        self.a.until(lambda: self.entries("finding_resolved"), 60)
        self.whole(2)


if __name__ == "__main__":
    unittest.main()
